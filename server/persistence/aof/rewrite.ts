/**
 * One rewrite of the log, without fork (MECHANISMS 2 and 3.5-3.7): a fresh incremental file is prepared; at the end of a turn the log
 * goes on in it and a snapshot of the databases begins; the snapshot becomes the new base in slices; then the manifest names base
 * and fresh file, and what was before is history. Until that manifest is there the old set is in force, with the fresh file behind
 * it, so that a crash at any step finds one of two sets, both exact.
 */
import { join } from "node:path";
import { Address, SnapshotPhase, SnapshotReason, StateField } from "../../../core-wasm/abi.ts";
import type { Core } from "../../core/core.ts";
import { BaseWriter } from "./base-writer.ts";
import type { FileSet } from "./file-set.ts";
import type { Log } from "./log.ts";
import { LogFile } from "./log-file.ts";
import type { ManifestFile } from "./manifest.ts";

/** Of a slice: about a quarter of a millisecond. */
const SLICE_BUDGET = 600;
/**
 * Between slices, but not if writes wait for the rewrite: one without a pause takes a whole core, for which it stands in line as busy
 * processes do, and writes to the disk as fast as that goes. A million keys take 2 to 3 s with it and 0.3 s without.
 */
const PAUSE_MS = 1;
const PHASE = (Address.State + StateField.SnapshotPhase) >> 2;
const TOP = (Address.State + StateField.SnapshotTop) >> 2;
const REASON = (Address.State + StateField.SnapshotReason) >> 2;

export interface RewriteParts {
  readonly core: Core;
  readonly files: FileSet;
  /** The log that goes on in a fresh file; null = there is none to be kept. */
  readonly log: Log | null;
  /** Begins a log in this file, or has a broken one go on in it; null if only a base is wanted. Called at the instant of the snapshot. */
  readonly begin: ((file: LogFile) => void) | null;
  readonly syncsOnTheWay: boolean;
  readonly keepsHistory: boolean;
  /** The second it is, if aof-timestamp-enabled. */
  readonly second: () => number | undefined;
  /** The new set is in force; not certain: a loss of power may still take it back. Called before anything else happens to the log. */
  readonly committed: (isCertain: boolean) => void;
  notice(text: string): void;
  /** Runs a slice; what it throws ends the server. */
  guarded(work: () => void): void;
}

/** The databases were flushed, or had to give memory back: what the snapshot was of is gone, and another may begin at once. */
export class SnapshotOverthrown extends Error {}

/** Somebody called it off. */
export class RewriteCalledOff extends Error {}

export class Rewrite {
  /** The fresh incremental file. */
  private next: ManifestFile | null = null;
  private nextFile: LogFile | null = null;
  private hasBegun = false;
  private writer: BaseWriter | null = null;
  private calledOff = false;
  private isStopped = false;
  private wake: (() => void) | null = null;
  private over: (() => void) | null = null;
  /** Why the snapshot goes on in silence. */
  private abandoned: unknown;

  constructor(private readonly parts: RewriteParts) {}

  /** Keys written so far, and how many there are. */
  get progress(): { done: number; total: number } {
    const { core } = this.parts;
    if (!this.hasBegun) return { done: 0, total: 0 };
    return {
      done: core.counter(StateField.SnapshotVisited),
      total: core.counter(StateField.SnapshotEntries),
    };
  }

  /** Resolves when the new set is in force. Rejects with the cause if the old one stays. */
  async run(): Promise<void> {
    const { files } = this.parts;
    const path = join(files.names.dir, `temp-rewriteaof-bg-${process.pid}.aof`);
    try {
      await this.prepare();
      this.writer = new BaseWriter({
        disk: files.disk,
        path,
        syncsOnTheWay: this.parts.syncsOnTheWay,
        onRoom: () => this.wake?.(),
      });
      await this.takeSnapshot();
      await this.walk();
      await this.writer.finish();
      this.judge();
      await this.commit(path);
    } catch (error) {
      await this.cleanUp();
      throw error;
    }
    await this.tidy();
  }

  get isCalledOff(): boolean {
    return this.calledOff;
  }

  /** Lets it fail as soon as may be. The walk goes on in silence: `run` settles when it is over. */
  callOff(): void {
    this.calledOff = true;
    if (this.hasBegun) this.parts.core.snapshotAbort();
    else {
      this.parts.log?.cancelSwitch();
      this.over?.();
    }
    this.wake?.();
  }

  /** The server ends: nothing of the walk matters any more. */
  stop(): void {
    this.isStopped = true;
    this.callOff();
  }

  /** Nothing but a new base helps the log: one that waits for it to go on in a fresh file would wait for ever. */
  makeWay(): void {
    if (this.parts.log !== null && !this.hasBegun) this.callOff();
  }

  /** A fresh file took the place of all behind the one with this sequence. */
  restarted(behind: number): void {
    if (this.next !== null && this.next.sequence > behind) this.callOff();
  }

  /** The core calls: its window is full. */
  drain(): void {
    const { i32, u8 } = this.parts.core.memory;
    const top = i32[TOP]!;
    if (top > Address.Snapshot) this.writer?.add(u8.subarray(Address.Snapshot, top));
    i32[TOP] = Address.Snapshot;
  }

