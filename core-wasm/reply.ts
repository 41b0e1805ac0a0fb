/**
 * Replies in the output window, in the protocol of the client that asked. Meaning in, bytes out: commands say what they
 * answer. When the window is too full for the next piece the host empties it (`drain`); a bulk longer than the window is
 * written in pieces.
 */
import { Address, Status, Stream } from "./abi";
import { Entry } from "./keyspace/entry";
import { DOUBLE_MAX_BYTES, formatDouble } from "./memory/double";
import { drain } from "./memory/env";
import { Extended, formatExtended, setDouble } from "./memory/extended";
import { formatFixed, formatInt64, formatUint64, narrow } from "./memory/text";
import { io, ScratchArea, state } from "./state";
import { packedNext, readElement } from "./types/packed";
import { stringBytes, stringLength } from "./types/string";

/** A header line: type byte, 20 digits, CRLF. */
const HEADER_BYTES: u32 = 24;
const CRLF: u16 = 0x0a0d;

enum Byte {
  Simple = 43,
  Error = 45,
  Integer = 58,
  Bulk = 36,
  Array = 42,
  Map = 37,
  Set = 126,
  Double = 44,
}

function drainWindow(): void {
  drain(Stream.Reply);
  state.status |= Status.Drained;
}

function room(bytes: u32): usize {
  const block = io();
  if (block.outTop + bytes > block.outEnd) drainWindow();
  return block.outTop;
}

function advance(top: usize): void {
  io().outTop = <u32>top;
}

function crlf(at: usize): usize {
  store<u16>(at, CRLF);
  return at + 2;
}

/** Type byte and text of a line whose end is still to come. */
function line(type: u32, text: string): void {
  const at = room(1 + <u32>text.length);
  store<u8>(at, <u8>type);
  advance(at + 1 + narrow(text, at + 1));
}

function endLine(): void {
  advance(crlf(room(2)));
}

function header(type: u32, count: u64): void {
  const at = room(HEADER_BYTES);
  store<u8>(at, <u8>type);
  advance(crlf(at + 1 + formatUint64(count, at + 1)));
}

export function ok(): void {
  const at = room(8);
  store<u32>(at, 0x0d4b4f2b);
  store<u8>(at + 4, 10);
  advance(at + 5);
}

export function integer(value: i64): void {
  const at = room(HEADER_BYTES);
  store<u8>(at, Byte.Integer);
  advance(crlf(at + 1 + formatInt64(value, at + 1)));
}

/** `_` in RESP3, a null bulk in RESP2. */
export function nil(): void {
  const at = room(8);
  if (io().protocol === 3) {
    store<u32>(at, 0x000a0d5f);
    advance(at + 3);
  } else {
    store<u32>(at, 0x0d312d24);
    store<u8>(at + 4, 10);
    advance(at + 5);
  }
}

/** `_` in RESP3, a null array in RESP2. */
export function nilArray(): void {
  if (io().protocol === 3) return nil();
  const at = room(8);
  store<u32>(at, 0x0d312d2a);
  store<u8>(at + 4, 10);
  advance(at + 5);
}

export function array(count: u32): void {
  header(Byte.Array, count);
}

/** `count` pairs follow: `%` in RESP3, an array of twice as many in RESP2. */
export function map(count: u32): void {
  if (io().protocol === 3) header(Byte.Map, count);
  else header(Byte.Array, (<u64>count) << 1);
}

/** `~` in RESP3, an array in RESP2. */
export function set(count: u32): void {
  header(io().protocol === 3 ? Byte.Set : Byte.Array, count);
}

/** An integer as a bulk string. */
export function bulkInteger(value: i64): void {
  const digits: usize = Address.Scratch + ScratchArea.Number;
  bulk(digits, formatInt64(value, digits));
}

/** A double: `,` in RESP3, a bulk string in RESP2; inf, -inf and nan by their names. */
export function double(value: f64): void {
  const digits: usize = Address.Scratch + ScratchArea.Number;
  const length = formatDouble(value, digits);
  if (io().protocol !== 3) return bulk(digits, length);
  const at = room(1 + DOUBLE_MAX_BYTES + 2);
  store<u8>(at, Byte.Double);
  memory.copy(at + 1, digits, length);
  advance(crlf(at + 1 + length));
}

/** A coordinate: a double with up to 17 decimals, as Redis writes a long double. */
export function coordinate(value: f64): void {
  const number = changetype<Extended>(Address.Scratch + ScratchArea.Argument + 544);
  const digits: usize = Address.Scratch + ScratchArea.Digits;
  setDouble(number, value);
  const length = formatExtended(number, digits);
  if (io().protocol !== 3) return bulk(digits, length);
  const at = room(1 + length + 2);
  store<u8>(at, Byte.Double);
  memory.copy(at + 1, digits, length);
  advance(crlf(at + 1 + length));
}

