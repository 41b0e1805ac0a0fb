/**
 * Rewrites of the log, one behind the other, while one paced client writes small values over existing keys: how much more memory the
 * process takes at its peak, and how much later the last thousandth of the replies comes, than without rewrites.
 */
import { best, runPaced } from "./paced.ts";
import { frame, openPipe, type Pipe } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type MeasuredServer, type ServerName, startServer } from "./server-process.ts";

export interface RewriteOptions {
  keys: number;
  perSecond: number;
  seconds: number;
  rounds: number;
}

const VALUE = "v".repeat(100);
const SERVERS: readonly ServerName[] = ["redis-server", "bundis"];
const FLAGS = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"];
const POLL_MS = 50;

interface Figures {
  p50Ms: number;
  p999Ms: number;
  worstMs: number;
  peakBytes: number;
  rewrites: number;
}

const keyOf = (index: number) => `key:${String(index).padStart(9, "0")}`;

/** A figure of INFO. */
async function info(pipe: Pipe, section: string, field: string): Promise<string> {
  const text = await pipe.ask("INFO", section);
  return text.match(new RegExp(`^${field}:(.*?)\r?$`, "m"))?.[1] ?? "";
}

async function preload({ port }: MeasuredServer, keys: number): Promise<void> {
  const pipe = await openPipe(port);
  await pipe.load(keys, (index) => frame("SET", keyOf(index), VALUE));
  await rewrite(pipe, () => false);
  pipe.close();
}

/** Waits for a rewrite. @returns the bytes that a child process had of its own */
async function rewrite(pipe: Pipe, isOver: () => boolean): Promise<number> {
  const before = await info(pipe, "persistence", "aof_rewrites");
  await pipe.ask("BGREWRITEAOF");
  while ((await info(pipe, "persistence", "aof_rewrites")) === before && !isOver())
    await Bun.sleep(POLL_MS);
  return Number(await info(pipe, "persistence", "aof_last_cow_size"));
}

async function run(
  server: MeasuredServer,
  options: RewriteOptions,
  rewrites: boolean,
): Promise<Figures> {
  const { keys, perSecond, seconds } = options;
  const pipe = await openPipe(server.port);
  server.resetPeak();
  let over = false;
  const load = runPaced({
    port: server.port,
    perSecond,
    seconds,
    // Every key in turn, far from the last: a stride that shares no factor with any round number.
    frameOf: (index) => frame("SET", keyOf((index * 7_919) % keys), VALUE),
    reply: "+OK\r\n",
  }).finally(() => {
    over = true;
  });
  let copied = 0;
  let count = 0;
  for (; rewrites && !over; count++) copied = Math.max(copied, await rewrite(pipe, () => over));
  const latencies = await load;
  while ((await info(pipe, "persistence", "aof_rewrite_in_progress")) === "1")
    await Bun.sleep(POLL_MS);
  pipe.close();
  return {
    p50Ms: latencies.at(0.5),
    p999Ms: latencies.at(0.999),
    worstMs: latencies.at(1),
    peakBytes: server.peakBytes() + copied,
    rewrites: count,
  };
}

const millis = (ms: number) => ms.toFixed(2);
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);

export async function measureRewrite(options: RewriteOptions): Promise<Section> {
  const rows: string[][] = [];
  for (const name of SERVERS) {
    const server = await startServer(name, ...FLAGS);
    try {
      await preload(server, options.keys);
      const without: Figures[] = [];
      const during: Figures[] = [];
      for (let round = 0; round < options.rounds; round++) {
        without.push(await run(server, options, false));
        during.push(await run(server, options, true));
      }
      const row = rowOf(name, without, during);
      console.log(row.join("  "));
      rows.push(row);
    } finally {
      await server.stop();
    }
  }
  const head = [
    "server",
    "p50 ms",
    "with rewrites",
    "p99.9 ms",
    "with rewrites",
    "difference",
    "longest ms",
    "with rewrites",
    "peak MiB",
    "with rewrites",
    "ratio",
    "rewrites",
  ];
  const { keys, perSecond, seconds, rounds } = options;
  return {
    title: "Rewrite of the log under load",
    body: `${keys.toLocaleString("en")} keys of 100 bytes, everysec, ${perSecond.toLocaleString("en")} SET/s from one paced client for ${seconds} s, rewrites one behind the other; the best of ${rounds}. Peak: resident memory, for redis-server with what its child had copied.\n\n${table(head, rows)}`,
  };
}

function rowOf(name: string, without: Figures[], during: Figures[]): string[] {
  const pick = (figures: Figures[], of: (figure: Figures) => number) => best(figures.map(of));
  const p999 = [pick(without, (f) => f.p999Ms), pick(during, (f) => f.p999Ms)];
  const peak = [pick(without, (f) => f.peakBytes), pick(during, (f) => f.peakBytes)];
  return [
    name,
    millis(pick(without, (f) => f.p50Ms)),
    millis(pick(during, (f) => f.p50Ms)),
    ...p999.map(millis),
    `${p999[1]! < p999[0]! ? "" : "+"}${millis(p999[1]! - p999[0]!)}`,
    millis(pick(without, (f) => f.worstMs)),
    millis(pick(during, (f) => f.worstMs)),
    ...peak.map(mebibytes),
    `x${(peak[1]! / peak[0]!).toFixed(2)}`,
    String(during.at(-1)!.rewrites),
  ];
}
