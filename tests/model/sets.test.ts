/** Sets against JavaScript's: every encoding, the ways between them, and scans while they grow and shrink. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { EffectMask } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, type Plain, type TestCore } from "../support/core.ts";
import { createRandom } from "../support/random.ts";

const sorted = (items: Iterable<string>) => [...items].toSorted();
const members = (core: TestCore, key: string) => sorted(core.must("SMEMBERS", key) as string[]);

/** Integers of each width, short and long texts: enough of each kind to cross every threshold. */
const member = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 600 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("-1", "32768", "-32769", "2147483648", "9223372036854775807"),
  },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 200 }).map((n) => `m${n}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "007", "x".repeat(64), "x".repeat(65), "x".repeat(300)),
  },
);
const key = fc.constantFrom("a", "b", "c");
const batch = fc.array(member, { minLength: 1, maxLength: 60 });
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant("SADD"), key, batch) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("SREM"), key, batch) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("SMOVE"), key, fc.tuple(key, member)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("SPOP"), key, fc.integer({ min: 0, max: 40 })) },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"),
      key,
      fc.array(key, { minLength: 1, maxLength: 3 }),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("COPY"), key, key) },
);
type Step = [string, string, string | string[] | [string, string] | number];
type Model = Map<string, Set<string>>;

const of = (model: Model, name: string) => model.get(name) ?? new Set<string>();

function put(model: Model, name: string, set: Set<string>): void {
  if (set.size > 0) model.set(name, set);
  else model.delete(name);
}

function combined(command: string, sets: Set<string>[]): Set<string> {
  if (command === "SUNIONSTORE") return new Set(sets.flatMap((set) => [...set]));
  const [first, ...others] = sets;
  const wanted = command === "SINTERSTORE";
  return new Set(
    [...first!].filter((item) =>
      wanted ? others.every((set) => set.has(item)) : !others.some((set) => set.has(item)),
    ),
  );
}

/** Runs a step on both, and compares what it answers. */
function apply(core: TestCore, model: Model, [command, name, what]: Step): void {
  const set = new Set(of(model, name));
  const before = set.size;
  if (command === "SADD") {
    for (const item of what as string[]) set.add(item);
    expect(core.must(command, name, ...(what as string[]))).toBe(set.size - before);
  } else if (command === "SREM") {
    for (const item of what as string[]) set.delete(item);
    expect(core.must(command, name, ...(what as string[]))).toBe(before - set.size);
  } else if (command === "SMOVE") {
    const [to, item] = what as [string, string];
    const has = set.has(item);
    expect(core.must(command, name, to, item)).toBe(has ? 1 : 0);
    if (!has || to === name) return;
    set.delete(item);
    put(model, to, new Set(of(model, to)).add(item));
  } else if (command === "SPOP") {
    const popped = core.must(command, name, String(what)) as string[];
    expect(popped).toHaveLength(Math.min(before, what as number));
    for (const item of popped) expect(set.delete(item)).toBe(true);
  } else if (command === "COPY") {
    const to = what as string;
    if (to === name) return;
    core.must("COPY", name, to, "REPLACE");
    if (before > 0) put(model, to, new Set(set));
    return;
  } else {
    const result = combined(
      command,
      (what as string[]).map((source) => of(model, source)),
    );
    expect(core.must(command, name, ...(what as string[]))).toBe(result.size);
    put(model, name, result);
    return;
  }
  put(model, name, set);
}

for (const build of ["tiny", "release"] as Build[])
  test(`sets behave like JavaScript's (${build})`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const core = createTestCore({ build });
        const model: Model = new Map();
        for (const one of steps) {
          apply(core, model, one as Step);
          core.check();
        }
        for (const name of ["a", "b", "c"]) {
          const set = of(model, name);
          expect(members(core, name)).toEqual(sorted(set));
          expect(core.must("SCARD", name)).toBe(set.size);
          const asked = ["0", "m1", "", "x".repeat(65), ...set];
          const has = core.must("SMISMEMBER", name, ...asked) as number[];
          expect(has).toEqual(asked.map((item) => (set.has(item) ? 1 : 0)));
        }
        const [a, b, c] = ["a", "b", "c"].map((name) => of(model, name)) as [
          Set<string>,
          Set<string>,
          Set<string>,
        ];
        expect(sorted(core.must("SUNION", "a", "b", "c") as string[])).toEqual(
          sorted(combined("SUNIONSTORE", [a, b, c])),
        );
        expect(sorted(core.must("SINTER", "a", "b") as string[])).toEqual(
          sorted(combined("SINTERSTORE", [a, b])),
        );
        expect(sorted(core.must("SDIFF", "a", "b", "c") as string[])).toEqual(
          sorted(combined("SDIFFSTORE", [a, b, c])),
        );
        core.must("DEL", "a", "b", "c");
        core.freeAll();
        expect(core.check()).toBe(0);
      }),
      { numRuns: build === "tiny" ? 40 : 60 },
    );
  });

