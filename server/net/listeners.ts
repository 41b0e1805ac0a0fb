/** The listeners of a server: opened at start; those on TCP anew when CONFIG SET changes port or bind. Connections stay. */
import type { Config } from "../config/config.ts";
import type { Logger } from "../observability/log.ts";
import {
  type DirectSend,
  type Listener,
  type ListenerEvents,
  listenTcp,
  listenUnix,
  type SocketParts,
} from "./listener.ts";

export interface ListenersParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly events: ListenerEvents;
  /** What sends to sockets, undefined where only they do. */
  openSend(): DirectSend | undefined;
  /** Port 0 means any free one, not none. */
  readonly anyPort: boolean;
}

/** Where clients come from. */
export interface Network {
  /** Of TCP, 0 if there is none. */
  readonly port: number;
  /** @throws Error if an address cannot be had */
  open(): Promise<void>;
  /** Who connects is served from here on. */
  announce(): void;
  /** Accepts nobody any more. */
  stop(closesConnections: boolean): void;
}

export class Listeners implements Network {
  private tcp: Listener[] = [];
  private unix: Listener | undefined;
  private readonly sockets: SocketParts;

  constructor(private readonly parts: ListenersParts) {
    this.sockets = { events: parts.events, send: parts.openSend() };
  }

  get port(): number {
    return this.tcp[0]?.port ?? 0;
  }

  async open(): Promise<void> {
    const { config } = this.parts;
    this.openTcp();
    const path = config.path("unixsocket");
    if (path !== "") await this.openUnix(path);
    config.applyWith("port", () =>
      this.reopenTcp("Unable to listen on this port. Check server logs."),
    );
    config.applyWith("bind", () => this.reopenTcp("Failed to bind to specified addresses."));
  }

  announce(): void {
    const { config, logger } = this.parts;
    if (this.port !== 0) logger.notice("Ready to accept connections tcp");
    if (config.path("unixsocket") !== "") logger.notice("Ready to accept connections unix");
  }

  stop(closesConnections: boolean): void {
    for (const listener of this.tcp) listener.stop(closesConnections);
    this.unix?.stop(closesConnections);
  }

  private openTcp(): void {
    const { config, logger, anyPort } = this.parts;
    const hosts = config.get("bind");
    const port = config.get("port");
    if (port === 0 && !anyPort) return;
    try {
      this.tcp = listenTcp(hosts, port, this.sockets);
    } catch (error) {
      const why = (error as Error).message;
      logger.warning(
        `Warning: Could not create server TCP listening socket ${hosts.join(" ")}:${port}: ${why}`,
      );
      throw new Error(`Failed listening on port ${port} (tcp), aborting.`, { cause: error });
    }
  }

  /** The old ones first: an address can be had once only. @returns `fault` if the new ones cannot be had */
  private reopenTcp(fault: string): string | undefined {
    for (const listener of this.tcp) listener.stop(false);
    this.tcp = [];
    try {
      this.openTcp();
      return undefined;
    } catch {
      return fault;
    }
  }

  private async openUnix(path: string): Promise<void> {
    const { config } = this.parts;
    try {
      this.unix = await listenUnix(path, config.get("unixsocketperm"), this.sockets);
    } catch (error) {
      this.stop(true);
      throw new Error(`Failed opening Unix socket: bind: ${(error as Error).message}`);
    }
  }
}
