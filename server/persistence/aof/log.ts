/**
 * The append-only log of one server (MECHANISMS 3): closed units gathered in a block per event-loop turn, written and synced by policy.
 *
 * Replies leave when what they tell is safe: under `always` when a sync has covered it, otherwise when the kernel has it. Blocks are
 * counted by *points*; the log says up to which point everything is safe, and whoever holds replies back goes by that.
 *
 *   always    a block is written when no sync runs, and synced at once, on this thread or off it; what comes while a sync runs off
 *             it is the next group. Where a moment's wait lets a sync cover more, it begins later (SyncSchedule)
 *   everysec  a block is written at once, also while the second's sync runs; where such a write was seen to wait for the sync, off
 *             the thread for a while
 *   no        a block is written at once
 *
 * A block that cannot be written is kept, memory having executed it, and tried again every 100 ms before anything newer; writes are
 * refused meanwhile. A file whose sync failed is never synced again: what no sync covered goes to a fresh incremental file, or, if
 * that was too much to be kept, a rewrite from memory must succeed first.
 */
import type { PropagationLog, WordTable } from "../../dispatch/effects.ts";
import type { LatencyEvent } from "../../observability/latency.ts";
import { timestampLine } from "./annotations.ts";
import { Block } from "./block.ts";
import { causeOf } from "./errors.ts";
import { LogFile } from "./log-file.ts";
import type { LogOptions } from "./log-options.ts";
import type { ManifestFile } from "./manifest.ts";
import { SyncSchedule } from "./sync-schedule.ts";
import { Unsynced } from "./unsynced.ts";

const RETRY_MS = 100;
const SYNC_PERIOD_MS = 1000;
/** A write during a sync that takes this long has waited for it, as on some file systems; on others none does (0.07 ms at most
 * of 600), while one off the thread would stand behind whatever else is done there. */
const SLOW_WRITE_MS = 20;
/** Then writes during syncs are left to other threads for so long. */
const BEHIND_SYNC_MS = 30_000;
/** Replies wait this long at most for a write behind a running sync; then they leave without it, and are counted (Redis's rule). */
const BEHIND_SYNC_MAX_MS = 2000;
/** Under `always` replies that cannot be covered are held this long, then their connections are closed. */
const HOLD_MAX_MS = 5000;
/** More is not gathered behind what is in flight: the disk does not answer. */
const GATHERED_MAX_BYTES = 256 << 20;
/** Everything, and nothing. */
const EVERY_POINT = Number.POSITIVE_INFINITY;
const NO_POINT = Number.NEGATIVE_INFINITY;

export class Log implements PropagationLog {
  /** Something was gathered since a turn ended. */
  hasNews = false;
  /** Everything up to this point is safe now. */
  onSafe: (point: number) => void = () => {};
  /** What waits has waited too long: it will not be told. */
  onGivenUp: () => void = () => {};
  /** Told when `refusal` begins to answer a text, and when it ends. */
  onRefusal: (refused: boolean) => void = () => {};
  /** Told when more is synced than before. */
  onSynced: () => void = () => {};
  /** Told how long writes and syncs took, in ms. */
  onTimed: (event: LatencyEvent, ms: number) => void = () => {};
  /** Everything up to here is in the kernel, or on the disk. */
  private writtenPoint: number;
  private syncedPoint: number;
  private readonly block: Block;
  /** What `current` follows, until a sync has covered it. */
  private previous: LogFile | null = null;
  private readonly unsynced = new Unsynced();
  /** What was written before the last change of files, as `unsynced` counts. */
  private switchMark = 0;
  private failure: string | undefined;
  private needsRewrite = false;
  private retry: Timer | undefined;
  private abandoned = false;
  private failedAtMs = 0;
  private readonly syncTimer: Timer;
  /** At most one sync and one write are off the thread at a time. */
  private syncing: Promise<void> | null = null;
  private writing: Promise<void> | null = null;
  private writingSinceMs = 0;
  /** The write behind a sync takes so long that replies do not wait for it. */
  private isOverdue = false;
  private readonly schedule: SyncSchedule;
  /** Until then a write during a sync goes off the thread. */
  private behindUntilMs = 0;
  private overdueWrites = 0;
  private stampedSecond = 0;
  private switching: { next: LogFile; done: () => void } | null = null;
  /** The file that is to follow a dead one, while it cannot be put in force. */
  private successor: ManifestFile | undefined;

