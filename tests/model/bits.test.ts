/** Bits and fields of a string behave like an array of bits, whatever the string's encoding and place. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";

/** A string as its bits; absent = no key. */
type Model = Map<string, number[]>;
interface Step {
  core: TestCore;
  model: Model;
}
type Operation = (step: Step) => void;

const KEYS = ["a", "b", "c"];
const key = fc.constantFrom(...KEYS);
const offset = fc.oneof(
  { arbitrary: fc.nat(100), weight: 4 },
  { arbitrary: fc.nat(9000), weight: 4 },
  fc.nat(150_000),
  fc.constantFrom(351, 352, 8191, 8192, 131_071, 131_072),
);

function bitsOf(text: string): number[] {
  return [...text].flatMap((letter) =>
    Array.from({ length: 8 }, (_, i) => (letter.charCodeAt(0) >> (7 - i)) & 1),
  );
}

function textOf(bits: number[]): string {
  const bytes = Buffer.alloc(bits.length / 8);
  bits.forEach((bit, i) => {
    bytes[i >> 3]! |= bit << (7 - (i & 7));
  });
  return bytes.toString("latin1");
}

/** The key's bits, so many that bit `last` is there. */
function opened({ model }: Step, name: string, last: number): number[] {
  const bits = model.get(name) ?? [];
  while (bits.length <= last) bits.push(0, 0, 0, 0, 0, 0, 0, 0);
  model.set(name, bits);
  return bits;
}

const set = fc
  .record({
    key,
    text: fc.oneof(
      fc.integer().map(String),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
      fc.constantFrom(1024, 16_384, 16_385, 70_000).map((length) => "v".repeat(length)),
    ),
  })
  .map(
    ({ key, text }): Operation =>
      (step) => {
        expect(step.core.run("SET", key, text)).toBe("OK");
        step.model.set(key, bitsOf(text));
      },
  );

const setbit = fc.record({ key, offset, bit: fc.nat(1) }).map(
  ({ key, offset, bit }): Operation =>
    (step) => {
      const bits = opened(step, key, offset);
      expect(step.core.run("SETBIT", key, `${offset}`, `${bit}`)).toBe(bits[offset]!);
      bits[offset] = bit;
    },
);

const setrange = fc
  .record({ key, offset: fc.nat(20_000), text: fc.string({ minLength: 1, unit: "binary-ascii" }) })
  .map(
    ({ key, offset, text }): Operation =>
      (step) => {
        const bits = opened(step, key, (offset + text.length) * 8 - 1);
        bits.splice(offset * 8, text.length * 8, ...bitsOf(text));
        expect(step.core.run("SETRANGE", key, `${offset}`, text)).toBe(bits.length / 8);
      },
  );

interface Field {
  signed: boolean;
  width: number;
  offset: number;
}
const field: fc.Arbitrary<Field> = fc
  .record({ signed: fc.boolean(), width: fc.integer({ min: 1, max: 64 }), offset })
  .filter(({ signed, width }) => signed || width < 64);

const typeName = ({ signed, width }: Field) => `${signed ? "i" : "u"}${width}`;

function read(bits: number[], { signed, width, offset }: Field): bigint {
  let value = 0n;
  for (let i = 0; i < width; i++) value = value * 2n + BigInt(bits[offset + i] ?? 0);
  return signed ? BigInt.asIntN(width, value) : value;
}

function write(bits: number[], { width, offset }: Field, value: bigint): void {
  const cut = BigInt.asUintN(width, value);
  for (let i = 0; i < width; i++) bits[offset + i] = Number((cut >> BigInt(width - 1 - i)) & 1n);
}

/** The value in the field's range as OVERFLOW says; null = it fails. */
function fitted(value: bigint, { signed, width }: Field, overflow: string): bigint | null {
  const least = signed ? -(1n << BigInt(width - 1)) : 0n;
  const greatest = (1n << BigInt(signed ? width - 1 : width)) - 1n;
  if (value >= least && value <= greatest) return value;
  if (overflow === "FAIL") return null;
  if (overflow === "SAT") return value > greatest ? greatest : least;
  return signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
}

