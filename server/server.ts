/** The composition root: builds the parts of one server, starts and stops them in order. Two servers live in one process: nothing is global but the thread for syncs. */
import { randomBytes } from "node:crypto";
import { Address, IoField, StateField, Stream } from "../core-wasm/abi.ts";
import { Client, NO_LINK, Stop } from "./client/client.ts";
import { Outbox } from "./client/outbox.ts";
import { Supervision } from "./client/supervision.ts";
import { createSystemClock } from "./clock.ts";
import type {
  Clock,
  CommandContext,
  MemoryMarks,
  ServerStats,
  Services,
  ShutdownOptions,
} from "./commands/context.ts";
import { ALL_COMMANDS, createCommandTable } from "./commands/table.ts";
import { type Config, findDirective } from "./config/config.ts";
import { type Core, createCore } from "./core/core.ts";
import { crashReport } from "./crash.ts";
import { CRON_HZ, Cron } from "./cron.ts";
import { ArgvArgs } from "./dispatch/argv-args.ts";
import { BlockedClients } from "./dispatch/blocked.ts";
import { Dispatcher } from "./dispatch/dispatch.ts";
import { Footprint } from "./footprint.ts";
import { Admission } from "./net/admission.ts";
import { ReplyArena } from "./net/arena.ts";
import type { InputLimits, ServingParts } from "./net/connection.ts";
import { checkDescriptors, openFilesLimit } from "./net/descriptors.ts";
import type { ListenerEvents } from "./net/listener.ts";
import { Listeners, type ListenersParts, type Network } from "./net/listeners.ts";
import { CallObserver } from "./observability/call-observer.ts";
import { Health } from "./observability/health.ts";
import type { Logger } from "./observability/log.ts";
import { residentBytes } from "./observability/process-figures.ts";
import { AppendOnly } from "./persistence/aof/append-only.ts";
import type { Log } from "./persistence/aof/log.ts";
import { reloadLog } from "./persistence/aof/reload.ts";
import { Replayer } from "./persistence/aof/replayer.ts";
import { type Disk, REAL_DISK } from "./persistence/disk.ts";
import { Loading } from "./persistence/loading.ts";
import { createDirectSend } from "./process/direct-send.ts";
import { createPageRelease } from "./process/page-release.ts";
import { ReplicationIdentity } from "./replication/identity.ts";
import { createFramer, type Framer } from "./resp/framer.ts";
import { createReplyWriter } from "./resp/reply-writer.ts";
import { followSettings } from "./settings.ts";
import { Shutdown } from "./shutdown.ts";
import { Turn } from "./turn.ts";
import { REDIS_VERSION, VERSION } from "./version.ts";

const HOST_BYTES = (Address.State + StateField.HostBytes) >> 3;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
/** Counters of the core that CONFIG RESETSTAT clears. */
const CORE_COUNTERS = [
  StateField.KeyspaceHits,
  StateField.KeyspaceMisses,
  StateField.ExpiredKeys,
  StateField.EvictedKeys,
  StateField.LazyFreed,
];

export interface ServerOptions {
  config: Config;
  logger: Logger;
  clock?: Clock;
  /** Where the log is kept. */
  disk?: Disk;
  /** Where clients come from, in place of sockets. */
  network?: (parts: ListenersParts) => Network;
  /** Seed of hash keys and generator; random unless tests fix it. */
  seed?: readonly [number, number];
  /** `port 0` means any free port, not none. */
  anyPort?: boolean;
  /** Nothing but this server runs in the process: its garbage may be collected when that disturbs nobody. */
  ownsProcess?: boolean;
  /** A stop was accepted and begins. */
  onStopping?: () => void;
  /** A stop that SHUTDOWN or a signal asked for is over. */
  onStopped?: () => void;
  /** An assertion failed or the core trapped; the report is in the log, the server serves nobody any more. */
  onCrashed?: () => void;
}

function emptyStats(): ServerStats {
  return {
    connectionsReceived: 0,
    connectionsRejected: 0,
    netInputBytes: 0,
    readsProcessed: 0,
    writesProcessed: 0,
    netOutputBytes: 0,
    deniedLogins: 0,
    expireCycleMs: 0,
    instantaneousOpsPerSec: 0,
    instantaneousInputKbps: 0,
    instantaneousOutputKbps: 0,
  };
}

