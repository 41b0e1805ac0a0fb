/** The effect cases against the core, and what only the core has: masks, order, full buffers, eviction, slices. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { EffectMask, EvictionPolicy, IoFlag, Status, Stream } from "../../core-wasm/abi.ts";
import {
  type CoreHarness,
  createHarness,
  type Effect,
  EVERYTHING,
} from "../support/core-harness.ts";
import { effectCases, type LogWord } from "./cases/effects.ts";

let core: CoreHarness;
beforeEach(() => {
  core = createHarness();
  core.listen(EVERYTHING);
});
afterEach(() => {
  core.check();
});

function run(command: string): void {
  core.raw(...command.split(" "));
}

/** The database as the cases write it: nothing for the first. */
const inDb = (db: number) => (db === 0 ? "" : `@${db}`);

function eventsOf(effects: Effect[]): string[] {
  return effects.flatMap((effect) =>
    effect.kind === "event" ? [`${effect.event} ${effect.key}${inDb(effect.db)}`] : [],
  );
}

function touchedBy(effects: Effect[]): string[] {
  const keys = effects.flatMap((effect) =>
    effect.kind === "touched" ? [effect.key + inDb(effect.db)] : [],
  );
  return [...new Set(keys)].sort();
}

const atInstant = (word: LogWord) =>
  typeof word === "object" ? `${core.clock.nowMs() + word.inMs}` : word;

describe("a command causes what its case says", () => {
  for (const testCase of effectCases)
    test(testCase.name, () => {
      for (const command of testCase.before ?? []) run(command);
      core.clock.advance(testCase.passMs ?? 0);
      // EXAT counts whole seconds: the core's clock stands on one.
      core.clock.advance(Math.ceil(core.clock.nowMs() / 1000) * 1000 - core.clock.nowMs());
      const { command } = testCase;
      run(typeof command === "string" ? command : command(core.clock.nowMs()));
      expect(core.logged()).toEqual(testCase.log.map((line) => line.map(atInstant)));
      expect(eventsOf(core.effects())).toEqual(testCase.events);
      expect(touchedBy(core.effects())).toEqual(testCase.touched);
    });

  for (const testCase of effectCases)
    test(`with nobody listening, ${testCase.name}: no record is left`, () => {
      core.listen(0);
      for (const command of testCase.before ?? []) run(command);
      core.clock.advance(testCase.passMs ?? 0);
      const { command } = testCase;
      run(typeof command === "string" ? command : command(core.clock.nowMs()));
      expect(core.effects()).toEqual([]);
      expect(core.status() & Status.Effects).toBe(0);
    });
});

test("a log alone costs a plain SET no record", () => {
  core.listen(EffectMask.Propagate);
  run("SET k v");
  expect(core.effects()).toEqual([]);
  expect(core.status()).toBe(Status.Changed);
});

test("each listener is told only of its own", () => {
  core.listen(EffectMask.Touched);
  run("SET k v EX 100");
  expect(new Set(core.effects().map((effect) => effect.kind))).toEqual(new Set(["touched"]));
  core.listen(EffectMask.Events);
  run("SET k v EX 100");
  expect(new Set(core.effects().map((effect) => effect.kind))).toEqual(new Set(["event"]));
  core.listen(EffectMask.Propagate);
  run("SET k v EX 100");
  expect(core.effects().map((effect) => effect.kind)).toEqual(["propagate"]);
});

test("an error sets its bit, and only an error does", () => {
  run("SET k text");
  expect(core.status() & Status.Error).toBe(0);
  run("INCR k");
  expect(core.status()).toBe(Status.Error);
  run("GET k");
  expect(core.status()).toBe(0);
});

test("effects carry the database in which they happened", () => {
  core.client.db = 7;
  run("SET k v PX 10");
  expect(core.effects().every((effect) => !("db" in effect) || effect.db === 7)).toBe(true);
  core.clock.advance(20);
  core.client.db = 3;
  core.expireDue();
  expect(core.effects()).toContainEqual({ kind: "expired", db: 7, key: "k" });
});

