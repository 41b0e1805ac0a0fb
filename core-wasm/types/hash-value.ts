/** Hashes as values: freeing, copying, moving, measuring, checking. */
import { Address } from "../abi";
import { Entry, hasFieldDeadlines, refOf } from "../keyspace/entry";
import { newTable, Table, TableKind, tableBytes } from "../keyspace/table";
import { checkTable, nextRef } from "../keyspace/table-walk";
import { checkTreap, Links } from "../keyspace/treap";
import { free, usableBytes } from "../memory/allocator";
import { unseededHash } from "../memory/bytes";
import { sha1Add } from "../memory/sha1";
import { ensure, ScratchArea, state } from "../state";
import { evacuateBlock, evacuateTableAt } from "./evacuate";
import { discard, GarbageKind } from "./garbage";
import {
  addFieldCopy,
  beginFields,
  fieldBytes,
  freeFields,
  NEVER,
  nextField,
  readField,
} from "./hash";
import {
  fieldWidth,
  hashCount,
  hashValue,
  isPackedHash,
  storeHashValue,
  tableOfHash,
} from "./hash-form";
import { checkPacked, copyPacked, packedBytes } from "./packed";
import { savedLengthBytes } from "./saved";
import { detachTiming, followTiming, newTiming, rootSlot, timingOf, valueSlot } from "./timing";

/** Tables with at most this many fields are freed at once. */
const FREE_AT_ONCE: u32 = 64;
const DIGEST: usize = Address.Scratch + ScratchArea.Member + 80;

/** A large one is left to be freed in slices. */
export function freeHash(entry: Entry): void {
  if (hasFieldDeadlines(entry)) detachTiming(entry);
  if (isPackedHash(entry)) return free(entry.value);
  const t = tableOfHash(entry);
  if (t.count <= FREE_AT_ONCE) freeFields(t);
  else discard(GarbageKind.Members, entry.value);
}

/** Gives the entry, which shares its value with another one, a value of its own. @returns false = no memory. O(n) */
export function copyHash(entry: Entry): bool {
  const isTimed = hasFieldDeadlines(entry);
  const timing = isTimed ? newTiming() : null;
  if (isTimed && timing === null) return false;
  const copy = isPackedHash(entry)
    ? copyPacked(hashValue(entry))
    : copyTable(entry, timing === null ? 0 : rootSlot(timing));
  if (copy === 0) {
    if (timing !== null) free(changetype<usize>(timing));
    return false;
  }
  if (timing !== null) {
    timing.fields = timingOf(entry).fields;
    timing.deadline = timingOf(entry).deadline;
    timing.value = <u32>copy;
    entry.value = <u32>changetype<usize>(timing);
  } else entry.value = <u32>copy;
  return true;
}

/** A copy of a hash's table, with an order of its own at `root`. @returns 0 = no memory */
function copyTable(entry: Entry, root: usize): usize {
  const t = newTable(TableKind.Fields);
  if (t === null) return 0;
  beginFields(entry);
  while (nextField())
    if (!addFieldCopy(t, root)) {
      freeFields(t);
      return 0;
    }
  return changetype<usize>(t);
}

/** Moves blocks out of pages that are being emptied, a part of a large table at a time. @returns how many moved */
export function evacuateHash(entry: Entry): u32 {
  let moved: u32 = 0;
  if (hasFieldDeadlines(entry)) {
    const timing = evacuateBlock(entry.value);
    if (timing !== 0) {
      entry.value = timing;
      followTiming(entry);
      moved = 1;
    }
  }
  if (!isPackedHash(entry)) {
    const root = hasFieldDeadlines(entry) ? rootSlot(timingOf(entry)) : 0;
    return moved + evacuateTableAt(valueSlot(entry), root);
  }
  const packed = evacuateBlock(<u32>hashValue(entry));
  if (packed === 0) return moved;
  storeHashValue(entry, packed);
  return moved + 1;
}

/** As Redis names them since fields have deadlines. */
export function hashEncodingName(entry: Entry): string {
  if (!isPackedHash(entry)) return "hashtable";
  return hasFieldDeadlines(entry) ? "listpackex" : "listpack";
}

/** Adds all fields with their values to the SHA-1 that runs, in an order of no weight. O(bytes) */
export function digestHash(entry: Entry): void {
  let sum: u64 = 0;
  beginFields(entry);
  while (nextField()) {
    store<u64>(DIGEST, unseededHash(state.memberPtr, state.memberLength));
    store<u64>(DIGEST, unseededHash(state.valuePtr, state.valueLength), 8);
    store<u64>(DIGEST, state.fieldDeadline, 16);
    sum += unseededHash(DIGEST, 24);
  }
  store<u64>(DIGEST, sum);
  sha1Add(DIGEST, 8);
}

/** Bytes of the value's blocks. O(n) in a table */
export function hashBytes(entry: Entry): u64 {
  const value = hashValue(entry);
  let bytes = <u64>usableBytes(value);
  if (hasFieldDeadlines(entry)) bytes += usableBytes(entry.value);
  if (isPackedHash(entry)) return bytes;
  const t = tableOfHash(entry);
  bytes += tableBytes(t);
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition))
    bytes += usableBytes(ref);
  return bytes;
}

/** Bytes of the hash in a dump: a packed one as it is, a table field by field. O(n) */
export function savedHashBytes(entry: Entry): u64 {
  if (isPackedHash(entry)) return savedLengthBytes(packedBytes(hashValue(entry)));
  let bytes: u64 = 0;
  beginFields(entry);
  while (nextField())
    bytes += savedLengthBytes(state.memberLength) + savedLengthBytes(state.valueLength);
  return bytes;
}

/** Asserts the encoding's own invariants, the deadlines, and that no hash is empty. O(n) */
export function checkHash(entry: Entry): void {
  ensure(hashCount(entry) > 0, 761, entry.value);
  if (isPackedHash(entry)) ensure(checkPacked(hashValue(entry)) % fieldWidth(entry) === 0, 763);
  else checkTable(tableOfHash(entry));
  let timed: u32 = 0;
  let earliest = NEVER;
  beginFields(entry);
  while (nextField()) {
    if (state.fieldDeadline === 0) continue;
    timed += 1;
    if (state.fieldDeadline < earliest) earliest = state.fieldDeadline;
  }
  if (!isPackedHash(entry)) checkBlocks(tableOfHash(entry));
  if (!hasFieldDeadlines(entry)) return ensure(timed === 0, 767, timed);
  const timing = timingOf(entry);
  ensure(timed > 0 && timing.fields === timed, 768, timed);
  ensure(timing.deadline === earliest && timing.wheelNext !== 0, 769, timed);
  ensure(timing.entry === refOf(entry), 774, timing.entry);
  const ordered: u32 = isPackedHash(entry) ? 0 : timed;
  ensure(checkTreap(timing.root, Links.Field) === ordered, 775, ordered);
}

function checkBlocks(t: Table): void {
  for (let ref = nextRef(t, 0); ref !== 0; ref = nextRef(t, state.walkPosition)) {
    readField(ref);
    const bytes = fieldBytes(state.memberLength, state.valueLength, state.fieldDeadline);
    ensure(bytes <= usableBytes(ref), 762, bytes);
  }
}
