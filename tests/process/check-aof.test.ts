/** `bundis --check-aof` as it is run from a shell. What it finds and does is tested in tests/unit/persistence/aof/check.test.ts. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { framesOf } from "../support/guarded-log.ts";
import { FROM_SOURCES, runProgram } from "../support/program.ts";
import { temporaryDirectory } from "../support/server-process.ts";
import { openTerminal } from "../support/terminal.ts";

const WHOLE = framesOf("SELECT 0", "SET a 1");
const TORN = `${WHOLE}*3\r\n$3\r\nSE`;
let dir: ReturnType<typeof temporaryDirectory>;
const file = () => join(dir.path, "appendonly.aof");
beforeEach(() => {
  dir = temporaryDirectory();
  writeFileSync(file(), TORN);
});
afterEach(() => dir.remove());

async function run(args: string[], stdin?: string): Promise<{ code: number; output: string }> {
  const program = runProgram(["--check-aof", ...args], stdin === undefined ? {} : { stdin });
  return { code: await program.exited, output: program.output() };
}

test("its exit code says whether the log is sound", async () => {
  expect((await run([dir.path])).code).toBe(1);
  expect((await run([])).code).toBe(2);
  writeFileSync(file(), WHOLE);
  const sound = await run([dir.path]);
  expect(sound.code).toBe(0);
  expect(sound.output).toContain("AOF appendonly.aof is valid\n");
});

test("without a terminal the answer is read from standard input, and its end is no", async () => {
  for (const stdin of [undefined, "", "n\n"]) {
    const refused = await run(["--fix", dir.path], stdin);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain("Aborting...");
    expect(readFileSync(file(), "latin1")).toBe(TORN);
  }
  expect((await run(["--fix", dir.path], "y\n")).code).toBe(0);
  expect(readFileSync(file(), "latin1")).toBe(WHOLE);
});

test("on a terminal it asks", async () => {
  const terminal = openTerminal([...FROM_SOURCES, "--check-aof", "--fix", dir.path]);
  try {
    const asked = await terminal.until(/Continue\? \[y\/N\]: $/);
    expect(asked).toContain(
      `from ${TORN.length} bytes, with ${TORN.length - WHOLE.length} bytes, to ${WHOLE.length} bytes`,
    );
    terminal.type("y\r");
    await terminal.until(/is valid/);
    expect(readFileSync(file(), "latin1")).toBe(WHOLE);
  } finally {
    await terminal.close();
  }
});
