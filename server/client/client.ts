/** A session: what the server knows of one connected client. The socket behind it is a `Link`. */
import type { Outbox } from "./outbox.ts";
import type { Tracking } from "./tracking.ts";
import type { Transaction, WatchedKey } from "./transaction.ts";

/** Reasons to leave the hot path: with none set a command runs at once. */
export enum Gate {
  NeedsAuth = 1,
  WritesRefused = 2, // the log cannot be written
  PausedWrites = 4, // CLIENT PAUSE WRITE
  PausedAll = 8,
  Multi = 16, // commands are queued for EXEC
  Monitor = 32, // sees all commands, and may not touch keys
  NoReplicas = 128, // fewer replicas than writes need
  Loading = 256, // the dataset is being loaded
  SkipReply = 64, // CLIENT REPLY SKIP: the next command is not answered
  Tracking = 512, // the keys that it reads are remembered
}

/** Why nothing more of a client is served for now. */
export enum Stop {
  Output = 1, // it does not take its replies
  Postponed = 2, // its command waits for the end of CLIENT PAUSE, and is run then
  Blocked = 4, // its command waits for something to happen, and is answered then
}

export type ClientType = "normal" | "replica" | "master" | "pubsub";

/** Resident bytes of a connection that is idle, socket included: bench/load/connections.ts. */
export const IDLE_CLIENT_BYTES = 1500;

/** The socket as sessions see it. */
export interface Link {
  /** "host:port"; the path and port 0 of a unix socket. */
  readonly address: string;
  readonly localAddress: string;
  readonly fd: number;
  readonly isUnixSocket: boolean;
  /** Writes the bytes from `begin` to `end`. @returns how many the kernel took, negative = gone */
  write(bytes: Uint8Array, begin?: number, end?: number): number;
  pause(): void;
  /** Reads again, and serves what waits. */
  resume(): void;
  /** Ends the connection after what was written. */
  end(): void;
  /** Drops the connection at once. */
  terminate(): void;
}

/** Of a client that is none: nothing comes from it, nothing goes to it. */
export const NO_LINK: Link = {
  address: "",
  localAddress: "",
  fd: -1,
  isUnixSocket: false,
  write: () => -1,
  pause: () => {},
  resume: () => {},
  end: () => {},
  terminate: () => {},
};

export class Client {
  name = "";
  libName = "";
  libVersion = "";
  user = "default";
  protocol: 2 | 3 = 2;
  db = 0;
  gate = 0;
  noTouch = false;
  noEvict = false;
  private hasLoggedIn = false;
  /** CLIENT REPLY OFF. */
  silent = false;
  lastActiveMs: number;
  /** Position in the command table, -1 = none yet. */
  lastCommand = -1;
  /** Commands queued since MULTI; null outside a transaction. */
  multi: Transaction | null = null;
  /** Watched keys by database and name; null = none. */
  watched: Map<string, WatchedKey> | null = null;
  /** CLIENT TRACKING is on. */
  tracking: Tracking | null = null;
  /** A watched key was touched: EXEC will answer null. */
  dirtyWatch = false;
  /** Point of the log that covers the last that it changed; 0 = nothing yet. */
  lastLogged = 0;
  /** Length of the last chunk. */
  chunkBytes = 0;
  /** Bytes of an unfinished command, or of commands that wait for the client to be served again. */
  carriedBytes = 0;
  /** The most that was carried lately, and when. */
  inputPeakBytes = 0;
  inputPeakAtMs = 0;
  /** What the registry counts of its buffers. */
  countedBytes = 0;
  /** To be ended when the outbox is empty. */
  closing = false;
  /** Point of the log up to which everything must be safe before its next reply leaves. */
  holdUntil = 0;
  /** Replies, in pieces, that wait for the log; and the point that the last of them waits for. */
  heldPieces = 0;
  heldPoint = 0;
  /** Bytes of those pieces. */
  waitingBytes = 0;
  /** Bytes at the end of its outbox that wait for the log. */
  heldBytes = 0;
  /** It went over a limit, gets nothing any more and is about to be closed. */
  doomed = false;
  /** Stop bits; 0 = it is served. */
  stops = 0;
  /** Since when its outbox is above the soft limit, 0 = it is not. */
  overSoftLimitSinceMs = 0;

  constructor(
    readonly id: number,
    readonly link: Link,
    readonly outbox: Outbox,
    readonly createdAtMs: number,
  ) {
    this.lastActiveMs = createdAtMs;
  }

  get address(): string {
    return this.link.address;
  }

  get localAddress(): string {
    return this.link.localAddress;
  }

  get fd(): number {
    return this.link.fd;
  }

  /** Commands are open to it. */
  get authenticated(): boolean {
    return (this.gate & Gate.NeedsAuth) === 0;
  }

  /** Whoever has given the password, or came when there was none, stays logged in whatever the password becomes. */
  get loggedIn(): boolean {
    return this.hasLoggedIn;
  }

  logIn(): void {
    this.hasLoggedIn = true;
    this.gate &= ~Gate.NeedsAuth;
  }

  /** There is a password now, or none any more; or the session begins anew. */
  askForPassword(isNeeded: boolean, anew: boolean): void {
    if (anew) this.hasLoggedIn = !isNeeded;
    const refused = isNeeded && !this.hasLoggedIn;
    this.gate = refused ? this.gate | Gate.NeedsAuth : this.gate & ~Gate.NeedsAuth;
  }

  /** By which limits are set, and CLIENT LIST and KILL choose. */
  get type(): ClientType {
    return "normal";
  }

  /** A command of its waits: postponed or blocked. */
  get isWaiting(): boolean {
    return (this.stops & (Stop.Postponed | Stop.Blocked)) !== 0;
  }

  /** What it takes besides an idle client's share. */
  bufferBytes(): number {
    return this.outbox.bytes + this.waitingBytes + this.carriedBytes + (this.multi?.bytes ?? 0);
  }

  memoryBytes(): number {
    return IDLE_CLIENT_BYTES + this.bufferBytes();
  }
}
