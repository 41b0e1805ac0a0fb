/**
 * Lines of a log that begin with `#`. Redis skips them; ours guard what stands before them.
 *
 *   #CRC:hhhhhhhh:offset          all bytes of the file before this line, `offset` of them, have this CRC-32
 *   #PREV:sequence:size:hhhhhhhh:gggggggg
 *                                 first line of an incremental file: its predecessor ends at `size`, with this CRC-32. The line
 *                                 decides what is loaded before any #CRC line is come to, so it has a sum of its own
 *   #BASE:bundis                  first line of a base that we wrote: its last line is a #CRC
 *   #TS:seconds                   Redis's: what follows was executed in this second or later
 *
 * Each block of a turn ends with a #CRC line. Its sum runs on over the whole file, earlier #CRC lines included, so that what is
 * changed, lost, doubled or moved anywhere shows at the next one.
 */
import { crc32 } from "node:zlib";
import type { DiskFile } from "../disk.ts";

/** Of a file, at once. */
const READ_BYTES = 1 << 20;
const LF = 10;
const CR = 13;
const COLON = 58;

/** `sum` continued over more bytes; it begins with 0. 20 to 50 GB/s for more than a KiB */
export function addToSum(sum: number, bytes: Uint8Array): number {
  return crc32(bytes, sum);
}

/** The sum of a file's first bytes. */
export function sumOf(file: DiskFile, end: number): number {
  const block = new Uint8Array(Math.min(READ_BYTES, end));
  let sum = 0;
  for (let at = 0; at < end; ) {
    const count = file.read(block, 0, Math.min(block.length, end - at), at);
    if (count === 0) break;
    sum = addToSum(sum, block.subarray(0, count));
    at += count;
  }
  return sum;
}

export function formatSum(sum: number): string {
  return sum.toString(16).padStart(8, "0");
}

const CRC_LINE_BEGINS = "#CRC:";
const CRC_LINE_BEGIN_BYTES = Buffer.from(CRC_LINE_BEGINS);
const DIGITS = Buffer.from("0123456789abcdef");
/** So many decimal digits are worked on as an integer of 32 bits. */
const GROUP_DIGITS = 9;
const GROUP = 10 ** GROUP_DIGITS;
/** The longest #CRC line. */
export const CRC_LINE_MAX_BYTES = CRC_LINE_BEGINS.length + 8 + 1 + 16 + 2;

export function crcLine(sum: number, offset: number): string {
  const line = Buffer.alloc(CRC_LINE_MAX_BYTES);
  return line.toString("latin1", 0, writeCrcLine(line, 0, sum, offset));
}

/** A #CRC line as bytes from `at` on, for every block that is written: a string of it takes three times as long. @returns where it ends */
export function writeCrcLine(into: Uint8Array, at: number, sum: number, offset: number): number {
  let end = at;
  for (let i = 0; i < CRC_LINE_BEGIN_BYTES.length; i++) into[end++] = CRC_LINE_BEGIN_BYTES[i]!;
  for (let shift = 28; shift >= 0; shift -= 4) into[end++] = DIGITS[(sum >>> shift) & 15]!;
  into[end++] = COLON;
  end = writeDecimal(into, end, offset);
  into[end++] = CR;
  into[end++] = LF;
  return end;
}

/** A whole number in at least so many digits. @returns where they end */
function writeDecimal(into: Uint8Array, at: number, value: number, least = 1): number {
  if (value >= GROUP) {
    const high = Math.floor(value / GROUP);
    return writeDecimal(into, writeDecimal(into, at, high), value - high * GROUP, GROUP_DIGITS);
  }
  let digits = least;
  for (let power = 10 ** least; power <= value; power *= 10) digits++;
  let rest = value | 0;
  for (let last = at + digits - 1; last >= at; last--) {
    const tens = (rest / 10) | 0;
    into[last] = DIGITS[rest - tens * 10]!;
    rest = tens;
  }
  return at + digits;
}

/** What the predecessor of an incremental file was when the file began. */
export interface Previous {
  sequence: number;
  size: number;
  sum: number;
}

export function previousLine({ sequence, size, sum }: Previous): string {
  const line = `#PREV:${sequence}:${size}:${formatSum(sum)}:`;
  return `${line}${formatSum(addToSum(0, Buffer.from(line)))}\r\n`;
}

/** First line of a base. */
export const BASE_LINE = "#BASE:bundis\r\n";

export const STAMP_BEGINS = "#TS:";

export function timestampLine(seconds: number): string {
  return `${STAMP_BEGINS}${seconds}\r\n`;
}

/** Longer annotations are not ours, and Redis refuses them. */
export const ANNOTATION_MAX_BYTES = 1024;

export type Annotation =
  | { kind: "crc"; sum: number; offset: number }
  | ({ kind: "previous" } & Previous)
  | { kind: "timestamp"; seconds: number }
  | { kind: "base" }
  | { kind: "other" }
  /** Begins like one of ours, but is none. */
  | { kind: "malformed" };

const CRC = /^#CRC:([0-9a-f]{8}):(0|[1-9]\d{0,15})\r\n$/;
const PREVIOUS = /^#PREV:([1-9]\d{0,15}):(0|[1-9]\d{0,15}):([0-9a-f]{8}):[0-9a-f]{8}\r\n$/;
const TIMESTAMP = /^#TS:(\d{1,15})\r?\n$/;

/** Reads a whole line, its end included. */
export function parseAnnotation(line: string): Annotation {
  if (line.startsWith("#CRC:")) {
    const match = CRC.exec(line);
    if (match === null) return { kind: "malformed" };
    return { kind: "crc", sum: Number.parseInt(match[1]!, 16), offset: Number(match[2]) };
  }
  if (line.startsWith("#PREV:")) {
    const match = PREVIOUS.exec(line);
    if (match === null) return { kind: "malformed" };
    const [sequence, size] = [Number(match[1]), Number(match[2])];
    const previous = { sequence, size, sum: Number.parseInt(match[3]!, 16) };
    if (line !== previousLine(previous)) return { kind: "malformed" };
    return { kind: "previous", ...previous };
  }
  if (line === BASE_LINE) return { kind: "base" };
  const timestamp = TIMESTAMP.exec(line);
  if (timestamp !== null) return { kind: "timestamp", seconds: Number(timestamp[1]) };
  return { kind: line.startsWith(STAMP_BEGINS) ? "malformed" : "other" };
}

export interface CrcLine {
  at: number;
  end: number;
  sum: number;
}

/** The last #CRC line that says where it stands itself, of bytes that end `end` bytes from the start of their file. */
export function lastCrcLine(bytes: Uint8Array, end: number): CrcLine | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const base = end - text.length;
  for (let at = text.length; at > 0; ) {
    at = text.lastIndexOf(CRC_LINE_BEGINS, at - 1);
    if (at < 0) return undefined;
    const behind = text.indexOf("\n", at) + 1;
    const line = parseAnnotation(text.slice(at, behind));
    if (line.kind === "crc" && line.offset === base + at)
      return { at: base + at, end: base + behind, sum: line.sum };
  }
  return undefined;
}
