/**
 * Finds commands in the bytes of a chunk, in place: each word's (address, length) is written into the argv table. Nothing is sliced,
 * decoded or allocated on the way of a well-formed multibulk command.
 *
 * What is as we would write it the core frames, many commands in one call (core-wasm/frames.ts). Anything else is read here, with Redis's
 * limits and error texts. Lines end at CR; the byte behind it is skipped unseen, as Redis does, but such a frame is not canonical and is
 * never written to the log verbatim.
 */
import {
  Address,
  ARGV_TABLE_ENTRIES,
  FRAME_BATCH,
  FRAME_BYTES,
  FrameField,
  FrameFlag,
  IoField,
} from "../../core-wasm/abi.ts";
import type { Core } from "../core/core.ts";
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
  /** How many records of the `count` in the batch, from `first` on, are one command in a row (FrameFlag.SameCommand). At least 1. O(that number) */
  alike(first: number, count: number): number;
}

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const ARGV = FrameField.Argv >> 2;
const WORDS = FrameField.Words >> 2;
const START = FrameField.Start >> 2;
const END = FrameField.End >> 2;
const FLAGS = FrameField.Flags >> 2;
const CR = 13;
const LF = 10;
const ASTERISK = 42;
const DOLLAR = 36;

/** The index of a frame's record in `i32`. */
function recordAt(index: number): number {
  return (Address.Frames + index * FRAME_BYTES) >> 2;
}

/** Made once per core, so that the hot loop's views are constants of the closure. */
export function createFramer(core: Pick<Core, "memory" | "frame">, limits: FramerLimits): Framer {
  const bytes = core.memory.u8;
  const { i32 } = core.memory;
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
    // Faster than `set` for the few words of a line.
    for (let i = 0; i < pairs.length; i++) argv[i] = pairs[i]!;
    return pairs.length >> 1;
  }

  /** The words of an inline command as a client would send them. */
  function requestOf(pairs: number[]): Uint8Array {
    const words: Uint8Array[] = [];
    for (let i = 0; i < pairs.length; i += 2)
      words.push(bytes.subarray(pairs[i]!, pairs[i]! + pairs[i + 1]!));
    return encodeRequest(words);
  }

  /** Frames the next command by itself, as record `index`. @returns whether there is one; `stopped` says why not */
  function oneFrame(index: number, end: number): boolean {
    const last = recordAt(index - 1);
    if (index > 0)
      firstSlot = ((i32[last + ARGV]! - Address.ArgvTable) >> 2) + i32[last + WORDS]! * 2;
    const argvPtr = Address.ArgvTable + firstSlot * 4;
    const count = framer.next(end);
    firstSlot = 0;
    if (count <= 0) {
      // Room for the words will be there once this batch is done.
      framer.stopped = count === TOO_MANY_WORDS && index > 0 ? GOING_ON : count;
      return false;
    }
    const record = recordAt(index);
    i32[record + ARGV] = argvPtr;
    i32[record + WORDS] = count;
    i32[record + START] = framer.frameStart;
    i32[record + END] = framer.position;
    i32[record + FLAGS] = framer.canonical ? FrameFlag.Canonical : 0;
    return true;
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
        let p = framer.position;
        framer.frameStart = p;
        framer.missing = 1;
        if (p >= end) return INCOMPLETE;
        framer.canonical = true;
        if (bytes[p] !== ASTERISK) {
          // Its words are not known before: it has the whole table, as the first of a batch.
          if (firstSlot !== 0) return TOO_MANY_WORDS;
          const inlineCount = inlineCommand(p, end);
          if (inlineCount === 0) continue;
          return inlineCount;
        }
        const count = headerNumber(p + 1, end);
        if (numberEnd === 0) return count < 0 ? tooBig("mbulk count") : incomplete(1);
        if (!numberOk || count > MULTIBULK_MAX_WORDS) return invalid("invalid multibulk length");
        if (!framer.authenticated && count > UNAUTHENTICATED_MAX_WORDS)
          return invalid("unauthenticated multibulk length");
        p = numberEnd;
        if (count <= 0) {
          framer.position = p;
          continue;
        }
        const slots = firstSlot + count * 2;
        if (slots > argv.length) return TOO_MANY_WORDS;
        for (let slot = firstSlot; slot < slots; slot += 2) {
          if (p >= end) return incomplete(1);
          const length = bulkLength(p, end);
          if (bulkFault !== 0) return bulkFault;
          p = numberEnd;
          const after = p + length;
          if (after + 2 > end) return incomplete(after + 2 - end);
          argv[slot] = p;
          argv[slot + 1] = length;
          // The bytes behind a bulk are skipped unseen, as Redis does; only the log cares what they were.
          if (bytes[after] !== CR || bytes[after + 1] !== LF) framer.canonical = false;
          p = after + 2;
        }
        framer.position = p;
        return count;
      }
    },

    stopped: GOING_ON,

    batch(end: number): number {
      framer.stopped = GOING_ON;
      // What a client may send can change with its first command.
      if (!framer.authenticated) return oneFrame(0, end) ? 1 : 0;
      let count = 0;
      for (;;) {
        const before = count;
        // Not for an inline command.
        if (bytes[framer.position] === ASTERISK)
          count = core.frame(framer.position, end, count, FRAME_BATCH);
        if (count > before) framer.position = i32[recordAt(count - 1) + END]!;
        if (count === FRAME_BATCH || !oneFrame(count, end)) return count;
        if (++count === FRAME_BATCH) return count;
      }
    },

    select(index: number): number {
      const record = recordAt(index);
      i32[ARGV_PTR] = i32[record + ARGV]!;
      framer.frameStart = i32[record + START]!;
      framer.position = i32[record + END]!;
      framer.canonical = (i32[record + FLAGS]! & FrameFlag.Canonical) !== 0;
      return i32[record + WORDS]!;
    },

    alike(first: number, count: number): number {
      let next = first + 1;
      while (next < count && (i32[recordAt(next) + FLAGS]! & FrameFlag.SameCommand) !== 0) next++;
      return next - first;
    },
  };
  return framer;
}
