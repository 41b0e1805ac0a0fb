/** Embedding: `import { startServer } from "bundis"`. Servers share nothing; any number may run in one process. */
import { configOf, type DirectiveOptions } from "./config/options.ts";
import { createLogger, type Logger, type LogLevel } from "./observability/log.ts";
import { Server } from "./server.ts";

export type { DirectiveOptions, LogLevel };

export interface StartOptions {
  /** 0 = any free port (default); false = none, for a server with only a unix socket. */
  port?: number | false;
  /**
   * Directives by their own names: `{ maxmemory: "100mb", appendonly: true, "maxmemory-policy": "allkeys-lru" }`. `port` above wins over
   * one here. Those about the process (daemonize, pidfile, logfile, supervised, oom-score-adj, shutdown-on-*) have no effect.
   */
  config?: DirectiveOptions;
  /** Is given each log line from `loglevel` on. Without it nothing is logged. */
  log?: (level: LogLevel, text: string) => void;
  /** Log lines go to stdout. */
  verbose?: boolean;
}

export interface RunningServer {
  /** TCP port, 0 if it has none. */
  readonly port: number;
  /** What clients connect to; `redis+unix://` for a server with only a unix socket. */
  readonly url: string;
  /** Asserts every invariant of the core; for tests. */
  check(): number;
  /** Writes out what is to be kept and closes all connections. Idempotent. */
  close(): Promise<void>;
}

function loggerOf({ log, verbose }: StartOptions, level: LogLevel | "nothing"): Logger {
  if (log === undefined) return createLogger({ level: verbose ? level : "nothing", file: "" });
  return createLogger({ level, file: "" }, log);
}

/** Starts a server in this process, on loopback unless `bind` says otherwise. @throws Error if it cannot start */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const { port = options.config?.port ?? 0 } = options;
  const config = configOf({
    bind: "127.0.0.1",
    ...options.config,
    port: port === false ? 0 : port,
  });
  const server = new Server({
    config,
    logger: loggerOf(options, config.get("loglevel")),
    anyPort: port !== false,
  });
  await server.start();
  const unixPath = config.path("unixsocket");
  return {
    get port() {
      return server.port;
    },
    get url() {
      return server.port === 0 ? `redis+unix://${unixPath}` : `redis://127.0.0.1:${server.port}`;
    },
    check: () => server.core.check(),
    close: () => server.stop(),
  };
}
