/** Whether to wait once more, where waits may be in vain: after one that was, the next ones are let go, twice as many each time. */
export class VainWaits {
  private skips = 0;
  private nextSkips: number;

  /** @param firstSkips waits that are let go after the first one in vain @param maxSkips at most */
  constructor(
    private readonly firstSkips: number,
    private readonly maxSkips: number,
  ) {
    this.nextSkips = firstSkips;
  }

  /** Asked once for each wait. */
  allowsNext(): boolean {
    if (this.skips === 0) return true;
    this.skips--;
    return false;
  }

  wasInVain(): void {
    this.skips = this.nextSkips;
    this.nextSkips = Math.min(this.nextSkips * 2, this.maxSkips);
  }

  wasWorthIt(): void {
    this.nextSkips = this.firstSkips;
  }
}
