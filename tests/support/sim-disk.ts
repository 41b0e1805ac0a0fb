/**
 * A disk in memory. What was written is there at once; what a loss of power leaves of it is what syncs have covered, and by chance some
 * of the rest: a beginning of what was added to each file since, any sectors of what was written over, and a beginning of what
 * happened to names in a directory.
 *
 * `before` sees every step that changes something, and may throw in its place: a full disk, a failed sync, a crash.
 */
import { dirname } from "node:path";
import type { Disk, DiskFile, OpenFor } from "../../server/persistence/disk.ts";
import type { Random } from "./random.ts";

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

export type Step =
  | { kind: "open" | "write" | "sync" | "truncate" | "remove" | "syncDirectory"; path: string }
  | { kind: "rename"; path: string; to: string };

/** A failed call as Node reports it. */
export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** What is done off the thread. */
export type Later = "file sync" | "other";

/** What a sync covers: bytes as they were when it was asked for, and how short the file was since. */
interface Cover {
  bytes: Uint8Array<ArrayBuffer>;
  shortest: number;
  /** How many syncs were asked for before. */
  index: number;
}

class Inode {
  bytes = new Uint8Array(256);
  size = 0;
  /** What was there at the last sync. */
  safe = new Uint8Array(0);
  /** How short it was since. */
  shortest = Number.POSITIVE_INFINITY;
  /** Syncs that were asked for. */
  private readonly asked = new Set<Cover>();
  private syncs = 0;
  private lastSafe = -1;
  /** A sync failed: as on Linux, the next one says that all is well, and covers nothing of what that one was to cover. */
  isLost = false;

  get view(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  copy(): Inode {
    const copy = new Inode();
    copy.write(this.view, 0);
    copy.safe = this.safe;
    copy.shortest = this.shortest;
    return copy;
  }

  askSync(): Cover {
    const index = this.syncs++;
    const cover = { bytes: this.view.slice(), shortest: Number.POSITIVE_INFINITY, index };
    this.asked.add(cover);
    return cover;
  }

  /** A sync is over. */
  endSync(cover: Cover, isSafe: boolean): void {
    this.asked.delete(cover);
    if (!isSafe || cover.index < this.lastSafe) return;
    this.lastSafe = cover.index;
    this.safe = cover.bytes;
    this.shortest = cover.shortest;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      larger.set(this.view);
      this.bytes = larger;
    }
    if (position > this.size) this.bytes.fill(0, this.size, position);
    this.bytes.set(bytes, position);
    this.size = Math.max(this.size, end);
  }

  truncate(size: number): void {
    if (size > this.size) this.write(new Uint8Array(size - this.size), this.size);
    this.size = size;
    this.shortest = Math.min(this.shortest, size);
    for (const cover of this.asked) cover.shortest = Math.min(cover.shortest, size);
    // What is written from here on is written anew.
    if (size === 0) this.isLost = false;
  }
}

interface NameChange {
  path: string;
  /** null: the name has gone. */
  inode: Inode | null;
}

export class SimDisk implements Disk {
  /** Little, so that there is often too little. */
  readonly roomBytes = 4096;
  /** Called before each step; what it throws is what the caller of the disk gets. */
  before: (step: Step) => void = () => {};
  /** Runs what is done off the thread: at once, unless a test puts it off. */
  later: (work: () => void, kind: Later) => void = (work) => work();
  /** How many bytes of a write that fails are there all the same. */
  torn: (bytes: number) => number = () => 0;
  /** Names as they are, and as a directory's sync has left them. */
  private names = new Map<string, Inode>();
  private safeNames = new Map<string, Inode>();
  /** What happened to names since the last sync of their directory. */
  private changes: NameChange[] = [];
  /** Syncs of files so far. */
  syncs = 0;
  /** Up to where each file was given back from memory, in bytes. */
  readonly dropped = new Map<string, number>();

  private put(path: string, inode: Inode | null): void {
    if (inode === null) this.names.delete(path);
    else this.names.set(path, inode);
    this.changes.push({ path, inode });
  }

