/** Background work on the keyspace, in slices: due keys, merging, defragmentation. */
import { Address, PAGE_BYTES } from "../abi";
import { isEvacuated, markSparse, releaseEmpty, unmarkSparse } from "../memory/allocator";
import { FIRST_PAGE } from "../memory/pages";
import { NO_TABLE, nowMs, ScratchArea, state } from "../state";
import { BUCKET_SLOTS } from "../tuning";
import { Timing } from "../types/timing";
import { evacuateValue } from "../types/value";
import { entryAt } from "./entry";
import { expireEntry, expireFields, moveEntry } from "./keyspace";
import {
  collectSegment,
  directoryCells,
  halveDirectory,
  mergeStep,
  moveSegment,
  segmentAt,
  segmentSpan,
  Table,
  TableState,
  table,
} from "./table";
import { advanceWheel, clockIsBehind, dueNode, entryOfNode, isEntryNode, rewind } from "./wheel";

/** The host clamps smaller steps of the clock. */
const CLOCK_SLACK_MS: u64 = 1000;
/** Deleting a key costs about as much as this many moves within the wheel. */
const DELETE_COST: i32 = 4;
/** Fields of one hash that are deleted in a row, and what they count for together. */
const FIELDS_AT_ONCE: u32 = 32;
const FIELDS_COST: i32 = 64;
/** Tables filled less than this are worth a round of merging. */
const SPARSE_PERCENT: u64 = 25;
const SEGMENT_CELLS: u64 = 16 * <u64>BUCKET_SLOTS;
/** Defragmentation starts when pages in use exceed used bytes by a tenth and this much. */
const DEFRAG_SLACK_BYTES: u64 = 4 << 20;
/** While used bytes fall by a 128th from one look to the next, at least so far apart, no blocks are moved. */
const FALLING_PART: u64 = 128;
const FALLING_LOOK_MS: u64 = 50;
const MERGE_COST: i32 = 8;
const MOVE_COST: i32 = 4;

/** Deletes what is due, oldest first. @returns budget left; 0 = more is due */
export function expireDue(budget: i32): i32 {
  if (state.expiryPaused !== 0) return budget;
  if (clockIsBehind(CLOCK_SLACK_MS)) rewind(nowMs());
  // The clock may stand a little behind the wheel: nothing is deleted before its time.
  if (nowMs() < state.wheelNowMs) return budget;
  while (budget > 0) {
    budget = advanceWheel(nowMs(), budget);
    if (budget <= 0) break;
    let node = dueNode();
    if (node === 0) return budget;
    while (node !== 0 && budget > 0) {
      budget -= expireNode(node);
      node = dueNode();
    }
  }
  return 0;
}

/** Deletes the key of a node that is due, or some fields of its hash. @returns what it cost */
function expireNode(node: usize): i32 {
  if (isEntryNode(node)) {
    expireEntry(entryOfNode(node));
    return DELETE_COST;
  }
  expireFields(entryAt(changetype<Timing>(node).entry), FIELDS_AT_ONCE);
  return FIELDS_COST;
}

function isSparse(t: Table): bool {
  if (t.state !== TableState.Live || t.depth === 0) return false;
  // A round that found nothing to merge is not repeated until keys went away.
  if (t.settledCount <= t.count) return false;
  return <u64>t.count * 100 < SPARSE_PERCENT * SEGMENT_CELLS * t.segments;
}

/** Merges sparse segments and halves directories. @returns budget left */
export function mergeSparse(budget: i32): i32 {
  while (budget > 0) {
    if (state.tidyTable >= NO_TABLE) {
      state.tidyTable = 0;
      state.tidyIndex = 0;
      return budget;
    }
    const t = table(state.tidyTable);
    if (state.tidyIndex === 0 && !isSparse(t)) {
      state.tidyTable += 1;
      continue;
    }
    if (t.state !== TableState.Live || state.tidyIndex >= directoryCells(t)) {
      if (t.state === TableState.Live) {
        halveDirectory(t);
        t.settledCount = t.count;
      }
      state.tidyIndex = 0;
      state.tidyTable += 1;
      continue;
    }
    state.tidyIndex = mergeStep(t, state.tidyIndex);
    budget -= MERGE_COST;
  }
  return 0;
}

function isFragmented(): bool {
  if (state.heapPagesUsed === state.moveSettledPages) return false;
  const inUse = <u64>state.heapPagesUsed * PAGE_BYTES;
  return inUse > state.usedBytes + state.usedBytes / 10 + DEFRAG_SLACK_BYTES;
}

/**
 * Whether much is being freed, so that pages empty by themselves: what was moved would most likely go next, and those who free it would wait.
 * A third of what ZPOPMIN cost at pipeline 16, over a set that it took apart in seconds (bench types).
 */
function isFalling(): bool {
  // After a step back of the clock this is large.
  if (nowMs() - state.fallingAtMs >= FALLING_LOOK_MS) {
    const bytes = state.usedBytes;
    state.isFalling = bytes + bytes / FALLING_PART < state.fallingBytes ? 1 : 0;
    state.fallingBytes = bytes;
    state.fallingAtMs = nowMs();
  }
  return state.isFalling !== 0;
}

/** Marks sparse pages for evacuation. O(pages): 16 thousand pages hold a GiB */
function markPages(): void {
  const end = FIRST_PAGE + state.heapPagesTop;
  for (let index = FIRST_PAGE; index < end; index++) markSparse(index);
  state.movedBlocks = 0;
}

function unmarkPages(): void {
  const end = FIRST_PAGE + state.heapPagesTop;
  for (let index = FIRST_PAGE; index < end; index++) unmarkSparse(index);
}

function moveSegmentEntries(t: Table, index: u32): i32 {
  if (isEvacuated(segmentAt(t, index)) && moveSegment(t, index)) state.movedBlocks += 1;
  const found = collectSegment(t, index);
  for (let i: u32 = 0; i < found; i++) {
    const entry = entryAt(load<u32>(Address.Scratch + ScratchArea.Split + ((<usize>i) << 2)));
    state.movedBlocks += evacuateValue(entry);
    if (isEvacuated(changetype<usize>(entry)) && moveEntry(entry) !== null) state.movedBlocks += 1;
  }
  return 1 + <i32>found;
}

/** Empties sparse pages by moving what lies in them. @returns budget left */
export function defragment(budget: i32): i32 {
  if (isFalling()) return budget;
  if (state.moveTable === NO_TABLE) {
    if (!isFragmented()) return budget;
    releaseEmpty();
    markPages();
    state.moveTable = 0;
    state.moveIndex = 0;
  }
  while (budget > 0) {
    const t = table(state.moveTable);
    if (t.state !== TableState.Live || state.moveIndex >= directoryCells(t)) {
      state.moveTable += 1;
      state.moveIndex = 0;
      if (state.moveTable !== NO_TABLE) continue;
      unmarkPages();
      releaseEmpty();
      state.moveSettledPages = state.movedBlocks === 0 ? state.heapPagesUsed : 0;
      return budget;
    }
    // A merge or doubling since the last slice may have left the index inside a segment's span.
    const span = segmentSpan(t, state.moveIndex);
    const first = state.moveIndex & ~(span - 1);
    const reached = state.evacuating === 0 ? 0 : state.evacuateIndex;
    budget -= MOVE_COST * moveSegmentEntries(t, first);
    // A large value is moved in parts: the next pass comes back to it, unless it is there no more.
    if (reached !== 0 && state.evacuateIndex === reached) state.evacuating = 0;
    if (state.evacuating === 0) state.moveIndex = first + span;
  }
  return 0;
}
