/**
 * Moving the blocks of values out of pages that are being emptied. A large table is done a part at a time: State.evacuating is the table in
 * hand, State.evacuateIndex how far it is; while it is not 0 the walk over the keyspace stays where it is, and no other table is begun.
 */
import { Address } from "../abi";
import { Entry } from "../keyspace/entry";
import {
  collectSegmentTo,
  directoryCells,
  moveDirectory,
  moveSegment,
  replaceRef,
  segmentAt,
  segmentSpan,
  Table,
} from "../keyspace/table";
import { Links, treapInsert, treapRemove } from "../keyspace/treap";
import { alloc, free, isEvacuated, usableBytes } from "../memory/allocator";
import { ScratchArea, state } from "../state";
import { deadlineOfBlock } from "./field-block";

/** Segments of a table that one call moves. */
const SEGMENTS_AT_ONCE: u32 = 4;

/** Moves a block that is whole in itself. @returns its new address, 0 = it stayed */
export function evacuateBlock(ptr: u32): u32 {
  if (!isEvacuated(ptr)) return 0;
  const bytes = usableBytes(ptr);
  const moved = alloc(bytes);
  if (moved === 0) return 0;
  memory.copy(moved, ptr, bytes);
  free(ptr);
  return <u32>moved;
}

/** Moves members, segments and the table itself. @returns how many blocks moved. O(members of some segments) */
export function evacuateTable(entry: Entry): u32 {
  return evacuateTableAt(changetype<usize>(entry) + offsetof<Entry>("value"), 0);
}

/**
 * The same for the table to which the word at `slot` leads. `root` is the word with the root of the order in which members of it hang
 * (keyspace/treap.ts), 0 = in none.
 */
export function evacuateTableAt(slot: usize, root: usize): u32 {
  if (state.evacuating !== 0 && state.evacuating !== load<u32>(slot)) return 0;
  let moved: u32 = 0;
  if (state.evacuating === 0) {
    const block = evacuateBlock(load<u32>(slot));
    if (block !== 0) {
      store<u32>(slot, block);
      moved += 1;
    }
    state.evacuateIndex = 0;
  }
  const t = changetype<Table>(<usize>load<u32>(slot));
  let index = state.evacuateIndex;
  for (let i: u32 = 0; i < SEGMENTS_AT_ONCE && index < directoryCells(t); i++) {
    // A split or merge since the last call may have left the index inside a span.
    index &= ~(segmentSpan(t, index) - 1);
    if (isEvacuated(segmentAt(t, index)) && moveSegment(t, index)) moved += 1;
    moved += evacuateMembers(t, index, root);
    index += segmentSpan(t, index);
  }
  const isDone = index >= directoryCells(t);
  state.evacuating = isDone ? 0 : load<u32>(slot);
  state.evacuateIndex = index;
  return isDone ? moved + moveDirectory(t) : moved;
}

function evacuateMembers(t: Table, index: u32, root: usize): u32 {
  // The key's own segment lies collected in Split.
  const refs: usize = Address.Scratch + ScratchArea.Found;
  const found = collectSegmentTo(t, index, refs);
  let moved: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    const ref = load<u32>(refs + ((<usize>i) << 2));
    if (!isEvacuated(ref)) continue;
    const isOrdered = root !== 0 && deadlineOfBlock(ref) !== 0;
    if (isOrdered) treapRemove(root, ref, Links.Field);
    const block = evacuateBlock(ref);
    if (isOrdered) treapInsert(root, block === 0 ? ref : block, Links.Field);
    if (block === 0) continue;
    replaceRef(t, index, ref, block);
    moved += 1;
  }
  return moved;
}
