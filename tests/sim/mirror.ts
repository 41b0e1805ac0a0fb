/**
 * Reads along what a process writes to its log: behind each turn the files, and what is kept to be written behind them, are the units that
 * were logged, whole ones, in order, none left out and none twice (MECHANISMS 3.14). Bases are compared with memory as it was when
 * they were begun (2.15).
 */
import type { Core } from "../../server/core/core.ts";
import { lastCrcLine, parseAnnotation } from "../../server/persistence/aof/annotations.ts";
import type { FileSet } from "../../server/persistence/aof/file-set.ts";
import type { LogFile } from "../../server/persistence/aof/log-file.ts";
import { BUILDS } from "../support/core.ts";
import { type CoreHarness, createHarness } from "../support/core-harness.ts";
import { framesIn, replayInto } from "../support/dataset.ts";
import type { SimDisk } from "../support/sim-disk.ts";
import { type LoggedCommand, type Shadow, stateOf } from "./shadow.ts";

/** What is looked at of a log. */
export interface LogInside {
  readonly current: LogFile;
  /** What the current one follows, until it is synced. */
  readonly previous: LogFile | null;
  readonly block: { view(): Uint8Array };
  /** A block is on its way to the file. */
  readonly writing: object | null;
}

/** How far a file was read: behind so many bytes of it so many units are there. */
interface Mark {
  offset: number;
  units: number;
}

interface Reading {
  readonly path: string;
  readonly sequence: number;
  marks: Mark[];
  /** Selected behind the last mark. */
  db: number;
}

let harness: CoreHarness | undefined;

/** What bases are loaded into, one for all histories. */
export function harnessForBases(): CoreHarness {
  harness ??= createHarness({ wasmPath: BUILDS.release });
  return harness;
}

export class Mirror {
  private readings: Reading[] = [];
  /** Units behind which the last snapshot was begun, and what there was. */
  private snapshot = { units: 0, state: "" };

  constructor(
    private readonly shadow: Shadow,
    private readonly disk: SimDisk,
    private readonly harness: CoreHarness,
    private readonly databases: number,
  ) {}

  /** Sees each snapshot begin. */
  watch(core: Core): void {
    const begin = core.snapshotBegin.bind(core);
    core.snapshotBegin = () => {
      const begun = begin();
      if (begun === 1)
        this.snapshot = { units: this.shadow.count, state: stateOf(core, this.databases) };
      return begun;
    };
  }

  /** The log goes on behind what was loaded. */
  start({ current }: LogInside): void {
    const mark = { offset: current.size, units: this.shadow.count };
    const { path, entry } = current;
    this.readings = [{ path, sequence: entry.sequence, marks: [mark], db: -1 }];
  }

  /** Behind a turn. @throws Error where the log is not what was logged */
  compare(log: LogInside): void {
    this.goOn();
    const last = this.follow(log.current);
    if (log.writing !== null) return;
    const kept = { ...last, marks: [last.marks.at(-1)!] };
    this.read(kept, log.block.view(), 0);
    const { units } = kept.marks.at(-1)!;
    if (units !== this.shadow.count)
      throw new Error(`the log has ${units} of ${this.shadow.count} units`);
  }

  /** Units that the kernel has; or, if power may be lost, those that are there for certain. Behind `compare` */
  kept({ current, previous }: LogInside, isPowerLost: boolean): number {
    const last = this.readings.at(-1)!;
    if (!isPowerLost) return last.marks.at(-1)!.units;
    const before = previous === null ? undefined : this.readings.at(-2);
    // The one before comes first, unless a base holds what it had.
    if (before?.path === previous?.path && before !== undefined && this.disk.exists(before.path))
      if (this.disk.safeBytes(before.path) < before.marks.at(-1)!.offset)
        return this.safeOf(before);
    return current.path === last.path ? this.safeOf(last) : 0;
  }

  private safeOf({ path, marks }: Reading): number {
    const bytes = this.disk.safeBytes(path);
    return (marks.findLast(({ offset }) => offset <= bytes) ?? marks[0]!).units;
  }

