/** Bits of byte strings, many at a time: counting, finding, combining. A string's first bit is the highest of its first byte. */

/** Rounds of sixteen counts of at most 8 that fit a byte each. */
const ROUNDS_MAX: usize = 31;

/** The number of ones in `length` bytes. O(length / 16) */
export function countOnes(ptr: usize, length: u32): u64 {
  let total: u64 = 0;
  let p = ptr;
  const end = ptr + length;
  while (end - p >= 16) {
    const stop = p + (min<usize>((end - p) >> 4, ROUNDS_MAX) << 4);
    let bytes = v128.splat<u8>(0);
    for (; p < stop; p += 16) bytes = v128.add<u8>(bytes, v128.popcnt<u8>(v128.load(p)));
    const sums = v128.extadd_pairwise<u16>(v128.extadd_pairwise<u8>(bytes));
    total += v128.extract_lane<u32>(sums, 0) + v128.extract_lane<u32>(sums, 1);
    total += v128.extract_lane<u32>(sums, 2) + v128.extract_lane<u32>(sums, 3);
  }
  for (; p < end; p++) total += popcnt(<u32>load<u8>(p));
  return total;
}

/** The first byte in [ptr, end) that is not `skipped`, or end. O(length / 16) */
export function findOther(ptr: usize, end: usize, skipped: u8): usize {
  const pattern = v128.splat<u8>(skipped);
  let p = ptr;
  for (; p + 16 <= end; p += 16)
    if (v128.any_true(v128.xor(v128.load(p), pattern))) {
      while (load<u8>(p) === skipped) p += 1;
      return p;
    }
  while (p < end && load<u8>(p) === skipped) p += 1;
  return p;
}

export enum BitOperation {
  And,
  Or,
  Xor,
}

/** Combines `length` bytes at `from` into those at `to`. O(length / 16) */
export function combine(operation: BitOperation, to: usize, from: usize, length: u32): void {
  const apart = from - to;
  const end = to + length;
  let p = to;
  const stop = to + (length & ~15);
  if (operation === BitOperation.And)
    for (; p < stop; p += 16) v128.store(p, v128.and(v128.load(p), v128.load(p + apart)));
  else if (operation === BitOperation.Or)
    for (; p < stop; p += 16) v128.store(p, v128.or(v128.load(p), v128.load(p + apart)));
  else for (; p < stop; p += 16) v128.store(p, v128.xor(v128.load(p), v128.load(p + apart)));
  for (; p < end; p++) {
    const a = load<u8>(p);
    const b = load<u8>(p + apart);
    if (operation === BitOperation.And) store<u8>(p, a & b);
    else store<u8>(p, operation === BitOperation.Or ? a | b : a ^ b);
  }
}

/** Turns every bit of `length` bytes round. O(length / 16) */
export function invert(ptr: usize, length: u32): void {
  let p = ptr;
  const stop = ptr + (length & ~15);
  for (; p < stop; p += 16) v128.store(p, v128.not(v128.load(p)));
  for (; p < ptr + length; p++) store<u8>(p, ~load<u8>(p));
}

/** The integer of 1 to 64 bits at bit `offset`; what is behind the string counts as zeros. */
export function getField(ptr: usize, length: u32, offset: u64, bits: u32): u64 {
  const byte = offset >> 3;
  if (byte >= length) return 0;
  const left = length - <u32>byte;
  let word: u64 = 0;
  let last: u64 = 0;
  const p = ptr + <usize>byte;
  if (left >= 9) {
    word = bswap(load<u64>(p));
    last = load<u8>(p, 8);
  } else
    for (let i: u32 = 0; i < left && i < 8; i++) word |= (<u64>load<u8>(p + i)) << (56 - (i << 3));
  const shift = offset & 7;
  if (shift !== 0) word = (word << shift) | (last >> (8 - shift));
  return word >> (64 - bits);
}

/** Writes an integer's lowest `bits` bits at bit `offset`, all of which must be there. */
export function setField(ptr: usize, offset: u64, bits: u32, value: u64): void {
  let end = offset + bits;
  let rest = value;
  for (let left = bits; left > 0; ) {
    const p = ptr + <usize>((end - 1) >> 3);
    // Bits of this byte up to the end of the field.
    const inByte = (<u32>(end - 1) & 7) + 1;
    const count = min(inByte, left);
    const shift = 8 - inByte;
    const mask = ((1 << count) - 1) << shift;
    store<u8>(p, (load<u8>(p) & ~mask) | (((<u32>rest) << shift) & mask));
    rest >>= count;
    end -= count;
    left -= count;
  }
}
