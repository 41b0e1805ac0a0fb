/**
 * The append-only log of one server (MECHANISMS 3): closed units gathered in a block per event-loop turn, written and synced by policy.
 *
 * A block that cannot be written is kept, memory having executed it, and tried again every 100 ms before anything newer; writes are
 * refused meanwhile. A file whose sync failed is never synced again: what no sync covered goes to a fresh incremental file, or, if
 * that was too much to be kept, a rewrite from memory must succeed first.
 */

import type { Clock } from "../../commands/context.ts";
import type { CoreMemory } from "../../core/memory.ts";
import type { PropagationLog } from "../../dispatch/effects.ts";
import type { LatencyEvent } from "../../observability/latency.ts";
import type { LogLevel } from "../../observability/log.ts";
import { timestampLine } from "./annotations.ts";
import { Block } from "./block.ts";
import { causeOf } from "./errors.ts";
import type { FileSet } from "./file-set.ts";
import { LogFile } from "./log-file.ts";
import { Unsynced } from "./unsynced.ts";

export type SyncPolicy = "always" | "everysec" | "no";

const RETRY_MS = 100;
const SYNC_PERIOD_MS = 1000;
/** A write waits this long at most for a sync in flight that it would block behind. */
const POSTPONE_MAX_MS = 2000;
/** Under `always` replies that cannot be covered are held this long, then their connections are closed. */
const HOLD_MAX_MS = 5000;

export interface LogOptions {
  memory: CoreMemory;
  clock: Clock;
  files: FileSet;
  log: (level: LogLevel, text: string) => void;
  /** appendfsync */
  policy: () => SyncPolicy;
  /** aof-timestamp-enabled */
  timestamps: () => boolean;
  /** no-appendfsync-on-rewrite, and a rewrite is under way */
  syncsRest: () => boolean;
  /** A turn must end soon, though no client may have sent anything. */
  wantTurn: () => void;
  /** Nothing but a rewrite from memory makes the log whole again. */
  wantRewrite: () => void;
  /** A fresh file follows the one with this sequence: later ones have gone. */
  restarted: (behind: number) => void;
}

export class Log implements PropagationLog {
  /** Replies that `endTurn` has held may leave, or never will. */
  onRelease: (verdict: "send" | "close") => void = () => {};
  /** Told when `refusal` begins to answer a text, and when it ends. */
  onRefusal: (refused: boolean) => void = () => {};
  /** Told when more is synced than before. */
  onSynced: () => void = () => {};
  /** Told how long writes and syncs took, in ms. */
  onTimed: (event: LatencyEvent, ms: number) => void = () => {};
  private syncedPoint: number;
  private readonly block: Block;
  /** What `current` follows, until a sync has covered it. */
  private previous: LogFile | null = null;
  private readonly unsynced = new Unsynced();
  private failure: string | undefined;
  private needsRewrite = false;
  private retry: Timer | undefined;
  private abandoned = false;
  private heldSinceMs = 0;
  private readonly syncTimer: Timer;
  private syncing = false;
  private postponedSinceMs = 0;
  private delayedSyncs = 0;
  private stampedSecond = 0;
  private switching: { next: LogFile; done: () => void } | null = null;

  constructor(
    private readonly options: LogOptions,
    private current: LogFile,
    /** The base that `current` follows is still being written: no manifest names it. */
    private isProvisional: boolean,
    /** Counts blocks: that of the one which is being filled. Never goes back. */
    public point: number,
  ) {
    this.syncedPoint = point - 1;
    this.block = new Block(options.memory);
    this.syncTimer = setInterval(() => this.eachSecond(), SYNC_PERIOD_MS);
  }

  // ---- what is to be written

  frame(db: number, ptr: number, length: number): void {
    this.stamp();
    this.block.frame(db, ptr, length);
  }

  words(db: number, name: Uint8Array | null, pairsPtr: number, count: number): void {
    this.stamp();
    this.block.words(db, name, pairsPtr, count);
  }

  beginUnit(): void {
    this.stamp();
    this.block.beginUnit();
  }

  endUnit(): void {
    this.block.endUnit();
  }

  settle(): void {
    this.block.settle();
  }

  /** The second in which the block begins, in front of it. */
  private stamp(): void {
    if (!this.block.isEmpty || !this.options.timestamps()) return;
    const second = Math.floor(this.options.clock.nowMs() / 1000);
    if (second === this.stampedSecond) return;
    this.stampedSecond = second;
    this.block.annotate(timestampLine(second));
  }

