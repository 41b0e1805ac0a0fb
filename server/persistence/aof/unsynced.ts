/** Blocks that are written but that no sync covers yet, kept so that they can be written elsewhere if the sync fails. */
import { selectCommand } from "./block.ts";
import type { ClosableBlock } from "./log-file.ts";

/** More than this is not kept. */
export const UNSYNCED_MAX_BYTES = 64 << 20;

interface Part {
  bytes: Uint8Array;
  /** Bytes of all parts so far, this one included. */
  end: number;
  /** The database that was selected where it begins, -1 = it selects its own. */
  db: number;
}

export class Unsynced {
  private parts: Part[] = [];
  private total = 0;
  private keptBytes = 0;
  /** Up to here parts were dropped that no sync covered. */
  private lostEnd = 0;
  private coveredEnd = 0;

  /** Takes a copy of a block that was written where `db` was selected. */
  add(block: Uint8Array, db: number): void {
    this.total += block.length;
    this.keptBytes += block.length;
    if (this.keptBytes > UNSYNCED_MAX_BYTES) {
      this.parts = [];
      this.keptBytes = 0;
      this.lostEnd = this.total;
    } else this.parts.push({ bytes: block.slice(), end: this.total, db });
  }

  /** What a sync that begins now will cover. */
  mark(): number {
    return this.total;
  }

  /** Everything up to a mark is covered. */
  cover(mark: number): void {
    this.coveredEnd = Math.max(this.coveredEnd, mark);
    while (this.parts.length > 0 && this.parts[0]!.end <= mark)
      this.keptBytes -= this.parts.shift()!.bytes.length;
  }

  /** All that is not covered as one block that can be read on its own, null if it was too much to be kept. */
  join(): ClosableBlock | null {
    if (this.lostEnd > this.coveredEnd) return null;
    const db = this.parts[0]?.db ?? -1;
    const head = db < 0 ? [] : [Buffer.from(selectCommand(db))];
    const bytes = Buffer.concat([...head, ...this.parts.map((part) => part.bytes)]);
    return {
      size: bytes.length,
      view: () => bytes,
      close: (line) => Buffer.concat([bytes, Buffer.from(line)]),
    };
  }
}
