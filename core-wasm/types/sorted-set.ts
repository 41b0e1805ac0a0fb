/**
 * Sorted sets: a packed sequence of member, score, member, score in order while few and short, beyond that a table of members and a tree of
 * their order. An entry's value word and encoding change with the set; nothing else of the entry is touched. The functions work as well on
 * an entry that is in no table (`asideSorted`), which is how results are built before they are stored.
 *
 *   packed: scores as `formatDouble` writes them, so integers are kept as integers; -0 becomes 0
 *   member of a table: f64 score, sized bytes
 */
import { Address, Limit } from "../abi";
import { Encoding, Entry, encodingOf, setKind, Type } from "../keyspace/entry";
import {
  cellOfRef,
  directoryCells,
  emptySegment,
  findCell,
  freeEmptyTable,
  homeBucket,
  insertRef,
  mergeAfterRemoval,
  newTable,
  removeCell,
  segmentSpan,
  Table,
  TableKind,
  touchBucket,
} from "../keyspace/table";
import { nextRef, randomRef } from "../keyspace/table-walk";
import { alloc, free } from "../memory/allocator";
import { compare, hashOf } from "../memory/bytes";
import { DOUBLE_MAX_BYTES, formatDouble, parseDouble } from "../memory/double";
import { sizedLength, sizedPtr, sizedTotal, writeSized } from "../memory/sized";
import { formatInt64 } from "../memory/text";
import { ensure, limit, random64, ScratchArea, state } from "../state";
import {
  newPacked,
  PACKED_MAX_BYTES,
  packedBytes,
  packedCount,
  packedElementBytes,
  packedFind,
  packedFirst,
  packedInsert,
  packedLast,
  packedNext,
  packedPrevious,
  packedRemove,
  packedReserve,
  packedSeek,
  readElement,
  readElementText,
} from "./packed";
import { Bound } from "./score-node";
import {
  freeLastNode,
  layTree,
  leafAtEnd,
  leafBefore,
  leafBehind,
  leafCount,
  leafMember,
  leafOfRank,
  SCORED_SET_BYTES,
  ScoredSet,
  slotOfRank,
  treeCountBefore,
  treeInsert,
  treeRank,
  treeRemove,
  treeRemoveRank,
  treeRemoveThere,
  treeSetScore,
} from "./score-tree";

/** The member in hand: the one that `findScored` found, or where the walk is. */
@final
@unmanaged
class InHand {
  score: f64;
  hash: u64; // of the member that was looked for
  at: u32; // of a packed set the position of the member found, of a table its block
  encoding: u32; // the walk: what it walks, the next member, which way
  packed: u32;
  next: u32; // packed: position of the next member; tree: leaf
  index: u32; // slot in the leaf
  backward: u32;
  touched: u32; // what was loaded ahead, of no meaning
}
const inHand = changetype<InHand>(Address.Scratch + ScratchArea.Scored);
const SCORE_TEXT: usize = Address.Scratch + ScratchArea.Scored + 64;
/** Room for a number that is being read or written. */
export const SCORE_DIGITS: usize = SCORE_TEXT + DOUBLE_MAX_BYTES;
/** Digits of the member in hand, where it is kept as an integer. */
export const MEMBER_DIGITS: usize = SCORE_DIGITS + 16;
const ASIDE: usize = Address.Scratch + ScratchArea.Aside;
export const SCORE_BYTES: u32 = 8;
/** What the packed form of a score takes at most, beside the bytes of the member. */
const PACKED_SCORE_BYTES: u32 = DOUBLE_MAX_BYTES + 16;
/** Members at an end that are loaded ahead. */
const TOUCHED_AT_ONCE: u32 = 16;
if (<usize>ScratchArea.Scored + 256 > <usize>ScratchArea.TreePath)
  ERROR("the member in hand is too large");

export function scoredSetOf(entry: Entry): ScoredSet {
  return changetype<ScoredSet>(<usize>entry.value);
}

export function membersOf(set: ScoredSet): Table {
  return changetype<Table>(<usize>set.table);
}

/** The table of a large sorted set's members. */
export function scoredTable(entry: Entry): Table {
  return membersOf(scoredSetOf(entry));
}

