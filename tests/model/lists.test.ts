/** Lists against JavaScript's arrays: every encoding, and the ways between them. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Address, Limit, StateField } from "../../core-wasm/abi.ts";
import { type Build, createTestCore, ErrorReply, type TestCore } from "../support/core.ts";

const LIMITS = (Address.State + StateField.Limits) >> 2;

function setLimit(core: TestCore, which: Limit, value: number): void {
  core.harness.core.memory.i32[LIMITS + which] = value;
}

/** Integers of each width, short and long texts, some of them too large for a node. */
const element = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: -200, max: 5000 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom("-32769", "2147483648", "9223372036854775807", "007") },
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "", "x".repeat(63), "y".repeat(64)) },
  { weight: 2, arbitrary: fc.constantFrom("p".repeat(700), "q".repeat(4096), "r".repeat(9000)) },
);
const key = fc.constantFrom("a", "b");
const index = fc.integer({ min: -40, max: 40 });
const end = fc.constantFrom("LEFT", "RIGHT");
const batch = fc.array(element, { minLength: 1, maxLength: 30 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom("LPUSH", "RPUSH"), key, batch) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom("LPOP", "RPOP"), key, fc.nat({ max: 20 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("LTRIM"), key, fc.tuple(index, index)) },
  { weight: 3, arbitrary: fc.tuple(fc.constant("LSET"), key, fc.tuple(index, element)) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant("LINSERT"),
      key,
      fc.tuple(fc.constantFrom("BEFORE", "AFTER"), index, element),
    ),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant("LREM"), key, fc.tuple(index, index)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("LMOVE"), key, fc.tuple(key, end, end)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("COPY"), key, key) },
);
type Model = Map<string, string[]>;
type Step = [string, string, unknown];

const of = (model: Model, name: string) => model.get(name) ?? [];

function put(model: Model, name: string, list: string[]): void {
  if (list.length > 0) model.set(name, list);
  else model.delete(name);
}

function push(list: string[], where: string, items: string[]): void {
  if (where === "LEFT") list.unshift(...items.toReversed());
  else list.push(...items);
}

function pop(list: string[], where: string): string | undefined {
  return where === "LEFT" ? list.shift() : list.pop();
}

/** Indexes of what equals an element, from an end on, as many as `count` says. */
function matches(list: string[], item: string, count: number): number[] {
  const all = list.flatMap((other, i) => (other === item ? [i] : []));
  if (count === 0) return all;
  return count > 0 ? all.slice(0, count) : all.toReversed().slice(0, -count);
}

