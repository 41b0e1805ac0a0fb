/** All sessions of a server, by id, in order of arrival. */
import type { Client } from "./client.ts";

export class ClientRegistry {
  private readonly byId = new Map<number, Client>();
  private lastId = 0;

  get size(): number {
    return this.byId.size;
  }

  /** Ids are never used twice. */
  nextId(): number {
    return ++this.lastId;
  }

  add(client: Client): void {
    this.byId.set(client.id, client);
  }

  remove(client: Client): void {
    this.byId.delete(client.id);
  }

  get(id: number): Client | undefined {
    return this.byId.get(id);
  }

  all(): IterableIterator<Client> {
    return this.byId.values();
  }

  /** Bytes held for clients: part of used_memory. O(clients) */
  bufferBytes(): number {
    let bytes = 0;
    for (const client of this.byId.values()) bytes += client.outputBytes() + client.inputBytes();
    return bytes;
  }
}
