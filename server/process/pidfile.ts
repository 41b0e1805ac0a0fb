/** The file that holds the process id while the server runs. */
import { rmSync, writeFileSync } from "node:fs";
import { systemErrorText } from "../config/rules.ts";
import type { Logger } from "../observability/log.ts";

/** Writes it as well as it can. @returns what removes it */
export function createPidFile(path: string, logger: Logger): () => void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    logger.warning(`Failed to write PID file: ${systemErrorText(error)}`);
  }
  return () => {
    logger.notice("Removing the pid file.");
    rmSync(path, { force: true });
  };
}
