/**
 * Whether to look at the sockets once more before a sync on this thread. When a sync ends, its clients are answered, and most will write
 * again at once. Who begins the next one before they do leaves them to the one after it: two halves of the clients take turns, and each
 * sync covers half of what it could. So now and then a group waits a while, which tells how many come soon, and the groups after it
 * wait for most of these, as long at most. Where that finds fewer than it did before, clients may have gone, or have only been held up: it is
 * tried again soon, and ever later.
 */

/**
 * A group waits for so much of what a sync takes, whether more comes all the time or not: those who are in it, and the client process that
 * has nothing to read meanwhile, lose what the others gain (50 clients and a sync of 0.1 ms: 4 syncs' time x1.08 of redis-server's writes a
 * second, a quarter of one x1.26; 5 clients: no difference).
 */
const WAIT_SHARE = 0.25;
/** Of all that may come, so much is waited for. Less than that is fewer. */
const WANTED_SHARE = 0.9;
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
  /** When the group was first looked at; null = it was not. */
  private sinceMs: number | null = null;

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
      this.sinceMs ??= nowMs;
      if (nowMs - this.sinceMs < syncMs * WAIT_SHARE) return true;
      this.learn(count);
    }
    this.sinceMs = null;
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
