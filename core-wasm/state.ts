/**
 * All mutable state of the core, at fixed addresses. There are no mutable globals: whoever has the memory has the
 * database, and a second instance of the module over the same memory sees the same state.
 *
 *   0x0000_0000    1 KiB  null guard (ref 0 = none)
 *   0x0000_0400   63 KiB  read-only data segments
 *   0x0001_0000   64 KiB  State (this file)
 *   0x0002_0000  128 KiB  argv table: pairs (u32 ptr, u32 length)
 *   0x0004_0000   64 KiB  IO block
 *   0x0005_0000  704 KiB  scratch: formatted numbers, collected refs; nothing in it outlives a call
 *   0x0010_0000    2 MiB  page table: 32 bytes per 64 KiB page
 *   0x0030_0000    1 MiB  effect records
 *   0x0040_0000    4 MiB  input window
 *   0x0080_0000    8 MiB  output window
 *   0x0100_0000           heap, in 64 KiB pages up to the end of the memory
 */
import { Address, IoField, StateField } from "./abi";

/** One caller's place: with threads each has its own, and taking the lock sets `State.io`. */
@final
@unmanaged
export class IoBlock {
  argvPtr: u32;
  outTop: u32;
  outEnd: u32;
  outStart: u32;
  protocol: u32;
  db: u32;
  flags: u32;
}

@final
@unmanaged
export class State {
  /** For threads to come; alone on its cache line. */
  lock: u32;
  lockPad0: u32;
  lockPad1: u64;
  lockPad2: u64;
  lockPad3: u64;
  lockPad4: u64;
  lockPad5: u64;
  lockPad6: u64;
  lockPad7: u64;
  io: u32;
  epoch: u32;
  nowMs: f64;
  hostBytes: f64;
  effectMask: u32;
  effectsTop: u32;
  fatalCode: u32;
  fatalDetail: u32;
  usedBytes: u64;
  heapPagesUsed: u32;
  heapPagesTop: u32;
  keyspaceHits: u64;
  keyspaceMisses: u64;
  expiredKeys: u64;
  evictedKeys: u64;
  backlogBytes: u64;
}

export const state = changetype<State>(Address.State);

export function io(): IoBlock {
  return changetype<IoBlock>(state.io);
}

if (offsetof<IoBlock>("flags") !== IoField.Flags) ERROR("IoBlock and abi.ts disagree");
if (offsetof<State>("nowMs") !== StateField.NowMs) ERROR("State and abi.ts disagree: nowMs");
if (offsetof<State>("backlogBytes") !== StateField.BacklogBytes) ERROR("State and abi.ts disagree");

/** Our own assertion, in release too: leaves the code where the host finds it, then traps. */
export function ensure(condition: bool, code: i32, detail: u32 = 0): void {
  if (!condition) {
    state.fatalCode = code;
    state.fatalDetail = detail;
    unreachable();
  }
}
