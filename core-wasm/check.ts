/** Walks the whole memory and asserts every invariant; the first that does not hold traps with its code. */
import { Address, MAX_DATABASES } from "./abi";
import { tableIdOf } from "./keyspace/databases";
import {
  deadlineOf,
  Entry,
  entryAt,
  hasFieldDeadlines,
  hashOfEntry,
  isStamped,
  tableOf,
} from "./keyspace/entry";
import { DEADLINE_SUM_SHIFT } from "./keyspace/keyspace";
import { checkOrder, isOrdered, Order } from "./keyspace/order";
import { POSITION_END, TableState, table } from "./keyspace/table";
import { checkTable, walkStep } from "./keyspace/table-walk";
import { checkWheel } from "./keyspace/wheel";
import { checkAllocator } from "./memory/allocator";
import { isBefore } from "./snapshot/walk";
import { ensure, NO_TABLE, ScratchArea, state } from "./state";
import { checkValue } from "./types/value";

function checkEntry(entry: Entry, id: u32): void {
  ensure(tableOf(entry) === id, 502, id);
  ensure(isStamped(entry) || isBefore(id, hashOfEntry(entry) >> 16), 503, id);
  checkValue(entry);
}

/** @returns entries seen. O(memory in use) */
export function checkAll(): u32 {
  checkAllocator();
  let entries: u32 = 0;
  let withDeadline: u32 = 0;
  let ordered: u32 = 0;
  let orphans: u32 = 0;
  let timedHashes: u32 = 0;
  for (let id: u32 = 0; id < NO_TABLE; id++) {
    const t = table(id);
    if (t.state === TableState.Orphan) orphans += 1;
    if (t.state !== TableState.Live) continue;
    checkTable(t);
    let deadlines: u32 = 0;
    let sum: u64 = 0;
    for (let position: u64 = 0; position < POSITION_END; ) {
      position = walkStep(t, position);
      for (let i: u32 = 0; i < state.stepCount; i++) {
        const ref = load<u32>(Address.Scratch + ScratchArea.Step + ((<usize>i) << 2));
        const entry = entryAt(ref);
        checkEntry(entry, id);
        entries += 1;
        if (deadlineOf(entry) !== 0) deadlines += 1;
        if (hasFieldDeadlines(entry)) timedHashes += 1;
        sum += deadlineOf(entry) >> DEADLINE_SUM_SHIFT;
        if (isOrdered(entry)) ordered += 1;
      }
    }
    ensure(deadlines === t.deadlines && sum === t.deadlineSum, 504, deadlines);
    withDeadline += deadlines;
  }
  ensure(orphans === state.orphanCount, 505, orphans);
  const hanging = checkWheel();
  const linked = checkOrder();
  // Entries of tables being freed still hang in wheel and order.
  const awaited = withDeadline + timedHashes;
  ensure(orphans > 0 ? hanging >= awaited : hanging === awaited, 506, hanging);
  if (state.order !== Order.None)
    ensure(orphans > 0 ? linked >= ordered : linked === ordered, 507, linked);
  for (let db: u32 = 0; db < <u32>MAX_DATABASES; db++) {
    const id = tableIdOf(db);
    ensure(id === NO_TABLE || table(id).state === TableState.Live, 508, db);
  }
  return entries;
}