  private inode(path: string): Inode {
    const inode = this.names.get(path);
    if (inode === undefined) throw diskError("ENOENT");
    return inode;
  }

  exists(path: string): boolean {
    return this.names.has(path);
  }

  size(path: string): number {
    return this.inode(path).size;
  }

  list(dir: string): string[] {
    const inside = [...this.names.keys()].filter((path) => dirname(path) === dir);
    return inside.map((path) => path.slice(dir.length + 1));
  }

  makeDirectory(): void {}

  lock(): () => void {
    return () => {};
  }

  rename(from: string, to: string): void {
    this.before({ kind: "rename", path: from, to });
    const inode = this.inode(from);
    // One step for a journal: never neither, never both.
    this.names.delete(from);
    this.names.set(to, inode);
    this.changes.push({ path: to, inode }, { path: from, inode: null });
  }

  renameLater(from: string, to: string): Promise<void> {
    return this.soon(() => this.rename(from, to));
  }

  remove(path: string): void {
    this.before({ kind: "remove", path });
    if (this.names.has(path)) this.put(path, null);
  }

  removeLater(path: string): Promise<void> {
    return this.soon(() => this.remove(path));
  }

  open(path: string, how: OpenFor): DiskFile {
    if (how !== "read") this.before({ kind: "open", path });
    if (!this.names.has(path)) {
      if (how === "read" || how === "change") throw diskError("ENOENT");
      this.put(path, new Inode());
    }
    const inode = this.inode(path);
    if (how === "create") inode.truncate(0);
    return new SimFile(this, path, inode);
  }

  syncDirectory(path: string): void {
    this.before({ kind: "syncDirectory", path });
    this.cover(this.changes.length);
  }

  /** Covers what had happened when it was asked for, no more. */
  syncDirectoryLater(path: string): Promise<void> {
    const covered = new Set(this.changes);
    return this.soon(() => {
      this.before({ kind: "syncDirectory", path });
      this.cover(this.changes.filter((change) => covered.has(change)).length);
    });
  }

  private cover(count: number): void {
    for (const { path, inode } of this.changes.splice(0, count))
      if (inode === null) this.safeNames.delete(path);
      else this.safeNames.set(path, inode);
  }

  /** Makes everything safe. */
  settle(): void {
    this.cover(this.changes.length);
    for (const inode of this.names.values()) inode.endSync(inode.askSync(), true);
  }

  /** Does something later; a failure rejects. */
  soon(work: () => void, kind: Later = "other"): Promise<void> {
    return new Promise((resolve, reject) =>
      this.later(() => {
        try {
          work();
          resolve();
        } catch (error) {
          reject(error);
        }
      }, kind),
    );
  }

  /** All bytes of a file. */
  contents(path: string): Uint8Array {
    return this.inode(path).view.slice();
  }

  /** Bytes of a file that a loss of power leaves for certain. */
  safeBytes(path: string): number {
    const { safe, view } = this.inode(path);
    const length = Math.min(safe.length, view.length);
    const changed = safe.subarray(0, length).findIndex((byte, at) => byte !== view[at]);
    return changed < 0 ? length : changed;
  }

  /** Puts a file there, safe. */
  place(path: string, bytes: Uint8Array): void {
    const inode = new Inode();
    inode.write(bytes, 0);
    inode.safe = bytes.slice();
    this.names.set(path, inode);
    this.safeNames.set(path, inode);
  }

  /** Has the files of another from here on. */
  become(other: SimDisk): void {
    this.names = other.names;
    this.safeNames = other.safeNames;
    this.changes = other.changes;
  }

  /** What is found after the process was killed: everything, and no more of it is safe than was. That a sync has failed nobody knows. */
  afterKill(): SimDisk {
    const left = new SimDisk();
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode) => {
      const copy = copies.get(inode) ?? inode.copy();
      copies.set(inode, copy);
      return copy;
    };
    for (const [path, inode] of this.names) left.names.set(path, copyOf(inode));
    for (const [path, inode] of this.safeNames) left.safeNames.set(path, copyOf(inode));
    left.changes = this.changes.map(({ path, inode }) => ({ path, inode: inode && copyOf(inode) }));
    return left;
  }

  /** What is found after a loss of power. */
  afterPowerLoss(random: Random): SimDisk {
    const left = new SimDisk();
    const names = new Map(this.safeNames);
    let kept = random.below(this.changes.length + 1);
    // A rename is two changes and one step.
    const next = this.changes[kept];
    if (next !== undefined && next.inode === null && kept > 0) kept += 1;
    for (const { path, inode } of this.changes.slice(0, kept))
      if (inode === null) names.delete(path);
      else names.set(path, inode);
    for (const [path, inode] of names) left.place(path, remains(inode, random));
    return left;
  }
}

