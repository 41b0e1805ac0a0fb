/**
 * A thread of our own for syncs that follow each other closely, as under `appendfsync always`. Bun's pool wakes several of its threads for each
 * call: a write and its sync take 92 us of CPU with it, 74 with a thread that waits for nothing else, 66 on the thread that asks (a disk that
 * takes 150 us). It takes 6 MB, so it is begun when syncs have come closely for a while; until it is there, and beside
 * another sync, the pool does them.
 */
import { fdatasync } from "node:fs";

/** Words of the memory that both threads see. */
export enum Cell {
  /** Syncs that were asked for: who waits for it to change is woken. */
  Asked,
  /** The file that the last one is of. */
  Fd,
}
const CELLS = 2;

/** What the thread says of a sync, and once when it is there: null = it went well. */
export type SyncResult = { code: string; message: string } | null;

/** Syncs with less between them come closely, ... */
const CLOSE_MS = 20;
/** ... and after so many of them in a row the thread is worth its memory. */
const CLOSE_SYNCS = 64;

/** The thread's file in the single-file executable, as build.ts names it from the folder of the first one. */
const IN_EXECUTABLE = import.meta.url.includes("/$bunfs/")
  ? "./persistence/sync-worker.ts"
  : undefined;

export class SyncThread {
  private readonly cells = new Int32Array(
    new SharedArrayBuffer(CELLS * Int32Array.BYTES_PER_ELEMENT),
  );
  private worker: Worker | undefined;
  private state: "none" | "beginning" | "there" | "broken" = "none";
  private waiting: { resolve: () => void; reject: (error: Error) => void } | null = null;
  private lastMs = Number.NEGATIVE_INFINITY;
  private closeSyncs = 0;

  /** Whether the next sync, if it comes soon, is its. */
  get isThere(): boolean {
    return this.state === "there" && this.waiting === null;
  }

  /** Syncs a file off the thread that asks. @throws what Node throws, with its `code` */
  sync(fd: number): Promise<void> {
    if (!this.comesClosely()) return syncInPool(fd);
    if (this.state === "none") this.begin();
    if (!this.isThere) return syncInPool(fd);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      // Only while something is asked of it does it keep the process from ending.
      this.worker!.ref();
      Atomics.store(this.cells, Cell.Fd, fd);
      Atomics.add(this.cells, Cell.Asked, 1);
      Atomics.notify(this.cells, Cell.Asked);
    });
  }

  private comesClosely(): boolean {
    const now = performance.now();
    this.closeSyncs = now - this.lastMs < CLOSE_MS ? this.closeSyncs + 1 : 0;
    this.lastMs = now;
    return this.closeSyncs >= CLOSE_SYNCS;
  }

  private begin(): void {
    this.state = "beginning";
    try {
      this.worker = this.open();
    } catch (error) {
      this.broke((error as Error).message);
    }
  }

  /** Where its file is not to be had, as in the bundle of an embedder, that is heard as an error, and the pool goes on. */
  private open(): Worker {
    const worker = new Worker(IN_EXECUTABLE ?? new URL("./sync-worker.ts", import.meta.url).href);
    worker.unref();
    worker.onmessage = ({ data }: MessageEvent<SyncResult>) => this.heard(data);
    worker.onerror = (event) => this.broke(event.message);
    worker.addEventListener("close", () => this.broke("it has ended"));
    worker.postMessage(this.cells.buffer);
    return worker;
  }

  private heard(result: SyncResult): void {
    this.state = "there";
    const { waiting } = this;
    if (waiting === null) return;
    this.waiting = null;
    this.worker!.unref();
    if (result === null) waiting.resolve();
    else waiting.reject(Object.assign(new Error(result.message), { code: result.code }));
  }

  /** What it was to sync counts as not synced. */
  private broke(cause: string): void {
    this.state = "broken";
    const error = Object.assign(new Error(`the thread for syncs: ${cause}`), { code: "EIO" });
    this.waiting?.reject(error);
    this.waiting = null;
  }
}

function syncInPool(fd: number): Promise<void> {
  return new Promise((resolve, reject) =>
    fdatasync(fd, (error) => (error ? reject(error) : resolve())),
  );
}
