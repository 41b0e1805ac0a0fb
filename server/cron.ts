/**
 * Timed work in slices: due keys, freeing, tidying, the memory figures the core needs, idle clients, rates.
 * A slice takes a fraction of a millisecond; what is left goes on in the next turn, behind the sockets.
 */
import { Address, StateField } from "../core-wasm/abi.ts";
import type { MemoryMarks, ServerStats } from "./commands/context.ts";
import type { Core } from "./core/core.ts";
import type { CommandStats } from "./observability/command-stats.ts";
import type { LatencyMonitor } from "./observability/latency.ts";

const PERIOD_MS = 100;
/** Times a second that timed work is looked at. */
export const CRON_HZ = 1000 / PERIOD_MS;
/** About 200 us of deletions, moves or frees each. */
const EXPIRE_BUDGET = 800;
const EVICT_BUDGET = 800;
const FREE_BUDGET = 600;
const TIDY_BUDGET = 400;
const RATE_SAMPLES = 16;

const HOST_BYTES = (Address.State + StateField.HostBytes) >> 3;
const NOW = (Address.State + StateField.NowMs) >> 3;

export interface CronParts {
  readonly core: Core;
  readonly stats: ServerStats;
  readonly marks: MemoryMarks;
  readonly commandStats: CommandStats;
  readonly latency: LatencyMonitor;
  nowMs(): number;
  /** Runs a slice; what it throws ends the server. */
  guarded(work: () => void): void;
  /** A stop that a signal asked for begins now. */
  beginShutdown(): void;
  /** Begins a rewrite of the log that is due. */
  tickLog(): void;
  /** Looks at some of the clients: who is silent for too long, or over a limit. */
  sweepClients(): void;
  /** Gives memory that is free back to the system. */
  shrink(): void;
  /** Lets go of keys that are tracked beyond the limit. */
  limitTracking(): void;
  /** False while the log refuses writes: nothing expires then. */
  mayDelete(): boolean;
  /** What follows is no client's doing. */
  beforeSlice(): void;
  /** A slice may have left effects. */
  afterSlice(): void;
}

export class Cron {
  /** While this is set nothing is done (DEBUG PAUSE-CRON). */
  paused = false;
  private readonly timer: Timer;
  private deadlineTimer: Timer | undefined;
  private immediate: ReturnType<typeof setImmediate> | undefined;
  private lastCommands = 0;
  private lastInput = 0;
  private lastOutput = 0;
  private lastSampleMs: number;
  private readonly opsSamples: number[] = [];
  private readonly inputSamples: number[] = [];
  private readonly outputSamples: number[] = [];

  constructor(private readonly parts: CronParts) {
    this.lastSampleMs = parts.nowMs();
    this.timer = setInterval(() => this.run(() => this.tick()), PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    clearTimeout(this.deadlineTimer);
    if (this.immediate !== undefined) clearImmediate(this.immediate);
  }

  /** Rates begin anew: the counters that they are differences of went back to 0. */
  forgetRates(): void {
    this.lastCommands = 0;
    this.lastInput = 0;
    this.lastOutput = 0;
    for (const samples of [this.opsSamples, this.inputSamples, this.outputSamples])
      samples.length = 0;
  }

  private run(work: () => void): void {
    this.parts.guarded(work);
  }

  private tick(): void {
    if (this.paused) return;
    const { core, marks } = this.parts;
    this.parts.beginShutdown();
    this.parts.tickLog();
    const usedBytes = core.usedBytes() + core.memory.f64[HOST_BYTES]!;
    marks.peakBytes = Math.max(marks.peakBytes, usedBytes);
    this.parts.sweepClients();
    this.parts.limitTracking();
    this.sampleRates();
    this.parts.shrink();
    this.work();
  }

  /** One slice of everything that is due; schedules itself again while there is more. */
  private work(): void {
    const { parts } = this;
    const { core } = parts;
    this.immediate = undefined;
    if (this.paused) return;
    core.memory.f64[NOW] = parts.nowMs();
    let more = false;
    parts.beforeSlice();
    if (parts.mayDelete()) {
      const startedMs = performance.now();
      more = core.expireSlice(EXPIRE_BUDGET) === 0;
      const expiredMs = performance.now();
      if (core.evictSlice(EVICT_BUDGET) === 0) more = true;
      parts.stats.expireCycleMs += expiredMs - startedMs;
      parts.latency.add("expire-cycle", expiredMs - startedMs, parts.nowMs());
      parts.latency.add("eviction-cycle", performance.now() - expiredMs, parts.nowMs());
      parts.afterSlice();
    }
    if (core.freeSlice(FREE_BUDGET) === 0) more = true;
    if (core.tidySlice(TIDY_BUDGET) === 0) more = true;
    if (more) this.immediate = setImmediate(() => this.run(() => this.work()));
    else this.armDeadline();
  }

  /** Keys that fall due before the next tick are deleted when they are due. */
  private armDeadline(): void {
    clearTimeout(this.deadlineTimer);
    // What is due stays due while nothing may be deleted: the ticks look again.
    if (!this.parts.mayDelete()) return;
    const left = this.parts.core.nextDeadlineMs() - this.parts.nowMs();
    if (left < PERIOD_MS)
      this.deadlineTimer = setTimeout(() => this.run(() => this.work()), Math.max(1, left));
  }

  private sampleRates(): void {
    const { stats, commandStats } = this.parts;
    const now = this.parts.nowMs();
    const seconds = Math.max(1, now - this.lastSampleMs) / 1000;
    this.lastSampleMs = now;
    const mean = (samples: number[], value: number) => {
      samples.push(value);
      if (samples.length > RATE_SAMPLES) samples.shift();
      return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
    };
    const ops = (commandStats.processed - this.lastCommands) / seconds;
    const input = (stats.netInputBytes - this.lastInput) / seconds / 1024;
    const output = (stats.netOutputBytes - this.lastOutput) / seconds / 1024;
    stats.instantaneousOpsPerSec = Math.round(mean(this.opsSamples, ops));
    stats.instantaneousInputKbps = mean(this.inputSamples, input);
    stats.instantaneousOutputKbps = mean(this.outputSamples, output);
    this.lastCommands = commandStats.processed;
    this.lastInput = stats.netInputBytes;
    this.lastOutput = stats.netOutputBytes;
  }
}
