/**
 * Loads the files of an append-only directory in order. What a crash or a loss of power cut off is cut here too, with a warning that names
 * file, offset and bytes, so that what is loaded is always a beginning of what was written, without a hole: a file behind a torn
 * one goes with it (MECHANISMS 3.6).
 */
import type { LogLevel } from "../../observability/log.ts";
import type { Disk } from "../disk.ts";
import { type Previous, parseAnnotation } from "./annotations.ts";
import { AofError } from "./errors.ts";
import type { FileSet } from "./file-set.ts";
import { type Loaded, loadFile, type ReplayTarget } from "./loader.ts";
import type { Extent } from "./log-file.ts";
import type { ManifestFile } from "./manifest.ts";
import { contentsOf } from "./room.ts";

const RDB_MAGIC = "REDIS";
const FIRST_LINE_BYTES = 128;

export interface LoadSetOptions {
  files: FileSet;
  target: ReplayTarget;
  /** aof-load-truncated */
  mayCut: boolean;
  /** Where Redis before 7 keeps its log. */
  singleFile: string;
  log(level: LogLevel, text: string): void;
  /** Told how many bytes there are. */
  expect(bytes: number): void;
  /** Monotonic. */
  nowUs(): number;
}

/** Loads in steps. @returns what is known of the last incremental file, undefined if there is none. @throws AofError */
export function* loadSet(options: LoadSetOptions): Generator<void, Extent | undefined> {
  const { files, target } = options;
  adoptSingleFile(options);
  options.expect(files.bytes());
  const order = files.current;
  let last: Extent | undefined;
  for (const [index, file] of order.entries()) {
    const later = order.slice(index + 1);
    const path = files.pathOf(file);
    if (!files.disk.exists(path))
      throw new AofError(
        `Can't open the append only file ${path} that the manifest names: No such file or directory`,
      );
    refuseRdb(files.disk, path);
    target.select(0);
    const limit = limitOf(files, file, later);
    const startUs = options.nowUs();
    const loaded = yield* loadFile({ disk: files.disk, path, target, ...(limit && { limit }) });
    const seconds = ((options.nowUs() - startUs) / 1e6).toFixed(3);
    const kind = file.type === "b" ? "base" : "incr";
    options.log("notice", `DB loaded from ${kind} file ${file.name}: ${seconds} seconds`);
    const { end, sum } = loaded;
    if (file.type === "i") last = { size: end, sum };
    tellOfCover(options, file, loaded);
    const expected = limit?.size ?? loaded.size;
    if (end === expected) {
      cutSuperseded(options, path, loaded);
      continue;
    }
    cutTorn(options, { path, later, loaded, missing: limit !== undefined });
    break;
  }
  return last;
}

/** Where a file ends as its successor says, undefined if none says so. */
export function limitOf(
  files: FileSet,
  file: ManifestFile,
  later: readonly ManifestFile[],
): Extent | undefined {
  if (file.type !== "i") return undefined;
  for (const other of later) {
    const previous = previousOf(files, other);
    if (previous?.sequence === file.sequence) return previous;
  }
  return undefined;
}

/** What the file's first line says of another file, undefined if it is no such line. */
function previousOf(files: FileSet, file: ManifestFile): Previous | undefined {
  const line = firstLine(files, file);
  if (!line.startsWith("#PREV:")) return undefined;
  const annotation = parseAnnotation(line);
  return annotation.kind === "previous" ? annotation : undefined;
}

function firstLine(files: FileSet, file: ManifestFile): string {
  const path = files.pathOf(file);
  if (!files.disk.exists(path)) return "";
  const bytes = new Uint8Array(FIRST_LINE_BYTES);
  const opened = files.disk.open(path, "read");
  const count = opened.read(bytes, 0, bytes.length, 0);
  opened.close();
  const text = Buffer.from(bytes.subarray(0, count)).toString("latin1");
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end + 1);
}

/** A file that was prepared for a rewrite, and nothing that counts was written to it: no whole line, zeros behind what there is. */
export function isBlank(files: FileSet, file: ManifestFile): boolean {
  if (files.sizeOf(file) === 0) return true;
  const opened = files.disk.open(files.pathOf(file), "read");
  const { written } = contentsOf(opened);
  opened.close();
  const line = firstLine(files, file).slice(0, written);
  return written === line.length && !line.endsWith("\n");
}

