/**
 * Eviction against a Map in access order: not one wrong victim, and never a byte above the limit.
 * The model follows the effects: what the core says it evicted must be what the model would have.
 */
import { expect, test } from "bun:test";
import { EffectMask, EvictionPolicy, IoFlag } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, ErrorReply, type TestCore } from "../support/core.ts";
import {
  evictAll,
  evictTo,
  follow,
  type Recency,
  recencyModel,
  type Tally,
  touch,
} from "../support/eviction.ts";
import { createRandom, type Random } from "../support/random.ts";

const MIB = 1 << 20;
/** Longer runs on demand: with MODEL_SCALE=8 the random mixes evict more than 100,000 times. */
const SCALE = Number(process.env["MODEL_SCALE"] ?? 1);

/** One random command and what it does to the model, at its place among the effects. */
function randomCommand(core: TestCore, recency: Recency, random: Random, keys: number): () => void {
  const key = `key:${random.below(keys)}`;
  const deadline = core.clock.nowMs() + 1_000_000 + random.below(1_000_000);
  const value = "v".repeat(random.below(300));
  const touched = (at: number) => () => touch(recency, key, at);
  const nothing = () => {};
  const kind = random.below(20);
  if (kind < 8) return core.run("SET", key, value) === "OK" ? touched(0) : nothing;
  if (kind < 10) {
    const reply = core.run("SET", key, value, "PXAT", String(deadline));
    return reply === "OK" ? touched(deadline) : nothing;
  }
  if (kind < 14) {
    const hit = core.run("GET", key) !== null;
    return () => hit && touch(recency, key, recency.get(key)!);
  }
  if (kind < 16)
    return core.run("PEXPIREAT", key, String(deadline)) === 1 ? touched(deadline) : nothing;
  if (kind < 17) {
    core.run("PERSIST", key);
    return () => recency.has(key) && touch(recency, key, 0);
  }
  if (kind < 18) {
    const refused = core.run("APPEND", key, "tail") instanceof ErrorReply;
    return () => !refused && touch(recency, key, recency.get(key) ?? 0);
  }
  if (kind < 19) {
    core.run("DEL", key);
    return () => recency.delete(key);
  }
  return lookOnly(core, key);
}

/** Looks that are no use: recency must not move. */
function lookOnly(core: TestCore, key: string): () => void {
  core.run("TTL", key);
  core.run("EXISTS", key);
  core.harness.client.flags = IoFlag.NoTouch;
  core.run("GET", key);
  core.harness.client.flags = 0;
  return () => {};
}

interface Policy {
  name: string;
  policy: EvictionPolicy;
  isCandidate: (deadline: number) => boolean;
}
const RECENCY_POLICIES: Policy[] = [
  { name: "allkeys-lru", policy: EvictionPolicy.AllKeysLru, isCandidate: () => true },
  {
    name: "volatile-lru",
    policy: EvictionPolicy.VolatileLru,
    isCandidate: (deadline) => deadline !== 0,
  },
];

const mixes: [Build, number][] = [
  ["release", 150_000 * SCALE],
  ["tiny", 25_000 * SCALE],
];
for (const { name, policy, isCandidate } of RECENCY_POLICIES)
  for (const [build, commands] of mixes)
    test(
      `${name} evicts in exact order under a random mix (${build})`,
      () => {
        const core = createTestCore({ build });
        core.harness.listen(EffectMask.Propagate);
        core.limit(MIB, policy);
        core.tidyAll();
        const random = createRandom(21);
        const recency: Recency = new Map();
        const model = recencyModel(recency, isCandidate);
        const tally: Tally = { evictions: 0, wrong: 0 };
        for (let i = 0; i < commands; i++) {
          const apply = randomCommand(core, recency, random, 20_000);
          follow(core, model, tally, apply);
          if (i % 500 === 0) core.tidyAll(1 + random.below(500));
          if (i % 10_000 === 0) core.check();
        }
        expect(tally.wrong).toBe(0);
        expect(tally.evictions).toBeGreaterThan(commands / 30);
        expect(core.check()).toBe(recency.size);
      },
      30_000 * SCALE,
    );

