/**
 * The 80-bit floating type in which Redis adds on x86-64 (INCRBYFLOAT, HINCRBYFLOAT): 64 bits of mantissa, rounded to the
 * nearest, of two equally near to the even one; read as strtold reads and written as "%.17Lf" without the zeros at its end.
 *
 * Numbers too small to leave a trace in 17 decimals are all taken for the same tiny one: alone they are written as zero, and
 * beside any other they only say on which side of it the sum lies.
 */
import { Address } from "../abi";
import { ScratchArea } from "../state";
import { convertDecimal, LEADING_DIGITS, NumberText, scanNumber, scanned } from "./decimal";
import { formatUint64 } from "./text";
import { mulHigh } from "./wide";

/** The size is mantissa * 2^exponent, the top bit of the mantissa being set; 0 has mantissa 0, infinity INFINITE_EXPONENT. */
@final
@unmanaged
export class Extended {
  mantissa: u64;
  exponent: i32;
  negative: bool;
}

const TOP_BIT: u64 = 1 << 63;
const INFINITE_EXPONENT: i32 = 1 << 20;
/** Exponents of mantissas whose top bit is worth 2^16383, the largest power of two of the type. */
const GREATEST_EXPONENT: i32 = 16383 - 63;
const TINY_EXPONENT: i32 = -300;
/** Smaller sizes than 10^TINY_POINT are tiny, from 10^GREATEST_POINT on they are infinite. */
const TINY_POINT: i64 = -45;
const GREATEST_POINT: i64 = 4933;
/** Half the smallest number of the type is 0.1822...e-4950, which rounds to zero. */
const LEAST_POINT: i64 = -4950;
const LEAST_DIGITS: u64 = 1822599765941237301;
/** Redis reads no longer text than this as a long double. */
const TEXT_MAX_BYTES: u32 = 5119;
const DECIMALS: u32 = 17;
const DECIMALS_POWER: u64 = 100_000_000_000_000_000;
const BILLION: u64 = 1_000_000_000;
const LIMB_DIGITS: u32 = 9;
const LIMBS: usize = Address.Scratch + ScratchArea.Decimal + 0x1000;

/** The longest text `formatExtended` makes: 4933 digits, sign, point and decimals. */
export const EXTENDED_MAX_BYTES: u32 = 5000;

export function setInteger(to: Extended, value: i64): void {
  const size = value < 0 ? 0 - <u64>value : <u64>value;
  const shift = clz(size);
  to.mantissa = size === 0 ? 0 : size << shift;
  to.exponent = size === 0 ? 0 : -(<i32>shift);
  to.negative = value < 0;
}

/** A finite double, exactly. */
export function setDouble(to: Extended, value: f64): void {
  const bits = reinterpret<u64>(value);
  const biased = <i32>(bits >> 52) & 2047;
  const fraction = bits & 0x000f_ffff_ffff_ffff;
  const size = biased === 0 ? fraction : fraction | 0x0010_0000_0000_0000;
  const shift = clz(size);
  to.mantissa = size === 0 ? 0 : size << shift;
  to.exponent = size === 0 ? 0 : max(biased, 1) - 1075 - <i32>shift;
  to.negative = bits >> 63 !== 0;
}

/** Reads a number; refuses what Redis refuses: what is none, "nan", and what the type cannot hold. O(length) */
export function parseExtended(ptr: usize, length: u32, to: Extended): bool {
  if (length > TEXT_MAX_BYTES) return false;
  const kind = scanNumber(ptr, length);
  if (kind === NumberText.None) return false;
  to.negative = scanned.negative;
  to.mantissa = kind === NumberText.Zero ? 0 : TOP_BIT;
  to.exponent = kind === NumberText.Infinite ? INFINITE_EXPONENT : 0;
  if (kind === NumberText.Zero || kind === NumberText.Infinite) return true;
  if (kind === NumberText.Decimal) {
    if (scanned.point > GREATEST_POINT) return false;
    if (scanned.point < TINY_POINT) {
      to.exponent = TINY_EXPONENT;
      return !isNothing();
    }
    convertDecimal();
  }
  return roundScanned(to);
}