  constructor(
    private readonly options: LogOptions,
    private current: LogFile,
    /** The base that `current` follows is still being written: no manifest names it. */
    private isProvisional: boolean,
    /** That of the block which is being gathered. Never goes back. */
    public point: number,
  ) {
    this.writtenPoint = point - 1;
    this.syncedPoint = point - 1;
    this.block = new Block(options.core.memory);
    const { guarded, clock, commandsRun } = options;
    this.schedule = new SyncSchedule(clock, commandsRun, () => guarded(() => this.goOn()));
    this.syncTimer = setInterval(() => guarded(() => this.eachSecond()), SYNC_PERIOD_MS);
    this.policyChanged();
  }

  // ---- what is to be written

  frames(db: number, ptr: number, length: number, count: number): void {
    this.stamp(count);
    this.block.frames(db, ptr, length);
  }

  words(
    db: number,
    name: Uint8Array | null,
    pairsPtr: number,
    count: number,
    rest?: WordTable,
  ): void {
    this.stamp();
    this.block.words(db, name, pairsPtr, count, rest);
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

  /** Counts the commands that come; the second in which the block begins stands in front of it. */
  private stamp(commands = 1): void {
    this.hasNews = true;
    this.schedule.wrote(commands);
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

  // ---- what is safe

  isSynced(point: number): boolean {
    return point <= this.syncedPoint;
  }

  /** What a sync that runs will cover. */
  get syncingPoint(): number {
    return this.writtenPoint;
  }

  private get isAlways(): boolean {
    return this.options.policy() === "always" && !this.options.syncsRest();
  }

  /** Replies that tell of no later point may leave. */
  private get safePoint(): number {
    // As in Redis: who asked for less than `always` is answered though the disk does not take it.
    if (!this.isAlways && (this.failure !== undefined || this.isOverdue)) return EVERY_POINT;
    const safe = this.isAlways ? this.syncedPoint : this.writtenPoint;
    // Nothing is gathered: there is nothing to wait for.
    return safe === this.point - 1 && this.block.isEmpty ? this.point : safe;
  }

  /** Replies that tell of no later point may leave before the turn ends. */
  get safeAtOnce(): number {
    // Whoever reads hears of what is gathered, and only under `always` is it known who does.
    const isKnown = this.block.isEmpty && this.writtenPoint === this.point - 1;
    return isKnown || this.isAlways ? this.safePoint : NO_POINT;
  }

  /** appendfsync is another one. */
  policyChanged(): void {
    this.options.core.trackWrites(this.options.policy() === "always" ? 1 : 0);
    if (this.isAlways) this.syncRest();
    this.onSafe(this.safePoint);
    this.options.wantTurn();
  }

  // ---- the end of a turn

  /**
   * Writes the turn's block, or has it written.
   * @param mayLinger whether the turn may go on for what comes next
   * @returns the point up to which replies may leave, `onSafe` tells of more; null = the turn goes on, none leaves
   */
  endTurn(mayLinger = false): number | null {
    if (mayLinger && this.isToLinger) return null;
    this.hasNews = false;
    if (this.block.isEmpty) this.switchFiles();
    else this.advance();
    if (this.writing !== null) this.judgeWriting();
    this.judgeGathered();
    return this.safePoint;
  }

  /** Goes on with what is gathered, unless something in flight must end first. */
  private advance(): void {
    if (this.failure !== undefined || this.writing !== null || this.abandoned) return;
    if (this.syncing !== null) {
      if (!this.isAlways) this.writeDuringSync();
      return;
    }
    if (this.isAlways) return this.advanceToSync();
    if (this.writeBlock()) this.switchFiles();
  }

  private advanceToSync(): void {
    const where = this.schedule.next();
    if (where === "later" || !this.writeBlock()) return;
    this.switchFiles();
    // The change of files has begun one.
    if (this.syncing !== null) return;
    // The file before may be a large one.
    if (where === "here" && this.previous === null) this.syncHere();
    else this.startSync();
  }

  /** Whether a sync is about to begin in this turn which the next one is likely to bring more for. */
  private get isToLinger(): boolean {
    if (this.block.isEmpty || this.failure !== undefined || this.isBusy) return false;
    return this.isAlways && this.previous === null && this.schedule.isToLinger;
  }

  /** @returns whether everything gathered is in the kernel */
  private writeBlock(): boolean {
    if (this.block.isEmpty) return true;
    if (!this.syncsFirst()) return false;
    try {
      const kind = this.syncing === null ? "aof-write-alone" : "aof-write-pending-fsync";
      this.timed("aof-write", kind, () => this.current.append(this.block, this.isAlways));
    } catch (error) {
      return this.fail(causeOf(error));
    }
    this.remember(this.block.view(), this.block.firstDb);
    this.block.clear();
    this.writtenPoint = this.point++;
    return true;
  }

  /** What a loss of power leaves holes in is synced before more is written. @returns whether that went well */
  private syncsFirst(): boolean {
    const { previous, current, unsynced } = this;
    if (!current.mayHaveHoles) return true;
    const isAlone = this.syncing === null;
    try {
      previous?.sync(isAlone);
      current.sync(isAlone);
    } catch (error) {
      return this.fail(causeOf(error));
    }
    if (!isAlone) return true;
    unsynced.cover(unsynced.mark());
    this.coverUpTo(this.writtenPoint);
    return true;
  }

  private remember(bytes: Uint8Array, db: number): void {
    if (this.options.policy() === "no") this.unsynced.skip(bytes.length);
    else this.unsynced.add(bytes, db);
  }

  private timed(event: LatencyEvent, kind: LatencyEvent, work: () => void): void {
    const startMs = this.now();
    work();
    const ms = this.now() - startMs;
    this.onTimed(event, ms);
    this.onTimed(kind, ms);
  }

  private writeDuringSync(): void {
    if (this.options.clock.nowMs() < this.behindUntilMs) return this.writeBehindSync();
    const startMs = this.now();
    this.writeBlock();
    if (this.now() - startMs >= SLOW_WRITE_MS)
      this.behindUntilMs = this.options.clock.nowMs() + BEHIND_SYNC_MS;
  }

  private now(): number {
    return this.options.clock.monotonicUs() / 1000;
  }

  /** A write that may have to wait for the sync that runs: this thread does not. */
  private writeBehindSync(): void {
    if (!this.syncsFirst()) return;
    const taken = this.block.take();
    const point = this.point++;
    this.writingSinceMs = this.options.clock.nowMs();
    const startMs = this.now();
    const file = this.current;
    // If the log goes on elsewhere by then, a new base has what was taken.
    const isOurs = () => this.current === file;
    const writing = file.appendLater(taken).then(
      () => {
        if (!isOurs()) return;
        this.remember(taken.view(), taken.firstDb);
        this.writtenPoint = point;
        const ms = this.now() - startMs;
        this.onTimed("aof-write", ms);
        this.onTimed("aof-write-pending-fsync", ms);
      },
      (error) => {
        if (!isOurs()) return;
        this.block.putBack(taken);
        this.fail(causeOf(error));
      },
    );
    this.writing = writing.then(() => {
      this.writing = null;
      this.isOverdue = false;
      this.goOn();
    });
  }

  /** Something that was in flight has ended. */
  private goOn(): void {
    this.options.guarded(() => {
      if (this.block.isEmpty) this.switchFiles();
      else this.advance();
      this.onSafe(this.safePoint);
    });
  }

  private judgeGathered(): void {
    const { gatheredMaxBytes = GATHERED_MAX_BYTES } = this.options;
    if (this.block.size > gatheredMaxBytes && this.isBusy) this.fail("the disk does not answer");
  }

  private judgeWriting(): void {
    if (this.isOverdue) return;
    if (this.options.clock.nowMs() - this.writingSinceMs < BEHIND_SYNC_MAX_MS) return;
    this.isOverdue = true;
    this.overdueWrites++;
    this.onSafe(this.safePoint);
  }

  /** Writes the block at once; nothing is in flight. @returns false = it could not be written */
  flush(): boolean {
    return this.failure === undefined && this.writeBlock();
  }

  /** A sync or a write is under way. */
  get isBusy(): boolean {
    return this.syncing !== null || this.writing !== null;
  }

  // ---- syncs

  private eachSecond(): void {
    if (this.writing !== null) this.judgeWriting();
    if (this.failure !== undefined) return;
    if (!this.current.isInPlace) {
      this.needsRewrite = true;
      this.fail("No such file or directory");
      return;
    }
    if (this.options.policy() !== "no" && !this.options.syncsRest()) this.syncRest();
  }

  /** A sync of what is written and not covered yet, if nothing is in flight. What a dead file has, its successor is to have. */
  private syncRest(): void {
    if (this.isBusy || this.isDead || (this.previous === null && this.current.isSynced)) return;
    // What the core knows of keys is of the gathered block too: the sync that covers them comes with the end of the turn.
    if (!this.isAlways || this.block.isEmpty) this.startSync();
  }

  /** @returns when that is, in ms */
  private syncBegins(): number {
    this.options.core.syncBegins();
    this.schedule.begins();
    return this.now();
  }

  /** A sync of everything that is written, on this thread. */
  private syncHere(): void {
    const { core } = this.options;
    const startMs = this.syncBegins();
    try {
      this.current.sync();
    } catch (error) {
      this.fail(causeOf(error));
      return;
    }
    core.syncEnds();
    const ms = this.now() - startMs;
    this.onTimed("aof-fsync-always", ms);
    this.schedule.tookHere(ms);
    this.unsynced.cover(this.unsynced.mark());
    this.coverUpTo(this.writtenPoint);
    this.onSafe(this.safePoint);
  }

  /** The same off this thread. */
  private startSync(): void {
    const { core } = this.options;
    const point = this.writtenPoint;
    const startMs = this.syncBegins();
    const syncing = this.syncFiles().then(
      (mark) => {
        if (!this.abandoned) core.syncEnds();
        const ms = this.now() - startMs;
        if (this.isAlways) {
          this.onTimed("aof-fsync-always", ms);
          this.schedule.took(ms);
        }
        this.unsynced.cover(mark);
        this.coverUpTo(point);
      },
      (error) => {
        // Or the log goes on elsewhere by now.
        if (this.isDead) this.fail(this.failure ?? causeOf(error));
      },
    );
    this.syncing = syncing.then(() => {
      this.syncing = null;
      this.goOn();
    });
  }

  /** The file before first, so that a loss of power leaves no hole. @returns what is covered, as `unsynced` counts */
  private async syncFiles(): Promise<number> {
    const { previous, current } = this;
    let mark = this.unsynced.mark();
    if (previous !== null) {
      await previous.syncLater();
      // Should the other one fail, what this one has must not come again behind it.
      this.unsynced.cover(this.switchMark);
      if (this.previous === previous) this.dropPrevious();
      // What was written meanwhile the file counts as safe: were it kept, it could come again behind that.
      if (this.current === current) mark = this.unsynced.mark();
    }
    await current.syncLater();
    return mark;
  }

  private coverUpTo(point: number): void {
    if (point <= this.syncedPoint) return;
    this.syncedPoint = point;
    this.onSynced();
  }

  /** Everything that is written is on the disk. */
  private coverAll(): void {
    const { core } = this.options;
    // What the core knows of keys is of the kept block too: the sync that covers it comes behind its write.
    if (this.block.isEmpty) {
      core.syncBegins();
      core.syncEnds();
    }
    this.unsynced.cover(this.unsynced.mark());
    this.coverUpTo(this.writtenPoint);
  }

  private dropPrevious(): void {
    this.previous?.close();
    this.previous = null;
  }

  // ---- failures

  private fail(cause: string): boolean {
    if (this.abandoned) return false;
    if (this.failure === undefined) {
      this.failedAtMs = this.options.clock.nowMs();
      this.options.log(
        "warning",
        `Error writing to the AOF file: ${cause}. Writes are refused until it is healed.`,
      );
    }
    this.failure = cause;
    this.onRefusal(true);
    this.retry ??= setInterval(() => this.options.guarded(() => this.tryAgain()), RETRY_MS);
    return false;
  }

  private tryAgain(): void {
    const now = this.options.clock.nowMs();
    if (now - this.failedAtMs > HOLD_MAX_MS && this.isAlways) {
      this.failedAtMs = now;
      this.onGivenUp();
    }
    if (this.isBusy) return;
    if (this.isDead && this.isProvisional) this.needsRewrite = true;
    else if (this.current.isInPlace && !this.isDead && !this.isProvisional)
      this.needsRewrite = false;
    if (this.needsRewrite) this.options.wantRewrite();
    else if ((!this.isDead || this.startAnew()) && this.writeBlock()) this.heal();
  }

  private get isDead(): boolean {
    return this.current.isDead || this.previous?.isDead === true;
  }

  /** The kept block is written. */
  private heal(): void {
    clearInterval(this.retry);
    this.retry = undefined;
    this.failure = undefined;
    this.needsRewrite = false;
    this.onRefusal(false);
    this.options.log("warning", "The AOF file can be written again: writes are served.");
    if (this.isAlways) this.startSync();
    this.onSafe(this.safePoint);
    this.options.wantTurn();
  }

  /** What a dead file may have lost goes to a fresh one, which is synced and named by the manifest. */
  private startAnew(): boolean {
    const { files } = this.options;
    const lost = this.unsynced.join(this.block.firstDb);
    if (lost === null) {
      // More than 64 MiB, right behind so much, or written under `no`.
      this.needsRewrite = true;
      return false;
    }
    const { previous } = this;
    // What is history follows nothing, and nothing follows it.
    const isInForce = files.incrementals.some((file) => file.sequence === previous?.entry.sequence);
    const dead = previous !== null && isInForce ? previous : this.current;
    const entry = this.successor ?? files.nextIncremental();
    this.successor = entry;
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
    this.successor = undefined;
    this.options.restarted(dead.entry.sequence);
    dead.cutUnsafe();
    this.dropPrevious();
    this.current.close();
    this.current = fresh;
    this.coverAll();
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
    if (switching === null || this.isBusy) return;
    if (this.failure !== undefined || !this.block.isEmpty) return;
    // One file at a time may wait for its sync; under some settings no other one is to come.
    if (this.previous !== null) return this.startSync();
    try {
      switching.next.follow(this.current.asPrevious());
    } catch (error) {
      // A part of its first line may be there for good: it is not to be gone on with.
      if (switching.next.isDead) this.options.restarted(this.sequence);
      this.fail(causeOf(error));
      return;
    }
    this.switching = null;
    // Also under `no`: by the time that syncs are asked for, what follows must not be safe without it.
    this.previous = this.current;
    this.current = switching.next;
    this.block.forgetDb();
    this.switchMark = this.unsynced.mark();
    switching.done();
  }

  /** Goes on in another file although this one cannot be written: what is in memory at this moment will be the new base. */
  replaceBy(next: LogFile): void {
    this.isProvisional = true;
    this.dropPrevious();
    this.current.close();
    this.current = next;
    this.block.clear();
    this.block.forgetDb();
    this.writtenPoint = this.point++;
    this.unsynced.cover(this.unsynced.mark());
  }

  /** A new base holds everything up to the file that is written now: those before it are history. */
  rebased(isCertain: boolean): void {
    // What was written to those files is in the base, and must not come again behind it.
    this.unsynced.cover(this.switchMark);
    // As long as a loss of power may bring them back, they are synced as ever.
    if (!isCertain) return;
    this.needsRewrite = false;
    this.isProvisional = false;
    // Also one that is being synced: should that fail, nothing is lost by it.
    this.dropPrevious();
    if (this.failure === undefined || this.isDead || this.isBusy) return;
    if (!this.writeBlock()) return;
    // What came behind the base waits for a sync as ever.
    if (this.current.isSynced) this.coverAll();
    this.heal();
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
    return this.syncing === null ? 0 : 1;
  }

  get delayedWrites(): number {
    return this.overdueWrites;
  }

  /** Writes nothing any more, whatever is still called. */
  abandon(): void {
    this.abandoned = true;
    this.schedule.stop();
    clearInterval(this.syncTimer);
    clearInterval(this.retry);
  }

  /** Writes what is left and syncs. */
  async close(): Promise<void> {
    this.abandon();
    this.options.core.trackWrites(0);
    while (this.isBusy) await Promise.all([this.syncing, this.writing]);
    if (this.failure === undefined)
      try {
        this.previous?.sync();
        if (this.current.mayHaveHoles) this.current.sync();
        if (!this.block.isEmpty) this.current.append(this.block);
        this.current.sync();
        this.syncedPoint = this.point;
        this.onSafe(EVERY_POINT);
      } catch (error) {
        this.options.log("warning", `Error writing the end of the AOF file: ${causeOf(error)}`);
      }
    // Of those who still wait, if that failed.
    this.onGivenUp();
    this.dropPrevious();
    this.current.close();
  }
}
