/**
 * The only road from argv to reply. Looks the command up by its packed name, judges arity and the client's state, runs it in
 * the core or in its TypeScript handler, and hands what it changed to the log.
 */
import {
  Address,
  type Cmd,
  CommandFlag,
  IoField,
  StateField,
  Status,
} from "../../core-wasm/abi.ts";
import { type Client, Gate } from "../client/client.ts";
import type { Args, CommandContext } from "../commands/context.ts";
import { coreFlags } from "../commands/spec.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Core } from "../core/core.ts";
import type { CoreMemory } from "../core/memory.ts";
import type { AppendLog } from "../persistence/aof/log.ts";
import type { Framer } from "../resp/framer.ts";
import { Effects } from "./effects.ts";

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
/** A flag of ours, above those the core knows. */
const NO_AUTH = 64;
/** Bytes of arguments that an unknown command's error shows. */
const SHOWN_ARGUMENT_BYTES = 128;

/** The words of the running command, read where they lie. */
export class ArgvArgs implements Args {
  count = 0;

  constructor(private readonly memory: CoreMemory) {}

  bytes(index: number): Uint8Array {
    const { words, i32 } = this.memory;
    const table = i32[ARGV_PTR]! >>> 0;
    if (table + index * 8 + 8 <= Address.Heap)
      return this.memory.bytes(
        words.getUint32(table + index * 8, true),
        words.getUint32(table + index * 8 + 4, true),
      );
    const pair = this.memory.bytes(table + index * 8, 8);
    const view = new DataView(pair.buffer, pair.byteOffset, 8);
    return this.memory.bytes(view.getUint32(0, true), view.getUint32(4, true));
  }

  text(index: number): string {
    return Buffer.from(this.bytes(index)).toString("latin1");
  }

  word(index: number): string {
    return this.text(index).toLowerCase();
  }

  integer(index: number): number | undefined {
    const text = this.text(index);
    if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  }
}

export class Dispatcher {
  readonly effects: Effects;
  log: AppendLog | null = null;
  private readonly ids: Int32Array;
  private readonly arities: Int32Array;
  private readonly flags: Uint8Array;
  private readonly names: string[];

  constructor(
    private readonly core: Core,
    private readonly framer: Framer,
    private readonly table: CommandTable,
    private readonly context: CommandContext,
    private readonly args: ArgvArgs,
  ) {
    const { specs } = table;
    const names = new Map(
      specs.map((spec) => [spec.id ?? 0, Buffer.from(spec.name.toUpperCase())]),
    );
    this.effects = new Effects(core.memory, (id) => names.get(id)!);
    this.ids = Int32Array.from(specs, (spec) => spec.id ?? 0);
    this.arities = Int32Array.from(specs, (spec) => spec.arity);
    this.flags = Uint8Array.from(
      specs,
      (spec) => coreFlags(spec) | (spec.flags.includes("no_auth") ? NO_AUTH : 0),
    );
    this.names = specs.map((spec) => spec.name);
    for (const spec of specs.flatMap((row) => [row, ...(row.subcommands ?? [])]))
      if (spec.id !== undefined)
        core.memory.u8[Address.State + StateField.CommandFlags + spec.id] = coreFlags(spec);
  }

  /** Everything that changes is written to `log` from here on. */
  follow(log: AppendLog): void {
    this.log = log;
    this.effects.follow(log, () => this.propagateRequest());
  }

  /** Runs the command in the argv table for the client that the arena has open. */
  run(client: Client, argc: number): void {
    const { i32, words } = this.core.memory;
    this.args.count = argc;
    const table = i32[ARGV_PTR]!;
    const inWindow = table === Address.ArgvTable;
    const index = inWindow
      ? this.table.lookup(words, i32[table >> 2]!, i32[(table >> 2) + 1]!)
      : this.table.indexOf(this.args.text(0));
    if (index < 0) return this.unknown();
    const arity = this.arities[index]!;
    if (arity >= 0 ? argc !== arity : argc < -arity) {
      const name = this.names[index]!;
      return this.fail(`ERR wrong number of arguments for '${name}' command`);
    }
    const flags = this.flags[index]!;
    if (client.gate !== 0 && (client.gate & Gate.NeedsAuth) !== 0 && (flags & NO_AUTH) === 0)
      return this.fail("NOAUTH Authentication required.");
    const { stats } = this.context.services;
    stats.commandsProcessed++;
    stats.calls[index]!++;
    client.lastCommand = this.names[index]!;
    const id = this.ids[index]!;
    if (id === 0) return this.handle(client, index);
    if ((flags & CommandFlag.Write) !== 0 && this.log !== null) {
      const refusal = this.log.refusal();
      if (refusal !== undefined) return this.fail(refusal);
    }
    const status = this.core.execute(id, argc);
    if (status !== 0) this.settle(status);
  }

  /** Runs a command of the core for a handler: a subcommand, on the words as they came. */
  execute(id: Cmd): void {
    const status = this.core.execute(id, this.args.count);
    if (status !== 0) this.settle(status);
  }

  /** What the status of an executed command asks for. */
  private settle(status: number): void {
    if ((status & Status.Error) !== 0) this.context.services.stats.errorReplies++;
    if (this.log === null) return;
    if ((status & Status.Effects) !== 0) this.effects.consume();
    if ((status & (Status.Changed | Status.Rewritten)) === Status.Changed) this.propagateRequest();
  }

  private propagateRequest(): void {
    const { i32 } = this.core.memory;
    const { framer, log } = this;
    const db = i32[DB]!;
    if (framer.canonical) log?.frame(db, framer.frameStart, framer.position - framer.frameStart);
    else log?.words(db, null, i32[ARGV_PTR]! >>> 0, this.args.count);
  }

  private handle(client: Client, index: number): void {
    const { context } = this;
    context.client = client;
    const spec = this.table.specs[index]!;
    if (spec.handler === undefined) return this.unknown();
    spec.handler(context);
    // SELECT, HELLO and RESET change what the core reads.
    const { i32 } = this.core.memory;
    i32[DB] = client.db;
    i32[PROTOCOL] = client.protocol;
    this.framer.authenticated = client.authenticated;
  }

  private fail(line: string): void {
    this.context.services.stats.errorReplies++;
    this.context.reply.error(line);
  }

  private unknown(): void {
    const { args } = this;
    let shown = "";
    for (let i = 1; i < args.count && shown.length < SHOWN_ARGUMENT_BYTES; i++)
      shown += `'${printed(args.text(i), SHOWN_ARGUMENT_BYTES - shown.length)}' `;
    const name = printed(args.text(0), SHOWN_ARGUMENT_BYTES);
    this.fail(`ERR unknown command '${name}', with args beginning with: ${shown}`);
  }
}

/** A word as Redis prints it into an error: its first bytes, up to a NUL. */
function printed(word: string, bytes: number): string {
  const end = word.indexOf("\0");
  return word.slice(0, end === -1 ? bytes : Math.min(end, bytes));
}
