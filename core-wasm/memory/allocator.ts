/**
 * Blocks by size class on 64 KiB pages, without a header per block: a block's size is its page's.
 *
 * Classes step by 8 bytes up to 512, then 8 per doubling up to 4 KiB; from there to 32 KiB there is one for each number of blocks
 * that a page holds, so that what a page cannot use is counted, and the limit on used memory bounds the pages too. Larger
 * blocks are runs of pages. `usedBytes` counts whole classes and whole pages. A page that empties goes back to the pool that all classes share, unless it is
 * the only one of its class with room (`releaseEmpty` takes those too).
 */
import { Address, PAGE_BYTES } from "../abi";
import { Area, ensure, state } from "../state";
import { FIRST_PAGE, givePages, Page, PageFlag, PageKind, page, pageOf, takePages } from "./pages";

const SMALLEST_BYTES: u32 = 16;
const FINE_BYTES: u32 = 512;
const FINE_CLASSES: u32 = 63;
const COARSE_BYTES: u32 = 4096;
/** 8 for each doubling from FINE_BYTES to COARSE_BYTES. */
const COARSE_CLASSES: u32 = 24;
const DIVIDING_FIRST: u32 = FINE_CLASSES + COARSE_CLASSES;
/** Blocks of a page in the first of the classes above. */
const MOST_BLOCKS: u32 = PAGE_BYTES / COARSE_BYTES - 1;
const LARGEST_BYTES: u32 = PAGE_BYTES / 2;
export const CLASS_COUNT: u32 = DIVIDING_FIRST + MOST_BLOCKS - 1;

function classOf(bytes: u32): u32 {
  if (bytes <= FINE_BYTES) return bytes <= SMALLEST_BYTES ? 0 : ((bytes + 7) >> 3) - 2;
  if (bytes > COARSE_BYTES) return DIVIDING_FIRST + MOST_BLOCKS - PAGE_BYTES / ((bytes + 7) & ~7);
  const power = 31 - clz(bytes - 1);
  return FINE_CLASSES + ((power - 9) << 3) + ((bytes - 1) >> (power - 3)) - 8;
}

function sizeOfClass(index: u32): u32 {
  if (index < FINE_CLASSES) return (index + 2) << 3;
  if (index >= DIVIDING_FIRST) return (PAGE_BYTES / (DIVIDING_FIRST + MOST_BLOCKS - index)) & ~7;
  const coarse = index - FINE_CLASSES;
  return ((coarse & 7) + 9) << ((coarse >> 3) + 6);
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

/** What a request of `bytes` would be counted as. */
export function roundedBytes(bytes: u32): u32 {
  if (bytes <= LARGEST_BYTES) return sizeOfClass(classOf(bytes));
  return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

/** Bytes of the block at `ptr` that its owner may use. O(1) */
export function usableBytes(ptr: usize): u32 {
  const info = page(pageOf(ptr));
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
  const index = takePages(1, reserved);
  if (index === 0) return 0;
  const info = page(index);
  info.kind = <u8>PageKind.Slab;
  info.classIndex = <u8>classIndex;
  info.used = 0;
  info.capacity = <u16>(PAGE_BYTES / classBytes(classIndex));
  info.freeHead = 0;
  info.bump = index << 16;
  list(info, index);
  return index;
}

function allocSmall(classIndex: u32, reserved: bool): usize {
  let index = load<u32>(classHead(classIndex));
  if (index === 0) {
    index = newSlab(classIndex, reserved);
    if (index === 0) return 0;
  }
  const info = page(index);
  const bytes = classBytes(classIndex);
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

function allocRun(bytes: u32, reserved: bool): usize {
  const pages = (bytes + PAGE_BYTES - 1) >> 16;
  const index = takePages(pages, reserved);
  if (index === 0) return 0;
  state.usedBytes += (<u64>pages) << 16;
  return (<usize>index) << 16;
}

/** A block of at least `bytes`, 8-aligned, contents undefined. @returns 0 = no memory. O(1) */
export function alloc(bytes: u32): usize {
  return bytes <= LARGEST_BYTES ? allocSmall(classOf(bytes), false) : allocRun(bytes, false);
}

/** The same for what must not fail in the middle of a command: may use the emergency reserve. */
export function allocReserved(bytes: u32): usize {
  const ptr = bytes <= LARGEST_BYTES ? allocSmall(classOf(bytes), true) : allocRun(bytes, true);
  ensure(ptr !== 0, 102, bytes);
  return ptr;
}

export function free(ptr: usize): void {
  const index = pageOf(ptr);
  const info = page(index);
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
      givePages(index);
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
    givePages(index);
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
  const info = page(pageOf(ptr));
  return info.kind === PageKind.Slab && (info.flags & PageFlag.Evacuate) !== 0;
}

/** Asserts that page table, lists and counters agree. O(pages + free blocks) */
export function checkAllocator(): void {
  let used: u64 = 0;
  let pagesUsed: u32 = 0;
  let index = FIRST_PAGE;
  const end = FIRST_PAGE + state.heapPagesTop;
  let previousFree = false;
  while (index < end) {
    const info = page(index);
    let pages: u32 = 1;
    if (info.kind === PageKind.Slab) {
      used += <u64>info.used * classBytes(info.classIndex);
      pagesUsed += 1;
      checkSlab(index);
    } else {
      pages = info.runPages;
      ensure(pages > 0 && index + pages <= end, 110, index);
      if (info.kind === PageKind.Run) {
        used += (<u64>pages) << 16;
        pagesUsed += pages;
      } else {
        ensure(info.kind === PageKind.Free && !previousFree, 111, index);
        ensure(page(index + pages - 1).runPages === pages, 112, index);
      }
    }
    previousFree = info.kind === PageKind.Free;
    index += pages;
  }
  ensure(used === state.usedBytes, 113, <u32>used);
  ensure(pagesUsed === state.heapPagesUsed, 114, pagesUsed);
}

function checkSlab(index: u32): void {
  const info = page(index);
  const bytes = classBytes(info.classIndex);
  const base = index << 16;
  let free: u32 = 0;
  for (let p = info.freeHead; p !== 0; p = load<u32>(p)) {
    ensure(p >> 16 === index && (p - base) % bytes === 0 && p < info.bump, 115, p);
    free += 1;
    ensure(free <= info.capacity, 116, index);
  }
  ensure((info.bump - base) / bytes === free + info.used, 117, index);
  const listed = (info.flags & PageFlag.Listed) !== 0;
  const open = info.used < info.capacity && (info.flags & PageFlag.Evacuate) === 0;
  ensure(listed === open, 118, index);
}
