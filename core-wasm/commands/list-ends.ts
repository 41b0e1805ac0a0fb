/** Commands on the ends of lists: pushing, popping, moving. https://redis.io/docs/latest/commands/?group=list */
import { Address, KeyEvent } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { putCollection } from "../keyspace/collections";
import { Entry, encodingOf, Type } from "../keyspace/entry";
import { Find, openForWrite } from "../keyspace/keyspace";
import { alloc, free } from "../memory/allocator";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import {
  asideList,
  End,
  expectElements,
  goToEnd,
  isPackedList,
  listCount,
  listPush,
  listStep,
  readPosition,
  removeAtPosition,
  removeRange,
} from "../types/list";
import { packedElementBytes } from "../types/packed";
import { freeValue } from "../types/value";
import {
  elementsRemoved,
  endArg,
  findList,
  integerArg,
  readAtLeast,
  replyPosition,
  replyRange,
} from "./list-arguments";

/** An element of this length at most is copied to scratch. */
const COPIED: usize = Address.Scratch + ScratchArea.Text;
const COPIED_BYTES: u32 = 0x8000;

function pushEvent(end: End): KeyEvent {
  return end === End.Front ? KeyEvent.Lpush : KeyEvent.Rpush;
}

function popEvent(end: End): KeyEvent {
  return end === End.Front ? KeyEvent.Lpop : KeyEvent.Rpop;
}

// ---- pushing

/** LPUSH, RPUSH; the X forms want the list to be there. */
export function push(end: End, onlyExisting: bool, argc: u32): void {
  const existing = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (existing === null) {
    if (onlyExisting) return reply.integer(0);
    const fresh = asideList();
    if (fresh === null) return reply.noMemory();
    if (!pushWords(fresh, end, argc)) {
      freeValue(fresh);
      return reply.noMemory();
    }
    if (!storeAside(fresh, 1)) return reply.noMemory();
    reply.integer(argc - 2);
  } else {
    openForWrite(existing);
    if (!pushWords(existing, end, argc)) return reply.noMemory();
    reply.integer(listCount(existing));
  }
  effects.changedKey(pushEvent(end), argPtr(1), argLength(1), argc - 2);
}

/** Pushes the words from 2 on. @returns false = no memory: none of them is there */
function pushWords(entry: Entry, end: End, argc: u32): bool {
  let bytes: u64 = 0;
  for (let i: u32 = 2; i < argc; i++) bytes += argLength(i);
  if (!expectElements(entry, bytes, argc - 2)) return false;
  for (let i: u32 = 2; i < argc; i++) {
    if (listPush(entry, end, argPtr(i), argLength(i))) continue;
    removeEnd(entry, end, i - 2);
    return false;
  }
  return true;
}

/** Hangs a list that was built aside under the key of word `index`. @returns false = no memory: the list is freed */
function storeAside(list: Entry, index: u32): bool {
  const encoding = encodingOf(list);
  const value: usize = list.value;
  const key = argPtr(index);
  if (putCollection(null, key, argLength(index), Type.List, encoding, value, 0) !== null)
    return true;
  freeValue(list);
  return false;
}

function removeEnd(entry: Entry, end: End, count: u32): void {
  removeRange(entry, end === End.Front ? 0 : listCount(entry) - count, count);
}

// ---- popping

/** LPOP, RPOP. */
export function pop(end: End, argc: u32): void {
  if (argc > 3)
    return reply.error(
      end === End.Front
        ? "ERR wrong number of arguments for 'lpop' command"
        : "ERR wrong number of arguments for 'rpop' command",
    );
  if (argc === 3) return popCount(end);
  const entry = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.nil();
  popOne(entry, 1, end);
}

function popCount(end: End): void {
  if (!readAtLeast(2, 0, "ERR value is out of range, must be positive")) return;
  const entry = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (entry === null) return reply.nilArray();
  if (integerArg() === 0) return reply.array(0);
  popSome(entry, 1, end, integerArg());
}

/** Answers and removes the element at an end of the list at word `index`. */
export function popOne(entry: Entry, index: u32, end: End): void {
  openForWrite(entry);
  goToEnd(entry, end);
  replyPosition();
  removeAtPosition(entry, End.Back);
  elementsRemoved(entry, index, popEvent(end), 1);
}

/** Answers and removes up to `count` elements, from the end on. @returns how many */
export function popSome(entry: Entry, index: u32, end: End, count: i64): u32 {
  const size = listCount(entry);
  const taken: u32 = count < <i64>size ? <u32>count : size;
  openForWrite(entry);
  reply.array(taken);
  if (end === End.Front) replyRange(entry, 0, taken);
  else {
    goToEnd(entry, End.Back);
    for (let i: u32 = 0; i < taken; i++) {
      replyPosition();
      listStep(entry, End.Front);
    }
  }
  removeEnd(entry, end, taken);
  elementsRemoved(entry, index, popEvent(end), taken);
  return taken;
}

export function llen(): void {
  const entry = findList(1, Find.None);
  if (reply.isFailed()) return;
  reply.integer(entry === null ? 0 : listCount(entry));
}

// ---- moving

export function lmove(): void {
  const from = endArg(3);
  if (from < 0) return;
  const to = endArg(4);
  if (to < 0) return;
  move(from, to);
}

/** Moves an element from the list at word 1 to that at word 2. */
export function move(from: End, to: End): void {
  const source = findList(1, Find.Write);
  if (reply.isFailed()) return;
  if (source === null) return reply.nil();
  moveFrom(source, from, to);
}

/** The same with the source in hand; an error may have been answered. */
export function moveFrom(source: Entry, from: End, to: End): void {
  const target = findList(2, Find.Write);
  if (reply.isFailed()) return;
  openForWrite(source);
  if (target === source) {
    if (!turn(source, from, to)) return reply.noMemory();
  } else {
    if (target !== null) openForWrite(target);
    goToEnd(source, from);
    readPosition();
    // The addition first: it may find no memory, the removal cannot fail.
    if (!give(target, to, state.memberPtr, state.memberLength)) return reply.noMemory();
    replyPosition();
    removeAtPosition(source, End.Back);
  }
  effects.concernedKey(pushEvent(to), argPtr(2), argLength(2));
  elementsRemoved(source, 1, popEvent(from), 1);
}

/** Adds an element to the list at word 2, which is made if it is null. @returns false = no memory, nothing changed */
function give(target: Entry | null, end: End, ptr: usize, length: u32): bool {
  const list = target === null ? asideList() : target;
  if (list === null) return false;
  if (!expectElements(list, length, 1) || !listPush(list, end, ptr, length)) {
    if (target === null) freeValue(list);
    return false;
  }
  return target !== null || storeAside(list, 2);
}

/** Moves an element of a list to its other end, or leaves it where it is, and answers it. @returns false = no memory */
function turn(list: Entry, from: End, to: End): bool {
  goToEnd(list, from);
  if (from === to) {
    replyPosition();
    return true;
  }
  readPosition();
  const length = state.memberLength;
  // Adding it moves the bytes it is read from.
  const copy: usize = length <= COPIED_BYTES ? COPIED : alloc(length);
  if (copy === 0) return false;
  memory.copy(copy, state.memberPtr, length);
  // As if it had been removed first: all its bytes, and it, come back.
  const more: u64 = isPackedList(list) ? <u64>length - packedElementBytes(copy, length) : 0;
  const turned = expectElements(list, more, 0) && listPush(list, to, copy, length);
  if (turned) {
    removeEnd(list, from, 1);
    reply.bulk(copy, length);
  }
  if (copy !== COPIED) free(copy);
  return turned;
}
