/** Commands on one set. https://redis.io/docs/latest/commands/?group=set */
import { Address, Cmd, KeyEvent } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { putCollection } from "../keyspace/collections";
import { Encoding, Entry, encodingOf, Type, typeOf } from "../keyspace/entry";
import { Find, find, openForWrite, removeEntry } from "../keyspace/keyspace";
import { Table } from "../keyspace/table";
import { usableBytes } from "../memory/allocator";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ensure, ScratchArea, state } from "../state";
import {
  Added,
  asideSetFor,
  beginMembers,
  expectMembers,
  memberRef,
  nextMember,
  randomMember,
  readRef,
  setAdd,
  setCount,
  setHas,
  setRemove,
} from "../types/set";
import { freeValue } from "../types/value";
import { choiceCount, isChosen, isFew, noteDrawn, readChoiceCount } from "./member-choice";
import { dropFound, foundRef, isScanned, replyCursor, scanTable } from "./member-scan";
import { readCursor, readScanOption, scanFault } from "./scan-arguments";
import { isRoomCertain } from "./set";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

/** The set at word `index`, or null; `state.status` has Error after a key of another type was answered. */
export function findSet(index: u32, how: u32): Entry | null {
  const entry = find(argPtr(index), argLength(index), how);
  if (entry === null || typeOf(entry) === Type.Set) return entry;
  reply.wrongType();
  return null;
}

export function sadd(argc: u32): void {
  const existing = findSet(1, Find.Write);
  if (reply.isFailed()) return;
  let added: u32 = 0;
  if (existing === null) {
    const fresh = asideSetFor(argPtr(2), argLength(2), argc - 2);
    if (fresh === null) return reply.noMemory();
    for (let i: u32 = 2; i < argc; i++) {
      const one = setAdd(fresh, argPtr(i), argLength(i));
      if (one === Added.NoMemory) {
        freeValue(fresh);
        return reply.noMemory();
      }
      added += one;
    }
    if (!storeAside(fresh, null, 1)) return reply.noMemory();
  } else {
    if (!isRoomForMembers(existing, argc)) return reply.noMemory();
    openForWrite(existing);
    if (!expectMembers(existing, argc - 2)) return reply.noMemory();
    for (let i: u32 = 2; i < argc; i++) {
      const one = setAdd(existing, argPtr(i), argLength(i));
      if (one === Added.NoMemory) {
        ensure(argc === 3, 747, i);
        return reply.noMemory();
      }
      added += one;
    }
  }
  if (added > 0) {
    effects.changedKey(KeyEvent.Sadd, argPtr(1), argLength(1), added);
  }
  reply.integer(added);
}

/** Whether there is room for all words from 2 on: a single one finds out by itself. What is compact may be copied, or become a table. */
function isRoomForMembers(set: Entry, argc: u32): bool {
  if (argc === 3) return true;
  let bytes: u64 = 0;
  let members = argc - 2;
  let longest: u32 = 0;
  if (encodingOf(set) !== Encoding.Table) {
    longest = usableBytes(set.value);
    bytes = longest;
    members += setCount(set);
  }
  for (let i: u32 = 2; i < argc; i++) {
    bytes += argLength(i);
    if (argLength(i) > longest) longest = argLength(i);
  }
  return isRoomCertain(members, bytes, longest);
}

/** Hangs a set that was built aside under the key of word `index`. @returns false = no memory: the set is freed */
export function storeAside(set: Entry, existing: Entry | null, index: u32): bool {
  const encoding = encodingOf(set);
  const value: usize = set.value;
  const key = argPtr(index);
  if (putCollection(existing, key, argLength(index), Type.Set, encoding, value, 0) !== null)
    return true;
  freeValue(set);
  return false;
}

/** After a removal: the key goes with its last member. */
function dropIfEmpty(entry: Entry, index: u32): void {
  if (setCount(entry) > 0) return;
  removeEntry(entry);
  effects.concernedKey(KeyEvent.Del, argPtr(index), argLength(index));
}

