/**
 * Streams: entries in the order of their ids, some to a node, the nodes in a tree by the id of the first entry they had.
 *
 * A node's entries are a packed sequence, byte for byte what Redis keeps and dumps:
 *   entries | deleted | fields | field ... | 0, then of each entry
 *   flags | ms - node's | seq - node's | value ... | number of these elements          where the fields are those in front, or
 *   flags | ms - node's | seq - node's | fields | field, value ... | number of these elements
 * An entry that is deleted is flagged, and goes with the last one of its node.
 *
 *   node: 0 ms |8 seq |16 packed sequence
 */
import { Address, Limit } from "../abi";
import { Encoding, Entry, setKind, Type } from "../keyspace/entry";
import { alloc, allocReserved, free, usableBytes } from "../memory/allocator";
import { ensure, limit, ScratchArea } from "../state";
import {
  IdTree,
  msOf,
  seqOf,
  treeAfter,
  treeBefore,
  treeFirst,
  treeInsert,
  treeLast,
  treeRemove,
  treeUpTo,
} from "./id-tree";
import {
  elementEquals,
  newPacked,
  PACKED_MAX_BYTES,
  packedAppend,
  packedAppendInteger,
  packedBytes,
  packedElementBytes,
  packedFirst,
  packedInteger,
  packedLast,
  packedNext,
  packedPrevious,
  packedReplaceInteger,
  packedReserve,
  packedShrink,
} from "./packed";

/** The value of a key. Ids are pairs of words; first and last tell of entries, `deleted` of the greatest that was deleted by its id. */
@final
@unmanaged
export class Stream {
  lastMs: u64; // the id given last
  lastSeq: u64;
  firstMs: u64; // of the first entry, 0-0 if there is none
  firstSeq: u64;
  deletedMs: u64;
  deletedSeq: u64;
  added: u64; // entries ever added
  length: u64;
  nodes: u32; // an IdTree from here on: see `nodesOf`
  nodeLevels: u32;
  nodeCount: u32;
  groups: u32; // names of the consumer groups (names.ts), 0 = none
}

export const STREAM_BYTES: u32 = 80;
if (offsetof<Stream>() !== STREAM_BYTES) ERROR("STREAM_BYTES");

const NODE_PACKED: usize = 16;
const NODE_BYTES: u32 = 24;
const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
/** The widest integer of a packed sequence. */
const INTEGER_BYTES: u64 = 11;
/** Integers of an entry, and of what stands before the first of a node. */
const ENTRY_INTEGERS: u64 = 5;
const HEADER_INTEGERS: u64 = 4;
/** By so much the two counts of a node may grow. */
const COUNTS_SPARE: u32 = 16;

export function streamOf(entry: Entry): Stream {
  return changetype<Stream>(<usize>entry.value);
}

export function nodesOf(s: Stream): IdTree {
  return changetype<IdTree>(changetype<usize>(s) + offsetof<Stream>("nodes"));
}

export function packedOf(node: usize): usize {
  return load<u32>(node, NODE_PACKED);
}

export function setPacked(node: usize, packed: usize): void {
  store<u32>(node, <u32>packed, NODE_PACKED);
}

/** An empty stream. @returns null = no memory */
export function newStream(): Stream | null {
  const ptr = alloc(STREAM_BYTES);
  if (ptr === 0) return null;
  memory.fill(ptr, 0, STREAM_BYTES);
  return changetype<Stream>(ptr);
}

/** Makes a stream the value of an entry. */
export function setStream(entry: Entry, s: Stream): void {
  setKind(entry, Type.Stream, Encoding.Stream);
  entry.value = <u32>changetype<usize>(s);
}

// ---- ids

export function compareIds(ms: u64, seq: u64, otherMs: u64, otherSeq: u64): i32 {
  if (ms !== otherMs) return ms < otherMs ? -1 : 1;
  if (seq === otherSeq) return 0;
  return seq < otherSeq ? -1 : 1;
}

/** Whether the id given last is above another. */
export function isLastAbove(s: Stream, ms: u64, seq: u64): bool {
  return compareIds(s.lastMs, s.lastSeq, ms, seq) > 0;
}

// ---- appending

/** Words of arguments: (u32 ptr, u32 length) each. */
function wordPtr(words: usize, index: u32): usize {
  return load<u32>(words + ((<usize>index) << 3));
}

function wordLength(words: usize, index: u32): u32 {
  return load<u32>(words + ((<usize>index) << 3), 4);
}

