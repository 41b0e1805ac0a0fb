/** TCP listeners: one per bind address, all with the same handlers. */
import type { Socket, TCPSocketListener } from "bun";
import type { Link } from "../client/client.ts";
import type { Connection } from "./connection.ts";

export interface ListenerEvents {
  /** @returns the connection, or null after refusing it with a line */
  opened(link: SocketLink): Connection | null;
  closed(connection: Connection): void;
  failed(connection: Connection, error: Error): void;
  writable(connection: Connection): void;
}

interface SocketData {
  connection: Connection | null;
}

/** A socket as sessions see it. */
export class SocketLink implements Link {
  onResume: () => void = () => {};

  constructor(private readonly socket: Socket<SocketData>) {}

  get remoteAddress(): string {
    return this.socket.remoteAddress;
  }

  get address(): string {
    return hostPort(this.socket.remoteAddress, this.socket.remotePort);
  }

  get localAddress(): string {
    return hostPort(this.socket.localAddress, this.socket.localPort);
  }

  get fd(): number {
    return (this.socket as unknown as { fd?: number }).fd ?? -1;
  }

  write(bytes: Uint8Array): number {
    return this.socket.write(bytes);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
    this.onResume();
  }

  end(): void {
    this.socket.end();
  }

  terminate(): void {
    this.socket.terminate();
  }
}

function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Listens on every address of `hosts` that exists; one that begins with `-` may be missing.
 * @throws Error of the first that cannot be had
 */
export function listen(
  hosts: readonly string[],
  port: number,
  events: ListenerEvents,
): TCPSocketListener<SocketData>[] {
  const listeners: TCPSocketListener<SocketData>[] = [];
  let boundPort = port;
  for (const host of hosts) {
    const optional = host.startsWith("-");
    const address = (optional ? host.slice(1) : host)
      .replace(/^\*$/, "0.0.0.0")
      .replace(/^::\*$/, "::");
    try {
      const listener = listenOn(address, boundPort, events);
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

function listenOn(hostname: string, port: number, events: ListenerEvents) {
  return Bun.listen<SocketData>({
    hostname,
    port,
    allowHalfOpen: true,
    data: { connection: null },
    socket: {
      binaryType: "uint8array",
      open(socket) {
        socket.setKeepAlive(true, 300_000);
        socket.data = { connection: null };
        const link = new SocketLink(socket);
        socket.data.connection = events.opened(link);
      },
      data(socket, chunk) {
        socket.data.connection?.receive(chunk);
      },
      drain(socket) {
        if (socket.data.connection !== null) events.writable(socket.data.connection);
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
        socket.data.connection = null;
        if (connection !== null) events.closed(connection);
      },
      error(socket, error) {
        if (socket.data.connection !== null) events.failed(socket.data.connection, error);
        socket.terminate();
      },
    },
  });
}
