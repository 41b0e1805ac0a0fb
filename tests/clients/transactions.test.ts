/** Transactions and optimistic locks through the libraries' own means, also with many connections at once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { createClient, createClientPool, WatchError } from "redis";
import { type RestartableServer, startServer } from "./server.ts";

const WORKERS = 8;
const ROUNDS = 25;

let server: RestartableServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

describe.each([2, 3] as const)("in RESP%d", (protocol) => {
  let plain: Redis;
  beforeAll(() => {
    plain = new Redis({ port: server.port, protocol });
  });
  beforeEach(() => plain.flushall());
  afterAll(() => plain.disconnect());

  test("ioredis gets each reply of a transaction, errors in their place", async () => {
    const replies = await plain.multi().set("k", "v").incr("k").get("k").mget("k", "none").exec();
    expect(replies!.map(([error, reply]) => error?.message ?? reply)).toEqual([
      "OK",
      "ERR value is not an integer or out of range",
      "v",
      ["v", null],
    ]);
  });

  test("ioredis learns of an error while queueing, and nothing runs", async () => {
    const transaction = plain.multi().set("k", "v");
    transaction.call("NOSUCH", "word");
    await expect(transaction.exec()).rejects.toThrow("EXECABORT");
    expect(await plain.get("k")).toBeNull();
  });

  test("counters that many connections raise under WATCH lose nothing", async () => {
    await plain.set("balance", "0");
    const raise = async () => {
      const own = new Redis({ port: server.port, protocol });
      for (let round = 0; round < ROUNDS; round++)
        for (;;) {
          await own.watch("balance");
          const seen = Number(await own.get("balance"));
          const done = await own
            .multi()
            .set("balance", String(seen + 1))
            .exec();
          if (done !== null) break;
        }
      own.disconnect();
    };
    await Promise.all(Array.from({ length: WORKERS }, raise));
    expect(await plain.get("balance")).toBe(String(WORKERS * ROUNDS));
  });

  test("node-redis runs typed transactions, and refuses one whose key was touched", async () => {
    const client = createClient({ RESP: protocol, socket: { port: server.port } });
    await client.connect();
    const replies: unknown = await client.multi().set("n", "1").incrBy("n", 4).strLen("n").exec();
    expect(replies).toEqual(["OK", 5, 1]);
    await client.watch("n");
    await plain.set("n", "touched");
    await expect(client.multi().incr("n").exec()).rejects.toThrow(WatchError);
    expect(await client.get("n")).toBe("touched");
    client.destroy();
  });

  test("a pool of node-redis keeps its connections' transactions apart", async () => {
    const pool = createClientPool({ RESP: protocol, socket: { port: server.port } });
    await pool.connect();
    const sums: unknown = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        pool.multi().set(`pool:${i}`, String(i)).incrBy(`pool:${i}`, 1).exec(),
      ),
    );
    expect(sums).toEqual(Array.from({ length: 100 }, (_, i) => ["OK", i + 1]));
    pool.destroy();
  });
});
