/** Which files `bundis --check-aof` is asked about: a data directory, a log's directory, a manifest, or one file. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { REAL_DISK } from "../disk.ts";
import type { LogNames } from "./manifest.ts";

const MANIFEST = ".manifest";
const DEFAULT_DIRECTORY = "appendonlydir";
const MANIFEST_LINE = /^(#[^\n]*\n)*file /;

/** Nothing can be said or done; the message says why. */
export class Hindrance extends Error {}

export interface Target {
  /** undefined: one file that no manifest is asked about. */
  names: LogNames | undefined;
  path: string;
  /** Where a server that writes to them has its lock. */
  dataDir: string;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** @throws Hindrance if it is not clear */
export function targetOf(path: string): Target {
  if (!REAL_DISK.exists(path))
    throw new Hindrance(`Cannot open file ${path}: No such file or directory`);
  if (isDirectory(path)) return targetOf(findManifest(path));
  if (!isManifest(path)) {
    const dir = dirname(path);
    const isInSet = manifestsIn(dir).length > 0;
    return { names: undefined, path, dataDir: isInSet ? dirname(dir) : dir };
  }
  if (!path.endsWith(MANIFEST)) throw new Hindrance(`The name of a manifest ends in ${MANIFEST}`);
  const names = { dir: dirname(path), prefix: basename(path, MANIFEST) };
  return { names, path, dataDir: dirname(names.dir) };
}

function isManifest(path: string): boolean {
  if (path.endsWith(MANIFEST)) return true;
  const head = new Uint8Array(1024);
  const file = REAL_DISK.open(path, "read");
  const count = file.read(head, 0, head.length, 0);
  file.close();
  return MANIFEST_LINE.test(Buffer.from(head.subarray(0, count)).toString("latin1"));
}

function manifestsIn(dir: string): string[] {
  const isOne = (name: string) => name.endsWith(MANIFEST) && !name.startsWith("temp");
  return readdirSync(dir)
    .filter(isOne)
    .map((name) => join(dir, name));
}

/** The manifest in a log's directory, or in one that lies in a data directory; else the one file of Redis before 7. */
function findManifest(dir: string): string {
  const inside = readdirSync(dir).map((name) => join(dir, name));
  const usual = join(dir, DEFAULT_DIRECTORY);
  const directories = inside.filter((path) => path !== usual && isDirectory(path));
  for (const place of [[dir], inside.includes(usual) ? [usual] : [], directories]) {
    const [manifest, ...more] = place.flatMap(manifestsIn);
    if (more.length > 0)
      throw new Hindrance(`Several manifests lie in ${dir}: name the one that is meant`);
    if (manifest !== undefined) return manifest;
  }
  const [single, ...more] = inside.filter((path) => path.endsWith(".aof"));
  if (single === undefined || more.length > 0)
    throw new Hindrance(`No manifest and no single .aof file in ${dir}`);
  return single;
}
