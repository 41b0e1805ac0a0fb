/** Commands about the server: INFO, TIME, LOLWUT, SHUTDOWN. */
import { infoText } from "../observability/info.ts";
import { drawPicture } from "../observability/picture.ts";
import type { CommandContext, ShutdownOptions } from "./context.ts";
import { arg, type CommandSpec, serverCommand } from "./spec.ts";
import { wordsFrom } from "./words.ts";

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
  if (options.abort)
    return services.abortShutdown() ? reply.ok() : reply.error("ERR No shutdown in progress.");
  const refused = services.shutdown(options);
  if (refused !== undefined) reply.error(refused);
}

const PICTURE_MAX = 1000;

/** [VERSION version] [columns [rows]]: there is one picture, whatever the version. */
function lolwut(context: CommandContext): void {
  const { args, reply, services } = context;
  const hasVersion = args.count > 2 && args.word(1) === "version";
  const numbers: number[] = [];
  for (let i = hasVersion ? 2 : 1; i < args.count; i++) {
    const number = args.integer(i);
    if (number === undefined) return reply.error("ERR value is not an integer or out of range");
    numbers.push(Math.min(PICTURE_MAX, Math.max(1, number)));
  }
  const [columns = 66, rows = 20] = hasVersion ? numbers.slice(1) : numbers;
  const picture = drawPicture({ columns, rows }, Math.random);
  const { redisVersion, version } = services;
  reply.verbatim(`${picture}\nRedis ver. ${redisVersion}, Bundis ${version}\n`, "txt");
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
    name: "lolwut",
    group: "server",
    since: "5.0.0",
    arity: -1,
    flags: ["readonly", "fast"],
    summary: "Draws a picture, and tells the version.",
    complexity: "O(N) for N characters drawn",
    args: [arg.integer("version", { token: "VERSION", optional: true })],
    handler: lolwut,
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
