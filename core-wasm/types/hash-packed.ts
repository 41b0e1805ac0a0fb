/** The packed form of hashes: field, value, and where fields have deadlines the deadline, one element behind the other. */
import { Address, Limit } from "../abi";
import { Entry, hasFieldDeadlines } from "../keyspace/entry";
import { formatInt64 } from "../memory/text";
import { ensure, limit, ScratchArea, state } from "../state";
import { fieldWidth, hashCount, hashValue, KEEP_DEADLINE, Put, storeHashValue } from "./hash-form";
import {
  PACKED_MAX_BYTES,
  packedAppend,
  packedBytes,
  packedElementBytes,
  packedFind,
  packedFirst,
  packedNext,
  packedReplace,
  packedReplaceAmple,
  packedReserve,
  readElement,
} from "./packed";
import { timingOf } from "./timing";

/** An element that holds a deadline. */
const DEADLINE_ELEMENT_BYTES: u32 = 10;
const FIELD_DIGITS: usize = Address.Scratch + ScratchArea.Member + 112;
const VALUE_DIGITS: usize = Address.Scratch + ScratchArea.Member + 144;
const DEADLINE_DIGITS: usize = Address.Scratch + ScratchArea.Member + 176;

/** Reads an element of a packed hash as bytes; an integer's digits go to `digits`. */
function readText(at: usize, digits: usize): void {
  readElement(at);
  if (state.elementPtr !== 0) return;
  state.elementPtr = <u32>digits;
  state.elementLength = formatInt64(state.elementInteger, digits);
}

/** Reads the value at a position of a packed hash, and the deadline behind it. @returns the position behind, 0 = the end */
export function readPackedValue(at: usize, isTimed: bool): usize {
  readText(at, VALUE_DIGITS);
  state.valuePtr = state.elementPtr;
  state.valueLength = state.elementLength;
  state.fieldDeadline = 0;
  if (!isTimed) return packedNext(at);
  const deadline = packedNext(at);
  readElement(deadline);
  state.fieldDeadline = <u64>state.elementInteger;
  return packedNext(deadline);
}

/** Reads the field at a position of a packed hash. @returns the position behind, 0 = the end */
export function readPackedField(at: usize, isTimed: bool): usize {
  readText(at, FIELD_DIGITS);
  state.memberPtr = state.elementPtr;
  state.memberLength = state.elementLength;
  return readPackedValue(packedNext(at), isTimed);
}

export function findPacked(entry: Entry, field: usize, length: u32): usize {
  return packedFind(packedFirst(hashValue(entry)), field, length, fieldWidth(entry) - 1);
}

export function fitsPacked(entry: Entry, fieldLength: u32, valueLength: u32): bool {
  const longest = <u32>limit(Limit.HashListpackValue);
  const bytes = <u64>packedBytes(hashValue(entry)) + fieldLength + valueLength;
  return (
    fieldLength <= longest &&
    valueLength <= longest &&
    <i32>hashCount(entry) <= limit(Limit.HashListpackEntries) &&
    bytes < <u64>PACKED_MAX_BYTES - 64
  );
}

/** Replaces value and deadline of the field at `at` in a packed hash with deadlines. Room for both first. */
export function replaceTimed(
  entry: Entry,
  at: usize,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Put {
  const before = hashValue(entry);
  const offset = at - before;
  const bytes =
    packedBytes(before) + packedElementBytes(value, valueLength) + DEADLINE_ELEMENT_BYTES;
  let packed = packedReserve(before, bytes);
  if (packed === 0) return Put.NoMemory;
  packed = packedReplaceAmple(packed, packedNext(packed + offset), value, valueLength);
  ensure(packed !== 0, 764, bytes);
  storeHashValue(entry, packed);
  if (deadline !== KEEP_DEADLINE) putDeadline(entry, packedNext(<usize>state.packedAt), deadline);
  return Put.Replaced;
}

/** Writes the deadline of a packed hash at the position of its element. @returns false = no memory */
export function putDeadline(entry: Entry, at: usize, deadline: u64): bool {
  readElement(at);
  const timing = timingOf(entry);
  if (<u64>state.elementInteger === deadline) return true;
  const had: u32 = state.elementInteger === 0 ? 0 : 1;
  const length = formatInt64(<i64>deadline, DEADLINE_DIGITS);
  const packed = packedReplace(hashValue(entry), at, DEADLINE_DIGITS, length);
  if (packed === 0) return false;
  storeHashValue(entry, packed);
  timing.fields += (deadline === 0 ? 0 : 1) - had;
  return true;
}

/** Appends a field that is not there yet. Room for all of it first: a field without value is none. */
export function appendField(
  entry: Entry,
  field: usize,
  fieldLength: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Put {
  const isTimed = hasFieldDeadlines(entry);
  const bytes =
    packedBytes(hashValue(entry)) +
    packedElementBytes(field, fieldLength) +
    packedElementBytes(value, valueLength) +
    (isTimed ? DEADLINE_ELEMENT_BYTES : 0);
  let packed = packedReserve(hashValue(entry), bytes);
  if (packed === 0) return Put.NoMemory;
  packed = packedAppend(packed, field, fieldLength);
  packed = packedAppend(packed, value, valueLength);
  if (isTimed) {
    const own = deadline === KEEP_DEADLINE ? 0 : deadline;
    packed = packedAppend(packed, DEADLINE_DIGITS, formatInt64(<i64>own, DEADLINE_DIGITS));
    if (own !== 0) timingOf(entry).fields += 1;
  }
  ensure(packed !== 0, 760, bytes);
  storeHashValue(entry, packed);
  return Put.Added;
}

/** Makes room for the deadlines of so many fields, in a packed hash that is prepared. @returns false = no memory, nothing changed */
export function reserveInPacked(entry: Entry, fields: u32): bool {
  const bytes = <u64>packedBytes(hashValue(entry)) + <u64>fields * DEADLINE_ELEMENT_BYTES;
  if (bytes > <u64>PACKED_MAX_BYTES) return false;
  const packed = packedReserve(hashValue(entry), <u32>bytes);
  if (packed !== 0) storeHashValue(entry, packed);
  return packed !== 0;
}
