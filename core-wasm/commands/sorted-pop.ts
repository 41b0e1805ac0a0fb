/** Members that are taken from an end of a sorted set. https://redis.io/docs/latest/commands/zpopmin/ and its relatives. */
import { Address, Cmd, KeyEvent } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import { mayWait, readTimeoutSeconds, wait } from "../blocking";
import * as effects from "../effects";
import { Entry } from "../keyspace/entry";
import { Find, openForWrite } from "../keyspace/keyspace";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";
import {
  beginScored,
  foundScore,
  hasEnds,
  nextScored,
  readEnd,
  removeEnd,
  scoredCount,
} from "../types/sorted-set";
import { findSorted, takeRanks, tellRemoved } from "./sorted-sets";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

/** Answers `count` members from an end, in pairs or flat, and removes them. `index` is the word that is the key. */
function pop(entry: Entry, index: u32, count: u32, isMax: bool, inPairs: bool): void {
  openForWrite(entry);
  const size = scoredCount(entry);
  const name = isMax ? KeyEvent.Zpopmax : KeyEvent.Zpopmin;
  if (hasEnds(entry) && count < size) {
    for (let i: u32 = 0; i < count; i++) {
      readEnd(entry, isMax);
      replyInHand(inPairs);
      removeEnd(entry);
    }
    return tellRemoved(name, count, argPtr(index), argLength(index));
  }
  beginScored(entry, isMax ? size - 1 : 0, isMax);
  for (let i: u32 = 0; i < count && nextScored(); i++) replyInHand(inPairs);
  takeRanks(entry, isMax ? size - count : 0, count, name, argPtr(index), argLength(index));
}

/** Answers the member in hand and its score. */
function replyInHand(inPairs: bool): void {
  if (inPairs) reply.array(2);
  reply.bulk(state.memberPtr, state.memberLength);
  reply.double(foundScore());
}

/** ZPOPMIN and ZPOPMAX key [count] */
export function zpop(argc: u32, isMax: bool): void {
  if (argc > 3) return reply.syntaxError();
  let count: i64 = 1;
  if (argc === 3) {
    if (!parseInt64(argPtr(2), argLength(2), NUMBER) || load<i64>(NUMBER) < 0)
      return reply.error("ERR value is out of range, must be positive");
    count = load<i64>(NUMBER);
  }
  const entry = findSorted(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null || count === 0) return reply.array(0);
  const taken = <u32>min<i64>(count, scoredCount(entry));
  const inPairs = argc === 3 && io().protocol === 3;
  reply.array(inPairs ? taken : taken << 1);
  pop(entry, 1, taken, isMax, inPairs);
}

/** The first of `keys` words from `first` on whose sorted set is there, 0 = none, or an error was answered. */
function firstSorted(first: u32, keys: u32): u32 {
  for (let i = first; i < first + keys; i++) {
    const entry = findSorted(i, Find.Write);
    if (reply.isFailed()) return 0;
    if (entry !== null) return i;
  }
  return 0;
}

/** Pops from the sorted set of word `index`, with its key in front, and tells the log the command that does the same. */
function popWithKey(index: u32, count: i64, isMax: bool, isNested: bool): void {
  const entry = findSorted(index, Find.Write)!;
  const taken = <u32>min<i64>(count, scoredCount(entry));
  reply.array(isNested ? 2 : 3);
  reply.bulk(argPtr(index), argLength(index));
  if (isNested) reply.array(taken);
  if (effects.begin(isMax ? Cmd.ZPopMax : Cmd.ZPopMin, isNested ? 2 : 1)) {
    effects.word(argPtr(index), argLength(index));
    if (isNested) effects.number(taken);
  }
  pop(entry, index, taken, isMax, isNested);
}

/** What ZMPOP and BZMPOP read behind the number of keys in word `index`. */
@final
@unmanaged
class MultiPop {
  keys: u32;
  isMax: u32;
  count: i64;
}
const read = changetype<MultiPop>(NUMBER + 64);

/** Reads number of keys, end and COUNT of a pop of several keys. @returns null after an error was answered */
function readMultiPop(index: u32, argc: u32): MultiPop | null {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER) || load<i64>(NUMBER) < 1) {
    reply.error("ERR numkeys should be greater than 0");
    return null;
  }
  const keys = load<i64>(NUMBER);
  if (keys >= <i64>(argc - index - 1)) {
    reply.syntaxError();
    return null;
  }
  read.keys = <u32>keys;
  const where = index + 1 + read.keys;
  const end = argWord(where);
  read.isMax = end === Word.MAX ? 1 : 0;
  read.count = -1;
  if (end !== Word.MAX && end !== Word.MIN) reply.syntaxError();
  for (let i = where + 1; i < argc && !reply.isFailed(); i += 2) {
    if (read.count !== -1 || i + 1 >= argc || !argIs(i, "count")) reply.syntaxError();
    else if (!parseInt64(argPtr(i + 1), argLength(i + 1), NUMBER) || load<i64>(NUMBER) < 1)
      reply.error("ERR count should be greater than 0");
    else read.count = load<i64>(NUMBER);
  }
  if (reply.isFailed()) return null;
  if (read.count === -1) read.count = 1;
  return read;
}

/** ZMPOP numkeys key [key ...] MIN | MAX [COUNT count] */
export function zmpop(argc: u32): void {
  const what = readMultiPop(1, argc);
  if (what === null) return;
  const index = firstSorted(2, what.keys);
  if (index !== 0) popWithKey(index, what.count, what.isMax !== 0, true);
  else if (!reply.isFailed()) reply.nilArray();
}

// ---- waiting for a member

function waitForKey(): void {
  if (mayWait()) wait();
  else reply.nilArray();
}

/** BZPOPMIN and BZPOPMAX key [key ...] timeout */
export function bzpop(argc: u32, isMax: bool): void {
  if (!readTimeoutSeconds(argc - 1)) return;
  const index = firstSorted(1, argc - 2);
  if (index !== 0) popWithKey(index, 1, isMax, false);
  else if (!reply.isFailed()) waitForKey();
}

/** BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count] */
export function bzmpop(argc: u32): void {
  const what = readMultiPop(2, argc);
  if (what === null || !readTimeoutSeconds(1)) return;
  const index = firstSorted(3, what.keys);
  if (index !== 0) popWithKey(index, what.count, what.isMax !== 0, true);
  else if (!reply.isFailed()) waitForKey();
}
