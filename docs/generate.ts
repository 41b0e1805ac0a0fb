/**
 * The parts of the documentation that derive from tables in the code: `bun docs/generate.ts` writes them anew between the
 * markers of their file, and a test checks that they are fresh.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandSpec, isPlanned } from "../server/commands/spec.ts";
import { ALL_COMMANDS } from "../server/commands/table.ts";
import { directiveTables } from "./configuration.ts";

export interface Section {
  /** Path from this folder. */
  file: string;
  name: string;
  text(): string;
}

const shown = (name: string) => `\`${name.toUpperCase().replace("|", " ")}\``;

/** Names of the rows by group, where all subcommands of a container count as the container. */
function byGroup(wanted: (spec: CommandSpec) => boolean): string {
  const groups = new Map<string, string[]>();
  for (const command of ALL_COMMANDS) {
    const { subcommands = [] } = command;
    const inner = subcommands.filter(({ name }) => name !== "help");
    const names =
      wanted(command) || (inner.length > 0 && inner.every(wanted))
        ? [command.name]
        : inner.filter(wanted).map(({ name }) => `${command.name}|${name}`);
    groups.set(command.group, [...(groups.get(command.group) ?? []), ...names]);
  }
  return [...groups]
    .filter(([, names]) => names.length > 0)
    .map(([group, names]) => `- ${group}: ${names.toSorted().map(shown).join(" ")}`)
    .join("\n");
}

export const SECTIONS: readonly Section[] = [
  { file: "compatibility.md", name: "commands not there yet", text: () => byGroup(isPlanned) },
  { file: "configuration.md", name: "directives", text: directiveTables },
];

/** The document with this section's text put between its markers. @throws Error if it has none */
export function renewed(document: string, { name, text }: Section): string {
  const begin = `<!-- generated: ${name} -->`;
  const end = "<!-- end of generated -->";
  const from = document.indexOf(begin);
  const to = document.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`no markers for "${name}"`);
  return `${document.slice(0, from)}${begin}\n${text()}\n${document.slice(to)}`;
}

if (import.meta.main)
  for (const section of SECTIONS) {
    const path = join(import.meta.dir, section.file);
    writeFileSync(path, renewed(readFileSync(path, "utf8"), section));
  }
