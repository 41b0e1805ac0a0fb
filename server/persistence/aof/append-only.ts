/**
 * The append-only file of a server as a whole: off, being begun, or on; read at start; rewritten when asked for, when it has grown, or when
 * nothing else makes it whole. Redis's rules for who is answered what, and its figures in INFO.
 */
import { join } from "node:path";
import type { Clock, PersistenceView } from "../../commands/context.ts";
import type { Config } from "../../config/config.ts";
import { unicode } from "../../config/syntax.ts";
import type { Core } from "../../core/core.ts";
import type { LogLevel } from "../../observability/log.ts";
import type { Disk } from "../disk.ts";
import { type Loading, LoadingStopped } from "../loading.ts";
import { causeOf } from "./errors.ts";
import { FileSet } from "./file-set.ts";
import { loadSet } from "./load-set.ts";
import type { ReplayTarget } from "./loader.ts";
import { Log } from "./log.ts";
import { LogFile } from "./log-file.ts";
import type { SyncPolicy } from "./log-options.ts";
import type { LogNames, ManifestFile } from "./manifest.ts";
import { Rewrite, RewriteCalledOff, SnapshotOverthrown } from "./rewrite.ts";

/** After so many failures in a row automatic rewrites wait, ... */
const PATIENT_FAILURES = 3;
/** ... a minute at first, twice as long each time, at most an hour. */
const FIRST_DELAY_MS = 60_000;
const LAST_DELAY_MS = 3_600_000;
/** A rewrite without which nothing can be written is tried so often. */
const URGENT_MS = 300;

const LOADING = "Redis is loading the dataset in memory";

export interface AppendOnlyParts {
  readonly core: Core;
  readonly clock: Clock;
  readonly config: Config;
  readonly disk: Disk;
  readonly loading: Loading;
  log(level: LogLevel, text: string): void;
  /** A log is to be written to from here on, or none. */
  follow(log: Log | null): void;
  /** What the server has run so far. */
  commandsRun(): number;
  /** The turn in hand must have an end. */
  wantTurn(): void;
  /** Runs work that was begun by no client; what it throws ends the server. */
  guarded(work: () => void): void;
}

type State = "off" | "waiting" | "on";

export class AppendOnly implements PersistenceView {
  private state: State = "off";
  private files: FileSet | undefined;
  private current: Log | null = null;
  private unlock: (() => void) | undefined;
  private rewriting: Rewrite | null = null;
  /** Settles when the rewrite is over. */
  private running: Promise<void> | undefined;
  /** Settles when a log that was switched off is closed. */
  private ending: Promise<void> | undefined;
  private isClosed = false;
  /** The directory is read for the first time, to go on in it. */
  private isBeingRead = false;
  /** BGREWRITEAOF came at a bad time: it is made up for. */
  private scheduled = false;
  private startedMs = 0;
  private lastSeconds = -1;
  private lastFailed = false;
  private rewrites = 0;
  private failures = 0;
  private notBeforeMs = 0;
  /** Of the next log's first block. */
  private nextPoint = 1;
  /** What growth is measured from. */
  private sizeThen = 0;
  /** appendfsync: asked for several times a turn. */
  private policy: SyncPolicy;
  /** Bytes of the files besides the current one, and which those are. */
  private others: { list: readonly ManifestFile[]; sequence: number; bytes: number } | undefined;

  constructor(private readonly parts: AppendOnlyParts) {
    this.policy = parts.config.get("appendfsync");
  }

  /** appendfsync is another one. */
  policyChanged(): void {
    this.policy = this.parts.config.get("appendfsync");
    this.current?.policyChanged();
  }

  /** What is written to, null if nothing is. */
  get log(): Log | null {
    return this.current;
  }

  // ---- start and stop

