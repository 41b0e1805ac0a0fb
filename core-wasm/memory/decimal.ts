/**
 * Numbers in text by the grammar of C's strtod, and what they are exactly in binary. Both floating types are read through
 * here: `double.ts` and `extended.ts` only round.
 *
 * The digits become an integer part and a fraction, in limbs of nine digits. Binary digits are then taken 32 at a time, off
 * the end of the integer by division, or off the front of the fraction by multiplication, until 128 stand in two words; of
 * whatever is left only "and more" is kept, as the lowest bit.
 */
import { Address } from "../abi";
import { ScratchArea } from "../state";

export enum NumberText {
  None, // not a number; neither is "nan" one, for nothing here takes it
  Zero,
  Infinite,
  Decimal, // digits and point are known: `convertDecimal` gives the binary value
  Binary, // hexadecimal: the binary value is known
}

/** The number read last; in scratch, so until the next one is read. */
@final
@unmanaged
export class ScannedNumber {
  /** The value's size is (mantissa + rest / 2^64) * 2^exponent; the top bit is set, the lowest of `rest` says "and more" too. */
  mantissa: u64;
  rest: u64;
  exponent: i32;
  negative: bool;
  /** The value's size is 0.digits * 10^point, digits being the `digitCount` that begin with the first that is not zero. */
  point: i64;
  digitCount: u32;
  /** Where these digits are, with a point between them; `cursor` is the next one to be put into a limb. */
  digitsEnd: u32;
  cursor: u32;
  /** The first 19 of them as an integer. */
  leading: u64;
}

const DIGIT_0: u32 = 48;
const DOT: u32 = 46;
const MINUS: u32 = 45;
const PLUS: u32 = 43;
const LETTER_E: u32 = 101;
const LETTER_P: u32 = 112;
const LETTER_X: u32 = 120;
const LOWER_CASE: u32 = 32;
export const LEADING_DIGITS: u32 = 19;
/** Exponents beyond are as good as this one: no length of digits makes up for it. */
const EXPONENT_MAX: i64 = 1 << 40;
/** Digits that are put into limbs: more than distinguish any two doubles, and all that Redis reads of a long double. */
const DIGITS_MAX: u32 = 5200;
const BILLION: u64 = 1_000_000_000;
const LIMB_DIGITS: u32 = 9;
const INTEGER: usize = Address.Scratch + ScratchArea.Decimal + 0x100;
const FRACTION: usize = INTEGER + 0x1000;

export const scanned = changetype<ScannedNumber>(Address.Scratch + ScratchArea.Decimal);

/** Reads the whole text as a number into `scanned`. O(length) */
export function scanNumber(ptr: usize, length: u32): NumberText {
  const end = ptr + length;
  let p = ptr;
  if (p === end) return NumberText.None;
  const sign = <u32>load<u8>(p);
  scanned.negative = sign === MINUS;
  if (sign === MINUS || sign === PLUS) p += 1;
  if (p === end) return NumberText.None;
  if (<u32>load<u8>(p) - DIGIT_0 > 9 && load<u8>(p) !== DOT) return scanWord(p, <u32>(end - p));
  if (end - p > 2 && load<u8>(p) === DIGIT_0 && (load<u8>(p + 1) | LOWER_CASE) === LETTER_X)
    return scanHexadecimal(p + 2, end);
  return scanDecimal(p, end);
}

function letter(ptr: usize): u32 {
  return load<u8>(ptr) | LOWER_CASE;
}

function scanWord(ptr: usize, length: u32): NumberText {
  if (length !== 3 && length !== 8) return NumberText.None;
  const letters = changetype<usize>("infinity");
  for (let i: usize = 0; i < <usize>length; i++)
    if (letter(ptr + i) !== <u32>load<u16>(letters + (i << 1))) return NumberText.None;
  return NumberText.Infinite;
}

