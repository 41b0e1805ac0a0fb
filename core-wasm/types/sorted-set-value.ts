/** Sorted sets as values: freeing, copying, moving, measuring, checking. */
import { Address } from "../abi";
import { Entry } from "../keyspace/entry";
import {
  collectSegmentTo,
  directoryCells,
  moveDirectory,
  moveSegment,
  replaceRef,
  segmentAt,
  segmentSpan,
  tableBytes,
} from "../keyspace/table";
import { checkTable, nextRef } from "../keyspace/table-walk";
import { alloc, free, isEvacuated, usableBytes } from "../memory/allocator";
import { hashOf, unseededHash } from "../memory/bytes";
import { sha1Add } from "../memory/sha1";
import { formatInt64 } from "../memory/text";
import { ensure, ScratchArea, state } from "../state";
import { evacuateBlock } from "./evacuate";
import { discard, GarbageKind } from "./garbage";
import { checkPacked, copyPacked, packedBytes, packedFirst, readElement } from "./packed";
import { savedLengthBytes } from "./saved";
import {
  checkTree,
  evacuateNodes,
  ScoredSet,
  treeBytes,
  treeRank,
  treeReplace,
} from "./score-tree";
import {
  addToTree,
  beginScored,
  comparePair,
  foundScore,
  freeScoredSet,
  isPackedScored,
  MEMBER_DIGITS,
  membersOf,
  newScoredSet,
  nextScored,
  packedScore,
  pairBehind,
  SCORE_BYTES,
  SCORE_DIGITS,
  scoredCount,
  scoredSetOf,
} from "./sorted-set";

/** Tables with at most this many members are freed at once. */
const FREE_AT_ONCE: u32 = 64;
/** The stage of evacuation that moves the tree's nodes; below it are indices of the table's directory. */
const NODES_STAGE: u32 = 0x8000_0000;
const SEGMENTS_AT_ONCE: u32 = 4;
const LEAVES_AT_ONCE: u32 = 64;

/** A large one is left to be freed in slices. */
export function freeSortedSet(entry: Entry): void {
  if (isPackedScored(entry)) return free(entry.value);
  if (scoredCount(entry) <= FREE_AT_ONCE) freeScoredSet(scoredSetOf(entry));
  else discard(GarbageKind.Scored, entry.value);
}

/** Gives the entry, which shares its value with another one, a value of its own. @returns false = no memory. O(n log n) */
export function copySortedSet(entry: Entry): bool {
  if (isPackedScored(entry)) {
    const copy = copyPacked(entry.value);
    if (copy !== 0) entry.value = <u32>copy;
    return copy !== 0;
  }
  const block = newScoredSet();
  if (block === 0) return false;
  const set = changetype<ScoredSet>(block);
  beginScored(entry, 0, false);
  while (nextScored()) {
    const hash = hashOf(state.memberPtr, state.memberLength);
    if (addToTree(set, hash, foundScore(), state.memberPtr, state.memberLength)) continue;
    freeScoredSet(set);
    return false;
  }
  entry.value = <u32>block;
  return true;
}

/** Moves blocks out of pages that are being emptied, a part of a large set at a time: its table first, then its tree. @returns how many moved */
export function evacuateSortedSet(entry: Entry): u32 {
  let moved: u32 = 0;
  if (isPackedScored(entry) || state.evacuating === 0) {
    const block = evacuateBlock(entry.value);
    if (block !== 0) {
      entry.value = block;
      moved += 1;
    }
    if (isPackedScored(entry)) return moved;
    state.evacuating = entry.value;
    state.evacuateIndex = 0;
    moved += evacuateTableBlock(scoredSetOf(entry));
  }
  if (state.evacuating !== entry.value) return moved;
  if (state.evacuateIndex < NODES_STAGE) return moved + evacuateMembers(scoredSetOf(entry));
  evacuateTree(scoredSetOf(entry));
  return moved;
}

function evacuateTableBlock(set: ScoredSet): u32 {
  const block = evacuateBlock(set.table);
  if (block === 0) return 0;
  set.table = block;
  return 1;
}

function evacuateMembers(set: ScoredSet): u32 {
  const t = membersOf(set);
  let moved: u32 = 0;
  let index = state.evacuateIndex;
  for (let i: u32 = 0; i < SEGMENTS_AT_ONCE && index < directoryCells(t); i++) {
    // A split or merge since the last call may have left the index inside a span.
    index &= ~(segmentSpan(t, index) - 1);
    if (isEvacuated(segmentAt(t, index)) && moveSegment(t, index)) moved += 1;
    moved += evacuateSegment(set, index);
    index += segmentSpan(t, index);
  }
  const isDone = index >= directoryCells(t);
  if (isDone) moved += moveDirectory(t);
  state.evacuateIndex = isDone ? NODES_STAGE : index;
  return moved;
}

