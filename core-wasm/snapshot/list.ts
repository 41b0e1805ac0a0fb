/** Lists as commands: RPUSH of up to 64 elements each. */
import { Entry, keyLength, keyPtr } from "../keyspace/entry";
import { state } from "../state";
import {
  chainOf,
  End,
  goInto,
  goTo,
  isPackedList,
  listCount,
  listStep,
  readPosition,
} from "../types/list";
import { command, text, word } from "./stream";

const ELEMENTS_AT_ONCE: u32 = 64;
/** A command ends behind the element with which it has so many bytes. */
const COMMAND_BYTES: u32 = 65536;
/** Chains of more elements or nodes are written a command at a time. */
const LARGE_ELEMENTS: u32 = 512;
const LARGE_NODES: u32 = 16;

export function isLargeList(entry: Entry): bool {
  if (isPackedList(entry)) return false;
  return listCount(entry) > LARGE_ELEMENTS || chainOf(entry).nodes > LARGE_NODES;
}

/** See `writeEntry`. The cursor is the index of the element to go on with, in the high half its index in the node `written` of its chain. */
export function writeList(entry: Entry, db: u32, cursor: u64): u64 {
  do cursor = writeSome(entry, db, <u32>cursor, <u32>(cursor >> 32));
  while (cursor !== 0 && !isLargeList(entry));
  return cursor;
}

/** Writes one command of the elements from an index on. @returns where to go on, 0 = that was all */
function writeSome(entry: Entry, db: u32, start: u32, inNode: u32): u64 {
  const isPacked = isPackedList(entry);
  if (isPacked) goTo(entry, start);
  else goInto(entry, start === 0 ? 0 : chainOf(entry).written, inNode);
  const node = state.listNode;
  const at = state.listAt;
  const count = listCount(entry);
  let elements: u32 = 0;
  let bytes: u32 = 0;
  do {
    readPosition();
    bytes += state.memberLength;
    elements += 1;
  } while (elements < ELEMENTS_AT_ONCE && bytes < COMMAND_BYTES && listStep(entry, End.Back));
  command(db, elements + 2);
  text("RPUSH");
  word(keyPtr(entry), keyLength(entry));
  state.listNode = node;
  state.listAt = at;
  for (let i: u32 = 0; i < elements; i++) {
    readPosition();
    word(state.memberPtr, state.memberLength);
    const before = state.listNode;
    listStep(entry, End.Back);
    inNode = state.listNode === before ? inNode + 1 : 0;
  }
  const next = start + elements;
  if (next >= count) return 0;
  if (isPacked) return next;
  chainOf(entry).written = state.listNode;
  return next | ((<u64>inNode) << 32);
}
