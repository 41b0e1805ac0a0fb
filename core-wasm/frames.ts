/**
 * Finding commands in the input, in place: multibulk commands as clients send them, which is as we would write them. What is anything
 * else (inline, oddities that are tolerated, errors, what is not all here) is the host's to judge: server/resp/framer.ts.
 */
import {
  Address,
  ARGV_TABLE_ENTRIES,
  FRAME_BYTES,
  FrameField,
  FrameFlag,
  SAME_NAME_MAX_BYTES,
} from "./abi";
import { equal } from "./memory/bytes";
import { ScratchArea } from "./state";

const ARGV_END: usize = Address.ArgvTable + <usize>ARGV_TABLE_ENTRIES * 8;
const LF: u32 = 10;
/** "\r\n" as it is loaded. */
const LINE_END: u32 = 0x0a0d;
/** Longer numbers are the host's: one of so many digits is below every limit there may be. */
const MAX_DIGITS: u32 = 6;
/** Which bytes of a command are those of all that repeat it, a byte each, and the most that are looked at. */
const MASK: usize = Address.Scratch + ScratchArea.FrameMask;
const MASK_BYTES: usize = 112;
const DIGITS_SHIFT: u32 = 24;

/**
 * Frames commands of [at, end) as records from `count` on, up to `most` in all; the records before keep their part of the argv table. The
 * client must have authenticated: no smaller limits hold. Reads up to INPUT_SLACK_BYTES behind `end`.
 * @returns how many records there are then. O(words)
 */
export function frame(at: i32, end: i32, count: i32, most: i32): i32 {
  const behind: usize = <u32>end;
  let record: usize = Address.Frames + <usize>count * FRAME_BYTES;
  const last: usize = Address.Frames + <usize>most * FRAME_BYTES;
  let argv: usize = Address.ArgvTable;
  let previous: usize = 0;
  if (count > 0) {
    previous = record - FRAME_BYTES;
    argv = argvEnd(previous);
    if (load<u32>(previous, FrameField.Flags) !== FrameFlag.Canonical) previous = 0;
  }
  let p: usize = <u32>at;
  let mayRepeat = true;
  while (record < last) {
    p = frameOne(record, p, behind, argv);
    if (p === 0) break;
    const same = previous === 0 ? 0 : sameFlags(previous, record);
    store<u32>(record, FrameFlag.Canonical | same, FrameField.Flags);
    // Where none repeated, not before two are as long again.
    if (previous !== 0 && frameBytes(previous) === frameBytes(record)) mayRepeat = true;
    let next = record + FRAME_BYTES;
    if (mayRepeat) {
      const behindRepeats = frameRepeats(record, behind, last);
      mayRepeat = behindRepeats !== next;
      next = behindRepeats;
    }
    previous = next - FRAME_BYTES;
    argv = argvEnd(previous);
    p = load<u32>(previous, FrameField.End);
    record = next;
  }
  return <i32>((record - Address.Frames) / FRAME_BYTES);
}

function frameBytes(record: usize): u32 {
  return load<u32>(record, FrameField.End) - load<u32>(record, FrameField.Start);
}

/** Frames one command at `p` as a record, but for its flags. @returns the byte behind it, 0 = there is none, or it is out of the ordinary */
function frameOne(record: usize, p: usize, end: usize, argv: usize): usize {
  const head = load<u32>(p);
  let words = ((head >> 8) & 255) - 48;
  let first = p + 4;
  if ((head & 0xffff_00ff) !== 0x0a0d_002a || words - 1 >= 9) {
    const number = (head & 255) === 0x2a ? headerNumber(p + 1) : 0;
    words = number & ((1 << DIGITS_SHIFT) - 1);
    if (words === 0) return 0;
    first = p + (number >> DIGITS_SHIFT) + 3;
  }
  const argvBehind = argv + ((<usize>words) << 3);
  if (argvBehind > ARGV_END) return 0;
  const behind = frameWords(first, end, argv, argvBehind);
  store<u32>(record, <u32>argv, FrameField.Argv);
  store<u32>(record, words, FrameField.Words);
  store<u32>(record, <u32>p, FrameField.Start);
  store<u32>(record, <u32>behind, FrameField.End);
  return behind;
}

/**
 * Frames the commands behind that of `record` that are as long, and differ from it in the bytes of words alone, and not in its name: where
 * their words are is known before they are read. @returns the record behind theirs
 */
