/**
 * One socket: chunks in, whole commands to the dispatcher, the rest carried over. A client that does not read its replies is
 * not read from either; one that sends more than the limits allow is closed.
 */
import { Address, ARGV_TABLE_ENTRIES, IoField, IoFlag, StateField } from "../../core-wasm/abi.ts";
import type { Backpressure } from "../client/backpressure.ts";
import { type Client, Stop } from "../client/client.ts";
import type { ClientLimits } from "../client/limits.ts";
import type { Clock, ServerStats } from "../commands/context.ts";
import { type Core, PREFETCH_MIN_FRAMES } from "../core/core.ts";
import type { Dispatcher } from "../dispatch/dispatch.ts";
import {
  type Framer,
  type FramerLimits,
  GOING_ON,
  INVALID,
  TOO_MANY_WORDS,
} from "../resp/framer.ts";
import { LargeFrame, LargeState } from "../resp/large-frame.ts";
import type { ReplyArena } from "./arena.ts";

/** A client that waits is not read from beyond this. */
const WAITING_MAX_BYTES = 65536;
/** How long an input peak is remembered. */
const INPUT_PEAK_MS = 500;
/** Unfinished commands above this are gathered outside the input window. */
const CARRY_MAX_BYTES = 1 << 20;
/** One above this may be carried over so many times: a client that sends it bit by bit is not to have it copied each time. */
const CARRY_OFTEN_BYTES = 32768;
const CARRY_OFTEN_TIMES = 4;
/** Chunks above this are given back to the kernel's pool at once instead of waiting for the collector. */
const TRANSFER_MIN_BYTES = 4096;

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
/** Where there was nothing to ask for, so many batches of the client go without. */
const BATCHES_WITHOUT = 15;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const NOW = (Address.State + StateField.NowMs) >> 3;

export interface InputLimits extends FramerLimits {
  /** client-query-buffer-limit */
  queryBufferBytes: number;
}

/** What a connection needs of its server: one object for all of them. */
export interface ServingParts {
  readonly core: Core;
  readonly framer: Framer;
  readonly arena: ReplyArena;
  readonly limits: InputLimits;
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly stats: ServerStats;
  readonly backpressure: Backpressure;
  readonly clientLimits: ClientLimits;
  error(client: Client, line: string): void;
  /** The frames that were read are about to be overwritten. */
  framesDone(): void;
  /** The chunk is done and its replies are on their way. */
  chunkDone(client: Client): void;
}

const NOTHING = new Uint8Array(0);

export class Connection {
  private carry: Uint8Array | null = null;
  /** How many times in a row something was carried. */
  private carries = 0;
  private large: LargeFrame | null = null;
  /** Batches to come for which no memory is asked ahead. */
  private batchesWithout = 0;
  /** Commands and parts of them that came while the client was not served, or were cut off when it stopped being. */
  private waiting: Uint8Array | null = null;

  constructor(
    private readonly parts: ServingParts,
    readonly client: Client,
  ) {}

  /** A chunk from the socket; it is ours to keep. */
  receive(chunk: Uint8Array): void {
    const { parts, client } = this;
    if (client.closing) return;
    parts.stats.netInputBytes += chunk.length;
    parts.stats.readsProcessed++;
    client.chunkBytes = chunk.length;
    if (client.stops === 0 && this.waiting === null) return this.serve(chunk);
    this.keep(chunk);
    // What waited comes first, though nothing stops the client any more.
    if (client.stops === 0) return this.resume();
    this.countInput();
    if (client.carriedBytes > WAITING_MAX_BYTES) client.link.pause();
  }

  /** Nothing stops the client any more: what waited is served. */
  resume(): void {
    const { client, waiting } = this;
    if (waiting === null || client.stops !== 0 || client.closing) return;
    this.waiting = null;
    this.serve(waiting);
  }

  private serve(chunk: Uint8Array): void {
    this.begin();
    this.consume(chunk);
    this.end();
  }

