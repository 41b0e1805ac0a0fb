/**
 * The file that a log is appended to, in whole blocks: each is closed by a line with the sum of everything so far (annotations.ts), and
 * one that could not be written whole is cut off again. Where syncs follow each other, they are written over room behind them (room.ts).
 */
import type { Disk, DiskFile } from "../disk.ts";
import {
  addToSum,
  CRC_LINE_MAX_BYTES,
  type Previous,
  previousLine,
  writeCrcLine,
} from "./annotations.ts";
import { CachedPart } from "./cached-part.ts";
import type { ManifestFile } from "./manifest.ts";
import { ROOM_BEGINS, roomAt } from "./room.ts";

/** What is known of a file's contents. */
export interface Extent {
  /** Bytes of whole blocks. */
  size: number;
  /** Sum of them. */
  sum: number;
}

export class LogFile {
  /** Bytes that a sync has covered. */
  syncedBytes: number;
  /** The sum of those. */
  syncedSum: number;
  /** A sync failed, or a torn block could not be cut off: nothing is to be written here any more. */
  isDead = false;
  /** Where the room behind the contents ends, 0 = there is none. If it could not be written whole, before that. */
  private roomEnd = 0;
  /** The file once more: what is opened to append does not write over room. */
  private place: DiskFile | undefined;
  /** Writes and syncs that are off the thread: the file is closed behind them. */
  private inFlight = 0;
  private isClosing = false;
  private readonly cached: CachedPart;

  private constructor(
    private readonly disk: Disk,
    readonly entry: ManifestFile,
    readonly path: string,
    private readonly file: DiskFile,
    private extent: Extent,
  ) {
    this.syncedBytes = extent.size;
    this.syncedSum = extent.sum;
    this.cached = new CachedPart(file, extent.size);
  }

  /** Goes on behind the contents; room that is there was left by a crash. @throws Error */
  static open(disk: Disk, path: string, entry: ManifestFile, extent: Extent): LogFile {
    const file = disk.open(path, "append");
    if (file.size() > extent.size) file.truncate(extent.size);
    return new LogFile(disk, entry, path, file, extent);
  }

  /**
   * Begins an empty file. One of that name that nobody named any more goes first: were it only emptied, what it had could be there again
   * behind a loss of power. @throws Error
   */
  static create(disk: Disk, path: string, entry: ManifestFile): LogFile {
    if (disk.exists(path)) disk.remove(path);
    disk.open(path, "create").close();
    return LogFile.open(disk, path, entry, { size: 0, sum: 0 });
  }

  get size(): number {
    return this.extent.size;
  }

  get isSynced(): boolean {
    return this.syncedBytes === this.extent.size;
  }

  /** The last block was written over room, and no sync has covered it: before that nothing may be added, nor the room be cut. */
  get mayHaveHoles(): boolean {
    return this.roomEnd > 0 && !this.isSynced;
  }

  /** Whether it is still where its name says. */
  get isInPlace(): boolean {
    return this.file.isAt(this.path);
  }

  /** What a successor says of it. */
  asPrevious(): Previous {
    return { sequence: this.entry.sequence, ...this.extent };
  }

  /** The same of what is known to be safe. */
  safePart(): Previous {
    const { sequence } = this.entry;
    return { sequence, size: this.syncedBytes, sum: this.syncedSum };
  }

  /**
   * Adds a block and the line that closes it.
   * @param isAhead syncs follow each other: room is kept behind the contents, and the block written over it
   * @throws Error: the file ends where it did before, or is dead
   */
  append(block: ClosableBlock, isAhead = false): void {
    const isShort = block.size + CRC_LINE_MAX_BYTES < this.disk.roomBytes;
    const isOverRoom = isAhead && isShort && this.hasPlace();
    const { bytes, next } = this.closed(block, isOverRoom ? ROOM_BEGINS : "");
    if (isOverRoom) this.writeOver(bytes);
    else this.write(bytes);
    this.extent = next;
    this.cached.follow(bytes.length, this.syncedBytes);
  }

  /** The same off this thread; nothing else may be added meanwhile. */
  async appendLater(block: ClosableBlock): Promise<void> {
    const { bytes, next } = this.closed(block, "");
    await this.inTheBackground(async () => {
      try {
        this.cutRoom();
        await this.file.appendLater(bytes);
        this.extent = next;
      } catch (error) {
        this.cutBack();
        throw error;
      }
    });
  }

