/**
 * The typed doorway to the core: one instance of the module over one memory.
 * Everything that crosses is an i32 or an f64; addresses come back signed and are used as `>>> 0`.
 */
import { readFileSync } from "node:fs";
import corePath from "../../build/core.wasm" with { type: "file" };
import {
  Address,
  type EvictionPolicy,
  type KeyState,
  StateField,
  type Stream,
} from "../../core-wasm/abi.ts";
import { type CoreMemory, createMemory } from "./memory.ts";

/** Frames from which on it pays to `prefetch`. */
export const PREFETCH_MIN_FRAMES = 2;

/** What `core-wasm/index.ts` exports. */
export interface CoreExports {
  init(seedLow: number, seedHigh: number): void;
  /** Runs command `commandId` on argv entries 0 to argc-1; the reply is in the output window. @returns Status bits */
  execute(commandId: number, argc: number): number;
  /**
   * Runs command `commandId` on up to `count` frames from record `first` on, until one answers other bits of `attention` than those before it,
   * or one that the host must act on. @returns how many were executed << STATUS_BITS | the Status of the last; IoField.FramesStatus has those of the others
   */
  executeFrames(commandId: number, first: number, count: number, attention: number): number;
  /**
   * Frames multibulk commands of [at, end) that are as we would write them, as records at Address.Frames from `count` on, up to `most` in
   * all: until the first that is anything else, or not all here. @returns how many records there are then
   */
  frame(at: number, end: number, count: number, most: number): number;
  /** Brings what the keys of `count` frames at Address.Frames need into the cache. @returns 0 = it was there, as far as sizes tell */
  prefetch(count: number): number;
  /** Deletes due keys, oldest first, at most `budget` steps. @returns steps left over; 0 = more is due */
  expireSlice(budget: number): number;
  /** Frees lazily deleted values and flushed tables. @returns steps left over; 0 = more waits */
  freeSlice(budget: number): number;
  /** Entries and large values that wait for freeSlice. */
  pendingObjects(): number;
  /** Merges, halves, re-hangs, rebuilds eviction order, defragments, grows ahead. @returns steps left over; 0 = more waits */
  tidySlice(budget: number): number;
  /** 64 KiB pages of the heap that are free and take memory of the system all the same. */
  freePagesHeld(): number;
  /** Up to `budget` of them, to be given back to the system before the next call. @returns address of u32 pieces, then u32 first page, u32 pages of each */
  releasePages(budget: number): number;
  /** Instant in ms of the next deadline in the wheel, Infinity if there is none. May be early, never late. */
  nextDeadlineMs(): number;
  /** Evicts for a limit that was set below what is used. @returns steps left over; 0 = more is to go */
  evictSlice(budget: number): number;
  /** Sets the limit (0 = none) and policy; evictSlice comes down to it, tidySlice builds the policy's order. */
  configureMemory(maxBytes: number, policy: EvictionPolicy): void;
  /** Sets lfu-log-factor and lfu-decay-time (minutes). */
  configureFrequency(logFactor: number, decayMinutes: number): void;
  /** A heap run for a command too large for the input window or the argv table. @returns address, 0 = no memory */
  allocInput(bytes: number): number;
  /** Copies the command in the argv table into a run (layout: abi.ts), to be freed by `freeInput`. @returns 0 = no memory */
  keepCommand(argc: number): number;
  freeInput(ptr: number): void;
  /** The key leaves a record when it is touched, in any database; `ignoreKey` or `ignoreCell` take it back. @returns the cell of keys it is counted in */
  heedKey(ptr: number, length: number): number;
  ignoreKey(ptr: number, length: number): void;
  /** What is under a key, without a trace. */
  peekKey(db: number, ptr: number, length: number): KeyState;
  /** Whether keys that no sync covers are told apart (Status.SawUnsynced, Status.SawSyncing). */
  trackWrites(on: number): void;
  /** A sync begins that covers every write so far; the one before it has ended. */
  syncBegins(): void;
  /** It has ended. */
  syncEnds(): void;
  /** The type of a live key (`Type` of entry.ts) plus 1, 0 if there is none; without a trace. */
  peekType(db: number, ptr: number, length: number): number;
  /** Begins a snapshot of all databases, between two units. @returns 1 = it has begun, 0 = one is under way */
  snapshotBegin(): number;
  /** Goes on with it; SnapshotPhase.None says that it is over. @returns steps left over; 0 = there is more */
  snapshotSlice(budget: number): number;
  /** Gives it up; snapshotSlice must go on to its end all the same. */
  snapshotAbort(): void;
  /** Evicts until `bytes` more fit under the limit; may leave effects. @returns 1 = they do */
  makeRoomFor(bytes: number): number;
  /** Number of keys of database `db`, of those with a deadline, and the mean remaining ms of those. */
  keyCount(db: number): number;
  deadlineCount(db: number): number;
  meanTtlMs(db: number): number;
  /** Bytes of database `db` beside keys and values: table, entry headers, deadlines. */
  overheadBytes(db: number): number;
  /** 0: keys that are due are deleted only when they are looked up. */
  setActiveExpire(on: number): void;
  /** Words in scratch (core-wasm/inspect.ts), valid until the next call. @returns address, 0 = nothing there */
  inspectTable(db: number): number;
  inspectWheel(): number;
  /** Walks the whole memory and asserts every invariant; traps on the first that does not hold. @returns entries seen */
  check(): number;
}

export interface Core extends CoreExports {
  readonly memory: CoreMemory;
  /** used_memory without the host's own buffers. */
  usedBytes(): number;
  /** A u64 of State. */
  counter(field: StateField): number;
  clearCounter(field: StateField): void;
  /** Takes back one `heedKey` by what it returned: in the middle of a command too, as the core is not called. */
  ignoreCell(cell: number): void;
  /** A u32 of State. */
  field(field: StateField): number;
}

export interface CoreOptions {
  /** 64 random bits: hash key and generator derive from them. */
  seed: readonly [number, number];
  /** Called when an output region is full: must empty it before it returns. */
  drain(stream: Stream): void;
  /** Another build of the module; tests pass the debug and the tiny-bucket build. */
  wasmPath?: string;
}

/** Modules compiled so far by path: several servers in one process compile once. Immutable once compiled. */
const compiled = new Map<string, WebAssembly.Module>();

function moduleAt(path: string): WebAssembly.Module {
  let module = compiled.get(path);
  if (module === undefined) {
    module = new WebAssembly.Module(readFileSync(path));
    compiled.set(path, module);
  }
  return module;
}

/** @throws Error if the address space for the memory cannot be had. */
export function createCore(options: CoreOptions): Core {
  const memory = createMemory();
  const abort = (_message: number, _file: number, line: number, column: number) => {
    throw new Error(`core assertion failed at line ${line}:${column}`);
  };
  const instance = new WebAssembly.Instance(moduleAt(options.wasmPath ?? corePath), {
    env: { memory: memory.memory, drain: options.drain, abort },
  });
  const exports = instance.exports as unknown as CoreExports;
  exports.init(options.seed[0] | 0, options.seed[1] | 0);
  const words = memory.words;
  const counter = (field: StateField) => Number(words.getBigUint64(Address.State + field, true));
  const field = (name: StateField) => words.getUint32(Address.State + name, true);
  const clearCounter = (field: StateField) => words.setBigUint64(Address.State + field, 0n, true);
  return {
    ...exports,
    memory,
    counter,
    clearCounter,
    field,
    ignoreCell(cell) {
      memory.i32[cell >> 2]!--;
    },
    usedBytes: () => counter(StateField.UsedBytes),
  };
}
