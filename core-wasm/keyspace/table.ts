/**
 * Hash tables of refs to entries, or to the members of one large collection: extendible hashing over segments of 16 buckets of 64 bytes, in the order of the hash.
 *
 * A hash's top 48 bits are its *position*. A directory of 2^g cells is indexed by the top g bits; a segment of local
 * depth d covers one interval of positions, and the 4 bits behind the first d choose the bucket. So walking buckets in
 * order walks the hash space in order, and a position is a cursor that survives every regrouping (MECHANISMS 1).
 *
 *   directory cell: address of a segment | its local depth (segments are 1 KiB-aligned: a lookup reads no depth from the segment)
 *   bucket: 0 tags[12] |12 overflow: how many of its entries lie in the next bucket |13 - |14 entries (bucket 0) |16 refs[12]
 *
 * An insert pays for one segment at most: the directory's doubling finds its next array reserved and already touched.
 */
import { Address } from "../abi";
import { alloc, allocReserved, free, isEvacuated } from "../memory/allocator";
import { equal, hashOf } from "../memory/bytes";
import { sizedLength, sizedPtr } from "../memory/sized";
import { ensure, ScratchArea, state } from "../state";
import { BUCKET_SLOTS } from "../tuning";
import { entryAt, hashOfEntry, keyEquals } from "./entry";

const SEGMENT_BYTES: u32 = 1024;
export const BUCKETS: u32 = 16;
export const OVERFLOW: usize = 12;
export const SEGMENT_COUNT: usize = 14;
export const REFS: usize = 16;
const SLOT_MASK: u32 = (1 << BUCKET_SLOTS) - 1;
/** Depth at which the bucket bits would run out of the position; a keyed hash never comes near. */
export const DEEPEST: u32 = 35;
/** Directories from this depth on are reserved ahead. */
const AHEAD_DEPTH: u32 = 12;
/** Bytes of the reserved directory that each split touches. */
const AHEAD_STEP: u32 = 64;
/** Two buddies are merged when together they fill at most 35 % of one segment. */
const MERGE_MOST: u32 = (35 * BUCKETS * <u32>BUCKET_SLOTS) / 100;
/** A removal looks at the buddy when its segment's entries are a multiple of this: the buddy's line is in no cache. */
const MERGE_EACH: u32 = 8;
/** Within so many bytes of its block a short key ends. */
const KEY_REACH: usize = 24;
export const POSITION_END: u64 = (<u64>1) << 48;

export enum TableState {
  Unused = 0,
  Live = 1,
  Orphan = 2, // flushed: freed in slices
}

/** What the refs of a table lead to, and so where a ref's key is. */
export enum TableKind {
  Entries = 0,
  Members = 1, // blocks that begin with the key as sized bytes
  Scored = 2, // the same behind 8 bytes of score
  Fields = 3, // as Members; those with a deadline have TIMED_BYTES before the key, of which the first is TIMED_MARK
}
const SCORE_BYTES: usize = 8;
/** No length byte of sized bytes. */
export const TIMED_MARK: u32 = 255;
export const TIMED_BYTES: usize = 20;

@final
@unmanaged
export class Table {
  directory: u32; // u32 cells, 2^depth of them
  depth: u32;
  count: u32; // entries
  deadlines: u32; // entries with a deadline
  deadlineSum: u64;
  segments: u32;
  state: u32;
  ahead: u32; // the next directory, reserved
  aheadTouched: u32; // bytes of it already touched
  settledCount: u32; // entries when a round of merging last ended
  kind: u32; // TableKind
  atDepth: u32; // first of DEEPEST counters: segments of each local depth (see `depthCount`)
}

const DEPTH_COUNTERS: usize = 48;
const TABLE_STRIDE: usize = 192;
if (offsetof<Table>("atDepth") !== DEPTH_COUNTERS) ERROR("Table and its counters disagree");

export function table(id: u32): Table {
  return changetype<Table>(Address.Tables + <usize>id * TABLE_STRIDE);
}

export function depthCount(t: Table, depth: u32): usize {
  return changetype<usize>(t) + DEPTH_COUNTERS + ((<usize>depth) << 2);
}

