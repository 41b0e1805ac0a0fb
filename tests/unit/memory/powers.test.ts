/** The table of powers of ten against BigInt, every entry. */
import { expect, test } from "bun:test";
import { createCore } from "../../../server/core/core.ts";

/** As in core-wasm/memory/powers.ts and state.ts. */
const TABLE = 0x0001_a000;
const LEAST = -292;
const GREATEST = 324;
const BITS = 126;

const bitLength = (n: bigint) => n.toString(2).length;

/** The integer just above 10^exponent, scaled to 126 bits. */
function powerAbove(exponent: number): bigint {
  const ten = 10n ** BigInt(Math.abs(exponent));
  if (exponent >= 0) {
    const shift = bitLength(ten) - BITS;
    return (shift > 0 ? ten >> BigInt(shift) : ten << BigInt(-shift)) + 1n;
  }
  const scaled = (1n << BigInt(bitLength(ten) + BITS)) / ten;
  return (scaled >> BigInt(bitLength(scaled) - BITS)) + 1n;
}

test("every power is the integer just above, in two words of 63 bits", () => {
  const { memory } = createCore({ seed: [1, 2], drain() {} });
  for (let exponent = LEAST; exponent <= GREATEST; exponent++) {
    const at = TABLE + 16 * (exponent - LEAST);
    const high = memory.words.getBigUint64(at, true);
    const low = memory.words.getBigUint64(at + 8, true);
    expect([exponent, low < 1n << 63n, (high << 63n) + low]).toEqual([
      exponent,
      true,
      powerAbove(exponent),
    ]);
  }
});
