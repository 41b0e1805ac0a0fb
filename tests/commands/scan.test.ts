/** Whole iterations of SCAN: every key that stays is returned exactly once, whatever else comes and goes. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { BUILDS } from "../support/core.ts";
import { type CoreHarness, createHarness } from "../support/core-harness.ts";

let core: CoreHarness;
beforeEach(() => {
  core = createHarness({ wasmPath: BUILDS.tiny });
});
afterEach(() => {
  core.check();
});

interface Page {
  cursor: string;
  keys: string[];
}

function scanPage(cursor: string, ...options: string[]): Page {
  const reply = core.run("SCAN", cursor, ...options);
  if (reply.kind !== "array") throw new Error(`SCAN answered ${JSON.stringify(reply)}`);
  const [next, found] = reply.items;
  if (next?.kind !== "bulk" || found?.kind !== "array") throw new Error("not a page");
  return {
    cursor: next.text,
    keys: found.items.map((item) => (item.kind === "bulk" ? item.text : "")),
  };
}

function fill(count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => `key:${i}`);
  core.raw("MSET", ...keys.flatMap((key) => [key, "v"]));
  return keys;
}

test("a whole iteration returns every key once, page by page", () => {
  const keys = fill(5000);
  for (const count of ["1", "10", "1000", "100000"]) {
    const seen: string[] = [];
    let pages = 0;
    let cursor = "0";
    do {
      const page = scanPage(cursor, "COUNT", count);
      expect(Number(page.cursor)).toBeLessThan(2 ** 48);
      seen.push(...page.keys);
      cursor = page.cursor;
      pages++;
    } while (cursor !== "0");
    expect(seen.sort()).toEqual([...keys].sort());
    if (count === "100000") expect(pages).toBe(1);
    if (count === "10") expect(pages).toBeGreaterThan(100);
  }
});

test("a page ends after a bounded number of steps when nothing matches", () => {
  fill(5000);
  const page = scanPage("0", "MATCH", "nothing*", "COUNT", "1");
  expect(page.keys).toEqual([]);
  expect(page.cursor).not.toBe("0");
});

test("a page of more keys than are collected at once goes on in the next", () => {
  fill(50_000);
  core.raw("MSET", ...Array.from({ length: 50_000 }, (_, i) => [`more:${i}`, "v"]).flat());
  const seen: string[] = [];
  let cursor = "0";
  do {
    const page = scanPage(cursor, "COUNT", "10000000");
    seen.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== "0");
  expect(seen.length).toBe(100_000);
  expect(new Set(seen).size).toBe(100_000);
});

test("a cursor beyond every position ends the scan", () => {
  fill(10);
  for (const cursor of [`${2 ** 48}`, "18446744073709551615", "-1"])
    expect(scanPage(cursor)).toEqual({ cursor: "0", keys: [] });
});

test("SCAN and KEYS hide what has expired, and delete nothing", () => {
  fill(100);
  for (let i = 0; i < 50; i++) core.raw("PEXPIRE", `key:${i}`, "10");
  core.clock.advance(20);
  expect(scanPage("0", "COUNT", "1000").keys).toHaveLength(50);
  const reply = core.run("KEYS", "key:*");
  expect(reply.kind === "array" && reply.items.length).toBe(50);
  expect(core.run("DBSIZE")).toEqual({ kind: "integer", value: 100n });
});

const change = fc.record({
  grow: fc.boolean(),
  count: fc.integer({ min: 1, max: 400 }),
  tidy: fc.boolean(),
  pageCount: fc.integer({ min: 1, max: 40 }),
});

test("keys present throughout are returned exactly once while others come and go", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 20, maxLength: 60 }), (changes) => {
      core.raw("FLUSHALL", "SYNC");
      const lasting = fill(300);
      const seen = new Map<string, number>();
      let others = 0;
      let cursor = "0";
      let step = 0;
      do {
        const { grow, count, tidy, pageCount } = changes[step % changes.length]!;
        const page = scanPage(cursor, "COUNT", `${pageCount}`);
        for (const key of page.keys) seen.set(key, (seen.get(key) ?? 0) + 1);
        cursor = page.cursor;
        // Growth without end would outrun the scan.
        if (grow && others < 3000)
          for (let i = 0; i < count; i++) core.raw("SET", `other:${others++}`, "v");
        else for (let i = 0; i < count && others > 0; i++) core.raw("DEL", `other:${--others}`);
        if (tidy) core.core.tidySlice(500);
        step++;
      } while (cursor !== "0");
      for (const key of lasting) expect([key, seen.get(key)]).toEqual([key, 1]);
    }),
    { numRuns: 30 },
  );
});
