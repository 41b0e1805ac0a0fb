/**
 * MULTI to EXEC: commands are checked when they come and kept, whole, in the core's heap; EXEC runs them one after another, as one
 * unit of the log. Kept commands are part of used_memory: a client that queues without end meets -OOM, or the limit of its query buffer.
 *
 * Redis's rules: an error before a command is queued lets EXEC fail, one while it runs does not stop the others; a touched watched key
 * lets EXEC answer null.
 */
import { Address, IoField, IoFlag, KEPT_HEADER_BYTES } from "../../core-wasm/abi.ts";
import { type Client, Gate } from "../client/client.ts";
import { Transaction } from "../client/transaction.ts";
import type { Core } from "../core/core.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { Watchers } from "./watch.ts";

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;

/** The dispatcher, as EXEC needs it. */
export interface UnitRunner {
  /** What follows is one unit of the log, and timed command by command. */
  beginUnit(): void;
  /** Runs a command that was found and let through when it was queued. */
  runQueued(client: Client, index: number, argc: number): void;
  endUnit(): void;
}

export class Transactions {
  constructor(
    private readonly core: Core,
    private readonly reply: ReplyWriter,
    private readonly watchers: Watchers,
    private readonly runner: UnitRunner,
  ) {}

  begin(client: Client): void {
    if (client.multi !== null) return this.reply.error("ERR MULTI calls can not be nested");
    client.multi = new Transaction();
    client.gate |= Gate.Multi;
    this.reply.ok();
  }

  /**
   * Keeps the command in the argv table. Nothing is kept for a client whose EXEC will fail anyway.
   * @returns false = no memory
   */
  queue(client: Client, command: { index: number; argc: number; flags: number }): boolean {
    const { multi } = client;
    if (multi === null) return false;
    if (!multi.failed && !client.dirtyWatch) {
      const { core } = this;
      const run = core.keepCommand(command.argc) >>> 0;
      if (run === 0) return false;
      const header = core.memory.bytes(run, KEPT_HEADER_BYTES);
      multi.bytes += new DataView(header.buffer, header.byteOffset).getUint32(0, true);
      multi.flags |= command.flags;
      multi.commands.push({ index: command.index, run, argc: command.argc });
    }
    this.reply.simple("QUEUED");
    return true;
  }

  exec(client: Client): void {
    const { reply, watchers } = this;
    const { multi } = client;
    if (multi === null) return reply.error("ERR EXEC without MULTI");
    const dirty = watchers.isDirty(client);
    if (multi.failed) reply.error("EXECABORT Transaction discarded because of previous errors.");
    else if (dirty) reply.nilArray();
    else {
      // Its own commands do not make it fail.
      watchers.unwatch(client);
      this.run(client, multi);
    }
    this.leave(client);
  }

  private run(client: Client, multi: Transaction): void {
    const { core, runner } = this;
    const { i32 } = core.memory;
    const argv = i32[ARGV_PTR]!;
    this.reply.array(multi.count);
    runner.beginUnit();
    i32[FLAGS]! |= IoFlag.InUnit;
    for (const { index, run, argc } of multi.commands) {
      i32[ARGV_PTR] = (run + KEPT_HEADER_BYTES) | 0;
      runner.runQueued(client, index, argc);
    }
    i32[FLAGS]! &= ~IoFlag.InUnit;
    i32[ARGV_PTR] = argv;
    runner.endUnit();
  }

  discard(client: Client): void {
    if (client.multi === null) return this.reply.error("ERR DISCARD without MULTI");
    this.leave(client);
    this.reply.ok();
  }

  watch(client: Client, keys: Iterable<Uint8Array>): void {
    const { reply } = this;
    if (client.multi !== null) return reply.error("ERR WATCH inside MULTI is not allowed");
    // EXEC will fail as it is.
    if (!client.dirtyWatch)
      for (const key of keys)
        if (!this.watchers.watch(client, key))
          return reply.error("OOM command not allowed when used memory > 'maxmemory'.");
    reply.ok();
  }

  unwatch(client: Client): void {
    this.watchers.unwatch(client);
    client.dirtyWatch = false;
    this.reply.ok();
  }

  /** Forgets queue and watched keys: after EXEC, and when a client resets or goes. */
  leave(client: Client): void {
    for (const { run } of client.multi?.commands ?? []) this.core.freeInput(run | 0);
    client.multi = null;
    client.gate &= ~Gate.Multi;
    this.watchers.unwatch(client);
    client.dirtyWatch = false;
  }
}
