/** Changes of policy at run time: the order is rebuilt in slices from what the keys' clocks say; and the random policies. */
import { expect, test } from "bun:test";
import { EffectMask, EvictionPolicy, SnapshotPhase } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";
import { evictAll, evictTo } from "../support/eviction.ts";
import { createRandom } from "../support/random.ts";

const BUILDS: Build[] = ["tiny", "release"];
const NO_LIMIT = 1 << 30;
const ALL_POLICIES = [
  EvictionPolicy.NoEviction,
  EvictionPolicy.AllKeysLru,
  EvictionPolicy.VolatileLru,
  EvictionPolicy.AllKeysLfu,
  EvictionPolicy.VolatileLfu,
  EvictionPolicy.AllKeysRandom,
  EvictionPolicy.VolatileRandom,
  EvictionPolicy.VolatileTtl,
];

function seconds(core: TestCore): number {
  return Math.floor(core.clock.nowMs() / 1000);
}

for (const build of BUILDS)
  for (const policy of [EvictionPolicy.AllKeysLru, EvictionPolicy.VolatileLru])
    test(`${EvictionPolicy[policy]} put in force knows the past to the second (${build})`, () => {
      const core = createTestCore({ build });
      core.harness.listen(EffectMask.Propagate);
      const random = createRandom(policy);
      const count = 3000;
      /** Seconds of the last use before the change, then the order of uses since. */
      const past = new Map<string, number>();
      const since: string[] = [];
      for (let i = 0; i < count * 2; i++) {
        // Gaps of all sizes: hours, days, weeks.
        core.clock.advance(random.below(2 ** random.below(31)) / 100);
        const key = `key:${random.below(count)}`;
        core.must("SET", key, "v", "PX", String(1e13));
        past.set(key, seconds(core));
      }
      core.clock.advance(2000);
      core.limit(NO_LIMIT, policy);
      // Uses, deletions and moves between the slices of the rebuild.
      for (let slices = 0; core.harness.core.tidySlice(1 + random.below(40)) === 0; slices++) {
        const key = `key:${random.below(count)}`;
        const kind = random.below(3);
        if (kind === 0 && core.run("GET", key) !== null) {
          past.delete(key);
          since.splice(0, since.length, ...since.filter((other) => other !== key), key);
        } else if (kind === 1) {
          core.must("DEL", key);
          past.delete(key);
          since.splice(0, since.length, ...since.filter((other) => other !== key));
        }
        if (slices % 50 === 0) core.check();
      }
      core.check();
      const evicted = evictAll(core, policy);
      expect(evicted).toHaveLength(past.size + since.length);
      const oldest = evicted.slice(0, past.size).map((key) => past.get(key));
      expect(oldest).toEqual([...past.values()].sort((a, b) => a - b));
      expect(evicted.slice(past.size)).toEqual(since);
      core.check();
    });

test("while the order is rebuilt the victim is among the oldest found, and the limit holds", () => {
  const core = createTestCore({ build: "release" });
  core.harness.listen(EffectMask.Propagate);
  for (let i = 0; i < 20_000; i++) {
    core.must("SET", `key:${i}`, "v".repeat(50));
    core.clock.advance(1000);
  }
  const limit = core.usedBytes();
  core.limit(limit, EvictionPolicy.AllKeysLru);
  const victims: number[] = [];
  for (let i = 0; i < 1000; i++) {
    core.must("SET", `new:${i}`, "v".repeat(50));
    expect(core.usedBytes()).toBeLessThanOrEqual(limit);
    for (const effect of core.effects())
      if (effect.kind === "evicted") victims.push(Number(effect.key.split(":")[1]));
    if (i % 10 === 0) core.harness.core.tidySlice(500);
    if (i % 200 === 0) core.check();
  }
  const mean = victims.reduce((sum, victim) => sum + victim, 0) / victims.length;
  expect(victims.length).toBeGreaterThan(500);
  expect(mean).toBeLessThan(20_000 / 4);
  core.check();
});

test("any policy follows any other, whatever was finished in between", () => {
  for (const build of BUILDS) {
    const core = createTestCore({ build });
    const random = createRandom(8);
    for (let round = 0; round < 100; round++) {
      core.limit(random.chance(0.1) ? 0 : 1 << 19, random.pick(ALL_POLICIES));
      for (let i = 0; i < 100; i++) {
        const key = `key:${random.below(3000)}`;
        const kind = random.below(6);
        if (kind === 0) core.run("SET", key, "v".repeat(random.below(300)));
        else if (kind === 1) core.run("SET", key, "v", "PX", String(1 + random.below(1e7)));
        else if (kind === 2) core.run("GET", key);
        else if (kind === 3) core.run("RENAME", key, `key:${random.below(3000)}`);
        else if (kind === 4) core.run("PEXPIRE", key, String(1 + random.below(1e7)));
        else if (random.chance(0.2)) core.harness.core.tidySlice(1 + random.below(400));
        core.clock.advance(random.below(3000));
      }
      if (random.chance(0.1)) core.must("FLUSHALL", "ASYNC");
      if (random.chance(0.2)) core.harness.core.freeSlice(100);
      if (random.chance(0.3)) core.harness.core.evictSlice(1 + random.below(200));
      // A snapshot keeps flushed tables, whose entries keep their marks.
      if (random.chance(0.1)) core.harness.snapshot.begin();
      if (random.chance(0.2)) core.harness.snapshot.slice(100);
      core.harness.core.expireSlice(50);
      core.check();
    }
    while (core.harness.snapshot.slice(1000) !== SnapshotPhase.None);
    core.freeAll();
    core.tidyAll();
    core.check();
  }
});

