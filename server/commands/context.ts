/**
 * What a TypeScript command's handler is given. One object per server, refilled for each command: handlers keep
 * nothing of it.
 */
import type { Cmd } from "../../core-wasm/abi.ts";
import type { Client, Stop } from "../client/client.ts";
import type { ClientLimits } from "../client/limits.ts";
import type { ClientPause } from "../client/pause.ts";
import type { ClientRegistry } from "../client/registry.ts";
import type { TrackingOptions } from "../client/tracking.ts";
import type { Config } from "../config/config.ts";
import type { Core } from "../core/core.ts";
import type { CommandStats } from "../observability/command-stats.ts";
import type { LatencyMonitor } from "../observability/latency.ts";
import type { LogLevel } from "../observability/log.ts";
import type { Monitors } from "../observability/monitor.ts";
import type { SlowLog } from "../observability/slowlog.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import type { CommandRow, CommandTable } from "./table.ts";

/** The words of the running command, straight from linear memory. Word 0 is the command's name as sent. */
export interface Args {
  readonly count: number;
  /** A borrowed view; copy what is kept. */
  bytes(index: number): Uint8Array;
  /** Decoded as latin1: every byte survives a round trip. */
  text(index: number): string;
  /** Lower case of `text`. */
  word(index: number): string;
  /** A canonical signed 64-bit integer that a double holds exactly, or undefined. */
  integer(index: number): number | undefined;
}

export interface Clock {
  /** Wall clock in ms since the epoch. */
  nowMs(): number;
  /** Monotonic microseconds from an arbitrary start. */
  monotonicUs(): number;
  /** The wall clock, in whole ms, at an instant that `monotonicUs` gave a moment ago: one reading serves both. */
  wallMs(monotonicUs: number): number;
}

/** What the log, if there is one, tells and does for commands. */
export interface PersistenceView {
  /** Lines for INFO persistence, "name:value", without section header. */
  infoFields(): Record<string, string | number>;
  /** Bytes that wait to be written. */
  bufferBytes(): number;
  /** Text of the refusal for writes while the log cannot be written, or undefined. */
  refusal(): string | undefined;
  /** Begins to write the append-only file anew, or sees to it that this is done later. */
  requestRewrite(isInUnit: boolean): "started" | "scheduled" | "running" | "failed";
  readonly isLogging: boolean;
  /** Whether everything is synced that was logged up to this point (`Client.lastLogged`). */
  isSynced(point: number): boolean;
}

/** What a parked client waits for. */
export interface Wait {
  /** 0 = for ever. */
  timeoutMs: number;
  /** Whether it has happened. */
  isOver(): boolean;
  /** Writes the reply, as it stands then: it has happened, or the time is up. */
  answer(): void;
  /** Told when the wait is over, for whatever reason. */
  ended?(): void;
  /** Told before, if nothing served it: its time was up, or CLIENT UNBLOCK ended it, as an error or not. */
  givenUp?(isError: boolean): void;
}

/** Which history of writes this server tells: replicas ask for it by this id. */
export interface ReplicationView {
  readonly id: string;
  /** Another history begins. */
  drawId(): void;
}

/** Used memory that is remembered: in bytes, the buffers of clients included. */
export interface MemoryMarks {
  /** When the server began. */
  startBytes: number;
  /** The most that a look at it ever found. */
  peakBytes: number;
}

/** Transactions, as their commands need them; each answers the client. */
export interface TransactionActions {
  begin(client: Client): void;
  exec(client: Client): void;
  discard(client: Client): void;
  watch(client: Client, keys: Iterable<Uint8Array>): void;
  unwatch(client: Client): void;
  /** Forgets queue and watched keys, and answers nothing. */
  leave(client: Client): void;
}

/** Who tracks which keys. */
export interface TrackingActions {
  readonly clientCount: number;
  readonly totalKeys: number;
  /** Pairs of a key and a client. */
  readonly totalItems: number;
  readonly totalPrefixes: number;
  /** What all of it takes, about. */
  readonly bytes: number;
  enable(client: Client, options: TrackingOptions): void;
  disable(client: Client): void;
}

