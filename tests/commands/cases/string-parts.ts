/** GETRANGE SUBSTR SETRANGE GETDEL GETEX. */
import { atMost, bulk, commandCase, error, int, nil, ok, pass, step } from "./case.ts";

const SYNTAX = error("ERR syntax error");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const TOO_LONG = error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
const BAD_EXPIRY = error("ERR invalid expire time in 'getex' command");
const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";
const LONG = Array.from({ length: 30_000 }, (_, i) => i % 10).join("");

/** What is between two places, both included, by Redis's rules. */
function between(text: string, start: number, end: number): string {
  if (start < 0 && end < 0 && start > end) return "";
  const from = start < 0 ? Math.max(0, text.length + start) : start;
  const to = end < 0 ? Math.max(0, text.length + end) : end;
  return text.slice(from, to + 1);
}

export const stringPartCases = [
  commandCase(
    "GETRANGE answers what is between two places",
    ["", "x", "Hello World", "-12345"].flatMap((value) => [
      step(["SET", "k", value], ok),
      ...[-20, -6, -5, -2, -1, 0, 1, 4, 5, 6, 20].flatMap((start) =>
        [-20, -6, -5, -2, -1, 0, 1, 4, 5, 6, 20].map((end) =>
          step(`GETRANGE k ${start} ${end}`, bulk(between(value, start, end))),
        ),
      ),
    ]),
  ),
  commandCase("GETRANGE of long strings, missing keys and the ends of 64 bits", [
    step(["SET", "k", LONG], ok),
    step("GETRANGE k 1000 29000", bulk(LONG.slice(1000, 29_001))),
    step("SUBSTR k -17 -1", bulk(LONG.slice(-17))),
    step(`GETRANGE k ${MIN} ${MAX}`, bulk(LONG)),
    step(`GETRANGE k ${MAX} ${MIN}`, bulk("")),
    step(`GETRANGE k ${MIN} ${MIN}`, bulk("0")),
    step(`GETRANGE k ${MAX} ${MAX}`, bulk("")),
    step("GETRANGE none 0 -1", bulk("")),
    step("SUBSTR none 0 -1", bulk("")),
  ]),
  commandCase("GETRANGE refuses places that are no integers, before it looks at the key", [
    ...["x", "", "1.5", "9223372036854775808", "01"].flatMap((place) => [
      step(["GETRANGE", "none", place, "0"], NOT_INTEGER),
      step(["SUBSTR", "none", "0", place], NOT_INTEGER),
    ]),
  ]),
  commandCase("SETRANGE writes into a string and lengthens it with zeros", [
    step("SETRANGE k 0 Hello", int(5)),
    step("SETRANGE k 1 ipp", int(5)),
    step("GET k", bulk("Hippo")),
    step("SETRANGE k 7 !", int(8)),
    step("GET k", bulk("Hippo\0\0!")),
    step("SETRANGE k 4 long-tail", int(13)),
    step("GET k", bulk("Hipplong-tail")),
    step("SETRANGE fresh 3 x", int(4)),
    step("GET fresh", bulk("\0\0\0x")),
  ]),
  commandCase("SETRANGE of nothing changes nothing", [
    step(["SETRANGE", "k", "5", ""], int(0)),
    step("EXISTS k", int(0)),
    step("SET k 12345", ok),
    step(["SETRANGE", "k", "100", ""], int(5)),
    step(["SETRANGE", "k", MAX, ""], int(5)),
    step("OBJECT ENCODING k", bulk("int")),
  ]),
  commandCase("SETRANGE makes every encoding raw", [
    step("SET k 12345", ok),
    step("SETRANGE k 1 00", int(5)),
    step("OBJECT ENCODING k", bulk("raw")),
    step("INCR k", int(10_046)),
    step("OBJECT ENCODING k", bulk("int")),
    step("SETRANGE k 5 7", int(6)),
    step("GET k", bulk("100467")),
    step("SET k short", ok),
    step("SETRANGE k 0 S", int(5)),
    step("OBJECT ENCODING k", bulk("raw")),
    step("SETRANGE fresh 0 1", int(1)),
    step("OBJECT ENCODING fresh", bulk("raw")),
  ]),
  commandCase("SETRANGE grows a string through every place where bytes lie", (now) => [
    step(`SET k ab PXAT ${now + 100_001}`, ok),
    ...[50, 500, 1020, 1100, 20_000, 70_000].flatMap((offset) => [
      step(`SETRANGE k ${offset} cd`, int(offset + 2)),
      step(`GETRANGE k ${offset - 3} -1`, bulk("\0\0\0cd")),
      step("GETRANGE k 0 2", bulk("ab\0")),
    ]),
    step("PEXPIRETIME k", int(now + 100_001)),
    step(["SETRANGE", "k", "100", LONG], int(70_002)),
    step("GETRANGE k 99 101", bulk("\x0001")),
    step("SETRANGE large 100000 x", int(100_001)),
    step("GETRANGE large 99998 -1", bulk("\0\0x")),
  ]),
  commandCase("SETRANGE stops at the longest string and before the first byte", [
    step("SETRANGE k 536870912 x", TOO_LONG),
    step("SETRANGE k 536870911 xy", TOO_LONG),
    step(`SETRANGE k ${MAX} x`, TOO_LONG),
    step("SETRANGE k -1 x", error("ERR offset is out of range")),
    step(["SETRANGE", "k", "-1", ""], error("ERR offset is out of range")),
    step("SETRANGE k x v", NOT_INTEGER),
    step("SETRANGE k 9223372036854775808 v", NOT_INTEGER),
    step("EXISTS k", int(0)),
    step("SET k v", ok),
    step("SETRANGE k 536870912 x", TOO_LONG),
    step("SETRANGE k -1 x", error("ERR offset is out of range")),
    step("GET k", bulk("v")),
  ]),
  commandCase("GETDEL answers and deletes", [
    step("GETDEL k", nil),
    step("SET k v EX 100", ok),
    step("GETDEL k", bulk("v")),
    step("GETDEL k", nil),
    step("SET k 12345", ok),
    step("GETDEL k", bulk("12345")),
    step(["SET", "k", LONG], ok),
    step("GETDEL k", bulk(LONG)),
    step("DBSIZE", int(0)),
  ]),
  commandCase("GETEX answers and sets, moves or takes away the deadline", (now) => [
    step("GETEX k", nil),
    step("GETEX k EX 100", nil),
    step("SET k v", ok),
    step("GETEX k", bulk("v")),
    step("TTL k", int(-1)),
    step("GETEX k EX 100", bulk("v")),
    step("TTL k", atMost(100, 3)),
    step("GETEX k", bulk("v")),
    step("TTL k", atMost(100, 3)),
    step("GETEX k px 50000", bulk("v")),
    step("PTTL k", atMost(50_000, 3000)),
    step(`GETEX k PXAT ${now + 100_001}`, bulk("v")),
    step("PEXPIRETIME k", int(now + 100_001)),
    step(`GETEX k EXAT ${Math.ceil(now / 1000) + 200}`, bulk("v")),
    step("EXPIRETIME k", int(Math.ceil(now / 1000) + 200)),
    step("GETEX k PERSIST", bulk("v")),
    step("TTL k", int(-1)),
    step("GETEX k PERSIST", bulk("v")),
    step("GETEX k EX 10 EX 200", bulk("v")),
    step("TTL k", atMost(200, 3)),
  ]),
  commandCase("GETEX with an instant in the past deletes", (now) => [
    step("SET k v", ok),
    step("GETEX k EXAT 1", bulk("v")),
    step("EXISTS k", int(0)),
    step("SET k v EX 100", ok),
    step(`GETEX k PXAT ${now - 1000}`, bulk("v")),
    step("EXISTS k", int(0)),
    step("SET k 7", ok),
    step("GETEX k PX 20", bulk("7")),
    pass(35),
    step("GETEX k PX 20", nil),
  ]),
  commandCase("GETEX refuses wrong options before it looks at the key", [
    ...[
      "EX",
      "FOO",
      "KEEPTTL",
      "NX",
      "EX 10 PX 10",
      "PERSIST EX 10",
      "EX 10 PERSIST",
      "EX 10 X",
    ].map((options) => step(`GETEX none ${options}`, SYNTAX)),
    step("GETEX none EX x", nil),
    step("GETEX none EX 0", nil),
    step("SET k v", ok),
    ...["EX 0", "PX -1", "EXAT 0", "PXAT -5", `EX ${MAX}`, `PX ${MAX}`, "EX 9223372036854776"].map(
      (options) => step(`GETEX k ${options}`, BAD_EXPIRY),
    ),
    step("GETEX k EX x", NOT_INTEGER),
    step("GETEX k PXAT 1.5", NOT_INTEGER),
    step("TTL k", int(-1)),
  ]),
];
