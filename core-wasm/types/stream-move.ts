/**
 * Moving the blocks of a stream out of pages that are being emptied, a leaf of one of its trees at a time (see evacuate.ts). State has
 * where it is: evacuateGroup 0 = the nodes, otherwise a group's index plus one; evacuateConsumer 0 = what is pending in the group,
 * otherwise a consumer's index plus one; from which id on.
 */
import { Entry } from "../keyspace/entry";
import { isEvacuated } from "../memory/allocator";
import { ensure, state } from "../state";
import { evacuateBlock } from "./evacuate";
import {
  cellsEnd,
  IdTree,
  moveTreeNodes,
  msOf,
  seqOf,
  treeAfter,
  treeCell,
  treeCells,
} from "./id-tree";
import { nameCell } from "./names";
import { nodesOf, packedOf, Stream, setPacked, streamOf } from "./stream";
import {
  Consumer,
  consumerAt,
  consumerCount,
  consumerOf,
  Group,
  groupAt,
  groupCount,
  pendingAt,
  pendingOf,
  pendingOfConsumer,
} from "./stream-groups";

/** Leaves that one call moves. */
const LEAVES_AT_ONCE: u32 = 4;
/** A consumer is known to its pending entries: with more of them it stays where it is. */
const PENDING_OF_MOVED: u32 = 64;

/** Moves a part of the blocks, all of a small stream. @returns how many */
export function evacuateStream(entry: Entry): u32 {
  if (state.evacuating !== 0 && state.evacuating !== entry.value) return 0;
  let moved: u32 = 0;
  if (state.evacuating === 0) {
    const block = evacuateBlock(entry.value);
    if (block !== 0) {
      entry.value = block;
      moved += 1;
    }
    state.evacuateIndex = 0;
    state.evacuateGroup = 0;
    restart(0);
  }
  const s = streamOf(entry);
  for (let i: u32 = 0; i < LEAVES_AT_ONCE; i++) {
    if (state.evacuateGroup > groupCount(s)) {
      state.evacuating = 0;
      return moved;
    }
    moved += moveStep(s);
  }
  state.evacuating = entry.value;
  state.evacuateIndex += 1;
  return moved;
}

/** Begins with the tree of a consumer, or of the group. */
function restart(consumer: u32): void {
  state.evacuateConsumer = consumer;
  state.evacuateMs = 0;
  state.evacuateSeq = 0;
}

function moveStep(s: Stream): u32 {
  if (state.evacuateGroup === 0) {
    const moved = moveLeaf(nodesOf(s), false);
    if (isTreeDone()) {
      state.evacuateGroup = 1;
      restart(0);
      return moved + moveGroups(s);
    }
    return moved;
  }
  const group = groupAt(s, state.evacuateGroup - 1);
  if (state.evacuateConsumer === 0) {
    const moved = moveLeaf(pendingOf(group), true);
    if (!isTreeDone()) return moved;
    restart(1);
    return moved + moveConsumers(group);
  }
  if (state.evacuateConsumer > consumerCount(group)) {
    state.evacuateGroup += 1;
    restart(0);
    return 0;
  }
  const own = pendingOfConsumer(consumerAt(group, state.evacuateConsumer - 1));
  const moved = moveNodes(own);
  if (isTreeDone()) restart(state.evacuateConsumer + 1);
  return moved;
}

/** The last leaf was moved: there is no id from which to go on. */
function isTreeDone(): bool {
  return state.evacuateMs === u64.MAX_VALUE && state.evacuateSeq === u64.MAX_VALUE;
}

function goOnBehind(t: IdTree, last: usize): void {
  const next = last === 0 ? 0 : treeAfter(t, msOf(last), seqOf(last));
  state.evacuateMs = next === 0 ? u64.MAX_VALUE : msOf(next);
  state.evacuateSeq = next === 0 ? u64.MAX_VALUE : seqOf(next);
}

