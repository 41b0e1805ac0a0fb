/** Commands on the members of one sorted set. https://redis.io/docs/latest/commands/?group=sorted-set */
import { Address, KeyEvent } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { putCollection } from "../keyspace/collections";
import { Encoding, Entry, encodingOf, Type, typeOf } from "../keyspace/entry";
import { Find, find, openForWrite, removeEntry } from "../keyspace/keyspace";
import { parseDouble } from "../memory/double";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import { packedBytes } from "../types/packed";
import {
  addScored,
  asideSorted,
  expectScored,
  findScored,
  foundRank,
  foundScore,
  removeFound,
  removeRanks,
  scoredCount,
  setFoundScore,
} from "../types/sorted-set";
import { freeValue } from "../types/value";
import { placeScore } from "./geo-place";
import { isRoomCertain } from "./set";

const SCORE: usize = Address.Scratch + ScratchArea.Argument;

/** The sorted set at word `index`, or null; `state.status` has Error after a key of another type was answered. */
export function findSorted(index: u32, how: u32): Entry | null {
  const entry = find(argPtr(index), argLength(index), how);
  if (entry === null || typeOf(entry) === Type.SortedSet) return entry;
  reply.wrongType();
  return null;
}

/** Hangs a sorted set that was built aside under the key of word `index`. @returns false = no memory: the set is freed */
export function storeSorted(set: Entry, existing: Entry | null, index: u32): bool {
  const encoding = encodingOf(set);
  const value: usize = set.value;
  const key = argPtr(index);
  if (putCollection(existing, key, argLength(index), Type.SortedSet, encoding, value, 0) !== null)
    return true;
  freeValue(set);
  return false;
}

/**
 * Puts a result that was built aside under the key of word 1, or deletes the key if it is empty, and answers its size.
 * `name` is the event.
 */
export function storeResult(result: Entry, name: KeyEvent): void {
  const existing = find(argPtr(1), argLength(1), Find.Write);
  const size = scoredCount(result);
  if (size > 0) {
    if (!storeSorted(result, existing, 1)) return reply.noMemory();
    effects.changedKey(name, argPtr(1), argLength(1));
  } else {
    freeValue(result);
    deleteResult(existing);
  }
  reply.integer(size);
}

/** The key of word 1 had no result: it goes. */
export function deleteResult(existing: Entry | null): void {
  if (existing === null) return;
  removeEntry(existing);
  effects.changedKey(KeyEvent.Del, argPtr(1), argLength(1));
}

// ---- adding

/** ZADD's options. */
export enum ZaddFlag {
  NX = 1,
  XX = 2,
  GT = 4,
  LT = 8,
  CH = 16,
  Incr = 32,
}

export function zaddOption(index: u32): u32 {
  const word = argWord(index);
  if (word === Word.NX) return ZaddFlag.NX;
  if (word === Word.XX) return ZaddFlag.XX;
  if (word === Word.GT) return ZaddFlag.GT;
  if (word === Word.LT) return ZaddFlag.LT;
  if (word === Word.CH) return ZaddFlag.CH;
  return word === Word.INCR ? ZaddFlag.Incr : 0;
}

/** Whether options exclude each other. An error was answered then. */
export function optionsClash(flags: u32): bool {
  if ((flags & ZaddFlag.NX) !== 0 && (flags & ZaddFlag.XX) !== 0) {
    reply.error("ERR XX and NX options at the same time are not compatible");
    return true;
  }
  const compared = popcnt(flags & (ZaddFlag.GT | ZaddFlag.LT | ZaddFlag.NX));
  if (compared < 2) return false;
  reply.error("ERR GT, LT, and/or NX options at the same time are not compatible");
  return true;
}

/** What one pair came to. */
enum Outcome {
  Nothing = 0, // an option forbade it
  Same = 1, // the member has this score
  Added = 2,
  Updated = 3,
  NotNumber = 4, // inf - inf
  NoMemory = 5,
}

