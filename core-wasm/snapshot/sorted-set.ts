/** Sorted sets as commands: ZADD of up to 64 members each, the lowest first, which fills the nodes of the tree that is loaded. */
import { Encoding, Entry, encodingOf, keyLength, keyPtr } from "../keyspace/entry";
import { state } from "../state";
import { beginScored, foundScore, nextScored, scoredCount } from "../types/sorted-set";
import { command, double, text, word } from "./stream";

const MEMBERS_AT_ONCE: u32 = 64;
/** A command ends behind the member with which it has so many bytes. */
const COMMAND_BYTES: u32 = 65536;
/** Trees of more members are written a command at a time. */
const LARGE_MEMBERS: u32 = 512;

export function isLargeSortedSet(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Tree && scoredCount(entry) > LARGE_MEMBERS;
}

/** See `writeEntry`. A small set is written whole; the cursor is the rank that comes next. */
export function writeSortedSet(entry: Entry, db: u32, cursor: u64): u64 {
  const count = scoredCount(entry);
  let rank = <u32>cursor;
  do rank = writeSome(entry, db, rank);
  while (rank < count && !isLargeSortedSet(entry));
  return rank < count ? rank : 0;
}

/** Writes one command of the members from a rank on. @returns the rank behind them */
function writeSome(entry: Entry, db: u32, rank: u32): u32 {
  let members: u32 = 0;
  let bytes: u32 = 0;
  beginScored(entry, rank, false);
  while (members < MEMBERS_AT_ONCE && bytes < COMMAND_BYTES && nextScored()) {
    bytes += state.memberLength;
    members += 1;
  }
  command(db, members * 2 + 2);
  text("ZADD");
  word(keyPtr(entry), keyLength(entry));
  beginScored(entry, rank, false);
  for (let i: u32 = 0; i < members && nextScored(); i++) {
    double(foundScore());
    word(state.memberPtr, state.memberLength);
  }
  return rank + members;
}
