/**
 * Hashes: a packed sequence of field, value, field, value while few and short, a table of fields beyond. Where fields have deadlines, the
 * packed form is field, value, deadline, and the table's fields with one hang in an order (keyspace/treap.ts); a block between entry and
 * value knows the earliest (timing.ts), which comes with the first deadline and goes with the last.
 *
 * An entry's value word and encoding change with the hash; nothing else of the entry is touched. The functions work as well on an entry
 * that is in no table (`asideHash`), which is how a new hash is built before it is put in place.
 *
 *   field of a table: [20 bytes of deadline and order] sized field, sized value
 */
import { Address, IoFlag, Limit } from "../abi";
import {
  Encoding,
  Entry,
  encodingOf,
  hasFieldDeadlines,
  refOf,
  setEncoding,
  setKind,
  Type,
} from "../keyspace/entry";
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
  TIMED_BYTES,
  TIMED_MARK,
} from "../keyspace/table";
import { nextRef, randomRef } from "../keyspace/table-walk";
import {
  fieldsUpTo,
  Links,
  treapFirst,
  treapInsert,
  treapLast,
  treapRemove,
} from "../keyspace/treap";
import { alloc, allocReserved, free, roundedBytes, usableBytes } from "../memory/allocator";
import { hashOf } from "../memory/bytes";
import { sizedEnd, sizedLength, sizedPtr, sizedTotal, writeSized } from "../memory/sized";
import { ensure, io, limit, nowMs, random64, ScratchArea, state } from "../state";
import { deadlineOfBlock, markBlock } from "./field-block";
import {
  fieldWidth,
  hashCount,
  hashValue,
  isPackedHash,
  KEEP_DEADLINE,
  Put,
  storeHashValue,
  tableOfHash,
} from "./hash-form";
import {
  appendField,
  findPacked,
  fitsPacked,
  putDeadline,
  readPackedField,
  readPackedValue,
  replaceTimed,
} from "./hash-packed";
import {
  copyPacked,
  newPacked,
  packedFirst,
  packedNarrow,
  packedNext,
  packedRemove,
  packedReplace,
  packedSeek,
  packedWiden,
  readElement,
} from "./packed";
import { attachTiming, detachTiming, newTiming, rootSlot, setEarliest, timingOf } from "./timing";

/** The latest deadline of a field, as in Redis. */
export const LATEST_DEADLINE: i64 = (1 << 46) - 1;
/** Later than every deadline. */
export const NEVER: u64 = 0xffff_ffff_ffff_ffff;
/** Longest block of a field: sizes stay far from 32 bits. */
const FIELD_MAX_BYTES: u64 = 1 << 30;
/** Fields drawn that were due, before the hash is walked instead. */
const DRAWS_MAX: u32 = 100;
const ASIDE: usize = Address.Scratch + ScratchArea.Aside;
/** In State.walkEncoding: the fields have deadlines. */
const WALK_TIMED: u32 = 16;

/** An entry in no table, with an empty hash: a result in the making. @returns null = no memory */
export function asideHash(): Entry | null {
  const entry = changetype<Entry>(ASIDE);
  const packed = newPacked(0);
  if (packed === 0) return null;
  setKind(entry, Type.Hash, Encoding.Packed);
  entry.value = <u32>packed;
  return entry;
}

// ---- what is due

function isPast(deadline: u64): bool {
  return deadline !== 0 && deadline <= nowMs();
}

/** Whether a field with this deadline is there for the running command no more. In replay all are: the log says which go, and when. */
export function isDue(deadline: u64): bool {
  return isPast(deadline) && (io().flags & IoFlag.Replay) === 0;
}

/** Whether some fields are due for the running command. O(1) */
export function hasDueFields(entry: Entry): bool {
  return hasFieldDeadlines(entry) && isDue(timingOf(entry).deadline);
}

/** Whether all fields are past their deadlines. O(1) unless some are; then O(log n), packed O(n) */
export function areAllFieldsDue(entry: Entry): bool {
  if (!hasFieldDeadlines(entry)) return false;
  const timing = timingOf(entry);
  if (!isPast(timing.deadline) || timing.fields !== hashCount(entry)) return false;
  if (!isPackedHash(entry))
    return isPast(deadlineOfBlock(treapLast(rootSlot(timing), Links.Field)));
  for (let at = packedFirst(timing.value); at !== 0; ) {
    const deadline = packedNext(packedNext(at));
    readElement(deadline);
    if (!isPast(state.elementInteger)) return false;
    at = packedNext(deadline);
  }
  return true;
}

