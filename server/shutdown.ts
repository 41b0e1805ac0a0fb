/**
 * An orderly stop: asked for by SHUTDOWN or a signal, refused while something would be lost, unless forced. The log's last block is
 * written before anything is closed. SHUTDOWN ABORT calls off what a signal asked for until the cron's next tick begins it.
 */
import type { ShutdownOptions } from "./commands/context.ts";
import type { Logger } from "./observability/log.ts";

export interface ShutdownParts {
  readonly logger: Logger;
  /** Why the log cannot be written, or undefined; also if there is none. */
  logRefusal(): string | undefined;
  /** True if an append-only file keeps the data. */
  hasLog(): boolean;
  /** True while the log that CONFIG SET appendonly began does not hold everything yet. */
  isFirstLogBeingWritten(): boolean;
  /** What is in memory is no dataset yet, and not to be saved. */
  isLoading(): boolean;
  /** Writes what the turn has gathered for the log. */
  flush(): void;
  /** Stops the server and then whoever runs it. */
  stop(): void;
  /** It has been accepted. */
  begun(): void;
}

const REFUSED = "ERR Errors trying to SHUTDOWN. Check logs.";

export class Shutdown {
  /** The stop that is on its way, until it begins. */
  private pending: ReturnType<typeof setImmediate> | undefined;
  private stopping = false;
  /** What a signal asked for. */
  private scheduled: { options: ShutdownOptions; refused: () => void } | undefined;
  /** Are told if what is pending comes to nothing. */
  private waiting: ((line: string) => void)[] = [];

  constructor(private readonly parts: ShutdownParts) {}

  get inProgress(): boolean {
    return this.stopping || this.pending !== undefined || this.scheduled !== undefined;
  }

  /** Begins at the cron's next tick; `refused` is called then if it is. */
  schedule(options: ShutdownOptions, refused: () => void): void {
    if (!this.inProgress) this.scheduled = { options, refused };
  }

  /** The cron ticks. */
  tick(): void {
    const { scheduled } = this;
    if (scheduled === undefined) return;
    this.scheduled = undefined;
    if (this.request(scheduled.options) !== undefined) scheduled.refused();
  }

  /**
   * Begins at the end of this turn.
   * @returns the error line if it is refused at once; `refused` is given it if that turns out later
   */
  request(asked: ShutdownOptions, refused?: (line: string) => void): string | undefined {
    const options = this.parts.isLoading() ? { ...asked, save: false } : asked;
    if (refused !== undefined) this.waiting.push(refused);
    if (this.stopping || this.pending !== undefined) return undefined;
    const { logger } = this.parts;
    logger.notice("User requested shutdown...");
    const fault = this.fault(options);
    if (fault !== undefined) {
      this.waiting = [];
      return this.refuse(fault);
    }
    this.parts.begun();
    this.pending = setImmediate(() => {
      this.pending = undefined;
      this.finish(options);
    });
    return undefined;
  }

  /** Calls off what has not begun yet. @returns whether there was something */
  abort(): boolean {
    if (this.stopping || !this.inProgress) return false;
    clearImmediate(this.pending);
    this.pending = undefined;
    this.scheduled = undefined;
    this.parts.logger.notice("Shutdown manually aborted.");
    this.tellWaiting();
    return true;
  }

  private tellWaiting(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const refused of waiting) refused(REFUSED);
  }

  private fault(options: ShutdownOptions): string | undefined {
    if (options.force) return undefined;
    if (options.save === true && !this.parts.hasLog())
      return "Error trying to save the DB, can't exit: RDB files are not there yet and appendonly is off.";
    if (this.parts.isFirstLogBeingWritten()) return "Writing initial AOF, can't exit.";
    const refusal = options.save === false ? undefined : this.parts.logRefusal();
    return refusal && `Error trying to write the append only file, can't exit: ${refusal}`;
  }

  private refuse(why: string): string {
    const { logger } = this.parts;
    logger.warning(why);
    logger.warning("Errors trying to shut down the server. Check the logs for more information.");
    return REFUSED;
  }

  private finish(options: ShutdownOptions): void {
    this.parts.flush();
    // The last block may be the first that the disk does not take.
    const fault = this.fault(options);
    if (fault !== undefined) {
      this.refuse(fault);
      this.tellWaiting();
      return;
    }
    this.stopping = true;
    this.parts.stop();
  }
}