/** Runs a step on both, and compares what it answers. */
function apply(core: TestCore, model: Model, [command, name, what]: Step): void {
  const list = [...of(model, name)];
  if (command === "LPUSH" || command === "RPUSH") {
    push(list, command === "LPUSH" ? "LEFT" : "RIGHT", what as string[]);
    expect(core.must(command, name, ...(what as string[]))).toBe(list.length);
  } else if (command === "LPOP" || command === "RPOP") {
    const count = what as number;
    const where = command === "LPOP" ? "LEFT" : "RIGHT";
    if (count === 0) expect(core.must(command, name)).toBe(pop(list, where) ?? null);
    else {
      const popped = Array.from({ length: Math.min(count, list.length) }, () => pop(list, where));
      const answer = core.must(command, name, String(count));
      expect(answer).toEqual(of(model, name).length === 0 ? null : (popped as string[]));
    }
  } else if (command === "LTRIM") {
    const [start, stop] = (what as [number, number]).map((i) => (i < 0 ? i + list.length : i)) as [
      number,
      number,
    ];
    core.must(command, name, ...(what as number[]).map(String));
    put(model, name, stop < 0 ? [] : list.slice(Math.max(0, start), stop + 1));
    return;
  } else if (command === "LSET") {
    const [at, item] = what as [number, string];
    const position = at < 0 ? at + list.length : at;
    const fits = position >= 0 && position < list.length;
    if (fits) list[position] = item;
    const answer = core.run(command, name, String(at), item);
    if (fits) expect(answer).toBe("OK");
    else
      expect(answer).toHaveProperty(
        "text",
        list.length ? "ERR index out of range" : "ERR no such key",
      );
  } else if (command === "LINSERT") {
    const [where, at, item] = what as [string, number, string];
    const pivot = list.at(at) ?? "none";
    const position = list.indexOf(pivot);
    if (position >= 0) list.splice(where === "BEFORE" ? position : position + 1, 0, item);
    const answer = core.must(command, name, where, pivot, item);
    if (of(model, name).length === 0) expect(answer).toBe(0);
    else expect(answer).toBe(position < 0 ? -1 : list.length);
  } else if (command === "LREM") {
    const [count, at] = what as [number, number];
    const item = list.at(at) ?? "none";
    const gone = new Set(matches(list, item, count));
    expect(core.must(command, name, String(count), item)).toBe(gone.size);
    put(
      model,
      name,
      list.filter((_, i) => !gone.has(i)),
    );
    return;
  } else if (command === "LMOVE") {
    const [to, from, into] = what as [string, string, string];
    const item = pop(list, from);
    expect(core.must(command, name, to, from, into)).toBe(item ?? null);
    if (item === undefined) return;
    const target = to === name ? list : [...of(model, to)];
    push(target, into, [item]);
    put(model, to, target);
  } else {
    const to = what as string;
    if (to === name) return;
    core.must("COPY", name, to, "REPLACE");
    if (list.length > 0) put(model, to, [...list]);
    return;
  }
  put(model, name, list);
}

function compare(core: TestCore, model: Model, name: string): void {
  const list = of(model, name);
  expect(core.must("LRANGE", name, "0", "-1")).toEqual(list);
  expect(core.must("LLEN", name)).toBe(list.length);
  for (const at of [0, 1, -1, 7, -9, 30]) {
    expect(core.must("LINDEX", name, String(at))).toBe(list.at(at) ?? null);
    const from = at < 0 ? Math.max(0, at + list.length) : at;
    expect(core.must("LRANGE", name, String(at), String(from + 5))).toEqual(
      list.slice(from, from + 6),
    );
  }
  for (const item of ["a", "x".repeat(63), "7", "r".repeat(9000)]) {
    expect(core.must("LPOS", name, item)).toBe(list.includes(item) ? list.indexOf(item) : null);
    expect(core.must("LPOS", name, item, "COUNT", "0")).toEqual(matches(list, item, 0));
    expect(core.must("LPOS", name, item, "COUNT", "2", "RANK", "-1")).toEqual(
      matches(list, item, -2),
    );
  }
}

interface Shape {
  build: Build;
  /** list-max-listpack-size. */
  size: number;
  /** DEBUG QUICKLIST-PACKED-THRESHOLD. */
  plainBytes: number;
}
const SHAPES: Shape[] = [
  { build: "tiny", size: -2, plainBytes: 0 },
  { build: "tiny", size: 3, plainBytes: 0 },
  { build: "tiny", size: 1, plainBytes: 0 },
  { build: "tiny", size: -1, plainBytes: 50 },
  { build: "release", size: -1, plainBytes: 0 },
  { build: "release", size: 4, plainBytes: 3 },
];
test.each(SHAPES)("lists behave like JavaScript's arrays: %o", ({ build, size, plainBytes }) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const core = createTestCore({ build });
      setLimit(core, Limit.ListListpackSize, size);
      setLimit(core, Limit.ListPlainBytes, plainBytes);
      const model: Model = new Map();
      for (const one of steps) {
        apply(core, model, one as Step);
        core.check();
      }
      for (const name of ["a", "b"]) compare(core, model, name);
      core.must("DEL", "a", "b");
      core.freeAll();
      expect(core.check()).toBe(0);
    }),
    { numRuns: 120 },
  );
});

