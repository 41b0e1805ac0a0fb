/** cache-manager over @keyv/redis: the cache of NestJS and others. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { createKeyv } from "@keyv/redis";
import { type Cache, createCache } from "cache-manager";
import { type RestartableServer, startServer } from "./server.ts";

let server: RestartableServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

let cache: Cache;
beforeEach(() => {
  const store = createKeyv(`redis://127.0.0.1:${server.port}`, { namespace: "cache" });
  cache = createCache({ stores: [store], ttl: 60_000, refreshThreshold: 30_000 });
});
afterEach(async () => {
  await cache.clear();
  await cache.disconnect();
});

test("values and batches come back, and are deleted", async () => {
  await cache.set("k", { a: [1, "é"] });
  await cache.mset([
    { key: "x", value: 1 },
    { key: "y", value: 2 },
  ]);
  expect(await cache.get<unknown>("k")).toEqual({ a: [1, "é"] });
  expect(await cache.mget<number>(["x", "y", "none"])).toEqual([1, 2, undefined]);
  await cache.mdel(["x", "k"]);
  expect(await cache.mget<number>(["k", "x", "y"])).toEqual([undefined, undefined, 2]);
  await cache.clear();
  expect(await cache.get("y")).toBeUndefined();
});

test("the time left is Redis's", async () => {
  await cache.set("timed", "v", 5_000);
  expect(await cache.ttl("timed")).toBeWithin(Date.now() + 3_000, Date.now() + 5_001);
  await cache.set("brief", "v", 30);
  await Bun.sleep(50);
  expect(await cache.get("brief")).toBeUndefined();
});

test("wrap computes once, also for callers at the same time, and again behind the threshold", async () => {
  let runs = 0;
  const compute = async () => {
    await Bun.sleep(5);
    return ++runs;
  };
  const wrapped = () => cache.wrap("w", compute);
  expect(await Promise.all([wrapped(), wrapped(), wrapped()])).toEqual([1, 1, 1]);
  expect(await wrapped()).toBe(1);
  await cache.set("w", 1, 1_000);
  expect(await wrapped()).toBe(1);
  await Bun.sleep(30);
  expect(await cache.get<number>("w")).toBe(2);
});