function addDepth(t: Table, depth: u32, change: i32): void {
  const at = depthCount(t, depth);
  store<u32>(at, load<u32>(at) + change);
}

function newSegment(reserved: bool): usize {
  const segment = reserved ? allocReserved(SEGMENT_BYTES) : alloc(SEGMENT_BYTES);
  if (segment === 0) return 0;
  memory.fill(segment, 0, SEGMENT_BYTES);
  return segment;
}

/** Makes the empty table of a database. @returns false = no memory */
export function openTable(id: u32): bool {
  return layTable(table(id), TableKind.Entries);
}

/** An empty table for the members of a collection. @returns null = no memory */
export function newTable(kind: u32): Table | null {
  const block = alloc(<u32>TABLE_STRIDE);
  if (block === 0) return null;
  if (layTable(changetype<Table>(block), kind)) return changetype<Table>(block);
  free(block);
  return null;
}

/** Frees a collection's table with its empty segments, its block included. */
export function freeEmptyTable(t: Table): void {
  ensure(t.count === 0, 203, t.count);
  for (let index: u32 = 0; index < directoryCells(t); ) {
    const span = segmentSpan(t, index);
    freeSegment(t, index);
    index += span;
  }
  closeTable(t);
  free(changetype<usize>(t));
}

/** Lays an empty table of one segment. @returns false = no memory */
function layTable(t: Table, kind: u32): bool {
  memory.fill(changetype<usize>(t), 0, TABLE_STRIDE);
  t.kind = kind;
  const directory = alloc(4);
  if (directory === 0) return false;
  const segment = newSegment(false);
  if (segment === 0) {
    free(directory);
    return false;
  }
  store<u32>(directory, <u32>segment);
  t.directory = <u32>directory;
  t.segments = 1;
  t.settledCount = u32.MAX_VALUE;
  t.state = TableState.Live;
  addDepth(t, 0, 1);
  return true;
}

/** Bytes of segments and directory, the next directory as far as it is touched. */
export function tableBytes(t: Table): u64 {
  return (
    <u64>t.segments * SEGMENT_BYTES + ((<u64>4) << t.depth) + (t.ahead === 0 ? 0 : t.aheadTouched)
  );
}

/** A member's key, as sized bytes. */
function memberKey(t: Table, ref: usize): usize {
  if (t.kind === TableKind.Fields)
    return <u32>load<u8>(ref) === TIMED_MARK ? ref + TIMED_BYTES : ref;
  return t.kind === TableKind.Scored ? ref + SCORE_BYTES : ref;
}

export function hashOfRef(t: Table, ref: usize): u64 {
  if (t.kind === TableKind.Entries) return hashOfEntry(entryAt(ref));
  const key = memberKey(t, ref);
  return hashOf(sizedPtr(key), sizedLength(key));
}

function refHasKey(t: Table, ref: usize, key: usize, length: u32): bool {
  if (t.kind === TableKind.Entries) return keyEquals(entryAt(ref), key, length);
  const own = memberKey(t, ref);
  return sizedLength(own) === length && equal(sizedPtr(own), key, length);
}

export function positionOf(hash: u64): u64 {
  return hash >> 16;
}

export function tagOf(hash: u64): u32 {
  const tag = <u32>hash & 255;
  return tag === 0 ? 1 : tag;
}

function directoryCell(t: Table, position: u64): usize {
  return t.directory + ((<usize>(position >> (48 - t.depth))) << 2);
}

/** The directory's word for a position: segment and depth in one. */
export function wordOf(t: Table, position: u64): u32 {
  return load<u32>(directoryCell(t, position));
}

export function wordAt(t: Table, index: u32): u32 {
  return load<u32>(t.directory + ((<usize>index) << 2));
}

export function segmentOf(word: u32): usize {
  return word & ~(SEGMENT_BYTES - 1);
}

export function depthOf(word: u32): u32 {
  return word & (SEGMENT_BYTES - 1);
}

export function bucketIndex(position: u64, depth: u32): u32 {
  return <u32>(position >> (44 - depth)) & 15;
}

