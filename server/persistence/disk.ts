/**
 * The file system as persistence uses it. Tests put another in its place: one that fails, or one that forgets at a power loss
 * what no sync covered. What goes wrong is thrown, as Node's errors with a `code`.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  write,
  writeSync,
} from "node:fs";
import { rename as renameOff, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { FileSink } from "bun";
import { dropCached } from "../process/page-cache.ts";
import { lockDirectory } from "./aof/lock.ts";
import { ROOM_MAX_BYTES } from "./aof/room.ts";
import { SyncThread } from "./sync-thread.ts";

export interface Disk {
  /** What a log under `always` keeps behind its contents, ROOM_MAX_BYTES at most. */
  readonly roomBytes: number;
  exists(path: string): boolean;
  /** In bytes. */
  size(path: string): number;
  /** Names in a directory. */
  list(dir: string): string[];
  /** With what is above it, if it is not there. */
  makeDirectory(path: string): void;
  /** Takes a directory for this server. @returns what gives it back. @throws AofError if a living server has it */
  lock(path: string): () => void;
  rename(from: string, to: string): void;
  /** The same off this thread. */
  renameLater(from: string, to: string): Promise<void>;
  /** Nothing if it is not there. */
  remove(path: string): void;
  /** The same off this thread: a large file takes milliseconds. */
  removeLater(path: string): Promise<void>;
  open(path: string, how: OpenFor): DiskFile;
  /** Makes what was made, renamed and removed in a directory safe. */
  syncDirectory(path: string): void;
  /** The same off this thread. */
  syncDirectoryLater(path: string): Promise<void>;
}

/** `append`: at the end, made if missing. `create`: empty. `read`, `change`: as it is. */
export type OpenFor = "append" | "create" | "read" | "change";

export interface DiskFile {
  /** In bytes. */
  size(): number;
  /** Whether `path` leads to this file, as far as can be seen. */
  isAt(path: string): boolean;
  /** Adds all of it at the end of a file opened for `append`, or throws: then a part of it may be there. */
  append(bytes: Uint8Array): void;
  /** The same off this thread; the bytes must stay as they are until then, and nothing else be added. */
  appendLater(bytes: Uint8Array): Promise<void>;
  writeAt(bytes: Uint8Array, position: number): void;
  /** The same off this thread; the bytes must stay as they are until then. */
  writeLater(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads up to `length` bytes to `into` from `at` on. @returns how many; 0 = the end */
  read(into: Uint8Array, at: number, length: number, position: number): number;
  truncate(size: number): void;
  /** Makes its bytes safe. */
  sync(): void;
  /** The same off this thread. */
  syncLater(): Promise<void>;
  /** The system need not keep these bytes in memory: a sync has covered them. */
  dropCached(begin: number, length: number): void;
  close(): void;
}

const FLAGS: Record<OpenFor, string> = { append: "a", create: "w", read: "r", change: "r+" };

/** The writer copies what it is given: a longer block is written as it lies (24 us against 46 for 88 KiB). */
const SINK_MAX_BYTES = 8192;

/** Of all servers in this process. */
const SYNC_THREAD = new SyncThread();

class RealFile implements DiskFile {
  private sink: FileSink | undefined;

  constructor(private readonly fd: number) {}

  size(): number {
    return fstatSync(this.fd).size;
  }

  isAt(path: string): boolean {
    try {
      const there = statSync(path);
      const here = fstatSync(this.fd);
      return there.ino === here.ino && there.dev === here.dev;
    } catch (error) {
      // What may not be looked at need not have gone.
      const { code } = error as { code?: string };
      return code !== "ENOENT" && code !== "ENOTDIR";
    }
  }

  /**
   * Bun's writer is the cheapest way to add a short block, if every result is checked: one that failed may lose bytes silently and
   * stay dead. So it is written and flushed in one stretch, and dropped if it does not answer with the right count.
   */
  append(bytes: Uint8Array): void {
    if (bytes.length > SINK_MAX_BYTES) return this.appendNow(bytes);
    let sink = this.sink;
    this.sink = undefined;
    sink ??= Bun.file(this.fd).writer();
    const written: unknown = sink.write(bytes);
    const flushed: unknown = sink.flush();
    if (written === bytes.length && typeof flushed === "number") {
      this.sink = sink;
      return;
    }
    // The rejection would tell the cause too late; writing once more tells it now, and the caller cuts what that adds.
    if (written instanceof Promise) written.catch(() => {});
    if (flushed instanceof Promise) flushed.catch(() => {});
    writeSync(this.fd, bytes);
    throw Object.assign(new Error("a write came up short"), { code: "EIO" });
  }

  private appendNow(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.fd, bytes, done, bytes.length - done);
  }

  writeAt(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.fd, bytes, done, bytes.length - done, position + done);
  }

  async appendLater(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) done += await this.writeSome(bytes, done, null);
  }

  async writeLater(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; )
      done += await this.writeSome(bytes, done, position + done);
  }

  /** Where the kernel stands if `position` is null. */
  private writeSome(bytes: Uint8Array, done: number, position: number | null): Promise<number> {
    return new Promise((resolve, reject) =>
      write(this.fd, bytes, done, bytes.length - done, position, (error, count) =>
        error ? reject(error) : resolve(count),
      ),
    );
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    return readSync(this.fd, into, at, length, position);
  }

  truncate(size: number): void {
    ftruncateSync(this.fd, size);
  }

  sync(): void {
    fdatasyncSync(this.fd);
  }

  syncLater(): Promise<void> {
    return SYNC_THREAD.sync(this.fd);
  }

  dropCached(begin: number, length: number): void {
    dropCached(this.fd, begin, length);
  }

  close(): void {
    closeSync(this.fd);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export const REAL_DISK: Disk = {
  roomBytes: ROOM_MAX_BYTES,
  exists: existsSync,
  size: (path) => statSync(path).size,
  list: (dir) => readdirSync(dir),
  makeDirectory(path) {
    const first = mkdirSync(path, { recursive: true });
    if (first !== undefined) syncDirectory(dirname(first));
  },
  lock: lockDirectory,
  rename: renameSync,
  renameLater: (from, to) => renameOff(from, to),
  remove: (path) => rmSync(path, { force: true }),
  removeLater: (path) => rm(path, { force: true }),
  open: (path, how) => new RealFile(openSync(path, FLAGS[how])),
  syncDirectory,
  syncDirectoryLater(path) {
    const fd = openSync(path, "r");
    return new Promise((resolve, reject) =>
      fsync(fd, (error) => {
        closeSync(fd);
        if (error) reject(error);
        else resolve();
      }),
    );
  },
};

/** All bytes of a file. */
export function readWhole(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    let read = 0;
    while (read < bytes.length) {
      const count = file.read(bytes, read, bytes.length - read, read);
      if (count === 0) break;
      read += count;
    }
    return bytes.subarray(0, read);
  } finally {
    file.close();
  }
}
