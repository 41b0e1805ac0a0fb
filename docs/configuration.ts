/** The table of docs/configuration.md, from the rows of the directives. */
import type { Directive } from "../server/config/directive.ts";
import { SECTIONS } from "../server/config/directives.ts";

const cell = (text: string) => text.replaceAll("|", "\\|");

function line(name: string, row: Directive): string {
  const names = row.alias === undefined ? `\`${name}\`` : `\`${name}\` (\`${row.alias}\`)`;
  const initial = row.initial === "" ? "" : `\`${row.initial}\``;
  const when = row.atStart ? "start" : row.guarded ? "protected" : "any time";
  const effect = row.hasEffect ? "yes" : "no";
  const about = row.hasEffect ? row.about : `Accepted without effect: ${row.about}.`;
  return `| ${names} | ${cell(row.kind.form)} | ${initial} | ${when} | ${effect} | ${cell(about)} |`;
}

/** One table for each section; hidden directives are left out. */
export function directiveTables(): string {
  return Object.entries(SECTIONS)
    .map(([title, rows]) => {
      const lines = (Object.entries(rows) as [string, Directive][])
        .filter(([, row]) => !row.hidden)
        .map(([name, row]) => line(name, row));
      return `### ${title}\n\n| directive | values | default | set | effect | |\n|---|---|---|---|---|---|\n${lines.join("\n")}\n`;
    })
    .join("\n");
}
