/**
 * Replays log files through the dispatcher, streamed through the core's input window. Units only: a MULTI without its EXEC at the end
 * is cut with the torn tail. What cannot be framed or executed before the end is damage, and refused with file and offset.
 */
import { closeSync, openSync, readSync, statSync, truncateSync } from "node:fs";
import { Address, IoField } from "../../../core-wasm/abi.ts";
import type { Core } from "../../core/core.ts";
import { type Framer, INCOMPLETE, INVALID, TOO_MANY_WORDS } from "../../resp/framer.ts";
import { LargeFrame, LargeState } from "../../resp/large-frame.ts";
import { AofError } from "./errors.ts";

const BLOCK_BYTES = 1 << 20;
/** After so long others have a turn: somebody may ask whether the server is alive. */
const TURN_MS = 50;
const WINDOW_BYTES = Address.InputEnd - Address.Input - 64;
const MAX_BULK_BYTES = 2147483647;
const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;

export interface ReplayTarget {
  readonly core: Core;
  readonly framer: Framer;
  /** Runs the command in the argv table with its reply discarded. @returns the error it answered */
  execute(argc: number): string | undefined;
  select(db: number): void;
  /** Forgets what was queued since a MULTI that has no EXEC. */
  discard(): void;
}

interface LoadOptions {
  target: ReplayTarget;
  /** A torn end may be cut: only in the last file, and only if aof-load-truncated says so. */
  mayCut: boolean;
  warn(text: string): void;
}

/** One file's load: where it stands, and where the last whole unit ended. */
class FileLoad {
  private unitEnd = 0;
  private multi = false;

  constructor(
    private readonly path: string,
    private readonly options: LoadOptions,
  ) {}

  *run(): Generator<void> {
    const { target } = this.options;
    const { u8 } = target.core.memory;
    const size = statSync(this.path).size;
    const fd = openSync(this.path, "r");
    try {
      let read = 0; // bytes read from the file
      let kept = 0; // bytes of an unfinished frame at the window's start
      let turnMs = performance.now();
      while (read < size) {
        if (performance.now() - turnMs > TURN_MS) {
          yield;
          turnMs = performance.now();
        }
        const room = Math.min(BLOCK_BYTES, WINDOW_BYTES - kept);
        const start = Address.Input + kept;
        const count = readSync(fd, u8, start, Math.min(room, size - read), read);
        if (count === 0) break;
        const base = read - kept; // file offset of the window's start
        read += count;
        const end = start + count;
        const stopped = this.frames(end, base);
        kept = end - stopped;
        if (
          kept >= WINDOW_BYTES - 64 ||
          target.framer.missing > WINDOW_BYTES - kept ||
          this.tooMany
        ) {
          read = this.large(fd, base + stopped - Address.Input, size);
          kept = 0;
          if (read < 0) break;
        } else u8.copyWithin(Address.Input, stopped, end);
      }
    } finally {
      closeSync(fd);
    }
    if (this.multi) this.options.target.discard();
    if (this.unitEnd < size) this.cut(size);
  }

  private tooMany = false;

  /** Runs the whole commands of the window. @returns where the unfinished one begins */
  private frames(end: number, base: number): number {
    const { framer } = this.options.target;
    const offsetOf = (at: number) => base + at - Address.Input;
    framer.position = Address.Input;
    framer.authenticated = true;
    this.tooMany = false;
    for (;;) {
      const first = this.options.target.core.memory.u8[framer.position];
      if (framer.position < end && first === 35) {
        const newline = this.annotationEnd(framer.position, end);
        if (newline < 0) return framer.position;
        framer.position = newline;
        if (!this.multi) this.unitEnd = offsetOf(newline);
        continue;
      }
      if (framer.position < end && first !== 42) throw this.damage(offsetOf(framer.position));
      const argc = framer.next(end);
      if (argc === INCOMPLETE) return framer.position;
      if (argc === TOO_MANY_WORDS) {
        this.tooMany = true;
        return framer.position;
      }
      if (argc === INVALID) throw this.damage(offsetOf(framer.frameStart));
      if (!framer.canonical) throw this.damage(offsetOf(framer.frameStart));
      this.unit(argc, offsetOf(framer.frameStart), offsetOf(framer.position));
    }
  }

  private annotationEnd(from: number, end: number): number {
    const { u8 } = this.options.target.core.memory;
    for (let p = from; p < end; p++) if (u8[p] === 10) return p + 1;
    return -1;
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
  private unit(argc: number, begin: number, end: number): void {
    if (argc === 1 && this.isNamed("multi")) this.multi = true;
    else if (argc === 1 && this.isNamed("exec")) this.multi = false;
    const error = this.options.target.execute(argc);
    if (error !== undefined)
      throw new AofError(
        `The append only file ${this.path} has a command at offset ${begin} that cannot be replayed: ${error}`,
      );
    if (!this.multi) this.unitEnd = end;
  }

  /** A command larger than the window: gathered in a heap run. @returns the file offset behind it, -1 = it is torn */
  private large(fd: number, begin: number, size: number): number {
    const { core, framer } = this.options.target;
    const frame = new LargeFrame(MAX_BULK_BYTES);
    let at = begin;
    let state = LargeState.More;
    while (state === LargeState.More && at < size) {
      const chunk = new Uint8Array(Math.min(BLOCK_BYTES, size - at));
      const count = readSync(fd, chunk, 0, chunk.length, at);
      at += count;
      state = frame.push(chunk.subarray(0, count));
    }
    if (state === LargeState.Invalid) throw this.damage(begin);
    if (state === LargeState.More) return -1;
    const tableBytes = frame.argc * 8 + 8;
    const run = core.allocInput(frame.bytes + tableBytes + 64) >>> 0;
    if (run === 0)
      throw new AofError(`Not enough memory for the command at offset ${begin} of ${this.path}`);
    frame.place(core.memory, run + tableBytes, run);
    core.memory.i32[ARGV_PTR] = run | 0;
    framer.canonical = false;
    this.unit(frame.argc, begin, begin + frame.bytes);
    core.memory.i32[ARGV_PTR] = Address.ArgvTable;
    core.freeInput(run | 0);
    return begin + frame.bytes;
  }

  private damage(offset: number): AofError {
    return new AofError(
      `Bad file format reading the append only file ${this.path}: damaged at offset ${offset}`,
    );
  }

  private cut(size: number): void {
    const { mayCut, warn } = this.options;
    const torn = size - this.unitEnd;
    if (!mayCut)
      throw new AofError(
        `Unexpected end of file reading the append only file ${this.path}: the last ${torn} bytes, from offset ${this.unitEnd}, are no whole command`,
      );
    warn(
      `!!! Warning: short read while loading the AOF file ${this.path}: the last ${torn} bytes, from offset ${this.unitEnd}, are cut !!!`,
    );
    truncateSync(this.path, this.unitEnd);
  }
}

/**
 * Loads the file in steps, between which others may have a turn who do not use the core.
 * @throws AofError naming file and offset
 */
export function loadFile(path: string, options: LoadOptions): Generator<void> {
  return new FileLoad(path, options).run();
}
