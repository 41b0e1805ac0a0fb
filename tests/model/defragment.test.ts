/** Moving blocks changes addresses and nothing else: contents, deadlines, eviction order and scans stay. */
import { expect, test } from "bun:test";
import { EffectMask, EvictionPolicy } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";
import { evictTo } from "../support/eviction.ts";
import { createRandom } from "../support/random.ts";

/** Fills the heap with values of one size and leaves one in `keepOneIn`: sparse pages that no other size can use. */
function makeHoles(
  core: TestCore,
  count: number,
  keepOneIn: number,
  bytes: number,
): Map<string, string> {
  const kept = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const value = `${i}:`.padEnd(bytes, "x");
    const deadline = i % 2 === 0 ? ["PX", String(10 ** 6 + i)] : [];
    core.must("SET", `key:${i}`, value, ...deadline);
    if (i % keepOneIn === 0) kept.set(`key:${i}`, value);
  }
  for (let i = 0; i < count; i++) if (i % keepOneIn !== 0) core.must("DEL", `key:${i}`);
  return kept;
}

function expectContents(core: TestCore, kept: Map<string, string>): void {
  for (const [key, value] of kept)
    if (core.run("GET", key) !== value) throw new Error(`${key} changed its value`);
  expect(core.check()).toBe(kept.size);
}

const shifts: [Build, number, number][] = [
  ["release", 150_000, 100],
  ["release", 60_000, 600],
  ["release", 1500, 20_000],
  ["tiny", 60_000, 200],
];
for (const [build, count, bytes] of shifts)
  test(`sparse pages of ${bytes}-byte values are emptied and given back (${build})`, () => {
    const core = createTestCore({ build });
    const kept = makeHoles(core, count, 10, bytes);
    const before = core.heapPages();
    core.tidyAll(400);
    expectContents(core, kept);
    expect(core.heapPages()).toBeLessThan(before / 2);
    const idle = core.heapPages();
    core.tidyAll(400);
    expect(core.heapPages()).toBeLessThanOrEqual(idle);
  });

test("nothing is moved while much is being freed, in the middle of a round either", () => {
  const core = createTestCore({ build: "release" });
  const kept = makeHoles(core, 200_000, 4, 100);
  const names = [...kept.keys()];
  const full = core.heapPages();
  while (core.heapPages() > full * 0.8) core.harness.core.tidySlice(400);
  const before = core.heapPages();
  for (let round = 0; round < 10; round++) {
    core.clock.advance(100);
    for (let i = round; i < names.length; i += 30) {
      core.must("DEL", names[i]!);
      kept.delete(names[i]!);
    }
    core.tidyAll(400);
    // Segments of the table are merged all the same.
    expect(core.heapPages()).toBeGreaterThan(before * 0.9);
  }
  // The first look sees what merging has freed since the last.
  for (let look = 0; look < 2; look++) {
    core.clock.advance(100);
    core.tidyAll(400);
  }
  expectContents(core, kept);
  expect(core.heapPages()).toBeLessThan(before / 2);
});

test("commands between the slices of a round see nothing of it", () => {
  const core = createTestCore({ build: "tiny" });
  const random = createRandom(3);
  const model = makeHoles(core, 60_000, 8, 150);
  const before = core.heapPages();
  for (let slice = 0; slice < 4000; slice++) {
    core.harness.core.tidySlice(1 + random.below(60));
    const key = `key:${random.below(60_000)}`;
    const kind = random.below(4);
    if (kind === 0) {
      const value = "n".repeat(random.below(300));
      core.must("SET", key, value);
      model.set(key, value);
    } else if (kind === 1) {
      core.must("DEL", key);
      model.delete(key);
    } else if (kind === 2) core.must("PEXPIRE", key, "500000");
    else expect(core.run("GET", key)).toBe(model.get(key) ?? null);
    if (slice % 500 === 0) core.check();
  }
  core.tidyAll();
  expectContents(core, model);
  expect(core.heapPages()).toBeLessThan(before);
});

test("eviction order survives the moves", () => {
  const core = createTestCore({ build: "release" });
  core.harness.listen(EffectMask.Propagate);
  core.limit(1 << 30, EvictionPolicy.AllKeysLru);
  core.tidyAll();
  const kept = [...makeHoles(core, 100_000, 10, 100).keys()];
  const before = core.heapPages();
  core.tidyAll(400);
  expect(core.heapPages()).toBeLessThan(before / 2);
  const evicted = evictTo(core, core.usedBytes() >> 1, EvictionPolicy.AllKeysLru);
  expect(evicted.length).toBeGreaterThan(1000);
  expect(evicted).toEqual(kept.slice(0, evicted.length));
  core.check();
});
