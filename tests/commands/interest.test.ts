/** Keys somebody asked for, keys looked at without a trace, and units: what the core gives to WATCH and EXEC. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  Address,
  EffectMask,
  EvictionPolicy,
  IoFlag,
  KeyState,
  StateField,
} from "../../core-wasm/abi.ts";
import { type CoreHarness, createHarness } from "../support/core-harness.ts";

const EFFECT_MASK = (Address.State + StateField.EffectMask) >> 2;

let core: CoreHarness;
beforeEach(() => {
  core = createHarness();
  listenToNoKey();
});
afterEach(() => {
  core.check();
});

/** The harness asks for every key: here a test asks for its own. */
function listenToNoKey(): void {
  core.listen(0);
  core.core.memory.i32[EFFECT_MASK] = EffectMask.Touched;
}

/** The key's bytes where they stay. */
function place(key: string): [ptr: number, length: number] {
  const ptr = core.core.allocInput(key.length);
  core.core.memory.bytes(ptr, key.length).set(Buffer.from(key, "latin1"));
  return [ptr, key.length];
}

function touched(): string[] {
  return core.effects().flatMap((effect) => (effect.kind === "touched" ? [effect.key] : []));
}

describe("interest", () => {
  test("only a key that was asked for leaves a record, in whatever database", () => {
    core.core.heedKey(...place("mine"));
    core.raw("MSET", "mine", "1", "other", "2", "third", "3");
    expect(touched()).toEqual(["mine"]);
    core.client.db = 5;
    core.raw("SET", "mine", "1");
    expect(core.effects()).toEqual([{ kind: "touched", db: 5, key: "mine" }]);
  });

  test("each asking is taken back on its own", () => {
    const key = place("k");
    core.core.heedKey(...key);
    core.core.heedKey(...key);
    core.core.ignoreKey(...key);
    core.raw("SET", "k", "1");
    expect(touched()).toEqual(["k"]);
    core.core.ignoreKey(...key);
    core.raw("SET", "k", "2");
    expect(core.effects()).toEqual([]);
  });

  test("a deletion because a key was due is told from other touches", () => {
    core.core.heedKey(...place("k"));
    core.raw("SET", "k", "v", "PX", "10");
    core.clock.advance(20);
    core.raw("SET", "k", "again");
    expect(core.effects()).toEqual([
      { kind: "touched", db: 0, key: "k", due: true },
      { kind: "touched", db: 0, key: "k" },
    ]);
  });
});

test("peeking tells missing, live and due keys apart and leaves them and the counters alone", () => {
  const peek = (db: number, key: string) => core.core.peekKey(db, ...place(key)) as KeyState;
  core.raw("SET", "lasting", "v");
  core.raw("SET", "brief", "v", "PX", "10");
  expect(peek(0, "lasting")).toBe(KeyState.Live);
  expect(peek(0, "brief")).toBe(KeyState.Live);
  expect(peek(0, "none")).toBe(KeyState.Missing);
  expect(peek(3, "lasting")).toBe(KeyState.Missing);
  core.clock.advance(20);
  expect(peek(0, "brief")).toBe(KeyState.Due);
  expect(core.run("DBSIZE")).toEqual({ kind: "integer", value: 2n });
  expect(core.core.counter(StateField.KeyspaceHits)).toBe(0);
  expect(core.core.counter(StateField.KeyspaceMisses)).toBe(0);
});

describe("in a unit", () => {
  const LIMIT_BYTES = 4 << 20;
  const value = "x".repeat(1000);
  const fill = (from: number, to: number) => {
    for (let i = from; i < to; i++) expect(core.raw("SET", `key:${i}`, value)).toBe("+OK\r\n");
  };

  test("nothing is evicted between its commands, and all that is needed behind it", () => {
    core.core.configureMemory(LIMIT_BYTES, EvictionPolicy.AllKeysLru);
    core.client.flags = IoFlag.InUnit;
    fill(0, 6000);
    expect(core.core.usedBytes()).toBeGreaterThan(LIMIT_BYTES);
    expect(core.core.counter(StateField.EvictedKeys)).toBe(0);
    core.client.flags = 0;
    core.raw("GET", "key:0");
    expect(core.core.makeRoomFor(0)).toBe(1);
    expect(core.core.usedBytes()).toBeLessThanOrEqual(LIMIT_BYTES);
    expect(core.core.counter(StateField.EvictedKeys)).toBeGreaterThan(1000);
  });

  test("no command is refused for want of room, and the next unit is", () => {
    core.core.configureMemory(LIMIT_BYTES, EvictionPolicy.NoEviction);
    expect(core.core.makeRoomFor(0)).toBe(1);
    core.client.flags = IoFlag.InUnit;
    fill(0, 6000);
    core.client.flags = 0;
    expect(core.core.makeRoomFor(0)).toBe(0);
    expect(core.raw("SET", "k", "v")).toStartWith("-OOM ");
  });
});
