/**
 * What is pending goes to another consumer: XCLAIM, XAUTOCLAIM.
 * https://redis.io/docs/latest/commands/xclaim/ https://redis.io/docs/latest/commands/xautoclaim/
 */
import { Address, IoFlag } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { Find, openForWrite } from "../keyspace/keyspace";
import { alloc, allocReserved, free } from "../memory/allocator";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea } from "../state";
import { msOf, seqOf, treeAfter, treeFrom } from "../types/id-tree";
import { compareIds, findEntry, Stream, streamOf } from "../types/stream";
import {
  Consumer,
  findConsumer,
  findPending,
  Group,
  givePending,
  layPending,
  PENDING_BYTES,
  Pending,
  pendingAt,
  pendingOf,
  removePending,
} from "../types/stream-groups";
import {
  effectClaim,
  effectConsumer,
  effectGroupId,
  groupOf,
  hasRoomFor,
  noKeyOrGroup,
  now,
  seeConsumer,
} from "./stream-groups";
import {
  FIRST_ID,
  IdForm,
  idMs,
  idSeq,
  parseId,
  readId,
  readStart,
  replyEntry,
  replyId,
  SECOND_ID,
  setId,
} from "./stream-ids";
import { findStream, integerRead } from "./streams";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

// ---- XCLAIM

/** The options of XCLAIM. */
@final
@unmanaged
class Claim {
  minIdle: i64;
  deliveredMs: i64; // -1 = not given
  deliveries: i64; // below 0 = not given
  isForced: u32;
  isJustId: u32;
  isLastGiven: u32;
  idsEnd: u32; // the word behind the last id
}

const claim = changetype<Claim>(NUMBER + 64);
/** The id in hand, and LASTID. */
const ID: usize = FIRST_ID;
const LAST_ID: usize = SECOND_ID;

/** Reads word `index` as an integer into NUMBER, or answers an error of its own. */
function readIntegerOr(index: u32, text: string): bool {
  if (parseInt64(argPtr(index), argLength(index), NUMBER)) return true;
  reply.error(text);
  return false;
}

/** Reads min-idle-time. @returns false after an error was answered */
function readMinIdle(text: string): bool {
  memory.fill(changetype<usize>(claim), 0, offsetof<Claim>());
  if (!readIntegerOr(4, text)) return false;
  claim.minIdle = max<i64>(integerRead(), 0);
  return true;
}

function readClaim(argc: u32): bool {
  claim.deliveredMs = -1;
  claim.deliveries = -1;
  setId(LAST_ID, 0, 0);
  let i: u32 = 5;
  while (i < argc && parseId(argPtr(i), argLength(i), ID, 0, IdForm.Strict)) i += 1;
  claim.idsEnd = i;
  for (; i < argc; i++) {
    const word = argWord(i);
    const hasMore = i + 1 < argc;
    if (word === Word.FORCE) claim.isForced = 1;
    else if (word === Word.JUSTID) claim.isJustId = 1;
    else if (word === Word.IDLE && hasMore) {
      i += 1;
      if (!readIntegerOr(i, "ERR Invalid IDLE option argument for XCLAIM")) return false;
      claim.deliveredMs = now() - integerRead();
    } else if (word === Word.TIME && hasMore) {
      i += 1;
      if (!readIntegerOr(i, "ERR Invalid TIME option argument for XCLAIM")) return false;
      claim.deliveredMs = integerRead();
    } else if (argIs(i, "retrycount") && hasMore) {
      i += 1;
      if (!readIntegerOr(i, "ERR Invalid RETRYCOUNT option argument for XCLAIM")) return false;
      claim.deliveries = integerRead();
    } else if (word === Word.LASTID && hasMore) {
      i += 1;
      if (!readId(i, LAST_ID, 0, IdForm.Strict)) return false;
      claim.isLastGiven = 1;
    } else {
      reply.beginError("ERR Unrecognized XCLAIM option '");
      reply.errorWord(argPtr(i), argLength(i));
      reply.errorText("'");
      reply.endError();
      return false;
    }
  }
  const isReplay = (io().flags & IoFlag.Replay) !== 0;
  // A log may be read where the clock is behind the one it was written by.
  const isOdd = claim.deliveredMs < 0 || (claim.deliveredMs > now() && !isReplay);
  if (isOdd) claim.deliveredMs = now();
  return true;
}

