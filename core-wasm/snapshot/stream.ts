/**
 * The snapshot's stream: commands that rebuild what a value was, in a window that the host empties (`drain`) when it is full. A word
 * longer than the window is written in pieces, so a drain may come in the middle of a command.
 */
import { Address, SNAPSHOT_ANY_DB, Stream } from "../abi";
import { DOUBLE_MAX_BYTES, formatDouble } from "../memory/double";
import { drain } from "../memory/env";
import { formatInt64, formatUint64, narrow } from "../memory/text";
import { walk } from "./state";

/** A header line: type byte, 20 digits, CRLF. */
const HEADER_BYTES: u32 = 24;
const CRLF: u16 = 0x0a0d;
const ARRAY: u32 = 42;
const BULK: u32 = 36;
/** Digits of a number, or the letters of a literal, on their way into the window. */
const TEXT: usize = Address.SnapshotEnd;
const TEXT_BYTES: u32 = 64;

function room(bytes: u32): usize {
  if (walk.top + bytes > <u32>Address.SnapshotEnd) drain(Stream.Snapshot);
  return walk.top;
}

function advance(top: usize): void {
  walk.written += <u64>(top - walk.top);
  walk.top = <u32>top;
}

function endLine(at: usize): void {
  store<u16>(at, CRLF);
  advance(at + 2);
}

function header(type: u32, count: u32): void {
  const at = room(HEADER_BYTES);
  store<u8>(at, <u8>type);
  endLine(at + 1 + formatUint64(count, at + 1));
}

/** Begins a command of so many words, to be executed in a database. */
export function command(db: u32, words: u32): void {
  if (walk.selectedDb !== db) {
    // Before the words: selecting is a command too.
    walk.selectedDb = db;
    header(ARRAY, 2);
    text("SELECT");
    number(db);
  }
  header(ARRAY, words);
}

/** The stream selects its database anew: another file begins. */
export function forgetDatabase(): void {
  walk.selectedDb = SNAPSHOT_ANY_DB;
}

/** The next word: bytes. */
export function word(ptr: usize, length: u32): void {
  header(BULK, length);
  let from = ptr;
  let left = length;
  while (left > 0) {
    if (walk.top >= <u32>Address.SnapshotEnd) drain(Stream.Snapshot);
    const space = <u32>Address.SnapshotEnd - walk.top;
    const piece = left < space ? left : space;
    memory.copy(walk.top, from, piece);
    advance(walk.top + piece);
    from += piece;
    left -= piece;
  }
  endLine(room(2));
}

/** The next word: a number. */
export function number(value: i64): void {
  word(TEXT, formatInt64(value, TEXT));
}

/** The next word: a double. */
export function double(value: f64): void {
  word(TEXT, formatDouble(value, TEXT));
}

/** The next word: a literal of at most TEXT_BYTES letters. */
export function text(literal: string): void {
  word(TEXT, narrow(literal, TEXT));
}

if (DOUBLE_MAX_BYTES > TEXT_BYTES) ERROR("doubles run into what is saved");
if (<u32>Address.SnapshotEnd + TEXT_BYTES > <u32>Address.SnapshotSaved)
  ERROR("literals run into what is saved");
