/** KEYS and SCAN with patterns. https://redis.io/docs/latest/commands/scan/ */
import { anyOrder, commandCase, error, ok, pass, scanned, step, step72 } from "./case.ts";

const SYNTAX = error("ERR syntax error");
const BAD_CURSOR = error("ERR invalid cursor");
const NOT_INTEGER = error("ERR value is not an integer or out of range");

/** Keys against patterns: every pattern with the keys that it matches. */
const KEYS = ["a", "b", "ab", "abc", "a*c", "a?c", "[x]", "x", "a\\b", "-", "^", "]", "\xff", "A"];
const PATTERNS: Record<string, string[]> = {
  "*": KEYS,
  "**": KEYS,
  "?": ["a", "b", "x", "-", "^", "]", "\xff", "A"],
  "??": ["ab"],
  "a*": ["a", "ab", "abc", "a*c", "a?c", "a\\b"],
  "*c": ["abc", "a*c", "a?c"],
  "a?c": ["abc", "a*c", "a?c"],
  "a\\*c": ["a*c"],
  "a\\?c": ["a?c"],
  "a\\\\b": ["a\\b"],
  "a\\": [],
  "\\a": ["a"],
  "\\[x]": ["[x]"],
  "[ab]": ["a", "b"],
  "[a-b]": ["a", "b"],
  "[b-a]": ["a", "b"],
  "[^ab]": ["x", "-", "^", "]", "\xff", "A"],
  "[^a-z]": ["-", "^", "]", "\xff", "A"],
  "[a^]": ["a", "^"],
  "[\\^a]": ["a", "^"],
  "[\\]]": ["]"],
  "[a-": ["a", "-"],
  "[ab": ["a", "b"],
  "[": [],
  "[]": [],
  "[^]": ["a", "b", "x", "-", "^", "]", "\xff", "A"],
  "[^": ["a", "b", "x", "-", "^", "]", "\xff", "A"],
  "[a-]x": ["a", "x", "]", "^"],
  "[\\": [],
  "[-]": ["-"],
  A: ["A"],
  "[A-Z]": ["A"],
  "*b*": ["b", "ab", "abc", "a\\b"],
  "*a*b*": ["ab", "abc", "a\\b"],
  "*[bc]": ["b", "ab", "abc", "a*c", "a?c", "a\\b"],
  "": [],
  abcd: [],
};

