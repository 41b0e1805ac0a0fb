/**
 * The files of an append-only directory and their manifest, as it is on disk. Whoever changes the set writes a new manifest; two that are
 * being written at once would overwrite each other, so the second is refused.
 */
import { join } from "node:path";
import type { Disk } from "../disk.ts";
import { BASE_LINE } from "./annotations.ts";
import { AofError, causeOf } from "./errors.ts";
import {
  type LogNames,
  type ManifestFile,
  manifestPath,
  readManifest,
  writeManifest,
  writeManifestLater,
} from "./manifest.ts";

/** What a rewrite that was cut short may leave behind. */
const TEMPORARY = /^temp[-_]/;

export class FileSet {
  private isWriting = false;
  /** Sequence of the incremental file that was named last, in force or not. */
  private lastGiven = 0;

  private constructor(
    readonly disk: Disk,
    readonly names: LogNames,
    /** In the manifest's order. */
    private list: readonly ManifestFile[],
  ) {}

  /** @throws AofError if the manifest is damaged */
  static read(disk: Disk, names: LogNames): FileSet {
    return new FileSet(disk, names, readManifest(disk, names));
  }

  get files(): readonly ManifestFile[] {
    return this.list;
  }

  get base(): ManifestFile | undefined {
    return this.list.find(({ type }) => type === "b");
  }

  get incrementals(): readonly ManifestFile[] {
    return this.list.filter(({ type }) => type === "i");
  }

  /** What is to be replayed, in order. */
  get current(): readonly ManifestFile[] {
    const { base } = this;
    return base === undefined ? this.incrementals : [base, ...this.incrementals];
  }

  get isOnDisk(): boolean {
    return this.disk.exists(manifestPath(this.names));
  }

  pathOf({ name }: ManifestFile): string {
    return join(this.names.dir, name);
  }

  /** Bytes of what is to be replayed. */
  bytes(): number {
    return this.current.reduce((sum, file) => sum + this.sizeOf(file), 0);
  }

  sizeOf(file: ManifestFile): number {
    const path = this.pathOf(file);
    return this.disk.exists(path) ? this.disk.size(path) : 0;
  }

  /** Never the same twice: two that are being made at once are two, whichever comes into force. */
  nextIncremental(): ManifestFile {
    const file = this.next("i");
    this.lastGiven = file.sequence;
    return file;
  }

  nextBase(): ManifestFile {
    return this.next("b");
  }

  /** What lies there under another manifest is not written over. */
  private next(type: "b" | "i"): ManifestFile {
    for (let sequence = this.nextSequence(type); ; sequence++) {
      const file = this.fileOf(type, sequence);
      if (this.sizeOf(file) === 0) return file;
    }
  }

  /** Old files count on in the history until they are deleted. */
  private nextSequence(type: "b" | "i"): number {
    const known = this.list.filter((file) => file.type === type || file.type === "h");
    const given = type === "i" ? this.lastGiven : 0;
    return 1 + Math.max(given, ...known.map(({ sequence }) => sequence));
  }

  private fileOf(type: "b" | "i", sequence: number): ManifestFile {
    const kind = type === "b" ? "base" : "incr";
    return { name: `${this.names.prefix}.${sequence}.${kind}.aof`, sequence, type };
  }

  /** Log files that lie there and that no manifest names. */
  strangers(): string[] {
    const { disk, names } = this;
    const known = new Set(this.list.map(({ name }) => name));
    return disk
      .list(names.dir)
      .filter(
        (name) => name.startsWith(`${names.prefix}.`) && /\.(base|incr)\.(aof|rdb)$/.test(name),
      )
      .filter((name) => !known.has(name) && disk.size(join(names.dir, name)) > 0);
  }

  /** Writes a manifest with these files. @throws Error: nothing has changed, or only a loss of power could take it back */
  replaceNow(files: readonly ManifestFile[]): void {
    const { disk, names } = this;
    this.claim();
    try {
      writeManifest(disk, names, files);
      this.list = files;
      disk.syncDirectory(names.dir);
    } finally {
      this.isWriting = false;
    }
  }

  /** The same with the syncs off this thread. */
  async replace(files: readonly ManifestFile[]): Promise<void> {
    const { disk, names } = this;
    this.claim();
    try {
      await writeManifestLater(disk, names, files);
      this.list = files;
      await disk.syncDirectoryLater(names.dir);
    } finally {
      this.isWriting = false;
    }
  }

  /**
   * Syncs what is to be replayed, and its names: a process that was killed may have left that to the kernel, and what is added is safe
   * only behind it. @throws AofError
   */
  async sync(): Promise<void> {
    const { disk, names } = this;
    let path = names.dir;
    try {
      for (const entry of this.current) {
        path = this.pathOf(entry);
        const file = disk.open(path, "read");
        await file.syncLater().finally(() => file.close());
      }
      path = names.dir;
      await disk.syncDirectoryLater(path);
    } catch (error) {
      throw new AofError(`Can't sync ${path}: ${causeOf(error)}`);
    }
  }

  /** The next manifest does not name it. */
  forget(file: ManifestFile): void {
    this.list = this.list.filter((other) => other !== file);
  }

  private claim(): void {
    if (this.isWriting) throw new Error("the manifest is being written");
    this.isWriting = true;
  }

  /** Deletes what the manifest has as history, and forgets it. */
  async dropHistory(): Promise<void> {
    const history = this.list.filter(({ type }) => type === "h");
    if (history.length === 0) return;
    for (const file of history) await this.disk.removeLater(this.pathOf(file));
    await this.replace(this.list.filter(({ type }) => type !== "h"));
  }

  /** Deletes temporary files that a process before this one has left. */
  dropTemporaries(): void {
    const { disk, names } = this;
    for (const name of disk.list(names.dir))
      if (TEMPORARY.test(name) || this.isUnfinishedBase(name)) disk.remove(join(names.dir, name));
  }

  /** The base of a rewrite that ended before the manifest named it. Without a manifest it may be all there is. */
  private isUnfinishedBase(name: string): boolean {
    const { disk, names } = this;
    if (name !== this.fileOf("b", this.nextSequence("b")).name || !this.isOnDisk) return false;
    const head = new Uint8Array(BASE_LINE.length);
    const file = disk.open(join(names.dir, name), "read");
    file.read(head, 0, head.length, 0);
    file.close();
    return Buffer.from(head).toString("latin1") === BASE_LINE;
  }
}
