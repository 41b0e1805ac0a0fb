/**
 * `bundis --check-aof`: what redis-check-aof is for Redis, with its words where they fit. Explains the files of a log; mends them if asked
 * to, and keeps what it cuts.
 */
import { basename } from "node:path";
import { REAL_DISK, readWhole } from "../disk.ts";
import { parseAnnotation } from "./annotations.ts";
import { applyCut } from "./check-repair.ts";
import {
  type Cut,
  checkFile,
  checkSet,
  type FileReport,
  findTime,
  type SetReport,
} from "./check-set.ts";
import { Hindrance, type Target, targetOf } from "./check-target.ts";
import { AofError, causeOf } from "./errors.ts";
import { FileSet } from "./file-set.ts";
import { holderOf, lockDirectory } from "./lock.ts";
import type { LogNames } from "./manifest.ts";

/** The log is sound, or is now. */
const EXIT_SOUND = 0;
/** It is torn or damaged, and was left so. */
const EXIT_NOT_SOUND = 1;
/** It could not be judged or mended: wrong arguments, nothing there, in use, a format that is not supported. */
const EXIT_CANNOT = 2;

const USAGE =
  "Usage: bundis --check-aof [--fix|--truncate-to-timestamp $timestamp] <directory|file.manifest|file.aof>";

export interface CheckIo {
  print(line: string): void;
  /** @returns the answer, "" at the end of input */
  ask(question: string): string;
}

// ---- arguments

interface Wanted {
  path: string;
  fix: boolean;
  untilSeconds: number | undefined;
}

function parseArguments(args: readonly string[]): Wanted {
  const rest = [...args];
  let fix = false;
  let untilSeconds: number | undefined;
  const paths: string[] = [];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--fix") fix = true;
    else if (word === "--truncate-to-timestamp") {
      const seconds = rest.shift() ?? "";
      if (!/^\d{1,15}$/.test(seconds)) throw new Hindrance("Invalid timestamp, aborting...");
      untilSeconds = Number(seconds);
    } else paths.push(word);
  }
  const [path, ...more] = paths;
  if (path === undefined || more.length > 0 || (fix && untilSeconds !== undefined))
    throw new Hindrance(USAGE);
  return { path, fix, untilSeconds };
}

// ---- what is said of them

function describe({ scan, unreadable, type, name, bytes }: FileReport): string[] {
  if (scan === undefined) return [`AOF ${name}: ${unreadable}`];
  const { verdict, goodBytes, coveredBytes, commands, size, surplus } = scan;
  const room = bytes - size - surplus;
  const ok = verdict.kind === "whole" ? size : goodBytes;
  const lines = [
    `AOF analyzed: filename=${name}, size=${bytes}, ok_up_to=${ok}, diff=${bytes - ok}`,
    `  ${type === "b" ? "base" : "incremental"}, ${commands} commands, ${cover(coveredBytes, size)}`,
  ];
  if (verdict.kind === "damaged") lines.push(`  damaged at offset ${verdict.at}: ${verdict.why}`);
  if (verdict.kind === "torn")
    lines.push(
      `  torn: the last ${bytes - goodBytes} bytes, from offset ${goodBytes}: ${verdict.why}`,
    );
  if (surplus > 0)
    lines.push(`  ${surplus} bytes behind them are in the next file too: a start cuts them off`);
  if (room > 0) lines.push(`  the last ${room} bytes are room for what comes next`);
  return lines;
}

function cover(covered: number, size: number): string {
  if (size === 0) return "empty";
  if (covered === 0)
    return "no checksums: another server wrote it, damage inside values does not show";
  return covered === size ? "checksums to the end" : `checksums up to offset ${covered}`;
}

function summary({ verdict, cut, files }: SetReport): string {
  const of = files.length === 1 ? `AOF ${files[0]!.name}` : "The log";
  switch (verdict) {
    case "sound":
      return files.length === 1 ? `${of} is valid` : "All AOF files and manifest are valid";
    case "torn":
      return `${of} is not valid: ${lossOf(cut!)} torn at its end. A start with aof-load-truncated yes cuts that off, as --fix does.`;
    case "damaged":
      return `${of} is not valid: damaged. A server refuses to start with it. --fix cuts off ${lossOf(cut!)}; a backup or a replica may have more.`;
    case "unreadable":
      return `${of} cannot be mended here.`;
  }
}

function lossOf({ bytes, dropped }: Cut): string {
  if (dropped.length === 0) return `${bytes} bytes`;
  const behind = dropped.reduce((sum, file) => sum + file.bytes, 0);
  const names = dropped.map(({ name }) => name).join(", ");
  return `${bytes + behind} bytes (${behind} of them in ${names})`;
}