export function bucketAt(segment: usize, index: u32): usize {
  return segment + ((<usize>index) << 6);
}

function tagMatches(bucket: usize, tag: u32): u32 {
  const tags = v128.load(bucket);
  return <u32>i8x16.bitmask(i8x16.eq(tags, i8x16.splat(<i8>tag))) & SLOT_MASK;
}

function probe(t: Table, bucket: usize, tag: u32, key: usize, length: u32): usize {
  let matches = tagMatches(bucket, tag);
  while (matches !== 0) {
    const cell = bucket + REFS + ((<usize>ctz(matches)) << 2);
    if (refHasKey(t, load<u32>(cell), key, length)) return cell;
    matches &= matches - 1;
  }
  return 0;
}

/** The cell that holds the key's ref, 0 = not there. O(1): one bucket, two if entries strayed. */
export function findCell(t: Table, hash: u64, key: usize, length: u32): usize {
  const position = positionOf(hash);
  const word = wordOf(t, position);
  const segment = segmentOf(word);
  const index = bucketIndex(position, depthOf(word));
  const home = bucketAt(segment, index);
  const cell = probe(t, home, tagOf(hash), key, length);
  if (cell !== 0 || load<u8>(home, OVERFLOW) === 0) return cell;
  return probe(t, bucketAt(segment, (index + 1) & 15), tagOf(hash), key, length);
}

/** The bucket a hash leads to. O(1) */
export function homeBucket(t: Table, hash: u64): usize {
  const position = positionOf(hash);
  const word = wordOf(t, position);
  return bucketAt(segmentOf(word), bucketIndex(position, depthOf(word)));
}

/** The first ref in a bucket whose tag is the hash's, 0 = none: most often the one that is looked for, or nothing. */
export function taggedRef(bucket: usize, hash: u64): u32 {
  const matches = tagMatches(bucket, tagOf(hash));
  return matches === 0 ? 0 : load<u32>(bucket + REFS + ((<usize>ctz(matches)) << 2));
}

/** Touches what adding or removing a ref in the bucket looks at. @returns bytes of it, to be used for anything */
export function touchBucket(bucket: usize): u32 {
  return load<u32>(bucket) + load<u16>(bucket & ~(<usize>SEGMENT_BYTES - 1), SEGMENT_COUNT);
}

function cellWithRef(bucket: usize, tag: u32, ref: u32): usize {
  let matches = tagMatches(bucket, tag);
  while (matches !== 0) {
    const cell = bucket + REFS + ((<usize>ctz(matches)) << 2);
    if (load<u32>(cell) === ref) return cell;
    matches &= matches - 1;
  }
  return 0;
}

/** The cell of an entry that is in the table. O(1) */
export function cellOfRef(t: Table, hash: u64, ref: u32): usize {
  const position = positionOf(hash);
  const word = wordOf(t, position);
  const segment = segmentOf(word);
  const index = bucketIndex(position, depthOf(word));
  let cell = cellWithRef(bucketAt(segment, index), tagOf(hash), ref);
  if (cell === 0) cell = cellWithRef(bucketAt(segment, (index + 1) & 15), tagOf(hash), ref);
  ensure(cell !== 0, 201, ref);
  return cell;
}

function putIn(bucket: usize, tag: u32, ref: u32): bool {
  const empty = tagMatches(bucket, 0);
  if (empty === 0) return false;
  const slot = ctz(empty);
  store<u8>(bucket + slot, <u8>tag);
  store<u32>(bucket + REFS + ((<usize>slot) << 2), ref);
  return true;
}

/** Puts a ref into its home bucket, or the next one. @returns false = both are full */
function putAt(segment: usize, index: u32, tag: u32, ref: u32): bool {
  const home = bucketAt(segment, index);
  if (!putIn(home, tag, ref)) {
    if (!putIn(bucketAt(segment, (index + 1) & 15), tag, ref)) return false;
    store<u8>(home, load<u8>(home, OVERFLOW) + 1, OVERFLOW);
  }
  store<u16>(segment, load<u16>(segment, SEGMENT_COUNT) + 1, SEGMENT_COUNT);
  return true;
}

