/** The wheel: a key is gone when it is due, not a millisecond before, whatever steps the clock takes. */
import { expect, test } from "bun:test";
import { EffectMask } from "../../core-wasm/abi.ts";
import { createTestCore, type TestCore } from "../support/core.ts";
import { createRandom, type Random } from "../support/random.ts";

const STARTED_MS = 1_700_000_000_000;
/** Spans that reach every level of the wheel. */
const SPANS_MS = [10, 300, 70_000, 20_000_000, 5_000_000_000, 2e12];

function randomDeadline(nowMs: number, random: Random): number {
  return nowMs + 1 + random.below(random.pick(SPANS_MS));
}

/** Moves the clock to `nowMs` and asserts that exactly what is due goes, oldest first. */
function expireTo(core: TestCore, due: Map<string, number>, nowMs: number, budget: number): void {
  const expected = [...due].filter(([, deadline]) => deadline <= nowMs);
  core.clock.setNow(nowMs);
  core.effects().length = 0;
  core.expireAll(budget);
  const gone = core.effects().flatMap((effect) => (effect.kind === "expired" ? [effect.key] : []));
  expect([...gone].sort()).toEqual(expected.map(([key]) => key).sort());
  for (let i = 1; i < gone.length; i++)
    if (due.get(gone[i - 1]!)! > due.get(gone[i]!)!) throw new Error("not the oldest first");
  for (const key of gone) due.delete(key);
  expect(core.harness.core.keyCount(0)).toBe(due.size);
  expectNextIsNotLate(core, due);
}

function expectNextIsNotLate(core: TestCore, due: Map<string, number>): void {
  let first = Number.POSITIVE_INFINITY;
  for (const deadline of due.values()) first = Math.min(first, deadline);
  expect(core.harness.core.nextDeadlineMs()).toBeLessThanOrEqual(first);
}

for (const seed of [1, 2, 3])
  test(`keys with random deadlines are gone exactly when they are due (seed ${seed})`, () => {
    const core = createTestCore({ build: seed === 1 ? "tiny" : "debug", nowMs: STARTED_MS });
    core.harness.listen(EffectMask.Propagate);
    const random = createRandom(seed);
    const due = new Map<string, number>();
    let nowMs = STARTED_MS;
    let made = 0;
    for (let round = 0; round < 300; round++) {
      for (let i = random.below(30); i > 0; i--) {
        const key = random.chance(0.3) ? `key:${random.below(made + 1)}` : `key:${made++}`;
        const deadline = randomDeadline(nowMs, random);
        core.must("SET", key, "v", "PXAT", String(deadline));
        due.set(key, deadline);
      }
      if (random.chance(0.3)) moveOne(core, due, random, nowMs);
      nowMs += random.below(random.pick([2, 300, 70_000, 3_000_000]));
      expireTo(core, due, nowMs, random.pick([1, 7, 1000]));
      if (round % 50 === 0) core.check();
    }
    while (due.size > 0) {
      nowMs = Math.min(...due.values());
      // Just before nothing is due; on the instant at least one is.
      expireTo(core, due, nowMs - 1, 1000);
      const before = due.size;
      expireTo(core, due, nowMs, 1000);
      expect(due.size).toBeLessThan(before);
      if (due.size > 100) nowMs += random.below(1_000_000_000);
    }
    expect(core.harness.core.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
    expect(core.check()).toBe(0);
  });

function moveOne(core: TestCore, due: Map<string, number>, random: Random, nowMs: number): void {
  const keys = [...due.keys()];
  if (keys.length === 0) return;
  const key = random.pick(keys);
  const deadline = randomDeadline(nowMs, random);
  if (core.must("PEXPIREAT", key, String(deadline)) === 1) due.set(key, deadline);
}

test("the wheel follows a clock that is set back, and nothing goes early", () => {
  const core = createTestCore({ build: "debug", nowMs: STARTED_MS });
  core.harness.listen(EffectMask.Propagate);
  const random = createRandom(77);
  const due = new Map<string, number>();
  let nowMs = STARTED_MS;
  for (let round = 0; round < 400; round++) {
    const key = `key:${round}`;
    const deadline = randomDeadline(nowMs, random);
    core.must("SET", key, "v", "PXAT", String(deadline));
    due.set(key, deadline);
    const back = random.chance(0.3);
    nowMs += back ? -1001 - random.below(1_000_000) : random.below(500_000);
    expireTo(core, due, nowMs, 1000);
    if (round % 50 === 0) core.check();
  }
});

test("a deadline beyond the wheel's 48 bits is kept as it is", () => {
  const core = createTestCore({ nowMs: STARTED_MS });
  const farMs = 2 ** 50;
  core.must("SET", "far", "v", "PXAT", String(farMs));
  core.clock.setNow(2 ** 47 + 5);
  core.expireAll();
  expect(core.run("PEXPIRETIME", "far")).toBe(farMs);
  expect(core.check()).toBe(1);
});

test("two hundred thousand keys due at one instant go in slices, all of them", () => {
  const core = createTestCore({ build: "release", nowMs: STARTED_MS });
  const dueMs = STARTED_MS + 10_000;
  const count = 200_000;
  for (let i = 0; i < count; i++) core.run("SET", `key:${i}`, "value", "PXAT", String(dueMs));
  core.clock.setNow(dueMs - 1);
  core.expireAll();
  expect(core.run("DBSIZE")).toBe(count);
  core.clock.setNow(dueMs);
  core.harness.core.expireSlice(800);
  const left = core.run("DBSIZE") as number;
  expect(left).toBeGreaterThan(count - 800);
  expect(left).toBeLessThan(count);
  core.expireAll(800);
  expect(core.run("DBSIZE")).toBe(0);
  core.tidyAll();
  expect(core.check()).toBe(0);
});