/** @throws AofError if the manifest is damaged: then it has to be written anew by hand, or taken from a backup */
function readSet(names: LogNames): FileSet {
  try {
    return FileSet.read(REAL_DISK, names);
  } catch (error) {
    if (!(error instanceof AofError)) throw error;
    const beside = REAL_DISK.list(names.dir).filter((name) => name.endsWith(".aof"));
    throw new AofError(`${error.message}. Beside it: ${beside.sort().join(", ") || "no files"}`);
  }
}

class Check {
  private readonly files: FileSet | undefined;

  constructor(
    private readonly target: Target,
    private readonly io: CheckIo,
  ) {
    if (target.names !== undefined) this.files = readSet(target.names);
  }

  /** Says what there is. */
  look(): SetReport {
    const { files, io } = this;
    const report = files === undefined ? checkFile(REAL_DISK, this.target.path) : checkSet(files);
    if (files === undefined) io.print("Start checking Old-Style AOF");
    else io.print(`Start checking Multi Part AOF, ${this.guardOfManifest()}`);
    for (const file of report.files) for (const line of describe(file)) io.print(line);
    if (report.files.length === 0) io.print("The manifest names no files");
    return report;
  }

  private guardOfManifest(): string {
    const text = Buffer.from(readWhole(REAL_DISK, this.target.path)).toString("latin1");
    const last = text.slice(text.lastIndexOf("\n", text.length - 2) + 1);
    const isGuarded = parseAnnotation(last).kind === "crc";
    return isGuarded ? "its manifest has a right checksum" : "its manifest has no checksum";
  }

  fix(report: SetReport): number {
    const { io } = this;
    io.print(summary(report));
    const { cut } = report;
    if (cut === undefined) return report.verdict === "sound" ? EXIT_SOUND : EXIT_CANNOT;
    if (!this.agreed(cut)) return EXIT_NOT_SOUND;
    this.cut(cut);
    io.print(`Successfully truncated AOF ${basename(cut.path)}`);
    return this.confirm();
  }

  truncate(report: SetReport, seconds: number): number {
    const { io } = this;
    const cut = findTime(report, REAL_DISK, seconds);
    if (typeof cut === "string") throw new Hindrance(`${cut}, aborting...`);
    if (cut === undefined) {
      io.print(`Truncate nothing in AOF ${report.files.at(-1)?.name} to timestamp ${seconds}`);
      io.print(summary(report));
      return report.verdict === "sound" ? EXIT_SOUND : EXIT_NOT_SOUND;
    }
    // Whole files are more than the name of the option says.
    if (cut.dropped.length > 0 && !this.agreed(cut)) return EXIT_NOT_SOUND;
    this.cut(cut);
    io.print(`Successfully truncated AOF ${basename(cut.path)} to timestamp ${seconds}`);
    return this.confirm();
  }

  private agreed(cut: Cut): boolean {
    const { io } = this;
    const { path, from, bytes, dropped } = cut;
    io.print(
      `This will shrink the AOF ${basename(path)} from ${from + bytes} bytes, with ${bytes} bytes, to ${from} bytes`,
    );
    for (const file of dropped)
      io.print(`and take ${file.name}, ${file.bytes} bytes, out of the log`);
    if (io.ask("Continue? [y/N]: ").toLowerCase().startsWith("y")) return true;
    io.print("Aborting...");
    return false;
  }

  private cut(cut: Cut): void {
    for (const name of applyCut(REAL_DISK, this.files, cut)) this.io.print(`Kept: ${name}`);
  }

  private confirm(): number {
    const report = this.look();
    this.io.print(summary(report));
    return report.verdict === "sound" ? EXIT_SOUND : EXIT_NOT_SOUND;
  }
}

function run({ path, fix, untilSeconds }: Wanted, io: CheckIo): number {
  const target = targetOf(path);
  const changes = fix || untilSeconds !== undefined;
  const holder = holderOf(target.dataDir);
  if (holder !== undefined && !changes)
    io.print(`The server with process id ${holder} is writing here: the end may look torn`);
  if (holder !== undefined && changes)
    throw new Hindrance(`The server with process id ${holder} is writing here, aborting...`);
  const unlock = changes ? lockDirectory(target.dataDir) : () => {};
  try {
    const check = new Check(target, io);
    const report = check.look();
    if (untilSeconds !== undefined) return check.truncate(report, untilSeconds);
    if (fix) return check.fix(report);
    io.print(summary(report));
    if (report.verdict === "unreadable") return EXIT_CANNOT;
    return report.verdict === "sound" ? EXIT_SOUND : EXIT_NOT_SOUND;
  } finally {
    unlock();
  }
}

/** @returns the exit code */
export function checkAof(args: readonly string[], io: CheckIo): number {
  try {
    return run(parseArguments(args), io);
  } catch (error) {
    io.print(error instanceof Hindrance ? error.message : causeOf(error));
    return error instanceof AofError ? EXIT_NOT_SOUND : EXIT_CANNOT;
  }
}
