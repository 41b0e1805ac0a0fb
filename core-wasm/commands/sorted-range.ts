/**
 * Ranges of sorted sets. Whatever a range is given by (ranks, scores, names), it becomes ranks first: the first member and how many; then
 * they are answered, counted, stored or removed all in the same way.
 */
import { Address, KeyEvent } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import { Entry } from "../keyspace/entry";
import { Find, find, openForWrite } from "../keyspace/keyspace";
import { parseDoubleLoosely } from "../memory/double";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";
import { Bound } from "../types/score-node";
import {
  appendScored,
  asideSorted,
  beginScored,
  countBefore,
  foundScore,
  nextScored,
  scoredCount,
} from "../types/sorted-set";
import { freeValue } from "../types/value";
import { deleteResult, findSorted, storeResult, takeRanks } from "./sorted-sets";

/** What a range is given by. */
export enum By {
  Rank = 0,
  Score = 1,
  Lex = 2,
  Any = 3, // an option says
}

/** Which way it is answered. */
export enum Way {
  Up = 0,
  Down = 1,
  Any = 2, // an option says
}

enum End {
  Inclusive = 0,
  Exclusive = 1,
  Lowest = 2, // before every name
  Highest = 3, // behind every name
}

/** The range of the running command, as it was asked for, and as ranks. */
@final
@unmanaged
class Range {
  minScore: f64;
  maxScore: f64;
  start: i64; // ranks as given
  stop: i64;
  offset: i64;
  count: i64; // negative = no limit
  minEnd: u32;
  maxEnd: u32;
  minPtr: u32;
  minLength: u32;
  maxPtr: u32;
  maxLength: u32;
  by: u32;
  backward: u32;
  withScores: u32;
  first: u32; // rank of the first member answered
  size: u32; // members answered
}
const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const range = changetype<Range>(NUMBER + 64);

const ROUND: u8 = 40;
const SQUARE: u8 = 91;
const PLUS: u8 = 43;
const MINUS: u8 = 45;

// ---- reading a range

function integerArg(index: u32): bool {
  if (parseInt64(argPtr(index), argLength(index), NUMBER)) return true;
  reply.notInteger();
  return false;
}

/** Reads the ends in two words, as the range's kind has it. @returns false after an error was answered */
function readEnds(minIndex: u32, maxIndex: u32): bool {
  if (range.by === By.Rank) {
    if (!integerArg(minIndex)) return false;
    range.start = load<i64>(NUMBER);
    if (!integerArg(maxIndex)) return false;
    range.stop = load<i64>(NUMBER);
    return true;
  }
  if (range.by === By.Score) {
    if (readScores(minIndex, maxIndex)) return true;
    reply.error("ERR min or max is not a float");
    return false;
  }
  if (readNames(minIndex, maxIndex)) return true;
  reply.error("ERR min or max not valid string range item");
  return false;
}

/** Reads a score, exclusive behind a round bracket, into NUMBER. @returns its End, or -1 */
function readScore(index: u32): i32 {
  const ptr = argPtr(index);
  const length = argLength(index);
  const isExclusive = length > 0 && load<u8>(ptr) === ROUND;
  const skipped: u32 = isExclusive ? 1 : 0;
  if (!parseDoubleLoosely(ptr + skipped, length - skipped, NUMBER)) return -1;
  return isExclusive ? End.Exclusive : End.Inclusive;
}

function readScores(minIndex: u32, maxIndex: u32): bool {
  const min = readScore(minIndex);
  if (min < 0) return false;
  range.minScore = load<f64>(NUMBER);
  range.minEnd = min;
  const max = readScore(maxIndex);
  if (max < 0) return false;
  range.maxScore = load<f64>(NUMBER);
  range.maxEnd = max;
  return true;
}

