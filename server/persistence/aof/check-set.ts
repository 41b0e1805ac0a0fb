/**
 * Checks the files of an append-only directory, or a single one, without a core; says what a start would make of them, and what would
 * have to be cut for it to be a log again. As in a start, what is left is always a beginning of what was written, without a hole.
 */
import { basename } from "node:path";
import type { Disk } from "../disk.ts";
import { type Scan, scanFile } from "./check-scan.ts";
import type { FileSet } from "./file-set.ts";
import { isBlank, isRdb, limitOf } from "./load-set.ts";
import type { Extent } from "./log-file.ts";
import type { FileType } from "./manifest.ts";

export interface FileReport {
  name: string;
  path: string;
  type: FileType;
  /** Bytes on disk. */
  bytes: number;
  /** undefined if it could not be read as a log; then `unreadable` says why. */
  scan: Scan | undefined;
  unreadable: string | undefined;
  /** What the next file says of this one. */
  limit: Extent | undefined;
}

/** What would be cut away. */
export interface Cut {
  path: string;
  /** Offset in the file. */
  from: number;
  /** Bytes behind it. */
  bytes: number;
  /** Files behind it that go as a whole. */
  dropped: readonly FileReport[];
}

export interface SetReport {
  files: readonly FileReport[];
  /** `torn`: a start cuts by itself. `damaged`: a start refuses. `unreadable`: nothing can be cut to mend it. */
  verdict: "sound" | "torn" | "damaged" | "unreadable";
  /** undefined if there is nothing to be cut, or no cut would help. */
  cut: Cut | undefined;
}

/** The next file says that this one was longer. */
function isShort({ scan, limit }: FileReport): boolean {
  return scan !== undefined && limit !== undefined && scan.written < limit.size;
}

function isWhole(report: FileReport): boolean {
  return report.scan?.verdict.kind === "whole" && !isShort(report);
}

function reportOf(disk: Disk, path: string, type: FileType, limit?: Extent): FileReport {
  const head = { name: basename(path), path, type, limit };
  const unread = (bytes: number, unreadable: string) => {
    return { ...head, bytes, scan: undefined, unreadable };
  };
  if (!disk.exists(path)) return unread(0, "it is missing");
  const bytes = disk.size(path);
  if (isRdb(disk, path)) return unread(bytes, "it is in RDB format, which is not supported yet");
  return { ...head, bytes, scan: scanFile({ disk, path, limit }), unreadable: undefined };
}

/** Checks what a manifest names. O(bytes of the files) */
export function checkSet(files: FileSet): SetReport {
  const { disk } = files;
  const order = files.current;
  const reports = order.map((file, index) => {
    const limit = limitOf(files, file, order.slice(index + 1));
    return reportOf(disk, files.pathOf(file), file.type, limit);
  });
  const isBehindBlank = (index: number) => order.slice(index).every((file) => isBlank(files, file));
  return judge(reports, isBehindBlank);
}

/** Checks a file that no manifest is asked about. O(bytes) */
export function checkFile(disk: Disk, path: string): SetReport {
  return judge([reportOf(disk, path, "i")], () => true);
}

function judge(files: FileReport[], isBehindBlank: (index: number) => boolean): SetReport {
  const index = files.findIndex((file) => !isWhole(file));
  const first = files[index];
  if (first === undefined) return { files, verdict: "sound", cut: undefined };
  const { scan, path } = first;
  if (scan === undefined || files.some(({ unreadable }) => unreadable !== undefined))
    return { files, verdict: "unreadable", cut: undefined };
  const isTorn = scan.verdict.kind !== "damaged" && (isShort(first) || isBehindBlank(index + 1));
  const from = scan.goodBytes;
  const cut = { path, from, bytes: first.bytes - from, dropped: files.slice(index + 1) };
  return { files, verdict: isTorn ? "torn" : "damaged", cut };
}

/** Where a log is to be cut so that it holds nothing later than a second; or why that cannot be. */
export function findTime(report: SetReport, disk: Disk, seconds: number): Cut | string | undefined {
  let commands = 0;
  for (const [index, file] of report.files.entries()) {
    const { scan, path, limit } = file;
    if (scan === undefined) return `${file.name}: ${file.unreadable}`;
    const { later, verdict, beginsAtSeconds } = scanFile({
      disk,
      path,
      limit,
      untilSeconds: seconds,
    });
    if (later === undefined && verdict.kind !== "whole")
      return `AOF ${file.name} is not valid before timestamp ${seconds}`;
    // What a base without a date holds may be later than that.
    const isDated = file.type !== "b" || beginsAtSeconds !== undefined;
    if (later !== undefined) {
      if (commands + later.commands === 0)
        return `AOF ${file.name} has nothing before timestamp ${seconds}`;
      const dropped = report.files.slice(index + 1);
      return { path, from: later.at, bytes: file.bytes - later.at, dropped };
    }
    if (isDated) commands += scan.commands;
  }
  return undefined;
}
