/** String commands of the core. */
import { Cmd } from "../../core-wasm/abi.ts";
import {
  type ArgSpec,
  allKeys,
  type CommandSpec,
  dataCommand,
  type FoundKey,
  firstKey,
} from "./spec.ts";

const KEY: ArgSpec = { name: "key", type: "key", keySpecIndex: 0 };
const VALUE: ArgSpec = { name: "value", type: "string" };
const counter = (id: Cmd, name: string, summary: string): CommandSpec =>
  dataCommand(id, {
    name,
    group: "string",
    since: "1.0.0",
    arity: 2,
    flags: ["write", "denyoom", "fast"],
    keys: firstKey("RW", "access", "update"),
    summary,
    complexity: "O(1)",
    args: [KEY],
  });
const counterBy = (id: Cmd, name: string, by: string, summary: string): CommandSpec =>
  dataCommand(id, {
    name,
    group: "string",
    since: "1.0.0",
    arity: 3,
    flags: ["write", "denyoom", "fast"],
    keys: firstKey("RW", "access", "update"),
    summary,
    complexity: "O(1)",
    args: [KEY, { name: by, type: "integer" }],
  });

/** The value before is read only if GET asks for it. */
function setKeys(argv: readonly string[]): FoundKey[] {
  const reads = argv.slice(3).some((word) => word.toLowerCase() === "get");
  return [{ index: 1, flags: reads ? ["RW", "access", "update"] : ["OW", "update"] }];
}

export const STRING_COMMANDS: readonly CommandSpec[] = [
  dataCommand(Cmd.Get, {
    name: "get",
    group: "string",
    since: "1.0.0",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: firstKey("RO", "access"),
    summary: "Answers the string at a key.",
    complexity: "O(1)",
    args: [KEY],
  }),
  dataCommand(Cmd.Set, {
    name: "set",
    group: "string",
    since: "1.0.0",
    arity: -3,
    flags: ["write", "denyoom"],
    keys: [
      {
        flags: ["RW", "access", "update", "variable_flags"],
        begin: { index: 1 },
        find: { lastKey: 0, step: 1, limit: 0 },
        notes: "RW and ACCESS due to the optional `GET` argument",
      },
    ],
    findKeys: setKeys,
    summary: "Sets a key to a string, whatever was there.",
    complexity: "O(1)",
    history: [
      ["2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."],
      ["6.0.0", "Added the `KEEPTTL` option."],
      ["6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."],
      ["7.0.0", "Allowed the `NX` and `GET` options to be used together."],
    ],
    args: [
      KEY,
      VALUE,
      {
        name: "condition",
        type: "oneof",
        optional: true,
        since: "2.6.12",
        args: [
          { name: "nx", type: "pure-token", token: "NX" },
          { name: "xx", type: "pure-token", token: "XX" },
        ],
      },
      { name: "get", type: "pure-token", token: "GET", since: "6.2.0", optional: true },
      {
        name: "expiration",
        type: "oneof",
        optional: true,
        args: [
          { name: "seconds", type: "integer", token: "EX", since: "2.6.12" },
          { name: "milliseconds", type: "integer", token: "PX", since: "2.6.12" },
          { name: "unix-time-seconds", type: "unix-time", token: "EXAT", since: "6.2.0" },
          { name: "unix-time-milliseconds", type: "unix-time", token: "PXAT", since: "6.2.0" },
          { name: "keepttl", type: "pure-token", token: "KEEPTTL", since: "6.0.0" },
        ],
      },
    ],
  }),
  dataCommand(Cmd.MGet, {
    name: "mget",
    group: "string",
    since: "1.0.0",
    arity: -2,
    flags: ["readonly", "fast"],
    tips: ["request_policy:multi_shard"],
    keys: allKeys(1, "RO", "access"),
    summary: "Answers the strings at several keys.",
    complexity: "O(N) where N is the number of keys",
    args: [{ ...KEY, multiple: true }],
  }),
  dataCommand(Cmd.MSet, {
    name: "mset",
    group: "string",
    since: "1.0.1",
    arity: -3,
    flags: ["write", "denyoom"],
    tips: ["request_policy:multi_shard", "response_policy:all_succeeded"],
    keys: allKeys(2, "OW", "update"),
    summary: "Sets several keys to strings at once.",
    complexity: "O(N) where N is the number of keys",
    args: [{ name: "data", type: "block", multiple: true, args: [KEY, VALUE] }],
  }),
  counter(Cmd.Incr, "incr", "Adds one to the integer at a key."),
  counterBy(Cmd.IncrBy, "incrby", "increment", "Adds to the integer at a key."),
  counter(Cmd.Decr, "decr", "Takes one from the integer at a key."),
  counterBy(Cmd.DecrBy, "decrby", "decrement", "Takes from the integer at a key."),
  dataCommand(Cmd.Append, {
    name: "append",
    group: "string",
    since: "2.0.0",
    arity: 3,
    flags: ["write", "denyoom", "fast"],
    keys: firstKey("RW", "insert"),
    summary: "Adds bytes to the end of the string at a key.",
    complexity: "O(1), amortised over a string that grows",
    args: [KEY, VALUE],
  }),
  dataCommand(Cmd.StrLen, {
    name: "strlen",
    group: "string",
    since: "2.2.0",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: firstKey("RO"),
    summary: "Answers the length of the string at a key.",
    complexity: "O(1)",
    args: [KEY],
  }),
];
