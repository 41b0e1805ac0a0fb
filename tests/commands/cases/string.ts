/** MGET MSET INCR INCRBY DECR DECRBY INCRBYFLOAT APPEND STRLEN. https://redis.io/docs/latest/commands/?group=string */
import { array, atMost, bulk, commandCase, error, int, nil, ok, pass, step } from "./case.ts";

const NOT_INTEGER = error("ERR value is not an integer or out of range");
const OVERFLOW = error("ERR increment or decrement would overflow");
const NOT_FLOAT = error("ERR value is not a valid float");
const NOT_FINITE = error("ERR increment would produce NaN or Infinity");
const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";

export const stringCases = [
  commandCase("MGET answers each key's value or nil", [
    step("MSET a 1 b two", ok),
    step("MGET a none b a", array("1", null, "two", "1")),
    step("MGET none", array(null)),
  ]),
  commandCase("MGET of many keys answers all", [
    step(["MSET", ...Array.from({ length: 3000 }, (_, i) => [`k${i}`, `v${i}`]).flat()], ok),
    step(
      ["MGET", ...Array.from({ length: 3001 }, (_, i) => `k${i}`)],
      array(...Array.from({ length: 3000 }, (_, i) => `v${i}`), null),
    ),
    step("DBSIZE", int(3000)),
  ]),
  commandCase("MSET sets all, the last of a repeated key wins, and drops deadlines", [
    step("SET a v EX 100", ok),
    step("MSET a 1 b 2 a 3", ok),
    step("MGET a b", array("3", "2")),
    step("TTL a", int(-1)),
    step(["MSET", "", "", "n\0", "\0"], ok),
    step(["MGET", "", "n\0"], array("", "\0")),
  ]),
  commandCase("MSET refuses a key without a value, and sets nothing", [
    step("MSET a 1 b", error("ERR wrong number of arguments for 'mset' command")),
    step("mset a 1 b 2 c", error("ERR wrong number of arguments for 'mset' command")),
    step("DBSIZE", int(0)),
  ]),
  commandCase("INCR, INCRBY, DECR and DECRBY begin at zero", [
    step("INCR a", int(1)),
    step("INCRBY b 5", int(5)),
    step("DECR c", int(-1)),
    step("DECRBY d 5", int(-5)),
    step("INCRBY e -5", int(-5)),
    step("DECRBY f -5", int(5)),
    step("MGET a b c d e f", array("1", "5", "-1", "-5", "-5", "5")),
  ]),
  commandCase("INCR counts on what is there, and keeps the deadline", (now) => [
    step(`SET k 41 PXAT ${now + 100_001}`, ok),
    step("INCR k", int(42)),
    step("GET k", bulk("42")),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("INCRBY k 0", int(42)),
    step("DECRBY k 84", int(-42)),
  ]),
  commandCase("INCR counts on text that came together by APPEND", [
    step("APPEND k 1", int(1)),
    step("APPEND k 9", int(2)),
    step("INCR k", int(20)),
    step("APPEND k 0", int(3)),
    step("INCRBY k -200", int(0)),
  ]),
  commandCase("INCR begins anew after expiry", [
    step("SET k 7 PX 20", ok),
    pass(35),
    step("INCR k", int(1)),
    step("TTL k", int(-1)),
  ]),
  commandCase(
    "INCR refuses what is no integer",
    [...["", " 1", "1 ", "1.0", "abc", "-0", "007", "+1", "9223372036854775808", "1\0"]].flatMap(
      (value) => [
        step(["SET", "k", value], ok),
        step("INCR k", NOT_INTEGER),
        step("DECR k", NOT_INTEGER),
        step("INCRBY k 1", NOT_INTEGER),
        step("DECRBY k 1", NOT_INTEGER),
        step("GET k", bulk(value)),
      ],
    ),
  ),
  commandCase(
    "INCRBY and DECRBY refuse an amount that is no integer, before they look at the key",
    [
      step("SET k text", ok),
      ...["abc", "", "1.5", "9223372036854775808", "-9223372036854775809", "+1", "01"].flatMap(
        (amount) => [
          step(["INCRBY", "k", amount], NOT_INTEGER),
          step(["DECRBY", "k", amount], NOT_INTEGER),
        ],
      ),
    ],
  ),
  commandCase("counting stops at the ends of 64 bits", [
    step(`SET k ${MAX}`, ok),
    step("INCR k", OVERFLOW),
    step("INCRBY k 1", OVERFLOW),
    step("DECRBY k -1", OVERFLOW),
    step(`INCRBY k ${MAX}`, OVERFLOW),
    step("GET k", bulk(MAX)),
    step("DECR k", int(9223372036854775806n)),
    step(`INCRBY k ${MIN}`, int(-2)),
    step(`SET k ${MIN}`, ok),
    step("DECR k", OVERFLOW),
    step("DECRBY k 1", OVERFLOW),
    step("INCRBY k -1", OVERFLOW),
    step(`DECRBY k ${MAX}`, OVERFLOW),
    step("INCR k", int(-9223372036854775807n)),
    step(`INCRBY k ${MAX}`, int(0)),
    step(`INCRBY k ${MIN}`, int(MIN as unknown as bigint)),
    step(`INCRBY k ${MAX}`, int(-1)),
  ]),
  commandCase("DECRBY refuses the amount that has no opposite", [
    step(`DECRBY k ${MIN}`, error("ERR decrement would overflow")),
    step("EXISTS k", int(0)),
    step(`DECRBY k ${MAX}`, int(-9223372036854775807n)),
  ]),
  commandCase("INCRBYFLOAT adds, and writes no zeros at the end", [
    step("INCRBYFLOAT k 1.23", bulk("1.23")),
    step("INCRBYFLOAT k 1.77", bulk("3")),
    step("INCRBYFLOAT k -10.5", bulk("-7.5")),
    step("SET k 3.0e3", ok),
    step("INCRBYFLOAT k 200", bulk("3200")),
    step("INCRBYFLOAT k 1e-3", bulk("3200.00099999999999989")),
    step("SET k 0.1", ok),
    step("INCRBYFLOAT k 0.2", bulk("0.3")),
    step("INCRBYFLOAT k -0.3", bulk("0")),
    step("SET k -0", ok),
    step("INCRBYFLOAT k -0.0", bulk("0")),
    step("SET k 1e20", ok),
    step("INCRBYFLOAT k 1", bulk("100000000000000000000")),
    step("INCRBYFLOAT k 0x1.8p4", bulk("100000000000000000024")),
    step(["SET", "k", MAX], ok),
    step("INCRBYFLOAT k 0", bulk(MAX)),
  ]),
  commandCase("INCRBYFLOAT keeps the deadline, and the text as a text", (now) => [
    step(`SET k 5 PXAT ${now + 100_001}`, ok),
    step("OBJECT ENCODING k", bulk("int")),
    step("INCRBYFLOAT k 1", bulk("6")),
    step("OBJECT ENCODING k", bulk("embstr")),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("INCR k", int(7)),
    step("OBJECT ENCODING k", bulk("int")),
    step("APPEND k .5", int(3)),
    step(
      "INCRBYFLOAT k 1e60",
      bulk("999999999999999999999373423426722168652130621984886772203520"),
    ),
    step("OBJECT ENCODING k", bulk("raw")),
  ]),
  commandCase(
    "INCRBYFLOAT refuses what is no number, in the key first",
    ["", " 1", "1 ", "abc", "1.5.2", "1e", "nan", "1\0", "0x", "1e5000", "1e-5000"].flatMap(
      (text) => [
        step(["SET", "k", text], ok),
        step("INCRBYFLOAT k 1", NOT_FLOAT),
        step(["INCRBYFLOAT", "none", text], NOT_FLOAT),
        step("EXISTS none", int(0)),
      ],
    ),
  ),
  commandCase("INCRBYFLOAT refuses a sum that is infinite", [
    step("SET k 1", ok),
    step("INCRBYFLOAT k inf", NOT_FINITE),
    step("INCRBYFLOAT k -infinity", NOT_FINITE),
    step("GET k", bulk("1")),
    step("SET k 1e4932", ok),
    step("INCRBYFLOAT k 1e4932", NOT_FINITE),
    step("GET k", bulk("1e4932")),
  ]),
  commandCase("APPEND makes and lengthens strings", [
    step("APPEND k Hello", int(5)),
    step(["APPEND", "k", " World"], int(11)),
    step("GET k", bulk("Hello World")),
    step(["APPEND", "k", ""], int(11)),
    step(["APPEND", "fresh", ""], int(0)),
    step("EXISTS fresh", int(1)),
    step("GET fresh", bulk("")),
    step(["APPEND", "fresh", "\0\xff"], int(2)),
    step("GET fresh", bulk("\0\xff")),
  ]),
  commandCase("APPEND treats an integer as its digits", [
    step("SET k -17", ok),
    step("APPEND k 5", int(4)),
    step("GET k", bulk("-175")),
    step("STRLEN k", int(4)),
    step(["APPEND", "k", "x"], int(5)),
  ]),
  commandCase("APPEND keeps the deadline", (now) => [
    step(`SET k v PXAT ${now + 100_001}`, ok),
    step("APPEND k w", int(2)),
    step(["APPEND", "k", "x".repeat(5000)], int(5002)),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("GET k", bulk(`vw${"x".repeat(5000)}`)),
  ]),
  commandCase("APPEND grows a string through every encoding", [
    ...[1, 40, 10, 200, 800, 3000, 13000, 60000].flatMap((length, i, all) => {
      const total = all.slice(0, i + 1).reduce((sum, n) => sum + n, 0);
      return [step(["APPEND", "k", "abcd".repeat(length / 4 + 1).slice(0, length)], int(total))];
    }),
    step("STRLEN k", int(77051)),
    step("SET k short", ok),
    step("APPEND k er", int(7)),
    step("GET k", bulk("shorter")),
  ]),
  commandCase("STRLEN counts bytes", [
    step("STRLEN none", int(0)),
    step(["SET", "k", ""], ok),
    step("STRLEN k", int(0)),
    step(["SET", "k", "a\0b"], ok),
    step("STRLEN k", int(3)),
    step(`SET k ${MIN}`, ok),
    step("STRLEN k", int(20)),
    step("SET k 0", ok),
    step("STRLEN k", int(1)),
    step(["SET", "k", "x".repeat(44)], ok),
    step("STRLEN k", int(44)),
    step(["SET", "k", "x".repeat(100_000)], ok),
    step("STRLEN k", int(100_000)),
  ]),
  commandCase("a deadline does not change the length of anything", [
    step("SET k 12345 EX 100", ok),
    step("STRLEN k", int(5)),
    step("TTL k", atMost(100, 3)),
    step("GET none", nil),
  ]),
];
