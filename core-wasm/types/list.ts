/**
 * Lists: one packed sequence while it is no more than a node may be, a chain of nodes beyond, and a packed sequence again when what
 * is left fills half a node. An entry's value word and encoding change with the list; nothing else of the entry is touched.
 * The functions work as well on an entry that is in no table (`asideList`), which is how a new list is built.
 *
 * A position is State.listNode (0 in a packed list) and listAt, the address of the element, of a plain one its block; 0 = none.
 */
import { Address } from "../abi";
import { Encoding, Entry, encodingOf, setKind, Type } from "../keyspace/entry";
import { free } from "../memory/allocator";
import { equal } from "../memory/bytes";
import { ScratchArea, state } from "../state";
import { discard, GarbageKind } from "./garbage";
import {
  addEmpty,
  addFore,
  addNode,
  addPlain,
  Chain,
  dropNode,
  elementsOf,
  exceedsLimit,
  foreTakes,
  freeNode,
  isFore,
  isHalf,
  isLarge,
  isPlain,
  joinedBytes,
  ListNode,
  linkNext,
  newChain,
  newPlain,
  nodeAt,
  plainLength,
  plainPtr,
  setFore,
  takes,
  wantsFore,
} from "./list-node";
import {
  elementEquals,
  newPacked,
  packedAppend,
  packedBytes,
  packedCount,
  packedFirst,
  packedInsert,
  packedJoin,
  packedLast,
  packedNext,
  packedPrepend,
  packedPrevious,
  packedRemove,
  packedReplace,
  packedSeek,
  packedSplit,
  readElementText,
} from "./packed";

export enum End {
  Front = 0,
  Back = 1,
}

const ASIDE: usize = Address.Scratch + ScratchArea.Aside;
/** More nodes than this are freed in slices. */
const FREE_NODES_AT_ONCE: u32 = 32;

export function chainOf(entry: Entry): Chain {
  return changetype<Chain>(<usize>entry.value);
}

export function isPackedList(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Packed;
}

/** O(1), of a packed list with 65535 elements and more O(n) */
export function listCount(entry: Entry): u32 {
  return isPackedList(entry) ? packedCount(entry.value) : chainOf(entry).count;
}

/** An entry in no table, with an empty list. @returns null = no memory */
export function asideList(): Entry | null {
  const packed = newPacked(0);
  if (packed === 0) return null;
  const entry = changetype<Entry>(ASIDE);
  setKind(entry, Type.List, Encoding.Packed);
  entry.value = <u32>packed;
  return entry;
}

// ---- conversions

/** Before elements of so many bytes come: a list that will not stay packed becomes a chain at once. @returns false = no memory */
export function expectElements(entry: Entry, bytes: u64, elements: u64): bool {
  if (!isPackedList(entry)) return true;
  const packed: usize = entry.value;
  const count = packedCount(packed);
  if (!exceedsLimit(<u64>packedBytes(packed) + bytes, <u64>count + elements)) return true;
  const chain = newChain();
  if (chain === null) return false;
  if (count === 0) free(packed);
  else if (addNode(chain, 0, packed, count) === null) {
    free(changetype<usize>(chain));
    return false;
  }
  chain.count = count;
  setKind(entry, Type.List, Encoding.Nodes);
  entry.value = <u32>changetype<usize>(chain);
  return true;
}

/** After a removal: a chain of one small node becomes a packed list again. */
export function settleShrunk(entry: Entry): void {
  if (isPackedList(entry)) return;
  const chain = chainOf(entry);
  if (chain.nodes === 2 && isHalfWithFore(nodeAt(chain.first))) joinFore(chain);
  if (chain.nodes !== 1) return;
  const node = nodeAt(chain.first);
  if (isPlain(node) || !isHalf(packedBytes(node.data), elementsOf(node))) return;
  setKind(entry, Type.List, Encoding.Packed);
  entry.value = node.data;
  free(changetype<usize>(node));
  free(changetype<usize>(chain));
}

/** Whether the node is a fore part, and with the node that it is a part of at most half of what a node may be. */
function isHalfWithFore(node: ListNode): bool {
  if (!isFore(node) || isPlain(nodeAt(node.next))) return false;
  return isHalf(joinedBytes(node), elementsOf(node) + elementsOf(nodeAt(node.next)));
}