function scanDecimal(ptr: usize, end: usize): NumberText {
  let p = ptr;
  let first: usize = 0;
  let digits: u32 = 0;
  let point: i64 = 0;
  let leading: u64 = 0;
  let hasPoint = false;
  let isNumber = false;
  for (; p < end; p++) {
    const byte = <u32>load<u8>(p);
    if (byte === DOT && !hasPoint) {
      hasPoint = true;
      continue;
    }
    const digit = byte - DIGIT_0;
    if (digit > 9) break;
    isNumber = true;
    if (first === 0) {
      if (digit === 0) {
        if (hasPoint) point -= 1;
        continue;
      }
      first = p;
    }
    if (digits < LEADING_DIGITS) leading = leading * 10 + digit;
    digits += 1;
    if (!hasPoint) point += 1;
  }
  if (!isNumber) return NumberText.None;
  scanned.cursor = <u32>first;
  scanned.digitsEnd = <u32>p;
  scanned.digitCount = digits;
  scanned.leading = leading;
  if (!scanExponent(p, end, LETTER_E)) return NumberText.None;
  scanned.point = point + scanned.point;
  return first === 0 ? NumberText.Zero : NumberText.Decimal;
}

/** Reads an exponent, if there is one, into `scanned.point`. @returns false if anything else is there */
function scanExponent(ptr: usize, end: usize, mark: u32): bool {
  scanned.point = 0;
  if (ptr === end) return true;
  if (letter(ptr) !== mark) return false;
  let p = ptr + 1;
  if (p === end) return false;
  const sign = <u32>load<u8>(p);
  if (sign === MINUS || sign === PLUS) p += 1;
  if (p === end) return false;
  let exponent: i64 = 0;
  for (; p < end; p++) {
    const digit = <u32>load<u8>(p) - DIGIT_0;
    if (digit > 9) return false;
    if (exponent < EXPONENT_MAX) exponent = exponent * 10 + digit;
  }
  scanned.point = sign === MINUS ? -exponent : exponent;
  return true;
}

/** The value of a hexadecimal digit, 16 if it is none. */
function hexDigit(byte: u32): u32 {
  const digit = byte - DIGIT_0;
  if (digit <= 9) return digit;
  const tens = (byte | LOWER_CASE) - 97;
  return tens <= 5 ? tens + 10 : 16;
}

function scanHexadecimal(ptr: usize, end: usize): NumberText {
  let p = ptr;
  let digits: u32 = 0;
  let point: i64 = 0;
  let hasPoint = false;
  let isNumber = false;
  let mantissa: u64 = 0;
  let rest: u64 = 0;
  let more = false;
  for (; p < end; p++) {
    const byte = <u32>load<u8>(p);
    if (byte === DOT && !hasPoint) {
      hasPoint = true;
      continue;
    }
    const digit = hexDigit(byte);
    if (digit > 15) break;
    isNumber = true;
    if (digits === 0 && digit === 0) {
      if (hasPoint) point -= 4;
      continue;
    }
    if (digits < 16) mantissa |= (<u64>digit) << (60 - (digits << 2));
    else if (digits < 32) rest |= (<u64>digit) << (124 - (digits << 2));
    else if (digit !== 0) more = true;
    digits += 1;
    if (!hasPoint) point += 4;
  }
  if (!isNumber || !scanExponent(p, end, LETTER_P)) return NumberText.None;
  if (digits === 0) return NumberText.Zero;
  const exponent = point + scanned.point;
  const bounded = <i32>max<i64>(min<i64>(exponent, 1 << 20), -(1 << 20));
  normalise(mantissa, rest, bounded - 64, more);
  return NumberText.Binary;
}

/** Sets the binary value to (mantissa + rest / 2^64) * 2^exponent, `more` for what else there is. The mantissa is not 0. */
function normalise(mantissa: u64, rest: u64, exponent: i32, more: bool): void {
  const shift = clz(mantissa);
  scanned.mantissa = shift === 0 ? mantissa : (mantissa << shift) | (rest >> (64 - shift));
  scanned.rest = (rest << shift) | (more ? 1 : 0);
  scanned.exponent = exponent - <i32>shift;
}

