/**
 * The order in which entries would be evicted, in the two link words of each entry.
 *
 * Under an LRU policy it is a circular list through a sentinel: `next` leads from the hottest to the coldest. Under
 * volatile-ttl it is a treap over (deadline, address): the words are the children, a priority is a mix of the address, so
 * no third word is needed. Under the other policies there is no order. An entry belongs to the order if it carries the
 * generation in force: a change of policy is O(1), and entries are linked anew in slices (`evict.ts`).
 */
import { Address, EvictionPolicy } from "../abi";
import { ensure, State, state } from "../state";
import { deadlineOf, Entry, entryAt, generationOf, refOf, setGeneration } from "./entry";

export enum Order {
  None = 0,
  RecencyAll = 1,
  RecencyVolatile = 2,
  Deadline = 3,
}

const GENERATIONS: u32 = 7;
const LEFT: usize = 0;
const RIGHT: usize = 4;

function sentinel(): Entry {
  return entryAt(Address.State + offsetof<State>("lruPrev"));
}

export function orderOf(policy: u32): u32 {
  if (policy === EvictionPolicy.AllKeysLru) return Order.RecencyAll;
  if (policy === EvictionPolicy.VolatileLru) return Order.RecencyVolatile;
  return policy === EvictionPolicy.VolatileTtl ? Order.Deadline : Order.None;
}

/** Begins a new, empty order of the given kind. Every entry counts as not linked. */
export function beginOrder(order: u32): void {
  state.order = order;
  state.orderGeneration = (state.orderGeneration % GENERATIONS) + 1;
  state.orderRoot = 0;
  const end = sentinel();
  end.lruPrev = refOf(end);
  end.lruNext = refOf(end);
}

export function isOrdered(entry: Entry): bool {
  return generationOf(entry) === state.orderGeneration;
}

function isCandidate(entry: Entry): bool {
  return state.order === Order.RecencyAll || deadlineOf(entry) !== 0;
}

function linkBetween(entry: Entry, prev: Entry, next: Entry): void {
  entry.lruPrev = refOf(prev);
  entry.lruNext = refOf(next);
  prev.lruNext = refOf(entry);
  next.lruPrev = refOf(entry);
}

/** Puts an entry that is in no order at its place: hottest, or by its deadline. Not a candidate: nothing. */
export function enterOrder(entry: Entry): void {
  if (state.order === Order.None || !isCandidate(entry)) return;
  setGeneration(entry, state.orderGeneration);
  if (state.order === Order.Deadline) treapInsert(entry);
  else linkBetween(entry, sentinel(), entryAt(sentinel().lruNext));
}

/** Puts it at the cold end: for entries whose past is not known. */
export function enterColdest(entry: Entry): void {
  if (state.order === Order.None || state.order === Order.Deadline) return enterOrder(entry);
  if (!isCandidate(entry)) return;
  setGeneration(entry, state.orderGeneration);
  linkBetween(entry, entryAt(sentinel().lruPrev), sentinel());
}

export function leaveOrder(entry: Entry): void {
  if (state.order === Order.None || !isOrdered(entry)) return;
  setGeneration(entry, 0);
  if (state.order === Order.Deadline) return treapRemove(entry);
  const prev = entryAt(entry.lruPrev);
  const next = entryAt(entry.lruNext);
  prev.lruNext = refOf(next);
  next.lruPrev = refOf(prev);
}

/** An access: the entry becomes the hottest of a recency order. */
export function touchOrder(entry: Entry): void {
  if (state.order === Order.None || state.order === Order.Deadline) return;
  if (!isOrdered(entry)) return enterOrder(entry);
  if (sentinel().lruNext === refOf(entry)) return;
  const prev = entryAt(entry.lruPrev);
  const next = entryAt(entry.lruNext);
  prev.lruNext = refOf(next);
  next.lruPrev = refOf(prev);
  linkBetween(entry, sentinel(), entryAt(sentinel().lruNext));
}

/** The entry's block moved from `old`, whose contents are still readable: neighbours learn the new address. */
export function moveInOrder(entry: Entry, old: Entry): void {
  if (state.order === Order.None || !isOrdered(old)) return;
  if (state.order === Order.Deadline) {
    // The address is part of the treap's order.
    treapRemove(old);
    treapInsert(entry);
    return;
  }
  entryAt(entry.lruPrev).lruNext = refOf(entry);
  entryAt(entry.lruNext).lruPrev = refOf(entry);
}

/** Who goes first, or null if nobody is in the order. O(1), treap O(log n). */
export function firstToEvict(): Entry | null {
  if (state.order === Order.Deadline) {
    let ref = state.orderRoot;
    if (ref === 0) return null;
    for (let left = load<u32>(ref, LEFT); left !== 0; left = load<u32>(ref, LEFT)) ref = left;
    return entryAt(ref);
  }
  if (state.order === Order.None) return null;
  const coldest = sentinel().lruPrev;
  return coldest === refOf(sentinel()) ? null : entryAt(coldest);
}

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

/** The word that leads to the entry, walking down from the root. */
function treapInsert(entry: Entry): void {
  const ref = refOf(entry);
  const own = priority(ref);
  let link: usize = Address.State + offsetof<State>("orderRoot");
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

function treapRemove(entry: Entry): void {
  const ref = refOf(entry);
  let link: usize = Address.State + offsetof<State>("orderRoot");
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

function checkTreap(ref: u32, depth: u32): u32 {
  if (ref === 0) return 0;
  ensure(depth < 512, 410, ref);
  ensure(isOrdered(entryAt(ref)), 411, ref);
  const left = load<u32>(ref, LEFT);
  const right = load<u32>(ref, RIGHT);
  if (left !== 0) ensure(before(left, ref) && priority(left) <= priority(ref), 412, ref);
  if (right !== 0) ensure(before(ref, right) && priority(right) <= priority(ref), 413, ref);
  return 1 + checkTreap(left, depth + 1) + checkTreap(right, depth + 1);
}

/** Asserts the order's links in both directions. @returns how many entries are in it. O(entries) */
export function checkOrder(): u32 {
  if (state.order === Order.Deadline) return checkTreap(state.orderRoot, 0);
  if (state.order === Order.None) return 0;
  let members: u32 = 0;
  const end = refOf(sentinel());
  let prev = end;
  for (let ref = sentinel().lruNext; ref !== end; ref = entryAt(ref).lruNext) {
    ensure(entryAt(ref).lruPrev === prev, 414, ref);
    ensure(isOrdered(entryAt(ref)), 415, ref);
    prev = ref;
    members += 1;
  }
  ensure(sentinel().lruPrev === prev, 416, prev);
  return members;
}