  private begin(): void {
    const { client } = this;
    const { core, arena, clock, dispatcher } = this.parts;
    const { i32, f64 } = core.memory;
    const us = clock.monotonicUs();
    const nowMs = clock.wallMs(us);
    client.lastActiveMs = nowMs;
    f64[NOW] = nowMs;
    i32[PROTOCOL] = client.protocol;
    i32[DB] = client.db;
    i32[FLAGS] = (client.noTouch ? IoFlag.NoTouch : 0) | dispatcher.ioFlags;
    arena.open(client.silent ? null : client);
    dispatcher.beginChunk(client, us);
  }

  private end(): void {
    const { parts, client } = this;
    parts.dispatcher.endChunk();
    parts.framesDone();
    parts.arena.close();
    parts.chunkDone(client);
    // The arena knows nothing of a client whose replies are discarded.
    if (client.silent && client.closing) parts.arena.flush(client);
    this.countInput();
  }

  /** Says what waits of the client, queued commands too, and closes it if its input is too much. */
  private countInput(): void {
    const { parts, client, carry, large, waiting } = this;
    const waits = carry !== null || large !== null || waiting !== null || client.multi !== null;
    if (!waits && client.countedBytes === 0) return;
    const bytes = (carry?.length ?? 0) + (large?.gatheredBytes ?? 0) + (waiting?.length ?? 0);
    client.carriedBytes = bytes;
    const peakIsOld = client.lastActiveMs - client.inputPeakAtMs > INPUT_PEAK_MS;
    if (bytes > client.inputPeakBytes || peakIsOld) {
      client.inputPeakBytes = bytes;
      client.inputPeakAtMs = client.lastActiveMs;
    }
    parts.backpressure.inputChanged(client);
    if (bytes + (client.multi?.bytes ?? 0) > parts.limits.queryBufferBytes)
      parts.clientLimits.inputOverflow(client, carry ?? large?.firstBytes ?? waiting ?? NOTHING);
  }

  private keep(bytes: Uint8Array): void {
    this.waiting = this.waiting === null ? bytes : Buffer.concat([this.waiting, bytes]);
  }

  private consume(chunk: Uint8Array): void {
    let rest: Uint8Array | null = chunk;
    while (rest !== null && !this.client.closing) {
      if (this.client.stops !== 0) return this.keep(rest);
      rest = this.large === null ? this.frameWindow(rest) : this.gather(this.large, rest);
    }
  }

  /** Frames the carried bytes and the chunk in the input window. @returns what is left to be consumed */
  private frameWindow(chunk: Uint8Array): Uint8Array | null {
    const { u8 } = this.parts.core.memory;
    const carried = this.carry;
    let start: number = Address.Input;
    if (carried !== null) {
      this.carry = null;
      u8.set(carried, start);
      start += carried.length;
    }
    const room = Address.InputEnd - start - 64;
    const { length } = chunk;
    if (length > room) {
      u8.set(chunk.subarray(0, room), start);
      const rest = this.frame(start + room);
      const surplus = chunk.subarray(room);
      return rest === null ? surplus : Buffer.concat([rest, surplus]);
    }
    u8.set(chunk, start);
    if (length > TRANSFER_MIN_BYTES && length === chunk.buffer.byteLength)
      (chunk.buffer as ArrayBuffer).transfer(0);
    return this.frame(start + length);
  }

  /** Executes what is whole in the window, a batch at a time, and keeps the rest. @returns bytes behind a command that was too large for it */
  private frame(end: number): Uint8Array | null {
    const { parts, client } = this;
    const { framer, core, dispatcher } = parts;
    framer.position = Address.Input;
    framer.authenticated = client.authenticated;
    do {
      const frames = framer.batch(end);
      const next = framer.position;
      if (frames >= PREFETCH_MIN_FRAMES) this.prefetch(frames);
      for (let i = 0; i < frames; ) {
        i += dispatcher.runFrames(client, i, frames);
        if (client.closing) return null;
        if (client.stops !== 0) return this.stopAt(end);
      }
      framer.position = next;
      // The words of its commands are about to be overwritten.
      dispatcher.endChunk();
    } while (framer.stopped === GOING_ON);
    core.memory.i32[ARGV_PTR] = Address.ArgvTable;
    return this.keepRest(end);
  }

