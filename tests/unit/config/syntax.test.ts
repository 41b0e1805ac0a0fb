import { expect, test } from "bun:test";
import {
  byteString,
  memoryBytes,
  quoted,
  rewrittenBytes,
  splitWords,
  unicode,
} from "../../../server/config/syntax.ts";

test("a line is split at blanks, with quotes and escapes", () => {
  expect(splitWords("save 900 1")).toEqual(["save", "900", "1"]);
  expect(splitWords('requirepass "a b\\x21"')).toEqual(["requirepass", "a b!"]);
  expect(splitWords("logfile ''")).toEqual(["logfile", ""]);
  expect(splitWords("")).toEqual([]);
});

test("a line with an open quote, or with something behind a closed one, is refused", () => {
  expect(splitWords('requirepass "a')).toBeUndefined();
  expect(splitWords('requirepass "a"b')).toBeUndefined();
});

test("sizes take powers of 1000 and of 1024", () => {
  const sizes = ["7", "1b", "1k", "1KB", "1m", "1mb", "1g", "1Gb"].map(memoryBytes);
  expect(sizes).toEqual([7n, 1n, 1000n, 1024n, 1000000n, 1048576n, 1000000000n, 1073741824n]);
  expect(["-1", "1.5k", "1 k", "1tb", "k1"].map(memoryBytes)).toEqual(Array(5).fill(undefined));
});

test("sizes are written back in the largest unit that divides them", () => {
  expect(
    [0n, 1n, 1000n, 1024n, 3n << 20n, 1n << 30n, (1n << 30n) + 1n].map(rewrittenBytes),
  ).toEqual(["0", "1", "1000", "1kb", "3mb", "1gb", "1073741825"]);
});

test("a quoted word is read back byte for byte", () => {
  const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("");
  expect(splitWords(`name ${quoted(everyByte)}`)).toEqual(["name", everyByte]);
  expect(quoted('a "b"\n\xe9')).toBe('"a \\"b\\"\\n\\xe9"');
});

test("byte strings hold a text's UTF-8", () => {
  expect(byteString("é")).toBe("\xc3\xa9");
  expect(unicode(byteString("zażółć 日本"))).toBe("zażółć 日本");
});
