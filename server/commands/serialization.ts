/** Values in serialized form. */
import { arg, type CommandSpec, type FoundKey, firstKey, keyAt, plannedCommand } from "./spec.ts";

/** Words behind the options of MIGRATE that take some. */
const OPTION_WORDS: Record<string, number> = { auth: 1, auth2: 2 };

/** The key in its place, or if that is empty those behind KEYS. */
function migrateKeys(argv: readonly string[]): FoundKey[] {
  let first = 3;
  let end = 4;
  for (let i = 6; i < argv.length; i++) {
    const option = argv[i]!.toLowerCase();
    if (option === "keys") {
      if (argv[3] !== "") return [];
      first = i + 1;
      end = argv.length;
      break;
    }
    i += OPTION_WORDS[option] ?? 0;
  }
  return Array.from({ length: end - first }, (_, i) => ({
    index: first + i,
    flags: ["RW", "access", "delete"],
  }));
}

export const SERIALIZATION_COMMANDS: readonly CommandSpec[] = [
  plannedCommand({
    name: "dump",
    group: "generic",
    since: "2.6.0",
    arity: 2,
    flags: ["readonly"],
    tips: ["nondeterministic_output"],
    keys: firstKey("RO", "access"),
    summary: "Answers the value of a key in serialized form.",
    complexity: "O(N*M) for N elements of M bytes",
    args: [arg.key("key")],
  }),
  plannedCommand({
    name: "restore",
    group: "generic",
    since: "2.6.0",
    arity: -4,
    flags: ["write", "denyoom"],
    acl: ["keyspace", "dangerous"],
    keys: firstKey("OW", "update"),
    summary: "Makes a key of the serialized form of a value.",
    complexity: "O(N*M) for N elements of M bytes, times log(N) in sorted sets",
    history: [
      ["3.0.0", "Added `REPLACE`."],
      ["5.0.0", "Added `ABSTTL`."],
      ["5.0.0", "Added `IDLETIME` and `FREQ`."],
    ],
    args: [
      arg.key("key"),
      arg.integer("ttl"),
      arg.string("serialized-value"),
      arg.token("REPLACE", { since: "3.0.0", optional: true }),
      arg.token("ABSTTL", { since: "5.0.0", optional: true }),
      arg.integer("seconds", { token: "IDLETIME", since: "5.0.0", optional: true }),
      arg.integer("frequency", { token: "FREQ", since: "5.0.0", optional: true }),
    ],
  }),
  plannedCommand({
    name: "restore-asking",
    group: "server",
    since: "3.0.0",
    arity: -4,
    flags: ["write", "denyoom", "asking"],
    acl: ["keyspace", "dangerous"],
    keys: firstKey("OW", "update"),
    summary: "Makes a key of the serialized form of a value, in a slot that is being imported.",
    complexity: "O(N*M) for N elements of M bytes, times log(N) in sorted sets",
    history: [
      ["3.0.0", "Added `REPLACE`."],
      ["5.0.0", "Added `ABSTTL`."],
      ["5.0.0", "Added `IDLETIME` and `FREQ`."],
    ],
    internal: true,
    args: [
      arg.key("key"),
      arg.integer("ttl"),
      arg.string("serialized-value"),
      arg.token("REPLACE", { since: "3.0.0", optional: true }),
      arg.token("ABSTTL", { since: "5.0.0", optional: true }),
      arg.integer("seconds", { token: "IDLETIME", since: "5.0.0", optional: true }),
      arg.integer("frequency", { token: "FREQ", since: "5.0.0", optional: true }),
    ],
  }),
  plannedCommand({
    name: "migrate",
    group: "generic",
    since: "2.6.0",
    arity: -6,
    flags: ["write"],
    acl: ["keyspace", "dangerous"],
    secrets: "after-auth",
    tips: ["nondeterministic_output"],
    keys: [
      keyAt(3, "RW", "access", "delete"),
      {
        flags: ["RW", "access", "delete", "incomplete"],
        begin: { keyword: "KEYS", startFrom: -2 },
        find: { lastKey: -1, step: 1, limit: 0 },
      },
    ],
    findKeys: migrateKeys,
    summary: "Moves keys to another server in one step.",
    complexity: "O(N) for N bytes of the values, here and there",
    history: [
      ["3.0.0", "Added `COPY` and `REPLACE`."],
      ["3.0.6", "Added `KEYS`."],
      ["4.0.7", "Added `AUTH`."],
      ["6.0.0", "Added `AUTH2`."],
    ],
    args: [
      arg.string("host"),
      arg.integer("port"),
      arg.oneof("key-selector", [arg.key("key"), arg.token('""', { name: "empty-string" })]),
      arg.integer("destination-db"),
      arg.integer("timeout"),
      arg.token("COPY", { since: "3.0.0", optional: true }),
      arg.token("REPLACE", { since: "3.0.0", optional: true }),
      arg.oneof(
        "authentication",
        [
          arg.string("auth", { token: "AUTH", displayText: "password", since: "4.0.7" }),
          arg.block("auth2", [arg.string("username"), arg.string("password")], {
            token: "AUTH2",
            since: "6.0.0",
          }),
        ],
        { optional: true },
      ),
      arg.key("keys", {
        token: "KEYS",
        keySpecIndex: 1,
        displayText: "key",
        since: "3.0.6",
        optional: true,
        multiple: true,
      }),
    ],
  }),
];
