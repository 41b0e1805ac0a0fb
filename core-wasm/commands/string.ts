/** String commands. https://redis.io/docs/latest/commands/?group=string */
import { Address, Cmd, KeyEvent, PAGE_BYTES } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { deadlineOf, Entry } from "../keyspace/entry";
import { Find, find } from "../keyspace/keyspace";
import { appendString, putInteger, putString } from "../keyspace/strings";
import { alloc, CLASS_COUNT, free } from "../memory/allocator";
import { availableBytes } from "../memory/pages";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ensure, nowMs, ScratchArea, state } from "../state";
import { integerOf, isInteger, isString, stringBytes, stringLength } from "../types/string";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
/** Bytes a key costs beyond key and value, at the most: header, deadline, its share of the table. */
const KEY_OVERHEAD_BYTES: u64 = 128;
/** Key and value up to this length never need a block of more than a page. */
const SHORT_WORD_BYTES: u32 = 8192;

/** Parses word `index` into NUMBER. */
function integerArg(index: u32): bool {
  return parseInt64(argPtr(index), argLength(index), NUMBER);
}

/**
 * Whether storing `keys` keys, `bytes` long with their values and the longest word of `longest` bytes, cannot fail. The
 * worst case is twice the bytes (classes and pages rounded up) and a fresh page for every class used. O(1)
 */
function isRoomCertain(keys: u32, bytes: u64, longest: u32): bool {
  const freshPages: u64 = keys * 2 < CLASS_COUNT ? keys * 2 : CLASS_COUNT;
  const needed = bytes * 2 + KEY_OVERHEAD_BYTES * keys + freshPages * PAGE_BYTES;
  if (needed > availableBytes()) return false;
  if (longest <= SHORT_WORD_BYTES) return true;
  // What is available may lie in pieces: a run that was to be had once is to be had again.
  const run = alloc(<u32>needed);
  if (run !== 0) free(run);
  return run !== 0;
}

export function get(): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.nil();
  if (!isString(entry)) return reply.wrongType();
  reply.bulkOf(entry);
}

enum SetFlag {
  NX = 1,
  XX = 2,
  Get = 4,
  KeepTtl = 8,
  Seconds = 16,
  Milliseconds = 32,
  AtSeconds = 64,
  AtMilliseconds = 128,
}
const ANY_EXPIRY: u32 =
  SetFlag.Seconds | SetFlag.Milliseconds | SetFlag.AtSeconds | SetFlag.AtMilliseconds;
const BAD_OPTION: u32 = 0x8000_0000;

/** The flag of option word `index`, 0 if it is none. */
function setOption(index: u32): u32 {
  const word = argWord(index);
  if (word === Word.NX) return SetFlag.NX;
  if (word === Word.XX) return SetFlag.XX;
  if (word === Word.EX) return SetFlag.Seconds;
  if (word === Word.PX) return SetFlag.Milliseconds;
  if (word === Word.GET) return SetFlag.Get;
  if (word === Word.EXAT) return SetFlag.AtSeconds;
  if (word === Word.PXAT) return SetFlag.AtMilliseconds;
  return word === Word.KEEPTTL ? SetFlag.KeepTtl : 0;
}

/** Options that exclude the one given. */
function excludedBy(flag: u32): u32 {
  if (flag === SetFlag.NX) return SetFlag.XX;
  if (flag === SetFlag.XX) return SetFlag.NX;
  if (flag === SetFlag.Get) return 0;
  return flag === SetFlag.KeepTtl ? ANY_EXPIRY : (ANY_EXPIRY | SetFlag.KeepTtl) & ~flag;
}

/** Reads SET's options; the word of the expiry goes to `expiryIndex` in scratch. @returns flags, or BAD_OPTION */
function setOptions(argc: u32): u32 {
  let flags: u32 = 0;
  for (let i: u32 = 3; i < argc; i++) {
    const flag = setOption(i);
    if (flag === 0 || (flags & excludedBy(flag)) !== 0) return BAD_OPTION;
    flags |= flag;
    if ((flag & ANY_EXPIRY) === 0) continue;
    i += 1;
    if (i >= argc) return BAD_OPTION;
    store<u32>(NUMBER, i, 8);
  }
  return flags;
}

/** The absolute deadline that the expiry option asks for, 0 after an error was answered. */
function setDeadlineMs(flags: u32): u64 {
  if (!integerArg(load<u32>(NUMBER, 8))) {
    reply.notInteger();
    return 0;
  }
  let value = load<i64>(NUMBER);
  const inSeconds = (flags & (SetFlag.Seconds | SetFlag.AtSeconds)) !== 0;
  const relative = (flags & (SetFlag.Seconds | SetFlag.Milliseconds)) !== 0;
  const tooLarge = inSeconds && value > i64.MAX_VALUE / 1000;
  if (value <= 0 || tooLarge) {
    reply.error("ERR invalid expire time in 'set' command");
    return 0;
  }
  if (inSeconds) value *= 1000;
  if (relative) {
    if (value > i64.MAX_VALUE - <i64>nowMs()) {
      reply.error("ERR invalid expire time in 'set' command");
      return 0;
    }
    value += <i64>nowMs();
  }
  return <u64>value;
}

