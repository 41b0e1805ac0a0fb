/**
 * Prepares a checkout. Imports nothing that an install has to bring first.
 *
 *   bun build.ts --if-stale   dependencies from the frozen lock file, and build/core.wasm, each only if stale
 *   bun build.ts --tests      the same, and the debug and the tiny-bucket builds that the tests load
 *   bun build.ts --executable FILE   the release core and the executable, as FILE
 *   bun build.ts              everything, and the artefacts: dist/bundis (single-file executable), dist/core.wasm
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const ROOT = import.meta.dir;
const STAMPS = join(ROOT, "build", "stamps");

interface CoreBuild {
  name: string;
  entry: string;
  options: string[];
  /** Source files that are read in place of others: tuning constants of the test build. */
  replace: Record<string, string>;
  outFile: string;
  wat?: string;
}

const RELEASE: CoreBuild = {
  name: "release",
  entry: "core-wasm/index.ts",
  options: ["--target", "release"],
  replace: {},
  outFile: "build/core.wasm",
  wat: "build/core.wat",
};
const TEST_BUILDS: CoreBuild[] = [
  {
    name: "debug",
    entry: "core-wasm/index.ts",
    options: ["--target", "debug"],
    replace: {},
    outFile: "build/core.debug.wasm",
  },
  {
    name: "tiny",
    entry: "core-wasm/testing.ts",
    options: ["--target", "debug", "--outFile", "build/core.tiny.wasm"],
    replace: { "core-wasm/tuning.ts": "core-wasm/tuning.tiny.ts" },
    outFile: "build/core.tiny.wasm",
  },
];

function digestOf(files: string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  return hash.digest("hex");
}

function coreSources(): string[] {
  const files = readdirSync(join(ROOT, "core-wasm"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join("core-wasm", file))
    .sort();
  return [...files, "asconfig.json", "build.ts", "bun.lock"];
}

/** Runs `work` unless the inputs are those of its last success and the output is still there. */
async function whenStale(
  stamp: string,
  inputs: string[],
  output: string,
  work: () => Promise<void> | void,
): Promise<void> {
  const file = join(STAMPS, stamp);
  const digest = digestOf(inputs);
  const fresh = existsSync(file) && readFileSync(file, "utf8") === digest;
  if (fresh && existsSync(join(ROOT, output))) return;
  // It may take half a minute: whoever starts a fresh clone wants to know why.
  console.log(`build: ${stamp} ...`);
  await work();
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(file, digest);
}

function run(command: string[]): void {
  const result = Bun.spawnSync(command, { cwd: ROOT, stdout: "inherit", stderr: "inherit" });
  if (result.exitCode !== 0) {
    console.error(`build: ${command.join(" ")} failed with code ${result.exitCode}`);
    process.exit(1);
  }
}

async function compileCore(build: CoreBuild): Promise<void> {
  const { default: asc } = await import("assemblyscript/asc");
  mkdirSync(join(ROOT, "build"), { recursive: true });
  const result = await asc.main(
    [build.entry, "--config", "asconfig.json", "--baseDir", ROOT, ...build.options],
    {
      stdout: process.stdout,
      stderr: process.stderr,
      readFile: (name: string, baseDir: string) => {
        const path = join(baseDir, build.replace[name] ?? name);
        return existsSync(path) ? readFileSync(path, "utf8") : null;
      },
    },
  );
  if (result.error) {
    console.error(`build: core (${build.name}) does not compile`);
    process.exit(1);
  }
  if (build.wat) checkModule(readFileSync(join(ROOT, build.wat), "utf8"));
}

/** The core's own rules, on what the compiler really made (DESIGN 3). */
function checkModule(wat: string): void {
  const faults: string[] = [];
  for (const [, name] of wat.matchAll(/\(import "env" "(\w+)"/g))
    if (name !== "memory" && name !== "drain") faults.push(`import env.${name}`);
  if (/\(import "(?!env")/.test(wat)) faults.push("an import that is not of env");
  if (/^ \(global \$\S+ \(mut/m.test(wat)) faults.push("a mutable global");
  if (/^ \(start/m.test(wat)) faults.push("a start function");
  if (wat.includes("~lib/rt/")) faults.push("the managed runtime");
  for (const [, offset, text] of wat.matchAll(
    /\(data \$\d+ \(i32\.const (\d+)\) "((?:[^"\\]|\\.)*)"/g,
  )) {
    const bytes = (text as string).replace(/\\[0-9a-f]{2}|\\./g, "x").length;
    if (Number(offset) + bytes > 65536) faults.push("data beyond the first 64 KiB");
  }
  if (faults.length === 0) return;
  console.error(`build: the release core breaks its rules: ${[...new Set(faults)].join(", ")}`);
  process.exit(1);
}

async function main(args: string[]): Promise<void> {
  const everything = args.length === 0;
  await whenStale("install", ["bun.lock", "package.json"], "node_modules", () =>
    run([process.execPath, "install", "--frozen-lockfile", "--silent"]),
  );
  const executable = args[0] === "--executable" ? args[1] : undefined;
  const onlyRelease = executable !== undefined || args.includes("--if-stale");
  const builds = onlyRelease ? [RELEASE] : [RELEASE, ...TEST_BUILDS];
  for (const build of builds)
    await whenStale(`core-${build.name}`, coreSources(), build.outFile, () => compileCore(build));
  if (executable !== undefined) compileExecutable(executable);
  if (!everything) return;
  mkdirSync(join(ROOT, "dist"), { recursive: true });
  copyFileSync(join(ROOT, RELEASE.outFile), join(ROOT, "dist/core.wasm"));
  compileExecutable("dist/bundis");
}

/** One file with everything in it. It reads no .env and no bunfig.toml where it is started. */
function compileExecutable(outFile: string): void {
  run([
    process.execPath,
    "build",
    "--compile",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "server/main.ts",
    // Threads begin with files of their own.
    "server/persistence/sync-worker.ts",
    "--outfile",
    outFile,
  ]);
}

await main(process.argv.slice(2));