  refusal(): string | undefined {
    if (this.failure === undefined) return undefined;
    return `MISCONF Errors writing to the AOF file: ${this.failure}`;
  }

  isSynced(point: number): boolean {
    return point <= this.syncedPoint;
  }

  // ---- the end of a turn

  /** Writes the turn's block. @returns whether replies may leave; after "hold" `onRelease` follows */
  endTurn(): "send" | "hold" {
    if (this.block.isEmpty && this.failure === undefined) {
      this.switchFiles();
      return "send";
    }
    const now = this.options.clock.nowMs();
    if (this.mustPostpone(now)) return "send";
    if (this.failure === undefined && this.writeBlock()) {
      this.switchFiles();
      return "send";
    }
    if (this.options.policy() !== "always") return "send";
    if (this.heldSinceMs === 0) this.heldSinceMs = now;
    return "hold";
  }

  /** A write behind a running sync would block this thread: it waits, as in Redis. */
  private mustPostpone(now: number): boolean {
    if (!this.syncing || this.options.policy() !== "everysec") return false;
    if (this.postponedSinceMs === 0) {
      this.postponedSinceMs = now;
      return true;
    }
    if (now - this.postponedSinceMs < POSTPONE_MAX_MS) return true;
    this.delayedSyncs++;
    return false;
  }

  /** Writes the block and, under `always`, syncs it. @returns whether both went well */
  private writeBlock(): boolean {
    if (this.abandoned) return false;
    this.postponedSinceMs = 0;
    try {
      if (!this.block.isEmpty) {
        const event = this.syncing ? "aof-write-pending-fsync" : "aof-write-alone";
        this.timed(event, () => this.timed("aof-write", () => this.current.append(this.block)));
        if (this.options.policy() !== "no") this.unsynced.add(this.block.view());
        this.block.clear();
        this.point++;
      }
      if (this.options.policy() === "always" && !this.options.syncsRest()) this.syncNow();
      return true;
    } catch (error) {
      return this.fail(causeOf(error));
    }
  }

  /** Writes the block at once. @returns false = it could not be written */
  flush(): boolean {
    return this.failure === undefined && this.writeBlock();
  }

  private timed(event: LatencyEvent, work: () => void): void {
    const startMs = performance.now();
    work();
    this.onTimed(event, performance.now() - startMs);
  }

  // ---- syncs

  /** @throws Error: the file is dead */
  private syncNow(): void {
    this.timed("aof-fsync-always", () => {
      this.previous?.sync();
      this.dropPrevious();
      this.current.sync();
    });
    this.covered();
  }

  /** Everything written is safe. */
  private covered(): void {
    this.unsynced.clear();
    // What follows must be readable on its own, should it have to go to a fresh file.
    this.block.forgetDb();
    this.coverUpTo(this.point - 1);
  }

  private coverUpTo(point: number): void {
    if (point <= this.syncedPoint) return;
    this.syncedPoint = point;
    this.onSynced();
  }

  private dropPrevious(): void {
    this.previous?.close();
    this.previous = null;
  }

  private eachSecond(): void {
    if (this.failure !== undefined) return;
    if (!this.current.isInPlace) {
      this.needsRewrite = true;
      this.fail("No such file or directory");
      return;
    }
    if (this.options.policy() === "everysec" && !this.options.syncsRest()) void this.syncSoon();
  }

  /** A sync off this thread, one at a time: the file before first, so that a loss of power leaves no hole. */
  private async syncSoon(): Promise<void> {
    const { previous, current } = this;
    if (this.syncing || (previous === null && current.isSynced)) return;
    this.syncing = true;
    const point = this.point - 1;
    try {
      if (previous !== null) {
        await previous.syncLater();
        this.dropPrevious();
      }
      await current.syncLater();
      if (current === this.current && current.isSynced) this.covered();
      else this.coverUpTo(point);
    } catch (error) {
      this.fail(causeOf(error));
    } finally {
      this.syncing = false;
    }
    if (this.failure === undefined && !this.block.isEmpty) this.writeBlock();
    if (this.switching !== null) this.options.wantTurn();
  }

  // ---- failures

