/**
 * Bytes a client has not taken yet: copies, in order. What is in it counts as client memory. Nothing is set aside for a client
 * that reads its replies.
 */

/** Small pieces share blocks of this size. */
const BLOCK_BYTES = 16384;

export class Outbox {
  bytes = 0;
  /** Only the last one may have room left. */
  private blocks: Uint8Array[] | null = null;
  /** Bytes of the first block that went already. */
  private head = 0;
  /** Where the last block's free room begins. */
  private tail = 0;

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  get blockCount(): number {
    return this.blocks?.length ?? 0;
  }

  /** Copies a borrowed view. */
  append(view: Uint8Array): void {
    if (view.length === 0) return;
    this.bytes += view.length;
    this.blocks ??= [];
    const last = this.blocks.at(-1);
    const fits = last === undefined ? 0 : Math.min(view.length, last.length - this.tail);
    if (last !== undefined && fits > 0) {
      last.set(fits === view.length ? view : view.subarray(0, fits), this.tail);
      this.tail += fits;
    }
    if (fits === view.length) return;
    const rest = view.subarray(fits);
    const block = new Uint8Array(Math.max(rest.length, BLOCK_BYTES));
    block.set(rest);
    this.blocks.push(block);
    this.tail = rest.length;
  }

  /**
   * Hands at most `limit` bytes to `write`, which answers how many it took (negative: the socket is gone).
   * @returns whether nothing is left
   */
  flush(write: (block: Uint8Array) => number, limit = this.bytes): boolean {
    const { blocks } = this;
    if (blocks === null) return true;
    let left = limit;
    let sent = 0;
    for (; sent < blocks.length; sent++) {
      const end = sent === blocks.length - 1 ? this.tail : blocks[sent]!.length;
      const whole = blocks[sent]!.subarray(this.head, end);
      const piece = left < whole.length ? whole.subarray(0, left) : whole;
      const taken = piece.length === 0 ? 0 : write(piece);
      if (taken < 0) break;
      this.bytes -= taken;
      left -= taken;
      if (taken < whole.length) {
        this.head += taken;
        break;
      }
      this.head = 0;
    }
    if (sent === blocks.length) this.blocks = null;
    else blocks.splice(0, sent);
    return this.blocks === null;
  }

  clear(): void {
    this.blocks = null;
    this.head = 0;
    this.bytes = 0;
  }
}
