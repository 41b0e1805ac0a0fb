/** Commands with subcommands: how they are found, checked and refused. */
import type { CommandContext } from "./context.ts";
import type { CommandSpec, Handler } from "./spec.ts";

/** The handler of a container: runs the subcommand in word 1, with Redis's errors for unknown ones and wrong arity. */
export function containerHandler(name: string, subcommands: readonly CommandSpec[]): Handler {
  const byName = new Map(subcommands.map((spec) => [spec.name, spec]));
  return (context: CommandContext) => {
    const { args, reply } = context;
    const word = args.word(1);
    const spec = byName.get(word);
    if (spec === undefined) {
      const shown = args.text(1).slice(0, 128);
      return reply.error(`ERR unknown subcommand '${shown}'. Try ${name.toUpperCase()} HELP.`);
    }
    context.client.lastCommand = `${name}|${word}`;
    const fits = spec.arity >= 0 ? args.count === spec.arity : args.count >= -spec.arity;
    if (!fits) return reply.error(`ERR wrong number of arguments for '${name}|${word}' command`);
    if (spec.id !== undefined) context.execute(spec.id);
    else spec.handler?.(context);
  };
}

/** A HELP subcommand that answers usage lines. */
export function helpSubcommand(
  container: CommandSpec["group"],
  lines: readonly string[],
): CommandSpec {
  return {
    name: "help",
    group: container,
    since: "5.0.0",
    arity: 2,
    flags: ["loading", "stale"],
    summary: "Lists the subcommands.",
    complexity: "O(1)",
    handler: ({ reply }) => {
      reply.array(lines.length);
      for (const line of lines) reply.simple(line);
    },
  };
}
