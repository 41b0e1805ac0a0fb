/**
 * Finds commands in the bytes of a chunk, in place: walks linear memory and writes each word's (address, length) into
 * the argv table. Nothing is sliced, decoded or allocated on the way of a well-formed multibulk command.
 *
 * Multibulk headers are read by whole words: `*d\r`, `$d\r`, `$dd\r` and `$ddd\r` have branches of their own, anything
 * else goes through a general number routine with Redis's limits and error texts. Lines end at CR; the byte behind it
 * is skipped unseen, as Redis does, but such a frame is not canonical and is never written to the log verbatim.
 */
import {
  Address,
  ARGV_TABLE_ENTRIES,
  FRAME_BATCH,
  FRAME_BYTES,
  FrameField,
  IoField,
} from "../../core-wasm/abi.ts";
import { type CoreMemory, firstBytes } from "../core/memory.ts";
import { splitInline } from "./inline.ts";
import { encodeRequest } from "./request.ts";

/** What `stopped` says when nothing stopped a batch but its size. */
export const GOING_ON = 0;
/** What `next` answers instead of a word count. */
export const INCOMPLETE = -1;
/** `error` holds the text; the connection is to be closed after it. */
export const INVALID = -2;
/** More words than the argv table has: the frame must be gathered by a `LargeFrame`. */
export const TOO_MANY_WORDS = -3;

/** Longest inline line, and longest header line of a multibulk command, in bytes. */
const INLINE_MAX_BYTES = 65536;
const MULTIBULK_MAX_WORDS = 2147483647;
const UNAUTHENTICATED_MAX_WORDS = 10;
const UNAUTHENTICATED_MAX_BULK_BYTES = 16384;

export interface FramerLimits {
  /** proto-max-bulk-len */
  maxBulkBytes: number;
}

export interface Framer {
  /** Where the next frame begins; after INCOMPLETE the first byte to carry over. */
  position: number;
  /** Where the frame that `next` returned began. */
  frameStart: number;
  /** The frame's bytes are exactly what we would write: they may enter the log as they are. */
  canonical: boolean;
  /** After INCOMPLETE: bytes the frame needs at the least beyond those at hand. */
  missing: number;
  /** After INVALID: the error line without `-` and line end. */
  error: string;
  /** After TOO_MANY_WORDS: the command where it was an inline one, as multibulk; `position` is behind it. To be taken away. */
  oversized: Uint8Array | null;
  /** A client that has not authenticated may send 10 words of 16 KiB. */
  authenticated: boolean;
  /**
   * Frames the next command of [position, end). Empty lines and `*0` are skipped.
   * @returns its word count with the argv table filled, or INCOMPLETE, INVALID, TOO_MANY_WORDS. O(words)
   */
  next(end: number): number;
  /**
   * Frames up to FRAME_BATCH commands from `position` on, as records at Address.Frames; `stopped` says why there are no more:
   * INCOMPLETE, INVALID, TOO_MANY_WORDS, or GOING_ON if the batch is full. @returns their number
   */
  batch(end: number): number;
  stopped: number;
  /** Makes record `index` of the batch the current frame: argv, frameStart, position, canonical. @returns its word count */
  select(index: number): number;
  /**
   * How many records of the `count` in the batch, from `first` on, are one command in a row: its name, as it is written and of 8 bytes at
   * most, and as many words, in canonical frames that follow each other. At least 1. O(that number)
   */
  alike(first: number, count: number): number;
}

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const CR = 13;
const LF = 10;
const ASTERISK = 42;
const DOLLAR = 36;