/** Whether the tiny size read rounds to zero. Told by its first 19 digits. */
function isNothing(): bool {
  if (scanned.point !== LEAST_POINT) return scanned.point < LEAST_POINT;
  let leading = scanned.leading;
  for (let digits = scanned.digitCount; digits < LEADING_DIGITS; digits++) leading *= 10;
  return leading <= LEAST_DIGITS;
}

function roundScanned(to: Extended): bool {
  let mantissa = scanned.mantissa;
  let exponent = scanned.exponent;
  if (exponent < -16445 - 64) return false;
  if (isRoundedUp(mantissa, scanned.rest)) {
    mantissa += 1;
    if (mantissa === 0) {
      mantissa = TOP_BIT;
      exponent += 1;
    }
  }
  to.mantissa = mantissa;
  to.exponent = exponent;
  return exponent <= GREATEST_EXPONENT;
}

function isRoundedUp(mantissa: u64, rest: u64): bool {
  return rest > TOP_BIT || (rest === TOP_BIT && (mantissa & 1) !== 0);
}

export function isInfinite(value: Extended): bool {
  return value.exponent === INFINITE_EXPONENT;
}

/** Adds b to a. @returns false if the sum is no finite number */
export function add(a: Extended, b: Extended): bool {
  if (a.exponent === INFINITE_EXPONENT || b.exponent === INFINITE_EXPONENT) return false;
  if (b.mantissa === 0) return true;
  if (a.mantissa === 0) {
    copy(a, b);
    return true;
  }
  const isLess = a.exponent < b.exponent || (a.exponent === b.exponent && a.mantissa < b.mantissa);
  const negative = isLess ? b.negative : a.negative;
  const large = isLess ? b.mantissa : a.mantissa;
  const small = isLess ? a.mantissa : b.mantissa;
  const exponent = isLess ? b.exponent : a.exponent;
  const apart = <u32>abs<i32>(a.exponent - b.exponent);
  // The smaller one in 128 bits under the larger; what falls off the end stays as its lowest bit.
  let high: u64 = apart === 0 ? small : apart < 64 ? small >> apart : 0;
  let low: u64 =
    apart === 0 || apart >= 128 ? 0 : apart <= 64 ? small << (64 - apart) : small >> (apart - 64);
  if (apart > 64 && (apart >= 128 || small << (128 - apart) !== 0)) low |= 1;
  const differ = a.negative !== b.negative;
  a.negative = negative;
  if (differ) {
    high = large - high - (low !== 0 ? 1 : 0);
    low = 0 - low;
    return round(a, high, low, exponent);
  }
  high += large;
  if (high >= large) return round(a, high, low, exponent);
  low = (high << 63) | (low >> 1) | (low & 1);
  return round(a, TOP_BIT | (high >> 1), low, exponent + 1);
}

function copy(to: Extended, from: Extended): void {
  to.mantissa = from.mantissa;
  to.exponent = from.exponent;
  to.negative = from.negative;
}

/** Sets a size to (high + low / 2^64) * 2^exponent, its sign being there. @returns whether it is finite */
function round(to: Extended, high: u64, low: u64, exponent: i32): bool {
  if (high === 0) {
    high = low;
    low = 0;
    exponent -= 64;
  }
  const shift = clz(high);
  if (high !== 0 && shift > 0) {
    high = (high << shift) | (low >> (64 - shift));
    low <<= shift;
    exponent -= <i32>shift;
  }
  if (isRoundedUp(high, low)) {
    high += 1;
    if (high === 0) {
      high = TOP_BIT;
      exponent += 1;
    }
  }
  to.mantissa = high;
  to.exponent = high === 0 ? 0 : exponent;
  if (high === 0) to.negative = false;
  return to.exponent <= GREATEST_EXPONENT;
}

