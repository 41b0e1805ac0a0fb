/**
 * The append-only log: one block of closed units per event-loop turn, written before the replies it covers, synced by policy.
 *
 * A block that cannot be written is kept, memory having executed it, and tried again every 100 ms before anything newer; writes are
 * refused meanwhile. A file whose sync failed is never synced again: what no sync covered goes to a fresh incremental file.
 */
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Clock, PersistenceView } from "../../commands/context.ts";
import type { CoreMemory } from "../../core/memory.ts";
import type { LatencyEvent } from "../../observability/latency.ts";
import type { LogLevel } from "../../observability/log.ts";
import { Block } from "./block.ts";
import { AofError } from "./errors.ts";
import { WritableLogFile } from "./file.ts";
import { loadFile, type ReplayTarget } from "./loader.ts";
import { lockDirectory } from "./lock.ts";
import { type LogFile, readManifest, syncDirectory, writeManifest } from "./manifest.ts";

export type SyncPolicy = "always" | "everysec" | "no";

const RETRY_MS = 100;
const SYNC_PERIOD_MS = 1000;
/** A write waits this long at most for a sync in flight that it would block behind. */
const POSTPONE_MAX_MS = 2000;
/** Under `always` replies that cannot be covered are held this long, then their connections are closed. */
const HOLD_MAX_MS = 5000;
/** Unsynced bytes kept so that they can be written anew after a failed sync. */
const UNSYNCED_MAX_BYTES = 64 << 20;
const RDB_MAGIC = "REDIS";

export interface AppendLog extends PersistenceView {
  /** The point that covers what is written from here on: `isSynced` answers by it. Never goes back. */
  readonly point: number;
  /** A canonical frame of the input window that changed something, executed in `db`. */
  frame(db: number, ptr: number, length: number): void;
  /** One command: `name` (null: it is the first pair) and `count` pairs (u32 ptr, u32 length) at pairsPtr; copied at once. */
  words(db: number, name: Uint8Array | null, pairsPtr: number, count: number): void;
  /** What follows is one unit, up to `endUnit`: all of it is in the log, or nothing. No turn ends in between. */
  beginUnit(): void;
  endUnit(): void;
  /** The input window is about to be reused. */
  settle(): void;
  /** Writes the turn's block. @returns whether replies may leave; after "hold" `onRelease` follows */
  endTurn(): "send" | "hold";
  onRelease: (verdict: "send" | "close") => void;
  /** Told when `refusal` begins to answer a text, and when it ends. */
  onRefusal: (refused: boolean) => void;
  /** Told when more is synced than before. */
  onSynced: () => void;
  /** Told how long writes and syncs took, in ms. */
  onTimed: (event: LatencyEvent, ms: number) => void;
  setPolicy(policy: SyncPolicy): void;
  /** Writes the block at once. @returns false = it could not be written */
  flush(): boolean;
  /** Writes nothing any more, whatever is still called: memory is not trusted. */
  abandon(): void;
  /** Writes what is left, syncs, gives the directory back. */
  close(): Promise<void>;
}

/** Where the files are, and where they are replayed. */
export interface LoadSource {
  dir: string;
  appendDirName: string;
  appendFileName: string;
  loadTruncated: boolean;
  target: ReplayTarget;
  log: (level: LogLevel, text: string) => void;
}

export interface LogOptions extends LoadSource {
  policy: SyncPolicy;
  memory: CoreMemory;
  clock: Clock;
}

