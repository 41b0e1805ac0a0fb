/**
 * XREAD and XREADGROUP: entries behind given ids, of several streams, plainly or for the consumer of a group.
 * https://redis.io/docs/latest/commands/xread/
 *
 * All keys, groups and ids are judged first; then streams that have something are answered. What a consumer is given is propagated as
 * XCLAIM of each entry and XGROUP SETID (which alone tells how many entries the group has read), never as the request.
 */
import { Address } from "../abi";
import { argLength, argPtr, argWord, setArgument, Word } from "../argv";
import { mayWait, readTimeoutMs, wait } from "../blocking";
import * as effects from "../effects";
import { Entry } from "../keyspace/entry";
import { Find, openForWrite } from "../keyspace/keyspace";
import { allocReserved } from "../memory/allocator";
import * as reply from "../reply";
import { io, nowMs, ScratchArea } from "../state";
import { msOf, seqOf, treeAfter, treeFrom } from "../types/id-tree";
import {
  beginEntries,
  compareIds,
  entryMs,
  entrySeq,
  findEntry,
  findLast,
  nextEntry,
  Stream,
  streamOf,
} from "../types/stream";
import {
  advanceGroup,
  Consumer,
  findConsumer,
  findPending,
  Group,
  givePending,
  layPending,
  PENDING_BYTES,
  Pending,
  pendingAt,
  pendingOfConsumer,
} from "../types/stream-groups";
import {
  effectClaim,
  effectConsumer,
  effectGroupId,
  groupOf,
  groupOfWord,
  hasRoomFor,
  seeConsumer,
} from "./stream-groups";
import {
  decrement,
  FIRST_ID,
  IdForm,
  idMs,
  idSeq,
  increment,
  isLetter,
  parseId,
  readId,
  replyEntry,
  replyId,
  SECOND_ID,
  setId,
  writeId,
} from "./stream-ids";
import { countEntries, findStream, integerRead, readInteger, replyRange } from "./streams";

const DOLLAR: u8 = 36;
const PLUS: u8 = 43;
const GREATER: u8 = 62;
/** The id in hand, and the greatest there is. */
const ID: usize = FIRST_ID;
const END: usize = SECOND_ID;
const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

/** What is asked for. */
@final
@unmanaged
class Read {
  count: u64; // entries of each stream, 0 = all
  group: u32; // the word of the group's name, the consumer's is behind; 0 = XREAD
  keys: u32; // the word of the first key
  streams: u32;
  isUnacknowledged: u32; // NOACK
  isBlocking: u32;
  served: u32; // streams that are answered
}

const read = changetype<Read>(NUMBER + 64);

function refuse(text: string): bool {
  reply.error(text);
  return false;
}

/** Reads the options. @returns false after an error was answered */
function readOptions(argc: u32, ofGroup: bool): bool {
  memory.fill(changetype<usize>(read), 0, offsetof<Read>());
  for (let i: u32 = 1; i < argc; i++) {
    const more = argc - i - 1;
    const word = argWord(i);
    if (word === Word.BLOCK && more > 0) {
      i += 1;
      if (!readTimeoutMs(i)) return false;
      read.isBlocking = 1;
    } else if (word === Word.COUNT && more > 0) {
      i += 1;
      if (!readInteger(i)) return false;
      read.count = <u64>max<i64>(integerRead(), 0);
    } else if (word === Word.STREAMS && more > 0) {
      read.keys = i + 1;
      if ((more & 1) !== 0) return unbalanced(ofGroup);
      read.streams = more >> 1;
      break;
    } else if (word === Word.GROUP && more >= 2) {
      if (!ofGroup)
        return refuse(
          "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
        );
      read.group = i + 1;
      i += 2;
    } else if (word === Word.NOACK) {
      if (!ofGroup)
        return refuse(
          "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
        );
      read.isUnacknowledged = 1;
    } else {
      reply.syntaxError();
      return false;
    }
  }
  if (read.keys === 0) {
    reply.syntaxError();
    return false;
  }
  if (ofGroup && read.group === 0) return refuse("ERR Missing GROUP option for XREADGROUP");
  return true;
}

function unbalanced(ofGroup: bool): bool {
  return refuse(
    ofGroup
      ? "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
      : "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
  );
}

/** The word of the id that belongs to a stream. */
function idWord(index: u32): u32 {
  return read.keys + read.streams + index;
}

/** Whether a group is asked for what is new: by `>`, or by the greatest id of all, which Redis takes for it. */
function isNew(index: u32): bool {
  const word = idWord(index);
  if (isLetter(word, GREATER)) return true;
  parseId(argPtr(word), argLength(word), ID, 0, IdForm.Strict);
  return idMs(ID) === u64.MAX_VALUE && idSeq(ID) === u64.MAX_VALUE;
}

// ---- judging

