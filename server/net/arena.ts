/**
 * The output window as an arena of replies (MECHANISMS 4): who is being written to, which pieces belong to whom, and when they
 * leave. Without a log a client's piece leaves when its chunk is done. With one it does if what it tells is safe already, otherwise at the
 * end of the turn, if the log has made that safe (`Client.holdUntil`). Pieces that must wait are copied together, by the point of the log they wait for; what the
 * kernel does not take is copied to the client's outbox: no view outlives the turn. A client's pieces leave in order, whatever each waits for.
 */
import { Address, IoField } from "../../core-wasm/abi.ts";
import type { Client } from "../client/client.ts";
import type { CoreMemory } from "../core/memory.ts";

const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;

const HELD_FIRST_BYTES = 65536;
/** What waits for the log is counted as a client's memory from here on: most replies are short and wait shortly. */
const COUNTED_WAITING_BYTES = 16384;

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

/** Pieces that wait for one point of the log: copies, one behind the other. */
class HeldGroup {
  bytes = new Uint8Array(HELD_FIRST_BYTES);
  length = 0;
  readonly clients: Client[] = [];
  /** Where each piece ends. */
  readonly ends: number[] = [];

  constructor(public point: number) {}

  add(client: Client, piece: Uint8Array): void {
    const end = this.length + piece.length;
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(piece, this.length);
    this.length = end;
    this.clients.push(client);
    this.ends.push(end);
    client.heldPieces++;
    client.heldPoint = this.point;
    client.waitingBytes += piece.length;
  }

  /** To be filled again; room that a large reply needed is given back. */
  reuse(point: number): void {
    this.point = point;
    this.length = 0;
    this.clients.length = 0;
    this.ends.length = 0;
    if (this.bytes.length > HELD_FIRST_BYTES * 16) this.bytes = new Uint8Array(HELD_FIRST_BYTES);
  }
}

export class ReplyArena {
  /** Pieces that are not safe at once wait for the end of the turn. */
  deferred = false;
  /** What tells of no later point of the log need not wait for the end of the turn. */
  safeAtOnce: () => number = () => Number.NEGATIVE_INFINITY;
  /** Something waits for the end of the turn. */
  wantTurn: () => void = () => {};
  /** The latest point of the log that anything can wait for. */
  latestPoint: () => number = () => 0;
  private current: Client | null = null;
  private begin: number = Address.Output;
  private segments: Segment[] = [];
  /** In the order of their points. */
  private readonly groups: HeldGroup[] = [];
  private spareGroup: HeldGroup | null = null;
  /** Whose pieces the full window pushed into their outboxes in the turn at hand, or that wait there. */
  private pushed: Client[] = [];

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

  /** Replies go to another client from here on. @returns whom they went to */
  switchTo(client: Client | null): Client | null {
    const previous = this.current;
    if (previous !== null) this.close();
    this.open(client);
    return previous;
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
    if (this.deferred && !this.mayLeave(client)) {
      if (top === this.begin && !client.closing) return;
      this.segments.push({ client, begin: this.begin, end: top });
      return this.wantTurn();
    }
    i32[OUT_TOP] = Address.Output;
    this.send(client, this.begin, top);
  }

  /** Whether a piece of the client is safe before the turn ends, and none lies in the window or waits that it would overtake. */
  private mayLeave(client: Client): boolean {
    if (this.segments.length > 0 || client.heldPieces > 0 || client.heldBytes > 0) return false;
    return client.holdUntil <= this.safeAtOnce();
  }

  /** Nothing of what is written now goes to anybody. */
  get isDiscarding(): boolean {
    return this.current === null;
  }

  /** Writes to a client that is not served, or whose replies are discarded: between commands only. */
  writeTo(client: Client, write: () => void): void {
    const previous = this.switchTo(client);
    write();
    this.switchTo(previous);
  }

  /** The window is full: everything in it moves to outboxes. Called in the middle of a command; writes to no socket. */
  drain(): void {
    const { i32 } = this.memory;
    for (const { client, begin, end } of this.segments) this.push(client, begin, end);
    this.segments.length = 0;
    if (this.current !== null) {
      this.push(this.current, this.begin, i32[OUT_TOP]!);
      // Over its limit: the rest goes nowhere.
      if (this.current.doomed) this.current = null;
    }
    i32[OUT_TOP] = Address.Output;
    this.begin = Address.Output;
  }

  /** Moves a piece to the outbox; with a log it is not to leave before the turn ends. */
  private push(client: Client, begin: number, end: number): void {
    if (this.deferred && client.heldPieces > 0) {
      // Behind those: what the command that runs will need is not known yet, more than this it cannot be.
      return this.wait(client, begin, end, Math.max(this.latestPoint(), client.heldPoint));
    }
    const before = client.outbox.bytes;
    this.append(client, begin, end);
    if (!this.deferred) return;
    if (client.heldBytes === 0) this.pushed.push(client);
    this.wantTurn();
    client.heldBytes += client.outbox.bytes - before;
  }

