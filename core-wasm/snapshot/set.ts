/** Sets as commands: SADD of up to 64 members each. */
import { Encoding, Entry, encodingOf, keyLength, keyPtr } from "../keyspace/entry";
import { Table } from "../keyspace/table";
import { nextRef } from "../keyspace/table-walk";
import { sizedLength, sizedPtr } from "../memory/sized";
import { state } from "../state";
import { beginMembers, nextMember, setCount } from "../types/set";
import { command, text, word } from "./stream";

const MEMBERS_AT_ONCE: u32 = 64;
/** A command ends behind the member with which it has so many bytes. */
const COMMAND_BYTES: u32 = 65536;
/** Tables of more members are written a command at a time. */
const LARGE_MEMBERS: u32 = 512;

export function isLargeSet(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Table && setCount(entry) > LARGE_MEMBERS;
}

/** See `writeEntry`. A compact set is written whole; of a table the cursor is where the walk over its cells goes on. */
export function writeSet(entry: Entry, db: u32, cursor: u64): u64 {
  if (encodingOf(entry) !== Encoding.Table) {
    writeCompact(entry, db);
    return 0;
  }
  do cursor = writeSome(entry, db, cursor);
  while (cursor !== 0 && !isLargeSet(entry));
  return cursor;
}

function beginCommand(entry: Entry, db: u32, members: u32): void {
  command(db, members + 2);
  text("SADD");
  word(keyPtr(entry), keyLength(entry));
}

function writeCompact(entry: Entry, db: u32): void {
  let left = setCount(entry);
  let ofCommand: u32 = 0;
  beginMembers(entry);
  while (nextMember()) {
    if (ofCommand === 0) {
      ofCommand = left < MEMBERS_AT_ONCE ? left : MEMBERS_AT_ONCE;
      beginCommand(entry, db, ofCommand);
    }
    word(state.memberPtr, state.memberLength);
    ofCommand -= 1;
    left -= 1;
  }
}

/** Writes one command of the members from a cursor on. @returns where to go on, 0 = there were none left */
function writeSome(entry: Entry, db: u32, cursor: u64): u64 {
  const t = changetype<Table>(<usize>entry.value);
  let members: u32 = 0;
  let bytes: u32 = 0;
  let position = cursor;
  while (members < MEMBERS_AT_ONCE && bytes < COMMAND_BYTES) {
    const ref: usize = nextRef(t, position);
    if (ref === 0) break;
    position = state.walkPosition;
    bytes += sizedLength(ref);
    members += 1;
  }
  if (members === 0) return 0;
  beginCommand(entry, db, members);
  for (let i: u32 = 0; i < members; i++) {
    const ref: usize = nextRef(t, cursor);
    cursor = state.walkPosition;
    word(sizedPtr(ref), sizedLength(ref));
  }
  return cursor;
}