function frameRepeats(record: usize, end: usize, last: usize): usize {
  const pattern: usize = load<u32>(record, FrameField.Argv);
  const words = load<u32>(record, FrameField.Words);
  const start: usize = load<u32>(record, FrameField.Start);
  const bytes: usize = frameBytes(record);
  let to = record + FRAME_BYTES;
  const headBytes = layMask(pattern, words, start);
  if (headBytes === 0) return to;
  const argvBytes = (<usize>words) << 3;
  let argv = pattern + argvBytes;
  let p = start + bytes;
  const maskEnd = MASK + headBytes;
  for (; to < last; to += FRAME_BYTES) {
    // One pair more is written.
    if (p + bytes > end || argv + argvBytes + 8 > ARGV_END) return to;
    let differ = i64x2.splat(<i64>(<u32>load<u16>(p + bytes - 2) ^ LINE_END));
    let at = start;
    const apart = p - start;
    for (let mask = MASK; mask < maskEnd; mask += 16) {
      const d = v128.and(v128.xor(v128.load(at), v128.load(at + apart)), v128.load(mask));
      differ = v128.or(differ, d);
      at += 16;
    }
    if (v128.any_true(differ)) return to;
    const moved = i64x2.splat(<i64>apart);
    for (let pair: usize = 0; pair < argvBytes; pair += 16)
      v128.store(argv + pair, i32x4.add(v128.load(pattern + pair), moved));
    store<u32>(to, <u32>argv, FrameField.Argv);
    store<u32>(to, words, FrameField.Words);
    store<u32>(to, <u32>p, FrameField.Start);
    p += bytes;
    store<u32>(to, <u32>p, FrameField.End);
    const key = sameKey(argv - argvBytes, argv, words);
    store<u32>(to, FrameFlag.Canonical | FrameFlag.SameCommand | key, FrameField.Flags);
    argv += argvBytes;
  }
  return to;
}

/**
 * Lays down which bytes in front of a command's last word, or of its end, are those of all that repeat it: headers and name.
 * @returns their number rounded up to 16, 0 = the command is not to be repeated
 */
function layMask(argv: usize, words: u32, start: usize): usize {
  if (load<u32>(argv, 4) - 1 >= <u32>SAME_NAME_MAX_BYTES) return 0;
  const last = argv + ((<usize>(words - 1)) << 3);
  const head = <usize>load<u32>(last) - start + (words === 1 ? <usize>load<u32>(last, 4) : 0);
  if (head > MASK_BYTES) return 0;
  for (let at: usize = 0; at < head; at += 16) v128.store(MASK + at, i64x2.splat(-1));
  for (let pair = argv + 8; pair < last; pair += 8) {
    const word = MASK + load<u32>(pair) - start;
    memory.fill(word, 0, load<u32>(pair, 4));
  }
  v128.store(MASK + head, i64x2.splat(0));
  return (head + 15) & ~15;
}

/** Where the words of a record end in the argv table. */
function argvEnd(record: usize): usize {
  return load<u32>(record, FrameField.Argv) + ((<usize>load<u32>(record, FrameField.Words)) << 3);
}

/** Writes the words from `p` on to the argv table, from `pair` to `last`. @returns the byte behind them, 0 = they are not all here, or odd */
function frameWords(p: usize, end: usize, pair: usize, last: usize): usize {
  for (; pair < last; pair += 8) {
    const v = load<u32>(p);
    const first = ((v >> 8) & 255) - 48;
    let length: u32;
    if ((v & 0xffff_00ff) === 0x0a0d_0024 && first < 10) {
      length = first;
      p += 4;
    } else {
      const second = ((v >> 16) & 255) - 48;
      if ((v & 0xff00_00ff) === 0x0d00_0024 && first - 1 < 9 && second < 10) {
        if (<u32>load<u8>(p, 4) !== LF) return 0;
        length = first * 10 + second;
        p += 5;
      } else {
        const number = (v & 255) === 0x24 ? headerNumber(p + 1) : 0;
        if (number === 0) return 0;
        length = number & ((1 << DIGITS_SHIFT) - 1);
        p += (number >> DIGITS_SHIFT) + 3;
      }
    }
    const after = p + length;
    if (after + 2 > end || <u32>load<u16>(after) !== LINE_END) return 0;
    store<u64>(pair, <u64>p | ((<u64>length) << 32));
    p = after + 2;
  }
  return p;
}

/** The number at `p`, as we would write it, and a line end. @returns it, and above DIGITS_SHIFT the number of its digits; 0 = there is none */
function headerNumber(p: usize): u32 {
  let value: u32 = 0;
  for (let digits: u32 = 0; digits <= MAX_DIGITS; digits++) {
    const digit = <u32>load<u8>(p + digits) - 48;
    if (digit < 10) {
      if (digits > 0 && value === 0) return 0;
      value = value * 10 + digit;
    } else {
      if (digits === 0 || <u32>load<u16>(p + digits) !== LINE_END) return 0;
      return value | (digits << DIGITS_SHIFT);
    }
  }
  return 0;
}

/** What the frame of a record has in common with the one of the record before. */
function sameFlags(previous: usize, record: usize): u32 {
  const words = load<u32>(record, FrameField.Words);
  if (load<u32>(previous, FrameField.Words) !== words) return 0;
  const argv: usize = load<u32>(record, FrameField.Argv);
  const other: usize = load<u32>(previous, FrameField.Argv);
  const length = load<u32>(argv, 4);
  if (length !== load<u32>(other, 4) || length - 1 >= <u32>SAME_NAME_MAX_BYTES) return 0;
  const differ = load<u64>(load<u32>(argv)) ^ load<u64>(load<u32>(other));
  if (differ << ((SAME_NAME_MAX_BYTES - length) << 3) !== 0) return 0;
  return FrameFlag.SameCommand | sameKey(other, argv, words);
}

/** FrameFlag.SameKey if there is a word 1, and it is the same. */
function sameKey(other: usize, argv: usize, words: u32): u32 {
  if (words === 1) return 0;
  const length = load<u32>(argv, 12);
  if (length !== load<u32>(other, 12)) return 0;
  return equal(load<u32>(argv, 8), load<u32>(other, 8), length) ? FrameFlag.SameKey : 0;
}
