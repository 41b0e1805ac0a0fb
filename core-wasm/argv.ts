/** The words of the running command: word 0 is its name. */
import { INPUT_SLACK_BYTES, KEPT_HEADER_BYTES } from "./abi";
import { alloc } from "./memory/allocator";
import { io } from "./state";

export function argPtr(index: u32): usize {
  return load<u32>(io().argvPtr + ((<usize>index) << 3));
}

export function argLength(index: u32): u32 {
  return load<u32>(io().argvPtr + ((<usize>index) << 3), 4);
}

/** Puts other bytes in the place of word `index`. */
export function setArgument(index: u32, ptr: usize, length: u32): void {
  const pair = io().argvPtr + ((<usize>index) << 3);
  store<u32>(pair, <u32>ptr);
  store<u32>(pair, length, 4);
}

const LOWER_CASE: u8 = 32;
/** Bit 5 of seven bytes: it makes letters lower-case, and turns no other byte into a letter. */
const CASE_BITS: u64 = 0x0020_2020_2020_2020;

/**
 * Word `index` for comparison with `Word`, letters in either case: up to seven bytes from the low byte on, their number in
 * the top byte. 0 for an empty word and for a longer one. Reads over the word's end: input has slack.
 */
export function argWord(index: u32): u64 {
  const length = argLength(index);
  if (length > 7) return 0;
  const mask = ((<u64>1) << (length << 3)) - 1;
  return ((load<u64>(argPtr(index)) | CASE_BITS) & mask) | ((<u64>length) << 56);
}

/** Whether word `index` is this literal in lower case, its letters in either case; for words too long for `argWord`. */
export function argIs(index: u32, literal: string): bool {
  const length = argLength(index);
  if (length !== <u32>literal.length) return false;
  const ptr = argPtr(index);
  const letters = changetype<usize>(literal);
  for (let i: usize = 0; i < <usize>length; i++)
    if ((load<u8>(ptr + i) | LOWER_CASE) !== <u8>load<u16>(letters + (i << 1))) return false;
  return true;
}

