/** Where the memory is: what INFO memory, MEMORY STATS, MEMORY DOCTOR and the metrics tell, from one place. */
import { PAGE_BYTES, StateField } from "../../core-wasm/abi.ts";
import type { CommandContext } from "../commands/context.ts";
import { residentBytes } from "./process-figures.ts";

export interface DatabaseMemory {
  db: number;
  keys: number;
  deadlines: number;
  /** Bytes beside keys and values: tables, entry headers, deadlines. */
  overheadBytes: number;
}

export interface MemoryFigures {
  /** Blocks of the core and buffers of clients: what maxmemory limits. */
  usedBytes: number;
  peakBytes: number;
  /** Used when the server began. */
  startBytes: number;
  /** All that is neither a key nor a value. */
  overheadBytes: number;
  datasetBytes: number;
  /** What was buffered and remembered for clients. */
  clientBytes: number;
  /** Written and not yet in the file. */
  logBufferBytes: number;
  /** Heap of the core: blocks in use, pages in use, and with those that are free and not given back to the system. */
  allocatedBytes: number;
  activeBytes: number;
  heapBytes: number;
  residentBytes: number;
  databases: readonly DatabaseMemory[];
}

/** O(clients + databases), and one read of a kernel file */
export function memoryFigures(context: CommandContext): MemoryFigures {
  const { core, clients, config, services } = context;
  const { marks, persistence } = services;
  const clientBytes = clients.memoryBytes() + services.tracking.bytes;
  const allocatedBytes = core.usedBytes();
  const usedBytes = allocatedBytes + clientBytes;
  marks.peakBytes = Math.max(marks.peakBytes, usedBytes);
  const databases: DatabaseMemory[] = [];
  for (let db = 0; db < config.get("databases"); db++) {
    const keys = core.keyCount(db);
    const overheadBytes = core.overheadBytes(db);
    if (keys > 0) databases.push({ db, keys, deadlines: core.deadlineCount(db), overheadBytes });
  }
  const overheadBytes =
    marks.startBytes +
    clientBytes +
    databases.reduce((sum, database) => sum + database.overheadBytes, 0);
  const pagesUsed = core.field(StateField.HeapPagesUsed);
  return {
    usedBytes,
    peakBytes: marks.peakBytes,
    startBytes: marks.startBytes,
    overheadBytes,
    datasetBytes: Math.max(0, usedBytes - overheadBytes),
    clientBytes,
    logBufferBytes: persistence.bufferBytes(),
    allocatedBytes,
    activeBytes: pagesUsed * PAGE_BYTES,
    heapBytes: (pagesUsed + core.freePagesHeld()) * PAGE_BYTES,
    residentBytes: residentBytes(),
    databases,
  };
}

/** "1.50M", as INFO shows sizes. */
export function humanBytes(bytes: number): string {
  const units = ["B", "K", "M", "G", "T"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value}B` : `${value.toFixed(2)}${units[unit]}`;
}