/** Ends the fore part in front: it joins the node it is a part of, or, for want of memory or room, is a node of its own. O(node) */
function joinFore(chain: Chain): void {
  const fore = nodeAt(chain.first);
  setFore(fore, false);
  joinNext(chain, fore);
}

// ---- ends

/** Adds an element at an end; `expectElements` came before. @returns false = no memory, nothing changed. O(node) */
export function listPush(entry: Entry, end: End, ptr: usize, length: u32): bool {
  if (!isPackedList(entry)) return pushToChain(chainOf(entry), end, ptr, length);
  const packed =
    end === End.Front
      ? packedPrepend(entry.value, ptr, length)
      : packedAppend(entry.value, ptr, length);
  if (packed === 0) return false;
  entry.value = <u32>packed;
  return true;
}

function pushToChain(chain: Chain, end: End, ptr: usize, length: u32): bool {
  const pushed =
    end === End.Front ? pushToFront(chain, ptr, length) : pushToBack(chain, ptr, length);
  if (pushed) chain.count += 1;
  return pushed;
}

function pushToBack(chain: Chain, ptr: usize, length: u32): bool {
  const last: usize = chain.last;
  if (last !== 0 && takes(nodeAt(last), length))
    return pushToNode(nodeAt(last), End.Back, ptr, length);
  return addNodeWith(chain, last, ptr, length);
}

function pushToFront(chain: Chain, ptr: usize, length: u32): bool {
  if (chain.first !== 0 && isFore(nodeAt(chain.first))) {
    const fore = nodeAt(chain.first);
    if (foreTakes(fore, length)) return pushToNode(fore, End.Front, ptr, length);
    joinFore(chain);
  }
  if (chain.first === 0 || !takes(nodeAt(chain.first), length))
    return addNodeWith(chain, 0, ptr, length);
  const first = nodeAt(chain.first);
  const receiver = wantsFore(first, length) ? addFore(chain) : first;
  return receiver !== null && pushToNode(receiver, End.Front, ptr, length);
}

function pushToNode(node: ListNode, end: End, ptr: usize, length: u32): bool {
  const packed =
    end === End.Front
      ? packedPrepend(node.data, ptr, length)
      : packedAppend(node.data, ptr, length);
  if (packed === 0) return false;
  node.data = <u32>packed;
  node.elements += 1;
  return true;
}

/** A node of its own for an element, behind `previous`, 0 = in front of all. @returns false = no memory */
function addNodeWith(chain: Chain, previous: usize, ptr: usize, length: u32): bool {
  if (isLarge(length)) return addPlain(chain, previous, ptr, length) !== null;
  const node = addEmpty(chain, previous, length);
  if (node === null) return false;
  // There is room.
  return pushToNode(node, End.Back, ptr, length);
}

/** Goes to the element at an end. @returns false = the list is empty */
export function goToEnd(entry: Entry, end: End): bool {
  if (isPackedList(entry)) {
    const packed: usize = entry.value;
    state.listNode = 0;
    state.listAt = <u32>packedFirst(packed);
    if (end === End.Back && state.listAt !== 0) state.listAt = <u32>packedLast(packed);
  } else enterNode(end === End.Front ? chainOf(entry).first : chainOf(entry).last, end);
  return state.listAt !== 0;
}

/** Goes to the first or last element of a node, 0 = of none. */
function enterNode(ref: usize, end: End): void {
  state.listNode = <u32>ref;
  if (ref === 0) {
    state.listAt = 0;
    return;
  }
  const node = nodeAt(ref);
  if (isPlain(node)) state.listAt = node.data;
  else state.listAt = <u32>(end === End.Front ? packedFirst(node.data) : packedLast(node.data));
}

// ---- positions

function atPlain(): bool {
  return state.listNode !== 0 && isPlain(nodeAt(state.listNode));
}

