/**
 * The bytes of a turn's closed units, on their way to the file. Frames of the input window that follow each other are only noted, and
 * copied in one piece when something else comes or the window is reused.
 */
import type { CoreMemory } from "../../core/memory.ts";

const FIRST_BYTES = 65536;

export class Block {
  private bytes = new Uint8Array(FIRST_BYTES);
  private length = 0;
  private db = -1;
  private noteStart = 0;
  private noteEnd = 0;

  constructor(private readonly memory: CoreMemory) {}

  get isEmpty(): boolean {
    return this.length === 0 && this.noteEnd === this.noteStart;
  }

  get size(): number {
    return this.length;
  }

  /** The next unit names its database: a new file begins. */
  forgetDb(): void {
    this.settle();
    this.db = -1;
  }

  frame(db: number, ptr: number, length: number): void {
    if (db === this.db && ptr === this.noteEnd) {
      this.noteEnd = ptr + length;
      return;
    }
    this.settle();
    this.select(db);
    this.noteStart = ptr;
    this.noteEnd = ptr + length;
  }

  /** One command: `name` first if given, then pairs (u32 ptr, u32 length) of linear memory. */
  words(db: number, name: Uint8Array | null, pairsPtr: number, count: number): void {
    this.settle();
    this.select(db);
    this.text(`*${count + (name === null ? 0 : 1)}\r\n`);
    if (name !== null) this.bulk(name);
    const table = this.memory.bytes(pairsPtr, count * 8);
    const pairs = new DataView(table.buffer, table.byteOffset, table.byteLength);
    for (let i = 0; i < count; i++)
      this.bulk(this.memory.bytes(pairs.getUint32(i * 8, true), pairs.getUint32(i * 8 + 4, true)));
  }

  /** Copies what was only noted: its bytes are about to be overwritten. */
  settle(): void {
    if (this.noteEnd > this.noteStart)
      this.append(this.memory.bytes(this.noteStart, this.noteEnd - this.noteStart));
    this.noteStart = 0;
    this.noteEnd = 0;
  }

  /** A view of everything, valid until the next change. */
  view(): Uint8Array {
    this.settle();
    return this.bytes.subarray(0, this.length);
  }

  /** Everything is in the file. Room that one large turn needed is given back. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > FIRST_BYTES * 16) this.bytes = new Uint8Array(FIRST_BYTES);
  }

  private select(db: number): void {
    if (db === this.db) return;
    this.db = db;
    this.text(`*2\r\n$6\r\nSELECT\r\n$${String(db).length}\r\n${db}\r\n`);
  }

  private bulk(value: Uint8Array): void {
    this.text(`$${value.length}\r\n`);
    this.append(value);
    this.text("\r\n");
  }

  private text(value: string): void {
    this.append(Buffer.from(value, "latin1"));
  }

  private append(value: Uint8Array): void {
    if (this.length + value.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + value.length));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(value, this.length);
    this.length += value.length;
  }
}
