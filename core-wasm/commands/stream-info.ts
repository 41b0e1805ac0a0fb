/** XINFO. https://redis.io/docs/latest/commands/xinfo-stream/ and its relatives */
import { Address } from "../abi";
import { argIs, argWord, Word } from "../argv";
import { Entry } from "../keyspace/entry";
import { Find } from "../keyspace/keyspace";
import * as reply from "../reply";
import { nowMs, ScratchArea } from "../state";
import { IdTree, msOf, seqOf, treeAfter, treeFirst } from "../types/id-tree";
import { beginEntries, nextEntry, nodesOf, Stream, streamOf } from "../types/stream";
import {
  Consumer,
  consumerAt,
  consumerCount,
  consumerName,
  consumerOf,
  ENTRIES_READ_UNKNOWN,
  Group,
  groupAt,
  groupCount,
  groupLag,
  groupName,
  NEVER_ACTIVE,
  pendingAt,
  pendingOf,
  pendingOfConsumer,
} from "../types/stream-groups";
import { groupOfWord, noGroup, replyName, subcommandFault } from "./stream-groups";
import { FIRST_ID, replyEntry, replyId, SECOND_ID, setId } from "./stream-ids";
import { findStream, integerRead, readInteger, replyRange } from "./streams";

/** Entries and pending entries that FULL shows, unless COUNT says otherwise. */
const SHOWN: i64 = 10;

/** The stream of word 2, or null after an error was answered. */
function requireStream(): Entry | null {
  const entry = findStream(2, Find.None);
  if (entry === null && !reply.isFailed()) reply.error("ERR no such key");
  return entry;
}

function idField(name: string, ms: u64, seq: u64): void {
  reply.bulkText(name);
  replyId(ms, seq);
}

function integerField(name: string, value: i64): void {
  reply.bulkText(name);
  reply.integer(value);
}

/** XINFO STREAM key [FULL [COUNT count]] */
export function stream(argc: u32): void {
  const entry = requireStream();
  if (entry === null) return;
  let shown = SHOWN;
  if (argc > 3) {
    if ((argc !== 4 && argc !== 6) || argWord(3) !== Word.FULL) return subcommandFault("XINFO");
    if (argc === 6) {
      if (!argIs(4, "count")) return subcommandFault("XINFO");
      if (!readInteger(5)) return;
      if (integerRead() >= 0) shown = integerRead();
    }
  }
  const s = streamOf(entry);
  reply.map(argc > 3 ? 9 : 10);
  integerField("length", s.length);
  integerField("radix-tree-keys", s.nodeCount);
  integerField("radix-tree-nodes", radixNodes(nodesOf(s)));
  idField("last-generated-id", s.lastMs, s.lastSeq);
  idField("max-deleted-entry-id", s.deletedMs, s.deletedSeq);
  integerField("entries-added", s.added);
  idField("recorded-first-entry-id", s.firstMs, s.firstSeq);
  if (argc > 3) return replyFull(s, <u64>shown);
  integerField("groups", groupCount(s));
  reply.bulkText("first-entry");
  replyOne(s, false);
  reply.bulkText("last-entry");
  replyOne(s, true);
}

/** Bytes of an id as the key of Redis's radix tree, and the depths at which the keys seen so far part. */
const KEY_BYTES: u32 = 16;
const PARTINGS: usize = Address.Scratch + ScratchArea.Argument + 256;

/** Leading bytes that two ids share. */
function sharedBytes(a: usize, b: usize): u32 {
  const ms = msOf(a) ^ msOf(b);
  if (ms !== 0) return <u32>clz<u64>(ms) >> 3;
  return 8 + (<u32>clz<u64>(seqOf(a) ^ seqOf(b)) >> 3);
}

/** Nodes below a parting at `parent`, -1 = the root: the one at `depth`, and the one of the bytes on the way if there are any. */
function nodesOnWay(parent: i32, depth: u32): u32 {
  return <i32>depth > parent + 1 ? 2 : 1;
}

/** Nodes that Redis's radix tree has for these ids: one for each id, each parting, and each stretch of bytes between. O(ids) */
function radixNodes(t: IdTree): u32 {
  let nodes: u32 = t.count === 0 ? 1 : 0;
  let partings: u32 = 0;
  let before: i32 = -1;
  for (let block = treeFirst(t); block !== 0; ) {
    const next = treeAfter(t, msOf(block), seqOf(block));
    const shared = next === 0 ? -1 : <i32>sharedBytes(block, next);
    nodes += nodesOnWay(max(before, shared), KEY_BYTES);
    while (partings > 0 && <i32>load<u8>(PARTINGS + partings - 1) > shared) {
      partings -= 1;
      const above = partings === 0 ? -1 : <i32>load<u8>(PARTINGS + partings - 1);
      nodes += nodesOnWay(max(above, shared), load<u8>(PARTINGS + partings));
    }
    const isNew = partings === 0 || <i32>load<u8>(PARTINGS + partings - 1) < shared;
    if (shared >= 0 && isNew) {
      store<u8>(PARTINGS + partings, <u8>shared);
      partings += 1;
    }
    before = shared;
    block = next;
  }
  return nodes;
}

