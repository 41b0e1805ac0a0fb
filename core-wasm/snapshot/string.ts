/** Strings as commands: SET, with the deadline if there is one; a large one piece by piece. */
import { deadlineOf, Encoding, Entry, encodingOf, keyLength, keyPtr } from "../keyspace/entry";
import { SNAPSHOT_PIECE_BYTES } from "../tuning";
import { integerOf, isInteger, stringBytes, stringLength } from "../types/string";
import { command, number, text, word } from "./stream";

/** Whether it is written piece by piece: it has a block of its own then. */
export function isLargeString(entry: Entry): bool {
  return encodingOf(entry) === Encoding.RawExternal && stringLength(entry) > SNAPSHOT_PIECE_BYTES;
}

/** See `writeEntry`. The cursor of a large string is where its next piece begins, plus one. */
export function writeString(entry: Entry, db: u32, cursor: u64): u64 {
  if (isLargeString(entry)) return writePiece(entry, db, cursor);
  const deadline = deadlineOf(entry);
  command(db, deadline === 0 ? 3 : 5);
  text("SET");
  word(keyPtr(entry), keyLength(entry));
  if (isInteger(entry)) number(integerOf(entry));
  else word(stringBytes(entry), stringLength(entry));
  if (deadline !== 0) {
    text("PXAT");
    number(<i64>deadline);
  }
  return 0;
}

function writePiece(entry: Entry, db: u32, cursor: u64): u64 {
  const length = stringLength(entry);
  // The last byte first: whoever loads this has the whole length at once, and nothing to lengthen again and again.
  if (cursor === 0) {
    setRange(entry, db, length - 1, 1);
    return 1;
  }
  const begin = <u32>(cursor - 1);
  const left = length - begin;
  const piece = left < SNAPSHOT_PIECE_BYTES ? left : SNAPSHOT_PIECE_BYTES;
  setRange(entry, db, begin, piece);
  return piece === left ? 0 : cursor + piece;
}

function setRange(entry: Entry, db: u32, begin: u32, length: u32): void {
  command(db, 4);
  text("SETRANGE");
  word(keyPtr(entry), keyLength(entry));
  number(begin);
  word(stringBytes(entry) + begin, length);
}
