/**
 * Replays one log file through the dispatcher, streamed in large blocks into the core's input window and framed in batches there. Units
 * only: a MULTI without its EXEC at the end is cut with the torn tail. Every #CRC line is compared with the bytes before it.
 *
 * Torn and damaged are told apart by how a block ends: a write that was cut short, by a crash or a loss of power, leaves a file that does
 * not end with the line that closes a block, or has a hole before it (room.ts). Where it does, everything before it was written, and what
 * cannot be read is damage.
 */
import { Address, IoField } from "../../../core-wasm/abi.ts";
import { type Core, PREFETCH_MIN_FRAMES } from "../../core/core.ts";
import { type Framer, GOING_ON, INCOMPLETE, INVALID, TOO_MANY_WORDS } from "../../resp/framer.ts";
import { LargeFrame, LargeState } from "../../resp/large-frame.ts";
import type { Disk, DiskFile } from "../disk.ts";
import {
  ANNOTATION_MAX_BYTES,
  type Annotation,
  addToSum,
  parseAnnotation,
  sumOf,
} from "./annotations.ts";
import { AofError } from "./errors.ts";
import type { Extent } from "./log-file.ts";
import { type Contents, contentsOf } from "./room.ts";

const BLOCK_BYTES = 1 << 20;
const WINDOW_BYTES = Address.InputEnd - Address.Input - 64;
const MAX_BULK_BYTES = 2147483647;
const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const HASH_SIGN = 35;
const ASTERISK = 42;
const LF = 10;

export interface ReplayTarget {
  readonly core: Core;
  readonly framer: Framer;
  /** Runs the command in the argv table with its reply discarded. @returns the error it answered */
  execute(argc: number): string | undefined;
  select(db: number): void;
  /** Forgets what was queued since a MULTI that has no EXEC. */
  discard(): void;
  /** Read so many bytes at once at the most, if a command is no longer. */
  readonly blockBytes: number;
  /** So many bytes more are replayed. @returns whether others are to have a turn */
  progress(bytes: number): boolean;
  /** So many commands more were run. @returns the same */
  ran(commands: number): boolean;
}

export interface LoadOptions {
  disk: Disk;
  path: string;
  target: ReplayTarget;
  /** Only so many bytes belong to the log, and their sum must be this. */
  limit?: Extent;
}

export interface Loaded {
  /** Bytes of whole units; what lies behind is torn. */
  end: number;
  /** Bytes there are without room at the end, or belong to the log. */
  size: number;
  /** Bytes behind those, but for room. */
  surplus: number;
  /** Up to the end of the last #CRC line, 0 if there is none. */
  coveredBytes: number;
  /** Sum of the bytes up to `end`. */
  sum: number;
  /** It begins as bases of ours do. */
  isOwnBase: boolean;
}

class FileLoad {
  private readonly file: DiskFile;
  private readonly contents: Contents;
  private unitEnd = 0;
  private multi = false;
  private covered = 0;
  private isOwnBase = false;
  private sum = 0;
  /** Bytes that are in the sum. */
  private summed = 0;
  /** Others are to have a turn before the rest of the window. */
  private isPaused = false;

  constructor(private readonly options: LoadOptions) {
    this.file = options.disk.open(options.path, "read");
    this.contents = contentsOf(this.file, options.limit?.size);
  }

  *run(): Generator<void, Loaded> {
    try {
      yield* this.replay();
      return this.judge();
    } finally {
      this.file.close();
      if (this.multi) this.options.target.discard();
    }
  }

  /** Each block begins with the command that the one before it cut off: that is read again. */
  private *replay(): Generator<void> {
    const { target } = this.options;
    const { u8 } = target.core.memory;
    const { written } = this.contents;
    let most = Math.min(BLOCK_BYTES, target.blockBytes);
    for (let at = 0; at < written; ) {
      const room = Math.min(most, written - at);
      const count = this.file.read(u8, Address.Input, room, at);
      if (count === 0) return;
      let done = this.frames(Address.Input + count, at) - Address.Input;
      this.addUpTo(at + done, at);
      if (done === 0) {
        // A command longer than a block has the whole window, and one longer than that a run of its own.
        if (this.isTooLarge(count)) done = this.large(at);
        else if (at + count === written) return;
        else most = WINDOW_BYTES;
        if (done < 0) return;
      }
      at += done;
      if (target.progress(done)) yield;
    }
  }

