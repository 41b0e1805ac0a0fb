/** Blocks that are written but that no sync covers yet, kept so that they can be written elsewhere if the sync fails. */
import type { ClosableBlock } from "./log-file.ts";

/** More than this is not kept. */
export const UNSYNCED_MAX_BYTES = 64 << 20;

export class Unsynced {
  /** null once there was too much. */
  private parts: Uint8Array[] | null = [];
  private bytes = 0;

  /** Takes a copy. */
  add(block: Uint8Array): void {
    this.bytes += block.length;
    if (this.bytes > UNSYNCED_MAX_BYTES) this.parts = null;
    this.parts?.push(block.slice());
  }

  /** Everything is covered. */
  clear(): void {
    this.parts = [];
    this.bytes = 0;
  }

  /** All of it as one block, null if it was too much to be kept. */
  join(): ClosableBlock | null {
    if (this.parts === null) return null;
    const bytes = Buffer.concat(this.parts);
    return {
      size: bytes.length,
      view: () => bytes,
      close: (line) => Buffer.concat([bytes, Buffer.from(line)]),
    };
  }
}