/** Fields that are there for the running command. O(1) unless some are due; then O(log n), packed O(n) */
export function liveCount(entry: Entry): u32 {
  const count = hashCount(entry);
  if (!hasDueFields(entry)) return count;
  if (!isPackedHash(entry)) return count - fieldsUpTo(timingOf(entry).root, nowMs());
  let live: u32 = 0;
  beginFields(entry);
  while (nextLiveField()) live += 1;
  return live;
}

/** Begins a walk over the fields that are due, which `nextDueField` gives and `dropDueField` deletes. */
export function beginDueFields(entry: Entry): void {
  if (isPackedHash(entry)) state.walkIndex = <u32>packedFirst(hashValue(entry));
}

/** Reads the next field that is due into State.memberPtr and memberLength. @returns false = there are no more */
export function nextDueField(entry: Entry): bool {
  if (!isPackedHash(entry)) {
    const ref = treapFirst(rootSlot(timingOf(entry)), Links.Field);
    if (ref === 0 || !isPast(deadlineOfBlock(ref))) return false;
    readField(ref);
    return true;
  }
  while (state.walkIndex !== 0) {
    const next = readPackedField(state.walkIndex, true);
    if (isPast(state.fieldDeadline)) return true;
    state.walkIndex = <u32>next;
  }
  return false;
}

/** Deletes the field that `nextDueField` has read. `settleTiming` belongs behind the last. */
export function dropDueField(entry: Entry): void {
  if (isPackedHash(entry)) {
    storeHashValue(entry, packedRemove(hashValue(entry), state.walkIndex, 3));
    state.walkIndex = state.packedAt;
    timingOf(entry).fields -= 1;
  } else removeFromTable(entry, state.memberPtr, state.memberLength);
}

// ---- reading

/** The sized field of a block. */
function keyOfBlock(ref: usize): usize {
  return <u32>load<u8>(ref) === TIMED_MARK ? ref + TIMED_BYTES : ref;
}

function readValueOf(ref: usize): void {
  const value = sizedEnd(keyOfBlock(ref));
  state.valuePtr = <u32>sizedPtr(value);
  state.valueLength = sizedLength(value);
  state.fieldDeadline = deadlineOfBlock(ref);
}

/** Reads a field of a table: State.memberPtr and memberLength, and its value: valuePtr and valueLength; fieldDeadline. */
export function readField(ref: usize): void {
  const key = keyOfBlock(ref);
  state.memberPtr = <u32>sizedPtr(key);
  state.memberLength = sizedLength(key);
  readValueOf(ref);
}

/**
 * Whether there is the field, due or not; its value's bytes, borrowed, are State.valuePtr and valueLength then, its deadline
 * fieldDeadline. O(1) in a table, O(n) packed
 */
export function findStoredValue(entry: Entry, field: usize, length: u32): bool {
  if (isPackedHash(entry)) {
    const at = findPacked(entry, field, length);
    if (at === 0) return false;
    readPackedValue(packedNext(at), hasFieldDeadlines(entry));
    return true;
  }
  const cell = findCell(tableOfHash(entry), hashOf(field, length), field, length);
  if (cell === 0) return false;
  readValueOf(load<u32>(cell));
  return true;
}

/** The same of a field that is not due. */
export function findValue(entry: Entry, field: usize, length: u32): bool {
  return findStoredValue(entry, field, length) && !isDue(state.fieldDeadline);
}

// ---- setting

/**
 * Sets a field with its deadline: 0 is none, KEEP_DEADLINE the one it has; for any other the hash must have been prepared
 * (`prepareDeadlines`). The bytes are not of this hash. `settleTiming` belongs behind the last. O(1) in a table, O(n) packed
 */
