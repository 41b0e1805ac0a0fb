/**
 * Deadlines of fields, as Redis has them since 7.4 and 8.0. https://redis.io/docs/latest/commands/hexpire/ and its relatives.
 *
 * What is propagated is absolute and names what changed: HPEXPIREAT, HPERSIST, HSETEX PXAT, and HDEL for a deadline in the past.
 */
import { Address, Cmd, IoFlag, KeyEvent } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { Encoding, Entry, encodingOf } from "../keyspace/entry";
import { Find, openForWrite } from "../keyspace/keyspace";
import { isRoomFor } from "../memory/pages";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, nowMs, ScratchArea, state } from "../state";
import {
  findStoredValue,
  findValue,
  hashDelete,
  LATEST_DEADLINE,
  prepareDeadlines,
  setFieldDeadline,
  settleTiming,
  timedBlockBytes,
} from "../types/hash";
import { KEEP_DEADLINE } from "../types/hash-form";
import { reserveInPacked } from "../types/hash-packed";
import { expiryOption } from "./expiry";
import { changedFields, dropDue, dropIfEmpty, findHash, NO_ROOM, setPairs } from "./hashes";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
/** Fields of one propagated HPEXPIREAT, which names some of the request's: its record must fit the buffer of effects. */
const FIELDS_OF_COMMAND: u32 = 512;
/** So much the emergency reserve has for a command. */
const SMALL_BYTES: u64 = 65536;
const NO_FIELD: i64 = -2;
const NO_DEADLINE: i64 = -1;

enum Outcome {
  ConditionFailed = 0,
  Updated = 1,
  Deleted = 2,
}

enum Condition {
  None = 0,
  NX = 1,
  XX = 2,
  GT = 3,
  LT = 4,
}

function conditionOf(index: u32): Condition {
  const word = argWord(index);
  if (word === Word.NX) return Condition.NX;
  if (word === Word.XX) return Condition.XX;
  if (word === Word.GT) return Condition.GT;
  return word === Word.LT ? Condition.LT : Condition.None;
}

/** A field without a deadline counts as living for ever. */
function allows(condition: Condition, current: u64, at: u64): bool {
  if (condition === Condition.NX) return current === 0;
  if (condition === Condition.XX) return current !== 0;
  if (condition === Condition.GT) return current !== 0 && current < at;
  return condition !== Condition.LT || current === 0 || current > at;
}

// ---- arguments

/**
 * Reads FIELDS and the number of fields at word `at`.
 * @returns the first field's word, 0 after an error, `badCount` for a number that is none, was answered
 */
function readFields(at: u32, argc: u32, badCount: string): u32 {
  if (!argIs(at, "fields")) {
    reply.error("ERR Mandatory argument FIELDS is missing or not at the right position");
    return 0;
  }
  if (!parseInt64(argPtr(at + 1), argLength(at + 1), NUMBER) || load<i64>(NUMBER) < 1) {
    reply.error(badCount);
    return 0;
  }
  if (load<i64>(NUMBER) !== <i64>(argc - at - 2)) {
    reply.error("ERR The `numfields` parameter must match the number of arguments");
    return 0;
  }
  return at + 2;
}

function readFieldsOnly(argc: u32): u32 {
  return readFields(2, argc, "ERR Number of fields must be a positive integer");
}

/** The instant in ms that word `index` means; -1 after an error, `invalid` for one that is too late, was answered. */
function readInstant(index: u32, inSeconds: bool, isRelative: bool, invalid: string): i64 {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER)) {
    reply.notInteger();
    return -1;
  }
  let value = load<i64>(NUMBER);
  if (value < 0) {
    reply.error("ERR invalid expire time, must be >= 0");
    return -1;
  }
  const from = isRelative ? <i64>nowMs() : 0;
  let fits = !inSeconds || value <= LATEST_DEADLINE / 1000;
  if (fits && inSeconds) value *= 1000;
  fits = fits && value <= LATEST_DEADLINE - from;
  if (fits) return value + from;
  reply.error(invalid);
  return -1;
}

/** The same behind one of EX, PX, EXAT and PXAT. */
function instantOf(index: u32, word: u64, invalid: string): i64 {
  const inSeconds = word === Word.EX || word === Word.EXAT;
  return readInstant(index, inSeconds, word === Word.EX || word === Word.PX, invalid);
}

