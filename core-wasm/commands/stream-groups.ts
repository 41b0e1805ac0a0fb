/**
 * Consumer groups and what is pending in them: XGROUP, XACK, XPENDING; stream-claim.ts has XCLAIM and XAUTOCLAIM.
 * https://redis.io/docs/latest/commands/?group=stream
 */
import { Address, Cmd, KeyEvent } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { Entry } from "../keyspace/entry";
import { Find, openForWrite } from "../keyspace/keyspace";
import { isRoomFor } from "../memory/pages";
import { sizedLength, sizedPtr } from "../memory/sized";
import * as reply from "../reply";
import { io, nowMs, ScratchArea } from "../state";
import { msOf, seqOf, treeAfter, treeFirst, treeFrom, treeLast } from "../types/id-tree";
import { compareIds, newStream, Stream, streamOf } from "../types/stream";
import {
  addConsumer,
  addGroup,
  Consumer,
  consumerAt,
  consumerCount,
  consumerName,
  consumerOf,
  ENTRIES_READ_UNKNOWN,
  findConsumer,
  findGroup,
  findPending,
  freeStreamPart,
  Group,
  Pending,
  pendingAt,
  pendingOf,
  pendingOfConsumer,
  removeConsumer,
  removePending,
  takeGroup,
} from "../types/stream-groups";
import { freeGroup } from "../types/stream-value";
import {
  EFFECT_ID_BYTES,
  effectId,
  FIRST_ID,
  IdForm,
  idMs,
  idSeq,
  isLetter,
  readEnd,
  readId,
  readStart,
  replyId,
  SECOND_ID,
  setId,
} from "./stream-ids";
import { findStream, integerRead, readInteger, storeStream } from "./streams";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const DOLLAR: u8 = 36;
/** What a pending entry takes in memory at most, its places in both trees included; and what may be wanted beside. */
const PENDING_COST: u64 = 64;
const PENDING_SLACK: u64 = 65536;
const SHOWN_BYTES: u32 = 128;

/** ms */
export function now(): i64 {
  return <i64>nowMs();
}

/** The group that word `index` names. */
export function groupOfWord(s: Stream, index: u32): Group | null {
  return findGroup(s, argPtr(index), argLength(index));
}

/** The same of a key that may be missing. */
export function groupOf(entry: Entry | null, index: u32): Group | null {
  return entry === null ? null : groupOfWord(streamOf(entry), index);
}

/** Whether there is memory for so many pending entries more. */
export function hasRoomFor(pending: u64): bool {
  return pending === 0 || isRoomFor(pending * PENDING_COST, PENDING_SLACK);
}

/** Answers that there is no such key or group. */
export function noKeyOrGroup(key: u32, group: u32): void {
  reply.beginError("NOGROUP No such key '");
  reply.errorWord(argPtr(key), argLength(key));
  reply.errorText("' or consumer group '");
  reply.errorWord(argPtr(group), argLength(group));
  reply.errorText("'");
  reply.endError();
}

/** Answers that the key has no such group. */
export function noGroup(key: u32, group: u32): void {
  reply.beginError("NOGROUP No such consumer group '");
  reply.errorWord(argPtr(group), argLength(group));
  reply.errorText("' for key name '");
  reply.errorWord(argPtr(key), argLength(key));
  reply.errorText("'");
  reply.endError();
}

/** Answers that a container's subcommand does not take these words. */
export function subcommandFault(container: string): void {
  reply.beginError("ERR unknown subcommand or wrong number of arguments for '");
  reply.errorWord(argPtr(1), min(argLength(1), SHOWN_BYTES));
  reply.errorText("'. Try ");
  reply.errorText(container);
  reply.errorText(" HELP.");
  reply.endError();
}

// ---- XGROUP

