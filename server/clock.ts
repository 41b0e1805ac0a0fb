/** The system's clocks. Reading one costs as much as a small command, so that one reading serves for both. */
import type { Clock } from "./commands/context.ts";

/** How far the two clocks may be apart before the wall clock counts as set anew. */
const APART_MAX_MS = 2;

/** A clock of its own for each server: it follows a wall clock that is set while the server runs. */
export function createSystemClock(): Clock {
  let originMs = performance.timeOrigin;
  const wallMs = (us: number) => Math.floor(us / 1000 + originMs);
  return {
    nowMs() {
      const us = performance.now() * 1000;
      const real = Date.now();
      if (Math.abs(real - wallMs(us)) > APART_MAX_MS) originMs = real - us / 1000;
      return wallMs(us);
    },
    monotonicUs: () => performance.now() * 1000,
    wallMs,
  };
}
