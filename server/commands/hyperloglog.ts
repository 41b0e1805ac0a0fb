/** HyperLogLog commands. */
import { Cmd } from "../../core-wasm/abi.ts";
import { arg, type CommandSpec, dataCommand, firstKey, keyAt, keyRange } from "./spec.ts";

export const HYPERLOGLOG_COMMANDS: readonly CommandSpec[] = [
  dataCommand(Cmd.PfAdd, {
    name: "pfadd",
    group: "hyperloglog",
    since: "2.8.9",
    arity: -2,
    flags: ["write", "denyoom", "fast"],
    keys: firstKey("RW", "insert"),
    summary: "Adds elements to a HyperLogLog.",
    complexity: "O(1) for each element",
    args: [arg.key("key"), arg.string("element", { optional: true, multiple: true })],
  }),
  dataCommand(Cmd.PfCount, {
    name: "pfcount",
    group: "hyperloglog",
    since: "2.8.9",
    arity: -2,
    flags: ["readonly", "may_replicate"],
    keys: [
      {
        flags: ["RW", "access"],
        begin: { index: 1 },
        find: { lastKey: -1, step: 1, limit: 0 },
        notes: "May rewrite the cached estimate inside the value",
      },
    ],
    summary: "Estimates how many distinct elements HyperLogLogs have seen.",
    complexity: "O(1) for one key, O(N) for N keys with a large constant",
    args: [arg.key("key", { multiple: true })],
  }),
  dataCommand(Cmd.PfDebug, {
    name: "pfdebug",
    group: "hyperloglog",
    since: "2.8.9",
    arity: 3,
    flags: ["write", "denyoom", "admin"],
    keys: [keyAt(2, "RW", "access")],
    summary: "Shows the insides of a HyperLogLog.",
    complexity: "O(1) or O(16384), by subcommand",
    internal: true,
    args: [arg.string("subcommand"), arg.key("key")],
  }),
  dataCommand(Cmd.PfMerge, {
    name: "pfmerge",
    group: "hyperloglog",
    since: "2.8.9",
    arity: -2,
    flags: ["write", "denyoom"],
    keys: [keyAt(1, "RW", "access", "insert"), keyRange(2, -1, 1, "RO", "access")],
    summary: "Merges HyperLogLogs into one.",
    complexity: "O(N) for N of them, with a large constant",
    args: [
      arg.key("destkey"),
      arg.key("sourcekey", { keySpecIndex: 1, optional: true, multiple: true }),
    ],
  }),
  dataCommand(Cmd.PfSelfTest, {
    name: "pfselftest",
    group: "hyperloglog",
    since: "2.8.9",
    arity: 1,
    flags: ["admin"],
    summary: "Tests the HyperLogLog code.",
    complexity: "Some milliseconds of work",
    internal: true,
  }),
];