/** Made once per core, so that the hot loop's views are constants of the closure. */
export function createFramer(memory: CoreMemory, limits: FramerLimits): Framer {
  const bytes = memory.u8;
  const words = memory.words;
  const { i32 } = memory;
  const argv = new Int32Array(i32.buffer, Address.ArgvTable, ARGV_TABLE_ENTRIES * 2);
  /** Where the next frame's words go in the argv table: an index into `argv`. */
  let firstSlot = 0;

  let numberEnd = 0;
  let numberOk = false;

  /** Reads the header number at `at`, up to CR. Sets `numberEnd` behind the line, 0 if the line is not all here. */
  function headerNumber(at: number, end: number): number {
    let p = at;
    while (p < end && bytes[p] !== CR) p++;
    numberEnd = 0;
    numberOk = false;
    // The limit counts the type byte in front.
    if (p >= end) return end - at >= INLINE_MAX_BYTES ? -1 : 0;
    if (p + 1 >= end) return 0;
    numberEnd = p + 2;
    let q = at;
    let negative = false;
    if (bytes[q] === 45) {
      negative = true;
      q++;
    }
    const digits = p - q;
    if (digits < 1 || digits > 18) return 0;
    const first = bytes[q]!;
    if (first === 48 && (digits > 1 || negative)) return 0;
    let value = 0;
    for (; q < p; q++) {
      const digit = bytes[q]! - 48;
      if (digit < 0 || digit > 9) return 0;
      value = value * 10 + digit;
    }
    numberOk = true;
    if (bytes[p + 1] !== LF || negative) framer.canonical = false;
    return negative ? -value : value;
  }

  function invalid(text: string): number {
    framer.error = `ERR Protocol error: ${text}`;
    return INVALID;
  }

  function incomplete(missing: number): number {
    framer.missing = missing;
    framer.position = framer.frameStart;
    return INCOMPLETE;
  }

  function tooBig(what: string): number {
    return invalid(`too big ${what} string`);
  }

  /** The rare header forms of a bulk. @returns its length; numberEnd is where it starts, 0 = see `bulkFault` */
  function bulkLength(p: number, end: number): number {
    bulkFault = 0;
    if (bytes[p] !== DOLLAR) {
      const line = lineEnd(p, end);
      if (line === 0) {
        bulkFault = end - p > INLINE_MAX_BYTES ? tooBig("bulk count") : incomplete(1);
        return 0;
      }
      bulkFault = invalid(`expected '$', got '${String.fromCharCode(bytes[p]!)}'`);
      return 0;
    }
    const length = headerNumber(p + 1, end);
    if (numberEnd === 0) {
      bulkFault = length < 0 ? tooBig("bulk count") : incomplete(1);
      return 0;
    }
    if (!numberOk || length < 0 || length > limits.maxBulkBytes) {
      bulkFault = invalid("invalid bulk length");
    } else if (!framer.authenticated && length > UNAUTHENTICATED_MAX_BULK_BYTES) {
      bulkFault = invalid("unauthenticated bulk length");
    }
    return length;
  }
  let bulkFault = 0;

  function lineEnd(p: number, end: number): number {
    for (let q = p; q + 1 < end; q++) if (bytes[q] === CR) return q;
    return 0;
  }

  function inlineCommand(start: number, end: number): number {
    let newline = start;
    while (newline < end && bytes[newline] !== LF) newline++;
    if (newline === end) {
      if (end - start > INLINE_MAX_BYTES) return invalid("too big inline request");
      return incomplete(1);
    }
    framer.position = newline + 1;
    framer.canonical = false;
    const last = newline > start && bytes[newline - 1] === CR ? newline - 1 : newline;
    const pairs = splitInline(bytes, start, last);
    if (pairs === null) return invalid("unbalanced quotes in request");
    if (pairs.length > argv.length) {
      framer.oversized = requestOf(pairs);
      return TOO_MANY_WORDS;
    }
    argv.set(pairs);
    return pairs.length >> 1;
  }

  /** The words of an inline command as a client would send them. */
  function requestOf(pairs: number[]): Uint8Array {
    const words: Uint8Array[] = [];
    for (let i = 0; i < pairs.length; i += 2)
      words.push(bytes.subarray(pairs[i]!, pairs[i]! + pairs[i + 1]!));
    return encodeRequest(words);
  }

  const framer: Framer = {
    position: 0,
    frameStart: 0,
    canonical: true,
    missing: 0,
    error: "",
    oversized: null,
    authenticated: true,

    next(end: number): number {
      for (;;) {
        let p = framer.position | 0;
        framer.frameStart = p;
        framer.missing = 1;
        if (p >= end) return INCOMPLETE;
        framer.canonical = true;
        const head = words.getInt32(p, true);
        let count: number;
        // "*d\r" with d in 1..9, and the byte behind in sight
        if (
          (head & 0x00ff00ff) === 0x000d002a &&
          p + 4 <= end &&
          ((head >> 8) & 255) > 48 &&
          ((head >> 8) & 255) <= 57
        ) {
          count = ((head >> 8) & 255) - 48;
          if (head >>> 24 !== LF) framer.canonical = false;
          p = (p + 4) | 0;
        } else if ((head & 255) === ASTERISK) {
          count = headerNumber(p + 1, end);
          if (numberEnd === 0) return count < 0 ? tooBig("mbulk count") : incomplete(1);
          if (!numberOk || count > MULTIBULK_MAX_WORDS) return invalid("invalid multibulk length");
          if (!framer.authenticated && count > UNAUTHENTICATED_MAX_WORDS)
            return invalid("unauthenticated multibulk length");
          p = numberEnd;
          if (count <= 0) {
            framer.position = p;
            continue;
          }
        } else {
          // Its words are not known before: it has the whole table, as the first of a batch.
          if (firstSlot !== 0) {
            framer.position = p;
            return TOO_MANY_WORDS;
          }
          const inlineCount = inlineCommand(p, end);
          if (inlineCount === 0) continue;
          return inlineCount;
        }

        let slot = firstSlot;
        const slots = firstSlot + count * 2;
        if (slots > argv.length) {
          framer.position = framer.frameStart;
          return TOO_MANY_WORDS;
        }
        while (slot < slots) {
          if (p + 4 > end) {
            if (p < end) {
              bulkLength(p, end);
              if (bulkFault !== 0) return bulkFault;
            }
            return incomplete(1);
          }
          const v = words.getInt32(p, true);
          let length: number;
          const tens = (v >> 8) & 255;
          if ((v & 0x00ff00ff) === 0x000d0024 && tens >= 48 && tens <= 57) {
            length = tens - 48;
            if (v >>> 24 !== LF) framer.canonical = false;
            p = (p + 4) | 0;
          } else {
            const ones = (v >> 16) & 255;
            const twoDigits =
              (v & 0xff0000ff) === 0x0d000024 &&
              tens > 48 &&
              tens <= 57 &&
              ones >= 48 &&
              ones <= 57;
            if (twoDigits && p + 5 <= end) {
              length = (tens - 48) * 10 + (ones - 48);
              if (bytes[p + 4] !== LF) framer.canonical = false;
              p = (p + 5) | 0;
            } else {
              length = bulkLength(p, end);
              if (bulkFault !== 0) return bulkFault;
              p = numberEnd;
            }
          }
          const after = p + length;
          if (after + 2 > end) return incomplete(after + 2 - end);
          argv[slot] = p;
          argv[slot + 1] = length;
          // The bytes behind a bulk are skipped unseen, as Redis does; only the log cares what they were.
          if (words.getUint16(after, true) !== 0x0a0d) framer.canonical = false;
          p = (after + 2) | 0;
          slot = (slot + 2) | 0;
        }
        framer.position = p;
        return count;
      }
    },

    stopped: GOING_ON,

    batch(end: number): number {
      // What a client may send can change with its first command.
      const most = framer.authenticated ? FRAME_BATCH : 1;
      let count = 0;
      let record = Address.Frames >> 2;
      framer.stopped = GOING_ON;
      while (count < most) {
        const words = framer.next(end);
        if (words <= 0) {
          // Room for the words will be there once this batch is done.
          framer.stopped = words === TOO_MANY_WORDS && count > 0 ? GOING_ON : words;
          break;
        }
        i32[record + (FrameField.Argv >> 2)] = Address.ArgvTable + (firstSlot << 2);
        i32[record + (FrameField.Words >> 2)] = words;
        i32[record + (FrameField.Start >> 2)] = framer.frameStart;
        i32[record + (FrameField.End >> 2)] = framer.position;
        i32[record + (FrameField.Canonical >> 2)] = framer.canonical ? 1 : 0;
        firstSlot = (firstSlot + (words << 1)) | 0;
        record = (record + (FRAME_BYTES >> 2)) | 0;
        count = (count + 1) | 0;
      }
      firstSlot = 0;
      return count;
    },

    select(index: number): number {
      const record = (Address.Frames + index * FRAME_BYTES) >> 2;
      i32[ARGV_PTR] = i32[record + (FrameField.Argv >> 2)]!;
      framer.frameStart = i32[record + (FrameField.Start >> 2)]!;
      framer.position = i32[record + (FrameField.End >> 2)]!;
      framer.canonical = i32[record + (FrameField.Canonical >> 2)] !== 0;
      return i32[record + (FrameField.Words >> 2)]!;
    },

    alike(first: number, count: number): number {
      let record = (Address.Frames + first * FRAME_BYTES) >> 2;
      const slot = i32[record + (FrameField.Argv >> 2)]! >> 2;
      const length = i32[slot + 1]!;
      if (i32[record + (FrameField.Canonical >> 2)] === 0 || length > 8) return 1;
      const wordCount = i32[record + (FrameField.Words >> 2)]!;
      const lowMask = firstBytes(length);
      const highMask = firstBytes(length - 4);
      const low = words.getInt32(i32[slot]!, true);
      const high = words.getInt32(i32[slot]! + 4, true);
      let next = first + 1;
      for (; next < count; next++) {
        const end = i32[record + (FrameField.End >> 2)];
        record += FRAME_BYTES >> 2;
        if (
          i32[record + (FrameField.Start >> 2)] !== end ||
          i32[record + (FrameField.Words >> 2)] !== wordCount ||
          i32[record + (FrameField.Canonical >> 2)] === 0
        )
          break;
        const name = i32[record + (FrameField.Argv >> 2)]! >> 2;
        if (i32[name + 1] !== length) break;
        const ptr = i32[name]!;
        if (((words.getInt32(ptr, true) ^ low) & lowMask) !== 0) break;
        if (((words.getInt32(ptr + 4, true) ^ high) & highMask) !== 0) break;
      }
      return next - first;
    },
  };
  return framer;
}