function putInSegment(word: u32, hash: u64, ref: u32): bool {
  return putAt(segmentOf(word), bucketIndex(positionOf(hash), depthOf(word)), tagOf(hash), ref);
}

function place(t: Table, hash: u64, ref: u32): void {
  for (;;) {
    const word = wordOf(t, positionOf(hash));
    if (putInSegment(word, hash, ref)) return;
    split(t, word, positionOf(hash));
  }
}

/** Adds a ref whose key is not in the table yet. O(1), at worst one split. Takes from the emergency reserve if it must. */
export function insertRef(t: Table, hash: u64, ref: u32): void {
  place(t, hash, ref);
  t.count += 1;
  t.settledCount = u32.MAX_VALUE;
}

/** Empties a cell. `hash` is that of the entry in it. O(1) */
export function removeCell(t: Table, hash: u64, cell: usize): void {
  const segment = cell & ~(<usize>SEGMENT_BYTES - 1);
  const bucket = cell & ~(<usize>63);
  const home = bucketAt(
    segment,
    bucketIndex(positionOf(hash), depthOf(wordOf(t, positionOf(hash)))),
  );
  if (bucket !== home) store<u8>(home, load<u8>(home, OVERFLOW) - 1, OVERFLOW);
  store<u8>(bucket + ((cell - bucket - REFS) >> 2), 0);
  store<u16>(segment, load<u16>(segment, SEGMENT_COUNT) - 1, SEGMENT_COUNT);
  t.count -= 1;
}

/** Slots of a bucket in use, a bit each. */
export function slotsInUse(bucket: usize): u32 {
  return ~tagMatches(bucket, 0) & SLOT_MASK;
}

/** Collects the refs of a segment at `to`. @returns how many */
function collect(segment: usize, to: usize): u32 {
  let found: u32 = 0;
  for (let index: u32 = 0; index < BUCKETS; index++) {
    const bucket = bucketAt(segment, index);
    for (let slots = slotsInUse(bucket); slots !== 0; slots &= slots - 1) {
      const ref = load<u32>(bucket + REFS + ((<usize>ctz(slots)) << 2));
      store<u32>(to + ((<usize>found) << 2), ref);
      found += 1;
    }
  }
  return found;
}

/** Touches the keys of refs that are collected: they lie anywhere, and the processor waits for all of them at once. */
function touchKeys(refs: usize, count: u32): void {
  let touched: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const ref: usize = load<u32>(refs + ((<usize>i) << 2));
    touched += <u32>load<u8>(ref) + <u32>load<u8>(ref, KEY_REACH);
  }
  state.touched = touched;
}

function pointDirectory(t: Table, position: u64, depth: u32, segment: usize): void {
  const shift = t.depth - depth;
  const first = ((<usize>(position >> (48 - depth))) << shift) << 2;
  const end = first + ((<usize>4) << shift);
  for (let at = first; at < end; at += 4) store<u32>(t.directory + at, <u32>segment | depth);
}

function split(t: Table, word: u32, position: u64): void {
  const segment = segmentOf(word);
  const depth = depthOf(word);
  ensure(depth < DEEPEST, 202, depth);
  if (depth === t.depth) doubleDirectory(t);
  else touchAhead(t);
  // A child may have to be split again while it is filled: each depth has a buffer of its own.
  const refs: usize = Address.Scratch + ScratchArea.Split + ((<usize>depth) << 10);
  const found = collect(segment, refs);
  touchKeys(refs, found);
  memory.fill(segment, 0, SEGMENT_BYTES);
  const upper = newSegment(true);
  addDepth(t, depth, -1);
  addDepth(t, depth + 1, 2);
  t.segments += 1;
  const upperBit = (<u64>1) << (47 - depth);
  pointDirectory(t, position & ~upperBit, depth + 1, segment);
  pointDirectory(t, position | upperBit, depth + 1, upper);
  for (let i: u32 = 0; i < found; i++) {
    const ref = load<u32>(refs + ((<usize>i) << 2));
    place(t, hashOfRef(t, ref), ref);
  }
}

