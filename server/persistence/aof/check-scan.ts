/**
 * Reads one file of a log without a core and says what is in it: how many commands, what checksums cover, where it is torn or damaged.
 * It judges as the loader does (`loader.ts`), but for what only running a command shows.
 */
import type { Disk, DiskFile } from "../disk.ts";
import { ANNOTATION_MAX_BYTES, addToSum, parseAnnotation } from "./annotations.ts";
import type { Extent } from "./log-file.ts";
import { type Contents, contentsOf } from "./room.ts";

const BLOCK_BYTES = 1 << 20;
const HEADER_MAX_BYTES = 65536;
const MAX_BULK_BYTES = 2147483647;
const CR = 13;
const LF = 10;
const HASH_SIGN = 35;
const DOLLAR = 36;
const ASTERISK = 42;

export type Verdict =
  | { kind: "whole" }
  /** It stops before a command, or a MULTI, is over. */
  | { kind: "torn"; why: string }
  /** `at` is where it shows. */
  | { kind: "damaged"; at: number; why: string };

export interface Scan {
  /** Bytes there are without room at the end, or belong to the log. */
  size: number;
  /** Bytes behind those, but for room. */
  surplus: number;
  /** Of those in `size`, what was written in one piece from the start. */
  written: number;
  /** Whole commands; those of a MULTI without EXEC too. */
  commands: number;
  /** Up to the end of the last #CRC line that is right, 0 if there is none. */
  coveredBytes: number;
  /** Its first line says that Bundis began it. */
  isOurs: boolean;
  verdict: Verdict;
  /** Up to here it can be trusted: what lies behind goes if it is mended. */
  goodBytes: number;
  /** Where the first #TS line later than was asked for stands, and how many commands stand before it. */
  later: { at: number; commands: number } | undefined;
  /** Of the first #TS line, if no command stands before it. */
  beginsAtSeconds: number | undefined;
}

export interface ScanOptions {
  disk: Disk;
  path: string;
  /** Only so many bytes belong to the log, and their sum must be this. */
  limit?: Extent | undefined;
  /** Reads no further than the first #TS line that is later than this. */
  untilSeconds?: number | undefined;
}

/** A file read once from its start, summed on the way. */
class Reader {
  private readonly buffer: Uint8Array;
  /** File offset of the buffer. */
  private base = 0;
  private at = 0;
  private end = 0;
  private sum = 0;
  private summed = 0;

  constructor(
    private readonly file: DiskFile,
    private readonly size: number,
  ) {
    this.buffer = new Uint8Array(Math.min(BLOCK_BYTES, size));
  }

  get offset(): number {
    return this.base + this.at;
  }

  /** The next byte, -1 at the end. */
  peek(): number {
    return this.at < this.end || this.fill() ? this.buffer[this.at]! : -1;
  }

  take(): number {
    const byte = this.peek();
    if (byte >= 0) this.at++;
    return byte;
  }

  /** @returns whether so many bytes were there */
  skip(count: number): boolean {
    for (let left = count; left > 0; ) {
      if (this.peek() < 0) return false;
      const step = Math.min(left, this.end - this.at);
      this.at += step;
      left -= step;
    }
    return true;
  }

  /** Sum of everything taken so far. */
  sumHere(): number {
    this.sum = addToSum(this.sum, this.buffer.subarray(this.summed, this.at));
    this.summed = this.at;
    return this.sum;
  }

  private fill(): boolean {
    this.sumHere();
    this.base += this.end;
    const room = Math.min(this.buffer.length, this.size - this.base);
    const count = room > 0 ? this.file.read(this.buffer, 0, room, this.base) : 0;
    this.at = 0;
    this.summed = 0;
    this.end = count;
    return count > 0;
  }
}

/** What a step ends a file with; undefined = it goes on. */
type End = Verdict | undefined;

const UNFINISHED: Verdict = { kind: "torn", why: "no whole command" };

class FileScan {
  private readonly file: DiskFile;
  private readonly reader: Reader;
  private readonly contents: Contents;
  private unitEnd = 0;
  /** Where the open MULTI begins, -1 if there is none. */
  private multiAt = -1;
  private covered = 0;
  private commands = 0;
  private isOurs = false;
  private isOwnBase = false;
  private later: Scan["later"];
  private beginsAtSeconds: number | undefined;

  constructor(private readonly options: ScanOptions) {
    this.file = options.disk.open(options.path, "read");
    this.contents = contentsOf(this.file, options.limit?.size);
    this.reader = new Reader(this.file, this.contents.written);
  }

  run(): Scan {
    try {
      let end: End;
      while (end === undefined && this.later === undefined && this.reader.peek() >= 0)
        end = this.step();
      return this.result(this.later === undefined ? this.judge(end) : { kind: "whole" });
    } finally {
      this.file.close();
    }
  }

  private step(): End {
    const at = this.reader.offset;
    const first = this.reader.peek();
    if (first === HASH_SIGN) return this.annotation(at);
    if (first === ASTERISK) return this.command(at);
    return this.damage(at, "no command begins here");
  }

  private damage(at: number, why: string): Verdict {
    return { kind: "damaged", at, why };
  }

  // ---- annotations

