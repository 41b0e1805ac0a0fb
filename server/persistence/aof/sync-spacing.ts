/**
 * How far apart syncs of `always` begin, where most of what runs reads. Each takes from those who read, who want the same processors; one
 * that is put off costs those who write, and covers more of them. Where R commands a second read and W write, and a sync takes s, syncs
 * that begin every d keep those who read waiting for about R s^2 / 2 in each d, and those who write for W d^2 / 2: all of them
 * together wait least at d = s sqrt(R / W). (Two processors, 120,000 GETs and a thousand SETs a second, syncs of
 * 0.4 ms: at once, the median GET takes 1.2 times as long as under `no`, 4 ms apart as long as there.)
 *
 * Who writes again when he is answered, and not before, gains nothing by that: where nothing came in the second half of a wait, the
 * next groups do not wait.
 */
import { VainWaits } from "./vain-waits.ts";

/** Nobody who writes waits for more. */
const MAX_MS = 4;
/** Averages forget that fast. */
const WEIGHT = 1 / 8;
/** Of a group, at least one write in so many has come late for the wait to be worth it. */
const LATE_SHARE = 4;
/** Writes that come at random leave out half a wait now and then. */
const FIRST_SKIPS = 1;
const MAX_SKIPS = 256;
/** Timers count in milliseconds. */
const TIMER_MIN_MS = 1;

export class SyncSpacing {
  /** Commands between two syncs, on average. */
  private reads = 0;
  private writes = 1;
  private begunMs = Number.NEGATIVE_INFINITY;
  /** Of the group that is gathered. */
  private state: "new" | "waits" | "goes" = "new";
  private halfMs = 0;
  /** Writes that had come by then. */
  private early = 0;
  private timer: Timer | undefined;
  private readonly vainWaits = new VainWaits(FIRST_SKIPS, MAX_SKIPS);

  /** @param go asks again, when it is time, unless a sync has begun by then */
  constructor(private readonly go: () => void) {}

  /**
   * Asked at the end of each turn in which a sync could begin.
   * @param count writes of the group so far
   * @param syncMs what a sync takes
   * @returns whether it is put off
   */
  putsOff(count: number, nowMs: number, syncMs: number): boolean {
    const dueMs = this.begunMs + this.distanceMs(syncMs);
    if (nowMs >= dueMs || this.state === "goes") return false;
    if (this.state === "new") {
      this.state = this.vainWaits.allowsNext() ? "waits" : "goes";
      if (this.state === "goes") return false;
      this.halfMs = (nowMs + dueMs) / 2;
    }
    if (nowMs < this.halfMs) this.early = count;
    this.timer ??= setTimeout(() => this.look(), Math.max(dueMs - nowMs, TIMER_MIN_MS));
    return true;
  }

  private distanceMs(syncMs: number): number {
    return Math.min(syncMs * Math.sqrt(this.reads / this.writes), MAX_MS);
  }

  private look(): void {
    this.timer = undefined;
    this.go();
  }

  /** A sync begins, which covers so many writes, of so many commands since the last one. */
  syncBegins(count: number, commands: number, nowMs: number): void {
    if (this.state === "waits") {
      if ((count - this.early) * LATE_SHARE >= count) this.vainWaits.wasWorthIt();
      else this.vainWaits.wasInVain();
    }
    this.reads += (Math.max(commands - count, 0) - this.reads) * WEIGHT;
    this.writes += (count - this.writes) * WEIGHT;
    this.begunMs = nowMs;
    this.state = "new";
    this.early = 0;
    this.stop();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
