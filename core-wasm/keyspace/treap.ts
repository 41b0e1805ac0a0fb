/**
 * Entries by deadline, for volatile-ttl: a treap over (deadline, address) whose children are the entry's two link words. A
 * priority is a mix of the address, so no third word is needed.
 *
 * DESIGN 4 has the wheel give this order; but a slot of the wheel's upper levels spans minutes to years and is not sorted, so
 * that "the smallest deadline first" would be a search. The treap is exact at O(log n) for each change of a deadline, and only
 * while the policy is in force.
 */
import { Address } from "../abi";
import { ensure, State, state } from "../state";
import { deadlineOf, Entry, entryAt, refOf } from "./entry";

const LEFT: usize = 0;
const RIGHT: usize = 4;
const ROOT: usize = Address.State + offsetof<State>("orderRoot");

function priority(ref: u32): u32 {
  let x = ref * 0x9e3779b1;
  x ^= x >> 15;
  x *= 0x85ebca77;
  return x ^ (x >> 13);
}

function before(a: u32, b: u32): bool {
  const first = deadlineOf(entryAt(a));
  const second = deadlineOf(entryAt(b));
  return first < second || (first === second && a < b);
}

/** O(log n) */
export function treapInsert(entry: Entry): void {
  const ref = refOf(entry);
  const own = priority(ref);
  let link: usize = ROOT;
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

/** Needs the entry's deadline and address as they were when it was inserted. O(log n) */
export function treapRemove(entry: Entry): void {
  const ref = refOf(entry);
  let link: usize = ROOT;
  let node = load<u32>(link);
  while (node !== ref) {
    ensure(node !== 0, 401, ref);
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

/** The entry with the smallest deadline, or null. O(log n) */
export function treapFirst(): Entry | null {
  let ref = state.orderRoot;
  if (ref === 0) return null;
  for (let left = load<u32>(ref, LEFT); left !== 0; left = load<u32>(ref, LEFT)) ref = left;
  return entryAt(ref);
}

/** Asserts order and heap. @returns entries in it. O(n) */
export function checkTreap(): u32 {
  return checkBelow(state.orderRoot, 0);
}

function checkBelow(ref: u32, depth: u32): u32 {
  if (ref === 0) return 0;
  ensure(depth < 512, 410, ref);
  const left = load<u32>(ref, LEFT);
  const right = load<u32>(ref, RIGHT);
  if (left !== 0) ensure(before(left, ref) && priority(left) <= priority(ref), 412, ref);
  if (right !== 0) ensure(before(ref, right) && priority(right) <= priority(ref), 413, ref);
  return 1 + checkBelow(left, depth + 1) + checkBelow(right, depth + 1);
}