export function isPackedScored(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Packed;
}

/** An entry in no table with an empty sorted set, in the encoding for `expected` members whose longest has `longest` bytes. @returns null = no memory */
export function asideSorted(expected: u32, longest: u32): Entry | null {
  const entry = changetype<Entry>(ASIDE);
  const isSmall =
    <i64>expected <= <i64>limit(Limit.ZsetListpackEntries) &&
    <i64>longest <= <i64>limit(Limit.ZsetListpackValue);
  const value = isSmall ? newPacked(0) : newScoredSet();
  if (value === 0) return null;
  setKind(entry, Type.SortedSet, isSmall ? Encoding.Packed : Encoding.Tree);
  entry.value = <u32>value;
  return entry;
}

/** @returns 0 = no memory */
export function newScoredSet(): usize {
  const block = alloc(SCORED_SET_BYTES);
  if (block === 0) return 0;
  const set = changetype<ScoredSet>(block);
  if (layTree(set)) {
    const t = newTable(TableKind.Scored);
    if (t !== null) {
      set.table = <u32>changetype<usize>(t);
      return block;
    }
    freeLastNode(set);
  }
  free(block);
  return 0;
}

/** Frees members, table, nodes and the value's own block. O(n) */
export function freeScoredSet(set: ScoredSet): void {
  const t = membersOf(set);
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition)) free(ref);
  for (let index: u32 = 0; index < directoryCells(t); index += segmentSpan(t, index))
    emptySegment(t, index);
  freeEmptyTable(t);
  while (freeLastNode(set));
  free(changetype<usize>(set));
}

export function scoredCount(entry: Entry): u32 {
  return isPackedScored(entry)
    ? packedCount(entry.value) >> 1
    : membersOf(scoredSetOf(entry)).count;
}

// ---- packed pairs

/** The score behind the member at a position. */
export function packedScore(at: usize): f64 {
  readElement(packedNext(at));
  if (state.elementPtr === 0) return <f64>state.elementInteger;
  ensure(parseDouble(state.elementPtr, state.elementLength, SCORE_DIGITS), 780, <u32>at);
  return load<f64>(SCORE_DIGITS);
}

export function pairBehind(at: usize): usize {
  return packedNext(packedNext(at));
}

/** The order of the pair at a position and a member with a score. */
export function comparePair(at: usize, score: f64, ptr: usize, length: u32): i32 {
  const own = packedScore(at);
  if (own !== score) return own < score ? -1 : 1;
  readElementText(at);
  return compare(state.elementPtr, state.elementLength, ptr, length);
}

/** Where a member belongs: the position of the first pair behind it, 0 = at the end. O(n), at the end O(1) */
function placeInPacked(packed: usize, score: f64, ptr: usize, length: u32): usize {
  let at = packedFirst(packed);
  if (at === 0) return 0;
  const last = packedPrevious(packed, packedLast(packed));
  if (comparePair(last, score, ptr, length) < 0) return 0;
  while (at !== 0 && comparePair(at, score, ptr, length) < 0) at = pairBehind(at);
  return at;
}

/** Writes a score as packed sequences keep it. @returns bytes */
function writeScore(score: f64): u32 {
  return formatDouble(score === 0 ? 0 : score, SCORE_TEXT);
}

/** Puts a pair in its place; State.packedAt is that of its score. @returns the block, 0 = no memory, nothing changed */
function insertPair(packed: usize, score: f64, ptr: usize, length: u32): usize {
  const place = placeInPacked(packed, score, ptr, length);
  const offset = place - packed;
  const scoreLength = writeScore(score);
  const more = packedElementBytes(ptr, length) + packedElementBytes(SCORE_TEXT, scoreLength);
  const block = packedReserve(packed, packedBytes(packed) + more);
  if (block === 0) return 0;
  // Room was made: these stay in the block.
  packedInsert(block, place === 0 ? 0 : block + offset, ptr, length);
  const behind = packedNext(state.packedAt);
  packedInsert(block, behind, SCORE_TEXT, scoreLength);
  return block;
}

// ---- one member

