/**
 * One socket: chunks in, whole commands to the dispatcher, the rest carried over. A client that does not read its replies is
 * not read from either; one that sends more than the limits allow is closed.
 */
import { Address, ARGV_TABLE_ENTRIES, IoField, IoFlag, StateField } from "../../core-wasm/abi.ts";
import type { Client } from "../client/client.ts";
import type { Core } from "../core/core.ts";
import { type Framer, INVALID, TOO_MANY_WORDS } from "../resp/framer.ts";
import { LargeFrame, LargeState } from "../resp/large-frame.ts";
import type { ReplyArena } from "./arena.ts";

/** A client whose outbox holds more is not served until it has read. */
const HIGH_WATER_BYTES = 1 << 20;
/** Unfinished commands above this are gathered outside the input window. */
const CARRY_MAX_BYTES = 1 << 20;
/** Chunks above this are given back to the kernel's pool at once instead of waiting for the collector. */
const TRANSFER_MIN_BYTES = 4096;

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const NOW = (Address.State + StateField.NowMs) >> 3;

/** What a connection needs of its server. */
export interface ServingParts {
  readonly core: Core;
  readonly framer: Framer;
  readonly arena: ReplyArena;
  /** proto-max-bulk-len and client-query-buffer-limit, in bytes. */
  readonly limits: { maxBulkBytes: number; queryBufferBytes: number };
  nowMs(): number;
  /** Runs the command in the argv table. `frame` is where its bytes are, 0 if not in one piece of the input. */
  run(client: Client, argc: number): void;
  error(client: Client, line: string): void;
  /** A chunk is done: its frames are about to be overwritten. */
  chunkDone(): void;
  writesRefused(): boolean;
  netInput(bytes: number): void;
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
    parts.netInput(chunk.length);
    client.lastActiveMs = parts.nowMs();
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
    const { core, arena } = this.parts;
    const { i32, f64 } = core.memory;
    f64[NOW] = this.parts.nowMs();
    i32[PROTOCOL] = this.client.protocol;
    i32[DB] = this.client.db;
    i32[FLAGS] =
      (this.client.noTouch ? IoFlag.NoTouch : 0) |
      (this.parts.writesRefused() ? IoFlag.WritesRefused : 0);
    arena.open(this.client);
  }

  private end(): void {
    this.parts.chunkDone();
    this.parts.arena.close();
    const { client } = this;
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
    const { core, framer } = this.parts;
    const { u8 } = core.memory;
    const carried = this.carry;
    this.carry = null;
    let start: number = Address.Input;
    if (carried !== null) {
      u8.set(carried, start);
      start += carried.length;
    }
    const room = Address.InputEnd - start - 64;
    const piece = chunk.length <= room ? chunk : chunk.subarray(0, room);
    u8.set(piece, start);
    // A chunk that was given back has no length any more.
    const end = start + piece.length;
    const surplus = piece === chunk ? null : chunk.subarray(room);
    if (
      chunk.length > TRANSFER_MIN_BYTES &&
      piece === chunk &&
      chunk.byteLength === chunk.buffer.byteLength
    )
      (chunk.buffer as ArrayBuffer).transfer(0);
    this.frame(end, framer);
    return surplus;
  }

  private frame(end: number, framer: Framer): void {
    const { parts, client } = this;
    framer.position = Address.Input;
    framer.authenticated = client.authenticated;
    let argc = framer.next(end);
    while (argc > 0) {
      parts.run(client, argc);
      if (client.closing) return;
      if (client.outbox.bytes > HIGH_WATER_BYTES) {
        client.paused = true;
        client.link.pause();
        if (framer.position < end) this.waiting = parts.core.memory.u8.slice(framer.position, end);
        return;
      }
      argc = framer.next(end);
    }
    if (argc === INVALID) {
      parts.error(client, framer.error);
      client.closing = true;
      return;
    }
    if (framer.position >= end) return;
    const tail = parts.core.memory.u8.slice(framer.position, end);
    if (argc !== TOO_MANY_WORDS && tail.length + framer.missing <= CARRY_MAX_BYTES) {
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
      parts.run(client, large.argc);
      parts.chunkDone();
      core.memory.i32[ARGV_PTR] = Address.ArgvTable;
      core.freeInput(run | 0);
    }
    const surplus = large.surplus();
    return surplus.length > 0 ? surplus : null;
  }
}