  /** Loads what the directory has and goes on with it. @throws AofError if it is damaged or another server has it */
  async load(target: ReplayTarget): Promise<void> {
    const files = this.openFiles();
    this.isBeingRead = true;
    const extents = await this.parts.loading.run(this.replay(files, target));
    await files.sync();
    files.dropTemporaries();
    const strangers = files.strangers();
    if (strangers.length > 0)
      this.parts.log(
        "warning",
        `Files that the manifest does not name are not loaded, and left as they are: ${strangers.join(", ")}`,
      );
    await files.dropHistory();
    // A stop has given the directory back meanwhile.
    if (this.isClosed) throw new LoadingStopped();
    const last = files.incrementals.at(-1);
    const entry = last ?? files.nextIncremental();
    const extent = extents ?? { size: 0, sum: 0 };
    const file = LogFile.open(files.disk, files.pathOf(entry), entry, extent);
    if (last === undefined) files.replaceNow([...files.files, entry]);
    this.sizeThen = files.base === undefined ? 0 : files.sizeOf(files.base);
    this.begin(file, false);
    this.isBeingRead = false;
    this.state = "on";
  }

  private replay(files: FileSet, target: ReplayTarget): ReturnType<typeof loadSet> {
    const { parts } = this;
    return loadSet({
      files,
      target,
      nowUs: () => parts.clock.monotonicUs(),
      expect: (bytes) => parts.loading.expect(bytes),
      mayCut: parts.config.get("aof-load-truncated"),
      log: (level, text) => parts.log(level, text),
      singleFile: join(unicode(parts.config.get("dir")), files.names.prefix),
    });
  }

  /** Replays the files that are there once more. @returns whether there were any. @throws AofError */
  async replayAgain(target: ReplayTarget): Promise<boolean> {
    const files = FileSet.read(this.parts.disk, this.names());
    await this.parts.loading.run(this.replay(files, target));
    return files.current.length > 0;
  }

  /** Something about the files is in flight. */
  get isBusy(): boolean {
    return this.current?.isBusy === true || this.rewriting !== null;
  }

  private begin(file: LogFile, isProvisional: boolean): void {
    const { parts } = this;
    const { config } = parts;
    const log = new Log(
      {
        core: parts.core,
        clock: parts.clock,
        files: this.files!,
        log: (level, text) => parts.log(level, text),
        policy: () => this.policy,
        timestamps: () => config.get("aof-timestamp-enabled"),
        syncsRest: () => this.rewriting !== null && config.get("no-appendfsync-on-rewrite"),
        wantTurn: () => parts.wantTurn(),
        commandsRun: () => parts.commandsRun(),
        wantRewrite: () => this.startUrgently(),
        restarted: (behind) => this.rewriting?.restarted(behind),
        guarded: (work) => parts.guarded(work),
      },
      file,
      isProvisional,
      this.nextPoint,
    );
    this.current = log;
    parts.follow(log);
  }

  private names(): LogNames {
    const { config } = this.parts;
    return {
      dir: join(unicode(config.get("dir")), unicode(config.get("appenddirname"))),
      prefix: unicode(config.get("appendfilename")),
    };
  }

  /** Takes the directory for this server and reads its manifest. */
  private openFiles(): FileSet {
    const { config, disk } = this.parts;
    const names = this.names();
    this.unlock ??= disk.lock(unicode(config.get("dir")));
    disk.makeDirectory(names.dir);
    this.files = FileSet.read(disk, names);
    return this.files;
  }

  /** Writes what is left, syncs, gives the directory back. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.rewriting?.stop();
    await Promise.all([this.current?.close(), this.ending, this.running]);
    this.unlock?.();
    this.unlock = undefined;
  }

  /** Writes nothing any more, whatever is still called: memory is not trusted. */
  abandon(): void {
    this.isClosed = true;
    this.rewriting?.callOff();
    this.current?.abandon();
  }

  // ---- CONFIG SET appendonly

  /** @returns the error, or undefined: then the log begins with a rewrite */
  turnOn(): string | undefined {
    if (this.state !== "off") return undefined;
    if (this.parts.loading.active) return LOADING;
    try {
      this.openFiles();
    } catch (error) {
      this.parts.log("warning", `Can't begin the append only file: ${causeOf(error)}`);
      return "Unable to turn on AOF. Check server logs.";
    }
    this.state = "waiting";
    if (this.rewriting === null) this.start();
    else {
      this.rewriting.callOff();
      this.scheduled = true;
    }
    return undefined;
  }

