/**
 * Sorted integers, the compact form of a set of integers. The bytes are those of Redis's intset, which dumps hold as they are.
 *
 *   0 u32 bytes of each: 2, 4 or 8 |4 u32 integers |8 integers, ascending
 *
 * Whoever changes one goes on with the address that comes back: the block may have moved.
 */
import { alloc, free, roundedBytes, usableBytes } from "../memory/allocator";
import { ensure } from "../state";

const HEADER_BYTES: u32 = 8;

export function intSetCount(set: usize): u32 {
  return load<u32>(set, 4);
}

function widthOf(value: i64): u32 {
  if (value === <i64>(<i16>value)) return 2;
  return value === <i64>(<i32>value) ? 4 : 8;
}

export function intSetBytes(set: usize): u32 {
  return HEADER_BYTES + load<u32>(set) * load<u32>(set, 4);
}

/** The integer at an index that is there. */
export function intSetAt(set: usize, index: u32): i64 {
  const width = load<u32>(set);
  const at = set + HEADER_BYTES + <usize>index * width;
  if (width === 2) return load<i16>(at);
  return width === 4 ? <i64>load<i32>(at) : load<i64>(at);
}

function putAt(set: usize, index: u32, value: i64): void {
  const width = load<u32>(set);
  const at = set + HEADER_BYTES + <usize>index * width;
  if (width === 2) store<i16>(at, <i16>value);
  else if (width === 4) store<i32>(at, <i32>value);
  else store<i64>(at, value);
}

/** An empty one. @returns 0 = no memory */
export function newIntSet(): usize {
  const set = alloc(HEADER_BYTES);
  if (set === 0) return 0;
  store<u32>(set, 2);
  store<u32>(set, 0, 4);
  return set;
}

/** Where the value is or would be: the first index whose integer is not below it. O(log n) */
function lowerBound(set: usize, value: i64): u32 {
  let low: u32 = 0;
  let high = intSetCount(set);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intSetAt(set, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function intSetHas(set: usize, value: i64): bool {
  const index = lowerBound(set, value);
  return index < intSetCount(set) && intSetAt(set, index) === value;
}

/** Adds a value that is not in it. @returns the block, 0 = no memory, nothing changed. O(n) */
export function intSetAdd(set: usize, value: i64): usize {
  const count = intSetCount(set);
  const index = lowerBound(set, value);
  const width = load<u32>(set);
  const wider = widthOf(value);
  const newWidth = wider > width ? wider : width;
  const bytes = HEADER_BYTES + (count + 1) * newWidth;
  const block = usableBytes(set) >= bytes && newWidth === width ? set : alloc(bytes);
  if (block === 0) return 0;
  const head = index * width;
  if (newWidth === width) {
    if (block !== set) memory.copy(block, set, HEADER_BYTES + head);
    const from = set + HEADER_BYTES + head;
    memory.copy(block + HEADER_BYTES + head + width, from, (count - index) * width);
  } else {
    store<u32>(block, newWidth);
    for (let i: u32 = 0; i < count; i++) putAt(block, i < index ? i : i + 1, intSetAt(set, i));
  }
  store<u32>(block, count + 1, 4);
  putAt(block, index, value);
  if (block !== set) free(set);
  return block;
}

/** Removes a value that is in it. @returns the block. O(n) */
export function intSetRemove(set: usize, value: i64): usize {
  const count = intSetCount(set);
  const width = load<u32>(set);
  const at = set + HEADER_BYTES + <usize>lowerBound(set, value) * width;
  memory.copy(at, at + width, set + HEADER_BYTES + <usize>count * width - at - width);
  store<u32>(set, count - 1, 4);
  const bytes = intSetBytes(set);
  const usable = usableBytes(set);
  if (roundedBytes(bytes) > usable - (usable >> 2)) return set;
  const smaller = copyIntSet(set);
  if (smaller === 0) return set;
  free(set);
  return smaller;
}

/** @returns 0 = no memory */
export function copyIntSet(set: usize): usize {
  const bytes = intSetBytes(set);
  const copy = alloc(bytes);
  if (copy !== 0) memory.copy(copy, set, bytes);
  return copy;
}

/** Asserts width, order and block. O(n) */
export function checkIntSet(set: usize): void {
  const width = load<u32>(set);
  ensure(width === 2 || width === 4 || width === 8, 730, width);
  ensure(intSetBytes(set) <= usableBytes(set), 731, intSetCount(set));
  for (let i: u32 = 1; i < intSetCount(set); i++)
    ensure(intSetAt(set, i - 1) < intSetAt(set, i), 732, i);
}
