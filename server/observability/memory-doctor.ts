/** MEMORY DOCTOR: what is remarkable about the use of memory, in words. */
import { humanBytes, type MemoryFigures } from "./memory-figures.ts";

/** Below this nothing can be said: the fixed parts outweigh the data. */
const SMALL_BYTES = 5 << 20;
const PEAK_FACTOR = 1.5;
const FRAGMENTATION_FACTOR = 1.4;
const FRAGMENTATION_BYTES = 10 << 20;
const CLIENT_BUFFER_BYTES = 200 << 10;
const NEARLY_FULL = 0.9;

interface Circumstances {
  clientCount: number;
  /** 0 = the core's own limit */
  maxmemoryBytes: number;
  evicts: boolean;
}

interface Finding {
  applies: boolean;
  text: string;
}

function findings(memory: MemoryFigures, about: Circumstances): Finding[] {
  const { usedBytes, peakBytes, activeBytes, allocatedBytes, clientBytes } = memory;
  const { clientCount, maxmemoryBytes, evicts } = about;
  return [
    {
      applies: peakBytes > usedBytes * PEAK_FACTOR,
      text:
        `Peak: ${humanBytes(peakBytes)} were in use once, ${humanBytes(usedBytes)} are now. ` +
        "Pages that were touched then stay resident; a restart gives them back.",
    },
    {
      applies:
        activeBytes > allocatedBytes * FRAGMENTATION_FACTOR &&
        activeBytes - allocatedBytes > FRAGMENTATION_BYTES,
      text:
        `Fragmentation: blocks of ${humanBytes(allocatedBytes)} are spread over pages of ` +
        `${humanBytes(activeBytes)}. Defragmentation moves them together when the server has time; MEMORY PURGE does it at once.`,
    },
    {
      applies: clientCount > 0 && clientBytes / clientCount > CLIENT_BUFFER_BYTES,
      text:
        `Clients: ${clientCount} of them hold ${humanBytes(clientBytes)} in buffers. ` +
        "CLIENT LIST tells who reads slowly or sends much (omem, qbuf); maxmemory-clients limits them.",
    },
    {
      applies: maxmemoryBytes > 0 && usedBytes > maxmemoryBytes * NEARLY_FULL,
      text:
        `Limit: ${humanBytes(usedBytes)} of maxmemory ${humanBytes(maxmemoryBytes)} are in use. ` +
        (evicts ? "Keys are evicted." : "Writes will be refused: maxmemory-policy evicts nothing."),
    },
  ];
}

/** The report: one paragraph for each thing found. */
export function memoryReport(memory: MemoryFigures, about: Circumstances): string {
  if (memory.usedBytes < SMALL_BYTES)
    return "So little memory is in use that nothing can be said about it yet. Ask again when there is data.\n";
  const found = findings(memory, about).filter(({ applies }) => applies);
  if (found.length === 0) return "Nothing remarkable: memory is used as it should be.\n";
  const list = found.map(({ text }) => ` * ${text}\n`).join("\n");
  return `There is something to tell about the use of memory:\n\n${list}`;
}
