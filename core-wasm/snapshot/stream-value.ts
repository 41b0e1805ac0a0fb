/**
 * Streams as commands: XADD of each entry (of an empty stream one that is trimmed at once), XSETID, then each group with its consumers
 * and what they have pending. XCLAIM without LASTID is taken by replay for what it is: also of an entry that was deleted since.
 *
 * A cursor says how many entries were written, plus one; or, with IN_GROUPS, how many items of the groups: a group, a consumer and a pending
 * entry are one each. The id to go on from is kept in State; where that is of another cursor it is counted out.
 */
import { Address } from "../abi";
import { Entry, keyLength, keyPtr } from "../keyspace/entry";
import { sizedLength, sizedPtr } from "../memory/sized";
import { formatUint64 } from "../memory/text";
import { ScratchArea, state } from "../state";
import { msOf, seqOf, treeAfter, treeFirst, treeFrom } from "../types/id-tree";
import { readElementText } from "../types/packed";
import {
  beginEntries,
  entryFields,
  entryMs,
  entrySeq,
  nextEntry,
  streamOf,
  takeField,
  takeValue,
} from "../types/stream";
import {
  Consumer,
  consumerAt,
  consumerCount,
  consumerName,
  Group,
  groupAt,
  groupCount,
  groupName,
  pendingAt,
  pendingOfConsumer,
} from "../types/stream-groups";
import { walk } from "./state";
import { command, number, text, word } from "./stream";

const IN_GROUPS: u64 = 1 << 62;
const CALL_BYTES: u64 = 65536;
const LARGE_NODES: u32 = 8;
const LARGE_GROUPS: u32 = 8;
const LARGE_CONSUMERS: u32 = 32;
const LARGE_PENDING: u32 = 256;
const ID_TEXT: usize = Address.Scratch + ScratchArea.StreamIds + 0x200;
const MINUS: u8 = 45;

/** O(1) */
export function isLargeStream(entry: Entry): bool {
  const s = streamOf(entry);
  if (s.nodeCount > LARGE_NODES || groupCount(s) > LARGE_GROUPS) return true;
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const group = groupAt(s, i);
    if (group.pendingCount > LARGE_PENDING || consumerCount(group) > LARGE_CONSUMERS) return true;
  }
  return false;
}

/** See `writeEntry`. */
export function writeStream(entry: Entry, db: u32, cursor: u64): u64 {
  do cursor = writeSome(entry, db, cursor);
  while (cursor !== 0 && !isLargeStream(entry));
  return cursor;
}

function writeSome(entry: Entry, db: u32, cursor: u64): u64 {
  const s = streamOf(entry);
  if ((cursor & IN_GROUPS) !== 0) return writeGroups(entry, db, cursor);
  const next = writeEntries(entry, db, cursor === 0 ? 0 : cursor - 1);
  if (next !== 0) return next + 1;
  if (s.length === 0) writeEmpty(entry, db);
  writeIds(entry, db);
  return groupCount(s) === 0 ? 0 : IN_GROUPS;
}

// ---- words

function key(entry: Entry): void {
  word(keyPtr(entry), keyLength(entry));
}

function id(ms: u64, seq: u64): void {
  const first = formatUint64(ms, ID_TEXT);
  store<u8>(ID_TEXT + first, MINUS);
  word(ID_TEXT, first + 1 + formatUint64(seq, ID_TEXT + first + 1));
}

function name(sized: usize): void {
  word(sizedPtr(sized), sizedLength(sized));
}

function element(at: usize): void {
  readElementText(at);
  word(state.elementPtr, state.elementLength);
}

// ---- where it goes on

function keep(entry: Entry, cursor: u64, ms: u64, seq: u64): void {
  state.snapshotValue = entry.value;
  state.snapshotCursor = cursor;
  state.snapshotMs = ms;
  state.snapshotSeq = seq;
}

function isKept(entry: Entry, cursor: u64): bool {
  return state.snapshotValue === entry.value && state.snapshotCursor === cursor;
}

// ---- entries

