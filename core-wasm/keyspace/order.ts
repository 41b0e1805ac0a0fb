/**
 * The order in which entries would be evicted, in the two link words of each entry.
 *
 * - Recency: one list, hottest to coldest. Exact: the order of accesses.
 * - Deadline: a treap (treap.ts). Exact.
 * - Frequency: Redis's logarithmic counters, all of which lose one for each lfu-decay-time without use. So the minute in which a
 *   counter will be 0 orders them as the counters themselves do at any time. A ring of lists holds the coming minutes; when a
 *   minute has come its list joins the list of those at 0. Exact: the smallest counter goes first, of equal ones the one that is
 *   0 first, of those the one used longest ago. From an lfu-decay-time of 17 minutes on a step of the ring is more than a
 *   minute, about a sixteenth of the decay time, and entries nearer than that are taken for equal.
 * - None under the other policies.
 *
 * An entry belongs to the order if it carries the generation in force, so that a change of policy is O(1) and entries are linked
 * anew in slices (rebuild.ts). While a recency order is rebuilt, lists by age hold what was not used since.
 */
import { Address, EvictionPolicy } from "../abi";
import { ensure, nowSeconds, State, state } from "../state";
import { lastUseSeconds, nowMinutes, zeroMinute } from "./clock";
import { deadlineOf, Entry, entryAt, generationOf, refOf, setGeneration } from "./entry";
import {
  appendHotter,
  clearList,
  coldestOf,
  highestFilled,
  initLists,
  LIST_COUNT,
  linkColdest,
  linkHottest,
  listAt,
  listToFill,
  lowestFilled,
  NO_LIST,
  unlinkFromList,
} from "./lists";
import { checkTreap, Links, treapFirst, treapInsert, treapRemove } from "./treap";

const TREAP_ROOT: usize = Address.State + offsetof<State>("orderRoot");

export enum Order {
  None = 0,
  Deadline = 1,
  RecencyAll = 2,
  RecencyVolatile = 3,
  FrequencyAll = 4,
  FrequencyVolatile = 5,
}

/** How far the order in force is built. */
export enum Stage {
  Settled = 0,
  Walking = 1, // tables are walked, entries linked
  Sorting = 2, // lists by rough age are sorted by seconds
}

export const GENERATIONS: u32 = 7;
/** Ages in seconds are 22 bits, 48 days: above, all are the same. Lists by the upper half, behind them lists by the lower. */
const AGE_BITS: u32 = 11;
export const FINE_FIRST: u32 = 1 << AGE_BITS;
const OLDEST: u32 = (1 << (2 * AGE_BITS)) - 1;
const LARGEST_COUNTER: u32 = 255;

/** The recency list; under an LFU policy the list of those whose counter is 0. */
function mainList(): Entry {
  return entryAt(Address.State + offsetof<State>("lruPrev"));
}

/** What a rebuild has sorted so far, all of it colder than the main list. */
function pastList(): Entry {
  return entryAt(Address.State + offsetof<State>("pastPrev"));
}

export function orderOf(policy: u32): u32 {
  switch (policy) {
    case EvictionPolicy.AllKeysLru:
      return Order.RecencyAll;
    case EvictionPolicy.VolatileLru:
      return Order.RecencyVolatile;
    case EvictionPolicy.AllKeysLfu:
      return Order.FrequencyAll;
    case EvictionPolicy.VolatileLfu:
      return Order.FrequencyVolatile;
    case EvictionPolicy.VolatileTtl:
      return Order.Deadline;
    default:
      return Order.None;
  }
}

export function isRecency(): bool {
  return state.order === Order.RecencyAll || state.order === Order.RecencyVolatile;
}

export function isFrequency(): bool {
  return state.order >= <u32>Order.FrequencyAll;
}

/** Whether every key is a candidate, not only those with a deadline. */
export function takesAllKeys(): bool {
  return state.order === Order.RecencyAll || state.order === Order.FrequencyAll;
}

