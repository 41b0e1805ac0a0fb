/** Where the snapshot's walk stands: its own words in State, and which tables it holds. */
import { Address, StateField } from "../abi";

@final
@unmanaged
export class Walk {
  phase: u32; // SnapshotPhase
  top: u32; // where the next byte of the stream goes; the host sets it back
  reason: u32; // SnapshotReason of the last walk that was given up
  selectedDb: u32; // of the stream
  table: u32; // the table that is walked, NO_TABLE = all are done
  partial: u32; // the entry of which a part is written
  position: u64; // in the table
  cursor: u64; // in the partial entry's value
  owed: u32; // first and last of the removed entries that are still to be written, linked by lruPrev
  lastOwed: u32;
  owedCount: u32;
  pad: u32;
  written: u64; // bytes of the stream so far
  entries: u64; // entries of all tables when the walk began
  visited: u64; // of them those that are done
}

export const walk = changetype<Walk>(Address.State + StateField.SnapshotPhase);

/** By table id: the database it belonged to when the walk began, plus one; 0 = not in the walk. */
const DATABASES: usize = Address.State + StateField.SnapshotTables;
const PASSED: u32 = 0x8000;

function cell(tableId: u32): usize {
  return DATABASES + ((<usize>tableId) << 1);
}

export function forgetTables(): void {
  memory.fill(DATABASES, 0, 512);
}

export function includeTable(tableId: u32, db: u32): void {
  store<u16>(cell(tableId), <u16>(db + 1));
}

export function isIncluded(tableId: u32): bool {
  return load<u16>(cell(tableId)) !== 0;
}

/** The database of a table of the walk when it began. */
export function databaseAtStart(tableId: u32): u32 {
  return (<u32>load<u16>(cell(tableId)) & ~PASSED) - 1;
}

/** Every entry that the table had when the walk began is done. */
export function markPassed(tableId: u32): void {
  store<u16>(cell(tableId), <u16>(<u32>load<u16>(cell(tableId)) | PASSED));
}

/** Whether there may be entries in the table that the walk has not come to. */
export function isAhead(tableId: u32): bool {
  const word = <u32>load<u16>(cell(tableId));
  return word !== 0 && (word & PASSED) === 0;
}

if (offsetof<Walk>("top") !== StateField.SnapshotTop - StateField.SnapshotPhase)
  ERROR("Walk and abi.ts disagree: top");
if (offsetof<Walk>("entries") !== StateField.SnapshotEntries - StateField.SnapshotPhase)
  ERROR("Walk and abi.ts disagree: entries");
if (offsetof<Walk>("visited") !== StateField.SnapshotVisited - StateField.SnapshotPhase)
  ERROR("Walk and abi.ts disagree: visited");
if (offsetof<Walk>("reason") !== StateField.SnapshotReason - StateField.SnapshotPhase)
  ERROR("Walk and abi.ts disagree: reason");
if (<i32>offsetof<Walk>() > StateField.SnapshotTables - StateField.SnapshotPhase)
  ERROR("Walk runs into its tables");
