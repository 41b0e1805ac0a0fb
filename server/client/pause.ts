/**
 * CLIENT PAUSE: for a while no commands run, or none that write; those that came wait where they are, and neither expiry nor
 * eviction changes anything. One timer ends it. https://redis.io/commands/client-pause
 */
import { type Client, Gate, Stop } from "./client.ts";

export type PauseMode = "write" | "all";

/** The longest delay that a timer takes. */
const TIMER_MAX_MS = 2147483647;

export interface PauseParts {
  nowMs(): number;
  /** Gate bits that hold for every client from here on. */
  gate(bits: number): void;
  /** Takes the reason to wait from a client and serves what waits of it. */
  proceed(client: Client, reason: Stop): void;
}

export class ClientPause {
  private endMs = 0;
  private mode: PauseMode | undefined;
  private timer: Timer | undefined;
  private readonly postponed = new Set<Client>();

  constructor(private readonly parts: PauseParts) {}

  /** Nothing may expire or be evicted. */
  get active(): boolean {
    return this.mode !== undefined;
  }

  /** Pauses until `endMs`. The later end and the stricter mode of this and a pause in force win. */
  start(endMs: number, mode: PauseMode): void {
    if (endMs <= this.parts.nowMs() && !this.active) return;
    this.mode = this.mode === "all" ? "all" : mode;
    this.endMs = Math.max(this.endMs, endMs);
    this.parts.gate(this.mode === "all" ? Gate.PausedAll : Gate.PausedWrites);
    this.arm();
  }

  /** Lets commands through again, those that waited first. O(clients that wait) */
  stop(): void {
    clearTimeout(this.timer);
    this.mode = undefined;
    this.endMs = 0;
    this.parts.gate(0);
    const waiting = [...this.postponed];
    this.postponed.clear();
    for (const client of waiting) this.parts.proceed(client, Stop.Postponed);
  }

  /** The command in hand waits for the end of the pause. */
  postpone(client: Client): void {
    client.stops |= Stop.Postponed;
    this.postponed.add(client);
  }

  /** The client is gone. */
  forget(client: Client): void {
    if ((client.stops & Stop.Postponed) !== 0) this.postponed.delete(client);
  }

  private arm(): void {
    clearTimeout(this.timer);
    const left = this.endMs - this.parts.nowMs();
    if (left <= 0) return this.stop();
    this.timer = setTimeout(() => this.arm(), Math.min(left, TIMER_MAX_MS));
  }
}