  /** @returns a block with the line that closes it and what stands behind that, and what the file is when it has both */
  private closed(block: ClosableBlock, behind: string): { bytes: Uint8Array; next: Extent } {
    const { size } = this.extent;
    const sum = addToSum(this.extent.sum, block.view());
    const begin = block.size;
    const memory = block.withRoom(CRC_LINE_MAX_BYTES + behind.length);
    const end = writeCrcLine(memory, begin, sum, size + begin);
    const written = behind === "" ? 0 : memory.write(behind, end, "latin1");
    return {
      bytes: memory.subarray(0, end + written),
      next: { size: size + end, sum: addToSum(sum, memory.subarray(begin, end)) },
    };
  }

  /** Adds bytes that are closed blocks. @throws Error as `append` */
  appendClosed(bytes: Uint8Array): void {
    const { size, sum } = this.extent;
    this.write(bytes);
    this.extent = { size: size + bytes.length, sum: addToSum(sum, bytes) };
  }

  /** The first line of a file that follows another. @throws Error as `append` */
  follow(previous: Previous): void {
    this.appendClosed(Buffer.from(previousLine(previous)));
  }

  private write(bytes: Uint8Array): void {
    try {
      this.cutRoom();
      this.file.append(bytes);
    } catch (error) {
      this.cutBack();
      throw error;
    }
  }

  /** Whether there is a `place`. What lies under the name by now may be another file. */
  private hasPlace(): boolean {
    try {
      if (this.place === undefined && this.isInPlace)
        this.place = this.disk.open(this.path, "change");
    } catch {
      // Then it is appended.
    }
    return this.place !== undefined;
  }

  /** Writes a block, and more room if there was not enough. */
  private writeOver(bytes: Uint8Array): void {
    const begin = this.extent.size + bytes.length;
    try {
      this.place!.writeAt(bytes, this.extent.size);
    } catch (error) {
      this.cutBack();
      throw error;
    }
    // What is left has its last line feed.
    if (begin < this.roomEnd) return;
    const room = roomAt(begin, this.disk.roomBytes);
    this.roomEnd = begin + room.length;
    try {
      this.place!.writeAt(room, begin);
    } catch {
      // On a full disk, say: the block is there, and the next one shall see.
    }
  }

  /** What is added without room must not come behind it. */
  private cutRoom(): void {
    if (this.roomEnd === 0) return;
    this.file.truncate(this.extent.size);
    this.roomEnd = 0;
  }

  /** A part of a block may be there. */
  private cutBack(): void {
    try {
      this.file.truncate(this.extent.size);
      this.roomEnd = 0;
    } catch {
      this.isDead = true;
    }
  }

  /**
   * @param isAlone false: another one of this log's is under way, so that this one counts for nothing. Of an error the kernel tells one of
   * two syncs of a file, and the other that all is well
   * @throws Error: the file is dead
   */
  sync(isAlone = true): void {
    const extent = this.extent;
    try {
      this.file.sync();
      if (isAlone) this.covered(extent);
    } catch (error) {
      this.isDead = true;
      throw error;
    }
  }

  /** The same off this thread. */
  async syncLater(): Promise<void> {
    const extent = this.extent;
    await this.inTheBackground(async () => {
      try {
        await this.file.syncLater();
        this.covered(extent);
      } catch (error) {
        this.isDead = true;
        throw error;
      }
    });
  }

  /** A sync has ended well. @throws Error if the file is dead by then: its word counts for nothing */
  private covered({ size, sum }: Extent): void {
    if (this.isDead) throw Object.assign(new Error("the file is dead"), { code: "EIO" });
    this.syncedBytes = size;
    this.syncedSum = sum;
  }

  /** Cuts off what no sync has covered, as far as the disk lets us: a successor has it. */
  cutUnsafe(): void {
    try {
      this.file.truncate(this.syncedBytes);
      this.roomEnd = 0;
    } catch {
      // Whoever loads the set goes by what the successor says.
    }
  }

  private async inTheBackground(work: () => Promise<void>): Promise<void> {
    this.inFlight++;
    try {
      await work();
    } finally {
      this.inFlight--;
      if (this.isClosing) this.close();
    }
  }

  /** At once, or when what is off the thread has ended. What a failing disk says to that, it has said to a sync. */
  close(): void {
    this.isClosing = true;
    if (this.inFlight > 0) return;
    try {
      if (!this.mayHaveHoles) this.cutRoom();
    } catch {}
    try {
      this.place?.close();
      this.file.close();
    } catch {}
  }
}

/** A block on its way to a file, which closes it there. */
export interface ClosableBlock {
  /** Bytes without the closing line. */
  readonly size: number;
  view(): Uint8Array;
  /** @returns memory that begins with the bytes and has room for so many others behind them, which are no part of the block */
  withRoom(bytes: number): Buffer;
}

/** Bytes that are a block. */
export function closable(bytes: Uint8Array): ClosableBlock {
  return {
    size: bytes.length,
    view: () => bytes,
    withRoom: (room) => Buffer.concat([bytes, Buffer.alloc(room)]),
  };
}
