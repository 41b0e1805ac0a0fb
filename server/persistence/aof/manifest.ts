/**
 * The manifest of an append-only directory: which files make up the log, in Redis 7's format. Written whole, then renamed. Ours ends
 * with a comment that guards it; one without was written by Redis.
 *
 *   file appendonly.aof.2.base.aof seq 2 type b
 *   file appendonly.aof.3.incr.aof seq 3 type i
 *   #CRC:hhhhhhhh:offset
 */
import { join } from "node:path";
import { byteString, quoted, splitWords, unicode } from "../../config/syntax.ts";
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

/** Longer lines are refused, as by Redis. */
const LINE_MAX_BYTES = 1024;
const SEQUENCE = /^[1-9]\d{0,14}$/;

export function manifestPath({ dir, prefix }: LogNames): string {
  return join(dir, `${prefix}.manifest`);
}

/** A name as Redis writes it: in quotes where it needs them. */
function written(name: string): string {
  const bytes = byteString(name);
  return /^[!#-&(-[\]-~]+$/.test(bytes) ? bytes : quoted(bytes);
}

/** Bytes of a manifest. */
export function formatManifest(files: readonly ManifestFile[]): string {
  const lines = files
    .map(({ name, sequence, type }) => `file ${written(name)} seq ${sequence} type ${type}\n`)
    .join("");
  const sum = addToSum(0, Buffer.from(lines, "latin1"));
  return lines + crcLine(sum, lines.length);
}

/** @throws AofError naming the line, in Redis's words */
export function parseManifest(text: string, path: string): ManifestFile[] {
  const files: ManifestFile[] = [];
  const lines = text.split("\n");
  // What stands behind the last line end is no line.
  if (lines.at(-1) === "") lines.pop();
  let at = 0;
  for (const [index, line] of lines.entries()) {
    const fault = (what = "Invalid AOF manifest file format") =>
      new AofError(`${what}: ${path}, line ${index + 1} at offset ${at}`);
    if (line.startsWith("#")) checkSum(text, at, `${line}\n`, fault);
    else files.push(fileOf(line, files, fault));
    at += line.length + 1;
  }
  if (files.length === 0) throw new AofError(`Found an empty AOF manifest: ${path} at offset 0`);
  return files;
}

function fileOf(
  line: string,
  before: readonly ManifestFile[],
  fault: (what?: string) => AofError,
): ManifestFile {
  if (line.length >= LINE_MAX_BYTES) throw fault("The AOF manifest file contains too long line");
  const words = splitWords(line) ?? [];
  const values = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) values.set(words[i]!.toLowerCase(), words[i + 1]!);
  const name = unicode(values.get("file") ?? "");
  const digits = values.get("seq") ?? "";
  const type = values.get("type") ?? "";
  if (words.length % 2 !== 0 || name === "" || !SEQUENCE.test(digits) || type === "") throw fault();
  if (!isFileType(type)) throw fault("Unknown AOF file type");
  if (name.includes("/")) throw fault("File can't be a path, just a filename");
  const sequence = Number(digits);
  if (type === "b" && before.some((file) => file.type === "b"))
    throw fault("Found duplicate base file information");
  const last = before.findLast((file) => file.type === "i");
  if (type === "i" && last !== undefined && last.sequence >= sequence)
    throw fault("Found a non-monotonic sequence number");
  return { name, sequence, type };
}

function isFileType(text: string): text is FileType {
  return text === "b" || text === "i" || text === "h";
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

/** Replaces the manifest: the old one or the new one is there, whatever happens. Safe when the directory is synced. */
export function writeManifest(disk: Disk, names: LogNames, files: readonly ManifestFile[]): void {
  const file = writeTemporary(disk, names, files);
  try {
    file.sync();
  } finally {
    file.close();
  }
  disk.rename(temporaryPath(names), manifestPath(names));
}

/** The same off this thread, as far as it may take long. */
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
  await disk.renameLater(temporaryPath(names), manifestPath(names));
}
