/** Streams as values of keys: freed, copied, weighed, digested, checked. */
import { Address } from "../abi";
import { Entry } from "../keyspace/entry";
import { alloc, free, usableBytes } from "../memory/allocator";
import { sha1Add } from "../memory/sha1";
import { sizedEnd, sizedLength, sizedPtr } from "../memory/sized";
import { ensure, ScratchArea, state } from "../state";
import { discard, GarbageKind } from "./garbage";
import {
  checkTree,
  isBelow,
  msOf,
  seqOf,
  treeAfter,
  treeBytes,
  treeFirst,
  treeInsert,
} from "./id-tree";
import { nameCount } from "./names";
import { checkPacked, copyPacked, packedBytes, readElementText } from "./packed";
import { savedLengthBytes } from "./saved";
import {
  beginAllEntries,
  deadEntries,
  entryFields,
  entryMs,
  entrySeq,
  liveEntries,
  newStream,
  nextEntry,
  nodesOf,
  packedOf,
  Stream,
  setPacked,
  streamOf,
  takeField,
  takeValue,
} from "./stream";
import {
  addConsumer,
  addGroup,
  Consumer,
  checkGroup,
  consumerAt,
  consumerCount,
  consumerName,
  freeGroupPart,
  freeStreamPart,
  Group,
  groupAt,
  groupCount,
  groupName,
  isLargeGroup,
  layPending,
  PENDING_BYTES,
  pendingAt,
  pendingOf,
  pendingOfConsumer,
} from "./stream-groups";

/** Streams of at most so many nodes and groups are freed at once. */
const FREE_AT_ONCE: u32 = 32;
const NUMBERS: usize = Address.Scratch + ScratchArea.StreamIds;
/** What a dump needs beside entries and names: ids, counts, times of about nine bytes each. */
const SAVED_STREAM_BYTES: u64 = 64;
const SAVED_GROUP_BYTES: u64 = 32;
const SAVED_CONSUMER_BYTES: u64 = 18;
const SAVED_PENDING_BYTES: u64 = 16 + 8 + 1 + 16;

// ---- freeing

function freeWhole(s: Stream): void {
  while (freeStreamPart(s));
}

/** A large one is left to be freed in slices. */
export function freeStream(entry: Entry): void {
  const s = streamOf(entry);
  let isLarge = s.nodeCount + groupCount(s) > FREE_AT_ONCE;
  for (let i: u32 = 0; i < groupCount(s) && !isLarge; i++) isLarge = isLargeGroup(groupAt(s, i));
  if (isLarge) discard(GarbageKind.Stream, entry.value);
  else freeWhole(s);
}

/** Frees a group that is out of its stream, a large one in slices. */
export function freeGroup(group: Group): void {
  if (isLargeGroup(group)) return discard(GarbageKind.StreamGroup, changetype<usize>(group));
  while (freeGroupPart(group));
}

// ---- copying

/** Gives the entry, which shares its value with another one, a value of its own. @returns false = no memory. O(n) */
export function copyStream(entry: Entry): bool {
  const s = streamOf(entry);
  const copy = newStream();
  if (copy === null) return false;
  copy.lastMs = s.lastMs;
  copy.lastSeq = s.lastSeq;
  copy.firstMs = s.firstMs;
  copy.firstSeq = s.firstSeq;
  copy.deletedMs = s.deletedMs;
  copy.deletedSeq = s.deletedSeq;
  copy.added = s.added;
  copy.length = s.length;
  if (!copyNodes(s, copy) || !copyGroups(s, copy)) {
    freeWhole(copy);
    return false;
  }
  entry.value = <u32>changetype<usize>(copy);
  return true;
}

function copyNodes(s: Stream, copy: Stream): bool {
  const nodes = nodesOf(s);
  for (let node = treeFirst(nodes); node !== 0; node = treeAfter(nodes, msOf(node), seqOf(node))) {
    const bytes = usableBytes(node);
    const laid = alloc(bytes);
    if (laid === 0) return false;
    const packed = copyPacked(packedOf(node));
    if (packed === 0) {
      free(laid);
      return false;
    }
    memory.copy(laid, node, bytes);
    setPacked(laid, packed);
    treeInsert(nodesOf(copy), laid);
  }
  return true;
}

