/**
 * The deadlines of a hash's fields, as far as they concern the hash as a whole. A hash some fields of which have a deadline has the flag
 * FieldDeadlines, and its value word leads to this block, which leads to the fields and hangs in the expiry wheel at the earliest of the
 * deadlines. Other hashes know nothing of it.
 *
 *   0 wheelNext |4 wheelPrev |8 u64 earliest deadline |16 entry |20 value |24 root of the order |28 fields with a deadline
 */
import { Entry, EntryFlag, hasFieldDeadlines, refOf } from "../keyspace/entry";
import { cutNode, hangNode, relinkNode } from "../keyspace/wheel";
import { alloc, free } from "../memory/allocator";

@final
@unmanaged
export class Timing {
  wheelNext: u32; // 0 = it does not hang
  wheelPrev: u32;
  deadline: u64; // 0 = no field has one at present
  entry: u32; // whose it is, 0 = of one that is in no table
  value: u32; // packed sequence of (field, value, deadline), or Table
  root: u32; // of the order of a table's fields
  fields: u32;
}

const TIMING_BYTES: u32 = 32;
if (offsetof<Timing>() !== <usize>TIMING_BYTES) ERROR("Timing and its diagram disagree");
if (offsetof<Timing>("deadline") !== 8) ERROR("the wheel reads a deadline behind the links");

export function timingOf(entry: Entry): Timing {
  return changetype<Timing>(<usize>entry.value);
}

/** Address of the word that leads to the value of a hash: its own word, or its timing's. */
export function valueSlot(entry: Entry): usize {
  return hasFieldDeadlines(entry)
    ? <usize>entry.value + offsetof<Timing>("value")
    : changetype<usize>(entry) + offsetof<Entry>("value");
}

export function rootSlot(timing: Timing): usize {
  return changetype<usize>(timing) + offsetof<Timing>("root");
}

/** A block for an entry's fields, none of which has a deadline yet. @returns null = no memory */
export function newTiming(): Timing | null {
  const block = alloc(TIMING_BYTES);
  if (block === 0) return null;
  memory.fill(block, 0, TIMING_BYTES);
  return changetype<Timing>(block);
}

/** Puts the block between the entry, which has none, and its value. */
export function attachTiming(entry: Entry, timing: Timing, isStored: bool): void {
  timing.value = entry.value;
  timing.entry = isStored ? refOf(entry) : 0;
  entry.value = <u32>changetype<usize>(timing);
  entry.meta |= (<u32>EntryFlag.FieldDeadlines) << 8;
}

/** Frees the block; the entry leads to its value itself. */
export function detachTiming(entry: Entry): void {
  const timing = timingOf(entry);
  unhangFields(entry);
  entry.value = timing.value;
  entry.meta &= ~((<u32>EntryFlag.FieldDeadlines) << 8);
  free(changetype<usize>(timing));
}

/** Notes the earliest deadline, and hangs the block there if its entry is one of a database. */
export function setEarliest(timing: Timing, deadline: u64): void {
  if (timing.deadline === deadline && timing.wheelNext !== 0) return;
  const node = changetype<usize>(timing);
  if (timing.wheelNext !== 0) cutNode(node);
  timing.deadline = deadline;
  if (deadline !== 0 && timing.entry !== 0) hangNode(node, deadline);
}

/** The entry, some fields of which have a deadline, has become one of a database. */
export function hangFields(entry: Entry): void {
  const timing = timingOf(entry);
  timing.entry = refOf(entry);
  setEarliest(timing, timing.deadline);
}

/** The entry has just got a value that was built aside, with this block. */
export function adoptFields(entry: Entry): void {
  entry.meta |= (<u32>EntryFlag.FieldDeadlines) << 8;
  hangFields(entry);
}

/** It is none any more. */
export function unhangFields(entry: Entry): void {
  const timing = timingOf(entry);
  if (timing.wheelNext !== 0) cutNode(changetype<usize>(timing));
  timing.entry = 0;
}

/** The entry's block has moved. */
export function followEntry(entry: Entry): void {
  if (timingOf(entry).entry !== 0) timingOf(entry).entry = refOf(entry);
}

/** The timing's own block has moved to where the entry leads now. */
export function followTiming(entry: Entry): void {
  if (timingOf(entry).wheelNext !== 0) relinkNode(entry.value);
}
