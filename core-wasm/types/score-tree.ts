/**
 * The order of a large sorted set: a counted B+ tree of its members (nodes: score-node.ts), which are blocks of a score and sized bytes.
 *
 * The last search leaves its way in scratch (`Step` by level); what changes the tree goes along it. A node that is added comes from the
 * emergency reserve if need be: an insertion cannot fail. Nodes are merged when they are nearly empty, never kept empty.
 */
import { Address } from "../abi";
import { alloc, free, usableBytes } from "../memory/allocator";
import { sizedLength, sizedPtr } from "../memory/sized";
import { ensure, ScratchArea, state } from "../state";
import { INNER_SLOTS, LEAF_SLOTS } from "../tuning";
import { evacuateBlock } from "./evacuate";
import {
  Bound,
  childAt,
  childOf,
  compareSlot,
  copySlots,
  countAt,
  drop,
  goesRight,
  HEADER_BYTES,
  hasScore,
  LEAF_BYTES,
  memberAt,
  Node,
  newNode,
  nodeAt,
  refOf,
  SCORE_BYTES,
  scoreAt,
  setChild,
  setKey,
  shift,
  slotsBefore,
  slotsBelow,
  slotsOf,
  slotsUpTo,
  splitFor,
  total,
  touchScores,
} from "./score-node";

/** What a sorted set's value word leads to. */
@final
@unmanaged
export class ScoredSet {
  table: u32; // Table of its members
  root: u32; // node
}
export const SCORED_SET_BYTES: u32 = offsetof<ScoredSet>();

/** One level of the way from a leaf to the root. */
@final
@unmanaged
class Step {
  node: u32;
  index: u32; // slot on the way; of a leaf the slot searched for
}
const MOST_LEVELS: u32 = 32;
if (ScratchArea.TreePath + MOST_LEVELS * 8 > ScratchArea.Element)
  ERROR("a tree's path is too long");

function stepAt(level: u32): Step {
  return changetype<Step>(Address.Scratch + ScratchArea.TreePath + ((<usize>level) << 3));
}

/** Lays an empty tree: a leaf without members. @returns false = no memory */
export function layTree(set: ScoredSet): bool {
  const leaf = alloc(LEAF_BYTES);
  if (leaf === 0) return false;
  memory.fill(leaf, 0, HEADER_BYTES);
  set.root = <u32>leaf;
  return true;
}

export function treeCount(set: ScoredSet): u32 {
  return total(nodeAt(set.root));
}

// ---- searching

/** Goes down to the leaf where the member belongs; its step has no index yet. */
function descendToLeaf(set: ScoredSet, score: f64, ptr: usize, length: u32): Node {
  let node = nodeAt(set.root);
  while (node.level > 0) {
    const step = stepAt(node.level);
    const upTo = slotsUpTo(node, score, ptr, length);
    step.node = refOf(node);
    step.index = upTo === 0 ? 0 : upTo - 1;
    node = childOf(node, step.index);
  }
  touchScores(node);
  stepAt(0).node = refOf(node);
  return node;
}

/** Goes down to where the member belongs: the leaf's step is the number of its members that are not behind it. */
function descend(set: ScoredSet, score: f64, ptr: usize, length: u32): Node {
  const leaf = descendToLeaf(set, score, ptr, length);
  stepAt(0).index = slotsUpTo(leaf, score, ptr, length);
  return leaf;
}

/** The same for a member that is there; the leaf's step is its slot. */
function descendTo(set: ScoredSet, ref: usize): Node {
  const key = ref + SCORE_BYTES;
  const score = load<f64>(ref);
  const leaf = descendToLeaf(set, score, sizedPtr(key), sizedLength(key));
  // Among equal scores its address tells it from the others, whose bytes need not be loaded.
  let slot = slotsBelow(leaf, score);
  while (hasScore(leaf, slot, score) && load<u32>(memberAt(leaf, slot)) !== <u32>ref) slot++;
  ensure(hasScore(leaf, slot, score), 850, <u32>ref);
  stepAt(0).index = slot;
  return leaf;
}

/** Goes down to the member of a rank, which must be there. */
function descendToRank(set: ScoredSet, rank: u32): Node {
  let node = nodeAt(set.root);
  let left = rank;
  while (node.level > 0) {
    let index: u32 = 0;
    for (let count = firstCount(node); left >= count; count = load<u32>(countAt(node, index))) {
      left -= count;
      index += 1;
      ensure(index < <u32>node.count, 853, rank);
    }
    const step = stepAt(node.level);
    step.node = refOf(node);
    step.index = index;
    node = childOf(node, index);
  }
  ensure(left < <u32>node.count, 852, rank);
  stepAt(0).node = refOf(node);
  stepAt(0).index = left;
  return node;
}

