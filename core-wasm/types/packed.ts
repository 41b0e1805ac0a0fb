/**
 * Packed sequences: the compact form of every small collection, and the nodes of lists. The bytes are those of Redis's listpack, which
 * dumps hold as they are.
 *
 *   0 u32 bytes in all |4 u16 elements, 65535 = not known |6 elements |last 0xff
 *   element: encoding byte (with a short length or value), the rest of length or value, string bytes, then the length of all of that
 *   in groups of 7 bits to be read from behind
 *
 * A position is the address of an element; 0 = there is none. Strings that spell an integer in its one way are kept as integers. Whoever
 * changes a sequence goes on with the address that comes back, and with `State.packedAt` as position: the block may have moved.
 */
import { Address } from "../abi";
import { alloc, free, roundedBytes, usableBytes } from "../memory/allocator";
import { equal } from "../memory/bytes";
import { formatInt64, parseInt64 } from "../memory/text";
import { ensure, ScratchArea, state } from "../state";

const HEADER_BYTES: u32 = 6;
const END: u8 = 0xff;
const COUNT_UNKNOWN: u32 = 65535;
/** Longest block: positions and sizes stay far from 32 bits. */
export const PACKED_MAX_BYTES: u32 = 1 << 30;

enum Code {
  String12 = 0xe0,
  String32 = 0xf0,
  Int16 = 0xf1,
  Int24 = 0xf2,
  Int32 = 0xf3,
  Int64 = 0xf4,
}

const INTEGER_TEXT: usize = Address.Scratch + ScratchArea.Element;
const PARSED: usize = Address.Scratch + ScratchArea.Element + 32;
/** Encoding, length or value, and the length from behind of an element that is being written. */
const HEAD: usize = Address.Scratch + ScratchArea.Element + 40;

export function packedBytes(packed: usize): u32 {
  return load<u32>(packed);
}

/** Elements. O(1) below 65535, else O(n) */
export function packedCount(packed: usize): u32 {
  const known = <u32>load<u16>(packed, 4);
  if (known !== COUNT_UNKNOWN) return known;
  let count: u32 = 0;
  for (let at = packedFirst(packed); at !== 0; at = packedNext(at)) count += 1;
  return count;
}

function changeCount(packed: usize, by: i32): void {
  const known = <i32>load<u16>(packed, 4);
  if (known === <i32>COUNT_UNKNOWN) return;
  const count = known + by;
  store<u16>(packed, <u16>(count >= <i32>COUNT_UNKNOWN ? <i32>COUNT_UNKNOWN : count), 4);
}

/** An empty sequence with room for `bytes` of elements. @returns 0 = no memory */
export function newPacked(bytes: u32): usize {
  const packed = alloc(HEADER_BYTES + 1 + bytes);
  if (packed === 0) return 0;
  store<u32>(packed, HEADER_BYTES + 1);
  store<u16>(packed, 0, 4);
  store<u8>(packed, END, HEADER_BYTES);
  return packed;
}

/** Bytes of an element without the length that is read from behind. */
function bodyBytes(at: usize): u32 {
  const code = <u32>load<u8>(at);
  if (code < 0x80) return 1;
  if (code < 0xc0) return 1 + (code & 63);
  if (code < 0xe0) return 2;
  if (code < 0xf0) return 2 + (((code & 15) << 8) | load<u8>(at, 1));
  if (code === Code.String32) return 5 + load<u32>(at, 1);
  if (code === Code.Int16) return 3;
  if (code === Code.Int24) return 4;
  return code === Code.Int32 ? 5 : 9;
}

/** Bytes that a body's length takes when it is read from behind. */
function tailBytes(body: u32): u32 {
  if (body < 1 << 7) return 1;
  if (body < 1 << 14) return 2;
  if (body < 1 << 21) return 3;
  return body < 1 << 28 ? 4 : 5;
}

function elementBytes(at: usize): u32 {
  const code = <u32>load<u8>(at);
  if (code < 0x80) return 2;
  if (code < 0xc0) return 2 + (code & 63);
  const body = bodyBytes(at);
  return body + tailBytes(body);
}

export function packedFirst(packed: usize): usize {
  const at = packed + HEADER_BYTES;
  return load<u8>(at) === END ? 0 : at;
}

export function packedNext(at: usize): usize {
  const next = at + elementBytes(at);
  return load<u8>(next) === END ? 0 : next;
}

export function packedLast(packed: usize): usize {
  return packedPrevious(packed, packed + load<u32>(packed) - 1);
}

