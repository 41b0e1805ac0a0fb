#!/usr/bin/env bun
/** The command line: [redis.conf] [--directive value ...] -> a running server; signals and exit codes. */
import { type Config, findDirective } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { createLogger } from "./observability/log.ts";
import { Server } from "./server.ts";
import { REDIS_VERSION, VERSION } from "./version.ts";

const USAGE = `Bundis ${VERSION}: a Redis-compatible in-memory data server

  bundis [redis.conf | -] [--directive value ...]

  --port 6379            port to listen on, on loopback unless --bind says otherwise
  --dir DIR              where the append-only file lives
  --appendonly yes       write one
  --appendfsync everysec or always, or no
  --maxmemory 100mb      with --maxmemory-policy noeviction, volatile-ttl, allkeys- or volatile- with lru, lfu or random

Every directive of redis.conf can be given this way, or as BUNDIS_<DIRECTIVE> in the environment.
`;

function configure(args: readonly string[], defaults: Record<string, string>): Config {
  try {
    const version = `Bundis ${VERSION}, Redis ${REDIS_VERSION}`;
    const config = loadConfig(args, { env: process.env, version });
    for (const [name, value] of Object.entries(defaults)) {
      const named = findDirective(name)!;
      if (!config.isLoaded(named.primary)) config.load(named, [value]);
    }
    return config;
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

/** Runs a server until it is told to stop. `defaults` stand below file, environment and flags. */
export async function main(
  args: readonly string[],
  defaults: Record<string, string>,
): Promise<void> {
  if (args[0] === "--help" || args[0] === "-h") return console.log(USAGE);
  if (args[0] === "--version" || args[0] === "-v") return console.log(`Bundis ${VERSION}`);
  const config = configure(args, defaults);
  const logger = createLogger({ level: config.get("loglevel"), file: config.path("logfile") });
  logger.notice(`Bundis ${VERSION} starting, PID: ${process.pid}`);
  for (const [name, why] of config.ignored())
    logger.warning(`Directive '${name}' has no effect: ${why}.`);
  const server = new Server({ config, logger, onStopped: () => process.exit(0) });
  try {
    await server.start();
  } catch (error) {
    logger.warning((error as Error).message);
    process.exit(1);
  }
  let interrupts = 0;
  const stop = (signal: string) => async () => {
    if (signal === "SIGINT" && ++interrupts > 1) {
      logger.warning("You insist... exiting now.");
      process.exit(1);
    }
    logger.notice(`Received ${signal} scheduling shutdown...`);
    await server.stop();
    process.exit(0);
  };
  process.on("SIGTERM", stop("SIGTERM"));
  process.on("SIGINT", stop("SIGINT"));
  process.on("SIGHUP", () => {});
}

if (import.meta.main) await main(process.argv.slice(2), {});
