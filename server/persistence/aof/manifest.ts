/**
 * The manifest of an append-only directory: which files make up the log, in Redis 7's format. Written whole, then renamed. Ours ends
 * with a comment that guards it; one without was written by Redis.
 *
 *   file appendonly.aof.2.base.aof seq 2 type b
 *   file appendonly.aof.3.incr.aof seq 3 type i
 *   #CRC:hhhhhhhh:offset
 */
import { join } from "node:path";
import { type Disk, type DiskFile, readWhole } from "../disk.ts";
import { addToSum, crcLine, parseAnnotation } from "./annotations.ts";
import { AofError } from "./errors.ts";

export type FileType = "b" | "i" | "h"; // base, incremental, history

export interface ManifestFile {
  name: string;
  sequence: number;
  type: FileType;
}

/** What a directory and its files are called. */
export interface LogNames {
  /** Absolute. */
  dir: string;
  /** appendfilename */
  prefix: string;
}

export function manifestPath({ dir, prefix }: LogNames): string {
  return join(dir, `${prefix}.manifest`);
}

export function formatManifest(files: readonly ManifestFile[]): string {
  const lines = files
    .map(({ name, sequence, type }) => `file ${name} seq ${sequence} type ${type}\n`)
    .join("");
  const sum = addToSum(0, Buffer.from(lines));
  return lines + crcLine(sum, lines.length);
}

/** @throws AofError naming the line */
export function parseManifest(text: string, path: string): ManifestFile[] {
  const files: ManifestFile[] = [];
  let at = 0;
  for (const [index, line] of text.split("\n").entries()) {
    const damaged = () =>
      new AofError(
        `Invalid AOF manifest file format: ${path}, line ${index + 1} at offset ${at} is damaged`,
      );
    const match = /^file (\S+) seq (\d+) type ([bih])\s*$/.exec(line);
    if (line.startsWith("#")) checkSum(text, at, `${line}\n`, damaged);
    else if (match !== null && !match[1]!.includes("/"))
      files.push({ name: match[1]!, sequence: Number(match[2]), type: match[3] as FileType });
    else if (line !== "") throw damaged();
    at += line.length + 1;
  }
  return files;
}

function checkSum(text: string, at: number, line: string, damaged: () => AofError): void {
  const annotation = parseAnnotation(line);
  if (annotation.kind === "other" || annotation.kind === "timestamp") return;
  const sum = addToSum(0, Buffer.from(text.slice(0, at), "latin1"));
  const isRight = annotation.kind === "crc" && annotation.sum === sum && annotation.offset === at;
  if (!isRight || at + line.length !== text.length) throw damaged();
}

/** @returns the files, empty if there is no manifest. @throws AofError */
export function readManifest(disk: Disk, names: LogNames): ManifestFile[] {
  const path = manifestPath(names);
  if (!disk.exists(path)) return [];
  return parseManifest(Buffer.from(readWhole(disk, path)).toString("latin1"), path);
}

function temporaryPath({ dir, prefix }: LogNames): string {
  return join(dir, `temp_${prefix}.manifest`);
}

/** Writes the temporary file. @returns it, not synced yet */
function writeTemporary(disk: Disk, names: LogNames, files: readonly ManifestFile[]): DiskFile {
  const file = disk.open(temporaryPath(names), "create");
  try {
    file.writeAt(Buffer.from(formatManifest(files), "latin1"), 0);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Replaces the manifest: the old one or the new one is there, whatever happens. */
export function writeManifest(disk: Disk, names: LogNames, files: readonly ManifestFile[]): void {
  const file = writeTemporary(disk, names, files);
  try {
    file.sync();
  } finally {
    file.close();
  }
  disk.rename(temporaryPath(names), manifestPath(names));
  disk.syncDirectory(names.dir);
}

/** The same with the syncs off this thread. */
export async function writeManifestLater(
  disk: Disk,
  names: LogNames,
  files: readonly ManifestFile[],
): Promise<void> {
  const file = writeTemporary(disk, names, files);
  try {
    await file.syncLater();
  } finally {
    file.close();
  }
  disk.rename(temporaryPath(names), manifestPath(names));
  await disk.syncDirectoryLater(names.dir);
}
