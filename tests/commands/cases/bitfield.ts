/** BITFIELD BITFIELD_RO. */
import {
  bulk,
  commandCase,
  type Expected,
  error,
  int,
  ok,
  type Protocol,
  raw,
  step,
  texts,
} from "./case.ts";

const SYNTAX = error("ERR syntax error");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const BAD_OFFSET = error("ERR bit offset is not an integer or out of range");
const BAD_TYPE = error(
  "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);
const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";

/** An array of integers, and nils where an operation failed. */
const values = (...items: (number | bigint | string | null)[]): Expected =>
  raw(
    (protocol: Protocol) =>
      `*${items.length}\r\n${items.map((item) => (item === null ? texts.nil(protocol) : `:${item}\r\n`)).join("")}`,
  );

export const bitfieldCases = [
  commandCase("BITFIELD sets, counts and reads integers of any width", [
    step(
      "BITFIELD k SET u8 0 255 SET i5 8 -3 GET u8 0 GET i5 8 GET u13 0",
      values(0, 0, 255, -3, 8189),
    ),
    step("GET k", bulk("\xff\xe8")),
    step("BITFIELD k INCRBY u2 100 1 GET u4 0", values(1, 15)),
    step("STRLEN k", int(13)),
    step("BITFIELD k set u1 0 0 get u1 0 Get i1 1 incrby i1 1 1", values(1, 0, -1, 0)),
    step("BITFIELD k", values()),
    step("BITFIELD none GET i64 0 GET u63 1000", values(0, 0)),
    step("EXISTS none", int(0)),
  ]),
  commandCase("BITFIELD reads and writes across bytes, up to 64 bits", [
    ...[0, 1, 3, 7, 8, 13, 100].flatMap((offset) => [
      step(`BITFIELD k SET i64 ${offset} ${MIN} GET i64 ${offset}`, values(0, MIN)),
      step(`BITFIELD k SET i64 ${offset} ${MAX} GET i64 ${offset}`, values(MIN, MAX)),
      step(
        `BITFIELD k SET i64 ${offset} -2 GET u63 ${offset} GET u63 ${offset + 1}`,
        values(MAX, MAX, "9223372036854775806"),
      ),
      step(`BITFIELD k SET u63 ${offset} ${MAX}`, values(MAX)),
      step(
        `BITFIELD k GET i64 ${offset} GET i33 ${offset} GET u17 ${offset + 40}`,
        values(-2, -1, 131_071),
      ),
      step("DEL k", int(1)),
    ]),
    step("SET k abc", ok),
    step(
      "BITFIELD k GET u24 0 GET u32 0 GET u63 20 GET i9 15",
      values(6_382_179, 1_633_837_824, 1_729_382_256_910_270_464n, 99),
    ),
  ]),
  commandCase("BITFIELD counts offsets in fields with a #", [
    step("BITFIELD k SET u8 #0 65 SET u8 #1 66 SET u16 #1 17220 GET u8 #3", values(0, 0, 0, 68)),
    step("GET k", bulk("ABCD")),
    step("BITFIELD k GET i3 #5 GET u8 #100", values(1, 0)),
    step("BITFIELD k GET u8 #536870911", values(0)),
    step("BITFIELD k GET u8 #536870912", BAD_OFFSET),
    step("BITFIELD k GET u8 #-1", BAD_OFFSET),
    step("BITFIELD k GET u8 ##1", BAD_OFFSET),
    // The product wraps round at 64 bits.
    step("BITFIELD k GET u8 #2305843009213693952", values(65)),
  ]),
  commandCase("BITFIELD wraps, saturates or fails", [
    step("BITFIELD k SET u8 0 250", values(0)),
    step("BITFIELD k INCRBY u8 0 10", values(4)),
    step("BITFIELD k INCRBY u8 0 -10", values(250)),
    step("BITFIELD k OVERFLOW SAT INCRBY u8 0 10 INCRBY u8 0 -300", values(255, 0)),
    step(
      "BITFIELD k OVERFLOW FAIL INCRBY u8 0 -1 INCRBY u8 0 256 INCRBY u8 0 255",
      values(null, null, 255),
    ),
    step("BITFIELD k SET i8 8 100", values(0)),
    step(
      "BITFIELD k INCRBY i8 8 100 OVERFLOW SAT INCRBY i8 8 -100 INCRBY i8 8 1000",
      values(-56, -128, 127),
    ),
    step("BITFIELD k OVERFLOW fail INCRBY i8 8 1 overflow wrap INCRBY i8 8 1", values(null, -128)),
  ]),
  commandCase("BITFIELD SET of a value that does not fit", [
    step("BITFIELD k SET u8 0 256 GET u8 0", values(0, 0)),
    step("BITFIELD k SET u8 0 257 SET u8 0 -1 GET u8 0", values(0, 1, 255)),
    step("BITFIELD k OVERFLOW SAT SET u8 0 1000 SET u8 0 -1 GET u8 0", values(255, 255, 255)),
    step("BITFIELD k OVERFLOW FAIL SET u8 0 256 SET u8 0 -1 SET u8 0 7", values(null, null, 255)),
    step("BITFIELD k SET i4 8 8 GET i4 8 SET i4 8 -9 GET i4 8", values(0, -8, -8, 7)),
    step("BITFIELD k OVERFLOW SAT SET i4 8 100 SET i4 8 -100 GET i4 8", values(7, 7, -8)),
    step("BITFIELD k OVERFLOW FAIL SET i4 8 8 SET i4 8 -9 SET i4 8 7", values(null, null, -8)),
    step(`BITFIELD k SET u63 100 -1 GET u63 100`, values(0, MAX)),
  ]),
  commandCase(
    "BITFIELD SET of the lowest values saturates at the upper end, as their distance wraps",
    [
      step(`BITFIELD k OVERFLOW SAT SET i63 0 ${MIN} GET i63 0`, values(0, "4611686018427387903")),
      step(`BITFIELD k OVERFLOW SAT SET i8 0 ${MIN} GET i8 0`, values(127, 127)),
      step("BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775681 GET i8 0", values(127, 127)),
      step("BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775680 GET i8 0", values(127, -128)),
      step(`BITFIELD k SET i8 0 ${MIN} GET i8 0`, values(-128, 0)),
    ],
  ),
  commandCase("BITFIELD at the ends of 64 bits", [
    step(`BITFIELD k SET i64 0 ${MAX} INCRBY i64 0 1`, values(0, MIN)),
    step("BITFIELD k INCRBY i64 0 -1", values(MAX)),
    step(
      `BITFIELD k OVERFLOW SAT INCRBY i64 0 ${MAX} INCRBY i64 0 ${MIN} INCRBY i64 0 ${MIN} INCRBY i64 0 -1`,
      values(MAX, -1, MIN, MIN),
    ),
    step(
      `BITFIELD k OVERFLOW FAIL INCRBY i64 0 -1 INCRBY i64 0 ${MAX} INCRBY i64 0 ${MAX} INCRBY i64 0 2`,
      values(null, -1, "9223372036854775806", null),
    ),
    step(`BITFIELD k SET u63 0 ${MAX} INCRBY u63 0 1`, values("4611686018427387903", 0)),
    step(
      `BITFIELD k OVERFLOW SAT INCRBY u63 0 ${MAX} INCRBY u63 0 ${MAX} INCRBY u63 0 ${MIN}`,
      values(MAX, MAX, 0),
    ),
    step(
      `BITFIELD k SET i63 0 ${MAX} OVERFLOW SAT SET i63 0 ${MIN} INCRBY i63 0 ${MAX}`,
      values(0, -1, "4611686018427387903"),
    ),
  ]),
  commandCase("BITFIELD works on every encoding and makes it raw", (now) => [
    step(`SET k 1 PXAT ${now + 100_001}`, ok),
    step("BITFIELD k GET u8 0", values(49)),
    step("OBJECT ENCODING k", bulk("int")),
    step("BITFIELD k SET u8 #0 50 SET u8 #1 51", values(49, 0)),
    step("GET k", bulk("23")),
    step("OBJECT ENCODING k", bulk("raw")),
    step("BITFIELD k INCRBY u16 400000 300", values(300)),
    step("STRLEN k", int(50_002)),
    step("PEXPIRETIME k", int(now + 100_001)),
  ]),
  commandCase("BITFIELD refuses its words in order, and does nothing then", [
    ...["GET u8", "SET u8 0", "INCRBY u8 0", "OVERFLOW", "FOO", "GET u8 0 FOO"].map((words) =>
      step(`BITFIELD k ${words}`, SYNTAX),
    ),
    ...["u64", "i65", "u0", "i0", "8", "s8", "U8", "u", "i", "u-1", "u08", "ux", "u8x"].map(
      (type) => step(`BITFIELD k SET u8 0 1 GET ${type} 0`, BAD_TYPE),
    ),
    step(["BITFIELD", "k", "GET", "", "0"], BAD_TYPE),
    ...["-1", "x", "", "4294967296", "1.5", "#", "#x", MAX].map((offset) =>
      step(["BITFIELD", "k", "GET", "u8", offset], BAD_OFFSET),
    ),
    step("BITFIELD k GET u99 x", BAD_TYPE),
    step("BITFIELD k SET u8 x y", BAD_OFFSET),
    step("BITFIELD k SET u8 0 y", NOT_INTEGER),
    step("BITFIELD k INCRBY u8 0 1.5", NOT_INTEGER),
    step("BITFIELD k OVERFLOW FOO", error("ERR Invalid OVERFLOW type specified")),
    step(
      "BITFIELD k SET u8 0 1 OVERFLOW FOO GET u8 0",
      error("ERR Invalid OVERFLOW type specified"),
    ),
    step("EXISTS k", int(0)),
  ]),
  commandCase("BITFIELD_RO reads", [
    step("BITFIELD_RO none GET u8 0", values(0)),
    step("SET k abc", ok),
    step("BITFIELD_RO k GET u8 0 GET i8 #1 OVERFLOW SAT GET u8 100", values(97, 98, 0)),
    step("BITFIELD_RO k", values()),
    step("BITFIELD_RO k SET u8 0 1", error("ERR BITFIELD_RO only supports the GET subcommand")),
    step(
      "BITFIELD_RO k GET u8 0 INCRBY u8 0 1",
      error("ERR BITFIELD_RO only supports the GET subcommand"),
    ),
    step("BITFIELD_RO k SET u8 0 x", NOT_INTEGER),
    step("GET k", bulk("abc")),
  ]),
];