/** How a word ends a range of names, -1 = not at all. */
function nameEnd(index: u32): i32 {
  const length = argLength(index);
  if (length === 0) return -1;
  const first = load<u8>(argPtr(index));
  if (first === ROUND) return End.Exclusive;
  if (first === SQUARE) return End.Inclusive;
  // As in C a NUL byte ends the word.
  if (length > 1 && load<u8>(argPtr(index), 1) !== 0) return -1;
  if (first === PLUS) return End.Highest;
  return first === MINUS ? End.Lowest : -1;
}

function readNames(minIndex: u32, maxIndex: u32): bool {
  const min = nameEnd(minIndex);
  const max = nameEnd(maxIndex);
  if (min < 0 || max < 0) return false;
  range.minEnd = min;
  range.minPtr = <u32>argPtr(minIndex) + 1;
  range.minLength = argLength(minIndex) - 1;
  range.maxEnd = max;
  range.maxPtr = <u32>argPtr(maxIndex) + 1;
  range.maxLength = argLength(maxIndex) - 1;
  return true;
}

/** Reads the options behind a range's ends. @returns false after an error was answered */
function readOptions(from: u32, argc: u32, by: By, way: Way, isStored: bool): bool {
  range.by = by;
  range.backward = way === Way.Down ? 1 : 0;
  range.withScores = 0;
  range.offset = 0;
  range.count = -1;
  for (let i = from; i < argc; i++) {
    const word = argWord(i);
    if (!isStored && argIs(i, "withscores")) range.withScores = 1;
    else if (word === Word.LIMIT && i + 2 < argc) {
      if (!integerArg(i + 1)) return false;
      range.offset = load<i64>(NUMBER);
      if (!integerArg(i + 2)) return false;
      range.count = load<i64>(NUMBER);
      i += 2;
    } else if (way === Way.Any && word === Word.REV) range.backward = 1;
    else if (by === By.Any && range.by === By.Any && word === Word.BYLEX) range.by = By.Lex;
    else if (by === By.Any && range.by === By.Any && argIs(i, "byscore")) range.by = By.Score;
    else {
      reply.syntaxError();
      return false;
    }
  }
  if (range.by === By.Any) range.by = By.Rank;
  // A limit without a count is no limit, even of ranks.
  if (range.by === By.Rank) range.offset = 0;
  if (range.by === By.Rank && range.count !== -1)
    reply.error(
      "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
    );
  else if (range.by === By.Lex && range.withScores !== 0)
    reply.error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  return !reply.isFailed();
}

// ---- a range as ranks

/** Members before an end of the range. */
function countBeforeEnd(entry: Entry, isMax: bool): u32 {
  const end = isMax ? range.maxEnd : range.minEnd;
  if (end === End.Lowest) return 0;
  if (end === End.Highest) return scoredCount(entry);
  // What is at an inclusive end belongs to the range.
  const inclusive = isMax === (end === End.Inclusive);
  const kind = range.by === By.Score ? Bound.Score : Bound.Bytes;
  const score = isMax ? range.maxScore : range.minScore;
  const ptr = isMax ? range.maxPtr : range.minPtr;
  return countBefore(entry, kind, score, ptr, isMax ? range.maxLength : range.minLength, inclusive);
}

/** Makes ranks of the range, upwards: `first` and `size`. The limit is left out. O(log n), packed O(n) */
function findRanks(entry: Entry): void {
  const count = <i64>scoredCount(entry);
  if (range.by !== By.Rank) {
    const first = countBeforeEnd(entry, false);
    const end = countBeforeEnd(entry, true);
    range.first = first;
    range.size = end > first ? end - first : 0;
    return;
  }
  let start = range.start < 0 ? range.start + count : range.start;
  let stop = range.stop < 0 ? range.stop + count : range.stop;
  if (start < 0) start = 0;
  if (stop >= count) stop = count - 1;
  range.size = start > stop || start >= count ? 0 : <u32>(stop - start + 1);
  range.first = <u32>(range.backward !== 0 ? count - 1 - stop : start);
}

