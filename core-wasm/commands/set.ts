/** Commands that set strings whole, and DELIFEQ, which belongs to SET IFEQ. https://redis.io/docs/latest/commands/set/ */
import { Address, Cmd, KeyEvent, PAGE_BYTES } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { deadlineOf, Entry } from "../keyspace/entry";
import { Find, find, removeEntry } from "../keyspace/keyspace";
import { putString } from "../keyspace/strings";
import { ALL_SPANS_BYTES, alloc, CLASS_COUNT, free, SCARCE_BYTES } from "../memory/allocator";
import { availableBytes, isRoomFor } from "../memory/pages";
import * as reply from "../reply";
import { ensure, ScratchArea } from "../state";
import { isString, spells } from "../types/string";
import { deadlineArg, Expiry, expiryOption } from "./expiry";

/** Where `setOptions` leaves the places of words: of the expiry's number, of the value to compare with. */
const EXPIRY_INDEX: usize = Address.Scratch + ScratchArea.Argument + 8;
const COMPARED_INDEX: usize = EXPIRY_INDEX + 4;
/** Bytes a key costs beyond key and value, at the most: header, deadline, its share of the table. */
const KEY_OVERHEAD_BYTES: u64 = 128;
/** Blocks that the first key of a database, or the first member of a table or tree, needs beside. */
const FIRST_BYTES: u64 = 4096;
/** Key and value up to this length never need a block of more than a page. */
const SHORT_WORD_BYTES: u32 = 4000;

/**
 * Whether storing `keys` keys, `bytes` long with their values and the longest word of `longest` bytes, cannot fail. The
 * worst case is twice the bytes (classes and pages rounded up) and a fresh page for every class used; where the allocator still makes
 * spans, a fresh one of each kind. O(1)
 */
export function isRoomCertain(keys: u32, bytes: u64, longest: u32): bool {
  const freshPages: u64 = keys * 2 < CLASS_COUNT ? keys * 2 : CLASS_COUNT;
  const spans =
    longest > SHORT_WORD_BYTES && availableBytes() >= SCARCE_BYTES ? ALL_SPANS_BYTES : 0;
  const blocks = bytes * 2 + KEY_OVERHEAD_BYTES * keys + FIRST_BYTES;
  const slack = freshPages * PAGE_BYTES + spans;
  if (longest > SHORT_WORD_BYTES) {
    // What is available may lie in pieces: a run that was to be had once is to be had again.
    const needed = blocks + slack;
    const run = needed > availableBytes() ? 0 : alloc(<u32>needed);
    if (run === 0) return false;
    free(run);
  }
  return isRoomFor(blocks, slack);
}

/** SET's options beside those of `Expiry`. */
enum SetFlag {
  NX = 1,
  XX = 2,
  IfEq = 4,
  Get = 8,
  KeepTtl = 16,
}
const CONDITIONS: u32 = SetFlag.NX | SetFlag.XX | SetFlag.IfEq;
const TIMES: u32 = Expiry.Any | SetFlag.KeepTtl;
const BAD_OPTION: u32 = 0x8000_0000;

/** The flag of an option word, 0 if it is none. */
function setOption(word: u64): u32 {
  if (word === Word.NX) return SetFlag.NX;
  if (word === Word.XX) return SetFlag.XX;
  if (word === Word.GET) return SetFlag.Get;
  if (word === Word.IFEQ) return SetFlag.IfEq;
  return word === Word.KEEPTTL ? SetFlag.KeepTtl : expiryOption(word);
}

/** Options that exclude the one given. */
function excludedBy(flag: u32): u32 {
  if ((flag & CONDITIONS) !== 0) return CONDITIONS & ~flag;
  return (flag & TIMES) !== 0 ? TIMES & ~flag : 0;
}

/** Reads SET's options; the places of their words go to scratch. @returns flags, or BAD_OPTION */
function setOptions(argc: u32): u32 {
  let flags: u32 = 0;
  for (let i: u32 = 3; i < argc; i++) {
    const flag = setOption(argWord(i));
    if (flag === 0 || (flags & excludedBy(flag)) !== 0) return BAD_OPTION;
    flags |= flag;
    if ((flag & (Expiry.Any | SetFlag.IfEq)) === 0) continue;
    i += 1;
    if (i >= argc) return BAD_OPTION;
    store<u32>(flag === SetFlag.IfEq ? COMPARED_INDEX : EXPIRY_INDEX, i);
  }
  return flags;
}

function isRefused(existing: Entry | null, flags: u32): bool {
  if ((flags & CONDITIONS) === 0) return false;
  if (existing === null) return (flags & SetFlag.NX) === 0;
  if ((flags & SetFlag.IfEq) === 0) return (flags & SetFlag.NX) !== 0;
  const compared = load<u32>(COMPARED_INDEX);
  return !spells(existing, argPtr(compared), argLength(compared));
}

/** Writes word `value` to key 1 and leaves SET's effects. @returns false = no memory */
function storeKey(existing: Entry | null, value: u32, flags: u32, deadline: u64): bool {
  const key = argPtr(1);
  const length = argLength(1);
  if (putString(existing, key, length, argPtr(value), argLength(value), deadline) === null)
    return false;
  effects.changedKey(KeyEvent.Set, key, length);
  const expires = (flags & Expiry.Any) !== 0;
  if (expires) effects.concernedKey(KeyEvent.Expire, key, length);
  // Relative deadlines would start anew on replay, nobody reads the reply of a GET there, and Redis 7 knows no IFEQ.
  if (!expires && (flags & (SetFlag.Get | SetFlag.IfEq)) === 0) return true;
  const keeps = (flags & SetFlag.KeepTtl) !== 0;
  if (!effects.begin(Cmd.Set, expires ? 4 : keeps ? 3 : 2)) return true;
  effects.word(key, length);
  effects.word(argPtr(value), argLength(value));
  if (keeps) effects.text("KEEPTTL");
  if (expires) {
    effects.text("PXAT");
    effects.number(<i64>deadline);
  }
  return true;
}

