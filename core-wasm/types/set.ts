/**
 * Sets: sorted integers while all members are integers and few, a packed sequence while few and short, a table of members beyond.
 * An entry's value word and encoding change with the set; nothing else of the entry is touched. The functions work as well on an entry
 * that is in no table (`asideSet`), which is how results are built before they are stored.
 *
 *   member of a table: sized bytes
 */
import { Address, Limit } from "../abi";
import { Encoding, Entry, encodingOf, setKind, Type } from "../keyspace/entry";
import {
  directoryCells,
  emptySegment,
  findCell,
  freeEmptyTable,
  insertRef,
  mergeAfterRemoval,
  newTable,
  removeCell,
  segmentSpan,
  Table,
  TableKind,
  tableBytes,
} from "../keyspace/table";
import { checkTable, nextRef, randomRef } from "../keyspace/table-walk";
import { alloc, free, usableBytes } from "../memory/allocator";
import { hashOf, unseededHash } from "../memory/bytes";
import { sha1Add } from "../memory/sha1";
import { sizedLength, sizedPtr, sizedTotal, writeSized } from "../memory/sized";
import { formatInt64, parseInt64 } from "../memory/text";
import { ensure, limit, random64, ScratchArea, state } from "../state";
import { evacuateBlock, evacuateTable } from "./evacuate";
import { discard, GarbageKind } from "./garbage";
import {
  checkIntSet,
  copyIntSet,
  intSetAdd,
  intSetAt,
  intSetBytes,
  intSetCount,
  intSetHas,
  intSetRemove,
  newIntSet,
} from "./int-set";
import {
  checkPacked,
  copyPacked,
  newPacked,
  PACKED_MAX_BYTES,
  packedAppend,
  packedBytes,
  packedCount,
  packedFind,
  packedFirst,
  packedNext,
  packedRemove,
  packedSeek,
  readElement,
  readElementText,
} from "./packed";
import { savedLengthBytes } from "./saved";

export enum Added {
  No = 0, // it is a member already
  Yes = 1,
  NoMemory = 2, // nothing changed
}

/** Tables with at most this many members are freed at once. */
const FREE_AT_ONCE: u32 = 64;
const ASIDE: usize = Address.Scratch + ScratchArea.Aside;
const VALUE: usize = Address.Scratch + ScratchArea.Member;
const SPREAD_DIGITS: usize = Address.Scratch + ScratchArea.Member + 48;
const DIGITS: usize = Address.Scratch + ScratchArea.Member + 16;

function tableOfSet(entry: Entry): Table {
  return changetype<Table>(<usize>entry.value);
}

/** An entry in no table, with an empty set: a result in the making. @returns null = no memory */
export function asideSet(): Entry | null {
  const entry = changetype<Entry>(ASIDE);
  return layEmptySet(entry) ? entry : null;
}

/** Makes the entry's value an empty set of sorted integers. @returns false = no memory */
function layEmptySet(entry: Entry): bool {
  const set = newIntSet();
  if (set === 0) return false;
  setKind(entry, Type.Set, Encoding.IntSet);
  entry.value = <u32>set;
  return true;
}

/**
 * The same in the encoding that suits `expected` members of which the first is given: where integers are not to be kept sorted, a
 * packed sequence. @returns null = no memory
 */
export function asideSetFor(ptr: usize, length: u32, expected: u32): Entry | null {
  const entry = changetype<Entry>(ASIDE);
  const isInteger = parseInt64(ptr, length, VALUE);
  if (isInteger && <i64>expected <= <i64>limit(Limit.SetIntsetEntries)) return asideSet();
  const packed = newPacked(0);
  if (packed === 0) return null;
  setKind(entry, Type.Set, Encoding.Packed);
  entry.value = <u32>packed;
  if (expectMembers(entry, expected)) return entry;
  free(packed);
  return null;
}

export function setCount(entry: Entry): u32 {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.IntSet) return intSetCount(entry.value);
  return encoding === Encoding.Packed ? packedCount(entry.value) : tableOfSet(entry).count;
}

export function setHas(entry: Entry, ptr: usize, length: u32): bool {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.Table)
    return findCell(tableOfSet(entry), hashOf(ptr, length), ptr, length) !== 0;
  if (encoding === Encoding.IntSet)
    return parseInt64(ptr, length, VALUE) && intSetHas(entry.value, load<i64>(VALUE));
  return packedFind(packedFirst(entry.value), ptr, length, 0) !== 0;
}

