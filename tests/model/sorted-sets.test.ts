/** Sorted sets against sorted arrays of JavaScript's: both encodings, the way between them, and scans while they grow and shrink. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Address, EffectMask, Limit, StateField } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, type Plain, type TestCore } from "../support/core.ts";
import { createRandom } from "../support/random.ts";

type Model = Map<string, Map<string, number>>;
type Pair = [member: string, score: number];

const KEYS = ["a", "b", "c"];

/** Sets a threshold of encodings, as the host does when its directive is set. */
function setLimit(core: TestCore, which: Limit, value: number): void {
  core.harness.core.memory.i32[(Address.State + StateField.Limits + 4 * which) >> 2] = value;
}

const byOrder = ([a, x]: Pair, [b, y]: Pair) => x - y || (a < b ? -1 : a > b ? 1 : 0);
const ordered = (set: Map<string, number>): Pair[] => [...set].toSorted(byOrder);

function scoreText(score: number): string {
  if (score === Number.POSITIVE_INFINITY) return "inf";
  return score === Number.NEGATIVE_INFINITY ? "-inf" : String(score);
}
const flat = (pairs: Pair[]) => pairs.flatMap(([member, score]) => [member, scoreText(score)]);

const member = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 150 }).map(String) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 150 }).map((n) => `m${n}`) },
  { weight: 1, arbitrary: fc.constantFrom("", "007", "x".repeat(64), "x".repeat(65)) },
);
const score = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 3, arbitrary: fc.integer({ min: -1000, max: 1000 }).map((n) => n / 8) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      12345678901234,
      0.1,
    ),
  },
);
const key = fc.constantFrom(...KEYS);
const members = fc.array(member, { minLength: 1, maxLength: 40 });
const pairs = fc.array(fc.tuple(member, score), { minLength: 1, maxLength: 40 });
const index = fc.integer({ min: -40, max: 40 });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("add" as const),
      key,
      pairs,
      flags: fc.constantFrom(
        [],
        ["NX"],
        ["XX"],
        ["GT"],
        ["LT"],
        ["GT", "XX"],
        ["CH"],
        ["LT", "CH"],
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), key, members }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("increment" as const), key, member, by: score }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("pop" as const),
      key,
      max: fc.boolean(),
      count: fc.integer({ min: 0, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("cut" as const), key, start: index, stop: index }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("cutScores" as const), key, min: score, max: score }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("combine" as const),
      key,
      how: fc.constantFrom("ZUNIONSTORE" as const, "ZINTERSTORE" as const, "ZDIFFSTORE" as const),
      from: fc.array(key, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("copy" as const), key, to: key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("store" as const),
      key,
      from: key,
      start: index,
      stop: index,
      rev: fc.boolean(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function put(model: Model, name: string, set: Map<string, number>): void {
  if (set.size > 0) model.set(name, set);
  else model.delete(name);
}

/** Positions of a range of ranks, as an array's slice. */
function slice<T>(items: T[], start: number, stop: number): T[] {
  const from = Math.max(start < 0 ? items.length + start : start, 0);
  const to = stop < 0 ? items.length + stop : stop;
  return from > to ? [] : items.slice(from, to + 1);
}

function added(a: number, b: number): number {
  const sum = a + b;
  return Number.isNaN(sum) ? 0 : sum;
}

function combined(how: string, sets: Map<string, number>[]): Map<string, number> {
  const result = new Map<string, number>();
  if (how === "ZDIFFSTORE") {
    for (const [item, value] of sets[0]!)
      if (!sets.slice(1).some((set) => set.has(item))) result.set(item, value);
    return result;
  }
  const sources = sets.toSorted((a, b) => a.size - b.size);
  for (const set of sources)
    for (const item of set.keys()) {
      if (result.has(item)) continue;
      const scores = sources.flatMap((other) => other.get(item) ?? []);
      if (how === "ZINTERSTORE" && scores.length < sets.length) continue;
      result.set(item, scores.reduce(added));
    }
  return result;
}

function add(core: TestCore, set: Map<string, number>, one: Extract<Step, { do: "add" }>): void {
  const has = (flag: string) => one.flags.some((own) => own === flag);
  let fresh = 0;
  let changed = 0;
  for (const [item, value] of one.pairs) {
    const old = set.get(item);
    if (old === undefined ? has("XX") : has("NX")) continue;
    if (old !== undefined && ((has("GT") && value <= old) || (has("LT") && value >= old))) continue;
    if (old === undefined) fresh += 1;
    else if (old !== value) changed += 1;
    set.set(item, value);
  }
  const words = one.pairs.flatMap(([item, value]) => [scoreText(value), item]);
  const answer = core.must("ZADD", one.key, ...one.flags, ...words);
  expect(answer).toBe(has("CH") ? fresh + changed : fresh);
}

/** Runs a step on both, and compares what it answers. */
function apply(core: TestCore, model: Model, one: Step): void {
  const of = (name: string) => new Map(model.get(name) ?? []);
  const set = of(one.key);
  const all = ordered(set);
  switch (one.do) {
    case "add":
      add(core, set, one);
      break;
    case "remove":
      for (const item of one.members) set.delete(item);
      expect(core.must("ZREM", one.key, ...one.members)).toBe(all.length - set.size);
      break;
    case "increment": {
      const sum = (set.get(one.member) ?? 0) + one.by;
      const answer = core.run("ZINCRBY", one.key, scoreText(one.by), one.member);
      if (Number.isNaN(sum)) expect(answer).toHaveProperty("text");
      else {
        expect(Number(String(answer).replace("inf", "Infinity"))).toBe(sum);
        set.set(one.member, sum);
      }
      break;
    }
    case "pop": {
      const taken = (one.max ? all.toReversed() : all).slice(0, one.count);
      const command = one.max ? "ZPOPMAX" : "ZPOPMIN";
      expect(core.must(command, one.key, String(one.count)) as string[]).toEqual(flat(taken));
      for (const [item] of taken) set.delete(item);
      break;
    }
    case "cut": {
      const taken = slice(all, one.start, one.stop);
      const words = [String(one.start), String(one.stop)];
      expect(core.must("ZREMRANGEBYRANK", one.key, ...words)).toBe(taken.length);
      for (const [item] of taken) set.delete(item);
      break;
    }
    case "cutScores": {
      const taken = all.filter(([, value]) => value >= one.min && value < one.max);
      const words = [scoreText(one.min), `(${scoreText(one.max)}`];
      expect(core.must("ZCOUNT", one.key, ...words)).toBe(taken.length);
      expect(core.must("ZREMRANGEBYSCORE", one.key, ...words)).toBe(taken.length);
      for (const [item] of taken) set.delete(item);
      break;
    }
    case "combine": {
      const result = combined(one.how, one.from.map(of));
      const answer = core.must(one.how, one.key, String(one.from.length), ...one.from);
      expect(answer).toBe(result.size);
      return put(model, one.key, result);
    }
    case "copy":
      if (one.to === one.key) return;
      core.must("COPY", one.key, one.to, "REPLACE");
      if (set.size > 0) put(model, one.to, set);
      return;
    case "store": {
      const source = ordered(of(one.from));
      const result = slice(one.rev ? source.toReversed() : source, one.start, one.stop);
      const words = [String(one.start), String(one.stop), ...(one.rev ? ["REV"] : [])];
      expect(core.must("ZRANGESTORE", one.key, one.from, ...words)).toBe(result.length);
      return put(model, one.key, new Map(result));
    }
  }
  put(model, one.key, set);
}

/** Compares all that can be asked of a set. */
function compareWhole(core: TestCore, name: string, set: Map<string, number>): void {
  const all = ordered(set);
  expect(core.must("ZRANGE", name, "0", "-1", "WITHSCORES") as string[]).toEqual(flat(all));
  expect(core.must("ZREVRANGE", name, "0", "-1", "WITHSCORES") as string[]).toEqual(
    flat(all.toReversed()),
  );
  expect(core.must("ZCARD", name)).toBe(all.length);
  for (const [rank, [item, value]] of all.entries()) {
    expect(core.must("ZRANK", name, item)).toBe(rank);
    expect(core.must("ZREVRANK", name, item)).toBe(all.length - 1 - rank);
    expect(core.must("ZSCORE", name, item)).toBe(scoreText(value));
  }
  for (const [min, max] of [
    [-2, 2],
    [0, 0],
    [-100.5, 0.125],
  ] as const) {
    const within = all.filter(([, value]) => value > min && value <= max);
    const words = [name, `(${min}`, String(max)];
    expect(core.must("ZRANGEBYSCORE", ...words, "WITHSCORES") as string[]).toEqual(flat(within));
    expect(core.must("ZRANGEBYSCORE", ...words, "LIMIT", "2", "5") as string[]).toEqual(
      within.slice(2, 7).map(([item]) => item),
    );
    expect(
      core.must("ZRANGE", name, String(max), `(${min}`, "BYSCORE", "REV", "LIMIT", "1", "4"),
    ).toEqual(
      within
        .toReversed()
        .slice(1, 5)
        .map(([item]) => item),
    );
  }
  const seen = core.must("ZSCAN", name, "0", "COUNT", "100000") as [string, string[]];
  expect(seen[0]).toBe("0");
  expect(seen[1].filter((_, i) => i % 2 === 0).toSorted()).toEqual([...set.keys()].toSorted());
}

for (const build of ["tiny", "release"] as Build[])
  for (const entries of [8, 128])
    test(`sorted sets behave like sorted arrays (${build}, listpacks of ${entries})`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const core = createTestCore({ build });
          setLimit(core, Limit.ZsetListpackEntries, entries);
          const model: Model = new Map();
          for (const one of steps) {
            apply(core, model, one);
            core.check();
          }
          for (const name of KEYS) compareWhole(core, name, model.get(name) ?? new Map());
          core.must("DEL", ...KEYS);
          core.freeAll();
          expect(core.check()).toBe(0);
        }),
        { numRuns: build === "tiny" ? 120 : 60 },
      );
    });

