/**
 * A snapshot without fork (MECHANISMS 2): what all databases held at one instant T leaves as commands, in slices, while commands
 * go on. Each entry carries one bit, and between walks all of them equal State.epoch. A walk flips the epoch and goes through the
 * tables there were at T in the order of their hashes; whatever differs from the epoch it has not come to yet. Who changes such an entry writes it
 * out first (`takePreimage`), who removes a large one leaves it to the walk (`owe`). Tables count, not databases: SWAPDB does
 * nothing to a walk, and a flushed table is kept until the walk has passed it.
 *
 * A walk that is given up goes on without output to its end (Quiet), because every entry must be stamped before the next begins.
 */
import { Address, MAX_DATABASES, SnapshotPhase, SnapshotReason } from "../abi";
import { tableIdOf } from "../keyspace/databases";
import { Entry, entryAt, isStamped, refOf, stampEpoch, tableOf } from "../keyspace/entry";
import { POSITION_END, TableState, table } from "../keyspace/table";
import { walkStep } from "../keyspace/table-walk";
import { free } from "../memory/allocator";
import { NO_TABLE, ScratchArea, State, state } from "../state";
import { freeValue } from "../types/value";
import {
  databaseAtStart,
  forgetTables,
  includeTable,
  isAhead,
  isIncluded,
  markPassed,
  walk,
} from "./state";
import { forgetDatabase } from "./stream";
import { isLarge, writeEntry } from "./values";

/** Budget: about 100 ns each. */
const ENTRY_COST: i32 = 2;
const STEP_COST: i32 = 1;
const STAMP_COST: i32 = 1;
const BYTES_SHIFT: u64 = 9;
/** What pre-images must leave as it was: State, and scratch that commands read from. */
const SAVED_SCRATCH: usize = Address.SnapshotSaved + 2048;
const SAVED_SCRATCH_BYTES: usize = ScratchArea.Split;
/** Refs of the step in hand: writing a collection collects refs of its own. */
const STEP: usize = Address.SnapshotSaved + 8192;

/** Begins a walk. Called where no unit is open. @returns false = one is under way. O(tables) */
export function beginWalk(): bool {
  if (walk.phase !== SnapshotPhase.None) return false;
  state.epoch ^= 1;
  forgetTables();
  walk.entries = 0;
  for (let db: u32 = 0; db < <u32>MAX_DATABASES; db++) {
    const id = tableIdOf(db);
    if (id === NO_TABLE) continue;
    includeTable(id, db);
    walk.entries += table(id).count;
  }
  walk.visited = 0;
  walk.written = 0;
  walk.top = Address.Snapshot;
  walk.partial = 0;
  walk.position = 0;
  walk.table = nextTable(0);
  walk.phase = SnapshotPhase.Walking;
  forgetDatabase();
  return true;
}

function nextTable(from: u32): u32 {
  for (let id = from; id < NO_TABLE; id++) if (isAhead(id)) return id;
  return NO_TABLE;
}

/** Gives the walk up: it goes on stamping, in silence. */
export function abortWalk(reason: u32): void {
  if (walk.phase !== SnapshotPhase.Walking) return;
  walk.phase = SnapshotPhase.Quiet;
  walk.reason = reason;
  walk.partial = 0;
  walk.top = Address.Snapshot;
}

/** Every database was flushed: the walk is given up, and there is nothing left to stamp. */
export function abandonWalk(): void {
  if (walk.phase !== SnapshotPhase.Walking) return;
  abortWalk(SnapshotReason.Flushed);
  walk.table = NO_TABLE;
}

/** Whether a flushed table must be kept for the walk. */
export function isHeld(tableId: u32): bool {
  return walk.phase === SnapshotPhase.Walking && isAhead(tableId);
}

/** Whether an entry may bear the other stamp: the walk has not come to it. */
export function isBefore(tableId: u32, position: u64): bool {
  if (walk.phase === SnapshotPhase.None || !isAhead(tableId)) return false;
  return tableId !== walk.table || position >= walk.position;
}

// ---- what changes before the walk comes to it

/** Writes an entry that the walk has not come to, as it is, and stamps it. O(size of the value) */
export function takePreimage(entry: Entry): void {
  if (isAwaited(entry)) {
    memory.copy(Address.SnapshotSaved, Address.State, offsetof<State>());
    memory.copy(SAVED_SCRATCH, Address.Scratch, SAVED_SCRATCH_BYTES);
    const isPartial = walk.partial === refOf(entry);
    writeFrom(entry, isPartial ? walk.cursor : 0);
    if (isPartial) walk.partial = 0;
    memory.copy(Address.State, Address.SnapshotSaved, offsetof<State>());
    memory.copy(Address.Scratch, SAVED_SCRATCH, SAVED_SCRATCH_BYTES);
    walk.visited += 1;
  }
  stampEpoch(entry);
}

