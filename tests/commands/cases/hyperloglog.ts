/** PFADD PFCOUNT PFMERGE PFDEBUG PFSELFTEST. */
import { array, bulk, commandCase, error, int, ok, simple, step } from "./case.ts";

const WRONG_TYPE = error("WRONGTYPE Operation against a key holding the wrong kind of value");
const NOT_ONE = error("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPT = error("INVALIDOBJ Corrupted HLL object detected");

/** A HyperLogLog that has seen nothing: one run of all 16384 zeros. */
const EMPTY = `HYLL\x01${"\0".repeat(11)}\x7f\xff`;
/** The same with its estimate to be worked out anew. */
const EMPTY_STALE = `HYLL\x01${"\0".repeat(10)}\x80\x7f\xff`;
const DENSE_BYTES = 12304;

const elements = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `element:${from + i}`);

export const hyperLogLogCases = [
  commandCase("PFADD makes a sparse string, and tells whether a register rose", [
    step("PFADD h", int(1)),
    step("GET h", bulk(EMPTY_STALE)),
    step("PFADD h", int(0)),
    step("PFADD h a", int(1)),
    step("PFADD h a", int(0)),
    step("PFADD h a b c", int(1)),
    step("PFCOUNT h", int(3)),
    step("TYPE h", simple("string")),
    step("OBJECT ENCODING h", bulk("raw")),
    step("PFDEBUG ENCODING h", simple("sparse")),
  ]),
  commandCase("the bytes of a sparse one are Redis's: runs are parted and joined", [
    step("PFADD h a b c d e f g h i j", int(1)),
    step(
      "PFDEBUG DECODE h",
      bulk(
        "Z:1646 v:1,1 Z:2537 v:1,1 Z:3107 v:1,1 Z:1085 v:2,1 z:57 v:1,1 Z:574 v:1,1 Z:2948 v:1,1 Z:750 v:2,1 Z:2445 v:1,1 Z:622 v:1,1 Z:603",
      ),
    ),
    step("PFDEBUG decode none", error("ERR The specified key does not exist")),
    step("PFDEBUG FOO h", error("ERR Unknown PFDEBUG subcommand 'FOO'")),
  ]),
  commandCase("PFCOUNT keeps its estimate until a register rises", [
    step("PFCOUNT none", int(0)),
    step("PFADD h a b c", int(1)),
    step("GETRANGE h 8 15", bulk("\0\0\0\0\0\0\0\x80")),
    step("PFCOUNT h", int(3)),
    step("GETRANGE h 8 15", bulk("\x03\0\0\0\0\0\0\0")),
    step("PFADD h a", int(0)),
    step("GETRANGE h 8 15", bulk("\x03\0\0\0\0\0\0\0")),
    step("SETRANGE h 8 *", int(27)),
    step("PFCOUNT h", int(42)),
    step("PFADD h d", int(1)),
    step("PFCOUNT h", int(4)),
  ]),
  commandCase("PFCOUNT of several keys is that of their union, and changes none", [
    step(["PFADD", "a", ...elements(0, 100)], int(1)),
    step(["PFADD", "b", ...elements(50, 100)], int(1)),
    step("PFCOUNT a b none", int(150)),
    step("GETRANGE a 15 15", bulk("\x80")),
    step("PFCOUNT a", int(99)),
    step("PFCOUNT none nothing", int(0)),
  ]),
  commandCase("a sparse one becomes dense where its runs grow too many, and keeps its deadline", [
    step(["PFADD", "h", ...elements(0, 1000)], int(1)),
    step("PFDEBUG ENCODING h", simple("sparse")),
    step("EXPIRE h 1000", int(1)),
    step(["PFADD", "h", ...elements(1000, 3000)], int(1)),
    step("PFDEBUG ENCODING h", simple("dense")),
    step("STRLEN h", int(DENSE_BYTES)),
    step("TTL h", int(1000)),
    step("PFCOUNT h", int(4002)),
    step("PFDEBUG DECODE h", error("ERR HLL encoding is not sparse")),
    step("PFDEBUG TODENSE h", int(0)),
    step(["PFADD", "h", ...elements(0, 4000)], int(0)),
  ]),
  commandCase("PFDEBUG TODENSE keeps what was seen, and the estimate", [
    step("PFADD h a b c", int(1)),
    step("PFCOUNT h", int(3)),
    step("PFDEBUG TODENSE h", int(1)),
    step("STRLEN h", int(DENSE_BYTES)),
    step("GETRANGE h 0 15", bulk("HYLL\0\0\0\0\x03\0\0\0\0\0\0\0")),
    step("PFADD h b", int(0)),
    step("PFCOUNT h", int(3)),
  ]),
  commandCase("PFMERGE takes the greater of each register, the destination's own too", [
    step("PFMERGE d", ok),
    step("PFADD d x", int(1)),
    step("PFADD a a b c", int(1)),
    step("PFADD b b c d", int(1)),
    step("PFMERGE d a none b", ok),
    step("PFCOUNT d", int(5)),
    step("PFDEBUG ENCODING d", simple("sparse")),
    step("PFDEBUG TODENSE b", int(1)),
    step("EXPIRE d 100", int(1)),
    step("PFMERGE d b", ok),
    step("PFDEBUG ENCODING d", simple("dense")),
    step("PFCOUNT d", int(5)),
    step("TTL d", int(100)),
  ]),
  commandCase("what is no HyperLogLog is refused, and nothing is changed", [
    step("SADD s a", int(1)),
    step("SET t text-of-some-length", ok),
    step("SET n 1", ok),
    step(["SET", "d", `HYLL\0${"\0".repeat(20)}`], ok),
    step(["SET", "e", `HYLL\x02${"\0".repeat(20)}`], ok),
    step("PFADD h a", int(1)),
    step("PFADD s a", WRONG_TYPE),
    step("PFCOUNT s", WRONG_TYPE),
    step("PFCOUNT h s", WRONG_TYPE),
    step("PFMERGE h s", WRONG_TYPE),
    step("PFMERGE s h", WRONG_TYPE),
    step("PFDEBUG ENCODING s", WRONG_TYPE),
    ...["t", "n", "d", "e"].flatMap((key) => [
      step(`PFADD ${key} a`, NOT_ONE),
      step(`PFCOUNT ${key}`, NOT_ONE),
      step(`PFCOUNT h ${key}`, NOT_ONE),
      step(`PFMERGE h ${key}`, NOT_ONE),
      step(`PFDEBUG GETREG ${key}`, NOT_ONE),
    ]),
    step("MGET t n", array("text-of-some-length", "1")),
    step("PFCOUNT h", int(1)),
  ]),
  commandCase("runs that are not 16384 registers are found corrupt", [
    step(["SET", "short", EMPTY_STALE.replace("\x7f\xff", "\x7f\xfe")], ok),
    step(["SET", "long", `${EMPTY_STALE}\x80`], ok),
    ...["short", "long"].flatMap((key) => [
      step(`PFCOUNT ${key}`, CORRUPT),
      step(`PFCOUNT ${key} none`, CORRUPT),
      step(`PFMERGE d ${key}`, CORRUPT),
      step(`PFDEBUG TODENSE ${key}`, CORRUPT),
      step("EXISTS d", int(0)),
    ]),
    step(["SET", "none", EMPTY_STALE.slice(0, 16)], ok),
    step("PFADD none a", CORRUPT),
    step(["SET", "whole", EMPTY], ok),
    step("PFCOUNT whole", int(0)),
  ]),
  commandCase("PFSELFTEST tests the code", [step("PFSELFTEST", ok)]),
];
