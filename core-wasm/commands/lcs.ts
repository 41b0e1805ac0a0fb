/**
 * LCS: the longest common subsequence of two strings. https://redis.io/docs/latest/commands/lcs/
 *
 * With L(i, j) the length for the first i bytes of a and j of b, a row i is kept as one bit for each j: 0 where L(i, j) is
 * greater than L(i, j - 1). A row follows from the one before by an addition, 64 columns at a time (M. Crochemore et al.,
 * "A fast and practical bit-vector algorithm for the longest common subsequence problem", 2001), and the rows are all
 * that it takes to walk back the way that Redis walks.
 */
import { Address } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import { Entry } from "../keyspace/entry";
import { Find, find } from "../keyspace/keyspace";
import { alloc, free } from "../memory/allocator";
import { formatInt64, parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import { integerOf, isInteger, isString, stringBytes, stringLength } from "../types/string";

enum LcsFlag {
  Length = 1,
  Indexes = 2,
  MatchLengths = 4,
  Bad = 8,
}

/** What is compared, and where its working memory lies; in scratch. */
@final
@unmanaged
class Comparison {
  a: u32;
  aLength: u32;
  b: u32;
  bLength: u32;
  rowBytes: u32;
  /** Rows 0 to aLength; only one of them, over and over, if the way back is not asked for. */
  rows: u32;
  keepsRows: bool;
  length: u32;
  shortest: i64; // MINMATCHLEN
}

const comparison = changetype<Comparison>(Address.Scratch + ScratchArea.Digits);
const SHORTEST: usize = Address.Scratch + ScratchArea.Digits + offsetof<Comparison>("shortest");
/** Digits of keys that are integers. */
const A_DIGITS: usize = Address.Scratch + ScratchArea.Digits + 0x100;
const B_DIGITS: usize = A_DIGITS + 0x40;
/** u32[256]: where the bits of a byte value lie, those of the places where b has it; 0 = none made. */
const MASKS: usize = Address.Scratch + ScratchArea.Digits + 0x200;
const BYTE_VALUES: u32 = 256;
/** What Redis would take for a cell of its table. */
const CELL_BYTES: u64 = 4;

export function lcs(argc: u32): void {
  const a = find(argPtr(1), argLength(1), Find.None);
  const b = find(argPtr(2), argLength(2), Find.None);
  if ((a !== null && !isString(a)) || (b !== null && !isString(b)))
    return reply.error("ERR The specified keys must contain string values");
  const flags = lcsOptions(argc);
  if (flags === LcsFlag.Bad) return;
  comparison.a = <u32>bytesOf(a, A_DIGITS);
  comparison.aLength = a === null ? 0 : stringLength(a);
  comparison.b = <u32>bytesOf(b, B_DIGITS);
  comparison.bLength = b === null ? 0 : stringLength(b);
  const cells = (<u64>comparison.aLength + 1) * (<u64>comparison.bLength + 1);
  if (cells * CELL_BYTES > <u64>state.maxStringBytes)
    return reply.error(
      "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    );
  comparison.keepsRows = (flags & LcsFlag.Indexes) !== 0 || (flags & LcsFlag.Length) === 0;
  const work = compare();
  if (work === 0)
    return reply.error("ERR Insufficient memory, failed allocating transient memory for LCS");
  if ((flags & LcsFlag.Indexes) !== 0) answerIndexes((flags & LcsFlag.MatchLengths) !== 0);
  else if ((flags & LcsFlag.Length) !== 0) reply.integer(comparison.length);
  else answerText(work);
  free(work);
}

/** Reads the options; MINMATCHLEN goes to the comparison. @returns flags, or Bad after an error was answered */
function lcsOptions(argc: u32): u32 {
  let flags: u32 = 0;
  comparison.shortest = 0;
  for (let i: u32 = 3; i < argc; i++) {
    const word = argWord(i);
    if (word === Word.IDX) flags |= LcsFlag.Indexes;
    else if (word === Word.LEN) flags |= LcsFlag.Length;
    else if (argIs(i, "withmatchlen")) flags |= LcsFlag.MatchLengths;
    else if (argIs(i, "minmatchlen") && i + 1 < argc) {
      i += 1;
      if (!parseInt64(argPtr(i), argLength(i), SHORTEST)) {
        reply.notInteger();
        return LcsFlag.Bad;
      }
    } else {
      reply.syntaxError();
      return LcsFlag.Bad;
    }
  }
  if ((flags & LcsFlag.Indexes) === 0 || (flags & LcsFlag.Length) === 0) return flags;
  reply.error("ERR If you want both the length and indexes, please just use IDX.");
  return LcsFlag.Bad;
}

/** The bytes of a string that may be missing; digits of an integer go to `digits`. */
function bytesOf(entry: Entry | null, digits: usize): usize {
  if (entry === null) return 0;
  if (!isInteger(entry)) return stringBytes(entry);
  formatInt64(integerOf(entry), digits);
  return digits;
}

/** Works out the rows and the length. @returns the block in use, to be freed; 0 = no memory. O(a * b / 64) */
function compare(): usize {
  const aLength = comparison.aLength;
  const rowBytes = ((comparison.bLength + 63) >> 6) << 3;
  const aEnd = <usize>comparison.a + aLength;
  memory.fill(MASKS, 0, BYTE_VALUES << 2);
  let values: u32 = 0;
  for (let p: usize = comparison.a; p < aEnd; p++) {
    const cell = MASKS + ((<usize>load<u8>(p)) << 2);
    if (load<u32>(cell) !== 0) continue;
    values += 1;
    store<u32>(cell, values);
  }
  const maskBytes = values * rowBytes;
  const rowCount = comparison.keepsRows ? aLength + 1 : 1;
  // The text is no longer than a; it goes in front, where its rows are not in the way.
  const textBytes = (aLength + 7) & ~7;
  const work = alloc(textBytes + maskBytes + rowCount * rowBytes + 8);
  if (work === 0) return 0;
  for (let value: usize = 0; value < <usize>BYTE_VALUES; value++) {
    const cell = MASKS + (value << 2);
    const index = load<u32>(cell);
    if (index === 0) continue;
    const mask = work + textBytes + (index - 1) * rowBytes;
    store<u32>(cell, <u32>mask);
    markPlaces(<u8>value, mask, rowBytes);
  }
  comparison.rowBytes = rowBytes;
  comparison.rows = <u32>work + textBytes + maskBytes;
  let row: usize = comparison.rows;
  memory.fill(row, 255, rowBytes);
  for (let p: usize = comparison.a; p < aEnd; p++) {
    const next = comparison.keepsRows ? row + rowBytes : row;
    addRow(load<u32>(MASKS + ((<usize>load<u8>(p)) << 2)), row, next, rowBytes);
    row = next;
  }
  comparison.length = (rowBytes << 3) - countBits(row, rowBytes);
  return work;
}

/** Sets the bits of the places where b has the byte. */
function markPlaces(byte: u8, mask: usize, rowBytes: u32): void {
  const wanted = v128.splat<u8>(byte);
  const b: usize = comparison.b;
  const length: usize = comparison.bLength;
  memory.fill(mask, 0, rowBytes);
  // Reads up to 15 bytes over the end of b; their bits are cleared.
  for (let at: usize = 0; at < length; at += 16) {
    let bits = v128.bitmask<i8>(v128.eq<i8>(v128.load(b + at), wanted));
    if (length - at < 16) bits &= (1 << (<i32>(length - at))) - 1;
    store<u16>(mask + (at >> 3), <u16>bits);
  }
}

/** One row from the one before: where bits of the mask meet ones, a carry runs to the next zero. */
function addRow(mask: usize, from: usize, to: usize, rowBytes: u32): void {
  let carry: u64 = 0;
  for (let at: usize = 0; at < <usize>rowBytes; at += 8) {
    const row = load<u64>(from + at);
    const places = load<u64>(mask + at);
    const partial = row + (row & places);
    const sum = partial + carry;
    carry = <u64>(partial < row || sum < partial);
    store<u64>(to + at, sum | (row & ~places));
  }
}

function countBits(row: usize, rowBytes: u32): u32 {
  let bits: u64 = 0;
  for (let p = row; p < row + rowBytes; p += 8) bits += popcnt(load<u64>(p));
  return <u32>bits;
}

/** Whether L(i, j) is greater than L(i, j - 1). */
function isGreater(i: u32, j: u32): bool {
  const byte: usize = comparison.rows + i * comparison.rowBytes + ((j - 1) >> 3);
  return ((load<u8>(byte) >> ((j - 1) & 7)) & 1) === 0;
}

/** Answers the subsequence, which is put together at `to`. */
function answerText(to: usize): void {
  const a: usize = comparison.a;
  const b: usize = comparison.b;
  let i = comparison.aLength;
  let j = comparison.bLength;
  let p = to + comparison.length;
  while (i > 0 && j > 0) {
    const byte = load<u8>(a + i - 1);
    if (byte === load<u8>(b + j - 1)) {
      p -= 1;
      store<u8>(p, byte);
      i -= 1;
      j -= 1;
    } else if (isGreater(i, j)) i -= 1;
    else j -= 1;
  }
  reply.bulk(to, comparison.length);
}

function answerIndexes(withLengths: bool): void {
  reply.map(2);
  reply.bulkText("matches");
  reply.array(walkRanges(false, false));
  walkRanges(true, withLengths);
  reply.bulkText("len");
  reply.integer(comparison.length);
}

/** Goes through the ranges in which both strings agree, the last first. @returns how many are long enough */
function walkRanges(answers: bool, withLengths: bool): u32 {
  const a: usize = comparison.a;
  const b: usize = comparison.b;
  let i = comparison.aLength;
  let j = comparison.bLength;
  let count: u32 = 0;
  while (i > 0 && j > 0) {
    let length: u32 = 0;
    while (i > 0 && j > 0 && load<u8>(a + i - 1) === load<u8>(b + j - 1)) {
      i -= 1;
      j -= 1;
      length += 1;
    }
    if (length > 0 && <i64>length >= comparison.shortest) {
      count += 1;
      if (answers) answerRange(i, j, length, withLengths);
    }
    if (i === 0 || j === 0) break;
    if (isGreater(i, j)) i -= 1;
    else j -= 1;
  }
  return count;
}

function answerRange(aStart: u32, bStart: u32, length: u32, withLength: bool): void {
  reply.array(withLength ? 3 : 2);
  reply.array(2);
  reply.integer(aStart);
  reply.integer(aStart + length - 1);
  reply.array(2);
  reply.integer(bStart);
  reply.integer(bStart + length - 1);
  if (withLength) reply.integer(length);
}
