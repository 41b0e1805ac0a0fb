/**
 * The heap in 64 KiB pages: runs of 1 to n pages, with a side table so that pages stay whole.
 *
 * A free run is known at its first and last page; freeing joins it with free neighbours. Free runs hang in lists by
 * length (63 exact ones, one for all longer). Fresh pages are taken behind the last one handed out, the memory growing
 * 16 MiB at a time; the very last page of the memory is never handed out, so that word loads may read over a block.
 *
 * The host can give what free pages take back to the system (`releaseFree`): how many pages at its beginning are given back is known of
 * each free run. Runs are handed out from their beginning.
 */
import { Address, PAGE_BYTES } from "../abi";
import { Area, ensure, ScratchArea, state } from "../state";
import { isRoomRefused } from "./scarcity";

export enum PageKind {
  Fresh = 0, // never handed out, or the inside of a free run
  Free = 1, // first or last page of a free run
  Slab = 2, // first page of blocks of one size class
  Run = 3, // first page of a run in use
  Inside = 4, // a page of a slab behind its first; `prev` is the first
}

export enum PageFlag {
  Evacuate = 1, // nothing new goes here; defragmentation empties it
  Listed = 2, // in its class's list of pages with room
}

// 0 kind |1 class |2 flags |3 - |4 blocks used |6 capacity |8 freeHead |12 bump |16 prev |20 next |24 run pages |28 released
@final
@unmanaged
export class Page {
  kind: u8;
  classIndex: u8;
  flags: u8;
  pad: u8;
  used: u16; // blocks handed out
  capacity: u16; // blocks that fit
  freeHead: u32; // a freed block, which points to the next
  bump: u32; // the first byte never handed out
  prev: u32; // page numbers: neighbours in the list the page is in
  next: u32;
  runPages: u32; // length of the run or slab, at its first and, when free, last page
  released: u32; // pages at the beginning of a free run that the system has back
}

export const FIRST_PAGE: u32 = Address.Heap / PAGE_BYTES;
const GROW_PAGES: u32 = 256;
/** Pages that only allocations which must not fail may use. */
const RESERVE_PAGES: u32 = 64;
const LAST_LIST: u32 = 63;
/** A call to the system for each. */
const RELEASE_RUNS: u32 = 128;

if (offsetof<Page>() !== 32) ERROR("Page is 32 bytes");

export function page(index: u32): Page {
  return changetype<Page>(Address.PageTable + ((<usize>index) << 5));
}

export function pageOf(ptr: usize): u32 {
  return <u32>(ptr >> 16);
}

function listOf(pages: u32): u32 {
  return pages > LAST_LIST ? LAST_LIST : pages - 1;
}

function listHead(list: u32): usize {
  return Address.State + Area.FreeRuns + ((<usize>list) << 2);
}

function linkFree(index: u32, pages: u32, released: u32): void {
  const first = page(index);
  const last = page(index + pages - 1);
  last.kind = <u8>PageKind.Free;
  last.runPages = pages;
  first.kind = <u8>PageKind.Free;
  first.runPages = pages;
  first.released = released;
  state.releasedPages += released;
  const list = listOf(pages);
  const head = listHead(list);
  const next = load<u32>(head);
  first.prev = 0;
  first.next = next;
  if (next !== 0) page(next).prev = index;
  store<u32>(head, index);
  state.freeRunMask |= (<u64>1) << list;
}

function unlinkFree(index: u32): void {
  const first = page(index);
  state.releasedPages -= first.released;
  const list = listOf(first.runPages);
  if (first.next !== 0) page(first.next).prev = first.prev;
  if (first.prev !== 0) page(first.prev).next = first.next;
  else {
    store<u32>(listHead(list), first.next);
    if (first.next === 0) state.freeRunMask &= ~((<u64>1) << list);
  }
  page(index + first.runPages - 1).kind = <u8>PageKind.Fresh;
  first.kind = <u8>PageKind.Fresh;
}

function takeFree(pages: u32): u32 {
  const fitting = state.freeRunMask >> listOf(pages);
  if (fitting === 0) return 0;
  let index = load<u32>(listHead(listOf(pages) + <u32>ctz(fitting)));
  // Only the last list holds runs that may be too short.
  while (index !== 0 && page(index).runPages < pages) index = page(index).next;
  if (index === 0) return 0;
  const whole = page(index).runPages;
  const released = page(index).released;
  unlinkFree(index);
  if (whole > pages)
    linkFree(index + pages, whole - pages, released > pages ? released - pages : 0);
  return index;
}

