/** The server the client libraries talk to: a process of its own that can be killed and started again on its port. */
import { freePort, startProcess, temporaryDirectory } from "../support/server-process.ts";

export interface RestartableServer {
  readonly port: number;
  /** Ends the process without a goodbye and starts another on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** @throws Error if it does not listen */
export async function startServer(...flags: string[]): Promise<RestartableServer> {
  const port = freePort();
  const dir = temporaryDirectory();
  const start = () => startProcess(port, "--dir", dir.path, "--save", "", ...flags);
  let running = await start();
  return {
    port,
    async restart() {
      await running.kill("SIGKILL");
      running = await start();
    },
    async stop() {
      await running.kill("SIGKILL");
      dir.remove();
    },
  };
}