/** Judges a stream's key, group and id. @returns false after an error was answered */
function judge(index: u32): bool {
  const key = read.keys + index;
  const entry = findStream(key, Find.None);
  if (reply.isFailed()) return false;
  if (read.group !== 0) {
    const group = groupOf(entry, read.group);
    if (group === null) return noGroup(key);
  }
  const word = idWord(index);
  if (isLetter(word, DOLLAR)) {
    if (read.group === 0) return true;
    return refuse(
      "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
    );
  }
  if (isLetter(word, GREATER)) {
    if (read.group !== 0) return true;
    return refuse(
      "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
    );
  }
  if (isLetter(word, PLUS) && read.group === 0) return true;
  return readId(word, ID, 0, IdForm.Strict);
}

function noGroup(key: u32): bool {
  reply.beginError("NOGROUP No such key '");
  reply.errorWord(argPtr(key), argLength(key));
  reply.errorText("' or consumer group '");
  reply.errorWord(argPtr(read.group), argLength(read.group));
  reply.errorText("' in XREADGROUP with GROUP option");
  reply.endError();
  return false;
}

/** Reads into ID what a stream is read behind. */
function readBehind(index: u32, s: Stream): void {
  const word = idWord(index);
  if (isLetter(word, PLUS) && findLast(s)) {
    setId(ID, entryMs(), entrySeq());
    decrement(ID);
  } else if (isLetter(word, DOLLAR) || isLetter(word, PLUS)) setId(ID, s.lastMs, s.lastSeq);
  else readId(word, ID, 0, IdForm.Strict);
}

/** Whether a stream has an entry above the id in ID. */
function hasAbove(s: Stream): bool {
  return findLast(s) && compareIds(entryMs(), entrySeq(), idMs(ID), idSeq(ID)) > 0;
}

/** The two ends of what is behind the id in ID. */
function beginBehind(): void {
  const most = u64.MAX_VALUE;
  // Behind the greatest of all comes the first, as in Redis.
  if (!increment(ID)) setId(ID, 0, 0);
  setId(END, most, most);
}

/** Begins the answer of one stream: its key, and its entries follow. */
function beginStream(index: u32): void {
  if (io().protocol === 2) reply.array(2);
  const key = read.keys + index;
  reply.bulk(argPtr(key), argLength(key));
}

function beginStreams(count: u32): void {
  if (io().protocol === 2) reply.array(count);
  else reply.map(count);
}

// ---- waiting

/** Streams whose ids are put into the argv table: there is so much room for their digits. */
const FIXED_IDS: u32 = 4096;
const FIXED_ID_BYTES: usize = 64;

/** Nothing can be served: the client waits, if it asked for that and may. */
function waitOrNil(): void {
  if (!read.isBlocking || !mayWait()) return reply.nilArray();
  let fixed: u32 = 0;
  for (let i: u32 = 0; i < read.streams; i++) {
    const word = idWord(i);
    if (!isLetter(word, DOLLAR) && !(isLetter(word, PLUS) && read.group === 0)) continue;
    if (fixed === FIXED_IDS) return reply.noMemory();
    const entry = findStream(read.keys + i, Find.NoStats | Find.NoTouch);
    if (entry === null) setId(ID, 0, 0);
    else readBehind(i, streamOf(entry));
    // `$` is what it is now, whenever the command is tried again.
    const text = Address.Scratch + ScratchArea.Found + <usize>fixed * FIXED_ID_BYTES;
    setArgument(word, text, writeId(text, idMs(ID), idSeq(ID)));
    fixed += 1;
  }
  wait();
}

// ---- XREAD

export function xread(argc: u32): void {
  if (!readOptions(argc, false)) return;
  for (let i: u32 = 0; i < read.streams; i++) if (!judge(i)) return;
  let served: u32 = 0;
  for (let i: u32 = 0; i < read.streams; i++) if (streamToServe(i, Find.None) !== null) served += 1;
  if (served === 0) return waitOrNil();
  beginStreams(served);
  for (let i: u32 = 0; i < read.streams; i++) {
    const entry = streamToServe(i, Find.NoStats | Find.NoTouch);
    if (entry === null) continue;
    beginStream(i);
    beginBehind();
    replyRange(streamOf(entry), ID, END, read.count, false);
  }
}

/** A stream that has something behind what is asked for, which is in ID then; or null. */
function streamToServe(index: u32, how: u32): Entry | null {
  const entry = findStream(read.keys + index, how);
  if (entry === null) return null;
  readBehind(index, streamOf(entry));
  return hasAbove(streamOf(entry)) ? entry : null;
}

// ---- XREADGROUP

export function xreadgroup(argc: u32): void {
  if (!readOptions(argc, true)) return;
  for (let i: u32 = 0; i < read.streams; i++) if (!judge(i)) return;
  const wanted = planGroups();
  forgetPlan();
  if (!hasRoomFor(wanted)) return reply.noMemory();
  if (read.served > 0) beginStreams(read.served);
  for (let i: u32 = 0; i < read.streams; i++) serveGroup(i);
  if (read.served === 0) waitOrNil();
}

