import { expect, test } from "bun:test";
import { ALL_COMMANDS } from "../../server/commands/table.ts";
import { startServer } from "../../server/index.ts";
import { PLANNED_FORMS } from "../support/planned.ts";
import { openConnection } from "../support/reference.ts";
import EXCEPTIONS from "./exceptions.json";
import { type Exception, faultsOf, judge, overdueOf, staleOf } from "./verdict.ts";
import EXTERNAL from "./yardstick-external-7.0.15.json";

const yardstick = { a: { one: 1, two: 2 }, b: { three: 1 } };
const commands = new Set(["RPUSH"]);
const later = (unit: string, name: string, detail = "RPUSH"): Exception => ({
  unit,
  test: name,
  reason: "later",
  detail,
});

test("every yardstick test of the units that ran passes, fails or is excepted", () => {
  const verdict = judge(["a"], yardstick, { a: { one: 1, more: 1 } }, [later("b", "three")]);
  expect(verdict.counts).toEqual({ passed: 1, failed: 2, skipped: 0 });
  expect(verdict.failures).toEqual(["a: two"]);
});

test("a test that passes once of twice has failed once", () => {
  const verdict = judge(["a"], yardstick, { a: { one: 1, two: 1 } }, []);
  expect(verdict.counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
});

test("an excepted test is skipped, by reason", () => {
  const verdict = judge(["a", "b"], yardstick, { b: { three: 1 } }, [
    later("a", "two"),
    { ...later("a", "one"), reason: "7.2" },
  ]);
  expect(verdict.counts).toEqual({ passed: 1, failed: 0, skipped: 3 });
  expect([...verdict.excepted]).toEqual([
    ["7.2", 1],
    ["later", 2],
  ]);
});

test("an exception that passes is reported", () => {
  const exceptions = [later("b", "three"), later("a", "one"), later("a", "two")];
  expect(staleOf(exceptions, yardstick, { a: { two: 1 }, b: { three: 1 } })).toEqual(["b: three"]);
});

test("an exception is overdue when all its commands are there", () => {
  const waiting = new Set(["RPUSH"]);
  expect(overdueOf([later("a", "one", "RPUSH, SADD")], waiting)).toEqual([]);
  expect(overdueOf([later("a", "two", "SADD")], waiting)).toEqual(["a: two (SADD)"]);
});

test("an exception names a test of the yardstick, once, with a reason and a command", () => {
  const faults = (...exceptions: Exception[]) => faultsOf(exceptions, yardstick, commands);
  expect(faults(later("a", "one"), { ...later("a", "two", "text"), reason: "7.2" })).toEqual([]);
  expect(faults(later("a", "none"))).toHaveLength(1);
  expect(faults(later("a", "one"), later("a", "one"))).toHaveLength(1);
  expect(faults(later("a", "one", "RPUSH, NOSUCH"))).toHaveLength(1);
  expect(faults({ ...later("a", "one"), reason: "flaky" as "later" })).not.toEqual([]);
  expect(faults({ ...later("a", "one", ""), reason: "7.2" })).toHaveLength(1);
});

test("the exceptions of the project are in order", () => {
  const exceptions = EXCEPTIONS as Exception[];
  const rows = ALL_COMMANDS.flatMap((row) => [
    row.name,
    ...(row.subcommands ?? []).map(({ name }) => `${row.name} ${name}`),
  ]).map((name) => name.toUpperCase());
  const commands = new Set([...rows, ...PLANNED_FORMS.keys()]);
  expect(faultsOf(exceptions, EXTERNAL.units, commands)).toEqual([]);
});

test("the forms of commands that exceptions wait for are refused so far", async () => {
  const server = await startServer();
  const client = await openConnection(server.port);
  for (const words of PLANNED_FORMS.values())
    expect(await client.raw(...words)).toEndWith("not supported yet\r\n");
  client.close();
  await server.close();
});
