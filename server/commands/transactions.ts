/** Commands of transactions. What they do is in dispatch/transaction.ts. */
import type { CommandContext } from "./context.ts";
import { allKeys, arg, type CommandFlag, type CommandSpec, serverCommand } from "./spec.ts";

const AT_ANY_TIME: readonly CommandFlag[] = ["noscript", "loading", "stale", "fast", "allow_busy"];

function* wordsBehindName({ args }: CommandContext): Iterable<Uint8Array> {
  for (let i = 1; i < args.count; i++) yield args.bytes(i);
}

export const TRANSACTION_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "multi",
    group: "transactions",
    since: "1.2.0",
    arity: 1,
    flags: AT_ANY_TIME,
    summary: "Begins a transaction: commands are queued until `EXEC`.",
    complexity: "O(1)",
    handler: ({ client, services }) => services.transactions.begin(client),
  }),
  serverCommand({
    name: "exec",
    group: "transactions",
    since: "1.2.0",
    arity: 1,
    flags: ["noscript", "loading", "stale", "skip_slowlog"],
    summary: "Runs the commands queued since `MULTI` as one.",
    complexity: "As much as the commands",
    handler: ({ client, services }) => services.transactions.exec(client),
  }),
  serverCommand({
    name: "discard",
    group: "transactions",
    since: "2.0.0",
    arity: 1,
    flags: AT_ANY_TIME,
    summary: "Forgets the commands queued since `MULTI`.",
    complexity: "O(N) for N commands",
    handler: ({ client, services }) => services.transactions.discard(client),
  }),
  serverCommand({
    name: "watch",
    group: "transactions",
    since: "2.2.0",
    arity: -2,
    flags: AT_ANY_TIME,
    keys: allKeys(1, "RO"),
    summary: "Lets the next `EXEC` fail if one of the keys changes before it.",
    complexity: "O(1) for each key",
    args: [arg.key("key", { multiple: true })],
    handler: (context) =>
      context.services.transactions.watch(context.client, wordsBehindName(context)),
  }),
  serverCommand({
    name: "unwatch",
    group: "transactions",
    since: "2.2.0",
    arity: 1,
    flags: AT_ANY_TIME,
    summary: "Forgets the watched keys.",
    complexity: "O(1)",
    handler: ({ client, services }) => services.transactions.unwatch(client),
  }),
];