/** Moves the nodes of a tree on the way to the id in State, and goes on to the next leaf. */
function moveNodes(t: IdTree): u32 {
  const moved = moveTreeNodes(t, state.evacuateMs, state.evacuateSeq);
  const first = treeCells(t, state.evacuateMs, state.evacuateSeq);
  goOnBehind(t, first === 0 ? 0 : <usize>load<u32>(cellsEnd(t) - 4));
  return moved;
}

/** The same with what the leaf's refs lead to: pending entries of a group, or nodes of entries. */
function moveLeaf(t: IdTree, isPending: bool): u32 {
  let moved = moveTreeNodes(t, state.evacuateMs, state.evacuateSeq);
  const first = treeCells(t, state.evacuateMs, state.evacuateSeq);
  if (first === 0) {
    goOnBehind(t, 0);
    return moved;
  }
  const end = cellsEnd(t);
  for (let cell = first; cell < end; cell += 4)
    moved += isPending ? movePending(cell) : moveNode(cell);
  goOnBehind(t, load<u32>(end - 4));
  return moved;
}

function moveNode(cell: usize): u32 {
  let moved: u32 = 0;
  const block = evacuateBlock(load<u32>(cell));
  if (block !== 0) {
    store<u32>(cell, block);
    moved += 1;
  }
  const node: usize = load<u32>(cell);
  const packed = evacuateBlock(<u32>packedOf(node));
  if (packed === 0) return moved;
  setPacked(node, packed);
  return moved + 1;
}

function movePending(cell: usize): u32 {
  const old = load<u32>(cell);
  if (!isEvacuated(old)) return 0;
  const pending = pendingAt(old);
  // Sought before the block moves: the search reads it.
  const own = treeCell(pendingOfConsumer(consumerOf(pending)), pending.ms, pending.seq);
  ensure(load<u32>(own) === old, 840, old);
  const block = evacuateBlock(old);
  if (block === 0) return 0;
  store<u32>(cell, block);
  store<u32>(own, block);
  return 1;
}

/** Moves the row of groups, and the groups themselves. */
function moveGroups(s: Stream): u32 {
  let moved: u32 = 0;
  if (s.groups === 0) return 0;
  const row = evacuateBlock(s.groups);
  if (row !== 0) {
    s.groups = row;
    moved += 1;
  }
  for (let i: u32 = 0; i < groupCount(s); i++) {
    const cell = nameCell(s.groups, i);
    const block = evacuateBlock(load<u32>(cell));
    if (block === 0) continue;
    store<u32>(cell, block);
    moved += 1;
  }
  return moved;
}

/** The same with the consumers of a group. */
function moveConsumers(group: Group): u32 {
  let moved: u32 = 0;
  if (group.consumers === 0) return 0;
  const row = evacuateBlock(group.consumers);
  if (row !== 0) {
    group.consumers = row;
    moved += 1;
  }
  for (let i: u32 = 0; i < consumerCount(group); i++) {
    if (consumerAt(group, i).pendingCount > PENDING_OF_MOVED) continue;
    const cell = nameCell(group.consumers, i);
    const block = evacuateBlock(load<u32>(cell));
    if (block === 0) continue;
    store<u32>(cell, block);
    moved += 1;
    tellPending(changetype<Consumer>(<usize>block));
  }
  return moved;
}

/** Tells a consumer's pending entries where it is. */
function tellPending(consumer: Consumer): void {
  const own = pendingOfConsumer(consumer);
  for (let at = treeCells(own, 0, 0); at !== 0; ) {
    const end = cellsEnd(own);
    for (; at < end; at += 4) pendingAt(load<u32>(at)).consumer = <u32>changetype<usize>(consumer);
    const last: usize = load<u32>(end - 4);
    const next = treeAfter(own, msOf(last), seqOf(last));
    at = next === 0 ? 0 : treeCells(own, msOf(next), seqOf(next));
  }
}
