/**
 * Strings as the values of keys: put whole, or lengthened where they lie. An entry's address may change with each of these;
 * callers go on with the one they are given.
 *
 * What OBJECT ENCODING shows follows Redis: `int` and `embstr` come from putting a value whole, and whatever was opened to
 * be changed in place is `raw` from then on.
 */
import { Address } from "../abi";
import { alloc, free, usableBytes } from "../memory/allocator";
import { parseInt64 } from "../memory/text";
import { ScratchArea } from "../state";
import {
  EMBEDDED_MAX_BYTES,
  EMBSTR_MAX_BYTES,
  EXTERNAL_HEADER_BYTES,
  externalCapacity,
  grownBytes,
  newExternal,
  stringBytes,
  stringLength,
} from "../types/string";
import {
  Encoding,
  Entry,
  embeddedPtr,
  encodingOf,
  entryBytes,
  hasDeadlineSpace,
  keyLength,
  setKind,
  Type,
} from "./entry";
import { makeEntry, openForWrite, rehouse } from "./keyspace";

/** Up to this length a string that grows in place stays behind its key. */
const GROWING_EMBEDDED_BYTES: u32 = 1024;
/** Longer strings than this no memory holds; lengths below it add up in 32 bits. */
const LONGEST_BYTES: u64 = 0xe000_0000;
const INT_VALUE: usize = Address.Scratch + ScratchArea.Number + 64;

/**
 * Sets a key to a string: inserts it, or overwrites `existing`, which `find` gave. A canonical 64-bit integer is kept as
 * one. `deadline` is the whole truth: 0 drops it. @returns null = no memory, nothing changed. O(length)
 */