/** Adds or changes one member; its score is then `foundScore`, unless nothing was done. */
function addOne(entry: Entry, flags: u32, score: f64, ptr: usize, length: u32): Outcome {
  if (!findScored(entry, ptr, length)) {
    if ((flags & ZaddFlag.XX) !== 0) return Outcome.Nothing;
    return addScored(entry, score, ptr, length) ? Outcome.Added : Outcome.NoMemory;
  }
  if ((flags & ZaddFlag.NX) !== 0) return Outcome.Nothing;
  const before = foundScore();
  if ((flags & ZaddFlag.Incr) !== 0) {
    score += before;
    if (Number.isNaN(score)) return Outcome.NotNumber;
    store<f64>(SCORE, score);
  }
  if ((flags & ZaddFlag.LT) !== 0 && score >= before) return Outcome.Nothing;
  if ((flags & ZaddFlag.GT) !== 0 && score <= before) return Outcome.Nothing;
  if (score === before) return Outcome.Same;
  return setFoundScore(entry, score, ptr, length) ? Outcome.Updated : Outcome.NoMemory;
}

export function zadd(argc: u32): void {
  addAll(argc, 0);
}

export function zincrby(argc: u32): void {
  addAll(argc, ZaddFlag.Incr);
}

function addAll(argc: u32, given: u32): void {
  let flags = given;
  let first: u32 = 2;
  for (; first < argc; first++) {
    const option = zaddOption(first);
    if (option === 0) break;
    flags |= option;
  }
  const words = argc - first;
  if (words === 0 || (words & 1) !== 0) return reply.syntaxError();
  if (optionsClash(flags)) return;
  if ((flags & ZaddFlag.Incr) !== 0 && words > 2)
    return reply.error("ERR INCR option supports a single increment-element pair");
  // Every score is judged before the first change; one alone is kept.
  for (let i = first; i < argc; i += 2)
    if (!parseDouble(argPtr(i), argLength(i), SCORE)) return notFloat();
  const existing = findSorted(1, Find.Write);
  if (reply.isFailed()) return;
  if (existing === null && (flags & ZaddFlag.XX) !== 0)
    return (flags & ZaddFlag.Incr) !== 0 ? reply.nil() : reply.integer(0);
  addPairs(existing, flags, first, argc, 2);
}

export function notFloat(): void {
  reply.error("ERR value is not a valid float");
}

/** Whether there is room for all pairs: a single one finds out by itself. What is compact may be copied, or become a tree. */
function isRoomForPairs(existing: Entry | null, first: u32, argc: u32, words: u32): bool {
  if (argc - first === words) return true;
  let bytes: u64 = 0;
  let members = (argc - first) / words;
  if (existing !== null && encodingOf(existing) === Encoding.Packed) {
    bytes = packedBytes(existing.value);
    members += scoredCount(existing);
  }
  let longest: u32 = 0;
  for (let i = first + words - 1; i < argc; i += words) {
    bytes += argLength(i);
    if (argLength(i) > longest) longest = argLength(i);
  }
  return isRoomCertain(members, bytes, bytes > longest ? <u32>bytes : longest);
}

/** Reads the score at word `index` into SCORE: one word, or two that are the place of a member. */
function readScore(index: u32, words: u32): void {
  if (words === 2) parseDouble(argPtr(index), argLength(index), SCORE);
  else store<f64>(SCORE, <f64>placeScore(index));
}

/** Adds what was judged: members with their scores, or places, in `words` words each from `first` on. Answers for all */
export function addPairs(
  existing: Entry | null,
  flags: u32,
  first: u32,
  argc: u32,
  words: u32,
): void {
  const pairs = (argc - first) / words;
  if (!isRoomForPairs(existing, first, argc, words)) return reply.noMemory();
  let entry: Entry;
  if (existing === null) {
    const fresh = asideSorted(pairs, argLength(first + words - 1));
    if (fresh === null) return reply.noMemory();
    entry = fresh;
  } else {
    entry = existing;
    openForWrite(entry);
    if (!expectScored(entry, pairs)) return reply.noMemory();
  }
  let added: u32 = 0;
  let updated: u32 = 0;
  let outcome: Outcome = Outcome.Nothing;
  for (let i = first; i < argc; i += words) {
    const member = i + words - 1;
    readScore(i, words);
    outcome = addOne(entry, flags, load<f64>(SCORE), argPtr(member), argLength(member));
    if (outcome === Outcome.Added) added += 1;
    if (outcome === Outcome.Updated) updated += 1;
    if (outcome >= Outcome.NotNumber) break;
  }
  if (existing === null && outcome === Outcome.NoMemory) {
    freeValue(entry);
    return reply.noMemory();
  }
  if (existing === null && !storeSorted(entry, null, 1)) return reply.noMemory();
  if (added + updated > 0) {
    const isIncrement = (flags & ZaddFlag.Incr) !== 0;
    effects.changedKey(
      isIncrement ? KeyEvent.Zincr : KeyEvent.Zadd,
      argPtr(1),
      argLength(1),
      added + updated,
    );
  }
  answerPairs(outcome, flags, added, updated);
}