/** Converts what was read as decimal. `scanned.point` must be within 5000 of 0. O(digits * (digits + point)), fast for few */
export function convertDecimal(): void {
  const point = <i32>scanned.point;
  const left = limitDigits();
  const integerDigits = point > 0 ? <u32>point : 0;
  let to = INTEGER;
  if (integerDigits > 0) to = fill(INTEGER, integerDigits);
  let from = INTEGER;
  let window: u64 = 0;
  let exponent: i32 = 0;
  let more = left;
  for (; to - from > 8; exponent += 32) {
    if ((window & 0xffff_ffff) !== 0) more = true;
    window = (window >> 32) | (takeLowBits(from, to) << 32);
    while (load<u32>(from) === 0) from += 4;
  }
  let head: u64 = 0;
  for (let p = from; p < to; p += 4) head = head * BILLION + load<u32>(p);
  if (exponent > 32) {
    if (hasDigitsLeft()) more = true;
    return normalise(head, window, exponent, more);
  }
  const zeros = point < 0 ? <u32>-point : 0;
  const end = fillFraction(zeros, scanned.digitCount - min(scanned.digitCount, integerDigits));
  for (; head === 0; exponent -= 32) head = takeHighBits(FRACTION, end);
  // An integer of 19 digits has half the window already.
  if (exponent <= 0) window = takeHighBits(FRACTION, end) << 32;
  window |= takeHighBits(FRACTION, end);
  for (let p = FRACTION; p < end; p += 4) if (load<u32>(p) !== 0) more = true;
  normalise(head, window, exponent, more);
}

/** Cuts the digits off that need no limb. @returns whether one of them was not zero */
function limitDigits(): bool {
  if (scanned.digitCount <= DIGITS_MAX) return false;
  const end = scanned.digitsEnd;
  scanned.digitsEnd = scanned.cursor + DIGITS_MAX;
  scanned.digitCount = DIGITS_MAX;
  for (let p = scanned.digitsEnd; p < end; p++)
    if (load<u8>(p) !== DIGIT_0 && load<u8>(p) !== DOT) return true;
  return false;
}

function hasDigitsLeft(): bool {
  for (let p = scanned.cursor; p < scanned.digitsEnd; p++)
    if (load<u8>(p) !== DIGIT_0 && load<u8>(p) !== DOT) return true;
  return false;
}

/** The next `count` digits as a number, zeros behind the last. */
function takeDigits(count: u32): u32 {
  let value: u32 = 0;
  let p = scanned.cursor;
  const end = scanned.digitsEnd;
  for (; count > 0; count--) {
    if (p < end && load<u8>(p) === DOT) p += 1;
    value *= 10;
    if (p < end) value += <u32>load<u8>(p) - DIGIT_0;
    p += 1;
  }
  scanned.cursor = min(p, end);
  return value;
}

/** Limbs of an integer of so many digits, most significant first. @returns their end */
function fill(at: usize, digits: u32): usize {
  let p = at;
  let first = digits % LIMB_DIGITS;
  if (first === 0) first = LIMB_DIGITS;
  store<u32>(p, takeDigits(first));
  for (let left = digits - first; left > 0; left -= LIMB_DIGITS) {
    p += 4;
    store<u32>(p, takeDigits(LIMB_DIGITS));
  }
  return p + 4;
}

/** Limbs of a fraction: zeros, then so many digits. @returns their end */
function fillFraction(zeros: u32, digits: u32): usize {
  let p = FRACTION;
  for (; zeros >= LIMB_DIGITS; zeros -= LIMB_DIGITS, p += 4) store<u32>(p, 0);
  const end = p + (((zeros + digits + LIMB_DIGITS - 1) / LIMB_DIGITS) << 2);
  if (zeros > 0) {
    store<u32>(p, takeDigits(LIMB_DIGITS - zeros));
    p += 4;
  }
  for (; p < end; p += 4) store<u32>(p, takeDigits(LIMB_DIGITS));
  return end;
}

/** Divides an integer by 2^32. @returns the remainder */
function takeLowBits(from: usize, to: usize): u64 {
  let rest: u64 = 0;
  for (let p = from; p < to; p += 4) {
    const value = rest * BILLION + load<u32>(p);
    store<u32>(p, <u32>(value >> 32));
    rest = value & 0xffff_ffff;
  }
  return rest;
}

/** Multiplies a fraction by 2^32. @returns what is now before its point */
function takeHighBits(from: usize, to: usize): u64 {
  let carry: u64 = 0;
  for (let p = to; p > from; ) {
    p -= 4;
    const value = ((<u64>load<u32>(p)) << 32) + carry;
    carry = value / BILLION;
    store<u32>(p, <u32>(value - carry * BILLION));
  }
  return carry;
}
