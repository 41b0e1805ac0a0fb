/** SETBIT GETBIT BITCOUNT BITPOS BITOP. */
import { bulk, commandCase, error, int, ok, pass, step } from "./case.ts";

const SYNTAX = error("ERR syntax error");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const BAD_OFFSET = error("ERR bit offset is not an integer or out of range");
const BAD_BIT = error("ERR bit is not an integer or out of range");
const MAX = "9223372036854775807";
const MIN = "-9223372036854775808";

/** Bytes without a rule. */
function noise(length: number, seed: number): string {
  let text = "";
  for (let i = 0, x = seed; i < length; i++) {
    x = (x * 1103515245 + 12345) & 0x7fffffff;
    text += String.fromCharCode((x >> 16) & 255);
  }
  return text;
}

const bitsOf = (text: string) =>
  [...text].map((letter) => letter.charCodeAt(0).toString(2).padStart(8, "0")).join("");

/** Places of a range, both included, of `units`; undefined if nothing is in it. */
function rangeOf(start: number, end: number, units: number): [number, number] | undefined {
  const from = Math.max(0, start < 0 ? start + units : start);
  const to = Math.min(units - 1, Math.max(0, end < 0 ? end + units : end));
  return from > to ? undefined : [from, to];
}

/** The bits of a range of the text, and where they begin. */
function slice(text: string, start: number, end: number, inBits: boolean) {
  const range = rangeOf(start, end, text.length * (inBits ? 8 : 1));
  if (range === undefined) return undefined;
  const [from, to] = inBits ? range : [range[0] * 8, range[1] * 8 + 7];
  return { from, bits: bitsOf(text).slice(from, to + 1) };
}

const PLACES = [-400, -301, -17, -8, -2, -1, 0, 1, 2, 7, 8, 9, 23, 150, 299, 400];

function counted(text: string, start: number, end: number, inBits: boolean): number {
  if (start < 0 && end < 0 && start > end) return 0;
  return (slice(text, start, end, inBits)?.bits.match(/1/g) ?? []).length;
}

function found(text: string, bit: string, start: number, end: number, inBits: boolean): number {
  const range = slice(text, start, end, inBits);
  const at = range?.bits.indexOf(bit) ?? -1;
  return at < 0 || range === undefined ? -1 : range.from + at;
}

function combined(name: string, texts: string[]): string {
  const length = Math.max(...texts.map((text) => text.length));
  let result = "";
  for (let i = 0; i < length; i++) {
    const bytes = texts.map((text) => (i < text.length ? text.charCodeAt(i) : 0));
    const byte = bytes.reduce((a, b) => (name === "AND" ? a & b : name === "OR" ? a | b : a ^ b));
    result += String.fromCharCode(name === "NOT" ? ~byte & 255 : byte);
  }
  return result;
}

