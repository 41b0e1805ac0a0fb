/** Connections of one simulated process: sockets as Bun's handlers see them, with the client at their other end. */
import type { Client } from "../../server/client/client.ts";
import type { ListenerEvents } from "../../server/net/listener.ts";
import { socketHandlers } from "../../server/net/listener.ts";
import type { ListenersParts, Network } from "../../server/net/listeners.ts";
import type { Random } from "../support/random.ts";
import { parseReply } from "../support/reply.ts";
import { StubSocket } from "../support/stub-socket.ts";
import type { World } from "./world.ts";

export class SimSocket extends StubSocket {
  /** Replies that have come, whole ones. */
  replies: string[] = [];
  isClosed = false;
  private received = "";
  private known: Client | undefined;
  private isFull = false;
  private hasEnded = false;

  constructor(
    private readonly world: World,
    private readonly random: Random,
    private readonly handlers: ReturnType<typeof socketHandlers>,
  ) {
    super();
  }

  /** The server's idea of who is connected. */
  get client(): Client | undefined {
    return this.known;
  }

  // ---- the server's end

  write(bytes: Uint8Array, begin = 0, length = bytes.length - begin): number {
    if (this.isClosed || this.hasEnded || this.world.hasEnded) return -1;
    let taken = length;
    if (this.isFull) taken = 0;
    else if (this.random.chance(0.02)) {
      taken = this.random.below(length + 1);
      this.isFull = true;
    }
    this.received += Buffer.from(bytes.subarray(begin, begin + taken)).toString("latin1");
    for (;;) {
      const parsed = parseReply(this.received);
      if (parsed === undefined) break;
      this.replies.push(this.received.slice(0, parsed.end));
      this.received = this.received.slice(parsed.end);
    }
    return taken;
  }

  end(): void {
    this.hasEnded = true;
  }

  terminate(): void {
    this.hasEnded = true;
  }

  // ---- the client's end

  open(): void {
    this.world.run(() => this.handlers.open!(this.asSocket));
    this.known = this.data?.connection?.client;
  }

  send(bytes: Uint8Array): void {
    if (this.hasEnded) return this.close();
    this.world.run(() => this.handlers.data!(this.asSocket, Buffer.from(bytes)));
  }

  /** The kernel's part of a turn. */
  poll(): void {
    if (this.hasEnded) this.close();
    else if (this.isFull && this.random.chance(0.5)) {
      this.isFull = false;
      this.world.run(() => this.handlers.drain!(this.asSocket));
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.world.run(() => this.handlers.close!(this.asSocket));
  }
}

export class SimNetwork implements Network {
  readonly port = 1;
  isOpen = false;
  private events: ListenerEvents | undefined;

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  readonly listen = ({ events }: ListenersParts): Network => {
    this.events = events;
    return this;
  };

  async open(): Promise<void> {
    this.isOpen = true;
  }

  announce(): void {}

  stop(): void {
    this.isOpen = false;
  }

  connect(): SimSocket {
    const socket = new SimSocket(
      this.world,
      this.random,
      socketHandlers({ events: this.events! }, ""),
    );
    socket.open();
    return socket;
  }
}