const bitfield = fc
  .record({
    key,
    overflow: fc.constantFrom("WRAP", "SAT", "FAIL"),
    operations: fc.array(
      fc.record({
        name: fc.constantFrom("GET", "SET", "INCRBY"),
        field,
        value: fc.oneof(
          fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
          fc.bigInt({ min: -300n, max: 300n }),
        ),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  })
  .map(
    ({ key, overflow, operations }): Operation =>
      (step) => {
        const words = ["BITFIELD", key, "OVERFLOW", overflow];
        const wanted: (bigint | null)[] = [];
        const writing = operations.filter(({ name }) => name !== "GET");
        const last = Math.max(...writing.map(({ field }) => field.offset + field.width - 1));
        const bits = writing.length > 0 ? opened(step, key, last) : (step.model.get(key) ?? []);
        for (const { name, field, value } of operations) {
          words.push(name, typeName(field), `${field.offset}`);
          const old = read(bits, field);
          if (name === "GET") {
            wanted.push(old);
            continue;
          }
          words.push(`${value}`);
          // A negative value set to an unsigned field is a great one.
          const set = field.signed ? value : BigInt.asUintN(64, value);
          let result = fitted(name === "SET" ? set : old + value, field, overflow);
          // The distance that Redis looks at wraps at 64 bits.
          const isFar =
            field.signed && field.width < 64 && value < 2n ** BigInt(field.width - 1) - 2n ** 63n;
          if (name === "SET" && overflow === "SAT" && isFar)
            result = 2n ** BigInt(field.width - 1) - 1n;
          wanted.push(result === null ? null : name === "SET" ? old : result);
          if (result !== null) write(bits, field, result);
        }
        const nil = "$-1\r\n";
        expect(step.core.harness.raw(...words)).toBe(
          `*${wanted.length}\r\n${wanted.map((v) => (v === null ? nil : `:${v}\r\n`)).join("")}`,
        );
      },
  );

const bitop = fc
  .record({
    name: fc.constantFrom("AND", "OR", "XOR", "NOT"),
    to: key,
    from: fc.array(key, { minLength: 1, maxLength: 4 }),
  })
  .map(
    ({ name, to, from }): Operation =>
      (step) => {
        const sources = (name === "NOT" ? from.slice(0, 1) : from).map(
          (source) => step.model.get(source) ?? [],
        );
        const length = Math.max(...sources.map((bits) => bits.length));
        const result: number[] = [];
        for (let i = 0; i < length; i++) {
          const column = sources.map((bits) => bits[i] ?? 0);
          if (name === "NOT") result.push(1 - column[0]!);
          else if (name === "AND") result.push(column.every((bit) => bit === 1) ? 1 : 0);
          else if (name === "OR") result.push(column.some((bit) => bit === 1) ? 1 : 0);
          else result.push(column.reduce((a, b) => a ^ b));
        }
        const keys = name === "NOT" ? from.slice(0, 1) : from;
        expect(step.core.run("BITOP", name, to, ...keys)).toBe(length / 8);
        if (length === 0) step.model.delete(to);
        else step.model.set(to, result);
      },
  );

const look = fc
  .record({
    key,
    start: fc.integer({ min: -400, max: 400 }),
    end: fc.integer({ min: -400, max: 400 }),
  })
  .map(
    ({ key, start, end }): Operation =>
      ({ core, model }) => {
        const bits = model.get(key) ?? [];
        const from = Math.max(0, start < 0 ? start + bits.length : start);
        const to = Math.max(0, end < 0 ? end + bits.length : end);
        const range = bits.slice(from, to + 1);
        // Only BITCOUNT takes two ends before the first bit for nothing if they are the wrong way round.
        const isBackwards = start < 0 && end < 0 && start > end;
        const ones = isBackwards ? 0 : range.filter((bit) => bit === 1).length;
        expect(core.run("BITCOUNT", key, `${start}`, `${end}`, "BIT")).toBe(ones);
        if (!model.has(key)) return;
        for (const bit of [0, 1]) {
          const at = range.indexOf(bit);
          const words = ["BITPOS", key, `${bit}`, `${start}`, `${end}`, "BIT"];
          expect(core.run(...words)).toBe(at < 0 ? -1 : from + at);
        }
      },
  );

const operations = fc.array(
  fc.oneof(
    set,
    { arbitrary: setbit, weight: 3 },
    setrange,
    { arbitrary: bitfield, weight: 3 },
    bitop,
    look,
  ),
  { maxLength: 20, size: "max" },
);

const cases: [Build, number][] = [
  ["debug", 30],
  ["release", 100],
];
for (const [build, runs] of cases)
  test(`bits of strings behave like arrays of bits (${build})`, () => {
    const core = createTestCore({ build });
    fc.assert(
      fc.property(operations, (list) => {
        core.must("FLUSHALL", "SYNC");
        const step: Step = { core, model: new Map() };
        for (const operation of list) operation(step);
        for (const key of KEYS) {
          const bits = step.model.get(key);
          expect(core.run("GET", key)).toBe(bits === undefined ? null : textOf(bits));
          expect(core.run("BITCOUNT", key)).toBe(bits?.filter((bit) => bit === 1).length ?? 0);
        }
        core.check();
      }),
      { numRuns: runs },
    );
  }, 30_000);
