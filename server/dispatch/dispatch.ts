/**
 * The only road from argv to reply. Looks the command up by its packed name, judges arity and the client's state, runs it in
 * the core or in its TypeScript handler, and hands what it changed to the log.
 */
import {
  Address,
  type Cmd,
  CommandFlag,
  EffectMask,
  IoField,
  IoFlag,
  KEPT_HEADER_BYTES,
  STATUS_BITS,
  StateField,
  Status,
} from "../../core-wasm/abi.ts";
import { type Client, Gate, Stop } from "../client/client.ts";
import type { CommandContext, Wait } from "../commands/context.ts";
import { coreFlags } from "../commands/spec.ts";
import type { CommandTable } from "../commands/table.ts";
import { printed, unknownCommand, wordsOf } from "../commands/words.ts";
import type { Core } from "../core/core.ts";
import type { CommandStats } from "../observability/command-stats.ts";
import type { Framer } from "../resp/framer.ts";
import { encodeRequest } from "../resp/request.ts";
import type { ArgvArgs } from "./argv-args.ts";
import { BlockedKeys, type KeyWait } from "./blocked-keys.ts";
import { CallRun } from "./call-run.ts";
import { CONTAINER, EXEC, flagsOf, NEVER_QUEUED, TIMED_ALONE } from "./command-flags.ts";
import { Effects, type PropagationLog } from "./effects.ts";
import { type GateParts, isPaused, OUT_OF_MEMORY, refusalAtGate } from "./gate.ts";
import { Tracker, type TrackerParts } from "./tracking.ts";
import { Transactions, type UnitRunner } from "./transaction.ts";
import { Watchers } from "./watch.ts";

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const FRAMES_DONE = (Address.IoBlock + IoField.FramesDone) >> 2;
const FRAMES_STATUS = (Address.IoBlock + IoField.FramesStatus) >> 2;
const BLOCK_MS = (Address.State + StateField.BlockMs) >> 3;
const LF = 10;
const PAUSED = Gate.PausedAll | Gate.PausedWrites;
/** With one of these nothing is deleted: what is due is hidden only. */
const FROZEN = Gate.WritesRefused | PAUSED | Gate.Loading;
/** What is done before or after the command, whatever it is. */
const AROUND = Gate.SkipReply | Gate.Tracking;
/** No run of frames is under way. */
const NO_FRAME = -1;
/** What of a status the dispatcher must act on, with and without somebody following what changes. */
const ATTENTION = Status.Error | Status.Effects | Status.Block;
const SAW = Status.SawUnsynced | Status.SawSyncing;
const FOLLOWED_ATTENTION = ATTENTION | Status.Changed | Status.Rewritten | SAW;

/** The server, as commands that wait need it. */
export interface WaitingParts {
  /** Nothing more of the client is served until its command is answered. */
  block(client: Client, wait: Wait): void;
  /** The client was answered. */
  served(client: Client): void;
  /** Replies go to this client from here on, with null nowhere. @returns whom they went to */
  switchTo(client: Client | null): Client | null;
}

const NO_WAITING: WaitingParts = { block() {}, served() {}, switchTo: () => null };

export interface DispatcherParts {
  /** Stands for a client where none is served. */
  readonly nobody: Client;
  readonly tracking: Pick<TrackerParts, "maxKeys" | "writeHere" | "write" | "wantTurn">;
}

