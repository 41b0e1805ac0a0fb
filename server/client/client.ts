/** A session: what the server knows of one connected client. The socket behind it is a `Link`. */
import type { Outbox } from "./outbox.ts";

/** Reasons to leave the hot path: with none set a command runs at once. */
export enum Gate {
  NeedsAuth = 1,
  WritesRefused = 2, // the log cannot be written
}

/** The socket as sessions see it. */
export interface Link {
  /** "host:port"; the path and port 0 of a unix socket. */
  readonly address: string;
  readonly localAddress: string;
  readonly fd: number;
  readonly isUnixSocket: boolean;
  /** @returns bytes the kernel took, negative = gone */
  write(bytes: Uint8Array): number;
  pause(): void;
  /** Reads again, and serves what waits. */
  resume(): void;
  /** Ends the connection after what was written. */
  end(): void;
  /** Drops the connection at once. */
  terminate(): void;
}

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
  lastActiveMs: number;
  /** Position in the command table, -1 = none yet. */
  lastCommand = -1;
  commandsProcessed = 0;
  /** Bytes of an unfinished command that wait for the rest. */
  carriedBytes = 0;
  /** To be ended when the outbox is empty. */
  closing = false;
  /** Its replies wait for the log. */
  held = false;
  /** Nothing is read from it until its outbox is empty. */
  paused = false;

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

  get authenticated(): boolean {
    return (this.gate & Gate.NeedsAuth) === 0;
  }

  set authenticated(value: boolean) {
    this.gate = value ? this.gate & ~Gate.NeedsAuth : this.gate | Gate.NeedsAuth;
  }

  outputBytes(): number {
    return this.outbox.bytes;
  }

  inputBytes(): number {
    return this.carriedBytes;
  }
}
