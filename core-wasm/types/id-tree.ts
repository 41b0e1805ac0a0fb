/**
 * Blocks in the order of their ids: a B+ tree of the addresses of blocks that begin with the id of a stream's entry (u64 milliseconds,
 * u64 sequence number). The ids lie in the blocks alone; a leaf reads them there.
 *
 *   tree (part of a block of its owner's): 0 root |4 levels |8 count
 *   leaf: 0 u32 count |4 u32 refs, a block that grows with their number up to ID_LEAF_SLOTS
 *   inner node: 0 u32 count |8 keys of 16 bytes |behind all of them u32 children
 *
 * The key of a child is not above any id below it, and above every id of the child before. Nothing leads up: the way from the root is
 * kept in scratch while an operation runs.
 */
import { Address } from "../abi";
import { alloc, allocReserved, free, isEvacuated, usableBytes } from "../memory/allocator";
import { ensure, ScratchArea } from "../state";
import { ID_INNER_SLOTS, ID_LEAF_SLOTS } from "../tuning";

@final
@unmanaged
export class IdTree {
  root: u32; // 0 = empty
  levels: u32; // 1 = the root is a leaf
  count: u32; // of blocks
}

/** The way to the place in hand: u32 node |4 u32 index in it, a pair for each level from the root on. */
const PATH: usize = Address.Scratch + ScratchArea.IdPath;
const LEVELS_MAX: u32 = 16;
const FIRST_LEAF_BYTES: u32 = 16;
const LEAF_BYTES: u32 = 4 + 4 * ID_LEAF_SLOTS;
const KEYS: usize = 8;
const CHILDREN: usize = KEYS + 16 * <usize>ID_INNER_SLOTS;
const INNER_BYTES: u32 = <u32>CHILDREN + 4 * ID_INNER_SLOTS;
/** A node with so few is joined with the one beside it if both fit one. */
const FEW_IN_LEAF: u32 = ID_LEAF_SLOTS >> 2;
const FEW_IN_INNER: u32 = ID_INNER_SLOTS >> 2;

export function msOf(block: usize): u64 {
  return load<u64>(block);
}

export function seqOf(block: usize): u64 {
  return load<u64>(block, 8);
}

/** Whether the id at `ptr` is below another. */
export function isBelow(ptr: usize, ms: u64, seq: u64): bool {
  const own = load<u64>(ptr);
  return own < ms || (own === ms && load<u64>(ptr, 8) < seq);
}

/** Whether the id at `ptr` is this one. */
export function isId(ptr: usize, ms: u64, seq: u64): bool {
  return load<u64>(ptr) === ms && load<u64>(ptr, 8) === seq;
}

function countOf(node: usize): u32 {
  return load<u32>(node);
}

function refCell(leaf: usize, index: u32): usize {
  return leaf + 4 + ((<usize>index) << 2);
}

function keyCell(inner: usize, index: u32): usize {
  return inner + KEYS + ((<usize>index) << 4);
}

function childCell(inner: usize, index: u32): usize {
  return inner + CHILDREN + ((<usize>index) << 2);
}

function step(depth: u32): usize {
  return PATH + ((<usize>depth) << 3);
}

function setStep(depth: u32, node: usize, index: u32): void {
  store<u32>(step(depth), <u32>node);
  store<u32>(step(depth), index, 4);
}

function nodeAt(depth: u32): usize {
  return load<u32>(step(depth));
}

function indexAt(depth: u32): u32 {
  return load<u32>(step(depth), 4);
}

