/**
 * The block of one key.
 *
 *   0 lruPrev |4 lruNext |8 meta |12 clock |16 value |20 [wheelNext wheelPrev deadline: 16 bytes] [key length u32] key, embedded value
 *
 * meta, from its low bits: type:4 encoding:4 flags:8 table:8 keyBytes:8 (255 = the real length stands before the key).
 * The two link words belong to the eviction order in force: neighbours of a list, or children in the treap.
 */
import { equal, hashOf } from "../memory/bytes";
import { state } from "../state";

export enum Type {
  String = 0,
  List = 1,
  Set = 2,
  SortedSet = 3,
  Hash = 4,
  Stream = 5,
}

/** How a value lies in memory; `embstr` and `raw` are Redis's names for short whole and other strings. */
export enum Encoding {
  Int = 0, // 8 bytes behind the key
  Embstr = 1, // behind the key, set in one piece, at most 44 bytes
  Raw = 2, // behind the key
  RawExternal = 3, // value word: block of u64 length, bytes
  // What follows is of collections: the value word is the address of the value.
  Packed = 4, // `listpack`: packed sequence
  IntSet = 5, // `intset`: sorted integers
  Table = 6, // `hashtable`: Table of members
  Nodes = 7, // `quicklist`: packed sequences in a row
  Tree = 8, // `skiplist`: tree in order of score, and a table of the members
  Stream = 9, // `stream`
}

export enum EntryFlag {
  Epoch = 1, // stamp of the snapshot's epoch
  Deadline = 2, // has the 16 bytes of the TTL extension
  GenerationShift = 2, // 3 bits: the eviction order it is linked in, 0 = none
  GenerationMask = 0x1c,
  Frequency = 0x20, // the clock word counts uses (clock.ts)
  FieldDeadlines = 0x40, // fields of the hash have deadlines (types/timing.ts)
}

@final
@unmanaged
export class Entry {
  lruPrev: u32;
  lruNext: u32;
  meta: u32;
  clock: u32; // when last used, or how often (clock.ts)
  value: u32;
}

export const ENTRY_HEADER_BYTES: u32 = 20;
export const DEADLINE_BYTES: u32 = 16;
const LONG_KEY: u32 = 255;
if (offsetof<Entry>() !== ENTRY_HEADER_BYTES) ERROR("Entry and its diagram disagree");

export function entryAt(ref: usize): Entry {
  return changetype<Entry>(ref);
}

export function refOf(entry: Entry): u32 {
  return <u32>changetype<usize>(entry);
}

export function typeOf(entry: Entry): u32 {
  return entry.meta & 15;
}

export function encodingOf(entry: Entry): u32 {
  return (entry.meta >> 4) & 15;
}

/** The bits of `meta` that say what a value is. */
export const KIND_BITS: u32 = 0xff | (EntryFlag.FieldDeadlines << 8);

/** Says what the value is; the value word and what is embedded must fit it. */
export function setKind(entry: Entry, type: u32, encoding: u32): void {
  entry.meta = (entry.meta & ~KIND_BITS) | type | (encoding << 4);
}

/** Says how the value, of the same type as before, lies in memory. */
export function setEncoding(entry: Entry, encoding: u32): void {
  entry.meta = (entry.meta & ~(<u32>0xf0)) | (encoding << 4);
}

export function tableOf(entry: Entry): u32 {
  return (entry.meta >> 16) & 255;
}

export function hasDeadlineSpace(entry: Entry): bool {
  return (entry.meta & (EntryFlag.Deadline << 8)) !== 0;
}

export function hasFieldDeadlines(entry: Entry): bool {
  return (entry.meta & (EntryFlag.FieldDeadlines << 8)) !== 0;
}

/** Whether the key or a field of it may have a deadline. */
export function mayExpire(entry: Entry): bool {
  return (entry.meta & ((EntryFlag.Deadline | EntryFlag.FieldDeadlines) << 8)) !== 0;
}

export function generationOf(entry: Entry): u32 {
  return (entry.meta >> (8 + EntryFlag.GenerationShift)) & 7;
}

export function setGeneration(entry: Entry, generation: u32): void {
  const cleared = entry.meta & ~((<u32>EntryFlag.GenerationMask) << 8);
  entry.meta = cleared | (generation << (8 + EntryFlag.GenerationShift));
}

/** Whether the entry bears the stamp of the epoch: no snapshot that runs waits for it. */
export function isStamped(entry: Entry): bool {
  return ((entry.meta >> 8) & EntryFlag.Epoch) === state.epoch;
}

export function stampEpoch(entry: Entry): void {
  entry.meta = (entry.meta & ~((<u32>EntryFlag.Epoch) << 8)) | (state.epoch << 8);
}

/** ms, absolute; 0 = none. */
export function deadlineOf(entry: Entry): u64 {
  return hasDeadlineSpace(entry) ? load<u64>(changetype<usize>(entry), 28) : 0;
}

function keyStart(entry: Entry): usize {
  return (
    changetype<usize>(entry) + ENTRY_HEADER_BYTES + (hasDeadlineSpace(entry) ? DEADLINE_BYTES : 0)
  );
}

export function keyLength(entry: Entry): u32 {
  const short = entry.meta >> 24;
  return short === LONG_KEY ? load<u32>(keyStart(entry)) : short;
}

export function keyPtr(entry: Entry): usize {
  return keyStart(entry) + (entry.meta >> 24 === LONG_KEY ? 4 : 0);
}

export function embeddedPtr(entry: Entry): usize {
  return keyPtr(entry) + keyLength(entry);
}

/** Bytes of a block with these parts. */
export function entryBytes(keyBytes: u32, withDeadline: bool, embeddedBytes: u32): u32 {
  return (
    ENTRY_HEADER_BYTES +
    (withDeadline ? DEADLINE_BYTES : 0) +
    (keyBytes >= LONG_KEY ? 4 : 0) +
    keyBytes +
    embeddedBytes
  );
}

/** Bytes the entry embeds behind its key: strings alone do. */
export function embeddedBytes(entry: Entry): u32 {
  if (typeOf(entry) !== Type.String) return 0;
  const encoding = encodingOf(entry);
  if (encoding === Encoding.Int) return 8;
  return encoding === Encoding.RawExternal ? 0 : entry.value;
}

/** Writes header and key of a fresh block; links, clock and value are the caller's. */
export function layEntry(
  ptr: usize,
  meta: u32,
  withDeadline: bool,
  key: usize,
  keyBytes: u32,
): Entry {
  const entry = changetype<Entry>(ptr);
  const short = keyBytes >= LONG_KEY ? LONG_KEY : keyBytes;
  const flags = meta & ~((<u32>EntryFlag.Deadline) << 8) & 0x00ff_ffff;
  entry.meta = flags | (withDeadline ? EntryFlag.Deadline << 8 : 0) | (short << 24);
  if (withDeadline) memory.fill(ptr + ENTRY_HEADER_BYTES, 0, DEADLINE_BYTES);
  const start = keyStart(entry);
  if (short === LONG_KEY) store<u32>(start, keyBytes);
  memory.copy(keyPtr(entry), key, keyBytes);
  return entry;
}

export function keyEquals(entry: Entry, key: usize, length: u32): bool {
  const short = entry.meta >> 24;
  if (short !== (length >= LONG_KEY ? LONG_KEY : length)) return false;
  return keyLength(entry) === length && equal(keyPtr(entry), key, length);
}

export function hashOfEntry(entry: Entry): u64 {
  return hashOf(keyPtr(entry), keyLength(entry));
}