function doubleDirectory(t: Table): void {
  const cells: usize = (<usize>1) << t.depth;
  let directory: usize = t.ahead;
  if (directory === 0) directory = allocReserved(<u32>(cells << 3));
  t.ahead = 0;
  t.aheadTouched = 0;
  for (let i: usize = 0; i < cells; i++) {
    const word = <u64>load<u32>(t.directory + (i << 2));
    store<u64>(directory + (i << 3), word | (word << 32));
  }
  free(t.directory);
  t.directory = <u32>directory;
  t.depth += 1;
}

/** Reserves the next directory and touches a piece of it, so that doubling copies into memory that is there. */
function touchAhead(t: Table): void {
  if (t.depth < AHEAD_DEPTH) return;
  const bytes: u32 = 8 << t.depth;
  if (t.ahead === 0) {
    t.ahead = <u32>alloc(bytes);
    t.aheadTouched = 0;
    if (t.ahead === 0) return;
  }
  if (t.aheadTouched >= bytes) return;
  store<u64>(t.ahead + t.aheadTouched, 0);
  t.aheadTouched += AHEAD_STEP;
}

/** Merges the segment of directory cell `index` with its buddy if both are sparse. @returns whether it did */
function mergeAt(t: Table, index: u32): bool {
  const depth = depthOf(wordAt(t, index));
  if (depth === 0) return false;
  const segment = segmentOf(wordAt(t, index));
  const own = <u32>load<u16>(segment, SEGMENT_COUNT);
  if (own > MERGE_MOST) return false;
  const buddyWord = wordAt(t, index ^ (1 << (t.depth - depth)));
  const buddy = segmentOf(buddyWord);
  if (buddy === segment || depthOf(buddyWord) !== depth) return false;
  if (own + load<u16>(buddy, SEGMENT_COUNT) > MERGE_MOST) return false;
  const merged = newSegment(false);
  if (merged === 0) return false;
  // The upper of the two has the last bit of their prefix set, which is the first of the merged one's bucket bits.
  const first: u32 = (index >> (t.depth - depth)) & 1 ? BUCKETS >> 1 : 0;
  const isPlaced =
    refill(t, merged, first, segment, depth) &&
    refill(t, merged, (BUCKETS >> 1) - first, buddy, depth);
  if (!isPlaced) {
    free(merged);
    return false;
  }
  const position = (<u64>index) << (48 - t.depth);
  pointDirectory(t, position, depth - 1, merged);
  free(segment);
  free(buddy);
  addDepth(t, depth, -2);
  addDepth(t, depth - 1, 1);
  t.segments -= 1;
  return true;
}

/**
 * Adds all of a segment of a depth to one that is half as deep, from bucket `first` on; two neighbouring full buckets may refuse it.
 * Where nothing has strayed the old bucket says what the new one is, and no key is looked at.
 */
function refill(t: Table, to: usize, first: u32, from: usize, depth: u32): bool {
  for (let index: u32 = 0; index < BUCKETS; index++) {
    const bucket = bucketAt(from, index);
    const isMixed = load<u8>(bucketAt(from, (index - 1) & 15), OVERFLOW) > 0;
    for (let slots = slotsInUse(bucket); slots !== 0; slots &= slots - 1) {
      const slot: usize = ctz(slots);
      const ref = load<u32>(bucket + REFS + (slot << 2));
      const home = isMixed ? bucketIndex(positionOf(hashOfRef(t, ref)), depth) : index;
      if (!putAt(to, first + (home >> 1), load<u8>(bucket + slot), ref)) return false;
    }
  }
  return true;
}

/** Merges from directory cell `index` on, one segment. @returns the cell to go on with */
export function mergeStep(t: Table, index: u32): u32 {
  const depth = depthOf(wordAt(t, index));
  if (mergeAt(t, index)) return index & ~((1 << (t.depth - depth + 1)) - 1);
  return index + (1 << (t.depth - depth));
}

/**
 * After a removal from a collection's table: merges the segment of the hash with its buddy if both are sparse, or were a few removals
 * ago. At most one segment's refs are placed anew, and not again before as many were removed.
 */
