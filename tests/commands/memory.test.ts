/** MEMORY STATS, DOCTOR and PURGE against a server with data. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import { plainOf } from "../support/core.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import { wholeReply } from "../support/reply.ts";

let server: RunningServer;
let client: Connection;

beforeAll(async () => {
  server = await startServer();
  client = await openConnection(server.port);
  await client.raw("HELLO", "3");
});
afterAll(async () => {
  client.close();
  await server.close();
});

async function stats(): Promise<Map<unknown, unknown>> {
  const reply = plainOf(wholeReply(await client.raw("MEMORY", "STATS")));
  if (!(reply instanceof Map)) throw new Error("MEMORY STATS is a map");
  return reply;
}

test("MEMORY STATS counts keys and bytes, by database", async () => {
  const before = await stats();
  expect(before.get("keys.count")).toBe(0);
  expect(before.get("keys.bytes-per-key")).toBe(0);
  await client.raw("SET", "a", "x".repeat(10_000));
  await client.raw("SELECT", "3");
  await client.raw("SET", "b", "x".repeat(10_000));
  await client.raw("SELECT", "0");
  const after = await stats();
  expect(after.get("keys.count")).toBe(2);
  expect(Number(after.get("keys.bytes-per-key"))).toBeGreaterThan(10_000);
  expect(Number(after.get("dataset.bytes"))).toBeGreaterThan(20_000);
  const bytes = Number(after.get("total.allocated"));
  expect(bytes - Number(before.get("total.allocated"))).toBeGreaterThan(20_000);
  expect(Number(after.get("peak.allocated"))).toBeGreaterThanOrEqual(bytes);
  expect(Number(after.get("dataset.bytes")) + Number(after.get("overhead.total"))).toBe(bytes);
  for (const db of ["db.0", "db.3"]) {
    const overhead = after.get(db);
    expect(overhead).toBeInstanceOf(Map);
    expect(
      Number((overhead as Map<string, number>).get("overhead.hashtable.main")),
    ).toBeGreaterThan(1024);
  }
});

test("MEMORY PURGE leaves no page behind that could be freed", async () => {
  for (let i = 0; i < 3000; i++) await client.raw("SET", `key:${i}`, "v".repeat(100));
  for (let i = 0; i < 3000; i++) if (i % 10 !== 0) await client.raw("DEL", `key:${i}`);
  expect(await client.raw("MEMORY", "PURGE")).toBe("+OK\r\n");
  const purged = await stats();
  expect(await client.raw("MEMORY", "PURGE")).toBe("+OK\r\n");
  expect((await stats()).get("allocator.active")).toBe(purged.get("allocator.active"));
  expect(await client.raw("GET", "key:2990")).toContain("vvv");
  server.check();
});

test("MEMORY DOCTOR and MALLOC-STATS are texts", async () => {
  expect(await client.raw("MEMORY", "DOCTOR")).toStartWith("=");
  const text = await client.raw("MEMORY", "MALLOC-STATS");
  expect(text).toMatch(/blocks in use: \d+ bytes\n/);
});