/** Whether what gets this deadline is deleted at once: not in replay, where the log says what is deleted. */
function isPast(at: i64): bool {
  return at <= <i64>nowMs() && (io().flags & IoFlag.Replay) === 0;
}

/** A deadline as fields keep it: 0 would be none. */
function kept(at: i64): u64 {
  return at === 0 ? 1 : <u64>at;
}

/**
 * Prepares a hash for other deadlines of the fields in words `first` to `end`, and sees to it that there is room for them.
 * @returns false = no memory, nothing changed. O(fields), packed O(n)
 */
function reserveDeadlines(hash: Entry, first: u32, end: u32): bool {
  if (!prepareDeadlines(hash, true)) return false;
  let fits: bool;
  if (encodingOf(hash) === Encoding.Packed) fits = reserveInPacked(hash, end - first);
  else {
    // Half as much again covers what sizes are rounded to.
    let bytes: u64 = 0;
    for (let i = first; i < end; i++) bytes += timedBlockBytes(hash, argPtr(i), argLength(i));
    fits = bytes < SMALL_BYTES || isRoomFor(bytes, bytes >> 1);
  }
  if (!fits) settleTiming(hash);
  return fits;
}

// ---- setting deadlines

function invalidTime(command: u32): string {
  if (command === Cmd.HExpire) return "ERR invalid expire time in 'hexpire' command";
  if (command === Cmd.HPExpire) return "ERR invalid expire time in 'hpexpire' command";
  if (command === Cmd.HExpireAt) return "ERR invalid expire time in 'hexpireat' command";
  return "ERR invalid expire time in 'hpexpireat' command";
}

/** HEXPIRE HPEXPIRE HEXPIREAT HPEXPIREAT */
export function hexpire(command: u32, argc: u32): void {
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  const inSeconds = command === Cmd.HExpire || command === Cmd.HExpireAt;
  const isRelative = command === Cmd.HExpire || command === Cmd.HPExpire;
  const at = readInstant(2, inSeconds, isRelative, invalidTime(command));
  if (at < 0) return;
  const condition = conditionOf(3);
  const first = readFields(
    condition === Condition.None ? 3 : 4,
    argc,
    "ERR Parameter `numFields` should be greater than 0",
  );
  if (first === 0) return;
  if (hash === null) return replyEach(argc - first, NO_FIELD);
  dropDue(hash, first, argc, 1);
  openForWrite(hash);
  if (!isPast(at) && !reserveDeadlines(hash, first, argc)) return reply.noMemory();
  let updated: u32 = 0;
  let deleted: u32 = 0;
  reply.array(argc - first);
  for (let i = first; i < argc; i++) {
    if (!findStoredValue(hash, argPtr(i), argLength(i))) {
      reply.integer(NO_FIELD);
      continue;
    }
    const outcome = allows(condition, state.fieldDeadline, kept(at))
      ? expireOne(hash, i, at)
      : Outcome.ConditionFailed;
    if (outcome === Outcome.Updated) updated += 1;
    else if (outcome === Outcome.Deleted) deleted += 1;
    reply.integer(outcome);
  }
  settleTiming(hash);
  if (updated + deleted === 0) return;
  changedFields(deleted > 0 ? KeyEvent.Hdel : KeyEvent.Hexpire, updated + deleted);
  if (updated > 0) propagateDeadlines(hash, first, argc, at);
  dropIfEmpty(hash);
}

function replyEach(fields: u32, code: i64): void {
  reply.array(fields);
  for (let i: u32 = 0; i < fields; i++) reply.integer(code);
}

/** Gives a field that is there a deadline, or deletes it if that is past. */
function expireOne(hash: Entry, index: u32, at: i64): Outcome {
  if (!isPast(at)) {
    setFieldDeadline(hash, argPtr(index), argLength(index), kept(at));
    return Outcome.Updated;
  }
  deleteOne(hash, index);
  return Outcome.Deleted;
}

/** Deletes a field, and propagates that. */
function deleteOne(hash: Entry, index: u32): void {
  const field = argPtr(index);
  effects.member(Cmd.HDel, argPtr(1), argLength(1), field, argLength(index));
  hashDelete(hash, field, argLength(index));
}

