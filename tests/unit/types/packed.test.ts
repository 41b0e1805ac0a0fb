import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { Address } from "../../../core-wasm/abi.ts";
import { createCore } from "../../../server/core/core.ts";
import { BUILDS } from "../../support/core.ts";

/** What the test build exports of packed sequences: addresses in, addresses out. */
interface PackedExports {
  newPacked(bytes: number): number;
  packedInsert(packed: number, at: number, ptr: number, length: number): number;
  packedAppend(packed: number, ptr: number, length: number): number;
  packedReplace(packed: number, at: number, ptr: number, length: number): number;
  packedRemove(packed: number, at: number, count: number): number;
  packedBytes(packed: number): number;
  packedCount(packed: number): number;
  packedFirst(packed: number): number;
  packedLast(packed: number): number;
  packedNext(at: number): number;
  packedPrevious(packed: number, at: number): number;
  packedSeek(packed: number, index: number): number;
  packedFind(at: number, ptr: number, length: number, skip: number): number;
  packedAt(): number;
  elementText(at: number): number;
  elementLength(): number;
  elementEquals(at: number, ptr: number, length: number): number;
  copyPacked(packed: number): number;
  checkPacked(packed: number): number;
  free(ptr: number): void;
  check(): number;
}

const core = createCore({ seed: [1, 2], drain: () => {}, wasmPath: BUILDS.tiny });
const lib = core as unknown as PackedExports;
let packed = 0;
let emptyBytes = 0;

beforeEach(() => {
  emptyBytes = core.usedBytes();
  packed = lib.newPacked(0);
});
afterEach(() => {
  lib.free(packed);
  // No block is lost, whatever moved.
  expect(core.usedBytes()).toBe(emptyBytes);
  lib.check();
});

function give(text: string): [number, number] {
  core.memory.u8.set(Buffer.from(text, "latin1"), Address.Input);
  return [Address.Input, text.length];
}

function textAt(at: number): string {
  const ptr = lib.elementText(at);
  return Buffer.from(core.memory.bytes(ptr, lib.elementLength())).toString("latin1");
}

function forward(): string[] {
  const found: string[] = [];
  for (let at = lib.packedFirst(packed); at !== 0; at = lib.packedNext(at)) found.push(textAt(at));
  return found;
}

function backward(): string[] {
  const found: string[] = [];
  if (lib.packedFirst(packed) === 0) return found;
  for (let at = lib.packedLast(packed); at !== 0; at = lib.packedPrevious(packed, at))
    found.unshift(textAt(at));
  return found;
}

/** Every width of length and integer, and strings that only look like numbers. */
const element = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 70 }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc
    .tuple(fc.constantFrom(0, 7, 12, 15, 23, 31, 62), fc.constantFrom(-1n, 0n, 1n), fc.boolean())
    .map(([bits, by, minus]) => String((minus ? -1n : 1n) * (1n << BigInt(bits)) + by)),
  fc.constantFrom(
    "",
    "0",
    "-0",
    "00",
    "+1",
    "9223372036854775808",
    "-9223372036854775809",
    "1.0",
    " 1",
  ),
  fc.constantFrom(63, 64, 127, 128, 4095, 4096, 5000, 16400, 70000).map((n) => "x".repeat(n)),
);

const change = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("insert"), at: fc.nat(40), text: element }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("replace"), at: fc.nat(40), text: element }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("remove"), at: fc.nat(40), count: fc.nat(3) }),
  },
);

function apply(model: string[], step: { kind: string; at: number; text?: string; count?: number }) {
  const { kind, at, text = "", count = 0 } = step;
  if (kind === "insert") {
    const index = Math.min(at, model.length);
    const before = index === model.length ? 0 : lib.packedSeek(packed, index);
    packed = lib.packedInsert(packed, before, ...give(text));
    model.splice(index, 0, text);
    expect(textAt(lib.packedAt())).toBe(text);
  } else if (model.length > 0 && kind === "replace") {
    const index = at % model.length;
    packed = lib.packedReplace(packed, lib.packedSeek(packed, index - model.length), ...give(text));
    model[index] = text;
    expect(textAt(lib.packedAt())).toBe(text);
  } else if (model.length > 0 && kind === "remove") {
    const index = at % model.length;
    const removed = Math.min(count, model.length - index);
    packed = lib.packedRemove(packed, lib.packedSeek(packed, index), removed);
    model.splice(index, removed);
    const behind = lib.packedAt();
    expect(behind === 0 ? undefined : textAt(behind)).toBe(model[index]);
  }
}

test("a packed sequence behaves like an array, read from either end", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (steps) => {
      const model: string[] = [];
      for (const step of steps) {
        apply(model, step);
        expect(lib.checkPacked(packed)).toBe(model.length);
        expect(lib.packedCount(packed)).toBe(model.length);
      }
      expect(forward()).toEqual(model);
      expect(backward()).toEqual(model);
      for (const [index, text] of model.entries())
        expect(textAt(lib.packedSeek(packed, index))).toBe(text);
      expect(lib.packedSeek(packed, model.length)).toBe(0);
      expect(lib.packedSeek(packed, -model.length - 1)).toBe(0);
      lib.free(packed);
      packed = lib.newPacked(0);
    }),
    { numRuns: 150 },
  );
});

test("an element is found by its bytes, every one or every second", () => {
  fc.assert(
    fc.property(fc.array(element, { minLength: 1, maxLength: 30 }), element, (model, other) => {
      for (const text of model) packed = lib.packedAppend(packed, ...give(text));
      for (const [needle, skip] of [
        [model.at(-1)!, 0],
        [model[0]!, 1],
        [other, 0],
        [other, 1],
      ] as const) {
        const wanted = model.findIndex((text, i) => text === needle && i % (skip + 1) === 0);
        const at = lib.packedFind(lib.packedFirst(packed), ...give(needle), skip);
        expect(at).toBe(wanted < 0 ? 0 : lib.packedSeek(packed, wanted));
        if (at !== 0) expect(lib.elementEquals(at, ...give(needle))).toBe(1);
      }
      const copy = lib.copyPacked(packed);
      expect(lib.checkPacked(copy)).toBe(model.length);
      lib.free(copy);
      lib.free(packed);
      packed = lib.newPacked(0);
    }),
    { numRuns: 100 },
  );
});

test("more elements than the header can count are counted by walking", () => {
  for (let i = 0; i < 65600; i++) packed = lib.packedAppend(packed, ...give("7"));
  expect(lib.packedCount(packed)).toBe(65600);
  expect(lib.checkPacked(packed)).toBe(65600);
});

test("the bytes are a listpack's", () => {
  for (const text of [
    "0",
    "127",
    "128",
    "-1",
    "32767",
    "a",
    "-8388608",
    "2147483647",
    "4294967296",
  ])
    packed = lib.packedAppend(packed, ...give(text));
  const bytes = Buffer.from(core.memory.bytes(packed, lib.packedBytes(packed))).toString("hex");
  expect(bytes).toBe(
    "2d000000090000017f01c08002dfff02f1ff7f03816102f2000080" +
      "04f3ffffff7f05f4000000000100000009ff",
  );
});