// ---- growing

/** Adds a member, whose bytes are not of this set. O(1) in a table, O(n) in the compact forms */
export function setAdd(entry: Entry, ptr: usize, length: u32): Added {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.Table) return addToTable(tableOfSet(entry), ptr, length);
  if (encoding === Encoding.IntSet) return addToIntegers(entry, ptr, length);
  if (packedFind(packedFirst(entry.value), ptr, length, 0) !== 0) return Added.No;
  if (fitsPacked(packedCount(entry.value), length, packedBytes(entry.value))) {
    const packed = packedAppend(entry.value, ptr, length);
    if (packed === 0) return Added.NoMemory;
    entry.value = <u32>packed;
    return Added.Yes;
  }
  if (!spread(entry)) return Added.NoMemory;
  return addToTable(tableOfSet(entry), ptr, length);
}

function fitsPacked(count: u32, length: u32, bytes: u32): bool {
  return (
    <i32>count < limit(Limit.SetListpackEntries) &&
    length <= <u32>limit(Limit.SetListpackValue) &&
    <u64>bytes + length < <u64>PACKED_MAX_BYTES
  );
}

function addToIntegers(entry: Entry, ptr: usize, length: u32): Added {
  const set: usize = entry.value;
  const count = intSetCount(set);
  if (!parseInt64(ptr, length, VALUE)) return addFirstText(entry, ptr, length);
  const value = load<i64>(VALUE);
  if (intSetHas(set, value)) return Added.No;
  if (<i32>count >= limit(Limit.SetIntsetEntries)) {
    if (!spread(entry)) return Added.NoMemory;
    return addToTable(tableOfSet(entry), ptr, length);
  }
  const grown = intSetAdd(set, value);
  if (grown === 0) return Added.NoMemory;
  entry.value = <u32>grown;
  return Added.Yes;
}

/** Adds the first member that is no integer. */
function addFirstText(entry: Entry, ptr: usize, length: u32): Added {
  const set: usize = entry.value;
  const count = intSetCount(set);
  const longest: u32 = count === 0 ? 0 : longestDigits(set);
  if (longest <= <u32>limit(Limit.SetListpackValue) && fitsPacked(count, length, count * 24)) {
    let packed = packIntegers(set, length);
    if (packed === 0) return Added.NoMemory;
    // Room was made: this cannot fail.
    packed = packedAppend(packed, ptr, length);
    ensure(packed !== 0, 740, length);
    free(set);
    setKind(entry, Type.Set, Encoding.Packed);
    entry.value = <u32>packed;
    return Added.Yes;
  }
  if (!spread(entry)) return Added.NoMemory;
  return addToTable(tableOfSet(entry), ptr, length);
}

/** Digits of the longest integer, its sign among them: the first or the last. */
function longestDigits(set: usize): u32 {
  const first = formatInt64(intSetAt(set, 0), DIGITS);
  const last = formatInt64(intSetAt(set, intSetCount(set) - 1), DIGITS);
  return first > last ? first : last;
}

/** The integers as a packed sequence with room for one member more. @returns 0 = no memory */
function packIntegers(set: usize, nextLength: u32): usize {
  const count = intSetCount(set);
  // The widest element of an integer takes 10 bytes, a string up to 10 more than its own.
  let packed = newPacked(count * 10 + nextLength + 10);
  for (let i: u32 = 0; i < count && packed !== 0; i++)
    packed = packedAppend(packed, DIGITS, formatInt64(intSetAt(set, i), DIGITS));
  return packed;
}

function newMember(ptr: usize, length: u32): usize {
  const member = alloc(sizedTotal(length));
  if (member !== 0) writeSized(member, ptr, length);
  return member;
}

function addToTable(t: Table, ptr: usize, length: u32): Added {
  const hash = hashOf(ptr, length);
  if (findCell(t, hash, ptr, length) !== 0) return Added.No;
  const member = newMember(ptr, length);
  if (member === 0) return Added.NoMemory;
  insertRef(t, hash, <u32>member);
  return Added.Yes;
}

