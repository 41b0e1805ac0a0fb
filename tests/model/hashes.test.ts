/** Hashes against JavaScript's maps: both encodings, the way between them, and scans while they grow and shrink. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Address, EffectMask, StateField } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, ErrorReply, type TestCore } from "../support/core.ts";
import { createRandom } from "../support/random.ts";

type Model = Map<string, Map<string, string>>;

const KEYS = ["a", "b", "c"];
/** As in core-wasm/memory/pages.ts. */
const RESERVE_PAGES = 64;
const word = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 700 }).map((n) => `f${n}`) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 300 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "-1", "007", "32768", "9223372036854775807", "-8388609"),
  },
);
/** Long ones are rare: the first makes a hash a table. */
const text = fc.oneof(
  { weight: 60, arbitrary: word },
  { weight: 1, arbitrary: fc.constantFrom("x".repeat(64), "x".repeat(65), "x".repeat(5000)) },
);
const key = fc.constantFrom(...KEYS);
const pairs = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(fc.tuple(word, word), { minLength: 100, maxLength: 300 }) },
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant("HSET"), key, pairs) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("HSETNX"), key, fc.tuple(text, text)) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constant("HDEL"), key, fc.array(text, { minLength: 1, maxLength: 150 })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constant("HINCRBY"),
      key,
      fc.tuple(fc.constantFrom("n", "m"), fc.integer({ min: -5000, max: 5000 }).map(String)),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom("COPY", "RENAME"), key, key) },
);
type Step = [string, string, [string, string][] | string[] | [string, string] | string];

const of = (model: Model, name: string) => model.get(name) ?? new Map<string, string>();

function put(model: Model, name: string, hash: Map<string, string>): void {
  if (hash.size > 0) model.set(name, hash);
  else model.delete(name);
}

/** Runs a step on both, and compares what it answers. */
function apply(core: TestCore, model: Model, [command, name, what]: Step): void {
  const hash = new Map(of(model, name));
  const before = hash.size;
  if (command === "HSET") {
    for (const [field, value] of what as [string, string][]) hash.set(field, value);
    expect(core.must(command, name, ...(what as string[][]).flat())).toBe(hash.size - before);
  } else if (command === "HSETNX") {
    const [field, value] = what as [string, string];
    if (!hash.has(field)) hash.set(field, value);
    expect(core.must(command, name, field, value)).toBe(hash.size - before);
  } else if (command === "HDEL") {
    for (const field of what as string[]) hash.delete(field);
    expect(core.must(command, name, ...(what as string[]))).toBe(before - hash.size);
  } else if (command === "HINCRBY") {
    const [field, by] = what as [string, string];
    hash.set(field, String(Number(hash.get(field) ?? 0) + Number(by)));
    expect(core.must(command, name, field, by)).toBe(Number(hash.get(field)));
  } else {
    const to = what as string;
    if (before === 0 || to === name) return;
    core.must(command, name, to, ...(command === "COPY" ? ["REPLACE"] : []));
    put(model, to, hash);
    if (command === "RENAME") model.delete(name);
    return;
  }
  put(model, name, hash);
}

function compare(core: TestCore, model: Model): void {
  for (const name of KEYS) {
    const hash = of(model, name);
    const flat = core.must("HGETALL", name) as string[];
    const got = new Map(
      Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]),
    );
    expect(got).toEqual(hash);
    expect(core.must("HLEN", name)).toBe(hash.size);
    const asked = ["f1", "300", "", "x".repeat(65), ...hash.keys()];
    expect(core.must("HMGET", name, ...asked)).toEqual(asked.map((f) => hash.get(f) ?? null));
    for (const field of asked.slice(0, 12)) {
      expect(core.must("HEXISTS", name, field)).toBe(hash.has(field) ? 1 : 0);
      expect(core.must("HSTRLEN", name, field)).toBe((hash.get(field) ?? "").length);
    }
    expect((core.must("HKEYS", name) as string[]).toSorted()).toEqual([...hash.keys()].toSorted());
    expect((core.must("HVALS", name) as string[]).toSorted()).toEqual(
      [...hash.values()].toSorted(),
    );
  }
}