/** Moves the members of a segment; the tree is told while the old block is still there. */
function evacuateSegment(set: ScoredSet, index: u32): u32 {
  // The key's own segment lies collected in Split.
  const refs: usize = Address.Scratch + ScratchArea.Found;
  const found = collectSegmentTo(membersOf(set), index, refs);
  let moved: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    const ref = load<u32>(refs + ((<usize>i) << 2));
    if (!isEvacuated(ref)) continue;
    const bytes = usableBytes(ref);
    const block = alloc(bytes);
    if (block === 0) continue;
    memory.copy(block, ref, bytes);
    treeReplace(set, ref, <u32>block);
    replaceRef(membersOf(set), index, ref, <u32>block);
    free(ref);
    moved += 1;
  }
  return moved;
}

function evacuateTree(set: ScoredSet): void {
  const count = membersOf(set).count;
  let rank = state.evacuateIndex - NODES_STAGE;
  for (let i: u32 = 0; i < LEAVES_AT_ONCE && rank < count; i++) rank = evacuateNodes(set, rank);
  state.evacuateIndex = NODES_STAGE + rank;
  if (rank >= count) state.evacuating = 0;
}

export function sortedSetEncodingName(entry: Entry): string {
  return isPackedScored(entry) ? "listpack" : "skiplist";
}

/** Adds all members with their scores to the SHA-1 that runs, in an order of no weight. O(bytes) */
export function digestSortedSet(entry: Entry): void {
  let sum: u64 = 0;
  beginScored(entry, 0, false);
  while (nextScored()) {
    store<u64>(SCORE_DIGITS, unseededHash(state.memberPtr, state.memberLength));
    // Both zeros are one.
    store<f64>(SCORE_DIGITS, foundScore() === 0 ? 0 : foundScore(), 8);
    sum += unseededHash(SCORE_DIGITS, 16);
  }
  store<u64>(SCORE_DIGITS, sum);
  sha1Add(SCORE_DIGITS, 8);
}

/** Bytes of the value's blocks. O(n) if it is large */
export function sortedSetBytes(entry: Entry): u64 {
  if (isPackedScored(entry)) return usableBytes(entry.value);
  const set = scoredSetOf(entry);
  const t = membersOf(set);
  let bytes = tableBytes(t) + usableBytes(set.table) + usableBytes(entry.value) + treeBytes(set);
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition))
    bytes += usableBytes(ref);
  return bytes;
}

/** Bytes of the set in a dump: a packed one as it is, else members and binary scores. O(n) */
export function savedSortedSetBytes(entry: Entry): u64 {
  if (isPackedScored(entry)) return savedLengthBytes(packedBytes(entry.value));
  let bytes: u64 = 0;
  beginScored(entry, 0, false);
  while (nextScored()) bytes += savedLengthBytes(state.memberLength) + SCORE_BYTES;
  return bytes;
}

/** Asserts the encoding's own invariants, and that no sorted set is empty. O(n log n) */
export function checkSortedSet(entry: Entry): void {
  const count = scoredCount(entry);
  ensure(count > 0, 781, entry.value);
  if (isPackedScored(entry)) return checkPairs(entry.value);
  const set = scoredSetOf(entry);
  const t = membersOf(set);
  checkTable(t);
  ensure(checkTree(set) === count, 782, count);
  // As many of both, and every member of the table is in the tree: they are the same.
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition)) treeRank(set, ref);
}

function checkPairs(packed: usize): void {
  const elements = checkPacked(packed);
  ensure((elements & 1) === 0, 783, elements);
  let at = packedFirst(packed);
  for (let next = pairBehind(at); next !== 0; next = pairBehind(next)) {
    readElement(next);
    if (state.elementPtr === 0) {
      state.elementPtr = <u32>MEMBER_DIGITS;
      state.elementLength = formatInt64(state.elementInteger, MEMBER_DIGITS);
    }
    const ptr: usize = state.elementPtr;
    const length = state.elementLength;
    ensure(comparePair(at, packedScore(next), ptr, length) < 0, 784, <u32>next);
    at = next;
  }
}
