/** daemonize: the same command once more, in a session of its own and without terminal. */
import { spawn } from "node:child_process";

const DEFAULT_PID_FILE = "/var/run/redis.pid";

/** Flags of the child: it must not do the same again, and writes a pid file even if none was named. */
function daemonArguments(args: readonly string[], pidFile: string): string[] {
  return [...args, "--daemonize", "no", "--pidfile", pidFile || DEFAULT_PID_FILE];
}

/** Starts the child, which goes on when this process ends. */
export function startDaemon(args: readonly string[], pidFile: string): void {
  // In a single-file executable the program is part of it.
  const program = Bun.isStandaloneExecutable ? [] : [process.argv[1]!];
  const child = spawn(process.execPath, [...program, ...daemonArguments(args, pidFile)], {
    detached: true,
    stdio: "ignore",
  });
  child.unref();
}
