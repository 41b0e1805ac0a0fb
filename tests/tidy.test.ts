/** What people forget. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renewed, SECTIONS } from "../docs/generate.ts";
import { isPlanned } from "../server/commands/spec.ts";
import { ALL_COMMANDS } from "../server/commands/table.ts";

for (const section of SECTIONS)
  test(`docs/${section.file} has what the code says of ${section.name}`, () => {
    const document = readFileSync(join(import.meta.dir, "../docs", section.file), "utf8");
    // `bun docs/generate.ts` writes it anew.
    expect(document).toBe(renewed(document, section));
  });

const ROOT = join(import.meta.dir, "..");

const DOCUMENTS = readdirSync(join(ROOT, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);

test.each(["README.md", ...DOCUMENTS])("the paths that %s names exist", (file) => {
  const named = readFileSync(join(ROOT, file), "utf8").matchAll(
    /\b((?:server|core-wasm|tests|bench)\/[\w./-]*)/g,
  );
  const paths = [...new Set([...named].map(([, path]) => path!.replace(/\.$/, "")))];
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

/** Everything that tests send, as they write it. */
const TESTED = [
  "commands",
  "model",
  "wire",
  "process",
  "crash",
  "clients",
  "unit",
  "config",
  "fuzz",
]
  .flatMap((folder) =>
    [...new Bun.Glob("**/*.{ts,py}").scanSync(join(ROOT, "tests", folder))].map((file) =>
      join(ROOT, "tests", folder, file),
    ),
  )
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

/** How tests write a command: `SET k v`, `"SET", "k"`, and in the fuzzer's grammar in small letters. */
function isSent(name: string, subcommand?: string): boolean {
  if (subcommand === undefined)
    return new RegExp(`["'\`| ]${name.toUpperCase()}\\b|["']${name}["']`).test(TESTED);
  return new RegExp(`\\b${name}["', ]+${subcommand}\\b`, "i").test(TESTED);
}

test("every command that is there is sent by some test", () => {
  const present = ALL_COMMANDS.filter((spec) => !isPlanned(spec));
  const unsent = present.flatMap(({ name, subcommands = [] }) => [
    ...(isSent(name) ? [] : [name]),
    ...subcommands
      .filter((subcommand) => !isPlanned(subcommand) && !isSent(name, subcommand.name))
      .map((subcommand) => `${name} ${subcommand.name}`),
  ]);
  expect(unsent).toEqual([]);
});

/** A crash report tells the code of the assertion that failed: it must lead to one file. */
test("no two files of the core use the same code in ensure", () => {
  const files = new Map<string, Set<string>>();
  for (const file of new Bun.Glob("**/*.ts").scanSync(join(ROOT, "core-wasm"))) {
    const source = readFileSync(join(ROOT, "core-wasm", file), "utf8");
    for (const [, code] of source.matchAll(/\bensure\([^;]*?,\s*(\d{3}),/g))
      files.set(code!, (files.get(code!) ?? new Set()).add(file));
  }
  expect(files.size).toBeGreaterThan(100);
  expect([...files].filter(([, where]) => where.size > 1)).toEqual([]);
});
