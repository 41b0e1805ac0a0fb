import { expect, test } from "bun:test";
import EXCEPTIONS from "./exceptions.json";
import { type Exception, faultsOf, judge } from "./verdict.ts";
import EXTERNAL from "./yardstick-external-7.0.15.json";

const yardstick = { a: { one: 1, two: 2 }, b: { three: 1 } };
const later = (unit: string, name: string): Exception => ({
  unit,
  test: name,
  reason: "later",
  detail: "RPUSH",
});

test("every yardstick test of the units that ran passes, fails or is excepted", () => {
  const verdict = judge(["a"], yardstick, { a: { one: 1 } }, []);
  expect(verdict.counts).toEqual({ passed: 1, failed: 2, skipped: 0 });
  expect(verdict.failures).toEqual(["a: two"]);
});

test("a test that passes once of twice is counted half", () => {
  const verdict = judge(["a"], yardstick, { a: { one: 1, two: 1 } }, [later("a", "two")]);
  expect(verdict.counts).toEqual({ passed: 2, failed: 0, skipped: 1 });
  expect(verdict.excepted.get("later")).toBe(1);
});

test("an exception that passes is reported", () => {
  const verdict = judge(["b"], yardstick, { b: { three: 1 } }, [
    later("b", "three"),
    later("a", "one"),
  ]);
  expect(verdict.stale).toEqual(["b: three"]);
  expect(verdict.counts).toEqual({ passed: 1, failed: 0, skipped: 0 });
});

test("an exception names a test of the yardstick, once, with a reason and a detail", () => {
  expect(faultsOf([later("a", "one")], yardstick)).toEqual([]);
  expect(
    faultsOf(
      [
        later("a", "none"),
        later("a", "one"),
        later("a", "one"),
        { unit: "b", test: "three", reason: "flaky" as "later", detail: " " },
      ],
      yardstick,
    ),
  ).toHaveLength(4);
});

test("the exceptions of the project are in order", () => {
  expect(faultsOf(EXCEPTIONS as Exception[], EXTERNAL.units)).toEqual([]);
});