/** Answers the first or the last entry, nil if there is none. */
function replyOne(s: Stream, last: bool): void {
  beginEntries(s, 0, 0, u64.MAX_VALUE, u64.MAX_VALUE, last);
  if (nextEntry()) replyEntry();
  else reply.nil();
}

function replyFull(s: Stream, shown: u64): void {
  reply.bulkText("entries");
  setId(FIRST_ID, 0, 0);
  setId(SECOND_ID, u64.MAX_VALUE, u64.MAX_VALUE);
  replyRange(s, FIRST_ID, SECOND_ID, shown, false);
  reply.bulkText("groups");
  reply.array(groupCount(s));
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const group = groupAt(s, i);
    reply.map(7);
    reply.bulkText("name");
    replyName(groupName(group));
    replyProgress(s, group);
    integerField("pel-count", group.pendingCount);
    reply.bulkText("pending");
    replyPendings(pendingOf(group), shown, true);
    reply.bulkText("consumers");
    reply.array(consumerCount(group));
    for (let j: u32 = 0; j < consumerCount(group); j++)
      replyFullConsumer(consumerAt(group, j), shown);
  }
}

/** How far a group is: three fields. */
function replyProgress(s: Stream, group: Group): void {
  idField("last-delivered-id", group.lastMs, group.lastSeq);
  reply.bulkText("entries-read");
  if (group.entriesRead === ENTRIES_READ_UNKNOWN) reply.nil();
  else reply.integer(group.entriesRead);
  reply.bulkText("lag");
  const lag = groupLag(s, group);
  if (lag === i64.MIN_VALUE) reply.nil();
  else reply.integer(lag);
}

function replyFullConsumer(consumer: Consumer, shown: u64): void {
  reply.map(5);
  reply.bulkText("name");
  replyName(consumerName(consumer));
  integerField("seen-time", consumer.seenMs);
  integerField("active-time", consumer.activeMs);
  integerField("pel-count", consumer.pendingCount);
  reply.bulkText("pending");
  replyPendings(pendingOfConsumer(consumer), shown, false);
}

/** Answers the first pending entries of a tree, `shown` at most (0 = all). */
function replyPendings(t: IdTree, shown: u64, named: bool): void {
  let left = shown === 0 || shown > <u64>t.count ? <u64>t.count : shown;
  reply.array(<u32>left);
  let at = treeFirst(t);
  for (; left > 0; left--) {
    const pending = pendingAt(at);
    reply.array(named ? 4 : 3);
    replyId(pending.ms, pending.seq);
    if (named) replyName(consumerName(consumerOf(pending)));
    reply.integer(pending.deliveredMs);
    reply.integer(pending.deliveries);
    at = treeAfter(t, msOf(at), seqOf(at));
  }
}

/** XINFO GROUPS key */
export function groups(): void {
  const entry = requireStream();
  if (entry === null) return;
  const s = streamOf(entry);
  reply.array(groupCount(s));
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const group = groupAt(s, i);
    reply.map(6);
    reply.bulkText("name");
    replyName(groupName(group));
    integerField("consumers", consumerCount(group));
    integerField("pending", group.pendingCount);
    replyProgress(s, group);
  }
}

/** XINFO CONSUMERS key group */
export function consumers(): void {
  const entry = requireStream();
  if (entry === null) return;
  const group = groupOfWord(streamOf(entry), 3);
  if (group === null) return noGroup(2, 3);
  const now = <i64>nowMs();
  reply.array(consumerCount(group));
  for (let i: u32 = 0; i < consumerCount(group); i++) {
    const consumer = consumerAt(group, i);
    reply.map(4);
    reply.bulkText("name");
    replyName(consumerName(consumer));
    integerField("pending", consumer.pendingCount);
    integerField("idle", max<i64>(now - consumer.seenMs, 0));
    const isActive = consumer.activeMs !== NEVER_ACTIVE;
    integerField("inactive", isActive ? now - consumer.activeMs : NEVER_ACTIVE);
  }
}
