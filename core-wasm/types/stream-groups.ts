/**
 * Consumer groups of a stream: what was delivered and not acknowledged is one block in two trees, the group's and its consumer's.
 *
 *   group: 0 ms, seq of the id delivered last |16 i64 entries read, -1 = not known |24 tree of pending entries |36 consumers |40 asked |44 name
 *   consumer: 0 i64 seen |8 i64 active, -1 = never |16 tree of pending entries |32 name
 *   pending entry: 0 ms, seq |16 i64 delivered |24 i64 deliveries |32 consumer
 */
import { alloc, free } from "../memory/allocator";
import { sizedLength, sizedPtr, sizedTotal, writeSized } from "../memory/sized";
import { ensure } from "../state";
import {
  IdTree,
  msOf,
  seqOf,
  treeAfter,
  treeFind,
  treeFirst,
  treeInsert,
  treePop,
  treeRemove,
} from "./id-tree";
import { findNamed, insertNamed, nameCount, namedAt, removeNamed, reserveName } from "./names";
import { compareIds, freeNode, nodesOf, Stream } from "./stream";

@final
@unmanaged
export class Group {
  lastMs: u64;
  lastSeq: u64;
  entriesRead: i64;
  pending: u32; // an IdTree: see `pendingOf`
  pendingLevels: u32;
  pendingCount: u32;
  consumers: u32; // names
  asked: u32; // how often XREADGROUP asks for what is new, while it runs
}

@final
@unmanaged
export class Consumer {
  seenMs: i64;
  activeMs: i64;
  pending: u32; // an IdTree: see `pendingOfConsumer`
  pendingLevels: u32;
  pendingCount: u32;
}

@final
@unmanaged
export class Pending {
  ms: u64;
  seq: u64;
  deliveredMs: i64;
  deliveries: i64;
  consumer: u32;
}

export const ENTRIES_READ_UNKNOWN: i64 = -1;
export const NEVER_ACTIVE: i64 = -1;
export const GROUP_NAME: usize = 44;
export const CONSUMER_NAME: usize = 32;
export const PENDING_BYTES: u32 = 40;
// The class is padded to 8 bytes, the name is not.
if (offsetof<Group>("asked") + 4 !== GROUP_NAME) ERROR("GROUP_NAME");

export function pendingOf(group: Group): IdTree {
  return changetype<IdTree>(changetype<usize>(group) + offsetof<Group>("pending"));
}

export function pendingOfConsumer(consumer: Consumer): IdTree {
  return changetype<IdTree>(changetype<usize>(consumer) + offsetof<Consumer>("pending"));
}

export function consumerOf(pending: Pending): Consumer {
  return changetype<Consumer>(<usize>pending.consumer);
}

export function pendingAt(block: usize): Pending {
  return changetype<Pending>(block);
}

/** A block that begins with `headBytes` zeros and ends with a name. @returns 0 = no memory */
function newNamed(headBytes: usize, ptr: usize, length: u32): usize {
  const block = alloc(<u32>headBytes + sizedTotal(length));
  if (block === 0) return 0;
  memory.fill(block, 0, headBytes);
  writeSized(block + headBytes, ptr, length);
  return block;
}

// ---- groups

export function groupCount(s: Stream): u32 {
  return nameCount(s.groups);
}

/** The group at an index in the order of names. */
export function groupAt(s: Stream, index: u32): Group {
  return changetype<Group>(namedAt(s.groups, index));
}

/** O(log groups) */
export function findGroup(s: Stream, ptr: usize, length: u32): Group | null {
  return changetype<Group | null>(findNamed(s.groups, GROUP_NAME, ptr, length));
}

export function groupName(group: Group): usize {
  return changetype<usize>(group) + GROUP_NAME;
}

/** Makes a group, of a name that is new. @returns null = no memory, nothing changed */
export function addGroup(s: Stream, ptr: usize, length: u32): Group | null {
  const names = reserveName(s.groups);
  if (names === 0) return null;
  s.groups = <u32>names;
  const group = newNamed(GROUP_NAME, ptr, length);
  if (group === 0) {
    if (nameCount(names) === 0) {
      free(names);
      s.groups = 0;
    }
    return null;
  }
  insertNamed(names, GROUP_NAME, group);
  return changetype<Group>(group);
}

/** Takes a group out of its stream; it is the caller's to free. */
export function takeGroup(s: Stream, group: Group): void {
  s.groups = <u32>removeNamed(s.groups, GROUP_NAME, changetype<usize>(group));
}