test("an exact LRU survives changes of policy there and back, with commands in between", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  const random = createRandom(5);
  for (let round = 0; round < 20; round++) {
    core.limit(MIB, random.pick([EvictionPolicy.AllKeysLru, EvictionPolicy.VolatileTtl]));
    core.limit(MIB, random.pick([EvictionPolicy.VolatileLru, EvictionPolicy.NoEviction]));
    for (let i = 0; i < 300; i++) {
      randomCommand(core, new Map(), random, 2000);
      if (random.chance(0.1)) core.harness.core.tidySlice(1 + random.below(50));
    }
    core.check();
  }
  // Once every key has been used again the past under other policies is forgotten.
  core.limit(0, EvictionPolicy.NoEviction);
  core.limit(MIB, EvictionPolicy.AllKeysLru);
  core.tidyAll();
  const keys: string[] = [];
  for (let i = 0; i < 2000; i++) if (core.run("GET", `key:${i}`) !== null) keys.push(`key:${i}`);
  core.limit(core.usedBytes(), EvictionPolicy.AllKeysLru);
  const recency: Recency = new Map(keys.map((key) => [key, 0]));
  const tally: Tally = { evictions: 0, wrong: 0 };
  for (let i = 0; tally.evictions < 500; i++) {
    core.run("SET", `new:${i}`, "v".repeat(100));
    follow(core, recencyModel(recency), tally, () => touch(recency, `new:${i}`, 0));
  }
  expect(tally.wrong).toBe(0);
  core.check();
});

test("volatile-ttl evicts the smallest deadline first", () => {
  for (const build of ["tiny", "release"] as const) {
    const core = createTestCore({ build });
    core.harness.listen(EffectMask.Propagate);
    core.limit(MIB / 2, EvictionPolicy.VolatileTtl);
    core.tidyAll();
    const random = createRandom(9);
    const deadlines = new Map<string, number>();
    const startMs = core.clock.nowMs();
    let evictions = 0;
    for (let i = 0; i < 12_000; i++) {
      const key = `key:${random.below(8000)}`;
      const deadline = startMs + 1_000_000 + random.below(100_000);
      const value = "v".repeat(random.below(200));
      core.must("SET", key, value, "PXAT", String(deadline));
      let applied = false;
      for (const effect of core.effects()) {
        if (effect.kind === "evicted") {
          const least = applied ? Math.min(...deadlines.values()) : undefined;
          expectSmallest(deadlines, effect.key, least);
          deadlines.delete(effect.key);
          evictions++;
        } else {
          deadlines.set(key, deadline);
          applied = true;
        }
      }
      if (!applied) deadlines.set(key, deadline);
      if (i % 1000 === 0) core.check();
    }
    expect(evictions).toBeGreaterThan(1000);
    expect(core.check()).toBe(deadlines.size);
  }
});

function expectSmallest(deadlines: Map<string, number>, victim: string, least?: number): void {
  const smallest = least ?? Math.min(...deadlines.values());
  if (deadlines.get(victim) !== smallest)
    throw new Error(`evicted ${victim}, due ${deadlines.get(victim)} and not ${smallest}`);
}

test("what a volatile policy may not evict stays, and writes are refused", () => {
  const core = createTestCore({ build: "tiny" });
  core.limit(MIB / 4, EvictionPolicy.VolatileLru);
  core.tidyAll();
  let stored = 0;
  for (; ; stored++) {
    const reply = core.run("SET", `key:${stored}`, "v".repeat(100));
    if (!(reply instanceof ErrorReply)) continue;
    expect(reply.text).toStartWith("OOM ");
    break;
  }
  expect(core.run("DBSIZE")).toBe(stored);
  expect(core.run("DEL", "key:0", "key:1", "key:2", "key:3")).toBe(4);
  expect(core.run("SET", "again", "v")).toBe("OK");
  core.check();
});

const policies = {
  "allkeys-lru": EvictionPolicy.AllKeysLru,
  "allkeys-lfu": EvictionPolicy.AllKeysLfu,
  "volatile-lfu": EvictionPolicy.VolatileLfu,
  "volatile-random": EvictionPolicy.VolatileRandom,
  "volatile-ttl": EvictionPolicy.VolatileTtl,
  "allkeys-random": EvictionPolicy.AllKeysRandom,
};
for (const [name, policy] of Object.entries(policies))
  test(`used memory is never above the limit under ${name}, with values of all sizes`, () => {
    const core = createTestCore({ build: "release" });
    const limit = 8 * MIB;
    core.limit(limit, policy);
    core.tidyAll();
    const random = createRandom(33);
    for (let i = 0; i < 20_000; i++) {
      const bytes = random.below(2 ** (1 + random.below(18)));
      const key = `key:${random.below(30_000)}`;
      core.run("SET", key, "v".repeat(bytes), "PX", String(1_000_000 + random.below(1_000_000)));
      if (core.usedBytes() > limit) throw new Error(`${core.usedBytes()} bytes after SET ${bytes}`);
      if (random.chance(0.2)) core.run("APPEND", key, "tail".repeat(random.below(100)));
      if (core.usedBytes() > limit) throw new Error(`${core.usedBytes()} bytes after APPEND`);
      if (i % 100 === 0) core.harness.core.tidySlice(500);
    }
    core.check();
  });

