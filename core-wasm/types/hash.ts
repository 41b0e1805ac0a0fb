/**
 * Hashes: a packed sequence of field, value, field, value while few and short, a table of fields beyond. An entry's value word and
 * encoding change with the hash; nothing else of the entry is touched. The functions work as well on an entry that is in no table
 * (`asideHash`), which is how a new hash, or one that several fields are set in, is built before it is put in place.
 *
 *   field of a table: sized field, sized value
 */
import { Address, Limit } from "../abi";
import { Encoding, Entry, encodingOf, setKind, Type } from "../keyspace/entry";
import {
  checkTable,
  directoryCells,
  emptySegment,
  findCell,
  freeEmptyTable,
  insertRef,
  mergeAfterRemoval,
  newTable,
  nextRef,
  randomRef,
  removeCell,
  segmentSpan,
  Table,
  TableKind,
  tableBytes,
} from "../keyspace/table";
import { alloc, free, roundedBytes, usableBytes } from "../memory/allocator";
import { hashOf, unseededHash } from "../memory/bytes";
import { sha1Add } from "../memory/sha1";
import { sizedEnd, sizedLength, sizedPtr, sizedTotal, writeSized } from "../memory/sized";
import { formatInt64 } from "../memory/text";
import { ensure, limit, random64, ScratchArea, state } from "../state";
import { evacuateBlock, evacuateTable } from "./evacuate";
import { discard, GarbageKind } from "./garbage";
import {
  checkPacked,
  copyPacked,
  newPacked,
  PACKED_MAX_BYTES,
  packedAppend,
  packedBytes,
  packedCount,
  packedElementBytes,
  packedFind,
  packedFirst,
  packedNext,
  packedRemove,
  packedReplace,
  packedReserve,
  packedSeek,
  readElement,
} from "./packed";
import { savedLengthBytes } from "./saved";

/** What setting a field came to. */
export enum Put {
  Replaced = 0,
  Added = 1,
  NoMemory = 2, // nothing changed
}

/** Tables with at most this many fields are freed at once. */
const FREE_AT_ONCE: u32 = 64;
/** Longest block of a field: sizes stay far from 32 bits. */
const FIELD_MAX_BYTES: u64 = 1 << 30;
const ASIDE: usize = Address.Scratch + ScratchArea.Aside;
const DIGEST: usize = Address.Scratch + ScratchArea.Member + 80;
const FIELD_DIGITS: usize = Address.Scratch + ScratchArea.Member + 112;
const VALUE_DIGITS: usize = Address.Scratch + ScratchArea.Member + 144;

function tableOfHash(entry: Entry): Table {
  return changetype<Table>(<usize>entry.value);
}

function isPackedHash(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Packed;
}

/** An entry in no table, with an empty hash: a result in the making. @returns null = no memory */
export function asideHash(): Entry | null {
  const entry = changetype<Entry>(ASIDE);
  const packed = newPacked(0);
  if (packed === 0) return null;
  setKind(entry, Type.Hash, Encoding.Packed);
  entry.value = <u32>packed;
  return entry;
}

/** An entry in no table, with a copy of a packed hash. @returns null = no memory. O(n) */
export function asideCopy(hash: Entry): Entry | null {
  const entry = changetype<Entry>(ASIDE);
  const packed = copyPacked(hash.value);
  if (packed === 0) return null;
  setKind(entry, Type.Hash, Encoding.Packed);
  entry.value = <u32>packed;
  return entry;
}

/** Puts the value of an entry in no table in the place of the hash's own. */
export function takeAside(hash: Entry, aside: Entry): void {
  free(hash.value);
  setKind(hash, Type.Hash, encodingOf(aside));
  hash.value = aside.value;
}

/** O(1) */
export function hashCount(entry: Entry): u32 {
  return isPackedHash(entry) ? packedCount(entry.value) >> 1 : tableOfHash(entry).count;
}

// ---- reading

/** Reads a value, or a field, of a packed hash as bytes; an integer's digits go to `digits`. */
function readText(at: usize, digits: usize): void {
  readElement(at);
  if (state.elementPtr !== 0) return;
  state.elementPtr = <u32>digits;
  state.elementLength = formatInt64(state.elementInteger, digits);
}

function readPackedValue(at: usize): void {
  readText(at, VALUE_DIGITS);
  state.valuePtr = state.elementPtr;
  state.valueLength = state.elementLength;
}