test("members of a set that are kept as integers are united and told as what they are", () => {
  const core = createTestCore();
  core.must("SADD", "s", "5", "7", "70", "text");
  core.must("ZADD", "z", "9", "5", "-2.5", "7", "1", "8");
  expect(core.must("ZUNIONSTORE", "d", "2", "z", "s")).toBe(5);
  expect(core.must("ZRANGE", "d", "0", "-1", "WITHSCORES") as string[]).toEqual([
    "7",
    "-1.5",
    "70",
    "1",
    "8",
    "1",
    "text",
    "1",
    "5",
    "10",
  ]);
  expect(core.must("ZDIFF", "2", "s", "z")).toEqual(["70", "text"]);
  expect(core.must("ZINTER", "2", "s", "z")).toEqual(["7", "5"]);
  core.check();
});

test("names of one score are a range by their bytes", () => {
  for (const count of [40, 400]) {
    const core = createTestCore({ build: "tiny" });
    const random = createRandom(count);
    const names = [
      ...new Set(Array.from({ length: count }, () => random.below(2000).toString(36))),
    ];
    core.must("ZADD", "z", ...names.flatMap((name) => ["0", name]));
    names.sort();
    for (let i = 0; i < 200; i++) {
      const [low, high] = [random.below(2000).toString(36), random.below(2000).toString(36)];
      const within = names.filter((name) => name >= low && name < high);
      expect(core.must("ZRANGEBYLEX", "z", `[${low}`, `(${high}`)).toEqual(within);
      expect(core.must("ZREVRANGEBYLEX", "z", `(${high}`, `[${low}`)).toEqual(within.toReversed());
      expect(core.must("ZLEXCOUNT", "z", `[${low}`, `(${high}`)).toBe(within.length);
    }
    expect(core.must("ZRANGEBYLEX", "z", "-", "+")).toEqual(names);
    expect(core.must("ZRANGEBYLEX", "z", "+", "-")).toEqual([]);
    const gone = names.filter((name) => name > "5" && name <= "e");
    expect(core.must("ZREMRANGEBYLEX", "z", "(5", "[e")).toBe(gone.length);
    core.check();
    expect(core.must("ZCARD", "z")).toBe(names.length - gone.length);
  }
});

