/** All sessions of a server, by id, in order of arrival, and what they take together. */
import { type Client, IDLE_CLIENT_BYTES } from "./client.ts";

export class ClientRegistry {
  private readonly byId = new Map<number, Client>();
  private lastId = 0;
  private buffered = 0;
  private round: IterableIterator<Client> | undefined;
  /** Called after each change of `memoryBytes`. */
  onMemoryBytes: () => void = () => {};

  get size(): number {
    return this.byId.size;
  }

  /**
   * Part of used_memory, and what maxmemory-clients limits: each client's own share, replies not taken, commands that are not whole and
   * those behind MULTI.
   */
  memoryBytes(): number {
    return this.buffered + this.byId.size * IDLE_CLIENT_BYTES;
  }

  /** Ids are never used twice. */
  nextId(): number {
    return ++this.lastId;
  }

  add(client: Client): void {
    this.byId.set(client.id, client);
    this.onMemoryBytes();
  }

  remove(client: Client): void {
    if (!this.byId.delete(client.id)) return;
    this.buffered -= client.countedBytes;
    client.countedBytes = 0;
    this.onMemoryBytes();
  }

  get(id: number): Client | undefined {
    return this.byId.get(id);
  }

  all(): IterableIterator<Client> {
    return this.byId.values();
  }

  /** The next `count` clients of a walk that begins anew when it has come around; those that come and go are no matter. */
  *next(count: number): Generator<Client> {
    for (let left = count; left > 0; left--) {
      this.round ??= this.byId.values();
      const { value, done } = this.round.next();
      if (done) {
        this.round = undefined;
        return;
      }
      yield value;
    }
  }

  /** The client's buffers have changed. */
  recount(client: Client): void {
    const bytes = client.bufferBytes();
    if (bytes === client.countedBytes || !this.byId.has(client.id)) return;
    this.buffered += bytes - client.countedBytes;
    client.countedBytes = bytes;
    this.onMemoryBytes();
  }

  /** Clients that wait: for the end of a pause, or blocked. O(clients) */
  waitingCount(): number {
    let count = 0;
    for (const client of this.byId.values()) if (client.isWaiting) count++;
    return count;
  }
}
