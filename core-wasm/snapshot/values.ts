/**
 * Entries as commands that rebuild them: one switch, and a new type adds its line to both. A writer is asked for its value from a
 * cursor on: 0 is the beginning. It writes about SLICE_BYTES at the most, in whole commands of at most 64 elements, and answers
 * the cursor to go on from, or 0 if that was all. Nothing changes the value between two such calls, but its blocks may move.
 *
 * Writers read; they must not allocate, and may use scratch below ScratchArea.Split as they like: it is saved around them.
 */
import { deadlineOf, Entry, keyLength, keyPtr, Type, typeOf } from "../keyspace/entry";
import { isLargeHash, writeHash } from "./hash";
import { isLargeList, writeList } from "./list";
import { isLargeSet, writeSet } from "./set";
import { isLargeSortedSet, writeSortedSet } from "./sorted-set";
import { command, number, text, word } from "./stream";
import { isLargeStream, writeStream } from "./stream-value";
import { isLargeString, writeString } from "./string";

/** Writes the entry, or its next part. The deadline comes last. @returns where to go on, 0 = it is written */
export function writeEntry(entry: Entry, db: u32, cursor: u64): u64 {
  switch (typeOf(entry)) {
    case Type.String:
      // Most keys are short strings: theirs is one command.
      if (!isLargeString(entry)) return writeString(entry, db, cursor);
      cursor = writeString(entry, db, cursor);
      break;
    case Type.List:
      cursor = writeList(entry, db, cursor);
      break;
    case Type.Set:
      cursor = writeSet(entry, db, cursor);
      break;
    case Type.Hash:
      cursor = writeHash(entry, db, cursor);
      break;
    case Type.SortedSet:
      cursor = writeSortedSet(entry, db, cursor);
      break;
    case Type.Stream:
      cursor = writeStream(entry, db, cursor);
      break;
    default:
      return 0;
  }
  if (cursor === 0) writeDeadline(entry, db);
  return cursor;
}

/** Whether the value is too large to be written in the middle of a command that removes it. O(1) */
export function isLarge(entry: Entry): bool {
  switch (typeOf(entry)) {
    case Type.String:
      return isLargeString(entry);
    case Type.List:
      return isLargeList(entry);
    case Type.Set:
      return isLargeSet(entry);
    case Type.Hash:
      return isLargeHash(entry);
    case Type.SortedSet:
      return isLargeSortedSet(entry);
    case Type.Stream:
      return isLargeStream(entry);
    default:
      return false;
  }
}

function writeDeadline(entry: Entry, db: u32): void {
  const deadline = deadlineOf(entry);
  if (deadline === 0) return;
  command(db, 3);
  text("PEXPIREAT");
  word(keyPtr(entry), keyLength(entry));
  number(<i64>deadline);
}