  /** The turn is over: what needs no more than what is safe up to this point leaves, the rest waits. */
  endTurn(safePoint: number): void {
    if (this.pushed.length > 0) this.releasePushed(safePoint);
    const segments = this.segments;
    this.segments = [];
    this.memory.i32[OUT_TOP] = Address.Output;
    for (const { client, begin, end } of segments)
      if (client.holdUntil <= safePoint && client.heldPieces === 0) this.send(client, begin, end);
      else this.hold(client, begin, end);
  }

  private hold(client: Client, begin: number, end: number): void {
    // Behind what was pushed, which waits for the last that the client needs.
    if (client.heldBytes > 0) return this.push(client, begin, end);
    this.wait(client, begin, end, Math.max(client.holdUntil, client.heldPoint));
  }

  private wait(client: Client, begin: number, end: number, point: number): void {
    this.group(point).add(client, this.memory.u8.subarray(begin, end));
    if (client.waitingBytes > COUNTED_WAITING_BYTES) this.watcher.outputGrew(client);
  }

  private group(point: number): HeldGroup {
    const { groups } = this;
    const at = groups.findIndex((group) => group.point >= point);
    if (at >= 0 && groups[at]!.point === point) return groups[at]!;
    const group = this.spareGroup ?? new HeldGroup(point);
    this.spareGroup = null;
    group.reuse(point);
    groups.splice(at < 0 ? groups.length : at, 0, group);
    return group;
  }

  /** Everything up to this point is safe: the pieces that waited for it leave. */
  releaseUpTo(point: number): void {
    while (this.groups.length > 0 && this.groups[0]!.point <= point)
      this.releaseGroup(this.groups.shift()!);
    if (this.pushed.length > 0) this.releasePushed(point);
  }

  private releaseGroup(group: HeldGroup): void {
    const { clients, ends, bytes } = group;
    let begin = 0;
    for (const [i, client] of clients.entries()) {
      const end = ends[i]!;
      client.heldPieces--;
      client.waitingBytes -= end - begin;
      this.sendBytes(client, bytes, begin, end);
      if (client.countedBytes > 0) this.watcher.outputShrank(client);
      begin = end;
    }
    group.reuse(0);
    this.spareGroup = group;
  }

  private releasePushed(point: number): void {
    const clients = this.pushed;
    this.pushed = [];
    for (const client of clients)
      if (client.holdUntil <= point && client.heldPieces === 0) {
        client.heldBytes = 0;
        this.flush(client);
      } else this.pushed.push(client);
  }

  /** What waits will never be safe: those who wait are disconnected without an answer. */
  dropHeld(): void {
    const waiting = new Set([...this.groups.flatMap(({ clients }) => clients), ...this.pushed]);
    this.groups.length = 0;
    this.pushed = [];
    for (const client of waiting) {
      client.heldPieces = 0;
      client.waitingBytes = 0;
      client.heldBytes = 0;
      client.outbox.clear();
      client.link.terminate();
    }
  }

  /** Writes what the kernel takes of a client's outbox; resumes or ends the connection when it is empty. */
  flush(client: Client): void {
    const before = client.outbox.bytes;
    const empty = client.outbox.flush(
      (block) => client.link.write(block),
      before - client.heldBytes,
    );
    this.stats.netOutputBytes += before - client.outbox.bytes;
    if (client.outbox.bytes < before) {
      this.stats.writesProcessed++;
      this.watcher.outputShrank(client);
    }
    if (empty && client.closing && client.heldPieces === 0) client.link.end();
  }

  /** Copies a piece of the window to the client's outbox. */
  private append(client: Client, begin: number, end: number): void {
    this.appendBytes(client, this.memory.u8.subarray(begin, end));
  }

  private appendBytes(client: Client, bytes: Uint8Array): void {
    if (bytes.length === 0 || client.doomed) return;
    client.outbox.append(bytes);
    this.watcher.outputGrew(client);
  }

  private send(client: Client, begin: number, end: number): void {
    if (end > begin) this.sendBytes(client, this.memory.u8, begin, end);
    else this.flush(client);
  }

  /** No view is made of what the kernel takes whole, as it mostly does. */
  private sendBytes(client: Client, bytes: Uint8Array, begin: number, end: number): void {
    if (!client.outbox.isEmpty) {
      this.appendBytes(client, bytes.subarray(begin, end));
      this.flush(client);
      return;
    }
    const taken = end > begin ? client.link.write(bytes, begin, end) : 0;
    if (taken < 0) return;
    if (taken > 0) {
      this.stats.netOutputBytes += taken;
      this.stats.writesProcessed++;
    }
    if (begin + taken < end) this.appendBytes(client, bytes.subarray(begin + taken, end));
    else if (client.closing && client.heldPieces === 0) client.link.end();
  }
}
