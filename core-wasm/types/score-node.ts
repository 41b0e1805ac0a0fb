/**
 * Nodes of a sorted set's tree (score-tree.ts): scores beside members, so that a search looks at a member's bytes only where scores are
 * equal; an inner node has the first member of each child, exactly, and how many there are below it.
 *
 *   node: 0 u16 slots in use |2 u16 level, 0 = leaf |4 u32 leaf before |8 u32 leaf behind |12 - |16 f64 scores[] | u32 members[]
 *         of an inner node also | u32 children[] | u32 counts[]
 *   member: f64 score, sized bytes
 */
import { allocReserved, free } from "../memory/allocator";
import { compare } from "../memory/bytes";
import { sizedLength, sizedPtr } from "../memory/sized";
import { state } from "../state";
import { INNER_SLOTS, LEAF_SLOTS } from "../tuning";

@final
@unmanaged
export class Node {
  count: u16;
  level: u16;
  before: u32;
  behind: u32;
  unused: u32;
}
export const HEADER_BYTES: usize = 16;
if (offsetof<Node>() !== HEADER_BYTES) ERROR("Node and its diagram disagree");
export const LEAF_BYTES: u32 = <u32>HEADER_BYTES + LEAF_SLOTS * 12;
const INNER_BYTES: u32 = <u32>HEADER_BYTES + INNER_SLOTS * 20;
export const SCORE_BYTES: usize = 8;

export function nodeAt(ref: usize): Node {
  return changetype<Node>(ref);
}

export function refOf(node: Node): u32 {
  return <u32>changetype<usize>(node);
}

export function slotsOf(node: Node): u32 {
  return node.level === 0 ? LEAF_SLOTS : INNER_SLOTS;
}

export function scoreAt(node: Node, index: u32): usize {
  return changetype<usize>(node) + HEADER_BYTES + ((<usize>index) << 3);
}

export function memberAt(node: Node, index: u32): usize {
  const members = HEADER_BYTES + ((<usize>slotsOf(node)) << 3);
  return changetype<usize>(node) + members + ((<usize>index) << 2);
}

export function childAt(node: Node, index: u32): usize {
  return memberAt(node, index) + ((<usize>INNER_SLOTS) << 2);
}

export function countAt(node: Node, index: u32): usize {
  return memberAt(node, index) + ((<usize>INNER_SLOTS) << 3);
}

export function childOf(node: Node, index: u32): Node {
  return nodeAt(load<u32>(childAt(node, index)));
}

/** A node that cannot be had is taken from the emergency reserve. */
export function newNode(level: u32): Node {
  const node = nodeAt(allocReserved(level === 0 ? LEAF_BYTES : INNER_BYTES));
  node.count = 0;
  node.level = <u16>level;
  node.before = 0;
  node.behind = 0;
  return node;
}

/** Members below a node. */
export function total(node: Node): u32 {
  if (node.level === 0) return node.count;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < <u32>node.count; i++) sum += load<u32>(countAt(node, i));
  return sum;
}

// ---- searching

/** How a bound compares with members. */
export enum Bound {
  Score = 0, // by score alone
  Bytes = 1, // by bytes alone, as if all scores were equal
}

/** The order of slot and member, as `compare`. */
export function compareSlot(node: Node, index: u32, score: f64, ptr: usize, length: u32): i32 {
  const own = load<f64>(scoreAt(node, index));
  if (own !== score) return own < score ? -1 : 1;
  return compareBytes(node, index, ptr, length);
}

function compareBytes(node: Node, index: u32, ptr: usize, length: u32): i32 {
  const key = <usize>load<u32>(memberAt(node, index)) + SCORE_BYTES;
  return compare(sizedPtr(key), sizedLength(key), ptr, length);
}

/** Slots whose score is below the one given. No branch depends on a score: half of them would be foretold wrongly. */
export function slotsBelow(node: Node, score: f64): u32 {
  let below: u32 = 0;
  for (let left: u32 = node.count; left > 0; ) {
    const half = (left + 1) >> 1;
    const isBelow = load<f64>(scoreAt(node, below + half - 1)) < score;
    below += select<u32>(half, 0, isBelow);
    left = select<u32>(left - half, half - 1, isBelow);
  }
  return below;
}

export function hasScore(node: Node, index: u32, score: f64): bool {
  return index < <u32>node.count && load<f64>(scoreAt(node, index)) === score;
}