  turnOff(): string | undefined {
    if (this.parts.loading.active) return LOADING;
    if (this.state === "off") return undefined;
    this.state = "off";
    this.scheduled = false;
    this.rewriting?.callOff();
    this.ending = this.current?.close();
    this.drop();
    return undefined;
  }

  private drop(): void {
    this.nextPoint = this.current === null ? this.nextPoint : this.current.point + 1;
    this.current = null;
    this.parts.follow(null);
  }

  // ---- rewrites

  /** BGREWRITEAOF. */
  requestRewrite(isInUnit: boolean): "started" | "scheduled" | "running" | "failed" {
    if (this.isRewriting) return "running";
    if (this.rewriting !== null || isInUnit) {
      this.scheduled = true;
      this.failures = 0;
      this.notBeforeMs = 0;
      return "scheduled";
    }
    return this.start() ? "started" : "failed";
  }

  /** One that was called off goes on for a while, in silence. */
  private get isRewriting(): boolean {
    return this.rewriting !== null && !this.rewriting.isCalledOff;
  }

  /** Ten times a second: what was put off, and growth. */
  tick(): void {
    if (this.rewriting !== null || this.isClosed || this.parts.loading.active) return;
    const mayStart = this.parts.clock.nowMs() >= this.notBeforeMs;
    if ((this.scheduled || this.state === "waiting") && mayStart) this.start();
    else if (this.state === "on" && mayStart && this.current!.isWhole) this.startIfGrown();
  }

  private startIfGrown(): void {
    const { config } = this.parts;
    const percentage = config.get("auto-aof-rewrite-percentage");
    const size = this.currentSize();
    if (percentage === 0 || size <= config.get("auto-aof-rewrite-min-size")) return;
    const growth = Math.floor((size * 100) / Math.max(1, this.sizeThen)) - 100;
    if (growth < percentage) return;
    this.parts.log("notice", `Starting automatic rewriting of AOF on ${growth}% growth`);
    this.start();
  }

  private startUrgently(): void {
    if (this.isClosed || this.parts.loading.active) return;
    if (this.rewriting !== null) return this.rewriting.makeWay();
    if (this.parts.clock.nowMs() < this.startedMs + URGENT_MS) return;
    this.start();
  }

  /** @returns false if it cannot even be begun */
  private start(): boolean {
    this.scheduled = false;
    const { parts } = this;
    this.startedMs = parts.clock.nowMs();
    try {
      this.rewriting = this.makeRewrite();
    } catch (error) {
      this.failed(error);
      return false;
    }
    parts.log("notice", "Background append only file rewriting started");
    this.running = this.rewriting.run().then(
      () => this.ended(undefined),
      (error) => this.ended(error),
    );
    return true;
  }

  private makeRewrite(): Rewrite {
    const { parts, current } = this;
    const { config, core } = parts;
    this.files ??= this.openFiles();
    // A directory that has gone is made anew.
    parts.disk.makeDirectory(this.files.names.dir);
    const keepsLog = current !== null && !current.needsNewBase;
    const begin = (file: LogFile) => {
      if (current === null) this.begin(file, true);
      else current.replaceBy(file);
    };
    return new Rewrite({
      core,
      files: this.files,
      log: keepsLog ? current : null,
      begin: keepsLog || this.state === "off" ? null : begin,
      syncsOnTheWay: config.get("aof-rewrite-incremental-fsync"),
      keepsHistory: config.get("aof-disable-auto-gc"),
      second: () =>
        config.get("aof-timestamp-enabled") ? Math.floor(parts.clock.nowMs() / 1000) : undefined,
      committed: (isCertain) => this.current?.rebased(isCertain),
      notice: (text) => parts.log("notice", text),
      guarded: (work) => parts.guarded(work),
    });
  }

  private ended(error: unknown): void {
    this.rewriting = null;
    if (this.isClosed) return;
    if (error === undefined) this.parts.guarded(() => this.succeeded());
    else this.parts.guarded(() => this.failed(error));
  }

