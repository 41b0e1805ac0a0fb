/** CONFIG: directives read, set and written back, and counters set to 0. */
import { rewriteFile } from "../config/rewrite.ts";
import { systemErrorText } from "../config/rules.ts";
import { containerCommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { isAllowed } from "./protected.ts";
import { type CommandSpec, serverCommand } from "./spec.ts";
import { wordsFrom } from "./words.ts";

function get(context: CommandContext): void {
  const found = context.config.match(wordsFrom(context, 2));
  context.reply.map(found.length);
  for (const [name, value] of found) {
    context.reply.bulk(name);
    context.reply.bulk(value);
  }
}

function set(context: CommandContext): void {
  const { config, reply } = context;
  const words = wordsFrom(context, 2);
  if (words.length % 2 !== 0) return reply.error("ERR syntax error");
  const pairs: [string, string][] = [];
  for (let i = 0; i < words.length; i += 2) pairs.push([words[i]!, words[i + 1]!]);
  const mayUseProtected = isAllowed(context, config.get("enable-protected-configs"));
  const refused = config.set(pairs, { mayUseProtected });
  if (refused === undefined) reply.ok();
  else reply.error(refused);
}

function rewrite(context: CommandContext): void {
  rewriteConfig(context);
}

/** CONFIG REWRITE; with `all` defaults are written too (DEBUG CONFIG-REWRITE-FORCE-ALL). */
export function rewriteConfig({ config, reply, services }: CommandContext, all = false): void {
  if (config.file === undefined)
    return reply.error("ERR The server is running without a config file");
  try {
    rewriteFile(config.file, config, all);
  } catch (error) {
    const why = systemErrorText(error);
    services.log("warning", `CONFIG REWRITE failed: ${why}`);
    return reply.error(`ERR Rewriting config file: ${why}`);
  }
  services.log("notice", "CONFIG REWRITE executed with success.");
  reply.ok();
}

function resetStat({ services, reply }: CommandContext): void {
  services.resetStats();
  reply.ok();
}

const ADMIN = ["admin", "noscript", "loading", "stale"] as const;

const SUBCOMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "get",
    group: "server",
    since: "2.0.0",
    arity: -3,
    flags: ADMIN,
    summary: "Answers the names and values of directives that match.",
    complexity: "O(N) where N is the number of directives",
    history: [["7.0.0", "Takes several patterns."]],
    args: [{ name: "parameter", type: "string", multiple: true }],
    handler: get,
  }),
  serverCommand({
    name: "set",
    group: "server",
    since: "2.0.0",
    arity: -4,
    flags: ADMIN,
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    summary: "Sets directives, all of them or none.",
    secrets: "sensitive-directives",
    complexity: "O(N) where N is the number of directives",
    history: [["7.0.0", "Takes several directives."]],
    args: [
      {
        name: "data",
        type: "block",
        multiple: true,
        args: [
          { name: "parameter", type: "string" },
          { name: "value", type: "string" },
        ],
      },
    ],
    handler: set,
  }),
  serverCommand({
    name: "resetstat",
    group: "server",
    since: "2.0.0",
    arity: 2,
    flags: ADMIN,
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    summary: "Sets the counters of INFO back to 0.",
    complexity: "O(1)",
    handler: resetStat,
  }),
  serverCommand({
    name: "rewrite",
    group: "server",
    since: "2.8.0",
    arity: 2,
    flags: ADMIN,
    tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
    summary: "Writes the values in force into the configuration file.",
    complexity: "O(N) where N is the number of directives and lines",
    handler: rewrite,
  }),
];

export const CONFIG_COMMANDS: readonly CommandSpec[] = [
  containerCommand({
    name: "config",
    group: "server",
    since: "2.0.0",
    arity: -2,
    flags: [],
    summary: "A container for commands about directives.",
    subcommands: SUBCOMMANDS,
  }),
];
