/** Commands on keys of any type, and on whole databases, in the core. */
import { Cmd } from "../../core-wasm/abi.ts";
import { containerCommand } from "./container.ts";
import {
  type ArgSpec,
  allKeys,
  type CommandFlag,
  type CommandSpec,
  dataCommand,
  firstKey,
  type KeyFlag,
  keyAt,
} from "./spec.ts";

const KEY: ArgSpec = { name: "key", type: "key", keySpecIndex: 0 };

interface OneKey {
  since: string;
  flags: readonly CommandFlag[];
  keyFlags: readonly KeyFlag[];
  summary: string;
  tips?: readonly string[];
  history?: CommandSpec["history"];
}

const oneKey = (id: Cmd, name: string, row: OneKey): CommandSpec =>
  dataCommand(id, {
    name,
    group: "generic",
    since: row.since,
    arity: 2,
    flags: row.flags,
    ...(row.tips === undefined ? {} : { tips: row.tips }),
    ...(row.history === undefined ? {} : { history: row.history }),
    keys: firstKey(...row.keyFlags),
    summary: row.summary,
    complexity: "O(1)",
    args: [KEY],
  });

const manyKeys = (id: Cmd, name: string, row: OneKey): CommandSpec =>
  dataCommand(id, {
    name,
    group: "generic",
    since: row.since,
    arity: -2,
    flags: row.flags,
    tips: ["request_policy:multi_shard", "response_policy:agg_sum"],
    ...(row.history === undefined ? {} : { history: row.history }),
    keys: allKeys(1, ...row.keyFlags),
    summary: row.summary,
    complexity: "O(N) where N is the number of keys",
    args: [{ ...KEY, multiple: true }],
  });

const expiry = (id: Cmd, name: string, since: string, time: ArgSpec, summary: string) =>
  dataCommand(id, {
    name,
    group: "generic",
    since,
    arity: -3,
    flags: ["write", "fast"],
    keys: firstKey("RW", "update"),
    summary,
    complexity: "O(1)",
    history: [["7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."]],
    args: [
      KEY,
      time,
      {
        name: "condition",
        type: "oneof",
        optional: true,
        since: "7.0.0",
        args: ["nx", "xx", "gt", "lt"].map((word) => ({
          name: word,
          type: "pure-token" as const,
          token: word.toUpperCase(),
        })),
      },
    ],
  });

const flush = (id: Cmd, name: string, summary: string) =>
  dataCommand(id, {
    name,
    group: "server",
    since: "1.0.0",
    arity: -1,
    flags: ["write"],
    acl: ["keyspace", "dangerous"],
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    summary,
    complexity: "O(1) here; the keys are freed in slices",
    history: [
      ["4.0.0", "Added `ASYNC`."],
      ["6.2.0", "Added `SYNC` and `lazyfree-lazy-user-flush`."],
    ],
    args: [
      {
        name: "flush-type",
        type: "oneof",
        optional: true,
        args: [
          { name: "async", type: "pure-token", token: "ASYNC", since: "4.0.0" },
          { name: "sync", type: "pure-token", token: "SYNC", since: "6.2.0" },
        ],
      },
    ],
  });

const RENAME_ARGS: readonly ArgSpec[] = [KEY, { name: "newkey", type: "key", keySpecIndex: 1 }];

const objectOf = (id: Cmd, name: string, since: string, summary: string): CommandSpec =>
  dataCommand(id, {
    name,
    group: "generic",
    since,
    arity: 3,
    flags: ["readonly"],
    tips: ["nondeterministic_output"],
    keys: [keyAt(2, "RO")],
    summary,
    complexity: "O(1)",
    args: [KEY],
  });

const OBJECT_SUBCOMMANDS: readonly CommandSpec[] = [
  objectOf(Cmd.ObjectEncoding, "encoding", "2.2.3", "Names the encoding of the value at a key."),
  objectOf(Cmd.ObjectFreq, "freq", "4.0.0", "Answers the access counter of a key."),
  objectOf(Cmd.ObjectIdleTime, "idletime", "2.2.3", "Answers the seconds since a key was used."),
  objectOf(Cmd.ObjectRefCount, "refcount", "2.2.3", "Counts the references to a value."),
];

