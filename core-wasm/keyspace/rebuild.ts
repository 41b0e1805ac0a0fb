/**
 * Builds the eviction order of a policy that was put in force, in slices: walks all tables and links every entry by its clock
 * word. For a recency order lists by rough age come first, which are then sorted by the second, the oldest first. What is used
 * meanwhile is hotter than all of it. Until the end the victim is the oldest of what was found so far; from then on the order is
 * exact, except for the past, which is known to the second.
 */
import { Address } from "../abi";
import { NO_TABLE, ScratchArea, state } from "../state";
import { Entry, entryAt, setGeneration } from "./entry";
import { coldestOf, isEmptyList, listAt, NO_LIST } from "./lists";
import {
  beginOrder,
  enterByClock,
  GENERATIONS,
  gatherSorted,
  isFrequency,
  isOrdered,
  isRecency,
  joinSorted,
  oldestUnsorted,
  Stage,
  sortByAge,
  stepNow,
} from "./order";
import { freeOrphans } from "./orphans";
import { POSITION_END, TableState, table } from "./table";
import { walkStep } from "./table-walk";

/** What gathering the lists by second costs at most, in moves. */
const GATHER_COST: i32 = 200;
const NOTHING_YET: u32 = NO_LIST + 1;

/** Takes its generation off every entry, those of flushed tables that are kept for a snapshot included. O(entries) */
function unmarkAll(): void {
  freeOrphans(i32.MAX_VALUE);
  for (let id: u32 = 0; id < NO_TABLE; id++) {
    const t = table(id);
    if (t.state === TableState.Unused) continue;
    for (let position: u64 = 0; position < POSITION_END; ) {
      position = walkStep(t, position);
      for (let i: u32 = 0; i < state.stepCount; i++) setGeneration(steppedEntry(i), 0);
    }
  }
  state.orderUnfinished = 0;
}

function steppedEntry(index: u32): Entry {
  return entryAt(load<u32>(Address.Scratch + ScratchArea.Step + ((<usize>index) << 2)));
}

/** Begins the order anew. O(1), unless six rebuilds in a row were cut short. */
export function beginRebuild(order: u32): void {
  // Generations come round again: by then no entry may carry the one that is about to be given out.
  if (state.orderUnfinished >= GENERATIONS - 1) unmarkAll();
  beginOrder(order);
  state.orderUnfinished += 1;
  state.orderStage = Stage.Walking;
  state.orderTable = 0;
  state.orderPosition = 0;
  state.orderAge = NOTHING_YET;
}

/** Links entries into a new order. @returns budget left, 0 = more to link */
export function rebuildStep(budget: i32): i32 {
  // Set back by more than a step, the clock gives the ring's lists another meaning.
  if (isFrequency() && stepNow() + 1 < state.frequencyNow) beginRebuild(state.order);
  if (state.orderStage === Stage.Walking) budget = walk(budget);
  return state.orderStage === Stage.Sorting ? sort(budget) : budget;
}

function walk(budget: i32): i32 {
  while (budget > 0) {
    const t = table(state.orderTable);
    if (t.state !== TableState.Live || state.orderPosition >= POSITION_END) {
      state.orderTable += 1;
      state.orderPosition = 0;
      if (state.orderTable < NO_TABLE) continue;
      if (state.orphanCount === 0) state.orderUnfinished = 0;
      state.orderStage = isRecency() ? Stage.Sorting : Stage.Settled;
      return budget;
    }
    state.orderPosition = walkStep(t, state.orderPosition);
    for (let i: u32 = 0; i < state.stepCount; i++) {
      const entry = steppedEntry(i);
      if (isOrdered(entry)) continue;
      setGeneration(entry, 0);
      enterByClock(entry);
    }
    budget -= 1 + <i32>state.stepCount;
  }
  return 0;
}

function sort(budget: i32): i32 {
  while (budget > 0) {
    const oldest = oldestUnsorted();
    if (oldest !== state.orderAge) {
      gatherSorted();
      budget -= GATHER_COST;
      state.orderAge = oldest;
    }
    if (oldest === NO_LIST) {
      joinSorted();
      state.orderStage = Stage.Settled;
      return budget > 0 ? budget : 1;
    }
    const list = listAt(oldest);
    for (; budget > 0 && !isEmptyList(list); budget--) sortByAge(coldestOf(list)!);
  }
  return 0;
}