export function putString(
  existing: Entry | null,
  key: usize,
  length: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Entry | null {
  if (valueLength <= 20 && parseInt64(value, valueLength, INT_VALUE))
    return putInteger(existing, key, length, load<i64>(INT_VALUE), deadline);
  return putText(existing, key, length, value, valueLength, deadline);
}

/** The same for bytes that are kept as they are, even if they spell an integer. */
export function putText(
  existing: Entry | null,
  key: usize,
  length: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Entry | null {
  if (valueLength > EMBEDDED_MAX_BYTES)
    return putExternal(existing, key, length, value, valueLength, deadline);
  const entry = makeEntry(existing, key, length, valueLength, deadline);
  if (entry === null) return null;
  setKind(entry, Type.String, valueLength <= EMBSTR_MAX_BYTES ? Encoding.Embstr : Encoding.Raw);
  entry.value = valueLength;
  memory.copy(embeddedPtr(entry), value, valueLength);
  return entry;
}

/** The same as `raw`, however short. */
export function putRaw(
  existing: Entry | null,
  key: usize,
  length: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Entry | null {
  const entry = putText(existing, key, length, value, valueLength, deadline);
  if (entry !== null && encodingOf(entry) === Encoding.Embstr)
    setKind(entry, Type.String, Encoding.Raw);
  return entry;
}

function putExternal(
  existing: Entry | null,
  key: usize,
  length: u32,
  value: usize,
  valueLength: u32,
  deadline: u64,
): Entry | null {
  const block = newExternal(valueLength);
  if (block === 0) return null;
  memory.copy(block + EXTERNAL_HEADER_BYTES, value, valueLength);
  const entry = putBlock(existing, key, length, block, deadline);
  if (entry === null) free(block);
  return entry;
}

/** Sets a key to a block of `newExternal`, which stays the caller's if there is no memory; otherwise as `putString`. O(1) */
export function putBlock(
  existing: Entry | null,
  key: usize,
  length: u32,
  block: usize,
  deadline: u64,
): Entry | null {
  const entry = makeEntry(existing, key, length, 0, deadline);
  if (entry === null) return null;
  setKind(entry, Type.String, Encoding.RawExternal);
  entry.value = <u32>block;
  return entry;
}

/** Sets a key to an integer, otherwise as `putString`. */
export function putInteger(
  existing: Entry | null,
  key: usize,
  length: u32,
  value: i64,
  deadline: u64,
): Entry | null {
  const entry = makeEntry(existing, key, length, 8, deadline);
  if (entry === null) return null;
  setKind(entry, Type.String, Encoding.Int);
  store<i64>(embeddedPtr(entry), value);
  return entry;
}

/** A new key with a `raw` string of so many zero bytes. @returns null = no memory, nothing changed. O(total) */
export function insertZeros(key: usize, length: u32, total: u64): Entry | null {
  if (total > LONGEST_BYTES) return null;
  const bytes = <u32>total;
  if (bytes <= GROWING_EMBEDDED_BYTES) {
    const entry = makeEntry(null, key, length, bytes, 0);
    if (entry === null) return null;
    setKind(entry, Type.String, Encoding.Raw);
    entry.value = bytes;
    memory.fill(embeddedPtr(entry), 0, bytes);
    return entry;
  }
  const block = newExternal(bytes);
  if (block === 0) return null;
  memory.fill(block + EXTERNAL_HEADER_BYTES, 0, bytes);
  const entry = putBlock(null, key, length, block, 0);
  if (entry === null) free(block);
  return entry;
}

/**
 * Opens a string to be changed in place: it becomes `raw`, and at least `total` bytes long, zeros behind what was there.
 * @returns null = no memory, nothing changed. O(length), amortised over growth
 */
export function openString(entry: Entry, total: u64): Entry | null {
  const before = stringLength(entry);
  if (total <= <u64>before) return lengthen(entry, before, before);
  const grown = lengthen(entry, before, total);
  if (grown !== null) memory.fill(stringBytes(grown) + before, 0, <u32>total - before);
  return grown;
}

/** Appends to a string, which becomes `raw`. @returns null = no memory, nothing changed. O(length), amortised */
export function appendString(entry: Entry, bytes: usize, length: u32): Entry | null {
  const before = stringLength(entry);
  const grown = lengthen(entry, before, <u64>before + length);
  if (grown !== null) memory.copy(stringBytes(grown) + before, bytes, length);
  return grown;
}

/**
 * Makes a string of `before` bytes `length` long, what is new being undefined, and `raw`: from a KiB on it gets a growing
 * block of its own.
 */
function lengthen(entry: Entry, before: u32, length: u64): Entry | null {
  if (length > LONGEST_BYTES) return null;
  openForWrite(entry);
  const total = <u32>length;
  const encoding = encodingOf(entry);
  if (encoding === Encoding.RawExternal) return lengthenBlock(entry, before, total);
  const withDeadline = hasDeadlineSpace(entry);
  const bytes = entryBytes(keyLength(entry), withDeadline, total);
  const isText = encoding !== Encoding.Int;
  let grown: Entry | null = entry;
  if (!isText || bytes > usableBytes(changetype<usize>(entry))) {
    if (total > GROWING_EMBEDDED_BYTES) return moveOut(entry, before, total);
    const digits = stringBytes(entry);
    grown = rehouse(entry, bytes + (total >> 1), withDeadline, isText);
    if (grown === null) return null;
    if (!isText) memory.copy(embeddedPtr(grown), digits, before);
  }
  setKind(grown, Type.String, Encoding.Raw);
  grown.value = total;
  return grown;
}

/** A block for a string that has grown to `total` bytes, with room for more if there is memory. @returns 0 = no memory */
function growingBlock(total: u32): usize {
  let block = alloc(grownBytes(total) + EXTERNAL_HEADER_BYTES);
  if (block === 0) block = alloc(total + EXTERNAL_HEADER_BYTES);
  if (block !== 0) store<u64>(block, total);
  return block;
}

function lengthenBlock(entry: Entry, before: u32, total: u32): Entry | null {
  const block: usize = entry.value;
  if (externalCapacity(block) >= total) {
    store<u32>(block, total);
    return entry;
  }
  const larger = growingBlock(total);
  if (larger === 0) return null;
  memory.copy(larger + EXTERNAL_HEADER_BYTES, block + EXTERNAL_HEADER_BYTES, before);
  free(block);
  entry.value = <u32>larger;
  return entry;
}

/** Gives an embedded string a block of its own, `total` bytes long. */
function moveOut(entry: Entry, before: u32, total: u32): Entry | null {
  const block = growingBlock(total);
  if (block === 0) return null;
  memory.copy(block + EXTERNAL_HEADER_BYTES, stringBytes(entry), before);
  const withDeadline = hasDeadlineSpace(entry);
  const slim = rehouse(entry, entryBytes(keyLength(entry), withDeadline, 0), withDeadline, false);
  if (slim === null) {
    free(block);
    return null;
  }
  setKind(slim, Type.String, Encoding.RawExternal);
  slim.value = <u32>block;
  return slim;
}