/** The options of XGROUP CREATE and SETID. @returns false after an error was answered */
function readGroupOptions(argc: u32, creates: bool): bool {
  store<i64>(NUMBER, ENTRIES_READ_UNKNOWN, 8);
  store<u32>(NUMBER, 0, 16);
  for (let i: u32 = 5; i < argc; i++) {
    if (creates && argIs(i, "mkstream")) store<u32>(NUMBER, 1, 16);
    else if (argIs(i, "entriesread") && i + 1 < argc) {
      if (!readInteger(i + 1)) return false;
      if (integerRead() < ENTRIES_READ_UNKNOWN) {
        reply.error("ERR value for ENTRIESREAD must be positive or -1");
        return false;
      }
      store<i64>(NUMBER, integerRead(), 8);
      i += 1;
    } else {
      subcommandFault("XGROUP");
      return false;
    }
  }
  return true;
}

function entriesReadGiven(): i64 {
  return load<i64>(NUMBER, 8);
}

function makesStream(): bool {
  return load<u32>(NUMBER, 16) !== 0;
}

/** The stream of XGROUP's word 2, or null after it was answered that it must be there. */
function requireStream(): Entry | null {
  const entry = findStream(2, Find.Write);
  if (entry === null && !reply.isFailed())
    reply.error(
      "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
    );
  return entry;
}

/** The group of XGROUP's words 2 and 3, or null after it was answered that it must be there. */
function requireGroup(entry: Entry): Group | null {
  const group = groupOfWord(streamOf(entry), 3);
  if (group === null) noGroup(2, 3);
  return group;
}

/** Reads the id that a group begins behind, `$` the last. @returns false after the error was answered */
function readGroupId(s: Stream | null, form: u32): bool {
  const place = FIRST_ID;
  if (!isLetter(4, DOLLAR)) return readId(4, place, 0, form);
  if (s === null) setId(place, 0, 0);
  else setId(place, s.lastMs, s.lastSeq);
  return true;
}

export function create(argc: u32): void {
  if (!readGroupOptions(argc, true)) return;
  const existing = makesStream() ? findStream(2, Find.Write) : requireStream();
  if (reply.isFailed()) return;
  if (argc > 8) return subcommandFault("XGROUP");
  if (!readGroupId(existing === null ? null : streamOf(existing), IdForm.Strict)) return;
  if (existing === null) return createWithStream();
  if (groupOfWord(streamOf(existing), 3) !== null)
    return reply.error("BUSYGROUP Consumer Group name already exists");
  openForWrite(existing);
  const group = addGroup(streamOf(existing), argPtr(3), argLength(3));
  if (group === null) return reply.noMemory();
  beginGroup(group);
}

function createWithStream(): void {
  const s = newStream();
  if (s === null) return reply.noMemory();
  const group = addGroup(s, argPtr(3), argLength(3));
  if (group === null) {
    freeStreamPart(s);
    return reply.noMemory();
  }
  if (storeStream(s, 2) === null) return reply.noMemory();
  effects.touched(io().db, argPtr(2), argLength(2));
  beginGroup(group);
}

/** Sets a fresh group to where it begins, and tells of it. */
function beginGroup(group: Group): void {
  placeGroup(group);
  groupChanged(KeyEvent.XgroupCreate);
  reply.ok();
}

function placeGroup(group: Group): void {
  group.lastMs = idMs(FIRST_ID);
  group.lastSeq = idSeq(FIRST_ID);
  group.entriesRead = entriesReadGiven();
}

/** XGROUP has changed the stream of word 2. Nobody who watches the key is told, as in Redis. */
function groupChanged(event: KeyEvent): void {
  effects.changed();
  effects.event(event, io().db, argPtr(2), argLength(2));
}

export function setid(argc: u32): void {
  if (!readGroupOptions(argc, false)) return;
  const entry = requireStream();
  if (entry === null) return;
  const group = requireGroup(entry);
  if (group === null) return;
  if (argc !== 5 && argc !== 7) return subcommandFault("XGROUP");
  if (!readGroupId(streamOf(entry), IdForm.Any)) return;
  openForWrite(entry);
  placeGroup(group);
  groupChanged(KeyEvent.XgroupSetid);
  reply.ok();
}

export function destroy(): void {
  const entry = requireStream();
  if (entry === null) return;
  const group = groupOfWord(streamOf(entry), 3);
  if (group === null) return reply.integer(0);
  openForWrite(entry);
  takeGroup(streamOf(entry), group);
  freeGroup(group);
  groupChanged(KeyEvent.XgroupDestroy);
  // Who waits for what is new in the group learns that it is gone.
  effects.awaken(io().db, argPtr(2), argLength(2));
  reply.integer(1);
}

