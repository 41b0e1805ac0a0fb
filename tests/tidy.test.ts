/** What people forget. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renewed, SECTIONS } from "../docs/generate.ts";

for (const section of SECTIONS)
  test(`docs/${section.file} has what the code says of ${section.name}`, () => {
    const document = readFileSync(join(import.meta.dir, "../docs", section.file), "utf8");
    // `bun docs/generate.ts` writes it anew.
    expect(document).toBe(renewed(document, section));
  });