  /** Has the core load what the frames need, unless what this client asks for lay in the cache lately. */
  private prefetch(frames: number): void {
    if (this.batchesWithout > 0) this.batchesWithout--;
    else if (this.parts.core.prefetch(frames) === 0) this.batchesWithout = BATCHES_WITHOUT;
  }

  /** Stops serving this client; what lies behind the current frame waits. */
  private stopAt(end: number): null {
    const { framer, core } = this.parts;
    this.keepPostponed();
    core.memory.i32[ARGV_PTR] = Address.ArgvTable;
    if (framer.position < end) this.keep(core.memory.u8.slice(framer.position, end));
    return null;
  }

  /** A command that was not run, but postponed, comes again when the client is served. */
  private keepPostponed(): void {
    if ((this.client.stops & Stop.Postponed) !== 0) this.keep(this.parts.dispatcher.request());
  }

  private keepRest(end: number): Uint8Array | null {
    const { parts, client } = this;
    const { framer } = parts;
    if (framer.stopped === INVALID) {
      parts.error(client, framer.error);
      client.closing = true;
      return null;
    }
    if (framer.position > Address.Input) this.carries = 0;
    if (framer.oversized !== null) return this.gatherInline(framer.oversized, end);
    if (framer.position >= end) return null;
    const tail = parts.core.memory.u8.slice(framer.position, end);
    // Only what is missing of a word says that the frame is a multibulk one.
    const isOften =
      ++this.carries > CARRY_OFTEN_TIMES && tail.length > CARRY_OFTEN_BYTES && framer.missing > 1;
    if (
      framer.stopped !== TOO_MANY_WORDS &&
      tail.length + framer.missing <= CARRY_MAX_BYTES &&
      !isOften
    ) {
      this.carry = tail;
      return null;
    }
    this.carries = 0;
    return this.gatherAnew(tail);
  }

  /** An inline command of more words than the argv table has, as multibulk. */
  private gatherInline(command: Uint8Array, end: number): Uint8Array | null {
    const { framer, core } = this.parts;
    framer.oversized = null;
    return this.gatherAnew(Buffer.concat([command, core.memory.u8.subarray(framer.position, end)]));
  }

  private gatherAnew(bytes: Uint8Array): Uint8Array | null {
    this.large = new LargeFrame(this.parts.limits.maxBulkBytes);
    return this.gather(this.large, bytes);
  }

  /** Adds a chunk to a large command and runs it when it is whole. @returns the bytes behind it */
  private gather(large: LargeFrame, chunk: Uint8Array): Uint8Array | null {
    switch (large.push(chunk)) {
      case LargeState.Whole:
        return this.runLarge(large);
      case LargeState.Invalid:
        this.parts.error(this.client, large.error);
        this.client.closing = true;
        this.large = null;
        return null;
      case LargeState.More:
        return null;
    }
  }

  private runLarge(large: LargeFrame): Uint8Array | null {
    const { parts, client } = this;
    const { core, framer } = parts;
    this.large = null;
    const tableBytes = Math.max(large.argc, ARGV_TABLE_ENTRIES) * 8;
    const run = core.allocInput(large.bytes + tableBytes + 64) >>> 0;
    if (run === 0) {
      parts.error(client, "OOM command too large for the memory that is left");
    } else {
      large.place(core.memory, run + tableBytes, run);
      core.memory.i32[ARGV_PTR] = run | 0;
      framer.canonical = false;
      parts.dispatcher.run(client, large.argc);
      this.keepPostponed();
      parts.dispatcher.endChunk();
      parts.framesDone();
      core.memory.i32[ARGV_PTR] = Address.ArgvTable;
      core.freeInput(run | 0);
    }
    const surplus = large.surplus();
    return surplus.length > 0 ? surplus : null;
  }
}
