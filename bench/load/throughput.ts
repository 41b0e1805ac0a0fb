/**
 * CPU per operation of both servers under redis-benchmark. The client saturates a core before the server does, so the
 * server's own CPU time counts, not the operations per second.
 */
import { frame, openPipe } from "./pipe.ts";
import { type Section, showSpread, spreadOf, table } from "./report.ts";
import { type MeasuredServer, startServer } from "./server-process.ts";

const KEYS = 1_000_000;
const CLIENTS = 50;
const VALUE_BYTES = 64;
const PIPELINES = [1, 16, 64];
const COMMANDS = ["GET", "SET"];

export interface ThroughputOptions {
  alternations: number;
  /** Least seconds of load per figure. */
  seconds: number;
  keys?: number;
}

interface Load {
  command: string;
  pipeline: number;
}

interface Figure {
  cpuMicros: number;
  perSecond: number;
}

/** Keys as redis-benchmark names them. */
function keyOf(index: number): string {
  return `key:${String(index).padStart(12, "0")}`;
}

async function preload(server: MeasuredServer, keys: number): Promise<void> {
  const pipe = await openPipe(server.port);
  const value = "x".repeat(VALUE_BYTES);
  await pipe.load(keys, (index) => frame("SET", keyOf(index), value));
  pipe.close();
}

/** Runs redis-benchmark once. @returns seconds of load. @throws Error if it fails */
async function drive(server: MeasuredServer, load: Load, count: number, keys: number) {
  const options = {
    "-p": server.port,
    "-t": load.command.toLowerCase(),
    "-n": count,
    "-c": CLIENTS,
    "-P": load.pipeline,
    "-r": keys,
    "-d": VALUE_BYTES,
  };
  const args = Object.entries(options).flatMap(([flag, value]) => [flag, String(value)]);
  const startedAt = performance.now();
  const child = Bun.spawn(["redis-benchmark", ...args, "-q"], { stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  return (performance.now() - startedAt) / 1000;
}

async function measure(
  server: MeasuredServer,
  load: Load,
  seconds: number,
  keys: number,
  rates: Map<string, number>,
): Promise<Figure> {
  const id = `${server.name} ${load.command} ${load.pipeline}`;
  let count = Math.ceil(seconds * (rates.get(id) ?? 100_000 * Math.sqrt(load.pipeline)));
  for (;;) {
    const before = server.cpuSeconds();
    const took = await drive(server, load, count, keys);
    const cpuMicros = ((server.cpuSeconds() - before) / count) * 1e6;
    const perSecond = count / took;
    rates.set(id, perSecond * 1.05);
    if (took >= seconds) return { cpuMicros, perSecond };
    count = Math.ceil(perSecond * seconds * 1.2);
  }
}

export async function measureThroughput(options: ThroughputOptions): Promise<Section> {
  const keys = options.keys ?? KEYS;
  const redis = await startServer("redis-server");
  const bundis = await startServer("bundis");
  const rows: string[][] = [];
  try {
    for (const server of [redis, bundis]) await preload(server, keys);
    const rates = new Map<string, number>();
    for (const pipeline of PIPELINES)
      for (const command of COMMANDS) {
        const row = await compare(redis, bundis, { command, pipeline }, options, keys, rates);
        console.log(row.join("  "));
        rows.push(row);
      }
  } finally {
    await redis.stop();
    await bundis.stop();
  }
  const head = [
    "load",
    "redis CPU us/op",
    "Bundis CPU us/op",
    "ratio",
    "redis ops/s",
    "Bundis ops/s",
  ];
  return {
    title: "CPU per operation",
    body: `redis-benchmark, ${keys.toLocaleString("en")} existing keys, ${CLIENTS} clients, ${VALUE_BYTES}-byte values, ${options.alternations} alternations of at least ${options.seconds} s.\n\n${table(head, rows)}`,
  };
}

async function compare(
  redis: MeasuredServer,
  bundis: MeasuredServer,
  load: Load,
  options: ThroughputOptions,
  keys: number,
  rates: Map<string, number>,
): Promise<string[]> {
  const figures = { "redis-server": [] as Figure[], bundis: [] as Figure[] };
  for (let i = 0; i < options.alternations; i++) {
    // Who goes first alternates too: what warms up or slows down in a run hits both.
    const order = i % 2 === 0 ? [redis, bundis] : [bundis, redis];
    for (const server of order)
      figures[server.name].push(await measure(server, load, options.seconds, keys, rates));
  }
  const ratios = figures.bundis.map(
    ({ cpuMicros }, i) => cpuMicros / figures["redis-server"][i]!.cpuMicros,
  );
  const median = (values: Figure[], pick: (figure: Figure) => number) =>
    spreadOf(values.map(pick)).median;
  const cpu = (values: Figure[]) => median(values, (figure) => figure.cpuMicros).toFixed(2);
  const rate = (values: Figure[]) =>
    Math.round(median(values, (figure) => figure.perSecond)).toLocaleString("en");
  return [
    `${load.command} P=${load.pipeline}`,
    cpu(figures["redis-server"]),
    cpu(figures.bundis),
    `x${showSpread(spreadOf(ratios), 2)}`,
    rate(figures["redis-server"]),
    rate(figures.bundis),
  ];
}
