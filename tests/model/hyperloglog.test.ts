/** HyperLogLog against a plain array of registers, in both encodings, and its estimates against what was seen. */
import { describe, expect, test } from "bun:test";
import { type Build, createTestCore, type TestCore } from "../support/core.ts";
import { createRandom } from "../support/random.ts";

const REGISTERS = 16384;
const HEADER_BYTES = 16;
const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);
const MASK = (1n << 64n) - 1n;
const FACTOR = 0xc6a4a7935bd1e995n;

/** MurmurHash64A of latin1 text. */
function hashOf(text: string): bigint {
  const bytes = Buffer.from(text, "latin1");
  let h = 0xadc83b19n ^ ((BigInt(bytes.length) * FACTOR) & MASK);
  const words = bytes.length >> 3;
  for (let i = 0; i < words; i++) {
    let word = (bytes.readBigUInt64LE(i * 8) * FACTOR) & MASK;
    word = ((word ^ (word >> 47n)) * FACTOR) & MASK;
    h = ((h ^ word) * FACTOR) & MASK;
  }
  const rest = bytes.subarray(words * 8);
  if (rest.length > 0) {
    for (const [i, byte] of rest.entries()) h ^= BigInt(byte) << BigInt(8 * i);
    h = (h * FACTOR) & MASK;
  }
  h = ((h ^ (h >> 47n)) * FACTOR) & MASK;
  return h ^ (h >> 47n);
}

/** Registers as numbers: each holds the greatest rank that an element of its own had. */
class Model {
  readonly registers = new Uint8Array(REGISTERS);

  /** @returns whether a register rose */
  see(text: string): boolean {
    const hash = hashOf(text);
    const index = Number(hash & BigInt(REGISTERS - 1));
    const zeros = /0*$/.exec(`1${(hash >> 14n).toString(2).padStart(50, "0")}`)![0].length;
    const rank = zeros + 1;
    if (rank <= this.registers[index]!) return false;
    this.registers[index] = rank;
    return true;
  }

  merge(other: Model): void {
    for (const [i, rank] of other.registers.entries())
      this.registers[i] = Math.max(this.registers[i]!, rank);
  }
}

/** The registers of a stored value, read as the layout says. */
function registersOf(core: TestCore, key: string): Uint8Array {
  const value = Buffer.from(core.must("GET", key) as string, "latin1");
  const bytes = value.subarray(HEADER_BYTES);
  if (value[4] === 1) return sparseRegisters(bytes);
  const registers = new Uint8Array(REGISTERS);
  for (let i = 0; i < REGISTERS; i++) {
    const bit = i * 6;
    const pair = bytes[bit >> 3]! | ((bytes[(bit >> 3) + 1] ?? 0) << 8);
    registers[i] = (pair >> (bit & 7)) & 63;
  }
  return registers;
}

function sparseRegisters(bytes: Uint8Array): Uint8Array {
  const registers: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const isEqual = byte >= 128;
    let count = (byte & (isEqual ? 3 : 63)) + 1;
    if (!isEqual && byte >= 64) count = (((byte & 63) << 8) | bytes[++i]!) + 1;
    for (let n = 0; n < count; n++) registers.push(isEqual ? ((byte >> 2) & 31) + 1 : 0);
  }
  return Uint8Array.from(registers);
}

describe.each(["debug", "release", "tiny"] satisfies Build[])("HyperLogLog (%s)", (build) => {
  test("registers are those of the model after every command, sparse and dense", () => {
    const core = createTestCore({ build });
    const random = createRandom(1);
    const models = new Map<string, Model>();
    const modelOf = (key: string) => {
      const model = models.get(key) ?? new Model();
      models.set(key, model);
      return model;
    };
    const encodings = new Set<unknown>();
    for (let round = 0; round < 120; round++) {
      const key = random.pick(["a", "b", "c", "d"]);
      const isNew = !models.has(key);
      const model = modelOf(key);
      if (random.chance(0.2)) {
        const other = random.pick(["a", "b", "c", "d"]);
        core.must("PFMERGE", key, other, "none");
        if (models.has(other)) model.merge(modelOf(other));
      } else {
        const texts = Array.from({ length: random.below(random.chance(0.2) ? 900 : 8) }, () =>
          "e".repeat(random.below(20)).concat(String(random.below(1e6))),
        );
        const rose = texts.filter((text) => model.see(text)).length > 0;
        expect(core.must("PFADD", key, ...texts)).toBe(rose || isNew ? 1 : 0);
      }
      expect(registersOf(core, key)).toEqual(model.registers);
      encodings.add(core.must("PFDEBUG", "ENCODING", key));
      core.check();
    }
    expect([...encodings].toSorted()).toEqual(["dense", "sparse"]);
  });

  test("estimates are within five standard errors, and the same in both encodings", () => {
    const core = createTestCore({ build });
    let seen = 0;
    for (const count of [1, 10, 100, 700, 5000, 20_000]) {
      while (seen < count) {
        const upTo = Math.min(count, seen + 1000);
        const texts = Array.from({ length: upTo - seen }, (_, i) => `element ${seen + i}`);
        core.must("PFADD", "h", ...texts);
        seen = upTo;
      }
      const estimate = core.must("PFCOUNT", "h") as number;
      expect(Math.abs(estimate - count)).toBeLessThanOrEqual(Math.ceil(5 * STANDARD_ERROR * count));
      core.must("COPY", "h", "d", "REPLACE");
      core.must("PFDEBUG", "TODENSE", "d");
      core.must("PFMERGE", "merged", "h");
      expect(core.must("PFCOUNT", "d", "none")).toBe(estimate);
      expect(core.must("PFCOUNT", "merged")).toBe(estimate);
    }
  });
});