export function packedPrevious(packed: usize, at: usize): usize {
  if (at === packed + HEADER_BYTES) return 0;
  let p = at - 1;
  let body: u32 = 0;
  let shift: u32 = 0;
  for (;;) {
    const group = <u32>load<u8>(p);
    body |= (group & 127) << shift;
    if ((group & 128) === 0) break;
    shift += 7;
    p -= 1;
  }
  return p - body;
}

/** The element at an index, counted from behind if negative; 0 = there is none. O(n) */
export function packedSeek(packed: usize, index: i32): usize {
  let at: usize;
  if (index >= 0) {
    const count = <u32>load<u16>(packed, 4);
    if (count !== COUNT_UNKNOWN) {
      if (<u32>index >= count) return 0;
      // From the nearer end.
      if (<u32>index > count >> 1) return packedSeek(packed, index - <i32>count);
    }
    at = packedFirst(packed);
    for (let i = index; i > 0 && at !== 0; i--) at = packedNext(at);
    return at;
  }
  at = packedFirst(packed) === 0 ? 0 : packedLast(packed);
  for (let i = index; i < -1 && at !== 0; i++) at = packedPrevious(packed, at);
  return at;
}

/**
 * Reads an element: into State.elementPtr and elementLength, or, of an integer, into State.elementInteger, elementPtr being 0 then.
 * A string's bytes are borrowed.
 */
export function readElement(at: usize): void {
  const code = <u32>load<u8>(at);
  if (code >= 0x80 && code < 0xc0) {
    state.elementPtr = <u32>at + 1;
    state.elementLength = code & 63;
    return;
  }
  if (code >= 0xe0 && code < 0xf0) {
    state.elementPtr = <u32>at + 2;
    state.elementLength = ((code & 15) << 8) | load<u8>(at, 1);
    return;
  }
  if (code === Code.String32) {
    state.elementPtr = <u32>at + 5;
    state.elementLength = load<u32>(at, 1);
    return;
  }
  state.elementPtr = 0;
  if (code < 0x80) state.elementInteger = code;
  else if (code < 0xe0) {
    const value = ((code & 31) << 8) | load<u8>(at, 1);
    state.elementInteger = <i64>(<i32>(value << 19) >> 19);
  } else if (code === Code.Int16) state.elementInteger = load<i16>(at, 1);
  else if (code === Code.Int24) {
    state.elementInteger = <i64>(
      (<i32>(((<u32>load<u16>(at, 1)) << 8) | ((<u32>load<u8>(at, 3)) << 24)) >> 8)
    );
  } else if (code === Code.Int32) state.elementInteger = load<i32>(at, 1);
  else state.elementInteger = load<i64>(at, 1);
}

/** Reads an element as bytes: State.elementPtr and elementLength. An integer's digits lie in scratch until the next reading. */
export function readElementText(at: usize): void {
  readElement(at);
  if (state.elementPtr !== 0) return;
  state.elementPtr = <u32>INTEGER_TEXT;
  state.elementLength = formatInt64(state.elementInteger, INTEGER_TEXT);
}

/** Whether the element is these bytes. */
export function elementEquals(at: usize, ptr: usize, length: u32): bool {
  readElement(at);
  if (state.elementPtr !== 0)
    return state.elementLength === length && equal(state.elementPtr, ptr, length);
  return parseInt64(ptr, length, PARSED) && load<i64>(PARSED) === state.elementInteger;
}

/** Inserts an element in front of all. O(bytes) */
export function packedPrepend(packed: usize, ptr: usize, length: u32): usize {
  return splice(packed, packed + HEADER_BYTES, 0, ptr, length);
}

/**
 * Moves the elements from `at` on, `count` of them and the last of all, to a sequence of their own.
 * @returns it, 0 = no memory, nothing changed. O(bytes moved)
 */
export function packedSplit(packed: usize, at: usize, count: u32): usize {
  const bytes = load<u32>(packed);
  const kept = <u32>(at - packed);
  const moved = newPacked(bytes - kept - 1);
  if (moved === 0) return 0;
  memory.copy(moved + HEADER_BYTES, at, bytes - kept);
  store<u32>(moved, HEADER_BYTES + bytes - kept);
  changeCount(moved, <i32>count);
  store<u8>(at, END);
  store<u32>(packed, kept + 1);
  changeCount(packed, -(<i32>count));
  return moved;
}