  private succeeded(): void {
    this.lastSeconds = this.secondsSince(this.startedMs);
    this.lastFailed = false;
    this.rewrites++;
    this.failures = 0;
    this.notBeforeMs = 0;
    this.sizeThen = this.currentSize();
    if (this.state === "waiting") this.state = "on";
    this.parts.log("notice", "Background AOF rewrite finished successfully");
  }

  private failed(error: unknown): void {
    const { parts } = this;
    // The file that was begun belongs to a base that will never be.
    if (this.state === "waiting" && this.current !== null) {
      this.current.abandon();
      this.drop();
    }
    if (error instanceof SnapshotOverthrown) {
      parts.log("notice", `Background AOF rewrite begins anew: ${error.message}`);
      this.scheduled = true;
      this.tick();
      return;
    }
    this.lastSeconds = this.secondsSince(this.startedMs);
    if (error instanceof RewriteCalledOff) {
      parts.log("notice", "Background AOF rewrite called off");
      return;
    }
    this.lastFailed = true;
    this.failures++;
    if (this.failures >= PATIENT_FAILURES) {
      const doublings = this.failures - PATIENT_FAILURES;
      const delay = Math.min(FIRST_DELAY_MS * 2 ** doublings, LAST_DELAY_MS);
      this.notBeforeMs = parts.clock.nowMs() + delay;
    }
    parts.log("warning", `Background AOF rewrite terminated with error: ${causeOf(error)}`);
  }

  /** The core calls: the window of the snapshot is full. */
  drainSnapshot(): void {
    this.rewriting?.drain();
  }

  // ---- figures

  private secondsSince(ms: number): number {
    return Math.floor((this.parts.clock.nowMs() - ms) / 1000);
  }

  private currentSize(): number {
    const { files, current } = this;
    if (files === undefined || current === null) return 0;
    return current.size + this.sizeOfOthers(files, current.sequence);
  }

  /** Nobody writes to them: they are looked at once. */
  private sizeOfOthers(files: FileSet, sequence: number): number {
    if (this.others?.list !== files.files || this.others.sequence !== sequence) {
      const others = files.current.filter(
        (file) => file.type === "b" || file.sequence !== sequence,
      );
      const bytes = others.reduce((sum, file) => sum + files.sizeOf(file), 0);
      this.others = { list: files.files, sequence, bytes };
    }
    return this.others.bytes;
  }

  refusal(): string | undefined {
    return this.current?.refusal();
  }

  get isLogging(): boolean {
    return this.state !== "off";
  }

  isSynced(point: number): boolean {
    return this.current?.isSynced(point) ?? false;
  }

  /** Why a stop would lose what CONFIG SET appendonly was to keep. */
  get isFirstBeingWritten(): boolean {
    return this.state === "waiting";
  }

  bufferBytes(): number {
    return this.current?.bufferBytes ?? 0;
  }

  infoFields(): Record<string, string | number> {
    const { current, rewriting } = this;
    const progress = rewriting?.progress ?? { done: 0, total: 0 };
    return {
      ...this.parts.loading.infoFields(),
      current_save_keys_processed: progress.done,
      current_save_keys_total: progress.total,
      aof_enabled: this.state === "off" && !this.isBeingRead ? 0 : 1,
      aof_rewrite_in_progress: this.isRewriting ? 1 : 0,
      aof_rewrite_scheduled: this.scheduled ? 1 : 0,
      aof_last_rewrite_time_sec: this.lastSeconds,
      aof_current_rewrite_time_sec: this.isRewriting ? this.secondsSince(this.startedMs) : -1,
      aof_last_bgrewrite_status: this.lastFailed ? "err" : "ok",
      aof_rewrites: this.rewrites,
      aof_rewrites_consecutive_failures: this.failures,
      aof_last_write_status: current === null || current.isWhole ? "ok" : "err",
      ...(current !== null && {
        aof_current_size: this.currentSize(),
        aof_base_size: this.sizeThen,
        aof_pending_rewrite: this.scheduled ? 1 : 0,
        aof_buffer_length: current.bufferBytes,
        aof_pending_bio_fsync: current.pendingSyncs,
        aof_delayed_fsync: current.delayedWrites,
      }),
    };
  }
}
