import { expect, test } from "bun:test";
import { Cmd } from "../../../core-wasm/abi.ts";
import { aclCategories } from "../../../server/commands/acl-categories.ts";
import { keyPositions } from "../../../server/commands/key-positions.ts";
import type { ArgSpec, CommandSpec } from "../../../server/commands/spec.ts";
import { ALL_COMMANDS } from "../../../server/commands/table.ts";

function command(name: string): CommandSpec {
  const [first, second] = name.split("|");
  const spec = ALL_COMMANDS.find((candidate) => candidate.name === first);
  const found = second === undefined ? spec : spec?.subcommands?.find((sub) => sub.name === second);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

/** What redis-server 7.0.15 answers to COMMAND INFO: arity, flags, ACL categories. */
const REFERENCE: readonly (readonly [string, number, string, string])[] = [
  ["get", 2, "readonly fast", "read string fast"],
  ["set", -3, "write denyoom", "write string slow"],
  ["del", -2, "write", "keyspace write slow"],
  ["exists", -2, "readonly fast", "keyspace read fast"],
  ["expire", -3, "write fast", "keyspace write fast"],
  ["ttl", 2, "readonly fast", "keyspace read fast"],
  ["touch", -2, "readonly fast", "keyspace read fast"],
  ["copy", -3, "write denyoom", "keyspace write slow"],
  ["move", 3, "write fast", "keyspace write fast"],
  ["rename", 3, "write", "keyspace write slow"],
  ["renamenx", 3, "write fast", "keyspace write fast"],
  ["object", -2, "", "slow"],
  ["object|encoding", 3, "readonly", "keyspace read slow"],
  ["object|help", 2, "loading stale", "keyspace slow"],
  ["dbsize", 1, "readonly fast", "keyspace read fast"],
  ["flushall", -1, "write", "keyspace write slow dangerous"],
  ["swapdb", 3, "write fast", "keyspace write fast dangerous"],
  ["mset", -3, "write denyoom", "write string slow"],
  ["append", 3, "write denyoom fast", "write string fast"],
  ["keys", 2, "readonly", "keyspace read slow dangerous"],
  ["scan", -2, "readonly", "keyspace read slow"],
  ["ping", -1, "fast", "fast connection"],
  ["echo", 2, "loading stale fast", "fast connection"],
  ["select", 2, "loading stale fast", "fast connection"],
  ["auth", -2, "noscript loading stale fast no_auth allow_busy", "fast connection"],
  ["hello", -1, "noscript loading stale fast no_auth allow_busy", "fast connection"],
  ["client", -2, "", "slow"],
  ["client|id", 2, "noscript loading stale", "slow connection"],
  ["client|list", -2, "admin noscript loading stale", "admin slow dangerous connection"],
  ["client|kill", -3, "admin noscript loading stale", "admin slow dangerous connection"],
  ["client|no-evict", 3, "admin noscript loading stale", "admin slow dangerous connection"],
  ["command", -1, "loading stale", "slow connection"],
  ["command|help", 2, "loading stale", "slow connection"],
  ["info", -1, "loading stale", "slow dangerous"],
  ["config", -2, "", "slow"],
  ["config|get", -3, "admin noscript loading stale", "admin slow dangerous"],
  ["config|set", -4, "admin noscript loading stale", "admin slow dangerous"],
  ["config|help", 2, "loading stale", "slow"],
  ["time", 1, "loading stale fast", "fast"],
  ["debug", -2, "admin noscript loading stale", "admin slow dangerous"],
  ["shutdown", -1, "admin noscript loading stale no_multi allow_busy", "admin slow dangerous"],
];

for (const [name, arity, flags, categories] of REFERENCE)
  test(`${name} has the reference server's arity, flags and ACL categories`, () => {
    const spec = command(name);
    expect(spec.arity).toBe(arity);
    expect(spec.flags.toSorted().join(" ")).toBe(flags.split(" ").toSorted().join(" "));
    expect(aclCategories(spec).join(" ")).toBe(categories);
  });

test("names are unique and lower case, here and within each container", () => {
  for (const level of [ALL_COMMANDS, ...ALL_COMMANDS.map((spec) => spec.subcommands ?? [])]) {
    const names = level.map((spec) => spec.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z-]+$/);
  }
});

test("every command of the core has exactly one row, and every other row a handler", () => {
  const rows = ALL_COMMANDS.flatMap((spec) => [spec, ...(spec.subcommands ?? [])]);
  const ids = rows.flatMap((spec) => spec.id ?? []).toSorted((a, b) => a - b);
  const known = Object.values(Cmd).filter((id) => typeof id === "number");
  expect(ids).toEqual(known.toSorted((a, b) => a - b));
  for (const spec of rows) expect(spec.id === undefined).toBe(spec.handler !== undefined);
});

function keyArgs(args: readonly ArgSpec[]): ArgSpec[] {
  return args.flatMap((arg) => [...(arg.type === "key" ? [arg] : []), ...keyArgs(arg.args ?? [])]);
}

test("every key argument names an existing key specification, and every specification is named", () => {
  for (const spec of ALL_COMMANDS) {
    const named = keyArgs(spec.args ?? []).map((arg) => arg.keySpecIndex);
    expect(named).toEqual((spec.keys ?? []).map((_, index) => index));
  }
});

test("key positions follow one key, all keys and every second word", () => {
  expect(keyPositions(command("get"), ["get", "k"])).toEqual([1]);
  expect(keyPositions(command("del"), ["del", "a", "b", "c"])).toEqual([1, 2, 3]);
  expect(keyPositions(command("mset"), ["mset", "a", "1", "b", "2"])).toEqual([1, 3]);
  expect(keyPositions(command("ping"), ["ping"])).toEqual([]);
});
