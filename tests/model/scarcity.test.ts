import { expect, test } from "bun:test";
import { Address, EffectMask, Limit, StateField } from "../../core-wasm/abi.ts";
import { createTestCore, ErrorReply, type TestCore } from "../support/core.ts";

/** Lets the n-th question for memory be refused, and all behind it; 0 = none. @returns 1 = one was refused since */
interface ScarceCore {
  chooseScarcity(question: number): number;
}

interface Case {
  /** What is there before. */
  given: string[][];
  command: string[];
}

const names = (count: number, letter = "m") =>
  Array.from({ length: count }, (_, i) => `${letter}${i}`);
const numbers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => String(from + i));
const long = (count: number) => names(count).map((name) => name.padEnd(90, "."));
const pairs = (fields: string[], value: (i: number) => string) =>
  fields.flatMap((field, i) => [field, value(i)]);
const scored = (members: string[], score = (i: number) => i * 1.5) =>
  members.flatMap((member, i) => [String(score(i)), member]);
const places = (members: string[]) =>
  members.flatMap((member, i) => [String(2 + i / 50), String(40 + i / 70), member]);

const SETS = [[], numbers(20), numbers(511), names(20), names(126), names(300)].map((members) =>
  members.length === 0 ? [] : [["SADD", "k", ...members]],
);
const HASHES = [[], names(20), names(510), names(700)].map((fields) =>
  fields.length === 0 ? [] : [["HSET", "k", ...pairs(fields, (i) => `v${i}`)]],
);
const SORTED = [[], names(20), names(126), names(300)].map((members) =>
  members.length === 0 ? [] : [["ZADD", "k", ...scored(members)]],
);
const LISTS = [[], names(20), names(2000)].map((items) =>
  items.length === 0 ? [] : [["RPUSH", "k", ...items]],
);
const STREAM = [
  ...names(150).map((value, i) => ["XADD", "k", `${i + 1}-0`, "f", value]),
  ["XGROUP", "CREATE", "k", "g", "0"],
  ["XREADGROUP", "GROUP", "g", "c", "COUNT", "60", "STREAMS", "k", ">"],
];
const STREAMS = [[], STREAM];
const SPARSE = [["PFADD", "k", ...names(20)]];
const DENSE = [["PFADD", "k", ...names(9000)]];

const on = (givens: string[][][], ...commands: string[][]): Case[] =>
  givens.flatMap((given) => commands.map((command) => ({ given, command })));