/** A distance: a bulk string with four decimals. */
export function distance(value: f64): void {
  const digits: usize = Address.Scratch + ScratchArea.Number;
  bulk(digits, formatFixed(value, 4, digits));
}

/** The element at a position of a packed sequence, as a bulk string. */
export function bulkElement(at: usize): void {
  readElement(at);
  if (state.elementPtr === 0) bulkInteger(state.elementInteger);
  else bulk(state.elementPtr, state.elementLength);
}

/** Elements up to this length are copied in four steps, of which all may read and write over their end. */
const SHORT_BYTES: u32 = 63;
const SHORT_REPLY_BYTES: u32 = 80;

/** `count` elements of a packed sequence from a position on, as bulk strings. @returns the position behind, 0 = none */
export function bulkElements(at: usize, count: u32): usize {
  for (; count > 0 && at !== 0; count--) {
    const code = <u32>load<u8>(at);
    if (code >= 0x80 && code < 0xc0) shortBulk(at + 1, code & SHORT_BYTES);
    else bulkElement(at);
    at = packedNext(at);
  }
  return at;
}

function shortBulk(ptr: usize, length: u32): void {
  const to = room(SHORT_REPLY_BYTES);
  let text: usize;
  if (length < 10) {
    store<u32>(to, 0x0a0d_3024 + (length << 8));
    text = to + 4;
  } else {
    const tens = length / 10;
    store<u8>(to, Byte.Bulk);
    store<u32>(to, 0x0a0d_3030 + tens + ((length - tens * 10) << 8), 1);
    text = to + 5;
  }
  v128.store(text, v128.load(ptr));
  if (length > 16) {
    v128.store(text, v128.load(ptr, 16), 16);
    if (length > 32) {
      v128.store(text, v128.load(ptr, 32), 32);
      v128.store(text, v128.load(ptr, 48), 48);
    }
  }
  advance(crlf(text + length));
}

export function bulk(ptr: usize, length: u32): void {
  header(Byte.Bulk, length);
  let from = ptr;
  let left = length;
  while (left > 0) {
    const block = io();
    if (block.outTop + 2 >= block.outEnd) drainWindow();
    const space = block.outEnd - block.outTop;
    const piece = left < space ? left : space;
    memory.copy(block.outTop, from, piece);
    block.outTop += piece;
    from += piece;
    left -= piece;
  }
  endLine();
}

/** A literal as a bulk. */
export function bulkText(text: string): void {
  header(Byte.Bulk, text.length);
  const at = room(<u32>text.length);
  advance(at + narrow(text, at));
  endLine();
}

/** The value of a string entry. */
export function bulkOf(entry: Entry): void {
  const length = stringLength(entry);
  bulk(stringBytes(entry), length);
}

/** `+text`. */
export function simple(text: string): void {
  line(Byte.Simple, text);
  endLine();
}

/** `+` and bytes without line breaks, at most a few hundred. */
export function simpleBytes(ptr: usize, length: u32): void {
  const at = room(1 + length);
  store<u8>(at, Byte.Simple);
  memory.copy(at + 1, ptr, length);
  advance(at + 1 + length);
  endLine();
}

/** An error line, its code included: "ERR syntax error". */
export function error(text: string): void {
  state.status |= Status.Error;
  line(Byte.Error, text);
  endLine();
}

/** An error line of a beginning, a client's word and an end. */
export function errorAbout(text: string, word: usize, wordLength: u32, end: string = ""): void {
  beginError(text);
  errorWord(word, wordLength);
  errorText(end);
  endError();
}

/** Begins an error line of several parts. */
export function beginError(text: string): void {
  state.status |= Status.Error;
  line(Byte.Error, text);
}

/** A client's word within an error line: up to a NUL byte, line breaks made blanks, as Redis shows it. */
export function errorWord(word: usize, wordLength: u32): void {
  for (let p = word; p < word + wordLength; p++) {
    const byte = load<u8>(p);
    if (byte === 0) break;
    const at = room(1);
    store<u8>(at, byte === 13 || byte === 10 ? 32 : byte);
    advance(at + 1);
  }
}

/** More letters of an error line. */
export function errorText(text: string): void {
  const at = room(<u32>text.length);
  advance(at + narrow(text, at));
}

export function endError(): void {
  endLine();
}

/** Whether the running command has answered an error. */
export function isFailed(): bool {
  return (state.status & Status.Error) !== 0;
}

export function wrongType(): void {
  error("WRONGTYPE Operation against a key holding the wrong kind of value");
}

export function syntaxError(): void {
  error("ERR syntax error");
}

export function notInteger(): void {
  error("ERR value is not an integer or out of range");
}

export function noMemory(): void {
  error("OOM out of memory: the keyspace has reached its 4 GiB");
}