test("an encoding is kept up to its thresholds, and left at them", () => {
  const core = createTestCore({ build: "release" });
  const encoding = (name: string) => core.must("OBJECT", "ENCODING", name);
  for (let i = 0; i < 128; i++) core.must("ZADD", "z", String(i % 7), `m${i}`);
  expect(encoding("z")).toBe("listpack");
  core.must("ZADD", "z", "1", "m1");
  expect(encoding("z")).toBe("listpack");
  core.must("ZADD", "z", "3", "m128");
  expect(encoding("z")).toBe("skiplist");
  core.must("ZADD", "long", "1", "x".repeat(64));
  expect(encoding("long")).toBe("listpack");
  core.must("ZADD", "long", "1", "x".repeat(65));
  expect(encoding("long")).toBe("skiplist");
  core.must("ZADD", "many", ...Array.from({ length: 129 }, (_, i) => ["1", `n${i}`]).flat());
  expect(encoding("many")).toBe("skiplist");
  core.must("ZRANGESTORE", "few", "many", "0", "9");
  expect(encoding("few")).toBe("listpack");
  core.check();
});

test("a scan of a sorted set gives what is there throughout exactly once, while it grows, converts and shrinks", () => {
  for (const seed of [1, 2, 3]) {
    const core = createTestCore({ build: "tiny", seed: [seed, 3] });
    const random = createRandom(seed);
    const stable = Array.from({ length: 200 }, (_, i) => `stable:${i}`);
    core.must("ZADD", "z", ...stable.flatMap((item) => [String(random.below(50)), item]));
    const passing: string[] = [];
    const seen = new Map<string, number>();
    let cursor = "0";
    let calls = 0;
    do {
      const [next, found] = core.must("ZSCAN", "z", cursor, "COUNT", "7") as [string, string[]];
      for (let i = 0; i < found.length; i += 2) seen.set(found[i]!, (seen.get(found[i]!) ?? 0) + 1);
      cursor = next;
      if (calls++ < 40) {
        const fresh = Array.from(
          { length: 30 },
          () => `passing:${passing.length + random.below(1e9)}`,
        );
        passing.push(...fresh);
        core.must("ZADD", "z", ...fresh.flatMap((item) => [String(random.below(50)), item]));
        core.must("ZINCRBY", "z", "7", random.pick(stable));
      } else if (passing.length > 0) core.must("ZREM", "z", ...passing.splice(0, 50));
    } while (cursor !== "0");
    expect(calls).toBeGreaterThan(1);
    expect(stable.filter((item) => seen.get(item) !== 1)).toEqual([]);
    core.check();
  }
});