/** Writes a finite number at `to` with at most 17 decimals. @returns bytes written. O(digits * exponent), fast below 2^64 */
export function formatExtended(value: Extended, to: usize): u32 {
  let p = to;
  if (value.negative) store<u8>(p++, 45);
  if (value.exponent > 0) return <u32>(formatLarge(value, p) - to);
  const bits = <u32>-value.exponent;
  let whole: u64 = bits < 64 ? value.mantissa >> bits : 0;
  let decimals = roundedDecimals(value.mantissa, bits);
  if (decimals === DECIMALS_POWER) {
    whole += 1;
    decimals = 0;
  }
  if (whole === 0 && decimals === 0) {
    store<u8>(to, 48);
    return 1;
  }
  p += formatUint64(whole, p);
  if (decimals === 0) return <u32>(p - to);
  let digits = DECIMALS;
  for (; decimals % 10 === 0; digits--) decimals /= 10;
  store<u8>(p, 46);
  memory.fill(p + 1, 48, digits);
  formatUint64(decimals, p + 1 + digits - digitsOf(decimals));
  return <u32>(p + 1 + digits - to);
}

function digitsOf(value: u64): u32 {
  let digits: u32 = 0;
  for (; value > 0; digits++) value /= 10;
  return digits;
}

/** The lowest `bits` bits of a mantissa as a fraction, times 10^17, rounded to the nearest, or even, integer. */
function roundedDecimals(mantissa: u64, bits: u32): u64 {
  if (bits === 0 || bits >= 128) return 0;
  const fraction = bits < 64 ? mantissa & (((<u64>1) << bits) - 1) : mantissa;
  const high = mulHigh(fraction, DECIMALS_POWER);
  const low = fraction * DECIMALS_POWER;
  // The product has 121 bits at most; its lowest `bits` are what is rounded.
  let quotient: u64;
  let rest: u64;
  let more: u64 = 0;
  if (bits < 64) {
    quotient = (high << (64 - bits)) | (low >> bits);
    rest = low << (64 - bits);
  } else if (bits === 64) {
    quotient = high;
    rest = low;
  } else {
    quotient = high >> (bits - 64);
    rest = (high << (128 - bits)) | (low >> (bits - 64));
    more = low << (128 - bits);
  }
  const up = rest > TOP_BIT || (rest === TOP_BIT && (more !== 0 || (quotient & 1) !== 0));
  return up ? quotient + 1 : quotient;
}

/** Writes an integer of more than 64 bits. @returns the end */
function formatLarge(value: Extended, to: usize): usize {
  // Limbs of nine digits, the lowest first.
  store<u32>(LIMBS, <u32>(value.mantissa % BILLION));
  store<u32>(LIMBS, <u32>((value.mantissa / BILLION) % BILLION), 4);
  store<u32>(LIMBS, <u32>(value.mantissa / (BILLION * BILLION)), 8);
  let end = LIMBS + 12;
  for (let left = value.exponent; left > 0; left -= 32) {
    const shift = <u64>min<i32>(left, 32);
    let carry: u64 = 0;
    for (let p = LIMBS; p < end; p += 4) {
      const limb = ((<u64>load<u32>(p)) << shift) + carry;
      carry = limb / BILLION;
      store<u32>(p, <u32>(limb - carry * BILLION));
    }
    for (; carry > 0; end += 4) {
      store<u32>(end, <u32>(carry % BILLION));
      carry /= BILLION;
    }
  }
  while (load<u32>(end - 4) === 0) end -= 4;
  let p = to + formatUint64(load<u32>(end - 4), to);
  for (let limb = end - 8; limb >= LIMBS; limb -= 4) {
    let digits = load<u32>(limb);
    for (let i = LIMB_DIGITS; i > 0; i--) {
      store<u8>(p + i - 1, <u8>(48 + (digits % 10)));
      digits /= 10;
    }
    p += LIMB_DIGITS;
  }
  return p;
}
