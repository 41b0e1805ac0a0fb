/**
 * The end of an event-loop turn that has logged something: the log's block first, then the replies that it makes safe; those that must
 * wait for more leave when the log says so. What is safe as it is leaves at once, and everything without a log.
 */
import type { ReplyArena } from "./net/arena.ts";
import type { Log } from "./persistence/aof/log.ts";

export class Turn {
  private scheduled = false;
  private log: Log | null = null;

  constructor(
    private readonly arena: ReplyArena,
    /** Runs the end of a turn; what it throws ends the server. */
    private readonly guarded: (work: () => void) => void,
    /** Writes what is told when a turn ends, behind its replies. */
    private readonly tell: () => void,
  ) {
    arena.wantTurn = () => this.schedule();
  }

  /** From here on replies wait for the log; with null they do so once more, until this turn ends. */
  follow(log: Log | null): void {
    this.log = log;
    if (log !== null) {
      this.arena.deferred = true;
      this.arena.latestPoint = () => log.point;
      this.arena.safeAtOnce = () => log.safeAtOnce;
      log.onSafe = (point) => this.arena.releaseUpTo(point);
      log.onGivenUp = () => this.arena.dropHeld();
    }
    this.schedule();
  }

  /** The frames that were read are about to be overwritten. */
  framesDone(): void {
    if (this.log === null) return;
    this.log.settle();
    if (this.log.hasNews) this.schedule();
  }

  /** Something of this turn waits for its end. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // After all sockets of this turn, before the next wait for events.
    setImmediate(() => this.guarded(() => this.end(true)));
  }

  /** @param mayLinger whether it may go on instead, if the log is about to sync and more is likely to come first */
  end(mayLinger = false): void {
    this.scheduled = false;
    this.tell();
    const safePoint = this.log === null ? Number.POSITIVE_INFINITY : this.log.endTurn(mayLinger);
    if (safePoint === null) return this.schedule();
    this.arena.endTurn(safePoint);
    this.arena.deferred = this.log !== null;
  }
}
