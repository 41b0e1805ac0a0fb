/**
 * Whether a log was whole again within the second that is promised, on a machine that may do much else: by the clock of the server's own
 * lines, less the time for which it was ready to run and had no core.
 */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";

export const HEALED_MS = 1000;
/** Flags of the server with which its lines begin as they are read here. */
export const HEALING_FLAGS = ["--log-timestamp-format", "milliseconds"];

const BROKEN = "Error writing to the AOF file";
const HEALED = "The AOF file can be written again";

export interface Instant {
  readonly atMs: number;
  /** For which the server's main thread has waited for a core so far. */
  readonly waitedMs: number;
}

export function instant(pid: number): Instant {
  // Nanoseconds on a core, nanoseconds of waiting for one, turns on a core.
  const waitedNs = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1];
  return { atMs: Date.now(), waitedMs: Number(waitedNs) / 1e6 };
}

/** When the server logged this text for the last time. */
function loggedAtMs(output: string, text: string): number {
  const line = output.split("\n").findLast((one) => one.includes(text));
  if (line === undefined) throw new Error(`no "${text}" in what the server printed:\n${output}`);
  return Number(line.split(" ")[1]);
}

/** @param from behind the end of the cause. @param to behind the first write that was served */
export function expectHealedWithinASecond(output: string, from: Instant, to: Instant): void {
  const ms = loggedAtMs(output, HEALED) - from.atMs - (to.waitedMs - from.waitedMs);
  expect(ms).toBeLessThan(HEALED_MS);
}

/** The same where the server itself ends the cause: from what it said of that. */
export function expectHealedWithinASecondOfNotice(
  output: string,
  from: Instant,
  to: Instant,
): void {
  expectHealedWithinASecond(output, { ...from, atMs: loggedAtMs(output, BROKEN) }, to);
}