test("flushes say which keys they touched", () => {
  core.client.db = 2;
  run("FLUSHDB");
  expect(core.effects()).toContainEqual({ kind: "flushed", db: 2 });
  run("FLUSHALL");
  expect(core.effects()).toContainEqual({ kind: "flushed", db: 0xffff_ffff });
  run("SWAPDB 4 9");
  expect(core.effects()).toContainEqual({ kind: "flushed", db: 4 });
  expect(core.effects()).toContainEqual({ kind: "flushed", db: 9 });
});

test("keys expired in a slice are logged, touched and announced, oldest first", () => {
  core.raw("SET", "second", "v", "PX", "20");
  core.raw("SET", "first", "v", "PX", "10");
  core.raw("SET", "lasting", "v");
  core.clock.advance(30);
  core.effects().length = 0;
  core.expireDue();
  expect(core.effects()).toEqual(
    ["first", "second"].flatMap((key): Effect[] => [
      { kind: "expired", db: 0, key },
      { kind: "touched", db: 0, key, due: true },
      { kind: "event", db: 0, event: "expired", key },
    ]),
  );
  expect(core.run("DBSIZE")).toEqual({ kind: "integer", value: 1n });
});

test("records that fill the buffer are drained in order, and none is lost", () => {
  const keys = Array.from({ length: 30_000 }, (_, i) => `key:${i}`);
  core.raw("MSET", ...keys.flatMap((key) => [key, "v"]));
  expect(core.drained(Stream.Effects)).toBeGreaterThan(0);
  const set = core.effects().filter((effect) => effect.kind === "event" && effect.event === "set");
  expect(set.map((effect) => (effect.kind === "event" ? effect.key : ""))).toEqual(keys);
  expect(core.effects().filter((effect) => effect.kind === "self")).toHaveLength(1);
});

test("a key longer than the records copy is told whole", () => {
  const key = "k".repeat(200_000);
  core.raw("SET", key, "v", "PX", "10");
  expect(core.logged()[0]).toEqual(["SET", key, "v", "PXAT", `${core.clock.nowMs() + 10}`]);
  expect(touchedBy(core.effects())).toEqual([key]);
  core.clock.advance(20);
  core.raw("GET", key);
  expect(core.logged()).toEqual([["DEL", key]]);
});

describe("replay", () => {
  beforeEach(() => {
    run("SET k v PX 10");
    core.clock.advance(20);
    core.client.flags = IoFlag.Replay;
  });

  test("finds keys that are due, and deletes none", () => {
    run("APPEND k w");
    expect(core.logged()).toEqual([["APPEND", "k", "w"]]);
    expect(core.run("GET", "k")).toEqual({ kind: "bulk", text: "vw" });
  });

  test("takes deadlines in the past as they are", () => {
    run("PEXPIREAT k 5");
    expect(core.run("PEXPIRETIME", "k")).toEqual({ kind: "integer", value: 5n });
    run("PEXPIREAT k -5");
    expect(core.run("EXISTS", "k")).toEqual({ kind: "integer", value: 1n });
    core.client.flags = 0;
    expect(core.run("EXISTS", "k")).toEqual({ kind: "integer", value: 0n });
  });

  test("refuses nothing for want of room", () => {
    core.core.configureMemory(1, EvictionPolicy.NoEviction);
    expect(core.raw("SET", "more", "v")).toBe("+OK\r\n");
    core.client.flags = 0;
    expect(core.raw("SET", "more", "w")).toStartWith("-OOM ");
  });
});

test("while writes are refused, keys that are due are hidden and not deleted", () => {
  run("SET k v PX 10");
  core.clock.advance(20);
  core.client.flags = IoFlag.WritesRefused;
  for (const command of ["GET k", "TTL k", "EXISTS k", "RANDOMKEY", "KEYS *", "SCAN 0", "TYPE k"]) {
    const raw = core.raw(...command.split(" "));
    expect(raw).not.toContain("k\r\n");
    expect(core.logged()).toEqual([]);
  }
  expect(core.run("DBSIZE")).toEqual({ kind: "integer", value: 1n });
  core.client.flags = 0;
  run("GET k");
  expect(core.logged()).toEqual([["DEL", "k"]]);
});

