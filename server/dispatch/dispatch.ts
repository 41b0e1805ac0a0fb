/**
 * The only road from argv to reply. Looks the command up by its packed name, judges arity and the client's state, runs it in
 * the core or in its TypeScript handler, and hands what it changed to the log.
 */
import {
  Address,
  type Cmd,
  CommandFlag,
  IoField,
  IoFlag,
  StateField,
  Status,
} from "../../core-wasm/abi.ts";
import { type Client, Gate, Stop } from "../client/client.ts";
import type { Args, CommandContext } from "../commands/context.ts";
import { coreFlags } from "../commands/spec.ts";
import type { CommandTable } from "../commands/table.ts";
import type { Core } from "../core/core.ts";
import type { CoreMemory } from "../core/memory.ts";
import type { Framer } from "../resp/framer.ts";
import { encodeRequest } from "../resp/request.ts";
import { Effects, type PropagationLog } from "./effects.ts";

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const PAUSED = Gate.PausedAll | Gate.PausedWrites;
/** Flags of ours, above those the core knows. */
const NO_AUTH = 64;
/** Its time is taken call by call; that of the others per run of calls. */
const TIMED_ALONE = 128;
/** What is executed is the subcommand that word 1 names. */
const CONTAINER = 256;
/** Held back by CLIENT PAUSE WRITE. */
const MAY_REPLICATE = 16384;
/** Calls of one command that are timed together at the most. */
const RUN_MAX_CALLS = 64;
/** What of a status the dispatcher must act on, with and without somebody following what changes. */
const ATTENTION = Status.Error | Status.Effects | Status.Block;
const FOLLOWED_ATTENTION = ATTENTION | Status.Changed | Status.Rewritten;
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

/**
 * Told of every stretch of calls of one command (a position in the command table) with the time they took together. Commands that
 * are not `fast` come call by call; fast ones that follow each other in a chunk come together, since reading the clock costs as
 * much as they do.
 */
export type RunListener = (command: number, calls: number, microseconds: number) => void;

export class Dispatcher {
  readonly effects: Effects;
  log: PropagationLog | null = null;
  /** IoFlag bits that hold for every client. */
  ioFlags = 0;
  /** Gate bits that hold for every client: with any set, commands take the slow road. */
  gate = 0;
  onRun: RunListener = () => {};
  private attention = ATTENTION;
  private runCommand = -1;
  private runCalls = 0;
  private runStartUs = 0;
  private readonly ids: Int32Array;
  private readonly arities: Int32Array;
  private readonly flags: Uint16Array;
  private readonly names: string[];
  private isReplaying = false;

  constructor(
    private readonly core: Core,
    private readonly framer: Framer,
    private readonly table: CommandTable,
    private readonly context: CommandContext,
    private readonly args: ArgvArgs,
  ) {
    const { rows } = table;
    const specs = rows.map(({ spec }) => spec);
    const names = new Map(
      table.specs.map((spec) => [spec.id ?? 0, Buffer.from(spec.name.toUpperCase())]),
    );
    this.effects = new Effects(core.memory, (id) => names.get(id)!);
    this.ids = Int32Array.from(specs, (spec) => spec.id ?? 0);
    this.arities = Int32Array.from(specs, (spec) => spec.arity);
    this.flags = Uint16Array.from(
      specs,
      (spec) =>
        coreFlags(spec) |
        (spec.flags.includes("no_auth") ? NO_AUTH : 0) |
        (spec.flags.includes("fast") ? 0 : TIMED_ALONE) |
        (spec.subcommands !== undefined ? CONTAINER : 0) |
        (spec.flags.includes("write") || spec.flags.includes("may_replicate") ? MAY_REPLICATE : 0),
    );
    this.names = rows.map(({ name }) => name);
    for (const spec of specs)
      if (spec.id !== undefined)
        core.memory.u8[Address.State + StateField.CommandFlags + spec.id] = coreFlags(spec);
  }

  /** Everything that changes is written to `log` from here on. */
  follow(log: PropagationLog): void {
    this.log = log;
    this.attention = FOLLOWED_ATTENTION;
    log.onRefusal = (refused) => {
      this.gate = refused ? this.gate | Gate.WritesRefused : this.gate & ~Gate.WritesRefused;
      this.freeze();
    };
    this.effects.follow(log, () => this.propagateRequest());
  }

  /** CLIENT PAUSE: the bits hold for everybody from here on, 0 ends it. */
  pause(gate: number): void {
    this.gate = (this.gate & ~PAUSED) | gate;
    this.freeze();
    // For the rest of the chunk in hand.
    this.core.memory.i32[FLAGS]! &= ~IoFlag.WritesRefused;
    this.core.memory.i32[FLAGS]! |= this.ioFlags;
  }

  /** While writes are refused or paused, expired keys are hidden and nothing is evicted. */
  private freeze(): void {
    const frozen = (this.gate & (Gate.WritesRefused | PAUSED)) !== 0;
    this.ioFlags = frozen ? IoFlag.WritesRefused : 0;
  }

  /** The command in the argv table as its client may have sent it. */
  request(): Uint8Array {
    const { args } = this;
    return encodeRequest(Array.from({ length: args.count }, (_, i) => args.bytes(i)));
  }

  /** Times every call by itself, or fast ones in runs again. */
  timeEachCall(each: boolean): void {
    for (const [index, { spec }] of this.table.rows.entries())
      if (each || !spec.flags.includes("fast")) this.flags[index]! |= TIMED_ALONE;
      else this.flags[index]! &= ~TIMED_ALONE;
  }

  /** A chunk's commands follow. */
  beginChunk(nowUs: number): void {
    this.runStartUs = nowUs;
    this.runCommand = -1;
    this.runCalls = 0;
  }

