/** Commands about replicas and primaries. */
import type { CommandContext } from "./context.ts";
import { arg, type CommandSpec, notSupportedYet, plannedCommand, serverCommand } from "./spec.ts";

/** NO ONE is what this server is: nobody's replica. */
function replicaOf(context: CommandContext): void {
  const { args, reply } = context;
  if (args.word(1) === "no" && args.word(2) === "one") return reply.ok();
  notSupportedYet(context);
}

function role({ reply }: CommandContext): void {
  reply.array(3);
  reply.bulk("master");
  reply.integer(0);
  reply.array(0);
}

/** Reads the options and refuses: there is no replica to hand over to. */
function failover(context: CommandContext): void {
  const { args, reply } = context;
  if (args.count === 2 && args.word(1) === "abort")
    return reply.error("ERR No failover in progress.");
  const given = new Set<string>();
  for (let i = 1; i < args.count; i++) {
    const option = args.word(i);
    const values = option === "timeout" ? 1 : option === "to" ? 2 : option === "force" ? 0 : -1;
    if (values < 0 || given.has(option) || i + values >= args.count)
      return reply.error("ERR syntax error");
    given.add(option);
    i += values;
    if (values === 0) continue;
    const number = args.integer(i);
    if (number === undefined) return reply.error("ERR value is not an integer or out of range");
    if (option === "timeout" && number <= 0)
      return reply.error("ERR FAILOVER timeout must be greater than 0");
  }
  reply.error("ERR FAILOVER requires connected replicas.");
}

export const REPLICATION_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "replicaof",
    group: "server",
    since: "5.0.0",
    arity: 3,
    flags: ["admin", "noscript", "stale", "no_async_loading"],
    summary: "Makes this server the replica of another, or the primary again.",
    complexity: "O(1)",
    args: [
      arg.oneof("args", [
        arg.block("host-port", [arg.string("host"), arg.integer("port")]),
        arg.block("no-one", [arg.token("NO"), arg.token("ONE")]),
      ]),
    ],
    handler: replicaOf,
  }),
  serverCommand({
    name: "slaveof",
    group: "server",
    since: "1.0.0",
    arity: 3,
    flags: ["admin", "noscript", "stale", "no_async_loading"],
    summary: "Makes this server the replica of another, or the primary again.",
    complexity: "O(1)",
    deprecated: { since: "5.0.0", replacedBy: "`REPLICAOF`" },
    args: [
      arg.oneof("args", [
        arg.block("host-port", [arg.string("host"), arg.integer("port")]),
        arg.block("no-one", [arg.token("NO"), arg.token("ONE")]),
      ]),
    ],
    handler: replicaOf,
  }),
  serverCommand({
    name: "role",
    group: "server",
    since: "2.8.12",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast"],
    acl: ["admin", "dangerous"],
    summary: "Answers this server's part in replication.",
    complexity: "O(1)",
    handler: role,
  }),
  serverCommand({
    name: "failover",
    group: "server",
    since: "6.2.0",
    arity: -1,
    flags: ["admin", "noscript", "stale"],
    summary: "Hands the part of the primary to one of the replicas.",
    complexity: "O(1)",
    args: [
      arg.block(
        "target",
        [arg.string("host"), arg.integer("port"), arg.token("FORCE", { optional: true })],
        { token: "TO", optional: true },
      ),
      arg.token("ABORT", { optional: true }),
      arg.integer("milliseconds", { token: "TIMEOUT", optional: true }),
    ],
    handler: failover,
  }),
  plannedCommand({
    name: "psync",
    group: "server",
    since: "2.8.0",
    arity: -3,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    summary: "Begins to follow this server's stream of writes, used by replicas.",
    complexity: "O(1), or as much as writing all databases",
    args: [arg.string("replicationid"), arg.integer("offset")],
  }),
  plannedCommand({
    name: "sync",
    group: "server",
    since: "1.0.0",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    summary: "Begins to follow this server's stream of writes, used by old replicas.",
    complexity: "As much as writing all databases",
  }),
  plannedCommand({
    name: "replconf",
    group: "server",
    since: "3.0.0",
    arity: -1,
    flags: ["admin", "noscript", "loading", "stale", "allow_busy"],
    summary: "Tells about the replica at the other end, used by replicas.",
    complexity: "O(1)",
    internal: true,
  }),
];