export class Server {
  readonly core: Core;
  readonly config: Config;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly arena: ReplyArena;
  private readonly framer: Framer;
  private readonly dispatcher: Dispatcher;
  private readonly context: CommandContext;
  private readonly stats: ServerStats;
  private readonly marks: MemoryMarks;
  private readonly observer: CallObserver;
  private readonly blocked: BlockedClients;
  private readonly serving: ServingParts;
  private readonly supervision: Supervision;
  private readonly limits: InputLimits = { maxBulkBytes: 0, queryBufferBytes: 0 };
  private listeners: Network | undefined;
  private cron: Cron | undefined;
  private readonly turn: Turn;
  private readonly appendOnly: AppendOnly;
  private readonly loading: Loading;
  private readonly replaying: Replayer;
  private stopping: Promise<void> | undefined;
  private crashed = false;
  private readonly shutdowns: Shutdown;
  private readonly health: Health;
  private readonly footprint: Footprint;
  /** Clients are served. */
  private ready = false;

  constructor(private readonly options: ServerOptions) {
    this.config = options.config;
    this.logger = options.logger;
    this.clock = options.clock ?? createSystemClock();
    const table = createCommandTable(ALL_COMMANDS, options.config.renamedCommands);
    this.stats = emptyStats();
    const seed = randomBytes(8);
    this.core = createCore({
      seed: options.seed ?? [seed.readInt32LE(0), seed.readInt32LE(4)],
      drain: (stream) => {
        if (stream === Stream.Reply) this.arena.drain();
        else if (stream === Stream.Effects) this.dispatcher.drainEffects();
        else this.appendOnly.drainSnapshot();
      },
    });
    const startBytes = this.core.usedBytes();
    this.marks = { startBytes, peakBytes: startBytes };
    this.supervision = new Supervision({
      config: this.config,
      nowMs: () => this.clock.nowMs(),
      log: (level, text) => this.logger[level](text),
      commandName: ({ lastCommand }) => table.rows[lastCommand]?.name ?? "NULL",
      pauseGate: (bits) => this.dispatcher.pause(bits),
    });
    this.supervision.clients.onMemoryBytes = () => this.countHostBytes();
    this.arena = new ReplyArena(this.core.memory, this.stats, this.supervision.backpressure);
    this.framer = createFramer(this.core, this.limits);
    const args = new ArgvArgs(this.core.memory);
    this.observer = new CallObserver({
      rows: table.rows,
      args,
      clock: this.clock,
      client: () => this.dispatcher.client,
      writeHere: (line) => this.context.reply.raw(line),
      flush: (client) => this.arena.flush(client),
      warn: (text) => this.logger.warning(text),
    });
    this.context = {
      core: this.core,
      clients: this.supervision.clients,
      config: this.config,
      commands: table,
      services: this.services(),
      args,
      reply: createReplyWriter(
        this.core.memory,
        () => this.arena.drain(),
        (line) => this.observer.stats.error(line),
      ),
      client: undefined as unknown as Client,
      row: table.rows[0]!,
      execute: (id) => this.dispatcher.execute(id),
      useProtocol: (protocol) => {
        this.core.memory.i32[PROTOCOL] = protocol;
      },
    };
    this.dispatcher = new Dispatcher(this.core, this.framer, table, this.context, args, {
      nobody: new Client(0, NO_LINK, new Outbox(), this.clock.nowMs()),
      tracking: {
        maxKeys: () => this.config.get("tracking-table-max-keys"),
        writeHere: (bytes) => this.writeHere(bytes),
        write: (client, bytes) => this.arena.writeTo(client, () => this.context.reply.raw(bytes)),
        wantTurn: () => this.turn.schedule(),
      },
    });
    this.dispatcher.calls.onRun = (command, calls, us) => this.observer.run(command, calls, us);
    this.dispatcher.onRefusedExec = (command) => this.observer.show(command);
    this.dispatcher.onWaiting = (command) => this.observer.show(command);
    this.dispatcher.onWaited = (command, us) => this.observer.waited(command, us);
    this.observer.onTimeEach = (each) => this.dispatcher.timeEachCall(each);
    this.turn = new Turn(
      this.arena,
      (work) => this.guarded(work),
      () => {
        this.dispatcher.serveNobody();
        this.dispatcher.tracker.endTurn();
      },
    );
    this.loading = new Loading({
      clock: this.clock,
      intervalBytes: () => this.config.get("loading-process-events-interval-bytes"),
      commandDelayUs: () => this.config.get("key-load-delay"),
      changed: (isLoading) => this.dispatcher.setLoading(isLoading),
      enter: () => this.replaying.enter(),
      leave: () => this.replaying.leave(),
    });
    this.replaying = new Replayer({
      core: this.core,
      framer: this.framer,
      arena: this.arena,
      dispatcher: this.dispatcher,
      stats: this.observer.stats,
      loading: this.loading,
      nowMs: () => this.clock.nowMs(),
    });
    this.appendOnly = new AppendOnly({
      core: this.core,
      clock: this.clock,
      config: this.config,
      disk: options.disk ?? REAL_DISK,
      loading: this.loading,
      log: (level, text) => this.logger[level](text),
      follow: (log) => this.follow(log),
      commandsRun: () => this.observer.stats.processed,
      wantTurn: () => this.turn.schedule(),
      guarded: (work) => this.guarded(work),
    });
    this.serving = this.servingParts();
    this.blocked = this.blockedClients();
    this.dispatcher.waiting = {
      block: (client, wait) => this.blocked.park(client, wait),
      served: (client) => this.blocked.served(client),
      switchTo: (client) => this.arena.switchTo(client),
    };
    this.shutdowns = new Shutdown({
      logger: this.logger,
      logRefusal: () => this.appendOnly.refusal(),
      hasLog: () => this.appendOnly.isLogging,
      isLoading: () => this.loading.active,
      isFirstLogBeingWritten: () => this.appendOnly.isFirstBeingWritten,
      flush: () => this.turn.end(),
      begun: () => this.options.onStopping?.(),
      stop: () => this.stop().then(() => this.options.onStopped?.()),
    });
    this.health = new Health({
      context: this.context,
      isReady: () => this.ready && !this.loading.active,
    });
    this.footprint = new Footprint({
      core: this.core,
      stats: this.stats,
      nowMs: () => this.clock.nowMs(),
      residentBytes,
      openRelease: () => createPageRelease(this.core.memory.u8),
      collect: options.ownsProcess === true ? () => Bun.gc(true) : undefined,
    });
    followSettings({
      config: this.config,
      core: this.core,
      limits: this.limits,
      observer: this.observer,
      logger: this.logger,
      requireReplicas: (missing) => this.dispatcher.requireReplicas(missing),
      wantTurn: () => this.turn.schedule(),
    });
  }