test("members drawn at random are even, and distinct if that is asked for", () => {
  const core = createTestCore({ build: "tiny", seed: [5, 6] });
  core.must("ZADD", "z", ...Array.from({ length: 300 }, (_, i) => [String(i), `m${i}`]).flat());
  const drawn = new Map<string, number>();
  for (let i = 0; i < 60; i++)
    for (const item of core.must("ZRANDMEMBER", "z", "-500") as string[])
      drawn.set(item, (drawn.get(item) ?? 0) + 1);
  expect(drawn.size).toBe(300);
  for (const times of drawn.values()) expect(Math.abs(times - 100)).toBeLessThan(60);
  for (const count of [1, 20, 29, 150, 299, 300, 400]) {
    const some = core.must("ZRANDMEMBER", "z", String(count)) as string[];
    expect(new Set(some).size).toBe(Math.min(count, 300));
    expect(some).toHaveLength(Math.min(count, 300));
  }
  const scored = core.must("ZRANDMEMBER", "z", "5", "WITHSCORES") as string[];
  expect(scored).toHaveLength(10);
  for (let i = 0; i < 10; i += 2) expect(scored[i]).toBe(`m${scored[i + 1]}`);
});

test("what ZMPOP takes is logged as the pop of one key", () => {
  const core = createTestCore();
  core.harness.listen(EffectMask.Propagate);
  core.must("ZADD", "z", "1", "a", "2", "b", "3", "c");
  core.must("ZMPOP", "2", "none", "z", "MAX", "COUNT", "2");
  expect(core.harness.logged()).toEqual([["ZPOPMAX", "z", "2"]]);
  core.must("ZPOPMIN", "z");
  expect(core.harness.logged()).toEqual([["ZPOPMIN", "z"]]);
  core.must("ZMPOP", "1", "z", "MIN");
  expect(core.harness.logged()).toEqual([]);
});