/** Appends copies of all elements of another sequence. @returns the block, 0 = no memory, nothing changed. O(bytes) */
export function packedJoin(packed: usize, other: usize): usize {
  const before = load<u32>(packed);
  const added = load<u32>(other) - HEADER_BYTES - 1;
  const block = packedReserve(packed, before + added);
  if (block === 0) return 0;
  memory.copy(block + before - 1, other + HEADER_BYTES, added + 1);
  store<u32>(block, before + added);
  changeCount(block, <i32>packedCount(other));
  return block;
}

/**
 * The first element from `at` on that is these bytes, looking at one and passing over `skip`; 0 = there is none. O(n)
 */
export function packedFind(at: usize, ptr: usize, length: u32, skip: u32): usize {
  if (at === 0) return 0;
  // What is kept as a string spells no integer.
  if (parseInt64(ptr, length, PARSED)) return findInteger(at, load<i64>(PARSED), skip);
  return length < 64 ? findShort(at, ptr, length, skip) : findLong(at, ptr, length, skip);
}

/** Where the element stands that is `skip` elements further than the next one, or the end. */
function passOver(at: usize, skip: u32): usize {
  at += elementBytes(at);
  for (let i = skip; i > 0 && load<u8>(at) !== END; i--) at += elementBytes(at);
  return at;
}

function findInteger(at: usize, value: i64, skip: u32): usize {
  for (; load<u8>(at) !== END; at = passOver(at, skip)) {
    readElement(at);
    if (state.elementPtr === 0 && state.elementInteger === value) return at;
  }
  return 0;
}

/** A string whose length is in its encoding byte: that byte alone passes over nearly all others. */
function findShort(at: usize, ptr: usize, length: u32, skip: u32): usize {
  const head = 0x80 | length;
  for (; load<u8>(at) !== END; at = passOver(at, skip))
    if (<u32>load<u8>(at) === head && equal(at + 1, ptr, length)) return at;
  return 0;
}

function findLong(at: usize, ptr: usize, length: u32, skip: u32): usize {
  for (; load<u8>(at) !== END; at = passOver(at, skip)) {
    readElement(at);
    const isLike = state.elementPtr !== 0 && state.elementLength === length;
    if (isLike && equal(state.elementPtr, ptr, length)) return at;
  }
  return 0;
}

/** Writes the head of an element (all but a string's bytes and the length from behind) to HEAD. @returns its bytes */
function writeHead(ptr: usize, length: u32): u32 {
  if (parseInt64(ptr, length, PARSED)) return writeInteger(load<i64>(PARSED));
  if (length < 64) {
    store<u8>(HEAD, <u8>(0x80 | length));
    return 1;
  }
  if (length < 4096) {
    store<u8>(HEAD, <u8>(Code.String12 | (length >> 8)));
    store<u8>(HEAD, <u8>length, 1);
    return 2;
  }
  store<u8>(HEAD, <u8>Code.String32);
  store<u32>(HEAD, length, 1);
  return 5;
}

function writeInteger(value: i64): u32 {
  if (value >= 0 && value < 128) {
    store<u8>(HEAD, <u8>value);
    return 1;
  }
  if (value >= -4096 && value < 4096) {
    const bits = <u32>value & 0x1fff;
    store<u8>(HEAD, <u8>(0xc0 | (bits >> 8)));
    store<u8>(HEAD, <u8>bits, 1);
    return 2;
  }
  store<i64>(HEAD, value, 1);
  if (value === <i64>(<i16>value)) {
    store<u8>(HEAD, <u8>Code.Int16);
    return 3;
  }
  if (value >= -(1 << 23) && value < 1 << 23) {
    store<u8>(HEAD, <u8>Code.Int24);
    return 4;
  }
  const fits32 = value === <i64>(<i32>value);
  store<u8>(HEAD, <u8>(fits32 ? Code.Int32 : Code.Int64));
  return fits32 ? 5 : 9;
}

function isStringHead(): bool {
  const code = <u32>load<u8>(HEAD);
  return (code >= 0x80 && code < 0xc0) || (code >= 0xe0 && code <= <u32>Code.String32);
}

/** Bytes that an element of these bytes takes. */
export function packedElementBytes(ptr: usize, length: u32): u32 {
  return headedBytes(writeHead(ptr, length), length);
}

/** Bytes that the element whose head is written takes. */
function headedBytes(head: u32, length: u32): u32 {
  const body = isStringHead() ? head + length : head;
  return body + tailBytes(body);
}

