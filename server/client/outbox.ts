/** Bytes a client has not taken yet: copies, in order. What is in it counts as client memory. */
export class Outbox {
  private readonly blocks: Uint8Array[] = [];
  private head = 0;
  bytes = 0;

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Copies a borrowed view. */
  append(view: Uint8Array): void {
    if (view.length === 0) return;
    this.blocks.push(view.slice());
    this.bytes += view.length;
  }

  /** Hands blocks to `write`, which answers how many bytes it took (negative: the socket is gone). @returns whether all went */
  flush(write: (block: Uint8Array) => number): boolean {
    while (this.blocks.length > 0) {
      const block = this.blocks[0]!.subarray(this.head);
      const taken = write(block);
      if (taken < 0) return false;
      this.bytes -= taken;
      if (taken < block.length) {
        this.head += taken;
        return false;
      }
      this.blocks.shift();
      this.head = 0;
    }
    return true;
  }

  clear(): void {
    this.blocks.length = 0;
    this.head = 0;
    this.bytes = 0;
  }
}
