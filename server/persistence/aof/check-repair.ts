/** Cuts a log where a check says so. What is cut stays beside it under another name. */
import { dirname } from "node:path";
import { type Disk, readWhole } from "../disk.ts";
import type { Cut } from "./check-set.ts";
import type { FileSet } from "./file-set.ts";
import { manifestPath } from "./manifest.ts";

const COPY_BYTES = 1 << 20;

/** A name beside this one that is not taken. */
function freeName(disk: Disk, path: string): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? path : `${path}.${n}`;
    if (!disk.exists(name)) return name;
  }
}

function store(disk: Disk, path: string, bytes: Uint8Array): string {
  const name = freeName(disk, path);
  const file = disk.open(name, "create");
  file.writeAt(bytes, 0);
  file.sync();
  file.close();
  return name;
}

/** Copies a file's end. @returns where it is kept */
function keepEnd(disk: Disk, { path, from, bytes }: Cut): string {
  const name = freeName(disk, `${path}.cut-from-${from}`);
  const source = disk.open(path, "read");
  const copy = disk.open(name, "create");
  const block = new Uint8Array(COPY_BYTES);
  for (let done = 0; done < bytes; ) {
    const count = source.read(block, 0, block.length, from + done);
    if (count === 0) break;
    copy.writeAt(block.subarray(0, count), done);
    done += count;
  }
  copy.sync();
  copy.close();
  source.close();
  return name;
}

/** Cuts, and keeps what is cut beside it. @returns what is kept where */
export function applyCut(disk: Disk, files: FileSet | undefined, cut: Cut): string[] {
  const kept: string[] = [];
  if (cut.bytes > 0) kept.push(keepEnd(disk, cut));
  if (files !== undefined && cut.dropped.length > 0) {
    const path = manifestPath(files.names);
    kept.push(store(disk, `${path}.before-cut`, readWhole(disk, path)));
    const gone = new Set(cut.dropped.map(({ path }) => path));
    files.replaceNow(files.files.filter((file) => !gone.has(files.pathOf(file))));
  }
  const file = disk.open(cut.path, "change");
  file.truncate(cut.from);
  file.sync();
  file.close();
  for (const { path } of cut.dropped) {
    const name = freeName(disk, `${path}.cut`);
    disk.rename(path, name);
    kept.push(name);
  }
  disk.syncDirectory(dirname(cut.path));
  return kept;
}
