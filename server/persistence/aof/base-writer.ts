/**
 * Writes the base of a rewrite: gathers what the snapshot's stream gives into chunks that other threads write, so that neither slices nor
 * commands wait for the disk. Only when too much is under way does it write in place: memory stays bounded.
 *
 * A failure is kept until `finish`; until then what comes is dropped.
 */
import type { Disk, DiskFile } from "../disk.ts";
import { addToSum, BASE_LINE, crcLine, timestampLine } from "./annotations.ts";
import { CachedPart } from "./cached-part.ts";

const CHUNK_BYTES = 512 << 10;
/** Slices pause while so many chunks are being written, ... */
const CROWDED_CHUNKS = 4;
/** ... and what commands add is written in place. */
const MAX_CHUNKS = 16;
/** A #CRC line stands behind so many bytes, at the end of a command. */
const ANNOTATED_BYTES = 256 << 10;
/** What the kernel has gathered is handed to the disk now and then, so that the sync at the end is short (Redis's measure). */
const SYNCED_BYTES = 4 << 20;

export interface BaseWriterOptions {
  disk: Disk;
  path: string;
  /** aof-rewrite-incremental-fsync */
  syncsOnTheWay: boolean;
  /** Slices may go on, or there is a failure. */
  onRoom: () => void;
}

export class BaseWriter {
  /** The first failure. */
  error: unknown;
  /** Bytes so far. */
  size = 0;
  private sum = 0;
  private readonly file: DiskFile;
  private readonly cached: CachedPart;
  private chunk: Uint8Array | null = null;
  private filled = 0;
  private annotatedAt = 0;
  /** Bytes that were given to writes or written. */
  private sent = 0;
  /** Of those, when the last sync was asked for. */
  private askedBytes = 0;
  /** All bytes before that are safe. */
  private syncedBytes = 0;
  private syncing: Promise<void> | null = null;
  private isClosed = false;
  private readonly spare: Uint8Array[] = [];
  /** Those under way, and where in the file; in its order. */
  private readonly writes = new Map<Promise<void>, number>();

  /** @throws Error if the file cannot be made */
  constructor(private readonly options: BaseWriterOptions) {
    this.file = options.disk.open(options.path, "create");
    this.cached = new CachedPart(this.file, 0);
    this.add(Buffer.from(BASE_LINE));
  }

  /** Says when the snapshot was taken, so that the log can be cut at a time. Nothing of it is written yet. */
  date(seconds: number): void {
    this.add(Buffer.from(timestampLine(seconds)));
  }

  get isCrowded(): boolean {
    return this.writes.size >= CROWDED_CHUNKS;
  }

  /** Takes a copy. May stand in the middle of a command. */
  add(bytes: Uint8Array): void {
    if (this.error !== undefined) return;
    this.sum = addToSum(this.sum, bytes);
    this.size += bytes.length;
    for (let taken = 0; taken < bytes.length; ) {
      this.chunk ??= this.spare.pop() ?? new Uint8Array(CHUNK_BYTES);
      const count = Math.min(bytes.length - taken, CHUNK_BYTES - this.filled);
      this.chunk.set(bytes.subarray(taken, taken + count), this.filled);
      this.filled += count;
      taken += count;
      if (this.filled === CHUNK_BYTES) this.send();
    }
  }

  /** A command has ended. */
  mark(): void {
    if (this.size - this.annotatedAt >= ANNOTATED_BYTES) this.annotate();
  }

  private annotate(): void {
    this.add(Buffer.from(crcLine(this.sum, this.size)));
    this.annotatedAt = this.size;
  }

  private send(): void {
    const { chunk, filled, sent } = this;
    if (chunk === null || filled === 0) return;
    this.chunk = null;
    this.filled = 0;
    this.sent += filled;
    const bytes = chunk.subarray(0, filled);
    if (this.writes.size >= MAX_CHUNKS) {
      this.writeInPlace(bytes, sent);
      this.spare.push(chunk);
      return;
    }
    const writing: Promise<void> = this.file.writeLater(bytes, sent).then(
      () => this.written(writing, chunk),
      (error) => this.failed(writing, error),
    );
    this.writes.set(writing, sent);
  }

  private writeInPlace(bytes: Uint8Array, position: number): void {
    try {
      this.file.writeAt(bytes, position);
    } catch (error) {
      this.error ??= error;
    }
  }

  private written(writing: Promise<void>, chunk: Uint8Array): void {
    this.writes.delete(writing);
    if (this.spare.length < CROWDED_CHUNKS) this.spare.push(chunk);
    this.syncOnTheWay();
    this.cached.follow(CHUNK_BYTES, this.syncedBytes);
    this.options.onRoom();
  }

  private failed(writing: Promise<void> | null, error: unknown): void {
    if (writing !== null) this.writes.delete(writing);
    this.error ??= error;
    this.options.onRoom();
  }

  private syncOnTheWay(): void {
    if (!this.options.syncsOnTheWay || this.syncing !== null || this.error !== undefined) return;
    if (this.sent - this.askedBytes < SYNCED_BYTES) return;
    this.askedBytes = this.sent;
    const [whole = this.sent] = this.writes.values();
    this.syncing = this.file
      .syncLater()
      .then(() => {
        this.syncedBytes = whole;
      })
      .catch((error) => this.failed(null, error))
      .finally(() => {
        this.syncing = null;
      });
  }

  /** Writes the rest, syncs and closes. @throws the first failure */
  async finish(): Promise<void> {
    this.annotate();
    this.send();
    await this.settle();
    if (this.error === undefined) await this.file.syncLater();
    if (this.error !== undefined) throw this.error;
    this.close();
  }

  /** Gives the file up and deletes it. */
  async discard(): Promise<void> {
    this.error ??= new Error("given up");
    await this.settle();
    this.close();
    await this.options.disk.removeLater(this.options.path);
  }

  private close(): void {
    if (!this.isClosed) this.file.close();
    this.isClosed = true;
  }

  private async settle(): Promise<void> {
    while (this.writes.size > 0 || this.syncing !== null)
      await Promise.all([...this.writes.keys(), this.syncing]);
  }
}