export class Dispatcher implements UnitRunner {
  readonly effects: Effects;
  readonly calls: CallRun;
  readonly transactions: Transactions;
  readonly tracker: Tracker;
  log: PropagationLog | null = null;
  /** Whose commands run; `nobody` while timed work does, and when the turn ends. */
  client: Client;
  /** IoFlag bits that hold for every client. */
  ioFlags = 0;
  /** Gate bits that hold for every client: with any set, commands take the slow road. */
  gate = 0;
  /** A command begins to wait for keys: its call is told when it is over. */
  onWaiting: (command: number) => void = () => {};
  /** One that has waited is over, and has taken so long itself. */
  onWaited: (command: number, microseconds: number) => void = () => {};
  /** Told of an EXEC that was refused: whoever saw its MULTI is to see that it is over. */
  onRefusedExec: (command: number) => void = () => {};
  readonly blockedKeys: BlockedKeys;
  /** How clients wait, and how those who wait are answered. */
  waiting: WaitingParts = NO_WAITING;
  /** Who wants to hear of touched keys that were asked for, a bit each. */
  private touchedWanted = 0;
  private isServing = false;
  private attention = ATTENTION;
  /** The record of the batch up to which the run of frames that the core executes has been seen to. */
  private firstFrame = NO_FRAME;
  private readonly stats: CommandStats;
  /** Of the reply writer's errors those that were counted as some command's. */
  private errorsSeen = 0;
  private readonly ids: Int32Array;
  private readonly arities: Int32Array;
  private readonly flags: Int32Array;
  private readonly names: string[];
  private isReplaying = false;
  private readonly gateParts: GateParts = {
    hasRoom: () => this.hasRoom(),
    logRefusal: () => this.log?.refusal(),
  };

  constructor(
    private readonly core: Core,
    private readonly framer: Framer,
    private readonly table: CommandTable,
    private readonly context: CommandContext,
    private readonly args: ArgvArgs,
    private readonly parts: DispatcherParts,
  ) {
    const { reply } = context;
    this.client = parts.nobody;
    const wantTouched = (bit: number, any: boolean) => {
      this.touchedWanted = any ? this.touchedWanted | bit : this.touchedWanted & ~bit;
      this.effects.want(EffectMask.Touched, this.touchedWanted !== 0);
    };
    const watchers = new Watchers(core, (any) => wantTouched(1, any));
    this.blockedKeys = new BlockedKeys(core, (any) => wantTouched(2, any));
    this.tracker = new Tracker({
      ...parts.tracking,
      core,
      clients: context.clients,
      executing: () => this.client,
      isInUnit: () => this.effects.isInUnit,
      wish: (touches) => {
        wantTouched(4, touches !== "none");
        this.effects.want(EffectMask.AllTouched, touches === "all");
      },
    });
    this.transactions = new Transactions(core, reply, watchers, this);
    this.stats = context.services.commandStats;
    this.calls = new CallRun(context.services.clock);
    const { rows } = table;
    const specs = rows.map(({ spec }) => spec);
    const names = new Map(
      table.specs.flatMap((spec) => {
        const name = Buffer.from(spec.name.toUpperCase());
        // A record of a subcommand has its name among the words.
        return [spec, ...(spec.subcommands ?? [])].map(({ id }) => [id ?? 0, name] as const);
      }),
    );
    const listeners = [watchers, this.tracker, this.blockedKeys];
    this.effects = new Effects(core.memory, (id) => names.get(id)!, listeners);
    this.ids = Int32Array.from(specs, (spec) => spec.id ?? 0);
    this.arities = Int32Array.from(specs, (spec) => spec.arity);
    this.flags = Int32Array.from(rows, flagsOf);
    this.names = rows.map(({ name }) => name);
    for (const spec of specs)
      if (spec.id !== undefined)
        core.memory.u8[Address.State + StateField.CommandFlags + spec.id] = coreFlags(spec);
  }