for (const build of ["tiny", "release"] as Build[])
  test(`hashes behave like JavaScript's maps (${build})`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const core = createTestCore({ build });
        const model: Model = new Map();
        for (const one of steps) {
          apply(core, model, one as Step);
          core.check();
        }
        compare(core, model);
        core.must("DEL", ...KEYS);
        core.freeAll();
        expect(core.check()).toBe(0);
      }),
      { numRuns: build === "tiny" ? 40 : 60 },
    );
  });

test("an encoding is kept up to its threshold, and left at it", () => {
  const core = createTestCore({ build: "release" });
  const encoding = (name: string) => core.must("OBJECT", "ENCODING", name);
  for (let i = 0; i < 512; i++) core.must("HSET", "h", `f${i}`, String(i));
  expect(encoding("h")).toBe("listpack");
  core.must("HSET", "h", "f0", "again");
  expect(encoding("h")).toBe("listpack");
  core.must("HSET", "h", "f512", "x");
  expect(encoding("h")).toBe("hashtable");
  core.must("HSET", "values", "f", "y".repeat(64));
  expect(encoding("values")).toBe("listpack");
  core.must("HSET", "values", "f", "y".repeat(65));
  expect(encoding("values")).toBe("hashtable");
  core.must("HSET", "fields", "y".repeat(65), "v");
  expect(encoding("fields")).toBe("hashtable");
  const many = Array.from({ length: 513 }, (_, i) => [`f${i % 400}`, "v"]).flat();
  core.must("HSET", "many", ...many);
  expect(encoding("many")).toBe("hashtable");
  expect(core.must("HLEN", "many")).toBe(400);
  core.must("HSET", "some", ...many.slice(0, 2 * 512));
  expect(encoding("some")).toBe("listpack");
  // A copy has the encoding too, and no deletion leads back.
  core.must("COPY", "h", "copy");
  core.must("HDEL", "h", ...Array.from({ length: 500 }, (_, i) => `f${i}`));
  expect(encoding("h")).toBe("hashtable");
  expect(encoding("copy")).toBe("hashtable");
  core.check();
});

test("a scan of a hash gives what is there throughout exactly once, while it grows, converts and shrinks", () => {
  for (const seed of [1, 2, 3]) {
    const core = createTestCore({ build: "tiny", seed: [seed, 3] });
    const random = createRandom(seed);
    const stable = Array.from({ length: 500 }, (_, i) => `stable:${i}`);
    core.must("HSET", "h", ...stable.flatMap((field) => [field, `v:${field}`]));
    expect(core.must("OBJECT", "ENCODING", "h")).toBe("listpack");
    const passing: string[] = [];
    const grow = () => {
      const fresh = Array.from({ length: 30 }, () => `passing:${random.below(1e9)}`);
      passing.push(...fresh);
      core.must("HSET", "h", ...fresh.flatMap((field) => [field, "v"]));
    };
    // Packed the first answer holds all of it.
    const [end, all] = core.must("HSCAN", "h", "0") as [string, string[]];
    expect([end, all.length]).toEqual(["0", 1000]);
    grow();
    const seen = new Map<string, number>();
    let cursor = "0";
    let calls = 0;
    do {
      const withValues = random.chance(0.5);
      const options = withValues ? [] : ["NOVALUES"];
      const [next, found] = core.must("HSCAN", "h", cursor, "COUNT", "7", ...options) as [
        string,
        string[],
      ];
      for (let i = 0; i < found.length; i += withValues ? 2 : 1) {
        const field = found[i]!;
        seen.set(field, (seen.get(field) ?? 0) + 1);
        if (withValues && field.startsWith("stable")) expect(found[i + 1]).toBe(`v:${field}`);
      }
      cursor = next;
      // Growth manifold, then back.
      if (calls++ < 40) grow();
      else if (passing.length > 0) core.must("HDEL", "h", ...passing.splice(0, 50));
    } while (cursor !== "0");
    expect(calls).toBeGreaterThan(1);
    expect(stable.filter((field) => seen.get(field) !== 1)).toEqual([]);
    core.check();
  }
});

