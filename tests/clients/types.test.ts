/** The other types through the calls that ioredis and node-redis have for them: each library shapes replies in its own way, by protocol. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { type RestartableServer, startServer } from "./server.ts";

let server: RestartableServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

describe.each([2, 3] as const)("ioredis in RESP%d", (protocol) => {
  let redis: Redis;
  let other: Redis;
  beforeAll(() => {
    redis = new Redis({ port: server.port, protocol });
    other = new Redis({ port: server.port, protocol });
  });
  beforeEach(() => redis.flushall());
  afterAll(() => {
    redis.disconnect();
    other.disconnect();
  });

  test("a hash is an object, a set a list of members", async () => {
    await redis.hset("user", { name: "Zoë", visits: 3 });
    await redis.hincrby("user", "visits", 2);
    expect(await redis.hgetall("user")).toEqual({ name: "Zoë", visits: "5" });
    await redis.sadd("tags", "a", "b", "a");
    expect((await redis.smembers("tags")).sort()).toEqual(["a", "b"]);
    expect(await redis.sismember("tags", "c")).toBe(0);
    const seen: string[] = [];
    for await (const batch of redis.hscanStream("user")) seen.push(...(batch as string[]));
    expect(seen).toEqual(["name", "Zoë", "visits", "5"]);
  });

  test("a list is a queue, and somebody waits for it", async () => {
    await redis.rpush("jobs", "1", "2", "3");
    expect(await redis.lrange("jobs", 0, -1)).toEqual(["1", "2", "3"]);
    expect(await redis.lmove("jobs", "done", "LEFT", "RIGHT")).toBe("1");
    const waiting = other.brpop("later", 10);
    await redis.lpush("later", "job");
    expect(await waiting).toEqual(["later", "job"]);
    expect(await other.blpop("none", 0.02)).toBeNull();
  });

  test("a sorted set is a leaderboard", async () => {
    await redis.zadd("scores", 10, "a", 30.5, "b", 20, "c");
    expect(await redis.zrevrange("scores", 0, 1)).toEqual(["b", "c"]);
    expect(Number(await redis.zscore("scores", "b"))).toBe(30.5);
    expect(await redis.zrank("scores", "c")).toBe(1);
    const [[error, first], [, size]] = (await redis
      .multi()
      .zincrby("scores", 100, "a")
      .zcard("scores")
      .exec())! as [[null, unknown], [null, number]];
    expect([error, Number(first), size]).toEqual([null, 110, 3]);
  });

  test("a stream is read by its groups", async () => {
    const id = await redis.xadd("log", "*", "event", "start");
    await redis.xgroup("CREATE", "log", "readers", "0");
    const read = (await redis.xreadgroup("GROUP", "readers", "me", "STREAMS", "log", ">")) as never;
    expect(JSON.stringify(read)).toContain(JSON.stringify([id, ["event", "start"]]));
    expect(await redis.xack("log", "readers", id!)).toBe(1);
    const waiting = other.xread("BLOCK", 10_000, "STREAMS", "log", "$");
    while (!String(await redis.client("LIST")).includes("cmd=xread")) await Bun.sleep(1);
    await redis.xadd("log", "*", "event", "stop");
    expect(JSON.stringify(await waiting)).toContain('["event","stop"]');
  });
});

describe.each([2, 3] as const)("node-redis in RESP%d", (protocol) => {
  const open = () =>
    createClient({ RESP: protocol, socket: { port: server.port, host: "127.0.0.1" } }).connect();
  let redis: Awaited<ReturnType<typeof open>>;
  let other: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    redis = await open();
    other = await open();
  });
  beforeEach(() => redis.flushAll());
  afterAll(() => {
    redis.destroy();
    other.destroy();
  });

  test("a hash is an object, a set a list of members", async () => {
    await redis.hSet("user", { name: "Zoë", visits: "3" });
    expect(await redis.hIncrBy("user", "visits", 2)).toBe(5);
    expect({ ...(await redis.hGetAll("user")) }).toEqual({ name: "Zoë", visits: "5" });
    expect(await redis.hmGet("user", ["name", "none"])).toEqual(["Zoë", null]);
    await redis.sAdd("tags", ["a", "b", "a"]);
    expect((await redis.sMembers("tags")).sort()).toEqual(["a", "b"]);
    expect(await redis.sIsMember("tags", "c")).toBe(0);
  });

  test("a list is a queue, and somebody waits for it", async () => {
    await redis.rPush("jobs", ["1", "2", "3"]);
    expect(await redis.lRange("jobs", 0, -1)).toEqual(["1", "2", "3"]);
    const waiting = other.blPop("later", 10);
    await redis.lPush("later", "job");
    expect({ ...(await waiting) }).toEqual({ key: "later", element: "job" });
    expect(await other.blPop("none", 0.02)).toBeNull();
  });

  test("a sorted set is a leaderboard", async () => {
    const scores = [
      { value: "a", score: 10 },
      { value: "b", score: 30.5 },
      { value: "c", score: 20 },
    ];
    await redis.zAdd("scores", scores);
    const sorted = await redis.zRangeWithScores("scores", 0, -1);
    expect(sorted.map((each) => ({ ...each }))).toEqual([scores[0]!, scores[2]!, scores[1]!]);
    expect(await redis.zScore("scores", "b")).toBe(30.5);
    expect({ ...(await redis.zPopMax("scores")) }).toEqual({ value: "b", score: 30.5 });
  });

  test("a stream is read by its groups", async () => {
    const id = await redis.xAdd("log", "*", { event: "start" });
    await redis.xGroupCreate("log", "readers", "0");
    const read = await redis.xReadGroup("readers", "me", { key: "log", id: ">" });
    const shown = JSON.stringify(read);
    for (const part of [id, "event", "start"]) expect(shown).toContain(part);
    expect(await redis.xAck("log", "readers", id)).toBe(1);
    const info = await redis.xInfoStream("log");
    expect([info.length, info["last-generated-id"]]).toEqual([1, id]);
  });
});
