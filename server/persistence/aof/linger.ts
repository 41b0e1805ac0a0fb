/**
 * Whether to look at the sockets once more before a sync on this thread. When a sync ends, its clients are answered, and most will write
 * again at once. Who begins the next one before they do leaves them to the one after it: two halves of the clients take turns, and each
 * sync covers half of what it could. So now and then a group waits until nothing comes any more, which tells how many there are,
 * and the groups after it wait for most of these; the rest keeps clients busy while the sync runs. Where that finds fewer than it did
 * before, clients may have gone, or have only been held up: it is tried again soon, and ever later.
 */

/** Nothing has come for so much of what a sync takes: nothing will. */
const QUIET_SHARE = 0.5;
/** Of all that may come, so much is waited for. Less than that is fewer. */
const WANTED_SHARE = 0.9;
/** Where more comes all the time, from those who do not wait for answers, the group is ended after so many syncs' time. */
const MOST_SYNCS = 4;
/** So many groups go by what one has learned, ... */
const GROUPS = 64;
/** ... or if it has found fewer, so many, then twice as many each time. */
const FIRST_GROUPS = 1;

export class Linger {
  /** Commands that the group waits for. */
  private wanted = Number.POSITIVE_INFINITY;
  /** What was last taken for all that may come. */
  private most = 0;
  /** Groups since something was learned, and how many go by it. */
  private groups = 0;
  private groupsThatGo = GROUPS;
  /** What the last look has found (0 = this is the first one), when that was more than before, and when the first one was. */
  private seen = 0;
  private seenMs = 0;
  private firstMs = 0;

  /**
   * Asked at the end of each turn in which a sync could begin.
   * @param count commands of the group so far
   * @param syncMs what a sync takes
   * @returns whether the next turn is likely to bring more
   */
  isWorthIt(count: number, nowMs: number, syncMs: number): boolean {
    if (count >= this.wanted) {
      if (++this.groups >= this.groupsThatGo) this.wanted = Number.POSITIVE_INFINITY;
    } else {
      if (this.seen === 0) this.firstMs = nowMs;
      if (count > this.seen) {
        this.seen = count;
        this.seenMs = nowMs;
      }
      const isQuiet = nowMs - this.seenMs >= syncMs * QUIET_SHARE;
      if (!isQuiet && nowMs - this.firstMs < syncMs * MOST_SYNCS) return true;
      this.learn(count);
    }
    this.seen = 0;
    return false;
  }

  private learn(count: number): void {
    this.groups = 0;
    this.wanted = count * WANTED_SHARE;
    const next = this.groupsThatGo === GROUPS ? FIRST_GROUPS : this.groupsThatGo * 2;
    const isTriedAgain = count < this.most * WANTED_SHARE && next < GROUPS;
    this.groupsThatGo = isTriedAgain ? next : GROUPS;
    if (!isTriedAgain) this.most = count;
  }
}
