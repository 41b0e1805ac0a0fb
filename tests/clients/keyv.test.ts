/** keyv with @keyv/redis: a key-value store with namespaces, time to live, batches and iteration. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import KeyvRedis, { createKeyv, type Keyv } from "@keyv/redis";
import { type RestartableServer, startServer } from "./server.ts";

let server: RestartableServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.stop());

describe.each([2, 3] as const)("keyv in RESP%d", (protocol) => {
  const open = (namespace: string) =>
    createKeyv({ socket: { port: server.port, host: "127.0.0.1" }, RESP: protocol }, { namespace });
  let users: Keyv;
  let orders: Keyv;
  beforeAll(() => {
    users = open("users");
    orders = open("orders");
  });
  beforeEach(async () => {
    await users.clear();
    await orders.clear();
  });
  afterAll(async () => {
    await users.disconnect();
    await orders.disconnect();
  });

  test("values come back as they were, apart by namespace", async () => {
    const value = { name: "Zoë", tags: ["a", "b"], when: 12.5, none: null };
    expect(await users.set("1", value)).toBe(true);
    expect(await users.get("1")).toEqual(value);
    expect(await orders.get("1")).toBeUndefined();
    expect(await users.has("1")).toBe(true);
    expect(await orders.has("1")).toBe(false);
  });

  test("a value lives as long as it was told", async () => {
    await users.set("short", "s", 40);
    await users.set("long", "l", 60_000);
    expect(await users.get("short")).toBe("s");
    const { store } = users as unknown as { store: KeyvRedis<string> };
    expect(store).toBeInstanceOf(KeyvRedis);
    const client = store.client as { pTTL(key: string): Promise<number> };
    expect(await client.pTTL("users::long")).toBeWithin(50_000, 60_001);
    await Bun.sleep(60);
    expect(await users.get("short")).toBeUndefined();
  });

  test("batches are set, asked for and deleted as one", async () => {
    const entries = Array.from({ length: 200 }, (_, i) => ({
      key: `k${i}`,
      value: i,
      ttl: 60_000,
    }));
    await users.setMany(entries);
    const keys = entries.map(({ key }) => key);
    expect(await users.getMany([...keys, "none"])).toEqual([
      ...entries.map(({ value }) => value),
      undefined,
    ]);
    expect(await users.hasMany(["k0", "none", "k199"])).toEqual([true, false, true]);
    expect(await users.deleteMany(keys.slice(0, 150))).toBe(true);
    expect((await users.getMany(keys)).filter((value) => value !== undefined)).toHaveLength(50);
  });

  test("clear and iteration walk one namespace only", async () => {
    await users.setMany(Array.from({ length: 500 }, (_, i) => ({ key: `u${i}`, value: i })));
    await orders.set("o", 1);
    const seen = new Map<string, number>();
    for await (const [key, value] of users.iterator!({})) seen.set(key, value);
    expect(seen.size).toBe(500);
    expect(seen.get("u499")).toBe(499);
    await users.clear();
    expect(await users.get("u7")).toBeUndefined();
    expect(await orders.get("o")).toBe(1);
  });
});
