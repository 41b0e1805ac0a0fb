/**
 * A client that does not take its replies, or for which many wait, is not read from; it is served again when it has taken them,
 * or when whatever else it waited for has come. Serving again begins in a turn of its own: where the reason ends, other clients' replies may still
 * lie in the output window.
 */
import { type Client, Stop } from "./client.ts";
import type { ClientLimits } from "./limits.ts";
import type { ClientRegistry } from "./registry.ts";

/** A client for which more waits is not served until it has read. */
const HIGH_WATER_BYTES = 1 << 20;

export class Backpressure {
  private resumable: Client[] = [];
  private scheduled: ReturnType<typeof setImmediate> | undefined;

  constructor(
    private readonly clients: ClientRegistry,
    private readonly limits: ClientLimits,
  ) {}

  /** The outbox has grown, or what waits for the log. Called in the middle of commands: nothing is written, closed or served here. */
  outputGrew(client: Client): void {
    this.clients.recount(client);
    if (this.limits.outputGrew(client)) return;
    this.limits.memoryGrew();
    const bytes = client.outbox.bytes + client.waitingBytes;
    if (bytes <= HIGH_WATER_BYTES || (client.stops & Stop.Output) !== 0) return;
    client.stops |= Stop.Output;
    client.link.pause();
  }

  /** The socket took some of the outbox, or some of what waits for the log was let go. */
  outputShrank(client: Client): void {
    this.clients.recount(client);
    const isEmpty = client.outbox.isEmpty && client.waitingBytes === 0;
    if (isEmpty && (client.stops & Stop.Output) !== 0) this.proceed(client, Stop.Output);
  }

  /** Bytes wait that are not a whole command, or not to be served yet; or they do so no longer. */
  inputChanged(client: Client): void {
    this.clients.recount(client);
    this.limits.memoryGrew();
  }

  /** The reason is gone: if no other is left, what waits of the client is served in the next turn. */
  proceed(client: Client, reason: Stop): void {
    client.stops &= ~reason;
    if (client.stops !== 0) return;
    this.resumable.push(client);
    this.scheduled ??= setImmediate(() => this.resumeAll());
  }

  stop(): void {
    if (this.scheduled !== undefined) clearImmediate(this.scheduled);
  }

  private resumeAll(): void {
    this.scheduled = undefined;
    const { resumable } = this;
    this.resumable = [];
    for (const client of resumable) client.link.resume();
  }
}