/** Writes the value and leaves SET's effects. @returns false = no memory */
function storeSet(existing: Entry | null, deadline: u64, flags: u32): bool {
  const key = argPtr(1);
  const length = argLength(1);
  if (putString(existing, key, length, argPtr(2), argLength(2), deadline) === null) return false;
  effects.changedKey(KeyEvent.Set, key, length);
  const expires = (flags & ANY_EXPIRY) !== 0;
  if (expires) effects.changedKey(KeyEvent.Expire, key, length);
  // Relative deadlines would start anew on replay, and nobody reads the reply of a GET there.
  if (!expires && (flags & SetFlag.Get) === 0) return true;
  const keeps = (flags & SetFlag.KeepTtl) !== 0;
  if (!effects.begin(Cmd.Set, expires ? 4 : keeps ? 3 : 2)) return true;
  effects.word(key, length);
  effects.word(argPtr(2), argLength(2));
  if (keeps) effects.text("KEEPTTL");
  if (expires) {
    effects.text("PXAT");
    effects.number(<i64>deadline);
  }
  return true;
}

export function set(argc: u32): void {
  const flags = argc === 3 ? 0 : setOptions(argc);
  if (flags === BAD_OPTION) return reply.syntaxError();
  let deadline: u64 = 0;
  if ((flags & ANY_EXPIRY) !== 0) {
    deadline = setDeadlineMs(flags);
    if (deadline === 0) return;
  }
  const wantsOld = (flags & SetFlag.Get) !== 0;
  const existing = find(argPtr(1), argLength(1), wantsOld ? Find.None : Find.Write);
  // With the old value answered there is no way back: what the new one needs must be certain before.
  const newBytes = argLength(1) + argLength(2);
  if (wantsOld && !isRoomCertain(1, newBytes, newBytes)) return reply.noMemory();
  if (wantsOld) {
    if (existing === null) reply.nil();
    else if (!isString(existing)) return reply.wrongType();
    else reply.bulkOf(existing);
  }
  const refused = existing === null ? flags & SetFlag.XX : flags & SetFlag.NX;
  if (refused !== 0) {
    if (!wantsOld) reply.nil();
    return;
  }
  if ((flags & SetFlag.KeepTtl) !== 0 && existing !== null) deadline = deadlineOf(existing);
  const stored = storeSet(existing, deadline, flags);
  ensure(stored || !wantsOld, 601, argLength(2));
  if (!stored) return reply.noMemory();
  if (!wantsOld) reply.ok();
}

export function mget(argc: u32): void {
  reply.array(argc - 1);
  for (let i: u32 = 1; i < argc; i++) {
    const entry = find(argPtr(i), argLength(i), Find.None);
    if (entry === null || !isString(entry)) reply.nil();
    else reply.bulkOf(entry);
  }
}

export function mset(argc: u32): void {
  if ((argc & 1) === 0) return reply.error("ERR wrong number of arguments for 'mset' command");
  // All or nothing: what every key could cost must be certain before the first is written.
  let bytes: u64 = 0;
  let longest: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    bytes += argLength(i);
    if (argLength(i) > longest) longest = argLength(i);
  }
  if (!isRoomCertain(argc >> 1, bytes, longest)) return reply.noMemory();
  for (let i: u32 = 1; i < argc; i += 2) {
    const existing = find(argPtr(i), argLength(i), Find.Write);
    const entry = putString(existing, argPtr(i), argLength(i), argPtr(i + 1), argLength(i + 1), 0);
    ensure(entry !== null, 602, i);
    effects.changedKey(KeyEvent.Set, argPtr(i), argLength(i));
  }
  reply.ok();
}

function addTo(by: i64): void {
  const key = argPtr(1);
  const length = argLength(1);
  const existing = find(key, length, Find.Write);
  let value: i64 = 0;
  if (existing !== null) {
    if (!isString(existing)) return reply.wrongType();
    if (isInteger(existing)) value = integerOf(existing);
    else if (parseInt64(stringBytes(existing), stringLength(existing), NUMBER))
      value = load<i64>(NUMBER);
    else return reply.notInteger();
  }
  if (by >= 0 ? value > i64.MAX_VALUE - by : value < i64.MIN_VALUE - by)
    return reply.error("ERR increment or decrement would overflow");
  const deadline = existing === null ? 0 : deadlineOf(existing);
  if (putInteger(existing, key, length, value + by, deadline) === null) return reply.noMemory();
  effects.changedKey(KeyEvent.Incrby, key, length);
  reply.integer(value + by);
}

export function incr(): void {
  addTo(1);
}

export function decr(): void {
  addTo(-1);
}

export function incrby(): void {
  if (!integerArg(2)) return reply.notInteger();
  addTo(load<i64>(NUMBER));
}

export function decrby(): void {
  if (!integerArg(2)) return reply.notInteger();
  const by = load<i64>(NUMBER);
  if (by === i64.MIN_VALUE) return reply.error("ERR decrement would overflow");
  addTo(-by);
}

export function append(): void {
  const key = argPtr(1);
  const length = argLength(1);
  const existing = find(key, length, Find.Write);
  let total = argLength(2);
  if (existing === null) {
    if (putString(null, key, length, argPtr(2), total, 0) === null) return reply.noMemory();
  } else {
    if (!isString(existing)) return reply.wrongType();
    if (<u64>stringLength(existing) + total > <u64>state.maxStringBytes)
      return reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    total += stringLength(existing);
    if (appendString(existing, argPtr(2), argLength(2)) === null) return reply.noMemory();
  }
  effects.changedKey(KeyEvent.Append, key, length);
  reply.integer(total);
}

export function strlen(): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.integer(0);
  if (!isString(entry)) return reply.wrongType();
  reply.integer(stringLength(entry));
}