  /** Listens, and loads the log: clients are refused until that is done. @throws Error if the log is damaged, or an address or enough files cannot be had */
  async start(): Promise<void> {
    this.fitDescriptors();
    this.health.open();
    try {
      // Nobody is to see the databases before they are loaded.
      if (this.config.get("appendonly")) this.loading.begin();
      this.followAppendOnly();
      await this.listen();
      // Scripts that wait for the process id, the suite of Redis among them, connect at once.
      this.logger.notice(`Server initialized, PID: ${process.pid}`);
      if (this.loading.active) await this.openLog();
      this.cron = this.startCron();
      this.listeners?.announce();
      this.ready = true;
    } catch (error) {
      this.listeners?.stop(true);
      if (error instanceof WebAssembly.RuntimeError) this.crash(error);
      this.cron?.stop();
      if (this.stopping !== undefined) await this.stopping;
      await this.appendOnly.close();
      this.health.stop();
      throw error;
    }
  }

  /** Lowers maxclients to what the limit on open files leaves. @throws Error if that is nothing */
  private fitDescriptors(): void {
    const { config, logger } = this;
    const fit = (): string | undefined => {
      const wanted = config.get("maxclients");
      const check = checkDescriptors(wanted, openFilesLimit());
      return check.maxClients === wanted
        ? undefined
        : `The operating system is not able to handle the specified number of clients, try with ${check.maxClients}`;
    };
    const check = checkDescriptors(config.get("maxclients"), openFilesLimit());
    if (check.fatal !== undefined) throw new Error(check.fatal);
    for (const line of check.warnings) logger.warning(line);
    if (check.warnings.length > 0)
      config.load(findDirective("maxclients")!, [String(check.maxClients)]);
    config.applyWith("maxclients", fit);
  }