/** Begins a new, empty order of the given kind. Every entry counts as not linked. */
export function beginOrder(order: u32): void {
  state.order = order;
  state.orderGeneration = (state.orderGeneration % GENERATIONS) + 1;
  state.orderRoot = 0;
  clearList(mainList());
  clearList(pastList());
  initLists();
  state.orderSeconds = nowSeconds();
  const minutes = <u64>LARGEST_COUNTER * state.decayMinutes;
  state.frequencyStep = minutes / (LIST_COUNT - 2) + 1;
  state.frequencyNow = stepNow();
}

export function isOrdered(entry: Entry): bool {
  return generationOf(entry) === state.orderGeneration;
}

function isCandidate(entry: Entry): bool {
  return takesAllKeys() || deadlineOf(entry) !== 0;
}

// ---- frequencies

/** The step of the ring that the clock stands in. Without decay it stands still. */
export function stepNow(): i64 {
  return state.decayMinutes === 0 ? 0 : <i64>nowMinutes() / <i64>state.frequencyStep;
}

/** The list of an entry's counter. */
function frequencyList(entry: Entry): Entry {
  advanceRing();
  const step = zeroMinute(entry) / <i64>state.frequencyStep;
  return step <= state.frequencyNow ? mainList() : listToFill(<u32>step & (LIST_COUNT - 1));
}

/** Joins the lists whose time has come to those at 0. */
function advanceRing(): void {
  const now = stepNow();
  if (now <= state.frequencyNow) return;
  const round = state.frequencyNow + LIST_COUNT - 1;
  const last = now < round ? now : round;
  for (let step = state.frequencyNow + 1; step <= last; step++)
    appendHotter(mainList(), listAt(<u32>step & (LIST_COUNT - 1)));
  state.frequencyNow = now;
}

function leastUsed(): Entry | null {
  advanceRing();
  const idle = coldestOf(mainList());
  if (idle !== null) return idle;
  const next = <u32>(state.frequencyNow + 1) & (LIST_COUNT - 1);
  let index = lowestFilled(next, LIST_COUNT);
  if (index === NO_LIST) index = lowestFilled(0, next);
  return index === NO_LIST ? null : coldestOf(listAt(index));
}

// ---- recency

function ageOf(entry: Entry): u32 {
  const used = lastUseSeconds(entry);
  if (used >= state.orderSeconds) return 0;
  const age = state.orderSeconds - used;
  return age < OLDEST ? age : OLDEST;
}

/** Puts an entry of a list by rough age into the one of its second. */
export function sortByAge(entry: Entry): void {
  unlinkFromList(entry);
  linkHottest(listToFill(FINE_FIRST + (ageOf(entry) & (FINE_FIRST - 1))), entry);
}

/** Puts the lists by second, the oldest first, behind what is sorted already. */
export function gatherSorted(): void {
  for (;;) {
    const index = highestFilled(FINE_FIRST, LIST_COUNT);
    if (index === NO_LIST) return;
    appendHotter(pastList(), listAt(index));
  }
}

/** All that is sorted is colder than all that was used since. */
export function joinSorted(): void {
  const sorted = pastList();
  appendHotter(sorted, mainList());
  appendHotter(mainList(), sorted);
}

/** The oldest list by rough age that has members, or NO_LIST. */
export function oldestUnsorted(): u32 {
  return highestFilled(0, FINE_FIRST);
}

function leastRecent(): Entry | null {
  if (state.orderStage !== Stage.Settled) {
    const sorted = coldestOf(pastList());
    if (sorted !== null) return sorted;
    let index = highestFilled(FINE_FIRST, LIST_COUNT);
    if (index === NO_LIST) index = oldestUnsorted();
    if (index !== NO_LIST) return coldestOf(listAt(index));
  }
  return coldestOf(mainList());
}

// ---- all orders

/** The list an entry belongs to that is used now. */
function listOf(entry: Entry): Entry {
  return isFrequency() ? frequencyList(entry) : mainList();
}

