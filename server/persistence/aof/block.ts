/**
 * The bytes of a turn's closed units, on their way to the file. Frames of the input window that follow each other are only noted, and
 * copied in one piece when something else comes or the window is reused.
 *
 * A command outside a unit is one of its own. What lies between `beginUnit` and `endUnit` is framed by MULTI and EXEC if it is more
 * than one command, so that a torn tail never holds a part of it. SELECT stands before MULTI, and inside where the database changes.
 */
import type { CoreMemory } from "../../core/memory.ts";
import type { WordTable } from "../../dispatch/effects.ts";
import { type ClosableBlock, closable } from "./log-file.ts";

const FIRST_BYTES = 65536;

export interface TakenBlock extends ClosableBlock {
  readonly firstDb: number;
}
const MULTI = Buffer.from("*1\r\n$5\r\nMULTI\r\n");
const EXEC = Buffer.from("*1\r\n$4\r\nEXEC\r\n");

/** SELECT as the log has it. */
export function selectCommand(db: number): string {
  return `*2\r\n$6\r\nSELECT\r\n$${String(db).length}\r\n${db}\r\n`;
}

export class Block implements ClosableBlock {
  /** The database that is selected in front of the block, -1 = none. */
  firstDb = -1;
  private bytes = Buffer.alloc(FIRST_BYTES);
  private length = 0;
  /** `view`, until something is added. */
  private seen: Uint8Array | null = null;
  private db = -1;
  private noteStart = 0;
  private noteEnd = 0;
  private inUnit = false;
  /** Commands of the open unit so far, and where the first begins. */
  private unitCommands = 0;
  private unitStart = 0;

  constructor(private readonly memory: CoreMemory) {}

  get isEmpty(): boolean {
    return this.length === 0 && this.noteEnd === this.noteStart;
  }

  /** Bytes, but for frames that are only noted. */
  get size(): number {
    return this.length;
  }

  /** The next unit names its database: a new file begins. */
  forgetDb(): void {
    this.settle();
    this.db = -1;
    if (this.length === 0) this.firstDb = -1;
  }

  /** What follows belongs together, up to `endUnit`. No unit is open. */
  beginUnit(): void {
    this.settle();
    this.inUnit = true;
    this.unitCommands = 0;
  }

  /** Closes the unit. O(bytes of the unit) if it is more than one command */
  endUnit(): void {
    this.inUnit = false;
    if (this.unitCommands < 2) return;
    const { unitStart } = this;
    const end = this.length;
    this.append(MULTI);
    this.append(EXEC);
    this.bytes.copyWithin(unitStart + MULTI.length, unitStart, end);
    this.bytes.set(MULTI, unitStart);
    this.bytes.set(EXEC, end + MULTI.length);
  }

  /** Canonical frames that follow each other; no more than one while a unit is open. */
  frames(db: number, ptr: number, length: number): void {
    if (db === this.db && ptr === this.noteEnd) {
      this.noteEnd = ptr + length;
      return;
    }
    this.settle();
    this.begin(db);
    if (this.inUnit) return this.append(this.memory.bytes(ptr, length));
    this.noteStart = ptr;
    this.noteEnd = ptr + length;
  }

  /** One command: `name` first if given, then pairs (u32 ptr, u32 length) of linear memory, then those of `rest`. */
  words(
    db: number,
    name: Uint8Array | null,
    pairsPtr: number,
    count: number,
    rest?: WordTable,
  ): void {
    this.settle();
    this.begin(db);
    this.text(`*${count + (name === null ? 0 : 1) + (rest?.count ?? 0)}\r\n`);
    if (name !== null) this.bulk(name);
    this.bulks(pairsPtr, count);
    if (rest) this.bulks(rest.ptr, rest.count);
  }

  private bulks(pairsPtr: number, count: number): void {
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
    this.seen ??= this.bytes.subarray(0, this.length);
    return this.seen;
  }

  withRoom(bytes: number): Buffer {
    this.settle();
    return this.room(bytes);
  }

  /** An annotation in front of what comes next. */
  annotate(line: string): void {
    this.settle();
    this.text(line);
  }

  /** Takes the bytes out, to be written while others are gathered. */
  take(): TakenBlock {
    const taken = { firstDb: this.firstDb, ...closable(this.view()) };
    this.bytes = Buffer.alloc(FIRST_BYTES);
    this.empty();
    this.firstDb = this.db;
    return taken;
  }

  /** Puts what was taken back in front: it was not written. */
  putBack(taken: TakenBlock): void {
    const newer = Buffer.from(this.view());
    this.empty();
    this.append(taken.view());
    this.append(newer);
    this.firstDb = taken.firstDb;
  }

  /** Everything is in the file. Room that one large turn needed is given back. */
  clear(): void {
    this.empty();
    this.firstDb = this.db;
    if (this.bytes.length > FIRST_BYTES * 16) this.bytes = Buffer.alloc(FIRST_BYTES);
  }

  private empty(): void {
    this.length = 0;
    this.seen = null;
  }

  /** A command comes that was executed in `db`. */
  private begin(db: number): void {
    if (db !== this.db) {
      this.db = db;
      this.text(selectCommand(db));
    }
    if (this.inUnit && this.unitCommands++ === 0) this.unitStart = this.length;
  }

  private bulk(value: Uint8Array): void {
    this.text(`$${value.length}\r\n`);
    this.append(value);
    this.text("\r\n");
  }

  private text(value: string): void {
    this.seen = null;
    this.length += this.room(value.length).write(value, this.length, "latin1");
  }

  private append(value: Uint8Array): void {
    this.seen = null;
    this.room(value.length).set(value, this.length);
    this.length += value.length;
  }

  /** @returns the block's memory, with room for so many bytes behind what is there */
  private room(bytes: number): Buffer {
    const wanted = this.length + bytes;
    if (wanted > this.bytes.length) {
      const larger = Buffer.alloc(Math.max(this.bytes.length * 2, wanted));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    return this.bytes;
  }
}
