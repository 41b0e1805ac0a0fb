/**
 * Fields of a hash's table that have a deadline, by deadline: a treap over (deadline, address) whose links are part of the field's block.
 * A priority is a mix of the address. Who moves a block, or changes its deadline, takes it out before and puts it in again behind.
 *
 *   block with a deadline: 0 u8 TIMED_MARK |1 - |2 u48 deadline in ms |8 left |12 right |16 sized field, sized value
 *
 * The functions take the address of the word that holds the root.
 */
import { TIMED_MARK } from "../keyspace/table";
import { ensure } from "../state";

const LEFT: usize = 8;
const RIGHT: usize = 12;
const DEADLINE_SHIFT: u64 = 16;
const DEEPEST: u32 = 512;

/** ms; 0 = the field of this block has none. */
export function deadlineOfBlock(ref: usize): u64 {
  return <u32>load<u8>(ref) === TIMED_MARK ? load<u64>(ref) >> DEADLINE_SHIFT : 0;
}

/** Makes a block one with a deadline, below 2^48. It is in no order yet. */
export function markBlock(ref: usize, deadline: u64): void {
  store<u64>(ref, (deadline << DEADLINE_SHIFT) | TIMED_MARK);
}

function priority(ref: u32): u32 {
  let x = ref * 0x9e3779b1;
  x ^= x >> 15;
  x *= 0x85ebca77;
  return x ^ (x >> 13);
}

function before(a: u32, b: u32): bool {
  // The marks are the same: whole words compare as the deadlines do.
  const first = load<u64>(a) >> DEADLINE_SHIFT;
  const second = load<u64>(b) >> DEADLINE_SHIFT;
  return first < second || (first === second && a < b);
}

/** O(log n) */
export function orderInsert(root: usize, ref: u32): void {
  const own = priority(ref);
  let link = root;
  let node = load<u32>(link);
  while (node !== 0 && priority(node) > own) {
    link = <usize>node + (before(ref, node) ? LEFT : RIGHT);
    node = load<u32>(link);
  }
  store<u32>(link, ref);
  // What was below is split into what comes before and what comes behind.
  let left: usize = <usize>ref + LEFT;
  let right: usize = <usize>ref + RIGHT;
  while (node !== 0) {
    if (before(node, ref)) {
      store<u32>(left, node);
      left = <usize>node + RIGHT;
      node = load<u32>(left);
    } else {
      store<u32>(right, node);
      right = <usize>node + LEFT;
      node = load<u32>(right);
    }
  }
  store<u32>(left, 0);
  store<u32>(right, 0);
}

/** Needs deadline and address as they were when it was inserted. O(log n) */
export function orderRemove(root: usize, ref: u32): void {
  let link = root;
  let node = load<u32>(link);
  while (node !== ref) {
    ensure(node !== 0, 770, ref);
    link = <usize>node + (before(ref, node) ? LEFT : RIGHT);
    node = load<u32>(link);
  }
  let left = load<u32>(ref, LEFT);
  let right = load<u32>(ref, RIGHT);
  while (left !== 0 && right !== 0) {
    if (priority(left) > priority(right)) {
      store<u32>(link, left);
      link = <usize>left + RIGHT;
      left = load<u32>(link);
    } else {
      store<u32>(link, right);
      link = <usize>right + LEFT;
      right = load<u32>(link);
    }
  }
  store<u32>(link, left | right);
}

/** The block with the smallest deadline, 0 = there is none. O(log n) */
export function orderFirst(root: usize): u32 {
  let ref = load<u32>(root);
  if (ref === 0) return 0;
  for (let left = load<u32>(ref, LEFT); left !== 0; left = load<u32>(ref, LEFT)) ref = left;
  return ref;
}

/** The block with the greatest deadline, 0 = there is none. O(log n) */
export function orderLast(root: usize): u32 {
  let ref = load<u32>(root);
  if (ref === 0) return 0;
  for (let right = load<u32>(ref, RIGHT); right !== 0; right = load<u32>(ref, RIGHT)) ref = right;
  return ref;
}

/** Blocks below and at `ref` with a deadline up to `at`. O(log n + their number) */
export function countUpTo(ref: u32, at: u64): u32 {
  let count: u32 = 0;
  while (ref !== 0) {
    if (load<u64>(ref) >> DEADLINE_SHIFT > at) ref = load<u32>(ref, LEFT);
    else {
      count += 1 + countUpTo(load<u32>(ref, LEFT), at);
      ref = load<u32>(ref, RIGHT);
    }
  }
  return count;
}

/** Asserts order and heap at and below `ref`. @returns blocks in it. O(n) */
export function checkFieldOrder(ref: u32, depth: u32): u32 {
  if (ref === 0) return 0;
  ensure(depth < DEEPEST && <u32>load<u8>(ref) === TIMED_MARK, 771, ref);
  const left = load<u32>(ref, LEFT);
  const right = load<u32>(ref, RIGHT);
  if (left !== 0) ensure(before(left, ref) && priority(left) <= priority(ref), 772, ref);
  if (right !== 0) ensure(before(ref, right) && priority(right) <= priority(ref), 773, ref);
  return 1 + checkFieldOrder(left, depth + 1) + checkFieldOrder(right, depth + 1);
}