test("RANDOMKEY finds the one living key among many that are due and may not be deleted", () => {
  for (let i = 0; i < 3000; i++) core.raw("SET", `due:${i}`, "v", "PX", "10");
  run("SET lasting v");
  core.clock.advance(20);
  core.client.flags = IoFlag.WritesRefused;
  expect(core.run("RANDOMKEY")).toEqual({ kind: "bulk", text: "lasting" });
  core.client.flags = 0;
  expect(core.run("RANDOMKEY")).toEqual({ kind: "bulk", text: "lasting" });
});

describe("under a memory limit", () => {
  const VALUE = "x".repeat(1000);
  const LIMIT_BYTES = 4 << 20;

  function fill(count: number): void {
    for (let i = 0; i < count; i++) core.raw("SET", `key:${i}`, VALUE);
  }

  test("a write without room is refused with Redis's text, and reads and deletions go on", () => {
    fill(10);
    core.core.configureMemory(1000, EvictionPolicy.NoEviction);
    const refused = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    const commands = ["SET k v", "MSET k v", "APPEND k v", "INCR k", "INCRBY k 1", "DECR k"];
    for (const command of [...commands, "DECRBY k 1"]) {
      expect(core.raw(...command.split(" "))).toBe(refused);
      expect(core.status()).toBe(Status.Error);
    }
    expect(core.raw("GET", "key:1")).toBe(`$1000\r\n${VALUE}\r\n`);
    expect(core.raw("EXPIRE", "key:1", "100")).toBe(":1\r\n");
    expect(core.raw("DEL", "key:1")).toBe(":1\r\n");
  });

  test("what a command evicts first is logged before it, what it evicts after behind it", () => {
    core.core.configureMemory(LIMIT_BYTES, EvictionPolicy.AllKeysLru);
    let before = 0;
    let behind = 0;
    for (let i = 0; i < 8000; i++) {
      core.raw("SET", `key:${i}`, VALUE);
      const lines = core.logged();
      const at = lines.findIndex((line) => line[0] === "SET");
      expect(lines.filter((line) => line[0] === "SET")).toHaveLength(1);
      before += at;
      behind += lines.length - 1 - at;
      expect(core.core.usedBytes()).toBeLessThanOrEqual(LIMIT_BYTES);
    }
    expect(before).toBeGreaterThan(1000);
    // A segment that splits in the command is what its arguments did not announce.
    expect(behind).toBeGreaterThan(0);
    expect(core.raw("GET", "key:0")).toBe("$-1\r\n");
    expect(core.raw("GET", "key:7999")).toStartWith("$1000\r\n");
  });

  test("a replica of the log holds exactly the keys that are left", () => {
    core.core.configureMemory(LIMIT_BYTES, EvictionPolicy.AllKeysLru);
    const replica = createHarness();
    for (let i = 0; i < 6000; i++) {
      core.raw("SET", `key:${i % 5000}`, `${i}:${VALUE.slice(0, i % 900)}`);
      for (const line of core.logged()) replica.raw(...line);
    }
    const keysOf = (harness: CoreHarness) => harness.raw("KEYS", "*").split("\r\n").sort();
    expect(keysOf(replica)).toEqual(keysOf(core));
    replica.check();
  });

  test("evicted keys are touched and announced", () => {
    core.core.configureMemory(LIMIT_BYTES, EvictionPolicy.AllKeysLru);
    const seen: Effect[] = [];
    for (let i = 0; i < 5000; i++) {
      core.raw("SET", `key:${i}`, VALUE);
      seen.push(...core.effects().filter((effect) => effect.kind === "evicted"));
      for (const effect of core.effects())
        if (effect.kind === "evicted") {
          const { key } = effect;
          expect(core.effects()).toContainEqual({ kind: "touched", db: 0, key });
          expect(core.effects()).toContainEqual({ kind: "event", db: 0, event: "evicted", key });
        }
    }
    expect(seen.length).toBeGreaterThan(500);
  });
});