/** Propagates the deadline of all named fields that have it now. */
function propagateDeadlines(hash: Entry, first: u32, end: u32, at: i64): void {
  for (let from = first; from < end; from += FIELDS_OF_COMMAND) {
    const to = end - from < FIELDS_OF_COMMAND ? end : from + FIELDS_OF_COMMAND;
    let fields: u32 = 0;
    for (let i = from; i < to; i++) if (hasDeadline(hash, i, at)) fields += 1;
    if (fields === 0 || !effects.begin(Cmd.HPExpireAt, fields + 4)) continue;
    effects.word(argPtr(1), argLength(1));
    effects.number(at);
    effects.text("FIELDS");
    effects.number(fields);
    for (let i = from; i < to; i++)
      if (hasDeadline(hash, i, at)) effects.word(argPtr(i), argLength(i));
  }
}

function hasDeadline(hash: Entry, index: u32, at: i64): bool {
  const found = findStoredValue(hash, argPtr(index), argLength(index));
  return found && state.fieldDeadline === kept(at);
}

export function hpersist(argc: u32): void {
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  const first = readFieldsOnly(argc);
  if (first === 0) return;
  if (hash === null) return replyEach(argc - first, NO_FIELD);
  dropDue(hash, first, argc, 1);
  openForWrite(hash);
  if (!reserveDeadlines(hash, first, argc)) return reply.noMemory();
  let updated: u32 = 0;
  reply.array(argc - first);
  for (let i = first; i < argc; i++) {
    if (!findStoredValue(hash, argPtr(i), argLength(i))) reply.integer(NO_FIELD);
    else if (state.fieldDeadline === 0) reply.integer(NO_DEADLINE);
    else {
      setFieldDeadline(hash, argPtr(i), argLength(i), 0);
      updated += 1;
      reply.integer(Outcome.Updated);
    }
  }
  settleTiming(hash);
  if (updated > 0) changedFields(KeyEvent.Hpersist, 1);
}

// ---- reading deadlines

/** HTTL HPTTL HEXPIRETIME HPEXPIRETIME: seconds are rounded up. */
export function httl(argc: u32, inSeconds: bool, isRelative: bool): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  const first = readFieldsOnly(argc);
  if (first === 0) return;
  const from = isRelative ? <i64>nowMs() : 0;
  reply.array(argc - first);
  for (let i = first; i < argc; i++) {
    if (hash === null || !findValue(hash, argPtr(i), argLength(i))) reply.integer(NO_FIELD);
    else if (state.fieldDeadline === 0) reply.integer(NO_DEADLINE);
    else {
      const left = <i64>state.fieldDeadline - from;
      reply.integer(inSeconds ? (left + 999) / 1000 : left);
    }
  }
}

// ---- values and deadlines together

/** Answers the values of the fields of words from `first` on; of those there are none. */
function replyNils(fields: u32): void {
  reply.array(fields);
  for (let i: u32 = 0; i < fields; i++) reply.nil();
}

/** https://redis.io/docs/latest/commands/hgetdel/ */
export function hgetdel(argc: u32): void {
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  const first = readFieldsOnly(argc);
  if (first === 0) return;
  if (hash === null) return replyNils(argc - first);
  dropDue(hash, first, argc, 1);
  openForWrite(hash);
  let deleted: u32 = 0;
  reply.array(argc - first);
  for (let i = first; i < argc; i++) {
    if (!findStoredValue(hash, argPtr(i), argLength(i))) {
      reply.nil();
      continue;
    }
    reply.bulk(state.valuePtr, state.valueLength);
    deleteOne(hash, i);
    deleted += 1;
  }
  settleTiming(hash);
  if (deleted === 0) return;
  changedFields(KeyEvent.Hdel, deleted);
  dropIfEmpty(hash);
}

/** What HGETEX does to the deadlines. */
enum Getex {
  Nothing = 0,
  Set = 1,
  Persist = 2,
}

