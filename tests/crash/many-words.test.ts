/** Commands of very many words, and such that cause very many effects: each is one unit of the log, whole behind a restart and in a base. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ARGV_TABLE_ENTRIES } from "../../core-wasm/abi.ts";
import { type RunningServer, startServer } from "../../server/index.ts";
import { commandsOf } from "../support/dataset.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import { temporaryDirectory } from "../support/server-process.ts";

const PAIRS = 100_000;

let dir: ReturnType<typeof temporaryDirectory>;
let server: RunningServer | undefined;
let client: Connection;
beforeEach(async () => {
  dir = temporaryDirectory();
  await start();
});
afterEach(async () => {
  await stop();
  dir.remove();
});

async function start(): Promise<void> {
  server = await startServer({
    config: { appendonly: "yes", dir: dir.path, "enable-debug-command": "yes" },
  });
  client = await openConnection(server.port);
}

async function stop(): Promise<void> {
  server?.check();
  client.close();
  await server?.close();
  server = undefined;
}

const digest = () => client.raw("DEBUG", "DIGEST");
const pairs = (count: number, value: string) =>
  Array.from({ length: count }, (_, i) => [`f${i}`, `${value}${i}`]).flat();

/** The files of the log whose names end so, as commands. */
function logged(end: string): string[][] {
  const folder = join(dir.path, "appendonlydir");
  const names = readdirSync(folder).filter((name) => name.endsWith(end));
  return names.flatMap((name) => commandsOf(readFileSync(join(folder, name))));
}

/** What is there is there again behind a restart, and behind another one from a base alone. */
async function expectKept(): Promise<void> {
  const before = await digest();
  await stop();
  await start();
  expect(await digest()).toBe(before);
  expect(await client.raw("BGREWRITEAOF")).toStartWith("+");
  while (!(await client.raw("INFO", "persistence")).includes("aof_rewrite_in_progress:0"))
    await Bun.sleep(5);
  await stop();
  expect(logged(".incr.aof")).toEqual([]);
  await start();
  expect(await digest()).toBe(before);
}

test("an entry of 200,000 words is one command of the log, and of a base", async () => {
  const words = pairs(PAIRS, "v");
  expect(await client.raw("XADD", "s", "*", ...words)).toMatch(/^\$\d+\r\n\d+-0\r\n$/);
  expect(await client.raw("XADD", "s", "NOMKSTREAM", "MAXLEN", "~", "9", "*", ...words)).toMatch(
    /^\$/,
  );
  expect(await client.raw("XADD", "other", "7-1", ...words)).toBe("$3\r\n7-1\r\n");
  const adds = logged(".incr.aof").filter(([name]) => name?.toUpperCase() === "XADD");
  expect(adds.map((command) => command.length)).toEqual([2, 5, 2].map((n) => 1 + n + 2 * PAIRS));
  expect(adds.map((command) => command.slice(-2 * PAIRS).join())).toEqual(
    Array(3).fill(words.join()),
  );
  await expectKept();
  const reply = await client.raw("XRANGE", "other", "-", "+");
  expect(reply.slice(0, 40)).toStartWith(`*1\r\n*2\r\n$3\r\n7-1\r\n*${2 * PAIRS}\r\n`);
});

test("such a command in a transaction stands in it", async () => {
  await client.raw("MULTI");
  await client.raw("SET", "a", "1");
  await client.raw("XADD", "s", "*", ...pairs(PAIRS, "v"));
  await client.raw("SET", "b", "2");
  await client.raw("EXEC");
  const names = logged(".incr.aof").map(([name]) => name);
  expect(names).toEqual(["SELECT", "MULTI", "SET", "XADD", "SET", "EXEC"]);
  await expectKept();
});

test("a command that fills the argv table, and short ones behind it, are loaded", async () => {
  for (let room = 0; room < 6; room++) {
    const words = ARGV_TABLE_ENTRIES - 2 * room;
    const members = Array.from({ length: words - 2 }, (_, i) => `m${i}`);
    const short = ["a", "b", "c"].map((key) => ["SET", `${key}${room}`, "v"]);
    const replies = await client.all([["SADD", `s${room}`, ...members], ...short]);
    expect(replies).toEqual([`:${words - 2}\r\n`, ...Array(3).fill("+OK\r\n")]);
  }
  await expectKept();
});

test("deadlines of very many fields are set, and taken away, by one command of the log", async () => {
  const count = String(PAIRS);
  const words = pairs(PAIRS, "v");
  const fields = words.filter((_, i) => i % 2 === 0);
  expect(await client.raw("HSETEX", "h", "EX", "1000", "FIELDS", count, ...words)).toBe(":1\r\n");
  expect(await client.raw("HSETEX", "h", "EX", "1000", "FIELDS", count, ...words)).toBe(":1\r\n");
  await client.raw("HGETEX", "h", "PERSIST", "FIELDS", count, ...fields);
  await client.raw("HPEXPIRE", "h", "900000", "FIELDS", "600", ...fields.slice(0, 600));
  const shapes = logged(".incr.aof").map((command) => `${command[0]} ${command.length}`);
  expect(shapes.slice(0, 4)).toEqual([
    "SELECT 2",
    `HSETEX ${6 + 2 * PAIRS}`,
    `HSETEX ${6 + 2 * PAIRS}`,
    `HPERSIST ${4 + PAIRS}`,
  ]);
  await expectKept();
});

test("SPOP of very many members is one unit of the log", async () => {
  const members = Array.from({ length: PAIRS }, (_, i) => `member:${i}`);
  await client.raw("SADD", "s", ...members);
  await client.raw("SPOP", "s", String(PAIRS / 2));
  const names = logged(".incr.aof").map(([name]) => name);
  expect(names.slice(1, 4)).toEqual(["SADD", "MULTI", "SREM"]);
  expect(names.at(-1)).toBe("EXEC");
  expect(names.filter((name) => name === "EXEC")).toHaveLength(1);
  await expectKept();
});