function readPackedField(at: usize): void {
  readText(at, FIELD_DIGITS);
  state.memberPtr = state.elementPtr;
  state.memberLength = state.elementLength;
  readPackedValue(packedNext(at));
}

/** The value of a field of a table. */
function readValueOf(ref: usize): void {
  const value = sizedEnd(ref);
  state.valuePtr = <u32>sizedPtr(value);
  state.valueLength = sizedLength(value);
}

/** Reads a field of a table: State.memberPtr and memberLength, and its value: valuePtr and valueLength. */
export function readField(ref: usize): void {
  state.memberPtr = <u32>sizedPtr(ref);
  state.memberLength = sizedLength(ref);
  readValueOf(ref);
}

/** Whether there is the field; its value's bytes, borrowed, are State.valuePtr and valueLength then. O(1) in a table, O(n) packed */
export function findValue(entry: Entry, field: usize, length: u32): bool {
  if (isPackedHash(entry)) {
    const at = packedFind(packedFirst(entry.value), field, length, 1);
    if (at === 0) return false;
    readPackedValue(packedNext(at));
    return true;
  }
  const cell = findCell(tableOfHash(entry), hashOf(field, length), field, length);
  if (cell === 0) return false;
  readValueOf(load<u32>(cell));
  return true;
}

// ---- setting

/** Sets a field; its bytes and the value's are not of this hash. O(1) in a table, O(n) packed */
export function hashSet(
  entry: Entry,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
): Put {
  if (isPackedHash(entry)) {
    if (fitsPacked(entry, fieldLength, valueLength))
      return setInPacked(entry, field, fieldLength, value, valueLength);
    if (!spreadHash(entry)) return Put.NoMemory;
  }
  return setInTable(tableOfHash(entry), field, fieldLength, value, valueLength);
}

/** Whether these lengths may stand in a packed hash. */
function areShort(fieldLength: u32, valueLength: u32): bool {
  const longest = <u32>limit(Limit.HashListpackValue);
  return fieldLength <= longest && valueLength <= longest;
}

function fitsPacked(entry: Entry, fieldLength: u32, valueLength: u32): bool {
  const bytes = <u64>packedBytes(entry.value) + fieldLength + valueLength;
  return (
    areShort(fieldLength, valueLength) &&
    <i32>hashCount(entry) <= limit(Limit.HashListpackEntries) &&
    bytes < <u64>PACKED_MAX_BYTES - 64
  );
}

function setInPacked(
  entry: Entry,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
): Put {
  const packed: usize = entry.value;
  const at = packedFind(packedFirst(packed), field, fieldLength, 1);
  if (at !== 0) {
    const changed = packedReplace(packed, packedNext(at), value, valueLength);
    if (changed === 0) return Put.NoMemory;
    entry.value = <u32>changed;
    return Put.Replaced;
  }
  if (<i32>hashCount(entry) >= limit(Limit.HashListpackEntries)) {
    if (!spreadHash(entry)) return Put.NoMemory;
    return setInTable(tableOfHash(entry), field, fieldLength, value, valueLength);
  }
  return appendField(entry, field, fieldLength, value, valueLength);
}

/** Appends a field that is not there yet. Room for both elements first: a field without value is none. */
function appendField(
  entry: Entry,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
): Put {
  const bytes =
    packedBytes(entry.value) +
    packedElementBytes(field, fieldLength) +
    packedElementBytes(value, valueLength);
  let packed = packedReserve(entry.value, bytes);
  if (packed === 0) return Put.NoMemory;
  packed = packedAppend(packed, field, fieldLength);
  packed = packedAppend(packed, value, valueLength);
  ensure(packed !== 0, 760, bytes);
  entry.value = <u32>packed;
  return Put.Added;
}

function fieldBytes(fieldLength: u32, valueLength: u32): u32 {
  return sizedTotal(fieldLength) + sizedTotal(valueLength);
}

/** A block for a table, not in it yet. @returns 0 = no memory */
export function newField(field: usize, fieldLength: u32, value: usize, valueLength: u32): usize {
  if (<u64>fieldLength + valueLength > FIELD_MAX_BYTES) return 0;
  const block = alloc(fieldBytes(fieldLength, valueLength));
  if (block === 0) return 0;
  writeSized(writeSized(block, field, fieldLength), value, valueLength);
  return block;
}

