/** Text: literals, and integers by Redis's rules: one spelling per number, the whole signed 64-bit range. */

/**
 * Writes a literal's letters (latin1) at `to`. A literal is UTF-16 in the data segment, laid there by the compiler without any
 * runtime; only rare replies are written this way. @returns bytes written
 */
export function narrow(text: string, to: usize): u32 {
  const from = changetype<usize>(text);
  const length = <u32>text.length;
  for (let i: usize = 0; i < <usize>length; i++) store<u8>(to + i, <u8>load<u16>(from + (i << 1)));
  return length;
}

/** The first byte from `at` on, before `end`, that C's isspace does not take for a blank. */
export function behindBlanks(at: usize, end: usize): usize {
  let p = at;
  while (p < end && (load<u8>(p) === 32 || <u32>load<u8>(p) - 9 < 5)) p += 1;
  return p;
}

/** 10^digits, but 0 for no digit at all. */
const POWERS: usize = memory.data<u64>([
  0, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
  100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000, 10000000000000000,
  100000000000000000, 1000000000000000000, 10000000000000000000,
]);
/** "00" to "99" as words of two letters. */
const PAIRS: usize = memory.data<u8>([
  48, 48, 48, 49, 48, 50, 48, 51, 48, 52, 48, 53, 48, 54, 48, 55, 48, 56, 48, 57, 49, 48, 49, 49,
  49, 50, 49, 51, 49, 52, 49, 53, 49, 54, 49, 55, 49, 56, 49, 57, 50, 48, 50, 49, 50, 50, 50, 51,
  50, 52, 50, 53, 50, 54, 50, 55, 50, 56, 50, 57, 51, 48, 51, 49, 51, 50, 51, 51, 51, 52, 51, 53,
  51, 54, 51, 55, 51, 56, 51, 57, 52, 48, 52, 49, 52, 50, 52, 51, 52, 52, 52, 53, 52, 54, 52, 55,
  52, 56, 52, 57, 53, 48, 53, 49, 53, 50, 53, 51, 53, 52, 53, 53, 53, 54, 53, 55, 53, 56, 53, 57,
  54, 48, 54, 49, 54, 50, 54, 51, 54, 52, 54, 53, 54, 54, 54, 55, 54, 56, 54, 57, 55, 48, 55, 49,
  55, 50, 55, 51, 55, 52, 55, 53, 55, 54, 55, 55, 55, 56, 55, 57, 56, 48, 56, 49, 56, 50, 56, 51,
  56, 52, 56, 53, 56, 54, 56, 55, 56, 56, 56, 57, 57, 48, 57, 49, 57, 50, 57, 51, 57, 52, 57, 53,
  57, 54, 57, 55, 57, 56, 57, 57,
]);

/** Digits of v. */
export function digitCount(v: u64): u32 {
  // 1233 / 4096 is log10(2), close enough for 64 bits.
  const fewer = ((64 - <u32>clz(v | 1)) * 1233) >> 12;
  return fewer + (v >= load<u64>(POWERS + ((<usize>fewer) << 3)) ? 1 : 0);
}

function storePair(value: u32, to: usize): void {
  store<u16>(to, load<u16>(PAIRS + ((<usize>value) << 1)));
}

/** Writes v in decimal at `to`, without sign. @returns bytes written */
export function formatUint64(v: u64, to: usize): u32 {
  if (v < 10) {
    store<u8>(to, <u8>(48 + <u32>v));
    return 1;
  }
  const digits = digitCount(v);
  let p = to + digits;
  for (; v > <u64>u32.MAX_VALUE; v /= 100) {
    p -= 2;
    storePair(<u32>(v % 100), p);
  }
  let low = <u32>v;
  while (low >= 100) {
    // low / 100: no engine makes a product of the division by itself.
    const rest = <u32>((<u64>low * 1374389535) >> 37);
    p -= 2;
    storePair(low - rest * 100, p);
    low = rest;
  }
  if (low < 10) store<u8>(p - 1, <u8>(48 + low));
  else storePair(low, p - 2);
  return digits;
}

/** Writes v in decimal at `to`. @returns bytes written, at most 20 */
export function formatInt64(v: i64, to: usize): u32 {
  if (v >= 0) return formatUint64(<u64>v, to);
  store<u8>(to, 45);
  return 1 + formatUint64(0 - <u64>v, to + 1);
}

/**
 * Parses the only accepted spelling of a signed 64-bit integer: no blanks, no plus, no leading zeros, no "-0".
 * The value is stored as i64 at `out`. @returns false if it is anything else
 */
export function parseInt64(ptr: usize, length: u32, out: usize): bool {
  if (length === 0 || length > 20) return false;
  let p = ptr;
  const end = ptr + length;
  const negative = load<u8>(p) === 45;
  if (negative) p += 1;
  if (p === end) return false;
  let digit = <u32>load<u8>(p) - 48;
  if (digit > 9) return false;
  if (digit === 0) {
    if (length !== 1) return false;
    store<i64>(out, 0);
    return true;
  }
  let value: u64 = digit;
  for (p += 1; p < end; p++) {
    digit = <u32>load<u8>(p) - 48;
    if (digit > 9) return false;
    if (value > 1844674407370955161) return false;
    const next = value * 10 + digit;
    if (next < value) return false;
    value = next;
  }
  if (negative) {
    if (value > 0x8000_0000_0000_0000) return false;
    store<i64>(out, <i64>(0 - value));
    return true;
  }
  if (value > 0x7fff_ffff_ffff_ffff) return false;
  store<i64>(out, <i64>value);
  return true;
}

/** Writes a value of less than 2^63 / 10^decimals with so many decimals. @returns bytes written */
export function formatFixed(value: f64, decimals: u32, to: usize): u32 {
  let power: u64 = 1;
  for (let i: u32 = 0; i < decimals; i++) power *= 10;
  const scaled = <i64>nearest(value * <f64>power);
  let p = to;
  if (scaled < 0) store<u8>(p++, 45);
  const size = <u64>abs(scaled);
  p += formatUint64(size / power, p);
  store<u8>(p, 46);
  let rest = size % power;
  for (let i = decimals; i > 0; i--) {
    store<u8>(p + i, <u8>(48 + (rest % 10)));
    rest /= 10;
  }
  return <u32>(p - to) + 1 + decimals;
}
