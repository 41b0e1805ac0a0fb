/** Numbers as they are written down, and bench/RESULTS.md, in which every run replaces its own sections only. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const RESULTS = join(ROOT, "bench/RESULTS.md");
const HEAD = `# Results

Written by \`bun run bench\`; every section says when, where and on which commit it was measured. Ratios are Bundis to
redis-server in the same run, the two alternating: median [least, greatest].
`;

export interface Section {
  title: string;
  /** Markdown. */
  body: string;
}

export interface Spread {
  median: number;
  least: number;
  greatest: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median =
    sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, least: sorted[0]!, greatest: sorted.at(-1)! };
}

export function showSpread({ median, least, greatest }: Spread, digits: number): string {
  return `${median.toFixed(digits)} [${least.toFixed(digits)}, ${greatest.toFixed(digits)}]`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function output(...command: string[]): string {
  return Bun.spawnSync(command, { cwd: ROOT }).stdout.toString().trim();
}

/** One line: when, which commit, which machine, which versions. */
export function provenance(): string {
  const changed = output("git", "status", "--porcelain") === "" ? "" : " with uncommitted changes";
  const commit = output("git", "rev-parse", "--short", "HEAD") + changed;
  const redis = output("redis-server", "--version").match(/v=(\S+)/)?.[1] ?? "none";
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model ?? "unknown CPU";
  const date = new Date().toISOString().slice(0, 16).replace("T", " ");
  return `${date} UTC, commit ${commit}; ${cpus().length} x ${model}, ${gib} GiB, Linux ${release()}; Bun ${Bun.version}, redis-server ${redis}`;
}

/** Sections of the file by title, in order. */
function readSections(): Map<string, string> {
  const sections = new Map<string, string>();
  if (!existsSync(RESULTS)) return sections;
  for (const part of readFileSync(RESULTS, "utf8").split(/^## /m).slice(1)) {
    const end = part.indexOf("\n");
    sections.set(part.slice(0, end), part.slice(end).trim());
  }
  return sections;
}

export function writeSection(section: Section): void {
  const sections = readSections();
  sections.set(section.title, `${section.body}\n\n*${provenance()}*`);
  const parts = [...sections].map(([title, body]) => `## ${title}\n\n${body}\n`);
  writeFileSync(RESULTS, [HEAD, ...parts].join("\n"));
}
