/** The words of the running command: word 0 is its name. */
import { io } from "./state";

export function argPtr(index: u32): usize {
  return load<u32>(io().argvPtr + ((<usize>index) << 3));
}

export function argLength(index: u32): u32 {
  return load<u32>(io().argvPtr + ((<usize>index) << 3), 4);
}

/**
 * Whether word `index` is `text`, letters in either case. `text` is given as lower-case letters packed from the low byte,
 * eight at most: "px" is 0x7870.
 */
export function argIs(index: u32, length: u32, text: u64): bool {
  if (argLength(index) !== length) return false;
  let packed: u64 = 0;
  const ptr = argPtr(index);
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u32>load<u8>(ptr + i);
    const lower = byte >= 65 && byte <= 90 ? byte | 32 : byte;
    packed |= (<u64>lower) << (i << 3);
  }
  return packed === text;
}

/** Option words, packed for `argIs`. */
export namespace Word {
  export const NX: u64 = 0x786e;
  export const XX: u64 = 0x7878;
  export const GT: u64 = 0x7467;
  export const LT: u64 = 0x746c;
  export const EX: u64 = 0x7865;
  export const PX: u64 = 0x7870;
  export const GET: u64 = 0x746567;
  export const EXAT: u64 = 0x74617865;
  export const PXAT: u64 = 0x74617870;
  export const KEEPTTL: u64 = 0x6c74747065656b;
  export const ASYNC: u64 = 0x636e797361;
  export const SYNC: u64 = 0x636e7973;
  export const MATCH: u64 = 0x686374616d;
  export const COUNT: u64 = 0x746e756f63;
  export const TYPE: u64 = 0x65707974;
}
