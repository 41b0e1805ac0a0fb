/**
 * Inline commands: one line of words, with double quotes (escapes \n \r \t \b \a \xHH and any other byte) and single quotes
 * (escape \'). Unquoted bytes are rewritten in place, so that words are ranges of the input like any other.
 */

const SPACE = 32;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;

function isBlank(byte: number): boolean {
  return byte === SPACE || (byte >= 9 && byte <= 13) || byte === 0;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function escaped(byte: number): number {
  switch (byte) {
    case 110:
      return 10;
    case 114:
      return 13;
    case 116:
      return 9;
    case 98:
      return 8;
    case 97:
      return 7;
    default:
      return byte;
  }
}

/**
 * Splits bytes[start, end) into words.
 * @returns address and length of each, one behind the other, or null if a quote is not closed or is followed by something other than a blank
 */
export function splitInline(bytes: Uint8Array, start: number, end: number): number[] | null {
  const pairs: number[] = [];
  let p = start;
  for (;;) {
    while (p < end && isBlank(bytes[p]!)) p++;
    if (p >= end) return pairs;
    const word = p;
    let to = p;
    let quote = 0;
    for (; p < end || quote !== 0; p++) {
      if (p >= end) return null;
      const byte = bytes[p]!;
      if (quote === 0) {
        if (isBlank(byte)) break;
        if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) quote = byte;
        else bytes[to++] = byte;
      } else if (byte === quote) {
        // A closing quote ends its word.
        if (p + 1 < end && !isBlank(bytes[p + 1]!)) return null;
        quote = 0;
      } else if (byte === BACKSLASH && quote === DOUBLE_QUOTE && p + 1 < end) {
        const high = p + 3 < end && bytes[p + 1] === 120 ? hexDigit(bytes[p + 2]!) : -1;
        const low = high >= 0 ? hexDigit(bytes[p + 3]!) : -1;
        if (low >= 0) {
          bytes[to++] = high * 16 + low;
          p += 3;
        } else bytes[to++] = escaped(bytes[++p]!);
      } else if (byte === BACKSLASH && quote === SINGLE_QUOTE && bytes[p + 1] === SINGLE_QUOTE) {
        bytes[to++] = SINGLE_QUOTE;
        p++;
      } else bytes[to++] = byte;
    }
    pairs.push(word, to - word);
  }
}
