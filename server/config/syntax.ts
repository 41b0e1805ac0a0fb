/** The syntax of redis.conf: lines of words with quotes, sizes with units, and how both are written back. */
import { splitInline } from "../resp/inline.ts";

const UNITS: Record<string, bigint> = {
  "": 1n,
  b: 1n,
  k: 1000n,
  kb: 1024n,
  m: 1_000_000n,
  mb: 1n << 20n,
  g: 1_000_000_000n,
  gb: 1n << 30n,
};
const MEMORY_PATTERN = /^(\d{0,127})(b|kb?|mb?|gb?)?$/i;
const UINT64_MAX = (1n << 64n) - 1n;

/** A byte string: one character for each byte of the text's UTF-8. */
export function byteString(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** The text whose UTF-8 a byte string is. */
export function unicode(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

/** Bytes of a size with or without a unit, undefined if it is none: "1k" is 1000, "1kb" is 1024. */
export function memoryBytes(text: string): bigint | undefined {
  const [whole, digits, unit = ""] = text.match(MEMORY_PATTERN) ?? [];
  if (whole === undefined) return undefined;
  const count = BigInt(digits || "0");
  return (count > UINT64_MAX ? UINT64_MAX : count) * UNITS[unit.toLowerCase()]!;
}

/** A size in the largest unit that divides it. */
export function rewrittenBytes(bytes: bigint): string {
  for (const unit of ["gb", "mb", "kb"])
    if (bytes !== 0n && bytes % UNITS[unit]! === 0n) return `${bytes / UNITS[unit]!}${unit}`;
  return String(bytes);
}

/** The words of a line, quoted as in an inline command; undefined if a quote is not closed. */
export function splitWords(line: string): string[] | undefined {
  const bytes = Buffer.from(line, "latin1");
  const pairs = splitInline(bytes, 0, bytes.length);
  if (pairs === null) return undefined;
  return Array.from({ length: pairs.length >> 1 }, (_, i) =>
    bytes.toString("latin1", pairs[i * 2], pairs[i * 2]! + pairs[i * 2 + 1]!),
  );
}

const ESCAPES: Record<string, string> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x07": "\\a",
  "\b": "\\b",
};

/** A word in double quotes, so that `splitWords` gives it back. */
export function quoted(word: string): string {
  const hex = (byte: string) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return `"${word.replace(/[^ !#-[\]-~]/g, (byte) => ESCAPES[byte] ?? hex(byte))}"`;
}
