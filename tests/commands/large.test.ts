/** Replies larger than the window, values larger than a page, and what happens when the memory ends. */
import { beforeEach, expect, test } from "bun:test";
import { Address, StateField, Status, Stream } from "../../core-wasm/abi.ts";
import { BUILDS } from "../support/core.ts";
import { type CoreHarness, createHarness, EVERYTHING } from "../support/core-harness.ts";

const MIB = 1 << 20;
const NO_MEMORY = /^-OOM /;
/** As in core-wasm/memory/pages.ts. */
const RESERVE_PAGES = 64;

let core: CoreHarness;
beforeEach(() => {
  core = createHarness({ wasmPath: BUILDS.release });
});

/** Bytes whose place can be told from their value. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255;
  return bytes;
}

function setWord(field: StateField, value: number): void {
  core.core.memory.words.setUint32(Address.State + field, value, true);
}

/** Lets the heap have so many more pages of 64 KiB, and the emergency reserve behind them. */
function leavePages(pages: number): void {
  const { words } = core.core.memory;
  const used = words.getUint32(Address.State + StateField.HeapPagesUsed, true);
  setWord(StateField.PageLimit, used + pages + RESERVE_PAGES);
}

for (const length of [MIB, 8 * MIB - 40, 8 * MIB, 20 * MIB])
  test(`a value of ${length} bytes comes back whole`, () => {
    const value = pattern(length);
    expect(core.raw("SET", "k", value)).toBe("+OK\r\n");
    const raw = core.raw("GET", "k");
    expect(raw.startsWith(`$${length}\r\n`)).toBe(true);
    expect(raw.endsWith("\r\n")).toBe(true);
    const body = raw.slice(raw.indexOf("\n") + 1, -2);
    expect(Buffer.from(body, "latin1").equals(value)).toBe(true);
    expect(core.raw("STRLEN", "k")).toBe(`:${length}\r\n`);
    expect(core.raw("SET", "k", "short", "GET")).toBe(raw);
    expect(core.raw("GET", "k")).toBe("$5\r\nshort\r\n");
    core.check();
  });

test("a reply that drains in the middle goes on without a gap", () => {
  const value = pattern(3 * MIB).toString("latin1");
  core.raw("SET", "big", value);
  core.raw("SET", "small", "v");
  const raw = core.raw("MGET", "small", "big", "none", "big", "small", "big", "small");
  const big = `$${value.length}\r\n${value}\r\n`;
  const small = "$1\r\nv\r\n";
  expect(raw === `*7\r\n${small}${big}$-1\r\n${big}${small}${big}${small}`).toBe(true);
  expect(core.drained(Stream.Reply)).toBeGreaterThan(0);
});

test("MGET of more words than the argv table holds answers each", () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `k${i}`);
  expect(core.raw("MSET", ...keys.flatMap((key, i) => [key, `${i}`]))).toBe("+OK\r\n");
  const reply = core.run("MGET", ...keys);
  expect(reply.kind === "array" && reply.items.map((item) => "text" in item && item.text)).toEqual(
    keys.map((_, i) => `${i}`),
  );
  core.check();
});

test("KEYS answers more than the window holds", () => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `${i}:`.padEnd(250, "k"));
  core.raw("MSET", ...keys.flatMap((key) => [key, ""]));
  const drainsBefore = core.drained(Stream.Reply);
  const reply = core.run("KEYS", "*");
  expect(core.drained(Stream.Reply)).toBeGreaterThan(drainsBefore);
  expect(
    reply.kind === "array" && reply.items.map((item) => "text" in item && item.text).sort(),
  ).toEqual(keys.sort());
});

test("a string grows by APPEND up to the limit set, and not beyond", () => {
  setWord(StateField.MaxStringBytes, 2 * MIB);
  const tooLong = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
  const half = "x".repeat(MIB);
  expect(core.raw("APPEND", "k", half)).toBe(`:${MIB}\r\n`);
  expect(core.raw("APPEND", "k", half)).toBe(`:${2 * MIB}\r\n`);
  expect(core.raw("APPEND", "k", "y")).toBe(tooLong);
  expect(core.status()).toBe(Status.Error);
  expect(core.raw("APPEND", "k", "")).toBe(`:${2 * MIB}\r\n`);
  expect(core.raw("STRLEN", "k")).toBe(`:${2 * MIB}\r\n`);
  core.raw("SET", "n", "12345");
  setWord(StateField.MaxStringBytes, 6);
  expect(core.raw("APPEND", "n", "6")).toBe(":6\r\n");
  expect(core.raw("APPEND", "n", "7")).toBe(tooLong);
  core.check();
});

test("while the emergency reserve is in use a command that grows is refused, however small", () => {
  const refused = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
  core.raw("RPUSH", "list", "a");
  leavePages(-1);
  expect(core.raw("RPUSH", "list", "b")).toBe(refused);
  expect(core.raw("LRANGE", "list", "0", "-1")).toBe("*1\r\n$1\r\na\r\n");
  expect(core.raw("LPOP", "list")).toBe("$1\r\na\r\n");
  leavePages(0);
  expect(core.raw("RPUSH", "list", "b")).toBe(":1\r\n");
});

