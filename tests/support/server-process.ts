/** A server as its users start it: a process of its own, on a free port, in a directory of its own. */
import { mkdtempSync, rmSync } from "node:fs";
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
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<number>;
  /** What it wrote to stdout, after it ended. */
  output(): Promise<string>;
}

async function answers(port: number): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.end();
    return true;
  } catch {
    return false;
  }
}

/** Starts `bun server/main.ts` and waits until it listens. @throws Error if it ends instead */
export async function startProcess(port: number, ...flags: string[]): Promise<ServerProcess> {
  const command = [process.execPath, "server/main.ts", "--port", String(port), ...flags];
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
    async kill(signal) {
      child.kill(signal);
      return await child.exited;
    },
    output: () => new Response(child.stdout).text(),
  };
}