/** Writes entries from the one with an ordinal on. @returns the ordinal to go on from, 0 = there are no more */
function writeEntries(entry: Entry, db: u32, ordinal: u64): u64 {
  const s = streamOf(entry);
  const most = u64.MAX_VALUE;
  const isKnown = ordinal !== 0 && isKept(entry, ordinal);
  if (isKnown) beginEntries(s, state.snapshotMs, state.snapshotSeq, most, most, false);
  else {
    beginEntries(s, 0, 0, most, most, false);
    for (let i = ordinal; i > 0; i--) nextEntry();
  }
  const begin = walk.written;
  while (nextEntry()) {
    if (walk.written - begin >= CALL_BYTES) {
      keep(entry, ordinal, entryMs(), entrySeq());
      return ordinal;
    }
    command(db, 3 + (entryFields() << 1));
    text("XADD");
    key(entry);
    id(entryMs(), entrySeq());
    for (let i = entryFields(); i > 0; i--) {
      element(takeField());
      element(takeValue());
    }
    ordinal += 1;
  }
  return 0;
}

function writeEmpty(entry: Entry, db: u32): void {
  command(db, 7);
  text("XADD");
  key(entry);
  text("MAXLEN");
  text("0");
  text("0-1");
  text("x");
  text("y");
}

function writeIds(entry: Entry, db: u32): void {
  const s = streamOf(entry);
  command(db, 7);
  text("XSETID");
  key(entry);
  id(s.lastMs, s.lastSeq);
  text("ENTRIESADDED");
  number(s.added);
  text("MAXDELETEDID");
  id(s.deletedMs, s.deletedSeq);
}

// ---- groups

/** Writes items of groups. @returns the cursor to go on from, 0 = there are no more */
function writeGroups(entry: Entry, db: u32, cursor: u64): u64 {
  const s = streamOf(entry);
  const begin = walk.written;
  // Items to be passed over: they are written.
  let passed = cursor & ~IN_GROUPS;
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const group = groupAt(s, i);
    if (passed >= itemsOf(group)) {
      passed -= itemsOf(group);
      continue;
    }
    if (passed > 0) passed -= 1;
    else {
      writeGroup(entry, db, group);
      cursor += 1;
    }
    for (let j: u32 = 0; j < consumerCount(group); j++) {
      const consumer = consumerAt(group, j);
      const items: u64 = 1 + consumer.pendingCount;
      if (passed >= items) {
        passed -= items;
        continue;
      }
      if (walk.written - begin >= CALL_BYTES) return cursor;
      const after = writeConsumer(entry, db, group, consumer, passed, cursor, begin);
      if (after !== cursor + items - passed) return after;
      cursor = after;
      passed = 0;
    }
  }
  return 0;
}

function itemsOf(group: Group): u64 {
  return 1 + <u64>consumerCount(group) + group.pendingCount;
}

function writeGroup(entry: Entry, db: u32, group: Group): void {
  command(db, 7);
  text("XGROUP");
  text("CREATE");
  key(entry);
  name(groupName(group));
  id(group.lastMs, group.lastSeq);
  text("ENTRIESREAD");
  number(group.entriesRead);
}

/** Writes a consumer and what it has pending, without the first `passed` of these items. @returns the cursor behind what was written */
function writeConsumer(
  entry: Entry,
  db: u32,
  group: Group,
  consumer: Consumer,
  passed: u64,
  cursor: u64,
  begin: u64,
): u64 {
  if (passed === 0) {
    command(db, 5);
    text("XGROUP");
    text("CREATECONSUMER");
    key(entry);
    name(groupName(group));
    name(consumerName(consumer));
    cursor += 1;
    passed = 1;
  }
  const t = pendingOfConsumer(consumer);
  let at: usize;
  if (passed > 1 && isKept(entry, cursor)) at = treeFrom(t, state.snapshotMs, state.snapshotSeq);
  else {
    at = treeFirst(t);
    for (let i = passed; i > 1; i--) at = treeAfter(t, msOf(at), seqOf(at));
  }
  for (; at !== 0; at = treeAfter(t, msOf(at), seqOf(at))) {
    if (walk.written - begin >= CALL_BYTES) {
      keep(entry, cursor, msOf(at), seqOf(at));
      return cursor;
    }
    writePending(entry, db, group, consumer, at);
    cursor += 1;
  }
  return cursor;
}

function writePending(entry: Entry, db: u32, group: Group, consumer: Consumer, at: usize): void {
  const pending = pendingAt(at);
  command(db, 12);
  text("XCLAIM");
  key(entry);
  name(groupName(group));
  name(consumerName(consumer));
  text("0");
  id(pending.ms, pending.seq);
  text("TIME");
  number(pending.deliveredMs);
  text("RETRYCOUNT");
  number(pending.deliveries);
  text("JUSTID");
  text("FORCE");
}
