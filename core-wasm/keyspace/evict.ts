/**
 * The memory limit: who is evicted when.
 * The promise: after every command used_memory <= the limit, unless the policy has no candidate left. A limit that is set below
 * what is used comes into force in slices (`lowerLimit`): in between, the limit is what is left.
 */
import { Address, EvictionPolicy, IoFlag, MAX_DATABASES, SnapshotReason } from "../abi";
import * as effects from "../effects";
import { reserveInUse } from "../memory/pages";
import { abortWalk, settleOwed } from "../snapshot/walk";
import { io, NO_TABLE, random64, ScratchArea, state } from "../state";
import { freeGarbage } from "../types/garbage";
import { databaseOf, tableIdOf } from "./databases";
import { deadlineOf, Entry, entryAt, keyLength, keyPtr, tableOf } from "./entry";
import { removeEntry } from "./keyspace";
import { firstToEvict, isFrequency, Order, orderOf, Stage, takesAllKeys } from "./order";
import { freeOrphans, isOrphanFree } from "./orphans";
import { beginRebuild, rebuildStep } from "./rebuild";
import { POSITION_END, Table, table } from "./table";
import { walkStep } from "./table-walk";
import { nearEntry } from "./wheel";

/** What an unset maxmemory means: one memory ends at 4 GiB. */
const DEFAULT_LIMIT_BYTES: u64 = 3584 << 20;
/** Evicting a key costs about as much as this many moves. */
const EVICT_COST: i32 = 4;
const ORPHAN_STEP: i32 = 512;
/** Buckets looked through for a key with a deadline. */
const RANDOM_STEPS: i32 = 512;
/** Enough to find somebody in a walk over all keys, as a rule. */
const REBUILD_STEP: i32 = 512;

/** What maxmemory asks for. */
function wantedBytes(): u64 {
  return state.maxBytes === 0 ? DEFAULT_LIMIT_BYTES : state.maxBytes;
}

/** What the host holds. Below 2^63, which is cheaper to convert than all that a u64 may be. */
function hostBytes(): u64 {
  return <u64>(<i64>state.hostBytes);
}

function usedBytes(): u64 {
  return state.usedBytes + hostBytes();
}

/** Sets limit (0 = none) and policy. A change of order begins here and goes on in `rebuildStep`. O(1) */
export function configureLimit(maxBytes: u64, policy: u32): void {
  state.maxBytes = maxBytes;
  state.policy = policy;
  settleLimit();
  const order = orderOf(maxBytes === 0 ? EvictionPolicy.NoEviction : policy);
  if (order !== state.order) beginRebuild(order);
}

/** The limit in force: what is wanted, or while that is being worked for what is used. */
function settleLimit(): void {
  const wanted = wantedBytes();
  const used = usedBytes();
  const evicts = state.policy !== EvictionPolicy.NoEviction;
  state.limitBytes = evicts && used > wanted ? used : wanted;
}

/** Evicts until the limit in force is the one wanted. @returns budget left; 0 = there is more to evict */
export function lowerLimit(budget: i32): i32 {
  while (state.limitBytes > wantedBytes()) {
    if (budget <= 0) return 0;
    const entry = victim();
    if (entry === null) {
      state.limitBytes = wantedBytes();
      return budget;
    }
    evict(entry);
    settleLimit();
    budget -= EVICT_COST;
  }
  return budget;
}

/** Sets how LFU counters grow and decay. */
export function configureCounters(logFactor: u32, decayMinutes: u32): void {
  state.logFactor = logFactor;
  if (decayMinutes === state.decayMinutes) return;
  state.decayMinutes = decayMinutes;
  if (isFrequency()) beginRebuild(state.order);
}

// ---- who goes

function candidates(t: Table, withDeadline: bool): u32 {
  return withDeadline ? t.deadlines : t.count;
}

