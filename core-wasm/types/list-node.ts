/**
 * Nodes of long lists: packed sequences in a row, each as large as list-max-listpack-size allows, and single elements that are too
 * large for one (plain). The first node of a chain may be a small part of the next one (fore): what is pushed to the front moves the
 * few bytes of that part instead of the whole node's, and joins it when the part is full. Both together are what one node may be.
 *
 *   chain: 0 first node |4 last node |8 elements |12 nodes |16 where defragmentation goes on |20 where a snapshot does
 *   node:  0 previous |4 next |8 packed sequence, or u32 length and bytes of a plain element |12 elements, bit 31 = plain,
 *          bit 30 = fore
 */
import { Limit } from "../abi";
import { alloc, free } from "../memory/allocator";
import { limit } from "../state";
import { newPacked, packedBytes } from "./packed";

@final
@unmanaged
export class Chain {
  first: u32;
  last: u32;
  count: u32;
  nodes: u32;
  evacuated: u32;
  written: u32; // has a meaning only between two parts that a snapshot writes: nothing but the node's address changes meanwhile
}

@final
@unmanaged
export class ListNode {
  previous: u32;
  next: u32;
  data: u32;
  elements: u32;
}

const PLAIN: u32 = 0x8000_0000;
const FORE: u32 = 0x4000_0000;
/** A fore part is not pushed to beyond this, and a node of no more bytes is given none. */
const FORE_BYTES: u32 = 512;
/** A longer element is no worse off where it moves a whole node. */
const FORE_ELEMENT_BYTES: u32 = 64;
const PLAIN_HEADER_BYTES: u32 = 4;
/** Nodes limited by their elements have no more bytes than this. */
const SAFE_BYTES: u64 = 8192;
const LEAST_NODE_BYTES: u32 = 4096;
const LARGEST_STEP: i32 = 5;
const MOST_ELEMENTS: i32 = 32767;
/** What an element takes beside its bytes, as Redis reckons. */
const ELEMENT_OVERHEAD_BYTES: u64 = 8;
/** The most that it takes. */
const MOST_OVERHEAD_BYTES: u32 = 10;
const PACKED_EMPTY_BYTES: u32 = 7;
/** From so many nodes on a new one at an end has all its room at once: it will be filled. */
const ROOMY_NODES: u32 = 8;

export function nodeAt(ref: usize): ListNode {
  return changetype<ListNode>(ref);
}

export function isPlain(node: ListNode): bool {
  return (node.elements & PLAIN) !== 0;
}

export function elementsOf(node: ListNode): u32 {
  return node.elements & ~(PLAIN | FORE);
}

export function isFore(node: ListNode): bool {
  return (node.elements & FORE) !== 0;
}

/** Makes a node a part of the next one, or a node of its own. */
export function setFore(node: ListNode, fore: bool): void {
  node.elements = fore ? node.elements | FORE : node.elements & ~FORE;
}

export function plainPtr(data: usize): usize {
  return data + PLAIN_HEADER_BYTES;
}

export function plainLength(data: usize): u32 {
  return load<u32>(data);
}

/** Most elements of a node; only where `limitBytes` is 0. */
function limitElements(): u32 {
  const size = limit(Limit.ListListpackSize);
  if (size > MOST_ELEMENTS) return MOST_ELEMENTS;
  return size === 0 ? 1 : size;
}

/** Most bytes of a node, 0 = its elements are limited. */
function limitBytes(): u32 {
  const size = limit(Limit.ListListpackSize);
  if (size >= 0) return 0;
  return LEAST_NODE_BYTES << (<u32>(size < -LARGEST_STEP ? LARGEST_STEP - 1 : -size - 1));
}

/** Whether a packed sequence of so many bytes and elements is more than a node may be. */
export function exceedsLimit(bytes: u64, elements: u64): bool {
  const most = limitBytes();
  if (most !== 0) return bytes > most;
  return bytes > SAFE_BYTES || elements > limitElements();
}

/** Whether it is at most half of what a node may be: then a list of one node becomes packed again. */
export function isHalf(bytes: u32, elements: u32): bool {
  const most = limitBytes();
  if (most !== 0) return bytes <= most / 2;
  return elements <= limitElements() / 2;
}

/** Whether an element of this length has a node of its own. */
export function isLarge(length: u32): bool {
  const threshold = <u32>limit(Limit.ListPlainBytes);
  if (threshold !== 0) return length >= threshold;
  const most = limitBytes();
  return length > (most !== 0 ? most : <u32>SAFE_BYTES);
}

/** Whether the node has room for one more element. */
export function takes(node: ListNode, length: u32): bool {
  if (isPlain(node) || isLarge(length)) return false;
  const bytes = <u64>packedBytes(node.data) + length + ELEMENT_OVERHEAD_BYTES;
  return !exceedsLimit(bytes, elementsOf(node) + 1);
}

