/** What was acknowledged is there after a kill and a restart; a torn tail is cut, damage is refused. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import {
  freePort,
  type ServerProcess,
  startProcess,
  temporaryDirectory,
} from "../support/server-process.ts";

let dir: ReturnType<typeof temporaryDirectory>;
let server: ServerProcess | undefined;
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  await server?.kill("SIGKILL");
  server = undefined;
  dir.remove();
});

const start = async (policy = "always") => {
  server = await startProcess(
    freePort(),
    "--dir",
    dir.path,
    "--appendonly",
    "yes",
    "--appendfsync",
    policy,
  );
  return new Redis({ port: server.port, protocol: 2 });
};
const logFile = () => join(dir.path, "appendonlydir", "appendonly.aof.1.incr.aof");

test.each(["always", "everysec", "no"])(
  "acknowledged writes survive a kill -9 under %s",
  async (policy) => {
    const client = await start(policy);
    await Promise.all(Array.from({ length: 1000 }, (_, i) => client.set(`k${i}`, `v${i}`)));
    await client.set("deadline", "x", "EX", 1000);
    await client.select(5);
    await client.mset("other", "db");
    client.disconnect();
    await server!.kill("SIGKILL");
    const again = await start(policy);
    expect(await again.dbsize()).toBe(1001);
    expect(await again.mget("k0", "k999")).toEqual(["v0", "v999"]);
    expect(await again.ttl("deadline")).toBeGreaterThan(900);
    await again.select(5);
    expect(await again.get("other")).toBe("db");
    again.disconnect();
  },
);

test("a torn tail is cut at every length, and writing goes on behind it", async () => {
  const client = await start();
  await client.set("first", "1");
  await client.set("second", "2");
  client.disconnect();
  await server!.kill("SIGTERM");
  const whole = readFileSync(logFile());
  const lastFrame = whole.lastIndexOf("*3\r\n");
  for (const length of [lastFrame + 1, lastFrame + 10, whole.length - 1]) {
    writeFileSync(logFile(), whole.subarray(0, length));
    const again = await start();
    expect(await again.keys("*")).toEqual(["first"]);
    await again.set("later", "3");
    again.disconnect();
    await server!.kill("SIGKILL");
    const third = await start();
    expect((await third.keys("*")).sort()).toEqual(["first", "later"]);
    third.disconnect();
    await server!.kill("SIGKILL");
  }
});

test("an open MULTI at the end is cut as a whole", async () => {
  await (await start()).set("kept", "1");
  await server!.kill("SIGKILL");
  const size = statSync(logFile()).size;
  appendFileSync(logFile(), "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n");
  const again = await start();
  expect(statSync(logFile()).size).toBe(size);
  again.disconnect();
});

test("damage in the middle is refused with file and offset", async () => {
  const client = await start();
  for (let i = 0; i < 10; i++) await client.set(`k${i}`, "v");
  client.disconnect();
  await server!.kill("SIGTERM");
  const bytes = readFileSync(logFile());
  const at = bytes.indexOf("*3\r\n", 100);
  bytes[at] = 0x58;
  writeFileSync(logFile(), bytes);
  expect(start()).rejects.toThrow(`damaged at offset ${at}`);
  truncateSync(logFile(), 0);
});

test("a second server on the same directory is refused", async () => {
  const client = await start();
  await client.ping();
  const first = server!;
  expect(start()).rejects.toThrow("is in use by the server with process id");
  client.disconnect();
  server = first;
});