  private async listen(): Promise<void> {
    const { config, logger } = this;
    const admission = new Admission({
      clients: this.supervision.clients,
      serving: this.serving,
      stats: this.stats,
      nowMs: () => this.clock.nowMs(),
      maxClients: () => config.get("maxclients"),
      isProtected: () => config.get("protected-mode") && config.get("requirepass") === "",
      needsPassword: () => config.get("requirepass") !== "",
      keepAliveSeconds: () => config.get("tcp-keepalive"),
    });
    const events: ListenerEvents = {
      opened: (link) => admission.admit(link),
      closed: (connection) => this.forget(connection.client),
      failed: (connection, error) => this.failed(connection?.client, error),
      writable: (connection) => this.arena.flush(connection.client),
    };
    const { anyPort = false } = this.options;
    const openSend = () => createDirectSend(this.core.memory.u8);
    const parts = { config, logger, events, openSend, anyPort };
    this.listeners = this.options.network?.(parts) ?? new Listeners(parts);
    await this.listeners.open();
  }

  /** The socket's mistake costs the client its connection, one of ours costs everything. */
  private failed(client: Client | undefined, error: Error): void {
    const isOfSystem = (error as { code?: unknown }).code !== undefined;
    const lastCommand = this.context.commands.rows[client?.lastCommand ?? -1]?.name;
    if (isOfSystem) this.logger.verbose(`Client ${client?.id ?? "unknown"}: ${error.message}`);
    else this.crash(error, lastCommand);
  }

  /** Writes a report and gives everything up as it stands. */
  crash(error: unknown, lastCommand?: string): void {
    if (this.crashed) return;
    this.crashed = true;
    const { config, core, clock } = this;
    if (config.get("crash-log-enabled"))
      this.logger.warning(
        crashReport({
          error,
          core,
          config,
          lastCommand,
          clients: this.supervision.clients.size,
          uptimeMs: clock.nowMs() - this.context.services.startedAtMs,
        }),
      );
    this.appendOnly.abandon();
    this.cron?.stop();
    this.listeners?.stop(true);
    for (const client of this.supervision.clients.all()) client.link.terminate();
    this.options.onCrashed?.();
  }

  /** Runs timed work; what it throws is our own mistake. */
  private guarded(work: () => void): void {
    try {
      if (!this.crashed) work();
    } catch (error) {
      this.crash(error);
    }
  }

  /** Of TCP, 0 if it listens on none. */
  get port(): number {
    return this.listeners?.port ?? 0;
  }

  get isLoading(): boolean {
    return this.loading.active;
  }

  get isStopping(): boolean {
    return this.shutdowns.inProgress || this.stopping !== undefined;
  }

  /** SHUTDOWN: the client is answered only if it is refused. @returns the error line if that is so at once */
  private shutdown(options: ShutdownOptions, client: Client): string | undefined {
    const refused = this.shutdowns.request(options, (line) => this.answer(client, line));
    if (refused === undefined) client.stops |= Stop.Blocked;
    return refused;
  }

  /** Answers a client that was blocked with an error, and serves it again. */
  private answer(client: Client, line: string): void {
    this.arena.open(client);
    this.context.reply.error(line);
    this.arena.close();
    this.turn.schedule();
    this.supervision.backpressure.proceed(client, Stop.Blocked);
  }

  /** A signal's stop: SHUTDOWN ABORT can call it off until the next tick. */
  shutdownSoon(options: ShutdownOptions, refused: () => void): void {
    this.shutdowns.schedule(options, refused);
  }

  /** Stops accepting, writes the log out, closes all clients. Idempotent. */
  stop(): Promise<void> {
    this.stopping ??= this.stopOnce();
    return this.stopping;
  }

  private async stopOnce(): Promise<void> {
    this.ready = false;
    this.loading.stop();
    this.listeners?.stop(false);
    this.cron?.stop();
    if (!this.crashed) this.turn.end();
    this.supervision.stop();
    this.blocked.stop();
    for (const client of this.supervision.clients.all()) client.link.end();
    this.listeners?.stop(true);
    if (!this.crashed) {
      if (this.appendOnly.log !== null) this.logger.notice("Calling fsync() on the AOF file.");
      await this.appendOnly.close();
    }
    this.health.stop();
    this.logger.warning("Bundis is now ready to exit, bye bye...");
  }

