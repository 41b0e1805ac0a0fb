/** GET and SET with every option. https://redis.io/docs/latest/commands/set/ */
import { atMost, bulk, commandCase, error, int, nil, ok, pass, step } from "./case.ts";

const SYNTAX = error("ERR syntax error");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const BAD_EXPIRY = error("ERR invalid expire time in 'set' command");
const NO_DEADLINE = int(-1);

export const setCases = [
  commandCase("GET of a missing key is nil", [step("GET k", nil)]),
  commandCase("SET stores and GET returns the value", [
    step("SET k v", ok),
    step("GET k", bulk("v")),
    step("SET k other", ok),
    step("GET k", bulk("other")),
    step("get k", bulk("other")),
  ]),
  commandCase("SET keeps empty keys, empty values and every byte", [
    step(["SET", "", "empty key"], ok),
    step(["GET", ""], bulk("empty key")),
    step(["SET", "k", ""], ok),
    step(["GET", "k"], bulk("")),
    step(["SET", "nul\0key", "a\0b\r\nc\xff"], ok),
    step(["GET", "nul\0key"], bulk("a\0b\r\nc\xff")),
    step(["GET", "nul\0other"], nil),
    step(["GET", "nul"], nil),
  ]),
  commandCase(
    "SET keeps a value's own spelling of numbers",
    [
      ...["0", "-0", "007", "+1", " 1", "1 ", "1.0", "9223372036854775807", "-9223372036854775808"],
      ...["9223372036854775808", "-9223372036854775809", "99999999999999999999", "-", "1e3", "0x1"],
    ].flatMap((text) => [step(["SET", "k", text], ok), step("GET k", bulk(text))]),
  ),
  commandCase("SET with keys of 254 to 300 bytes tells them apart", [
    ...[254, 255, 256, 300].map((length) => step(["SET", "k".repeat(length), `${length}`], ok)),
    ...[254, 255, 256, 300].map((length) => step(["GET", "k".repeat(length)], bulk(`${length}`))),
    step(["GET", "k".repeat(299)], nil),
    step("DBSIZE", int(4)),
  ]),
  commandCase("SET drops the deadline that was there", [
    step("SET k v EX 100", ok),
    step("SET k w", ok),
    step("TTL k", NO_DEADLINE),
  ]),
  commandCase("SET NX sets only what is missing", [
    step("SET k v NX", ok),
    step("SET k w nx", nil),
    step("GET k", bulk("v")),
    step("SET other v NX NX", ok),
  ]),
  commandCase("SET XX sets only what is there", [
    step("SET k v XX", nil),
    step("EXISTS k", int(0)),
    step("SET k v", ok),
    step("SET k w xX", ok),
    step("GET k", bulk("w")),
  ]),
  commandCase("SET GET answers the old value", [
    step("SET k v GET", nil),
    step("SET k w get", bulk("v")),
    step("SET k 17 GET GET", bulk("w")),
    step("SET k x GET", bulk("17")),
    step("GET k", bulk("x")),
  ]),
  commandCase("SET GET with a condition answers the old value whether it sets or not", [
    step("SET k v NX GET", nil),
    step("GET k", bulk("v")),
    step("SET k w GET NX", bulk("v")),
    step("GET k", bulk("v")),
    step("SET k w XX GET", bulk("v")),
    step("GET k", bulk("w")),
    step("SET none w XX GET", nil),
    step("EXISTS none", int(0)),
  ]),
  commandCase("SET EX, PX, EXAT and PXAT set the deadline", (now) => [
    step("SET k v EX 100", ok),
    step("PTTL k", atMost(100_000, 3000)),
    step("SET k v PX 100000", ok),
    step("PTTL k", atMost(100_000, 3000)),
    step(`SET k v EXAT ${Math.floor(now / 1000) + 100}`, ok),
    step("EXPIRETIME k", int(Math.floor(now / 1000) + 100)),
    step(`SET k v PXAT ${now + 100_001}`, ok),
    step("PEXPIRETIME k", int(now + 100_001)),
    step(`SET k w pxat ${now + 200_001} XX GET`, bulk("v")),
    step("PEXPIRETIME k", int(now + 200_001)),
    step("GET k", bulk("w")),
  ]),
  commandCase("SET PX expires the key on its millisecond", [
    step("SET k v PX 30", ok),
    step("GET k", bulk("v")),
    pass(45),
    step("GET k", nil),
    step("TTL k", int(-2)),
    step("SET k w XX", nil),
    step("SET k w NX", ok),
    step("TTL k", NO_DEADLINE),
  ]),
  commandCase("SET with a deadline in the past stores a key that is gone", [
    step("SET k v PXAT 1", ok),
    step("GET k", nil),
    step("SET k v EXAT 1", ok),
    step("EXISTS k", int(0)),
  ]),
  commandCase("SET KEEPTTL keeps the deadline", (now) => [
    step(`SET k v PXAT ${now + 100_001}`, ok),
    step("SET k w KEEPTTL", ok),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("SET k 123 keepttl", ok),
    step(["SET", "k", "x".repeat(1000), "KEEPTTL"], ok),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("GET k", bulk("x".repeat(1000))),
    step("SET fresh v KEEPTTL", ok),
    step("TTL fresh", NO_DEADLINE),
    step("SET fresh w KEEPTTL NX GET", bulk("v")),
  ]),
  commandCase(
    "SET refuses options that exclude each other",
    [
      ...["NX XX", "XX NX", "NX GET XX", "EX 10 PX 10", "PX 10 EX 10", "EX 10 EXAT 10"],
      ...["EX 10 PXAT 10", "PXAT 10 EXAT 10", "EXAT 10 PX 10", "KEEPTTL EX 10", "EX 10 KEEPTTL"],
      ...["KEEPTTL PX 10", "KEEPTTL EXAT 10", "PXAT 10 KEEPTTL", "PX 10 KEEPTTL GET"],
    ].flatMap((options) => [step(`SET k v ${options}`, SYNTAX), step("EXISTS k", int(0))]),
  ),
  commandCase("SET takes a repeated expiry option's last value", [
    step("SET k v EX 10 EX 1000", ok),
    step("TTL k", atMost(1000, 3)),
    step("SET k v KEEPTTL KEEPTTL", ok),
    step("TTL k", atMost(1000, 3)),
  ]),
  commandCase(
    "SET refuses words that are no options",
    [
      ...["EX", "PX", "EXAT", "PXAT", "NX EX", "FOO", "EXX 10", "NXX", "PERSIST", "GETT", "KEEPTT"],
      ...["EX 10 20", "10 EX", "N", "KEEPTTLX"],
    ]
      .map((options) => step(`SET k v ${options}`, SYNTAX))
      .concat([
        step(["SET", "k", "v", ""], SYNTAX),
        step(["SET", "k", "v", "\x0ex"], SYNTAX),
        step("EXISTS k", int(0)),
      ]),
  ),
  commandCase("SET judges the options' grammar before the number", [
    step("SET k v EX abc NX XX", SYNTAX),
    step("SET k v EX 0 FOO", SYNTAX),
  ]),
  commandCase(
    "SET refuses an expiry that is no integer",
    [
      ...["abc", "1.5", "", "1 ", "+5", "9223372036854775808", "-9223372036854775809", "010"],
    ].flatMap((time) =>
      ["EX", "PX", "EXAT", "PXAT"].map((option) =>
        step(["SET", "k", "v", option, time], NOT_INTEGER),
      ),
    ),
  ),
  commandCase(
    "SET refuses an expiry of zero, below zero, or beyond 64 bits",
    [
      ...["EX 0", "PX 0", "EXAT 0", "PXAT 0", "EX -1", "PX -1", "EXAT -1", "PXAT -1"],
      ...["EX 9223372036854775807", "EX 9223372036854775", "EXAT 9223372036854776"],
      ...["PX 9223372036854775807", "PX 9223372036854770000", "EX -9223372036854775808"],
    ].flatMap((options) => [step(`SET k v ${options}`, BAD_EXPIRY), step("EXISTS k", int(0))]),
  ),
  commandCase("SET accepts the latest instants", [
    step("SET k v PXAT 9223372036854775807", ok),
    step("PEXPIRETIME k", int(9223372036854775807n)),
    step("SET k v EXAT 9223372036854775", ok),
    step("PEXPIRETIME k", int(9223372036854775000n)),
    step("GET k", bulk("v")),
  ]),
  commandCase("SET refuses a bad expiry before it answers GET or looks at the key", [
    step("SET k v", ok),
    step("SET k w GET EX 0", BAD_EXPIRY),
    step("SET k w NX EX -5", BAD_EXPIRY),
    step("GET k", bulk("v")),
  ]),
];
