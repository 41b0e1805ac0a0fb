/** Comparing and hashing bytes. Copies are `memory.copy`: nothing hand-written beats it (facts/assemblyscript 4). */
import { Address } from "../abi";
import { Area, random64 } from "../state";

/** Whether the n bytes at a and at b are the same. Reads nothing beyond them. */
export function equal(a: usize, b: usize, n: u32): bool {
  const apart = b - a;
  if (n >= 16) {
    const last = a + n - 16;
    for (let p = a; p < last; p += 16)
      if (v128.any_true(v128.xor(v128.load(p), v128.load(p + apart)))) return false;
    return !v128.any_true(v128.xor(v128.load(last), v128.load(last + apart)));
  }
  if (n >= 8) return load<u64>(a) === load<u64>(b) && load<u64>(a + n - 8) === load<u64>(b + n - 8);
  if (n >= 4) return load<u32>(a) === load<u32>(b) && load<u32>(a + n - 4) === load<u32>(b + n - 4);
  for (let p = a; p < a + n; p++) if (load<u8>(p) !== load<u8>(p + apart)) return false;
  return true;
}

/** The order of two byte strings: negative, 0 or positive, as memcmp and then the shorter first. */
export function compare(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const common = min(aLength, bLength);
  const apart = b - a;
  const end = a + common;
  let p = a;
  for (; p + 8 <= end; p += 8) {
    const left = load<u64>(p);
    const right = load<u64>(p + apart);
    if (left !== right) return bswap<u64>(left) < bswap<u64>(right) ? -1 : 1;
  }
  for (; p < end; p++) {
    const differ = <i32>load<u8>(p) - <i32>load<u8>(p + apart);
    if (differ !== 0) return differ;
  }
  return aLength < bLength ? -1 : aLength > bLength ? 1 : 0;
}

/** Bytes hashed by one round of key words; a longer key chains rounds. */
const ROUND_BYTES: u32 = 1024;
const HASH_KEYS: usize = Address.State + Area.HashKeys;

export function seedHash(): void {
  for (let i: usize = 0; i < 1056; i += 8) store<u64>(HASH_KEYS + i, random64());
}

function mix(x: u64): u64 {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccd;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

/** A 64-bit hash that is the same in every process, for digests of content (FNV-1a, then an avalanche). Not for tables. */
export function unseededHash(ptr: usize, length: u32): u64 {
  let h: u64 = 0xcbf29ce484222325;
  for (let i: u32 = 0; i < length; i++) h = (h ^ load<u8>(ptr + i)) * 0x100000001b3;
  return mix(h + length);
}

/** One round of NH over up to 1 KiB: products of pairs of 32-bit words, each offset by a secret word. */
function round(ptr: usize, bytes: u32): u64 {
  let sum: u64 = 0;
  let p = ptr;
  let k = HASH_KEYS;
  const wordsEnd = ptr + (bytes & ~7);
  for (; p < wordsEnd; p += 8, k += 8)
    sum += <u64>(load<u32>(p) + load<u32>(k)) * <u64>(load<u32>(p + 4) + load<u32>(k, 4));
  const rest = bytes & 7;
  if (rest !== 0) {
    // Reads up to 7 bytes over the end: the heap keeps a page of slack behind its last block.
    const tail = load<u64>(p) & (~(<u64>0) >> (64 - (rest << 3)));
    sum += <u64>(<u32>tail + load<u32>(k)) * <u64>(<u32>(tail >> 32) + load<u32>(k, 4));
  }
  return sum;
}

/** The keyed 64-bit hash of a key: NH with 1 KiB of random words, then an avalanche. O(length). */
export function hashOf(ptr: usize, length: u32): u64 {
  let h: u64 = load<u64>(HASH_KEYS + 1032) ^ (<u64>length * 0x9e3779b97f4a7c15);
  let left = length;
  let p = ptr;
  while (left > ROUND_BYTES) {
    h = mix(h + round(p, ROUND_BYTES));
    p += ROUND_BYTES;
    left -= ROUND_BYTES;
  }
  return mix(h + round(p, left));
}
