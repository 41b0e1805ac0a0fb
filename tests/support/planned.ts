/** The commands of Redis that are described and refused so far, as they are typed: `PUBSUB NUMPAT`. */
import { isPlanned } from "../../server/commands/spec.ts";
import { ALL_COMMANDS } from "../../server/commands/table.ts";

export const PLANNED_COMMANDS: readonly string[] = ALL_COMMANDS.flatMap((row) => [
  ...(isPlanned(row) ? [row.name] : []),
  ...(row.subcommands ?? []).filter(isPlanned).map(({ name }) => `${row.name} ${name}`),
]).map((name) => name.toUpperCase());

/** Forms of commands that are there, with words of which the form is refused as not supported yet. */
export const PLANNED_FORMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["REPLICAOF host port", ["REPLICAOF", "localhost", "1"]],
]);