/** Bytes of the fields and values of an entry. */
export function payloadBytes(words: usize, fields: u32): u64 {
  let bytes: u64 = 0;
  for (let i: u32 = 0; i < fields << 1; i++) bytes += wordLength(words, i);
  return bytes;
}

/** Whether an entry of so many bytes is more than a stream can hold. */
export function isTooLarge(bytes: u64): bool {
  return bytes > <u64>PACKED_MAX_BYTES;
}

/** Whether the last node is to take no more. */
function isFull(packed: usize, payload: u64): bool {
  let most = <u64>limit(Limit.StreamNodeBytes);
  if (most === 0 || most > <u64>PACKED_MAX_BYTES) most = PACKED_MAX_BYTES;
  if (<u64>packedBytes(packed) + payload >= most) return true;
  const entries = limit(Limit.StreamNodeEntries);
  return entries !== 0 && liveEntries(packed) + deadEntries(packed) >= <i64>entries;
}

/** Entries of a node that are not deleted. */
export function liveEntries(packed: usize): i64 {
  return packedInteger(packedFirst(packed));
}

export function deadEntries(packed: usize): i64 {
  return packedInteger(packedNext(packedFirst(packed)));
}

/**
 * Appends an entry, whose id is above all others: `fields` pairs of words. @returns false = no memory, nothing changed. O(log nodes +
 * bytes of a node)
 */
export function streamAppend(s: Stream, ms: u64, seq: u64, words: usize, fields: u32): bool {
  const payload = payloadBytes(words, fields);
  const last = treeLast(nodesOf(s));
  const opens = last === 0 || isFull(packedOf(last), payload);
  if (!(opens ? openNode(s, ms, seq, words, fields) : extendNode(last, ms, seq, words, fields)))
    return false;
  // Nothing is appended to the one before any more.
  if (opens && last !== 0) setPacked(last, packedShrink(packedOf(last)));
  s.length += 1;
  s.added += 1;
  s.lastMs = ms;
  s.lastSeq = seq;
  if (s.length === 1) {
    s.firstMs = ms;
    s.firstSeq = seq;
  }
  return true;
}

/** Bytes of the words with a number: the fields, or the values. */
function wordsBytes(words: usize, fields: u32, from: u32): u64 {
  let bytes: u64 = 0;
  for (let i = from; i < fields << 1; i += 2)
    bytes += packedElementBytes(wordPtr(words, i), wordLength(words, i));
  return bytes;
}

/** A node with its first entry. */
function openNode(s: Stream, ms: u64, seq: u64, words: usize, fields: u32): bool {
  const bytes =
    wordsBytes(words, fields, 0) +
    wordsBytes(words, fields, 1) +
    (HEADER_INTEGERS + ENTRY_INTEGERS) * INTEGER_BYTES;
  if (bytes > <u64>PACKED_MAX_BYTES) return false;
  const node = alloc(NODE_BYTES);
  if (node === 0) return false;
  let packed = newPacked(<u32>bytes);
  if (packed === 0) {
    free(node);
    return false;
  }
  packed = packedAppendInteger(packed, 1);
  packed = packedAppendInteger(packed, 0);
  packed = packedAppendInteger(packed, fields);
  for (let i: u32 = 0; i < fields << 1; i += 2)
    packed = packedAppend(packed, wordPtr(words, i), wordLength(words, i));
  packed = packedAppendInteger(packed, 0);
  packed = appendEntry(packed, 0, 0, words, fields, true);
  store<u64>(node, ms);
  store<u64>(node, seq, 8);
  setPacked(node, packedShrink(packed));
  treeInsert(nodesOf(s), node);
  return true;
}

function extendNode(node: usize, ms: u64, seq: u64, words: usize, fields: u32): bool {
  let packed = packedOf(node);
  const isSame = hasFields(packed, words, fields);
  let added = wordsBytes(words, fields, 1) + (ENTRY_INTEGERS + 1) * INTEGER_BYTES;
  if (!isSame) added += wordsBytes(words, fields, 0);
  const needed = <u64>packedBytes(packed) + added;
  if (needed > <u64>PACKED_MAX_BYTES) return false;
  if (needed > <u64>usableBytes(packed)) {
    // Room for more to come: the node gives it back when it is full.
    const roomy = packedReserve(packed, <u32>min<u64>(needed + (needed >> 2), PACKED_MAX_BYTES));
    if (roomy === 0) return false;
    packed = roomy;
  }
  const first = packedFirst(packed);
  packed = packedReplaceInteger(packed, first, packedInteger(first) + 1);
  packed = appendEntry(packed, ms - msOf(node), seq - seqOf(node), words, fields, isSame);
  setPacked(node, packed);
  return true;
}