const items = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `item:${from + i}`);

test("a long list is freed in slices and counts as used until then", () => {
  const core = createTestCore({ build: "release" });
  const before = core.usedBytes();
  for (let i = 0; i < 60; i++) core.must("RPUSH", "l", ...items(1000, i * 1000));
  const full = core.usedBytes();
  expect(core.must("MEMORY", "USAGE", "l") as number).toBeGreaterThan((full - before) * 0.9);
  core.must("DEL", "l");
  expect(core.usedBytes()).toBeGreaterThan(before + (full - before) / 2);
  core.freeAll(20);
  expect(core.usedBytes()).toBeLessThan(before + 100_000);
  for (let i = 0; i < 60; i++) core.must("LPUSH", "l", ...items(1000, i * 1000));
  core.must("LTRIM", "l", "100", "109");
  expect(core.must("LRANGE", "l", "0", "-1")).toEqual(items(10, 59_890).toReversed());
  core.freeAll(20);
  core.check();
  expect(core.usedBytes()).toBeLessThan(before + 100_000);
});

test("defragmentation moves chain, nodes and elements, while the list goes on changing", () => {
  const core = createTestCore({ build: "release" });
  const model: Model = new Map();
  for (let k = 0; k < 40; k++) {
    const name = `l${k}`;
    // Elements large enough for nodes of their own lie among the others.
    const list = items(1500).map((item, i) => (i % 50 === 0 ? item + "x".repeat(9000) : item));
    model.set(name, list);
    for (let i = 0; i < list.length; i += 100) core.must("RPUSH", name, ...list.slice(i, i + 100));
  }
  for (const [name, list] of model) {
    for (const item of list.filter((_, i) => i % 8 !== 0)) core.must("LREM", name, "1", item);
    model.set(
      name,
      list.filter((_, i) => i % 8 === 0),
    );
  }
  const pages = core.heapPages();
  for (let i = 0; i < 30; i++) {
    core.tidyAll(50);
    for (const [name, list] of model) {
      expect(core.must("LPOP", name)).toBe(list.shift()!);
      core.must("RPUSH", name, "behind");
      list.push("behind");
    }
    core.check();
  }
  expect(core.heapPages()).toBeLessThan(pages);
  for (const [name, list] of model) expect(core.must("LRANGE", name, "0", "-1")).toEqual(list);
});

/** Lets so few pages be handed out that memory ends somewhere in what follows. */
function limitPages(core: TestCore, more: number): void {
  core.harness.core.memory.i32[(Address.State + StateField.PageLimit) >> 2] =
    core.heapPages() + more;
}

test("for want of memory a command changes nothing, and says so", () => {
  const core = createTestCore({ build: "release" });
  core.must("RPUSH", "l", ...items(3000));
  core.must("RPUSH", "s", "a", "b");
  limitPages(core, 12);
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const before = ["l", "s", "new"].map((name) => core.must("LRANGE", name, "0", "-1"));
    const command = [
      ["RPUSH", "l", ...items(20), "x".repeat(5000 + i * 40)],
      ["LPUSH", "new", "y".repeat(9000), ...items(i)],
      ["LSET", "s", "0", "z".repeat(9000 + i * 100)],
      ["LINSERT", "s", "AFTER", "b", "w".repeat(7000)],
      ["LMOVE", "l", "s", "RIGHT", "LEFT"],
      ["COPY", "l", "copied", "REPLACE"],
    ][i % 6]!;
    const answer = core.run(...command);
    core.check();
    if (!(answer instanceof ErrorReply)) continue;
    expect(answer.text).toStartWith("OOM");
    refused++;
    expect(["l", "s", "new"].map((name) => core.must("LRANGE", name, "0", "-1"))).toEqual(before);
  }
  expect(refused).toBeGreaterThan(20);
});