/** Puts an entry that is in no order at its place as of now. Not a candidate: nothing. */
export function enterOrder(entry: Entry): void {
  if (state.order === Order.None || !isCandidate(entry)) return;
  setGeneration(entry, state.orderGeneration);
  if (state.order === Order.Deadline) treapInsert(TREAP_ROOT, refOf(entry), Links.Entry);
  else linkHottest(listOf(entry), entry);
}

/** Puts an entry at the place that its clock word gives it, behind those that were used since. */
export function enterByClock(entry: Entry): void {
  if (state.order === Order.None || !isCandidate(entry)) return;
  setGeneration(entry, state.orderGeneration);
  if (state.order === Order.Deadline) treapInsert(TREAP_ROOT, refOf(entry), Links.Entry);
  else if (isFrequency()) linkColdest(frequencyList(entry), entry);
  else linkHottest(listToFill(ageOf(entry) >> AGE_BITS), entry);
}

export function leaveOrder(entry: Entry): void {
  if (state.order === Order.None || !isOrdered(entry)) return;
  setGeneration(entry, 0);
  if (state.order === Order.Deadline) treapRemove(TREAP_ROOT, refOf(entry), Links.Entry);
  else unlinkFromList(entry);
}

/** After an access, stamped already: the entry moves to its new place in a recency or frequency order. */
export function touchOrder(entry: Entry): void {
  if (state.order <= <u32>Order.Deadline) return;
  if (!isOrdered(entry)) return enterOrder(entry);
  const list = listOf(entry);
  if (list.lruNext === refOf(entry)) return;
  unlinkFromList(entry);
  linkHottest(list, entry);
}

/** The entry's block moved from `old`, whose contents are still readable: neighbours learn the new address. */
export function moveInOrder(entry: Entry, old: Entry): void {
  if (state.order === Order.None || !isOrdered(old)) return;
  if (state.order === Order.Deadline) {
    // The address is part of the treap's order.
    treapRemove(TREAP_ROOT, refOf(old), Links.Entry);
    treapInsert(TREAP_ROOT, refOf(entry), Links.Entry);
    return;
  }
  entryAt(entry.lruPrev).lruNext = refOf(entry);
  entryAt(entry.lruNext).lruPrev = refOf(entry);
}

/** Who goes first, or null if nobody is in the order. O(1), by deadline O(log n) */
export function firstToEvict(): Entry | null {
  if (state.order === Order.None) return null;
  if (state.order === Order.Deadline) {
    const ref = treapFirst(TREAP_ROOT, Links.Entry);
    return ref === 0 ? null : entryAt(ref);
  }
  return isFrequency() ? leastUsed() : leastRecent();
}

// ---- checking

function checkList(list: Entry, ofIndex: u32): u32 {
  let members: u32 = 0;
  const end = refOf(list);
  let prev = end;
  for (let ref = list.lruNext; ref !== end; ref = entryAt(ref).lruNext) {
    const entry = entryAt(ref);
    ensure(entry.lruPrev === prev, 414, ref);
    ensure(isOrdered(entry), 415, ref);
    if (isFrequency()) ensure(refOf(frequencyList(entry)) === end, 417, ref);
    else if (ofIndex < FINE_FIRST) ensure(ageOf(entry) >> AGE_BITS === ofIndex, 418, ref);
    prev = ref;
    members += 1;
  }
  ensure(list.lruPrev === prev, 416, prev);
  return members;
}

/** Asserts the order's links in both directions and places. @returns how many entries are in it. O(entries) */
export function checkOrder(): u32 {
  if (state.order === Order.None) return 0;
  if (state.order === Order.Deadline) return checkTreap(state.orderRoot, Links.Entry);
  if (isFrequency()) advanceRing();
  const members: u32 = checkList(mainList(), NO_LIST) + checkList(pastList(), NO_LIST);
  let apart: u32 = 0;
  for (let index: u32 = 0; index < LIST_COUNT; index++) apart += checkList(listAt(index), index);
  if (isRecency() && state.orderStage === Stage.Settled) ensure(apart === 0, 419, apart);
  return members + apart;
}
