/** What the kernel tells of this process and machine. A figure that cannot be had is undefined. */
import { readFileSync } from "node:fs";
import { machine, release, totalmem, type } from "node:os";

/** The kernel counts memory in pages of this size and time in ticks of this length (x86-64 and arm64 Linux). */
const KERNEL_PAGE_BYTES = 4096;
const TICK_SECONDS = 0.01;

export interface CpuSeconds {
  user: number;
  system: number;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

/** Bytes of memory that are resident, 0 where nobody can tell. */
export function residentBytes(): number {
  const pages = read("/proc/self/statm")?.split(" ")[1];
  if (pages !== undefined) return Number(pages) * KERNEL_PAGE_BYTES;
  try {
    return process.memoryUsage.rss();
  } catch {
    // No descriptor is left to open the kernel's file with.
    return 0;
  }
}

/** Two neighbouring fields of a `stat` file, counted from 1 as its manual does. */
function statTimes(path: string, field: number): CpuSeconds | undefined {
  // The name in field 2 may contain blanks and brackets.
  const fields = read(path)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  if (fields === undefined) return undefined;
  const seconds = (index: number) => Number(fields[index - 3]) * TICK_SECONDS;
  return { user: seconds(field), system: seconds(field + 1) };
}

export function cpuSeconds(): CpuSeconds {
  const { user, system } = process.cpuUsage();
  return { user: user / 1e6, system: system / 1e6 };
}

/** Of processes that this one started and that have ended. */
export function childrenCpuSeconds(): CpuSeconds | undefined {
  return statTimes("/proc/self/stat", 16);
}

/** Of the thread that runs commands. */
export function mainThreadCpuSeconds(): CpuSeconds | undefined {
  return statTimes(`/proc/self/task/${process.pid}/stat`, 14);
}

export function systemMemoryBytes(): number {
  return totalmem();
}

/** "Linux 6.18.0 x86_64" */
export function systemName(): string {
  return `${type()} ${release()} ${machine()}`;
}