function copyGroups(s: Stream, copy: Stream): bool {
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const group = groupAt(s, i);
    const name = groupName(group);
    const laid = addGroup(copy, sizedPtr(name), sizedLength(name));
    if (laid === null) return false;
    laid.lastMs = group.lastMs;
    laid.lastSeq = group.lastSeq;
    laid.entriesRead = group.entriesRead;
    for (let j: u32 = 0; j < consumerCount(group); j++)
      if (!copyConsumer(consumerAt(group, j), laid)) return false;
  }
  return true;
}

function copyConsumer(consumer: Consumer, group: Group): bool {
  const name = consumerName(consumer);
  const laid = addConsumer(group, sizedPtr(name), sizedLength(name), consumer.seenMs);
  if (laid === null) return false;
  laid.activeMs = consumer.activeMs;
  const own = pendingOfConsumer(consumer);
  for (let at = treeFirst(own); at !== 0; at = treeAfter(own, msOf(at), seqOf(at))) {
    const block = alloc(PENDING_BYTES);
    if (block === 0) return false;
    const pending = layPending(group, laid, block, msOf(at), seqOf(at));
    pending.deliveredMs = pendingAt(at).deliveredMs;
    pending.deliveries = pendingAt(at).deliveries;
  }
  return true;
}

// ---- figures

/** Bytes of the value's blocks. O(nodes + pending) */
export function streamBytes(entry: Entry): u64 {
  const s = streamOf(entry);
  let bytes: u64 = usableBytes(entry.value);
  const nodes = nodesOf(s);
  bytes += treeBytes(nodes);
  for (let node = treeFirst(nodes); node !== 0; node = treeAfter(nodes, msOf(node), seqOf(node)))
    bytes += <u64>usableBytes(node) + usableBytes(packedOf(node));
  if (s.groups !== 0) bytes += usableBytes(s.groups);
  for (let i: u32 = 0; i < groupCount(s); i++) bytes += groupBytes(groupAt(s, i));
  return bytes;
}

function groupBytes(group: Group): u64 {
  let bytes: u64 = usableBytes(changetype<usize>(group));
  bytes += treeBytes(pendingOf(group)) + <u64>group.pendingCount * PENDING_BYTES;
  if (group.consumers !== 0) bytes += usableBytes(group.consumers);
  for (let i: u32 = 0; i < consumerCount(group); i++) {
    const consumer = consumerAt(group, i);
    bytes += usableBytes(changetype<usize>(consumer)) + treeBytes(pendingOfConsumer(consumer));
  }
  return bytes;
}

/** Bytes of the stream in a dump: the nodes as they are. O(nodes + consumers) */
export function savedStreamBytes(entry: Entry): u64 {
  const s = streamOf(entry);
  let bytes = SAVED_STREAM_BYTES;
  const nodes = nodesOf(s);
  for (let node = treeFirst(nodes); node !== 0; node = treeAfter(nodes, msOf(node), seqOf(node)))
    bytes += 17 + savedLengthBytes(packedBytes(packedOf(node)));
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const group = groupAt(s, i);
    bytes += SAVED_GROUP_BYTES + savedLengthBytes(sizedLength(groupName(group)));
    bytes += <u64>group.pendingCount * SAVED_PENDING_BYTES;
    for (let j: u32 = 0; j < consumerCount(group); j++)
      bytes +=
        SAVED_CONSUMER_BYTES + savedLengthBytes(sizedLength(consumerName(consumerAt(group, j))));
  }
  return bytes;
}

// ---- digest

function digestNumbers(a: u64, b: u64): void {
  store<u64>(NUMBERS, a);
  store<u64>(NUMBERS, b, 8);
  sha1Add(NUMBERS, 16);
}