  /** Whether the command that `count` bytes are the beginning of cannot be framed in the window. */
  private isTooLarge(count: number): boolean {
    const { framer } = this.options.target;
    return (
      count >= WINDOW_BYTES ||
      framer.missing > WINDOW_BYTES - count ||
      framer.stopped === TOO_MANY_WORDS
    );
  }

  /** Runs the whole commands of the window, which begins at `base` of the file. @returns where the unfinished one begins */
  private frames(end: number, base: number): number {
    const { framer, core } = this.options.target;
    const { u8 } = core.memory;
    framer.position = Address.Input;
    framer.authenticated = true;
    framer.stopped = INCOMPLETE;
    framer.missing = 1;
    this.isPaused = false;
    while (framer.position < end && !this.isPaused) {
      const first = u8[framer.position];
      if (first === HASH_SIGN) {
        const behind = this.annotation(framer.position, end, base);
        if (behind < 0) break;
        framer.position = behind;
        continue;
      }
      if (first !== ASTERISK) throw this.damage(base + framer.position - Address.Input);
      this.batch(end, base);
      if (framer.stopped !== GOING_ON && u8[framer.position] !== HASH_SIGN) break;
    }
    core.memory.i32[ARGV_PTR] = Address.ArgvTable;
    return framer.position;
  }

  /** Runs up to a batch of commands. The framer stands behind them afterwards. */
  private batch(end: number, base: number): void {
    const { target } = this.options;
    const { framer, core } = target;
    const offsetOf = (at: number) => base + at - Address.Input;
    const frames = framer.batch(end);
    const next = framer.position;
    const { stopped } = framer;
    if (frames >= PREFETCH_MIN_FRAMES) core.prefetch(frames);
    for (let i = 0; i < frames; i++) {
      const argc = framer.select(i);
      if (!framer.canonical) throw this.damage(offsetOf(framer.frameStart));
      this.command(argc, offsetOf(framer.frameStart), offsetOf(framer.position));
    }
    framer.position = next;
    this.isPaused = target.ran(frames);
    if (stopped === INVALID) throw this.damage(offsetOf(next));
  }

  /** Reads a line that begins with #. @returns where the next begins, -1 = it is not all here */
  private annotation(from: number, end: number, base: number): number {
    const { u8 } = this.options.target.core.memory;
    const limit = Math.min(end, from + ANNOTATION_MAX_BYTES);
    let p = from;
    while (p < limit && u8[p] !== LF) p++;
    const offset = base + from - Address.Input;
    if (p === limit) {
      if (limit < end) throw this.damage(offset);
      return -1;
    }
    const line = Buffer.from(u8.subarray(from, p + 1)).toString("latin1");
    const behind = offset + line.length;
    const annotation = parseAnnotation(line);
    this.judgeAnnotation(annotation, offset, base);
    if (annotation.kind === "crc") this.covered = behind;
    if (!this.multi) this.unitEnd = behind;
    return p + 1;
  }

  private judgeAnnotation(annotation: Annotation, offset: number, base: number): void {
    if (annotation.kind === "malformed") throw this.damage(offset);
    const isHead = annotation.kind === "previous" || annotation.kind === "base";
    if (isHead && offset > 0) throw this.damage(offset);
    if (annotation.kind === "base") this.isOwnBase = true;
    if (annotation.kind !== "crc") return;
    this.addUpTo(offset, base);
    if (annotation.sum === this.sum && annotation.offset === offset) return;
    throw new AofError(
      `Bad file format reading the append only file ${this.options.path}: damaged between offset ${this.covered} and ${offset}, the checksum there does not match`,
    );
  }

