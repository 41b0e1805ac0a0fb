/** Embedding: `import { startServer } from "bundis"`. */
import { parseCommandLine } from "./config/config.ts";
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
  const args = Object.entries(directives).flatMap(([name, value]) => [
    `--${name}`,
    ...value.split(" "),
  ]);
  const config = parseCommandLine(args, {}, {});
  const logger = createLogger({ level: options.verbose ? "notice" : "warning", file: "" });
  const server = new Server({ config, logger });
  await server.start();
  return {
    port: server.port,
    url: `redis://127.0.0.1:${server.port}`,
    check: () => server.core.check(),
    close: () => server.stop(),
  };
}