  /** What was added to the file before another one took its place. */
  private goOn(): void {
    const last = this.readings.at(-1)!;
    if (this.disk.exists(last.path)) this.readFile(last, this.whole(last));
  }

  /** What a torn write has left at the end of a file does not count. */
  private whole({ path, marks }: Reading): number {
    const bytes = this.disk.contents(path);
    return Math.max(lastCrcLine(bytes, bytes.length)?.end ?? 0, marks.at(-1)!.offset);
  }

  private follow(current: LogFile): Reading {
    const { path, entry } = current;
    const last = this.readings.at(-1)!;
    if (last.path === path) {
      this.readFile(last, current.size);
      return last;
    }
    const line = Buffer.from(this.disk.contents(path)).toString("latin1").split("\n", 1)[0];
    const previous = parseAnnotation(`${line}\n`);
    const units =
      previous.kind === "previous"
        ? this.unitsAt(previous.sequence, previous.size)
        : this.snapshot.units;
    const reading = { path, sequence: entry.sequence, marks: [{ offset: 0, units }], db: -1 };
    this.readings.push(reading);
    this.readFile(reading, current.size);
    return reading;
  }

  private unitsAt(sequence: number, size: number): number {
    const reading = this.readings.findLast((other) => other.sequence === sequence);
    const mark = reading?.marks.findLast(({ offset }) => offset <= size);
    if (mark === undefined) throw new Error(`a file follows one that nobody has seen: ${sequence}`);
    return mark.units;
  }

  private readFile(reading: Reading, size: number): void {
    const from = reading.marks.at(-1)!.offset;
    if (size <= from) return;
    const bytes = this.disk.contents(reading.path).subarray(from, size);
    this.read(reading, bytes, size);
  }

  /** Compares what was added with the units that come next. */
  private read(reading: Reading, bytes: Uint8Array, end: number): void {
    const { marks, path } = reading;
    const start = marks.at(-1)!.offset;
    let { units } = marks.at(-1)!;
    let open: LoggedCommand[] | null = null;
    for (const frame of framesIn(bytes)) {
      const { words } = frame;
      const [name] = words;
      if (name === "SELECT" && words.length === 2) {
        reading.db = Number(words[1]);
        continue;
      }
      if (name === "MULTI") {
        open = [];
        continue;
      }
      const command = { db: reading.db, words };
      if (open !== null && name !== "EXEC") {
        open.push(command);
        continue;
      }
      this.judge(open ?? [command], units++, path);
      open = null;
      marks.push({ offset: start + frame.end, units });
    }
    if (open !== null) throw new Error(`a unit in ${path} has no end`);
    marks.push({ offset: end, units });
  }

  private judge(unit: readonly LoggedCommand[], index: number, path: string): void {
    const logged = this.shadow.units[index];
    if (!isSame(unit, logged))
      throw new Error(
        `unit ${index} in ${path} is not what was logged: ${shown(unit)} and not ${shown(logged)}`,
      );
  }

  /** A rewrite has ended: its base is what memory was when it began. @throws Error */
  compareBase(files: FileSet): void {
    const { base } = files;
    if (base === undefined) throw new Error("a rewrite has ended, and there is no base");
    const { harness } = this;
    harness.client.flags = 0;
    harness.client.db = 0;
    harness.run("FLUSHALL", "SYNC");
    replayInto(harness, this.disk.contents(files.pathOf(base)));
    const found = stateOf(harness.core, this.databases);
    if (found !== this.snapshot.state)
      throw new Error(
        `${base.name} is not what memory was when it was begun:\n${found}\n${this.snapshot.state}`,
      );
  }
}

function isSame(unit: readonly LoggedCommand[], logged?: readonly LoggedCommand[]): boolean {
  return (
    logged?.length === unit.length &&
    unit.every(({ db, words }, index) => {
      const other = logged[index]!;
      return (
        other.db === db &&
        other.words.length === words.length &&
        words.every((word, at) => word === other.words[at])
      );
    })
  );
}

function shown(unit: readonly LoggedCommand[] | undefined): string {
  return JSON.stringify(unit)?.slice(0, 200);
}
