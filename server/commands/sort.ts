/** SORT and SORT_RO. */
import { Cmd } from "../../core-wasm/abi.ts";
import { type ArgSpec, arg, type CommandSpec, dataCommand, type FoundKey, keyAt } from "./spec.ts";

/** Words behind the options that take some. */
const OPTION_WORDS: Record<string, number> = { limit: 2, get: 1, by: 1 };

/** The key that is sorted, and the one behind the last STORE. */
function sortKeys(argv: readonly string[]): FoundKey[] {
  const sorted: FoundKey = { index: 1, flags: ["RO", "access"] };
  let stored: FoundKey | undefined;
  for (let i = 2; i < argv.length; i++) {
    const option = argv[i]!.toLowerCase();
    if (option === "store" && i + 1 < argv.length)
      stored = { index: i + 1, flags: ["OW", "update"] };
    i += OPTION_WORDS[option] ?? 0;
  }
  return stored === undefined ? [sorted] : [sorted, stored];
}

/** Of SORT and SORT_RO alike. */
const SORT_ARGS: readonly ArgSpec[] = [
  arg.key("key"),
  arg.pattern("by-pattern", {
    token: "BY",
    displayText: "pattern",
    keySpecIndex: 1,
    optional: true,
  }),
  arg.block("limit", [arg.integer("offset"), arg.integer("count")], {
    token: "LIMIT",
    optional: true,
  }),
  arg.pattern("get-pattern", {
    token: "GET",
    displayText: "pattern",
    keySpecIndex: 1,
    optional: true,
    multiple: true,
    multipleToken: true,
  }),
  arg.oneof("order", [arg.token("ASC"), arg.token("DESC")], { optional: true }),
  arg.token("ALPHA", { name: "sorting", optional: true }),
];

export const SORT_COMMANDS: readonly CommandSpec[] = [
  dataCommand(Cmd.Sort, {
    name: "sort",
    group: "generic",
    since: "1.0.0",
    arity: -2,
    flags: ["write", "denyoom"],
    acl: ["set", "sortedset", "list", "dangerous"],
    keys: [
      keyAt(1, "RO", "access"),
      {
        flags: ["RO", "access"],
        begin: "unknown",
        find: "unknown",
        notes: "BY and GET: keys are named by the elements that are sorted",
      },
      {
        flags: ["OW", "update"],
        begin: "unknown",
        find: "unknown",
        notes: "STORE: may stand anywhere among the options",
      },
    ],
    findKeys: sortKeys,
    summary: "Sorts a list, set or sorted set; the result may be stored.",
    complexity: "O(N+M*log(M)) for N elements, M of them answered; O(N) unsorted",
    args: [
      ...SORT_ARGS,
      arg.key("destination", { token: "STORE", keySpecIndex: 2, optional: true }),
    ],
  }),
  dataCommand(Cmd.SortRo, {
    name: "sort_ro",
    group: "generic",
    since: "7.0.0",
    arity: -2,
    flags: ["readonly"],
    acl: ["set", "sortedset", "list", "dangerous"],
    keys: [
      keyAt(1, "RO", "access"),
      {
        flags: ["RO", "access"],
        begin: "unknown",
        find: "unknown",
        notes: "BY and GET: keys are named by the elements that are sorted",
      },
    ],
    findKeys: () => [{ index: 1, flags: ["RO", "access"] }],
    summary: "Sorts a list, set or sorted set.",
    complexity: "O(N+M*log(M)) for N elements, M of them answered; O(N) unsorted",
    args: [...SORT_ARGS],
  }),
];
