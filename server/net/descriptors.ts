/** How many connections the process may have: `maxclients` is lowered at start to what the limit on open files leaves. */
import { readdirSync, readFileSync } from "node:fs";

/** Files of our own that may be open beside the clients: listeners, log, timers, probes, what Bun needs. Redis keeps the same. */
export const RESERVED_DESCRIPTORS = 32;

export interface DescriptorCheck {
  maxClients: number;
  /** For the log; empty if `wanted` fits. */
  warnings: string[];
  /** The limit does not even leave room for the server. */
  fatal?: string;
}

/** The soft limit on open files, which Bun raised to the hard limit at start; infinity if the system does not tell. */
export function openFilesLimit(): number {
  try {
    const line = readFileSync("/proc/self/limits", "latin1").match(/^Max open files\s+(\d+)/m);
    return line === null ? Number.POSITIVE_INFINITY : Number(line[1]);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What of `wanted` clients fits into `limit` open files, with Redis's words for the log. */
export function checkDescriptors(wanted: number, limit: number): DescriptorCheck {
  const needed = wanted + RESERVED_DESCRIPTORS;
  if (limit >= needed) return { maxClients: wanted, warnings: [] };
  if (limit <= RESERVED_DESCRIPTORS)
    return {
      maxClients: 0,
      warnings: [],
      fatal: `Your current 'ulimit -n' of ${limit} is not enough for the server to start. Please increase your open file limit to at least ${needed}. Exiting.`,
    };
  const maxClients = limit - RESERVED_DESCRIPTORS;
  return {
    maxClients,
    warnings: [
      `You requested maxclients of ${wanted} requiring at least ${needed} max file descriptors.`,
      `Server can't set maximum open files to ${needed} because of OS error: Operation not permitted.`,
      `Current maximum open files is ${limit}. maxclients has been reduced to ${maxClients} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.`,
    ],
  };
}

/** Descriptors in use now, or undefined where the system does not tell. */
export function openDescriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}
