/** DEBUG of keys, and MEMORY USAGE. */
import {
  array,
  bulk,
  commandCase,
  type Expected,
  error,
  int,
  nil,
  ok,
  simple,
  step,
} from "./case.ts";

const SYNTAX = error("ERR syntax error");
const NOT_INTEGER = error("ERR value is not an integer or out of range");
const NOT_POSITIVE = error("ERR value is out of range, must be positive");
const NO_KEY = error("ERR no such key");
const ZEROS = "0".repeat(40);

function matching(pattern: RegExp): Expected {
  return (raw) => (pattern.test(raw) ? undefined : `expected ${pattern}, got ${raw}`);
}

const wrongWords = (name: string) =>
  error(`ERR unknown subcommand or wrong number of arguments for '${name}'. Try DEBUG HELP.`);

export const debugCases = [
  commandCase("DEBUG DIGEST is zeros for nothing and 40 digits for anything", [
    step("DEBUG DIGEST", simple(ZEROS)),
    step("SET k v", ok),
    step("DEBUG DIGEST", matching(/^\+(?!0{40})[0-9a-f]{40}\r\n$/)),
    step("DEBUG DIGEST-VALUE none k", matching(/^\*2\r\n\+0{40}\r\n\+(?!0{40})[0-9a-f]{40}\r\n$/)),
    step("DEBUG DIGEST-VALUE", array()),
    step("DEL k", int(1)),
    step("DEBUG DIGEST", simple(ZEROS)),
  ]),
  commandCase("DEBUG OBJECT shows how a value is kept", [
    step("DEBUG OBJECT none", NO_KEY),
    step("SET k short", ok),
    step(
      "DEBUG OBJECT k",
      matching(
        /^\+Value at:0x[0-9a-f]+ refcount:1 encoding:embstr serializedlength:6 lru:\d+ lru_seconds_idle:[01]\r\n$/,
      ),
    ),
    ...(
      [
        ["-1", "int", 2],
        ["12345", "int", 3],
        ["1234567", "int", 5],
        ["12345678901", "int", 12],
      ] as const
    ).flatMap(([value, encoding, bytes]) => [
      step(`SET k ${value}`, ok),
      step("DEBUG OBJECT k", matching(RegExp(` encoding:${encoding} serializedlength:${bytes} `))),
    ]),
  ]),
  commandCase("DEBUG POPULATE makes keys, and leaves what is there", [
    step("SET key:1 own", ok),
    step("DEBUG POPULATE 3", ok),
    step("MGET key:0 key:1 key:2 key:3", array("value:0", "own", "value:2", null)),
    step("DEBUG POPULATE 12 p 8", ok),
    step("MGET p:0 p:9 p:10 p:11", array("value:0\0", "value:9\0", "value:10", "value:11")),
    step("DEBUG POPULATE 12 q 3", ok),
    step("MGET q:0 q:11", array("val", "val")),
    step("DEBUG POPULATE 2 long 30000", ok),
    step("GET long:1", bulk("value:1".padEnd(30_000, "\0"))),
    step("DEBUG POPULATE 2 zero 0", ok),
    step("GET zero:1", bulk("value:1")),
    step("DEBUG POPULATE 0", ok),
    step("DBSIZE", int(31)),
    step("OBJECT ENCODING key:0", bulk("embstr")),
    step("TTL key:0", int(-1)),
    step("DEBUG POPULATE x", NOT_POSITIVE),
    step("DEBUG POPULATE -1", NOT_POSITIVE),
    step("DEBUG POPULATE 1 p -1", NOT_POSITIVE),
    step("DEBUG POPULATE 1 p x", NOT_POSITIVE),
  ]),
  commandCase("MEMORY USAGE judges its options before it looks", [
    step("MEMORY USAGE none", nil),
    step("MEMORY USAGE none SAMPLES 5", nil),
    step("SET k v", ok),
    step("MEMORY USAGE k", matching(/^:\d\d\r\n$/)),
    step("memory usage k samples 0", matching(/^:\d\d\r\n$/)),
    step("MEMORY USAGE k SAMPLES 1 SAMPLES 2", matching(/^:\d\d\r\n$/)),
    step("MEMORY USAGE none FOO", SYNTAX),
    step("MEMORY USAGE none SAMPLES", SYNTAX),
    step("MEMORY USAGE none SAMPLES 1 SAMPLES", SYNTAX),
    step("MEMORY USAGE none SAMPLES x", NOT_INTEGER),
    step("MEMORY USAGE none SAMPLES -1", SYNTAX),
  ]),
];

export const debugServerCases = [
  commandCase("DEBUG shows tables", [
    step("SET k v", ok),
    step("DEBUG HTSTATS 0", matching(/Hash|number of elements: 1\n/)),
    step("DEBUG HTSTATS 7", matching(/No stats available for empty dictionaries\n/)),
    step("DEBUG HTSTATS x", NOT_INTEGER),
    step("DEBUG HTSTATS 16", error("ERR Out of range database")),
    step("DEBUG HTSTATS -1", error("ERR Out of range database")),
    step("DEBUG HTSTATS", wrongWords("HTSTATS")),
    step("DEBUG HTSTATS-KEY none", NO_KEY),
    step(
      "DEBUG HTSTATS-KEY k",
      error("ERR The value stored at the specified key is not represented using an hash table"),
    ),
    step("DEBUG HTSTATS-KEY", wrongWords("HTSTATS-KEY")),
  ]),
  commandCase("DEBUG judges the number of words", [
    step("DEBUG OBJECT", wrongWords("OBJECT")),
    step("DEBUG POPULATE", wrongWords("POPULATE")),
    step("DEBUG POPULATE 1 2 3 4", wrongWords("POPULATE")),
    step("DEBUG SET-ACTIVE-EXPIRE", wrongWords("SET-ACTIVE-EXPIRE")),
    step("DEBUG SET-ACTIVE-EXPIRE 0", ok),
    step("DEBUG SET-ACTIVE-EXPIRE 1", ok),
  ]),
];