  private fail(cause: string): boolean {
    if (this.abandoned) return false;
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
    if (this.isDead && this.isProvisional) this.needsRewrite = true;
    else if (this.current.isInPlace && !this.isDead && !this.isProvisional)
      this.needsRewrite = false;
    if (this.needsRewrite) this.options.wantRewrite();
    else if ((!this.isDead || this.startAnew()) && this.writeBlock()) this.healed();
  }

  private get isDead(): boolean {
    return this.current.isDead || this.previous?.isDead === true;
  }

  private healed(): void {
    clearInterval(this.retry);
    this.retry = undefined;
    this.failure = undefined;
    this.needsRewrite = false;
    this.onRefusal(false);
    this.heldSinceMs = 0;
    this.options.log("warning", "The AOF file can be written again: writes are served.");
    this.onRelease("send");
    this.options.wantTurn();
  }

  /** What a dead file may have lost goes to a fresh one, which is synced and named by the manifest. */
  private startAnew(): boolean {
    const { files } = this.options;
    const lost = this.unsynced.join();
    if (lost === null) {
      this.needsRewrite = true;
      return this.fail("a sync failed with more than 64 MiB not covered: a rewrite is needed");
    }
    const dead = this.previous ?? this.current;
    const entry = files.nextIncremental();
    let fresh: LogFile | undefined;
    try {
      fresh = LogFile.create(files.disk, files.pathOf(entry), entry);
      fresh.follow(dead.safePart());
      if (lost.size > 0) fresh.append(lost);
      fresh.sync();
      // A file between the dead one and this is in it.
      const kept = files.files.filter(
        (file) => file.type !== "i" || file.sequence <= dead.entry.sequence,
      );
      files.replaceNow([...kept, entry]);
    } catch (error) {
      fresh?.close();
      return this.fail(causeOf(error));
    }
    this.options.restarted(dead.entry.sequence);
    dead.cutUnsafe();
    this.dropPrevious();
    this.current.close();
    this.current = fresh;
    this.covered();
    return true;
  }

  // ---- another file

  /** The next turn that ends with everything written ends this file, and `done` is called. No unit is open then. */
  switchTo(next: LogFile, done: () => void): void {
    this.switching = { next, done };
    this.options.wantTurn();
  }

  cancelSwitch(): void {
    this.switching = null;
  }

  private switchFiles(): void {
    const { switching } = this;
    // One file at a time may wait for its sync.
    if (switching === null || this.previous !== null || this.syncing) return;
    try {
      switching.next.follow(this.current.asPrevious());
    } catch (error) {
      this.fail(causeOf(error));
      return;
    }
    this.switching = null;
    if (this.options.policy() === "no") this.current.close();
    else this.previous = this.current;
    this.current = switching.next;
    this.block.forgetDb();
    switching.done();
  }

  /** Goes on in another file although this one cannot be written: what is in memory at this moment will be the new base. */
  replaceBy(next: LogFile): void {
    this.isProvisional = true;
    this.dropPrevious();
    this.current.close();
    this.current = next;
    this.block.clear();
    this.covered();
  }

  /** A new base holds everything up to the file that is written now: those before it are history. */
  rebased(): void {
    this.needsRewrite = false;
    this.isProvisional = false;
    this.dropPrevious();
    if (this.failure !== undefined && !this.isDead && this.writeBlock()) this.healed();
  }

  /** Nothing waits for a disk that does not take it. */
  get isWhole(): boolean {
    return this.failure === undefined;
  }

  /** Only a rewrite from memory helps. */
  get needsNewBase(): boolean {
    return this.needsRewrite || this.isProvisional;
  }

  get sequence(): number {
    return this.current.entry.sequence;
  }

  get size(): number {
    return this.current.size;
  }

  get bufferBytes(): number {
    return this.block.size;
  }

  get pendingSyncs(): number {
    return this.syncing ? 1 : 0;
  }

  get delayedWrites(): number {
    return this.delayedSyncs;
  }

  abandon(): void {
    this.abandoned = true;
    clearInterval(this.syncTimer);
    clearInterval(this.retry);
  }

  /** Writes what is left and syncs. */
  close(): void {
    clearInterval(this.syncTimer);
    const wasWhole = this.isWhole && this.writeBlock();
    if (wasWhole)
      try {
        this.syncNow();
      } catch (error) {
        this.options.log("warning", `Error syncing the AOF file: ${causeOf(error)}`);
      }
    this.abandon();
    this.dropPrevious();
    this.current.close();
  }
}
