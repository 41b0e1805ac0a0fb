/** cacheable: a cache of two levels, memory before Bundis. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { createKeyv } from "@keyv/redis";
import { Cacheable } from "cacheable";
import { type RestartableServer, startServer } from "./server.ts";

let server: RestartableServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

const open = () =>
  new Cacheable({
    secondary: createKeyv(`redis://127.0.0.1:${server.port}`),
    nonBlocking: false,
    ttl: "1h",
  });
let here: Cacheable;
let there: Cacheable;
beforeEach(() => {
  here = open();
  there = open();
});
afterEach(async () => {
  await here.clear();
  await here.disconnect();
  await there.disconnect();
});

test("what one process caches another finds in the second level", async () => {
  await here.set("report", { rows: [1, 2, 3] });
  expect(await there.get<{ rows: number[] }>("report")).toEqual({ rows: [1, 2, 3] });
  await here.setMany([
    { key: "a", value: 1 },
    { key: "b", value: "two", ttl: "10m" },
  ]);
  expect(await there.getMany<unknown>(["a", "b", "c"])).toEqual([1, "two", undefined]);
});

test("what is deleted or expired is gone from both levels", async () => {
  await here.set("gone", "v");
  await here.set("brief", "v", 40);
  expect(await here.delete("gone")).toBe(true);
  expect(await there.get("gone")).toBeUndefined();
  await Bun.sleep(60);
  expect(await here.get("brief")).toBeUndefined();
  expect(await there.get("brief")).toBeUndefined();
  expect(await there.has("brief")).toBe(false);
});

test("take reads once", async () => {
  await here.set("token", "t");
  expect(await there.take<string>("token")).toBe("t");
  expect(await there.get("token")).toBeUndefined();
});

test("a wrapped function runs once for an argument", async () => {
  let runs = 0;
  const square = here.wrap(
    async (n: number) => {
      runs++;
      return n * n;
    },
    { ttl: "1h", keyPrefix: "square" },
  );
  expect([await square(7), await square(7), await square(8)]).toEqual([49, 49, 64]);
  expect(runs).toBe(2);
});
