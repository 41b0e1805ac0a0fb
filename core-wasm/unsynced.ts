/**
 * Which keys were touched by writes that no sync covers yet: replies that show them wait for it (`appendfsync always`). Two
 * generations of bits by key hash: one of what is gathered for the next sync, one of what the sync in flight covers. A bit may stand for a
 * key that nobody touched; never is one missing, because it is set and asked for where keys are found, opened, put and removed.
 */
import { Address, Status } from "./abi";
import { Area, state } from "./state";

/** Bytes of a generation's bits. */
const BYTES: usize = 4096;
const INDEX_MASK: u64 = <u64>BYTES * 8 - 1;
/** The hash's bits that choose: not those that choose a bucket. */
const INDEX_SHIFT: u64 = 8;

/** State.unsynced. */
enum Tracking {
  Off = 0,
  On = 1,
  Second = 2, // the second generation is the one that is gathered
  Gathered = 4, // it is not empty
  Syncing = 8, // neither is the other
}

function bitsOf(second: bool): usize {
  return Address.State + Area.Unsynced + (second ? BYTES : 0);
}

function gathered(): usize {
  return bitsOf((state.unsynced & Tracking.Second) !== 0);
}

function syncing(): usize {
  return bitsOf((state.unsynced & Tracking.Second) === 0);
}

function byteOf(bits: usize, hash: u64): usize {
  return bits + <usize>(((hash >> INDEX_SHIFT) & INDEX_MASK) >> 3);
}

function maskOf(hash: u64): u32 {
  return 1 << (<u32>(hash >> INDEX_SHIFT) & 7);
}

/** Begins or ends keeping track. Nothing is known of what was written before: until the next sync every key stands for it. O(1) */
export function trackUnsynced(on: bool): void {
  if (on === (state.unsynced !== Tracking.Off)) return;
  state.unsynced = on ? Tracking.On : Tracking.Off;
  memory.fill(bitsOf(false), 0, 2 * BYTES);
  markAllUnsynced();
}

/** A sync begins that covers all so far. The one before has ended. */
export function beginSync(): void {
  if (state.unsynced === Tracking.Off) return;
  const wasSecond = (state.unsynced & Tracking.Second) !== 0;
  const holdsSome = (state.unsynced & Tracking.Gathered) !== 0;
  state.unsynced =
    Tracking.On | (wasSecond ? 0 : Tracking.Second) | (holdsSome ? Tracking.Syncing : 0);
  memory.fill(gathered(), 0, BYTES);
}

/** The sync has ended. */
export function endSync(): void {
  state.unsynced &= ~Tracking.Syncing;
}

/** The key with this hash is touched by a write. */
export function markUnsynced(hash: u64): void {
  const at = byteOf(gathered(), hash);
  store<u8>(at, <u8>(<u32>load<u8>(at) | maskOf(hash)));
  state.unsynced |= Tracking.Gathered;
}

/** Every key is. */
export function markAllUnsynced(): void {
  if (state.unsynced === Tracking.Off) return;
  memory.fill(gathered(), 0xff, BYTES);
  state.unsynced |= Tracking.Gathered;
}

/** The running command looks at the key with this hash. */
export function seeKey(hash: u64): void {
  const mask = maskOf(hash);
  if ((<u32>load<u8>(byteOf(gathered(), hash)) & mask) !== 0) state.status |= Status.SawUnsynced;
  if ((state.unsynced & Tracking.Syncing) === 0) return;
  if ((<u32>load<u8>(byteOf(syncing(), hash)) & mask) !== 0) state.status |= Status.SawSyncing;
}

/** The running command looks at all keys of a database, or counts them. */
export function seeAll(): void {
  if ((state.unsynced & Tracking.Gathered) !== 0) state.status |= Status.SawUnsynced;
  if ((state.unsynced & Tracking.Syncing) !== 0) state.status |= Status.SawSyncing;
}
