/** What is deleted goes back to the system: linear memory never shrinks, but its free pages need not stay resident. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Connection, openConnection } from "../support/reference.ts";
import {
  freePort,
  residentBytes,
  type ServerProcess,
  startProcess,
} from "../support/server-process.ts";

const MIB = 1 << 20;
const VALUES = 96;

let server: ServerProcess;
let client: Connection;
beforeAll(async () => {
  server = await startProcess(freePort(), "--save", "", "--enable-debug-command", "yes");
  client = await openConnection(server.port);
});
afterAll(async () => {
  client?.close();
  await server?.kill("SIGKILL");
});

async function fill(): Promise<void> {
  for (let i = 0; i < VALUES; i++) await client.raw("SET", `key:${i}`, `${i}`.repeat(MIB / 2));
}

async function residentOfHeap(): Promise<number> {
  const text = await client.raw("INFO", "memory");
  return Number(text.match(/allocator_resident:(\d+)/)?.[1]);
}

test("MEMORY PURGE gives back what was deleted, at once", async () => {
  await fill();
  expect(await residentOfHeap()).toBeGreaterThan((VALUES / 2) * MIB);
  await client.raw("FLUSHALL");
  const before = residentBytes(server.pid);
  expect(await client.raw("MEMORY", "PURGE")).toBe("+OK\r\n");
  expect(residentBytes(server.pid)).toBeLessThan(before - (VALUES / 4) * MIB);
  expect(await residentOfHeap()).toBeLessThan(2 * MIB);
  expect(await client.raw("DEBUG", "CHECK")).toBe("+OK\r\n");
});

test("without it most goes back within seconds, and the pages are used again", async () => {
  await fill();
  const full = residentBytes(server.pid);
  await client.raw("FLUSHALL");
  for (let look = 0; look < 300 && (await residentOfHeap()) > 16 * MIB; look++)
    await Bun.sleep(100);
  expect(await residentOfHeap()).toBeLessThanOrEqual(16 * MIB);
  expect(residentBytes(server.pid)).toBeLessThan(full - (VALUES / 4) * MIB);
  await fill();
  const last = VALUES - 1;
  expect(await client.raw("GET", `key:${last}`)).toBe(
    `$${MIB}\r\n${`${last}`.repeat(MIB / 2)}\r\n`,
  );
  expect(await client.raw("DEBUG", "CHECK")).toBe("+OK\r\n");
}, 60_000);