/** Goes down to the first or the last member, of which there must be one. @returns its leaf; `slotOfRank` is where in it. O(log n) */
export function leafAtEnd(set: ScoredSet, isLast: bool): u32 {
  let node = nodeAt(set.root);
  while (node.level > 0) node = childOf(node, goToEndOf(node, isLast));
  goToEndOf(node, isLast);
  return refOf(node);
}

/** Writes the step at a node's first or last slot. @returns the slot */
function goToEndOf(node: Node, isLast: bool): u32 {
  const step = stepAt(node.level);
  step.node = refOf(node);
  step.index = isLast ? <u32>node.count - 1 : 0;
  return step.index;
}

function firstCount(node: Node): u32 {
  return load<u32>(countAt(node, 0));
}

/** Members before the one that the way in scratch leads to. */
function rankOfPath(top: u32): u32 {
  let rank = stepAt(0).index;
  for (let level: u32 = 1; level <= top; level++) {
    const step = stepAt(level);
    const node = nodeAt(step.node);
    for (let i: u32 = 0; i < step.index; i++) rank += load<u32>(countAt(node, i));
  }
  return rank;
}

/** The rank of a member that is there, the lowest first. O(log n) */
export function treeRank(set: ScoredSet, ref: usize): u32 {
  descendTo(set, ref);
  return rankOfPath(nodeAt(set.root).level);
}

/** Members before a bound. O(log n) */
export function treeCountBefore(
  set: ScoredSet,
  kind: Bound,
  score: f64,
  ptr: usize,
  length: u32,
  inclusive: bool,
): u32 {
  let node = nodeAt(set.root);
  let before: u32 = 0;
  while (node.level > 0) {
    const slots = slotsBefore(node, kind, score, ptr, length, inclusive);
    // All of the child whose first member is not before the bound lies behind it.
    if (slots === 0) return before;
    for (let i: u32 = 0; i < slots - 1; i++) before += load<u32>(countAt(node, i));
    node = childOf(node, slots - 1);
  }
  return before + slotsBefore(node, kind, score, ptr, length, inclusive);
}

// ---- one after another

/** The leaf that holds a rank; `slotOfRank` is where in it. */
export function leafOfRank(set: ScoredSet, rank: u32): u32 {
  return refOf(descendToRank(set, rank));
}

export function slotOfRank(): u32 {
  return stepAt(0).index;
}

export function leafCount(leaf: usize): u32 {
  return nodeAt(leaf).count;
}

export function leafBehind(leaf: usize): u32 {
  return nodeAt(leaf).behind;
}

export function leafBefore(leaf: usize): u32 {
  return nodeAt(leaf).before;
}

/** The member in a slot of a leaf. */
export function leafMember(leaf: usize, index: u32): u32 {
  return load<u32>(memberAt(nodeAt(leaf), index));
}

// ---- adding

/** Adds a member whose bytes are not in the tree yet. O(log n) */
export function treeInsert(set: ScoredSet, ref: usize): void {
  const key = ref + SCORE_BYTES;
  const score = load<f64>(ref);
  const leaf = descend(set, score, sizedPtr(key), sizedLength(key));
  const top = <u32>nodeAt(set.root).level;
  const isFirst = stepAt(0).index === 0;
  for (let level: u32 = 1; level <= top; level++) {
    const step = stepAt(level);
    const inner = nodeAt(step.node);
    const count = countAt(inner, step.index);
    store<u32>(count, load<u32>(count) + 1);
    // Only what is lower than all that is there comes first in a leaf.
    if (isFirst) setKey(inner, 0, score, <u32>ref);
  }
  const index = stepAt(0).index;
  const right = leaf.count === LEAF_SLOTS ? splitFor(leaf, index) : null;
  const node = right !== null && goesRight(leaf, index) ? right : leaf;
  const at = node === leaf ? index : index - leaf.count;
  shift(node, at, 1);
  setKey(node, at, score, <u32>ref);
  if (right !== null) hang(set, leaf, right);
}

/** Gives a node that was split off its place in the parent of the other part, which the way in scratch leads to. */
function hang(set: ScoredSet, left: Node, right: Node): void {
  for (;;) {
    const level: u32 = left.level;
    if (refOf(left) === set.root) {
      const root = newNode(level + 1);
      root.count = 2;
      setChild(root, 0, left);
      setChild(root, 1, right);
      set.root = refOf(root);
      return;
    }
    const step = stepAt(level + 1);
    const parent = nodeAt(step.node);
    const index = step.index + 1;
    store<u32>(countAt(parent, step.index), total(left));
    const split = parent.count === INNER_SLOTS ? splitFor(parent, index) : null;
    const node = split !== null && goesRight(parent, index) ? split : parent;
    const at = node === parent ? index : index - parent.count;
    shift(node, at, 1);
    setChild(node, at, right);
    if (split === null) return;
    left = parent;
    right = split;
  }
}