export function createconsumer(): void {
  const entry = requireStream();
  if (entry === null) return;
  const group = requireGroup(entry);
  if (group === null) return;
  if (findConsumer(group, argPtr(4), argLength(4)) !== null) return reply.integer(0);
  openForWrite(entry);
  if (addConsumer(group, argPtr(4), argLength(4), now()) === null) return reply.noMemory();
  groupChanged(KeyEvent.XgroupCreateconsumer);
  reply.integer(1);
}

export function delconsumer(): void {
  const entry = requireStream();
  if (entry === null) return;
  const group = requireGroup(entry);
  if (group === null) return;
  const consumer = findConsumer(group, argPtr(4), argLength(4));
  if (consumer === null) return reply.integer(0);
  const pending = consumer.pendingCount;
  openForWrite(entry);
  removeConsumer(group, consumer);
  groupChanged(KeyEvent.XgroupDelconsumer);
  reply.integer(pending);
}

// ---- XACK

export function xack(argc: u32): void {
  const entry = findStream(1, Find.None);
  if (reply.isFailed()) return;
  const group = groupOf(entry, 2);
  if (entry === null || group === null) return reply.integer(0);
  const place = FIRST_ID;
  for (let i: u32 = 3; i < argc; i++) if (!readId(i, place, 0, IdForm.Strict)) return;
  openForWrite(entry);
  let acknowledged: u32 = 0;
  for (let i: u32 = 3; i < argc; i++) {
    readId(i, place, 0, IdForm.Strict);
    const pending = findPending(group, idMs(place), idSeq(place));
    if (pending === null) continue;
    removePending(group, pending);
    acknowledged += 1;
  }
  if (acknowledged > 0) effects.changed(acknowledged);
  reply.integer(acknowledged);
}

// ---- XPENDING

export function xpending(argc: u32): void {
  if (argc !== 3 && (argc < 6 || argc > 9)) return reply.syntaxError();
  let first: u32 = 3;
  let idle: i64 = 0;
  let count: i64 = 0;
  if (argc > 3) {
    if (argWord(3) === Word.IDLE) {
      if (!readInteger(4)) return;
      idle = integerRead();
      if (argc < 8) return reply.syntaxError();
      first = 5;
    }
    if (!readInteger(first + 2)) return;
    count = max<i64>(integerRead(), 0);
    if (!readStart(first, FIRST_ID) || !readEnd(first + 1, SECOND_ID)) return;
  }
  const entry = findStream(1, Find.None);
  if (reply.isFailed()) return;
  const group = groupOf(entry, 2);
  if (group === null) return noKeyOrGroup(1, 2);
  if (argc === 3) return summarise(group);
  if (first + 3 >= argc) return replyPendings(group, null, idle, <u64>count);
  const consumer = findConsumer(group, argPtr(first + 3), argLength(first + 3));
  if (consumer === null) return reply.array(0);
  replyPendings(group, consumer, idle, <u64>count);
}

/** How many are pending, from which id to which, and how many of each consumer. */
function summarise(group: Group): void {
  reply.array(4);
  reply.integer(group.pendingCount);
  if (group.pendingCount === 0) {
    reply.nil();
    reply.nil();
    return reply.nilArray();
  }
  const first = treeFirst(pendingOf(group));
  replyId(msOf(first), seqOf(first));
  const last = treeLast(pendingOf(group));
  replyId(msOf(last), seqOf(last));
  let busy: u32 = 0;
  for (let i: u32 = 0; i < consumerCount(group); i++)
    if (consumerAt(group, i).pendingCount > 0) busy += 1;
  reply.array(busy);
  for (let i: u32 = 0; i < consumerCount(group); i++) {
    const consumer = consumerAt(group, i);
    if (consumer.pendingCount === 0) continue;
    reply.array(2);
    replyName(consumerName(consumer));
    reply.bulkInteger(consumer.pendingCount);
  }
}

/** Answers a name. */
export function replyName(name: usize): void {
  reply.bulk(sizedPtr(name), sizedLength(name));
}