  private annotation(at: number): End {
    const { reader } = this;
    const sum = reader.sumHere();
    let line = "";
    for (let byte = 0; byte !== LF; line += String.fromCharCode(byte)) {
      if (line.length === ANNOTATION_MAX_BYTES) return this.damage(at, "too long a # line");
      byte = reader.take();
      if (byte < 0) return UNFINISHED;
    }
    const annotation = parseAnnotation(line);
    switch (annotation.kind) {
      case "malformed":
        return this.damage(at, "a # line that is none of ours");
      case "previous":
      case "base":
        if (at > 0) return this.damage(at, "a first line in the middle");
        this.isOurs = true;
        this.isOwnBase = annotation.kind === "base";
        break;
      case "crc":
        if (annotation.sum !== sum || annotation.offset !== at)
          return this.damage(at, `the checksum of offset ${this.covered} to here does not match`);
        this.covered = reader.offset;
        break;
      case "timestamp":
        if (this.isLater(annotation.seconds, at)) return undefined;
        break;
      case "other":
        break;
    }
    if (this.multiAt < 0) this.unitEnd = reader.offset;
    return undefined;
  }

  private isLater(seconds: number, at: number): boolean {
    if (this.commands === 0) this.beginsAtSeconds ??= seconds;
    const { untilSeconds } = this.options;
    if (untilSeconds === undefined || seconds <= untilSeconds || this.multiAt >= 0) return false;
    this.later = { at, commands: this.commands };
    return true;
  }

  // ---- commands

  /** Reads the number of a header line, its first byte taken. @returns the number, or how it ends */
  private header(at: number): number | Verdict {
    const { reader } = this;
    let digits = "";
    for (let byte = reader.take(); byte !== CR; byte = reader.take()) {
      if (byte < 0) return UNFINISHED;
      if (digits.length === HEADER_MAX_BYTES) return this.damage(at, "too long a header");
      digits += String.fromCharCode(byte);
    }
    const last = reader.take();
    if (last < 0) return UNFINISHED;
    const isNumber = /^(0|-?[1-9]\d{0,17})$/.test(digits);
    if (last !== LF || !isNumber) return this.damage(at, "a header that is none");
    return Number(digits);
  }

  private command(at: number): End {
    const { reader } = this;
    reader.take();
    const argc = this.header(at);
    if (typeof argc !== "number") return argc;
    let word = "";
    for (let left = argc; left > 0; left--) {
      const found = this.bulk(at, argc === 1);
      if (typeof found !== "string") return found;
      word = found;
    }
    if (argc > 0) this.commands++;
    return this.unit(at, word);
  }

  /** Reads a word. @returns it in lower case if it is `wanted` and short, else "" */
  private bulk(at: number, wanted: boolean): string | Verdict {
    const { reader } = this;
    const mark = reader.take();
    if (mark < 0) return UNFINISHED;
    const length = this.header(at);
    if (typeof length !== "number") return length;
    if (mark !== DOLLAR || length < 0 || length > MAX_BULK_BYTES)
      return this.damage(at, "a header that is none");
    let word = "";
    if (wanted && length <= "multi".length)
      for (let left = length; left > 0; left--) word += String.fromCharCode(reader.take());
    else if (!reader.skip(length)) return UNFINISHED;
    const cr = reader.take();
    const lf = reader.take();
    if (lf < 0) return UNFINISHED;
    if (cr !== CR || lf !== LF) return this.damage(at, "a word that ends elsewhere");
    return word.toLowerCase();
  }

  /** A command is over. */
  private unit(at: number, word: string): End {
    const isInMulti = this.multiAt >= 0;
    if (word === "multi") {
      if (isInMulti) return this.damage(at, "Unexpected MULTI");
      this.multiAt = at;
    } else if (word === "exec") {
      if (!isInMulti) return this.damage(at, "Unexpected EXEC");
      this.multiAt = -1;
    }
    if (this.multiAt < 0) this.unitEnd = this.reader.offset;
    return undefined;
  }

  // ---- the end

  private judge(end: End): Verdict {
    const { covered, unitEnd, multiAt } = this;
    const { size, written, endsWithBlock } = this.contents;
    if (end?.kind === "damaged") return end;
    // What closes the last block was written, but not come to, or not as what it is.
    if (endsWithBlock && covered !== size)
      return this.damage(unitEnd, "what is behind is not what was written");
    if (this.isOwnBase && covered !== size) return this.damage(covered, "its end is missing");
    if (this.options.limit?.size === written && !this.isAsSuccessorSays())
      return this.damage(covered, "the next file has another checksum of this one");
    if (end !== undefined) return end;
    if (written < size && multiAt < 0) return { kind: "torn", why: "never written" };
    if (multiAt < 0) return { kind: "whole" };
    return { kind: "torn", why: `Reached EOF before reading EXEC for MULTI at offset ${multiAt}` };
  }

  private isAsSuccessorSays(): boolean {
    return this.unitEnd === this.contents.size && this.reader.sumHere() === this.options.limit!.sum;
  }

  private result(verdict: Verdict): Scan {
    const { commands, covered, isOurs, unitEnd, later, beginsAtSeconds } = this;
    // Between the last good checksum and damage anything may have changed; without checksums there is nothing better.
    const hasSums = covered > 0 || isOurs || this.contents.endsWithBlock;
    const goodBytes = verdict.kind === "damaged" && hasSums ? covered : unitEnd;
    return {
      size: this.contents.size,
      surplus: this.contents.surplus,
      written: this.contents.written,
      commands,
      coveredBytes: covered,
      isOurs,
      verdict,
      goodBytes,
      later,
      beginsAtSeconds,
    };
  }
}

/** O(file). @throws Error if it cannot be read */
export function scanFile(options: ScanOptions): Scan {
  return new FileScan(options).run();
}
