/** Which command runs, how many calls of it have come in a row, and since when. */
import type { Clock } from "../commands/context.ts";

/** Calls of one command that are timed together at the most. */
const MAX_CALLS = 64;

/**
 * Told of every stretch of calls of one command (a position in the command table) with the time they took together. Commands that
 * are not brief come call by call; brief ones that follow each other in a chunk come together, since reading the clock costs as
 * much as they do.
 */
export type RunListener = (command: number, calls: number, microseconds: number) => void;

export class CallRun {
  onRun: RunListener = () => {};
  /** Position of the command that runs, or ran last; -1 = none in this chunk. */
  command = -1;
  private calls = 0;
  private startUs = 0;
  /** EXEC's, while its commands run. */
  private unitCommand = -1;
  private unitStartUs = 0;

  constructor(private readonly clock: Pick<Clock, "monotonicUs">) {}

  /** A chunk begins. */
  begin(nowUs: number): void {
    this.startUs = nowUs;
    this.command = -1;
    this.calls = 0;
  }

  /** Calls of a command follow: in the run that is open, or in one of their own. */
  join(command: number, calls: number): void {
    if (command === this.command && this.calls + calls <= MAX_CALLS) return;
    this.end();
    this.command = command;
  }

  count(calls: number): void {
    this.calls += calls;
  }

  /** Tells of the run that is open, if there is one: in a replay calls leave that were not counted. */
  end(): void {
    if (this.calls <= 0) return;
    const nowUs = this.clock.monotonicUs();
    this.onRun(this.command, this.calls, nowUs - this.startUs);
    this.startUs = nowUs;
    this.calls = 0;
  }

  /** What comes has not begun before now. */
  restart(): void {
    this.startUs = this.clock.monotonicUs();
  }

  /** The last call is counted another time. @returns what it has taken, 0 where others came before it */
  leave(): number {
    if (--this.calls > 0) {
      this.end();
      return 0;
    }
    const beganUs = this.startUs;
    this.restart();
    return this.startUs - beganUs;
  }

  /** EXEC's commands come, each counted as its own. */
  beginUnit(): void {
    this.unitCommand = this.command;
    this.unitStartUs = this.startUs;
    this.restart();
    this.calls = 0;
  }

  /** EXEC itself goes on, from when it began; with 0 calls it is not counted. */
  endUnit(calls: number): void {
    this.command = this.unitCommand;
    this.startUs = this.unitStartUs;
    this.calls = calls;
  }
}