/** Counts the streams that will be answered. @returns pending entries and consumers that will be made */
function planGroups(): u64 {
  let wanted: u64 = 0;
  for (let i: u32 = 0; i < read.streams; i++) {
    const entry = findStream(read.keys + i, Find.None);
    const group = groupOf(entry, read.group);
    if (entry === null || group === null) continue;
    if (isMissingConsumer(group)) wanted += 1;
    const entries = isNew(i) ? newEntries(streamOf(entry), group) : 0;
    if (!isNew(i) || entries > 0) read.served += 1;
    if (!read.isUnacknowledged) wanted += entries;
  }
  return wanted;
}

function isMissingConsumer(group: Group): bool {
  return findConsumer(group, argPtr(read.group + 1), argLength(read.group + 1)) === null;
}

/** Entries that the group will be given; what was asked for before, as the same key may be there again, is gone then. */
function newEntries(s: Stream, group: Group): u64 {
  const before = <u64>group.asked;
  group.asked += 1;
  setId(ID, group.lastMs, group.lastSeq);
  if (!hasAbove(s)) return 0;
  beginBehind();
  if (before === 0) return countEntries(s, ID, END, read.count);
  if (read.count === 0 || read.count > s.length) return 0;
  const taken = before * read.count;
  const entries = countEntries(s, ID, END, taken + read.count);
  return entries > taken ? entries - taken : 0;
}

/** Forgets what `newEntries` noted. */
function forgetPlan(): void {
  for (let i: u32 = 0; i < read.streams; i++) {
    const group = groupOf(findStream(read.keys + i, Find.NoStats | Find.NoTouch), read.group);
    if (group !== null) group.asked = 0;
  }
}

/** Whether a stream is answered: always if it is asked for what is pending. */
function isServed(index: u32, s: Stream, group: Group): bool {
  if (!isNew(index)) return true;
  setId(ID, group.lastMs, group.lastSeq);
  return hasAbove(s);
}

function serveGroup(index: u32): void {
  const key = read.keys + index;
  const entry = findStream(key, Find.NoStats | Find.NoTouch);
  if (entry === null) return;
  openForWrite(entry);
  const s = streamOf(entry);
  const group = groupOfWord(s, read.group);
  if (group === null) return;
  const consumerWord = read.group + 1;
  const isFirst = isMissingConsumer(group);
  const consumer = seeConsumer(group, key, consumerWord);
  // There was room: for want of memory nobody comes here.
  if (consumer === null) return;
  const served = isServed(index, s, group);
  const isNamed = served && isNew(index) && !read.isUnacknowledged;
  if (isFirst && !isNamed) effectConsumer(key, read.group, consumerWord);
  if (!served) return;
  beginStream(index);
  if (isNew(index)) deliver(s, group, consumer, key);
  else {
    readId(idWord(index), ID, 0, IdForm.Strict);
    replyPending(s, consumer);
  }
  effects.counted(1);
}

/** Gives what is new to a consumer. */
function deliver(s: Stream, group: Group, consumer: Consumer, key: u32): void {
  setId(ID, group.lastMs, group.lastSeq);
  beginBehind();
  let left = countEntries(s, ID, END, read.count);
  reply.array(<u32>left);
  beginEntries(s, idMs(ID), idSeq(ID), idMs(END), idSeq(END), false);
  for (; left > 0 && nextEntry(); left--) {
    advanceGroup(s, group, entryMs(), entrySeq());
    replyEntry();
    if (read.isUnacknowledged) continue;
    effectClaim(key, read.group, group, makePending(group, consumer, entryMs(), entrySeq()));
    consumer.activeMs = <i64>nowMs();
  }
  effectGroupId(key, read.group, group);
}

/** The pending entry of one that is delivered now for the first time; XGROUP SETID may have gone back to it. */
function makePending(group: Group, consumer: Consumer, ms: u64, seq: u64): Pending {
  const existing = findPending(group, ms, seq);
  if (existing !== null) givePending(existing, consumer);
  const pending =
    existing !== null
      ? existing
      : layPending(group, consumer, allocReserved(PENDING_BYTES), ms, seq);
  pending.deliveredMs = <i64>nowMs();
  pending.deliveries = 1;
  return pending;
}

/** Answers what a consumer has pending behind the id in ID; of what was deleted since, the id alone. */
function replyPending(s: Stream, consumer: Consumer): void {
  beginBehind();
  const own = pendingOfConsumer(consumer);
  let count: u64 = 0;
  let at = treeFrom(own, idMs(ID), idSeq(ID));
  const first = at;
  for (; at !== 0 && (read.count === 0 || count < read.count); count++)
    at = treeAfter(own, msOf(at), seqOf(at));
  reply.array(<u32>count);
  at = first;
  for (; count > 0; count--) {
    const pending = pendingAt(at);
    if (findEntry(s, pending.ms, pending.seq)) {
      replyEntry();
      pending.deliveredMs = <i64>nowMs();
      pending.deliveries += 1;
    } else {
      reply.array(2);
      replyId(pending.ms, pending.seq);
      reply.nilArray();
    }
    at = treeAfter(own, msOf(at), seqOf(at));
  }
}
