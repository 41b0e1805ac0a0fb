/** Commands on the entries of one stream. https://redis.io/docs/latest/commands/?group=stream */
import { Address, Cmd, IoFlag, KeyEvent, Limit } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { putCollection } from "../keyspace/collections";
import { Encoding, Entry, Type, typeOf } from "../keyspace/entry";
import { Find, find, openForWrite } from "../keyspace/keyspace";
import { free } from "../memory/allocator";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, limit, nowMs, ScratchArea } from "../state";
import {
  beginEntries,
  compareIds,
  entryMs,
  entrySeq,
  findLast,
  isTooLarge,
  newStream,
  nextEntry,
  payloadBytes,
  refreshFirst,
  Stream,
  streamAppend,
  streamDelete,
  streamOf,
  trimToId,
  trimToLength,
} from "../types/stream";
import { freeStreamPart } from "../types/stream-groups";
import {
  EFFECT_ID_BYTES,
  effectId,
  FIRST_ID,
  IdForm,
  idMs,
  idSeq,
  isLetter,
  isSeqGiven,
  readEnd,
  readId,
  readStart,
  replyEntry,
  replyId,
  SECOND_ID,
  setId,
} from "./stream-ids";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const STAR: u8 = 42;
const TILDE: u8 = 126;
const EQUALS: u8 = 61;
/** Entries that an approximate trim deletes at most, unless LIMIT says otherwise: so many nodes, and within these bounds. */
const TRIMMED_NODES: i64 = 100;
const TRIMMED_DEFAULT: i64 = 10_000;
const TRIMMED_MOST: i64 = 1_000_000;

/** The stream at word `index`, or null; `state.status` has Error after a key of another type was answered. */
export function findStream(index: u32, how: u32): Entry | null {
  const entry = find(argPtr(index), argLength(index), how);
  if (entry === null || typeOf(entry) === Type.Stream) return entry;
  reply.wrongType();
  return null;
}

/** Hangs a fresh stream under the key of word `index`. @returns null = no memory: the stream is freed */
export function storeStream(s: Stream, index: u32): Entry | null {
  const value = changetype<usize>(s);
  const key = argPtr(index);
  const entry = putCollection(null, key, argLength(index), Type.Stream, Encoding.Stream, value, 0);
  if (entry === null) while (freeStreamPart(s));
  return entry;
}

/** Reads word `index` as an integer into NUMBER. @returns false after the error was answered */
export function readInteger(index: u32): bool {
  if (parseInt64(argPtr(index), argLength(index), NUMBER)) return true;
  reply.notInteger();
  return false;
}

/** What `readInteger` read. */
export function integerRead(): i64 {
  return load<i64>(NUMBER);
}

// ---- how XADD and XTRIM trim

enum Strategy {
  None = 0,
  Length = 1,
  Id = 2,
}

/** The options of XADD and XTRIM. */
@final
@unmanaged
class Trim {
  strategy: u32;
  isApproximate: u32;
  most: u64; // length to trim to
  limit: i64;
  isLimitGiven: u32;
  mustExist: u32; // NOMKSTREAM
  isIdGiven: u32; // XADD: not `*`
  idIndex: u32; // XADD: the word of the id
}

const trim = changetype<Trim>(NUMBER + 64);
/** The id that is added, and the lowest that stays. */
const ADDED: usize = FIRST_ID;
const LOWEST: usize = SECOND_ID;

/** Reads the options up to XADD's id, or to the end. @returns false after an error was answered */
function readTrim(argc: u32, isAdd: bool): bool {
  memory.fill(changetype<usize>(trim), 0, offsetof<Trim>());
  let i: u32 = 2;
  for (; i < argc; i++) {
    const hasMore = i + 1 < argc;
    if (isAdd && isLetter(i, STAR)) break;
    const word = argWord(i);
    if (word === Word.MAXLEN && hasMore) {
      i = readStrategy(i, argc, Strategy.Length);
      if (i === 0) return false;
    } else if (word === Word.MINID && hasMore) {
      i = readStrategy(i, argc, Strategy.Id);
      if (i === 0) return false;
    } else if (word === Word.LIMIT && hasMore) {
      if (!readInteger(i + 1)) return false;
      trim.limit = integerRead();
      if (trim.limit < 0) return refuse("ERR The LIMIT argument must be >= 0.");
      trim.isLimitGiven = 1;
      i += 1;
    } else if (isAdd && argIs(i, "nomkstream")) trim.mustExist = 1;
    else if (isAdd) {
      if (!readId(i, ADDED, 0, IdForm.Partial)) return false;
      trim.isIdGiven = 1;
      break;
    } else {
      reply.syntaxError();
      return false;
    }
  }
  trim.idIndex = i;
  return judgeLimit(isAdd);
}