/** Whether an entry's fields are those in front of a node. */
function hasFields(packed: usize, words: usize, fields: u32): bool {
  let at = packedNext(packedNext(packedFirst(packed)));
  if (packedInteger(at) !== <i64>fields) return false;
  for (let i: u32 = 0; i < fields << 1; i += 2) {
    at = packedNext(at);
    if (!elementEquals(at, wordPtr(words, i), wordLength(words, i))) return false;
  }
  return true;
}

/** Appends the elements of an entry, for which there is room. */
function appendEntry(
  packed: usize,
  ms: u64,
  seq: u64,
  words: usize,
  fields: u32,
  isSame: bool,
): usize {
  packed = packedAppendInteger(packed, isSame ? SAME_FIELDS : 0);
  packed = packedAppendInteger(packed, ms);
  packed = packedAppendInteger(packed, seq);
  if (!isSame) packed = packedAppendInteger(packed, fields);
  for (let i: u32 = 0; i < fields << 1; i++) {
    if (isSame && (i & 1) === 0) continue;
    packed = packedAppend(packed, wordPtr(words, i), wordLength(words, i));
  }
  const elements = isSame ? fields + 3 : (fields << 1) + 4;
  packed = packedAppendInteger(packed, elements);
  ensure(packed !== 0, 810, fields);
  return packed;
}

// ---- one after another

/** The walk over entries, one at a time: what it walks, and the entry in hand. */
@final
@unmanaged
class Entries {
  ms: u64; // of the entry in hand
  seq: u64;
  startMs: u64; // both ends belong to the range
  startSeq: u64;
  endMs: u64;
  endSeq: u64;
  stream: u32;
  node: u32; // 0 = before the first node
  at: u32; // where the walk goes on in the node, 0 = behind its end
  reverse: u32;
  flagsAt: u32; // of the entry in hand
  fields: u32;
  fieldAt: u32; // the next field and value
  valueAt: u32;
  isSame: u32; // its fields are those in front
  nodeFields: u32;
  fieldsAt: u32; // the first field in front
  pad: u32;
}

const walk = changetype<Entries>(Address.Scratch + ScratchArea.Entries);
if (<i32>offsetof<Entries>() > ScratchArea.StreamIds - ScratchArea.Entries)
  ERROR("Entries run into what is behind");

/** Begins a walk over the entries between two ids, from the end if `reverse`. The stream must not change meanwhile. O(log nodes) */
export function beginEntries(
  s: Stream,
  startMs: u64,
  startSeq: u64,
  endMs: u64,
  endSeq: u64,
  reverse: bool,
): void {
  walk.stream = <u32>changetype<usize>(s);
  walk.startMs = startMs;
  walk.startSeq = startSeq;
  walk.endMs = endMs;
  walk.endSeq = endSeq;
  walk.reverse = reverse ? 1 : 0;
  const nodes = nodesOf(s);
  let node: usize;
  if (reverse) node = treeUpTo(nodes, endMs, endSeq);
  else {
    node = treeUpTo(nodes, startMs, startSeq);
    if (node === 0) node = treeFirst(nodes);
  }
  enterNode(node);
}

export function beginAllEntries(s: Stream): void {
  beginEntries(s, 0, 0, u64.MAX_VALUE, u64.MAX_VALUE, false);
}

function enterNode(node: usize): void {
  walk.node = <u32>node;
  walk.at = 0;
  if (node === 0) return;
  const packed = packedOf(node);
  let at = packedNext(packedNext(packedFirst(packed)));
  walk.nodeFields = <u32>packedInteger(at);
  at = packedNext(at);
  walk.fieldsAt = <u32>at;
  if (walk.reverse) {
    walk.at = <u32>packedLast(packed);
    return;
  }
  for (let i: u32 = 0; i < walk.nodeFields; i++) at = packedNext(at);
  walk.at = <u32>packedNext(at);
}

