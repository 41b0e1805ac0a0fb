/**
 * Doubles in text: read as strtod reads them, rounded to the nearest, and written with the fewest digits that read back
 * as the same double, of several such the nearest, laid out as Redis 7.2 does.
 */
import { Address } from "../abi";
import { ScratchArea } from "../state";
import { convertDecimal, LEADING_DIGITS, NumberText, scanNumber, scanned } from "./decimal";
import { MASK_63, powerHigh, powerLow } from "./powers";
import { behindBlanks, formatInt64, formatUint64, narrow } from "./text";
import { mulHigh } from "./wide";

const MANTISSA_BITS: u64 = 52;
const HIDDEN_BIT: u64 = 1 << MANTISSA_BITS;
const MANTISSA_MASK: u64 = HIDDEN_BIT - 1;
const BIAS: i32 = 1023;
const INFINITE_BIASED: i32 = 2047;
const INFINITE_BITS: u64 = (<u64>INFINITE_BIASED) << MANTISSA_BITS;
/** Doubles below 10^LEAST_POINT round to zero, those from 10^GREATEST_POINT on to infinity. */
const LEAST_POINT: i64 = -323;
const GREATEST_POINT: i64 = 309;
const LEAST_NORMAL: f64 = 2.2250738585072014e-308;
/** Integers up to 2^53 and powers of ten up to 10^22 are doubles exactly, so their quotient or product is rounded once. */
const EXACT_POWERS: i64 = 22;
const POWERS: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);

/** The longest text `formatDouble` makes. */
export const DOUBLE_MAX_BYTES: u32 = 32;

function signed(size: f64): f64 {
  return scanned.negative ? -size : size;
}

/**
 * Reads a double; the value goes as f64 to `out`. What is no number, is not a number ("nan"), or is out of the range of
 * doubles at either end, is refused. @returns false if it is. O(length)
 */
export function parseDouble(ptr: usize, length: u32, out: usize): bool {
  return readScanned(scanNumber(ptr, length), out);
}

/** The same for who goes by errno: strtod calls out of range what has been rounded to less than a normal double, which binary digits are not. */
export function parseNormalDouble(ptr: usize, length: u32, out: usize): bool {
  const kind = scanNumber(ptr, length);
  if (!readScanned(kind, out)) return false;
  const size = abs(load<f64>(out));
  return size === 0 || size >= LEAST_NORMAL || kind === NumberText.Binary;
}

function readScanned(kind: NumberText, out: usize): bool {
  if (kind === NumberText.None) return false;
  if (kind === NumberText.Zero) store<f64>(out, signed(0));
  else if (kind === NumberText.Infinite) store<f64>(out, signed(Infinity));
  else if (kind === NumberText.Binary || !readExactly(out)) return readNearest(kind, out);
  return true;
}

/**
 * Reads a double as C does whose caller does not look for more: blanks in front and what follows a NUL byte do not count, nothing at all is
 * 0, and beyond the range of doubles is infinity or 0. @returns false if it is no number, or "nan"
 */
export function parseDoubleLoosely(ptr: usize, length: u32, out: usize): bool {
  let end = ptr;
  while (end < ptr + length && load<u8>(end) !== 0) end += 1;
  if (ptr === end) {
    store<f64>(out, 0);
    return true;
  }
  const p = behindBlanks(ptr, end);
  if (parseDouble(p, <u32>(end - p), out)) return true;
  const kind = scanNumber(p, <u32>(end - p));
  if (kind !== NumberText.Decimal && kind !== NumberText.Binary) return false;
  const isSmall = kind === NumberText.Decimal ? scanned.point < 0 : scanned.exponent < 0;
  store<f64>(out, signed(isSmall ? 0 : Infinity));
  return true;
}

/** The common case: few digits, a small exponent, one rounding. */
function readExactly(out: usize): bool {
  const power = scanned.point - scanned.digitCount;
  if (scanned.digitCount > LEADING_DIGITS || scanned.leading > HIDDEN_BIT * 2) return false;
  if (power > EXACT_POWERS || power < -EXACT_POWERS) return false;
  const digits = <f64>scanned.leading;
  const factor = load<f64>(POWERS + ((<usize>abs<i64>(power)) << 3));
  store<f64>(out, signed(power < 0 ? digits / factor : digits * factor));
  return true;
}

function readNearest(kind: NumberText, out: usize): bool {
  if (kind === NumberText.Decimal) {
    if (scanned.point < LEAST_POINT || scanned.point > GREATEST_POINT) return false;
    convertDecimal();
  }
  const bits = nearestBits();
  if (bits === 0 || bits === INFINITE_BITS) return false;
  store<f64>(out, signed(reinterpret<f64>(bits)));
  return true;
}

/** The bits of the double nearest to the scanned size, of two equally near the even one; 0 or infinity out of range. */
function nearestBits(): u64 {
  const exponent = scanned.exponent + 63;
  if (exponent > BIAS) return INFINITE_BITS;
  const lacking = exponent < 1 - BIAS ? 1 - BIAS - exponent : 0;
  const kept = <i32>MANTISSA_BITS + 1 - lacking;
  if (kept < 0) return 0;
  let mantissa: u64 = kept === 0 ? 0 : scanned.mantissa >> (64 - kept);
  const dropped = scanned.mantissa << kept;
  const half: u64 = 1 << 63;
  if (dropped > half || (dropped === half && (scanned.rest !== 0 || (mantissa & 1) !== 0)))
    mantissa += 1;
  // A carry out of the mantissa goes into the exponent, as it should.
  return lacking > 0 ? mantissa : ((<u64>(exponent + BIAS - 1)) << MANTISSA_BITS) + mantissa;
}