/** Writes a whole element. @returns the byte behind it */
function writeElement(at: usize, head: u32, ptr: usize, length: u32): usize {
  // Mostly one byte: a call that copies it would cost more.
  if (head === 1) store<u8>(at, load<u8>(HEAD));
  else memory.copy(at, HEAD, head);
  let body = head;
  if (isStringHead()) {
    memory.copy(at + head, ptr, length);
    body += length;
  }
  const tail = tailBytes(body);
  let p = at + body;
  for (let i = tail; i > 0; i--) {
    const group = (body >> ((i - 1) * 7)) & 127;
    // The first byte read from behind is the last one; all but the one in front go on.
    store<u8>(p, <u8>(i === tail ? group : group | 128));
    p += 1;
  }
  return p;
}

/** Makes room for `bytes` in all. @returns the block, which may have moved, 0 = no memory, nothing changed */
export function packedReserve(packed: usize, bytes: u32): usize {
  if (bytes > PACKED_MAX_BYTES) return 0;
  if (usableBytes(packed) >= bytes) return packed;
  const larger = alloc(bytes);
  if (larger === 0) return 0;
  memory.copy(larger, packed, load<u32>(packed));
  free(packed);
  return larger;
}

/**
 * Inserts an element before the one at `at`, or at the end if that is 0. State.packedAt is where it lies.
 * @returns the block, 0 = no memory, nothing changed. O(bytes behind it)
 */
export function packedInsert(packed: usize, at: usize, ptr: usize, length: u32): usize {
  const end = packed + load<u32>(packed) - 1;
  return splice(packed, at === 0 ? end : at, 0, ptr, length);
}

export function packedAppend(packed: usize, ptr: usize, length: u32): usize {
  return splice(packed, packed + load<u32>(packed) - 1, 0, ptr, length);
}

/** Puts these bytes in the place of the element at `at`, otherwise as packedInsert. */
export function packedReplace(packed: usize, at: usize, ptr: usize, length: u32): usize {
  const before = load<u32>(packed);
  const block = splice(packed, at, elementBytes(at), ptr, length);
  return block !== 0 && load<u32>(block) < before ? packedTrim(block) : block;
}

/** The same without giving back what the sequence has too much, which was reserved for what follows. */
export function packedReplaceAmple(packed: usize, at: usize, ptr: usize, length: u32): usize {
  return splice(packed, at, elementBytes(at), ptr, length);
}

/** The same for an integer. */
export function packedAppendInteger(packed: usize, value: i64): usize {
  return spliceHeaded(packed, packed + load<u32>(packed) - 1, 0, writeInteger(value), 0, 0);
}

export function packedReplaceInteger(packed: usize, at: usize, value: i64): usize {
  return spliceHeaded(packed, at, elementBytes(at), writeInteger(value), 0, 0);
}

function splice(packed: usize, at: usize, removed: u32, ptr: usize, length: u32): usize {
  return spliceHeaded(packed, at, removed, writeHead(ptr, length), ptr, length);
}

/** Puts the element whose head is written into the place of `removed` bytes. */
function spliceHeaded(
  packed: usize,
  at: usize,
  removed: u32,
  head: u32,
  ptr: usize,
  length: u32,
): usize {
  const added = headedBytes(head, length);
  const before = load<u32>(packed);
  const offset = at - packed;
  if (<u64>before + added > <u64>PACKED_MAX_BYTES) return 0;
  const bytes = before + added - removed;
  const block = packedReserve(packed, bytes);
  if (block === 0) return 0;
  const to = block + offset;
  const behind = before - <u32>offset - removed;
  // What is appended has but the end behind it.
  if (behind === 1) store<u8>(to + added, END);
  else memory.copy(to + added, to + removed, behind);
  writeElement(to, head, ptr, length);
  store<u32>(block, bytes);
  if (removed === 0) changeCount(block, 1);
  state.packedAt = <u32>to;
  return block;
}

/**
 * Removes `count` elements from `at` on, all of which must be there. State.packedAt is the one behind them, 0 = none.
 * @returns the block. O(bytes behind them)
 */
export function packedRemove(packed: usize, at: usize, count: u32): usize {
  let end = at;
  for (let i: u32 = 0; i < count; i++) {
    ensure(load<u8>(end) !== END, 701, i);
    end += elementBytes(end);
  }
  const before = load<u32>(packed);
  const removed = <u32>(end - at);
  memory.copy(at, end, packed + before - end);
  store<u32>(packed, before - removed);
  changeCount(packed, -(<i32>count));
  state.packedAt = load<u8>(at) === END ? 0 : <u32>at;
  return packedTrim(packed);
}

