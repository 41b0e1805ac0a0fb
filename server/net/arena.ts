/**
 * The output window as an arena of replies (MECHANISMS 4): who is being written to, which pieces belong to whom, and when they
 * leave. Without a log a client's piece leaves when its chunk is done; with one, when the turn's block is written. What the
 * kernel does not take, and what must wait, is copied to the client's outbox: no view outlives the turn.
 */
import { Address, IoField } from "../../core-wasm/abi.ts";
import type { Client } from "../client/client.ts";
import type { CoreMemory } from "../core/memory.ts";

const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;

/** Views of up to this many bytes are kept. */
const KEPT_VIEWS = 1024;

/** Who hears of what clients have not taken. */
export interface OutputWatcher {
  outputGrew(client: Client): void;
  outputShrank(client: Client): void;
}

interface Segment {
  client: Client;
  begin: number;
  end: number;
}

export class ReplyArena {
  /** Pieces wait for the end of the turn. */
  deferred = false;
  private current: Client | null = null;
  private begin: number = Address.Output;
  private segments: Segment[] = [];
  private held: Client[] = [];
  private readonly views: Uint8Array[] = [];

  constructor(
    private readonly memory: CoreMemory,
    private readonly stats: { netOutputBytes: number; writesProcessed: number },
    private readonly watcher: OutputWatcher,
  ) {}

  /** Bytes written to the current client that have not left yet. */
  get pendingBytes(): number {
    return this.memory.i32[OUT_TOP]! - this.begin;
  }

  /** Replies go to `client` from here on; null discards them. */
  open(client: Client | null): void {
    this.current = client;
    this.begin = this.memory.i32[OUT_TOP]!;
  }

  /** Ends the current client's piece: it leaves now, or waits for `release`. */
  close(): void {
    const { i32 } = this.memory;
    const top = i32[OUT_TOP]!;
    const client = this.current;
    this.current = null;
    if (client === null) {
      i32[OUT_TOP] = this.begin;
      return;
    }
    if (this.deferred) {
      if (top > this.begin || client.closing)
        this.segments.push({ client, begin: this.begin, end: top });
      return;
    }
    i32[OUT_TOP] = Address.Output;
    this.send(client, this.begin, top);
  }

  /** The window is full: everything in it moves to outboxes. Called in the middle of a command; writes to no socket. */
  drain(): void {
    const { i32 } = this.memory;
    for (const { client, begin, end } of this.segments) this.append(client, begin, end);
    this.segments.length = 0;
    if (this.current !== null) {
      this.append(this.current, this.begin, i32[OUT_TOP]!);
      // Over its limit: the rest goes nowhere.
      if (this.current.doomed) this.current = null;
    }
    i32[OUT_TOP] = Address.Output;
    this.begin = Address.Output;
  }

  /** The turn's block is written: its replies leave. */
  release(): void {
    const segments = this.segments;
    this.segments = [];
    this.memory.i32[OUT_TOP] = Address.Output;
    for (const { client, begin, end } of segments) this.send(client, begin, end);
  }

  /** The turn's block could not be written: its replies wait in outboxes. */
  hold(): void {
    for (const { client, begin, end } of this.segments) {
      this.append(client, begin, end);
      if (!client.held) this.held.push(client);
      client.held = true;
    }
    this.segments.length = 0;
    this.memory.i32[OUT_TOP] = Address.Output;
  }

  /** Ends the wait of `hold`: replies leave, or their connections are closed without them. */
  releaseHeld(verdict: "send" | "close"): void {
    const held = this.held;
    this.held = [];
    for (const client of held) {
      client.held = false;
      if (verdict === "close") client.link.terminate();
      else this.flush(client);
    }
  }

  /** Writes what the kernel takes of a client's outbox; resumes or ends the connection when it is empty. */
  flush(client: Client): void {
    if (client.held) return;
    const before = client.outbox.bytes;
    const empty = client.outbox.flush((block) => client.link.write(block));
    this.stats.netOutputBytes += before - client.outbox.bytes;
    if (client.outbox.bytes < before) {
      this.stats.writesProcessed++;
      this.watcher.outputShrank(client);
    }
    if (empty && client.closing) client.link.end();
  }

  /** Copies a piece of the window to the client's outbox. */
  private append(client: Client, begin: number, end: number): void {
    if (end === begin || client.doomed) return;
    client.outbox.append(this.memory.u8.subarray(begin, end));
    this.watcher.outputGrew(client);
  }

  /** A view of the window; the short ones at its start, which most replies are, are made once. */
  private view(begin: number, end: number): Uint8Array {
    const length = end - begin;
    if (begin !== Address.Output || length >= KEPT_VIEWS)
      return this.memory.u8.subarray(begin, end);
    this.views[length] ??= this.memory.u8.subarray(begin, end);
    return this.views[length];
  }

  private send(client: Client, begin: number, end: number): void {
    if (!client.outbox.isEmpty || client.held) {
      this.append(client, begin, end);
      this.flush(client);
      return;
    }
    if (end > begin) {
      const taken = client.link.write(this.view(begin, end));
      if (taken < 0) return;
      this.stats.netOutputBytes += taken;
      this.stats.writesProcessed++;
      if (taken < end - begin) this.append(client, begin + taken, end);
    }
    if (client.closing && client.outbox.isEmpty) client.link.end();
  }
}
