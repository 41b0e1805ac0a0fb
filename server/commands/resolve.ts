/** From words to a row of the table: commands and their subcommands. */
import type { CommandSpec } from "./spec.ts";
import type { CommandRow, CommandTable } from "./table.ts";

/** What the words of a command run: the subcommand where there is one. */
export function resolveWords(table: CommandTable, argv: readonly string[]): CommandRow | undefined {
  const index = table.indexOf(argv[0] ?? "");
  const row = table.rows[index];
  const second = argv[1];
  if (row?.spec.subcommands === undefined || second === undefined) return row;
  return table.rows[table.subcommandOf(index, second)];
}

/** What a name like "get" or "client|list" means. */
export function resolveName(table: CommandTable, name: string): CommandRow | undefined {
  const [first = "", second, more] = name.split("|");
  const index = table.indexOf(first);
  if (index < 0 || more !== undefined) return undefined;
  return table.rows[second === undefined ? index : table.subcommandOf(index, second)];
}

/** Whether this many words, the names among them, fit the row's arity. */
export function fitsArity(spec: CommandSpec, count: number): boolean {
  return spec.arity >= 0 ? count === spec.arity : count >= -spec.arity;
}
