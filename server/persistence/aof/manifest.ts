/** The manifest of an append-only directory: which files make up the log, in Redis 7's format. Written whole, then renamed. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { AofError } from "./errors.ts";

export interface LogFile {
  name: string;
  sequence: number;
  type: "b" | "i" | "h"; // base, incremental, history
}

export function formatManifest(files: readonly LogFile[]): string {
  return files
    .map(({ name, sequence, type }) => `file ${name} seq ${sequence} type ${type}\n`)
    .join("");
}

/** @throws AofError naming the line */
export function parseManifest(text: string, path: string): LogFile[] {
  const files: LogFile[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const match = line.match(/^file (\S+) seq (\d+) type ([bih])\s*$/);
    if (match === null || match[1]!.includes("/"))
      throw new AofError(`Invalid AOF manifest file format: ${path}, line ${index + 1}`);
    files.push({ name: match[1]!, sequence: Number(match[2]), type: match[3] as LogFile["type"] });
  }
  return files;
}

export function syncDirectory(dir: string): void {
  const fd = openSync(dir, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Replaces the manifest: the old one or the new one is there, whatever happens. */
export function writeManifest(dir: string, name: string, files: readonly LogFile[]): void {
  const temporary = join(dir, `temp_${name}`);
  const fd = openSync(temporary, "w");
  try {
    writeSync(fd, formatManifest(files));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, join(dir, name));
  syncDirectory(dir);
}

/** @returns the files, empty if there is no manifest. @throws AofError */
export function readManifest(dir: string, name: string): LogFile[] {
  const path = join(dir, name);
  return existsSync(path) ? parseManifest(readFileSync(path, "utf8"), path) : [];
}
