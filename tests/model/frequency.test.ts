/**
 * LFU policies against Redis's rules in plain JavaScript: the victim is the key with the smallest counter as it stands at that
 * moment; of equal ones the one whose counter is 0 first, then the one used longest ago.
 */
import { expect, test } from "bun:test";
import { EffectMask, EvictionPolicy, IoFlag } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, ErrorReply, type TestCore } from "../support/core.ts";
import { type EvictionModel, evictAll, follow, type Tally } from "../support/eviction.ts";
import { createRandom, type Random } from "../support/random.ts";

const LIMIT_BYTES = 1 << 18;
const MINUTE_MS = 60_000;
const INITIAL = 5;

interface Used {
  counter: number;
  minute: number;
  turn: number;
  deadline: number;
}

/** Counters that grow by one at every use (lfu-log-factor 0), so that chance plays no part. */
class Frequencies implements EvictionModel {
  readonly keys = new Map<string, Used>();
  private turn = 0;

  constructor(
    private readonly core: TestCore,
    readonly decayMinutes: number,
    private readonly onlyWithDeadline: boolean,
  ) {}

  private get minute(): number {
    return Math.floor(this.core.clock.nowMs() / MINUTE_MS);
  }

  counter({ counter, minute }: Used): number {
    if (this.decayMinutes === 0) return counter;
    return Math.max(0, counter - Math.floor((this.minute - minute) / this.decayMinutes));
  }

  use(key: string, deadline: number): void {
    const used = this.keys.get(key);
    const counter = used === undefined ? INITIAL : Math.min(255, this.counter(used) + 1);
    this.keys.set(key, { counter, minute: this.minute, turn: this.turn++, deadline });
  }

  victim(): string | undefined {
    let first: [string, number, number] | undefined;
    for (const [key, used] of this.keys) {
      if (this.onlyWithDeadline && used.deadline === 0) continue;
      const zeroAt =
        this.decayMinutes === 0 ? used.counter : used.minute + used.counter * this.decayMinutes;
      if (first === undefined || zeroAt < first[1] || (zeroAt === first[1] && used.turn < first[2]))
        first = [key, zeroAt, used.turn];
    }
    return first?.[0];
  }

  remove(key: string): void {
    this.keys.delete(key);
  }
}

/** One random command and what it does to the model. */
function randomUse(core: TestCore, model: Frequencies, random: Random): () => void {
  // Some keys are used much more than others.
  const key = `key:${random.below(1 + random.below(3000))}`;
  const deadline = core.clock.nowMs() + 1e11 + random.below(1_000_000);
  const kind = random.below(12);
  if (kind < 3) {
    const reply = core.run("SET", key, "v".repeat(random.below(200)));
    return () => reply === "OK" && model.use(key, 0);
  }
  if (kind < 5) {
    const value = "v".repeat(random.below(200));
    const reply = core.run("SET", key, value, "PXAT", String(deadline));
    return () => reply === "OK" && model.use(key, deadline);
  }
  if (kind < 10) {
    const hit = core.run("GET", key) !== null;
    return () => hit && model.use(key, model.keys.get(key)!.deadline);
  }
  if (kind < 11) {
    const moved = core.run("PEXPIREAT", key, String(deadline)) === 1;
    return () => moved && model.use(key, deadline);
  }
  core.run("DEL", key);
  return () => model.remove(key);
}

const runs: [Build, EvictionPolicy, number, number][] = [
  ["release", EvictionPolicy.AllKeysLfu, 1, 60_000],
  ["tiny", EvictionPolicy.AllKeysLfu, 1, 10_000],
  ["tiny", EvictionPolicy.VolatileLfu, 1, 10_000],
  ["release", EvictionPolicy.VolatileLfu, 7, 30_000],
  ["tiny", EvictionPolicy.AllKeysLfu, 16, 10_000],
  ["tiny", EvictionPolicy.AllKeysLfu, 0, 10_000],
];
for (const [build, policy, decayMinutes, commands] of runs)
  test(`${EvictionPolicy[policy]} takes the smallest counter, one off in ${decayMinutes} minutes (${build})`, () => {
    const core = createTestCore({ build });
    core.harness.listen(EffectMask.Propagate);
    core.harness.core.configureFrequency(0, decayMinutes);
    core.limit(LIMIT_BYTES, policy);
    core.tidyAll();
    const random = createRandom(policy + decayMinutes);
    const model = new Frequencies(core, decayMinutes, policy === EvictionPolicy.VolatileLfu);
    const tally: Tally = { evictions: 0, wrong: 0 };
    for (let i = 0; i < commands; i++) {
      if (random.chance(0.01)) core.clock.advance(random.below(40) * MINUTE_MS);
      if (random.chance(0.0005)) core.clock.advance(random.below(20_000) * MINUTE_MS);
      follow(core, model, tally, randomUse(core, model, random));
      if (i % 200 === 0) core.tidyAll(1 + random.below(500));
      if (i % 2000 === 0) core.check();
    }
    expect(tally.wrong).toBe(0);
    expect(tally.evictions).toBeGreaterThan(commands / 70);
    for (const [key, used] of model.keys)
      expect(core.run("OBJECT", "FREQ", key)).toBe(model.counter(used));
    expect(core.check()).toBe(model.keys.size);
  });

