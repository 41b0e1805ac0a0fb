/**
 * What a server puts up with from its clients: replies that they do not take, silence, and the memory of all of them together.
 * Whoever goes too far is closed at the end of the turn, never in the middle of a command.
 */
import type { Client, ClientType } from "./client.ts";
import type { ClientRegistry } from "./registry.ts";

export interface OutputLimit {
  /** 0 = no limit, as for the others. */
  hardBytes: number;
  softBytes: number;
  softSeconds: number;
}
export type OutputLimits = Readonly<Record<"normal" | "slave" | "pubsub", OutputLimit>>;

/** A limit below it would leave no way to talk to the server. */
const CLIENTS_MIN_BYTES = 128 * 1024;
/** Every client is looked at in so many sweeps. */
const SWEEPS_PER_ROUND = 10;
const SWEEP_MIN_CLIENTS = 5;

export interface LimitParts {
  readonly clients: ClientRegistry;
  nowMs(): number;
  outputLimits(): OutputLimits;
  /** seconds, 0 = never */
  idleSeconds(): number;
  /** maxmemory-clients in bytes, 0 = no limit. */
  clientsBytes(): number;
  describe(client: Client): string;
  log(level: "verbose" | "notice" | "warning", text: string): void;
}

/** maxmemory-clients in bytes: as set, or negative for a share of maxmemory in percent. 0 = no limit. */
export function clientsLimitBytes(setting: number, maxmemoryBytes: number): number {
  const bytes = setting < 0 ? Math.floor((maxmemoryBytes * -setting) / 100) : setting;
  return bytes === 0 ? 0 : Math.max(bytes, CLIENTS_MIN_BYTES);
}

function limitClass(type: ClientType): keyof OutputLimits {
  if (type === "pubsub") return "pubsub";
  return type === "replica" ? "slave" : "normal";
}

export class ClientLimits {
  evictedClients = 0;
  outputDisconnections = 0;
  inputDisconnections = 0;
  private readonly doomed: Client[] = [];
  private scheduled: ReturnType<typeof setImmediate> | undefined;

  constructor(private readonly parts: LimitParts) {}

  /** The client's outbox has grown. @returns whether that was too much: it gets nothing any more and is about to be closed */
  outputGrew(client: Client): boolean {
    if (client.doomed) return true;
    if (!this.isOverOutputLimit(client)) return false;
    this.outputDisconnections++;
    this.parts.log(
      "warning",
      `Client ${this.parts.describe(client)} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    );
    this.doom(client);
    return true;
  }

  /** Too much input waits for the client to be served. */
  inputOverflow(client: Client, first: Uint8Array): void {
    if (client.doomed) return;
    this.inputDisconnections++;
    this.parts.log(
      "warning",
      `Closing client that reached max query buffer length: ${this.parts.describe(client)} (qbuf initial bytes: ${JSON.stringify(Buffer.from(first).toString("latin1"))})`,
    );
    this.doom(client);
  }

  /** The buffers of all clients have changed: the largest are closed if they are too much together. */
  memoryGrew(): void {
    const limit = this.parts.clientsBytes();
    if (limit !== 0 && this.parts.clients.memoryBytes() >= limit) this.schedule();
  }

  /** A tenth of all clients: those that are silent for too long, or above the soft limit, are closed. */
  sweep(): void {
    const { clients } = this.parts;
    const count = Math.max(SWEEP_MIN_CLIENTS, Math.ceil(clients.size / SWEEPS_PER_ROUND));
    const idleSeconds = this.parts.idleSeconds();
    const now = this.parts.nowMs();
    for (const client of clients.next(count)) {
      const silentSeconds = Math.floor(now / 1000) - Math.floor(client.lastActiveMs / 1000);
      if (idleSeconds !== 0 && silentSeconds > idleSeconds && this.mayIdleOut(client)) {
        this.parts.log("verbose", "Closing idle client");
        client.link.end();
      } else if (!client.outbox.isEmpty) this.outputGrew(client);
    }
    this.memoryGrew();
  }

  /** CONFIG RESETSTAT. */
  resetCounts(): void {
    this.evictedClients = 0;
    this.outputDisconnections = 0;
    this.inputDisconnections = 0;
  }

  stop(): void {
    if (this.scheduled !== undefined) clearImmediate(this.scheduled);
  }

  private mayIdleOut(client: Client): boolean {
    return !client.isWaiting && (client.type === "normal" || client.type === "master");
  }

  private isOverOutputLimit(client: Client): boolean {
    const { bytes } = client.outbox;
    const limit = this.parts.outputLimits()[limitClass(client.type)];
    if (limit.hardBytes !== 0 && bytes >= limit.hardBytes) return true;
    if (limit.softBytes === 0 || bytes < limit.softBytes) {
      client.overSoftLimitSinceMs = 0;
      return false;
    }
    const now = this.parts.nowMs();
    if (client.overSoftLimitSinceMs === 0) client.overSoftLimitSinceMs = now;
    return now - client.overSoftLimitSinceMs > limit.softSeconds * 1000;
  }

  private doom(client: Client): void {
    client.doomed = true;
    client.closing = true;
    client.outbox.clear();
    this.parts.clients.recount(client);
    this.doomed.push(client);
    this.schedule();
  }

  private schedule(): void {
    this.scheduled ??= setImmediate(() => {
      this.scheduled = undefined;
      for (const client of this.doomed.splice(0)) client.link.end();
      this.evict();
    });
  }

  /** Closes the largest clients until the others are within maxmemory-clients. */
  private evict(): void {
    const { clients } = this.parts;
    const limit = this.parts.clientsBytes();
    if (limit === 0 || clients.memoryBytes() < limit) return;
    const candidates = [...clients.all()]
      .filter((client) => !client.noEvict && (client.type === "normal" || client.type === "pubsub"))
      .sort((a, b) => b.memoryBytes() - a.memoryBytes());
    for (const client of candidates) {
      if (clients.memoryBytes() < limit) return;
      this.parts.log("notice", `Evicting client: ${this.parts.describe(client)}`);
      this.evictedClients++;
      client.link.end();
    }
    if (clients.memoryBytes() >= limit)
      this.parts.log("warning", "Over client maxmemory after evicting all evictable clients");
  }
}
