/** Commands on the fields of a hash. https://redis.io/docs/latest/commands/?group=hash */
import { Address, Cmd, KeyEvent } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { putCollection } from "../keyspace/collections";
import { Encoding, Entry, encodingOf, Type, typeOf } from "../keyspace/entry";
import { Find, find, openForWrite, removeEntry } from "../keyspace/keyspace";
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
import { io, ScratchArea, state } from "../state";
import {
  asideCopy,
  asideHash,
  beginFields,
  expectFields,
  findValue,
  hashCount,
  hashDelete,
  hashSet,
  newField,
  nextField,
  Put,
  placeField,
  takeAside,
} from "../types/hash";
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

/** The key of word 1 changed, in so many fields. */
function changedFields(event: KeyEvent, fields: u32): void {
  effects.changed(fields);
  effects.concerned(io().db, event, argPtr(1), argLength(1));
}

// ---- setting

export function hset(argc: u32): void {
  if ((argc & 1) !== 0) return reply.error("ERR wrong number of arguments for 'hset' command");
  const added = setPairs(argc);
  if (!reply.isFailed()) reply.integer(added);
}

export function hmset(argc: u32): void {
  if ((argc & 1) !== 0) return reply.error("ERR wrong number of arguments for 'hmset' command");
  setPairs(argc);
  if (!reply.isFailed()) reply.ok();
}

/** Sets the fields of words 2, 4 and so on, all of them or none. @returns how many are new; an error may have been answered */
function setPairs(argc: u32): u32 {
  const existing = findHash(Find.Write);
  if (reply.isFailed()) return 0;
  const added = existing === null ? setNew(argc) : setExisting(existing, argc);
  if (added === noRoom(argc)) {
    reply.noMemory();
    return 0;
  }
  changedFields(KeyEvent.Hset, (argc - 2) >> 1);
  return added;
}

/** What the functions below return instead of a number of new fields when there is no memory: more than there can be. */
function noRoom(argc: u32): u32 {
  return argc;
}

/** Sets all pairs in a hash that is in no table yet. @returns how many are new, or `noRoom`: its value is freed then */
function fillAside(aside: Entry, argc: u32): u32 {
  let longest: u32 = 0;
  for (let i: u32 = 2; i < argc; i++) if (argLength(i) > longest) longest = argLength(i);
  let added: u32 = 0;
  let fits = expectFields(aside, (argc - 2) >> 1, longest);
  for (let i: u32 = 2; i < argc && fits; i += 2) {
    const put = hashSet(aside, argPtr(i), argLength(i), argPtr(i + 1), argLength(i + 1));
    fits = put !== Put.NoMemory;
    added += put;
  }
  if (fits) return added;
  freeValue(aside);
  return noRoom(argc);
}

/** Puts a hash that was built aside under the key of word 1, which there is not. @returns false = no memory: its value is freed */
function storeAside(aside: Entry): bool {
  const encoding = encodingOf(aside);
  const value: usize = aside.value;
  if (putCollection(null, argPtr(1), argLength(1), Type.Hash, encoding, value, 0) !== null)
    return true;
  freeValue(aside);
  return false;
}

function setNew(argc: u32): u32 {
  const fresh = asideHash();
  if (fresh === null) return noRoom(argc);
  const added = fillAside(fresh, argc);
  return added === noRoom(argc) || storeAside(fresh) ? added : noRoom(argc);
}

function setExisting(hash: Entry, argc: u32): u32 {
  openForWrite(hash);
  if (argc === 4) {
    const put = hashSet(hash, argPtr(2), argLength(2), argPtr(3), argLength(3));
    return put === Put.NoMemory ? noRoom(argc) : put;
  }
  if (encodingOf(hash) === Encoding.Table) return setManyInTable(hash, argc);
  const aside = asideCopy(hash);
  if (aside === null) return noRoom(argc);
  const added = fillAside(aside, argc);
  if (added !== noRoom(argc)) takeAside(hash, aside);
  return added;
}