test("a command that finds no memory changes nothing, and the core lives", () => {
  core.listen(EVERYTHING);
  core.raw("MSET", "old", "value", "number", "7", "short", "v");
  core.raw("SET", "large", pattern(100_000));
  const value = pattern(2 * MIB);
  core.raw("SET", "huge", value);
  leavePages(20);
  const refused: (string | Uint8Array)[][] = [
    ["SET", "old", value],
    ["SET", "fresh", value],
    ["SET", "old", value, "GET"],
    ["SET", "old", value, "EX", "100"],
    ["MSET", "a", "1", "old", value, "b", "2"],
    ["MSET", "old", "changed", "c", value],
    ["APPEND", "old", value],
    ["APPEND", "large", value],
    ["APPEND", "fresh", value],
    ["COPY", "huge", "fresh"],
    ["COPY", "huge", "old", "REPLACE"],
    ["COPY", "huge", "huge", "DB", "5"],
    ["RENAME", "old", value],
    ["RENAMENX", "huge", value],
    ["SETEX", "old", "100", value],
    ["SETNX", "fresh", value],
    ["GETSET", "old", value],
    ["MSETNX", "a", "1", "b", value],
    ["SETRANGE", "old", "3", value],
    ["SETRANGE", "large", "99999", value],
    ["SETRANGE", "fresh", "500000000", "v"],
    ["SETRANGE", "number", "500000000", "v"],
    ["SETBIT", "fresh", "4294967295", "1"],
    ["SETBIT", "number", "4294967295", "0"],
    ["BITFIELD", "fresh", "SET", "u8", "4294967288", "1"],
    ["BITFIELD", "old", "GET", "u8", "0", "INCRBY", "i64", "4294967295", "1"],
    ["BITOP", "NOT", "fresh", "huge"],
    ["BITOP", "XOR", "old", "huge", "number"],
  ];
  for (const words of refused) {
    expect(core.raw(...words)).toMatch(NO_MEMORY);
    expect(core.status()).toBe(Status.Error);
    expect(core.logged()).toEqual([]);
    core.check();
  }
  expect(core.raw("MGET", "old", "number", "short", "fresh", "a", "b", "c")).toBe(
    "*7\r\n$5\r\nvalue\r\n$1\r\n7\r\n$1\r\nv\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n",
  );
  expect(core.raw("STRLEN", "large")).toBe(":100000\r\n");
  expect(core.raw("DBSIZE")).toBe(":5\r\n");
  core.raw("MSET", "left", "l".repeat(9000), "right", "r".repeat(9000));
  expect(core.raw("LCS", "left", "right")).toBe(
    "-ERR Insufficient memory, failed allocating transient memory for LCS\r\n",
  );
  expect(core.raw("LCS", "left", "right", "LEN")).toBe(":0\r\n");
  // A value that is moved needs no second one.
  expect(core.raw("RENAME", "huge", "old")).toBe("+OK\r\n");
  expect(core.raw("MOVE", "old", "5")).toBe(":1\r\n");
  core.check();
});

test("writing until the memory ends is answered with errors, and deleting makes room again", () => {
  leavePages(30);
  const value = "x".repeat(500);
  let stored = 0;
  let refused = 0;
  for (let i = 0; i < 12_000; i++) {
    const command = [
      ["SET", `k${i}`, value],
      ["SET", `k${i}`, value, "GET"],
      ["MSET", `k${i}`, value, `l${i}`, "1"],
      ["SET", `k${i}`, value, "EX", "1000"],
      ["APPEND", `k${i}`, value],
      ["INCR", `n${i}`],
      ["EXPIRE", `k${i - 3}`, "500"],
    ][i % 7]!;
    const raw = core.raw(...command);
    if (NO_MEMORY.test(raw)) refused++;
    else stored++;
  }
  expect(stored).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1000);
  core.check();
  for (let i = 0; i < 12_000; i++) core.raw("DEL", `k${i}`);
  expect(core.raw("SET", "k", value)).toBe("+OK\r\n");
  core.check();
});

test("what is free but in pieces is not promised to MSET or SET GET", () => {
  leavePages(400);
  const piece = pattern(100_000);
  let pieces = 0;
  while (core.raw("SET", `piece:${pieces}`, piece) === "+OK\r\n") pieces++;
  for (let i = 0; i < pieces; i += 2) core.raw("DEL", `piece:${i}`);
  const value = pattern(60 * 65536);
  core.raw("SET", "old", "v");
  expect(core.raw("MSET", "a", "1", "b", value, "c", "2")).toMatch(NO_MEMORY);
  expect(core.raw("SET", "old", value, "GET")).toMatch(NO_MEMORY);
  expect(core.raw("MGET", "a", "b", "c", "old")).toBe("*4\r\n$-1\r\n$-1\r\n$-1\r\n$1\r\nv\r\n");
  for (let i = 1; i < pieces; i += 2) core.raw("DEL", `piece:${i}`);
  expect(core.raw("MSET", "a", "1", "b", value, "c", "2")).toBe("+OK\r\n");
  expect(core.raw("SET", "old", value, "GET")).toBe("$1\r\nv\r\n");
  core.check();
});

test("BITOP takes nothing of what lay where its list of sources lies", () => {
  const sources = 48;
  core.raw("SET", "k", Buffer.alloc(200_000, 255));
  core.raw("DEL", "k");
  // The first block of the page that was freed; the list, of the same size, is the second.
  const first = core.core.allocInput(32 * sources);
  core.raw("MSET", "a", "abc", "b", "12");
  const none = Array.from({ length: sources - 2 }, () => "none");
  expect(core.raw("BITOP", "OR", "to", ...none, "a", "b")).toBe(":3\r\n");
  expect(core.raw("GET", "to")).toBe("$3\r\nqrc\r\n");
  core.core.freeInput(first);
  core.check();
});
