import { expect, test } from "bun:test";
import {
  CRC_LINE_MAX_BYTES,
  crcLine,
  parseAnnotation,
  writeCrcLine,
} from "../../../../server/persistence/aof/annotations.ts";
import { createRandom } from "../../../support/random.ts";

/** Where the number of digits changes, where 32 bits end, and where a number is worked on in parts. */
const OFFSETS = [
  ...[0, 1, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER],
  ...[1e8 - 1, 1e8, 1e9 - 1, 1e9, 1e9 + 7, 1e10, 123_000_000_045, 1e15],
];
const SUMS = [0, 1, 0x0012abcd, 0x7fffffff, 0x80000000, 0xffffffff];

test("a #CRC line has eight digits of the sum, and all of the offset", () => {
  for (const sum of SUMS)
    for (const offset of OFFSETS) {
      const line = crcLine(sum, offset);
      expect(line).toBe(`#CRC:${sum.toString(16).padStart(8, "0")}:${offset}\r\n`);
      expect(parseAnnotation(line)).toEqual({ kind: "crc", sum, offset });
    }
  expect(crcLine(0, Number.MAX_SAFE_INTEGER)).toHaveLength(CRC_LINE_MAX_BYTES);
});

test("a #CRC line is written where it is to be, and nowhere else", () => {
  const random = createRandom(12);
  for (let i = 0; i < 2000; i++) {
    const offset = random.below(10 ** random.below(16)) || i;
    const sum = random.below(2 ** 32);
    const line = crcLine(sum, offset);
    const at = random.below(50);
    const into = Buffer.alloc(100, "x");
    expect(writeCrcLine(into, at, sum, offset)).toBe(at + line.length);
    expect(into.toString("latin1")).toBe(`${"x".repeat(at)}${line}`.padEnd(100, "x"));
  }
});
