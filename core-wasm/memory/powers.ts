/**
 * Powers of ten to 126 bits, for the shortest digits of doubles (R. Giulietti, "The Schubfach way to render doubles", 2021).
 *
 * g(k) is the integer just above 10^k * 2^(125 - floor(log2 10^k)), kept as two words of 63 bits, k from LEAST to GREATEST.
 * The table is worked out when a memory is laid out: 10 KiB of exact digits from a few lines, and no literal to mistype.
 */
import { Address } from "../abi";
import { Area, ScratchArea } from "../state";

const LEAST: i32 = -292;
const GREATEST: i32 = 324;
const TABLE: usize = Address.State + Area.PowersOfTen;
/** A number while it is multiplied or divided by five: its words, the lowest first. */
const WORDS: usize = Address.Scratch + ScratchArea.Decimal;
const WORD_COUNT: u32 = 28;
/** 5^0 to 5^324 in 756 bits above these, which leave room to cut out 126 bits of a small one. */
const LOW_BITS: u32 = 128;
/** 2^TOP_BIT divided by 5^292 still has 126 bits. */
const TOP_BIT: u32 = 28 * 32 - 1;
export const MASK_63: u64 = 0x7fff_ffff_ffff_ffff;

if (Area.PowersOfTen + (GREATEST - LEAST + 1) * 16 > 0x1_0000)
  ERROR("the powers of ten do not fit State");

function cell(exponent: i32): usize {
  return TABLE + ((<usize>(exponent - LEAST)) << 4);
}

/** The upper 63 bits of g(exponent). */
export function powerHigh(exponent: i32): u64 {
  return load<u64>(cell(exponent));
}

/** The lower 63. */
export function powerLow(exponent: i32): u64 {
  return load<u64>(cell(exponent), 8);
}

function clearTo(bit: u32): void {
  memory.fill(WORDS, 0, WORD_COUNT << 2);
  store<u32>(WORDS + ((bit >> 5) << 2), (<u32>1) << (bit & 31));
}

function multiplyBy5(): void {
  let carry: u64 = 0;
  for (let p = WORDS; p < WORDS + (WORD_COUNT << 2); p += 4) {
    carry += <u64>load<u32>(p) * 5;
    store<u32>(p, <u32>carry);
    carry >>= 32;
  }
}

function divideBy5(): void {
  let rest: u64 = 0;
  for (let p = WORDS + (WORD_COUNT << 2); p > WORDS; ) {
    p -= 4;
    const value = (rest << 32) | load<u32>(p);
    const quotient = value / 5;
    store<u32>(p, <u32>quotient);
    rest = value - quotient * 5;
  }
}

/** 63 bits from bit `low` on. */
function bitsFrom(low: u32): u64 {
  const p = WORDS + ((low >> 5) << 2);
  const shift = low & 31;
  const bits = load<u64>(p) >> shift;
  return (shift === 0 ? bits : bits | ((<u64>load<u32>(p, 8)) << (64 - shift))) & MASK_63;
}

/** The first 126 bits of the number, and one more. Five and ten begin with the same bits. */
function storePower(exponent: i32): void {
  let p = WORDS + ((WORD_COUNT - 1) << 2);
  while (load<u32>(p) === 0) p -= 4;
  const top = ((<u32>((p - WORDS) >> 2)) << 5) + 31 - clz(load<u32>(p));
  const low = bitsFrom(top - 125) + 1;
  store<u64>(cell(exponent), bitsFrom(top - 62) + (low >> 63));
  store<u64>(cell(exponent), low & MASK_63, 8);
}

/** Fills the table: about 0.1 ms. */
export function initPowers(): void {
  clearTo(LOW_BITS);
  for (let exponent = 0; exponent <= GREATEST; exponent++) {
    storePower(exponent);
    multiplyBy5();
  }
  clearTo(TOP_BIT);
  for (let exponent = -1; exponent >= LEAST; exponent--) {
    divideBy5();
    storePower(exponent);
  }
}