test("a value larger than the limit is refused and costs nobody their place", () => {
  const core = createTestCore({ build: "tiny" });
  core.limit(MIB, EvictionPolicy.AllKeysLru);
  core.tidyAll();
  for (let i = 0; i < 1000; i++) core.must("SET", `key:${i}`, "v");
  expect(core.run("SET", "big", "v".repeat(3 * MIB))).toBeInstanceOf(ErrorReply);
  expect(core.run("DBSIZE")).toBe(1000);
});

test("a client that does not touch leaves recency alone when it moves a deadline", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  core.limit(MIB, EvictionPolicy.AllKeysLru);
  core.tidyAll();
  core.must("SET", "coldest", "v", "PX", "100000");
  for (let i = 0; i < 100; i++) core.must("SET", `key:${i}`, "v");
  core.harness.client.flags = IoFlag.NoTouch;
  core.must("PEXPIRE", "coldest", "200000");
  core.harness.client.flags = 0;
  expect(evictTo(core, core.usedBytes() - 1, EvictionPolicy.AllKeysLru)).toEqual(["coldest"]);
});

test("TOUCH and RENAME are accesses, TOUCH even of a client that leaves none", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  core.limit(MIB, EvictionPolicy.AllKeysLru);
  core.tidyAll();
  for (const key of ["touched", "renamed", "copied", "moved", "coldest"])
    core.must("SET", key, "v");
  core.harness.client.flags = IoFlag.NoTouch;
  core.must("TOUCH", "touched");
  core.must("RENAME", "renamed", "new");
  core.must("COPY", "copied", "copy");
  core.must("MOVE", "moved", "1");
  core.harness.client.flags = 0;
  const order = ["copied", "coldest", "touched", "new", "copy", "moved"];
  expect(evictAll(core, EvictionPolicy.AllKeysLru)).toEqual(order);
});

test("a write right after a change of policy finds the few candidates there are", () => {
  const core = createTestCore({ build: "tiny" });
  for (let i = 0; i < 20_000; i++) core.must("SET", `key:${i}`, "v");
  for (let i = 0; i < 3; i++) core.must("SET", `due:${i}`, "v".repeat(100), "PX", "100000");
  core.limit(core.usedBytes(), EvictionPolicy.VolatileLru);
  expect(core.run("SET", "key:0", "longer")).toBe("OK");
});

test("a limit set below what is used comes into force in slices, and holds in between as far as it came", () => {
  const core = createTestCore({ build: "release" });
  core.harness.listen(EffectMask.Propagate);
  core.limit(8 * MIB, EvictionPolicy.AllKeysLru);
  core.tidyAll();
  for (let i = 0; i < 20_000; i++) core.must("SET", `key:${i}`, "v".repeat(100));
  const before = core.usedBytes();
  const recency: Recency = new Map(Array.from({ length: 20_000 }, (_, i) => [`key:${i}`, 0]));
  const model = recencyModel(recency);
  const tally: Tally = { evictions: 0, wrong: 0 };
  core.limit(MIB, EvictionPolicy.AllKeysLru);
  let slices = 0;
  for (let last = before; ; slices++) {
    core.effects().length = 0;
    const done = core.harness.core.evictSlice(400) > 0;
    follow(core, model, tally, () => {});
    if (done) break;
    expect(last - core.usedBytes()).toBeLessThan(100 * 300);
    last = core.usedBytes();
    // A command keeps to what the slices have reached.
    core.must("SET", `new:${slices}`, "v".repeat(100));
    follow(core, model, tally, () => touch(recency, `new:${slices}`, 0));
    expect(core.usedBytes()).toBeLessThanOrEqual(last);
    last = core.usedBytes();
  }
  expect(core.usedBytes()).toBeLessThanOrEqual(MIB);
  expect(slices).toBeGreaterThan(100);
  expect(tally.wrong).toBe(0);
  core.check();
});

test("a lowered limit without candidates is in force at once: writes are refused", () => {
  for (const policy of [EvictionPolicy.NoEviction, EvictionPolicy.VolatileLru]) {
    const core = createTestCore();
    for (let i = 0; i < 1000; i++) core.must("SET", `key:${i}`, "v");
    core.limit(core.usedBytes() - 5000, policy);
    core.must("DEL", "key:0");
    if (policy === EvictionPolicy.VolatileLru) core.evictDown();
    expect(core.run("SET", "key:0", "v")).toBeInstanceOf(ErrorReply);
  }
});
