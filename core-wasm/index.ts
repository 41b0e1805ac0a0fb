/** The export list: the whole ABI. Every function takes and returns i32 or f64 only. */
import { Address, EvictionPolicy, MAXIMUM_PAGES, SnapshotReason } from "./abi";
import { keepArguments } from "./argv";
import { checkAll } from "./check";
import { tableFigures, wheelFigures } from "./inspect";
import { heed, ignore } from "./interest";
import { configureCounters, configureLimit, lowerLimit, makeRoom } from "./keyspace/evict";
import {
  deadlineCount as deadlinesOf,
  forgetLookup,
  initKeyspace,
  keyCount as keysOf,
  meanTtl,
  overhead as overheadOf,
  peek,
  prefetchFrames,
  typeAt,
} from "./keyspace/keyspace";
import { beginOrder, Order } from "./keyspace/order";
import { freeOrphans, orphanedEntries } from "./keyspace/orphans";
import { rebuildStep } from "./keyspace/rebuild";
import { defragment, expireDue, mergeSparse } from "./keyspace/tidy";
import { initWheel, nextDeadline } from "./keyspace/wheel";
import { alloc, free, initAllocator } from "./memory/allocator";
import { seedHash } from "./memory/bytes";
import { FIRST_PAGE, growAhead, releaseFree, unreleasedPages } from "./memory/pages";
import { initPowers } from "./memory/powers";
import { abortWalk, beginWalk, owedEntries, walkSlice } from "./snapshot/walk";
import { IoBlock, NO_TABLE, setDefaultLimits, state } from "./state";
import { freeGarbage, garbageCount } from "./types/garbage";
import { beginSync, endSync, trackUnsynced } from "./unsynced";

export { execute, executeFrames } from "./dispatch";
export { frame } from "./frames";

const DEFAULT_LOG_FACTOR: u32 = 10;
const DEFAULT_DECAY_MINUTES: u32 = 1;
const DEFAULT_DATABASES: u32 = 16;
const DEFAULT_MAX_STRING_BYTES: u32 = 512 << 20;

/** Lays out a fresh memory. Called once, by the thread that created it. */
export function init(seedLow: i32, seedHigh: i32): void {
  const block = changetype<IoBlock>(Address.IoBlock);
  state.io = Address.IoBlock;
  state.effectsTop = Address.Effects;
  block.argvPtr = Address.ArgvTable;
  block.outStart = Address.Output;
  block.outTop = Address.Output;
  block.outEnd = Address.OutputEnd;
  block.protocol = 2;
  // The generator must not start at zero.
  state.random = ((<u64>(<u32>seedHigh)) << 32) | <u64>(<u32>seedLow) | 1;
  seedHash();
  state.databases = DEFAULT_DATABASES;
  state.maxStringBytes = DEFAULT_MAX_STRING_BYTES;
  state.logFactor = DEFAULT_LOG_FACTOR;
  state.decayMinutes = DEFAULT_DECAY_MINUTES;
  setDefaultLimits();
  state.freeTable = NO_TABLE;
  state.moveTable = NO_TABLE;
  // One page of slack stays behind the last block.
  initAllocator(MAXIMUM_PAGES - FIRST_PAGE - 1);
  initPowers();
  initWheel();
  initKeyspace();
  beginOrder(Order.None);
  configureLimit(0, EvictionPolicy.NoEviction);
}

/** Brings what the keys of the next `count` frames at Address.Frames need into the cache. @returns 0 = it was there, as far as sizes tell */
export function prefetch(count: i32): i32 {
  return prefetchFrames(count);
}

function beginSlice(): void {
  state.status = 0;
  forgetLookup();
}

/** Deletes due keys, oldest first. @returns steps left over; 0 = more is due */
export function expireSlice(budget: i32): i32 {
  beginSlice();
  return expireDue(budget);
}

/** Evicts for a limit that was lowered. @returns steps left over; 0 = more is to go */
export function evictSlice(budget: i32): i32 {
  beginSlice();
  return lowerLimit(budget);
}

/** Frees flushed tables and large deleted values. @returns steps left over; 0 = more waits */
export function freeSlice(budget: i32): i32 {
  beginSlice();
  budget = freeOrphans(budget);
  return budget > 0 ? freeGarbage(budget) : 0;
}

/** Entries and large values that wait to be freed in slices. */
export function pendingObjects(): f64 {
  return <f64>(orphanedEntries() + garbageCount() + owedEntries());
}

/** Builds a changed order, grows ahead, merges, defragments. @returns steps left over; 0 = more waits */
export function tidySlice(budget: i32): i32 {
  beginSlice();
  growAhead();
  budget = rebuildStep(budget);
  if (budget > 0) budget = mergeSparse(budget);
  return budget > 0 ? defragment(budget) : 0;
}