/** The slot behind those with a score, of which `first` is the first. */
function endOfScore(node: Node, first: u32, score: f64): u32 {
  // In many sets all scores are the same.
  if (hasScore(node, node.count - 1, score)) return node.count;
  let end = first + 1;
  while (hasScore(node, end, score)) end++;
  return end;
}

/** Of the slots from `low` on up to `high`, whose members are in the order of their bytes, where those given belong: behind their equal with `inclusive`. */
function placeByBytes(
  node: Node,
  low: u32,
  high: u32,
  ptr: usize,
  length: u32,
  inclusive: bool,
): u32 {
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareBytes(node, middle, ptr, length);
    if (inclusive ? order <= 0 : order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Slots whose member is not behind the one given. */
export function slotsUpTo(node: Node, score: f64, ptr: usize, length: u32): u32 {
  const first = slotsBelow(node, score);
  if (!hasScore(node, first, score)) return first;
  return placeByBytes(node, first, endOfScore(node, first, score), ptr, length, true);
}

/** Slots that lie before a bound: below it, or with `inclusive` at it. */
export function slotsBefore(
  node: Node,
  kind: Bound,
  score: f64,
  ptr: usize,
  length: u32,
  inclusive: bool,
): u32 {
  if (kind === Bound.Bytes) return placeByBytes(node, 0, node.count, ptr, length, inclusive);
  const first = slotsBelow(node, score);
  return inclusive && hasScore(node, first, score) ? endOfScore(node, first, score) : first;
}

/** Loads the scores of a node, which are far away in a large tree: the processor waits for all of them at once. */
export function touchScores(node: Node): void {
  let touched: u32 = 0;
  const end = scoreAt(node, node.count);
  for (let at = scoreAt(node, 0); at < end; at += 64) touched += load<u32>(at);
  state.touched = touched;
}

// ---- changing

/** Moves slots of a node from `from` on by `by` places; those that are run over are lost. */
export function shift(node: Node, from: u32, by: i32): void {
  const count: u32 = node.count;
  copySlots(node, from, node, <u32>(<i32>from + by), count - from);
  node.count = <u16>(<i32>count + by);
}

export function copySlots(from: Node, index: u32, to: Node, toIndex: u32, count: u32): void {
  memory.copy(scoreAt(to, toIndex), scoreAt(from, index), (<usize>count) << 3);
  const bytes = (<usize>count) << 2;
  memory.copy(memberAt(to, toIndex), memberAt(from, index), bytes);
  if (from.level === 0) return;
  memory.copy(childAt(to, toIndex), childAt(from, index), bytes);
  memory.copy(countAt(to, toIndex), countAt(from, index), bytes);
}

export function setKey(node: Node, index: u32, score: f64, ref: u32): void {
  store<f64>(scoreAt(node, index), score);
  store<u32>(memberAt(node, index), ref);
}

export function setChild(node: Node, index: u32, child: Node): void {
  setKey(node, index, load<f64>(scoreAt(child, 0)), load<u32>(memberAt(child, 0)));
  store<u32>(childAt(node, index), refOf(child));
  store<u32>(countAt(node, index), total(child));
}

/** After a split: whether what belongs at `index` of the whole goes to the right part. */
export function goesRight(left: Node, index: u32): bool {
  return index > <u32>left.count || left.count === slotsOf(left);
}

/**
 * Moves the upper half of a full node to a new one behind it. What is added at an end of the tree leaves the full node full, so that members in
 * order of their scores fill their leaves.
 */
export function splitFor(node: Node, index: u32): Node {
  const count: u32 = node.count;
  const right = newNode(node.level);
  let kept = count >> 1;
  if (node.level === 0) {
    if (index === count && node.behind === 0) kept = count;
    if (index === 0 && node.before === 0) kept = 0;
    right.before = refOf(node);
    right.behind = node.behind;
    if (node.behind !== 0) nodeAt(node.behind).before = refOf(right);
    node.behind = refOf(right);
  } else if (index === count) kept = count - 1;
  copySlots(node, kept, right, 0, count - kept);
  right.count = <u16>(count - kept);
  node.count = <u16>kept;
  return right;
}

/** Takes a leaf out of its row, and frees the node. */
export function drop(node: Node): void {
  if (node.level === 0) {
    if (node.before !== 0) nodeAt(node.before).behind = node.behind;
    if (node.behind !== 0) nodeAt(node.behind).before = node.before;
  }
  free(changetype<usize>(node));
}
