/**
 * How long a group of `always` waits for more. When a sync ends, its clients are answered, and most will write again at once. Who begins the
 * next sync before they do leaves them to the one after it: two halves of the clients take turns, and each sync covers half of what
 * it could. So the next group waits for as many commands as the last one had and this one has, but no longer than a sync takes, and
 * where that was in vain, the next groups do not wait.
 */
import { VainWaits } from "./vain-waits.ts";

/** Shorter syncs are not worth a timer. */
const SYNC_MIN_MS = 0.3;
/** Timers count in milliseconds. */
const WAIT_MIN_MS = 1;
const WAIT_MAX_MS = 10;
/** After a wait in vain so many groups do not wait. */
const FIRST_SKIPS = 4;
const MAX_SKIPS = 64;

export class Gathering {
  /** Commands of the group that is gathered. */
  count = 0;
  /** Of the group that is being synced. */
  private synced = 0;
  /** What the group waits for; 0 = nothing. */
  private wanted = 0;
  private timer: Timer | undefined;
  private readonly vainWaits = new VainWaits(FIRST_SKIPS, MAX_SKIPS);

  /** @param go begins the next sync */
  constructor(private readonly go: () => void) {}

  /** What is gathered is written, and its sync begins. */
  syncBegins(): void {
    this.synced = this.count;
    this.count = 0;
    this.stop();
  }

  /** Its clients are about to be answered. */
  syncEnds(tookMs: number): void {
    if (tookMs < SYNC_MIN_MS || this.synced === 0) return;
    if (!this.vainWaits.allowsNext()) return;
    this.wanted = this.synced + this.count;
    const waitMs = Math.min(Math.max(tookMs, WAIT_MIN_MS), WAIT_MAX_MS);
    this.timer = setTimeout(() => this.giveUp(), waitMs);
  }

  /** Whether more is likely to come soon: then `go` is called at the latest when it has not. */
  isWorthIt(): boolean {
    if (this.wanted === 0 || this.count < this.wanted) return this.wanted > 0;
    this.vainWaits.wasWorthIt();
    this.stop();
    return false;
  }

  private giveUp(): void {
    this.wanted = 0;
    // Nobody has waited.
    if (this.count === 0) return;
    this.vainWaits.wasInVain();
    this.go();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.wanted = 0;
  }
}
