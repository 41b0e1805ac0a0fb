/**
 * Listeners on TCP addresses and on a unix socket, all with the same handlers. A connection is three objects of ours on top of
 * Bun's socket (link, client, connection) and no closures: ten thousand of them are the common case, not the exception.
 */
import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import type { Socket, SocketHandler } from "bun";
import type { Link } from "../client/client.ts";
import type { Connection } from "./connection.ts";

export interface ListenerEvents {
  /** @returns the connection, or null after refusing it */
  opened(link: SocketLink): Connection | null;
  closed(connection: Connection): void;
  /** The socket failed, or a handler threw; null: before there was a connection. */
  failed(connection: Connection | null, error: Error): void;
  writable(connection: Connection): void;
}

export interface Listener {
  /** 0 for a unix socket. */
  readonly port: number;
  /** Ends listening; the connections stay unless `closeAll`. */
  stop(closeAll?: boolean): void;
}

/** Sends `length` bytes from `begin` on to a descriptor. @returns how many the kernel took, negative = ask the socket. O(length) */
export type DirectSend = (fd: number, bytes: Uint8Array, begin: number, length: number) => number;

/** What the sockets of a listener share. */
export interface SocketParts {
  readonly events: ListenerEvents;
  /** Without it `socket.write` sends everything, as it must where Bun encrypts. */
  readonly send?: DirectSend | undefined;
}

/** Leaves everything to `socket.write`. */
const NEVER_SENT: DirectSend = () => -1;

/** A socket as sessions see it. */
export class SocketLink implements Link {
  connection: Connection | null = null;
  private paused = false;
  /** What is sent to directly. */
  private readonly descriptor: number;

  constructor(
    private readonly socket: Socket<SocketLink>,
    private readonly unixPath: string,
    private send: DirectSend,
  ) {
    this.descriptor = this.fd;
  }

  get isUnixSocket(): boolean {
    return this.unixPath !== "";
  }

  /** Whether it comes from this machine. */
  get isLocal(): boolean {
    if (this.isUnixSocket) return true;
    // Whoever is gone by now has no address any more: it is treated as a stranger.
    const remote = (this.socket.remoteAddress ?? "").replace("::ffff:", "");
    return remote.startsWith("127.") || remote === "::1";
  }

  get address(): string {
    if (this.isUnixSocket) return `${this.unixPath}:0`;
    return hostPort(this.socket.remoteAddress, this.socket.remotePort);
  }

  get localAddress(): string {
    if (this.isUnixSocket) return `${this.unixPath}:0`;
    return hostPort(this.socket.localAddress, this.socket.localPort);
  }

  get fd(): number {
    return (this.socket as unknown as { fd?: number }).fd ?? -1;
  }

  /** Probes a silent peer after so many seconds; 0 = never. */
  keepAlive(seconds: number): void {
    if (!this.isUnixSocket) this.socket.setKeepAlive(seconds !== 0, seconds * 1000);
  }

  write(bytes: Uint8Array, begin = 0, end = bytes.length): number {
    const length = end - begin;
    const sent = this.send(this.descriptor, bytes, begin, length);
    if (sent === length) return length;
    if (sent <= 0) return this.socket.write(bytes, begin, length);
    // Bun is to wait for room.
    return sent + Math.max(0, this.socket.write(bytes, begin + sent, length - sent));
  }

  /** The socket is closed, or about to be: another one may have its descriptor by then. */
  forgetDescriptor(): void {
    this.send = NEVER_SENT;
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (this.paused) {
      this.paused = false;
      this.socket.resume();
    }
    this.connection?.resume();
  }

  end(): void {
    this.forgetDescriptor();
    this.socket.end();
  }

  terminate(): void {
    this.forgetDescriptor();
    this.socket.terminate();
  }
}

/** "?:0" stands for a peer that was gone before it was asked for its address, as in Redis. */
function hostPort(host: string | undefined, port: number): string {
  if (host === undefined) return "?:0";
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Handlers of the sockets of one listener; its path if it is a unix socket. */
export function socketHandlers(
  { events, send = NEVER_SENT }: SocketParts,
  unixPath: string,
): SocketHandler<SocketLink> {
  return {
    binaryType: "uint8array",
    open(socket) {
      const link = new SocketLink(socket, unixPath, send);
      socket.data = link;
      link.connection = events.opened(link);
    },
    data(socket, chunk) {
      socket.data.connection?.receive(chunk);
    },
    drain(socket) {
      const { connection } = socket.data;
      if (connection !== null) events.writable(connection);
    },
    end(socket) {
      // Half-open: replies still waiting are sent before the close.
      const { connection } = socket.data;
      if (connection === null) return;
      connection.client.closing = true;
      events.writable(connection);
    },
    close(socket) {
      const { connection } = socket.data;
      socket.data.forgetDescriptor();
      socket.data.connection = null;
      if (connection !== null) events.closed(connection);
    },
    error(socket, error) {
      const connection = socket.data?.connection ?? null;
      events.failed(connection, error);
      socket.data?.forgetDescriptor();
      socket.terminate();
    },
  };
}

/** Until `open` has made the socket's own. */
const NO_DATA = null as unknown as SocketLink;

/**
 * Listens on every address of `hosts` that exists; one that begins with `-` may be missing. Port 0 is any free one.
 * @throws Error of the first that cannot be had
 */
export function listenTcp(hosts: readonly string[], port: number, parts: SocketParts): Listener[] {
  const listeners: Listener[] = [];
  let boundPort = port;
  for (const host of hosts) {
    const optional = host.startsWith("-");
    const hostname = (optional ? host.slice(1) : host)
      .replace(/^\*$/, "0.0.0.0")
      .replace(/^::\*$/, "::");
    try {
      const listener = Bun.listen<SocketLink>({
        hostname,
        port: boundPort,
        allowHalfOpen: true,
        data: NO_DATA,
        socket: socketHandlers(parts, ""),
      });
      boundPort = listener.port;
      listeners.push(listener);
    } catch (error) {
      if (optional && (error as { code?: string }).code !== "EADDRINUSE") continue;
      for (const listener of listeners) listener.stop(true);
      throw error;
    }
  }
  return listeners;
}

/**
 * Listens on a unix socket. A socket file that nobody listens on, as a killed server leaves it, is replaced.
 * @throws Error if the path cannot be had, or somebody listens there
 */
export async function listenUnix(
  path: string,
  permissions: number,
  parts: SocketParts,
): Promise<Listener> {
  if (await isStaleSocket(path)) unlinkSync(path);
  const listener = Bun.listen<SocketLink>({
    unix: path,
    allowHalfOpen: true,
    data: NO_DATA,
    socket: socketHandlers(parts, path),
  });
  if (permissions !== 0) chmodSync(path, permissions);
  return { port: 0, stop: (closeAll) => listener.stop(closeAll) };
}

async function isStaleSocket(path: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  try {
    const probe = await Bun.connect({ unix: path, socket: { data() {} } });
    probe.end();
    return false;
  } catch {
    return true;
  }
}
