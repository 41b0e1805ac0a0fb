/**
 * Ids of stream entries in arguments and replies: `<ms>-<seq>`, or `<ms>` alone; `-` and `+` for the ends where those make sense.
 *
 * Numbers are read as Redis reads them: the one spelling of a signed integer, or else whatever the C library takes for an unsigned one,
 * blanks in front, plus and minus included.
 */
import { Address } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { formatUint64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import { entryFields, entryMs, entrySeq, takeField, takeValue } from "../types/stream";

/** Which ids are taken. */
export enum IdForm {
  Any = 0, // - and + as well
  Strict = 1,
  Partial = 2, // <ms>-* as well
}

const DIGITS: usize = Address.Scratch + ScratchArea.StreamIds + 0x100;
const VALUE: usize = Address.Scratch + ScratchArea.StreamIds + 0x140;
/** Longest word that is looked at. */
const WORD_BYTES: u32 = 127;
/** Longest id. */
const ID_BYTES: u32 = 41;
const MINUS: u8 = 45;
const PLUS: u8 = 43;
const STAR: u8 = 42;
const BRACKET: u8 = 40;
/** What an id takes in a place for one: ms, seq, and whether the sequence number was given. */
const GIVEN: usize = 16;
export const ID_PLACE: usize = 24;

/** Places for the two ids that a command has in hand. */
export const FIRST_ID: usize = Address.Scratch + ScratchArea.StreamIds;
export const SECOND_ID: usize = FIRST_ID + ID_PLACE;

export function idMs(place: usize): u64 {
  return load<u64>(place);
}

export function idSeq(place: usize): u64 {
  return load<u64>(place, 8);
}

export function setId(place: usize, ms: u64, seq: u64): void {
  store<u64>(place, ms);
  store<u64>(place, seq, 8);
}

/** Whether the id was not of the form <ms>-*. */
export function isSeqGiven(place: usize): bool {
  return load<u32>(place, GIVEN) !== 0;
}

function isBlank(byte: u8): bool {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** Reads [p, end) as an unsigned number into VALUE. */
function parseUnsigned(from: usize, end: usize): bool {
  let p = from;
  while (p < end && isBlank(load<u8>(p))) p += 1;
  let negative = false;
  if (p < end && (load<u8>(p) === MINUS || load<u8>(p) === PLUS)) {
    negative = load<u8>(p) === MINUS;
    p += 1;
  }
  if (p === end) return false;
  const digits = p;
  let value: u64 = 0;
  for (; p < end; p++) {
    const digit = <u32>load<u8>(p) - 48;
    if (digit > 9) return false;
    if (value > 1844674407370955161) return false;
    const next = value * 10 + digit;
    if (next < value * 10) return false;
    value = next;
  }
  if (negative) {
    // A proper negative number is out of range; any other spelling of one wraps round.
    const isProper = digits === from + 1 && load<u8>(digits) !== 48;
    if (isProper && value <= 0x8000_0000_0000_0000) return false;
    value = 0 - value;
  }
  store<u64>(VALUE, value);
  return true;
}

/** Reads bytes as an id into a place. @returns false if they are none */
export function parseId(ptr: usize, length: u32, place: usize, missingSeq: u64, form: u32): bool {
  if (length > WORD_BYTES) return false;
  let end = ptr;
  while (end < ptr + length && load<u8>(end) !== 0) end += 1;
  store<u32>(place, 1, GIVEN);
  if (end === ptr + 1 && (load<u8>(ptr) === MINUS || load<u8>(ptr) === PLUS)) {
    if (form !== IdForm.Any) return false;
    const bound: u64 = load<u8>(ptr) === MINUS ? 0 : u64.MAX_VALUE;
    setId(place, bound, bound);
    return true;
  }
  let middle = ptr;
  while (middle < end && load<u8>(middle) !== MINUS) middle += 1;
  if (!parseUnsigned(ptr, middle)) return false;
  const ms = load<u64>(VALUE);
  let seq = missingSeq;
  if (middle < end) {
    const from = middle + 1;
    if (form === IdForm.Partial && end === from + 1 && load<u8>(from) === STAR) {
      store<u32>(place, 0, GIVEN);
      seq = 0;
    } else {
      if (!parseUnsigned(from, end)) return false;
      seq = load<u64>(VALUE);
    }
  }
  setId(place, ms, seq);
  return true;
}

/** Reads word `index` into a place. @returns false after the error was answered */
export function readId(index: u32, place: usize, missingSeq: u64, form: u32): bool {
  if (parseId(argPtr(index), argLength(index), place, missingSeq, form)) return true;
  reply.error("ERR Invalid stream ID specified as stream command argument");
  return false;
}

function invalidId(): bool {
  reply.error("ERR Invalid stream ID specified as stream command argument");
  return false;
}

/** Reads the lower end of a range, `(` in front leaves the id itself out. @returns false after the error was answered */
export function readStart(index: u32, place: usize): bool {
  if (!isExclusive(index)) return readId(index, place, 0, IdForm.Any);
  if (!parseId(argPtr(index) + 1, argLength(index) - 1, place, 0, IdForm.Strict))
    return invalidId();
  if (increment(place)) return true;
  reply.error("ERR invalid start ID for the interval");
  return false;
}

/** The same for the upper end, whose sequence number is the greatest if it is missing. */
export function readEnd(index: u32, place: usize): bool {
  const most = u64.MAX_VALUE;
  if (!isExclusive(index)) return readId(index, place, most, IdForm.Any);
  if (!parseId(argPtr(index) + 1, argLength(index) - 1, place, most, IdForm.Strict))
    return invalidId();
  if (decrement(place)) return true;
  reply.error("ERR invalid end ID for the interval");
  return false;
}

function isExclusive(index: u32): bool {
  return argLength(index) > 1 && load<u8>(argPtr(index)) === BRACKET;
}

/** Makes it the next id. @returns false = it is the last there can be */
export function increment(place: usize): bool {
  const ms = idMs(place);
  const seq = idSeq(place);
  if (seq !== u64.MAX_VALUE) setId(place, ms, seq + 1);
  else if (ms !== u64.MAX_VALUE) setId(place, ms + 1, 0);
  else return false;
  return true;
}

export function decrement(place: usize): bool {
  const ms = idMs(place);
  const seq = idSeq(place);
  if (seq !== 0) setId(place, ms, seq - 1);
  else if (ms !== 0) setId(place, ms - 1, u64.MAX_VALUE);
  else return false;
  return true;
}

/** Whether word `index` is this one letter. */
export function isLetter(index: u32, letter: u8): bool {
  return argLength(index) === 1 && load<u8>(argPtr(index)) === letter;
}

// ---- writing

/** Writes an id at `to`. @returns its bytes */
export function writeId(to: usize, ms: u64, seq: u64): u32 {
  const first = formatUint64(ms, to);
  store<u8>(to + first, MINUS);
  return first + 1 + formatUint64(seq, to + first + 1);
}

function formatId(ms: u64, seq: u64): u32 {
  return writeId(DIGITS, ms, seq);
}

/** Answers an id as a bulk string. */
export function replyId(ms: u64, seq: u64): void {
  reply.bulk(DIGITS, formatId(ms, seq));
}

/** Answers the entry in hand: its id, and its fields and values. */
export function replyEntry(): void {
  reply.array(2);
  replyId(entryMs(), entrySeq());
  reply.array(entryFields() << 1);
  for (let i = entryFields(); i > 0; i--) {
    reply.bulkElement(takeField());
    reply.bulkElement(takeValue());
  }
}

/** Room that a record needs for an id (effects.beginWith). */
export const EFFECT_ID_BYTES: u32 = ID_BYTES;

/** The next word of a record: an id. */
export function effectId(ms: u64, seq: u64): void {
  effects.copied(DIGITS, formatId(ms, seq));
}
