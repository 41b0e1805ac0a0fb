/** Members of a sorted set at random, and its scan. https://redis.io/docs/latest/commands/zrandmember/ */
import { Address } from "../abi";
import { argIs } from "../argv";
import { Encoding, Entry, encodingOf } from "../keyspace/entry";
import { Find } from "../keyspace/keyspace";
import { formatDouble } from "../memory/double";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import {
  beginScored,
  foundScore,
  nextScored,
  randomScored,
  randomScoredRef,
  readScoredRef,
  scoredCount,
  scoredTable,
} from "../types/sorted-set";
import { choiceCount, isChosen, isFew, noteDrawn, readChoiceCount } from "./member-choice";
import { dropFound, foundRef, isScanned, replyCursor, scanTable } from "./member-scan";
import { readCursor, readScanOption, scanFault } from "./scan-arguments";
import { replyMember, replyMembersHead } from "./sorted-range";
import { findSorted } from "./sorted-sets";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

export function zrandmember(argc: u32): void {
  if (argc > 2) return zrandmemberCount(argc);
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null) return reply.nil();
  randomScored(entry);
  reply.bulk(state.memberPtr, state.memberLength);
}

function zrandmemberCount(argc: u32): void {
  if (!readChoiceCount()) return;
  const count = choiceCount();
  const withScores = argc > 3;
  if (argc > 4 || (withScores && !argIs(3, "withscores"))) return reply.syntaxError();
  if (withScores && (count < -(i64.MAX_VALUE / 2) || count > i64.MAX_VALUE / 2))
    return reply.error("ERR value is out of range");
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null || count === 0) return reply.array(0);
  if (count < 0) return drawSome(entry, -count, withScores);
  const size = scoredCount(entry);
  const distinct = <u32>min<i64>(count, size);
  replyMembersHead(distinct, withScores);
  if (isFew(<u64>distinct, size) && encodingOf(entry) === Encoding.Tree)
    drawFew(entry, distinct, withScores);
  else chooseWalking(entry, distinct, withScores);
}

/** Answers `count` members that may be the same. */
function drawSome(entry: Entry, count: i64, withScores: bool): void {
  replyMembersHead(<u32>count, withScores);
  for (let i: i64 = 0; i < count; i++) {
    randomScored(entry);
    replyMember(withScores);
  }
}

/** Draws until enough different members are found. O(count^2), count small */
function drawFew(entry: Entry, count: u32, withScores: bool): void {
  for (let drawn: u32 = 0; drawn < count; ) {
    const ref = randomScoredRef(entry);
    if (!noteDrawn(ref, drawn)) continue;
    drawn += 1;
    readScoredRef(ref);
    replyMember(withScores);
  }
}

/** Walks once and takes each member with the chance that makes all choices equally likely. O(size) */
function chooseWalking(entry: Entry, count: u32, withScores: bool): void {
  let left = scoredCount(entry);
  let wanted = count;
  beginScored(entry, 0, false);
  while (wanted > 0 && nextScored()) {
    if (isChosen(wanted, left)) {
      replyMember(withScores);
      wanted -= 1;
    }
    left -= 1;
  }
}

// ---- ZSCAN

export function zscan(argc: u32): void {
  if (!readCursor(2)) return;
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  // As in Redis, nobody looks at the options of a key that is missing.
  if (entry === null) {
    replyCursor(0);
    return reply.array(0);
  }
  for (let i: u32 = 3; i < argc; i += 2)
    if (i + 1 >= argc || !readScanOption(i)) return scanFault();
  if (encodingOf(entry) === Encoding.Tree) return zscanTable(entry);
  replyCursor(0);
  reply.array(scanPacked(entry, false) << 1);
  scanPacked(entry, true);
}

/** Walks a packed set; the wanted members are answered, or only counted. */
function scanPacked(entry: Entry, answer: bool): u32 {
  let wanted: u32 = 0;
  beginScored(entry, 0, false);
  while (nextScored()) {
    if (!isScanned(state.memberPtr, state.memberLength)) continue;
    wanted += 1;
    if (answer) replyPair();
  }
  return wanted;
}

/** Scores are bulk strings here, in either protocol. */
function replyPair(): void {
  reply.bulk(state.memberPtr, state.memberLength);
  reply.bulk(NUMBER, formatDouble(foundScore(), NUMBER));
}

function zscanTable(entry: Entry): void {
  const found = scanTable(scoredTable(entry));
  let wanted: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    readScoredRef(foundRef(i));
    if (isScanned(state.memberPtr, state.memberLength)) wanted += 1;
    else dropFound(i);
  }
  replyCursor(state.walkPosition);
  reply.array(wanted << 1);
  for (let i: u32 = 0; i < found; i++) {
    if (foundRef(i) === 0) continue;
    readScoredRef(foundRef(i));
    replyPair();
  }
}
