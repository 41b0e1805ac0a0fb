/**
 * SHA-1 (FIPS 180-4) over bytes that come in pieces, one hash at a time: DEBUG DIGEST has digests of datasets compared, nobody is
 * kept out by it.
 *
 *   scratch Digest: 0 u32[5] chain |32 u64 bytes so far |40 - |64 block of 64 bytes |128 u32[80] schedule
 */
import { Address } from "../abi";
import { ScratchArea } from "../state";

export const SHA1_BYTES: u32 = 20;
const CHAIN: usize = Address.Scratch + ScratchArea.Digest;
const TOTAL: usize = CHAIN + 32;
const BLOCK: usize = CHAIN + 64;
const SCHEDULE: usize = CHAIN + 128;
const BLOCK_BYTES: u32 = 64;

export function sha1Begin(): void {
  store<u32>(CHAIN, 0x67452301);
  store<u32>(CHAIN, 0xefcdab89, 4);
  store<u32>(CHAIN, 0x98badcfe, 8);
  store<u32>(CHAIN, 0x10325476, 12);
  store<u32>(CHAIN, 0xc3d2e1f0, 16);
  store<u64>(TOTAL, 0);
}

export function sha1Add(ptr: usize, length: u32): void {
  let filled = <u32>load<u64>(TOTAL) & (BLOCK_BYTES - 1);
  store<u64>(TOTAL, load<u64>(TOTAL) + length);
  let from = ptr;
  let left = length;
  while (left > 0) {
    const space = BLOCK_BYTES - filled;
    const piece = left < space ? left : space;
    memory.copy(BLOCK + filled, from, piece);
    filled += piece;
    from += piece;
    left -= piece;
    if (filled === BLOCK_BYTES) {
      compress();
      filled = 0;
    }
  }
}

/** Ends the hash and writes its 20 bytes at `to`. */
export function sha1End(to: usize): void {
  const total = load<u64>(TOTAL);
  const filled = <u32>total & (BLOCK_BYTES - 1);
  store<u8>(BLOCK + filled, 0x80);
  memory.fill(BLOCK + filled + 1, 0, BLOCK_BYTES - 1 - filled);
  if (filled >= BLOCK_BYTES - 8) {
    compress();
    memory.fill(BLOCK, 0, BLOCK_BYTES);
  }
  store<u64>(BLOCK, bswap<u64>(total << 3), BLOCK_BYTES - 8);
  compress();
  for (let i: usize = 0; i < SHA1_BYTES; i += 4)
    store<u32>(to + i, bswap<u32>(load<u32>(CHAIN + i)));
}

function compress(): void {
  for (let i: usize = 0; i < 64; i += 4) store<u32>(SCHEDULE + i, bswap<u32>(load<u32>(BLOCK + i)));
  for (let at = SCHEDULE + 64; at < SCHEDULE + 320; at += 4)
    store<u32>(
      at,
      rotl<u32>(
        load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64),
        1,
      ),
    );
  let a = load<u32>(CHAIN);
  let b = load<u32>(CHAIN, 4);
  let c = load<u32>(CHAIN, 8);
  let d = load<u32>(CHAIN, 12);
  let e = load<u32>(CHAIN, 16);
  for (let round: u32 = 0; round < 80; round++) {
    let mixed: u32;
    if (round < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
    else if (round < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (round < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    const next = rotl<u32>(a, 5) + mixed + e + load<u32>(SCHEDULE + ((<usize>round) << 2));
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = next;
  }
  store<u32>(CHAIN, load<u32>(CHAIN) + a);
  store<u32>(CHAIN, load<u32>(CHAIN, 4) + b, 4);
  store<u32>(CHAIN, load<u32>(CHAIN, 8) + c, 8);
  store<u32>(CHAIN, load<u32>(CHAIN, 12) + d, 12);
  store<u32>(CHAIN, load<u32>(CHAIN, 16) + e, 16);
}
