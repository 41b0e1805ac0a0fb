/**
 * Large values whose key is gone, freed in slices. They count as used until they are freed, and whoever needs room frees them first.
 *
 *   node: 0 next |4 GarbageKind |8 what it leads to |12 how far its freeing has come
 */

import { Address } from "../abi";
import {
  closeTable,
  collectSegment,
  directoryCells,
  freeSegment,
  segmentSpan,
  Table,
} from "../keyspace/table";
import { allocReserved, free } from "../memory/allocator";
import { ensure, ScratchArea, state } from "../state";
import { freeNode } from "./list-node";
import { freeLastNode, ScoredSet } from "./score-tree";
import { Stream } from "./stream";
import { freeGroupPart, freeStreamPart, Group } from "./stream-groups";

/** What is to be freed; a type whose values can be large adds its kind and its step. */
export enum GarbageKind {
  Nodes = 4, // the first of some nodes of a list, which lead to each other
  Members = 1, // a Table whose members are blocks that hold nothing else
  Scored = 2, // a ScoredSet: table with members, then the tree
  Stream = 8,
  StreamGroup = 9, // a consumer group that was destroyed
}

const KIND: usize = 4;
const VALUE: usize = 8;
const PROGRESS: usize = 12;
const NODE_BYTES: u32 = 16;

/** Leaves a value to be freed later. O(1) */
export function discard(kind: u32, value: usize): void {
  const node = allocReserved(NODE_BYTES);
  store<u32>(node, state.garbage);
  store<u32>(node, kind, KIND);
  store<u32>(node, <u32>value, VALUE);
  store<u32>(node, 0, PROGRESS);
  state.garbage = <u32>node;
}

/** Values that wait to be freed. O(their number) */
export function garbageCount(): u64 {
  let count: u64 = 0;
  for (let node: usize = state.garbage; node !== 0; node = load<u32>(node)) count += 1;
  return count;
}

/** Frees what waits. @returns budget left, one per block; 0 = more waits */
export function freeGarbage(budget: i32): i32 {
  while (state.garbage !== 0 && budget > 0) {
    const node: usize = state.garbage;
    // Freeing does not leave garbage of its own: the head stays the head.
    const next = load<u32>(node);
    budget = step(node, budget);
    if (load<u32>(node, VALUE) !== 0) break;
    state.garbage = next;
    state.lazyFreed += 1;
    free(node);
  }
  return budget > 0 ? budget : 0;
}

function freeNodes(node: usize, budget: i32): i32 {
  let first: usize = load<u32>(node, VALUE);
  for (; first !== 0 && budget > 0; budget -= 2) first = freeNode(first);
  store<u32>(node, <u32>first, VALUE);
  return budget;
}

/** Frees a part of a value; VALUE becomes 0 when nothing is left of it. @returns budget left */
function step(node: usize, budget: i32): i32 {
  const kind = load<u32>(node, KIND);
  switch (kind) {
    case GarbageKind.Nodes:
      return freeNodes(node, budget);
    case GarbageKind.Members:
      return freeMembers(node, budget);
    case GarbageKind.Scored:
      return freeScored(node, budget);
    case GarbageKind.Stream:
      return freeStream(node, budget);
    case GarbageKind.StreamGroup:
      return freeGroup(node, budget);
    default:
      ensure(false, 720, kind);
      return 0;
  }
}

function freeMembers(node: usize, budget: i32): i32 {
  budget = freeTable(node, load<u32>(node, VALUE), budget);
  if (budget > 0) store<u32>(node, 0, VALUE);
  return budget;
}

/** Frees members, and at last the table. @returns budget left; 0 = it is not done */
function freeTable(node: usize, table: usize, budget: i32): i32 {
  const t = changetype<Table>(table);
  let index = load<u32>(node, PROGRESS);
  while (budget > 0) {
    if (index >= directoryCells(t)) {
      closeTable(t);
      free(changetype<usize>(t));
      return max(budget - 1, 1);
    }
    const found = collectSegment(t, index);
    for (let i: u32 = 0; i < found; i++)
      free(load<u32>(Address.Scratch + ScratchArea.Split + ((<usize>i) << 2)));
    budget -= 1 + <i32>found;
    const span = segmentSpan(t, index);
    freeSegment(t, index);
    index += span;
    store<u32>(node, index, PROGRESS);
  }
  return 0;
}

function freeScored(node: usize, budget: i32): i32 {
  const set = changetype<ScoredSet>(<usize>load<u32>(node, VALUE));
  if (set.table !== 0) {
    budget = freeTable(node, set.table, budget);
    if (budget === 0) return 0;
    set.table = 0;
  }
  for (; budget > 0; budget--) {
    if (freeLastNode(set)) continue;
    free(changetype<usize>(set));
    store<u32>(node, 0, VALUE);
    return budget;
  }
  return 0;
}

function freeStream(node: usize, budget: i32): i32 {
  const s = changetype<Stream>(<usize>load<u32>(node, VALUE));
  for (; budget > 0; budget--) {
    if (freeStreamPart(s)) continue;
    store<u32>(node, 0, VALUE);
    return budget;
  }
  return 0;
}

function freeGroup(node: usize, budget: i32): i32 {
  const group = changetype<Group>(<usize>load<u32>(node, VALUE));
  for (; budget > 0; budget--) {
    if (freeGroupPart(group)) continue;
    store<u32>(node, 0, VALUE);
    return budget;
  }
  return 0;
}