function answerPairs(last: Outcome, flags: u32, added: u32, updated: u32): void {
  if (last === Outcome.NoMemory) return reply.noMemory();
  if (last === Outcome.NotNumber) return reply.error("ERR resulting score is not a number (NaN)");
  if ((flags & ZaddFlag.Incr) === 0)
    return reply.integer((flags & ZaddFlag.CH) !== 0 ? added + updated : added);
  if (last === Outcome.Nothing) reply.nil();
  else reply.double(load<f64>(SCORE));
}

// ---- removing, asking

export function zrem(argc: u32): void {
  const entry = findSorted(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  openForWrite(entry);
  let removed: u32 = 0;
  for (let i: u32 = 2; i < argc && scoredCount(entry) > 0; i++) {
    if (!findScored(entry, argPtr(i), argLength(i))) continue;
    removeFound(entry);
    removed += 1;
  }
  if (removed > 0) {
    tellRemoved(KeyEvent.Zrem, removed, argPtr(1), argLength(1));
    if (scoredCount(entry) === 0) dropKey(entry, argPtr(1), argLength(1));
  }
  reply.integer(removed);
}

export function tellRemoved(name: KeyEvent, removed: u32, key: usize, length: u32): void {
  effects.changedKey(name, key, length, removed);
}

/** The key goes with its last member; the removal of that was counted. */
function dropKey(entry: Entry, key: usize, length: u32): void {
  removeEntry(entry);
  effects.concernedKey(KeyEvent.Del, key, length);
}

/** Removes the members of so many ranks of an entry that was opened, and tells it. All of a large set goes with its key, in slices. */
export function takeRanks(
  entry: Entry,
  first: u32,
  count: u32,
  name: KeyEvent,
  key: usize,
  length: u32,
): void {
  const isAll = count === scoredCount(entry);
  if (!isAll) removeRanks(entry, first, count);
  tellRemoved(name, count, key, length);
  if (isAll) dropKey(entry, key, length);
}

export function zcard(): void {
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  reply.integer(entry === null ? 0 : scoredCount(entry));
}

/** Answers the score of the member in word `index`. */
function replyScore(entry: Entry | null, index: u32): void {
  if (entry !== null && findScored(entry, argPtr(index), argLength(index)))
    reply.double(foundScore());
  else reply.nil();
}

export function zscore(): void {
  const entry = findSorted(1, Find.None);
  if (!reply.isFailed()) replyScore(entry, 2);
}

export function zmscore(argc: u32): void {
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  reply.array(argc - 2);
  for (let i: u32 = 2; i < argc; i++) replyScore(entry, i);
}

/** ZRANK and ZREVRANK key member [WITHSCORE] */
export function zrank(argc: u32, backward: bool): void {
  if (argc > 4)
    return backward
      ? reply.error("ERR wrong number of arguments for 'zrevrank' command")
      : reply.error("ERR wrong number of arguments for 'zrank' command");
  const withScore = argc === 4;
  if (withScore && !argIs(3, "withscore")) return reply.syntaxError();
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null || !findScored(entry, argPtr(2), argLength(2)))
    return withScore ? reply.nilArray() : reply.nil();
  const rank = foundRank(entry);
  if (withScore) reply.array(2);
  reply.integer(backward ? scoredCount(entry) - 1 - rank : rank);
  if (withScore) reply.double(foundScore());
}