/** Puts a block of `newField` into the table of a hash, in place of the one with its field if there is one. Cannot fail. O(1) */
export function placeField(entry: Entry, block: usize): Put {
  const t = tableOfHash(entry);
  const field = sizedPtr(block);
  const length = sizedLength(block);
  const hash = hashOf(field, length);
  const cell = findCell(t, hash, field, length);
  if (cell === 0) {
    insertRef(t, hash, <u32>block);
    return Put.Added;
  }
  free(load<u32>(cell));
  store<u32>(cell, <u32>block);
  return Put.Replaced;
}

function setInTable(t: Table, field: usize, fieldLength: u32, value: usize, valueLength: u32): Put {
  const hash = hashOf(field, fieldLength);
  const cell = findCell(t, hash, field, fieldLength);
  if (cell !== 0) {
    const ref: usize = load<u32>(cell);
    if (<u64>fieldLength + valueLength > FIELD_MAX_BYTES) return Put.NoMemory;
    if (roundedBytes(fieldBytes(fieldLength, valueLength)) === usableBytes(ref)) {
      writeSized(sizedEnd(ref), value, valueLength);
      return Put.Replaced;
    }
    const moved = newField(field, fieldLength, value, valueLength);
    if (moved === 0) return Put.NoMemory;
    store<u32>(cell, <u32>moved);
    free(ref);
    return Put.Replaced;
  }
  const block = newField(field, fieldLength, value, valueLength);
  if (block === 0) return Put.NoMemory;
  insertRef(t, hash, <u32>block);
  return Put.Added;
}

/** Makes a packed hash a table of fields. @returns false = no memory, nothing changed. O(n) */
export function spreadHash(entry: Entry): bool {
  if (!isPackedHash(entry)) return true;
  const t = newTable(TableKind.Members);
  if (t === null) return false;
  for (let at = packedFirst(entry.value); at !== 0; at = packedNext(packedNext(at))) {
    readPackedField(at);
    const field = state.memberPtr;
    const length = state.memberLength;
    const block = newField(field, length, state.valuePtr, state.valueLength);
    if (block === 0) {
      freeFields(t);
      return false;
    }
    insertRef(t, hashOf(field, length), <u32>block);
  }
  free(entry.value);
  setKind(entry, Type.Hash, Encoding.Table);
  entry.value = <u32>changetype<usize>(t);
  return true;
}

/**
 * Before `more` fields are set, the longest word among them being `longest`: a hash that will not stay packed becomes a table at once.
 * @returns false = no memory
 */
export function expectFields(entry: Entry, more: u32, longest: u32): bool {
  if (!isPackedHash(entry)) return true;
  const stays =
    <i32>more <= limit(Limit.HashListpackEntries) && longest <= <u32>limit(Limit.HashListpackValue);
  return stays || spreadHash(entry);
}

// ---- deleting

/** Deletes a field. @returns whether there was one. O(1) in a table, O(n) packed */
export function hashDelete(entry: Entry, field: usize, length: u32): bool {
  if (isPackedHash(entry)) {
    const at = packedFind(packedFirst(entry.value), field, length, 1);
    if (at === 0) return false;
    entry.value = <u32>packedRemove(entry.value, at, 2);
    return true;
  }
  const t = tableOfHash(entry);
  const hash = hashOf(field, length);
  const cell = findCell(t, hash, field, length);
  if (cell === 0) return false;
  const ref: usize = load<u32>(cell);
  removeCell(t, hash, cell);
  free(ref);
  mergeAfterRemoval(t, hash);
  return true;
}

// ---- one after another

/**
 * Begins a walk over all fields, in the encoding's own order. One walk at a time; the hash must not change meanwhile. `nextField` leaves
 * each as bytes in State.memberPtr and memberLength, its value in valuePtr and valueLength.
 */
export function beginFields(entry: Entry): void {
  state.walkEncoding = encodingOf(entry);
  state.walkValue = entry.value;
  state.walkPosition = 0;
  if (state.walkEncoding === Encoding.Packed) state.walkIndex = <u32>packedFirst(entry.value);
}

/** @returns false = there are no more */
export function nextField(): bool {
  if (state.walkEncoding === Encoding.Packed) {
    const at: usize = state.walkIndex;
    if (at === 0) return false;
    readPackedField(at);
    state.walkIndex = <u32>packedNext(packedNext(at));
    return true;
  }
  const ref = nextRef(changetype<Table>(<usize>state.walkValue), state.walkPosition);
  if (ref === 0) return false;
  readField(ref);
  return true;
}

