/** LCS against the whole table of lengths, walked back by Redis's rule. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Build, createTestCore } from "../support/core.ts";

interface Match {
  a: [number, number];
  b: [number, number];
  length: number;
}

/** lengths[i][j] is the length for the first i letters of a and j of b. */
function table(a: string, b: string): number[][] {
  const lengths = [new Array<number>(b.length + 1).fill(0)];
  for (let i = 1; i <= a.length; i++) {
    const above = lengths[i - 1]!;
    const row = [0];
    for (let j = 1; j <= b.length; j++)
      row.push(a[i - 1] === b[j - 1] ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!));
    lengths.push(row);
  }
  return lengths;
}

/** From the end: a letter that both have is taken, else the longer neighbour is gone to, b's if they are equal. */
function walk(a: string, b: string): { text: string; matches: Match[]; length: number } {
  const lengths = table(a, b);
  const matches: Match[] = [];
  let text = "";
  let open = false;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a[i - 1] === b[j - 1]) {
      i--;
      j--;
      text = a[i] + text;
      const last = matches.at(-1);
      if (open && last !== undefined) {
        last.a[0] = i;
        last.b[0] = j;
        last.length++;
      } else matches.push({ a: [i, i], b: [j, j], length: 1 });
      open = true;
    } else {
      open = false;
      if (lengths[i - 1]![j]! > lengths[i]![j - 1]!) i--;
      else j--;
    }
  }
  return { text, matches, length: lengths[a.length]![b.length]! };
}

const word = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 40 }),
  fc.string({ unit: fc.constantFrom("a", "b", "c", "\0", "\xff"), maxLength: 200 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.integer().map(String),
  fc.string({ unit: fc.constantFrom("x", "y", "z"), minLength: 60, maxLength: 70 }),
);

const cases: [Build, number][] = [
  ["debug", 300],
  ["release", 1500],
];
for (const [build, runs] of cases)
  test(`LCS finds what the table finds (${build})`, () => {
    const core = createTestCore({ build });
    fc.assert(
      fc.property(word, word, fc.integer({ min: -1, max: 5 }), (a, b, shortest) => {
        core.must("MSET", "a", a, "b", b);
        const { text, matches, length } = walk(a, b);
        const long = matches.filter((match) => match.length >= shortest);
        expect(core.must("LCS", "a", "b")).toBe(text);
        expect(core.must("LCS", "a", "b", "LEN")).toBe(length);
        expect(core.must("LCS", "a", "b", "IDX", "MINMATCHLEN", `${shortest}`)).toEqual([
          "matches",
          long.map((match) => [match.a, match.b]),
          "len",
          length,
        ]);
        expect(core.must("LCS", "a", "b", "IDX", "WITHMATCHLEN")).toEqual([
          "matches",
          matches.map((match) => [match.a, match.b, match.length]),
          "len",
          length,
        ]);
      }),
      { numRuns: runs },
    );
    core.check();
  });