// ---- removing

/** Removes a member that is there. Its block is the caller's. O(log n) */
export function treeRemove(set: ScoredSet, ref: usize): void {
  descendTo(set, ref);
  treeRemoveThere(set);
}

/** Removes the member of a rank. @returns its block, which is the caller's. O(log n) */
export function treeRemoveRank(set: ScoredSet, rank: u32): u32 {
  const leaf = descendToRank(set, rank);
  const ref = load<u32>(memberAt(leaf, stepAt(0).index));
  treeRemoveThere(set);
  return ref;
}

/** Removes the member that the last search has led to; nothing has changed since. Its block is the caller's. O(log n) */
export function treeRemoveThere(set: ScoredSet): void {
  const top = <u32>nodeAt(set.root).level;
  for (let level: u32 = 1; level <= top; level++) {
    const step = stepAt(level);
    const count = countAt(nodeAt(step.node), step.index);
    store<u32>(count, load<u32>(count) - 1);
  }
  for (let level: u32 = 0; level <= top; level++) {
    const step = stepAt(level);
    const node = nodeAt(step.node);
    // Of the lower level only the slot that is to go is left to do.
    shift(node, step.index + 1, -1);
    if (level === top) break;
    const above = stepAt(level + 1);
    if (node.count === 0) {
      drop(node);
      continue;
    }
    if (step.index === 0) renewFirst(level, top);
    if (<u32>node.count >= slotsOf(node) >> 2 || !mergeWithSibling(node, above)) break;
  }
  lowerRoot(set);
}

/** Writes a node's first member into the nodes above that begin with it. */
function renewFirst(level: u32, top: u32): void {
  const first = nodeAt(stepAt(level).node);
  for (let above = level + 1; above <= top; above++) {
    const step = stepAt(above);
    setKey(
      nodeAt(step.node),
      step.index,
      load<f64>(scoreAt(first, 0)),
      load<u32>(memberAt(first, 0)),
    );
    if (step.index !== 0) return;
  }
}

/**
 * Puts a nearly empty node and a neighbour of the same parent into one node if that leaves it some room; the parent's slot that is to go is
 * left in its step. @returns whether it did
 */
function mergeWithSibling(node: Node, above: Step): bool {
  const parent = nodeAt(above.node);
  const index = above.index;
  const room = (slotsOf(node) * 3) >> 2;
  for (let side: u32 = 0; side < 2; side++) {
    if (side === 0 ? index + 1 >= <u32>parent.count : index === 0) continue;
    const at = side === 0 ? index : index - 1;
    const left = childOf(parent, at);
    const right = childOf(parent, at + 1);
    if (<u32>left.count + <u32>right.count > room) continue;
    copySlots(right, 0, left, left.count, right.count);
    left.count += right.count;
    const count = countAt(parent, at);
    store<u32>(count, load<u32>(count) + load<u32>(count, 4));
    drop(right);
    above.index = at + 1;
    return true;
  }
  return false;
}

/** A root with one child gives its place to it. */
function lowerRoot(set: ScoredSet): void {
  let root = nodeAt(set.root);
  while (root.level > 0 && root.count === 1) {
    set.root = load<u32>(childAt(root, 0));
    free(changetype<usize>(root));
    root = nodeAt(set.root);
  }
}

/** Gives a member that is there another score, its block's included. O(log n) */
export function treeSetScore(set: ScoredSet, ref: usize, score: f64): void {
  const leaf = descendTo(set, ref);
  const index = stepAt(0).index;
  const key = ref + SCORE_BYTES;
  const ptr = sizedPtr(key);
  const length = sizedLength(key);
  // Between the same neighbours it stays where it is. (At the ends of a leaf that is not worth telling.)
  const stays =
    index > 0 &&
    index + 1 < <u32>leaf.count &&
    compareSlot(leaf, index - 1, score, ptr, length) < 0 &&
    compareSlot(leaf, index + 1, score, ptr, length) > 0;
  if (!stays) treeRemoveThere(set);
  store<f64>(ref, score);
  if (stays) store<f64>(scoreAt(leaf, index), score);
  else treeInsert(set, ref);
}

// ---- the whole tree

