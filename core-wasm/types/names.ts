/**
 * Blocks in the order of their names, in one row: consumer groups of a stream, consumers of a group. Names are sized bytes at the same
 * offset in each block.
 *
 *   0 u32 count |4 u32 refs
 */
import { alloc, free, roundedBytes, usableBytes } from "../memory/allocator";
import { sizedLength, sizedPtr } from "../memory/sized";

const FIRST_BYTES: u32 = 16;

export function nameCount(names: usize): u32 {
  return names === 0 ? 0 : load<u32>(names);
}

export function nameCell(names: usize, index: u32): usize {
  return names + 4 + ((<usize>index) << 2);
}

/** The block at an index. */
export function namedAt(names: usize, index: u32): usize {
  return load<u32>(nameCell(names, index));
}

/** The name at `name` against bytes: below 0, 0 or above. */
function compareName(name: usize, ptr: usize, length: u32): i32 {
  const own = sizedLength(name);
  const order = memory.compare(sizedPtr(name), ptr, min(own, length));
  return order !== 0 ? order : <i32>own - <i32>length;
}

/** The first index whose name is not below these bytes. O(log n) */
function indexFor(names: usize, offset: usize, ptr: usize, length: u32): u32 {
  let low: u32 = 0;
  let high = nameCount(names);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareName(namedAt(names, middle) + offset, ptr, length) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The block of a name, 0 = there is none. O(log n) */
export function findNamed(names: usize, offset: usize, ptr: usize, length: u32): usize {
  const index = indexFor(names, offset, ptr, length);
  if (index === nameCount(names)) return 0;
  const block = namedAt(names, index);
  return compareName(block + offset, ptr, length) === 0 ? block : 0;
}

/** Room for one more. @returns the row, which may have moved, 0 = no memory, nothing changed */
export function reserveName(names: usize): usize {
  if (names === 0) {
    const fresh = alloc(FIRST_BYTES);
    if (fresh !== 0) store<u32>(fresh, 0);
    return fresh;
  }
  const bytes = <u32>nameCell(0, nameCount(names) + 1);
  if (usableBytes(names) >= bytes) return names;
  const larger = alloc(bytes + (bytes >> 1));
  if (larger === 0) return 0;
  memory.copy(larger, names, nameCell(0, nameCount(names)));
  free(names);
  return larger;
}

/** Puts a block, whose name is new, into a row with room for it. O(n) */
export function insertNamed(names: usize, offset: usize, block: usize): void {
  const name = block + offset;
  const index = indexFor(names, offset, sizedPtr(name), sizedLength(name));
  const count = nameCount(names);
  const at = nameCell(names, index);
  memory.copy(at + 4, at, (<usize>(count - index)) << 2);
  store<u32>(at, <u32>block);
  store<u32>(names, count + 1);
}

/** Takes a block out of the row. @returns the row, 0 = it was the last. O(n) */
export function removeNamed(names: usize, offset: usize, block: usize): usize {
  const name = block + offset;
  const index = indexFor(names, offset, sizedPtr(name), sizedLength(name));
  const count = nameCount(names) - 1;
  const at = nameCell(names, index);
  memory.copy(at, at + 4, (<usize>(count - index)) << 2);
  store<u32>(names, count);
  if (count === 0) {
    free(names);
    return 0;
  }
  const bytes = <u32>nameCell(0, count);
  if (roundedBytes(bytes) > usableBytes(names) >> 1) return names;
  const smaller = alloc(bytes);
  if (smaller === 0) return names;
  memory.copy(smaller, names, bytes);
  free(names);
  return smaller;
}