/** Loads the log of a directory and opens it for appending. @throws AofError if it is damaged or another server has it */
export async function openAppendLog(options: LogOptions): Promise<AppendLog> {
  const unlock = lockDirectory(options.dir);
  try {
    mkdirSync(join(options.dir, options.appendDirName), { recursive: true });
    const steps = load(options);
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) await new Promise(setImmediate);
    const files = step.value;
    const first: LogFile = {
      name: `${options.appendFileName}.1.incr.aof`,
      sequence: 1,
      type: "i",
    };
    return new Log(options, files.length > 0 ? files : [first], unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Replays the files that are there, in one go. @returns whether there were any. @throws AofError */
export function replayFiles(source: LoadSource): boolean {
  const steps = load(source);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value.length > 0;
}

function manifestName(options: LoadSource): string {
  return `${options.appendFileName}.manifest`;
}

/** Replays base and incremental files in order, in steps. @returns the manifest's files */
function* load(options: LoadSource): Generator<void, LogFile[]> {
  const { dir, appendDirName, target } = options;
  const logDir = join(dir, appendDirName);
  adoptSingleFile(options, logDir);
  const files = readManifest(logDir, manifestName(options)).filter((file) => file.type !== "h");
  const order = [
    ...files.filter((file) => file.type === "b"),
    ...files.filter((file) => file.type === "i"),
  ];
  for (const [index, file] of order.entries()) {
    const path = join(logDir, file.name);
    if (!existsSync(path))
      throw new AofError(`The append only file ${path}, named by the manifest, is missing`);
    refuseRdb(path);
    target.select(0);
    const isLast = index === order.length - 1;
    yield* loadFile(path, {
      target,
      mayCut: isLast && options.loadTruncated,
      warn: (text) => options.log("warning", text),
    });
  }
  return files;
}

/** The one file of Redis before 7 becomes the base. */
function adoptSingleFile(options: LoadSource, logDir: string): void {
  const old = join(options.dir, options.appendFileName);
  if (existsSync(join(logDir, manifestName(options))) || !existsSync(old)) return;
  refuseRdb(old);
  const name = options.appendFileName;
  mkdirSync(logDir, { recursive: true });
  writeManifest(logDir, manifestName(options), [{ name, sequence: 1, type: "b" }]);
  renameSync(old, join(logDir, name));
  syncDirectory(logDir);
}

function refuseRdb(path: string): void {
  const magic = Buffer.alloc(RDB_MAGIC.length);
  const fd = openSync(path, "r");
  readSync(fd, magic, 0, magic.length, 0);
  closeSync(fd);
  if (magic.toString("latin1") === RDB_MAGIC)
    throw new AofError(
      `${path} is in RDB format, which is not supported yet: rewrite it on the other server with aof-use-rdb-preamble no`,
    );
}

class Log implements AppendLog {
  onRelease: (verdict: "send" | "close") => void = () => {};
  onRefusal: (refused: boolean) => void = () => {};
  onSynced: () => void = () => {};
  onTimed: (event: LatencyEvent, ms: number) => void = () => {};
  readonly isLogging = true;
  /** Counts blocks: that of the one which is being filled. */
  point = 1;
  private syncedPoint = 0;
  private readonly block: Block;
  private readonly logDir: string;
  private file: WritableLogFile;
  private policy: SyncPolicy;
  private failure: string | undefined;
  private retry: Timer | undefined;
  private abandoned = false;
  private heldSinceMs = 0;
  private readonly syncTimer: Timer;
  private syncing = false;
  private syncFailed = false;
  private syncedBytes: number;
  private postponedSinceMs = 0;
  private delayedSyncs = 0;
  /** Copies of what no sync covers yet; null once it outgrew its limit. */
  private unsynced: Uint8Array[] | null = [];
  private unsyncedBytes = 0;
  private readonly startBytes: number;

  constructor(
    private readonly options: LogOptions,
    private files: LogFile[],
    private readonly unlock: () => void,
  ) {
    this.logDir = join(options.dir, options.appendDirName);
    this.policy = options.policy;
    this.block = new Block(options.memory);
    if (!files.some((file) => file.type === "i")) this.files = [...files, this.nextFile()];
    this.file = new WritableLogFile(join(this.logDir, this.files.at(-1)!.name));
    writeManifest(this.logDir, manifestName(options), this.files);
    this.syncedBytes = this.file.size;
    this.startBytes = this.file.size;
    this.syncTimer = setInterval(() => this.syncSoon(), SYNC_PERIOD_MS);
  }

  private nextFile(): LogFile {
    const sequence =
      1 + Math.max(0, ...this.files.filter((f) => f.type === "i").map((f) => f.sequence));
    return { name: `${this.options.appendFileName}.${sequence}.incr.aof`, sequence, type: "i" };
  }

  frame(db: number, ptr: number, length: number): void {
    this.block.frame(db, ptr, length);
  }

  words(db: number, name: Uint8Array | null, pairsPtr: number, count: number): void {
    this.block.words(db, name, pairsPtr, count);
  }

  beginUnit(): void {
    this.block.beginUnit();
  }

  endUnit(): void {
    this.block.endUnit();
  }

  settle(): void {
    this.block.settle();
  }

  refusal(): string | undefined {
    if (this.failure === undefined) return undefined;
    return `MISCONF Errors writing to the AOF file: ${this.failure}`;
  }

  isSynced(point: number): boolean {
    return point <= this.syncedPoint;
  }

  setPolicy(policy: SyncPolicy): void {
    this.policy = policy;
  }

  endTurn(): "send" | "hold" {
    if (this.block.isEmpty && this.failure === undefined) return "send";
    const now = this.options.clock.nowMs();
    if (this.mustPostpone(now)) return "send";
    if (this.failure === undefined && this.writeBlock()) return "send";
    if (this.policy !== "always") return "send";
    if (this.heldSinceMs === 0) this.heldSinceMs = now;
    return "hold";
  }

  /** A write behind a running sync would block this thread: it waits, as in Redis. */
  private mustPostpone(now: number): boolean {
    if (!this.syncing || this.policy !== "everysec") return false;
    if (this.postponedSinceMs === 0) {
      this.postponedSinceMs = now;
      return true;
    }
    if (now - this.postponedSinceMs < POSTPONE_MAX_MS) return true;
    this.delayedSyncs++;
    return false;
  }

  flush(): boolean {
    return this.failure === undefined && this.writeBlock();
  }

  /** Writes the block and, under `always`, syncs it. @returns whether both went well */
  private writeBlock(): boolean {
    if (this.abandoned) return false;
    this.postponedSinceMs = 0;
    const view = this.block.view();
    if (view.length > 0) {
      const event = this.syncing ? "aof-write-pending-fsync" : "aof-write-alone";
      const cause = this.timed(event, () => this.timed("aof-write", () => this.file.write(view)));
      if (cause !== undefined) return this.fail(cause);
      this.remember(view);
      this.block.clear();
      this.point++;
    }
    return this.policy !== "always" || this.syncNow();
  }

  private timed<T>(event: LatencyEvent, work: () => T): T {
    const startMs = performance.now();
    const result = work();
    this.onTimed(event, performance.now() - startMs);
    return result;
  }

  private remember(view: Uint8Array): void {
    if (this.policy === "no") return;
    this.unsyncedBytes += view.length;
    if (this.unsyncedBytes > UNSYNCED_MAX_BYTES) this.unsynced = null;
    this.unsynced?.push(view.slice());
  }

  private synced(): void {
    this.syncedBytes = this.file.size;
    this.unsynced = [];
    this.unsyncedBytes = 0;
    // What follows must be readable on its own, should it have to go to a fresh file.
    this.block.forgetDb();
    this.coverUpTo(this.point - 1);
  }

  private coverUpTo(point: number): void {
    if (point <= this.syncedPoint) return;
    this.syncedPoint = point;
    this.onSynced();
  }

  private syncNow(): boolean {
    if (this.syncFailed) return this.startAnew();
    try {
      this.timed("aof-fsync-always", () => this.file.sync());
      this.synced();
      return true;
    } catch (error) {
      this.syncFailed = true;
      return this.fail((error as Error).message);
    }
  }

  /** everysec: a sync off this thread, one at a time. */
  private syncSoon(): void {
    if (this.policy !== "everysec" || this.syncing || this.failure !== undefined) return;
    if (this.syncedBytes === this.file.size) return;
    this.syncing = true;
    const covered = this.file.size;
    const coveredPoint = this.point - 1;
    const { file } = this;
    file.syncLater((error) => {
      this.syncing = false;
      if (error !== null) {
        this.syncFailed = true;
        this.fail(error.message);
        return;
      }
      if (file === this.file && covered === file.size) this.synced();
      else {
        this.syncedBytes = covered;
        this.coverUpTo(coveredPoint);
      }
      if (!this.block.isEmpty) this.writeBlock();
    });
  }

  private fail(cause: string): boolean {
    if (this.failure === undefined)
      this.options.log(
        "warning",
        `Error writing to the AOF file: ${cause}. Writes are refused until it is healed.`,
      );
    this.failure = cause;
    this.onRefusal(true);
    this.retry ??= setInterval(() => this.tryAgain(), RETRY_MS);
    return false;
  }

  private tryAgain(): void {
    const now = this.options.clock.nowMs();
    if (this.heldSinceMs !== 0 && now - this.heldSinceMs > HOLD_MAX_MS) {
      this.heldSinceMs = 0;
      this.onRelease("close");
    }
    const healed = (!this.syncFailed || this.startAnew()) && this.writeBlock();
    if (!healed) return;
    clearInterval(this.retry);
    this.retry = undefined;
    this.failure = undefined;
    this.onRefusal(false);
    this.heldSinceMs = 0;
    this.options.log("warning", "The AOF file can be written again: writes are served.");
    this.onRelease("send");
  }

  /** After a failed sync: what it may have lost goes to a fresh file, which is synced and named by the manifest. */
  private startAnew(): boolean {
    if (this.unsynced === null)
      return this.fail(
        "a sync failed with more than 64 MiB not covered: a rewrite of the log is needed",
      );
    const next = this.nextFile();
    try {
      const file = new WritableLogFile(join(this.logDir, next.name));
      this.block.forgetDb();
      for (const part of this.unsynced) {
        const cause = file.write(part);
        if (cause !== undefined) return this.fail(cause);
      }
      file.sync();
      writeManifest(this.logDir, manifestName(this.options), [...this.files, next]);
      this.files = [...this.files, next];
      this.file.close();
      this.file = file;
      this.syncFailed = false;
      this.synced();
      return true;
    } catch (error) {
      return this.fail((error as Error).message);
    }
  }

  bufferBytes(): number {
    return this.block.size;
  }

  infoFields(): Record<string, string | number> {
    return {
      loading: 0,
      aof_enabled: 1,
      aof_rewrite_in_progress: 0,
      aof_last_write_status: this.failure === undefined ? "ok" : "err",
      aof_current_size: this.file.size,
      aof_base_size: this.startBytes,
      aof_pending_bio_fsync: this.syncing ? 1 : 0,
      aof_delayed_fsync: this.delayedSyncs,
      aof_buffer_length: this.block.size,
    };
  }

  abandon(): void {
    this.abandoned = true;
    clearInterval(this.syncTimer);
    clearInterval(this.retry);
  }

  async close(): Promise<void> {
    clearInterval(this.syncTimer);
    clearInterval(this.retry);
    this.policy = "always";
    if (!this.syncFailed) this.writeBlock();
    clearInterval(this.retry);
    this.file.close();
    this.unlock();
  }
}
