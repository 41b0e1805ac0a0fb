import { expect, test } from "bun:test";
import { Cmd } from "../../../core-wasm/abi.ts";
import { DEBUG_CORE_COMMANDS } from "../../../server/commands/debug.ts";
import { keyPositions } from "../../../server/commands/key-positions.ts";
import type { ArgSpec, CommandSpec } from "../../../server/commands/spec.ts";
import { ALL_COMMANDS, createCommandTable } from "../../../server/commands/table.ts";

function command(name: string): CommandSpec {
  const [first, second] = name.split("|");
  const spec = ALL_COMMANDS.find((candidate) => candidate.name === first);
  const found = second === undefined ? spec : spec?.subcommands?.find((sub) => sub.name === second);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

test("names are unique and lower case, here and within each container", () => {
  for (const level of [ALL_COMMANDS, ...ALL_COMMANDS.map((spec) => spec.subcommands ?? [])]) {
    const names = level.map((spec) => spec.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z_-]+$/);
  }
});

test("every command of the core has exactly one row, and none of them a handler", () => {
  const specs = ALL_COMMANDS.flatMap((spec) => [spec, ...(spec.subcommands ?? [])]);
  const ids = [...specs.flatMap((spec) => spec.id ?? []), ...DEBUG_CORE_COMMANDS.values()];
  ids.sort((a, b) => a - b);
  const known = Object.values(Cmd).filter((id) => typeof id === "number");
  expect(ids).toEqual(known.toSorted((a, b) => a - b));
  for (const spec of specs) if (spec.id !== undefined) expect(spec.handler).toBeUndefined();
});

function keyArgs(args: readonly ArgSpec[]): ArgSpec[] {
  return args.flatMap((arg) => [...(arg.type === "key" ? [arg] : []), ...keyArgs(arg.args ?? [])]);
}

test("every key argument names a key specification of its row", () => {
  for (const { spec } of createCommandTable(ALL_COMMANDS).rows)
    for (const { keySpecIndex } of keyArgs(spec.args ?? []))
      expect(spec.keys?.[keySpecIndex ?? -1]).toBeDefined();
});

test("every row says what it is for and what it costs, in words of one form", () => {
  for (const { spec } of createCommandTable(ALL_COMMANDS).rows) {
    expect(spec.summary).toMatch(/^[A-Z].*\.$/);
    expect(spec.complexity).not.toBe("");
  }
});

test("SET reads its key for GET and for IFEQ", () => {
  const flagsOf = (...words: string[]) => command("set").findKeys?.(["set", "k", "v", ...words]);
  expect(flagsOf("NX")).toEqual([{ index: 1, flags: ["OW", "update"] }]);
  for (const words of [
    ["IFEQ", "x"],
    ["nx", "get"],
  ])
    expect(flagsOf(...words)).toEqual([{ index: 1, flags: ["RW", "access", "update"] }]);
});

test("key positions follow one key, all keys and every second word", () => {
  expect(keyPositions(command("get"), ["get", "k"])).toEqual([1]);
  expect(keyPositions(command("del"), ["del", "a", "b", "c"])).toEqual([1, 2, 3]);
  expect(keyPositions(command("mset"), ["mset", "a", "1", "b", "2"])).toEqual([1, 3]);
  expect(keyPositions(command("ping"), ["ping"])).toEqual([]);
});
