#!/usr/bin/env bun
/** The command line: [redis.conf] [--directive value ...] [-] -> a running server, its log, its process id, its exit code. */
import { ALL_COMMANDS } from "./commands/table.ts";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/load.ts";
import { systemErrorText } from "./config/rules.ts";
import { createLogger, type Logger } from "./observability/log.ts";
import { checkAof } from "./persistence/aof/check.ts";
import { askOnTerminal } from "./process/ask.ts";
import { checkSystem } from "./process/check-system.ts";
import { startDaemon } from "./process/daemon.ts";
import { applyOomScore } from "./process/oom-score.ts";
import { createPidFile } from "./process/pidfile.ts";
import { handleSignals } from "./process/signals.ts";
import { createNotify } from "./process/systemd.ts";
import { usageText, versionText } from "./process/usage.ts";
import { Server } from "./server.ts";
import { REDIS_VERSION, VERSION } from "./version.ts";

/** Of a process whose state could not be trusted any more. 0 is an orderly stop, 1 a start that failed or a second SIGINT. */
const EXIT_CRASHED = 70;

/** Options that print something and end. @returns the exit code, or undefined if there is none of them */
function runSpecialOption(option: string | undefined, rest: readonly string[]): number | undefined {
  switch (option) {
    case "--help":
    case "-h":
      console.log(usageText());
      return 0;
    case "--version":
    case "-v":
      console.log(versionText());
      return 0;
    case "--check-system":
      return checkSystem(console.log) ? 0 : 1;
    case "--check-aof":
      return checkAof(rest, { print: console.log, ask: askOnTerminal });
    case "--test-memory":
      console.error("Bundis does not test memory. Use memtest86+ or stress-ng --vm.");
      return 1;
    case "--sentinel":
      console.error("Bundis has no sentinel mode. Redis Sentinel can be used beside it.");
      return 1;
    default:
      return undefined;
  }
}

function configure(args: readonly string[], defaults: Record<string, string>): Config {
  try {
    const version = `Bundis ${VERSION}, Redis ${REDIS_VERSION}`;
    const commandNames = ALL_COMMANDS.map((spec) => spec.name);
    return loadConfig(args, { env: process.env, defaults, version, commandNames });
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

function openLogger(config: Config): Logger {
  try {
    return createLogger({
      level: config.get("loglevel"),
      file: config.path("logfile"),
      format: config.get("log-format"),
      timestamp: config.get("log-timestamp-format"),
    });
  } catch (error) {
    console.error(`Can't open the log file: ${systemErrorText(error)}`);
    process.exit(1);
  }
}

function greet(config: Config, logger: Logger): void {
  logger.notice("Bundis is starting");
  logger.notice(
    `Bundis version=${VERSION}, redis=${REDIS_VERSION}, bun=${Bun.version}, bits=64, pid=${process.pid}, just started`,
  );
  if (config.isDefault)
    logger.warning("Warning: no config file specified, using the default config.");
  else logger.notice("Configuration loaded");
  for (const text of config.warnings) logger.warning(text);
  for (const [name, why] of config.ignored())
    logger.warning(`Directive '${name}' has no effect: ${why}.`);
  logger.notice(`Running mode=standalone, port=${config.get("port")}.`);
}

/** Runs a server until it is told to stop. `defaults` stand below file, environment and flags. */
export async function main(
  args: readonly string[],
  defaults: Record<string, string>,
): Promise<void> {
  const special = runSpecialOption(args[0], args.slice(1));
  if (special !== undefined) process.exit(special);
  const config = configure(args, defaults);
  if (config.get("daemonize") && config.get("supervised") === "no" && !args.includes("-"))
    return startDaemon(args, config.path("pidfile"));
  const logger = openLogger(config);
  greet(config, logger);
  const removePidFile = config.text("pidfile") && createPidFile(config.path("pidfile"), logger);
  applyOomScore(config, logger);
  const notify = createNotify(config.get("supervised"), process.env, logger.warning);
  const exit = (code: number) => {
    if (removePidFile) removePidFile();
    process.exit(code);
  };
  const server = new Server({
    config,
    logger,
    ownsProcess: true,
    onStopping: () => notify("STOPPING=1\n"),
    onStopped: () => exit(0),
    onCrashed: () => process.exit(EXIT_CRASHED),
  });
  process.on("uncaughtException", (error) => server.crash(error));
  process.on("unhandledRejection", (error) => server.crash(error));
  handleSignals({
    config,
    logger,
    isStopping: () => server.isStopping,
    isLoading: () => server.isLoading,
    stopNow: () => void server.stop().then(() => exit(0)),
    shutdown: (options, refused) => server.shutdownSoon(options, refused),
    crash: (error) => server.crash(error),
    exit,
    on: (signal, handler) => process.on(signal, handler),
  });
  try {
    await server.start();
  } catch (error) {
    // Whoever stopped it exits.
    if (server.isStopping) return;
    if (removePidFile) removePidFile();
    // The reason is the last line: scripts look for it there.
    logger.warning((error as Error).message);
    process.exit(1);
  }
  notify("STATUS=Ready to accept connections\nREADY=1\n");
}

if (import.meta.main) await main(process.argv.slice(2), {});