/** Any sectors of what was written over since the sync, and a beginning of what was added; or what was cut off is there again. */
function remains({ safe, view, shortest }: Inode, random: Random): Uint8Array {
  const kept = Math.min(safe.length, shortest);
  const isCutUndone = kept < safe.length && random.chance(0.5);
  // Of a file that the kernel has not come to yet there is nothing.
  const most = isCutUndone || random.chance(0.2) ? 0 : view.length - kept;
  const added = random.chance(0.3) ? most : random.below(most + 1);
  const found = isCutUndone ? safe.slice() : view.slice(0, kept + added);
  const share = random.pick([0, 0.5, 0.9, 1]);
  for (let at = 0; at < kept; at += SECTOR_BYTES) {
    const end = Math.min(at + SECTOR_BYTES, kept);
    if (random.chance(share)) found.set(view.subarray(at, end), at);
    else if (!Buffer.from(safe.subarray(at, end)).equals(view.subarray(at, end))) {
      found.set(safe.subarray(at, end), at);
      // Nor is what was added in that sector there.
      if (!isCutUndone) found.fill(0, end, at + SECTOR_BYTES);
    }
  }
  if (isCutUndone || !random.chance(0.2)) return found;
  // The size reached the disk, the bytes did not.
  const longer = new Uint8Array(found.length + random.below(view.length - found.length + 1));
  longer.set(found);
  return longer;
}

class SimFile implements DiskFile {
  constructor(
    private readonly disk: SimDisk,
    private readonly path: string,
    private readonly inode: Inode,
  ) {}

  size(): number {
    return this.inode.size;
  }

  isAt(path: string): boolean {
    return this.disk.exists(path);
  }

  append(bytes: Uint8Array): void {
    this.writeAt(bytes, this.inode.size);
  }

  appendLater(bytes: Uint8Array): Promise<void> {
    return this.disk.soon(() => this.append(bytes));
  }

  writeAt(bytes: Uint8Array, position: number): void {
    try {
      this.disk.before({ kind: "write", path: this.path });
    } catch (error) {
      this.inode.write(bytes.subarray(0, this.disk.torn(bytes.length)), position);
      throw error;
    }
    this.inode.write(bytes, position);
  }

  writeLater(bytes: Uint8Array, position: number): Promise<void> {
    return this.disk.soon(() => this.writeAt(bytes, position));
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const part = this.inode.view.subarray(position, position + length);
    into.set(part, at);
    return part.length;
  }

  truncate(size: number): void {
    this.disk.before({ kind: "truncate", path: this.path });
    this.inode.truncate(size);
  }

  sync(): void {
    this.cover(this.inode.askSync());
  }

  /** Covers what was there when it was asked for, no more. */
  syncLater(): Promise<void> {
    const covered = this.inode.askSync();
    return this.disk.soon(() => this.cover(covered), "file sync");
  }

  /** A kernel would keep what no sync has covered: to ask for it is an error of ours. */
  dropCached(begin: number, length: number): void {
    const { disk, path } = this;
    if (disk.safeBytes(path) < begin + length) throw new Error(`${path} is not safe up to there`);
    disk.dropped.set(path, begin + length);
  }

  private cover(covered: Cover): void {
    const { disk, inode } = this;
    try {
      disk.before({ kind: "sync", path: this.path });
    } catch (error) {
      inode.isLost = true;
      inode.endSync(covered, false);
      throw error;
    }
    disk.syncs++;
    inode.endSync(covered, !inode.isLost);
  }

  close(): void {}
}