/** The first ref of a leaf that is not below an id; its count if all are. */
function lowerBound(leaf: usize, ms: u64, seq: u64): u32 {
  let high = countOf(leaf);
  // What comes is mostly above all that is there.
  if (high > 0 && isBelow(load<u32>(refCell(leaf, high - 1)), ms, seq)) return high;
  let low: u32 = 0;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBelow(load<u32>(refCell(leaf, middle)), ms, seq)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The child of an inner node below which an id belongs. */
function childFor(inner: usize, ms: u64, seq: u64): u32 {
  let low: u32 = 1;
  let high = countOf(inner);
  while (low < high) {
    const middle = (low + high) >> 1;
    const key = keyCell(inner, middle);
    if (isBelow(key, ms, seq) || isId(key, ms, seq)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Goes to the leaf of an id, to the first ref there that is not below it. Not in an empty tree. */
function descend(t: IdTree, ms: u64, seq: u64): void {
  let node: usize = t.root;
  for (let depth: u32 = 0; depth + 1 < t.levels; depth++) {
    const index = childFor(node, ms, seq);
    setStep(depth, node, index);
    node = load<u32>(childCell(node, index));
  }
  setStep(t.levels - 1, node, lowerBound(node, ms, seq));
}

/** Goes from a leaf to the one behind (`by` 1) or before (-1). @returns false = there is none */
function moveLeaf(t: IdTree, by: i32): bool {
  const leafDepth = t.levels - 1;
  let depth = leafDepth;
  let index: i32;
  do {
    if (depth === 0) return false;
    depth -= 1;
    index = <i32>indexAt(depth) + by;
  } while (index < 0 || index >= <i32>countOf(nodeAt(depth)));
  setStep(depth, nodeAt(depth), <u32>index);
  for (; depth < leafDepth; depth++) {
    const child: usize = load<u32>(childCell(nodeAt(depth), indexAt(depth)));
    setStep(depth + 1, child, by > 0 ? 0 : countOf(child) - 1);
  }
  return true;
}

// ---- searching

/** The block with an id, 0 = there is none. O(log n) */
export function treeFind(t: IdTree, ms: u64, seq: u64): usize {
  const ref = treeFrom(t, ms, seq);
  return ref !== 0 && isId(ref, ms, seq) ? ref : 0;
}

/** The first block whose id is this one or above, 0 = there is none. O(log n) */
export function treeFrom(t: IdTree, ms: u64, seq: u64): usize {
  if (t.count === 0) return 0;
  descend(t, ms, seq);
  const last = t.levels - 1;
  if (indexAt(last) === countOf(nodeAt(last)) && !moveLeaf(t, 1)) return 0;
  return load<u32>(refCell(nodeAt(last), indexAt(last)));
}

/** The first block above an id, 0 = there is none. O(log n) */
export function treeAfter(t: IdTree, ms: u64, seq: u64): usize {
  if (seq !== u64.MAX_VALUE) return treeFrom(t, ms, seq + 1);
  return ms === u64.MAX_VALUE ? 0 : treeFrom(t, ms + 1, 0);
}

/** The last block whose id is this one or below, 0 = there is none. O(log n) */
export function treeUpTo(t: IdTree, ms: u64, seq: u64): usize {
  if (t.count === 0) return 0;
  descend(t, ms, seq);
  const last = t.levels - 1;
  const leaf = nodeAt(last);
  const index = indexAt(last);
  if (index < countOf(leaf) && isId(load<u32>(refCell(leaf, index)), ms, seq))
    return load<u32>(refCell(leaf, index));
  if (index > 0) return load<u32>(refCell(leaf, index - 1));
  return moveLeaf(t, -1) ? load<u32>(refCell(nodeAt(last), indexAt(last))) : 0;
}

/** The last block below an id, 0 = there is none. O(log n) */
export function treeBefore(t: IdTree, ms: u64, seq: u64): usize {
  if (seq !== 0) return treeUpTo(t, ms, seq - 1);
  return ms === 0 ? 0 : treeUpTo(t, ms - 1, u64.MAX_VALUE);
}

export function treeFirst(t: IdTree): usize {
  return treeFrom(t, 0, 0);
}

export function treeLast(t: IdTree): usize {
  return treeUpTo(t, u64.MAX_VALUE, u64.MAX_VALUE);
}

// ---- growing

/** Puts a block into its place; no other has its id. Splits use the emergency reserve: it cannot fail. O(log n) */
export function treeInsert(t: IdTree, block: usize): void {
  t.count += 1;
  if (t.root === 0) {
    t.root = <u32>newLeaf(FIRST_LEAF_BYTES, block);
    t.levels = 1;
    return;
  }
  descend(t, msOf(block), seqOf(block));
  const depth = t.levels - 1;
  const index = indexAt(depth);
  let leaf = nodeAt(depth);
  const count = countOf(leaf);
  if (count === ID_LEAF_SLOTS) return splitLeaf(t, leaf, index, block);
  if (refCell(leaf, count + 1) > leaf + usableBytes(leaf)) leaf = growLeaf(t, leaf);
  insertRef(leaf, index, block);
}

function newLeaf(bytes: u32, block: usize): usize {
  const leaf = allocReserved(bytes);
  store<u32>(leaf, 1);
  store<u32>(refCell(leaf, 0), <u32>block);
  return leaf;
}

function insertRef(leaf: usize, index: u32, block: usize): void {
  const count = countOf(leaf);
  const at = refCell(leaf, index);
  memory.copy(at + 4, at, (<usize>(count - index)) << 2);
  store<u32>(at, <u32>block);
  store<u32>(leaf, count + 1);
}

/** A block twice as large for a leaf of the way in hand. */
function growLeaf(t: IdTree, leaf: usize): usize {
  const bytes = min(usableBytes(leaf) << 1, LEAF_BYTES);
  const larger = allocReserved(bytes);
  memory.copy(larger, leaf, refCell(leaf, countOf(leaf)) - leaf);
  relink(t, t.levels - 1, larger);
  free(leaf);
  return larger;
}

/** Puts another block into the place of the node at a depth of the way in hand. */
function relink(t: IdTree, depth: u32, node: usize): void {
  if (depth === 0) t.root = <u32>node;
  else store<u32>(childCell(nodeAt(depth - 1), indexAt(depth - 1)), <u32>node);
  store<u32>(step(depth), <u32>node);
}

function splitLeaf(t: IdTree, leaf: usize, index: u32, block: usize): void {
  const depth = t.levels - 1;
  // What is appended leaves full leaves behind it.
  if (index === ID_LEAF_SLOTS && isLastWay(t)) {
    const right = newLeaf(LEAF_BYTES, block);
    return insertChild(t, depth, right, msOf(block), seqOf(block));
  }
  const half: u32 = ID_LEAF_SLOTS >> 1;
  const right = allocReserved(LEAF_BYTES);
  const moved = ID_LEAF_SLOTS - half;
  memory.copy(refCell(right, 0), refCell(leaf, half), (<usize>moved) << 2);
  store<u32>(right, moved);
  store<u32>(leaf, half);
  if (index <= half) insertRef(leaf, index, block);
  else insertRef(right, index - half, block);
  const first: usize = load<u32>(refCell(right, 0));
  insertChild(t, depth, right, msOf(first), seqOf(first));
}

/** Whether the way in hand leads to the last leaf. */
function isLastWay(t: IdTree): bool {
  for (let depth: u32 = 0; depth + 1 < t.levels; depth++)
    if (indexAt(depth) + 1 !== countOf(nodeAt(depth))) return false;
  return true;
}

/** Hangs a node in behind the one at `depth` of the way in hand; the key is its first id. */
function insertChild(t: IdTree, depth: u32, child: usize, ms: u64, seq: u64): void {
  if (depth === 0) {
    const root = allocReserved(INNER_BYTES);
    setChild(root, 0, t.root, 0, 0);
    setChild(root, 1, child, ms, seq);
    store<u32>(root, 2);
    t.root = <u32>root;
    t.levels += 1;
    ensure(t.levels <= LEVELS_MAX, 800, t.levels);
    return;
  }
  let inner = nodeAt(depth - 1);
  let index = indexAt(depth - 1) + 1;
  const count = countOf(inner);
  if (count < ID_INNER_SLOTS) return insertIntoInner(inner, index, child, ms, seq);
  const isAppended = index === ID_INNER_SLOTS;
  const kept: u32 = isAppended ? ID_INNER_SLOTS - 1 : ID_INNER_SLOTS >> 1;
  const right = allocReserved(INNER_BYTES);
  const moved = count - kept;
  memory.copy(keyCell(right, 0), keyCell(inner, kept), (<usize>moved) << 4);
  memory.copy(childCell(right, 0), childCell(inner, kept), (<usize>moved) << 2);
  store<u32>(right, moved);
  store<u32>(inner, kept);
  const key = keyCell(right, 0);
  const keyMs = msOf(key);
  const keySeq = seqOf(key);
  if (index > kept) {
    inner = right;
    index -= kept;
  }
  insertIntoInner(inner, index, child, ms, seq);
  insertChild(t, depth - 1, right, keyMs, keySeq);
}

function setChild(inner: usize, index: u32, child: usize, ms: u64, seq: u64): void {
  store<u64>(keyCell(inner, index), ms);
  store<u64>(keyCell(inner, index), seq, 8);
  store<u32>(childCell(inner, index), <u32>child);
}

function insertIntoInner(inner: usize, index: u32, child: usize, ms: u64, seq: u64): void {
  const count = countOf(inner);
  const behind = <usize>(count - index);
  memory.copy(keyCell(inner, index + 1), keyCell(inner, index), behind << 4);
  memory.copy(childCell(inner, index + 1), childCell(inner, index), behind << 2);
  setChild(inner, index, child, ms, seq);
  store<u32>(inner, count + 1);
}

// ---- shrinking

/** Takes the block with an id out. @returns its address, 0 = there is none. O(log n) */
export function treeRemove(t: IdTree, ms: u64, seq: u64): usize {
  const block = treeFind(t, ms, seq);
  if (block === 0) return 0;
  const depth = t.levels - 1;
  const leaf = nodeAt(depth);
  const at = refCell(leaf, indexAt(depth));
  const count = countOf(leaf) - 1;
  memory.copy(at, at + 4, (<usize>(count - indexAt(depth))) << 2);
  store<u32>(leaf, count);
  t.count -= 1;
  if (count === 0) removeNode(t, depth);
  else if (count <= FEW_IN_LEAF && depth > 0) joinLeaf(t, depth);
  return block;
}

/** Frees the emptied node at a depth of the way in hand, and what is emptied with it. */
function removeNode(t: IdTree, depth: u32): void {
  free(nodeAt(depth));
  if (depth === 0) {
    t.root = 0;
    t.levels = 0;
    return;
  }
  takeChild(t, depth - 1, indexAt(depth - 1));
}

/** Takes a child, which is freed, out of the inner node at a depth of the way in hand. */
function takeChild(t: IdTree, depth: u32, index: u32): void {
  const inner = nodeAt(depth);
  const count = countOf(inner) - 1;
  const behind = <usize>(count - index);
  memory.copy(keyCell(inner, index), keyCell(inner, index + 1), behind << 4);
  memory.copy(childCell(inner, index), childCell(inner, index + 1), behind << 2);
  store<u32>(inner, count);
  if (count === 0) return removeNode(t, depth);
  if (depth > 0) {
    if (count <= FEW_IN_INNER) joinInner(t, depth);
  } else if (count === 1) dropRoot(t);
}

/** The root's only child becomes the root. */
function dropRoot(t: IdTree): void {
  while (t.levels > 1 && countOf(t.root) === 1) {
    const root: usize = t.root;
    t.root = load<u32>(childCell(root, 0));
    t.levels -= 1;
    free(root);
  }
}

/** Joins a leaf of few refs with its neighbour below the same node, if one leaf can hold both. */
function joinLeaf(t: IdTree, depth: u32): void {
  const inner = nodeAt(depth - 1);
  const index = indexAt(depth - 1);
  const count = countOf(nodeAt(depth));
  let right = index + 1;
  if (right === countOf(inner) || !fitLeaf(count, inner, right)) {
    if (index === 0 || !fitLeaf(count, inner, index - 1)) return;
    right = index;
  }
  const to: usize = load<u32>(childCell(inner, right - 1));
  const from: usize = load<u32>(childCell(inner, right));
  const kept = countOf(to);
  const sum = kept + countOf(from);
  let joined = to;
  if (refCell(to, sum) > to + usableBytes(to)) {
    joined = allocReserved(LEAF_BYTES);
    memory.copy(joined, to, refCell(to, kept) - to);
    store<u32>(childCell(inner, right - 1), <u32>joined);
    free(to);
  }
  memory.copy(refCell(joined, kept), refCell(from, 0), (<usize>countOf(from)) << 2);
  store<u32>(joined, sum);
  free(from);
  takeChild(t, depth - 1, right);
}

function fitLeaf(count: u32, inner: usize, index: u32): bool {
  return count + countOf(load<u32>(childCell(inner, index))) <= ID_LEAF_SLOTS;
}

function joinInner(t: IdTree, depth: u32): void {
  const parent = nodeAt(depth - 1);
  const index = indexAt(depth - 1);
  const count = countOf(nodeAt(depth));
  let right = index + 1;
  if (right === countOf(parent) || !fitInner(count, parent, right)) {
    if (index === 0 || !fitInner(count, parent, index - 1)) return;
    right = index;
  }
  const to: usize = load<u32>(childCell(parent, right - 1));
  const from: usize = load<u32>(childCell(parent, right));
  const kept = countOf(to);
  const added = countOf(from);
  memory.copy(keyCell(to, kept), keyCell(from, 0), (<usize>added) << 4);
  memory.copy(childCell(to, kept), childCell(from, 0), (<usize>added) << 2);
  // Nobody kept the key of a first child right.
  memory.copy(keyCell(to, kept), keyCell(parent, right), 16);
  store<u32>(to, kept + added);
  free(from);
  takeChild(t, depth - 1, right);
}

function fitInner(count: u32, parent: usize, index: u32): bool {
  return count + countOf(load<u32>(childCell(parent, index))) <= ID_INNER_SLOTS;
}

// ---- leaf by leaf

/** The refs from an id on that lie together: address of the first cell; `cellsEnd` is behind the last. 0 = there are none */
export function treeCells(t: IdTree, ms: u64, seq: u64): usize {
  if (treeFrom(t, ms, seq) === 0) return 0;
  return refCell(nodeAt(t.levels - 1), indexAt(t.levels - 1));
}

/** Behind the last cell of the leaf that `treeCells` went to. */
export function cellsEnd(t: IdTree): usize {
  const leaf = nodeAt(t.levels - 1);
  return refCell(leaf, countOf(leaf));
}

/** Moves the nodes on the way to an id out of pages that are being emptied. @returns how many moved */
export function moveTreeNodes(t: IdTree, ms: u64, seq: u64): u32 {
  if (treeFrom(t, ms, seq) === 0) return 0;
  let moved: u32 = 0;
  for (let depth: u32 = 0; depth < t.levels; depth++) {
    const node = nodeAt(depth);
    if (!isEvacuated(node)) continue;
    const bytes = usableBytes(node);
    const copy = alloc(bytes);
    if (copy === 0) continue;
    memory.copy(copy, node, bytes);
    relink(t, depth, copy);
    free(node);
    moved += 1;
  }
  return moved;
}

/** The cell of the ref of a block that is there. O(log n) */
export function treeCell(t: IdTree, ms: u64, seq: u64): usize {
  const block = treeFind(t, ms, seq);
  ensure(block !== 0, 801, t.count);
  return refCell(nodeAt(t.levels - 1), indexAt(t.levels - 1));
}

/** Takes the last ref of all out. @returns it, 0 = the tree is empty and all its nodes are freed. Cheap */
export function treePop(t: IdTree): usize {
  if (t.root === 0) return 0;
  let node: usize = t.root;
  for (let depth: u32 = 0; depth + 1 < t.levels; depth++) {
    const index = countOf(node) - 1;
    setStep(depth, node, index);
    node = load<u32>(childCell(node, index));
  }
  const count = countOf(node) - 1;
  const block: usize = load<u32>(refCell(node, count));
  setStep(t.levels - 1, node, count);
  store<u32>(node, count);
  t.count -= 1;
  if (count === 0) removeNode(t, t.levels - 1);
  return block;
}

/** Bytes of the tree's nodes. O(nodes) */
export function treeBytes(t: IdTree): u64 {
  return t.root === 0 ? 0 : nodeBytes(t.root, t.levels);
}

function nodeBytes(node: usize, levels: u32): u64 {
  let bytes: u64 = usableBytes(node);
  if (levels > 1)
    for (let i: u32 = 0; i < countOf(node); i++)
      bytes += nodeBytes(load<u32>(childCell(node, i)), levels - 1);
  return bytes;
}

/** Asserts order, bounds and counts. O(n) */
export function checkTree(t: IdTree): void {
  ensure((t.root === 0) === (t.count === 0) && (t.root === 0) === (t.levels === 0), 802, t.count);
  if (t.root === 0) return;
  ensure(checkNode(t.root, t.levels) === t.count, 803, t.count);
  let before: usize = 0;
  for (let block = treeFirst(t); block !== 0; block = treeAfter(t, msOf(block), seqOf(block))) {
    ensure(before === 0 || isBelow(before, msOf(block), seqOf(block)), 804, <u32>block);
    before = block;
  }
}

/** @returns blocks below a node */
function checkNode(node: usize, levels: u32): u32 {
  const count = countOf(node);
  ensure(count > 0, 805, <u32>node);
  if (levels === 1) {
    ensure(count <= ID_LEAF_SLOTS && refCell(node, count) <= node + usableBytes(node), 806, count);
    return count;
  }
  ensure(count <= ID_INNER_SLOTS, 807, count);
  let blocks: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const child: usize = load<u32>(childCell(node, i));
    if (i > 0) {
      const key = keyCell(node, i);
      const first = firstBelow(child, levels - 1);
      ensure(!isBelow(first, msOf(key), seqOf(key)), 808, <u32>child);
    }
    blocks += checkNode(child, levels - 1);
  }
  return blocks;
}

function firstBelow(node: usize, levels: u32): usize {
  for (let i = levels; i > 1; i--) node = load<u32>(childCell(node, 0));
  return load<u32>(refCell(node, 0));
}
