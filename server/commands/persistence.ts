/** Commands that write the databases to files. */
import type { CommandContext } from "./context.ts";
import { arg, type CommandSpec, plannedCommand, serverCommand } from "./spec.ts";

/** Nothing was written to a file yet: as Redis does, the start of the server stands for it. */
const lastSave = ({ reply, services }: CommandContext): void =>
  reply.integer(Math.floor(services.startedAtMs / 1000));

function rewriteLog({ client, reply, services }: CommandContext): void {
  switch (services.persistence.requestRewrite(client.multi !== null)) {
    case "started":
      return reply.simple("Background append only file rewriting started");
    case "scheduled":
      return reply.simple("Background append only file rewriting scheduled");
    case "running":
      return reply.error("ERR Background append only file rewriting already in progress");
    case "failed":
      return reply.error(
        "ERR Can't execute an AOF background rewriting. Please check the server logs for details.",
      );
  }
}

export const PERSISTENCE_COMMANDS: readonly CommandSpec[] = [
  plannedCommand({
    name: "save",
    group: "server",
    since: "1.0.0",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    summary: "Writes all databases to a file.",
    complexity: "O(N) for N keys",
  }),
  plannedCommand({
    name: "bgsave",
    group: "server",
    since: "1.0.0",
    arity: -1,
    flags: ["admin", "noscript", "no_async_loading"],
    summary: "Begins to write all databases to a file.",
    complexity: "O(1); the writing goes on in the background",
    history: [["3.2.2", "Added `SCHEDULE`."]],
    args: [arg.token("SCHEDULE", { since: "3.2.2", optional: true })],
  }),
  serverCommand({
    name: "bgrewriteaof",
    group: "server",
    since: "1.0.0",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading"],
    summary: "Begins to write the append-only file anew.",
    complexity: "O(1); the rewriting goes on in the background",
    handler: rewriteLog,
  }),
  serverCommand({
    name: "lastsave",
    group: "server",
    since: "1.0.0",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    acl: ["admin", "dangerous"],
    tips: ["nondeterministic_output"],
    summary: "Answers when the databases were last written to a file.",
    complexity: "O(1)",
    handler: lastSave,
  }),
];