/** Whether one more element in front of the node goes to a fore part of it; the node has room for it. */
export function wantsFore(node: ListNode, length: u32): bool {
  return limitBytes() !== 0 && length <= FORE_ELEMENT_BYTES && packedBytes(node.data) > FORE_BYTES;
}

/** Bytes of a packed node and the next one, packed too, once they are joined. */
export function joinedBytes(node: ListNode): u32 {
  return packedBytes(node.data) + packedBytes(nodeAt(node.next).data) - PACKED_EMPTY_BYTES;
}

/** Whether the fore part has room for one more element, and so has the node that it is a part of. */
export function foreTakes(fore: ListNode, length: u32): bool {
  const next = nodeAt(fore.next);
  if (length > FORE_ELEMENT_BYTES || isPlain(next)) return false;
  const more = length + <u32>ELEMENT_OVERHEAD_BYTES;
  if (packedBytes(fore.data) + more > FORE_BYTES) return false;
  const elements = <u64>elementsOf(next) + elementsOf(fore) + 1;
  return !exceedsLimit(<u64>joinedBytes(fore) + more, elements);
}

/** An empty chain. @returns null = no memory */
export function newChain(): Chain | null {
  const ptr = alloc(offsetof<Chain>());
  if (ptr === 0) return null;
  memory.fill(ptr, 0, offsetof<Chain>());
  return changetype<Chain>(ptr);
}

/** Gives a node another one behind it, of which it is no part. */
export function linkNext(node: ListNode, next: usize): void {
  node.next = <u32>next;
  setFore(node, false);
}

/** Puts a node of `data` behind `previous`, 0 = in front of all. @returns null = no memory, nothing changed */
export function addNode(
  chain: Chain,
  previous: usize,
  data: usize,
  elements: u32,
): ListNode | null {
  const ptr = alloc(offsetof<ListNode>());
  if (ptr === 0) return null;
  const node = nodeAt(ptr);
  const next: usize = previous === 0 ? chain.first : nodeAt(previous).next;
  node.previous = <u32>previous;
  node.next = <u32>next;
  node.data = <u32>data;
  node.elements = elements;
  if (previous === 0) chain.first = <u32>ptr;
  else linkNext(nodeAt(previous), ptr);
  if (next === 0) chain.last = <u32>ptr;
  else nodeAt(next).previous = <u32>ptr;
  chain.nodes += 1;
  return node;
}

/** The same with a node of one plain element. */
export function addPlain(chain: Chain, previous: usize, ptr: usize, length: u32): ListNode | null {
  const data = newPlain(ptr, length);
  if (data === 0) return null;
  const node = addNode(chain, previous, data, PLAIN | 1);
  if (node === null) free(data);
  return node;
}

/** A plain element's block. @returns 0 = no memory */
export function newPlain(ptr: usize, length: u32): usize {
  const data = alloc(PLAIN_HEADER_BYTES + length);
  if (data === 0) return 0;
  store<u32>(data, length);
  memory.copy(data + PLAIN_HEADER_BYTES, ptr, length);
  return data;
}

/** The same with a node that has no element yet, and room at least for one of `length`, which the caller adds. */
export function addEmpty(chain: Chain, previous: usize, length: u32): ListNode | null {
  const most = limitBytes();
  const isRoomy = chain.nodes >= ROOMY_NODES && most !== 0;
  const packed = newPacked(isRoomy ? most - PACKED_EMPTY_BYTES : length + MOST_OVERHEAD_BYTES);
  if (packed === 0) return null;
  const node = addNode(chain, previous, packed, 0);
  if (node === null) free(packed);
  return node;
}

/** Puts an empty fore part in front of the first node. @returns null = no memory, nothing changed */
export function addFore(chain: Chain): ListNode | null {
  const packed = newPacked(FORE_BYTES - PACKED_EMPTY_BYTES);
  if (packed === 0) return null;
  const node = addNode(chain, 0, packed, FORE);
  if (node === null) free(packed);
  return node;
}

/** Takes a node out of its chain and frees it. */
export function dropNode(chain: Chain, node: ListNode): void {
  const ref = <u32>changetype<usize>(node);
  if (node.previous === 0) chain.first = node.next;
  else linkNext(nodeAt(node.previous), node.next);
  if (node.next === 0) chain.last = node.previous;
  else nodeAt(node.next).previous = node.previous;
  if (chain.evacuated === ref) chain.evacuated = node.next;
  chain.nodes -= 1;
  freeNode(ref);
}

/** Frees a node that is in no chain any more. @returns the one behind it */
export function freeNode(ref: usize): usize {
  const node = nodeAt(ref);
  const next: usize = node.next;
  free(node.data);
  free(ref);
  return next;
}
