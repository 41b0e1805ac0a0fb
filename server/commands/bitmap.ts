/** Bitmap commands of the core. */
import { Cmd } from "../../core-wasm/abi.ts";
import {
  arg,
  type CommandSpec,
  dataCommand,
  type FoundKey,
  firstKey,
  keyAt,
  keyRange,
} from "./spec.ts";

/** Words of BITFIELD's operations that only read, their names included. */
const READING_WORDS: Record<string, number> = { get: 3, overflow: 2 };

/** The key is only read if every operation is a GET. */
function bitfieldKeys(argv: readonly string[]): FoundKey[] {
  let at = 2;
  while (at < argv.length) at += READING_WORDS[argv[at]!.toLowerCase()] ?? Number.POSITIVE_INFINITY;
  const reads = at === argv.length;
  return [{ index: 1, flags: reads ? ["RO", "access"] : ["RW", "access", "update"] }];
}

export const BITMAP_COMMANDS: readonly CommandSpec[] = [
  dataCommand(Cmd.BitCount, {
    name: "bitcount",
    group: "bitmap",
    since: "2.6.0",
    arity: -2,
    flags: ["readonly"],
    keys: firstKey("RO", "access"),
    summary: "Counts the bits that are set in a string, or in a range of it.",
    complexity: "O(N) for N bytes of the range",
    history: [["7.0.0", "Added `BYTE` and `BIT`."]],
    args: [
      arg.key("key"),
      arg.block(
        "range",
        [
          arg.integer("start"),
          arg.integer("end"),
          arg.oneof("unit", [arg.token("BYTE"), arg.token("BIT")], {
            since: "7.0.0",
            optional: true,
          }),
        ],
        { optional: true },
      ),
    ],
  }),
  dataCommand(Cmd.BitField, {
    name: "bitfield",
    group: "bitmap",
    since: "3.2.0",
    arity: -2,
    flags: ["write", "denyoom"],
    keys: [
      {
        flags: ["RW", "access", "update", "variable_flags"],
        begin: { index: 1 },
        find: { lastKey: 0, step: 1, limit: 0 },
        notes: "Reads and writes, by its operations",
      },
    ],
    findKeys: bitfieldKeys,
    summary: "Reads, sets and counts with integers of any width inside a string.",
    complexity: "O(1) for each operation",
    args: [
      arg.key("key"),
      arg.oneof(
        "operation",
        [
          arg.block("get-block", [arg.string("encoding"), arg.integer("offset")], { token: "GET" }),
          arg.block("write", [
            arg.oneof("overflow-block", [arg.token("WRAP"), arg.token("SAT"), arg.token("FAIL")], {
              token: "OVERFLOW",
              optional: true,
            }),
            arg.oneof("write-operation", [
              arg.block(
                "set-block",
                [arg.string("encoding"), arg.integer("offset"), arg.integer("value")],
                { token: "SET" },
              ),
              arg.block(
                "incrby-block",
                [arg.string("encoding"), arg.integer("offset"), arg.integer("increment")],
                { token: "INCRBY" },
              ),
            ]),
          ]),
        ],
        { optional: true, multiple: true },
      ),
    ],
  }),
  dataCommand(Cmd.BitFieldRo, {
    name: "bitfield_ro",
    group: "bitmap",
    since: "6.0.0",
    arity: -2,
    flags: ["readonly", "fast"],
    keys: firstKey("RO", "access"),
    summary: "Reads integers of any width inside a string.",
    complexity: "O(1) for each operation",
    args: [
      arg.key("key"),
      arg.block("get-block", [arg.string("encoding"), arg.integer("offset")], {
        token: "GET",
        optional: true,
        multiple: true,
        multipleToken: true,
      }),
    ],
  }),
  dataCommand(Cmd.BitOp, {
    name: "bitop",
    group: "bitmap",
    since: "2.6.0",
    arity: -4,
    flags: ["write", "denyoom"],
    keys: [keyAt(2, "OW", "update"), keyRange(3, -1, 1, "RO", "access")],
    summary: "Combines strings bit by bit and stores the result.",
    complexity: "O(N) for N bytes of the longest string",
    args: [
      arg.oneof("operation", [
        arg.token("AND"),
        arg.token("OR"),
        arg.token("XOR"),
        arg.token("NOT"),
      ]),
      arg.key("destkey"),
      arg.key("key", { keySpecIndex: 1, multiple: true }),
    ],
  }),
  dataCommand(Cmd.BitPos, {
    name: "bitpos",
    group: "bitmap",
    since: "2.8.7",
    arity: -3,
    flags: ["readonly"],
    keys: firstKey("RO", "access"),
    summary: "Finds the first bit that is set, or that is not.",
    complexity: "O(N) for N bytes of the range",
    history: [["7.0.0", "Added `BYTE` and `BIT`."]],
    args: [
      arg.key("key"),
      arg.integer("bit"),
      arg.block(
        "range",
        [
          arg.integer("start"),
          arg.block(
            "end-unit-block",
            [
              arg.integer("end"),
              arg.oneof("unit", [arg.token("BYTE"), arg.token("BIT")], {
                since: "7.0.0",
                optional: true,
              }),
            ],
            { optional: true },
          ),
        ],
        { optional: true },
      ),
    ],
  }),
  dataCommand(Cmd.GetBit, {
    name: "getbit",
    group: "bitmap",
    since: "2.2.0",
    arity: 3,
    flags: ["readonly", "fast"],
    keys: firstKey("RO", "access"),
    summary: "Answers one bit of a string.",
    complexity: "O(1)",
    args: [arg.key("key"), arg.integer("offset")],
  }),
  dataCommand(Cmd.SetBit, {
    name: "setbit",
    group: "bitmap",
    since: "2.2.0",
    arity: 4,
    flags: ["write", "denyoom"],
    keys: firstKey("RW", "access", "update"),
    summary: "Sets or clears one bit of a string, which grows if it must.",
    complexity: "O(1)",
    args: [arg.key("key"), arg.integer("offset"), arg.integer("value")],
  }),
];