test("fields drawn at random are even, with their values, whatever the table's shape", () => {
  const core = createTestCore({ build: "tiny", seed: [5, 6] });
  const all = Array.from({ length: 600 }, (_, i) => [`f${i}`, `v${i}`]);
  core.must("HSET", "h", ...all.flat());
  const drawn = new Map<string, number>();
  for (let i = 0; i < 60; i++) {
    const some = core.must("HRANDFIELD", "h", "-1000", "WITHVALUES") as string[];
    for (let at = 0; at < some.length; at += 2) {
      expect(some[at + 1]).toBe(`v${some[at]!.slice(1)}`);
      drawn.set(some[at]!, (drawn.get(some[at]!) ?? 0) + 1);
    }
  }
  // 100 of each are expected, with a deviation of 10.
  expect(drawn.size).toBe(600);
  for (const times of drawn.values()) expect(Math.abs(times - 100)).toBeLessThan(60);
  for (const count of [1, 20, 59, 150, 599, 600, 800]) {
    const some = core.must("HRANDFIELD", "h", String(count)) as string[];
    expect(new Set(some).size).toBe(Math.min(count, 600));
    expect(some).toHaveLength(Math.min(count, 600));
  }
});

test("what depends on who adds is logged as what it came to", () => {
  const core = createTestCore();
  core.harness.listen(EffectMask.Propagate);
  core.must("HINCRBYFLOAT", "h", "f", "0.1");
  expect(core.harness.logged()).toEqual([["HSET", "h", "f", "0.1"]]);
  core.must("HINCRBYFLOAT", "h", "f", "0.2");
  expect(core.harness.logged()).toEqual([["HSET", "h", "f", "0.3"]]);
});

test("changes are counted by field, and events told as Redis tells them", () => {
  const core = createTestCore();
  core.harness.listen(EffectMask.Events);
  const changes = () => core.harness.core.field(StateField.Changes);
  const events = () =>
    core.effects().flatMap((effect) => (effect.kind === "event" ? [effect.event] : []));
  const told = (...words: string[]) => {
    const before = changes();
    core.must(...words);
    return [changes() - before, ...events()];
  };
  expect(told("HSET", "h", "a", "1", "b", "2")).toEqual([2, "new", "hset"]);
  expect(told("HMSET", "h", "a", "1", "b", "2", "c", "3")).toEqual([3, "hset"]);
  expect(told("HSETNX", "h", "a", "1")).toEqual([0]);
  expect(told("HSETNX", "h", "d", "1")).toEqual([1, "hset"]);
  expect(told("HINCRBY", "h", "a", "1")).toEqual([1, "hincrby"]);
  expect(told("HINCRBYFLOAT", "h", "a", "1")).toEqual([1, "hincrbyfloat"]);
  expect(told("HDEL", "h", "none")).toEqual([0]);
  expect(told("HDEL", "h", "a", "b")).toEqual([2, "hdel"]);
  expect(told("HDEL", "h", "c", "d", "e")).toEqual([2, "hdel", "del"]);
});

