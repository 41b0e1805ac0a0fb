/** What introspection says of the data: digests, MEMORY USAGE, and the figures of table and wheel. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { EvictionPolicy } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";
import { createRandom } from "../support/random.ts";

const BUILDS: Build[] = ["tiny", "release"];

test("the digest of a value is SHA-1 over type and bytes, at any length", () => {
  const core = createTestCore({ build: "release" });
  const lengths = [...Array.from({ length: 140 }, (_, i) => i), 1000, 16_384, 16_385, 100_000];
  for (const length of lengths) {
    const value = "x".repeat(length);
    core.must("SET", "k", value);
    const wanted = createHash("sha1").update(Buffer.alloc(4)).update(value).digest("hex");
    expect(core.must("DEBUG", "DIGEST-VALUE", "k")).toEqual([wanted]);
  }
});

test("how a value is kept and where makes no difference to its digest", () => {
  const core = createTestCore();
  core.must("SET", "int", "12345");
  core.must("SET", "appended", "123");
  core.must("APPEND", "appended", "45");
  core.must("SET", "due", "12345", "PX", "1000");
  core.must("RENAME", "int", "renamed");
  core.must("COPY", "renamed", "copy", "DB", "3");
  const [first, ...others] = core.must(
    "DEBUG",
    "DIGEST-VALUE",
    "renamed",
    "appended",
    "due",
  ) as string[];
  core.harness.client.db = 3;
  others.push(...(core.must("DEBUG", "DIGEST-VALUE", "copy") as string[]));
  expect(new Set(others)).toEqual(new Set([first!]));
});

test("two cores with the same content have the same digest, in whatever order it came", () => {
  const random = createRandom(3);
  const pairs = Array.from(
    { length: 2000 },
    (_, i) => [`key:${i}`, "v".repeat(random.below(100))] as const,
  );
  const digests = BUILDS.map((build, i) => {
    const core = createTestCore({ build, seed: [i + 1, 9] });
    for (const [key, value] of i === 0 ? pairs : pairs.toReversed()) core.must("SET", key, value);
    core.must("SET", "temporary", "v");
    core.must("DEL", "temporary");
    return core.must("DEBUG", "DIGEST");
  });
  expect(digests[0]).toBe(digests[1]!);
});

test("any difference in key, value, database or deadline changes the digest, and its end restores it", () => {
  const core = createTestCore();
  core.must("MSET", "a", "1", "b", "2");
  const before = core.must("DEBUG", "DIGEST");
  const changes: [string, string][] = [
    ["SET a 2", "SET a 1"],
    ["RENAME a c", "RENAME c a"],
    ["PEXPIRE a 1000", "PERSIST a"],
    ["SET c 3", "DEL c"],
    ["MOVE a 1", ""],
  ];
  const seen = new Set([before]);
  for (const [change, back] of changes) {
    core.must(...change.split(" "));
    const changed = core.must("DEBUG", "DIGEST");
    expect(seen).not.toContain(changed);
    seen.add(changed);
    if (back === "") continue;
    core.must(...back.split(" "));
    expect(core.must("DEBUG", "DIGEST")).toBe(before);
  }
  // Two keys that exchanged their values are another dataset.
  const other = createTestCore();
  other.must("MSET", "a", "2", "b", "1");
  expect(seen).not.toContain(other.must("DEBUG", "DIGEST"));
});

test("MEMORY USAGE is to the byte what used_memory loses with the key", () => {
  const core = createTestCore({ build: "release" });
  const random = createRandom(5);
  core.limit(1 << 30, EvictionPolicy.AllKeysLru);
  for (let i = 0; i < 500; i++) {
    const key = `key:${"k".repeat(random.below(random.chance(0.1) ? 5000 : 30))}`;
    const value = random.chance(0.2)
      ? String(random.below(1e9))
      : "v".repeat(random.below(2 ** random.below(18)));
    core.must("SET", key, value, ...(random.chance(0.3) ? ["PX", "100000"] : []));
    if (random.chance(0.3)) core.must("APPEND", key, "tail".repeat(random.below(100)));
    const bytes = core.must("MEMORY", "USAGE", key) as number;
    const before = core.usedBytes();
    core.must("DEL", key);
    expect(before - core.usedBytes()).toBe(bytes);
  }
});

function words(core: TestCore, address: number, count: number): number[] {
  const { words: view } = core.harness.core.memory;
  return Array.from({ length: count }, (_, i) => view.getUint32(address + 4 * i, true));
}

test("the figures of a table add up", () => {
  for (const build of BUILDS) {
    const core = createTestCore({ build });
    expect(core.harness.core.inspectTable(5)).toBe(0);
    for (let i = 0; i < 5000; i++)
      core.must("SET", `key:${i}`, "v", ...(i % 5 === 0 ? ["PX", "100000"] : []));
    const at = core.harness.core.inspectTable(0);
    const [entries, deadlines, segments, cells, strayed, ...buckets] = words(core, at, 18);
    expect([entries, deadlines]).toEqual([5000, 1000]);
    expect(cells!).toBeGreaterThanOrEqual(segments!);
    expect(strayed!).toBeLessThan(entries!);
    expect(buckets.reduce((sum, count) => sum + count)).toBe(segments! * 16);
    expect(buckets.reduce((sum, count, fill) => sum + count * fill, 0)).toBe(5000);
  }
});

test("the figures of the wheel count every key with a deadline", () => {
  const core = createTestCore();
  for (let i = 0; i < 1000; i++) core.must("SET", `key:${i}`, "v", "PX", String(2 ** (i % 40)));
  const figures = words(core, core.harness.core.inspectWheel(), 12);
  const slots = figures.filter((_, i) => i % 2 === 0);
  const keys = figures.filter((_, i) => i % 2 === 1);
  expect(keys.reduce((sum, count) => sum + count)).toBe(1000);
  for (const [level, count] of keys.entries()) expect(slots[level]!).toBeLessThanOrEqual(count);
});

test("with active expiry off keys that are due wait until they are looked up", () => {
  const core = createTestCore();
  core.harness.core.setActiveExpire(0);
  for (let i = 0; i < 10; i++) core.must("SET", `key:${i}`, "v", "PX", "10");
  core.clock.advance(100);
  core.expireAll();
  expect(core.harness.core.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  expect(core.run("DBSIZE")).toBe(10);
  expect(core.run("GET", "key:3")).toBe(null);
  expect(core.run("DBSIZE")).toBe(9);
  core.harness.core.setActiveExpire(1);
  core.expireAll();
  expect(core.run("DBSIZE")).toBe(0);
  core.check();
});