/** Frees one node, the last leaf or what has no children any more; members are not looked at. @returns false = there is none left */
export function freeLastNode(set: ScoredSet): bool {
  if (set.root === 0) return false;
  let parent: Node | null = null;
  let node = nodeAt(set.root);
  while (node.level > 0 && node.count > 0) {
    parent = node;
    node = childOf(node, node.count - 1);
  }
  free(changetype<usize>(node));
  if (parent !== null) parent.count -= 1;
  else set.root = 0;
  return true;
}

/** Bytes of the nodes. O(nodes) */
export function treeBytes(set: ScoredSet): u64 {
  return bytesBelow(nodeAt(set.root));
}

function bytesBelow(node: Node): u64 {
  let bytes: u64 = usableBytes(changetype<usize>(node));
  if (node.level > 0)
    for (let i: u32 = 0; i < <u32>node.count; i++) bytes += bytesBelow(childOf(node, i));
  return bytes;
}

/** A member's block has moved to `moved`, with its content; the old one is still there. O(log n) */
export function treeReplace(set: ScoredSet, ref: usize, moved: u32): void {
  descendTo(set, ref);
  const top = <u32>nodeAt(set.root).level;
  for (let level: u32 = 0; level <= top; level++) {
    const step = stepAt(level);
    const cell = memberAt(nodeAt(step.node), step.index);
    if (load<u32>(cell) === <u32>ref) store<u32>(cell, moved);
  }
}

/**
 * Moves the nodes on the way to a rank out of pages that are being emptied; those above it are moved with the first rank below them.
 * They are counted in State.movedBlocks. @returns the first rank behind its leaf
 */
export function evacuateNodes(set: ScoredSet, rank: u32): u32 {
  descendToRank(set, rank);
  const top = <u32>nodeAt(set.root).level;
  for (let level = <i32>top; level >= 0; level--) {
    const step = stepAt(level);
    const moved = evacuateBlock(step.node);
    if (moved === 0) continue;
    state.movedBlocks += 1;
    step.node = moved;
    if (<u32>level === top) set.root = moved;
    else {
      const above = stepAt(level + 1);
      store<u32>(childAt(nodeAt(above.node), above.index), moved);
    }
    if (level > 0) continue;
    const leaf = nodeAt(moved);
    if (leaf.before !== 0) nodeAt(leaf.before).behind = moved;
    if (leaf.behind !== 0) nodeAt(leaf.behind).before = moved;
  }
  const leaf = nodeAt(stepAt(0).node);
  return rank - stepAt(0).index + leaf.count;
}

/** Asserts order, first members, counts and the row of leaves. @returns members. O(n) */
export function checkTree(set: ScoredSet): u32 {
  const root = nodeAt(set.root);
  const members = checkNode(root, true);
  let leaf = root;
  while (leaf.level > 0) leaf = childOf(leaf, 0);
  ensure(leaf.before === 0, 860, refOf(leaf));
  let counted: u32 = leaf.count;
  while (leaf.behind !== 0) {
    const behind = nodeAt(leaf.behind);
    ensure(behind.before === refOf(leaf), 861, refOf(behind));
    ensureOrder(leaf, leaf.count - 1, behind, 0);
    leaf = behind;
    counted += leaf.count;
  }
  ensure(counted === members, 862, counted);
  return members;
}

function ensureOrder(a: Node, i: u32, b: Node, j: u32): void {
  const key = <usize>load<u32>(memberAt(b, j)) + SCORE_BYTES;
  const score = load<f64>(scoreAt(b, j));
  ensure(compareSlot(a, i, score, sizedPtr(key), sizedLength(key)) < 0, 863, refOf(b));
}

function checkNode(node: Node, isRoot: bool): u32 {
  ensure(node.count > 0 || (isRoot && node.level === 0), 864, refOf(node));
  ensure(<u32>node.count <= slotsOf(node), 865, refOf(node));
  ensure(!isRoot || node.level === 0 || node.count > 1, 866, refOf(node));
  let members: u32 = 0;
  for (let i: u32 = 0; i < <u32>node.count; i++) {
    if (i > 0) ensureOrder(node, i - 1, node, i);
    const ref: usize = load<u32>(memberAt(node, i));
    ensure(load<f64>(ref) === load<f64>(scoreAt(node, i)), 867, <u32>ref);
    if (node.level === 0) {
      members += 1;
      continue;
    }
    const child = childOf(node, i);
    ensure(child.level + 1 === node.level, 868, refOf(child));
    ensure(load<u32>(memberAt(child, 0)) === <u32>ref, 869, <u32>ref);
    const below = checkNode(child, false);
    ensure(below === load<u32>(countAt(node, i)), 870, below);
    members += below;
  }
  return members;
}
