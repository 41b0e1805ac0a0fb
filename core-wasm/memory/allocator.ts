/**
 * Blocks by size class on 64 KiB pages, without a header per block: a block's size is its page's.
 *
 * Classes step by 8 bytes up to 512, then 8 per doubling. From 4 KiB on there is one for each number of blocks that a slab holds,
 * so that nothing of it is left over and the limit on used memory bounds the pages too. Up to 16 KiB a slab is a page; above it is
 * a span of 2, 4, 8 or 16 pages with 7 blocks down to 4. (More blocks to a span lose less within blocks and more in spans that are
 * not full: the sum was the same, but the limit does not see the latter.) Blocks above 256 KiB are runs of pages. Where memory is
 * scarce, or in pieces, no spans are made: the same blocks lie on single pages, or are runs.
 *
 * `usedBytes` counts whole classes and whole pages. A slab that empties goes back to the pool that all classes share, unless it is
 * the only one of its class with room (`releaseEmpty` takes those too).
 */
import { Address, PAGE_BYTES } from "../abi";
import { Area, CLASS_CELLS, ensure, state } from "../state";
import { CHOSEN_SCARCITY } from "../tuning";
import {
  availableBytes,
  FIRST_PAGE,
  givePages,
  Page,
  PageFlag,
  PageKind,
  page,
  pageOf,
  takePages,
} from "./pages";
import { comesBack, isRefused } from "./scarcity";

const SMALLEST_BYTES: u32 = 16;
const FINE_BYTES: u32 = 512;
const FINE_CLASSES: u32 = 63;
const COARSE_BYTES: u32 = 4096;
/** 8 for each doubling from FINE_BYTES to COARSE_BYTES. */
const COARSE_CLASSES: u32 = 24;
/** Single pages of 15 blocks down to 2. */
const DIVIDING_FIRST: u32 = FINE_CLASSES + COARSE_CLASSES;
const MOST_BLOCKS: u32 = 15;
/** Spans of 7 blocks down to 4, four classes for each size of span. */
const SPANS_FIRST: u32 = DIVIDING_FIRST + MOST_BLOCKS - 1;
const SPAN_LEVELS: u32 = 4;
const SPAN_BLOCKS: u32 = 7;
export const CLASS_COUNT: u32 = SPANS_FIRST + 4 * SPAN_LEVELS;
/** The largest block that always lies on a single page, the largest that may, the largest of a span. */
const PAGE_BLOCK_BYTES: u32 = PAGE_BYTES / 4;
const HALF_PAGE_BYTES: u32 = PAGE_BYTES / 2;
const SPAN_BLOCK_BYTES: u32 = PAGE_BYTES * 4;
if (CLASS_COUNT > CLASS_CELLS) ERROR("more classes than cells");
/** Below this much free memory there are no new spans. */
export const SCARCE_BYTES: u64 = 32 << 20;
/** What one span of every class comes to. */
export const ALL_SPANS_BYTES: u64 = 8 << 20;

/** The class of a block that lies on a single page. */
function classOf(bytes: u32): u32 {
  if (bytes <= FINE_BYTES) return bytes <= SMALLEST_BYTES ? 0 : ((bytes + 7) >> 3) - 2;
  if (bytes > COARSE_BYTES) return DIVIDING_FIRST + MOST_BLOCKS - PAGE_BYTES / ((bytes + 7) & ~7);
  const power = 31 - clz(bytes - 1);
  return FINE_CLASSES + ((power - 9) << 3) + ((bytes - 1) >> (power - 3)) - 8;
}

/** The class of a block that lies in a span, of more than PAGE_BLOCK_BYTES. */
function spanClassOf(bytes: u32): u32 {
  const level = <u32>(31 - clz(bytes - 1)) - 13;
  const blocks = (PAGE_BYTES << level) / ((bytes + 7) & ~7);
  return SPANS_FIRST + ((level - 1) << 2) + SPAN_BLOCKS - blocks;
}

/** Binary logarithm of the pages of a slab. */
function levelOfClass(index: u32): u32 {
  return index < SPANS_FIRST ? 0 : ((index - SPANS_FIRST) >> 2) + 1;
}

function sizeOfClass(index: u32): u32 {
  if (index < FINE_CLASSES) return (index + 2) << 3;
  if (index < DIVIDING_FIRST) {
    const coarse = index - FINE_CLASSES;
    return ((coarse & 7) + 9) << ((coarse >> 3) + 6);
  }
  const level = levelOfClass(index);
  const blocks =
    level === 0
      ? MOST_BLOCKS - (index - DIVIDING_FIRST)
      : SPAN_BLOCKS - ((index - SPANS_FIRST) & 3);
  return ((PAGE_BYTES << level) / blocks) & ~7;
}

function classHead(index: u32): usize {
  return Address.State + Area.ClassHeads + ((<usize>index) << 2);
}

