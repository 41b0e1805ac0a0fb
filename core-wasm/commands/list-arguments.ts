/** What the words of list commands say, and what they have in common. */
import { Address, KeyEvent } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { Entry, Type, typeOf } from "../keyspace/entry";
import { find, removeEntry } from "../keyspace/keyspace";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";
import { End, goToNode, isPackedList, listCount, readPosition, settleShrunk } from "../types/list";
import { elementsOf, isPlain, nodeAt, plainLength, plainPtr } from "../types/list-node";
import { packedSeek } from "../types/packed";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

/** The list at word `index`, or null; `state.status` has Error after a key of another type was answered. */
export function findList(index: u32, how: u32): Entry | null {
  const entry = find(argPtr(index), argLength(index), how);
  if (entry === null || typeOf(entry) === Type.List) return entry;
  reply.wrongType();
  return null;
}

/** Reads word `index` as an integer into `integerArg`. @returns false after an error was answered */
export function readInteger(index: u32): bool {
  if (parseInt64(argPtr(index), argLength(index), NUMBER)) return true;
  reply.notInteger();
  return false;
}

/** The same for one that is at least `least`; everything else is answered with `text`. */
export function readAtLeast(index: u32, least: i64, text: string): bool {
  if (parseInt64(argPtr(index), argLength(index), NUMBER) && integerArg() >= least) return true;
  reply.error(text);
  return false;
}

export function integerArg(): i64 {
  return load<i64>(NUMBER);
}

/** The end that word `index` names, -1 after an error was answered. */
export function endArg(index: u32): i32 {
  const word = argWord(index);
  if (word === Word.LEFT) return End.Front;
  if (word === Word.RIGHT) return End.Back;
  reply.syntaxError();
  return -1;
}

/** The element at the position, as a bulk string. */
export function replyPosition(): void {
  readPosition();
  reply.bulk(state.memberPtr, state.memberLength);
}

/**
 * What follows from `count` elements of the list at word `index` having been removed, with the event of the command: the key goes
 * with the last, and a small rest becomes a listpack.
 */
export function elementsRemoved(entry: Entry, index: u32, event: KeyEvent, count: u32): void {
  const key = argPtr(index);
  const length = argLength(index);
  if (count > 0) effects.changed(count);
  effects.concernedKey(event, key, length);
  if (listCount(entry) > 0) return settleShrunk(entry);
  removeEntry(entry);
  effects.event(KeyEvent.Del, io().db, key, length);
}

/** Answers elements from an index on, all of which are there. O(nodes + count) */
export function replyRange(entry: Entry, start: u32, count: u32): void {
  if (isPackedList(entry)) {
    reply.bulkElements(packedSeek(entry.value, start), count);
    return;
  }
  let offset = goToNode(entry, start);
  let left = count;
  for (let ref: usize = state.listNode; left > 0; ref = nodeAt(ref).next) {
    const node = nodeAt(ref);
    const here = elementsOf(node) - offset;
    const some = left < here ? left : here;
    if (isPlain(node)) reply.bulk(plainPtr(node.data), plainLength(node.data));
    else reply.bulkElements(packedSeek(node.data, offset), some);
    left -= some;
    offset = 0;
  }
}
