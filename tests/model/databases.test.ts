/** Databases behave like an array of Maps under flushes, swaps, moves and copies, while what was flushed is still being freed. */
import { expect, test } from "bun:test";
import { EvictionPolicy } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";
import { createRandom, type Random } from "../support/random.ts";

const DATABASES = 5;
type Model = Map<string, string>[];

function step(core: TestCore, model: Model, random: Random, nowMs: number): void {
  const db = random.below(DATABASES);
  core.harness.client.db = db;
  const kind = random.below(40);
  if (kind === 0) {
    const [first, second] = [random.below(DATABASES), random.below(DATABASES)];
    core.must("SWAPDB", String(first), String(second));
    [model[first], model[second]] = [model[second]!, model[first]!];
  } else if (kind === 1) {
    core.must("FLUSHDB", random.pick(["ASYNC", "SYNC"]));
    model[db] = new Map();
  } else if (kind === 2 && random.chance(0.3)) {
    core.must("FLUSHALL", random.pick(["ASYNC", "SYNC"]));
    for (let i = 0; i < DATABASES; i++) model[i] = new Map();
  } else if (kind < 8) {
    core.harness.core.freeSlice(1 + random.below(100));
    core.harness.core.tidySlice(1 + random.below(100));
  } else if (kind < 12) {
    const key = `key:${random.below(500)}`;
    expect(core.must("DEL", key)).toBe(model[db]!.delete(key) ? 1 : 0);
  } else if (kind < 18) {
    relocate(core, model, random, db);
  } else {
    const key = `key:${random.below(500)}`;
    const value = "v".repeat(random.below(random.chance(0.02) ? 40_000 : 100));
    const deadline = random.chance(0.3)
      ? ["PXAT", String(nowMs + 10 ** 6 + random.below(999))]
      : [];
    core.must("SET", key, value, ...deadline);
    model[db]!.set(key, value);
  }
}

/** RENAME, MOVE or COPY of a random key to a random place. */
function relocate(core: TestCore, model: Model, random: Random, db: number): void {
  const [from, to] = [`key:${random.below(500)}`, `key:${random.below(500)}`];
  const other = random.below(DATABASES);
  const value = model[db]!.get(from);
  const kind = random.below(3);
  if (kind === 0 && value !== undefined) {
    core.must("RENAME", from, to);
    model[db]!.delete(from);
    model[db]!.set(to, value);
  } else if (kind === 1 && other !== db) {
    const moved = value !== undefined && !model[other]!.has(from);
    expect(core.must("MOVE", from, String(other))).toBe(moved ? 1 : 0);
    if (!moved) return;
    model[db]!.delete(from);
    model[other]!.set(from, value);
  } else if (kind === 2 && (other !== db || from !== to)) {
    const copied = value !== undefined;
    expect(core.must("COPY", from, to, "DB", String(other), "REPLACE")).toBe(copied ? 1 : 0);
    if (copied) model[other]!.set(to, value);
  }
}

function compare(core: TestCore, model: Model): void {
  let total = 0;
  for (const [db, keys] of model.entries()) {
    core.harness.client.db = db;
    expect(core.run("DBSIZE")).toBe(keys.size);
    expect((core.run("KEYS", "*") as string[]).sort()).toEqual([...keys.keys()].sort());
    for (const [key, value] of keys) expect(core.run("GET", key)).toBe(value);
    total += keys.size;
  }
  expect(core.check()).toBe(total);
}

const POLICIES = [
  EvictionPolicy.NoEviction,
  EvictionPolicy.VolatileLru,
  EvictionPolicy.AllKeysLru,
  EvictionPolicy.VolatileTtl,
];
for (const build of ["tiny", "release"] as Build[])
  test(`flushes and swaps behave like an array of Maps (${build})`, () => {
    for (const [seed, policy] of POLICIES.entries()) {
      const core = createTestCore({ build });
      const emptyBytes = core.usedBytes();
      core.limit(1 << 30, policy);
      const random = createRandom(seed);
      const model: Model = Array.from({ length: DATABASES }, () => new Map());
      for (let i = 0; i < 6000; i++) {
        step(core, model, random, core.clock.nowMs());
        if (i % 1000 === 0) compare(core, model);
      }
      compare(core, model);
      core.must("FLUSHALL");
      core.freeAll(50);
      expect(core.check()).toBe(0);
      expect(core.usedBytes()).toBe(emptyBytes);
    }
  });

test("keys of a flushed database neither expire nor are evicted as if they were there", () => {
  const core = createTestCore({ build: "tiny" });
  for (let i = 0; i < 500; i++) core.must("SET", `key:${i}`, "v", "PX", "100");
  core.must("FLUSHALL", "ASYNC");
  core.must("SET", "key:1", "new");
  core.clock.advance(1000);
  core.expireAll(10);
  expect(core.run("DBSIZE")).toBe(1);
  expect(core.run("GET", "key:1")).toBe("new");
  core.check();
  core.freeAll(10);
  expect(core.check()).toBe(1);
});