/** Frees blocks of a group that is out of its stream. @returns whether more is left; the group itself is the last */
export function freeGroupPart(group: Group): bool {
  const pending = treePop(pendingOf(group));
  if (pending !== 0) {
    free(pending);
    return true;
  }
  const count = nameCount(group.consumers);
  if (count > 0) {
    const consumer = changetype<Consumer>(namedAt(group.consumers, count - 1));
    // What the tree leads to is freed: it is emptied node by node, and nothing there is read.
    if (treePop(pendingOfConsumer(consumer)) !== 0) return true;
    group.consumers = <u32>removeNamed(group.consumers, CONSUMER_NAME, changetype<usize>(consumer));
    free(changetype<usize>(consumer));
    return true;
  }
  free(changetype<usize>(group));
  return false;
}

/** Frees a block or two of a stream that no key has any more. @returns whether more is left; the stream's own is the last */
export function freeStreamPart(s: Stream): bool {
  const node = treePop(nodesOf(s));
  if (node !== 0) {
    freeNode(node);
    return true;
  }
  const groups = groupCount(s);
  if (groups > 0) {
    const group = groupAt(s, groups - 1);
    // The row of names reads the group: it is taken out before the group itself goes.
    if (group.pendingCount === 0 && consumerCount(group) === 0) takeGroup(s, group);
    freeGroupPart(group);
    return true;
  }
  free(changetype<usize>(s));
  return false;
}

/** Whether freeing the group is more than some blocks. */
export function isLargeGroup(group: Group): bool {
  return group.pendingCount + nameCount(group.consumers) > 32;
}

// ---- consumers

export function consumerCount(group: Group): u32 {
  return nameCount(group.consumers);
}

export function consumerAt(group: Group, index: u32): Consumer {
  return changetype<Consumer>(namedAt(group.consumers, index));
}

/** O(log consumers) */
export function findConsumer(group: Group, ptr: usize, length: u32): Consumer | null {
  return changetype<Consumer | null>(findNamed(group.consumers, CONSUMER_NAME, ptr, length));
}

export function consumerName(consumer: Consumer): usize {
  return changetype<usize>(consumer) + CONSUMER_NAME;
}

/** Makes a consumer, of a name that is new, seen now. @returns null = no memory, nothing changed */
export function addConsumer(group: Group, ptr: usize, length: u32, nowMs: i64): Consumer | null {
  const names = reserveName(group.consumers);
  if (names === 0) return null;
  group.consumers = <u32>names;
  const block = newNamed(CONSUMER_NAME, ptr, length);
  if (block === 0) {
    if (nameCount(names) === 0) {
      free(names);
      group.consumers = 0;
    }
    return null;
  }
  const consumer = changetype<Consumer>(block);
  consumer.seenMs = nowMs;
  consumer.activeMs = NEVER_ACTIVE;
  insertNamed(names, CONSUMER_NAME, block);
  return consumer;
}

/** Deletes a consumer with what is pending of it. O(pending * log) */
export function removeConsumer(group: Group, consumer: Consumer): void {
  const own = pendingOfConsumer(consumer);
  for (let block = treePop(own); block !== 0; block = treePop(own)) {
    treeRemove(pendingOf(group), msOf(block), seqOf(block));
    free(block);
  }
  group.consumers = <u32>removeNamed(group.consumers, CONSUMER_NAME, changetype<usize>(consumer));
  free(changetype<usize>(consumer));
}

// ---- pending entries

/** The pending entry of an id, or null. O(log pending) */
export function findPending(group: Group, ms: u64, seq: u64): Pending | null {
  return changetype<Pending | null>(treeFind(pendingOf(group), ms, seq));
}

/** Lays a pending entry, of an id that is not pending, into a block and both trees. O(log pending) */
export function layPending(
  group: Group,
  consumer: Consumer,
  block: usize,
  ms: u64,
  seq: u64,
): Pending {
  const pending = changetype<Pending>(block);
  pending.ms = ms;
  pending.seq = seq;
  pending.deliveredMs = 0;
  pending.deliveries = 0;
  pending.consumer = <u32>changetype<usize>(consumer);
  treeInsert(pendingOf(group), block);
  treeInsert(pendingOfConsumer(consumer), block);
  return pending;
}