/** Option words and names of types as `argWord` gives them; letters only. */
export namespace Word {
  export const DB: u64 = 0x0200_0000_0000_6264;
  export const IDX: u64 = 0x0300_0000_0078_6469;
  export const LEFT: u64 = 0x0400_0000_7466_656c;
  export const RIGHT: u64 = 0x0500_0074_6867_6972;
  export const LEN: u64 = 0x0300_0000_006e_656c;
  export const AND: u64 = 0x0300_0000_0064_6e61;
  export const OR: u64 = 0x0200_0000_0000_726f;
  export const XOR: u64 = 0x0300_0000_0072_6f78;
  export const NOT: u64 = 0x0300_0000_0074_6f6e;
  export const INCRBY: u64 = 0x0600_7962_7263_6e69;
  export const WRAP: u64 = 0x0400_0000_7061_7277;
  export const SAT: u64 = 0x0300_0000_0074_6173;
  export const FAIL: u64 = 0x0400_0000_6c69_6166;
  export const NX: u64 = 0x0200_0000_0000_786e;
  export const XX: u64 = 0x0200_0000_0000_7878;
  export const FNX: u64 = 0x0300_0000_0078_6e66;
  export const FXX: u64 = 0x0300_0000_0078_7866;
  export const GT: u64 = 0x0200_0000_0000_7467;
  export const LT: u64 = 0x0200_0000_0000_746c;
  export const EX: u64 = 0x0200_0000_0000_7865;
  export const PX: u64 = 0x0200_0000_0000_7870;
  export const GET: u64 = 0x0300_0000_0074_6567;
  export const LIMIT: u64 = 0x0500_0074_696d_696c;
  export const REV: u64 = 0x0300_0000_0076_6572;
  export const BYLEX: u64 = 0x0500_0078_656c_7962;
  export const CH: u64 = 0x0200_0000_0000_6863;
  export const INCR: u64 = 0x0400_0000_7263_6e69;
  export const MIN: u64 = 0x0300_0000_006e_696d;
  export const MAX: u64 = 0x0300_0000_0078_616d;
  export const SUM: u64 = 0x0300_0000_006d_7573;
  export const EXAT: u64 = 0x0400_0000_7461_7865;
  export const IFEQ: u64 = 0x0400_0000_7165_6669;
  export const PERSIST: u64 = 0x0774_7369_7372_6570;
  export const PXAT: u64 = 0x0400_0000_7461_7870;
  export const REPLACE: u64 = 0x0765_6361_6c70_6572;
  export const SAMPLES: u64 = 0x0773_656c_706d_6173;
  export const KEEPTTL: u64 = 0x076c_7474_7065_656b;
  export const ASYNC: u64 = 0x0500_0063_6e79_7361;
  export const SYNC: u64 = 0x0400_0000_636e_7973;
  export const MATCH: u64 = 0x0500_0068_6374_616d;
  export const COUNT: u64 = 0x0500_0074_6e75_6f63;
  export const TYPE: u64 = 0x0400_0000_6570_7974;
  export const STRING: u64 = 0x0600_676e_6972_7473;
  export const LIST: u64 = 0x0400_0000_7473_696c;
  export const SET: u64 = 0x0300_0000_0074_6573;
  export const ZSET: u64 = 0x0400_0000_7465_737a;
  export const HASH: u64 = 0x0400_0000_6873_6168;
  export const ASC: u64 = 0x0300_0000_0063_7361;
  export const DESC: u64 = 0x0400_0000_6373_6564;
  export const ALPHA: u64 = 0x0500_0061_6870_6c61;
  export const STORE: u64 = 0x0500_0065_726f_7473;
  export const BY: u64 = 0x0200_0000_0000_7962;
  export const STREAM: u64 = 0x0600_6d61_6572_7473;
  export const MAXLEN: u64 = 0x0600_6e65_6c78_616d;
  export const MINID: u64 = 0x0500_0064_696e_696d;
  export const GROUP: u64 = 0x0500_0070_756f_7267;
  export const BLOCK: u64 = 0x0500_006b_636f_6c62;
  export const NOACK: u64 = 0x0500_006b_6361_6f6e;
  export const STREAMS: u64 = 0x0773_6d61_6572_7473;
  export const IDLE: u64 = 0x0400_0000_656c_6469;
  export const TIME: u64 = 0x0400_0000_656d_6974;
  export const FORCE: u64 = 0x0500_0065_6372_6f66;
  export const JUSTID: u64 = 0x0600_6469_7473_756a;
  export const LASTID: u64 = 0x0600_6469_7473_616c;
  export const FULL: u64 = 0x0400_0000_6c6c_7566;
}

/**
 * Copies a command whose input is about to be overwritten into one run of the heap, laid out as abi.ts says.
 * @returns its address, 0 = no memory. O(bytes)
 */
export function keepArguments(argc: u32): usize {
  const tableBytes = argc << 3;
  let bytes = <u64>KEPT_HEADER_BYTES + tableBytes + INPUT_SLACK_BYTES;
  for (let i: u32 = 0; i < argc; i++) bytes += argLength(i);
  if (bytes > <u64>i32.MAX_VALUE) return 0;
  const run = alloc(<u32>bytes);
  if (run === 0) return 0;
  store<u32>(run, <u32>bytes);
  store<u32>(run, argc, 4);
  let pair = run + KEPT_HEADER_BYTES;
  let word = pair + tableBytes;
  for (let i: u32 = 0; i < argc; i++) {
    const length = argLength(i);
    memory.copy(word, argPtr(i), length);
    store<u32>(pair, <u32>word);
    store<u32>(pair, length, 4);
    pair += 8;
    word += length;
  }
  return run;
}
