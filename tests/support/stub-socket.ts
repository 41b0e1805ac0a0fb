/** What every stand-in of ours for one of Bun's sockets has. */
import type { Socket } from "bun";
import type { SocketLink } from "../../server/net/listener.ts";

export abstract class StubSocket {
  data: SocketLink = null as unknown as SocketLink;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  readonly localAddress = "127.0.0.1";
  readonly localPort = 2;

  protected get asSocket(): Socket<SocketLink> {
    return this as unknown as Socket<SocketLink>;
  }

  abstract write(bytes: Uint8Array, begin?: number, length?: number): number;
  abstract end(): void;
  abstract terminate(): void;

  setKeepAlive(): void {}
  pause(): void {}
  resume(): void {}
}
