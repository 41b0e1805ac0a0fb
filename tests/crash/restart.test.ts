/** What was acknowledged is there after a kill and a restart; a torn tail is cut, damage is refused. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
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
  const frameEnd = whole.lastIndexOf("#CRC:");
  for (const length of [lastFrame + 1, lastFrame + 10, frameEnd - 1]) {
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

test("a unit that is torn anywhere is cut as a whole, and nothing of it has happened", async () => {
  const client = await start();
  await client.set("kept", "1");
  await client.disconnect();
  await server!.kill("SIGKILL");
  const whole = readFileSync(logFile());
  const frame = (...words: string[]) =>
    `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
  const large = "x".repeat(9 << 20);
  const parts = [
    frame("MULTI"),
    frame("SET", "torn", "1"),
    frame("SELECT", "3"),
    frame("SET", "kept", large),
    frame("EXEC"),
  ];
  for (const kept of [1, 2, 3, 4, 4.5, 5]) {
    const unit = parts.slice(0, Math.ceil(kept)).join("");
    const bytes = Buffer.from(Number.isInteger(kept) ? unit : unit.slice(0, -3));
    writeFileSync(logFile(), Buffer.concat([whole, bytes]));
    const again = await start();
    const isWhole = kept === 5;
    expect(await again.keys("*")).toEqual(isWhole ? expect.arrayContaining(["torn"]) : ["kept"]);
    expect(statSync(logFile()).size).toBe(whole.length + (isWhole ? bytes.length : 0));
    await again.select(3);
    expect(await again.strlen("kept")).toBe(isWhole ? large.length : 0);
    again.disconnect();
    await server!.kill("SIGKILL");
  }
});

test("acknowledged transactions survive a kill -9, in their databases", async () => {
  const client = await start();
  for (let i = 0; i < 200; i++)
    await client
      .multi()
      .select(i % 4)
      .set(`k${i}`, "v")
      .incr("count")
      .select(0)
      .exec();
  client.disconnect();
  await server!.kill("SIGKILL");
  const again = await start();
  for (const db of [0, 1, 2, 3]) {
    await again.select(db);
    expect(await again.dbsize()).toBe(51);
    expect(await again.get("count")).toBe("50");
  }
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