  // ---- step by step

  private judge(): void {
    if (this.calledOff) throw new RewriteCalledOff("called off");
  }

  /** Makes the fresh file, and names it behind the others if they are to stay in force. */
  private async prepare(): Promise<void> {
    const { files, log, begin } = this.parts;
    if (log === null && begin === null) return;
    const next = files.nextIncremental();
    this.parts.notice(`Creating AOF incr file ${next.name} on background rewrite`);
    this.nextFile = LogFile.create(files.disk, files.pathOf(next), next);
    this.next = next;
    if (log !== null) await files.replace([...files.files, next]);
    this.judge();
  }

  /** Waits for the end of a turn, and there changes files and begins the snapshot in one stretch. */
  private takeSnapshot(): Promise<void> {
    const { log, begin, guarded } = this.parts;
    // Without a log no turn has an end of its own, but between turns no unit is open either.
    return new Promise((resolve, reject) => {
      const start = () => {
        this.over = null;
        if (this.calledOff) return reject(new RewriteCalledOff("called off"));
        if (this.parts.core.snapshotBegin() === 0)
          return reject(new Error("another snapshot is under way"));
        this.hasBegun = true;
        const second = this.parts.second();
        if (second !== undefined) this.writer!.date(second);
        begin?.(this.nextFile!);
        resolve();
      };
      this.over = start;
      if (log !== null) log.switchTo(this.nextFile!, start);
      else setImmediate(() => guarded(start));
    });
  }

  /** Slices, until every entry is stamped. */
  private walk(): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => this.parts.guarded(() => this.slice(go, resolve, reject));
      const go = () => {
        this.wake = null;
        if (this.isUrgent) setImmediate(next);
        else setTimeout(next, PAUSE_MS);
      };
      go();
    });
  }

  /** Nothing is in force before it is over, or nothing of it is wanted any more. */
  private get isUrgent(): boolean {
    return this.parts.log === null || this.abandoned !== undefined;
  }

  private slice(go: () => void, resolve: () => void, reject: (error: unknown) => void): void {
    const { core } = this.parts;
    const { i32 } = core.memory;
    if (this.isStopped) return reject(new RewriteCalledOff("the server stops"));
    const writer = this.writer!;
    if (writer.error !== undefined) core.snapshotAbort();
    const quiet = i32[PHASE] === SnapshotPhase.Quiet;
    if (quiet) this.abandoned ??= this.whyAbandoned();
    else if (writer.isCrowded) {
      this.wake = go;
      return;
    }
    core.snapshotSlice(SLICE_BUDGET);
    this.drain();
    if (i32[PHASE] !== SnapshotPhase.None) {
      if (!quiet) writer.mark();
      go();
    } else if (this.abandoned === undefined) resolve();
    else reject(this.abandoned);
  }

  private whyAbandoned(): unknown {
    if (this.calledOff) return new RewriteCalledOff("called off");
    if (this.writer?.error !== undefined) return this.writer.error;
    const flushed = this.parts.core.memory.i32[REASON] === SnapshotReason.Flushed;
    return new SnapshotOverthrown(flushed ? "the databases were flushed" : "memory was needed");
  }

  /** Puts the new set in force. */
  private async commit(path: string): Promise<void> {
    const { files } = this.parts;
    const base = files.nextBase();
    await files.disk.renameLater(path, files.pathOf(base));
    await files.disk.syncDirectoryLater(files.names.dir);
    this.judge();
    const first = this.next?.sequence ?? Number.POSITIVE_INFINITY;
    const kept = files.incrementals.filter(({ sequence }) => sequence >= first);
    const incrementals = this.next === null || kept.length > 0 ? kept : [this.next];
    const history = files.files
      .filter((file) => !incrementals.includes(file))
      .map((file): ManifestFile => ({ ...file, type: "h" }));
    let isCertain = false;
    try {
      await files.replace([base, ...history, ...incrementals]);
      isCertain = true;
    } finally {
      if (files.base === base) this.parts.guarded(() => this.parts.committed(isCertain));
    }
  }

  private async tidy(): Promise<void> {
    const { files, keepsHistory } = this.parts;
    if (keepsHistory) return;
    try {
      await files.dropHistory();
    } catch (error) {
      // The next start does it.
      this.parts.notice(`Old AOF files stay for now: ${(error as Error).message}`);
    }
  }

  /** The old set stays in force: what this rewrite made goes, but for a file that the log is in by now. */
  private async cleanUp(): Promise<void> {
    const { files, log } = this.parts;
    log?.cancelSwitch();
    try {
      await this.writer?.discard();
    } catch {
      // What stays of the base is in nobody's way: the next one takes its place, or the next start deletes it.
    }
    if (this.hasBegun || this.next === null) return;
    this.nextFile?.close();
    try {
      if (files.files.includes(this.next))
        await files.replace(files.files.filter((file) => file !== this.next));
      await files.disk.removeLater(files.pathOf(this.next));
    } catch {
      // At the end of the set it does no harm, a torn line in it neither; in front of another file it would.
      files.forget(this.next);
    }
  }
}
