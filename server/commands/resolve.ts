/** From words to a row of the table: commands and their subcommands. */
import type { CommandSpec } from "./spec.ts";
import type { CommandTable } from "./table.ts";

export interface Resolved {
  spec: CommandSpec;
  /** The container of a subcommand. */
  parent?: CommandSpec;
}

/** "get", or "client|list" of a subcommand. */
export function fullName({ spec, parent }: Resolved): string {
  return parent === undefined ? spec.name : `${parent.name}|${spec.name}`;
}

function subcommandOf(parent: CommandSpec, name: string): Resolved | undefined {
  const spec = parent.subcommands?.find((candidate) => candidate.name === name.toLowerCase());
  return spec && { spec, parent };
}

/** What the words of a command run: the subcommand where there is one. */
export function resolveWords(table: CommandTable, argv: readonly string[]): Resolved | undefined {
  const spec = table.specs[table.indexOf(argv[0] ?? "")];
  if (spec === undefined) return undefined;
  const second = argv[1];
  if (spec.subcommands === undefined || second === undefined) return { spec };
  return subcommandOf(spec, second);
}

/** What a name like "get" or "client|list" means. */
export function resolveName(table: CommandTable, name: string): Resolved | undefined {
  const [first = "", second, more] = name.split("|");
  const spec = table.specs[table.indexOf(first)];
  if (spec === undefined || more !== undefined) return undefined;
  return second === undefined ? { spec } : subcommandOf(spec, second);
}

/** Whether this many words, the names among them, fit the row's arity. */
export function fitsArity(spec: CommandSpec, count: number): boolean {
  return spec.arity >= 0 ? count === spec.arity : count >= -spec.arity;
}

/** The row and the rows of its subcommands. */
export function withSubcommands(spec: CommandSpec): Resolved[] {
  return [{ spec }, ...(spec.subcommands ?? []).map((inner) => ({ spec: inner, parent: spec }))];
}