export const scanCases = [
  commandCase("KEYS answers what the pattern matches", [
    step("KEYS *", anyOrder()),
    step(["MSET", ...KEYS.flatMap((key) => [key, "v"])], ok),
    ...Object.entries(PATTERNS).map(([pattern, keys]) =>
      step(["KEYS", pattern], anyOrder(...keys)),
    ),
  ]),
  commandCase("SCAN MATCH answers what the pattern matches", [
    step(["MSET", ...KEYS.flatMap((key) => [key, "v"])], ok),
    ...Object.entries(PATTERNS).map(([pattern, keys]) =>
      step(["SCAN", "0", "MATCH", pattern, "COUNT", "1000"], scanned("0", ...keys)),
    ),
  ]),
  commandCase("an empty key is matched by a single star and by the empty pattern", [
    step(["MSET", "", "v", "k", "v"], ok),
    step("KEYS *", anyOrder("", "k")),
    step("KEYS **", anyOrder("k")),
    step(["KEYS", ""], anyOrder("")),
    step("KEYS ?", anyOrder("k")),
    step("KEYS [^a]", anyOrder("k")),
    step("SCAN 0 MATCH *", scanned("0", "", "k")),
    step("SCAN 0 MATCH **", scanned("0", "k")),
  ]),
  commandCase("patterns and keys may hold any byte", [
    step(["MSET", "a\0b", "v", "a\nb", "v", "\x80", "v", "\x7f", "v"], ok),
    step(["KEYS", "a?b"], anyOrder("a\0b", "a\nb")),
    step(["KEYS", "a\0*"], anyOrder("a\0b")),
    step(["KEYS", "[\x80-\xff]"], anyOrder("\x80")),
    step(["KEYS", "[\x7e-\x81]"], anyOrder()),
    step(["KEYS", "[\x01-\x7f]"], anyOrder("\x7f")),
  ]),
  commandCase("a pattern of many stars is decided quickly", [
    step(["SET", "a".repeat(250), "v"], ok),
    step(["KEYS", `${"a*".repeat(100)}b`], anyOrder()),
    step(["KEYS", `${"*a".repeat(100)}*`], anyOrder("a".repeat(250))),
  ]),
  commandCase("KEYS and SCAN keep to the database selected, and leave out what has expired", [
    step("SET zero v", ok),
    step("SELECT 1", ok),
    step("SET one v", ok),
    step("SET due v PX 20", ok),
    pass(35),
    step("KEYS *", anyOrder("one")),
    step("SCAN 0", scanned("0", "one")),
    step("SELECT 0", ok),
    step("KEYS *", anyOrder("zero")),
  ]),
  commandCase("SCAN of an empty database ends at once", [
    step("SCAN 0", scanned("0")),
    step("SCAN 0 MATCH a* COUNT 5 TYPE string", scanned("0")),
  ]),
  commandCase("SCAN takes its options in any order and case, the last one counting", [
    step("MSET a 1 b 2", ok),
    step("SCAN 0 count 100 match a type STRING", scanned("0", "a")),
    step("SCAN 0 MATCH b MATCH a COUNT 1 COUNT 100", scanned("0", "a")),
    step("SCAN 0 TYPE list TYPE string COUNT 100", scanned("0", "a", "b")),
  ]),
  commandCase("SCAN TYPE answers keys of the type", [
    step("MSET a 1 b 2", ok),
    step("SCAN 0 TYPE string COUNT 100", scanned("0", "a", "b")),
    ...["list", "set", "zset", "hash", "stream", "nonesuch", ""].map((type) =>
      step(["SCAN", "0", "COUNT", "100", "TYPE", type], scanned("0")),
    ),
  ]),
  commandCase(
    "SCAN refuses a cursor that is no number",
    [
      ...[
        "a",
        "1a",
        " 1",
        "1 ",
        "0x10",
        "1.5",
        "-",
        "18446744073709551616",
        "99999999999999999999",
      ],
      ...["\t0", "\n0"],
    ].map((cursor) => step(["SCAN", cursor], BAD_CURSOR)),
  ),
  commandCase("SCAN takes a cursor as strtoul does", [
    ...["00", "+0", "-0", "000000000000000000000000", ""].map((cursor) =>
      step(["SCAN", cursor], scanned("0")),
    ),
    step(["SCAN", "0\0x"], scanned("0")),
    step(["SCAN", "a", "FOO"], BAD_CURSOR),
  ]),
  commandCase("SCAN refuses words that are no options", [
    ...[
      "FOO",
      "MATCH",
      "COUNT",
      "TYPE",
      "MATCH a COUNT",
      "COUNT 5 FOO",
      "MATCHX a",
      "COUNT 5 6",
    ].map((options) => step(`SCAN 0 ${options}`, SYNTAX)),
    step("SCAN 0 FOO bar", SYNTAX),
    step(["SCAN", "0", ""], SYNTAX),
  ]),
  commandCase("SCAN refuses a count below one or no integer, as it reads its options", [
    step("SCAN 0 COUNT 0", SYNTAX),
    step("SCAN 0 COUNT -5", SYNTAX),
    ...["abc", "", "1.5", "9223372036854775808", "+1"].map((count) =>
      step(["SCAN", "0", "COUNT", count], NOT_INTEGER),
    ),
    step("SCAN 0 COUNT abc FOO", NOT_INTEGER),
    step("SCAN 0 FOO x COUNT abc", SYNTAX),
    step("SCAN 0 COUNT 0 COUNT 10", SYNTAX),
  ]),
  commandCase("SCAN takes the largest counts", [
    step("SET k v", ok),
    step("SCAN 0 COUNT 9223372036854775807", scanned("0", "k")),
    step("SCAN 0 COUNT 922337203685477581", scanned("0", "k")),
    step("SCAN 0 COUNT 4294967297", scanned("0", "k")),
  ]),
  commandCase("SCAN TYPE is read without regard to case", [
    step("SET k v", ok),
    step72("7.0 compares the type's name exactly", "SCAN 0 TYPE STRING", scanned("0", "k")),
  ]),
];