/** Whether a file begins as Redis's snapshots do. */
export function isRdb(disk: Disk, path: string): boolean {
  const magic = new Uint8Array(RDB_MAGIC.length);
  const file = disk.open(path, "read");
  file.read(magic, 0, magic.length, 0);
  file.close();
  return Buffer.from(magic).toString("latin1") === RDB_MAGIC;
}

function refuseRdb(disk: Disk, path: string): void {
  if (isRdb(disk, path))
    throw new AofError(
      `${path} is in RDB format, which is not supported yet: rewrite it on the other server with aof-use-rdb-preamble no`,
    );
}

/** Says what no checksum covers; a base of ours is covered to its end. */
function tellOfCover(options: LoadSetOptions, file: ManifestFile, loaded: Loaded): void {
  const { coveredBytes, end, size, isOwnBase } = loaded;
  const path = options.files.pathOf(file);
  if (isOwnBase && coveredBytes < size)
    throw new AofError(
      `Bad file format reading the append only file ${path}: no checksum behind offset ${coveredBytes}, its end is missing`,
    );
  if (coveredBytes >= end || end === 0) return;
  const what = coveredBytes === 0 ? "" : ` behind offset ${coveredBytes}`;
  options.log(
    "notice",
    `The append only file ${path} has no checksums${what}: another server wrote it, damage would not be found there`,
  );
}

/** What a file had behind the point that its successor names was written again there. */
function cutSuperseded(
  { files, log }: LoadSetOptions,
  path: string,
  { end, surplus }: Loaded,
): void {
  if (surplus === 0) return;
  log("notice", `The last ${surplus} bytes of ${path} are in the next file too: they are cut`);
  truncate(files.disk, path, end);
}

function truncate(disk: Disk, path: string, size: number): void {
  const file = disk.open(path, "change");
  file.truncate(size);
  file.sync();
  file.close();
}

interface TornFile {
  path: string;
  later: readonly ManifestFile[];
  loaded: Loaded;
  /** Its successor says that it was longer. */
  missing: boolean;
}

/** Cuts the torn end, and the files behind it. @throws AofError if that may not be */
function cutTorn(options: LoadSetOptions, torn: TornFile): void {
  const { files, log } = options;
  const { path, later, loaded } = torn;
  const bytes = loaded.size - loaded.end;
  const mayBeTorn = torn.missing || later.every((other) => isBlank(files, other));
  if (!options.mayCut || !mayBeTorn)
    throw new AofError(
      `Unexpected end of file reading the append only file ${path}: the last ${bytes} bytes, from offset ${loaded.end}, are no whole command`,
    );
  if (bytes > 0) {
    log(
      "warning",
      `!!! Warning: short read while loading the AOF file ${path}: the last ${bytes} bytes, from offset ${loaded.end}, are cut !!!`,
    );
    truncate(files.disk, path, loaded.end);
  }
  if (later.length === 0) return;
  const names = later.map(({ name }) => name).join(", ");
  log("warning", `!!! Warning: what was written behind them is cut too: ${names} !!!`);
  files.replaceNow(files.files.filter((other) => !later.includes(other)));
  for (const other of later) files.disk.remove(files.pathOf(other));
}

/** The one file of Redis before 7 becomes the base. The manifest comes first: it says what is meant if the rest does not happen. */
function adoptSingleFile({ files, singleFile }: LoadSetOptions): void {
  if (!files.disk.exists(singleFile)) return;
  const base: ManifestFile = { name: files.names.prefix, sequence: 1, type: "b" };
  const [only, ...more] = files.files;
  const isHalfDone = only?.name === base.name && more.length === 0;
  if (files.isOnDisk && !(isHalfDone && !files.disk.exists(files.pathOf(base)))) return;
  refuseRdb(files.disk, singleFile);
  if (!files.isOnDisk) files.replaceNow([base]);
  files.disk.rename(singleFile, files.pathOf(base));
  files.disk.syncDirectory(files.names.dir);
}
