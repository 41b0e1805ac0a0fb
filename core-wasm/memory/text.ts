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

/** Digits of v. */
export function digitCount(v: u64): u32 {
  let digits: u32 = 1;
  while (v >= 10000) {
    v /= 10000;
    digits += 4;
  }
  if (v >= 1000) return digits + 3;
  if (v >= 100) return digits + 2;
  return v >= 10 ? digits + 1 : digits;
}

/** Writes v in decimal at `to`, without sign. @returns bytes written */
export function formatUint64(v: u64, to: usize): u32 {
  const digits = digitCount(v);
  let p = to + digits;
  while (v >= 10) {
    p -= 1;
    const rest = v / 10;
    store<u8>(p, <u8>(48 + <u32>(v - rest * 10)));
    v = rest;
  }
  store<u8>(p - 1, <u8>(48 + <u32>v));
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
