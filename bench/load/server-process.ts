/** Servers under measurement as child processes, and what the kernel says of them: CPU time and resident memory. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPipe } from "./pipe.ts";

const ROOT = join(import.meta.dir, "../..");
const TICKS_PER_SECOND = Number(Bun.spawnSync(["getconf", "CLK_TCK"]).stdout.toString()) || 100;
const START_MS = 15_000;

export type ServerName = "redis-server" | "bundis";

export interface MeasuredServer {
  readonly name: ServerName;
  readonly port: number;
  /** Milliseconds from spawning to the first PONG. */
  readonly startMs: number;
  /** CPU seconds of all its threads so far, in steps of a clock tick. */
  cpuSeconds(): number;
  residentBytes(): number;
  /** Most resident memory since the last `resetPeak`. */
  peakBytes(): number;
  resetPeak(): void;
  stop(): Promise<void>;
}

/** What runs on each side. BENCH_BUNDIS and BENCH_REDIS replace a command, to try the harness or another server. */
function commandOf(name: ServerName): string[] {
  const replaced = process.env[name === "bundis" ? "BENCH_BUNDIS" : "BENCH_REDIS"];
  if (replaced !== undefined) return replaced.split(" ");
  if (name === "redis-server") return ["redis-server"];
  return [process.execPath, join(ROOT, "server/main.ts")];
}

/** Starts a server without persistence on a free port. @throws Error if it does not answer */
export async function startServer(name: ServerName, ...flags: string[]): Promise<MeasuredServer> {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  const port = freePort();
  const args = ["--port", String(port), "--dir", dir, "--save", "", ...flags];
  const startedAt = performance.now();
  const child = Bun.spawn([...commandOf(name), ...args], { stdout: "ignore", stderr: "inherit" });
  while (!(await pings(port))) {
    if (child.exitCode !== null || performance.now() - startedAt > START_MS)
      throw new Error(`${name} does not answer on port ${port}`);
    await Bun.sleep(2);
  }
  const startMs = performance.now() - startedAt;
  return {
    name,
    port,
    startMs,
    cpuSeconds() {
      const stat = readFileSync(`/proc/${child.pid}/stat`, "latin1");
      // Behind the command's name, which may hold anything: fields 14 and 15 of all are utime and stime.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    residentBytes: () => statusBytes(child.pid, "VmRSS"),
    peakBytes: () => statusBytes(child.pid, "VmHWM"),
    resetPeak: () => writeFileSync(`/proc/${child.pid}/clear_refs`, "5"),
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(status.match(new RegExp(`${field}:\\s+(\\d+) kB`))?.[1]) * 1024;
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

async function pings(port: number): Promise<boolean> {
  try {
    const pipe = await openPipe(port);
    const reply = await pipe.ask("PING");
    pipe.close();
    return reply === "+PONG";
  } catch {
    return false;
  }
}
