import { expect, test } from "bun:test";
import { memoryReport } from "../../../server/observability/memory-doctor.ts";
import type { MemoryFigures } from "../../../server/observability/memory-figures.ts";

const MIB = 1 << 20;
const WELL: MemoryFigures = {
  usedBytes: 100 * MIB,
  peakBytes: 110 * MIB,
  startBytes: MIB,
  overheadBytes: 20 * MIB,
  datasetBytes: 80 * MIB,
  clientBytes: 0,
  logBufferBytes: 0,
  allocatedBytes: 100 * MIB,
  activeBytes: 105 * MIB,
  heapBytes: 110 * MIB,
  residentBytes: 180 * MIB,
  databases: [],
};
const ABOUT = { clientCount: 10, maxmemoryBytes: 0, evicts: false };

test("nothing is said of little memory, and nothing remarkable of memory used well", () => {
  expect(memoryReport({ ...WELL, usedBytes: MIB }, ABOUT)).toContain("nothing can be said");
  expect(memoryReport(WELL, ABOUT)).toContain("Nothing remarkable");
});

test("each thing out of the ordinary is told, alone and together", () => {
  const peak = { peakBytes: 200 * MIB };
  const fragmentation = { activeBytes: 150 * MIB };
  const clients = { clientBytes: 3 * MIB };
  expect(memoryReport({ ...WELL, ...peak }, ABOUT)).toContain("Peak: 200.00M");
  expect(memoryReport({ ...WELL, ...fragmentation }, ABOUT)).toContain("Fragmentation:");
  expect(memoryReport({ ...WELL, ...clients }, ABOUT)).toContain("Clients: 10 of them");
  const all = memoryReport({ ...WELL, ...peak, ...fragmentation, ...clients }, ABOUT);
  expect(all.match(/^ \* /gm)).toHaveLength(3);
});

test("a limit that is nearly reached is told with what happens then", () => {
  const limited = { ...ABOUT, maxmemoryBytes: 105 * MIB };
  expect(memoryReport(WELL, limited)).toContain("Writes will be refused");
  expect(memoryReport(WELL, { ...limited, evicts: true })).toContain("Keys are evicted");
});