function fill(core: TestCore, name: string, count: number, scoreOf: (i: number) => number): void {
  for (let from = 0; from < count; from += 500) {
    const words: string[] = [];
    for (let i = from; i < Math.min(from + 500, count); i++)
      words.push(String(scoreOf(i)), `${name}:${i}:${"pad".repeat(5)}`);
    core.must("ZADD", name, ...words);
  }
}

test("a large sorted set is freed in slices and counts as used until then", () => {
  const core = createTestCore({ build: "release" });
  // The database has its table.
  core.must("SET", "other", "1");
  const before = core.usedBytes();
  fill(core, "z", 10_000, (i) => (i * 7919) % 10_007);
  const full = core.usedBytes();
  expect(core.must("MEMORY", "USAGE", "z")).toBe(full - before);
  core.must("DEL", "z");
  expect(core.usedBytes()).toBeGreaterThan(before + (full - before) / 2);
  core.freeAll(200);
  expect(core.usedBytes()).toBeLessThan(before + 2000);
  core.check();
});

test("members in the order of their scores fill their nodes", () => {
  const core = createTestCore({ build: "release" });
  fill(core, "up", 20_000, (i) => i);
  fill(core, "down", 20_000, (i) => -i);
  fill(core, "mixed", 20_000, (i) => (i * 7919) % 20_011);
  const usage = (name: string) => core.must("MEMORY", "USAGE", name) as number;
  // A tree that splits in halves keeps nodes of 768 bytes half empty: 12 bytes a member more.
  expect(usage("up")).toBeLessThan(usage("mixed") - 20_000 * 4);
  expect(usage("down")).toBeLessThan(usage("mixed") - 20_000 * 4);
  core.check();
});

test("defragmentation moves a large sorted set's members, segments, nodes and tables", () => {
  const core = createTestCore({ build: "release" });
  for (let k = 0; k < 6; k++) fill(core, `z${k}`, 30_000, (i) => (i * 7919 + k) % 30_011);
  const expected = new Map<string, Plain>();
  for (let k = 0; k < 6; k++) {
    const names = core.must("ZRANGE", `z${k}`, "0", "-1") as string[];
    const gone = names.filter((_, i) => i % 10 !== 0);
    for (let i = 0; i < gone.length; i += 500)
      core.must("ZREM", `z${k}`, ...gone.slice(i, i + 500));
    expected.set(`z${k}`, core.must("ZRANGE", `z${k}`, "0", "-1", "WITHSCORES"));
  }
  const pages = core.heapPages();
  for (let i = 0; i < 20; i++) {
    core.tidyAll(300);
    core.check();
  }
  expect(core.heapPages()).toBeLessThan(pages / 2);
  for (const [name, items] of expected)
    expect(core.must("ZRANGE", name, "0", "-1", "WITHSCORES")).toEqual(items);
  core.check();
});

test("without memory nothing is added, and nothing is lost", () => {
  const core = createTestCore({ build: "tiny" });
  fill(core, "z", 2000, (i) => i % 100);
  const whole = () => JSON.stringify(core.must("ZRANGE", "z", "0", "-1", "WITHSCORES"));
  const { i32 } = core.harness.core.memory;
  const pageLimit = (Address.State + StateField.PageLimit) >> 2;
  const before = i32[pageLimit]!;
  // Nothing is left but what its pages have free.
  i32[pageLimit] = core.heapPages();
  const kept = whole();
  const many = Array.from({ length: 5000 }, (_, i) => [
    "1",
    `fresh:${i}:${"y".repeat(200)}`,
  ]).flat();
  expect(core.run("ZADD", "z", ...many)).toHaveProperty("text");
  expect(whole()).toBe(kept);
  expect(core.run("ZADD", "new", ...many)).toHaveProperty("text");
  expect(core.must("EXISTS", "new")).toBe(0);
  expect(core.run("COPY", "z", "copy")).toHaveProperty("text");
  expect(core.run("ZUNIONSTORE", "sum", "1", "z")).toHaveProperty("text");
  expect(core.must("EXISTS", "copy", "sum")).toBe(0);
  core.check();
  i32[pageLimit] = before;
  core.must("ZADD", "z", "1", "fresh");
  core.check();
});
