/**
 * Redis's own test suite (the Tcl one of 7.0.15) against Bundis, compared by test name with what redis-server passes.
 *
 *   bun tests/suite/run.ts                     the units that Bundis covers so far
 *   bun tests/suite/run.ts 'unit/type/*' ...   these, as globs
 *
 * `redis-suite.py` does the running: it gets the suite from Debian's source package into a cache folder outside the project,
 * starts a server for each unit and reads what the suite prints. Lists of a run are left in build/redis-suite.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Counts, closingLine } from "../support/counts.ts";
import { PLANNED_COMMANDS, PLANNED_FORMS } from "../support/planned.ts";
import EXCEPTIONS from "./exceptions.json";
import { type Exception, judge, overdueOf, type PassedTests, staleOf } from "./verdict.ts";
import YARDSTICK from "./yardstick-external-7.0.15.json";

const ROOT = join(import.meta.dir, "../..");
const OUT = join(ROOT, "build", "redis-suite");
const ENGINE = join(import.meta.dir, "redis-suite.py");
/** Units at once: as many as CI has processors. */
const JOBS = 2;
const STUCK_SECONDS = 60;
/** Where the suite looks for ports of its own: by process, so that two runs on a machine do not meet. */
const BASE_PORT = 10_100 + (process.pid % 38) * 500;

/** Units of whose commands all, or nearly all, are there. Tests that hold gigabytes (`large-memory`) are left out by the suite itself. */
export const COVERED_UNITS = [
  "unit/type/string",
  "unit/type/incr",
  "unit/type/hash",
  "unit/type/set",
  "unit/type/zset",
  "unit/type/list",
  "unit/type/list-2",
  "unit/type/list-3",
  "unit/type/stream",
  "unit/type/stream-cgroups",
  "unit/bitops",
  "unit/bitfield",
  "unit/expire",
  "unit/keyspace",
  "unit/scan",
  "unit/protocol",
  "unit/querybuf",
  "unit/quit",
  "unit/multi",
  "unit/slowlog",
  "unit/latency-monitor",
  "unit/introspection",
  "unit/pause",
  "unit/introspection-2",
  "unit/info-command",
  "unit/other",
  "unit/hyperloglog",
  "unit/sort",
  "unit/geo",
  "unit/lazyfree",
  "unit/violations",
  "integration/redis-cli",
];

/** The yardstick's server had these too. */
const SERVER =
  `${process.execPath} ${join(ROOT, "server/main.ts")} --port {port} --dir {dir} --save "" --appendonly no` +
  " --enable-debug-command yes --enable-protected-configs yes --enable-module-command yes";

const yardstick: PassedTests = YARDSTICK.units;

/** Why the suite cannot run here, or undefined. */
function obstacle(): string | undefined {
  const missing = ["python3", "tclsh", "redis-cli", "redis-benchmark"].filter(
    (program) => Bun.which(program) === null,
  );
  if (missing.length > 0) return `${missing.join(" and ")} not installed`;
  const got = Bun.spawnSync(["python3", "-B", ENGINE, "--obtain-only"], { stderr: "pipe" });
  if (got.exitCode !== 0)
    return `the suite's source cannot be had: ${got.stderr.toString().trim().split("\n").at(-1)}`;
  return undefined;
}

/** Runs the units that match the globs and prints what the suite says and what it means. */
export function runSuite(globs: readonly string[] = COVERED_UNITS): Counts {
  const units = Object.keys(yardstick).filter((unit) =>
    globs.some((glob) => new Bun.Glob(glob).match(unit)),
  );
  const reason = obstacle();
  if (reason !== undefined) {
    console.log(`Redis's suite is skipped: ${reason}`);
    return { passed: 0, failed: 0, skipped: judge(units, yardstick, {}, []).counts.failed };
  }
  const exceptions = (EXCEPTIONS as Exception[]).filter(({ unit }) => units.includes(unit));
  // They are left out, lest they leave a transaction open or a key behind for the tests that count.
  const leftOut = exceptions.filter(({ keep }) => keep !== true);
  const first = run(units, OUT, leftOut);
  if (first === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const passed = { ...first, ...runHungAgain(leftOut) };
  const verdict = judge(units, yardstick, passed, exceptions);
  for (const name of verdict.failures) console.log(`FAILED ${name}`);
  for (const name of overdueOf(exceptions, new Set([...PLANNED_COMMANDS, ...PLANNED_FORMS.keys()])))
    console.log(`its commands are there, see what else it waits for: ${name}`);
  for (const [why, count] of verdict.excepted) console.log(`excepted, reason ${why}: ${count}`);
  if (verdict.failures.length > 0) console.log(`details: ${join(OUT, "failed-details.txt")}`);
  reportStale(exceptions);
  return verdict.counts;
}

/** Units in which a test hung: on a busy machine that may be a wait of the suite's that is too short. Each gets one more run, by itself. */
function runHungAgain(leftOut: readonly Exception[]): PassedTests {
  const lines = readFileSync(join(OUT, "failed.txt"), "utf8").split("\n");
  const hung = lines.map((line) => line.split("\t")).filter(([, kind]) => kind === "hung");
  const units = [...new Set(hung.map(([unit]) => unit!))];
  if (units.length === 0) return {};
  console.log(`hung, run once more, each by itself: ${units.join(", ")}`);
  return run(units, `${OUT}-again`, leftOut, "--jobs", "1") ?? {};
}

/** Runs the units without the tests of `without`. @returns what passed, or undefined if the engine did not get through */
function run(
  units: readonly string[],
  out: string,
  without: readonly Exception[],
  ...more: string[]
): PassedTests | undefined {
  mkdirSync(out, { recursive: true });
  const skips = join(out, "skip.json");
  const names: Record<string, string[]> = {};
  for (const { unit, test } of without) names[unit] = [...(names[unit] ?? []), test];
  writeFileSync(skips, JSON.stringify(names));
  const command = ["python3", "-B", ENGINE, "--port", "0", "--start", SERVER, "--out", out];
  command.push("--extra=--ignore-encoding", "--jobs", String(JOBS), "--skip-tests", skips);
  command.push("--timeout", String(STUCK_SECONDS), "--units", units.join(","));
  command.push("--baseport", String(BASE_PORT), ...more);
  const ended = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" });
  if (ended.exitCode !== 0) return undefined;
  return JSON.parse(readFileSync(join(out, "passed.json"), "utf8")).units;
}

/** Runs the units of the exceptions whole, to see which of those pass by now. */
function reportStale(exceptions: readonly Exception[]): void {
  if (exceptions.length === 0) return;
  console.log("the same with the excepted tests, to see whether they still fail:");
  const units = [...new Set(exceptions.map(({ unit }) => unit))];
  const passed = run(units, `${OUT}-excepted`, [], "--isolate", "0") ?? {};
  for (const name of staleOf(exceptions, yardstick, passed))
    console.log(`passes now, take it out of exceptions.json: ${name}`);
}

if (import.meta.main) {
  const globs = process.argv.slice(2);
  const counts = runSuite(globs.length > 0 ? globs : COVERED_UNITS);
  console.log(closingLine(counts));
  process.exit(counts.failed === 0 ? 0 : 1);
}
