/**
 * When the next sync of `always` begins, and where it runs: what Linger, Gathering, SyncSpacing and SyncPlace say of the group of writes that
 * is gathered for it. Times are those of a clock that is never set.
 */
import type { Clock } from "../../commands/context.ts";
import { Gathering } from "./gathering.ts";
import { Linger } from "./linger.ts";
import { SyncPlace } from "./sync-place.ts";
import { SyncSpacing } from "./sync-spacing.ts";

export class SyncSchedule {
  private readonly linger = new Linger();
  private readonly gathering: Gathering;
  private readonly spacing: SyncSpacing;
  private readonly place = new SyncPlace();
  private commandsThen = 0;

  /**
   * @param commands what the server has run so far
   * @param go what waits is to be looked at again
   */
  constructor(
    private readonly clock: Clock,
    private readonly commands: () => number,
    go: () => void,
  ) {
    this.gathering = new Gathering(go);
    this.spacing = new SyncSpacing(go);
  }

  /** The group has so many writes more. */
  wrote(commands: number): void {
    this.gathering.count += commands;
  }

  /** Whether the next sync is one on this thread, and the next turn is likely to bring more that it can cover. */
  get isToLinger(): boolean {
    const nowMs = this.nowMs();
    return (
      this.isHere(nowMs) && this.linger.isWorthIt(this.gathering.count, nowMs, this.place.averageMs)
    );
  }

  /** Asked at the end of each turn in which a sync could begin: where it is to run, on this thread or off it, or whether it waits. */
  next(): "here" | "off" | "later" {
    if (this.gathering.isWorthIt()) return "later";
    const nowMs = this.nowMs();
    if (this.isHere(nowMs)) return "here";
    const isPutOff = this.spacing.putsOff(this.gathering.count, nowMs, this.place.averageMs);
    return isPutOff ? "later" : "off";
  }

  private isHere(nowMs: number): boolean {
    return this.place.isHere(this.gathering.count, this.commandsSince(), nowMs);
  }

  /** Commands since the last sync began; what they are counted from may have been reset. */
  private commandsSince(): number {
    return Math.max(this.commands() - this.commandsThen, 0);
  }

  /** The group's sync begins, and another group. */
  begins(): void {
    this.spacing.syncBegins(this.gathering.count, this.commandsSince(), this.nowMs());
    this.gathering.syncBegins();
    this.commandsThen = this.commands();
  }

  /** A sync off this thread is over. */
  took(ms: number): void {
    this.gathering.syncEnds(ms);
    this.place.took(ms);
  }

  /** One on this thread is, now. */
  tookHere(ms: number): void {
    this.place.tookHere(ms, this.nowMs());
  }

  private nowMs(): number {
    return this.clock.monotonicUs() / 1000;
  }

  stop(): void {
    this.gathering.stop();
    this.spacing.stop();
  }
}
