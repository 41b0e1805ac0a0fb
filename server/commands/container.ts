/** What containers of subcommands share. Those with rows in the command table are resolved by the dispatcher. */
import type { CommandContext } from "./context.ts";
import { fitsArity } from "./resolve.ts";
import type { CommandSpec, Handler } from "./spec.ts";
import { helpLines } from "./usage.ts";

/** The handler of a command whose subcommands have no rows of their own (DEBUG): runs the one that word 1 names. */
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
    if (!fitsArity(spec, args.count))
      return reply.error(`ERR wrong number of arguments for '${name}|${word}' command`);
    if (spec.id !== undefined) context.execute(spec.id);
    else spec.handler?.(context);
  };
}

/** What Redis answers where a subcommand that takes a choice of arguments gets others. */
export function subcommandFault({ args, row, reply }: CommandContext): void {
  const container = row.name.split("|")[0]!.toUpperCase();
  const shown = args.text(1).slice(0, 128);
  reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${shown}'. Try ${container} HELP.`,
  );
}

/** A HELP subcommand that answers usage lines. */
export function helpSubcommand(
  container: CommandSpec["group"],
  lines: readonly string[],
  since = "5.0.0",
): CommandSpec {
  return {
    name: "help",
    group: container,
    since,
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

export interface ContainerSpec extends Omit<CommandSpec, "id" | "handler" | "complexity"> {
  subcommands: readonly CommandSpec[];
  /** Redis's version that brought HELP. */
  helpSince?: string;
}

/** A command that does nothing but what its subcommands do. HELP is written from their rows unless it is one of them. */
export function containerCommand({ helpSince, ...spec }: ContainerSpec): CommandSpec {
  const hasHelp = spec.subcommands.some(({ name }) => name === "help");
  const lines = () => helpLines(spec.name, spec.subcommands);
  const subcommands = hasHelp
    ? spec.subcommands
    : [...spec.subcommands, helpSubcommand(spec.group, lines(), helpSince)];
  return {
    ...spec,
    complexity: "Depends on the subcommand.",
    subcommands,
  };
}