export function xclaim(argc: u32): void {
  const entry = findStream(1, Find.None);
  if (reply.isFailed()) return;
  const group = groupOf(entry, 2);
  if (entry === null || group === null) return noKeyOrGroup(1, 2);
  if (!readMinIdle("ERR Invalid min-idle-time argument for XCLAIM") || !readClaim(argc)) return;
  const ids = claim.idsEnd - 5;
  if (!hasRoomFor(ids)) return reply.noMemory();
  // The words of the ids that were claimed: an array has its length in front.
  const claimed = alloc((ids << 2) + 4);
  if (claimed === 0) return reply.noMemory();
  openForWrite(entry);
  const isNew = findConsumer(group, argPtr(3), argLength(3)) === null;
  const consumer = seeConsumer(group, 1, 3);
  if (consumer === null) {
    free(claimed);
    return reply.noMemory();
  }
  const count = claimAll(streamOf(entry), group, consumer, claimed, isNew);
  replyClaimed(streamOf(entry), claimed, count);
  free(claimed);
}

/** Claims what the words name, and propagates it. @returns how many; their words' indices are at `claimed` */
function claimAll(s: Stream, group: Group, consumer: Consumer, claimed: usize, isNew: bool): u32 {
  const movesOn = compareIds(idMs(LAST_ID), idSeq(LAST_ID), group.lastMs, group.lastSeq) > 0;
  if (movesOn) {
    group.lastMs = idMs(LAST_ID);
    group.lastSeq = idSeq(LAST_ID);
  }
  let count: u32 = 0;
  let told: u32 = 0;
  for (let i: u32 = 5; i < claim.idsEnd; i++) {
    parseId(argPtr(i), argLength(i), ID, 0, IdForm.Strict);
    const pending = findPending(group, idMs(ID), idSeq(ID));
    if (!mayBePending(s)) {
      if (pending === null) continue;
      told += 1;
      effectClaim(1, 2, group, pending);
      removePending(group, pending);
      continue;
    }
    const taken = claimOne(group, consumer, pending);
    if (taken === null) continue;
    store<u32>(claimed + ((<usize>count) << 2), i);
    count += 1;
    effectClaim(1, 2, group, taken);
  }
  effects.counted(told + count);
  if (count === 0 && isNew) effectConsumer(1, 2, 3);
  if (movesOn && told + count === 0) {
    effectGroupId(1, 2, group);
    effects.counted(1);
  }
  return count;
}

/**
 * Whether the id in hand may be pending: there is such an entry. The rewrite of a log tells without LASTID what is pending, and that
 * may have been deleted since it was delivered.
 */
function mayBePending(s: Stream): bool {
  const isRewritten =
    (io().flags & IoFlag.Replay) !== 0 && claim.isForced !== 0 && !claim.isLastGiven;
  return isRewritten || findEntry(s, idMs(ID), idSeq(ID));
}

/** Gives the id in hand to a consumer, if it is pending and nobody was given it lately, or if it is forced. */
function claimOne(group: Group, consumer: Consumer, existing: Pending | null): Pending | null {
  let pending: Pending;
  if (existing === null) {
    if (!claim.isForced) return null;
    const block = allocReserved(PENDING_BYTES);
    pending = layPending(group, consumer, block, idMs(ID), idSeq(ID));
    pending.deliveries = 1;
  } else {
    pending = existing;
    if (claim.minIdle !== 0 && now() - pending.deliveredMs < claim.minIdle) return null;
  }
  pending.deliveredMs = claim.deliveredMs;
  if (claim.deliveries >= 0) pending.deliveries = claim.deliveries;
  else if (!claim.isJustId) pending.deliveries += 1;
  givePending(pending, consumer);
  consumer.activeMs = now();
  return pending;
}

function replyClaimed(s: Stream, claimed: usize, count: u32): void {
  reply.array(count);
  for (let i: u32 = 0; i < count; i++) {
    const word = load<u32>(claimed + ((<usize>i) << 2));
    parseId(argPtr(word), argLength(word), ID, 0, IdForm.Strict);
    replyClaim(s, idMs(ID), idSeq(ID));
  }
}

/** Answers one claimed entry, or its id alone. */
function replyClaim(s: Stream, ms: u64, seq: u64): void {
  if (claim.isJustId) return replyId(ms, seq);
  if (findEntry(s, ms, seq)) return replyEntry();
  reply.array(2);
  replyId(ms, seq);
  reply.nilArray();
}

// ---- XAUTOCLAIM

/** Entries looked at for each that is asked for. */
const ATTEMPTS: u64 = 10;
const COUNT_DEFAULT: i64 = 100;
const COUNT_MOST: i64 = i64.MAX_VALUE / 16;
/** More ids than any memory holds. */
const COUNT_THINKABLE: i64 = 1 << 43;

/** How far a walk over what is pending goes, and what it finds. */
@final
@unmanaged
class Found {
  lastMs: u64; // the last one looked at
  lastSeq: u64;
  nextMs: u64; // where the next walk goes on, 0-0 at the end
  nextSeq: u64;
  claimed: u32;
  missing: u32;
  looked: u64;
}

