/** Lists as values: freeing, copying, moving, measuring, checking. */

import { Address } from "../abi";
import { Entry } from "../keyspace/entry";
import { free, usableBytes } from "../memory/allocator";
import { sha1Add } from "../memory/sha1";
import { ensure, ScratchArea, state } from "../state";
import { evacuateBlock } from "./evacuate";
import {
  chainOf,
  End,
  freeNodes,
  goToEnd,
  isPackedList,
  listCount,
  listStep,
  readPosition,
} from "./list";
import {
  addNode,
  addPlain,
  Chain,
  elementsOf,
  isFore,
  isPlain,
  ListNode,
  newChain,
  nodeAt,
  plainLength,
  plainPtr,
  setFore,
} from "./list-node";
import { checkPacked, copyPacked, packedBytes } from "./packed";
import { savedLengthBytes } from "./saved";

const LENGTH: usize = Address.Scratch + ScratchArea.Member;
/** Nodes that one call of defragmentation looks at. */
const NODES_AT_ONCE: u32 = 16;

/** A large one is left to be freed in slices. */
export function freeList(entry: Entry): void {
  if (!isPackedList(entry)) freeNodes(chainOf(entry).first, chainOf(entry).nodes);
  free(entry.value);
}

/** Gives the entry, which shares its value with another one, a value of its own. @returns false = no memory. O(bytes) */
export function copyList(entry: Entry): bool {
  if (isPackedList(entry)) {
    const packed = copyPacked(entry.value);
    if (packed !== 0) entry.value = <u32>packed;
    return packed !== 0;
  }
  const source = chainOf(entry);
  const chain = newChain();
  if (chain === null) return false;
  for (let ref: usize = source.first; ref !== 0; ref = nodeAt(ref).next)
    if (!copyNode(chain, nodeAt(ref))) {
      freeNodes(chain.first, chain.nodes);
      free(changetype<usize>(chain));
      return false;
    }
  setFore(nodeAt(chain.first), isFore(nodeAt(source.first)));
  chain.count = source.count;
  entry.value = <u32>changetype<usize>(chain);
  return true;
}

/** Adds a copy of a node at the end. @returns false = no memory */
function copyNode(chain: Chain, node: ListNode): bool {
  const data: usize = node.data;
  if (isPlain(node)) return addPlain(chain, chain.last, plainPtr(data), plainLength(data)) !== null;
  const packed = copyPacked(data);
  if (packed === 0) return false;
  if (addNode(chain, chain.last, packed, elementsOf(node)) !== null) return true;
  free(packed);
  return false;
}

/** Moves blocks out of pages that are being emptied, a part of a long list at a time. @returns how many moved */
export function evacuateList(entry: Entry): u32 {
  if (!isPackedList(entry)) return evacuateChain(entry);
  const moved = evacuateBlock(entry.value);
  if (moved === 0) return 0;
  entry.value = moved;
  return 1;
}

function evacuateChain(entry: Entry): u32 {
  if (state.evacuating !== 0 && state.evacuating !== entry.value) return 0;
  let moved: u32 = 0;
  if (state.evacuating === 0) {
    const block = evacuateBlock(entry.value);
    if (block !== 0) {
      entry.value = block;
      moved += 1;
    }
    chainOf(entry).evacuated = chainOf(entry).first;
    state.evacuateIndex = 0;
  }
  const chain = chainOf(entry);
  for (let i: u32 = 0; i < NODES_AT_ONCE && chain.evacuated !== 0; i++) {
    const node = nodeAt(chain.evacuated);
    chain.evacuated = node.next;
    moved += evacuateNode(chain, node);
  }
  state.evacuating = chain.evacuated === 0 ? 0 : entry.value;
  state.evacuateIndex += 1;
  return moved;
}

function evacuateNode(chain: Chain, node: ListNode): u32 {
  let moved: u32 = 0;
  const data = evacuateBlock(node.data);
  if (data !== 0) {
    node.data = data;
    moved += 1;
  }
  const ref = evacuateBlock(<u32>changetype<usize>(node));
  if (ref === 0) return moved;
  const fresh = nodeAt(ref);
  if (chain.written === <u32>changetype<usize>(node)) chain.written = ref;
  if (fresh.previous === 0) chain.first = ref;
  else nodeAt(fresh.previous).next = ref;
  if (fresh.next === 0) chain.last = ref;
  else nodeAt(fresh.next).previous = ref;
  return moved + 1;
}

export function listEncodingName(entry: Entry): string {
  return isPackedList(entry) ? "listpack" : "quicklist";
}

/** Adds all elements to the SHA-1 that runs, each behind its length. O(bytes) */
export function digestList(entry: Entry): void {
  for (let more = goToEnd(entry, End.Front); more; more = listStep(entry, End.Back)) {
    readPosition();
    store<u32>(LENGTH, state.memberLength);
    sha1Add(LENGTH, 4);
    sha1Add(state.memberPtr, state.memberLength);
  }
}

/** Bytes of the value's blocks. O(nodes) */
export function listBytes(entry: Entry): u64 {
  let bytes: u64 = usableBytes(entry.value);
  if (isPackedList(entry)) return bytes;
  for (let ref: usize = chainOf(entry).first; ref !== 0; ref = nodeAt(ref).next)
    bytes += <u64>usableBytes(ref) + usableBytes(nodeAt(ref).data);
  return bytes;
}

/** Bytes of the list in a dump: node by node, as they are. O(nodes) */
export function savedListBytes(entry: Entry): u64 {
  if (isPackedList(entry)) return savedLengthBytes(packedBytes(entry.value));
  let bytes: u64 = 0;
  for (let ref: usize = chainOf(entry).first; ref !== 0; ref = nodeAt(ref).next) {
    const node = nodeAt(ref);
    const length = isPlain(node) ? plainLength(node.data) : packedBytes(node.data);
    bytes += 1 + savedLengthBytes(length);
  }
  return bytes;
}

/** Asserts the encoding's own invariants, and that no list is empty. O(bytes) */
export function checkList(entry: Entry): void {
  ensure(listCount(entry) > 0, 790, entry.value);
  if (isPackedList(entry)) checkPacked(entry.value);
  else checkChain(chainOf(entry));
}

function checkChain(chain: Chain): void {
  let nodes: u32 = 0;
  let elements: u32 = 0;
  let previous: u32 = 0;
  let seesEvacuated = chain.evacuated === 0;
  for (let ref = chain.first; ref !== 0; ref = nodeAt(ref).next) {
    const node = nodeAt(ref);
    ensure(node.previous === previous, 791, ref);
    if (isPlain(node)) ensure(plainLength(node.data) + 4 <= usableBytes(node.data), 792, ref);
    else ensure(checkPacked(node.data) === elementsOf(node), 793, ref);
    ensure(elementsOf(node) > 0, 794, ref);
    if (isFore(node)) ensure(node.next !== 0 && !isPlain(node), 798, ref);
    if (chain.evacuated === ref) seesEvacuated = true;
    nodes += 1;
    elements += elementsOf(node);
    previous = ref;
  }
  ensure(chain.last === previous, 795, chain.last);
  ensure(nodes === chain.nodes && elements === chain.count, 796, elements);
  ensure(seesEvacuated, 797, chain.evacuated);
}
