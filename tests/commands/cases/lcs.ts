/** LCS. https://redis.io/docs/latest/commands/lcs/ */
import { bulk, commandCase, error, int, ok, raw, step } from "./case.ts";

const SYNTAX = error("ERR syntax error");
const BOTH = error("ERR If you want both the length and indexes, please just use IDX.");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const TOO_LARGE = error(
  "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
);
const range = (start: number, end: number) => `*2\r\n:${start}\r\n:${end}\r\n`;
/** What IDX answers, given the matches as they are written. */
const indexes = (length: number, ...matches: string[]) =>
  raw(
    (protocol) =>
      `${protocol === 3 ? "%2" : "*4"}\r\n$7\r\nmatches\r\n*${matches.length}\r\n` +
      `${matches.join("")}$3\r\nlen\r\n:${length}\r\n`,
  );
/** Hardly alike, and longer than a word of bits. */
const letters = (factor: number) =>
  Array.from({ length: 700 }, (_, i) => "acgt"[((i * i * factor) >> 3) & 3]).join("");

export const lcsCases = [
  commandCase("LCS answers the subsequence, its length, or where it lies", [
    step("MSET a ohmytext b mynewtext", ok),
    step("LCS a b", bulk("mytext")),
    step("LCS a b LEN", int(6)),
    step(
      "LCS a b IDX",
      indexes(6, `*2\r\n${range(4, 7)}${range(5, 8)}`, `*2\r\n${range(2, 3)}${range(0, 1)}`),
    ),
    step(
      "LCS a b idx minmatchlen 4 withmatchlen",
      indexes(6, `*3\r\n${range(4, 7)}${range(5, 8)}:4\r\n`),
    ),
    step("LCS a b IDX MINMATCHLEN 5", indexes(6)),
    step("LCS a none IDX", indexes(0)),
    step(["SET", "a", letters(3)], ok),
    step(["SET", "b", letters(7)], ok),
    step("LCS a b LEN", int(525)),
  ]),
  commandCase("LCS of missing keys, integers and the same key", [
    step("LCS none none", bulk("")),
    step("LCS none none LEN", int(0)),
    step("MSET a 12345 b 2459", ok),
    step("LCS a none", bulk("")),
    step("LCS none a LEN", int(0)),
    step("LCS a b", bulk("245")),
    step("LCS a a", bulk("12345")),
    step("LCS a b MINMATCHLEN 100", bulk("245")),
    step("LCS a b WITHMATCHLEN LEN", int(3)),
  ]),
  commandCase("LCS refuses wrong options", [
    step("MSET a x b y", ok),
    step("LCS a b FOO", SYNTAX),
    step("LCS a b MINMATCHLEN", SYNTAX),
    step("LCS a b IDX MINMATCHLEN x", NOT_INTEGER),
    step("LCS a b MINMATCHLEN x FOO", NOT_INTEGER),
    step("LCS a b LEN IDX", BOTH),
    step("LCS a b LEN IDX FOO", SYNTAX),
    step("LCS none none LEN IDX", BOTH),
  ]),
  commandCase("LCS refuses what would take Redis more memory than a string may have", [
    step(["SET", "a", "x".repeat(20_000)], ok),
    step(["SET", "b", "y".repeat(10_000)], ok),
    step("LCS a b", TOO_LARGE),
    step("LCS b a LEN", TOO_LARGE),
  ]),
];
