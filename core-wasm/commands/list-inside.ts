/** Commands that look into lists and change them inside. https://redis.io/docs/latest/commands/?group=list */
import { Address, KeyEvent } from "../abi";
import { argIs, argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { Entry } from "../keyspace/entry";
import { Find, openForWrite } from "../keyspace/keyspace";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import {
  End,
  expectElements,
  goTo,
  goToEnd,
  insertAtPosition,
  isAtPosition,
  listCount,
  listStep,
  removeAtPosition,
  removeRange,
  replaceAtPosition,
  settleShrunk,
} from "../types/list";
import {
  elementsRemoved,
  findList,
  integerArg,
  readAtLeast,
  readInteger,
  replyPosition,
  replyRange,
} from "./list-arguments";

const NONE: i64 = -1;
/** Options of LPOS: the rank without its sign, COUNT or NONE, MAXLEN; then matches passed over so far. */
const OPTIONS: usize = Address.Scratch + ScratchArea.Argument + 64;

/** The index counted from the front, or what is no index of the list. */
function fromFront(entry: Entry, index: i64): i64 {
  return index < 0 ? <i64>listCount(entry) + index : index;
}

function isWithin(entry: Entry, index: i64): bool {
  return index >= 0 && index < <i64>listCount(entry);
}

export function lindex(): void {
  const entry = findList(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null) return reply.nil();
  if (!readInteger(2)) return;
  const index = fromFront(entry, integerArg());
  if (!isWithin(entry, index)) return reply.nil();
  goTo(entry, <u32>index);
  replyPosition();
}

export function lrange(): void {
  if (!readInteger(2)) return;
  let start = integerArg();
  if (!readInteger(3)) return;
  let stop = integerArg();
  const entry = findList(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null) return reply.array(0);
  start = max<i64>(0, fromFront(entry, start));
  stop = min<i64>(fromFront(entry, stop), <i64>listCount(entry) - 1);
  if (start > stop) return reply.array(0);
  const count = <u32>(stop - start + 1);
  reply.array(count);
  replyRange(entry, <u32>start, count);
}

export function lset(): void {
  const entry = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.error("ERR no such key");
  if (!readInteger(2)) return;
  // Redis takes 32 bits of it.
  const index = fromFront(entry, <i32>integerArg());
  openForWrite(entry);
  if (!expectElements(entry, argLength(3), 1)) return reply.noMemory();
  if (!isWithin(entry, index)) return reply.error("ERR index out of range");
  goTo(entry, <u32>index);
  if (!replaceAtPosition(entry, argPtr(3), argLength(3))) return reply.noMemory();
  settleShrunk(entry);
  effects.changedKey(KeyEvent.Lset, argPtr(1), argLength(1));
  reply.ok();
}

export function linsert(): void {
  const isBehind = argIs(2, "after");
  if (!isBehind && !argIs(2, "before")) return reply.syntaxError();
  const entry = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  openForWrite(entry);
  if (!expectElements(entry, argLength(4), 1)) return reply.noMemory();
  if (!goToElement(entry, 3)) return reply.integer(-1);
  if (!insertAtPosition(entry, isBehind, argPtr(4), argLength(4))) return reply.noMemory();
  effects.changedKey(KeyEvent.Linsert, argPtr(1), argLength(1));
  reply.integer(listCount(entry));
}

/** Goes to the first element that equals word `index`. @returns false = there is none. O(n) */
function goToElement(entry: Entry, index: u32): bool {
  const ptr = argPtr(index);
  const length = argLength(index);
  for (let more = goToEnd(entry, End.Front); more; more = listStep(entry, End.Back))
    if (isAtPosition(ptr, length)) return true;
  return false;
}

export function lrem(): void {
  if (!readInteger(2)) return;
  const count = integerArg();
  const entry = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  openForWrite(entry);
  const removed = removeEqual(entry, count);
  if (removed > 0) elementsRemoved(entry, 1, KeyEvent.Lrem, removed);
  reply.integer(removed);
}

/** Removes elements that equal word 3: the first `count`, the last if it is negative, all if it is 0. @returns how many. O(n) */
function removeEqual(entry: Entry, count: i64): u32 {
  const ptr = argPtr(3);
  const length = argLength(3);
  const most: u64 = count < 0 ? 0 - <u64>count : <u64>count;
  const onwards = count < 0 ? End.Front : End.Back;
  let removed: u32 = 0;
  let more = goToEnd(entry, count < 0 ? End.Back : End.Front);
  while (more) {
    if (isAtPosition(ptr, length)) {
      more = removeAtPosition(entry, onwards);
      removed += 1;
      if (<u64>removed === most) break;
    } else more = listStep(entry, onwards);
  }
  return removed;
}

export function ltrim(): void {
  if (!readInteger(2)) return;
  let start = integerArg();
  if (!readInteger(3)) return;
  let stop = integerArg();
  const entry = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.ok();
  const size = <i64>listCount(entry);
  start = max<i64>(0, fromFront(entry, start));
  stop = min<i64>(fromFront(entry, stop), size - 1);
  openForWrite(entry);
  const kept = start > stop ? 0 : stop - start + 1;
  if (kept === 0) removeRange(entry, 0, <u32>size);
  else {
    removeRange(entry, <u32>stop + 1, <u32>(size - stop - 1));
    removeRange(entry, 0, <u32>start);
  }
  elementsRemoved(entry, 1, KeyEvent.Ltrim, <u32>(size - kept));
  reply.ok();
}

// ---- LPOS

function rank(): i64 {
  return load<i64>(OPTIONS);
}

function matchCount(): i64 {
  return load<i64>(OPTIONS, 8);
}

function mostCompared(): i64 {
  return load<i64>(OPTIONS, 16);
}

/** LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len] */
export function lpos(argc: u32): void {
  store<i64>(OPTIONS, 1);
  store<i64>(OPTIONS, NONE, 8);
  store<i64>(OPTIONS, 0, 16);
  for (let i: u32 = 3; i < argc; i += 2) if (!readLposOption(i, argc)) return;
  const from = rank() < 0 ? End.Back : End.Front;
  if (rank() < 0) store<i64>(OPTIONS, -rank());
  const entry = findList(1, Find.None);
  if (reply.isFailed()) return;
  if (matchCount() === NONE) {
    if (entry === null || findMatches(entry, from, 1, true) === 0) reply.nil();
    return;
  }
  const most: u64 = matchCount() === 0 ? u64.MAX_VALUE : matchCount();
  // Their number stands before them: they are counted, then found again.
  const found = entry === null ? 0 : findMatches(entry, from, most, false);
  reply.array(found);
  if (entry !== null && found > 0) findMatches(entry, from, found, true);
}

/** @returns false after an error was answered */
function readLposOption(index: u32, argc: u32): bool {
  if (index + 1 < argc) {
    if (argIs(index, "rank")) return readRank(index + 1);
    if (argIs(index, "count")) return readLposNumber(index + 1, 8, "ERR COUNT can't be negative");
    if (argIs(index, "maxlen"))
      return readLposNumber(index + 1, 16, "ERR MAXLEN can't be negative");
  }
  reply.syntaxError();
  return false;
}

function readLposNumber(index: u32, offset: usize, text: string): bool {
  if (!readAtLeast(index, 0, text)) return false;
  store<i64>(OPTIONS + offset, integerArg());
  return true;
}

function readRank(index: u32): bool {
  if (!readInteger(index)) return false;
  store<i64>(OPTIONS, integerArg());
  if (integerArg() === i64.MIN_VALUE)
    reply.error(
      "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
  else if (integerArg() === 0)
    reply.error(
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
    );
  return !reply.isFailed();
}

/** Finds up to `most` elements that equal word 2 from an end on, of the rank that is asked for, and answers their indexes, or only counts them. */
function findMatches(entry: Entry, from: End, most: u64, answer: bool): u32 {
  const ptr = argPtr(2);
  const length = argLength(2);
  const onwards = from === End.Front ? End.Back : End.Front;
  const size = <i64>listCount(entry);
  let seen: i64 = 0;
  let matches: i64 = 0;
  let found: u32 = 0;
  for (let more = goToEnd(entry, from); more; more = listStep(entry, onwards)) {
    if (mostCompared() !== 0 && seen >= mostCompared()) break;
    if (isAtPosition(ptr, length)) {
      matches += 1;
      if (matches >= rank()) {
        if (answer) reply.integer(from === End.Front ? seen : size - seen - 1);
        found += 1;
        if (<u64>found >= most) break;
      }
    }
    seen += 1;
  }
  return found;
}
