/** The core's static texts are bytes in its source: each says in its comment what it says. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

const SOURCE = readFileSync(`${import.meta.dir}/../../core-wasm/texts.ts`, "utf8");
const TEXT =
  /\/\*\* (?<comment>.+) \*\/\nexport function (?<name>\w+Text)\(\): u64 \{\s*return text\(\s*memory\.data<u8>\(\[(?<bytes>[\d,\s]+)\]\),\s*(?<length>\d+),?\s*\);\s*\}/g;

test("every static text has the bytes and the length that its comment promises", () => {
  const found = [...SOURCE.matchAll(TEXT)].map((match) => match.groups!);
  expect(found).toHaveLength(SOURCE.match(/export function \w+Text\(/g)!.length);
  for (const { comment, name, bytes, length } of found) {
    const numbers = bytes!.split(",").map((byte) => byte.trim());
    const text = Buffer.from(numbers.filter((byte) => byte !== "").map(Number)).toString("latin1");
    expect([name, text.trimEnd()]).toEqual([name, comment]);
    expect([name, text.length]).toEqual([name, Number(length)]);
  }
});