/** Looks for a member; if it is there, `foundScore` is its score, and the next change of it begins where it is. O(1), packed O(n) */
export function findScored(entry: Entry, ptr: usize, length: u32): bool {
  if (isPackedScored(entry)) {
    const at = packedFind(packedFirst(entry.value), ptr, length, 1);
    inHand.at = <u32>at;
    if (at === 0) return false;
    inHand.score = packedScore(at);
    return true;
  }
  const hash = hashOf(ptr, length);
  inHand.hash = hash;
  const cell = findCell(membersOf(scoredSetOf(entry)), hash, ptr, length);
  inHand.at = cell === 0 ? 0 : load<u32>(cell);
  if (cell === 0) return false;
  inHand.score = load<f64>(inHand.at);
  return true;
}

/** The score of the member found, or of the one that the walk has read. */
export function foundScore(): f64 {
  return inHand.score;
}

/** The rank of the member that was found, the lowest first. O(log n), packed O(n) */
export function foundRank(entry: Entry): u32 {
  if (!isPackedScored(entry)) return treeRank(scoredSetOf(entry), inHand.at);
  let rank: u32 = 0;
  for (let at = packedFirst(entry.value); at !== <usize>inHand.at; at = pairBehind(at)) rank += 1;
  return rank;
}

/** Adds the member that was just looked for, and not found; its bytes are not of this set. @returns false = no memory, nothing changed */
export function addScored(entry: Entry, score: f64, ptr: usize, length: u32): bool {
  if (isPackedScored(entry)) {
    if (fitsPacked(entry.value, length)) {
      const packed = insertPair(entry.value, score, ptr, length);
      if (packed !== 0) entry.value = <u32>packed;
      return packed !== 0;
    }
    if (!spreadScored(entry)) return false;
    inHand.hash = hashOf(ptr, length);
  }
  return addToTree(scoredSetOf(entry), inHand.hash, score, ptr, length);
}

/** Adds a member that is known not to be there, to a set that is built aside. @returns false = no memory. The walk in hand goes on */
export function appendScored(entry: Entry, score: f64, ptr: usize, length: u32): bool {
  if (!isPackedScored(entry)) inHand.hash = hashOf(ptr, length);
  return addScored(entry, score, ptr, length);
}

function fitsPacked(packed: usize, length: u32): bool {
  return (
    <i32>(packedCount(packed) >> 1) < limit(Limit.ZsetListpackEntries) &&
    length <= <u32>limit(Limit.ZsetListpackValue) &&
    <u64>packedBytes(packed) + length + PACKED_SCORE_BYTES < <u64>PACKED_MAX_BYTES
  );
}

export function addToTree(set: ScoredSet, hash: u64, score: f64, ptr: usize, length: u32): bool {
  const member = alloc(SCORE_BYTES + sizedTotal(length));
  if (member === 0) return false;
  store<f64>(member, score);
  writeSized(member + SCORE_BYTES, ptr, length);
  insertRef(membersOf(set), hash, <u32>member);
  treeInsert(set, member);
  return true;
}

/** Makes a packed sorted set a table and a tree. @returns false = no memory, nothing changed. O(n) */
export function spreadScored(entry: Entry): bool {
  if (!isPackedScored(entry)) return true;
  const block = newScoredSet();
  if (block === 0) return false;
  const set = changetype<ScoredSet>(block);
  for (let at = packedFirst(entry.value); at !== 0; at = pairBehind(at)) {
    const score = packedScore(at);
    readElementText(at);
    const hash = hashOf(state.elementPtr, state.elementLength);
    if (addToTree(set, hash, score, state.elementPtr, state.elementLength)) continue;
    freeScoredSet(set);
    return false;
  }
  free(entry.value);
  setKind(entry, Type.SortedSet, Encoding.Tree);
  entry.value = <u32>block;
  return true;
}

/** Before `more` members come to a set: one that will not stay packed becomes a tree at once. @returns false = no memory */
export function expectScored(entry: Entry, more: u32): bool {
  return (
    !isPackedScored(entry) ||
    <i64>more <= <i64>limit(Limit.ZsetListpackEntries) ||
    spreadScored(entry)
  );
}

