/** SCAN's promise: what is there throughout comes exactly once, and nothing comes twice, whatever happens in between. */
import { expect, test } from "bun:test";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";
import { createRandom, type Random } from "../support/random.ts";

interface Churn {
  core: TestCore;
  random: Random;
  /** Keys that come and go while the scan runs. */
  passing: string[];
  made: number;
}

function insert(churn: Churn, count: number): void {
  for (let i = 0; i < count; i++) {
    const key = `passing:${churn.made++}`;
    churn.core.must("SET", key, "v");
    churn.passing.push(key);
  }
}

function remove(churn: Churn, count: number): void {
  for (let i = 0; i < count && churn.passing.length > 0; i++) {
    const at = churn.random.below(churn.passing.length);
    const key = churn.passing[at]!;
    churn.passing[at] = churn.passing.at(-1)!;
    churn.passing.pop();
    churn.core.must("DEL", key);
  }
}

/** Runs a whole scan, `between` every two calls. @returns how often each key came */
function scan(core: TestCore, count: number, between: () => void): Map<string, number> {
  const seen = new Map<string, number>();
  let cursor = "0";
  do {
    const [next, keys] = core.must("SCAN", cursor, "COUNT", String(count)) as [string, string[]];
    for (const key of keys) seen.set(key, (seen.get(key) ?? 0) + 1);
    cursor = next;
    between();
  } while (cursor !== "0");
  return seen;
}

function expectExactlyOnce(seen: Map<string, number>, stable: readonly string[]): void {
  expect(stable.filter((key) => seen.get(key) !== 1)).toEqual([]);
  expect([...seen].filter(([, times]) => times > 1)).toEqual([]);
}

function withStableKeys(build: Build, count: number, seed: number) {
  const core = createTestCore({ build, seed: [seed, 7] });
  const stable = Array.from({ length: count }, (_, i) => `stable:${i}`);
  for (const key of stable) core.must("SET", key, "v");
  const churn: Churn = { core, random: createRandom(seed), passing: [], made: 0 };
  return { core, stable, churn };
}

for (const build of ["tiny", "release"] as const) {
  for (const seed of [1, 2, 3, 4])
    test(`a scan survives random inserts and deletes (${build}, seed ${seed})`, () => {
      const { core, stable, churn } = withStableKeys(build, 1000, seed);
      insert(churn, 1000);
      for (let round = 0; round < 4; round++) {
        const seen = scan(core, 1 + churn.random.below(30), () => {
          if (churn.random.chance(0.5)) insert(churn, churn.random.below(60));
          else remove(churn, churn.random.below(60));
          if (churn.random.chance(0.3)) core.tidyAll(1 + churn.random.below(100));
        });
        expectExactlyOnce(seen, stable);
        core.check();
      }
    });

  test(`a scan survives tenfold growth and shrinking with merges (${build})`, () => {
    const { core, stable, churn } = withStableKeys(build, 1500, 11);
    const calls = stable.length / 10;
    const perCall = Math.ceil((stable.length * 9) / calls);
    const grown = scan(core, 10, () => churn.made < stable.length * 9 && insert(churn, perCall));
    expectExactlyOnce(grown, stable);
    core.check();
    const pages = core.heapPages();
    const shrunk = scan(core, 10, () => {
      remove(churn, perCall);
      core.tidyAll(64);
    });
    expectExactlyOnce(shrunk, stable);
    remove(churn, Number.POSITIVE_INFINITY);
    core.tidyAll();
    expect(core.heapPages()).toBeLessThanOrEqual(pages);
    expect(core.check()).toBe(stable.length);
  });

  test(`a scan survives bursts that grow and empty the table again and again (${build})`, () => {
    const { core, stable, churn } = withStableKeys(build, 300, 12);
    let grow = true;
    const seen = scan(core, 3, () => {
      if (grow) insert(churn, 700);
      else remove(churn, 700);
      grow = !grow;
      core.tidyAll();
    });
    expectExactlyOnce(seen, stable);
    core.check();
  });
}