/** Makes a compact set a table of members. @returns false = no memory, nothing changed. O(n) */
export function spread(entry: Entry): bool {
  if (encodingOf(entry) === Encoding.Table) return true;
  const t = newTable(TableKind.Members);
  if (t === null) return false;
  const isPacked = encodingOf(entry) === Encoding.Packed;
  if (!(isPacked ? spreadPacked(t, entry.value) : spreadIntegers(t, entry.value))) {
    freeMembers(t);
    return false;
  }
  free(entry.value);
  setKind(entry, Type.Set, Encoding.Table);
  entry.value = <u32>changetype<usize>(t);
  return true;
}

// These run while another set is walked, whose member in hand may lie in that walk's digits: they have digits of their own.

function spreadIntegers(t: Table, set: usize): bool {
  for (let i: u32 = 0; i < intSetCount(set); i++) {
    const length = formatInt64(intSetAt(set, i), SPREAD_DIGITS);
    if (addToTable(t, SPREAD_DIGITS, length) !== Added.Yes) return false;
  }
  return true;
}

function spreadPacked(t: Table, packed: usize): bool {
  for (let at = packedFirst(packed); at !== 0; at = packedNext(at)) {
    readElement(at);
    let ptr: usize = state.elementPtr;
    if (ptr === 0) {
      ptr = SPREAD_DIGITS;
      state.elementLength = formatInt64(state.elementInteger, ptr);
    }
    if (addToTable(t, ptr, state.elementLength) !== Added.Yes) return false;
  }
  return true;
}

/** Before `more` members come: a set that will not stay compact becomes a table at once. @returns false = no memory */
export function expectMembers(entry: Entry, more: u32): bool {
  const encoding = encodingOf(entry);
  const entries =
    encoding === Encoding.IntSet ? limit(Limit.SetIntsetEntries) : limit(Limit.SetListpackEntries);
  return encoding === Encoding.Table || <i32>more <= entries || spread(entry);
}

// ---- shrinking

/** Removes a member. @returns whether it was one. O(1) in a table, O(n) in the compact forms */
export function setRemove(entry: Entry, ptr: usize, length: u32): bool {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.Table) return removeFromTable(tableOfSet(entry), ptr, length);
  if (encoding === Encoding.IntSet) {
    if (!parseInt64(ptr, length, VALUE)) return false;
    const value = load<i64>(VALUE);
    if (!intSetHas(entry.value, value)) return false;
    entry.value = <u32>intSetRemove(entry.value, value);
    return true;
  }
  const at = packedFind(packedFirst(entry.value), ptr, length, 0);
  if (at === 0) return false;
  entry.value = <u32>packedRemove(entry.value, at, 1);
  return true;
}

function removeFromTable(t: Table, ptr: usize, length: u32): bool {
  const hash = hashOf(ptr, length);
  const cell = findCell(t, hash, ptr, length);
  if (cell === 0) return false;
  const member: usize = load<u32>(cell);
  removeCell(t, hash, cell);
  free(member);
  mergeAfterRemoval(t, hash);
  return true;
}

// ---- one after another

/**
 * Begins a walk over all members, in the encoding's own order. One walk at a time; the set must not change meanwhile, others may be
 * searched. `nextMember` leaves each as bytes in State.memberPtr and memberLength.
 */
export function beginMembers(entry: Entry): void {
  state.walkEncoding = encodingOf(entry);
  state.walkValue = entry.value;
  state.walkIndex = 0;
  state.walkPosition = 0;
  if (state.walkEncoding === Encoding.Packed) state.walkIndex = <u32>packedFirst(entry.value);
}

/** @returns false = there are no more */
export function nextMember(): bool {
  if (state.walkEncoding === Encoding.Table) return nextOfTable();
  if (state.walkEncoding === Encoding.Packed) {
    const at: usize = state.walkIndex;
    if (at === 0) return false;
    state.walkIndex = <u32>packedNext(at);
    readPacked(at);
    return true;
  }
  if (state.walkIndex >= intSetCount(state.walkValue)) return false;
  readInteger(intSetAt(state.walkValue, state.walkIndex));
  state.walkIndex += 1;
  return true;
}

function readInteger(value: i64): void {
  state.memberPtr = <u32>DIGITS;
  state.memberLength = formatInt64(value, DIGITS);
}

function readPacked(at: usize): void {
  readElementText(at);
  state.memberPtr = state.elementPtr;
  state.memberLength = state.elementLength;
}

function readMember(ref: usize): void {
  state.memberPtr = <u32>sizedPtr(ref);
  state.memberLength = sizedLength(ref);
}