/** Gives the member that was found another score. `ptr` and `length` are its bytes. @returns false = no memory, nothing changed */
export function setFoundScore(entry: Entry, score: f64, ptr: usize, length: u32): bool {
  if (!isPackedScored(entry)) {
    treeSetScore(scoredSetOf(entry), inHand.at, score);
    return true;
  }
  // The new pair first: the removal of the old one cannot fail.
  const before = packedBytes(entry.value);
  const old = <usize>inHand.at - entry.value;
  const packed = insertPair(entry.value, score, ptr, length);
  if (packed === 0) return false;
  const isBehind = packedPrevious(packed, state.packedAt) - packed <= old;
  const at = packed + old + (isBehind ? packedBytes(packed) - before : 0);
  entry.value = <u32>packedRemove(packed, at, 2);
  return true;
}

/** Removes the member that was found. O(log n), packed O(n) */
export function removeFound(entry: Entry): void {
  if (isPackedScored(entry)) entry.value = <u32>packedRemove(entry.value, inHand.at, 2);
  else {
    const set = scoredSetOf(entry);
    treeRemove(set, inHand.at);
    removeFromTable(membersOf(set), inHand.hash, inHand.at);
  }
}

function removeFromTable(t: Table, hash: u64, ref: u32): void {
  removeCell(t, hash, cellOfRef(t, hash, ref));
  free(ref);
  mergeAfterRemoval(t, hash);
}

/** Removes the members of `count` ranks from `first` on, which must be there. O(count log n), packed O(n) */
export function removeRanks(entry: Entry, first: u32, count: u32): void {
  if (isPackedScored(entry)) {
    entry.value = <u32>(
      packedRemove(entry.value, packedSeek(entry.value, (<i32>first) << 1), count << 1)
    );
    return;
  }
  const set = scoredSetOf(entry);
  for (let i: u32 = 0; i < count; i++) {
    const ref = treeRemoveRank(set, first);
    const key = ref + SCORE_BYTES;
    removeFromTable(membersOf(set), hashOf(sizedPtr(key), sizedLength(key)), ref);
  }
}

/** Whether members may be taken one by one, by `readEnd` and `removeEnd`. */
export function hasEnds(entry: Entry): bool {
  return !isPackedScored(entry);
}

/** Reads the first or the last member of a large set, as a walk does; `removeEnd` may follow. O(log n) */
export function readEnd(entry: Entry, isMax: bool): void {
  const set = scoredSetOf(entry);
  const leaf = leafAtEnd(set, isMax);
  if (membersOf(set).count % TOUCHED_AT_ONCE === 0) touchFrom(set, leaf, slotOfRank(), isMax);
  readScoredRef(leafMember(leaf, slotOfRank()));
}

/** Removes the member that `readEnd` has read; nothing has changed since. O(log n) */
export function removeEnd(entry: Entry): void {
  const set = scoredSetOf(entry);
  treeRemoveThere(set);
  const ref = inHand.at;
  const key = ref + SCORE_BYTES;
  removeFromTable(membersOf(set), hashOf(sizedPtr(key), sizedLength(key)), ref);
}

/**
 * Loads what the next removals at an end will need: members and their places in the table lie anywhere in memory, and the processor
 * waits for all of them at once.
 */
function touchFrom(set: ScoredSet, leaf: u32, index: u32, isMax: bool): void {
  const t = membersOf(set);
  inHand.encoding = Encoding.Tree;
  inHand.backward = isMax ? 1 : 0;
  inHand.next = leaf;
  inHand.index = index;
  let touched: u32 = 0;
  for (let i: u32 = 0; i < TOUCHED_AT_ONCE && nextScored(); i++)
    touched += touchBucket(homeBucket(t, hashOf(state.memberPtr, state.memberLength)));
  inHand.touched = touched;
}

// ---- ranks of bounds

/** Members before a bound (`Bound` of score-node.ts), with `inclusive` those at it too. O(log n), packed O(n) */
export function countBefore(
  entry: Entry,
  kind: u32,
  score: f64,
  ptr: usize,
  length: u32,
  inclusive: bool,
): u32 {
  if (!isPackedScored(entry))
    return treeCountBefore(scoredSetOf(entry), kind, score, ptr, length, inclusive);
  let count: u32 = 0;
  for (let at = packedFirst(entry.value); at !== 0; at = pairBehind(at)) {
    let isBefore: bool;
    if (kind === Bound.Score) {
      const own = packedScore(at);
      isBefore = inclusive ? own <= score : own < score;
    } else {
      readElementText(at);
      const order = compare(state.elementPtr, state.elementLength, ptr, length);
      isBefore = inclusive ? order <= 0 : order < 0;
    }
    if (!isBefore) return count;
    count += 1;
  }
  return count;
}