function refuse(text: string): bool {
  reply.error(text);
  return false;
}

/** Reads a strategy's threshold. @returns the index of its word, 0 after an error was answered */
function readStrategy(index: u32, argc: u32, strategy: u32): u32 {
  if (trim.strategy !== Strategy.None) {
    refuse("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    return 0;
  }
  let at = index + 1;
  trim.isApproximate = 0;
  if (index + 2 < argc && (isLetter(at, TILDE) || isLetter(at, EQUALS))) {
    trim.isApproximate = isLetter(at, TILDE) ? 1 : 0;
    at += 1;
  }
  if (strategy === Strategy.Length) {
    if (!readInteger(at)) return 0;
    if (integerRead() < 0) {
      refuse("ERR The MAXLEN argument must be >= 0.");
      return 0;
    }
    trim.most = <u64>integerRead();
  } else if (!readId(at, LOWEST, 0, IdForm.Strict)) return 0;
  trim.strategy = strategy;
  return at;
}

function judgeLimit(isAdd: bool): bool {
  if (trim.limit !== 0 && trim.strategy === Strategy.None)
    return refuse("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  if (!isAdd && trim.strategy === Strategy.None)
    return refuse("ERR syntax error, XTRIM must be called with a trimming strategy");
  if ((io().flags & IoFlag.Replay) !== 0) {
    // What a log tells is trimmed as far as it was.
    trim.limit = 0;
    return true;
  }
  if (trim.isLimitGiven) {
    if (!trim.isApproximate)
      return refuse("ERR syntax error, LIMIT cannot be used without the special ~ option");
    return true;
  }
  if (trim.isApproximate) {
    const most = <i64>limit(Limit.StreamNodeEntries) * TRIMMED_NODES;
    trim.limit = most <= 0 ? TRIMMED_DEFAULT : min(most, TRIMMED_MOST);
  }
  return true;
}

/** Trims as asked. @returns entries deleted */
function trimStream(s: Stream): u64 {
  const approximately = trim.isApproximate !== 0;
  if (trim.strategy === Strategy.Length)
    return trimToLength(s, trim.most, approximately, <u64>trim.limit);
  if (trim.strategy === Strategy.Id)
    return trimToId(s, idMs(LOWEST), idSeq(LOWEST), approximately, <u64>trim.limit);
  return 0;
}

/** Words that say how far the stream was trimmed: `MAXLEN = length` or `MINID = first id`. */
const TRIM_WORDS: u32 = 3;

function effectTrim(s: Stream): void {
  effects.text(trim.strategy === Strategy.Length ? "MAXLEN" : "MINID");
  effects.text("=");
  if (trim.strategy === Strategy.Length) return effects.number(s.length);
  const most = u64.MAX_VALUE;
  if (s.length === 0) effectId(most, most);
  else effectId(s.firstMs, s.firstSeq);
}

// ---- XADD

export function xadd(argc: u32): void {
  if (!readTrim(argc, true)) return;
  const first = trim.idIndex + 1;
  if (argc < first + 2 || ((argc - first) & 1) !== 0)
    return reply.error("ERR wrong number of arguments for 'xadd' command");
  const isWhole = trim.isIdGiven !== 0 && isSeqGiven(ADDED);
  if (isWhole && (idMs(ADDED) | idSeq(ADDED)) === 0)
    return reply.error("ERR The ID specified in XADD must be greater than 0-0");
  const existing = findStream(1, Find.Write);
  if (reply.isFailed()) return;
  if (existing === null && trim.mustExist) return reply.nil();
  const words = <usize>io().argvPtr + ((<usize>first) << 3);
  const fields = (argc - first) >> 1;
  if (existing !== null && !resolveId(streamOf(existing))) return;
  if (existing === null && !resolveFirstId()) return;
  if (isTooLarge(payloadBytes(words, fields)))
    return reply.error("ERR Elements are too large to be stored");
  const entry = existing === null ? addToFresh(words, fields) : addTo(existing, words, fields);
  if (entry === null) return reply.noMemory();
  const s = streamOf(entry);
  const key = argPtr(1);
  replyId(s.lastMs, s.lastSeq);
  effects.changedKey(KeyEvent.Xadd, key, argLength(1));
  if (trimStream(s) > 0) effects.event(KeyEvent.Xtrim, io().db, key, argLength(1));
  if (!isWhole || trim.isApproximate) propagateAdd(s, argc, first);
}

/** Works out the id that is added. @returns false after an error was answered */
function resolveId(s: Stream): bool {
  const most = u64.MAX_VALUE;
  if (s.lastMs === most && s.lastSeq === most)
    return refuse("ERR The stream has exhausted the last possible ID, unable to add more items");
  if (trim.isIdGiven) {
    const isSame = idMs(ADDED) === s.lastMs;
    if (!isSeqGiven(ADDED) && isSame) {
      if (s.lastSeq === most) return refuseId();
      setId(ADDED, s.lastMs, s.lastSeq + 1);
    }
  } else if (nowMs() > s.lastMs) setId(ADDED, nowMs(), 0);
  else if (s.lastSeq !== most) setId(ADDED, s.lastMs, s.lastSeq + 1);
  else setId(ADDED, s.lastMs + 1, 0);
  return compareIds(idMs(ADDED), idSeq(ADDED), s.lastMs, s.lastSeq) > 0 || refuseId();
}

function refuseId(): bool {
  return refuse("ERR The ID specified in XADD is equal or smaller than the target stream top item");
}

/** The same for a stream that is not there yet: the id given last is 0-0. */
function resolveFirstId(): bool {
  if (!trim.isIdGiven) setId(ADDED, nowMs(), nowMs() === 0 ? 1 : 0);
  else if (!isSeqGiven(ADDED) && idMs(ADDED) === 0) setId(ADDED, 0, 1);
  return true;
}

/** @returns null = no memory, nothing changed */
function addToFresh(words: usize, fields: u32): Entry | null {
  const s = newStream();
  if (s === null) return null;
  if (streamAppend(s, idMs(ADDED), idSeq(ADDED), words, fields)) return storeStream(s, 1);
  free(changetype<usize>(s));
  return null;
}

function addTo(entry: Entry, words: usize, fields: u32): Entry | null {
  openForWrite(entry);
  return streamAppend(streamOf(entry), idMs(ADDED), idSeq(ADDED), words, fields) ? entry : null;
}

/** Propagates the entry with the id it was given, trimmed as far as it was. */
function propagateAdd(s: Stream, argc: u32, first: u32): void {
  const trimWords = trim.strategy === Strategy.None ? 0 : TRIM_WORDS;
  if (!effects.beginWithRest(Cmd.XAdd, 3 + trimWords, 2 * EFFECT_ID_BYTES)) return;
  effects.word(argPtr(1), argLength(1));
  if (trim.isApproximate) effectTrim(s);
  else if (trimWords > 0) effectGivenTrim();
  effectId(idMs(ADDED), idSeq(ADDED));
  effects.rest(first, argc);
}

/** What an exact trim was asked for. */
function effectGivenTrim(): void {
  effects.text(trim.strategy === Strategy.Length ? "MAXLEN" : "MINID");
  effects.text("=");
  if (trim.strategy === Strategy.Length) effects.number(<i64>trim.most);
  else effectId(idMs(LOWEST), idSeq(LOWEST));
}

// ---- reading

export function xlen(): void {
  const entry = findStream(1, Find.None);
  if (reply.isFailed()) return;
  reply.integer(entry === null ? 0 : streamOf(entry).length);
}

/** Entries between two ids, at most `most` (0 = all). O(their number), O(1) of a whole stream */
export function countEntries(s: Stream, start: usize, end: usize, most: u64): u64 {
  const isAll =
    compareIds(idMs(start), idSeq(start), s.firstMs, s.firstSeq) <= 0 &&
    compareIds(idMs(end), idSeq(end), s.lastMs, s.lastSeq) >= 0;
  if (isAll) return most === 0 || most > s.length ? s.length : most;
  let count: u64 = 0;
  beginEntries(s, idMs(start), idSeq(start), idMs(end), idSeq(end), false);
  while ((most === 0 || count < most) && nextEntry()) count += 1;
  return count;
}

/** Answers an array of the entries between two ids, at most `most` (0 = all). */
export function replyRange(s: Stream, start: usize, end: usize, most: u64, reverse: bool): void {
  let count = countEntries(s, start, end, most);
  reply.array(<u32>count);
  beginEntries(s, idMs(start), idSeq(start), idMs(end), idSeq(end), reverse);
  for (; count > 0 && nextEntry(); count--) replyEntry();
}

export function xrange(argc: u32, reverse: bool): void {
  const start = FIRST_ID;
  const end = SECOND_ID;
  if (!readStart(reverse ? 3 : 2, start) || !readEnd(reverse ? 2 : 3, end)) return;
  let most: i64 = -1;
  for (let i: u32 = 4; i < argc; i += 2) {
    if (argWord(i) !== Word.COUNT || i + 1 >= argc) return reply.syntaxError();
    if (!readInteger(i + 1)) return;
    most = max<i64>(integerRead(), 0);
  }
  const entry = findStream(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null) return reply.array(0);
  if (most === 0) return reply.nilArray();
  replyRange(streamOf(entry), start, end, most < 0 ? 0 : <u64>most, reverse);
}

// ---- deleting

export function xdel(argc: u32): void {
  const entry = findStream(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  const place = FIRST_ID;
  for (let i: u32 = 2; i < argc; i++) if (!readId(i, place, 0, IdForm.Strict)) return;
  openForWrite(entry);
  const s = streamOf(entry);
  let deleted: u32 = 0;
  let isFirst = false;
  for (let i: u32 = 2; i < argc; i++) {
    readId(i, place, 0, IdForm.Strict);
    const ms = idMs(place);
    const seq = idSeq(place);
    if (!streamDelete(s, ms, seq)) continue;
    deleted += 1;
    if (ms === s.firstMs && seq === s.firstSeq) isFirst = true;
    if (compareIds(ms, seq, s.deletedMs, s.deletedSeq) > 0) {
      s.deletedMs = ms;
      s.deletedSeq = seq;
    }
  }
  if (deleted > 0) {
    if (isFirst || s.length === 0) refreshFirst(s);
    effects.changedKey(KeyEvent.Xdel, argPtr(1), argLength(1), deleted);
  }
  reply.integer(deleted);
}

export function xtrim(argc: u32): void {
  if (!readTrim(argc, false)) return;
  const entry = findStream(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  openForWrite(entry);
  const s = streamOf(entry);
  const deleted = trimStream(s);
  if (deleted > 0) {
    effects.changedKey(KeyEvent.Xtrim, argPtr(1), argLength(1), <u32>deleted);
    if (trim.isApproximate && effects.beginWith(Cmd.XTrim, 1 + TRIM_WORDS, EFFECT_ID_BYTES)) {
      effects.word(argPtr(1), argLength(1));
      effectTrim(s);
    }
  }
  reply.integer(deleted);
}

// ---- XSETID

export function xsetid(argc: u32): void {
  const id = FIRST_ID;
  const deleted = SECOND_ID;
  if (!readId(2, id, 0, IdForm.Strict)) return;
  setId(deleted, 0, 0);
  let added: i64 = -1;
  for (let i: u32 = 3; i < argc; i += 2) {
    const hasMore = i + 1 < argc;
    if (argIs(i, "entriesadded") && hasMore) {
      if (!readInteger(i + 1)) return;
      added = integerRead();
      if (added < 0) return reply.error("ERR entries_added must be positive");
    } else if (argIs(i, "maxdeletedid") && hasMore) {
      if (!readId(i + 1, deleted, 0, IdForm.Strict)) return;
      if (compareIds(idMs(id), idSeq(id), idMs(deleted), idSeq(deleted)) < 0)
        return reply.error(
          "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
        );
    } else return reply.syntaxError();
  }
  const entry = findStream(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.error("ERR no such key");
  if (!judgeSetId(streamOf(entry), id, added)) return;
  openForWrite(entry);
  const s = streamOf(entry);
  s.lastMs = idMs(id);
  s.lastSeq = idSeq(id);
  if (added !== -1) s.added = <u64>added;
  if ((idMs(deleted) | idSeq(deleted)) !== 0) {
    s.deletedMs = idMs(deleted);
    s.deletedSeq = idSeq(deleted);
  }
  effects.changed();
  effects.event(KeyEvent.Xsetid, io().db, argPtr(1), argLength(1));
  reply.ok();
}

function judgeSetId(s: Stream, id: usize, added: i64): bool {
  if (compareIds(idMs(id), idSeq(id), s.deletedMs, s.deletedSeq) < 0)
    return refuse("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  if (s.length === 0) return true;
  findLast(s);
  if (compareIds(idMs(id), idSeq(id), entryMs(), entrySeq()) < 0)
    return refuse("ERR The ID specified in XSETID is smaller than the target stream top item");
  if (added !== -1 && s.length > <u64>added)
    return refuse(
      "ERR The entries_added specified in XSETID is smaller than the target stream length",
    );
  return true;
}