export function hashSet(
  entry: Entry,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Put {
  if (isPackedHash(entry)) {
    if (fitsPacked(entry, fieldLength, valueLength))
      return setInPacked(entry, field, fieldLength, value, valueLength, deadline);
    if (!spreadHash(entry)) return Put.NoMemory;
  }
  return setInTable(entry, field, fieldLength, value, valueLength, deadline);
}

function setInPacked(
  entry: Entry,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Put {
  const packed = hashValue(entry);
  const at = findPacked(entry, field, fieldLength);
  if (at !== 0) {
    if (hasFieldDeadlines(entry)) return replaceTimed(entry, at, value, valueLength, deadline);
    const changed = packedReplace(packed, packedNext(at), value, valueLength);
    if (changed === 0) return Put.NoMemory;
    entry.value = <u32>changed;
    return Put.Replaced;
  }
  if (<i32>hashCount(entry) >= limit(Limit.HashListpackEntries)) {
    if (!spreadHash(entry)) return Put.NoMemory;
    return setInTable(entry, field, fieldLength, value, valueLength, deadline);
  }
  return appendField(entry, field, fieldLength, value, valueLength, deadline);
}

export function fieldBytes(fieldLength: u32, valueLength: u32, deadline: u64): u32 {
  return (
    sizedTotal(fieldLength) + sizedTotal(valueLength) + (deadline === 0 ? 0 : <u32>TIMED_BYTES)
  );
}

/** A block for a table, not in it yet. @returns 0 = no memory */
export function newField(
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): usize {
  if (<u64>fieldLength + valueLength > FIELD_MAX_BYTES) return 0;
  const block = alloc(fieldBytes(fieldLength, valueLength, deadline));
  if (block !== 0) layField(block, field, fieldLength, value, valueLength, deadline);
  return block;
}

function layField(
  block: usize,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): void {
  if (deadline !== 0) markBlock(block, deadline);
  const key = deadline === 0 ? block : block + TIMED_BYTES;
  writeSized(writeSized(key, field, fieldLength), value, valueLength);
}

/** A block that has a deadline enters the order of its hash. */
function enterFieldOrder(entry: Entry, block: usize): void {
  if (deadlineOfBlock(block) === 0) return;
  treapInsert(rootSlot(timingOf(entry)), <u32>block, Links.Field);
  timingOf(entry).fields += 1;
}

function leaveFieldOrder(entry: Entry, block: usize): void {
  if (deadlineOfBlock(block) === 0) return;
  treapRemove(rootSlot(timingOf(entry)), <u32>block, Links.Field);
  timingOf(entry).fields -= 1;
}

function addBlock(entry: Entry, hash: u64, block: usize): void {
  insertRef(tableOfHash(entry), hash, <u32>block);
  enterFieldOrder(entry, block);
}

function replaceBlock(entry: Entry, cell: usize, block: usize): void {
  const old: usize = load<u32>(cell);
  leaveFieldOrder(entry, old);
  store<u32>(cell, <u32>block);
  free(old);
  enterFieldOrder(entry, block);
}

/** Puts a block of `newField` into the table of a hash, in place of the one with its field if there is one. Cannot fail. O(1) */
export function placeField(entry: Entry, block: usize): Put {
  const key = keyOfBlock(block);
  const field = sizedPtr(key);
  const length = sizedLength(key);
  const hash = hashOf(field, length);
  const cell = findCell(tableOfHash(entry), hash, field, length);
  if (cell === 0) addBlock(entry, hash, block);
  else replaceBlock(entry, cell, block);
  return cell === 0 ? Put.Added : Put.Replaced;
}

function setInTable(
  entry: Entry,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Put {
  const hash = hashOf(field, fieldLength);
  const cell = findCell(tableOfHash(entry), hash, field, fieldLength);
  if (cell === 0) {
    const own = deadline === KEEP_DEADLINE ? 0 : deadline;
    const block = newField(field, fieldLength, value, valueLength, own);
    if (block === 0) return Put.NoMemory;
    addBlock(entry, hash, block);
    return Put.Added;
  }
  const ref: usize = load<u32>(cell);
  const had = deadlineOfBlock(ref);
  const wanted = deadline === KEEP_DEADLINE ? had : deadline;
  if (<u64>fieldLength + valueLength > FIELD_MAX_BYTES) return Put.NoMemory;
  const bytes = fieldBytes(fieldLength, valueLength, wanted);
  if (had === wanted && roundedBytes(bytes) === usableBytes(ref)) {
    writeSized(sizedEnd(keyOfBlock(ref)), value, valueLength);
    return Put.Replaced;
  }
  const block = newField(field, fieldLength, value, valueLength, wanted);
  if (block === 0) return Put.NoMemory;
  replaceBlock(entry, cell, block);
  return Put.Replaced;
}

/** Makes a packed hash a table of fields. @returns false = no memory, nothing changed. O(n) */
export function spreadHash(entry: Entry): bool {
  if (!isPackedHash(entry)) return true;
  const t = newTable(TableKind.Fields);
  if (t === null) return false;
  const isTimed = hasFieldDeadlines(entry);
  let at = packedFirst(hashValue(entry));
  while (at !== 0) {
    at = readPackedField(at, isTimed);
    if (addFieldCopy(t, isTimed ? rootSlot(timingOf(entry)) : 0)) continue;
    if (isTimed) timingOf(entry).root = 0;
    freeFields(t);
    return false;
  }
  free(hashValue(entry));
  setEncoding(entry, Encoding.Table);
  storeHashValue(entry, changetype<usize>(t));
  return true;
}

/** Adds the field that was read last to a table that has not got it, and to its order. @returns false = no memory */
export function addFieldCopy(t: Table, root: usize): bool {
  const field = state.memberPtr;
  const length = state.memberLength;
  const block = newField(field, length, state.valuePtr, state.valueLength, state.fieldDeadline);
  if (block === 0) return false;
  insertRef(t, hashOf(field, length), <u32>block);
  if (state.fieldDeadline !== 0) treapInsert(root, <u32>block, Links.Field);
  return true;
}

/** Frees the fields and the table itself. O(n) */
export function freeFields(t: Table): void {
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition)) free(ref);
  for (let index: u32 = 0; index < directoryCells(t); index += segmentSpan(t, index))
    emptySegment(t, index);
  freeEmptyTable(t);
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

/** A copy of a packed hash's bytes, to go back to (`restorePacked`). @returns 0 = no memory. O(bytes) */
export function backUpPacked(entry: Entry): usize {
  return copyPacked(hashValue(entry));
}

/** Puts a packed hash back to what it was when its bytes were copied, with deadlines or without. Cannot fail. O(n) */
export function restorePacked(entry: Entry, packed: usize, wasTimed: bool): void {
  const isTimed = hasFieldDeadlines(entry);
  if (isPackedHash(entry)) free(hashValue(entry));
  else freeFields(tableOfHash(entry));
  setEncoding(entry, Encoding.Packed);
  storeHashValue(entry, packed);
  if (!wasTimed) {
    if (isTimed) detachTiming(entry);
    return;
  }
  ensure(isTimed, 765, refOf(entry));
  const timing = timingOf(entry);
  timing.root = 0;
  timing.fields = 0;
  beginFields(entry);
  while (nextField()) if (state.fieldDeadline !== 0) timing.fields += 1;
  settleTiming(entry);
}

// ---- deadlines

/** Before fields get deadlines. `isStored`: the entry is one of a database. @returns false = no memory, nothing changed. O(1), packed O(n) */
export function prepareDeadlines(entry: Entry, isStored: bool): bool {
  if (hasFieldDeadlines(entry)) return true;
  const timing = newTiming();
  if (timing === null) return false;
  if (isPackedHash(entry)) {
    const wide = packedWiden(entry.value);
    if (wide === 0) {
      free(changetype<usize>(timing));
      return false;
    }
    free(entry.value);
    entry.value = <u32>wide;
  }
  attachTiming(entry, timing, isStored);
  return true;
}

/** Bytes of the block that a field of a table would have with a deadline; 0 = there is no such field. */
export function timedBlockBytes(entry: Entry, field: usize, length: u32): u32 {
  const cell = findCell(tableOfHash(entry), hashOf(field, length), field, length);
  return cell === 0 ? 0 : usableBytes(load<u32>(cell)) + <u32>TIMED_BYTES;
}

/**
 * Gives a field that is there another deadline, or none: 0. The hash is prepared, and there is room for it: takes from the
 * emergency reserve if it must. `settleTiming` belongs behind the last. O(log n), packed O(n)
 */
export function setFieldDeadline(entry: Entry, field: usize, length: u32, deadline: u64): void {
  if (isPackedHash(entry)) {
    const at = findPacked(entry, field, length);
    const done = putDeadline(entry, packedNext(packedNext(at)), deadline);
    ensure(done, 766, length);
    return;
  }
  const cell = findCell(tableOfHash(entry), hashOf(field, length), field, length);
  const ref: usize = load<u32>(cell);
  const had = deadlineOfBlock(ref);
  if (had === deadline) return;
  if (had !== 0 && deadline !== 0) {
    leaveFieldOrder(entry, ref);
    markBlock(ref, deadline);
    enterFieldOrder(entry, ref);
    return;
  }
  readField(ref);
  const block = allocReserved(fieldBytes(length, state.valueLength, deadline));
  layField(block, state.memberPtr, length, state.valuePtr, state.valueLength, deadline);
  replaceBlock(entry, cell, block);
}

/** After deadlines changed or fields went: the hash hangs in the wheel at the earliest, or loses its timing with the last. */
export function settleTiming(entry: Entry): void {
  if (!hasFieldDeadlines(entry)) return;
  const timing = timingOf(entry);
  if (timing.fields !== 0) return setEarliest(timing, earliestOf(entry));
  if (isPackedHash(entry)) timing.value = <u32>packedNarrow(timing.value);
  detachTiming(entry);
}

function earliestOf(entry: Entry): u64 {
  if (!isPackedHash(entry))
    return deadlineOfBlock(treapFirst(rootSlot(timingOf(entry)), Links.Field));
  let earliest = NEVER;
  for (let at = packedFirst(hashValue(entry)); at !== 0; ) {
    const deadline = packedNext(packedNext(at));
    readElement(deadline);
    const own = <u64>state.elementInteger;
    if (own !== 0 && own < earliest) earliest = own;
    at = packedNext(deadline);
  }
  return earliest;
}

// ---- deleting

/** Deletes a field. `settleTiming` belongs behind the last. @returns whether there was one. O(1) in a table, O(n) packed */
export function hashDelete(entry: Entry, field: usize, length: u32): bool {
  if (!isPackedHash(entry)) return removeFromTable(entry, field, length);
  const at = findPacked(entry, field, length);
  if (at === 0) return false;
  if (hasFieldDeadlines(entry)) {
    readElement(packedNext(packedNext(at)));
    if (state.elementInteger !== 0) timingOf(entry).fields -= 1;
  }
  storeHashValue(entry, packedRemove(hashValue(entry), at, fieldWidth(entry)));
  return true;
}

function removeFromTable(entry: Entry, field: usize, length: u32): bool {
  const t = tableOfHash(entry);
  const hash = hashOf(field, length);
  const cell = findCell(t, hash, field, length);
  if (cell === 0) return false;
  const ref: usize = load<u32>(cell);
  leaveFieldOrder(entry, ref);
  removeCell(t, hash, cell);
  free(ref);
  mergeAfterRemoval(t, hash);
  return true;
}

// ---- one after another

/**
 * Begins a walk over all fields, in the encoding's own order. One walk at a time; the hash must not change meanwhile. `nextField` leaves
 * each as bytes in State.memberPtr and memberLength, its value in valuePtr and valueLength, its deadline in fieldDeadline.
 */
export function beginFields(entry: Entry): void {
  state.walkEncoding = encodingOf(entry) | (hasFieldDeadlines(entry) ? WALK_TIMED : 0);
  state.walkValue = <u32>hashValue(entry);
  state.walkPosition = 0;
  if (isPackedHash(entry)) state.walkIndex = <u32>packedFirst(state.walkValue);
}

/** The next field, due or not. @returns false = there are no more */
export function nextField(): bool {
  if ((state.walkEncoding & ~WALK_TIMED) === Encoding.Packed) {
    const at: usize = state.walkIndex;
    if (at === 0) return false;
    state.walkIndex = <u32>readPackedField(at, (state.walkEncoding & WALK_TIMED) !== 0);
    return true;
  }
  const ref = nextRef(changetype<Table>(<usize>state.walkValue), state.walkPosition);
  if (ref === 0) return false;
  readField(ref);
  return true;
}

/** The next field that is not due. @returns false = there are no more */
export function nextLiveField(): bool {
  while (nextField()) if (!isDue(state.fieldDeadline)) return true;
  return false;
}

/** A field of a table drawn evenly, due or not, as a ref that stays until the hash changes. O(1) */
export function fieldRef(entry: Entry): u32 {
  return randomRef(tableOfHash(entry));
}

/** Reads a field drawn evenly from those that are not due, of which there are some, as `nextField` does. O(1), packed O(n) */
export function randomField(entry: Entry): void {
  const hasDue = hasDueFields(entry);
  if (!isPackedHash(entry)) {
    for (let draws: u32 = 0; draws < DRAWS_MAX; draws++) {
      readField(fieldRef(entry));
      if (!hasDue || !isDue(state.fieldDeadline)) return;
    }
  } else if (!hasDue) {
    const index = <u32>(random64() % <u64>hashCount(entry));
    const at = packedSeek(hashValue(entry), <i32>(index * fieldWidth(entry)));
    readPackedField(at, hasFieldDeadlines(entry));
    return;
  }
  let index = <u32>(random64() % <u64>liveCount(entry));
  beginFields(entry);
  while (nextLiveField() && index > 0) index -= 1;
}