  /** CONFIG SET appendonly, from the start on. */
  private followAppendOnly(): void {
    this.config.onChange("appendfsync", () => this.appendOnly.policyChanged());
    this.config.applyWith("appendonly", () => {
      if (this.config.get("appendonly")) return this.appendOnly.turnOn();
      return this.appendOnly.turnOff();
    });
  }

  private async openLog(): Promise<void> {
    const { core, logger } = this;
    const startedUs = this.clock.monotonicUs();
    await this.appendOnly.load(this.replaying);
    this.loading.end();
    core.clearCounter(StateField.Changes);
    const seconds = (this.clock.monotonicUs() - startedUs) / 1e6;
    logger.notice(`DB loaded from append only file: ${seconds.toFixed(3)} seconds`);
  }

  /** What changes is written to a log from here on, or to none. */
  private follow(log: Log | null): void {
    this.turn.follow(log);
    if (log === null) {
      this.dispatcher.unfollow();
      this.blocked.check();
      return;
    }
    this.dispatcher.follow(log);
    log.onSynced = () => this.blocked.check();
    const { latency } = this.observer;
    log.onTimed = (event, ms) => {
      // Each block is timed: the clock is read for those that are kept only.
      if (latency.isKept(ms)) latency.add(event, ms, this.clock.nowMs());
    };
  }

  /** DEBUG LOADAOF: in a turn of its own, since the replay needs the windows that a chunk lies in. */
  private reloadLog(client: Client): void {
    let answer: (() => void) | undefined;
    const { context, core, dispatcher, appendOnly, loading, logger } = this;
    this.blocked.park(client, {
      timeoutMs: 0,
      isOver: () => answer !== undefined,
      answer: () => answer?.(),
    });
    const done = (error: string | undefined) => {
      answer = () => (error === undefined ? context.reply.ok() : context.reply.error(error));
      this.blocked.check();
    };
    const attempt = () => {
      this.turn.end();
      if (loading.active) return done("ERR The dataset is being loaded already");
      // What is in flight must be in the file, and no snapshot be under way.
      if (appendOnly.isBusy) return void setTimeout(() => this.guarded(attempt), 1);
      reloadLog({
        core,
        dispatcher,
        appendOnly,
        loading,
        target: this.replaying,
        log: (level, text) => logger[level](text),
      }).then(
        (error) => this.guarded(() => done(error)),
        (error) => this.crash(error),
      );
    };
    setImmediate(() => this.guarded(attempt));
  }

  /** The client's connection is gone. */
  private forget(client: Client): void {
    this.supervision.forget(client);
    this.blocked.forget(client);
    this.dispatcher.transactions.leave(client);
    this.dispatcher.tracker.forget(client);
    this.observer.monitors.remove(client);
  }

  private servingParts(): ServingParts {
    const { core, framer, arena, limits, clock, dispatcher, context, stats, observer } = this;
    return {
      core,
      framer,
      arena,
      limits,
      clock,
      dispatcher,
      stats,
      backpressure: this.supervision.backpressure,
      clientLimits: this.supervision.limits,
      error: (_client, line) => context.reply.error(line),
      framesDone: () => this.turn.framesDone(),
      chunkDone: (client) => {
        if (observer.monitors.size > 0) observer.monitors.flush();
        if (dispatcher.tracker.clientCount > 0) dispatcher.tracker.chunkDone(client);
      },
    };
  }

  /** Writes to the client that is served behind its reply, be that sent or not. */
  private writeHere(bytes: string): void {
    const { arena, context, dispatcher } = this;
    const write = () => context.reply.raw(bytes);
    if (arena.isDiscarding) arena.writeTo(dispatcher.client, write);
    else write();
  }

  private limitTracking(): void {
    const { tracker } = this.dispatcher;
    this.countHostBytes();
    if (tracker.totalKeys === 0) return;
    this.dispatcher.serveNobody();
    tracker.limit();
    tracker.sliceDone();
  }

