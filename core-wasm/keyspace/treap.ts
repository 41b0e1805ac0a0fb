/**
 * Blocks by deadline: a treap over (deadline, address) whose links are part of the block. A priority is a mix of the address, so
 * no third word is needed. Who moves a block, or changes its deadline, takes it out before and puts it in again behind.
 *
 * Two kinds of blocks are ordered so, `Links` tells where theirs are:
 * - entries, for volatile-ttl. DESIGN 4 has the wheel give this order; but a slot of the wheel's upper levels spans minutes to years and is not
 *   sorted, so that "the smallest deadline first" would be a search. The treap is exact at O(log n) for each change of a deadline, and only
 *   while the policy is in force.
 * - fields of a hash's table that have a deadline, see types/field-block.ts. Behind its links such a block has the number of blocks below it
 *   and itself, so that those that are due are counted without a visit.
 *
 * The functions take the address of the word that holds the root.
 */
import { ensure } from "../state";
import { deadlineOf, entryAt } from "./entry";

/** Where a block has the words of its left and right link. */
export enum Links {
  Entry = 0,
  Field = 8,
}

const WORD: usize = 4;
const DEEPEST: u32 = 512;
/** In the first word of a field's block, above its mark. */
const FIELD_DEADLINE_SHIFT: u64 = 16;

function priority(ref: u32): u32 {
  let x = ref * 0x9e3779b1;
  x ^= x >> 15;
  x *= 0x85ebca77;
  return x ^ (x >> 13);
}

const SIZE: usize = Links.Field + 2 * WORD;

function sizeOf(ref: u32): u32 {
  return ref === 0 ? 0 : load<u32>(ref, SIZE);
}

function addToSize(ref: u32, change: i32, links: Links): void {
  if (links === Links.Field) store<u32>(ref, load<u32>(ref, SIZE) + change, SIZE);
}

function recount(ref: u32, links: Links): void {
  if (links !== Links.Field) return;
  const below = sizeOf(load<u32>(leftOf(ref, links))) + sizeOf(load<u32>(rightOf(ref, links)));
  store<u32>(ref, 1 + below, SIZE);
}

function deadlineIn(ref: u32, links: Links): u64 {
  return links === Links.Field ? load<u64>(ref) >> FIELD_DEADLINE_SHIFT : deadlineOf(entryAt(ref));
}

function before(a: u32, b: u32, links: Links): bool {
  const first = deadlineIn(a, links);
  const second = deadlineIn(b, links);
  return first < second || (first === second && a < b);
}

function leftOf(ref: u32, links: Links): usize {
  return <usize>ref + links;
}

function rightOf(ref: u32, links: Links): usize {
  return <usize>ref + links + WORD;
}

/** O(log n) */
export function treapInsert(root: usize, ref: u32, links: Links): void {
  const own = priority(ref);
  let link = root;
  let node = load<u32>(link);
  while (node !== 0 && priority(node) > own) {
    addToSize(node, 1, links);
    link = before(ref, node, links) ? leftOf(node, links) : rightOf(node, links);
    node = load<u32>(link);
  }
  store<u32>(link, ref);
  split(node, ref, leftOf(ref, links), rightOf(ref, links), links);
  recount(ref, links);
}

/** Splits what is at and below `node` into what comes before `ref` and what comes behind: `left` and `right` are the words that lead to them. */
function split(node: u32, ref: u32, left: usize, right: usize, links: Links): void {
  if (node === 0) {
    store<u32>(left, 0);
    store<u32>(right, 0);
    return;
  }
  if (before(node, ref, links)) {
    store<u32>(left, node);
    split(load<u32>(rightOf(node, links)), ref, rightOf(node, links), right, links);
  } else {
    store<u32>(right, node);
    split(load<u32>(leftOf(node, links)), ref, left, leftOf(node, links), links);
  }
  recount(node, links);
}

/** Needs deadline and address as they were when it was inserted. O(log n) */
export function treapRemove(root: usize, ref: u32, links: Links): void {
  let link = root;
  let node = load<u32>(link);
  while (node !== ref) {
    ensure(node !== 0, 401, ref);
    addToSize(node, -1, links);
    link = before(ref, node, links) ? leftOf(node, links) : rightOf(node, links);
    node = load<u32>(link);
  }
  store<u32>(link, join(load<u32>(leftOf(ref, links)), load<u32>(rightOf(ref, links)), links));
}

/** Puts two parts, all of the first before all of the second, into one. @returns its root */
function join(first: u32, second: u32, links: Links): u32 {
  if (first === 0) return second;
  if (second === 0) return first;
  const isFirst = priority(first) > priority(second);
  const top = isFirst ? first : second;
  const link = isFirst ? rightOf(first, links) : leftOf(second, links);
  const below = load<u32>(link);
  store<u32>(link, isFirst ? join(below, second, links) : join(first, below, links));
  recount(top, links);
  return top;
}

/** The block with the smallest deadline, 0 = there is none. O(log n) */
export function treapFirst(root: usize, links: Links): u32 {
  let found: u32 = 0;
  for (let ref = load<u32>(root); ref !== 0; ref = load<u32>(leftOf(ref, links))) found = ref;
  return found;
}

/** The block with the greatest deadline, 0 = there is none. O(log n) */
export function treapLast(root: usize, links: Links): u32 {
  let found: u32 = 0;
  for (let ref = load<u32>(root); ref !== 0; ref = load<u32>(rightOf(ref, links))) found = ref;
  return found;
}

/** Fields below and at `ref` with a deadline up to `at`. O(log n) */
export function fieldsUpTo(ref: u32, at: u64): u32 {
  let count: u32 = 0;
  while (ref !== 0) {
    if (deadlineIn(ref, Links.Field) > at) ref = load<u32>(leftOf(ref, Links.Field));
    else {
      count += 1 + sizeOf(load<u32>(leftOf(ref, Links.Field)));
      ref = load<u32>(rightOf(ref, Links.Field));
    }
  }
  return count;
}

/** Asserts order, heap and sizes at and below `ref`. @returns blocks in it. O(n) */
export function checkTreap(ref: u32, links: Links, depth: u32 = 0): u32 {
  if (ref === 0) return 0;
  ensure(depth < DEEPEST && deadlineIn(ref, links) !== 0, 410, ref);
  const left = load<u32>(leftOf(ref, links));
  const right = load<u32>(rightOf(ref, links));
  if (left !== 0) ensure(before(left, ref, links) && priority(left) <= priority(ref), 412, ref);
  if (right !== 0) ensure(before(ref, right, links) && priority(right) <= priority(ref), 413, ref);
  const size = 1 + checkTreap(left, links, depth + 1) + checkTreap(right, links, depth + 1);
  if (links === Links.Field) ensure(sizeOf(ref) === size, 411, ref);
  return size;
}