/** A table drawn by its share of the candidates, or null if there are none. O(databases) */
function randomTable(withDeadline: bool): Table | null {
  let total: u64 = 0;
  for (let db: u32 = 0; db < <u32>MAX_DATABASES; db++) {
    const id = tableIdOf(db);
    if (id !== NO_TABLE) total += candidates(table(id), withDeadline);
  }
  if (total === 0) return null;
  let draw = random64() % total;
  for (let db: u32 = 0; db < <u32>MAX_DATABASES; db++) {
    const id = tableIdOf(db);
    if (id === NO_TABLE) continue;
    const here = candidates(table(id), withDeadline);
    if (draw < <u64>here) return table(id);
    draw -= here;
  }
  return null;
}

function stepCell(index: u32): usize {
  return Address.Scratch + ScratchArea.Step + ((<usize>index) << 2);
}

/** Leaves of the refs of a walk step those with a deadline. */
function keepWithDeadline(): void {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < state.stepCount; i++) {
    const ref = load<u32>(stepCell(i));
    if (deadlineOf(entryAt(ref)) === 0) continue;
    store<u32>(stepCell(kept), ref);
    kept += 1;
  }
  state.stepCount = kept;
}

/**
 * A candidate near a random place of the hash space, or null. Where less than about one key in five thousand has a deadline
 * the walk gives up and the wheel names one that is due soon.
 */
function randomVictim(withDeadline: bool): Entry | null {
  const t = randomTable(withDeadline);
  if (t === null) return null;
  let position = random64() >> 16;
  for (let steps = 0; !withDeadline || steps < RANDOM_STEPS; steps++) {
    position = walkStep(t, position);
    if (position >= POSITION_END) position = 0;
    if (withDeadline) keepWithDeadline();
    if (state.stepCount > 0)
      return entryAt(load<u32>(stepCell(<u32>(random64() % state.stepCount))));
  }
  return nearEntry();
}

function victim(): Entry | null {
  if (state.maxBytes === 0) return null;
  if (state.policy === EvictionPolicy.AllKeysRandom) return randomVictim(false);
  if (state.policy === EvictionPolicy.VolatileRandom) return randomVictim(true);
  if (state.order === Order.None) return null;
  let first = firstToEvict();
  while (first === null && state.orderStage === Stage.Walking) {
    // Candidates with a deadline may be few and far in the walk; the wheel has them at hand.
    if (!takesAllKeys()) return nearEntry();
    rebuildStep(REBUILD_STEP);
    first = firstToEvict();
  }
  return first;
}

function evict(entry: Entry): void {
  const db = databaseOf(tableOf(entry));
  if (db !== NO_TABLE) {
    effects.evicted(db, keyPtr(entry), keyLength(entry));
    state.evictedKeys += 1;
  }
  removeEntry(entry);
}

/** Frees and evicts until `target` bytes are enough for all. */
function shrinkTo(target: u64): void {
  while (usedBytes() > target) {
    if (settleOwed()) continue;
    if (state.orphanCount > 0) {
      // Kept for a snapshot, but there is no room for that.
      if (!isOrphanFree()) abortWalk(SnapshotReason.Memory);
      freeOrphans(ORPHAN_STEP);
      continue;
    }
    if (state.garbage !== 0) {
      freeGarbage(ORPHAN_STEP);
      continue;
    }
    const entry = victim();
    if (entry === null) return;
    evict(entry);
  }
}

/** Whether there is room for whatever a command in the input window may bring. */
export function isRoomy(): bool {
  return usedBytes() + (Address.InputEnd - Address.Input) < state.limitBytes && !reserveInUse();
}

/** Makes room for a command that brings `incoming` bytes. @returns whether a write may begin */
export function makeRoom(incoming: u64): bool {
  const limit = state.limitBytes;
  // What can never fit costs nobody their place.
  if (incoming > 0 && incoming + hostBytes() >= limit) return false;
  if (usedBytes() + incoming <= limit) return usedBytes() < limit && !reserveInUse();
  if ((io().flags & (IoFlag.Replay | IoFlag.WritesRefused)) !== 0) return true;
  shrinkTo(incoming < limit ? limit - incoming : 0);
  return usedBytes() < limit && !reserveInUse();
}

/** After a command: back under the limit. */
export function trimToLimit(): void {
  if (state.maxBytes === 0 || usedBytes() <= state.limitBytes) return;
  if ((io().flags & (IoFlag.Replay | IoFlag.WritesRefused)) === 0) shrinkTo(state.limitBytes);
}
