/**
 * SSCAN, HSCAN, ZSCAN of a table of members: the walk of keyspace/table.ts, so that members present throughout are answered exactly once.
 * What is compact is answered whole by the family itself, with cursor 0, whatever cursor came in.
 */
import { Address } from "../abi";
import { argLength, argPtr } from "../argv";
import { matches } from "../glob";
import { POSITION_END, Table } from "../keyspace/table";
import { walkStep } from "../keyspace/table-walk";
import { formatUint64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import { scanCount, scanCursor, scanPattern } from "./scan-arguments";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const STEP: usize = Address.Scratch + ScratchArea.Step;
const FOUND: usize = Address.Scratch + ScratchArea.Found;
const FOUND_MAX: u32 = 65536;
const STEP_MAX: u32 = 24;
/** Steps per asked element before a sparse region ends the call. */
const STEPS_PER_ELEMENT: i64 = 10;

/** Whether a name is wanted by the pattern of the scan that runs. */
export function isScanned(ptr: usize, length: u32): bool {
  const pattern = scanPattern();
  return pattern === 0 || matches(argPtr(pattern), argLength(pattern), ptr, length);
}

/** Answers the head of a scan: its next cursor. The array of what was found follows. */
export function replyCursor(position: u64): void {
  reply.array(2);
  reply.bulk(NUMBER, formatUint64(position, NUMBER));
}

/** Collects refs of a table from the scan's cursor on; `foundRef` gives them. State.walkPosition is the next cursor. @returns how many */
export function scanTable(t: Table): u32 {
  let position = scanCursor();
  let found: u32 = 0;
  const count = scanCount();
  let steps = count > i64.MAX_VALUE / STEPS_PER_ELEMENT ? i64.MAX_VALUE : count * STEPS_PER_ELEMENT;
  while (
    position < POSITION_END &&
    <i64>found < count &&
    steps > 0 &&
    found + STEP_MAX <= FOUND_MAX
  ) {
    position = walkStep(t, position);
    memory.copy(FOUND + ((<usize>found) << 2), STEP, (<usize>state.stepCount) << 2);
    found += state.stepCount;
    steps -= 1;
  }
  state.walkPosition = position >= POSITION_END ? 0 : position;
  return found;
}

export function foundRef(index: u32): u32 {
  return load<u32>(FOUND + ((<usize>index) << 2));
}

/** Takes a ref out of what was found: it is not wanted. */
export function dropFound(index: u32): void {
  store<u32>(FOUND + ((<usize>index) << 2), 0);
}
