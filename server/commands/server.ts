/** Commands about the server: INFO, TIME, DEBUG, SHUTDOWN. */
import { infoText } from "../observability/info.ts";
import { containerHandler, helpSubcommand } from "./container.ts";
import type { CommandContext, ShutdownOptions } from "./context.ts";
import { type CommandFlag, type CommandSpec, serverCommand } from "./spec.ts";
import { wordsFrom } from "./words.ts";

const sub = (
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  summary: string,
  handler: (context: CommandContext) => void,
): CommandSpec =>
  serverCommand({
    name,
    group: "server",
    since: "2.0.0",
    arity,
    flags,
    summary,
    complexity: "O(N) in the number of arguments",
    handler,
  });

const ADMIN: readonly CommandFlag[] = ["admin", "noscript", "loading", "stale"];

function debugSleep({ args, reply, services }: CommandContext): void {
  const seconds = Number(args.text(2));
  if (!Number.isFinite(seconds) || seconds < 0)
    return reply.error("ERR value is not a valid float");
  services.sleep(seconds * 1000);
  reply.ok();
}

const DEBUG_SUBCOMMANDS: readonly CommandSpec[] = [
  sub("sleep", 3, ADMIN, "Stops the server for some seconds.", debugSleep),
  sub("check", 2, ADMIN, "Asserts every invariant of the core's memory.", ({ core, reply }) => {
    core.check();
    reply.ok();
  }),
  helpSubcommand("server", [
    "DEBUG <subcommand> [<arg> ...]. Subcommands are:",
    "SLEEP <seconds>",
    "CHECK",
    "    Walks the whole memory; a violated invariant ends the process.",
  ]),
];

/** @returns the options, or undefined if they do not go together */
function shutdownOptions(
  words: readonly string[],
): (ShutdownOptions & { abort: boolean }) | undefined {
  const given = new Set(words.map((word) => word.toLowerCase()));
  const known = ["nosave", "save", "now", "force", "abort"];
  if ([...given].some((word) => !known.includes(word))) return undefined;
  if (given.has("save") && given.has("nosave")) return undefined;
  if (given.has("abort") && given.size > 1) return undefined;
  return {
    ...(given.has("save") ? { save: true } : given.has("nosave") ? { save: false } : {}),
    now: given.has("now"),
    force: given.has("force"),
    abort: given.has("abort"),
  };
}

function shutdown(context: CommandContext): void {
  const { reply, services } = context;
  const options = shutdownOptions(wordsFrom(context, 1));
  if (options === undefined) return reply.error("ERR syntax error");
  if (options.abort) return reply.error("ERR No shutdown in progress.");
  const refused = services.shutdown(options);
  if (refused !== undefined) reply.error(refused);
}

export const SERVER_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "info",
    group: "server",
    since: "1.0.0",
    arity: -1,
    flags: ["loading", "stale"],
    acl: ["dangerous"],
    tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    summary: "Answers figures of the server, by section.",
    complexity: "O(1)",
    history: [["7.0.0", "Takes several sections."]],
    args: [{ name: "section", type: "string", multiple: true, optional: true }],
    handler: (context) => context.reply.verbatim(infoText(context, wordsFrom(context, 1)), "txt"),
  }),
  serverCommand({
    name: "time",
    group: "server",
    since: "2.6.0",
    arity: 1,
    flags: ["loading", "stale", "fast"],
    tips: ["nondeterministic_output"],
    summary: "Answers the server's clock.",
    complexity: "O(1)",
    handler: ({ reply, services }) => {
      const now = services.clock.nowMs();
      reply.array(2);
      reply.bulk(String(Math.floor(now / 1000)));
      reply.bulk(String((now % 1000) * 1000));
    },
  }),
  serverCommand({
    name: "debug",
    group: "server",
    since: "1.0.0",
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale"],
    summary: "Commands for tests and inspection.",
    complexity: "Depends on the subcommand.",
    handler: containerHandler("debug", DEBUG_SUBCOMMANDS),
  }),
  serverCommand({
    name: "shutdown",
    group: "server",
    since: "1.0.0",
    arity: -1,
    flags: ["admin", "noscript", "loading", "stale", "no_multi", "allow_busy"],
    summary: "Writes out what is to be kept and stops the server.",
    complexity: "O(1)",
    history: [["7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers."]],
    args: [
      {
        name: "save-selector",
        type: "oneof",
        optional: true,
        args: [
          { name: "nosave", type: "pure-token", token: "NOSAVE" },
          { name: "save", type: "pure-token", token: "SAVE" },
        ],
      },
      { name: "now", type: "pure-token", token: "NOW", optional: true, since: "7.0.0" },
      { name: "force", type: "pure-token", token: "FORCE", optional: true, since: "7.0.0" },
      { name: "abort", type: "pure-token", token: "ABORT", optional: true, since: "7.0.0" },
    ],
    handler: shutdown,
  }),
];