test("a list of one small node becomes a listpack again, one of two does not", () => {
  const core = createTestCore({ build: "release" });
  const encoding = () => core.must("OBJECT", "ENCODING", "l");
  setLimit(core, Limit.ListListpackSize, 10);
  core.must("RPUSH", "l", ...items(11));
  expect(encoding()).toBe("quicklist");
  expect(core.must("DEBUG", "QUICKLIST", "l")).toBe("Quicklist of 2 nodes, 11 elements");
  core.must("RPOP", "l");
  expect(encoding()).toBe("quicklist");
  core.must("LTRIM", "l", "0", "5");
  expect(encoding()).toBe("quicklist");
  core.must("LREM", "l", "0", "item:3");
  expect(encoding()).toBe("listpack");
  core.must("RPUSH", "l", ...items(6));
  expect(encoding()).toBe("quicklist");
  core.must("LPOP", "l", "10");
  expect(core.must("DEBUG", "LISTPACK", "l")).toBe("Listpack of 15 bytes, 1 elements");
});

/** What a list that is pushed to at the front is called must be what its mirror image is called, which has no fore part. */
test("a list and its mirror image change their encoding at the same commands", () => {
  const core = createTestCore({ build: "tiny" });
  const mirrored = fc.array(
    fc.record({
      command: fc.constantFrom("PUSH", "PUSH", "POP", "REMOVE"),
      isNear: fc.boolean(),
      bytes: fc.constantFrom(1, 30, 64, 65, 600),
      times: fc.integer({ min: 1, max: 150 }),
    }),
    { minLength: 5, maxLength: 40 },
  );
  let quicklists = 0;
  const play = fc.property(mirrored, (steps) => {
    core.must("FLUSHALL", "SYNC");
    for (const { command, isNear, bytes, times } of steps) {
      const item = "x".repeat(bytes);
      const run = (key: string, end: string) => {
        if (command === "REMOVE") return core.must("LREM", key, "0", item);
        return core.must(`${end}${command}`, key, ...(command === "PUSH" ? [item] : []));
      };
      for (let i = 0; i < (command === "REMOVE" ? 1 : times); i++) {
        expect(run("here", isNear ? "L" : "R")).toEqual(run("there", isNear ? "R" : "L"));
        if (core.must("EXISTS", "here") === 0) break;
        const encoding = core.must("OBJECT", "ENCODING", "here");
        expect(encoding).toBe(core.must("OBJECT", "ENCODING", "there") as string);
        if (encoding === "quicklist") quicklists++;
      }
      core.check();
    }
  });
  const step = (
    command: "PUSH" | "POP" | "REMOVE",
    isNear: boolean,
    bytes: number,
    times: number,
  ) => ({
    command,
    isNear,
    bytes,
    times,
  });
  // The node that a fore part belongs to goes, and a short one that it never belonged to comes next.
  const orphaned = [
    step("PUSH", false, 30, 255),
    step("PUSH", true, 1, 200),
    step("PUSH", true, 30, 5),
    step("POP", false, 0, 200),
    step("REMOVE", true, 1, 1),
  ];
  fc.assert(play, { numRuns: 100, examples: [[orphaned]] });
  expect(quicklists).toBeGreaterThan(1000);
});

test("the fore part of a long list is the one node that it has more than its mirror image", () => {
  const core = createTestCore({ build: "release" });
  const nodes = (key: string) =>
    Number(String(core.must("DEBUG", "QUICKLIST", key)).match(/\d+/)![0]);
  const more = new Set<number>();
  for (const [i, item] of items(20_000).entries()) {
    core.must("LPUSH", "front", item);
    core.must("RPUSH", "back", item);
    if (i >= 1000) more.add(nodes("front") - nodes("back"));
  }
  expect(more).toEqual(new Set([0, 1]));
  expect(core.must("LRANGE", "front", "0", "-1")).toEqual(items(20_000).toReversed());
  core.check();
});