/** Gives a pending entry to a consumer. O(log pending) */
export function givePending(pending: Pending, consumer: Consumer): void {
  const to = <u32>changetype<usize>(consumer);
  if (pending.consumer === to) return;
  treeRemove(pendingOfConsumer(consumerOf(pending)), pending.ms, pending.seq);
  treeInsert(pendingOfConsumer(consumer), changetype<usize>(pending));
  pending.consumer = to;
}

/** Takes a pending entry out of both trees and frees it. O(log pending) */
export function removePending(group: Group, pending: Pending): void {
  const block = changetype<usize>(pending);
  const removed = treeRemove(pendingOf(group), pending.ms, pending.seq);
  const own = treeRemove(pendingOfConsumer(consumerOf(pending)), pending.ms, pending.seq);
  ensure(removed === block && own === block, 812, <u32>block);
  free(block);
}

// ---- how far a group is

function isZero(ms: u64, seq: u64): bool {
  return (ms | seq) === 0;
}

/** Whether an entry was deleted by its id at or behind an id, and may still be missed among those that are there. */
export function hasHoles(s: Stream, ms: u64, seq: u64): bool {
  if (s.length === 0 || isZero(s.deletedMs, s.deletedSeq)) return false;
  if (compareIds(s.firstMs, s.firstSeq, s.deletedMs, s.deletedSeq) > 0) return false;
  return compareIds(ms, seq, s.deletedMs, s.deletedSeq) <= 0;
}

/** Entries added up to an id, as far as the ends of the stream tell; ENTRIES_READ_UNKNOWN where they do not. */
export function addedUpTo(s: Stream, ms: u64, seq: u64): i64 {
  if (s.added === 0) return 0;
  const fromLast = compareIds(ms, seq, s.lastMs, s.lastSeq);
  if (fromLast === 0 || (s.length === 0 && fromLast < 0)) return <i64>s.added;
  if (fromLast > 0) return ENTRIES_READ_UNKNOWN;
  const isWhole =
    isZero(s.deletedMs, s.deletedSeq) ||
    compareIds(s.deletedMs, s.deletedSeq, s.firstMs, s.firstSeq) < 0;
  if (!isWhole) return ENTRIES_READ_UNKNOWN;
  const fromFirst = compareIds(ms, seq, s.firstMs, s.firstSeq);
  if (fromFirst > 0) return ENTRIES_READ_UNKNOWN;
  return <i64>(s.added - s.length) + (fromFirst === 0 ? 1 : 0);
}

/** Moves a group on to an entry that it has not delivered yet. */
export function advanceGroup(s: Stream, group: Group, ms: u64, seq: u64): void {
  if (group.entriesRead !== ENTRIES_READ_UNKNOWN && !hasHoles(s, ms, seq)) group.entriesRead += 1;
  else if (s.added !== 0) group.entriesRead = addedUpTo(s, ms, seq);
  group.lastMs = ms;
  group.lastSeq = seq;
}

/** Entries that a group has still to deliver; i64.MIN_VALUE = not known. */
export function groupLag(s: Stream, group: Group): i64 {
  if (s.added === 0) return 0;
  if (group.entriesRead !== ENTRIES_READ_UNKNOWN && !hasHoles(s, group.lastMs, group.lastSeq))
    return <i64>s.added - group.entriesRead;
  const read = addedUpTo(s, group.lastMs, group.lastSeq);
  return read === ENTRIES_READ_UNKNOWN ? i64.MIN_VALUE : <i64>s.added - read;
}

// ---- checking

/** Asserts that both trees tell the same. O(pending * log) */
export function checkGroup(group: Group): u32 {
  let owned: u32 = 0;
  for (let i: u32 = 0; i < nameCount(group.consumers); i++)
    owned += consumerAt(group, i).pendingCount;
  ensure(owned === group.pendingCount, 820, owned);
  let block = treeFirst(pendingOf(group));
  for (; block !== 0; block = treeAfter(pendingOf(group), msOf(block), seqOf(block))) {
    const pending = changetype<Pending>(block);
    const own = pendingOfConsumer(consumerOf(pending));
    ensure(treeFind(own, pending.ms, pending.seq) === block, 821, <u32>block);
    const name = consumerName(consumerOf(pending));
    ensure(
      findNamed(group.consumers, CONSUMER_NAME, sizedPtr(name), sizedLength(name)) ===
        <usize>pending.consumer,
      822,
      pending.consumer,
    );
  }
  return owned;
}
