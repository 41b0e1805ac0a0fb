/**
 * What DEBUG asks of the keyspace. Its subcommands are rows of `server/commands/debug.ts`, which has judged the number of words.
 *
 * A digest of a value is SHA-1 over its type and content, the same wherever it lies and however it is kept; that of the dataset is
 * the exclusive or, over all keys, of a SHA-1 of database, key, digest of the value, and whether there is a deadline. So the
 * order of keys does not matter and an empty dataset is all zeros. The values themselves are not Redis's.
 */
import { Address } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { idleSeconds, lastUseSeconds } from "../keyspace/clock";
import {
  deadlineOf,
  Encoding,
  Entry,
  encodingOf,
  keyLength,
  keyPtr,
  refOf,
  typeOf,
} from "../keyspace/entry";
import { findStored, forgetLookup, stepRef, walkDb } from "../keyspace/keyspace";
import { putText } from "../keyspace/strings";
import { alloc, free } from "../memory/allocator";
import { SHA1_BYTES, sha1Add, sha1Begin, sha1End } from "../memory/sha1";
import { formatUint64, narrow, parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";
import { chainOf } from "../types/list";
import { packedBytes, packedCount } from "../types/packed";
import { digestValue, encodingName, savedBytes } from "../types/value";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const TEXT: usize = Address.Scratch + ScratchArea.Text;
const DIGESTS: usize = Address.Scratch + ScratchArea.Digest + 512;
const VALUE_DIGEST: usize = DIGESTS;
const KEY_DIGEST: usize = DIGESTS + 32;
const DATASET_DIGEST: usize = DIGESTS + 64;
const LRU_CLOCK_MASK: u32 = 0xff_ffff;
/** Longest key that POPULATE makes, as in Redis. */
const POPULATED_KEY_BYTES: u32 = 127;

function noSuchKey(): void {
  reply.error("ERR no such key");
}

// ---- one line of text

function addText(text: string, at: usize): usize {
  return at + narrow(text, at);
}

function addNumber(value: u64, at: usize): usize {
  return at + formatUint64(value, at);
}

/** `bytes` bytes in hexadecimal, the first byte first. */
function addHex(ptr: usize, bytes: u32, at: usize): usize {
  for (let i: u32 = 0; i < bytes * 2; i++) {
    const byte = load<u8>(ptr + (i >> 1));
    const digit: u32 = (i & 1) === 0 ? byte >> 4 : byte & 15;
    store<u8>(at + i, <u8>(digit < 10 ? 48 + digit : 87 + digit));
  }
  return at + bytes * 2;
}

/** DEBUG OBJECT key: the fields of Redis's line. The length is that of an uncompressed dump. */
export function debugObject(): void {
  const entry = findStored(argPtr(2), argLength(2));
  if (entry === null) return noSuchKey();
  store<u32>(NUMBER, bswap<u32>(refOf(entry)));
  let at = addText("Value at:0x", TEXT);
  at = addHex(NUMBER, 4, at);
  at = addText(" refcount:1 encoding:", at);
  at = addText(encodingName(entry), at);
  at = addText(" serializedlength:", at);
  at = addNumber(savedBytes(entry), at);
  at = addText(" lru:", at);
  at = addNumber(lastUseSeconds(entry) & LRU_CLOCK_MASK, at);
  at = addText(" lru_seconds_idle:", at);
  at = addNumber(idleSeconds(entry), at);
  reply.simpleBytes(TEXT, <u32>(at - TEXT));
}

// ---- lists

/** The entry of word 2 if it has this encoding, else null after an error was answered. */
function findEncoded(encoding: u32, fault: string): Entry | null {
  const entry = findStored(argPtr(2), argLength(2));
  if (entry !== null && encodingOf(entry) === encoding) return entry;
  if (entry === null) noSuchKey();
  else reply.error(fault);
  return null;
}

/** DEBUG LISTPACK key: in one line how large it is, where Redis prints all of it to its own terminal. */
export function debugListpack(): void {
  const entry = findEncoded(Encoding.Packed, "ERR Not a listpack encoded object.");
  if (entry === null) return;
  let at = addNumber(packedBytes(entry.value), addText("Listpack of ", TEXT));
  at = addText(" elements", addNumber(packedCount(entry.value), addText(" bytes, ", at)));
  reply.simpleBytes(TEXT, <u32>(at - TEXT));
}

/** DEBUG QUICKLIST key: the same. */
export function debugQuicklist(): void {
  const entry = findEncoded(Encoding.Nodes, "ERR Not a quicklist encoded object.");
  if (entry === null) return;
  let at = addNumber(chainOf(entry).nodes, addText("Quicklist of ", TEXT));
  at = addText(" elements", addNumber(chainOf(entry).count, addText(" nodes, ", at)));
  reply.simpleBytes(TEXT, <u32>(at - TEXT));
}

// ---- digests

function digestEntryValue(entry: Entry): void {
  store<u32>(NUMBER, typeOf(entry));
  sha1Begin();
  sha1Add(NUMBER, 4);
  digestValue(entry);
  sha1End(VALUE_DIGEST);
}

function replyDigest(digest: usize): void {
  reply.simpleBytes(TEXT, <u32>(addHex(digest, SHA1_BYTES, TEXT) - TEXT));
}

function mixKey(db: u32, entry: Entry): void {
  digestEntryValue(entry);
  sha1Begin();
  store<u32>(NUMBER, db);
  store<u32>(NUMBER, deadlineOf(entry) !== 0 ? 1 : 0, 4);
  store<u32>(NUMBER, keyLength(entry), 8);
  sha1Add(NUMBER, 12);
  sha1Add(keyPtr(entry), keyLength(entry));
  sha1Add(VALUE_DIGEST, SHA1_BYTES);
  sha1End(KEY_DIGEST);
  for (let i: usize = 0; i < SHA1_BYTES; i += 4)
    store<u32>(DATASET_DIGEST + i, load<u32>(DATASET_DIGEST + i) ^ load<u32>(KEY_DIGEST + i));
}

/** DEBUG DIGEST: of all databases, what is due and not deleted yet included. O(dataset) */
export function digest(): void {
  memory.fill(DATASET_DIGEST, 0, SHA1_BYTES);
  for (let db: u32 = 0; db < state.databases; db++) {
    let position: u64 = 0;
    do {
      position = walkDb(db, position);
      for (let i: u32 = 0; i < state.stepCount; i++) mixKey(db, stepRef(i));
    } while (position !== 0);
  }
  replyDigest(DATASET_DIGEST);
}

/** DEBUG DIGEST-VALUE [key ...]: zeros for a key that is not there. */
export function digestValues(argc: u32): void {
  reply.array(argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    const entry = findStored(argPtr(i), argLength(i));
    if (entry === null) memory.fill(VALUE_DIGEST, 0, SHA1_BYTES);
    else digestEntryValue(entry);
    replyDigest(VALUE_DIGEST);
  }
}

// ---- populate

/** Parses word `index` into NUMBER + 8 as a number that is not negative. @returns false after an error was answered */
function positiveArg(index: u32): bool {
  if (parseInt64(argPtr(index), argLength(index), NUMBER + 8) && load<i64>(NUMBER + 8) >= 0)
    return true;
  reply.error("ERR value is out of range, must be positive");
  return false;
}

/**
 * DEBUG POPULATE count [prefix [size]]: keys "prefix:0" and on with values "value:0" and on, padded with NULs to a size. Keys
 * that are there already stay. Not propagated, as in Redis.
 */
export function populate(argc: u32): void {
  if (!positiveArg(2)) return;
  const count = load<i64>(NUMBER + 8);
  let size: u64 = 0;
  if (argc > 4) {
    if (!positiveArg(4)) return;
    size = load<i64>(NUMBER + 8);
  }
  const value = size === 0 ? TEXT + 256 : size < u32.MAX_VALUE ? alloc(<u32>size + 32) : 0;
  if (value === 0) return reply.noMemory();
  if (size !== 0) memory.fill(value, 0, <usize>size);
  const done = populateWith(count, value, <u32>size, argc);
  if (size !== 0) free(value);
  if (done) reply.ok();
  else reply.noMemory();
}

/** @returns false = no memory */
function populateWith(count: i64, value: usize, size: u32, argc: u32): bool {
  for (let index: i64 = 0; index < count; index++) {
    // Every key is made at the same place.
    forgetLookup();
    const length = populatedKey(index, argc);
    if (findStored(TEXT, length) !== null) continue;
    const bytes = <u32>(addNumber(index, addText("value:", value)) - value);
    if (putText(null, TEXT, length, value, size === 0 ? bytes : size, 0) === null) return false;
    effects.touched(io().db, TEXT, length);
  }
  return true;
}

/** Writes key `index` at TEXT. @returns its length */
function populatedKey(index: i64, argc: u32): u32 {
  let at = TEXT;
  if (argc > 3) {
    const prefix = argLength(3) < POPULATED_KEY_BYTES ? argLength(3) : POPULATED_KEY_BYTES;
    memory.copy(at, argPtr(3), prefix);
    at += prefix;
  } else at = addText("key", at);
  const length = <u32>(addNumber(index, addText(":", at)) - TEXT);
  return length < POPULATED_KEY_BYTES ? length : POPULATED_KEY_BYTES;
}