export function srem(argc: u32): void {
  const entry = findSet(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.integer(0);
  openForWrite(entry);
  let removed: u32 = 0;
  for (let i: u32 = 2; i < argc && setCount(entry) > 0; i++)
    if (setRemove(entry, argPtr(i), argLength(i))) removed += 1;
  if (removed > 0) {
    effects.changedKey(KeyEvent.Srem, argPtr(1), argLength(1), removed);
    dropIfEmpty(entry, 1);
  }
  reply.integer(removed);
}

export function smove(): void {
  const source = findSet(1, Find.Write);
  if (reply.isFailed()) return;
  if (source === null) return reply.integer(0);
  const target = findSet(2, Find.Write);
  if (reply.isFailed()) return;
  const member = argPtr(3);
  const length = argLength(3);
  if (source === target) return reply.integer(setHas(source, member, length) ? 1 : 0);
  if (!setHas(source, member, length)) return reply.integer(0);
  // The addition first: it may find no memory, the removal cannot fail.
  let isNew: u32 = Added.Yes;
  if (target === null) {
    const fresh = asideSetFor(member, length, 1);
    if (fresh === null) return reply.noMemory();
    if (setAdd(fresh, member, length) === Added.NoMemory) {
      freeValue(fresh);
      return reply.noMemory();
    }
    if (!storeAside(fresh, null, 2)) return reply.noMemory();
  } else {
    openForWrite(target);
    isNew = setAdd(target, member, length);
    if (isNew === Added.NoMemory) return reply.noMemory();
  }
  openForWrite(source);
  setRemove(source, member, length);
  effects.changedKey(KeyEvent.Srem, argPtr(1), argLength(1));
  dropIfEmpty(source, 1);
  if (isNew === Added.Yes) effects.changedKey(KeyEvent.Sadd, argPtr(2), argLength(2));
  reply.integer(1);
}

export function scard(): void {
  const entry = findSet(1, Find.None);
  if (reply.isFailed()) return;
  reply.integer(entry === null ? 0 : setCount(entry));
}

export function sismember(): void {
  const entry = findSet(1, Find.None);
  if (reply.isFailed()) return;
  reply.integer(entry !== null && setHas(entry, argPtr(2), argLength(2)) ? 1 : 0);
}

export function smismember(argc: u32): void {
  const entry = findSet(1, Find.None);
  if (reply.isFailed()) return;
  reply.array(argc - 2);
  for (let i: u32 = 2; i < argc; i++)
    reply.integer(entry !== null && setHas(entry, argPtr(i), argLength(i)) ? 1 : 0);
}

/** Answers all members. */
function replyMembers(entry: Entry): void {
  beginMembers(entry);
  while (nextMember()) reply.bulk(state.memberPtr, state.memberLength);
}

export function smembers(): void {
  const entry = findSet(1, Find.None);
  if (reply.isFailed()) return;
  reply.set(entry === null ? 0 : setCount(entry));
  if (entry !== null) replyMembers(entry);
}

// ---- members at random

export function spop(argc: u32): void {
  if (argc > 3) return reply.syntaxError();
  if (argc === 3) return spopCount();
  const entry = findSet(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.nil();
  popOne(entry);
  effects.changedKey(KeyEvent.Spop, argPtr(1), argLength(1));
  dropIfEmpty(entry, 1);
}

/** Answers and removes a member at random. */
function popOne(entry: Entry): void {
  openForWrite(entry);
  randomMember(entry);
  reply.bulk(state.memberPtr, state.memberLength);
  const member: usize = state.memberPtr;
  effects.member(Cmd.SRem, argPtr(1), argLength(1), member, state.memberLength);
  setRemove(entry, member, state.memberLength);
}

function spopCount(): void {
  if (!parseInt64(argPtr(2), argLength(2), NUMBER) || load<i64>(NUMBER) < 0)
    return reply.error("ERR value is out of range, must be positive");
  const entry = findSet(1, Find.Write);
  if (reply.isFailed()) return;
  const count = load<i64>(NUMBER);
  if (entry === null || count === 0) return reply.set(0);
  const size = setCount(entry);
  if (count >= <i64>size) {
    reply.set(size);
    replyMembers(entry);
    effects.changedKey(KeyEvent.Spop, argPtr(1), argLength(1), size);
    removeEntry(entry);
    effects.concernedKey(KeyEvent.Del, argPtr(1), argLength(1));
    if (effects.begin(Cmd.Del, 1)) effects.word(argPtr(1), argLength(1));
    return;
  }
  reply.set(<u32>count);
  for (let i: i64 = 0; i < count; i++) popOne(entry);
  effects.changedKey(KeyEvent.Spop, argPtr(1), argLength(1), <u32>count);
}

export function srandmember(argc: u32): void {
  if (argc > 3) return reply.syntaxError();
  if (argc === 3) return srandmemberCount();
  const entry = findSet(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null) return reply.nil();
  randomMember(entry);
  reply.bulk(state.memberPtr, state.memberLength);
}

function srandmemberCount(): void {
  if (!readChoiceCount()) return;
  const count = choiceCount();
  const entry = findSet(1, Find.None);
  if (reply.isFailed()) return;
  if (entry === null || count === 0) return reply.array(0);
  const size = setCount(entry);
  if (count < 0) {
    reply.array(<u32>-count);
    for (let i = count; i < 0; i++) {
      randomMember(entry);
      reply.bulk(state.memberPtr, state.memberLength);
    }
    return;
  }
  if (count >= <i64>size) {
    reply.array(size);
    return replyMembers(entry);
  }
  reply.array(<u32>count);
  if (isFew(<u64>count, size) && encodingOf(entry) === Encoding.Table) drawFew(entry, <u32>count);
  else chooseWalking(entry, <u32>count);
}

/** Draws until enough different members are found. O(count^2), count small */
function drawFew(entry: Entry, count: u32): void {
  for (let drawn: u32 = 0; drawn < count; ) {
    const ref = memberRef(entry);
    if (!noteDrawn(ref, drawn)) continue;
    drawn += 1;
    readRef(ref);
    reply.bulk(state.memberPtr, state.memberLength);
  }
}

/** Walks once and takes each member with the chance that makes all choices equally likely. O(size) */
function chooseWalking(entry: Entry, count: u32): void {
  let left = setCount(entry);
  let wanted = count;
  beginMembers(entry);
  while (wanted > 0 && nextMember()) {
    if (isChosen(wanted, left)) {
      reply.bulk(state.memberPtr, state.memberLength);
      wanted -= 1;
    }
    left -= 1;
  }
}

// ---- SSCAN

export function sscan(argc: u32): void {
  if (!readCursor(2)) return;
  const entry = findSet(1, Find.None);
  if (reply.isFailed()) return;
  // As in Redis, nobody looks at the options of a key that is missing.
  if (entry === null) {
    replyCursor(0);
    return reply.array(0);
  }
  for (let i: u32 = 3; i < argc; i += 2)
    if (i + 1 >= argc || !readScanOption(i)) return scanFault();
  if (encodingOf(entry) === Encoding.Table) return sscanTable(entry);
  replyCursor(0);
  reply.array(scanCompact(entry, false));
  scanCompact(entry, true);
}

/** Walks a compact set; the wanted members are answered, or only counted. */
function scanCompact(entry: Entry, answer: bool): u32 {
  let wanted: u32 = 0;
  beginMembers(entry);
  while (nextMember()) {
    if (!isScanned(state.memberPtr, state.memberLength)) continue;
    wanted += 1;
    if (answer) reply.bulk(state.memberPtr, state.memberLength);
  }
  return wanted;
}

function sscanTable(entry: Entry): void {
  const found = scanTable(changetype<Table>(<usize>entry.value));
  let wanted: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    readRef(foundRef(i));
    if (isScanned(state.memberPtr, state.memberLength)) wanted += 1;
    else dropFound(i);
  }
  replyCursor(state.walkPosition);
  reply.array(wanted);
  for (let i: u32 = 0; i < found; i++) {
    if (foundRef(i) === 0) continue;
    readRef(foundRef(i));
    reply.bulk(state.memberPtr, state.memberLength);
  }
}
