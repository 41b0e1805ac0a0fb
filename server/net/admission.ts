/** Who is served: the limit on connections, protected mode, and what a new session begins with. */
import { Client } from "../client/client.ts";
import { Outbox } from "../client/outbox.ts";
import type { ClientRegistry } from "../client/registry.ts";
import { Connection, type ServingParts } from "./connection.ts";
import type { SocketLink } from "./listener.ts";

export interface AdmissionParts {
  readonly clients: ClientRegistry;
  readonly serving: ServingParts;
  readonly stats: { connectionsReceived: number; connectionsRejected: number };
  nowMs(): number;
  maxClients(): number;
  /** Only this machine may connect. */
  isProtected(): boolean;
  needsPassword(): boolean;
  keepAliveSeconds(): number;
}

const TOO_MANY = "-ERR max number of clients reached\r\n";

/** As Redis says it. */
const PROTECTED =
  "-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. " +
  "In this mode connections are only accepted from the loopback interface. " +
  "If you want to connect from external computers to Redis you may adopt one of the following solutions: " +
  "1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, " +
  "however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. " +
  "2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. " +
  "3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. " +
  "4) Set up an authentication password for the default user. " +
  "NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n";

export class Admission {
  constructor(private readonly parts: AdmissionParts) {}

  /** @returns the connection, or null after the socket was told why not and closed */
  admit(link: SocketLink): Connection | null {
    const { parts } = this;
    const { clients, stats } = parts;
    if (clients.size >= parts.maxClients()) return this.refuse(link, TOO_MANY);
    if (parts.isProtected() && !link.isLocal) return this.refuse(link, PROTECTED);
    stats.connectionsReceived++;
    link.keepAlive(parts.keepAliveSeconds());
    const client = new Client(clients.nextId(), link, new Outbox(), parts.nowMs());
    client.askForPassword(parts.needsPassword(), true);
    clients.add(client);
    return new Connection(parts.serving, client);
  }

  private refuse(link: SocketLink, line: string): null {
    this.parts.stats.connectionsRejected++;
    link.write(Buffer.from(line));
    link.end();
    return null;
  }
}
