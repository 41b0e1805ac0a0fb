/**
 * A snapshot is what a copy of the memory at its beginning holds, whatever is done between its slices. Walks follow one another, some are
 * given up; in between keys expire, are evicted, tables are flushed, swapped, merged and freed.
 */
import { expect, test } from "bun:test";
import { Address, EvictionPolicy, Limit, SnapshotPhase, StateField } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";
import { createHarness } from "../support/core-harness.ts";
import { datasetOf, replayInto } from "../support/dataset.ts";
import { DATABASES, randomOperation } from "../support/operations.ts";
import { createRandom, type Random } from "../support/random.ts";

const LIMITS = (Address.State + StateField.Limits) >> 2;

/** What the walk under way must give, unless it is given up. */
interface Expected {
  dataset: string[];
}

function background(core: TestCore, random: Random): void {
  const { core: exports } = core.harness;
  const budget = 1 + random.below(60);
  const kind = random.below(4);
  if (kind === 0) exports.expireSlice(budget);
  else if (kind === 1) exports.freeSlice(budget);
  else if (kind === 2) exports.tidySlice(budget);
  else core.clock.advance(random.below(40));
}

function operate(core: TestCore, random: Random): void {
  core.harness.client.db = random.below(DATABASES);
  core.run(...randomOperation(random));
}

/** Loads what the snapshot wrote into an empty core. */
function loaded(core: TestCore): string[] {
  const fresh = createHarness({ nowMs: core.clock.nowMs() });
  replayInto(fresh, core.harness.snapshot.written());
  fresh.check();
  return datasetOf(fresh, DATABASES);
}

function play(core: TestCore, random: Random, steps: number): { whole: number; given: number } {
  const { snapshot } = core.harness;
  const count = { whole: 0, given: 0 };
  let expected: Expected | null = null;
  for (let i = 0; i < steps; i++) {
    if (snapshot.phase() === SnapshotPhase.None && random.chance(0.006)) {
      expected = { dataset: datasetOf(core.harness.copy(), DATABASES) };
      expect(snapshot.begin()).toBe(true);
      expect(snapshot.begin()).toBe(false);
    }
    if (snapshot.phase() === SnapshotPhase.Walking && random.chance(0.0005)) snapshot.abort();
    if (snapshot.phase() === SnapshotPhase.Quiet) expected = null;
    if (snapshot.phase() !== SnapshotPhase.None && random.chance(0.3)) {
      const phase = snapshot.slice(1 + random.below(12));
      if (phase === SnapshotPhase.None) {
        if (expected === null) count.given++;
        else {
          expect(loaded(core)).toEqual(expected.dataset);
          count.whole++;
        }
      }
    }
    if (random.chance(0.2)) background(core, random);
    else operate(core, random);
    if (i % 500 === 0) core.check();
  }
  core.check();
  return count;
}

const POLICIES = [
  EvictionPolicy.NoEviction,
  EvictionPolicy.AllKeysLru,
  EvictionPolicy.VolatileTtl,
  EvictionPolicy.AllKeysLfu,
];
for (const build of ["tiny", "release"] as Build[])
  test(`a snapshot is the memory at its beginning (${build})`, () => {
    const total = { whole: 0, given: 0 };
    for (let seed = 1; seed <= 6; seed++) {
      const random = createRandom(seed);
      const core = createTestCore({ build, seed: [seed, seed] });
      // Half of the histories run against a limit, so that there is eviction.
      const limit = seed % 2 === 0 ? core.usedBytes() + 400_000 : 0;
      core.limit(limit, POLICIES[(seed >> 1) % POLICIES.length]!);
      const { whole, given } = play(core, random, 3500);
      total.whole += whole;
      total.given += given;
    }
    expect(total.whole).toBeGreaterThan(25);
    expect(total.given).toBeGreaterThan(3);
  }, 60_000);

for (const build of ["tiny", "release"] as Build[])
  test(`a snapshot goes on in a long list whose nodes have moved (${build})`, () => {
    const core = createTestCore({ build });
    const { snapshot } = core.harness;
    const random = createRandom(11);
    const { i32 } = core.harness.core.memory;
    i32[LIMITS + Limit.ListListpackSize] = 4;
    i32[LIMITS + Limit.ListPlainBytes] = 150;
    // Nodes lie between others, and between strings of their size, which go away.
    for (let i = 0; i < 1500; i++) {
      const words = Array.from({ length: 40 }, (_, k) =>
        `${i}:${k}`.padEnd(20 + random.below(140)),
      );
      for (const key of ["list", "other", "another"]) core.must("RPUSH", key, ...words);
    }
    core.must("DEL", "other", "another");
    core.harness.core.freeSlice(1_000_000);
    const wanted = datasetOf(core.harness.copy(), DATABASES);
    expect(snapshot.begin()).toBe(true);
    let slices = 0;
    for (; snapshot.slice(1) !== SnapshotPhase.None; slices++) {
      if (slices !== 100) continue;
      const before = core.heapPages();
      core.tidyAll(400);
      expect(core.heapPages()).toBeLessThan(before * 0.6);
      // Takes the pages that were given back.
      const words = Array.from({ length: 100 }, () => "f".repeat(100));
      for (let i = 0; i < 1500; i++) core.must("RPUSH", "fresh", ...words);
    }
    expect(slices).toBeGreaterThan(200);
    expect(loaded(core)).toEqual(wanted);
    core.check();
  });
