/**
 * Gathers a command that is too large for the input window or the argv table, as its chunks arrive. Large chunks are kept as
 * they came, small ones share blocks, so that a command sent byte by byte takes no more memory than one sent at once; all is
 * copied into a heap run when the command is whole. Nothing is set aside for what was only announced. Each header byte is
 * looked at once: where it stopped in one chunk it goes on in the next.
 */
import type { CoreMemory } from "../core/memory.ts";

const HEADER_MAX_BYTES = 65536;
const WORD_NOTE_BYTES = 8;
/** Smaller chunks share blocks of this size. */
const BLOCK_BYTES = 16384;
/** As much as a log line shows of it. */
const SHOWN_BYTES = 64;

export enum LargeState {
  More = 0,
  Whole = 1,
  Invalid = 2,
}

const NO_BYTES = new Uint8Array(0);

export class LargeFrame {
  error = "";
  /** Bytes of the whole command, once it is known. */
  bytes = 0;
  argc = 0;
  private readonly pieces: Uint8Array[] = [];
  /** Unused rest of the block that the last piece is in. */
  private room: Uint8Array = NO_BYTES;
  private lastChunk: Uint8Array = NO_BYTES;
  private gathered = 0;
  private position = 0;
  private header = "";
  private bulkLeft = -1;
  private readonly words: number[] = []; // offset, length

  constructor(private readonly maxBulkBytes: number) {}

  /** What it takes so far: the chunks, and a note on each word. */
  get gatheredBytes(): number {
    return this.gathered + this.words.length * WORD_NOTE_BYTES;
  }

  get firstBytes(): Uint8Array {
    return this.pieces[0]!.subarray(0, SHOWN_BYTES);
  }

  /** Takes a chunk over. After Whole, `surplus` is what belongs to the next command. */
  push(chunk: Uint8Array): LargeState {
    const base = this.gathered;
    this.store(chunk);
    this.gathered += chunk.length;
    while (this.position < this.gathered) {
      if (this.bulkLeft >= 0) {
        const skip = Math.min(this.bulkLeft, this.gathered - this.position);
        this.position += skip;
        this.bulkLeft -= skip;
        if (this.bulkLeft > 0) return LargeState.More;
        this.bulkLeft = -1;
        if (this.argc > 0 && this.words.length === this.argc * 2) {
          this.bytes = this.position;
          return LargeState.Whole;
        }
        continue;
      }
      if (!this.readHeader(chunk, base)) return this.error ? LargeState.Invalid : LargeState.More;
    }
    return LargeState.More;
  }

  private store(chunk: Uint8Array): void {
    this.lastChunk = chunk;
    if (chunk.length >= BLOCK_BYTES) {
      this.pieces.push(chunk);
      this.room = NO_BYTES;
      return;
    }
    if (this.room.length < chunk.length) {
      this.room = new Uint8Array(BLOCK_BYTES);
      this.pieces.push(this.room.subarray(0, 0));
    }
    this.room.set(chunk);
    this.room = this.room.subarray(chunk.length);
    const piece = this.pieces.pop()!;
    this.pieces.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.length + chunk.length));
  }

  /** Reads header bytes up to the line feed. @returns whether a header was completed */
  private readHeader(chunk: Uint8Array, base: number): boolean {
    while (this.position < this.gathered) {
      const byte = chunk[this.position - base]!;
      this.position++;
      if (this.header.endsWith("\r")) return this.takeHeader();
      this.header += String.fromCharCode(byte);
      if (this.header.length > HEADER_MAX_BYTES) {
        this.error = "ERR Protocol error: too big bulk count string";
        return false;
      }
    }
    return false;
  }

  private takeHeader(): boolean {
    const line = this.header.slice(0, -1);
    this.header = "";
    const value = /^(0|[1-9]\d{0,17})$/.test(line.slice(1)) ? Number(line.slice(1)) : -1;
    if (this.argc === 0) {
      this.argc = value;
      return true;
    }
    if (line[0] !== "$") this.error = `ERR Protocol error: expected '$', got '${line[0] ?? "\r"}'`;
    else if (value < 0 || value > this.maxBulkBytes)
      this.error = "ERR Protocol error: invalid bulk length";
    if (this.error) return false;
    this.words.push(this.position, value);
    this.bulkLeft = value + 2;
    return true;
  }

  /** Copies the command to `frame` and its argv to `table` (8 bytes a word), both in linear memory. */
  place(memory: CoreMemory, frame: number, table: number): void {
    const target = memory.bytes(frame, this.bytes);
    let at = 0;
    for (const piece of this.pieces) {
      const part = piece.subarray(0, Math.min(piece.length, this.bytes - at));
      target.set(part, at);
      at += part.length;
    }
    const argv = memory.bytes(table, this.argc * 8);
    const pairs = new DataView(argv.buffer, argv.byteOffset, argv.byteLength);
    for (let i = 0; i < this.words.length; i += 2) {
      pairs.setUint32(i * 4, frame + this.words[i]!, true);
      pairs.setUint32(i * 4 + 4, this.words[i + 1]!, true);
    }
  }

  /** Bytes behind the command, in the last chunk. */
  surplus(): Uint8Array {
    const { lastChunk } = this;
    return lastChunk.subarray(lastChunk.length - (this.gathered - this.bytes));
  }
}
