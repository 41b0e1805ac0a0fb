/**
 * `bun run test`: builds, types, lint and format, layer rules, every test, then the short forms of Redis's own suite and of the
 * differential fuzzer. Prints what each step said, and closes with one line `N passed, N failed, N skipped`: the sum over the runners'
 * own reports, each check counting as one. With paths it runs their tests only: `bun run test tests/wire`.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runFuzz } from "./fuzz/run.ts";
import { runSuite } from "./suite/run.ts";
import { addCounts, type Counts, closingLine } from "./support/counts.ts";

const ROOT = join(import.meta.dir, "..");
const REPORT = join(ROOT, "build", "junit.xml");

function run(command: string[]): boolean {
  console.log(`$ ${command.join(" ")}`);
  const result = Bun.spawnSync(command, { cwd: ROOT, stdout: "inherit", stderr: "inherit" });
  return result.exitCode === 0;
}

function check(name: string, command: string[]): Counts {
  const passed = run(command);
  console.log(`${passed ? "ok" : "FAILED"}: ${name}`);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

/** A test may take long on a busy machine. Bun 1.4.5 does not heed the timeout of bunfig.toml. */
const TEST_TIMEOUT_MS = 120_000;

/** Counts of bun's JUnit report; a run that ended badly without a failed test counts as one failure. */
function bunTests(paths: string[]): Counts {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  rmSync(REPORT, { force: true });
  const ended = run([
    process.execPath,
    "test",
    `--timeout=${TEST_TIMEOUT_MS}`,
    "--reporter=junit",
    `--reporter-outfile=${REPORT}`,
    ...paths,
  ]);
  if (!existsSync(REPORT)) return { passed: 0, failed: 1, skipped: 0 };
  const head = readFileSync(REPORT, "utf8").match(/<testsuites[^>]*>/)?.[0] ?? "";
  const attribute = (name: string) => Number(head.match(new RegExp(` ${name}="(\\d+)"`))?.[1] ?? 0);
  const failed = attribute("failures") + attribute("errors");
  const skipped = attribute("skipped");
  const total = attribute("tests");
  return {
    passed: total - failed - skipped,
    failed: failed === 0 && !ended ? 1 : failed,
    skipped,
  };
}

async function main(paths: string[]): Promise<number> {
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const steps: (() => Counts | Promise<Counts>)[] = [
    () => check("builds", [process.execPath, "build.ts", "--tests"]),
    () => check("types", [process.execPath, "check"]),
    () =>
      check("lint, format, layers", [
        process.execPath,
        biome,
        "ci",
        "--colors=off",
        "--error-on-warnings",
        ".",
      ]),
    () => bunTests(paths),
  ];
  if (paths.length === 0)
    steps.push(
      () => runSuite(),
      () => runFuzz(),
    );
  const all: Counts[] = [];
  for (const step of steps) all.push(await step());
  const total = addCounts(all);
  console.log(closingLine(total));
  return total.failed === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
