/** A great many keys due at one instant: when they are gone, when their memory is back, and how long a PING waits meanwhile. */
import { frame, openPipe } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type ServerName, startServer } from "./server-process.ts";

const GIVE_UP_MS = 60_000;
/** Loading must be over when the keys fall due. */
const LOAD_ALLOWANCE_MS = 15_000;
const PING_FOR_MS = 2000;

export interface ExpiryOptions {
  keys: number;
  rounds: number;
}

interface Figure {
  /** ms from the instant to DBSIZE 0, and to used_memory within a fiftieth of the load of where it was. */
  goneMs: number;
  backMs: number;
  worstPingMs: number;
}

async function usedMemory(pipe: Awaited<ReturnType<typeof openPipe>>): Promise<number> {
  return Number((await pipe.ask("INFO", "memory")).match(/used_memory:(\d+)/)?.[1]);
}

async function measureOnce(name: ServerName, keys: number): Promise<Figure> {
  const server = await startServer(name);
  try {
    const pipe = await openPipe(server.port);
    const empty = await usedMemory(pipe);
    const dueMs = Date.now() + LOAD_ALLOWANCE_MS;
    await pipe.load(keys, (index) => frame("SET", `key:${index}`, "value", "PXAT", dueMs));
    const loaded = await usedMemory(pipe);
    if (Date.now() > dueMs - 500) throw new Error("loading took too long");
    const enough = empty + (loaded - empty) / 50;
    await Bun.sleep(dueMs - Date.now() - 100);
    const probe = await openPipe(server.port);
    const figure: Figure = { goneMs: Number.NaN, backMs: Number.NaN, worstPingMs: 0 };
    for (let done = false; !done; ) {
      const sentAt = performance.now();
      await probe.ask("PING");
      figure.worstPingMs = Math.max(figure.worstPingMs, performance.now() - sentAt);
      const sinceMs = Date.now() - dueMs;
      if (sinceMs > 0) await look(pipe, figure, sinceMs, enough);
      done = sinceMs > GIVE_UP_MS || (sinceMs > PING_FOR_MS && !Number.isNaN(figure.backMs));
      await Bun.sleep(1);
    }
    return figure;
  } finally {
    await server.stop();
  }
}

async function look(
  pipe: Awaited<ReturnType<typeof openPipe>>,
  figure: Figure,
  sinceMs: number,
  enough: number,
): Promise<void> {
  if (Number.isNaN(figure.goneMs)) {
    if ((await pipe.ask("DBSIZE")) === ":0") figure.goneMs = sinceMs;
  } else if (Number.isNaN(figure.backMs) && (await usedMemory(pipe)) <= enough)
    figure.backMs = sinceMs;
}

export async function measureExpiry(options: ExpiryOptions): Promise<Section> {
  const figures = { "redis-server": [] as Figure[], bundis: [] as Figure[] };
  for (let round = 0; round < options.rounds; round++)
    for (const name of ["redis-server", "bundis"] as const)
      figures[name].push(await measureOnce(name, options.keys));
  const rows = (["redis-server", "bundis"] as const).map((name) => {
    const best = (pick: (figure: Figure) => number) => Math.min(...figures[name].map(pick));
    return [
      name,
      best((figure) => figure.goneMs).toFixed(0),
      best((figure) => figure.backMs).toFixed(0),
      best((figure) => figure.worstPingMs).toFixed(1),
      figures[name].map((figure) => figure.worstPingMs.toFixed(1)).join(", "),
    ];
  });
  for (const row of rows) console.log(row.join("  "));
  const head = [
    "server",
    "DBSIZE 0 after ms",
    "memory back after ms",
    "worst PING ms",
    "of each round",
  ];
  return {
    title: "Keys due at one instant",
    body: `${options.keys.toLocaleString("en")} keys, best of ${options.rounds}; a PING about every millisecond.\n\n${table(head, rows)}`,
  };
}
