/** Commands on the fields of a hash. https://redis.io/docs/latest/commands/?group=hash */
import { Address, Cmd, KeyEvent } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { putCollection } from "../keyspace/collections";
import { Encoding, Entry, encodingOf, hasFieldDeadlines, Type, typeOf } from "../keyspace/entry";
import {
  expireField,
  expireFields,
  Find,
  find,
  openForWrite,
  removeEntry,
} from "../keyspace/keyspace";
import { alloc, free } from "../memory/allocator";
import {
  add,
  Extended,
  formatExtended,
  isInfinite,
  parseExtended,
  setInteger,
} from "../memory/extended";
import { formatInt64, parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import {
  areAllFieldsDue,
  asideHash,
  backUpPacked,
  beginFields,
  expectFields,
  findStoredValue,
  findValue,
  hasDueFields,
  hashDelete,
  hashSet,
  isDue,
  liveCount,
  newField,
  nextLiveField,
  placeField,
  prepareDeadlines,
  restorePacked,
  settleTiming,
} from "../types/hash";
import { hashCount, KEEP_DEADLINE, Put } from "../types/hash-form";
import { adoptFields } from "../types/timing";
import { freeValue } from "../types/value";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const DIGITS: usize = Address.Scratch + ScratchArea.Digits;

/** The hash at word 1, or null; `state.status` has Error after a key of another type was answered. */
export function findHash(how: u32): Entry | null {
  const entry = find(argPtr(1), argLength(1), how);
  if (entry === null || typeOf(entry) === Type.Hash) return entry;
  reply.wrongType();
  return null;
}

/** Before fields at words `first`, `first + step` and so on are written: none is left that is due. A lookup deletes only some of many. */
export function dropDue(hash: Entry, first: u32, end: u32, step: u32): void {
  for (let i = first; i < end && hasDueFields(hash); i += step)
    if (findStoredValue(hash, argPtr(i), argLength(i)) && isDue(state.fieldDeadline))
      expireField(hash, argPtr(i), argLength(i));
}

/** The hash at word 1 for such a write, or null; an error may have been answered. */
function findToWrite(first: u32, end: u32, step: u32): Entry | null {
  const hash = findHash(Find.Write);
  if (hash !== null) dropDue(hash, first, end, step);
  return hash;
}

/** The key of word 1 changed, in so many fields. */
export function changedFields(event: KeyEvent, fields: u32): void {
  effects.changedKey(event, argPtr(1), argLength(1), fields);
}

// ---- setting

export function hset(argc: u32): void {
  if ((argc & 1) !== 0) return reply.error("ERR wrong number of arguments for 'hset' command");
  const added = setWords(argc);
  if (!reply.isFailed()) reply.integer(added);
}

export function hmset(argc: u32): void {
  if ((argc & 1) !== 0) return reply.error("ERR wrong number of arguments for 'hmset' command");
  setWords(argc);
  if (!reply.isFailed()) reply.ok();
}

/** Sets the fields of words 2, 4 and so on, all of them or none. @returns how many are new; an error may have been answered */
function setWords(argc: u32): u32 {
  const hash = findToWrite(2, argc, 2);
  if (reply.isFailed()) return 0;
  const added = setPairs(hash, 2, argc, 0);
  if (added === NO_ROOM) {
    reply.noMemory();
    return 0;
  }
  changedFields(KeyEvent.Hset, (argc - 2) >> 1);
  return added;
}

/** What the functions below return instead of a number of new fields when there is no memory: nothing changed then. */
export const NO_ROOM: u32 = u32.MAX_VALUE;

/**
 * Sets the pairs of words from `first` up to `end` in the hash of word 1, which is made if it is missing, with a deadline as `hashSet`
 * takes it. @returns how many are new, or NO_ROOM
 */
export function setPairs(hash: Entry | null, first: u32, end: u32, deadline: u64): u32 {
  if (hash === null) return setNew(first, end, deadline);
  openForWrite(hash);
  const added = setExisting(hash, first, end, deadline);
  settleTiming(hash);
  return added;
}

function isDeadline(deadline: u64): bool {
  return deadline !== 0 && deadline !== KEEP_DEADLINE;
}

function setNew(first: u32, end: u32, deadline: u64): u32 {
  const fresh = asideHash();
  if (fresh === null) return NO_ROOM;
  const fits = !isDeadline(deadline) || prepareDeadlines(fresh, false);
  const added = fits ? setEach(fresh, first, end, deadline) : NO_ROOM;
  if (added === NO_ROOM) {
    freeValue(fresh);
    return NO_ROOM;
  }
  settleTiming(fresh);
  return storeAside(fresh) ? added : NO_ROOM;
}

/** Puts a hash that was built aside under the key of word 1, which there is not. @returns false = no memory: its value is freed */
function storeAside(aside: Entry): bool {
  const encoding = encodingOf(aside);
  const isTimed = hasFieldDeadlines(aside);
  const value: usize = aside.value;
  const entry = putCollection(null, argPtr(1), argLength(1), Type.Hash, encoding, value, 0);
  if (entry === null) {
    freeValue(aside);
    return false;
  }
  if (isTimed) adoptFields(entry);
  return true;
}

function setExisting(hash: Entry, first: u32, end: u32, deadline: u64): u32 {
  if (isDeadline(deadline) && !prepareDeadlines(hash, true)) return NO_ROOM;
  if (end - first === 2) {
    const put = setOneOf(hash, first, deadline);
    return put === Put.NoMemory ? NO_ROOM : put;
  }
  if (encodingOf(hash) === Encoding.Table) return setManyInTable(hash, first, end, deadline);
  const wasTimed = hasFieldDeadlines(hash);
  const backup = backUpPacked(hash);
  if (backup === 0) return NO_ROOM;
  const added = setEach(hash, first, end, deadline);
  if (added === NO_ROOM) restorePacked(hash, backup, wasTimed);
  else free(backup);
  return added;
}

/** Sets the pair of word `index`. */
function setOneOf(hash: Entry, index: u32, deadline: u64): Put {
  const value = argPtr(index + 1);
  return hashSet(hash, argPtr(index), argLength(index), value, argLength(index + 1), deadline);
}

/** Sets pair after pair. @returns how many are new, or NO_ROOM: some may be set then */
function setEach(hash: Entry, first: u32, end: u32, deadline: u64): u32 {
  let longest: u32 = 0;
  for (let i = first; i < end; i++) if (argLength(i) > longest) longest = argLength(i);
  if (!expectFields(hash, (end - first) >> 1, longest)) return NO_ROOM;
  let added: u32 = 0;
  for (let i = first; i < end; i += 2) {
    const put = setOneOf(hash, i, deadline);
    if (put === Put.NoMemory) return NO_ROOM;
    added += put;
  }
  return added;
}

/** All blocks are made before the first is put into its place. */
function setManyInTable(hash: Entry, first: u32, end: u32, deadline: u64): u32 {
  const pairs = (end - first) >> 1;
  const blocks = alloc(pairs << 2);
  if (blocks === 0) return NO_ROOM;
  let made: u32 = 0;
  for (; made < pairs; made++) {
    const block = blockOfPair(hash, first + (made << 1), deadline);
    if (block === 0) break;
    store<u32>(blocks + ((<usize>made) << 2), <u32>block);
  }
  const fits = made === pairs;
  let added: u32 = 0;
  for (let i: u32 = 0; i < made; i++) {
    const block: usize = load<u32>(blocks + ((<usize>i) << 2));
    if (fits) added += placeField(hash, block);
    else free(block);
  }
  free(blocks);
  return fits ? added : NO_ROOM;
}

function blockOfPair(hash: Entry, index: u32, deadline: u64): usize {
  const field = argPtr(index);
  const length = argLength(index);
  let own = deadline;
  if (deadline === KEEP_DEADLINE)
    own = findStoredValue(hash, field, length) ? state.fieldDeadline : 0;
  return newField(field, length, argPtr(index + 1), argLength(index + 1), own);
}

/** Sets one field of the hash at word 1, which is made if it is missing. @returns false after want of memory was answered */
function setOne(hash: Entry | null, value: usize, length: u32): bool {
  let fits: bool;
  if (hash === null) {
    const fresh = asideHash();
    fits = fresh !== null;
    if (fresh !== null) {
      fits = hashSet(fresh, argPtr(2), argLength(2), value, length, 0) !== Put.NoMemory;
      if (fits) fits = storeAside(fresh);
      else freeValue(fresh);
    }
  } else {
    openForWrite(hash);
    fits = hashSet(hash, argPtr(2), argLength(2), value, length, KEEP_DEADLINE) !== Put.NoMemory;
  }
  if (!fits) reply.noMemory();
  return fits;
}

export function hsetnx(): void {
  const hash = findToWrite(2, 3, 1);
  if (reply.isFailed()) return;
  if (hash !== null && findValue(hash, argPtr(2), argLength(2))) return reply.integer(0);
  if (!setOne(hash, argPtr(3), argLength(3))) return;
  changedFields(KeyEvent.Hset, 1);
  reply.integer(1);
}

export function hincrby(): void {
  if (!parseInt64(argPtr(3), argLength(3), NUMBER)) return reply.notInteger();
  const by = load<i64>(NUMBER);
  const hash = findToWrite(2, 3, 1);
  if (reply.isFailed()) return;
  let value: i64 = 0;
  if (hash !== null && findValue(hash, argPtr(2), argLength(2))) {
    if (!parseInt64(state.valuePtr, state.valueLength, NUMBER))
      return reply.error("ERR hash value is not an integer");
    value = load<i64>(NUMBER);
  }
  if (by >= 0 ? value > i64.MAX_VALUE - by : value < i64.MIN_VALUE - by)
    return reply.error("ERR increment or decrement would overflow");
  if (!setOne(hash, DIGITS, formatInt64(value + by, DIGITS))) return;
  changedFields(KeyEvent.Hincrby, 1);
  reply.integer(value + by);
}

export function hincrbyfloat(): void {
  const value = changetype<Extended>(NUMBER);
  const amount = changetype<Extended>(NUMBER + offsetof<Extended>());
  if (!parseExtended(argPtr(3), argLength(3), amount))
    return reply.error("ERR value is not a valid float");
  if (isInfinite(amount)) return reply.error("ERR value is NaN or Infinity");
  const hash = findToWrite(2, 3, 1);
  if (reply.isFailed()) return;
  setInteger(value, 0);
  state.fieldDeadline = 0;
  if (hash !== null && findValue(hash, argPtr(2), argLength(2)))
    if (!parseExtended(state.valuePtr, state.valueLength, value))
      return reply.error("ERR hash value is not a float");
  if (!add(value, amount)) return reply.error("ERR increment would produce NaN or Infinity");
  const isTimed = state.fieldDeadline !== 0;
  const digits = formatExtended(value, DIGITS);
  if (!setOne(hash, DIGITS, digits)) return;
  changedFields(KeyEvent.Hincrbyfloat, 1);
  propagateSum(digits, isTimed);
  reply.bulk(DIGITS, digits);
}

/** The sum instead of the request, so that it does not depend on who adds. HSET would take the deadline away. */
function propagateSum(digits: u32, isTimed: bool): void {
  if (!effects.begin(isTimed ? Cmd.HSetEx : Cmd.HSet, isTimed ? 6 : 3)) return;
  effects.word(argPtr(1), argLength(1));
  if (isTimed) {
    effects.text("KEEPTTL");
    effects.text("FIELDS");
    effects.number(1);
  }
  effects.word(argPtr(2), argLength(2));
  effects.word(DIGITS, digits);
}

// ---- deleting

/** After a deletion, and what is propagated for it: the key goes with the last field that is not due. */
export function dropIfEmpty(hash: Entry): void {
  if (hashCount(hash) > 0) {
    if (!hasDueFields(hash) || !areAllFieldsDue(hash)) return;
    // What is due would stay in a replay: its deletion stands behind the command.
    effects.placeSelf();
    expireFields(hash, 0);
    return;
  }
  removeEntry(hash);
  effects.concernedKey(KeyEvent.Del, argPtr(1), argLength(1));
}

export function hdel(argc: u32): void {
  const hash = findToWrite(2, argc, 1);
  if (reply.isFailed()) return;
  if (hash === null) return reply.integer(0);
  openForWrite(hash);
  let deleted: u32 = 0;
  for (let i: u32 = 2; i < argc && hashCount(hash) > 0; i++)
    if (hashDelete(hash, argPtr(i), argLength(i))) deleted += 1;
  settleTiming(hash);
  if (deleted > 0) {
    changedFields(KeyEvent.Hdel, deleted);
    dropIfEmpty(hash);
  }
  reply.integer(deleted);
}

// ---- reading

/** Answers the value of a field of a hash that may be missing. */
function replyValue(hash: Entry | null, index: u32): void {
  if (hash !== null && findValue(hash, argPtr(index), argLength(index)))
    reply.bulk(state.valuePtr, state.valueLength);
  else reply.nil();
}

export function hget(): void {
  const hash = findHash(Find.None);
  if (!reply.isFailed()) replyValue(hash, 2);
}

export function hmget(argc: u32): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  reply.array(argc - 2);
  for (let i: u32 = 2; i < argc; i++) replyValue(hash, i);
}

export function hgetall(): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  reply.map(hash === null ? 0 : liveCount(hash));
  if (hash === null) return;
  beginFields(hash);
  while (nextLiveField()) {
    reply.bulk(state.memberPtr, state.memberLength);
    reply.bulk(state.valuePtr, state.valueLength);
  }
}

export function hkeys(): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  reply.array(hash === null ? 0 : liveCount(hash));
  if (hash === null) return;
  beginFields(hash);
  while (nextLiveField()) reply.bulk(state.memberPtr, state.memberLength);
}

export function hvals(): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  reply.array(hash === null ? 0 : liveCount(hash));
  if (hash === null) return;
  beginFields(hash);
  while (nextLiveField()) reply.bulk(state.valuePtr, state.valueLength);
}

export function hlen(): void {
  const hash = findHash(Find.None);
  if (!reply.isFailed()) reply.integer(hash === null ? 0 : liveCount(hash));
}

export function hstrlen(): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  const found = hash !== null && findValue(hash, argPtr(2), argLength(2));
  reply.integer(found ? state.valueLength : 0);
}

export function hexists(): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  reply.integer(hash !== null && findValue(hash, argPtr(2), argLength(2)) ? 1 : 0);
}