/** 64 KiB pages of the heap that are free and take memory of the system all the same. */
export function freePagesHeld(): i32 {
  return unreleasedPages();
}

/** Up to `budget` of them, which the host gives back to the system before it calls again. @returns address in scratch: u32 pieces, then u32 first page, u32 pages of each */
export function releasePages(budget: i32): i32 {
  return <i32>releaseFree(budget);
}

/** Begins a snapshot of all databases as they are now, between two units. @returns 1 = it has begun, 0 = one is under way */
export function snapshotBegin(): i32 {
  return beginWalk() ? 1 : 0;
}

/** Goes on with the snapshot; SnapshotPhase.None says that it is over. @returns steps left over; 0 = there is more */
export function snapshotSlice(budget: i32): i32 {
  beginSlice();
  return walkSlice(budget);
}

/** Gives the snapshot up; `snapshotSlice` must go on to its end all the same. */
export function snapshotAbort(): void {
  abortWalk(SnapshotReason.Host);
}

/** Whether keys that no sync covers are told apart (Status.SawUnsynced, Status.SawSyncing). */
export function trackWrites(on: i32): void {
  trackUnsynced(on !== 0);
}

/** A sync begins that covers every write so far; the one before it has ended. */
export function syncBegins(): void {
  beginSync();
}

/** It has ended. */
export function syncEnds(): void {
  endSync();
}

/** Instant in ms of the next deadline, Infinity if there is none. May be early, never late. */
export function nextDeadlineMs(): f64 {
  return nextDeadline();
}

/** Sets maxmemory (0 = none) and its policy. O(1); evictSlice and tidySlice do what follows. */
export function configureMemory(maxBytes: f64, policy: i32): void {
  beginSlice();
  configureLimit(<u64>maxBytes, policy);
}

/** Sets lfu-log-factor and lfu-decay-time. O(1) */
export function configureFrequency(logFactor: i32, decayMinutes: i32): void {
  beginSlice();
  configureCounters(logFactor, decayMinutes);
}

/** A run for a command that is too large for the windows. @returns address, 0 = no memory */
export function allocInput(bytes: i32): i32 {
  return <i32>alloc(bytes);
}

/** Keeps the command in the argv table for later. @returns a run to be freed by `freeInput`, 0 = no memory */
export function keepCommand(argc: i32): i32 {
  return <i32>keepArguments(argc);
}

export function freeInput(ptr: i32): void {
  free(<usize>(<u32>ptr));
}

/** From here on the key leaves a record when it is touched, in any database (EffectMask.Touched). @returns its counter's address */
export function heedKey(ptr: i32, length: i32): i32 {
  return <i32>heed(<u32>ptr, length);
}

/** Takes back one `heedKey`. */
export function ignoreKey(ptr: i32, length: i32): void {
  ignore(<u32>ptr, length);
}

/** What is under a key, without a trace. @returns KeyState */
export function peekKey(db: i32, ptr: i32, length: i32): i32 {
  beginSlice();
  return peek(db, <u32>ptr, length);
}

/** The Type of a live key plus 1, 0 if there is none; without a trace. */
export function peekType(db: i32, ptr: i32, length: i32): i32 {
  beginSlice();
  return typeAt(db, <u32>ptr, length);
}

/** Evicts until `bytes` more fit under the limit. @returns 1 = they do */
export function makeRoomFor(bytes: i32): i32 {
  beginSlice();
  return makeRoom(<u32>bytes) ? 1 : 0;
}

export function keyCount(db: i32): i32 {
  return keysOf(db);
}

export function deadlineCount(db: i32): i32 {
  return deadlinesOf(db);
}

/** Bytes of database `db` beside keys and values: table, entry headers, deadlines. */
export function overheadBytes(db: i32): f64 {
  return overheadOf(db);
}

export function meanTtlMs(db: i32): f64 {
  return meanTtl(db);
}

/** DEBUG SET-ACTIVE-EXPIRE: with 0 keys that are due are deleted only when they are looked up. */
export function setActiveExpire(on: i32): void {
  state.expiryPaused = on === 0 ? 1 : 0;
}

/** Figures of a database's table, as words (inspect.ts). @returns address, 0 = it has none */
export function inspectTable(db: i32): i32 {
  return <i32>tableFigures(db);
}

/** Figures of the wheel's levels, as words (inspect.ts). @returns address */
export function inspectWheel(): i32 {
  return <i32>wheelFigures();
}

/** Asserts every invariant of the memory; traps on the first that does not hold. @returns entries seen */
export function check(): i32 {
  beginSlice();
  return checkAll();
}
