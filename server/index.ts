/** Embedding: `import { startServer } from "bundis"`. */
import { Config, findDirective } from "./config/config.ts";
import { byteString } from "./config/syntax.ts";
import { createLogger } from "./observability/log.ts";
import { Server } from "./server.ts";

export interface StartOptions {
  /** 0 = any free port (default). */
  port?: number;
  /** Directives by name, as in redis.conf. */
  config?: Record<string, string>;
  /** Log lines go to stdout; silent by default. */
  verbose?: boolean;
}

export interface RunningServer {
  readonly port: number;
  readonly url: string;
  /** Asserts every invariant of the core; for tests. */
  check(): number;
  close(): Promise<void>;
}

/** Starts a server in this process, on loopback. Several may run at once. @throws Error if it cannot start */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const directives = { bind: "127.0.0.1", ...options.config, port: String(options.port ?? 0) };
  const config = new Config();
  for (const [name, value] of Object.entries(directives)) {
    const named = findDirective(name);
    if (named === undefined) throw new Error(`there is no directive '${name}'`);
    const fault = config.load(named, [byteString(value)]);
    if (fault !== undefined) throw new Error(`directive '${name}': ${fault}`);
  }
  const logger = createLogger({ level: options.verbose ? "notice" : "warning", file: "" });
  const server = new Server({ config, logger, anyPort: true });
  await server.start();
  return {
    port: server.port,
    url: `redis://127.0.0.1:${server.port}`,
    check: () => server.core.check(),
    close: () => server.stop(),
  };
}