/** Goes to the next element towards an end. @returns false = there is none */
export function listStep(entry: Entry, end: End): bool {
  const at: usize = state.listAt;
  if (!atPlain()) {
    const packed: usize = state.listNode === 0 ? entry.value : nodeAt(state.listNode).data;
    const next = end === End.Back ? packedNext(at) : packedPrevious(packed, at);
    if (next !== 0) {
      state.listAt = <u32>next;
      return true;
    }
  }
  if (state.listNode === 0) {
    state.listAt = 0;
    return false;
  }
  const node = nodeAt(state.listNode);
  if (end === End.Back) enterNode(node.next, End.Front);
  else enterNode(node.previous, End.Back);
  return state.listAt !== 0;
}

/** Goes to the element at an index below the count. O(nodes + node) */
export function goTo(entry: Entry, index: u32): void {
  if (isPackedList(entry)) {
    state.listNode = 0;
    state.listAt = <u32>packedSeek(entry.value, index);
    return;
  }
  const offset = goToNode(entry, index);
  goInto(entry, state.listNode, offset);
}

/** Goes to an element of a chain by its node, 0 = the first one, and the index in it. O(node) */
export function goInto(entry: Entry, ref: u32, index: u32): void {
  state.listNode = ref === 0 ? chainOf(entry).first : ref;
  const node = nodeAt(state.listNode);
  state.listAt = isPlain(node) ? node.data : <u32>packedSeek(node.data, index);
}

/** Goes to the node of a chain that the index lies in. @returns the index in it. O(nodes), from the nearer end */
export function goToNode(entry: Entry, index: u32): u32 {
  const chain = chainOf(entry);
  let ref: usize;
  let first: u32;
  if (index <= chain.count >> 1) {
    ref = chain.first;
    first = 0;
    for (let n = elementsOf(nodeAt(ref)); index - first >= n; n = elementsOf(nodeAt(ref))) {
      first += n;
      ref = nodeAt(ref).next;
    }
  } else {
    ref = chain.last;
    first = chain.count - elementsOf(nodeAt(ref));
    while (index < first) {
      ref = nodeAt(ref).previous;
      first -= elementsOf(nodeAt(ref));
    }
  }
  state.listNode = <u32>ref;
  return index - first;
}

/** Reads the element at the position into State.memberPtr and memberLength; an integer's digits lie in scratch until the next reading. */
export function readPosition(): void {
  if (atPlain()) {
    state.memberPtr = <u32>plainPtr(state.listAt);
    state.memberLength = plainLength(state.listAt);
    return;
  }
  readElementText(state.listAt);
  state.memberPtr = state.elementPtr;
  state.memberLength = state.elementLength;
}

/** Whether the element at the position is these bytes. */
export function isAtPosition(ptr: usize, length: u32): bool {
  if (!atPlain()) return elementEquals(state.listAt, ptr, length);
  const data: usize = state.listAt;
  return plainLength(data) === length && equal(plainPtr(data), ptr, length);
}

// ---- changes inside

/** Removes the element at the position and goes to the next one towards an end. @returns false = there is none. O(node) */
export function removeAtPosition(entry: Entry, end: End): bool {
  if (state.listNode === 0) {
    entry.value = <u32>packedRemove(entry.value, state.listAt, 1);
    state.listAt = state.packedAt;
    if (end === End.Back) return state.listAt !== 0;
    return state.listAt === 0 ? goToEnd(entry, End.Back) : listStep(entry, End.Front);
  }
  const chain = chainOf(entry);
  const node = nodeAt(state.listNode);
  chain.count -= 1;
  if (elementsOf(node) === 1) {
    if (end === End.Back) enterNode(node.next, End.Front);
    else enterNode(node.previous, End.Back);
    dropNode(chain, node);
    return state.listAt !== 0;
  }
  node.data = <u32>packedRemove(node.data, state.listAt, 1);
  node.elements -= 1;
  state.listAt = state.packedAt;
  if (end === End.Back) {
    if (state.listAt === 0) enterNode(node.next, End.Front);
    return state.listAt !== 0;
  }
  if (state.listAt === 0) enterNode(state.listNode, End.Back);
  else listStep(entry, End.Front);
  return state.listAt !== 0;
}

