/** Frees the tables that a flush left behind, a segment at a time. */
import { Address } from "../abi";
import { free } from "../memory/allocator";
import { isHeld } from "../snapshot/walk";
import { NO_TABLE, ScratchArea, state } from "../state";
import { freeValue } from "../types/value";
import { entryAt } from "./entry";
import { unlinkEntry } from "./keyspace";
import {
  closeTable,
  collectSegment,
  directoryCells,
  freeSegment,
  segmentSpan,
  TableState,
  table,
} from "./table";

/** An orphan that no snapshot has still to walk. */
function findOrphan(): u32 {
  for (let id: u32 = 0; id < NO_TABLE; id++)
    if (table(id).state === TableState.Orphan && !isHeld(id)) return id;
  return NO_TABLE;
}

/** Whether `freeOrphans` has anything to do at present. O(table ids) */
export function isOrphanFree(): bool {
  return state.freeTable !== NO_TABLE || findOrphan() !== NO_TABLE;
}

/** Entries of tables that wait to be freed. O(table ids) */
export function orphanedEntries(): u64 {
  if (state.orphanCount === 0) return 0;
  let entries: u64 = 0;
  for (let id: u32 = 0; id < NO_TABLE; id++)
    if (table(id).state === TableState.Orphan) entries += table(id).count;
  return entries;
}

/** @returns budget left (one per entry); 0 = more to free */
export function freeOrphans(budget: i32): i32 {
  while (state.orphanCount > 0) {
    if (budget <= 0) return 0;
    if (state.freeTable === NO_TABLE) {
      state.freeTable = findOrphan();
      state.freeIndex = 0;
      if (state.freeTable === NO_TABLE) return budget;
    }
    const t = table(state.freeTable);
    const found = collectSegment(t, state.freeIndex);
    for (let i: u32 = 0; i < found; i++) {
      const ref: usize = load<u32>(Address.Scratch + ScratchArea.Split + ((<usize>i) << 2));
      unlinkEntry(t, entryAt(ref));
      freeValue(entryAt(ref));
      free(ref);
    }
    t.count -= found;
    state.lazyFreed += found;
    budget -= 1 + <i32>found;
    const span = segmentSpan(t, state.freeIndex);
    freeSegment(t, state.freeIndex);
    state.freeIndex += span;
    if (state.freeIndex < directoryCells(t)) continue;
    closeTable(t);
    state.orphanCount -= 1;
    state.freeTable = NO_TABLE;
  }
  return budget;
}