/** Goes to the next entry that is not deleted. @returns false = there is none in the range */
export function nextEntry(): bool {
  while (walk.node !== 0) {
    const node: usize = walk.node;
    if (walk.at === 0) {
      const nodes = nodesOf(changetype<Stream>(<usize>walk.stream));
      const ms = msOf(node);
      const seq = seqOf(node);
      enterNode(walk.reverse ? treeBefore(nodes, ms, seq) : treeAfter(nodes, ms, seq));
      continue;
    }
    const flags = walk.reverse ? readBackward(node) : readForward(node);
    if (flags < 0) continue;
    const belowStart = compareIds(walk.ms, walk.seq, walk.startMs, walk.startSeq) < 0;
    const aboveEnd = compareIds(walk.ms, walk.seq, walk.endMs, walk.endSeq) > 0;
    if (walk.reverse ? belowStart : aboveEnd) walk.node = 0;
    else if ((flags & DELETED) === 0 && !belowStart && !aboveEnd) return true;
  }
  return false;
}

/** Reads the entry at the place of the walk and leaves the place behind it. @returns its flags */
function readForward(node: usize): i64 {
  const flags = readHead(node, walk.at);
  let at: usize = walk.valueAt;
  const elements = walk.isSame ? walk.fields : walk.fields << 1;
  at = walk.isSame ? at : walk.fieldAt;
  for (let i: u32 = 0; i < elements; i++) at = packedNext(at);
  walk.at = <u32>packedNext(at);
  return flags;
}

/** The same from behind: the place is the last element of the entry before. @returns -1 = there was none */
function readBackward(node: usize): i64 {
  const packed = packedOf(node);
  let at: usize = walk.at;
  const elements = packedInteger(at);
  if (elements === 0) {
    walk.at = 0;
    return -1;
  }
  for (let i = elements; i > 0; i--) at = packedPrevious(packed, at);
  const flags = readHead(node, at);
  walk.at = <u32>packedPrevious(packed, at);
  return flags;
}

/** Reads flags, id and number of fields of the entry at a position. */
function readHead(node: usize, position: usize): i64 {
  let at = position;
  walk.flagsAt = <u32>at;
  const flags = packedInteger(at);
  at = packedNext(at);
  walk.ms = msOf(node) + <u64>packedInteger(at);
  at = packedNext(at);
  walk.seq = seqOf(node) + <u64>packedInteger(at);
  at = packedNext(at);
  walk.isSame = (flags & SAME_FIELDS) !== 0 ? 1 : 0;
  if (walk.isSame) {
    walk.fields = walk.nodeFields;
    walk.fieldAt = walk.fieldsAt;
    walk.valueAt = <u32>at;
  } else {
    walk.fields = <u32>packedInteger(at);
    walk.fieldAt = <u32>packedNext(at);
    walk.valueAt = 0;
  }
  return flags;
}

/** The entry in hand. */
export function entryMs(): u64 {
  return walk.ms;
}

export function entrySeq(): u64 {
  return walk.seq;
}

export function entryFields(): u32 {
  return walk.fields;
}

/** The position of the next field of the entry in hand. `takeValue` follows. */
export function takeField(): usize {
  const at: usize = walk.fieldAt;
  if (!walk.isSame) walk.valueAt = <u32>packedNext(at);
  else walk.fieldAt = <u32>packedNext(at);
  return at;
}

/** The position of its value. */
export function takeValue(): usize {
  const at: usize = walk.valueAt;
  if (!walk.isSame) walk.fieldAt = <u32>packedNext(at);
  else walk.valueAt = <u32>packedNext(at);
  return at;
}

/** Goes to the entry with an id. @returns false = there is none. O(log nodes + entries of a node) */
export function findEntry(s: Stream, ms: u64, seq: u64): bool {
  // Mostly it is asked for what was deleted at the front.
  if (compareIds(ms, seq, s.firstMs, s.firstSeq) < 0) return false;
  beginEntries(s, ms, seq, ms, seq, false);
  return nextEntry();
}

/** Goes to the last entry. @returns false = the stream is empty */
export function findLast(s: Stream): bool {
  beginEntries(s, 0, 0, u64.MAX_VALUE, u64.MAX_VALUE, true);
  return nextEntry();
}

// ---- deleting

/** Deletes an entry. @returns false = there is none of this id. O(log nodes + entries of a node) */
export function streamDelete(s: Stream, ms: u64, seq: u64): bool {
  if (!findEntry(s, ms, seq)) return false;
  const node: usize = walk.node;
  const packed = packedOf(node);
  s.length -= 1;
  if (liveEntries(packed) === 1) dropNode(s, node);
  else {
    flagDeleted(walk.flagsAt);
    countDeleted(node, 1);
  }
  return true;
}