  /** What happens from here on until the next chunk is no client's doing. */
  serveNobody(): void {
    this.client = this.parts.nobody;
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

  /** Nothing is propagated from here on, until `follow`. */
  unfollow(): void {
    this.log = null;
    this.attention = ATTENTION;
    this.effects.unfollow();
  }

  /** Whether writes are refused because too few replicas follow. */
  requireReplicas(missing: boolean): void {
    this.gate = missing ? this.gate | Gate.NoReplicas : this.gate & ~Gate.NoReplicas;
  }

  /** The dataset is being loaded: what needs it is refused. */
  setLoading(isLoading: boolean): void {
    this.gate = isLoading ? this.gate | Gate.Loading : this.gate & ~Gate.Loading;
    this.freeze();
  }

  /** CLIENT PAUSE: the bits hold for everybody from here on, 0 ends it. */
  pause(gate: number): void {
    this.gate = (this.gate & ~PAUSED) | gate;
    this.freeze();
    // For the rest of the chunk in hand.
    this.core.memory.i32[FLAGS]! &= ~IoFlag.WritesRefused;
    this.core.memory.i32[FLAGS]! |= this.ioFlags;
  }

  /** While writes are refused or paused, or the dataset is loaded, expired keys are hidden and nothing is evicted. */
  private freeze(): void {
    const frozen = (this.gate & FROZEN) !== 0;
    this.ioFlags = frozen ? IoFlag.WritesRefused : 0;
  }

  /** The command in the argv table as its client may have sent it. */
  request(): Uint8Array {
    const { args } = this;
    return encodeRequest(Array.from({ length: args.count }, (_, i) => args.bytes(i)));
  }

  /** Times every call by itself, or brief ones in runs again. */
  timeEachCall(each: boolean): void {
    for (const [index, row] of this.table.rows.entries())
      this.flags[index] = flagsOf(row) | (each ? TIMED_ALONE : 0);
  }

  /** A chunk of the client's commands follows. */
  beginChunk(client: Client, nowUs: number): void {
    this.client = client;
    this.calls.begin(nowUs);
  }

  endChunk(): void {
    this.calls.end();
  }

  /** Runs the command in the argv table for the client that the arena has open. */
  run(client: Client, argc: number): void {
    const gate = client.gate | this.gate;
    if (gate !== 0 && (gate & AROUND) !== 0) return this.runAround(client, argc);
    const index = this.find(client, argc);
    if (index < 0) return;
    if (gate !== 0 && this.stopsAtGate(client, index, argc)) return;
    this.timed(client, index, argc);
  }

  /**
   * Runs the commands of frames from record `first` on, of `count` in the batch: those that are one brief command in a row in one call of
   * the core. @returns how many were run, at least 1; the last is the current frame
   */
  runFrames(client: Client, first: number, count: number): number {
    const { framer } = this;
    const argc = framer.select(first);
    if ((client.gate | this.gate) !== 0) {
      this.run(client, argc);
      return 1;
    }
    const index = this.find(client, argc);
    if (index < 0) return 1;
    const isAlone = this.ids[index] === 0 || (this.flags[index]! & TIMED_ALONE) !== 0;
    const alike = isAlone ? 1 : framer.alike(first, count);
    if (alike > 1) return this.timedFrames(client, index, first, alike);
    this.timed(client, index, argc);
    return 1;
  }

  /** Runs frames of one command that were found and let through, as part of a run of calls. */
  private timedFrames(client: Client, index: number, first: number, count: number): number {
    this.calls.join(index, count);
    client.lastCommand = index;
    this.firstFrame = first;
    const result = this.core.executeFrames(
      this.ids[index]!,
      first,
      count,
      this.attention | Status.Drained,
    );
    const executed = result >> STATUS_BITS;
    const status = result & ((1 << STATUS_BITS) - 1);
    this.calls.count(executed);
    this.reachFrame();
    this.firstFrame = NO_FRAME;
    if ((status & this.attention) !== 0) this.settle(status);
    return executed;
  }

  /** The frame that the core has come to is the current one; what those before it have answered is seen to. */
  private reachFrame(): void {
    const { i32 } = this.core.memory;
    const { framer, firstFrame, log } = this;
    const done = i32[FRAMES_DONE]!;
    i32[FRAMES_DONE] = 0;
    if (done > 0 && log !== null) this.logFrames(firstFrame, done, log);
    this.firstFrame = firstFrame + done;
    this.args.point(framer.select(this.firstFrame));
  }

  /** Tells the log of frames that have all answered FramesStatus. */
  private logFrames(first: number, count: number, log: PropagationLog): void {
    const { i32 } = this.core.memory;
    const status = i32[FRAMES_STATUS]!;
    if ((status & SAW) !== 0) this.holdReply(status, log);
    if ((status & Status.Changed) === 0) return;
    this.holdUntilLogged(log);
    const { framer } = this;
    framer.select(first);
    const begin = framer.frameStart;
    framer.select(first + count - 1);
    log.frames(i32[DB]!, begin, framer.position - begin, count);
  }

  private runAround(client: Client, argc: number): void {
    if ((client.gate & Gate.SkipReply) !== 0) this.runUnanswered(client, argc);
    else this.runTracked(client, argc);
  }

  /** Runs a command of a client that is to hear when the keys that it reads change. */
  private runTracked(client: Client, argc: number): void {
    const index = this.find(client, argc);
    const goesThrough = index >= 0 && !this.stopsAtGate(client, index, argc);
    if (goesThrough) {
      this.evictAhead(index, argc);
      this.timed(client, index, argc);
      this.remember(client, index);
    }
    const isPostponed = (client.stops & Stop.Postponed) !== 0;
    const isOfClient = this.table.rows[index]?.name.startsWith("client|") === true;
    if (client.multi === null && client.tracking !== null && !isOfClient && !isPostponed)
      client.tracking.caching = false;
  }

  /** What must go for this command goes first, so that it is told before the reply. */
  private evictAhead(index: number, argc: number): void {
    const isGrowing = (this.flags[index]! & CommandFlag.DenyOom) !== 0;
    let bytes = 0;
    for (let i = 1; isGrowing && i < argc; i++) bytes += this.args.bytes(i).length;
    this.hasRoom(bytes);
  }

  private remember(client: Client, index: number): void {
    const { spec } = this.table.rows[index]!;
    if (spec.flags.includes("readonly")) this.tracker.remember(client, spec, this.args);
  }

  /** Runs a command that was found and let through, in the run of calls it belongs to. */
  private timed(client: Client, index: number, argc: number): void {
    this.calls.join(index, 1);
    this.calls.count(1);
    client.lastCommand = index;
    // Not before: a run that was closed is told with the words of its last call.
    this.args.point(argc);
    this.call(client, index, argc);
    if ((this.flags[index]! & TIMED_ALONE) !== 0) this.calls.end();
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
    const index = this.find(client, argc);
    if (index >= 0) {
      this.args.point(argc);
      if (client.multi === null || (this.flags[index]! & NEVER_QUEUED) !== 0)
        this.call(client, index, argc);
      else this.queue(client, index, argc);
    }
    this.isReplaying = false;
  }

  /** The position of the command in the argv table. @returns negative after answering that there is none, or too few words */
  private find(client: Client, argc: number): number {
    const { i32, words } = this.core.memory;
    const table = i32[ARGV_PTR]!;
    const inWindow = table >>> 0 < Address.Heap;
    let index = inWindow
      ? this.table.lookup(words, i32[table >> 2]!, i32[(table >> 2) + 1]!)
      : this.indexOfLarge(argc);
    if (index < 0 && this.isReplaying) index = this.originalOf(argc);
    if (index < 0) return this.unknown(client, argc);
    if ((this.flags[index]! & CONTAINER) !== 0 && argc > 1)
      return this.findSubcommand(client, index, argc);
    const arity = this.arities[index]!;
    if (arity >= 0 ? argc !== arity : argc < -arity) return this.wrongArity(client, index, argc);
    return index;
  }

  private indexOfLarge(argc: number): number {
    this.look(argc);
    return this.table.indexOf(this.args.text(0));
  }

  /** The log has the names that commands had before they were renamed, too. */
  private originalOf(argc: number): number {
    this.look(argc);
    return this.table.originalOf(this.args.text(0));
  }

  private findSubcommand(client: Client, container: number, argc: number): number {
    this.look(argc);
    const index = this.table.subcommandOf(container, this.args.text(1));
    if (index < 0) return this.unknownSubcommand(client, container);
    const arity = this.arities[index]!;
    if (arity >= 0 ? argc !== arity : argc < -arity) return this.wrongArity(client, index, argc);
    return index;
  }

  /** Words are read before it is known what runs: not before the open run was told, with the words of its last call. */
  private look(argc: number): void {
    this.calls.end();
    this.args.point(argc);
  }

  /** Executes a command that was found and let through. */
  private call(client: Client, index: number, argc: number): void {
    const id = this.ids[index]!;
    if (id === 0) return this.handle(client, index);
    const status = this.core.execute(id, argc);
    if ((status & this.attention) !== 0) this.settle(status);
  }

  private wrongArity(client: Client, index: number, argc: number): number {
    this.look(argc);
    const line = `ERR wrong number of arguments for '${this.names[index]!}' command`;
    return this.reject(client, index, line);
  }

  private unknownSubcommand(client: Client, container: number): number {
    const shown = printed(this.args.text(1));
    const name = this.names[container]!.toUpperCase();
    return this.reject(client, -1, `ERR unknown subcommand '${shown}'. Try ${name} HELP.`);
  }

  /** The slow road: whether something about the client or the server keeps the command from running now; then it was dealt with. */
  private stopsAtGate(client: Client, index: number, argc: number): boolean {
    this.look(argc);
    const flags = this.flags[index]!;
    const asked = { gate: client.gate | this.gate, flags, multi: client.multi };
    const refusal = refusalAtGate(asked, this.gateParts);
    if (refusal !== undefined) {
      this.reject(client, index, refusal);
      return true;
    }
    if (isPaused(asked)) {
      this.context.services.pause.postpone(client);
      return true;
    }
    if (client.multi !== null && (flags & NEVER_QUEUED) === 0) {
      this.queue(client, index, argc);
      return true;
    }
    // Its time does not begin with that of commands which did not run.
    this.calls.restart();
    return false;
  }

  /** Evicts if need be. @returns whether a write may begin */
  private hasRoom(bytes = 0): boolean {
    if ((this.gate & Gate.Loading) !== 0) return true;
    const room = this.core.makeRoomFor(bytes) !== 0;
    if (this.effects.waiting) this.effects.settle();
    return room;
  }

  private queue(client: Client, index: number, argc: number): void {
    client.lastCommand = index;
    const flags = this.flags[index]!;
    if (!this.transactions.queue(client, { index, argc, flags }))
      this.reject(client, index, OUT_OF_MEMORY);
  }

  /** Answers a command that may not run: counted, and a reason for EXEC to fail; EXEC itself ends the transaction. */
  private reject(client: Client, index: number, line: string): number {
    if (index >= 0) this.stats.rejected[index]!++;
    if (index >= 0 && (this.flags[index]! & EXEC) !== 0) {
      this.transactions.leave(client);
      this.onRefusedExec(index);
      const reason = line.replace(/^ERR /, "");
      this.context.reply.error(`EXECABORT Transaction discarded because of: ${reason}`);
    } else {
      if (client.multi !== null) client.multi.failed = true;
      this.context.reply.error(line);
    }
    return -1;
  }

  beginUnit(): void {
    this.effects.beginUnit();
    this.calls.beginUnit();
    this.framer.canonical = false;
  }

  runQueued(client: Client, index: number, argc: number): void {
    if (this.isReplaying) {
      this.args.point(argc);
      this.call(client, index, argc);
      return;
    }
    this.timed(client, index, argc);
    if ((client.gate & Gate.Tracking) !== 0) this.remember(client, index);
  }

  /** The argv table is EXEC's again, and so is the time since it began. */
  endUnit(): void {
    this.calls.end();
    this.effects.endUnit();
    this.args.point(1);
    // Nothing of a replay is timed.
    this.calls.endUnit(this.isReplaying ? 0 : 1);
    this.hasRoom();
    this.tracker.settle();
  }

  /** The core calls, its effects buffer full in the middle of a command. */
  drainEffects(): void {
    // Those before are logged before.
    if (this.firstFrame !== NO_FRAME) this.reachFrame();
    this.effects.drain();
  }

  /** Runs a command of the core for a handler: a subcommand, on the words as they came. */
  execute(id: Cmd): void {
    const status = this.core.execute(id, this.args.count);
    if ((status & this.attention) !== 0) this.settle(status);
  }

  /** What the status of an executed command asks for, and what follows from what it touched. */
  private settle(status: number): void {
    this.conclude(status);
    if ((status & Status.Block) !== 0 && !this.isServing) this.park();
    if (this.blockedKeys.hasReady) this.serveBlocked();
  }

  private conclude(status: number): void {
    if ((status & Status.Error) !== 0) {
      this.stats.failed[this.calls.command]!++;
      this.stats.error(this.lastReplyLine());
    }
    if ((status & Status.Effects) !== 0) this.effects.settle();
    if (this.log === null) return;
    if ((status & SAW) !== 0) this.holdReply(status, this.log);
    if ((status & (Status.Changed | Status.Rewritten)) === 0) return;
    this.holdUntilLogged(this.log);
    if ((status & Status.Rewritten) === 0) this.propagateRequest();
  }

  /** The running command waits for its keys. */
  private park(): void {
    const { client, args, core, context } = this;
    const { reply } = context;
    const { command: index } = this.calls;
    const words = wordsOf(args);
    const { spec } = this.table.rows[index]!;
    const timeoutMs = core.memory.f64[BLOCK_MS]!;
    const wait = this.blockedKeys.add(client, { index, spec, words });
    if (wait === undefined) return reply.error(OUT_OF_MEMORY);
    this.onWaiting(index);
    wait.triedUs = this.calls.leave();
    this.waiting.block(client, {
      timeoutMs,
      isOver: () => false,
      answer: () => reply.nilArray(),
      ended: () => this.blockedKeys.remove(wait),
      givenUp: (isError) => this.tellGivenUp(wait, isError),
    });
  }

  /** A command that has waited in vain is counted, with its own words, whoever runs at the moment. */
  private tellGivenUp(wait: KeyWait, isError: boolean): void {
    const { client, args } = this;
    const argv = this.core.memory.i32[ARGV_PTR]!;
    const { count } = args;
    if (isError) this.stats.failed[wait.index]!++;
    this.stepInto(wait.client, wait.run + KEPT_HEADER_BYTES, wait.argc);
    this.onWaited(wait.index, wait.triedUs);
    this.stepInto(client, argv, count);
  }

  /** The words at `argv` are those of the client's command. */
  private stepInto(client: Client, argv: number, count: number): void {
    this.client = client;
    this.core.memory.i32[ARGV_PTR] = argv | 0;
    this.args.point(count);
  }

  /** Serves those who wait for keys that were touched, if the outermost command has ended. */
  serveBlocked(): void {
    if (this.isServing || this.isReplaying || this.effects.isInUnit) return;
    if (!this.blockedKeys.hasReady) return;
    const { framer, client, args } = this;
    const { command } = this.calls;
    const { i32 } = this.core.memory;
    const argv = i32[ARGV_PTR]!;
    const protocol = i32[PROTOCOL]!;
    const db = i32[DB]!;
    const flags = i32[FLAGS]!;
    const { canonical } = framer;
    const { count } = args;
    const sink = this.waiting.switchTo(null);
    this.isServing = true;
    framer.canonical = false;
    this.blockedKeys.serve((wait) => this.retry(wait));
    this.isServing = false;
    this.waiting.switchTo(sink);
    framer.canonical = canonical;
    i32[PROTOCOL] = protocol;
    i32[DB] = db;
    i32[FLAGS] = flags;
    this.calls.command = command;
    this.stepInto(client, argv, count);
  }

  /** Executes a command that waits once more, for its client. */
  private retry(wait: KeyWait): void {
    const { client, index, argc } = wait;
    const { i32 } = this.core.memory;
    this.tracker.deliverTo(client, this.client.holdUntil);
    i32[PROTOCOL] = client.protocol;
    i32[DB] = wait.db;
    i32[FLAGS] = (client.noTouch ? IoFlag.NoTouch : 0) | this.ioFlags | IoFlag.Retry;
    this.calls.command = index;
    this.stepInto(client, wait.run + KEPT_HEADER_BYTES, argc);
    this.waiting.switchTo(client.silent ? null : client);
    const { clock } = this.context.services;
    const beganUs = clock.monotonicUs();
    const status = this.core.execute(this.ids[index]!, argc);
    if ((status & this.attention) !== 0) this.settle(status);
    wait.triedUs += clock.monotonicUs() - beganUs;
    if ((client.gate & Gate.Tracking) !== 0) this.remember(client, index);
    if ((status & Status.Block) !== 0) return;
    this.onWaited(index, wait.triedUs);
    this.waiting.served(client);
  }

  /** The command has seen what no sync covers: so must its reply not be seen before. */
  private holdReply(status: number, log: PropagationLog): void {
    const point = (status & Status.SawUnsynced) !== 0 ? log.point : log.syncingPoint;
    if (point > this.client.holdUntil) this.client.holdUntil = point;
  }

  /** What the client's command has changed is about to be logged: it is told of it when that is safe. */
  private holdUntilLogged(log: PropagationLog): void {
    this.client.lastLogged = log.point;
    this.client.holdUntil = log.point;
  }

  /** The line that a command of the core has just answered, without its `-`. */
  private lastReplyLine(): string {
    const { i32, u8 } = this.core.memory;
    const written = u8.subarray(Address.Output, i32[OUT_TOP]! - 2);
    const begin = written.lastIndexOf(LF) + 1;
    return Buffer.from(written.subarray(begin + 1)).toString("latin1");
  }

  private propagateRequest(): void {
    const { i32 } = this.core.memory;
    const { framer, log } = this;
    const db = i32[DB]!;
    if (framer.canonical)
      log?.frames(db, framer.frameStart, framer.position - framer.frameStart, 1);
    else log?.words(db, null, i32[ARGV_PTR]! >>> 0, this.args.count);
  }

  private handle(client: Client, index: number): void {
    const { context } = this;
    const { reply } = context;
    context.client = client;
    const row = this.table.rows[index]!;
    context.row = row;
    this.errorsSeen = reply.errors;
    if (row.spec.handler === undefined) this.wrongArity(client, index, this.args.count);
    else row.spec.handler(context);
    if (reply.errors !== this.errorsSeen) {
      this.stats.failed[index]!++;
      // Errors of EXEC's commands are theirs.
      this.errorsSeen = reply.errors;
    }
    // SELECT, HELLO, RESET and CLIENT NO-TOUCH change what the core reads.
    const { i32 } = this.core.memory;
    i32[DB] = client.db;
    i32[PROTOCOL] = client.protocol;
    i32[FLAGS] = (i32[FLAGS]! & ~IoFlag.NoTouch) | (client.noTouch ? IoFlag.NoTouch : 0);
    this.framer.authenticated = client.authenticated;
    if (this.blockedKeys.hasReady) this.serveBlocked();
  }

  private unknown(client: Client, argc: number): number {
    this.look(argc);
    return this.reject(client, -1, unknownCommand(this.args));
  }
}
