/**
 * CLIENT TRACKING as conversations (tests/support/transcript.ts): who is told what, and in which order. The same against
 * redis-server; what it does otherwise before 7.2 has (7.2) in its title.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../../server/index.ts";
import { RawSocket } from "../support/raw-socket.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  startReference,
} from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";
import { play } from "../support/transcript.ts";

interface Playable {
  readonly port: number;
  stop(): Promise<void>;
}

const SCENES = readFileSync(join(import.meta.dir, "tracking.transcripts.txt"), "utf8")
  .split(/^# /m)
  .slice(1)
  .map((scene) => {
    const [title = "", ...lines] = scene.trim().split("\n");
    return { title, script: lines.join("\n") };
  });

async function startOwn(config: Record<string, string>): Promise<Playable> {
  const directory = temporaryDirectory();
  const server = await startServer({
    config: { dir: directory.path, "enable-debug-command": "yes", ...config },
  });
  return {
    port: server.port,
    async stop() {
      server.check();
      await server.close();
      directory.remove();
    },
  };
}

const SERVERS: Record<string, () => Promise<Playable>> = {
  "without a log": () => startOwn({ appendonly: "no" }),
  "with a log that is always synced": () => startOwn({ appendonly: "yes", appendfsync: "always" }),
};
if (REFERENCE_PATH !== null) SERVERS["redis-server"] = () => startReference(freePort());

for (const [name, start] of Object.entries(SERVERS))
  describe(name, () => {
    let server: Playable;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.stop());
    beforeEach(async () => {
      const connection = await openConnection(server.port);
      await connection.raw("FLUSHALL");
      connection.close();
    });

    for (const { title, script } of SCENES)
      test.skipIf(name === "redis-server" && title.endsWith("(7.2)"))(title, async () => {
        expect(await play(server.port, script)).toBe(script);
      });
  });

describe("beside the conversations", () => {
  let server: Playable;
  let admin: Connection;
  beforeEach(async () => {
    server = await startOwn({ appendonly: "no" });
    admin = await openConnection(server.port);
  });
  const stop = async () => {
    admin.close();
    await server.stop();
  };

  const figures = async () => {
    const info = await admin.raw("INFO", "everything");
    return [
      "tracking_clients",
      "tracking_total_keys",
      "tracking_total_items",
      "tracking_total_prefixes",
    ].map((field) => Number(info.match(new RegExp(`${field}:(\\d+)`))?.[1]));
  };
  const reader = async (...options: string[]) => {
    const connection = await openConnection(server.port);
    await connection.raw("HELLO", "3");
    await connection.raw("CLIENT", "TRACKING", "ON", ...options);
    return connection;
  };
  const invalidation = (key: string) =>
    `>2\r\n$10\r\ninvalidate\r\n*1\r\n$${key.length}\r\n${key}\r\n`;

  test("INFO and CLIENT LIST tell who tracks how much, and nothing is left when they are gone", async () => {
    const first = await reader();
    const second = await reader();
    const third = await reader("BCAST", "PREFIX", "p", "PREFIX", "q");
    await first.raw("MGET", "k1", "k2");
    await second.raw("MGET", "k2", "k3");
    expect(await figures()).toEqual([3, 3, 4, 2]);
    expect((await admin.raw("CLIENT", "LIST")).match(/flags=\w+/g)).toEqual([
      "flags=N",
      "flags=t",
      "flags=t",
      "flags=tB",
    ]);
    await admin.raw("SET", "k2", "v");
    expect(await figures()).toEqual([3, 2, 2, 2]);
    first.close();
    third.close();
    while ((await figures())[0] !== 1) await Bun.sleep(1);
    expect(await figures()).toEqual([1, 2, 2, 0]);
    second.close();
    while ((await figures())[0] !== 0) await Bun.sleep(1);
    expect(await figures()).toEqual([0, 0, 0, 0]);
    await stop();
  });

  test("keys beyond tracking-table-max-keys are told to be invalid, though nobody changed them", async () => {
    const client = await reader("NOLOOP");
    await admin.raw("CONFIG", "SET", "tracking-table-max-keys", "2");
    expect(await client.raw("MGET", "k1", "k2", "k3")).toStartWith("*3\r\n");
    expect(await client.next(1000)).toBe(invalidation("k1"));
    expect(await figures()).toEqual([1, 2, 2, 0]);
    await admin.raw("CONFIG", "SET", "tracking-table-max-keys", "1");
    expect(await client.next(1000)).toBe(invalidation("k2"));
    client.close();
    await stop();
  });

  test("many keys beyond it go in looks that take more each time, by the cron too", async () => {
    const client = await reader();
    const keys = Array.from({ length: 1000 }, (_, i) => `key:${i}`);
    await client.raw("MGET", ...keys);
    await admin.raw("CONFIG", "SET", "tracking-table-max-keys", "1");
    for (const key of keys.slice(0, -1)) expect(await client.next(2000)).toBe(invalidation(key));
    expect(await figures()).toEqual([1, 1, 1, 0]);
    client.close();
    await stop();
  });

  test("an evicted key is told before the reply of the command that it had to go for", async () => {
    const client = await reader();
    await admin.raw("DEBUG", "POPULATE", "5000");
    await client.raw("SET", "victim", "x", "EX", "1000");
    await client.raw("GET", "victim");
    const used = Number((await admin.raw("INFO", "memory")).match(/used_memory:(\d+)/)![1]);
    await admin.raw("CONFIG", "SET", "maxmemory-policy", "volatile-random");
    await admin.raw("CONFIG", "SET", "maxmemory", String(used + 20_000));
    client.send([["SET", "large", "x".repeat(30_000)], ["PING"]]);
    const told = [await client.next(1000), await client.next(1000), await client.next(1000)];
    expect(told).toEqual([invalidation("victim"), "+OK\r\n", "+PONG\r\n"]);
    client.close();
    await stop();
  });

  test("what is remembered counts as memory of clients", async () => {
    const clientBytes = async () =>
      Number((await admin.raw("INFO", "memory")).match(/mem_clients_normal:(\d+)/)![1]);
    const client = await reader();
    const before = await clientBytes();
    await client.raw("MGET", ...Array.from({ length: 10_000 }, (_, i) => `key:${i}`));
    expect((await clientBytes()) - before).toBeGreaterThan(10_000 * 100);
    await admin.raw("FLUSHALL");
    expect(await clientBytes()).toBeLessThan(before + 10_000);
    client.close();
    await stop();
  });

  test("a client that is closing is told nothing more", async () => {
    const client = await RawSocket.open(server.port);
    client.send("HELLO 3\r\nCLIENT TRACKING ON\r\nGET k\r\n");
    await client.until((text) => text.endsWith("_\r\n"));
    client.received = "";
    client.send("SET k 1\r\nQUIT\r\nSET k 2\r\n");
    expect(await client.untilClosed()).toBe(`+OK\r\n${invalidation("k")}+OK\r\n`);
    await stop();
  });

  test("messages to a client that does not read stay within its limit", async () => {
    await admin.raw("CONFIG", "SET", "client-output-buffer-limit", "normal 100000 0 0");
    const client = await RawSocket.open(server.port);
    client.send("HELLO 3\r\nCLIENT TRACKING ON BCAST\r\n");
    await client.until((text) => text.endsWith("+OK\r\n"));
    client.pause();
    const key = "k".repeat(10_000);
    for (let i = 0; i < 3000 && (await figures())[0] === 1; i++)
      await admin.raw("SET", `${key}${i}`, "v");
    expect(await figures()).toEqual([0, 0, 0, 0]);
    client.resume();
    client.close();
    await stop();
  });
});