  endChunk(): void {
    if (this.runCalls > 0) this.closeRun();
  }

  private closeRun(): void {
    const nowUs = this.context.services.clock.monotonicUs();
    this.onRun(this.runCommand, this.runCalls, nowUs - this.runStartUs);
    this.runStartUs = nowUs;
    this.runCalls = 0;
  }

  /** Runs the command in the argv table for the client that the arena has open. */
  run(client: Client, argc: number): void {
    const gate = client.gate | this.gate;
    if (gate !== 0 && (gate & Gate.SkipReply) !== 0) return this.runUnanswered(client, argc);
    const index = this.find(argc);
    if (index < 0) return;
    const flags = this.flags[index]!;
    if (gate !== 0 && this.stopsAtGate(client, flags)) return;
    if (index !== this.runCommand || this.runCalls >= RUN_MAX_CALLS) {
      if (this.runCalls > 0) this.closeRun();
      this.runCommand = index;
    }
    this.runCalls++;
    client.lastCommand = index;
    this.call(client, index, argc);
    if ((flags & TIMED_ALONE) !== 0) this.closeRun();
  }

  /** CLIENT REPLY SKIP came before: nothing is answered, unless this command has replies switched on. */
  private runUnanswered(client: Client, argc: number): void {
    const { services } = this.context;
    client.gate &= ~Gate.SkipReply;
    services.setSilent(client, true);
    this.run(client, argc);
    services.setSilent(client, client.silent);
    if ((client.stops & Stop.Postponed) !== 0) client.gate |= Gate.SkipReply;
  }

  /** Runs a command of the log: not timed, not counted, at no gate. */
  replay(client: Client, argc: number): void {
    this.isReplaying = true;
    const index = this.find(argc);
    if (index >= 0) this.call(client, index, argc);
    this.isReplaying = false;
  }

  /** The position of the command in the argv table. @returns negative after answering that there is none, or too few words */
  private find(argc: number): number {
    const { i32, words } = this.core.memory;
    this.args.count = argc;
    const table = i32[ARGV_PTR]!;
    const inWindow = table >>> 0 < Address.Heap;
    let index = inWindow
      ? this.table.lookup(words, i32[table >> 2]!, i32[(table >> 2) + 1]!)
      : this.table.indexOf(this.args.text(0));
    // The log has the names that commands had before they were renamed, too.
    if (index < 0 && this.isReplaying) index = this.table.originalOf(this.args.text(0));
    if (index < 0) return this.unknown();
    if ((this.flags[index]! & CONTAINER) !== 0 && argc > 1) {
      const container = index;
      index = this.table.subcommandOf(container, this.args.text(1));
      if (index < 0) return this.unknownSubcommand(container);
    }
    const arity = this.arities[index]!;
    if (arity >= 0 ? argc !== arity : argc < -arity) return this.wrongArity(index);
    return index;
  }

  /** Executes a command that was found and let through. */
  private call(client: Client, index: number, argc: number): void {
    const id = this.ids[index]!;
    if (id === 0) return this.handle(client, index);
    const status = this.core.execute(id, argc);
    if ((status & this.attention) !== 0) this.settle(status);
  }

  private wrongArity(index: number): number {
    this.fail(`ERR wrong number of arguments for '${this.names[index]!}' command`);
    return -1;
  }

  private unknownSubcommand(container: number): number {
    const shown = this.args.text(1).slice(0, SHOWN_ARGUMENT_BYTES);
    const name = this.names[container]!.toUpperCase();
    this.fail(`ERR unknown subcommand '${shown}'. Try ${name} HELP.`);
    return -1;
  }

  /** The slow road: whether something about the client or the server forbids this command now; then it was answered. */
  private stopsAtGate(client: Client, flags: number): boolean {
    const gate = client.gate | this.gate;
    if ((gate & Gate.NeedsAuth) !== 0 && (flags & NO_AUTH) === 0) {
      this.fail("NOAUTH Authentication required.");
      return true;
    }
    if ((gate & Gate.WritesRefused) !== 0 && (flags & CommandFlag.Write) !== 0) {
      this.fail(this.log?.refusal() ?? "MISCONF Errors writing to the AOF file");
      return true;
    }
    if (
      (gate & Gate.PausedAll) !== 0 ||
      ((gate & Gate.PausedWrites) !== 0 && (flags & MAY_REPLICATE) !== 0)
    ) {
      this.context.services.pause.postpone(client);
      return true;
    }
    return false;
  }

  /** Runs a command of the core for a handler: a subcommand, on the words as they came. */
  execute(id: Cmd): void {
    const status = this.core.execute(id, this.args.count);
    if ((status & this.attention) !== 0) this.settle(status);
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
    const row = this.table.rows[index]!;
    context.row = row;
    if (row.spec.handler === undefined) this.wrongArity(index);
    else row.spec.handler(context);
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

  private unknown(): number {
    const { args } = this;
    let shown = "";
    for (let i = 1; i < args.count && shown.length < SHOWN_ARGUMENT_BYTES; i++)
      shown += `'${printed(args.text(i), SHOWN_ARGUMENT_BYTES - shown.length)}' `;
    const name = printed(args.text(0), SHOWN_ARGUMENT_BYTES);
    this.fail(`ERR unknown command '${name}', with args beginning with: ${shown}`);
    return -1;
  }
}

/** A word as Redis prints it into an error: its first bytes, up to a NUL. */
function printed(word: string, bytes: number): string {
  const end = word.indexOf("\0");
  return word.slice(0, end === -1 ? bytes : Math.min(end, bytes));
}
