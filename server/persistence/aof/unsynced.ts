/** Blocks that are written but that no sync covers yet, kept so that they can be written elsewhere if the sync fails. */
import { selectCommand } from "./block.ts";
import { type ClosableBlock, closable } from "./log-file.ts";

/** More than this is not kept, and of the stretch behind one that had more nothing: it would be copied in vain. */
export const UNSYNCED_MAX_BYTES = 64 << 20;
/** Blocks lie behind each other in chunks of this size, which are used again: fresh memory for each costs more than the copy. */
const CHUNK_BYTES = 1 << 20;
/** Larger ones have memory of their own. */
const SHARING_MAX_BYTES = CHUNK_BYTES / 4;
/** So many are kept for the next blocks in any case, and otherwise as many as were begun between two syncs. */
const SPARE_CHUNKS = 8;

interface Chunk {
  bytes: Uint8Array;
  used: number;
  /** Parts that lie in it. */
  parts: number;
}

/** Blocks that followed each other, no mark between them. */
interface Part {
  chunk: Chunk;
  /** Where it lies in there. */
  begin: number;
  length: number;
  /** Bytes of all parts so far, this one included. */
  end: number;
  /** The database that was selected where it begins, -1 = it selects its own. */
  db: number;
}

function chunkOf(bytes: number): Chunk {
  return { bytes: new Uint8Array(bytes), used: 0, parts: 0 };
}

function bytesOf({ chunk, begin, length }: Part): Uint8Array {
  return chunk.bytes.subarray(begin, begin + length);
}

export class Unsynced {
  private parts: Part[] = [];
  private total = 0;
  private keptBytes = 0;
  /** Up to here parts were dropped that no sync covered. */
  private lostEnd = 0;
  private coveredEnd = 0;
  /** The last mark, where the stretch begins that is being written. */
  private markedEnd = 0;
  /** Nothing of that stretch is kept any more. */
  private isLosing = false;
  /** The one that is being filled. */
  private chunk: Chunk | null = null;
  private readonly spare: Chunk[] = [];
  /** Chunks since the last sync began to count. */
  private begun = 0;

  /** Takes a copy of a block that was written where `db` was selected. */
  add(block: Uint8Array, db: number): void {
    this.total += block.length;
    if (this.isLosing || this.keptBytes + block.length > UNSYNCED_MAX_BYTES) this.lose();
    else this.copy(block, db);
  }

  /** Counts a block that is not to be kept: no sync is to come. */
  skip(bytes: number): void {
    this.total += bytes;
    this.lose();
  }

  private lose(): void {
    this.drop(this.parts.length);
    this.isLosing = true;
    this.lostEnd = this.total;
  }

  private copy(block: Uint8Array, db: number): void {
    const { length } = block;
    const chunk = length > SHARING_MAX_BYTES ? chunkOf(length) : this.chunkFor(length);
    const begin = chunk.used;
    chunk.bytes.set(block, begin);
    chunk.used += length;
    this.keptBytes += length;
    const last = this.parts.at(-1);
    if (last?.chunk === chunk && last.end > this.markedEnd) {
      last.length += length;
      last.end = this.total;
      return;
    }
    chunk.parts++;
    this.parts.push({ chunk, begin, length, end: this.total, db });
  }

  private chunkFor(bytes: number): Chunk {
    if (this.chunk !== null && this.chunk.used + bytes <= CHUNK_BYTES) return this.chunk;
    this.begun++;
    this.chunk = this.spare.pop() ?? chunkOf(CHUNK_BYTES);
    return this.chunk;
  }

  /** Lets the first so many parts go. */
  private drop(count: number): void {
    for (const { chunk, length } of this.parts.splice(0, count)) {
      this.keptBytes -= length;
      if (--chunk.parts > 0) continue;
      chunk.used = 0;
      if (chunk !== this.chunk && chunk.bytes.length === CHUNK_BYTES) this.spare.push(chunk);
    }
  }

  /** What a sync that begins now will cover: what `cover` is told later. */
  mark(): number {
    this.isLosing = this.total - this.markedEnd > UNSYNCED_MAX_BYTES;
    this.markedEnd = this.total;
    return this.total;
  }

  /** Everything up to a mark is covered. */
  cover(mark: number): void {
    this.coveredEnd = Math.max(this.coveredEnd, mark);
    const rest = this.parts.findIndex(({ end }) => end > mark);
    this.drop(rest < 0 ? this.parts.length : rest);
    // As much as this stretch needed, the next may need.
    this.spare.length = Math.min(this.spare.length, Math.max(SPARE_CHUNKS, this.begun));
    this.begun = 0;
  }

  /**
   * All that is not covered as one block that can be read on its own, as can what follows, which goes by `nextDb` being selected.
   * @returns null if it was too much to be kept
   */
  join(nextDb: number): ClosableBlock | null {
    if (this.lostEnd > this.coveredEnd) return null;
    const db = this.parts[0]?.db ?? nextDb;
    const head = db < 0 ? [] : [Buffer.from(selectCommand(db))];
    return closable(Buffer.concat([...head, ...this.parts.map(bytesOf)]));
  }
}
