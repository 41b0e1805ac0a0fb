/**
 * Where the next sync of `always` runs. On this thread it costs less, there being no way to another one and back (60 against 90 us of CPU
 * and 155 against 180 us in all, where the disk takes 150), and its clients are answered in the turn that wrote; but everybody waits for
 * it. So it is for disks that take little, in turns that mostly write: who only reads does not wait for a disk.
 */

/** What a sync takes at most, on average of the last ones, to be run on this thread. */
const SHORT_MS = 0.5;
/** The average forgets that fast. */
const WEIGHT = 1 / 8;
/** Of what was run since the last sync, at least one command in so many has written. */
const WRITING_SHARE = 4;
/** A sync on this thread that takes this long is a stall, ... */
const STALL_MS = 20;
/** ... and paid for with so many times its length off the thread: stalls take a hundredth of the time at most. */
const STALL_PAYS = 100;

export class SyncPlace {
  /** A disk has to show that it is a fast one. */
  averageMs = SHORT_MS * 1.5;
  private offUntilMs = Number.NEGATIVE_INFINITY;

  /** @returns whether a sync that covers so many writes, of so many commands since the last one, is to be run on this thread */
  isHere(writes: number, commands: number, nowMs: number): boolean {
    if (this.averageMs > SHORT_MS || nowMs < this.offUntilMs) return false;
    return writes * WRITING_SHARE >= commands;
  }

  /** A sync is over, wherever it ran. */
  took(ms: number): void {
    this.averageMs += (ms - this.averageMs) * WEIGHT;
  }

  /** The same of one on this thread, which ended now. */
  tookHere(ms: number, nowMs: number): void {
    this.took(ms);
    if (ms >= STALL_MS) this.offUntilMs = nowMs + ms * STALL_PAYS;
  }
}