export interface ShutdownOptions {
  save?: boolean;
  now: boolean;
  force: boolean;
}

/** The rest of the server, for commands that need it. Filled by `server.ts`. */
export interface Services {
  readonly clock: Clock;
  readonly runId: string;
  readonly startedAtMs: number;
  readonly version: string;
  /** The level of Redis that is answered. */
  readonly redisVersion: string;
  readonly tcpPort: number;
  readonly persistence: PersistenceView;
  readonly marks: MemoryMarks;
  /** Times a second that timed work is looked at. */
  readonly cronHz: number;
  /** Counters that INFO shows and `CONFIG RESETSTAT` clears. */
  readonly stats: ServerStats;
  readonly commandStats: CommandStats;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly monitors: Monitors;
  readonly transactions: TransactionActions;
  /** Keys that clients wait for, and of them those that are waited for to go too. */
  blockingKeys(): { all: number; onNoKey: number };
  readonly tracking: TrackingActions;
  /** Sets the counters back to 0, the core's too. */
  resetStats(): void;
  /** All memory that is free goes back to the system. */
  giveMemoryBack(): void;
  log(level: LogLevel, text: string): void;
  /** Begins an orderly stop for the running client, which waits from here on. @returns the error line if it is refused */
  shutdown(options: ShutdownOptions): string | undefined;
  /** Calls a stop off. @returns false if none was on its way */
  abortShutdown(): boolean;
  /** Closes a client: at once, or after its replies left. */
  closeClient(client: Client, afterReplies: boolean): void;
  /** CLIENT PAUSE. */
  readonly pause: ClientPause;
  /** What clients were closed for. */
  readonly clientLimits: ClientLimits;
  /** Where the running command's client gets its replies from here on: nowhere, or as ever. */
  setSilent(client: Client, silent: boolean): void;
  /** Takes a reason to wait from a client: with no other left it is served again, in the next turn. */
  proceed(client: Client, reason: Stop): void;
  /** Ends the wait of a blocked client as if its time were up, or with an error. @returns whether it was blocked */
  /** Parks the client, empties the databases, and replays the append-only files (DEBUG LOADAOF). */
  reloadLog(client: Client): void;
  /** Parks the client: nothing more of it is served until its command is answered. */
  block(client: Client, wait: Wait): void;
  unblock(client: Client, how: "timeout" | "error"): boolean;
  hasUser(name: string): boolean;
  /** Replies to the running client that have not left yet, in bytes. */
  pendingReplyBytes(): number;
  /** Stops the event loop for a while (DEBUG SLEEP). */
  sleep(ms: number): void;
  readonly replication: ReplicationView;
  /** Stops timed work: nothing expires, is tidied or closed by itself (DEBUG PAUSE-CRON). */
  pauseCron(paused: boolean): void;
}

export interface ServerStats {
  connectionsReceived: number;
  connectionsRejected: number;
  netInputBytes: number;
  /** Chunks read from and written to connections. */
  readsProcessed: number;
  writesProcessed: number;
  netOutputBytes: number;
  /** Passwords that were wrong. */
  deniedLogins: number;
  /** Time spent on deleting what was due. */
  expireCycleMs: number;
  /** Operations per second over the last 16 samples of the cron. */
  instantaneousOpsPerSec: number;
  instantaneousInputKbps: number;
  instantaneousOutputKbps: number;
}

export interface CommandContext {
  readonly core: Core;
  readonly clients: ClientRegistry;
  readonly config: Config;
  readonly commands: CommandTable;
  readonly services: Services;
  readonly args: Args;
  readonly reply: ReplyWriter;
  client: Client;
  /** The running command; for a subcommand its own row. */
  row: CommandRow;
  /** Runs a command of the core on the words as they came, with all that follows from it. */
  execute(id: Cmd): void;
  /** The rest of this reply, and all later ones, are in this protocol. */
  useProtocol(protocol: 2 | 3): void;
}