/** https://redis.io/docs/latest/commands/hgetex/ */
export function hgetex(argc: u32): void {
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  const word = argWord(2);
  let action = word === Word.PERSIST ? Getex.Persist : Getex.Nothing;
  let fieldsAt: u32 = action === Getex.Persist ? 3 : 2;
  let at: i64 = 0;
  if (expiryOption(word) !== 0) {
    action = Getex.Set;
    fieldsAt = 4;
    at = instantOf(3, word, "ERR invalid expire time in 'hgetex' command");
    if (at < 0) return;
  }
  if (fieldsAt + 1 >= argc)
    return reply.error("ERR wrong number of arguments for 'hgetex' command");
  const first = readFields(fieldsAt, argc, "ERR Number of fields must be a positive integer");
  if (first === 0) return;
  if (hash === null) return replyNils(argc - first);
  dropDue(hash, first, argc, 1);
  if (action === Getex.Nothing) return replyValues(hash, first, argc);
  openForWrite(hash);
  const isToStay = action === Getex.Persist || !isPast(at);
  if (isToStay && !reserveDeadlines(hash, first, argc)) return reply.noMemory();
  getAndExpire(hash, first, argc, action, at);
}

function replyValues(hash: Entry, first: u32, end: u32): void {
  reply.array(end - first);
  for (let i = first; i < end; i++) {
    if (findValue(hash, argPtr(i), argLength(i))) reply.bulk(state.valuePtr, state.valueLength);
    else reply.nil();
  }
}

function getAndExpire(hash: Entry, first: u32, end: u32, action: Getex, at: i64): void {
  let updated: u32 = 0;
  let deleted: u32 = 0;
  reply.array(end - first);
  for (let i = first; i < end; i++) {
    if (!findStoredValue(hash, argPtr(i), argLength(i))) {
      reply.nil();
      continue;
    }
    reply.bulk(state.valuePtr, state.valueLength);
    if (action === Getex.Persist) {
      if (state.fieldDeadline === 0) continue;
      setFieldDeadline(hash, argPtr(i), argLength(i), 0);
      updated += 1;
    } else if (expireOne(hash, i, at) === Outcome.Updated) updated += 1;
    else deleted += 1;
  }
  settleTiming(hash);
  if (updated + deleted === 0) return;
  if (action === Getex.Persist) {
    changedFields(KeyEvent.Hpersist, updated);
    return propagatePersist(first, end);
  }
  changedFields(deleted > 0 ? KeyEvent.Hdel : KeyEvent.Hexpire, updated + deleted);
  if (updated > 0) propagateDeadlines(hash, first, end, at);
  dropIfEmpty(hash);
}

function propagatePersist(first: u32, end: u32): void {
  if (!effects.beginWithRest(Cmd.HPersist, 4, 0)) return;
  effects.word(argPtr(1), argLength(1));
  effects.text("FIELDS");
  effects.number(end - first);
  effects.rest(first, end);
}

enum HsetexFlag {
  Fnx = 1, // none of the fields may be there
  Fxx = 2, // all of them must be
  Keep = 4,
  Until = 8, // there is a deadline,
  Absolute = 16, // and it came in absolute milliseconds
}

const HSETEX_WORDS: string = "ERR wrong number of arguments for 'hsetex' command";
const ONE_CONDITION: u32 = HsetexFlag.Fnx | HsetexFlag.Fxx;
const ONE_EXPIRY: u32 = HsetexFlag.Keep | HsetexFlag.Until;
/** Where the words that HSETEX has read lie: flags u32, first word of the pairs u32, deadline i64. */
const READ: usize = Address.Scratch + ScratchArea.Argument + 16;

/** What an option word of HSETEX asks for, 0 = it is none. */
function hsetexFlag(word: u64): u32 {
  if (word === Word.FNX) return HsetexFlag.Fnx;
  if (word === Word.FXX) return HsetexFlag.Fxx;
  if (word === Word.KEEPTTL) return HsetexFlag.Keep;
  if (word === Word.PXAT) return HsetexFlag.Until | HsetexFlag.Absolute;
  return expiryOption(word) !== 0 ? HsetexFlag.Until : 0;
}

function fail(error: string): bool {
  reply.error(error);
  return false;
}

