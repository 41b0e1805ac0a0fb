/** Commands on keys whatever their type, and on whole databases. */
import { Address, IoFlag, KeyEvent } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { Entry, keyLength, keyPtr, Type, typeOf } from "../keyspace/entry";
import {
  expireEntry,
  Find,
  find,
  isExpired,
  keyCount,
  flushDb as orphanDb,
  randomEntry,
  removeEntry,
  stampAccess,
  stepRef,
  swapDb,
  walkDb,
} from "../keyspace/keyspace";
import { freeOrphans } from "../keyspace/orphans";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { abandonWalk, freeOwed } from "../snapshot/walk";
import { io, ScratchArea, state } from "../state";
import { freeGarbage } from "../types/garbage";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const ORPHANS_MAX: u32 = 100;
const ALL_DATABASES: u32 = 0xffff_ffff;
/** Draws of RANDOMKEY that may meet keys that are due before it takes the first that is not. */
const RANDOM_TRIES: u32 = 100;

/** DEL UNLINK: what is large is freed later either way. */
export function del(argc: u32): void {
  let deleted: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    const entry = find(argPtr(i), argLength(i), Find.Write | Find.NoTouch);
    if (entry === null) continue;
    removeEntry(entry);
    effects.changedKey(KeyEvent.Del, argPtr(i), argLength(i));
    deleted += 1;
  }
  reply.integer(deleted);
}

export function exists(argc: u32): void {
  let found: u32 = 0;
  for (let i: u32 = 1; i < argc; i++)
    if (find(argPtr(i), argLength(i), Find.NoTouch) !== null) found += 1;
  reply.integer(found);
}

/** TOUCH is an access even of a client that leaves none. */
export function touch(argc: u32): void {
  let found: u32 = 0;
  for (let i: u32 = 1; i < argc; i++) {
    const entry = find(argPtr(i), argLength(i), Find.NoTouch);
    if (entry === null) continue;
    stampAccess(entry);
    found += 1;
  }
  reply.integer(found);
}

export function type(): void {
  const entry = find(argPtr(1), argLength(1), Find.NoTouch);
  if (entry === null) return reply.simple("none");
  switch (typeOf(entry)) {
    case Type.String:
      return reply.simple("string");
    case Type.List:
      return reply.simple("list");
    case Type.Set:
      return reply.simple("set");
    case Type.SortedSet:
      return reply.simple("zset");
    case Type.Hash:
      return reply.simple("hash");
    default:
      return reply.simple("stream");
  }
}

export function dbsize(): void {
  reply.integer(keyCount(io().db));
}

/** [ASYNC | SYNC]: freed in slices, or before the reply. @returns false after a syntax error was answered */
function flushOptions(argc: u32): bool {
  const known = argc === 2 && (argWord(1) === Word.ASYNC || argWord(1) === Word.SYNC);
  if (argc === 1 || known) return true;
  reply.syntaxError();
  return false;
}

export function flushdb(argc: u32): void {
  if (!flushOptions(argc)) return;
  finishFlush(io().db, orphanDb(io().db), argc);
}

export function flushall(argc: u32): void {
  if (!flushOptions(argc)) return;
  let removed: u32 = 0;
  for (let db: u32 = 0; db < state.databases; db++) removed += orphanDb(db);
  abandonWalk();
  finishFlush(ALL_DATABASES, removed, argc);
}

function finishFlush(db: u32, removed: u32, argc: u32): void {
  effects.flushed(db);
  // An empty database is flushed into the log too, as in Redis.
  effects.changed(removed);
  // Table ids are few: a flood of flushes pays for itself.
  const synchronous = argc === 2 && argWord(1) === Word.SYNC;
  if (synchronous || state.orphanCount >= ORPHANS_MAX) {
    freeOwed();
    freeOrphans(i32.MAX_VALUE);
    freeGarbage(i32.MAX_VALUE);
  }
  reply.ok();
}

/** Parses word `index` into NUMBER. @returns whether it is an integer of 32 bits */
function int32Arg(index: u32): bool {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER)) return false;
  const value = load<i64>(NUMBER);
  return value >= i32.MIN_VALUE && value <= i32.MAX_VALUE;
}

export function swapdb(): void {
  if (!int32Arg(1)) return reply.error("ERR invalid first DB index");
  const first = load<i64>(NUMBER);
  if (!int32Arg(2)) return reply.error("ERR invalid second DB index");
  const second = load<i64>(NUMBER);
  const count = <i64>state.databases;
  if (first < 0 || first >= count || second < 0 || second >= count)
    return reply.error("ERR DB index is out of range");
  if (first !== second) {
    swapDb(<u32>first, <u32>second);
    effects.flushed(<u32>first, true);
    effects.flushed(<u32>second, true);
  }
  effects.changed();
  reply.ok();
}

/** A live key at random, or null. The due ones it meets are deleted where they may be. */
function randomLive(): Entry | null {
  const mayDelete = (io().flags & (IoFlag.Replay | IoFlag.WritesRefused)) === 0;
  for (let tries: u32 = 0; tries < RANDOM_TRIES; tries++) {
    const entry = randomEntry(io().db);
    if (entry === null || !isExpired(entry)) return entry;
    if (mayDelete) expireEntry(entry);
  }
  return firstLive();
}

/** The first live key in the order of the walk, or null. O(keys that are due) */
function firstLive(): Entry | null {
  let position: u64 = 0;
  do {
    position = walkDb(io().db, position);
    for (let i: u32 = 0; i < state.stepCount; i++) if (!isExpired(stepRef(i))) return stepRef(i);
  } while (position !== 0);
  return null;
}

export function randomkey(): void {
  const entry = randomLive();
  if (entry === null) return reply.nil();
  reply.bulk(keyPtr(entry), keyLength(entry));
}