/** Puts an element before the one at the position, or behind it. @returns false = no memory, nothing changed. O(node) */
export function insertAtPosition(entry: Entry, behind: bool, ptr: usize, length: u32): bool {
  if (state.listNode === 0) {
    const packed = insertIntoPacked(entry.value, behind, ptr, length);
    if (packed !== 0) entry.value = <u32>packed;
    return packed !== 0;
  }
  const chain = chainOf(entry);
  if (!insertIntoChain(chain, nodeAt(state.listNode), behind, ptr, length)) return false;
  chain.count += 1;
  return true;
}

/** @returns the block, 0 = no memory */
function insertIntoPacked(packed: usize, behind: bool, ptr: usize, length: u32): usize {
  return packedInsert(packed, behind ? packedNext(state.listAt) : state.listAt, ptr, length);
}

function insertIntoChain(
  chain: Chain,
  node: ListNode,
  behind: bool,
  ptr: usize,
  length: u32,
): bool {
  if (takes(node, length)) {
    const packed = insertIntoPacked(node.data, behind, ptr, length);
    if (packed === 0) return false;
    node.data = <u32>packed;
    node.elements += 1;
    return true;
  }
  const ref = changetype<usize>(node);
  const isEdge =
    isPlain(node) ||
    (behind ? packedNext(state.listAt) === 0 : packedPrevious(node.data, state.listAt) === 0);
  if (!isEdge) return insertBetweenHalves(chain, node, behind, ptr, length);
  const neighbour: usize = behind ? node.next : node.previous;
  if (neighbour !== 0 && takes(nodeAt(neighbour), length))
    return pushToNode(nodeAt(neighbour), behind ? End.Front : End.Back, ptr, length);
  return addNodeWith(chain, behind ? ref : node.previous, ptr, length);
}

/** Splits a full node where an element is to go, gives it a place between, and joins what fits together. */
function insertBetweenHalves(
  chain: Chain,
  node: ListNode,
  behind: bool,
  ptr: usize,
  length: u32,
): bool {
  const at: usize = behind ? packedNext(state.listAt) : state.listAt;
  const second = splitNode(chain, node, at);
  if (second === null) return false;
  const added = takes(node, length)
    ? pushToNode(node, End.Back, ptr, length)
    : addNodeWith(chain, changetype<usize>(node), ptr, length);
  joinAround(chain, node, second);
  return added;
}

/** Moves the elements from `at` on to a node of their own behind it. @returns null = no memory, nothing changed */
function splitNode(chain: Chain, node: ListNode, at: usize): ListNode | null {
  let count: u32 = 0;
  for (let p = at; p !== 0; p = packedNext(p)) count += 1;
  const second = addEmpty(chain, changetype<usize>(node), 0);
  if (second === null) return null;
  const packed = packedSplit(node.data, at, count);
  if (packed === 0) {
    dropNode(chain, second);
    return null;
  }
  free(second.data);
  second.data = <u32>packed;
  second.elements = count;
  node.elements -= count;
  return second;
}

function joinAround(chain: Chain, first: ListNode, second: ListNode): void {
  joinNext(chain, second);
  if (first.next !== 0) joinNext(chain, first);
  if (first.previous !== 0) joinNext(chain, nodeAt(first.previous));
}

/** Joins a node and the next one if one node may hold both. Nothing happens for want of memory. */
function joinNext(chain: Chain, node: ListNode): void {
  if (node.next === 0 || isPlain(node)) return;
  const next = nodeAt(node.next);
  if (isPlain(next)) return;
  if (exceedsLimit(joinedBytes(node), <u64>elementsOf(node) + elementsOf(next))) return;
  const joined = packedJoin(node.data, next.data);
  if (joined === 0) return;
  node.data = <u32>joined;
  node.elements += elementsOf(next);
  dropNode(chain, next);
}

/** Puts other bytes in the place of the element at the position. @returns false = no memory, nothing changed. O(node) */
export function replaceAtPosition(entry: Entry, ptr: usize, length: u32): bool {
  if (state.listNode === 0) {
    const packed = packedReplace(entry.value, state.listAt, ptr, length);
    if (packed !== 0) entry.value = <u32>packed;
    return packed !== 0;
  }
  const node = nodeAt(state.listNode);
  if (!isPlain(node) && !isLarge(length)) {
    const packed = packedReplace(node.data, state.listAt, ptr, length);
    if (packed !== 0) node.data = <u32>packed;
    return packed !== 0;
  }
  const chain = chainOf(entry);
  if (!isPlain(node)) return replaceByLarge(chain, node, ptr, length);
  return replacePlain(chain, node, ptr, length);
}