// ---- writing

/** The decimal that `shortest` found: digits * 10^exponent. */
@final
@unmanaged
class Decimal {
  digits: u64;
  exponent: i32;
}
const decimal = changetype<Decimal>(Address.Scratch + ScratchArea.Decimal);

/** floor(log10(2^e)), and of 3/4 * 2^e; floor(log2(10^e)): right for every exponent of a double. */
function log10Pow2(e: i32): i32 {
  return <i32>((<i64>e * 661971961083) >> 41);
}

function log10ThreeQuartersPow2(e: i32): i32 {
  return <i32>((<i64>e * 661971961083 - 274743187321) >> 41);
}

function log2Pow10(e: i32): i32 {
  return <i32>((<i64>e * 913124641741) >> 38);
}

/** c * g(power) / 2^126, rounded to odd: an inexact result keeps its lowest bit set, so that comparisons come out right. */
function scaled(power: i32, c: u64): u64 {
  const high = powerHigh(power);
  const z = ((high * c) >> 1) + mulHigh(powerLow(power), c);
  const whole = mulHigh(high, c) + (z >> 63);
  return whole | (((z & MASK_63) + MASK_63) >> 63);
}

/** Finds the shortest decimal that rounds to mantissa * 2^exponent, by the paper that `powers.ts` names. */
function shortest(mantissa: u64, exponent: i32, isNormal: bool): void {
  // Below a power of two the next double is only half as far away.
  const isLopsided = mantissa === HIDDEN_BIT && isNormal;
  const k = isLopsided ? log10ThreeQuartersPow2(exponent) : log10Pow2(exponent);
  const shift = exponent + log2Pow10(-k) + 2;
  const value = scaled(-k, (mantissa << 2) << shift);
  let lowest = scaled(-k, ((mantissa << 2) - (isLopsided ? 1 : 2)) << shift);
  let highest = scaled(-k, ((mantissa << 2) + 2) << shift);
  // The ends of the interval belong to it if the double is even.
  lowest += mantissa & 1;
  highest -= mantissa & 1;
  const floor = value >> 2;
  if (floor >= 10) {
    const tens = floor / 10;
    const isLower = lowest <= tens * 40;
    const isUpper = tens * 40 + 40 <= highest;
    if (isLower !== isUpper) return setDecimal(isLower ? tens : tens + 1, k + 1);
  }
  const isLower = lowest <= floor << 2;
  const isUpper = (floor << 2) + 4 <= highest;
  let up = isUpper;
  if (isLower === isUpper) {
    const middle = (floor << 2) + 2;
    up = value > middle || (value === middle && (floor & 1) !== 0);
  }
  setDecimal(up ? floor + 1 : floor, k);
}

function setDecimal(digits: u64, exponent: i32): void {
  while (digits % 10 === 0) {
    digits /= 10;
    exponent += 1;
  }
  decimal.digits = digits;
  decimal.exponent = exponent;
}

/** Integers of this size are written as such, further ones with an exponent where that is shorter. */
const PLAIN_INTEGER_MAX: f64 = 4611686018427387904;

/** Writes a double at `to`: "inf", "nan", integers as such. @returns bytes written, at most DOUBLE_MAX_BYTES */
export function formatDouble(value: f64, to: usize): u32 {
  const bits = reinterpret<u64>(value);
  const isNegative = bits >> 63 !== 0;
  const biased = <i32>((bits >> MANTISSA_BITS) & INFINITE_BIASED);
  const fraction = bits & MANTISSA_MASK;
  if (biased === INFINITE_BIASED)
    return narrow(fraction !== 0 ? "nan" : isNegative ? "-inf" : "inf", to);
  if (value === 0) return narrow(isNegative ? "-0" : "0", to);
  if (abs(value) <= PLAIN_INTEGER_MAX && <f64>(<i64>value) === value)
    return formatInt64(<i64>value, to);
  if (biased === 0) shortest(fraction, 1 - BIAS - <i32>MANTISSA_BITS, false);
  else shortest(fraction | HIDDEN_BIT, biased - BIAS - <i32>MANTISSA_BITS, biased > 1);
  if (!isNegative) return <u32>(layOut(to) - to);
  store<u8>(to, 45);
  return <u32>(layOut(to + 1) - to);
}

/** Writes the decimal: without an exponent if it is short, or near the point. @returns the end */
function layOut(to: usize): usize {
  const count = formatUint64(decimal.digits, to);
  const exponent = decimal.exponent;
  const magnitude = abs<i32>(exponent + <i32>count - 1);
  if (exponent >= 0 && magnitude < <i32>count + 7) {
    memory.fill(to + count, 48, exponent);
    return to + count + exponent;
  }
  if (exponent < 0 && (exponent > -7 || magnitude < 4)) {
    const before = <i32>count + exponent;
    if (before > 0) {
      memory.copy(to + before + 1, to + before, -exponent);
      store<u8>(to + before, 46);
      return to + count + 1;
    }
    memory.copy(to + 2 - before, to, count);
    memory.fill(to, 48, 2 - before);
    store<u8>(to + 1, 46);
    return to + 2 - before + count;
  }
  let p = to + 1;
  if (count > 1) {
    memory.copy(to + 2, to + 1, count - 1);
    store<u8>(to + 1, 46);
    p = to + count + 1;
  }
  store<u8>(p, 101);
  store<u8>(p + 1, exponent + <i32>count - 1 < 0 ? 45 : 43);
  return p + 2 + formatUint64(<u64>magnitude, p + 2);
}