/** Cuts the range down to its limit. `first` is then the lowest rank of what is left. */
function applyLimit(): void {
  const size = <i64>range.size;
  const offset = range.offset;
  let left = offset < 0 || offset >= size ? 0 : size - offset;
  if (range.count >= 0 && range.count < left) left = range.count;
  range.first += <u32>(range.backward !== 0 ? size - offset - left : offset);
  range.size = <u32>left;
}

/** Begins the walk over what the range holds, which is something. */
function beginRange(entry: Entry): void {
  const backward = range.backward !== 0;
  beginScored(entry, backward ? range.first + range.size - 1 : range.first, backward);
}

// ---- answering

/** The head of an answer of so many members: with scores flat in RESP2, pairs in RESP3. */
export function replyMembersHead(count: u32, withScores: bool): void {
  reply.array(withScores && io().protocol !== 3 ? count << 1 : count);
}

/** The member in hand as a part of that answer. */
export function replyMember(withScores: bool): void {
  if (withScores && io().protocol === 3) reply.array(2);
  reply.bulk(state.memberPtr, state.memberLength);
  if (withScores) reply.double(foundScore());
}

/** ZRANGE and its relatives: key and ends from word 1 on. */
export function zrange(argc: u32, by: By, way: Way): void {
  if (!readOptions(4, argc, by, way, false)) return;
  if (!readEndsOf(2)) return;
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null) return reply.array(0);
  findRanks(entry);
  applyLimit();
  const withScores = range.withScores !== 0;
  replyMembersHead(range.size, withScores);
  if (range.size === 0) return;
  beginRange(entry);
  for (let i: u32 = 0; i < range.size && nextScored(); i++) replyMember(withScores);
}

/** Reads the ends from word `index` on: backwards the upper one comes first, but for ranks. */
function readEndsOf(index: u32): bool {
  const isSwapped = range.backward !== 0 && range.by !== By.Rank;
  return isSwapped ? readEnds(index + 1, index) : readEnds(index, index + 1);
}

/** ZRANGESTORE destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count] */
export function zrangestore(argc: u32): void {
  if (!readOptions(5, argc, By.Any, Way.Any, true)) return;
  if (!readEndsOf(3)) return;
  const source = findSorted(2, Find.None);
  if (reply.isFailed()) return;
  if (source === null) {
    deleteResult(find(argPtr(1), argLength(1), Find.Write));
    return reply.integer(0);
  }
  findRanks(source);
  applyLimit();
  const result = asideSorted(range.size, 0);
  if (result === null) return reply.noMemory();
  if (range.size > 0) beginRange(source);
  for (let i: u32 = 0; i < range.size && nextScored(); i++) {
    if (appendScored(result, foundScore(), state.memberPtr, state.memberLength)) continue;
    freeValue(result);
    return reply.noMemory();
  }
  storeResult(result, KeyEvent.Zrangestore);
}

// ---- counting, removing

/** Takes a whole range in words 2 and 3, upwards. @returns false after an error was answered */
function readPlain(by: By): bool {
  range.by = by;
  range.backward = 0;
  return readEnds(2, 3);
}

/** ZCOUNT, ZLEXCOUNT */
export function zcount(by: By): void {
  if (!readPlain(by)) return;
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  findRanks(entry);
  reply.integer(range.size);
}

function removalEvent(by: By): KeyEvent {
  if (by === By.Rank) return KeyEvent.Zremrangebyrank;
  return by === By.Score ? KeyEvent.Zremrangebyscore : KeyEvent.Zremrangebylex;
}

/** ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX */
export function zremrange(by: By): void {
  if (!readPlain(by)) return;
  const entry = findSorted(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  findRanks(entry);
  const removed = range.size;
  if (removed === 0) return reply.integer(0);
  openForWrite(entry);
  takeRanks(entry, range.first, removed, removalEvent(by), argPtr(1), argLength(1));
  reply.integer(removed);
}
