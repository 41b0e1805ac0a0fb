/**
 * That the dataset is being loaded, for everybody who must know: clients are refused meanwhile, INFO tells how far it is. The load runs in
 * steps; between them others have a turn, who may use the core's windows, but not the databases.
 */
import type { Clock } from "../commands/context.ts";

/** Others have a turn after so long at the latest: somebody may ask whether the server is alive. */
const STEP_MAX_US = 10_000;
/** Below this key-load-delay is gathered. */
const PAUSE_MIN_US = 1000;

export interface LoadingParts {
  readonly clock: Clock;
  /** loading-process-events-interval-bytes */
  intervalBytes(): number;
  /** key-load-delay: microseconds for each command; -n = one in n commands. */
  commandDelayUs(): number;
  /** The load begins, or is over. */
  changed(isLoading: boolean): void;
  /** The core's windows and flags are the load's from here on, or others'. */
  enter(): void;
  leave(): void;
}

/** A stop was asked for. */
export class LoadingStopped extends Error {
  constructor() {
    super("stopped while the dataset was being loaded");
  }
}

export class Loading {
  private isActive = false;
  private isStopped = false;
  private startMs = 0;
  private totalBytes = 0;
  private loadedBytes = 0;
  private stepStartUs = 0;
  private stepBytes = 0;
  private owedUs = 0;

  constructor(private readonly parts: LoadingParts) {}

  get active(): boolean {
    return this.isActive;
  }

  /** From here on clients are refused, whether `run` comes at once or not. */
  begin(): void {
    this.isActive = true;
    this.startMs = this.parts.clock.nowMs();
    this.totalBytes = 0;
    this.loadedBytes = 0;
    this.owedUs = 0;
    this.parts.changed(true);
  }

  end(): void {
    this.isActive = false;
    this.parts.changed(false);
  }

  /** So many bytes are to be loaded. */
  expect(bytes: number): void {
    this.totalBytes = bytes;
  }

  /** The load in hand throws `LoadingStopped` before its next step. */
  stop(): void {
    this.isStopped = true;
  }

  /** Runs all steps, with turns for others between them. @throws LoadingStopped, or what a step throws */
  async run<Result>(steps: Generator<void, Result>): Promise<Result> {
    try {
      for (;;) {
        const step = this.step(steps);
        if (step.done === true) return step.value;
        const pauseMs = Math.floor(this.owedUs / 1000);
        this.owedUs -= pauseMs * 1000;
        await new Promise((resolve) =>
          pauseMs > 0 ? setTimeout(resolve, pauseMs) : setImmediate(resolve),
        );
        if (this.isStopped) throw new LoadingStopped();
      }
    } finally {
      steps.return(undefined as Result);
    }
  }

  private step<Result>(steps: Generator<void, Result>): IteratorResult<void, Result> {
    this.stepStartUs = this.parts.clock.monotonicUs();
    this.stepBytes = 0;
    this.parts.enter();
    try {
      return steps.next();
    } finally {
      this.parts.leave();
    }
  }

  /** Read no more at once than others are to wait for. */
  get blockBytes(): number {
    return this.parts.intervalBytes();
  }

  /** Told of bytes that are loaded. @returns whether the step is to end */
  progress(bytes: number): boolean {
    this.loadedBytes += bytes;
    this.stepBytes += bytes;
    return (
      this.stepBytes >= this.parts.intervalBytes() ||
      this.parts.clock.monotonicUs() - this.stepStartUs >= STEP_MAX_US ||
      this.owedUs >= PAUSE_MIN_US
    );
  }

  /** Told of commands that were run. @returns whether the step is to end because of them */
  ran(commands: number): boolean {
    const delay = this.parts.commandDelayUs();
    if (delay === 0) return false;
    this.owedUs += delay > 0 ? commands * delay : commands / -delay;
    return this.owedUs >= PAUSE_MIN_US;
  }

  /** As Redis has them in INFO, those of the progress while there is some. */
  infoFields(): Record<string, string | number> {
    if (!this.isActive) return { loading: 0, async_loading: 0 };
    const { totalBytes, loadedBytes, startMs } = this;
    const elapsed = Math.floor((this.parts.clock.nowMs() - startMs) / 1000);
    const left = Math.max(0, totalBytes - loadedBytes);
    return {
      loading: 1,
      async_loading: 0,
      loading_start_time: Math.floor(startMs / 1000),
      loading_total_bytes: totalBytes,
      loading_rdb_used_mem: 0,
      loading_loaded_bytes: loadedBytes,
      loading_loaded_perc: ((loadedBytes / Math.max(1, totalBytes)) * 100).toFixed(2),
      // Redis's guess while there is nothing to go by.
      loading_eta_seconds: elapsed === 0 ? 1 : Math.floor((elapsed * left) / (loadedBytes + 1)),
    };
  }
}