test("counters grow by chance, ever more slowly, as lfu-log-factor says", () => {
  const core = createTestCore();
  const usesUntil = (logFactor: number, uses: number): number => {
    core.harness.core.configureFrequency(logFactor, 1);
    core.limit(0, EvictionPolicy.AllKeysLfu);
    const counters: number[] = [];
    for (let key = 0; key < 20; key++) {
      core.must("SET", `${logFactor}:${key}`, "v");
      for (let i = 0; i < uses; i++) core.must("GET", `${logFactor}:${key}`);
      counters.push(core.must("OBJECT", "FREQ", `${logFactor}:${key}`) as number);
    }
    return counters.reduce((sum, counter) => sum + counter, 0) / counters.length;
  };
  // The expected counter after n uses: each step from c takes (c - 5) * factor + 1 of them.
  const expected = (logFactor: number, uses: number): number => {
    let counter = INITIAL;
    for (let left = uses; counter < 255; counter++) {
      left -= (counter - INITIAL) * logFactor + 1;
      if (left < 0) break;
    }
    return counter;
  };
  for (const [logFactor, uses] of [
    [0, 100],
    [1, 1000],
    [10, 1000],
    [100, 2000],
  ] as const) {
    const mean = usesUntil(logFactor, uses);
    expect(Math.abs(mean - expected(logFactor, uses))).toBeLessThan(2);
  }
  expect(usesUntil(0, 400)).toBe(255);
});

test("a new key begins with 5 and loses one in each lfu-decay-time, down to 0", () => {
  const core = createTestCore({ nowMs: 28_000_000 * MINUTE_MS });
  core.limit(0, EvictionPolicy.VolatileLfu);
  core.harness.core.configureFrequency(10, 3);
  core.must("SET", "k", "v");
  const seen: number[] = [];
  for (let i = 0; i < 18; i++) {
    seen.push(core.must("OBJECT", "FREQ", "k") as number);
    core.clock.advance(MINUTE_MS);
  }
  expect(seen).toEqual([5, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 1, 1, 1, 0, 0, 0]);
  core.must("GET", "k");
  expect(core.must("OBJECT", "FREQ", "k")).toBe(1);
  core.harness.core.configureFrequency(10, 0);
  core.clock.advance(1e9);
  expect(core.must("OBJECT", "FREQ", "k")).toBe(1);
  core.check();
});

test("a client that does not touch counts no use, TOUCH does", () => {
  const core = createTestCore();
  core.limit(0, EvictionPolicy.AllKeysLfu);
  core.must("SET", "k", "v");
  core.harness.client.flags = IoFlag.NoTouch;
  for (let i = 0; i < 10; i++) core.must("GET", "k");
  expect(core.must("OBJECT", "FREQ", "k")).toBe(5);
  core.must("TOUCH", "k");
  expect(core.must("OBJECT", "FREQ", "k")).toBe(6);
});

test("RENAME and COPY begin to count anew", () => {
  const core = createTestCore();
  core.limit(0, EvictionPolicy.AllKeysLfu);
  core.must("SET", "k", "v");
  for (let i = 0; i < 1000; i++) core.must("GET", "k");
  core.must("COPY", "k", "copy");
  expect(core.must("OBJECT", "FREQ", "copy")).toBe(5);
  core.must("RENAME", "k", "renamed");
  expect(core.must("OBJECT", "FREQ", "renamed")).toBe(5);
});

test("a clock that is set back lets the counters live on, and the order is built anew", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  core.harness.core.configureFrequency(0, 1);
  core.limit(1 << 30, EvictionPolicy.AllKeysLfu);
  core.tidyAll();
  core.must("SET", "often", "v");
  for (let i = 0; i < 20; i++) core.must("GET", "often");
  core.must("SET", "seldom", "v");
  core.clock.advance(-1000 * MINUTE_MS);
  core.tidyAll();
  core.must("SET", "now", "v");
  for (let i = 0; i < 10; i++) core.must("GET", "now");
  core.check();
  expect(core.must("OBJECT", "FREQ", "often")).toBe(25);
  // By the clock as it is now the counter of "now" is 0 long before those from the future.
  expect(evictAll(core, EvictionPolicy.AllKeysLfu)).toEqual(["now", "seldom", "often"]);
});

test("with a decay time of hours the ring's step is a sixteenth of it", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  core.harness.core.configureFrequency(0, 1600);
  core.limit(1 << 30, EvictionPolicy.AllKeysLfu);
  core.tidyAll();
  const random = createRandom(4);
  for (let i = 0; i < 300; i++) {
    core.must("SET", `key:${i}`, "v");
    for (let uses = random.below(20); uses > 0; uses--) core.must("GET", `key:${i}`);
    core.clock.advance(random.below(60) * MINUTE_MS);
  }
  core.check();
  const counters = new Map<string, number>();
  for (let i = 0; i < 300; i++)
    counters.set(`key:${i}`, core.must("OBJECT", "FREQ", `key:${i}`) as number);
  const order = evictAll(core, EvictionPolicy.AllKeysLfu).map((key) => counters.get(key)!);
  expect(order).toHaveLength(300);
  for (let i = 1; i < order.length; i++)
    expect(order[i]!).toBeGreaterThanOrEqual(order[i - 1]! - 1);
});

test("what is refused under a volatile policy without candidates is refused under LFU too", () => {
  const core = createTestCore({ build: "tiny" });
  core.limit(LIMIT_BYTES, EvictionPolicy.VolatileLfu);
  core.tidyAll();
  let reply: unknown = "OK";
  for (let i = 0; reply === "OK"; i++) reply = core.run("SET", `key:${i}`, "v".repeat(100));
  expect(reply).toBeInstanceOf(ErrorReply);
  core.check();
});