  /** What is held for clients is part of what maxmemory limits. */
  private countHostBytes(): void {
    this.core.memory.f64[HOST_BYTES] =
      this.supervision.clients.memoryBytes() + this.dispatcher.tracker.bytes;
  }

  private blockedClients(): BlockedClients {
    return new BlockedClients({
      memory: this.core.memory,
      nowMs: () => this.clock.monotonicUs() / 1000,
      open: (client) => this.arena.open(client.silent ? null : client),
      close: () => {
        this.arena.close();
        this.turn.schedule();
      },
      error: (line) => this.context.reply.error(line),
      proceed: (client, reason) => this.supervision.backpressure.proceed(client, reason),
      guarded: (work) => this.guarded(work),
    });
  }

  private startCron(): Cron {
    return new Cron({
      core: this.core,
      stats: this.stats,
      marks: this.marks,
      commandStats: this.observer.stats,
      latency: this.observer.latency,
      nowMs: () => this.clock.nowMs(),
      guarded: (work) => this.guarded(work),
      beginShutdown: () => this.shutdowns.tick(),
      tickLog: () => this.appendOnly.tick(),
      sweepClients: () => this.supervision.limits.sweep(),
      shrink: () => this.footprint.tick(),
      mayDelete: () =>
        this.appendOnly.refusal() === undefined &&
        !this.supervision.pause.active &&
        !this.loading.active,
      limitTracking: () => this.limitTracking(),
      beforeSlice: () => this.dispatcher.serveNobody(),
      afterSlice: () => {
        if (!this.dispatcher.effects.waiting) return;
        this.dispatcher.effects.settle();
        this.dispatcher.serveBlocked();
        this.dispatcher.tracker.sliceDone();
        this.turn.schedule();
      },
    });
  }

  private services(): Services {
    const self = this;
    return {
      clock: this.clock,
      runId: randomBytes(20).toString("hex"),
      startedAtMs: this.clock.nowMs(),
      version: VERSION,
      redisVersion: REDIS_VERSION,
      marks: this.marks,
      cronHz: CRON_HZ,
      get tcpPort() {
        return self.port;
      },
      get persistence() {
        return self.appendOnly;
      },
      stats: this.stats,
      get commandStats() {
        return self.observer.stats;
      },
      get slowLog() {
        return self.observer.slowLog;
      },
      get latency() {
        return self.observer.latency;
      },
      get monitors() {
        return self.observer.monitors;
      },
      get transactions() {
        return self.dispatcher.transactions;
      },
      get tracking() {
        return self.dispatcher.tracker;
      },
      resetStats: () => this.resetStats(),
      giveMemoryBack: () => this.footprint.purge(),
      log: (level, text) => this.logger[level](text),
      shutdown: (options) => this.shutdown(options, this.context.client),
      abortShutdown: () => this.shutdowns.abort(),
      closeClient: (client, afterReplies) => {
        if (afterReplies) client.closing = true;
        else {
          // Nothing may be taken for it any more.
          this.blocked.forget(client);
          client.link.end();
        }
      },
      blockingKeys: () => ({
        all: this.dispatcher.blockedKeys.keyCount,
        onNoKey: this.dispatcher.blockedKeys.heedingLossCount(),
      }),
      pause: this.supervision.pause,
      clientLimits: this.supervision.limits,
      setSilent: (client, silent) => {
        this.arena.close();
        this.arena.open(silent ? null : client);
      },
      proceed: (client, reason) => this.supervision.backpressure.proceed(client, reason),
      reloadLog: (client) => this.reloadLog(client),
      block: (client, wait) => this.blocked.park(client, wait),
      unblock: (client, how) => this.blocked.unblock(client, how),
      hasUser: (name) => name === "default",
      pendingReplyBytes: () => this.arena.pendingBytes,
      sleep: (ms) => Bun.sleepSync(ms),
      replication: new ReplicationIdentity(),
      pauseCron: (paused) => {
        if (this.cron !== undefined) this.cron.paused = paused;
      },
    };
  }

  private resetStats(): void {
    Object.assign(this.stats, emptyStats());
    this.observer.stats.reset();
    this.supervision.limits.resetCounts();
    for (const field of CORE_COUNTERS) this.core.clearCounter(field);
    this.cron?.forgetRates();
  }
}
