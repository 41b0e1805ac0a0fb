/** The syntax of a line of redis.conf: words with quotes, and sizes with units. */
import { splitInline } from "../resp/inline.ts";

export const MEMORY_PATTERN = /^(\d+)(b|kb?|mb?|gb?)?$/i;
const UNITS: Record<string, number> = {
  "": 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1_000_000,
  mb: 1 << 20,
  g: 1_000_000_000,
  gb: 1 << 30,
};
const WORDS_MAX = 1024;

/** Bytes of a size that matches MEMORY_PATTERN: "1k" is 1000, "1kb" is 1024. */
export function memoryBytes(text: string): number {
  const [, digits, unit = ""] = text.match(MEMORY_PATTERN) ?? [];
  return Number(digits) * UNITS[unit.toLowerCase()]!;
}

/** The words of a line, quoted as in an inline command; undefined if a quote is not closed. */
export function splitLine(line: string): string[] | undefined {
  const bytes = Buffer.from(line);
  const argv = new Int32Array(WORDS_MAX * 2);
  const count = splitInline(bytes, 0, bytes.length, argv);
  if (count < 0) return undefined;
  return Array.from({ length: count }, (_, i) =>
    bytes.subarray(argv[i * 2], argv[i * 2]! + argv[i * 2 + 1]!).toString(),
  );
}
