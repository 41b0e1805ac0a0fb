/**
 * 4096 lists of entries through their two link words, for orders that need more than one: a ring of frequencies, or the
 * ages by which a recency order is rebuilt.
 *
 *   Address.OrderLists: sentinels (prev, next) x 4096 |0x8000 bitmap: which lists may be filled
 *
 * A list is circular through its sentinel, whose words lie as an entry's do: `lruPrev` is the coldest, `lruNext` the hottest
 * member. An entry leaves its list without knowing which it is; the bit left behind is cleared when it is met.
 */
import { Address } from "../abi";
import { Entry, entryAt, refOf } from "./entry";

export const LIST_COUNT: u32 = 4096;
export const NO_LIST: u32 = LIST_COUNT;
const BITMAP: usize = Address.OrderLists + 0x8000;

export function listAt(index: u32): Entry {
  return entryAt(Address.OrderLists + ((<usize>index) << 3));
}

export function clearList(list: Entry): void {
  list.lruPrev = refOf(list);
  list.lruNext = refOf(list);
}

export function initLists(): void {
  for (let index: u32 = 0; index < LIST_COUNT; index++) clearList(listAt(index));
  memory.fill(BITMAP, 0, LIST_COUNT / 8);
}

export function isEmptyList(list: Entry): bool {
  return list.lruNext === refOf(list);
}

function linkBetween(entry: Entry, prev: Entry, next: Entry): void {
  entry.lruPrev = refOf(prev);
  entry.lruNext = refOf(next);
  prev.lruNext = refOf(entry);
  next.lruPrev = refOf(entry);
}

export function linkHottest(list: Entry, entry: Entry): void {
  linkBetween(entry, list, entryAt(list.lruNext));
}

export function linkColdest(list: Entry, entry: Entry): void {
  linkBetween(entry, entryAt(list.lruPrev), list);
}

export function unlinkFromList(entry: Entry): void {
  const prev = entryAt(entry.lruPrev);
  const next = entryAt(entry.lruNext);
  prev.lruNext = refOf(next);
  next.lruPrev = refOf(prev);
}

/** The first to go, or null. */
export function coldestOf(list: Entry): Entry | null {
  return isEmptyList(list) ? null : entryAt(list.lruPrev);
}

/** Puts all of `from` behind the hottest of `to`. O(1) */
export function appendHotter(to: Entry, from: Entry): void {
  if (isEmptyList(from)) return;
  const hottest = entryAt(from.lruNext);
  const coldest = entryAt(from.lruPrev);
  const next = entryAt(to.lruNext);
  coldest.lruNext = refOf(next);
  next.lruPrev = refOf(coldest);
  to.lruNext = refOf(hottest);
  hottest.lruPrev = refOf(to);
  clearList(from);
}

function word(index: u32): usize {
  return BITMAP + ((<usize>(index >> 6)) << 3);
}

function bit(index: u32): u64 {
  return (<u64>1) << (index & 63);
}

/** A list of the 4096, about to get a member. */
export function listToFill(index: u32): Entry {
  store<u64>(word(index), load<u64>(word(index)) | bit(index));
  return listAt(index);
}

/** Whether the list has members, where its bit is set; clears the bit if not. */
function isFilled(index: u32): bool {
  if (!isEmptyList(listAt(index))) return true;
  store<u64>(word(index), load<u64>(word(index)) & ~bit(index));
  return false;
}

/** The filled list of the lowest index in [from, end), or NO_LIST. */
export function lowestFilled(from: u32, end: u32): u32 {
  let index = from;
  while (index < end) {
    const rest = load<u64>(word(index)) >> (index & 63);
    if (rest === 0) {
      index = (index | 63) + 1;
      continue;
    }
    index += <u32>ctz(rest);
    if (index < end && isFilled(index)) return index;
  }
  return NO_LIST;
}

/** The filled list of the highest index in [from, end), or NO_LIST. */
export function highestFilled(from: u32, end: u32): u32 {
  let index = end;
  while (index > from) {
    const last = index - 1;
    const rest = load<u64>(word(last)) << (63 - (last & 63));
    if (rest === 0) {
      index = last & ~63;
      continue;
    }
    index -= <u32>clz(rest);
    if (index > from && isFilled(index - 1)) return index - 1;
  }
  return NO_LIST;
}
