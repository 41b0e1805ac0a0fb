/** What people forget. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renewed, SECTIONS } from "../docs/generate.ts";

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
