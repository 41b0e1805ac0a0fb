/** Hashes as commands: HSET of up to 64 fields each. */
import { Encoding, Entry, encodingOf, keyLength, keyPtr } from "../keyspace/entry";
import { nextRef, Table } from "../keyspace/table";
import { state } from "../state";
import { beginFields, hashCount, nextField, readField } from "../types/hash";
import { command, text, word } from "./stream";

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

function writePacked(entry: Entry, db: u32): void {
  let left = hashCount(entry);
  let ofCommand: u32 = 0;
  beginFields(entry);
  while (nextField()) {
    if (ofCommand === 0) {
      ofCommand = left < FIELDS_AT_ONCE ? left : FIELDS_AT_ONCE;
      beginCommand(entry, db, ofCommand);
    }
    writeField();
    ofCommand -= 1;
    left -= 1;
  }
}

/** Writes one command of the fields from a cursor on. @returns where to go on, 0 = there were none left */
function writeSome(entry: Entry, db: u32, cursor: u64): u64 {
  const t = changetype<Table>(<usize>entry.value);
  let fields: u32 = 0;
  let bytes: u32 = 0;
  let position = cursor;
  while (fields < FIELDS_AT_ONCE && bytes < COMMAND_BYTES) {
    const ref: usize = nextRef(t, position);
    if (ref === 0) break;
    position = state.walkPosition;
    readField(ref);
    bytes += state.memberLength + state.valueLength;
    fields += 1;
  }
  if (fields === 0) return 0;
  beginCommand(entry, db, fields);
  for (let i: u32 = 0; i < fields; i++) {
    const ref: usize = nextRef(t, cursor);
    cursor = state.walkPosition;
    readField(ref);
    writeField();
  }
  return cursor;
}