enum Outcome {
  Stored,
  Refused,
  Answered, // by the old value, or an error
}

/** Sets key 1 to word `value` if the conditions allow it; the deadline is absolute, 0 = none. */
function setKey(value: u32, flags: u32, deadline: u64): Outcome {
  const wantsOld = (flags & SetFlag.Get) !== 0;
  const existing = find(argPtr(1), argLength(1), wantsOld ? Find.None : Find.Write);
  if ((flags & (SetFlag.Get | SetFlag.IfEq)) !== 0 && existing !== null && !isString(existing)) {
    reply.wrongType();
    return Outcome.Answered;
  }
  // With the old value answered there is no way back: what the new one needs must be certain before.
  const newBytes = argLength(1) + argLength(value);
  if (wantsOld && !isRoomCertain(1, newBytes, newBytes)) {
    reply.noMemory();
    return Outcome.Answered;
  }
  if (wantsOld) {
    if (existing === null) reply.nil();
    else reply.bulkOf(existing);
  }
  if (isRefused(existing, flags)) return wantsOld ? Outcome.Answered : Outcome.Refused;
  if ((flags & SetFlag.KeepTtl) !== 0 && existing !== null) deadline = deadlineOf(existing);
  const stored = storeKey(existing, value, flags, deadline);
  ensure(stored || !wantsOld, 601, argLength(value));
  if (!stored) reply.noMemory();
  return stored && !wantsOld ? Outcome.Stored : Outcome.Answered;
}

function answerOk(outcome: Outcome): void {
  if (outcome === Outcome.Stored) reply.ok();
  else if (outcome === Outcome.Refused) reply.nil();
}

export function set(argc: u32): void {
  const flags = argc === 3 ? 0 : setOptions(argc);
  if (flags === BAD_OPTION) return reply.syntaxError();
  let deadline: u64 = 0;
  if ((flags & Expiry.Any) !== 0) {
    const index = load<u32>(EXPIRY_INDEX);
    deadline = deadlineArg(index, flags, "ERR invalid expire time in 'set' command");
    if (deadline === 0) return;
  }
  answerOk(setKey(2, flags, deadline));
}

export function setnx(): void {
  const outcome = setKey(2, SetFlag.NX, 0);
  if (outcome !== Outcome.Answered) reply.integer(outcome === Outcome.Stored ? 1 : 0);
}

export function setex(): void {
  const deadline = deadlineArg(2, Expiry.Seconds, "ERR invalid expire time in 'setex' command");
  if (deadline !== 0) answerOk(setKey(3, Expiry.Seconds, deadline));
}

export function psetex(): void {
  const invalid = "ERR invalid expire time in 'psetex' command";
  const deadline = deadlineArg(2, Expiry.Milliseconds, invalid);
  if (deadline !== 0) answerOk(setKey(3, Expiry.Milliseconds, deadline));
}

export function getset(): void {
  setKey(2, SetFlag.Get, 0);
}

/** Sets every pair, or, if there is no memory for all of them, none. @returns whether it did */
function setPairs(argc: u32): bool {
  // What every key could cost must be certain before the first is written.
  let bytes: u64 = 0;
  let longest: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    bytes += argLength(i);
    if (argLength(i) > longest) longest = argLength(i);
  }
  if (!isRoomCertain(argc >> 1, bytes, longest)) {
    reply.noMemory();
    return false;
  }
  for (let i: u32 = 1; i < argc; i += 2) {
    const existing = find(argPtr(i), argLength(i), Find.Write);
    const entry = putString(existing, argPtr(i), argLength(i), argPtr(i + 1), argLength(i + 1), 0);
    ensure(entry !== null, 602, i);
    effects.changedKey(KeyEvent.Set, argPtr(i), argLength(i));
  }
  return true;
}

export function mset(argc: u32): void {
  if ((argc & 1) === 0) return reply.error("ERR wrong number of arguments for 'mset' command");
  if (setPairs(argc)) reply.ok();
}

export function msetnx(argc: u32): void {
  if ((argc & 1) === 0) return reply.error("ERR wrong number of arguments for 'msetnx' command");
  for (let i: u32 = 1; i < argc; i += 2)
    if (find(argPtr(i), argLength(i), Find.Write) !== null) return reply.integer(0);
  if (setPairs(argc)) reply.integer(1);
}

/** https://valkey.io/commands/delifeq/ */
export function delifeq(): void {
  const entry = find(argPtr(1), argLength(1), Find.Write);
  if (entry === null) return reply.integer(0);
  if (!isString(entry)) return reply.wrongType();
  if (!spells(entry, argPtr(2), argLength(2))) return reply.integer(0);
  removeEntry(entry);
  effects.changedKey(KeyEvent.Del, argPtr(1), argLength(1));
  if (effects.begin(Cmd.Del, 1)) effects.word(argPtr(1), argLength(1));
  reply.integer(1);
}
