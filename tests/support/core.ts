/**
 * One core for model tests: words in, plain JavaScript values out, time and background work by hand.
 * A layer of convenience over `core-harness.ts`, which is the host of the ABI.
 */
import { type EvictionPolicy, StateField } from "../../core-wasm/abi.ts";
import { type CoreHarness, createHarness, type Effect, type Word } from "./core-harness.ts";
import type { Reply } from "./reply.ts";

const at = (file: string) => `${import.meta.dir}/../../build/${file}`;

/** The builds of the core: `tiny` has buckets of 3 cells, so that splits and merges happen all the time. */
export const BUILDS = {
  release: at("core.wasm"),
  debug: at("core.debug.wasm"),
  tiny: at("core.tiny.wasm"),
} as const;
export type Build = keyof typeof BUILDS;

/** An error reply, without its `-`. */
export class ErrorReply {
  constructor(readonly text: string) {}
}

/** A reply as a value: strings are latin1, a map is a Map, a set an array. */
export type Plain = string | number | null | ErrorReply | Plain[] | Map<Plain, Plain>;

export interface TestCoreOptions {
  build?: Build;
  seed?: readonly [number, number];
  nowMs?: number;
}

export interface TestCore {
  readonly harness: CoreHarness;
  /** Runs one command. @returns its reply */
  run(...words: Word[]): Plain;
  /** Runs one command. @throws Error if the reply is an error */
  must(...words: Word[]): Plain;
  /** Status bits of the last command. */
  status(): number;
  /** Effects since the last command began; see `listen` of the harness. */
  effects(): Effect[];
  readonly clock: { nowMs(): number; setNow(ms: number): void; advance(ms: number): void };
  /** Limit in bytes (0 = none) and policy; `evictDown` then comes down to it, `tidyAll` builds the order. */
  limit(bytes: number, policy: EvictionPolicy): void;
  usedBytes(): number;
  heapPages(): number;
  /** Background work until nothing waits, in slices of `budget`. @throws Error if it does not come to an end */
  expireAll(budget?: number): void;
  evictDown(budget?: number): void;
  freeAll(budget?: number): void;
  tidyAll(budget?: number): void;
  /** Every invariant of the heap. @returns entries seen */
  check(): number;
}

const SLICES_MAX = 1_000_000;

export function plainOf(reply: Reply): Plain {
  switch (reply.kind) {
    case "simple":
    case "bulk":
    case "double":
    case "big number":
    case "boolean":
    case "verbatim":
      return reply.text;
    case "error":
      return new ErrorReply(reply.text);
    case "integer":
      return Number(reply.value);
    case "nil":
      return null;
    case "map": {
      const items = reply.items.map(plainOf);
      const pairs = new Map<Plain, Plain>();
      for (let i = 0; i < items.length; i += 2) pairs.set(items[i]!, items[i + 1]!);
      return pairs;
    }
    default:
      return reply.items.map(plainOf);
  }
}

function untilDone(name: string, slice: (budget: number) => number, budget: number): void {
  for (let slices = 0; slice(budget) === 0; slices++)
    if (slices === SLICES_MAX) throw new Error(`${name} does not come to an end`);
}

export function createTestCore(options: TestCoreOptions = {}): TestCore {
  const harness = createHarness({
    wasmPath: BUILDS[options.build ?? "debug"],
    ...(options.seed && { seed: options.seed }),
    ...(options.nowMs !== undefined && { nowMs: options.nowMs }),
  });
  const { core, clock } = harness;
  const run = (...words: Word[]) => plainOf(harness.run(...words));
  return {
    harness,
    run,
    must(...words) {
      const reply = run(...words);
      if (reply instanceof ErrorReply) throw new Error(`${String(words[0])}: ${reply.text}`);
      return reply;
    },
    status: () => harness.status(),
    effects: () => harness.effects(),
    clock: { ...clock, setNow: (ms) => clock.advance(ms - clock.nowMs()) },
    limit: (bytes, policy) => core.configureMemory(bytes, policy),
    usedBytes: () => core.usedBytes(),
    heapPages: () => core.field(StateField.HeapPagesUsed),
    expireAll: (budget = 1000) => untilDone("expireSlice", core.expireSlice, budget),
    evictDown: (budget = 1000) => untilDone("evictSlice", core.evictSlice, budget),
    freeAll: (budget = 1000) => untilDone("freeSlice", core.freeSlice, budget),
    tidyAll: (budget = 1000) => untilDone("tidySlice", core.tidySlice, budget),
    check: () => harness.check(),
  };
}
