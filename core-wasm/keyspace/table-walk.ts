/** Tables gone through: steps of a walk that survives every regrouping, refs one after another, draws; figures and checks. */
import { Address } from "../abi";
import { ensure, random64, ScratchArea, state } from "../state";
import { BUCKET_SLOTS } from "../tuning";
import {
  BUCKETS,
  bucketAt,
  bucketIndex,
  DEEPEST,
  depthCount,
  depthOf,
  directoryCells,
  hashOfRef,
  OVERFLOW,
  POSITION_END,
  positionOf,
  REFS,
  SEGMENT_COUNT,
  segmentAt,
  segmentOf,
  segmentSpan,
  slotsInUse,
  Table,
  tagOf,
  wordAt,
  wordOf,
} from "./table";

/**
 * One step of the walk: collects the refs in [position, end of its bucket's interval) at Address.Scratch + Step, their
 * number in State.stepCount. @returns where the next step begins; POSITION_END = the walk is over. O(1)
 */
export function walkStep(t: Table, position: u64): u64 {
  const word = wordOf(t, position);
  const segment = segmentOf(word);
  const depth = depthOf(word);
  const width = (<u64>1) << (44 - depth);
  const high = (position & ~(width - 1)) + width;
  const index = bucketIndex(position, depth);
  const home = bucketAt(segment, index);
  state.stepCount = 0;
  stepBucket(t, home, position, high);
  if (load<u8>(home, OVERFLOW) > 0)
    stepBucket(t, bucketAt(segment, (index + 1) & 15), position, high);
  return high;
}

function stepBucket(t: Table, bucket: usize, low: u64, high: u64): void {
  for (let slot: u32 = 0; slot < <u32>BUCKET_SLOTS; slot++) {
    if (load<u8>(bucket + slot) === 0) continue;
    const ref = load<u32>(bucket + REFS + ((<usize>slot) << 2));
    const at = positionOf(hashOfRef(t, ref));
    if (at < low || at >= high) continue;
    store<u32>(Address.Scratch + ScratchArea.Step + ((<usize>state.stepCount) << 2), ref);
    state.stepCount += 1;
  }
}

/** Writes at `to`: entries that strayed, then how many buckets hold none, one, and so on to twelve. O(segments) */
export function bucketFigures(t: Table, to: usize): void {
  memory.fill(to, 0, 4 * (1 + 13));
  for (let index: u32 = 0; index < directoryCells(t); index += segmentSpan(t, index)) {
    const segment = segmentAt(t, index);
    for (let b: u32 = 0; b < BUCKETS; b++) {
      const bucket = bucketAt(segment, b);
      store<u32>(to, load<u32>(to) + load<u8>(bucket, OVERFLOW));
      const cell = to + 4 + ((<usize>popcnt(slotsInUse(bucket))) << 2);
      store<u32>(cell, load<u32>(cell) + 1);
    }
  }
}

const CELLS: u32 = 256;

/**
 * The refs of a table that does not change meanwhile, one after another, without any scratch: `cursor` begins at 0. State.walkPosition is
 * the cursor of the next. @returns 0 = there are no more
 */
export function nextRef(t: Table, cursor: u64): u32 {
  let index = <u32>(cursor >> 8);
  let cell = <u32>cursor & (CELLS - 1);
  while (index < directoryCells(t)) {
    const segment = segmentAt(t, index);
    for (; cell < CELLS; cell++) {
      const slot = cell & 15;
      const bucket = bucketAt(segment, cell >> 4);
      if (slot >= <u32>BUCKET_SLOTS || load<u8>(bucket + slot) === 0) continue;
      state.walkPosition = ((<u64>index) << 8) + cell + 1;
      // The carry of the last cell would lead into a segment's own span.
      if (cell === CELLS - 1) state.walkPosition = (<u64>(index + segmentSpan(t, index))) << 8;
      return load<u32>(bucket + REFS + ((<usize>slot) << 2));
    }
    cell = 0;
    index += segmentSpan(t, index);
  }
  return 0;
}

/** Draws before a nearly empty table is walked instead. */
const RANDOM_DRAWS: u32 = 4096;

/** A ref drawn evenly from a table that has some. O(1) where the table is filled as it should be */
export function randomRef(t: Table): u32 {
  for (let draws: u32 = 0; draws < RANDOM_DRAWS; draws++) {
    const bits = random64();
    const index = <u32>(bits >> 32) & (directoryCells(t) - 1);
    // A segment is met as often as it has cells: all but one of them are passed over.
    if ((index & (segmentSpan(t, index) - 1)) !== 0) continue;
    const bucket = bucketAt(segmentAt(t, index), <u32>bits & 15);
    const slot = (<u32>bits >> 8) % <u32>BUCKET_SLOTS;
    if (load<u8>(bucket + slot) !== 0) return load<u32>(bucket + REFS + ((<usize>slot) << 2));
  }
  let position = random64() >> 16;
  do {
    position = walkStep(t, position);
    if (position >= POSITION_END) position = 0;
  } while (state.stepCount === 0);
  return load<u32>(Address.Scratch + ScratchArea.Step);
}

/** Asserts directory, depths, counters, tags and the place of every entry. O(entries) */
export function checkTable(t: Table): void {
  const cells: u32 = 1 << t.depth;
  let entries: u32 = 0;
  let segments: u32 = 0;
  let index: u32 = 0;
  while (index < cells) {
    const word = wordAt(t, index);
    const depth = depthOf(word);
    ensure(depth <= t.depth, 210, depth);
    const span: u32 = 1 << (t.depth - depth);
    ensure((index & (span - 1)) === 0, 211, index);
    for (let i: u32 = 0; i < span; i++) ensure(wordAt(t, index + i) === word, 212, index);
    entries += checkSegment(t, word, index);
    segments += 1;
    index += span;
  }
  ensure(entries === t.count, 213, entries);
  ensure(segments === t.segments, 214, segments);
  let counted: u32 = 0;
  for (let depth: u32 = 0; depth <= DEEPEST; depth++) {
    const here = load<u32>(depthCount(t, depth));
    ensure(here === 0 || depth <= t.depth, 215, depth);
    counted += here;
  }
  ensure(counted === segments, 216, counted);
}

function checkSegment(t: Table, word: u32, index: u32): u32 {
  const segment = segmentOf(word);
  const depth = depthOf(word);
  let entries: u32 = 0;
  let strayed: u32 = 0;
  let overflow: u32 = 0;
  for (let b: u32 = 0; b < BUCKETS; b++) {
    const bucket = bucketAt(segment, b);
    overflow += load<u8>(bucket, OVERFLOW);
    for (let slot: u32 = 0; slot < <u32>BUCKET_SLOTS; slot++) {
      const tag = <u32>load<u8>(bucket + slot);
      if (tag === 0) continue;
      const hash = hashOfRef(t, load<u32>(bucket + REFS + ((<usize>slot) << 2)));
      ensure(tag === tagOf(hash), 220, tag);
      const position = positionOf(hash);
      ensure(<u32>(position >> (48 - depth)) === index >> (t.depth - depth), 221, index);
      const home = bucketIndex(position, depth);
      ensure(b === home || b === ((home + 1) & 15), 222, b);
      if (b !== home) strayed += 1;
      entries += 1;
    }
  }
  ensure(strayed === overflow, 223, strayed);
  ensure(entries === load<u16>(segment, SEGMENT_COUNT), 224, entries);
  return entries;
}