/** Reads the words of HSETEX from word 2 on. @returns false after an error was answered */
function readHsetex(argc: u32): bool {
  let flags: u32 = 0;
  let i: u32 = 2;
  while (i < argc && !argIs(i, "fields")) {
    const word = argWord(i);
    const flag = hsetexFlag(word);
    if (flag === 0) {
      reply.errorAbout("ERR unknown argument: ", argPtr(i), argLength(i));
      return false;
    }
    if (bothOf(flags, flag, ONE_CONDITION))
      return fail("ERR Only one of FXX or FNX arguments can be specified");
    if (bothOf(flags, flag, ONE_EXPIRY))
      return fail("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
    flags |= flag;
    i += 1;
    if ((flag & HsetexFlag.Until) === 0) continue;
    if (i >= argc) return fail("ERR missing expire time");
    store<i64>(READ, instantOf(i, word, "ERR invalid expire time in 'hsetex' command"), 8);
    if (reply.isFailed()) return false;
    i += 1;
  }
  store<u32>(READ, flags);
  store<u32>(READ, i + 2, 4);
  return readPairs(i, argc);
}

/** Whether two options are of a kind of which there may be one. */
function bothOf(a: u32, b: u32, kind: u32): bool {
  return (a & kind) !== 0 && (b & kind) !== 0;
}

/** Judges FIELDS at word `at`, its number and the pairs. */
function readPairs(at: u32, argc: u32): bool {
  if (at + 3 >= argc) return fail(HSETEX_WORDS);
  const isNumber = parseInt64(argPtr(at + 1), argLength(at + 1), NUMBER);
  const fields = load<i64>(NUMBER);
  if (!isNumber || fields < 1 || fields > <i64>i32.MAX_VALUE)
    return fail("ERR invalid number of fields");
  return <i64>(argc - at - 2) === fields << 1 || fail(HSETEX_WORDS);
}

/** https://redis.io/docs/latest/commands/hsetex/ */
export function hsetex(argc: u32): void {
  if (!readHsetex(argc)) return;
  const flags = load<u32>(READ);
  const first = load<u32>(READ, 4);
  const at = load<i64>(READ, 8);
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  if (hash !== null) dropDue(hash, first, argc, 2);
  if (!isConditionMet(hash, flags, first, argc)) return reply.integer(0);
  const fields = (argc - first) >> 1;
  if ((flags & HsetexFlag.Until) !== 0 && isPast(at)) return setInPast(hash, first, argc);
  let deadline: u64 = 0;
  if ((flags & HsetexFlag.Keep) !== 0) deadline = KEEP_DEADLINE;
  if ((flags & HsetexFlag.Until) !== 0) deadline = kept(at);
  if (setPairs(hash, first, argc, deadline) === NO_ROOM) return reply.noMemory();
  changedFields(KeyEvent.Hset, fields);
  if ((flags & HsetexFlag.Until) !== 0) {
    effects.concernedKey(KeyEvent.Hexpire, argPtr(1), argLength(1));
    if ((flags & HsetexFlag.Absolute) === 0) propagatePairs(first, argc, at);
  }
  reply.integer(1);
}

function isConditionMet(hash: Entry | null, flags: u32, first: u32, end: u32): bool {
  if ((flags & ONE_CONDITION) === 0) return true;
  const wanted = (flags & HsetexFlag.Fxx) !== 0;
  for (let i = first; i < end; i += 2)
    if ((hash !== null && findValue(hash, argPtr(i), argLength(i))) !== wanted) return false;
  return true;
}

/** Fields that are set with a deadline in the past are set and gone: those there were are deleted. */
function setInPast(hash: Entry | null, first: u32, end: u32): void {
  if (hash !== null) openForWrite(hash);
  for (let i = first; i < end; i += 2) {
    if (hash !== null) deleteOne(hash, i);
    else effects.member(Cmd.HDel, argPtr(1), argLength(1), argPtr(i), argLength(i));
  }
  changedFields(KeyEvent.Hset, (end - first) >> 1);
  effects.concernedKey(KeyEvent.Hdel, argPtr(1), argLength(1));
  if (hash === null) effects.concernedKey(KeyEvent.Del, argPtr(1), argLength(1));
  else {
    settleTiming(hash);
    dropIfEmpty(hash);
  }
  reply.integer(1);
}

/** Propagates the pairs with the absolute deadline, without conditions: these were met. */
function propagatePairs(first: u32, end: u32, at: i64): void {
  if (!effects.beginWithRest(Cmd.HSetEx, 6, 0)) return;
  effects.word(argPtr(1), argLength(1));
  effects.text("PXAT");
  effects.number(at);
  effects.text("FIELDS");
  effects.number((end - first) >> 1);
  effects.rest(first, end);
}