/** Answers what is pending between the two ids read, of a consumer or of all. */
function replyPendings(group: Group, consumer: Consumer | null, idle: i64, count: u64): void {
  reply.array(walkPendings(group, consumer, idle, count, false));
  walkPendings(group, consumer, idle, count, true);
}

/** Goes through them, answering each or not. @returns how many */
function walkPendings(
  group: Group,
  consumer: Consumer | null,
  idle: i64,
  most: u64,
  answer: bool,
): u32 {
  const t = consumer === null ? pendingOf(group) : pendingOfConsumer(consumer);
  const end = SECOND_ID;
  let count: u32 = 0;
  let at = treeFrom(t, idMs(FIRST_ID), idSeq(FIRST_ID));
  for (; at !== 0 && <u64>count < most; at = treeAfter(t, msOf(at), seqOf(at))) {
    const pending = pendingAt(at);
    if (compareIds(pending.ms, pending.seq, idMs(end), idSeq(end)) > 0) break;
    const elapsed = now() - pending.deliveredMs;
    if (idle !== 0 && elapsed < idle) continue;
    count += 1;
    if (!answer) continue;
    reply.array(4);
    replyId(pending.ms, pending.seq);
    replyName(consumerName(consumerOf(pending)));
    reply.integer(max<i64>(elapsed, 0));
    reply.integer(pending.deliveries);
  }
  return count;
}

// ---- what a command leaves for the log

/** Words of XCLAIM behind its name, as it tells of one pending entry. */
const CLAIM_WORDS: u32 = 13;

/** XCLAIM key group consumer 0 id TIME ms RETRYCOUNT count FORCE JUSTID LASTID id */
export function effectClaim(key: u32, groupWord: u32, group: Group, pending: Pending): void {
  const name = consumerName(consumerOf(pending));
  const nameBytes = sizedLength(name);
  const ownBytes = effects.keptBytes(nameBytes) + 2 * EFFECT_ID_BYTES;
  if (!effects.beginWith(Cmd.XClaim, CLAIM_WORDS, ownBytes)) return;
  effects.word(argPtr(key), argLength(key));
  effects.word(argPtr(groupWord), argLength(groupWord));
  effects.kept(sizedPtr(name), nameBytes);
  effects.text("0");
  effectId(pending.ms, pending.seq);
  effects.text("TIME");
  effects.number(pending.deliveredMs);
  effects.text("RETRYCOUNT");
  effects.number(pending.deliveries);
  effects.text("FORCE");
  effects.text("JUSTID");
  effects.text("LASTID");
  effectId(group.lastMs, group.lastSeq);
  effects.handOver(nameBytes);
}

/** XGROUP SETID key group id ENTRIESREAD count */
export function effectGroupId(key: u32, groupWord: u32, group: Group): void {
  if (!effects.beginWith(Cmd.XGroupSetId, 6, EFFECT_ID_BYTES)) return;
  effects.text("SETID");
  effects.word(argPtr(key), argLength(key));
  effects.word(argPtr(groupWord), argLength(groupWord));
  effectId(group.lastMs, group.lastSeq);
  effects.text("ENTRIESREAD");
  effects.number(group.entriesRead);
}

/** XGROUP CREATECONSUMER key group consumer */
export function effectConsumer(key: u32, groupWord: u32, consumerWord: u32): void {
  if (!effects.begin(Cmd.XGroupCreateConsumer, 4)) return;
  effects.text("CREATECONSUMER");
  effects.word(argPtr(key), argLength(key));
  effects.word(argPtr(groupWord), argLength(groupWord));
  effects.word(argPtr(consumerWord), argLength(consumerWord));
}

/** The consumer that a word names, made if it is missing, seen now. @returns null = no memory, nothing changed */
export function seeConsumer(group: Group, key: u32, word: u32): Consumer | null {
  const existing = findConsumer(group, argPtr(word), argLength(word));
  if (existing !== null) {
    existing.seenMs = now();
    return existing;
  }
  const consumer = addConsumer(group, argPtr(word), argLength(word), now());
  if (consumer === null) return null;
  effects.counted(1);
  effects.event(KeyEvent.XgroupCreateconsumer, io().db, argPtr(key), argLength(key));
  return consumer;
}
