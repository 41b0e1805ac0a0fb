/**
 * The memory limit: who is evicted when, and the rebuilding of the order after the policy changed.
 * The promise: after every command used_memory <= maxmemory, unless the policy has no candidate left.
 */
import { Address, EvictionPolicy, IoFlag, MAX_DATABASES } from "../abi";
import * as effects from "../effects";
import { reserveInUse } from "../memory/pages";
import { io, NO_TABLE, random64, ScratchArea, state } from "../state";
import { Entry, entryAt, keyLength, keyPtr, setGeneration, tableOf } from "./entry";
import { databaseOf, keyCount, randomEntry, removeEntry } from "./keyspace";
import { beginOrder, enterColdest, firstToEvict, isOrdered, Order, orderOf } from "./order";
import { freeOrphans } from "./orphans";
import { POSITION_END, TableState, table, walkStep } from "./table";
import { nearEntry } from "./wheel";

/** What an unset maxmemory means: one memory ends at 4 GiB. */
const DEFAULT_LIMIT_BYTES: u64 = 3584 << 20;
const ORPHAN_STEP: i32 = 512;
/** Enough to find somebody in a walk over all keys, as a rule. */
const REBUILD_STEP: i32 = 512;

function limitBytes(): u64 {
  return state.maxBytes === 0 ? DEFAULT_LIMIT_BYTES : state.maxBytes;
}

function usedBytes(): u64 {
  return state.usedBytes + <u64>state.hostBytes;
}

/** Sets limit (0 = none) and policy. A change of order is O(1) here and goes on in `rebuildStep`. */
export function configureLimit(maxBytes: u64, policy: u32): void {
  state.maxBytes = maxBytes;
  const order = orderOf(maxBytes === 0 ? EvictionPolicy.NoEviction : policy);
  state.policy = policy;
  if (order === state.order) return;
  // Seven generations are told apart: before they come round again, everybody must have left the oldest.
  if (state.orderTable !== NO_TABLE) rebuildStep(i32.MAX_VALUE);
  beginOrder(order);
  state.orderTable = 0;
  state.orderPosition = 0;
}

/** Links entries into a new order, table by table. @returns budget left, 0 = more to link */
export function rebuildStep(budget: i32): i32 {
  while (state.orderTable !== NO_TABLE) {
    if (budget <= 0) return 0;
    const t = table(state.orderTable);
    if (t.state !== TableState.Live || state.orderPosition >= POSITION_END) {
      state.orderTable += 1;
      state.orderPosition = 0;
      continue;
    }
    state.orderPosition = walkStep(t, state.orderPosition);
    for (let i: u32 = 0; i < state.stepCount; i++) {
      const ref = load<u32>(Address.Scratch + ScratchArea.Step + ((<usize>i) << 2));
      const entry = entryAt(ref);
      if (isOrdered(entry)) continue;
      // Stamps of orders long gone must not come round again.
      setGeneration(entry, 0);
      enterColdest(entry);
    }
    budget -= 1 + <i32>state.stepCount;
  }
  return budget;
}

function randomVictim(): Entry | null {
  const start = <u32>(random64() % MAX_DATABASES);
  for (let i: u32 = 0; i < <u32>MAX_DATABASES; i++) {
    const db = (start + i) % <u32>MAX_DATABASES;
    if (keyCount(db) > 0) return randomEntry(db);
  }
  return null;
}

function victim(): Entry | null {
  if (state.maxBytes === 0) return null;
  if (state.policy === EvictionPolicy.AllKeysRandom) return randomVictim();
  let first = firstToEvict();
  if (state.order === Order.None) return first;
  while (first === null && state.orderTable !== NO_TABLE) {
    // Candidates with a deadline may be few and far in the walk; the wheel has them at hand.
    if (state.order !== Order.RecencyAll) return nearEntry();
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
    if (state.orphanCount > 0) {
      freeOrphans(ORPHAN_STEP);
      continue;
    }
    const entry = victim();
    if (entry === null) return;
    evict(entry);
  }
}

/** Makes room for a command that brings `incoming` bytes. @returns whether a write may begin */
export function makeRoom(incoming: u64): bool {
  const limit = limitBytes();
  // What can never fit costs nobody their place.
  if (incoming > 0 && incoming + <u64>state.hostBytes >= limit) return false;
  if (usedBytes() + incoming <= limit) return usedBytes() < limit && !reserveInUse();
  if ((io().flags & (IoFlag.Replay | IoFlag.WritesRefused)) !== 0) return true;
  shrinkTo(incoming < limit ? limit - incoming : 0);
  return usedBytes() < limit && !reserveInUse();
}

/** After a command: back under the limit. */
export function trimToLimit(): void {
  if (state.maxBytes === 0 || usedBytes() <= state.maxBytes) return;
  if ((io().flags & (IoFlag.Replay | IoFlag.WritesRefused)) === 0) shrinkTo(state.maxBytes);
}
