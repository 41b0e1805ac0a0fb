/** The end of an event-loop turn: the log's block first, then the replies that it covers. Only with a log; without one replies leave at once. */
import type { ReplyArena } from "./net/arena.ts";
import type { AppendLog } from "./persistence/aof/log.ts";

export class Turn {
  private scheduled = false;

  constructor(
    private readonly log: AppendLog,
    private readonly arena: ReplyArena,
    /** Runs the end of a turn; what it throws ends the server. */
    private readonly guarded: (work: () => void) => void,
  ) {
    arena.deferred = true;
    log.onRelease = (verdict) => arena.releaseHeld(verdict);
  }

  /** Something of this turn waits for its end. */
  schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    // After all sockets of this turn, before the next wait for events.
    setImmediate(() => this.guarded(() => this.end()));
  }

  end(): void {
    this.scheduled = false;
    if (this.log.endTurn() === "send") this.arena.release();
    else this.arena.hold();
  }
}