export const bitmapCases = [
  commandCase("SETBIT sets a bit, answers the one before, and lengthens the string", [
    step("SETBIT k 7 1", int(0)),
    step("GET k", bulk("\x01")),
    step("SETBIT k 7 1", int(1)),
    step("SETBIT k 0 1", int(0)),
    step("GET k", bulk("\x81")),
    step("SETBIT k 7 0", int(1)),
    step("SETBIT k 30 1", int(0)),
    step("GET k", bulk("\x80\0\0\x02")),
    step("SETBIT k 40 0", int(0)),
    step("STRLEN k", int(6)),
    step("SETBIT fresh 0 0", int(0)),
    step("GET fresh", bulk("\0")),
  ]),
  commandCase("SETBIT works on every encoding and makes it raw", (now) => [
    step(`SET k 1 PXAT ${now + 100_001}`, ok),
    step("SETBIT k 6 1", int(0)),
    step("GET k", bulk("3")),
    step("OBJECT ENCODING k", bulk("raw")),
    step("PEXPIRETIME k", int(now + 100_001)),
    step("INCR k", int(4)),
    step("SETBIT k 0 0", int(0)),
    step("OBJECT ENCODING k", bulk("raw")),
    step("SET k abc", ok),
    step("SETBIT k 1 1", int(1)),
    step("OBJECT ENCODING k", bulk("raw")),
    ...[8000, 8192, 131_071, 160_000, 600_000].flatMap((bit) => [
      step(`SETBIT k ${bit} 1`, int(0)),
      step(`GETBIT k ${bit}`, int(1)),
      step(`STRLEN k`, int((bit >> 3) + 1)),
    ]),
    step("BITCOUNT k", int(10 + 5)),
    step("GETRANGE k 0 2", bulk("abc")),
    step("SETBIT far 4000000 1", int(0)),
    step("BITPOS far 1", int(4_000_000)),
  ]),
  commandCase("GETBIT answers zeros beyond the end", [
    step("GETBIT none 5", int(0)),
    step("SET k a", ok),
    ...[0, 1, 1, 0, 0, 0, 0, 1, 0, 0].map((bit, i) => step(`GETBIT k ${i}`, int(bit))),
    step("GETBIT k 4294967295", int(0)),
    step("SET k 17", ok),
    step("GETBIT k 15", int(1)),
    step("GETBIT k 16", int(0)),
  ]),
  commandCase("SETBIT and GETBIT refuse offsets and bits that are none", [
    ...["-1", "x", "", "1.5", "4294967296", "#0", MAX, MIN].flatMap((offset) => [
      step(["SETBIT", "k", offset, "1"], BAD_OFFSET),
      step(["GETBIT", "k", offset], BAD_OFFSET),
    ]),
    ...["2", "-1", "x", "", "1.0", "01", MIN].map((bit) =>
      step(["SETBIT", "k", "0", bit], BAD_BIT),
    ),
    step("SETBIT k x 2", BAD_OFFSET),
    step("EXISTS k", int(0)),
  ]),
  commandCase(
    "BITCOUNT counts whole strings and ranges",
    [noise(300, 7), noise(37, 3), "\xff".repeat(600), "\0", ""].flatMap((value) => [
      step(["SET", "k", value], ok),
      step("BITCOUNT k", int((bitsOf(value).match(/1/g) ?? []).length)),
      ...PLACES.flatMap((start) =>
        PLACES.flatMap((end) => [
          step(`BITCOUNT k ${start} ${end}`, int(counted(value, start, end, false))),
          step(`BITCOUNT k ${start} ${end} BIT`, int(counted(value, start, end, true))),
        ]),
      ),
      step(`BITCOUNT k ${MIN} ${MAX} byte`, int(counted(value, 0, -1, false))),
      step(`BITCOUNT k ${MIN} ${MAX} bit`, int(counted(value, 0, -1, false))),
    ]),
  ),
  commandCase("BITCOUNT looks at the key first, at its words in order, and then at nothing", [
    step("BITCOUNT none", int(0)),
    step("BITCOUNT none 0", int(0)),
    step("BITCOUNT none x y z", int(0)),
    step("SET k 12345", ok),
    step("BITCOUNT k", int(17)),
    step("BITCOUNT k 0", SYNTAX),
    step("BITCOUNT k 0 1 BIT 2", SYNTAX),
    step("BITCOUNT k 0 1 FOO", SYNTAX),
    step("BITCOUNT k x 1 FOO", NOT_INTEGER),
    step("BITCOUNT k 0 x", NOT_INTEGER),
    step("BITCOUNT k -1 -2 FOO", int(0)),
  ]),
  commandCase(
    "BITPOS finds the first bit of a string or range",
    [noise(300, 11), `${"\xff".repeat(40)}\xfe`, `${"\0".repeat(200)}\x01`, "\xff\xff"].flatMap(
      (value) => [
        step(["SET", "k", value], ok),
        ...["0", "1"].flatMap((bit) => {
          // Zeros go on behind the end, if no end is given.
          const open = bit === "0" ? `${value}\0` : value;
          return [
            step(`BITPOS k ${bit}`, int(found(open, bit, 0, -1, false))),
            ...PLACES.flatMap((start) => [
              step(
                `BITPOS k ${bit} ${start}`,
                int(
                  rangeOf(start, -1, value.length) === undefined
                    ? -1
                    : found(open, bit, rangeOf(start, -1, value.length)![0], -1, false),
                ),
              ),
              ...PLACES.flatMap((end) => [
                step(`BITPOS k ${bit} ${start} ${end}`, int(found(value, bit, start, end, false))),
                step(
                  `BITPOS k ${bit} ${start} ${end} BIT`,
                  int(found(value, bit, start, end, true)),
                ),
              ]),
            ]),
          ];
        }),
      ],
    ),
  ),
  commandCase("BITPOS of empty and missing strings", [
    step("BITPOS none 0", int(0)),
    step("BITPOS none 1", int(-1)),
    step("BITPOS none 1 x", int(-1)),
    step(["SET", "k", ""], ok),
    step("BITPOS k 0", int(-1)),
    step("BITPOS k 1", int(-1)),
    step("BITPOS k 0 0 -1", int(-1)),
    step("SET n 12", ok),
    step("BITPOS n 1", int(2)),
  ]),
  commandCase("BITPOS refuses words in Redis's order", [
    step("BITPOS none 2", error("ERR The bit argument must be 1 or 0.")),
    step("BITPOS none -1", error("ERR The bit argument must be 1 or 0.")),
    step("BITPOS none x", NOT_INTEGER),
    step("SET k v", ok),
    step("BITPOS k 1 x", NOT_INTEGER),
    step("BITPOS k 1 0 x", NOT_INTEGER),
    step("BITPOS k 1 0 x FOO", SYNTAX),
    step("BITPOS k 1 x 0 FOO", NOT_INTEGER),
    step("BITPOS k 1 0 1 BIT 1", SYNTAX),
    step("BITPOS k 1 0 BIT", NOT_INTEGER),
  ]),
  commandCase("BITOP combines strings of different lengths", [
    step(["SET", "long", noise(70_000, 5)], ok),
    step(["SET", "middle", noise(33_000, 6)], ok),
    step(["SET", "short", noise(37, 9)], ok),
    step("SET n 12345", ok),
    step("SET m -7", ok),
    ...["AND", "OR", "XOR"].flatMap((name) => [
      step(`BITOP ${name} to short short`, int(37)),
      step("GET to", bulk(combined(name, [noise(37, 9), noise(37, 9)]))),
      step(`BITOP ${name} to short n m`, int(37)),
      step("GET to", bulk(combined(name, [noise(37, 9), "12345", "-7"]))),
      step(`BITOP ${name} to n m none`, int(5)),
      step("GET to", bulk(combined(name, ["12345", "-7", ""]))),
      step(`BITOP ${name.toLowerCase()} to middle long short`, int(70_000)),
      step("GET to", bulk(combined(name, [noise(33_000, 6), noise(70_000, 5), noise(37, 9)]))),
      step(`BITOP ${name} to long`, int(70_000)),
      step("GET to", bulk(noise(70_000, 5))),
    ]),
    step("BITOP NOT to middle", int(33_000)),
    step("GET to", bulk(combined("NOT", [noise(33_000, 6)]))),
    step("BITOP not to n", int(5)),
    step("GET to", bulk(combined("NOT", ["12345"]))),
  ]),
  commandCase("BITOP does not look where a missing source would lie", [
    // What is left of the value is what the list of sources is made in.
    step(["SET", "garbage", "\xff".repeat(300_000)], ok),
    step("SET b x", ok),
    step("DEL garbage", int(1)),
    ...[2, 4, 8, 16, 32, 64].map((count) =>
      step(["BITOP", "OR", "to", "none", ...Array(count - 1).fill("b")], int(1)),
    ),
    step("GET to", bulk("x")),
  ]),
  commandCase("BITOP may write to one of its sources, drops the deadline, and makes raw strings", [
    step("SET a abc EX 100", ok),
    step("SET b 12", ok),
    step("BITOP OR a a b", int(3)),
    step("GET a", bulk(combined("OR", ["abc", "12"]))),
    step("TTL a", int(-1)),
    step("OBJECT ENCODING a", bulk("raw")),
    step("BITOP AND b b", int(2)),
    step("GET b", bulk("12")),
    step("OBJECT ENCODING b", bulk("raw")),
    step("INCR b", int(13)),
  ]),
  commandCase("BITOP of nothing deletes its destination", [
    step("BITOP AND to none other", int(0)),
    step("EXISTS to", int(0)),
    step("SET to v", ok),
    step(["SET", "empty", ""], ok),
    step("BITOP NOT to empty", int(0)),
    step("EXISTS to", int(0)),
    step("SET to v PX 20", ok),
    pass(35),
    step("BITOP XOR to none", int(0)),
  ]),
  commandCase("BITOP refuses what it does not know", [
    step("SET a v", ok),
    step("BITOP FOO to a", SYNTAX),
    step("BITOP NOT to a a", error("ERR BITOP NOT must be called with a single source key.")),
    step("BITOP NAND to a a", SYNTAX),
    step("EXISTS to", int(0)),
  ]),
];
