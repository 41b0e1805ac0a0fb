/**
 * The differential fuzzer: the same random commands to redis-server and to Bundis, every reply and every state compared.
 *
 *   bun tests/fuzz/run.ts                                  the short form, as `bun run test` runs it
 *   bun tests/fuzz/run.ts --count 200000 --seeds 1,2,3     and one random seed
 *   bun tests/fuzz/run.ts --families string,keys           these families only
 *
 * `difffuzz.py` does the running; `redis-7.2.ignore` names where 7.2 answers otherwise than the reference.
 */
import { randomInt } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { addCounts, type Counts, closingLine } from "../support/counts.ts";
import { PLANNED_COMMANDS } from "../support/planned.ts";
import { REFERENCE_PATH, startReference } from "../support/reference.ts";
import { freePort, startProcess, temporaryDirectory } from "../support/server-process.ts";

const ROOT = join(import.meta.dir, "../..");
const ENGINE = join(import.meta.dir, "difffuzz.py");
const IGNORE_FILE = join(import.meta.dir, "redis-7.2.ignore");
const REPORT = join(ROOT, "build", "fuzz.json");

/** What Bundis covers so far. */
const FAMILIES = [
  "string",
  "hash",
  "list",
  "set",
  "zset",
  "stream",
  "blocking",
  "bitops",
  "hll",
  "geo",
  "keys",
  "sort",
  "object",
  "server",
  "multi",
];
const SHORT_COUNT = 20_000;
const SHORT_SEEDS = ["1"];
/** In RESP3 each command comes so many times in one piece, which the core may run in one call. */
const REPEAT = 3;

interface Options {
  count: number;
  /** Fixed seeds; a random one is added to each run. */
  seeds: string[];
  families: string[];
  /** Commands that are not sent. */
  skip: readonly string[];
}

const SHORT: Options = {
  count: SHORT_COUNT,
  seeds: SHORT_SEEDS,
  families: FAMILIES,
  skip: PLANNED_COMMANDS,
};

interface Report {
  commands: number;
  mismatches: Record<string, number>;
  ignored: Record<string, number>;
  skipped: Record<string, number>;
}

/** A rule of the ignore file, with the comment above it. */
interface Rule {
  pattern: string;
  change: string;
}

export function parseRules(text: string): Rule[] {
  const rules: Rule[] = [];
  let change = "";
  for (const line of text.split("\n"))
    if (line.startsWith("#")) change = line.slice(1).trim();
    else if (line.trim() !== "") rules.push({ pattern: line, change });
  return rules;
}

/** Runs every seed in both protocols; each run counts as one check. */
export async function runFuzz(options: Options = SHORT): Promise<Counts> {
  const seeds = [...options.seeds, String(randomInt(1, 1_000_000_000))];
  const missing = REFERENCE_PATH === null ? "redis-server" : (Bun.which("python3") ?? "python3");
  if (REFERENCE_PATH === null || Bun.which("python3") === null) {
    console.log(`the differential fuzzer is skipped: ${missing} is not installed`);
    return { passed: 0, failed: 0, skipped: seeds.length * 2 };
  }
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const dir = temporaryDirectory();
  const reference = await startReference(freePort());
  const server = await startProcess(
    freePort(),
    "--dir",
    dir.path,
    "--save",
    "",
    "--enable-debug-command",
    "yes",
  );
  const hits = new Map<string, number>();
  const notSent = new Set<string>();
  try {
    const runs = seeds.flatMap((seed) => [false, true].map((resp3) => ({ seed, resp3 })));
    const counts: Counts[] = [];
    for (const { seed, resp3 } of runs) {
      const command = ["python3", "-B", ENGINE, "--seed", seed, "--count", String(options.count)];
      command.push("--a", `127.0.0.1:${reference.port}`, "--b", `127.0.0.1:${server.port}`);
      command.push("--families", options.families.join(","), "--skip", options.skip.join(","));
      command.push("--ignore-file", IGNORE_FILE, "--report", REPORT, "--force");
      if (resp3) command.push("--resp3", "--repeat", String(REPEAT));
      const ended = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" });
      const report: Report = JSON.parse(readFileSync(REPORT, "utf8"));
      for (const name of Object.keys(report.skipped)) notSent.add(name);
      for (const [rule, count] of Object.entries(report.ignored))
        hits.set(rule, (hits.get(rule) ?? 0) + count);
      counts.push({
        passed: ended.exitCode === 0 ? 1 : 0,
        failed: ended.exitCode === 0 ? 0 : 1,
        skipped: 0,
      });
    }
    console.log(`not sent, later issues bring them: ${[...notSent].toSorted().join(", ")}`);
    printRules(hits);
    return addCounts(counts);
  } finally {
    await server.kill("SIGKILL");
    await reference.stop();
    dir.remove();
  }
}

function printRules(hits: ReadonlyMap<string, number>): void {
  console.log("where 7.2 answers otherwise than the reference:");
  for (const { pattern, change } of parseRules(readFileSync(IGNORE_FILE, "utf8")))
    console.log(`  ${String(hits.get(pattern) ?? 0).padStart(6)}  ${change}`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: String(SHORT_COUNT) },
      seeds: { type: "string", default: SHORT_SEEDS.join(",") },
      families: { type: "string", default: FAMILIES.join(",") },
      skip: { type: "string", default: PLANNED_COMMANDS.join(",") },
    },
  });
  const words = (text: string) => text.split(",").filter((word) => word !== "");
  const counts = await runFuzz({
    count: Number(values.count),
    seeds: words(values.seeds),
    families: words(values.families),
    skip: words(values.skip),
  });
  console.log(closingLine(counts));
  process.exit(counts.failed === 0 ? 0 : 1);
}
