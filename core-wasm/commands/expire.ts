/** Deadlines of keys. https://redis.io/docs/latest/commands/expire/ and its relatives. */
import { Address, Cmd, IoFlag, KeyEvent } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { deadlineOf, Entry } from "../keyspace/entry";
import { clearDeadline, Find, find, removeEntry, setDeadline } from "../keyspace/keyspace";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, nowMs, ScratchArea } from "../state";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const KNOWN_DEADLINE: u64 = 0xffff_ffff_ffff_ffff;

enum ExpireFlag {
  NX = 1,
  XX = 2,
  GT = 4,
  LT = 8,
  Unknown = 16,
}

function expireOption(index: u32): u32 {
  const word = argWord(index);
  if (word === Word.NX) return ExpireFlag.NX;
  if (word === Word.XX) return ExpireFlag.XX;
  if (word === Word.GT) return ExpireFlag.GT;
  return word === Word.LT ? ExpireFlag.LT : ExpireFlag.Unknown;
}

function invalidTime(command: u32): void {
  if (command === Cmd.Expire) reply.error("ERR invalid expire time in 'expire' command");
  else if (command === Cmd.PExpire) reply.error("ERR invalid expire time in 'pexpire' command");
  else if (command === Cmd.ExpireAt) reply.error("ERR invalid expire time in 'expireat' command");
  else reply.error("ERR invalid expire time in 'pexpireat' command");
}

/** Whether the conditions allow the new deadline; a key without one counts as living for ever. */
function allows(flags: u32, entry: Entry, atMs: i64): bool {
  if (flags === 0) return true;
  const current = deadlineOf(entry);
  if ((flags & ExpireFlag.NX) !== 0 && current !== 0) return false;
  if ((flags & ExpireFlag.XX) !== 0 && current === 0) return false;
  if ((flags & ExpireFlag.GT) !== 0 && (current === 0 || atMs <= <i64>current)) return false;
  return (flags & ExpireFlag.LT) === 0 || current === 0 || atMs < <i64>current;
}

/** EXPIRE PEXPIRE EXPIREAT PEXPIREAT */
export function expire(command: u32, argc: u32): void {
  let flags: u32 = 0;
  for (let i: u32 = 3; i < argc; i++) {
    const flag = expireOption(i);
    if (flag === ExpireFlag.Unknown)
      return reply.errorAbout("ERR Unsupported option ", argPtr(i), argLength(i));
    flags |= flag;
  }
  if ((flags & ExpireFlag.NX) !== 0 && flags !== ExpireFlag.NX)
    return reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
  const both: u32 = ExpireFlag.GT | ExpireFlag.LT;
  if ((flags & both) === both)
    return reply.error("ERR GT and LT options at the same time are not compatible");
  if (!parseInt64(argPtr(2), argLength(2), NUMBER)) return reply.notInteger();
  let value = load<i64>(NUMBER);
  if (command === Cmd.Expire || command === Cmd.ExpireAt) {
    if (value > i64.MAX_VALUE / 1000 || value < i64.MIN_VALUE / 1000) return invalidTime(command);
    value *= 1000;
  }
  if (command === Cmd.Expire || command === Cmd.PExpire) {
    if (value > i64.MAX_VALUE - <i64>nowMs()) return invalidTime(command);
    value += <i64>nowMs();
  }
  const entry = find(argPtr(1), argLength(1), Find.Write);
  if (entry === null || !allows(flags, entry, value)) return reply.integer(0);
  applyDeadline(entry, value);
}

function applyDeadline(entry: Entry, atMs: i64): void {
  const key = argPtr(1);
  const length = argLength(1);
  // The past is deletion at once, except in the log's replay, where the DEL follows in the log.
  if (atMs <= <i64>nowMs() && (io().flags & IoFlag.Replay) === 0) {
    removeEntry(entry);
    effects.changedKey(KeyEvent.Del, key, length);
    if (effects.begin(Cmd.Del, 1)) effects.word(key, length);
    return reply.integer(1);
  }
  if (setDeadline(entry, atMs <= 0 ? 1 : <u64>atMs) === null) return reply.noMemory();
  effects.changedKey(KeyEvent.Expire, key, length);
  if (effects.begin(Cmd.PExpireAt, 2)) {
    effects.word(key, length);
    effects.number(atMs);
  }
  reply.integer(1);
}

/** The deadline of key 1, 0 = none; KNOWN_DEADLINE after -2 was answered. */
function deadlineOfKey(): u64 {
  const entry = find(argPtr(1), argLength(1), Find.NoTouch);
  if (entry !== null) return deadlineOf(entry);
  reply.integer(-2);
  return KNOWN_DEADLINE;
}

/** TTL PTTL: rounded to the nearest second, as Redis does. */
export function ttl(inSeconds: bool): void {
  const deadline = deadlineOfKey();
  if (deadline === KNOWN_DEADLINE) return;
  if (deadline === 0) return reply.integer(-1);
  const left = deadline > nowMs() ? <i64>(deadline - nowMs()) : 0;
  reply.integer(inSeconds ? (left + 500) / 1000 : left);
}

/** EXPIRETIME PEXPIRETIME */
export function expiretime(inSeconds: bool): void {
  const deadline = deadlineOfKey();
  if (deadline === KNOWN_DEADLINE) return;
  if (deadline === 0) return reply.integer(-1);
  // In signed numbers, which the last 500 ms there are overflow, as in Redis.
  reply.integer(inSeconds ? (<i64>deadline + 500) / 1000 : <i64>deadline);
}

export function persist(): void {
  const entry = find(argPtr(1), argLength(1), Find.Write);
  if (entry === null || deadlineOf(entry) === 0) return reply.integer(0);
  clearDeadline(entry);
  effects.changedKey(KeyEvent.Persist, argPtr(1), argLength(1));
  reply.integer(1);
}
