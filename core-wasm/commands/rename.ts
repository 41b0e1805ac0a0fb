/** Keys that get another name or database, or a double: RENAME RENAMENX MOVE COPY. https://redis.io/docs/latest/commands/rename/ */
import { Address, KeyEvent } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { copyEntry, Find, find, findIn, renameEntry } from "../keyspace/keyspace";
import { equal } from "../memory/bytes";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const NO_DATABASE: u32 = 0xffff_ffff;

/** Whether words 1 and 2 are the same bytes. */
function isSameKey(): bool {
  return argLength(1) === argLength(2) && equal(argPtr(1), argPtr(2), argLength(1));
}

/** The database that word `index` names; NO_DATABASE after an error was answered. */
function databaseArg(index: u32): u32 {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER)) {
    reply.notInteger();
    return NO_DATABASE;
  }
  const value = load<i64>(NUMBER);
  if (value < i32.MIN_VALUE || value > i32.MAX_VALUE) {
    reply.error("ERR value is out of range, value must between -2147483648 and 2147483647");
    return NO_DATABASE;
  }
  if (value < 0 || value >= <i64>state.databases) {
    reply.error("ERR DB index is out of range");
    return NO_DATABASE;
  }
  return <u32>value;
}

function sameObject(): void {
  reply.error("ERR source and destination objects are the same");
}

/** RENAME; RENAMENX with `onlyNew`. */
export function rename(onlyNew: bool): void {
  const db = io().db;
  const entry = find(argPtr(1), argLength(1), Find.Write);
  if (entry === null) return reply.error("ERR no such key");
  if (isSameKey()) return onlyNew ? reply.integer(0) : reply.ok();
  const key = argPtr(2);
  const length = argLength(2);
  const existing = find(key, length, Find.Write);
  if (onlyNew && existing !== null) return reply.integer(0);
  if (!renameEntry(entry, db, key, length, existing)) return reply.noMemory();
  effects.changedKey(KeyEvent.RenameFrom, argPtr(1), argLength(1));
  effects.concerned(db, KeyEvent.RenameTo, key, length);
  return onlyNew ? reply.integer(1) : reply.ok();
}

export function move(): void {
  const from = io().db;
  const to = databaseArg(2);
  if (to === NO_DATABASE) return;
  if (to === from) return sameObject();
  const key = argPtr(1);
  const length = argLength(1);
  const entry = find(key, length, Find.Write);
  if (entry === null || findIn(to, key, length, Find.Write) !== null) return reply.integer(0);
  if (!renameEntry(entry, to, key, length, null)) return reply.noMemory();
  effects.changedKeyOf(from, KeyEvent.MoveFrom, key, length);
  effects.concerned(to, KeyEvent.MoveTo, key, length);
  reply.integer(1);
}

/** COPY source destination [DB database] [REPLACE] */
export function copy(argc: u32): void {
  let db = io().db;
  let replace = false;
  for (let i: u32 = 3; i < argc; i++) {
    const word = argWord(i);
    if (word === Word.REPLACE) replace = true;
    else if (word === Word.DB && i + 1 < argc) {
      i += 1;
      db = databaseArg(i);
      if (db === NO_DATABASE) return;
    } else return reply.syntaxError();
  }
  if (db === io().db && isSameKey()) return sameObject();
  const source = find(argPtr(1), argLength(1), Find.None);
  if (source === null) return reply.integer(0);
  const key = argPtr(2);
  const length = argLength(2);
  const existing = findIn(db, key, length, Find.Write);
  if (existing !== null && !replace) return reply.integer(0);
  if (!copyEntry(source, db, key, length, existing)) return reply.noMemory();
  effects.changedKeyOf(db, KeyEvent.CopyTo, key, length);
  reply.integer(1);
}