export function classBytes(index: u32): u32 {
  return load<u32>(Address.State + Area.ClassSizes + ((<usize>index) << 2));
}

export function initAllocator(pageLimit: u32): void {
  state.pageLimit = pageLimit;
  for (let i: u32 = 0; i < CLASS_COUNT; i++)
    store<u32>(Address.State + Area.ClassSizes + ((<usize>i) << 2), sizeOfClass(i));
}

/** What a request of `bytes` would be counted as, unless memory is scarce. */
export function roundedBytes(bytes: u32): u32 {
  if (bytes <= PAGE_BLOCK_BYTES) return classBytes(classOf(bytes));
  if (bytes <= SPAN_BLOCK_BYTES) return classBytes(spanClassOf(bytes));
  return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/** The first page of the slab or run that the address lies in. */
function headOf(ptr: usize): u32 {
  const index = pageOf(ptr);
  return page(index).kind === PageKind.Inside ? page(index).prev : index;
}

/** Bytes of the block at `ptr` that its owner may use. O(1) */
export function usableBytes(ptr: usize): u32 {
  const info = page(headOf(ptr));
  return info.kind === PageKind.Slab ? classBytes(info.classIndex) : info.runPages * PAGE_BYTES;
}

function list(info: Page, index: u32): void {
  const head = classHead(info.classIndex);
  const next = load<u32>(head);
  info.prev = 0;
  info.next = next;
  if (next !== 0) page(next).prev = index;
  store<u32>(head, index);
  info.flags |= <u8>PageFlag.Listed;
}

function unlist(info: Page): void {
  if (info.next !== 0) page(info.next).prev = info.prev;
  if (info.prev !== 0) page(info.prev).next = info.next;
  else store<u32>(classHead(info.classIndex), info.next);
  info.flags &= <u8>~PageFlag.Listed;
}

function newSlab(classIndex: u32, reserved: bool): u32 {
  const pages: u32 = 1 << levelOfClass(classIndex);
  const index = takePages(pages, reserved);
  if (index === 0) return 0;
  const info = page(index);
  info.kind = <u8>PageKind.Slab;
  info.classIndex = <u8>classIndex;
  info.used = 0;
  info.capacity = <u16>((pages * PAGE_BYTES) / classBytes(classIndex));
  info.freeHead = 0;
  info.bump = index << 16;
  for (let inside = index + 1; inside < index + pages; inside++) {
    page(inside).kind = <u8>PageKind.Inside;
    page(inside).prev = index;
  }
  list(info, index);
  return index;
}

/** Gives an emptied slab back to the pool. */
function giveSlab(index: u32): void {
  const end = index + page(index).runPages;
  for (let inside = index + 1; inside < end; inside++) page(inside).kind = <u8>PageKind.Fresh;
  givePages(index);
}

function allocFrom(index: u32): usize {
  const info = page(index);
  const bytes = classBytes(info.classIndex);
  let ptr = info.freeHead;
  if (ptr !== 0) info.freeHead = load<u32>(ptr);
  else {
    ptr = info.bump;
    info.bump = ptr + bytes;
  }
  info.used += 1;
  if (info.used === info.capacity) unlist(info);
  state.usedBytes += bytes;
  return ptr;
}

function allocOnPage(classIndex: u32, reserved: bool): usize {
  let index = load<u32>(classHead(classIndex));
  if (index === 0) {
    index = newSlab(classIndex, reserved);
    if (index === 0) return 0;
  }
  return allocFrom(index);
}

/** A block above PAGE_BLOCK_BYTES: of a span if there may be one, else of a page, else a run. */
function allocLarge(bytes: u32, reserved: bool): usize {
  if (bytes <= SPAN_BLOCK_BYTES) {
    const classIndex = spanClassOf(bytes);
    let index = load<u32>(classHead(classIndex));
    if (index === 0 && availableBytes() >= SCARCE_BYTES) index = newSlab(classIndex, false);
    if (index !== 0) return allocFrom(index);
    if (bytes <= HALF_PAGE_BYTES) return allocOnPage(classOf(bytes), reserved);
  }
  const pages = (bytes + PAGE_BYTES - 1) >> 16;
  const index = takePages(pages, reserved);
  if (index === 0) return 0;
  state.usedBytes += (<u64>pages) << 16;
  return (<usize>index) << 16;
}

/** A block of at least `bytes`, 8-aligned, contents undefined. @returns 0 = no memory. O(1) */
export function alloc(bytes: u32): usize {
  if (CHOSEN_SCARCITY && isRefused(roundedBytes(bytes))) return 0;
  return bytes <= PAGE_BLOCK_BYTES ? allocOnPage(classOf(bytes), false) : allocLarge(bytes, false);
}

/** The same for what must not fail in the middle of a command: may use the emergency reserve. */
export function allocReserved(bytes: u32): usize {
  const ptr =
    bytes <= PAGE_BLOCK_BYTES ? allocOnPage(classOf(bytes), true) : allocLarge(bytes, true);
  ensure(ptr !== 0, 102, bytes);
  return ptr;
}

export function free(ptr: usize): void {
  const index = headOf(ptr);
  const info = page(index);
  if (CHOSEN_SCARCITY) comesBack(usableBytes(ptr));
  if (info.kind !== PageKind.Slab) {
    ensure(info.kind === PageKind.Run, 103, <u32>ptr);
    state.usedBytes -= (<u64>info.runPages) << 16;
    givePages(index);
    return;
  }
  ensure(info.used > 0, 104, <u32>ptr);
  state.usedBytes -= classBytes(info.classIndex);
  store<u32>(ptr, info.freeHead);
  info.freeHead = <u32>ptr;
  info.used -= 1;
  const marked = (info.flags & PageFlag.Evacuate) !== 0;
  if (info.used === 0) {
    const listed = (info.flags & PageFlag.Listed) !== 0;
    if (marked || (listed && (info.prev !== 0 || info.next !== 0))) {
      if (listed) unlist(info);
      giveSlab(index);
      return;
    }
  }
  if (!marked && (info.flags & PageFlag.Listed) === 0) list(info, index);
}

/** Gives back the empty pages that `free` kept as the last of their class. */
export function releaseEmpty(): void {
  for (let i: u32 = 0; i < CLASS_COUNT; i++) {
    const index = load<u32>(classHead(i));
    if (index === 0 || page(index).used !== 0) continue;
    unlist(page(index));
    giveSlab(index);
  }
}

/** Closes a sparse page to new blocks, so that moving its blocks elsewhere frees it. */
export function markSparse(index: u32): bool {
  const info = page(index);
  if (info.kind !== PageKind.Slab || info.used === 0) return false;
  if ((info.flags & PageFlag.Listed) === 0) return false;
  if (<u32>info.used * 4 > <u32>info.capacity * 3) return false;
  // The last page with room of its class has nowhere better to go.
  if (info.prev === 0 && info.next === 0) return false;
  unlist(info);
  info.flags |= <u8>PageFlag.Evacuate;
  return true;
}

/** Opens again what a round of defragmentation could not empty. */
export function unmarkSparse(index: u32): void {
  const info = page(index);
  if (info.kind !== PageKind.Slab || (info.flags & PageFlag.Evacuate) === 0) return;
  info.flags &= <u8>~PageFlag.Evacuate;
  if (info.used < info.capacity) list(info, index);
}

export function isEvacuated(ptr: usize): bool {
  const info = page(headOf(ptr));
  return info.kind === PageKind.Slab && (info.flags & PageFlag.Evacuate) !== 0;
}

/** Asserts that page table, lists and counters agree. O(pages + free blocks) */
export function checkAllocator(): void {
  let used: u64 = 0;
  let pagesUsed: u32 = 0;
  let released: u32 = 0;
  let index = FIRST_PAGE;
  const end = FIRST_PAGE + state.heapPagesTop;
  let previousFree = false;
  while (index < end) {
    const info = page(index);
    const pages = info.runPages;
    ensure(pages > 0 && index + pages <= end, 110, index);
    if (info.kind === PageKind.Slab) {
      used += <u64>info.used * classBytes(info.classIndex);
      pagesUsed += pages;
      checkSlab(index);
    } else {
      if (info.kind === PageKind.Run) {
        used += (<u64>pages) << 16;
        pagesUsed += pages;
      } else {
        ensure(info.kind === PageKind.Free && !previousFree, 111, index);
        ensure(page(index + pages - 1).runPages === pages, 112, index);
        ensure(info.released <= pages, 121, index);
        released += info.released;
      }
    }
    previousFree = info.kind === PageKind.Free;
    index += pages;
  }
  ensure(used === state.usedBytes, 113, <u32>used);
  ensure(pagesUsed === state.heapPagesUsed, 114, pagesUsed);
  ensure(released === state.releasedPages, 122, released);
}

function checkSlab(index: u32): void {
  const info = page(index);
  const bytes = classBytes(info.classIndex);
  const base = index << 16;
  ensure(info.runPages === 1 << levelOfClass(info.classIndex), 119, index);
  for (let inside = index + 1; inside < index + info.runPages; inside++)
    ensure(page(inside).kind === PageKind.Inside && page(inside).prev === index, 120, inside);
  let free: u32 = 0;
  for (let p = info.freeHead; p !== 0; p = load<u32>(p)) {
    ensure(p >= base && (p - base) % bytes === 0 && p < info.bump, 115, p);
    free += 1;
    ensure(free <= info.capacity, 116, index);
  }
  ensure((info.bump - base) / bytes === free + info.used, 117, index);
  const listed = (info.flags & PageFlag.Listed) !== 0;
  const open = info.used < info.capacity && (info.flags & PageFlag.Evacuate) === 0;
  ensure(listed === open, 118, index);
}
