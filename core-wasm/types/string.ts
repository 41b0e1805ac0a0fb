/**
 * String values: an integer of 8 bytes, bytes behind the key, or bytes in a block of their own.
 * An external block is [u64 length] bytes; its capacity is what its size class leaves.
 */
import { Address } from "../abi";
import { Encoding, Entry, embeddedPtr, encodingOf, Type, typeOf } from "../keyspace/entry";
import { alloc, free, isEvacuated, usableBytes } from "../memory/allocator";
import { equal } from "../memory/bytes";
import { sha1Add } from "../memory/sha1";
import { formatInt64 } from "../memory/text";
import { ScratchArea } from "../state";
import { savedLengthBytes } from "./saved";

export const EXTERNAL_HEADER_BYTES: u32 = 8;
/** Longer strings get a block of their own: moving an entry never copies more than this. */
export const EMBEDDED_MAX_BYTES: u32 = 16384;
/** Redis's limit for `embstr`. */
export const EMBSTR_MAX_BYTES: u32 = 44;
/** Growing strings double up to this length, and have this much room at least from there on. */
const DOUBLING_MAX_BYTES: u32 = 1048576;

export function isString(entry: Entry): bool {
  return typeOf(entry) === Type.String;
}

export function isInteger(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Int;
}

export function integerOf(entry: Entry): i64 {
  return load<i64>(embeddedPtr(entry));
}

/** Where the string's bytes are; an integer's digits are written to scratch and stay until the next call. */
export function stringBytes(entry: Entry): usize {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.RawExternal) return <usize>entry.value + EXTERNAL_HEADER_BYTES;
  if (encoding !== Encoding.Int) return embeddedPtr(entry);
  formatInt64(integerOf(entry), Address.Scratch + ScratchArea.Number);
  return Address.Scratch + ScratchArea.Number;
}

export function stringLength(entry: Entry): u32 {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.RawExternal) return load<u32>(entry.value);
  if (encoding !== Encoding.Int) return entry.value;
  return formatInt64(integerOf(entry), Address.Scratch + ScratchArea.Number);
}

/** Whether the string is these bytes. O(length) */
export function spells(entry: Entry, bytes: usize, length: u32): bool {
  return stringLength(entry) === length && equal(stringBytes(entry), bytes, length);
}

/** A block for `length` bytes. @returns 0 = no memory */
export function newExternal(length: u32): usize {
  const block = alloc(length + EXTERNAL_HEADER_BYTES);
  if (block !== 0) store<u64>(block, length);
  return block;
}

export function externalCapacity(block: usize): u32 {
  return usableBytes(block) - EXTERNAL_HEADER_BYTES;
}

/** Bytes to ask for when a string has grown to `length`: a step of an eighth bounds what a large one is copied in all. */
export function grownBytes(length: u32): u32 {
  return length < DOUBLING_MAX_BYTES ? length << 1 : length + max(DOUBLING_MAX_BYTES, length >> 3);
}

/** Frees what the string holds beyond the entry's own block. O(1) */
export function freeString(entry: Entry): void {
  if (encodingOf(entry) === Encoding.RawExternal) free(entry.value);
}

/** Bytes of the string's own block, 0 if it is embedded. */
export function stringBlockBytes(entry: Entry): u64 {
  return encodingOf(entry) === Encoding.RawExternal ? usableBytes(entry.value) : 0;
}

/** Moves the string's block out of a page that is being emptied. @returns blocks moved */
export function evacuateString(entry: Entry): u32 {
  if (encodingOf(entry) !== Encoding.RawExternal || !isEvacuated(entry.value)) return 0;
  const bytes = load<u32>(entry.value) + EXTERNAL_HEADER_BYTES;
  const block = alloc(bytes);
  if (block === 0) return 0;
  memory.copy(block, entry.value, bytes);
  free(entry.value);
  entry.value = <u32>block;
  return 1;
}

export function digestString(entry: Entry): void {
  const length = stringLength(entry);
  sha1Add(stringBytes(entry), length);
}

/** As RDB writes it: an integer of up to 32 bits as one, anything else behind its length. */
export function savedStringBytes(entry: Entry): u64 {
  if (isInteger(entry)) {
    const value = integerOf(entry);
    if (value === <i64>(<i8>value)) return 2;
    if (value === <i64>(<i16>value)) return 3;
    if (value === <i64>(<i32>value)) return 5;
  }
  return savedLengthBytes(stringLength(entry));
}

/** The name OBJECT ENCODING gives: where the bytes lie is no difference in encoding. */
export function stringEncodingName(entry: Entry): string {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.Int) return "int";
  return encoding === Encoding.Embstr ? "embstr" : "raw";
}

/** Gives a copied entry, whose value word is still its source's, a block of its own. @returns false = no memory */
export function copyString(entry: Entry): bool {
  if (encodingOf(entry) !== Encoding.RawExternal) return true;
  const source: usize = entry.value;
  const block = newExternal(load<u32>(source));
  if (block === 0) return false;
  memory.copy(block + EXTERNAL_HEADER_BYTES, source + EXTERNAL_HEADER_BYTES, load<u32>(source));
  entry.value = <u32>block;
  return true;
}
