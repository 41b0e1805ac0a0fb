/**
 * Clients whose command waits for something to happen: nothing more of them is served until it has, their time is up, or somebody
 * unblocks them. An answer is written in a turn of its own, as where it becomes known another client's reply may be open.
 */
import { Address, IoField } from "../../core-wasm/abi.ts";
import { type Client, Stop } from "../client/client.ts";
import type { Wait } from "../commands/context.ts";
import type { CoreMemory } from "../core/memory.ts";

/** The longest delay that a timer takes. */
const TIMER_MAX_MS = 2147483647;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const UNBLOCKED = "UNBLOCKED client unblocked via CLIENT UNBLOCK";

interface BlockedParts {
  readonly memory: CoreMemory;
  /** Monotonic. */
  nowMs(): number;
  /** Replies go to the client from here on, until `close`. */
  open(client: Client): void;
  close(): void;
  error(line: string): void;
  /** Takes the reason to wait from a client and serves what waits of it. */
  proceed(client: Client, reason: Stop): void;
  /** Runs what a timer brings; what it throws ends the server. */
  guarded(work: () => void): void;
}

interface Blocked extends Wait {
  /** Instant in ms at which it is answered as it stands, Infinity = never. */
  readonly endMs: number;
  timer: Timer | undefined;
}

export class BlockedClients {
  private readonly waits = new Map<Client, Blocked>();
  private answers: (() => void)[] = [];
  private scheduled: ReturnType<typeof setImmediate> | undefined;

  constructor(private readonly parts: BlockedParts) {}

  /** The client's command waits from here on. */
  park(client: Client, wait: Wait): void {
    client.stops |= Stop.Blocked;
    const endMs =
      wait.timeoutMs === 0 ? Number.POSITIVE_INFINITY : this.parts.nowMs() + wait.timeoutMs;
    const blocked: Blocked = Object.assign(wait, { endMs, timer: undefined });
    this.waits.set(client, blocked);
    this.arm(client, blocked);
  }

  private arm(client: Client, blocked: Blocked): void {
    const left = blocked.endMs - this.parts.nowMs();
    if (left === Number.POSITIVE_INFINITY) return;
    if (left <= 0) return this.giveUp(client, blocked, blocked.answer, false);
    blocked.timer = setTimeout(
      () => this.parts.guarded(() => this.arm(client, blocked)),
      Math.min(left, TIMER_MAX_MS),
    );
  }

  /** Something has happened: whoever waited for it is answered. O(clients that wait) */
  check(): void {
    for (const [client, { isOver, answer }] of this.waits) if (isOver()) this.end(client, answer);
  }

  /** CLIENT UNBLOCK. @returns whether the client waited */
  unblock(client: Client, how: "timeout" | "error"): boolean {
    const blocked = this.waits.get(client);
    if (blocked === undefined) return false;
    const isError = how === "error";
    const answer = isError ? () => this.parts.error(UNBLOCKED) : blocked.answer;
    this.giveUp(client, blocked, answer, isError);
    return true;
  }

  private giveUp(client: Client, blocked: Blocked, answer: () => void, isError: boolean): void {
    blocked.givenUp?.(isError);
    this.end(client, answer);
  }

  /** The client was answered in the meantime: it is served again. */
  served(client: Client): void {
    this.forget(client);
    this.parts.proceed(client, Stop.Blocked);
  }

  /** The client is gone. */
  forget(client: Client): void {
    const blocked = this.waits.get(client);
    if (blocked === undefined) return;
    clearTimeout(blocked.timer);
    this.waits.delete(client);
    blocked.ended?.();
  }

  stop(): void {
    for (const { timer } of this.waits.values()) clearTimeout(timer);
    if (this.scheduled !== undefined) clearImmediate(this.scheduled);
  }

  private end(client: Client, answer: () => void): void {
    this.forget(client);
    this.answers.push(() => {
      this.parts.open(client);
      this.parts.memory.i32[PROTOCOL] = client.protocol;
      answer();
      this.parts.close();
      this.parts.proceed(client, Stop.Blocked);
    });
    this.scheduled ??= setImmediate(() => this.parts.guarded(() => this.answerAll()));
  }

  private answerAll(): void {
    this.scheduled = undefined;
    const { answers } = this;
    this.answers = [];
    for (const answer of answers) answer();
  }
}
