/**
 * One socket: chunks in, whole commands to the dispatcher, the rest carried over. A client that does not read its replies is
 * not read from either; one that sends more than the limits allow is closed.
 */
import { Address, ARGV_TABLE_ENTRIES, IoField, IoFlag, StateField } from "../../core-wasm/abi.ts";
import type { Client } from "../client/client.ts";
import type { Clock, ServerStats } from "../commands/context.ts";
import type { Core } from "../core/core.ts";
import type { Dispatcher } from "../dispatch/dispatch.ts";
import { type Framer, GOING_ON, INVALID, TOO_MANY_WORDS } from "../resp/framer.ts";
import { LargeFrame, LargeState } from "../resp/large-frame.ts";
import type { ReplyArena } from "./arena.ts";

/** A client whose outbox holds more is not served until it has read. */
const HIGH_WATER_BYTES = 1 << 20;
/** Unfinished commands above this are gathered outside the input window. */
const CARRY_MAX_BYTES = 1 << 20;
/** Chunks above this are given back to the kernel's pool at once instead of waiting for the collector. */
const TRANSFER_MIN_BYTES = 4096;

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
/** From here on it pays to ask for memory ahead. */
const PREFETCH_MIN_FRAMES = 2;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const NOW = (Address.State + StateField.NowMs) >> 3;

/** What a connection needs of its server: one object for all of them. */
export interface ServingParts {
  readonly core: Core;
  readonly framer: Framer;
  readonly arena: ReplyArena;
  /** proto-max-bulk-len and client-query-buffer-limit, in bytes. */
  readonly limits: { maxBulkBytes: number; queryBufferBytes: number };
  readonly clock: Clock;
  readonly dispatcher: Dispatcher;
  readonly stats: ServerStats;
  error(client: Client, line: string): void;
  /** A chunk is done: its frames are about to be overwritten. */
  chunkDone(): void;
}

export class Connection {
  private carry: Uint8Array | null = null;
  private large: LargeFrame | null = null;
  /** Bytes that came while the client was paused in the middle of a chunk. */
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
    if (client.paused) {
      this.waiting = this.waiting === null ? chunk : Buffer.concat([this.waiting, chunk]);
      client.carriedBytes = this.waiting.length;
      return;
    }
    this.begin();
    this.consume(chunk);
    this.end();
  }

  /** The outbox is empty again: what waited is served. */
  resume(): void {
    this.client.paused = false;
    const waiting = this.waiting;
    if (waiting === null) return;
    this.waiting = null;
    this.begin();
    this.consume(waiting);
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
    arena.open(client);
    dispatcher.beginChunk(us);
  }

  private end(): void {
    const { parts, client } = this;
    parts.dispatcher.endChunk();
    parts.chunkDone();
    parts.arena.close();
    if (this.carry === null && this.large === null && this.waiting === null) {
      client.carriedBytes = 0;
      if (client.paused && client.outbox.isEmpty) client.link.resume();
      return;
    }
    client.carriedBytes =
      (this.carry?.length ?? 0) + (this.large?.gatheredBytes ?? 0) + (this.waiting?.length ?? 0);
    if (client.carriedBytes > this.parts.limits.queryBufferBytes) client.link.terminate();
    // The socket may have taken everything when the piece left.
    else if (client.paused && client.outbox.isEmpty) client.link.resume();
  }

  private consume(chunk: Uint8Array): void {
    let rest: Uint8Array | null = chunk;
    while (rest !== null && !this.client.closing) {
      if (this.client.paused) {
        this.waiting = rest;
        return;
      }
      rest = this.large === null ? this.frameWindow(rest) : this.gather(this.large, rest);
    }
  }

  /** Frames the carried bytes and the chunk in the input window. @returns what did not fit the window */
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
      this.frame(start + room);
      return chunk.subarray(room);
    }
    u8.set(chunk, start);
    if (length > TRANSFER_MIN_BYTES && length === chunk.buffer.byteLength)
      (chunk.buffer as ArrayBuffer).transfer(0);
    this.frame(start + length);
    return null;
  }

  /** Executes what is whole in the window, a batch at a time, and keeps the rest. */
  private frame(end: number): void {
    const { parts, client } = this;
    const { framer, core, dispatcher } = parts;
    framer.position = Address.Input;
    framer.authenticated = client.authenticated;
    do {
      const frames = framer.batch(end);
      const next = framer.position;
      if (frames >= PREFETCH_MIN_FRAMES) core.prefetch(frames);
      for (let i = 0; i < frames; i++) {
        dispatcher.run(client, framer.select(i));
        if (client.closing) return;
        if (client.paused || client.outbox.bytes > HIGH_WATER_BYTES) return this.pauseAt(end);
      }
      framer.position = next;
    } while (framer.stopped === GOING_ON);
    core.memory.i32[ARGV_PTR] = Address.ArgvTable;
    this.keepRest(end);
  }

  /** Stops serving this client; what lies behind the current frame waits. */
  private pauseAt(end: number): void {
    const { framer, core } = this.parts;
    const { client } = this;
    if (!client.paused) client.link.pause();
    client.paused = true;
    if (framer.position < end) this.waiting = core.memory.u8.slice(framer.position, end);
  }

  private keepRest(end: number): void {
    const { parts, client } = this;
    const { framer } = parts;
    if (framer.stopped === INVALID) {
      parts.error(client, framer.error);
      client.closing = true;
      return;
    }
    if (framer.position >= end) return;
    const tail = parts.core.memory.u8.slice(framer.position, end);
    if (framer.stopped !== TOO_MANY_WORDS && tail.length + framer.missing <= CARRY_MAX_BYTES) {
      this.carry = tail;
      return;
    }
    this.large = new LargeFrame(parts.limits.maxBulkBytes);
    this.waitForMore(this.large, this.large.push(tail));
  }

  /** Adds a chunk to a large command and runs it when it is whole. @returns the bytes behind it */
  private gather(large: LargeFrame, chunk: Uint8Array): Uint8Array | null {
    const state = large.push(chunk);
    if (state !== LargeState.Whole) {
      this.waitForMore(large, state);
      return null;
    }
    return this.runLarge(large);
  }

  private waitForMore(large: LargeFrame, state: LargeState): void {
    if (state === LargeState.Invalid) {
      this.parts.error(this.client, large.error);
      this.client.closing = true;
      this.large = null;
    } else if (state === LargeState.Whole) this.waiting = this.runLarge(large);
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
      parts.dispatcher.endChunk();
      parts.chunkDone();
      core.memory.i32[ARGV_PTR] = Address.ArgvTable;
      core.freeInput(run | 0);
    }
    const surplus = large.surplus();
    return surplus.length > 0 ? surplus : null;
  }
}
