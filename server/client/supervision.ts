/** Everything that watches over the clients of a server, put together. */
import type { Config } from "../config/config.ts";
import { Backpressure } from "./backpressure.ts";
import type { Client } from "./client.ts";
import { describeClient } from "./describe.ts";
import { ClientLimits, clientsLimitBytes } from "./limits.ts";
import { ClientPause } from "./pause.ts";
import { ClientRegistry } from "./registry.ts";

export interface SupervisionParts {
  readonly config: Config;
  nowMs(): number;
  log(level: "verbose" | "notice" | "warning", text: string): void;
  commandName(client: Client): string;
  /** Gate bits that CLIENT PAUSE sets for everybody. */
  pauseGate(bits: number): void;
}

export class Supervision {
  readonly clients = new ClientRegistry();
  readonly limits: ClientLimits;
  readonly backpressure: Backpressure;
  readonly pause: ClientPause;

  constructor(parts: SupervisionParts) {
    const { config } = parts;
    const nowMs = () => parts.nowMs();
    this.limits = new ClientLimits({
      clients: this.clients,
      nowMs,
      outputLimits: () => config.get("client-output-buffer-limit"),
      idleSeconds: () => config.get("timeout"),
      clientsBytes: () =>
        clientsLimitBytes(config.get("maxmemory-clients"), config.get("maxmemory")),
      describe: (client) => describeClient(client, nowMs(), parts.commandName(client)),
      log: (level, text) => parts.log(level, text),
    });
    this.backpressure = new Backpressure(this.clients, this.limits);
    this.pause = new ClientPause({
      nowMs,
      gate: (bits) => parts.pauseGate(bits),
      proceed: (client, reason) => this.backpressure.proceed(client, reason),
    });
    config.onChange("requirepass", () => {
      const isNeeded = config.get("requirepass") !== "";
      for (const client of this.clients.all()) client.askForPassword(isNeeded, false);
    });
    config.onChange(["maxmemory-clients", "maxmemory"], () => this.limits.memoryGrew());
  }

  /** The client's connection is gone. */
  forget(client: Client): void {
    this.pause.forget(client);
    this.clients.remove(client);
  }

  stop(): void {
    this.pause.stop();
    this.limits.stop();
    this.backpressure.stop();
  }
}