test("an encoding is kept up to its threshold, and left at it", () => {
  const core = createTestCore({ build: "release" });
  const encoding = (name: string) => core.must("OBJECT", "ENCODING", name);
  for (let i = 0; i < 512; i++) core.must("SADD", "ints", String(i));
  expect(encoding("ints")).toBe("intset");
  core.must("SADD", "ints", "512");
  expect(encoding("ints")).toBe("hashtable");
  for (let i = 0; i < 128; i++) core.must("SADD", "texts", `m${i}`);
  expect(encoding("texts")).toBe("listpack");
  core.must("SADD", "texts", "m128");
  expect(encoding("texts")).toBe("hashtable");
  core.must("SADD", "mixed", "1", "2", "3");
  core.must("SADD", "mixed", "a");
  expect(encoding("mixed")).toBe("listpack");
  core.must("SADD", "mixed", "y".repeat(65));
  expect(encoding("mixed")).toBe("hashtable");
  expect(members(core, "mixed")).toEqual(sorted(["1", "2", "3", "a", "y".repeat(65)]));
  core.must("SADD", "many", ...Array.from({ length: 129 }, (_, i) => `n${i}`));
  expect(encoding("many")).toBe("hashtable");
  expect(core.must("SADD", "many", ...Array.from({ length: 129 }, (_, i) => `n${i}`))).toBe(0);
});

test("a scan of a set gives what is there throughout exactly once, while it grows, converts and shrinks", () => {
  for (const seed of [1, 2, 3]) {
    const core = createTestCore({ build: "tiny", seed: [seed, 3] });
    const random = createRandom(seed);
    const stable = Array.from({ length: 200 }, (_, i) => `stable:${i}`);
    core.must("SADD", "s", ...stable);
    const passing: string[] = [];
    const seen = new Map<string, number>();
    let cursor = "0";
    let calls = 0;
    do {
      const [next, found] = core.must("SSCAN", "s", cursor, "COUNT", "7") as [string, string[]];
      for (const item of found) seen.set(item, (seen.get(item) ?? 0) + 1);
      cursor = next;
      // Growth tenfold, then back.
      if (calls++ < 40) {
        const fresh = Array.from(
          { length: 30 },
          () => `passing:${passing.length + random.below(1e9)}`,
        );
        passing.push(...fresh);
        core.must("SADD", "s", ...fresh);
      } else if (passing.length > 0) core.must("SREM", "s", ...passing.splice(0, 50));
    } while (cursor !== "0");
    expect(calls).toBeGreaterThan(1);
    expect(stable.filter((item) => seen.get(item) !== 1)).toEqual([]);
    core.check();
  }
});

test("members drawn at random are even, whatever the table's shape", () => {
  const core = createTestCore({ build: "tiny", seed: [5, 6] });
  const all = Array.from({ length: 300 }, (_, i) => `m${i}`);
  core.must("SADD", "s", ...all);
  const drawn = new Map<string, number>();
  for (let i = 0; i < 60; i++)
    for (const item of core.must("SRANDMEMBER", "s", "-500") as string[])
      drawn.set(item, (drawn.get(item) ?? 0) + 1);
  // 100 of each are expected, with a deviation of 10.
  expect(drawn.size).toBe(300);
  for (const times of drawn.values()) expect(Math.abs(times - 100)).toBeLessThan(60);
  for (const count of [1, 20, 29, 150, 299, 300, 400]) {
    const some = core.must("SRANDMEMBER", "s", String(count)) as string[];
    expect(new Set(some).size).toBe(Math.min(count, 300));
    expect(some).toHaveLength(Math.min(count, 300));
  }
});

test("what SPOP takes is logged as the removal it was", () => {
  const core = createTestCore();
  core.harness.listen(EffectMask.Propagate);
  core.must("SADD", "s", "a", "b", "c", "d", "m".repeat(70_000));
  const popped = core.must("SPOP", "s") as string;
  expect(core.harness.logged()).toEqual([["SREM", "s", popped]]);
  const two = core.must("SPOP", "s", "2") as string[];
  expect(core.harness.logged()).toEqual(two.map((item) => ["SREM", "s", item]));
  core.must("SPOP", "s", "9");
  expect(core.harness.logged()).toEqual([["DEL", "s"]]);
});

test("a large set is freed in slices and counts as used until then", () => {
  const core = createTestCore({ build: "release" });
  const before = core.usedBytes();
  for (let i = 0; i < 20; i++)
    core.must("SADD", "s", ...Array.from({ length: 500 }, (_, n) => `m${i * 500 + n}`));
  const full = core.usedBytes();
  expect(core.must("MEMORY", "USAGE", "s") as number).toBeGreaterThan((full - before) * 0.9);
  core.must("DEL", "s");
  expect(core.usedBytes()).toBeGreaterThan(before + (full - before) / 2);
  core.freeAll(200);
  expect(core.usedBytes()).toBeLessThan(before + 100_000);
  core.check();
});

test("defragmentation moves a large set's members, segments and table", () => {
  const core = createTestCore({ build: "release" });
  for (let k = 0; k < 6; k++)
    for (let i = 0; i < 200; i++)
      core.must(
        "SADD",
        `s${k}`,
        ...Array.from({ length: 100 }, (_, n) => `${k}:${"pad".repeat(20)}:${i * 100 + n}`),
      );
  const expected = new Map<string, Plain>();
  for (let k = 0; k < 6; k++) {
    const names = core.must("SMEMBERS", `s${k}`) as string[];
    const gone = names.filter((_, i) => i % 10 !== 0);
    for (let i = 0; i < gone.length; i += 500)
      core.must("SREM", `s${k}`, ...gone.slice(i, i + 500));
    expected.set(`s${k}`, members(core, `s${k}`));
  }
  const pages = core.heapPages();
  for (let i = 0; i < 20; i++) core.tidyAll(300);
  expect(core.heapPages()).toBeLessThan(pages / 2);
  for (const [name, items] of expected) expect(members(core, name)).toEqual(items as string[]);
  core.check();
});