function nextOfTable(): bool {
  const ref = nextRef(changetype<Table>(<usize>state.walkValue), state.walkPosition);
  if (ref === 0) return false;
  readMember(ref);
  return true;
}

/** A member of a table drawn evenly, as a ref that stays until the set changes. O(1) */
export function memberRef(entry: Entry): u32 {
  return randomRef(tableOfSet(entry));
}

/** Reads a member of a table into State.memberPtr and memberLength. */
export function readRef(ref: u32): void {
  readMember(ref);
}

/** Reads a member drawn evenly from a set that has some, into State.memberPtr and memberLength. O(1), packed O(n) */
export function randomMember(entry: Entry): void {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.Table) return readMember(randomRef(tableOfSet(entry)));
  const index = <u32>(random64() % <u64>setCount(entry));
  if (encoding === Encoding.IntSet) return readInteger(intSetAt(entry.value, index));
  readPacked(packedSeek(entry.value, <i32>index));
}

// ---- the whole value

/** Frees the members and the table itself. O(n) */
function freeMembers(t: Table): void {
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition)) free(ref);
  for (let index: u32 = 0; index < directoryCells(t); index += segmentSpan(t, index))
    emptySegment(t, index);
  freeEmptyTable(t);
}

/** A large one is left to be freed in slices. */
export function freeSet(entry: Entry): void {
  if (encodingOf(entry) !== Encoding.Table) return free(entry.value);
  const t = tableOfSet(entry);
  if (t.count <= FREE_AT_ONCE) freeMembers(t);
  else discard(GarbageKind.Members, entry.value);
}

/** Gives the entry, which shares its value with another one, a value of its own. @returns false = no memory. O(n) */
export function copySet(entry: Entry): bool {
  const encoding = encodingOf(entry);
  if (encoding !== Encoding.Table) {
    const copy = encoding === Encoding.IntSet ? copyIntSet(entry.value) : copyPacked(entry.value);
    if (copy !== 0) entry.value = <u32>copy;
    return copy !== 0;
  }
  const t = newTable(TableKind.Members);
  if (t === null) return false;
  beginMembers(entry);
  while (nextMember())
    if (addToTable(t, state.memberPtr, state.memberLength) !== Added.Yes) {
      freeMembers(t);
      return false;
    }
  entry.value = <u32>changetype<usize>(t);
  return true;
}

/** Moves blocks out of pages that are being emptied, a part of a large table at a time. @returns how many moved */
export function evacuateSet(entry: Entry): u32 {
  if (encodingOf(entry) === Encoding.Table) return evacuateTable(entry);
  const moved = evacuateBlock(entry.value);
  if (moved === 0) return 0;
  entry.value = moved;
  return 1;
}

export function setEncodingName(entry: Entry): string {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.IntSet) return "intset";
  return encoding === Encoding.Packed ? "listpack" : "hashtable";
}

/** Adds all members to the SHA-1 that runs, in an order of no weight. O(bytes) */
export function digestSet(entry: Entry): void {
  let sum: u64 = 0;
  beginMembers(entry);
  while (nextMember()) sum += unseededHash(state.memberPtr, state.memberLength);
  store<u64>(VALUE, sum);
  sha1Add(VALUE, 8);
}

/** Bytes of the value's blocks. O(n) in a table */
export function setBytes(entry: Entry): u64 {
  if (encodingOf(entry) !== Encoding.Table) return usableBytes(entry.value);
  const t = tableOfSet(entry);
  let bytes = tableBytes(t) + usableBytes(entry.value);
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition))
    bytes += usableBytes(ref);
  return bytes;
}

/** Bytes of the set in a dump: a compact one as it is, a table member by member. O(n) */
export function savedSetBytes(entry: Entry): u64 {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.IntSet) return savedLengthBytes(intSetBytes(entry.value));
  if (encoding === Encoding.Packed) return savedLengthBytes(packedBytes(entry.value));
  let bytes: u64 = 0;
  beginMembers(entry);
  while (nextMember()) bytes += savedLengthBytes(state.memberLength);
  return bytes;
}

/** Asserts the encoding's own invariants, and that no set is empty. O(n) */
export function checkSet(entry: Entry): void {
  const encoding = encodingOf(entry);
  ensure(setCount(entry) > 0, 741, entry.value);
  if (encoding === Encoding.IntSet) checkIntSet(entry.value);
  else if (encoding === Encoding.Packed) checkPacked(entry.value);
  else checkTable(tableOfSet(entry));
}
