/**
 * `bun run test`: builds, types, lint and format, layer rules, then every test. Prints what each step said, and closes
 * with one line `N passed, N failed, N skipped`: the sum over the runners' own reports, each check counting as one.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
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

/** Counts of bun's JUnit report; a run that ended badly without a failed test counts as one failure. */
function bunTests(paths: string[]): Counts {
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const ended = run([
    process.execPath,
    "test",
    "--reporter=junit",
    `--reporter-outfile=${REPORT}`,
    ...paths,
  ]);
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

function main(paths: string[]): number {
  const biome = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
  const steps: (() => Counts)[] = [
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
  const total = addCounts(steps.map((step) => step()));
  console.log(closingLine(total));
  return total.failed === 0 ? 0 : 1;
}

process.exit(main(process.argv.slice(2)));
