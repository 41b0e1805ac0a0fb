/** A server as its users start it: a process of its own, on a free port, in a directory of its own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const READY_TRIES = 200;

export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "bundis-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<number>;
  /** What it wrote to stdout, after it ended. */
  output(): Promise<string>;
}

/** Whether a server listens there that has loaded its data. */
async function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = {
    open: (socket: { write(text: string): void }) => socket.write("PING\r\n"),
    data: (_: unknown, chunk: Buffer) => resolve(chunk.toString("latin1")),
    close: () => resolve(""),
    error: () => resolve(""),
  };
  try {
    const connection = await Bun.connect({ hostname: "127.0.0.1", port, socket });
    const reply = await promise;
    connection.end();
    return reply !== "" && !reply.startsWith("-LOADING");
  } catch {
    return false;
  }
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(status.match(/VmRSS:\s+(\d+) kB/)?.[1]) * 1024;
}

/** CPU seconds of all threads of a process so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Behind the command's name, which may hold anything: fields 14 and 15 of all are utime and stime, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Starts `bun server/main.ts` and waits until it serves. @throws Error if it ends instead */
export function startProcess(port: number, ...flags: string[]): Promise<ServerProcess> {
  return launch([process.execPath, "server/main.ts", "--port", String(port), ...flags], port);
}

/** The same with at most so many open files. */
export function startWithOpenFiles(
  limit: number,
  port: number,
  ...flags: string[]
): Promise<ServerProcess> {
  const command = [process.execPath, "server/main.ts", "--port", String(port), ...flags];
  return launch(["sh", "-c", `ulimit -n ${limit}; exec "$@"`, "sh", ...command], port);
}

async function launch(command: string[], port: number): Promise<ServerProcess> {
  const child = Bun.spawn(command, { cwd: ROOT, stdout: "pipe", stderr: "inherit" });
  for (let tries = 0; tries < READY_TRIES && child.exitCode === null; tries++) {
    if (await answers(port)) break;
    await Bun.sleep(20);
  }
  if (child.exitCode !== null)
    throw new Error(
      `the server ended with ${child.exitCode}: ${await new Response(child.stdout).text()}`,
    );
  return {
    port,
    pid: child.pid,
    async kill(signal) {
      child.kill(signal);
      return await child.exited;
    },
    output: () => new Response(child.stdout).text(),
  };
}