/** A field of a table drawn evenly, as a ref that stays until the hash changes. O(1) */
export function fieldRef(entry: Entry): u32 {
  return randomRef(tableOfHash(entry));
}

/** Reads a field drawn evenly from a hash that has some, as `nextField` does. O(1), packed O(n) */
export function randomField(entry: Entry): void {
  if (!isPackedHash(entry)) return readField(randomRef(tableOfHash(entry)));
  const index = <u32>(random64() % <u64>hashCount(entry));
  readPackedField(packedSeek(entry.value, <i32>(index << 1)));
}

// ---- the whole value

/** Frees the fields and the table itself. O(n) */
function freeFields(t: Table): void {
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition)) free(ref);
  for (let index: u32 = 0; index < directoryCells(t); index += segmentSpan(t, index))
    emptySegment(t, index);
  freeEmptyTable(t);
}

/** A large one is left to be freed in slices. */
export function freeHash(entry: Entry): void {
  if (isPackedHash(entry)) return free(entry.value);
  const t = tableOfHash(entry);
  if (t.count <= FREE_AT_ONCE) freeFields(t);
  else discard(GarbageKind.Members, entry.value);
}

/** Gives the entry, which shares its value with another one, a value of its own. @returns false = no memory. O(n) */
export function copyHash(entry: Entry): bool {
  if (isPackedHash(entry)) {
    const copy = copyPacked(entry.value);
    if (copy !== 0) entry.value = <u32>copy;
    return copy !== 0;
  }
  const t = newTable(TableKind.Members);
  if (t === null) return false;
  beginFields(entry);
  while (nextField()) {
    const field = state.memberPtr;
    const length = state.memberLength;
    const block = newField(field, length, state.valuePtr, state.valueLength);
    if (block === 0) {
      freeFields(t);
      return false;
    }
    insertRef(t, hashOf(field, length), <u32>block);
  }
  entry.value = <u32>changetype<usize>(t);
  return true;
}

/** Moves blocks out of pages that are being emptied, a part of a large table at a time. @returns how many moved */
export function evacuateHash(entry: Entry): u32 {
  if (!isPackedHash(entry)) return evacuateTable(entry);
  const moved = evacuateBlock(entry.value);
  if (moved === 0) return 0;
  entry.value = moved;
  return 1;
}

export function hashEncodingName(entry: Entry): string {
  return isPackedHash(entry) ? "listpack" : "hashtable";
}

/** Adds all fields with their values to the SHA-1 that runs, in an order of no weight. O(bytes) */
export function digestHash(entry: Entry): void {
  let sum: u64 = 0;
  beginFields(entry);
  while (nextField()) {
    store<u64>(DIGEST, unseededHash(state.memberPtr, state.memberLength));
    store<u64>(DIGEST, unseededHash(state.valuePtr, state.valueLength), 8);
    sum += unseededHash(DIGEST, 16);
  }
  store<u64>(DIGEST, sum);
  sha1Add(DIGEST, 8);
}

/** Bytes of the value's blocks. O(n) in a table */
export function hashBytes(entry: Entry): u64 {
  if (isPackedHash(entry)) return usableBytes(entry.value);
  const t = tableOfHash(entry);
  let bytes = tableBytes(t) + usableBytes(entry.value);
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition))
    bytes += usableBytes(ref);
  return bytes;
}

/** Bytes of the hash in a dump: a packed one as it is, a table field by field. O(n) */
export function savedHashBytes(entry: Entry): u64 {
  if (isPackedHash(entry)) return savedLengthBytes(packedBytes(entry.value));
  let bytes: u64 = 0;
  beginFields(entry);
  while (nextField())
    bytes += savedLengthBytes(state.memberLength) + savedLengthBytes(state.valueLength);
  return bytes;
}

/** Asserts the encoding's own invariants, and that no hash is empty. O(n) */
export function checkHash(entry: Entry): void {
  ensure(hashCount(entry) > 0, 761, entry.value);
  if (!isPackedHash(entry)) {
    const t = tableOfHash(entry);
    checkTable(t);
    for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition)) {
      readField(ref);
      const bytes = fieldBytes(state.memberLength, state.valueLength);
      ensure(bytes <= usableBytes(ref), 762, bytes);
    }
    return;
  }
  ensure((checkPacked(entry.value) & 1) === 0, 763, entry.value);
}