/** Makes sure that `pages` more fresh pages exist, with one to spare. */
function growFor(pages: u32): bool {
  const wanted = FIRST_PAGE + state.heapPagesTop + pages + 1;
  const have = <u32>memory.size();
  if (wanted <= have) return true;
  let more = wanted - have;
  if (more < GROW_PAGES && have + GROW_PAGES <= 65536) more = GROW_PAGES;
  return memory.grow(<i32>more) !== -1;
}

/** Keeps 16 MiB of fresh pages in stock, so that no insert has to wait for the memory to grow. */
export function growAhead(): void {
  const top = FIRST_PAGE + state.heapPagesTop;
  if (<u32>memory.size() < top + GROW_PAGES / 2 && state.heapPagesTop > GROW_PAGES / 2)
    growFor(GROW_PAGES);
}

/** @returns the first page of a run, 0 = no memory. `reserved` may use the emergency reserve. */
export function takePages(pages: u32, reserved: bool): u32 {
  if (!reserved && state.heapPagesUsed + pages + RESERVE_PAGES > state.pageLimit) return 0;
  let index = takeFree(pages);
  if (index === 0) {
    if (state.heapPagesTop + pages > state.pageLimit || !growFor(pages)) return 0;
    index = FIRST_PAGE + state.heapPagesTop;
    state.heapPagesTop += pages;
  }
  const first = page(index);
  first.kind = <u8>PageKind.Run;
  first.flags = 0;
  first.runPages = pages;
  state.heapPagesUsed += pages;
  return index;
}

/** Gives a run back and joins it with its free neighbours. O(1) */
export function givePages(index: u32): void {
  let first = index;
  let pages = page(index).runPages;
  let released: u32 = 0;
  ensure(pages > 0, 101, index);
  state.heapPagesUsed -= pages;
  page(index).kind = <u8>PageKind.Fresh;
  const after = index + pages;
  if (after < FIRST_PAGE + state.heapPagesTop && page(after).kind === PageKind.Free) {
    pages += page(after).runPages;
    unlinkFree(after);
  }
  if (index > FIRST_PAGE && page(index - 1).kind === PageKind.Free) {
    const before = page(index - 1).runPages;
    first = index - before;
    pages += before;
    released = page(first).released;
    unlinkFree(first);
  }
  linkFree(first, pages, released);
}

/** Free pages that the system does not have back. */
export function unreleasedPages(): u32 {
  return state.heapPagesTop - state.heapPagesUsed - state.releasedPages;
}

/**
 * Notes up to `budget` free pages as given back, in at most RELEASE_RUNS pieces: the caller must do so before it calls the core again.
 * Their bytes are 0 from then on. @returns address in scratch: pieces, then first page and pages of each. O(runs)
 */
export function releaseFree(budget: u32): usize {
  const list: usize = Address.Scratch + ScratchArea.Found;
  const end = FIRST_PAGE + state.heapPagesTop;
  let pieces: u32 = 0;
  let index = FIRST_PAGE;
  while (index < end && budget > 0 && pieces < RELEASE_RUNS) {
    const info = page(index);
    if (info.kind === PageKind.Free && info.released < info.runPages) {
      const left = info.runPages - info.released;
      const pages = left < budget ? left : budget;
      const piece = list + 4 + ((<usize>pieces) << 3);
      store<u32>(piece, index + info.released);
      store<u32>(piece, pages, 4);
      info.released += pages;
      state.releasedPages += pages;
      budget -= pages;
      pieces++;
    }
    index += info.runPages;
  }
  store<u32>(list, pieces);
  return list;
}

/** Whether only the emergency reserve is left. */
export function reserveInUse(): bool {
  return state.heapPagesUsed + RESERVE_PAGES > state.pageLimit;
}

/** Bytes of pages not in use, without the emergency reserve. */
export function availableBytes(): u64 {
  const kept = state.heapPagesUsed + RESERVE_PAGES;
  return kept >= state.pageLimit ? 0 : (<u64>(state.pageLimit - kept)) << 16;
}

/** Whether there are pages for blocks of so many bytes, `slack` being what pages begun may lose: from here on they may be counted upon. */
export function isRoomFor(bytes: u64, slack: u64): bool {
  return bytes + slack <= availableBytes() && !isRoomRefused(bytes);
}