// ---- one after another

/**
 * Begins a walk at a rank that is there, upwards or backwards. One walk at a time; the set must not change meanwhile, others may be
 * searched and changed. `nextScored` leaves each member as bytes in State.memberPtr and memberLength, its score in `foundScore`.
 */
export function beginScored(entry: Entry, rank: u32, backward: bool): void {
  inHand.encoding = encodingOf(entry);
  inHand.backward = backward ? 1 : 0;
  if (isPackedScored(entry)) {
    inHand.packed = entry.value;
    inHand.next = <u32>packedSeek(entry.value, (<i32>rank) << 1);
    return;
  }
  inHand.next = leafOfRank(scoredSetOf(entry), rank);
  inHand.index = slotOfRank();
}

/** @returns false = there are no more */
export function nextScored(): bool {
  if (inHand.next === 0) return false;
  if (inHand.encoding === Encoding.Packed) {
    const at: usize = inHand.next;
    inHand.next = <u32>(inHand.backward !== 0 ? pairBefore(at) : pairBehind(at));
    readPair(at);
    return true;
  }
  const leaf: usize = inHand.next;
  if (inHand.index >= leafCount(leaf)) return false;
  readScoredRef(leafMember(leaf, inHand.index));
  if (inHand.backward === 0) {
    inHand.index += 1;
    if (inHand.index < leafCount(leaf)) return true;
    inHand.next = leafBehind(leaf);
    inHand.index = 0;
  } else if (inHand.index > 0) inHand.index -= 1;
  else {
    inHand.next = leafBefore(leaf);
    if (inHand.next !== 0) inHand.index = leafCount(inHand.next) - 1;
  }
  return true;
}

function pairBefore(at: usize): usize {
  const score = packedPrevious(inHand.packed, at);
  return score === 0 ? 0 : packedPrevious(inHand.packed, score);
}

/** Reads the pair at a position as the member in hand. */
function readPair(at: usize): void {
  inHand.at = <u32>at;
  inHand.score = packedScore(at);
  readElement(at);
  state.memberPtr = state.elementPtr;
  state.memberLength = state.elementLength;
  if (state.elementPtr !== 0) return;
  state.memberPtr = <u32>MEMBER_DIGITS;
  state.memberLength = formatInt64(state.elementInteger, MEMBER_DIGITS);
}

/** Keeps the digits of a member that another collection's walk has read, while packed sorted sets are changed. */
export function keepDigits(): void {
  if (state.memberPtr >= <u32>Address.Heap) return;
  memory.copy(MEMBER_DIGITS, state.memberPtr, state.memberLength);
  state.memberPtr = <u32>MEMBER_DIGITS;
}

/** Reads a member's block as the member in hand. */
export function readScoredRef(ref: usize): void {
  inHand.at = <u32>ref;
  inHand.score = load<f64>(ref);
  const key = ref + SCORE_BYTES;
  state.memberPtr = <u32>sizedPtr(key);
  state.memberLength = sizedLength(key);
}

/** What leads back to the member that the walk has read, as long as the set does not change. */
export function scoredHandle(): u32 {
  return inHand.at;
}

export function readScoredHandle(entry: Entry, handle: u32): void {
  if (isPackedScored(entry)) readPair(handle);
  else readScoredRef(handle);
}

/** Reads a member drawn evenly from a set that has some. O(1), packed O(n) */
export function randomScored(entry: Entry): void {
  if (!isPackedScored(entry)) return readScoredRef(randomRef(membersOf(scoredSetOf(entry))));
  readPair(packedSeek(entry.value, (<i32>(random64() % <u64>scoredCount(entry))) << 1));
}

/** A member of a table drawn evenly, as a block that stays until the set changes. O(1) */
export function randomScoredRef(entry: Entry): u32 {
  return randomRef(membersOf(scoredSetOf(entry)));
}