const CASES: Case[] = [
  ...on(
    SETS,
    ["SADD", "k", "fresh"],
    ["SADD", "k", ...numbers(5, 100_000)],
    ["SADD", "k", "99999999999999", "-5", "77777"],
    ["SADD", "k", ...names(40, "f")],
    ["SADD", "k", ...long(5)],
    ["SADD", "k", "1000000", "text", "y".repeat(5000), "1000001"],
    ["SADD", "k", ...names(700, "g")],
    ["SUNIONSTORE", "d", "k", "k"],
    ["SINTERSTORE", "k", "k", "k"],
    ["SDIFFSTORE", "d", "k", "none"],
    ["COPY", "k", "d"],
    ["RENAME", "k", "d".repeat(100)],
  ),
  ...on(
    SETS.map((given) => [...given, ["SADD", "from", "a", "7", "x".repeat(80)]]),
    ["SMOVE", "from", "k", "a"],
    ["SMOVE", "from", "k", "7"],
    ["SMOVE", "from", "k", "x".repeat(80)],
    ["SUNIONSTORE", "k", "from", "k"],
  ),
  ...on(
    HASHES,
    ["HSET", "k", "fresh", "1"],
    ["HSET", "k", ...pairs(names(30), () => "other value")],
    ["HSET", "k", ...pairs(names(30, "f"), () => "v")],
    ["HMSET", "k", ...pairs(long(5), () => "v")],
    ["HMSET", "k", "m1", "w".repeat(6000), "f", "v", "m2", "x"],
    ["HSETNX", "k", "fresh", "v".repeat(100)],
    ["HINCRBY", "k", "count", "10"],
    ["HINCRBYFLOAT", "k", "count", "1.5"],
    ["HSETEX", "k", "EX", "100", "FIELDS", "3", "m1", "a", "f", "b", "m7", "c"],
    ["HEXPIRE", "k", "100", "FIELDS", "4", "m1", "m3", "m5", "none"],
    ["HGETEX", "k", "EX", "100", "FIELDS", "2", "m1", "m3"],
    ["COPY", "k", "d"],
  ),
  ...on(
    HASHES.slice(1).map((given) => [
      ...given,
      ["HEXPIRE", "k", "1000", "FIELDS", "10", ...names(10)],
    ]),
    ["HSET", "k", ...pairs(names(30), () => "other value")],
    ["HSETEX", "k", "KEEPTTL", "FIELDS", "3", "m1", "a", "f", "b", "m7", "c"],
    ["HEXPIRE", "k", "100", "FIELDS", "4", "m1", "m3", "m15", "m16"],
    ["HPERSIST", "k", "FIELDS", "4", "m1", "m3", "m15", "m16"],
    ["HINCRBYFLOAT", "k", "fresh", "1.5"],
    ["HDEL", "k", ...names(12)],
    ["HGETDEL", "k", "FIELDS", "12", ...names(12)],
    ["COPY", "k", "d"],
  ),
  ...on(
    SORTED,
    ["ZADD", "k", "1", "fresh"],
    ["ZADD", "k", ...scored(names(40, "f"))],
    ["ZADD", "k", ...scored(names(30), (i) => 1000 - i)],
    ["ZADD", "k", "CH", ...scored([...names(10), ...names(10, "f")], (i) => i * i)],
    ["ZADD", "k", ...scored(long(5))],
    ["ZADD", "k", ...scored(names(700, "g"))],
    ["ZADD", "k", "1", "m1", "2", "y".repeat(5000), "3", "m3"],
    ["ZINCRBY", "k", "2.25", "m7"],
    ["ZADD", "k", "INCR", "2.25", "fresh"],
    ["GEOADD", "k", ...places(names(30, "f"))],
    ["ZRANGESTORE", "d", "k", "0", "-1"],
    ["ZUNIONSTORE", "k", "2", "k", "k"],
    ["ZINTERSTORE", "d", "1", "k"],
    ["ZDIFFSTORE", "d", "2", "k", "none"],
    ["SORT", "k", "BY", "nosort", "STORE", "d"],
    ["COPY", "k", "d"],
  ),
  ...on(
    [10, 300].map((count) => [["GEOADD", "k", ...places(names(count))]]),
    ["GEOSEARCHSTORE", "d", "k", "FROMLONLAT", "2", "40", "BYRADIUS", "5000", "km"],
    ["GEORADIUS", "k", "2", "40", "5000", "km", "STOREDIST", "d"],
  ),
  ...on(
    LISTS,
    ["RPUSH", "k", "fresh"],
    ["LPUSH", "k", ...names(30, "f")],
    ["RPUSH", "k", ...names(3000, "f")],
    ["LPUSH", "k", "a", "y".repeat(9000), "b", "z".repeat(20_000)],
    ["LSET", "k", "5", "y".repeat(9000)],
    ["LINSERT", "k", "BEFORE", "m7", "y".repeat(5000)],
    ["LMOVE", "k", "k", "LEFT", "RIGHT"],
    ["RPOPLPUSH", "k", "d"],
    ["LREM", "k", "1", "m10"],
    ["LTRIM", "k", "3", "17"],
    ["SORT", "k", "ALPHA", "STORE", "d"],
    ["COPY", "k", "d"],
  ),
  ...on(
    STREAMS,
    ["XADD", "k", "1000-1", "f", "v"],
    ["XADD", "k", "*", ...pairs(names(100), () => "v".repeat(100))],
    ["XADD", "k", "MAXLEN", "20", "1000-1", "f", "v", "other", "w"],
    ["XADD", "k", "MAXLEN", "~", "20", "*", "f", "v"],
    ["XGROUP", "CREATE", "k", "h", "0", "MKSTREAM"],
    ["COPY", "k", "d"],
  ),
  ...on(
    [STREAM],
    ["XGROUP", "CREATECONSUMER", "k", "g", "other"],
    ["XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">"],
    ["XREADGROUP", "GROUP", "g", "new", "STREAMS", "k", ">"],
    ["XCLAIM", "k", "g", "new", "0", "1-0", "2-0", "3-0", "100-0", "FORCE"],
    ["XAUTOCLAIM", "k", "g", "new", "0", "0"],
    ["XACK", "k", "g", "1-0", "2-0"],
    ["XDEL", "k", "1-0", "2-0"],
    ["XTRIM", "k", "MAXLEN", "5"],
  ),
  ...on(
    [[], SPARSE, DENSE],
    ["PFADD", "k", ...names(50, "f")],
    ["PFADD", "k", ...names(9000, "f")],
    ["PFMERGE", "d", "k"],
    ["PFMERGE", "k", "k"],
    ["PFCOUNT", "k"],
  ),
  ...on(
    [[], [["SET", "k", "17"]], [["SET", "k", "v".repeat(100)]], [["SET", "k", "v".repeat(9000)]]],
    ["SET", "k", "w".repeat(500)],
    ["SET", "k", "w", "EX", "100", "GET"],
    ["APPEND", "k", "w".repeat(300)],
    ["SETRANGE", "k", "3000", "www"],
    ["SETBIT", "k", "90000", "1"],
    ["BITFIELD", "k", "SET", "u8", "8000", "1", "SET", "u8", "160000", "1"],
    ["BITOP", "NOT", "d", "k"],
    ["EXPIRE", "k", "100"],
    ["RENAME", "k", "d".repeat(300)],
    ["COPY", "k", "d"],
    ["MSET", "k", "1", "a", "v".repeat(90), "b", "v".repeat(5000)],
    ["MSETNX", "a", "v".repeat(90), "b", "w"],
    ["GETEX", "k", "EX", "100"],
    ["GETSET", "k", "v".repeat(70)],
  ),
  ...on([[], [["SET", "k", "17"]]], ["INCRBY", "k", "1000000000000"], ["INCRBYFLOAT", "k", "0.5"]),
];

function lay(core: TestCore, given: string[][]): void {
  core.harness.core.setActiveExpire(0);
  for (const words of given) core.must(...words);
}

/** Everything goes, at once. */
function clear(core: TestCore): void {
  core.must("FLUSHALL", "SYNC");
  core.freeAll();
}

const QUESTIONS_MAX = 100_000;

interface Outcome {
  reply: unknown;
  digest: unknown;
  logged: string[][];
  changes: number;
}

/** Runs the command while memory ends at a question. @returns what it came to, and whether so much was asked */
function outcomeOf(core: TestCore, command: string[], question: number): [Outcome, boolean] {
  const scarce = core.harness.core as unknown as ScarceCore;
  const before = core.harness.core.field(StateField.Changes);
  scarce.chooseScarcity(question);
  const reply = core.run(...command);
  const wasAsked = scarce.chooseScarcity(0) === 1;
  const logged = core.harness.logged();
  const changes = core.harness.core.field(StateField.Changes) - before;
  return [{ reply, digest: core.must("DEBUG", "DIGEST"), logged, changes }, wasAsked];
}

/** Lets memory end at every place of the command, of many places at some. @returns how often it was refused */
function sweep(core: TestCore, { given, command }: Case): number {
  const name = `${JSON.stringify(given).slice(0, 40)} ${command.join(" ").slice(0, 60)}`;
  lay(core, given);
  const before = core.must("DEBUG", "DIGEST");
  const [wanted] = outcomeOf(core, command, 0);
  clear(core);
  const used = core.usedBytes();
  let refused = 0;
  let isOver = false;
  for (let question = 1; !isOver; question += 1 + (question >> 3)) {
    if (question > QUESTIONS_MAX) throw new Error(`${name}: is refused whatever there is`);
    lay(core, given);
    const [outcome, wasAsked] = outcomeOf(core, command, question);
    const isRefused = outcome.reply instanceof ErrorReply && outcome.reply.text.startsWith("OOM");
    const expected = isRefused
      ? { reply: outcome.reply, digest: before, logged: [], changes: 0 }
      : wanted;
    expect({ name, question, ...outcome }).toEqual({ name, question, ...expected });
    core.check();
    clear(core);
    expect({ name, question, used: core.usedBytes() }).toEqual({ name, question, used });
    if (isRefused) refused++;
    isOver = !wasAsked;
  }
  return refused;
}

/** Commands that take memory for nothing they could not do without. */
const NEVER_REFUSED = new Set([
  "HDEL",
  "HGETDEL",
  "LMOVE",
  "LREM",
  "LTRIM",
  "XACK",
  "XDEL",
  "XTRIM",
  "PFCOUNT",
]);
const COMMANDS = new Map<string, Case[]>();
for (const one of CASES) {
  const name = one.command[0]!;
  COMMANDS.set(name, [...(COMMANDS.get(name) ?? []), one]);
}

test("wherever memory ends, what is added to a large listpack is added whole or not at all", () => {
  const core = createTestCore({ build: "tiny" });
  core.harness.listen(EffectMask.Propagate);
  for (const limit of [
    Limit.SetIntsetEntries,
    Limit.SetListpackEntries,
    Limit.HashListpackEntries,
    Limit.ZsetListpackEntries,
  ])
    core.harness.core.memory.i32[(Address.State + StateField.Limits + limit * 4) >> 2] = 2000;
  const many = names(1990);
  const more = names(30, "f");
  const cases: Case[] = [
    { given: [["SADD", "k", ...numbers(1990)]], command: ["SADD", "k", ...numbers(30, 50_000)] },
    { given: [["SADD", "k", ...numbers(1990)]], command: ["SADD", "k", "9999999999", "text"] },
    { given: [["SADD", "k", ...many]], command: ["SADD", "k", ...more] },
    { given: [["HSET", "k", ...pairs(many, (i) => `v${i}`)]], command: ["HSET", "k", ...more] },
    { given: [["ZADD", "k", ...scored(many)]], command: ["ZADD", "k", ...scored(more)] },
  ];
  for (const one of cases) expect(sweep(core, one)).toBeGreaterThan(0);
});

for (const [name, cases] of COMMANDS)
  test(`wherever memory ends, ${name} is done whole or not at all`, () => {
    const core = createTestCore({ build: "tiny" });
    core.harness.listen(EffectMask.Propagate);
    let refused = 0;
    for (const one of cases) refused += sweep(core, one);
    expect({ name, isRefused: refused > 0 }).toEqual({ name, isRefused: !NEVER_REFUSED.has(name) });
  });
