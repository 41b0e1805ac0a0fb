/** Hashes as commands: HSET of up to 64 fields each, and HSETEX for each field with a deadline. */
import {
  Encoding,
  Entry,
  encodingOf,
  hasFieldDeadlines,
  keyLength,
  keyPtr,
} from "../keyspace/entry";
import { nextRef } from "../keyspace/table-walk";
import { state } from "../state";
import { beginFields, nextField, readField } from "../types/hash";
import { hashCount, tableOfHash } from "../types/hash-form";
import { command, number, text, word } from "./stream";

const FIELDS_AT_ONCE: u32 = 64;
/** A command ends behind the field with which it has so many bytes. */
const COMMAND_BYTES: u32 = 65536;
/** Tables of more fields are written a command at a time. */
const LARGE_FIELDS: u32 = 512;

export function isLargeHash(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Table && hashCount(entry) > LARGE_FIELDS;
}

/** See `writeEntry`. A packed hash is written whole; of a table the cursor is where the walk over its cells goes on. */
export function writeHash(entry: Entry, db: u32, cursor: u64): u64 {
  if (encodingOf(entry) !== Encoding.Table) {
    writePacked(entry, db);
    return 0;
  }
  do cursor = writeSome(entry, db, cursor);
  while (cursor !== 0 && !isLargeHash(entry));
  return cursor;
}

function beginCommand(entry: Entry, db: u32, fields: u32): void {
  command(db, (fields << 1) + 2);
  text("HSET");
  word(keyPtr(entry), keyLength(entry));
}

function writeField(): void {
  word(state.memberPtr, state.memberLength);
  word(state.valuePtr, state.valueLength);
}

/** Writes the field in hand, which has a deadline. */
function writeTimed(entry: Entry, db: u32): void {
  command(db, 8);
  text("HSETEX");
  word(keyPtr(entry), keyLength(entry));
  text("PXAT");
  number(<i64>state.fieldDeadline);
  text("FIELDS");
  number(1);
  writeField();
}

function writePacked(entry: Entry, db: u32): void {
  let left: u32 = 0;
  beginFields(entry);
  while (nextField()) if (state.fieldDeadline === 0) left += 1;
  let ofCommand: u32 = 0;
  beginFields(entry);
  while (left > 0 && nextField()) {
    if (state.fieldDeadline !== 0) continue;
    if (ofCommand === 0) {
      ofCommand = left < FIELDS_AT_ONCE ? left : FIELDS_AT_ONCE;
      beginCommand(entry, db, ofCommand);
    }
    writeField();
    ofCommand -= 1;
    left -= 1;
  }
  if (!hasFieldDeadlines(entry)) return;
  beginFields(entry);
  while (nextField()) if (state.fieldDeadline !== 0) writeTimed(entry, db);
}

/** Writes the next fields from a cursor on. @returns where to go on, 0 = there were none left */
function writeSome(entry: Entry, db: u32, cursor: u64): u64 {
  const t = tableOfHash(entry);
  let fields: u32 = 0;
  let timed: u32 = 0;
  let bytes: u32 = 0;
  let end = cursor;
  while (fields < FIELDS_AT_ONCE && bytes < COMMAND_BYTES) {
    const ref: usize = nextRef(t, end);
    if (ref === 0) break;
    end = state.walkPosition;
    readField(ref);
    bytes += state.memberLength + state.valueLength;
    fields += 1;
    if (state.fieldDeadline !== 0) timed += 1;
  }
  if (fields === 0) return 0;
  if (fields > timed) {
    beginCommand(entry, db, fields - timed);
    for (let at = cursor; at !== end; at = state.walkPosition) {
      readField(nextRef(t, at));
      if (state.fieldDeadline === 0) writeField();
    }
  }
  for (let at = cursor; timed > 0 && at !== end; at = state.walkPosition) {
    readField(nextRef(t, at));
    if (state.fieldDeadline !== 0) writeTimed(entry, db);
  }
  return end;
}
