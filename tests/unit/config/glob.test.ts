import { expect, test } from "bun:test";
import { compileGlob } from "../../../server/config/glob.ts";

test("globs know stars, classes, ranges, negation and escapes", () => {
  const matches = (glob: string, text: string) => compileGlob(glob).test(text);
  expect(matches("max*", "maxmemory")).toBe(true);
  expect(matches("h[ae]llo", "hallo")).toBe(true);
  expect(matches("h[^e]llo", "hello")).toBe(false);
  expect(matches("h[a-c]llo", "hbllo")).toBe(true);
  expect(matches("a\\*b", "a*b")).toBe(true);
  expect(matches("a\\*b", "axb")).toBe(false);
  expect(matches("a.b", "axb")).toBe(false);
});

test("no glob of a client throws or takes long", () => {
  expect(compileGlob("[z-a]").test("m")).toBe(true);
  for (const glob of ["[", "[]", "[^]", "\\", "[a-", "[^\\"])
    expect(() => compileGlob(glob).test("a")).not.toThrow();
  const startedMs = performance.now();
  expect(compileGlob(`${"*a".repeat(500)}!`).test("a".repeat(1000))).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(500);
});