test("what finds no memory sets nothing at all", () => {
  for (const size of [3, 400, 600]) {
    const core = createTestCore({ build: "tiny" });
    const { words } = core.harness.core.memory;
    const old = Array.from({ length: size }, (_, i) => [`f${i}`, `v${i}`]);
    core.must("HSET", "h", ...old.flat());
    core.must("SET", "filler", "x".repeat(60_000));
    // What is left of the pages in use is far less than the commands ask for.
    words.setUint32(Address.State + StateField.PageLimit, core.heapPages() + RESERVE_PAGES, true);
    const before = core.must("HGETALL", "h") as string[];
    for (let room = 1; room < 200; room += 7) {
      const fresh = Array.from({ length: room }, (_, i) => [`f${i * 3}`, "w".repeat(3000)]);
      const reply = core.run("HSET", "h", ...fresh.flat());
      if (reply instanceof ErrorReply) {
        expect(reply.text).toStartWith("OOM");
        expect(core.must("HGETALL", "h")).toEqual(before);
        expect(core.run("HSET", "other", ...fresh.flat())).toBeInstanceOf(ErrorReply);
        expect(core.must("EXISTS", "other")).toBe(0);
        core.check();
        break;
      }
      before.splice(0, before.length, ...(core.must("HGETALL", "h") as string[]));
    }
    expect(core.run("HSET", "h", "long", "w".repeat(1e6))).toBeInstanceOf(ErrorReply);
    core.check();
  }
});

test("a large hash is freed in slices and counts as used until then", () => {
  const core = createTestCore({ build: "release" });
  const before = core.usedBytes();
  for (let i = 0; i < 20; i++)
    core.must(
      "HSET",
      "h",
      ...Array.from({ length: 500 }, (_, n) => [`f${i * 500 + n}`, `value:${n}`]).flat(),
    );
  const full = core.usedBytes();
  expect(core.must("MEMORY", "USAGE", "h") as number).toBeGreaterThan((full - before) * 0.9);
  core.must("DEL", "h");
  expect(core.usedBytes()).toBeGreaterThan(before + (full - before) / 2);
  core.freeAll(200);
  expect(core.usedBytes()).toBeLessThan(before + 100_000);
  core.check();
});

test("defragmentation moves a large hash's fields, segments and table", () => {
  const core = createTestCore({ build: "release" });
  const fields = (name: string) => {
    const flat = core.must("HGETALL", name) as string[];
    return new Map(
      Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]),
    );
  };
  for (let k = 0; k < 6; k++)
    for (let i = 0; i < 200; i++)
      core.must(
        "HSET",
        `h${k}`,
        ...Array.from({ length: 100 }, (_, n) => [
          `${k}:${"pad".repeat(10)}:${i * 100 + n}`,
          `${"value".repeat(6)}:${n}`,
        ]).flat(),
      );
  const expected = new Map<string, ReturnType<typeof fields>>();
  for (let k = 0; k < 6; k++) {
    const names = core.must("HKEYS", `h${k}`) as string[];
    const gone = names.filter((_, i) => i % 10 !== 0);
    for (let i = 0; i < gone.length; i += 500)
      core.must("HDEL", `h${k}`, ...gone.slice(i, i + 500));
    expected.set(`h${k}`, fields(`h${k}`));
  }
  const pages = core.heapPages();
  for (let i = 0; i < 20; i++) core.tidyAll(300);
  expect(core.heapPages()).toBeLessThan(pages / 2);
  for (const [name, items] of expected) expect(fields(name)).toEqual(items);
  core.check();
});

test("digests tell fields and values apart, not encodings", () => {
  const core = createTestCore();
  const digest = (name: string) => (core.must("DEBUG", "DIGEST-VALUE", name) as string[])[0];
  core.must("HSET", "packed", "a", "1", "b", "2");
  core.must("HSET", "table", "b", "2", "a", "1", "long", "x".repeat(100));
  core.must("HDEL", "table", "long");
  expect(core.must("OBJECT", "ENCODING", "table")).toBe("hashtable");
  expect(digest("packed")).toBe(digest("table"));
  core.must("HSET", "swapped", "a", "2", "b", "1");
  expect(digest("swapped")).not.toBe(digest("packed"));
});
