/** Signals: SIGTERM and SIGINT stop the server as the directives say, SIGHUP opens the log file anew, SIGABRT asks for a crash report. */
import type { ShutdownOptions } from "../commands/context.ts";
import type { Config } from "../config/config.ts";
import { systemErrorText } from "../config/rules.ts";
import type { Logger } from "../observability/log.ts";

export interface SignalParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly isStopping: () => boolean;
  readonly isLoading: () => boolean;
  /** Stops without more ado, and exits. */
  readonly stopNow: () => void;
  /** Begins a stop soon; `refused` is called if it is. */
  readonly shutdown: (options: ShutdownOptions, refused: () => void) => void;
  readonly crash: (error: Error) => void;
  readonly exit: (code: number) => void;
  /** Registers a handler: `process.on`, or a test's. */
  readonly on: (signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGABRT", handler: () => void) => void;
}

type Flag = "save" | "nosave" | "now" | "force" | "default";

/** SHUTDOWN's options for what shutdown-on-sigint or -sigterm names. */
function signalOptions(flags: ReadonlySet<Flag>): ShutdownOptions {
  const save = flags.has("save") ? true : flags.has("nosave") ? false : undefined;
  return {
    ...(save === undefined ? {} : { save }),
    now: flags.has("now"),
    force: flags.has("force"),
  };
}

export function handleSignals(parts: SignalParts): void {
  const { config, logger } = parts;
  const stop = (signal: "SIGINT" | "SIGTERM") => () => {
    if (signal === "SIGINT" && parts.isStopping()) {
      logger.warning("You insist... exiting now.");
      return parts.exit(1);
    }
    if (parts.isLoading()) {
      logger.warning("Received shutdown signal during loading, exiting now.");
      return parts.stopNow();
    }
    logger.warning(`Received ${signal} scheduling shutdown...`);
    const flags = config.get(signal === "SIGINT" ? "shutdown-on-sigint" : "shutdown-on-sigterm");
    parts.shutdown(signalOptions(flags), () =>
      logger.warning(
        `${signal} received but errors trying to shut down the server, check the logs for more information`,
      ),
    );
  };
  parts.on("SIGTERM", stop("SIGTERM"));
  parts.on("SIGINT", stop("SIGINT"));
  parts.on("SIGABRT", () => {
    const error = new Error("SIGABRT");
    error.name = "signal";
    parts.crash(error);
  });
  parts.on("SIGHUP", () => {
    try {
      logger.reopen();
      logger.notice("Received SIGHUP, the log file is open anew.");
    } catch (error) {
      logger.warning(
        `Received SIGHUP, but the log file can't be opened: ${systemErrorText(error)}`,
      );
    }
  });
}
