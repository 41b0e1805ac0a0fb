/**
 * Time of one simulated process: its clocks, timers, immediates, and the work that other threads do for it. Nothing happens by itself:
 * whoever plays the history runs turns and lets time pass. The process's promises are settled between callbacks.
 */
import { drainMicrotasks } from "bun:jsc";
import type { Clock } from "../../server/commands/context.ts";

type Work = () => void;

interface Timer {
  dueMs: number;
  /** Ties are broken by age. */
  id: number;
  work: Work;
  everyMs: number | undefined;
}

const FIRST_INSTANT_MS = 1_800_000_000_000;
/** What any call of a clock takes. */
const TICK_US = 1;

export class World {
  /** Since the process began. */
  private us = 0;
  private nextId = 1;
  private readonly timers = new Map<number, Timer>();
  private immediates: { id: number; work: Work }[] = [];
  private readonly jobs: { dueMs: number; work: Work }[] = [];
  hasEnded = false;
  /** Called behind each turn of the living. */
  afterTurn: () => void = () => {};

  /** @param startMs what the wall clock shows when it begins */
  constructor(private readonly startMs: number = FIRST_INSTANT_MS) {}

  get nowMs(): number {
    return this.startMs + this.us / 1000;
  }

  readonly clock: Clock = {
    nowMs: () => Math.floor(this.nowMs),
    monotonicUs: () => {
      this.us += TICK_US;
      return this.us;
    },
    wallMs: (us) => Math.floor(this.startMs + us / 1000),
  };

  /** The process is dead: nothing of it runs any more. */
  end(): void {
    this.hasEnded = true;
  }

  /** What its promises still bring happens now, to nobody, and not in the time of another. */
  bury(): void {
    this.hasEnded = true;
    drainMicrotasks();
  }

  /** Runs some of the process's code, and what its promises bring. */
  run(work: Work): void {
    if (this.hasEnded) return;
    work();
    drainMicrotasks();
  }

  /** Another thread does it, after so many milliseconds. */
  later(delayMs: number, work: Work): void {
    this.jobs.push({ dueMs: this.nowMs + delayMs, work });
  }

  get isIdle(): boolean {
    return this.jobs.length === 0 && this.immediates.length === 0;
  }

  /** The end of a turn: what other threads have finished, then the immediates. */
  endTurn(): void {
    for (let i = 0; i < this.jobs.length; )
      if (this.jobs[i]!.dueMs <= this.nowMs) this.run(this.jobs.splice(i, 1)[0]!.work);
      else i++;
    const due = this.immediates;
    this.immediates = [];
    for (const { work } of due) this.run(work);
    if (!this.hasEnded) this.afterTurn();
  }

  /** Time passes; timers run when they are due, turns end behind each. */
  pass(ms: number): void {
    const until = this.nowMs + ms;
    for (;;) {
      const next = this.nextTimer();
      if (next === undefined || next.dueMs > until || this.hasEnded) break;
      this.us = Math.max(this.us, (next.dueMs - this.startMs) * 1000);
      if (next.everyMs === undefined) this.timers.delete(next.id);
      else next.dueMs += next.everyMs;
      this.run(next.work);
      this.endTurn();
    }
    this.us = Math.max(this.us, (until - this.startMs) * 1000);
  }

  private nextTimer(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers.values())
      if (first === undefined || timer.dueMs < first.dueMs) first = timer;
    return first;
  }

  /** Puts its timers in the place of the system's. @returns what takes that back */
  install(): () => void {
    const names = ["setTimeout", "setInterval", "setImmediate", "clearTimeout"] as const;
    const others = ["clearInterval", "clearImmediate"] as const;
    const system = new Map([...names, ...others].map((name) => [name, globalThis[name]]));
    const add = (work: Work, ms: number, everyMs?: number): number => {
      const id = this.nextId++;
      this.timers.set(id, { dueMs: this.nowMs + Math.max(ms, 1), id, work, everyMs });
      return id;
    };
    const clear = (id: number | undefined) => void (id && this.timers.delete(id));
    Object.assign(globalThis, {
      setTimeout: (work: Work, ms = 0) => add(work, ms),
      setInterval: (work: Work, ms = 0) => add(work, ms, Math.max(ms, 1)),
      setImmediate: (work: Work) => {
        const id = this.nextId++;
        this.immediates.push({ id, work });
        return id;
      },
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: (id: number | undefined) => {
        this.immediates = this.immediates.filter((immediate) => immediate.id !== id);
      },
    });
    return () => Object.assign(globalThis, Object.fromEntries(system));
  }
}
