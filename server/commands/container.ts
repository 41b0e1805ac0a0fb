/** What containers of subcommands share; the dispatcher resolves them by the rows of the command table. */
import type { CommandContext } from "./context.ts";
import type { CommandSpec } from "./spec.ts";
import { helpLines } from "./usage.ts";
import { printed } from "./words.ts";

/** What Redis answers where a subcommand that takes a choice of arguments gets others. */
export function subcommandFault({ args, row, reply }: CommandContext): void {
  const container = row.name.split("|")[0]!.toUpperCase();
  const shown = printed(args.text(1));
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