export function mergeAfterRemoval(t: Table, hash: u64): void {
  if (t.depth === 0) return;
  const index = <u32>(positionOf(hash) >> (48 - t.depth));
  if (load<u16>(segmentAt(t, index), SEGMENT_COUNT) % MERGE_EACH !== 0) return;
  if (mergeAt(t, index & ~(segmentSpan(t, index) - 1))) halveDirectory(t);
}

/** Halves the directory while no segment needs its last bit. */
export function halveDirectory(t: Table): void {
  while (t.depth > 0 && load<u32>(depthCount(t, t.depth)) === 0) {
    const cells: usize = (<usize>1) << (t.depth - 1);
    const directory = alloc(<u32>(cells << 2));
    if (directory === 0) return;
    for (let i: usize = 0; i < cells; i++)
      store<u32>(directory + (i << 2), load<u32>(t.directory + (i << 3)));
    dropAhead(t);
    free(t.directory);
    t.directory = <u32>directory;
    t.depth -= 1;
  }
}

function dropAhead(t: Table): void {
  if (t.ahead !== 0) free(t.ahead);
  t.ahead = 0;
  t.aheadTouched = 0;
}

/** Directory cells that share the segment of cell `index`, counted from it on. */
export function segmentSpan(t: Table, index: u32): u32 {
  return 1 << (t.depth - depthOf(wordAt(t, index)));
}

export function directoryCells(t: Table): u32 {
  return 1 << t.depth;
}

/** Collects the refs of the segment at directory cell `index`. @returns how many lie at Address.Scratch + Split */
export function collectSegment(t: Table, index: u32): u32 {
  return collectSegmentTo(t, index, Address.Scratch + ScratchArea.Split);
}

/** The same at a place of the caller's, of 1 KiB: the members of a value while its key's segment is collected. */
export function collectSegmentTo(t: Table, index: u32, to: usize): u32 {
  return collect(segmentAt(t, index), to);
}

/** Moves the segment of cell `index` to a block elsewhere. */
export function moveSegment(t: Table, index: u32): bool {
  const segment = segmentAt(t, index);
  const moved = alloc(SEGMENT_BYTES);
  if (moved === 0) return false;
  memory.copy(moved, segment, SEGMENT_BYTES);
  pointDirectory(t, (<u64>index) << (48 - t.depth), depthOf(wordAt(t, index)), moved);
  free(segment);
  return true;
}

/** Moves the directory out of a page that is being emptied. @returns 1 if it moved */
export function moveDirectory(t: Table): u32 {
  if (!isEvacuated(t.directory)) return 0;
  const bytes = directoryCells(t) << 2;
  const moved = alloc(bytes);
  if (moved === 0) return 0;
  memory.copy(moved, t.directory, bytes);
  free(t.directory);
  t.directory = <u32>moved;
  return 1;
}

/** Writes another address into the cell of a ref in the segment of directory cell `index`. */
export function replaceRef(t: Table, index: u32, ref: u32, by: u32): void {
  const segment = segmentAt(t, index);
  for (let b: u32 = 0; b < BUCKETS; b++) {
    const bucket = bucketAt(segment, b);
    for (let slot: u32 = 0; slot < <u32>BUCKET_SLOTS; slot++) {
      const cell = bucket + REFS + ((<usize>slot) << 2);
      if (load<u8>(bucket + slot) === 0 || load<u32>(cell) !== ref) continue;
      store<u32>(cell, by);
      return;
    }
  }
  ensure(false, 204, ref);
}

export function segmentAt(t: Table, index: u32): usize {
  return segmentOf(wordAt(t, index));
}

/** Forgets all refs of a segment, whose members the caller frees. */
export function emptySegment(t: Table, index: u32): void {
  const segment = segmentAt(t, index);
  t.count -= <u32>load<u16>(segment, SEGMENT_COUNT);
  memory.fill(segment, 0, SEGMENT_BYTES);
}

/** Frees an emptied segment of a table that is being dismantled. */
export function freeSegment(t: Table, index: u32): void {
  free(segmentAt(t, index));
  t.segments -= 1;
}

export function closeTable(t: Table): void {
  dropAhead(t);
  free(t.directory);
  t.state = TableState.Unused;
}