/** An element of a packed node gives way to a plain node: the node is split there. */
function replaceByLarge(chain: Chain, node: ListNode, ptr: usize, length: u32): bool {
  const isFirst = packedPrevious(node.data, state.listAt) === 0;
  const holder = isFirst ? node : splitNode(chain, node, state.listAt);
  if (holder === null) return false;
  if (addPlain(chain, holder.previous, ptr, length) === null) {
    if (!isFirst) joinNext(chain, node);
    return false;
  }
  if (elementsOf(holder) === 1) dropNode(chain, holder);
  else removeFromNode(holder, 0, 1);
  return true;
}

function replacePlain(chain: Chain, node: ListNode, ptr: usize, length: u32): bool {
  if (isLarge(length)) {
    const data = newPlain(ptr, length);
    if (data === 0) return false;
    free(node.data);
    node.data = <u32>data;
    return true;
  }
  const isTaken = node.next !== 0 && takes(nodeAt(node.next), length);
  const replaced = isTaken
    ? pushToNode(nodeAt(node.next), End.Front, ptr, length)
    : addNodeWith(chain, changetype<usize>(node), ptr, length);
  if (replaced) dropNode(chain, node);
  return replaced;
}

/** Removes `count` elements from an index on, all of which must be there. O(nodes + node) */
export function removeRange(entry: Entry, start: u32, count: u32): void {
  if (count === 0) return;
  if (isPackedList(entry)) {
    const packed: usize = entry.value;
    entry.value = <u32>packedRemove(packed, packedSeek(packed, start), count);
    return;
  }
  const chain = chainOf(entry);
  const offset = goToNode(entry, start);
  let ref: usize = state.listNode;
  let left = count;
  if (offset > 0) {
    const node = nodeAt(ref);
    const here = elementsOf(node) - offset;
    removeFromNode(node, offset, left < here ? left : here);
    left -= left < here ? left : here;
    ref = node.next;
  }
  left -= dropNodes(chain, ref, left);
  if (left > 0) removeFromNode(nodeAt(state.listNode), 0, left);
  chain.count -= count;
}

/** Removes some elements of a node, not all. */
function removeFromNode(node: ListNode, offset: u32, count: u32): void {
  node.data = <u32>packedRemove(node.data, packedSeek(node.data, offset), count);
  node.elements -= count;
}

/**
 * Drops whole nodes from one on as long as they have no more than `count` elements, many of them in slices.
 * State.listNode is the node behind. @returns elements dropped
 */
function dropNodes(chain: Chain, first: usize, count: u32): u32 {
  let dropped: u32 = 0;
  let nodes: u32 = 0;
  let ref = first;
  let last: usize = 0;
  while (ref !== 0 && elementsOf(nodeAt(ref)) <= count - dropped) {
    if (chain.evacuated === <u32>ref) chain.evacuated = nodeAt(ref).next;
    dropped += elementsOf(nodeAt(ref));
    nodes += 1;
    last = ref;
    ref = nodeAt(ref).next;
  }
  state.listNode = <u32>ref;
  if (nodes === 0) return 0;
  const previous: usize = nodeAt(first).previous;
  if (previous === 0) chain.first = <u32>ref;
  else linkNext(nodeAt(previous), ref);
  if (ref === 0) chain.last = <u32>previous;
  else nodeAt(ref).previous = <u32>previous;
  chain.nodes -= nodes;
  nodeAt(last).next = 0;
  freeNodes(first, nodes);
  return dropped;
}

/** Frees nodes that lead to each other, many of them in slices. */
export function freeNodes(first: usize, nodes: u32): void {
  if (nodes > FREE_NODES_AT_ONCE) return discard(GarbageKind.Nodes, first);
  for (let ref = first; ref !== 0; ) ref = freeNode(ref);
}