  /** Adds the bytes up to an offset to the sum; they lie in the window that begins at `base`. */
  private addUpTo(offset: number, base: number): void {
    if (offset <= this.summed) return;
    const { u8 } = this.options.target.core.memory;
    const at = Address.Input - base;
    this.sum = addToSum(this.sum, u8.subarray(this.summed + at, offset + at));
    this.summed = offset;
  }

  /** Whether the framed command is this one; `name` is in lower case. */
  private isNamed(name: string): boolean {
    const { memory } = this.options.target.core;
    const table = memory.bytes(memory.i32[ARGV_PTR]!, 8);
    const pair = new DataView(table.buffer, table.byteOffset, 8);
    if (pair.getUint32(4, true) !== name.length) return false;
    const bytes = memory.bytes(pair.getUint32(0, true), name.length);
    return Buffer.from(bytes).toString("latin1").toLowerCase() === name;
  }

  /** Runs one framed command. Those of a MULTI are queued: nothing of it has happened before its EXEC is read. */
  private command(argc: number, begin: number, end: number): void {
    if (argc === 1 && this.isNamed("multi")) this.multi = true;
    else if (argc === 1 && this.isNamed("exec")) this.multi = false;
    const error = this.options.target.execute(argc);
    if (error !== undefined)
      throw new AofError(
        `The append only file ${this.options.path} has a command at offset ${begin} that cannot be replayed: ${error}`,
      );
    if (!this.multi) this.unitEnd = end;
  }

  /** A command larger than the window: gathered in a heap run. @returns its bytes, -1 = it is torn */
  private large(begin: number): number {
    const { core, framer } = this.options.target;
    const frame = new LargeFrame(MAX_BULK_BYTES);
    let at = begin;
    let state = LargeState.More;
    const { written } = this.contents;
    while (state === LargeState.More && at < written) {
      const chunk = new Uint8Array(Math.min(BLOCK_BYTES, written - at));
      const count = this.file.read(chunk, 0, chunk.length, at);
      at += count;
      state = frame.push(chunk.subarray(0, count));
    }
    if (state === LargeState.Invalid) throw this.damage(begin);
    if (state === LargeState.More) return -1;
    const tableBytes = frame.argc * 8 + 8;
    const run = core.allocInput(frame.bytes + tableBytes + 64) >>> 0;
    if (run === 0)
      throw new AofError(
        `Not enough memory for the command at offset ${begin} of ${this.options.path}`,
      );
    frame.place(core.memory, run + tableBytes, run);
    this.sum = addToSum(this.sum, core.memory.bytes(run + tableBytes, frame.bytes));
    this.summed = begin + frame.bytes;
    core.memory.i32[ARGV_PTR] = run | 0;
    framer.canonical = false;
    this.command(frame.argc, begin, begin + frame.bytes);
    core.memory.i32[ARGV_PTR] = Address.ArgvTable;
    core.freeInput(run | 0);
    return frame.bytes;
  }

  private damage(offset: number): AofError {
    return new AofError(
      `Bad file format reading the append only file ${this.options.path}: damaged at offset ${offset}`,
    );
  }

  private judge(): Loaded {
    const { options, unitEnd, covered } = this;
    const { size, surplus, written, endsWithBlock } = this.contents;
    // What closes the last block was written, but not come to, or not as what it is.
    if (endsWithBlock && covered !== size) throw this.damage(unitEnd);
    const sum = unitEnd === this.summed ? this.sum : sumOf(this.file, unitEnd);
    if (options.limit?.size === written && (unitEnd !== size || sum !== options.limit.sum))
      throw new AofError(
        `Bad file format reading the append only file ${options.path}: damaged behind offset ${covered}, its successor has another checksum`,
      );
    return { end: unitEnd, size, surplus, coveredBytes: covered, sum, isOwnBase: this.isOwnBase };
  }
}

/**
 * Replays the file in steps, between which others may have a turn who do not use the core.
 * @throws AofError naming file and offset, if it is damaged
 */
export function loadFile(options: LoadOptions): Generator<void, Loaded> {
  return new FileLoad(options).run();
}