test("what a snapshot keeps of a flushed database is in no order, however often the policy changed since", () => {
  for (let changes = 1; changes <= 15; changes++) {
    const core = createTestCore({ build: "tiny" });
    core.limit(NO_LIMIT, EvictionPolicy.AllKeysLru);
    core.tidyAll();
    for (let i = 0; i < 50; i++) core.must("SET", `key:${i}`, "v", "PX", "100000");
    core.harness.snapshot.begin();
    core.must("FLUSHDB", "ASYNC");
    for (let i = 0; i < changes; i++) {
      core.limit(NO_LIMIT, i % 2 === 0 ? EvictionPolicy.VolatileTtl : EvictionPolicy.AllKeysLru);
      if (i % 3 === 0) core.tidyAll();
    }
    for (let i = 0; i < 20; i++) core.must("SET", `new:${i}`, "v", "PX", "100000");
    while (core.harness.snapshot.slice(100) !== SnapshotPhase.None);
    core.freeAll();
    expect(core.check()).toBe(20);
  }
});

test("LFU put in force gives every key the first counter, less what it lost since its last use", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  for (let i = 0; i < 8; i++) {
    core.must("SET", `key:${i}`, "v");
    core.clock.advance(60_000);
  }
  core.limit(NO_LIMIT, EvictionPolicy.AllKeysLfu);
  const counters = Array.from({ length: 8 }, (_, i) => core.must("OBJECT", "FREQ", `key:${i}`));
  expect(counters).toEqual([0, 0, 0, 0, 1, 2, 3, 4]);
  core.tidyAll();
  core.must("GET", "key:7");
  core.must("GET", "key:6");
  core.check();
  const evicted = evictAll(core, EvictionPolicy.AllKeysLfu);
  expect(evicted.slice(0, 4).sort()).toEqual(["key:0", "key:1", "key:2", "key:3"]);
  expect(evicted.slice(4, 6)).toEqual(["key:4", "key:5"]);
});

test("LRU put in force after LFU takes the minute of the last use", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  core.limit(NO_LIMIT, EvictionPolicy.AllKeysLfu);
  core.tidyAll();
  for (let i = 0; i < 5; i++) {
    core.must("SET", `key:${i}`, "v");
    core.clock.advance(60_000);
  }
  core.must("GET", "key:1");
  core.clock.advance(180_000);
  core.limit(NO_LIMIT, EvictionPolicy.VolatileLru);
  expect(core.must("OBJECT", "IDLETIME", "key:1")).toBeWithin(180, 240);
  core.limit(NO_LIMIT, EvictionPolicy.AllKeysLru);
  core.tidyAll();
  core.check();
  const order = ["key:0", "key:2", "key:3", "key:4", "key:1"];
  expect(evictAll(core, EvictionPolicy.AllKeysLru)).toEqual(order);
});

test("volatile-random takes keys with a deadline only, all of them alike", () => {
  for (const build of BUILDS) {
    const core = createTestCore({ build });
    core.harness.listen(EffectMask.Propagate);
    const count = 2000;
    for (let i = 0; i < count; i++) {
      core.must("SET", `due:${i}`, "v", "PX", String(1_000_000 + i));
      for (let other = 0; other < 4; other++) core.must("SET", `lasting:${i}:${other}`, "v");
    }
    const victims: number[] = [];
    while (victims.length < 1000) {
      for (const key of evictTo(core, core.usedBytes() - 100, EvictionPolicy.VolatileRandom))
        victims.push(Number(key.match(/^due:(\d+)$/)![1]));
    }
    // Half of them are gone; a mean and a quarter that lie where chance puts them, 6 deviations wide.
    const mean = victims.reduce((sum, victim) => sum + victim, 0) / victims.length;
    expect(mean).toBeWithin(890, 1110);
    expect(victims.filter((victim) => victim < count / 4).length).toBeWithin(190, 310);
    expect(core.run("GET", "lasting:7:1")).toBe("v");
    core.check();
  }
});

test("volatile-random finds three among many, and then refuses", () => {
  const core = createTestCore({ build: "release" });
  core.harness.listen(EffectMask.Propagate);
  for (let i = 0; i < 100_000; i++) core.must("SET", `key:${i}`, "v");
  core.harness.client.db = 7;
  for (let i = 0; i < 3; i++) core.must("SET", `due:${i}`, "v".repeat(100), "PX", "100000");
  core.harness.client.db = 0;
  expect(evictAll(core, EvictionPolicy.VolatileRandom).sort()).toEqual(["due:0", "due:1", "due:2"]);
  expect(core.run("DBSIZE")).toBe(100_000);
  core.check();
});

test("allkeys-random draws from every database by its share", () => {
  const core = createTestCore({ build: "release" });
  core.harness.listen(EffectMask.Propagate);
  for (const [db, count] of [
    [0, 6000],
    [3, 3000],
    [15, 1000],
  ] as const) {
    core.harness.client.db = db;
    for (let i = 0; i < count; i++) core.must("SET", `key:${i}`, "v");
  }
  const byDb = new Map<number, number>();
  for (let evicted = 0; evicted < 2000; ) {
    evictTo(core, core.usedBytes() - 100, EvictionPolicy.AllKeysRandom);
    for (const effect of core.effects()) {
      if (effect.kind !== "evicted") continue;
      evicted++;
      byDb.set(effect.db, (byDb.get(effect.db) ?? 0) + 1);
    }
  }
  expect(byDb.get(0)).toBeWithin(1070, 1330);
  expect(byDb.get(3)).toBeWithin(480, 720);
  expect(byDb.get(15)).toBeWithin(120, 280);
  core.check();
});