const found = changetype<Found>(NUMBER + 192);

export function xautoclaim(argc: u32): void {
  if (!readMinIdle("ERR Invalid min-idle-time argument for XAUTOCLAIM")) return;
  if (!readStart(5, ID)) return;
  let count = COUNT_DEFAULT;
  for (let i: u32 = 6; i < argc; i++) {
    const word = argWord(i);
    if (word === Word.COUNT && i + 1 < argc) {
      i += 1;
      if (!readIntegerOr(i, "ERR COUNT must be > 0")) return;
      count = integerRead();
      if (count < 1 || count > COUNT_MOST) return reply.error("ERR COUNT must be > 0");
    } else if (word === Word.JUSTID) claim.isJustId = 1;
    else return reply.syntaxError();
  }
  const entry = findStream(1, Find.None);
  if (reply.isFailed()) return;
  const group = groupOf(entry, 2);
  if (entry === null || group === null) return noKeyOrGroup(1, 2);
  if (count > COUNT_THINKABLE)
    return reply.error(
      "ERR Insufficient memory, failed allocating transient memory, COUNT too high.",
    );
  openForWrite(entry);
  const isNew = findConsumer(group, argPtr(3), argLength(3)) === null;
  const consumer = seeConsumer(group, 1, 3);
  if (consumer === null) return reply.noMemory();
  const s = streamOf(entry);
  survey(s, group, <u64>count);
  reply.array(3);
  replyId(found.nextMs, found.nextSeq);
  reply.array(found.claimed);
  claim.deliveredMs = now();
  claim.deliveries = -1;
  if (found.claimed > 0) claimFound(s, group, consumer);
  reply.array(found.missing);
  if (found.missing > 0) dropMissing(s, group);
  effects.counted(found.claimed + found.missing);
  if (isNew && found.claimed === 0) effectConsumer(1, 2, 3);
}

function isIdle(pending: Pending): bool {
  return claim.minIdle === 0 || now() - pending.deliveredMs >= claim.minIdle;
}

/** Looks how far COUNT reaches, and what is to be claimed and to be dropped. Changes nothing. */
function survey(s: Stream, group: Group, count: u64): void {
  memory.fill(changetype<usize>(found), 0, offsetof<Found>());
  const t = pendingOf(group);
  let at = treeFrom(t, idMs(ID), idSeq(ID));
  const most = count * ATTEMPTS;
  while (at !== 0 && count > 0 && found.looked < most) {
    found.looked += 1;
    found.lastMs = msOf(at);
    found.lastSeq = seqOf(at);
    if (!findEntry(s, msOf(at), seqOf(at))) {
      found.missing += 1;
      count -= 1;
    } else if (isIdle(pendingAt(at))) {
      found.claimed += 1;
      count -= 1;
    }
    at = treeAfter(t, msOf(at), seqOf(at));
  }
  if (at === 0) return;
  found.nextMs = msOf(at);
  found.nextSeq = seqOf(at);
}

/** The first that is pending from an id on, as far as was looked; 0 = there are no more. */
function pendingUpToLast(group: Group, ms: u64, seq: u64): usize {
  const at = treeFrom(pendingOf(group), ms, seq);
  if (at === 0) return 0;
  return compareIds(msOf(at), seqOf(at), found.lastMs, found.lastSeq) <= 0 ? at : 0;
}

/** Claims and answers what was found idle. */
function claimFound(s: Stream, group: Group, consumer: Consumer): void {
  const t = pendingOf(group);
  let at = pendingUpToLast(group, idMs(ID), idSeq(ID));
  for (let left = found.claimed; at !== 0 && left > 0; at = treeAfter(t, msOf(at), seqOf(at))) {
    const pending = pendingAt(at);
    if (!isIdle(pending) || !findEntry(s, pending.ms, pending.seq)) continue;
    if (claim.isJustId) replyId(pending.ms, pending.seq);
    else replyEntry();
    claimOne(group, consumer, pending);
    effectClaim(1, 2, group, pending);
    left -= 1;
  }
}

/** Drops and answers what is pending and is no entry any more. */
function dropMissing(s: Stream, group: Group): void {
  let at = pendingUpToLast(group, idMs(ID), idSeq(ID));
  while (at !== 0) {
    const ms = msOf(at);
    const seq = seqOf(at);
    if (!findEntry(s, ms, seq)) {
      replyId(ms, seq);
      effectClaim(1, 2, group, pendingAt(at));
      removePending(group, pendingAt(at));
    }
    const next = treeAfter(pendingOf(group), ms, seq);
    at = next === 0 ? 0 : pendingUpToLast(group, msOf(next), seqOf(next));
  }
}
