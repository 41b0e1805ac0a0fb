/** WAIT and WAITAOF: until writes have reached replicas, of which there are none yet, and the disk. */
import type { CommandContext } from "./context.ts";
import { parseInteger64 } from "./integers.ts";
import { arg, type CommandSpec, serverCommand } from "./spec.ts";

const NOT_INTEGER = "ERR value is not an integer or out of range";
const INT64_MAX = 2n ** 63n - 1n;

/** A timeout in ms, 0 = none, or the error line. */
function timeoutMs({ args, services }: CommandContext, index: number): number | string {
  const timeout = parseInteger64(args.text(index));
  if (timeout === undefined) return "ERR timeout is not an integer or out of range";
  if (timeout < 0n) return "ERR timeout is negative";
  if (timeout > INT64_MAX - BigInt(services.clock.nowMs())) return "ERR timeout is out of range";
  return Number(timeout);
}

/** https://redis.io/commands/wait */
function wait(context: CommandContext): void {
  const { args, reply, client, services } = context;
  const replicas = parseInteger64(args.text(1));
  if (replicas === undefined) return reply.error(NOT_INTEGER);
  const timeout = timeoutMs(context, 2);
  if (typeof timeout === "string") return reply.error(timeout);
  const answer = () => reply.integer(0);
  // Inside a transaction nothing waits.
  if (replicas <= 0n || client.multi !== null) return answer();
  services.block(client, { timeoutMs: timeout, isOver: () => false, answer });
}

/** https://redis.io/commands/waitaof */
function waitaof(context: CommandContext): void {
  const { args, reply, client, services } = context;
  const local = parseInteger64(args.text(1));
  if (local === undefined) return reply.error(NOT_INTEGER);
  if (local < 0n || local > 1n)
    return reply.error("ERR value is out of range, value must between 0 and 1");
  const replicas = parseInteger64(args.text(2));
  if (replicas === undefined) return reply.error(NOT_INTEGER);
  if (replicas < 0n) return reply.error("ERR value is out of range, must be positive");
  const timeout = timeoutMs(context, 3);
  if (typeof timeout === "string") return reply.error(timeout);
  const { persistence } = services;
  if (local > 0n && !persistence.isLogging)
    return reply.error(
      "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
    );
  const isSynced = () => persistence.isSynced(client.lastLogged);
  const isOver = () => replicas === 0n && (local === 0n || isSynced());
  const answer = () => {
    reply.array(2);
    reply.integer(isSynced() ? 1 : 0);
    reply.integer(0);
  };
  if (isOver() || client.multi !== null) return answer();
  services.block(client, { timeoutMs: timeout, isOver, answer });
}

export const WAITING_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "wait",
    group: "generic",
    since: "3.0.0",
    arity: 3,
    flags: [],
    acl: ["connection"],
    tips: ["request_policy:all_shards", "response_policy:agg_min"],
    summary: "Waits until this connection's writes have reached replicas.",
    complexity: "O(1)",
    args: [arg.integer("numreplicas"), arg.integer("timeout")],
    handler: wait,
  }),
  serverCommand({
    name: "waitaof",
    group: "generic",
    since: "7.2.0",
    arity: 4,
    flags: ["noscript"],
    acl: ["connection"],
    tips: ["request_policy:all_shards", "response_policy:agg_min"],
    summary: "Waits until this connection's writes are synced, here and on replicas.",
    complexity: "O(1)",
    args: [arg.integer("numlocal"), arg.integer("numreplicas"), arg.integer("timeout")],
    handler: waitaof,
  }),
];