/** Gives back what a shrunk sequence has too much: a quarter of its block. Keeps State.packedAt right. */
function packedTrim(packed: usize): usize {
  const bytes = load<u32>(packed);
  const usable = usableBytes(packed);
  return roundedBytes(bytes) > usable - (usable >> 2) ? packed : moveToFit(packed);
}

function moveToFit(packed: usize): usize {
  const bytes = load<u32>(packed);
  const smaller = alloc(bytes);
  if (smaller === 0) return packed;
  memory.copy(smaller, packed, bytes);
  if (state.packedAt !== 0) state.packedAt = state.packedAt - <u32>packed + <u32>smaller;
  free(packed);
  return smaller;
}

const ZERO_ELEMENT: u16 = 0x0100;

function storeCount(packed: usize, count: u32): void {
  store<u16>(packed, <u16>(count >= COUNT_UNKNOWN ? COUNT_UNKNOWN : count), 4);
}

/** A copy of a sequence of pairs with the element 0 behind each. @returns 0 = no memory. O(bytes) */
export function packedWiden(packed: usize): usize {
  const pairs = packedCount(packed) >> 1;
  const bytes = <u64>load<u32>(packed) + (pairs << 1);
  if (bytes > <u64>PACKED_MAX_BYTES) return 0;
  const wide = newPacked(<u32>bytes - HEADER_BYTES - 1);
  if (wide === 0) return 0;
  let to = wide + HEADER_BYTES;
  for (let at = packed + HEADER_BYTES; load<u8>(at) !== END; ) {
    const first = elementBytes(at);
    const pair = first + elementBytes(at + first);
    memory.copy(to, at, pair);
    store<u16>(to + pair, ZERO_ELEMENT);
    to += pair + 2;
    at += pair;
  }
  store<u8>(to, END);
  store<u32>(wide, <u32>bytes);
  storeCount(wide, pairs * 3);
  return wide;
}

/** Takes each third element out of a sequence. @returns the block. O(bytes) */
export function packedNarrow(packed: usize): usize {
  const triples = packedCount(packed) / 3;
  let to = packed + HEADER_BYTES;
  for (let at = to; load<u8>(at) !== END; ) {
    const first = elementBytes(at);
    const pair = first + elementBytes(at + first);
    const next = at + pair + elementBytes(at + pair);
    memory.copy(to, at, pair);
    to += pair;
    at = next;
  }
  store<u8>(to, END);
  store<u32>(packed, <u32>(to + 1 - packed));
  storeCount(packed, triples << 1);
  state.packedAt = 0;
  return roundedBytes(load<u32>(packed)) < usableBytes(packed) ? moveToFit(packed) : packed;
}

/** Gives back all that its block has too much: nothing is appended any more. @returns the block */
export function packedShrink(packed: usize): usize {
  const bytes = load<u32>(packed);
  if (roundedBytes(bytes) >= usableBytes(packed)) return packed;
  const smaller = copyPacked(packed);
  if (smaller === 0) return packed;
  free(packed);
  return smaller;
}

/** The integer at a position, which holds one. */
export function packedInteger(at: usize): i64 {
  readElement(at);
  ensure(state.elementPtr === 0, 702, <u32>at);
  return state.elementInteger;
}

/** A copy with all its elements. @returns 0 = no memory */
export function copyPacked(packed: usize): usize {
  const bytes = load<u32>(packed);
  const copy = alloc(bytes);
  if (copy !== 0) memory.copy(copy, packed, bytes);
  return copy;
}

/** Asserts header, element lengths in both directions and the end. @returns elements. O(n) */
export function checkPacked(packed: usize): u32 {
  const bytes = load<u32>(packed);
  ensure(bytes >= HEADER_BYTES + 1 && bytes <= usableBytes(packed), 710, bytes);
  let count: u32 = 0;
  let previous: usize = 0;
  let at = packed + HEADER_BYTES;
  const end = packed + bytes - 1;
  while (at < end) {
    ensure(load<u8>(at) !== END, 711, <u32>at);
    ensure(packedPrevious(packed, at) === previous, 712, <u32>at);
    previous = at;
    at += elementBytes(at);
    count += 1;
  }
  ensure(at === end && load<u8>(at) === END, 713, <u32>at);
  const known = <u32>load<u16>(packed, 4);
  ensure(known === COUNT_UNKNOWN || known === count, 714, known);
  return count;
}