export const GENERIC_COMMANDS: readonly CommandSpec[] = [
  manyKeys(Cmd.Del, "del", {
    since: "1.0.0",
    flags: ["write"],
    keyFlags: ["RM", "delete"],
    summary: "Deletes keys.",
  }),
  manyKeys(Cmd.Unlink, "unlink", {
    since: "4.0.0",
    flags: ["write", "fast"],
    keyFlags: ["RM", "delete"],
    summary: "Deletes keys; what is large is freed later.",
  }),
  manyKeys(Cmd.Exists, "exists", {
    since: "1.0.0",
    flags: ["readonly", "fast"],
    keyFlags: ["RO"],
    history: [["3.0.3", "Takes several keys."]],
    summary: "Counts how many of the keys exist.",
  }),
  expiry(
    Cmd.Expire,
    "expire",
    "1.0.0",
    { name: "seconds", type: "integer" },
    "Sets a key's time to live in seconds.",
  ),
  expiry(
    Cmd.PExpire,
    "pexpire",
    "2.6.0",
    { name: "milliseconds", type: "integer" },
    "Sets a key's time to live in milliseconds.",
  ),
  expiry(
    Cmd.ExpireAt,
    "expireat",
    "1.2.0",
    { name: "unix-time-seconds", type: "unix-time" },
    "Sets the second at which a key expires.",
  ),
  expiry(
    Cmd.PExpireAt,
    "pexpireat",
    "2.6.0",
    { name: "unix-time-milliseconds", type: "unix-time" },
    "Sets the millisecond at which a key expires.",
  ),
  oneKey(Cmd.Ttl, "ttl", {
    since: "1.0.0",
    flags: ["readonly", "fast"],
    keyFlags: ["RO", "access"],
    tips: ["nondeterministic_output"],
    history: [["2.8.0", "Answers -2 for a key that is not there."]],
    summary: "Answers the seconds a key has left.",
  }),
  oneKey(Cmd.PTtl, "pttl", {
    since: "2.6.0",
    flags: ["readonly", "fast"],
    keyFlags: ["RO", "access"],
    tips: ["nondeterministic_output"],
    history: [["2.8.0", "Answers -2 for a key that is not there."]],
    summary: "Answers the milliseconds a key has left.",
  }),
  oneKey(Cmd.ExpireTime, "expiretime", {
    since: "7.0.0",
    flags: ["readonly", "fast"],
    keyFlags: ["RO", "access"],
    summary: "Answers the second at which a key expires.",
  }),
  oneKey(Cmd.PExpireTime, "pexpiretime", {
    since: "7.0.0",
    flags: ["readonly", "fast"],
    keyFlags: ["RO", "access"],
    summary: "Answers the millisecond at which a key expires.",
  }),
  oneKey(Cmd.Persist, "persist", {
    since: "2.2.0",
    flags: ["write", "fast"],
    keyFlags: ["RW", "update"],
    summary: "Takes a key's time to live away.",
  }),
  oneKey(Cmd.Type, "type", {
    since: "1.0.0",
    flags: ["readonly", "fast"],
    keyFlags: ["RO"],
    summary: "Answers the type of the value at a key.",
  }),
  manyKeys(Cmd.Touch, "touch", {
    since: "3.2.1",
    flags: ["readonly", "fast"],
    keyFlags: ["RO"],
    summary: "Counts how many of the keys exist, and counts as a use of each.",
  }),
  dataCommand(Cmd.Copy, {
    name: "copy",
    group: "generic",
    since: "6.2.0",
    arity: -3,
    flags: ["write", "denyoom"],
    keys: [keyAt(1, "RO", "access"), keyAt(2, "OW", "update")],
    summary: "Copies a value and its time to live to another key.",
    complexity: "O(N) where N is the size of the value; O(1) for the key itself",
    args: [
      { name: "source", type: "key", keySpecIndex: 0 },
      { name: "destination", type: "key", keySpecIndex: 1 },
      { name: "destination-db", type: "integer", token: "DB", optional: true },
      { name: "replace", type: "pure-token", token: "REPLACE", optional: true },
    ],
  }),
  dataCommand(Cmd.Move, {
    name: "move",
    group: "generic",
    since: "1.0.0",
    arity: 3,
    flags: ["write", "fast"],
    keys: firstKey("RW", "access", "update"),
    summary: "Moves a key to another database, unless it has one of that name.",
    complexity: "O(1)",
    args: [KEY, { name: "db", type: "integer" }],
  }),
  dataCommand(Cmd.Rename, {
    name: "rename",
    group: "generic",
    since: "1.0.0",
    arity: 3,
    flags: ["write"],
    keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "OW", "update")],
    summary: "Gives a key another name, in place of what is there.",
    complexity: "O(1)",
    args: RENAME_ARGS,
  }),
  dataCommand(Cmd.RenameNx, {
    name: "renamenx",
    group: "generic",
    since: "1.0.0",
    arity: 3,
    flags: ["write", "fast"],
    keys: [keyAt(1, "RW", "access", "delete"), keyAt(2, "OW", "insert")],
    summary: "Gives a key another name, unless there is one of that name.",
    complexity: "O(1)",
    history: [["3.2.0", "The same name twice is no error any more."]],
    args: RENAME_ARGS,
  }),
  containerCommand({
    name: "object",
    group: "generic",
    since: "2.2.3",
    arity: -2,
    flags: [],
    summary: "Looks inside the value at a key.",
    subcommands: OBJECT_SUBCOMMANDS,
    helpSince: "6.2.0",
  }),
  dataCommand(Cmd.DbSize, {
    name: "dbsize",
    group: "server",
    since: "1.0.0",
    arity: 1,
    flags: ["readonly", "fast"],
    acl: ["keyspace"],
    tips: ["request_policy:all_shards", "response_policy:agg_sum"],
    summary: "Counts the keys of the database.",
    complexity: "O(1)",
  }),
  flush(Cmd.FlushAll, "flushall", "Deletes the keys of all databases."),
  flush(Cmd.FlushDb, "flushdb", "Deletes the keys of the database."),
  dataCommand(Cmd.SwapDb, {
    name: "swapdb",
    group: "server",
    since: "4.0.0",
    arity: 3,
    flags: ["write", "fast"],
    acl: ["keyspace", "dangerous"],
    summary: "Exchanges two databases.",
    complexity: "O(1) here",
    args: [
      { name: "index1", type: "integer" },
      { name: "index2", type: "integer" },
    ],
  }),
  dataCommand(Cmd.RandomKey, {
    name: "randomkey",
    group: "generic",
    since: "1.0.0",
    arity: 1,
    flags: ["readonly"],
    acl: ["keyspace"],
    tips: ["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
    summary: "Answers a random key of the database.",
    complexity: "O(1)",
  }),
  dataCommand(Cmd.Keys, {
    name: "keys",
    group: "generic",
    since: "1.0.0",
    arity: 2,
    flags: ["readonly"],
    acl: ["keyspace", "dangerous"],
    tips: ["request_policy:all_shards", "nondeterministic_output_order"],
    summary: "Answers all keys that match a pattern.",
    complexity: "O(N) where N is the number of keys in the database",
    args: [{ name: "pattern", type: "pattern" }],
  }),
  dataCommand(Cmd.Scan, {
    name: "scan",
    group: "generic",
    since: "2.8.0",
    arity: -2,
    flags: ["readonly"],
    acl: ["keyspace"],
    tips: ["nondeterministic_output", "request_policy:special", "response_policy:special"],
    summary: "Walks over the keys of the database, each exactly once.",
    complexity: "O(1) for a call, O(N) for a whole walk",
    history: [["6.0.0", "Added the `TYPE` subcommand."]],
    args: [
      { name: "cursor", type: "integer" },
      { name: "pattern", type: "pattern", token: "MATCH", optional: true },
      { name: "count", type: "integer", token: "COUNT", optional: true },
      { name: "type", type: "string", token: "TYPE", optional: true, since: "6.0.0" },
    ],
  }),
];