function isAwaited(entry: Entry): bool {
  return walk.phase === SnapshotPhase.Walking && isIncluded(tableOf(entry));
}

function writeFrom(entry: Entry, cursor: u64): void {
  const db = databaseAtStart(tableOf(entry));
  do cursor = writeEntry(entry, db, cursor);
  while (cursor !== 0);
}

/** Whether an entry that is being removed is to be left to the walk (`owe`): large, and not written yet. */
export function isToBeOwed(entry: Entry): bool {
  return !isStamped(entry) && isAwaited(entry) && isLarge(entry);
}

/** Takes over an entry that nothing leads to any more. One that is partly written goes on first. O(1) */
export function owe(entry: Entry): void {
  const ref = refOf(entry);
  const isPartial = walk.partial === ref;
  entry.lruPrev = isPartial ? walk.owed : 0;
  if (walk.owed === 0) walk.lastOwed = ref;
  if (walk.owed === 0 || isPartial) walk.owed = ref;
  else {
    entryAt(walk.lastOwed).lruPrev = ref;
    walk.lastOwed = ref;
  }
  walk.owedCount += 1;
}

/** Removed entries that are still to be written. */
export function owedEntries(): u32 {
  return walk.owedCount;
}

/** The block of an entry that is partly written has moved. */
export function followMoved(from: Entry, to: Entry): void {
  if (walk.partial === refOf(from)) walk.partial = refOf(to);
}

/** Writes all of an owed entry, if there is one, and frees it: memory is wanted. @returns false = nothing is owed */
export function settleOwed(): bool {
  if (walk.owed === 0) return false;
  if (walk.phase === SnapshotPhase.Walking)
    writeFrom(entryAt(walk.owed), walk.partial === walk.owed ? walk.cursor : 0);
  freeFirstOwed();
  return true;
}

/** Frees what a walk that was given up is owed. */
export function freeOwed(): void {
  if (walk.phase === SnapshotPhase.Quiet) while (walk.owed !== 0) freeFirstOwed();
}

function freeFirstOwed(): void {
  const entry = entryAt(walk.owed);
  if (walk.partial === walk.owed) walk.partial = 0;
  walk.owed = entry.lruPrev;
  walk.owedCount -= 1;
  walk.visited += 1;
  freeValue(entry);
  free(changetype<usize>(entry));
}

// ---- the walk itself

/** Goes on with the walk. @returns budget left; 0 = there is more to do. SnapshotPhase.None says that it is over */
export function walkSlice(budget: i32): i32 {
  while (walk.phase !== SnapshotPhase.None && budget > 0) {
    const before = walk.written;
    if (walk.partial !== 0) writePartial();
    else if (walk.owed !== 0) beginOwed();
    else if (walk.table === NO_TABLE) walk.phase = SnapshotPhase.None;
    else budget -= step();
    budget -= 1 + <i32>((walk.written - before) >> BYTES_SHIFT);
  }
  return budget > 0 ? budget : 0;
}

/** Writes the next part of an entry that is partly written. */
function writePartial(): void {
  const entry = entryAt(walk.partial);
  walk.cursor = writeEntry(entry, databaseAtStart(tableOf(entry)), walk.cursor);
  if (walk.cursor !== 0) return;
  if (walk.partial === walk.owed) return freeFirstOwed();
  walk.partial = 0;
  walk.visited += 1;
  stampEpoch(entry);
}

function beginOwed(): void {
  if (walk.phase === SnapshotPhase.Quiet) return freeFirstOwed();
  walk.partial = walk.owed;
  walk.cursor = 0;
  writePartial();
}

/** One bucket's entries. @returns what it cost, beside the bytes written */
function step(): i32 {
  const t = table(walk.table);
  // Without output a flushed table is of no interest, and may be half freed.
  const isOver = walk.phase === SnapshotPhase.Quiet && t.state !== TableState.Live;
  if (isOver || walk.position >= POSITION_END) {
    markPassed(walk.table);
    walk.table = nextTable(walk.table);
    walk.position = 0;
    return STEP_COST;
  }
  const next = walkStep(t, walk.position);
  const found = state.stepCount;
  memory.copy(STEP, Address.Scratch + ScratchArea.Step, (<usize>found) << 2);
  let cost = STEP_COST;
  for (let i: u32 = 0; i < found; i++) {
    const entry = entryAt(load<u32>(STEP + ((<usize>i) << 2)));
    if (isStamped(entry)) continue;
    if (walk.phase === SnapshotPhase.Quiet) cost += STAMP_COST;
    else {
      cost += ENTRY_COST;
      walk.cursor = writeEntry(entry, databaseAtStart(walk.table), 0);
      if (walk.cursor !== 0) {
        // The bucket is looked at again when this one is done.
        walk.partial = refOf(entry);
        return cost;
      }
    }
    walk.visited += 1;
    stampEpoch(entry);
  }
  walk.position = next;
  return cost;
}