/** Flags keep their one byte. */
function flagDeleted(at: usize): void {
  store<u8>(at, <u8>(<u32>load<u8>(at) | <u32>DELETED));
}

/** Moves entries of a node from the living to the deleted. */
function countDeleted(node: usize, count: i64): void {
  const live = liveEntries(packedOf(node)) - count;
  const dead = deadEntries(packedOf(node)) + count;
  spareCounts(node);
  let packed = packedOf(node);
  packed = packedReplaceInteger(packed, packedFirst(packed), live);
  setPacked(node, packedReplaceInteger(packed, packedNext(packedFirst(packed)), dead));
}

/** Makes sure that counts can become longer: deleting does not fail for want of memory. */
function spareCounts(node: usize): void {
  const packed = packedOf(node);
  const bytes = packedBytes(packed);
  if (usableBytes(packed) >= bytes + COUNTS_SPARE) return;
  const roomy = allocReserved(bytes + COUNTS_SPARE);
  memory.copy(roomy, packed, bytes);
  free(packed);
  setPacked(node, roomy);
}

function dropNode(s: Stream, node: usize): void {
  treeRemove(nodesOf(s), msOf(node), seqOf(node));
  freeNode(node);
}

export function freeNode(node: usize): void {
  free(packedOf(node));
  free(node);
}

/** Finds the id of the first entry anew. */
export function refreshFirst(s: Stream): void {
  s.firstMs = 0;
  s.firstSeq = 0;
  if (s.length === 0) return;
  beginAllEntries(s);
  nextEntry();
  s.firstMs = walk.ms;
  s.firstSeq = walk.seq;
}

/**
 * Deletes entries from the front until at most `most` are left. It ends before a node with which more than `mostDeleted` would be
 * deleted (0 = no bound). Approximately: whole nodes only. @returns how many
 */
export function trimToLength(s: Stream, most: u64, approximately: bool, mostDeleted: u64): u64 {
  let deleted: u64 = 0;
  while (s.length > most) {
    const node = treeFirst(nodesOf(s));
    const entries = <u64>liveEntries(packedOf(node));
    if (mostDeleted !== 0 && deleted + entries > mostDeleted) break;
    if (s.length - entries >= most) {
      dropNode(s, node);
      s.length -= entries;
      deleted += entries;
      continue;
    }
    if (!approximately)
      deleted += deleteFront(s, node, s.length - most, u64.MAX_VALUE, u64.MAX_VALUE);
    break;
  }
  if (deleted > 0) refreshFirst(s);
  return deleted;
}

/** Deletes the entries below an id, otherwise the same. */
export function trimToId(s: Stream, ms: u64, seq: u64, approximately: bool, mostDeleted: u64): u64 {
  let deleted: u64 = 0;
  for (let node = treeFirst(nodesOf(s)); node !== 0; node = treeFirst(nodesOf(s))) {
    const entries = <u64>liveEntries(packedOf(node));
    if (mostDeleted !== 0 && deleted + entries > mostDeleted) break;
    if (isAllBelow(node, ms, seq)) {
      dropNode(s, node);
      s.length -= entries;
      deleted += entries;
      continue;
    }
    if (!approximately) deleted += deleteFront(s, node, u64.MAX_VALUE, ms, seq);
    break;
  }
  if (deleted > 0) refreshFirst(s);
  return deleted;
}

/** Whether the last entry of a node, deleted or not, is below an id. */
function isAllBelow(node: usize, ms: u64, seq: u64): bool {
  walk.reverse = 1;
  enterNode(node);
  readBackward(node);
  return compareIds(walk.ms, walk.seq, ms, seq) < 0;
}

/** Deletes at most `most` entries of a node, those below an id. The node stays even if all are. @returns how many */
function deleteFront(s: Stream, node: usize, most: u64, ms: u64, seq: u64): u64 {
  let deleted: u64 = 0;
  walk.reverse = 0;
  enterNode(node);
  while (walk.at !== 0 && deleted < most) {
    const flags = readForward(node);
    if (compareIds(walk.ms, walk.seq, ms, seq) >= 0) break;
    if ((flags & DELETED) !== 0) continue;
    flagDeleted(walk.flagsAt);
    deleted += 1;
  }
  s.length -= deleted;
  if (deleted > 0) countDeleted(node, <i64>deleted);
  return deleted;
}
