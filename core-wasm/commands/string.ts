/** Commands that read strings, or change a part of one. https://redis.io/docs/latest/commands/?group=string */
import { Address, Cmd, IoFlag, KeyEvent } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { deadlineOf, Entry } from "../keyspace/entry";
import { clearDeadline, Find, find, removeEntry, setDeadline } from "../keyspace/keyspace";
import { appendString, insertZeros, openString, putString } from "../keyspace/strings";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, nowMs, ScratchArea, state } from "../state";
import { isString, stringBytes, stringLength } from "../types/string";
import { deadlineArg, Expiry, expiryOption } from "./expiry";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

export function get(): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.nil();
  if (!isString(entry)) return reply.wrongType();
  reply.bulkOf(entry);
}

export function mget(argc: u32): void {
  reply.array(argc - 1);
  for (let i: u32 = 1; i < argc; i++) {
    const entry = find(argPtr(i), argLength(i), Find.None);
    if (entry === null || !isString(entry)) reply.nil();
    else reply.bulkOf(entry);
  }
}

export function strlen(): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.integer(0);
  if (!isString(entry)) return reply.wrongType();
  reply.integer(stringLength(entry));
}

/** GETRANGE SUBSTR: from `start` to `end`, both included, counted from the end if negative. */
export function getrange(): void {
  if (!parseInt64(argPtr(2), argLength(2), NUMBER)) return reply.notInteger();
  let start = load<i64>(NUMBER);
  if (!parseInt64(argPtr(3), argLength(3), NUMBER)) return reply.notInteger();
  let end = load<i64>(NUMBER);
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.bulk(0, 0);
  if (!isString(entry)) return reply.wrongType();
  const length = <i64>stringLength(entry);
  if (start < 0 && end < 0 && start > end) return reply.bulk(0, 0);
  if (start < 0) start = max<i64>(start + length, 0);
  if (end < 0) end = max<i64>(end + length, 0);
  end = min<i64>(end, length - 1);
  if (start > end) return reply.bulk(0, 0);
  reply.bulk(stringBytes(entry) + <usize>start, <u32>(end - start + 1));
}

/** Deletes key 1, which was read. */
function deleteRead(entry: Entry): void {
  const key = argPtr(1);
  const length = argLength(1);
  removeEntry(entry);
  effects.changedKey(KeyEvent.Del, key, length);
  if (effects.begin(Cmd.Del, 1)) effects.word(key, length);
}

export function getdel(): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.nil();
  if (!isString(entry)) return reply.wrongType();
  reply.bulkOf(entry);
  deleteRead(entry);
}

enum GetexFlag {
  Persist = 1,
  Bad = 2,
}

/** Reads GETEX's option; the number of an expiry is the last word. */
function getexOptions(argc: u32): u32 {
  let flags: u32 = 0;
  for (let i: u32 = 2; i < argc; i++) {
    const word = argWord(i);
    const flag = word === Word.PERSIST ? GetexFlag.Persist : expiryOption(word);
    if (flag === 0 || (flags & ~flag) !== 0) return GetexFlag.Bad;
    flags = flag;
    if (flag === GetexFlag.Persist) continue;
    i += 1;
    if (i >= argc) return GetexFlag.Bad;
  }
  return flags;
}

export function getex(argc: u32): void {
  const flags = getexOptions(argc);
  if (flags === GetexFlag.Bad) return reply.syntaxError();
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.nil();
  if (!isString(entry)) return reply.wrongType();
  if ((flags & Expiry.Any) !== 0) {
    const invalid = "ERR invalid expire time in 'getex' command";
    const deadline = deadlineArg(argc - 1, flags, invalid);
    if (deadline !== 0) expireRead(entry, deadline);
    return;
  }
  reply.bulkOf(entry);
  if (flags !== GetexFlag.Persist || deadlineOf(entry) === 0) return;
  clearDeadline(entry);
  effects.changedKey(KeyEvent.Persist, argPtr(1), argLength(1));
  if (effects.begin(Cmd.Persist, 1)) effects.word(argPtr(1), argLength(1));
}

/** Answers the value of key 1 and gives it a deadline. */
function expireRead(entry: Entry, deadline: u64): void {
  if (deadline <= nowMs() && (io().flags & IoFlag.Replay) === 0) {
    reply.bulkOf(entry);
    return deleteRead(entry);
  }
  const kept = setDeadline(entry, deadline);
  if (kept === null) return reply.noMemory();
  effects.changedKey(KeyEvent.Expire, argPtr(1), argLength(1));
  if (effects.begin(Cmd.PExpireAt, 2)) {
    effects.word(argPtr(1), argLength(1));
    effects.number(<i64>deadline);
  }
  reply.bulkOf(kept);
}

/** Whether a client may not make a string this long, which is then answered. A log is believed. */
function isTooLong(length: u64): bool {
  if (length <= <u64>state.maxStringBytes || (io().flags & IoFlag.Replay) !== 0) return false;
  reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return true;
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
    if (isTooLong(<u64>stringLength(existing) + total)) return;
    total += stringLength(existing);
    if (appendString(existing, argPtr(2), argLength(2)) === null) return reply.noMemory();
  }
  effects.changedKey(KeyEvent.Append, key, length);
  reply.integer(total);
}

export function setrange(): void {
  if (!parseInt64(argPtr(2), argLength(2), NUMBER)) return reply.notInteger();
  const offset = load<i64>(NUMBER);
  if (offset < 0) return reply.error("ERR offset is out of range");
  const key = argPtr(1);
  const length = argLength(1);
  const existing = find(key, length, Find.Write);
  if (existing !== null && !isString(existing)) return reply.wrongType();
  if (argLength(3) === 0) return reply.integer(existing === null ? 0 : stringLength(existing));
  const end = <u64>offset + argLength(3);
  if (isTooLong(end)) return;
  const entry = existing === null ? insertZeros(key, length, end) : openString(existing, end);
  if (entry === null) return reply.noMemory();
  memory.copy(stringBytes(entry) + <usize>offset, argPtr(3), argLength(3));
  effects.changedKey(KeyEvent.Setrange, key, length);
  reply.integer(stringLength(entry));
}