/** All blocks are made before the first is put into its place. */
function setManyInTable(hash: Entry, argc: u32): u32 {
  const pairs = (argc - 2) >> 1;
  const blocks = alloc(pairs << 2);
  if (blocks === 0) return noRoom(argc);
  let made: u32 = 0;
  for (; made < pairs; made++) {
    const i = 2 + (made << 1);
    const block = newField(argPtr(i), argLength(i), argPtr(i + 1), argLength(i + 1));
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
  return fits ? added : noRoom(argc);
}

/** Sets one field of the hash at word 1, which is made if it is missing. @returns false after want of memory was answered */
function setOne(hash: Entry | null, value: usize, length: u32): bool {
  let fits: bool;
  if (hash === null) {
    const fresh = asideHash();
    fits = fresh !== null;
    if (fresh !== null) {
      fits = hashSet(fresh, argPtr(2), argLength(2), value, length) !== Put.NoMemory;
      if (fits) fits = storeAside(fresh);
      else freeValue(fresh);
    }
  } else {
    openForWrite(hash);
    fits = hashSet(hash, argPtr(2), argLength(2), value, length) !== Put.NoMemory;
  }
  if (!fits) reply.noMemory();
  return fits;
}

export function hsetnx(): void {
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  if (hash !== null && findValue(hash, argPtr(2), argLength(2))) return reply.integer(0);
  if (!setOne(hash, argPtr(3), argLength(3))) return;
  changedFields(KeyEvent.Hset, 1);
  reply.integer(1);
}

export function hincrby(): void {
  if (!parseInt64(argPtr(3), argLength(3), NUMBER)) return reply.notInteger();
  const by = load<i64>(NUMBER);
  const hash = findHash(Find.Write);
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
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  setInteger(value, 0);
  if (hash !== null && findValue(hash, argPtr(2), argLength(2)))
    if (!parseExtended(state.valuePtr, state.valueLength, value))
      return reply.error("ERR hash value is not a float");
  if (!add(value, amount)) return reply.error("ERR increment would produce NaN or Infinity");
  const digits = formatExtended(value, DIGITS);
  if (!setOne(hash, DIGITS, digits)) return;
  changedFields(KeyEvent.Hincrbyfloat, 1);
  // The sum, so that it does not depend on who adds.
  if (effects.begin(Cmd.HSet, 3)) {
    effects.word(argPtr(1), argLength(1));
    effects.word(argPtr(2), argLength(2));
    effects.word(DIGITS, digits);
  }
  reply.bulk(DIGITS, digits);
}

// ---- deleting

/** After a deletion: the key goes with its last field. */
function dropIfEmpty(hash: Entry): void {
  if (hashCount(hash) > 0) return;
  removeEntry(hash);
  effects.concerned(io().db, KeyEvent.Del, argPtr(1), argLength(1));
}

export function hdel(argc: u32): void {
  const hash = findHash(Find.Write);
  if (reply.isFailed()) return;
  if (hash === null) return reply.integer(0);
  openForWrite(hash);
  let deleted: u32 = 0;
  for (let i: u32 = 2; i < argc && hashCount(hash) > 0; i++)
    if (hashDelete(hash, argPtr(i), argLength(i))) deleted += 1;
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
  reply.map(hash === null ? 0 : hashCount(hash));
  if (hash === null) return;
  beginFields(hash);
  while (nextField()) {
    reply.bulk(state.memberPtr, state.memberLength);
    reply.bulk(state.valuePtr, state.valueLength);
  }
}

export function hkeys(): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  reply.array(hash === null ? 0 : hashCount(hash));
  if (hash === null) return;
  beginFields(hash);
  while (nextField()) reply.bulk(state.memberPtr, state.memberLength);
}

export function hvals(): void {
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  reply.array(hash === null ? 0 : hashCount(hash));
  if (hash === null) return;
  beginFields(hash);
  while (nextField()) reply.bulk(state.valuePtr, state.valueLength);
}

export function hlen(): void {
  const hash = findHash(Find.None);
  if (!reply.isFailed()) reply.integer(hash === null ? 0 : hashCount(hash));
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