function digestElement(at: usize): void {
  readElementText(at);
  store<u32>(NUMBERS, state.elementLength);
  sha1Add(NUMBERS, 4);
  sha1Add(state.elementPtr, state.elementLength);
}

/** The bytes of a name, and how many they are. */
function digestName(name: usize): void {
  sha1Add(name, <u32>(sizedEnd(name) - name));
}

/**
 * Adds the stream to the SHA-1 that runs: entries, ids and counts, groups, consumers, and who has which entry pending. Not when and how
 * often it was delivered, nor when a consumer was seen: reading what is pending changes that, and no log is told (as in Redis). O(bytes)
 */
export function digestStream(entry: Entry): void {
  const s = streamOf(entry);
  digestNumbers(s.lastMs, s.lastSeq);
  digestNumbers(s.deletedMs, s.deletedSeq);
  digestNumbers(s.added, s.length);
  beginAllEntries(s);
  while (nextEntry()) {
    digestNumbers(entryMs(), entrySeq());
    for (let i = entryFields(); i > 0; i--) {
      digestElement(takeField());
      digestElement(takeValue());
    }
  }
  for (let i: u32 = 0; i < groupCount(s); i++) digestGroup(groupAt(s, i));
}

function digestGroup(group: Group): void {
  digestName(groupName(group));
  digestNumbers(group.lastMs, group.lastSeq);
  digestNumbers(group.entriesRead, group.pendingCount);
  for (let i: u32 = 0; i < consumerCount(group); i++) {
    const consumer = consumerAt(group, i);
    digestName(consumerName(consumer));
    const own = pendingOfConsumer(consumer);
    for (let at = treeFirst(own); at !== 0; at = treeAfter(own, msOf(at), seqOf(at)))
      digestNumbers(msOf(at), seqOf(at));
  }
}

// ---- checking

/** Asserts the invariants of nodes, trees and groups. O(bytes + pending * log) */
export function checkStream(entry: Entry): void {
  const s = streamOf(entry);
  checkTree(nodesOf(s));
  ensure(checkNodes(s) === s.length, 830, <u32>s.length);
  checkEntries(s);
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const group = groupAt(s, i);
    checkTree(pendingOf(group));
    for (let j: u32 = 0; j < consumerCount(group); j++)
      checkTree(pendingOfConsumer(consumerAt(group, j)));
    checkGroup(group);
  }
  ensure(s.groups === 0 || nameCount(s.groups) > 0, 831, s.groups);
}

/** @returns entries that the nodes count */
function checkNodes(s: Stream): u64 {
  const nodes = nodesOf(s);
  let live: u64 = 0;
  for (let node = treeFirst(nodes); node !== 0; node = treeAfter(nodes, msOf(node), seqOf(node))) {
    checkPacked(packedOf(node));
    ensure(liveEntries(packedOf(node)) >= 0 && deadEntries(packedOf(node)) >= 0, 832, <u32>node);
    live += <u64>liveEntries(packedOf(node));
  }
  return live;
}

function checkEntries(s: Stream): void {
  const before = NUMBERS;
  let entries: u64 = 0;
  beginAllEntries(s);
  while (nextEntry()) {
    if (entries === 0)
      ensure(entryMs() === s.firstMs && entrySeq() === s.firstSeq, 833, <u32>entrySeq());
    else ensure(isBelow(before, entryMs(), entrySeq()), 834, <u32>entrySeq());
    store<u64>(before, entryMs());
    store<u64>(before, entrySeq(), 8);
    entries += 1;
  }
  ensure(entries === s.length, 835, <u32>entries);
  ensure(entries > 0 || (s.firstMs | s.firstSeq) === 0, 836, <u32>s.firstSeq);
  ensure(
    entries === 0 || !isBelow(changetype<usize>(s), load<u64>(before), load<u64>(before, 8)),
    837,
  );
}

export function streamEncodingName(): string {
  return "stream";
}
