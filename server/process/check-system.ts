/** `--check-system`: what the server needs of its machine, tried out. */
import { readFileSync } from "node:fs";
import { createMemory } from "../core/memory.ts";

interface Check {
  name: string;
  /** @returns what is wrong, or undefined */
  run: () => string | undefined;
}

const FILES_MIN = 10032;

/** The hard limit: Bun raises the soft one to it. Infinity where the system does not tell. */
function openFilesLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "latin1");
    return Number(limits.match(/^Max open files\s+\d+\s+(\d+)/m)?.[1] ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

const CHECKS: readonly Check[] = [
  {
    name: "shared WebAssembly memory of 4 GiB can be reserved",
    run() {
      try {
        createMemory();
        return undefined;
      } catch (error) {
        return `${(error as Error).message} (a limit of the address space, ulimit -v, is in the way)`;
      }
    },
  },
  {
    name: `open files: at least ${FILES_MIN}, for 10000 clients`,
    run() {
      const limit = openFilesLimit();
      return limit >= FILES_MIN ? undefined : `the hard limit is ${limit} (ulimit -Hn)`;
    },
  },
];

/** Prints a line for each check. @returns whether all are well */
export function checkSystem(print: (line: string) => void): boolean {
  let well = true;
  for (const { name, run } of CHECKS) {
    const fault = run();
    print(
      `[${fault === undefined ? "ok" : "FAILED"}] ${name}${fault === undefined ? "" : `: ${fault}`}`,
    );
    if (fault !== undefined) well = false;
  }
  return well;
}
