/**
 * CPU per operation of both servers under redis-benchmark, the two alternating. The client saturates a core before the server
 * does, so the server's own CPU time counts, not the operations per second.
 */
import { showSpread, spreadOf } from "./report.ts";
import type { MeasuredServer } from "./server-process.ts";

/** What redis-benchmark is to send: flags of its own, or a command. */
export interface Load {
  name: string;
  pipeline: number;
  clients: number;
  args: readonly string[];
  /** Makes what `count` operations take away. Not measured. */
  prepare?(server: MeasuredServer, count: number): Promise<void>;
}

export interface Alternation {
  alternations: number;
  /** Least seconds of load per figure. */
  seconds: number;
}

interface Figure {
  cpuMicros: number;
  perSecond: number;
}

/** Operations per second by server and load, for the next count. */
type Rates = Map<string, number>;

export const COMPARISON_HEAD = [
  "load",
  "redis CPU us/op",
  "Bundis CPU us/op",
  "ratio",
  "redis ops/s",
  "Bundis ops/s",
];

/** Runs redis-benchmark once. @returns seconds of load. @throws Error if it fails */
export async function drive(
  server: MeasuredServer,
  { clients, pipeline, args }: Pick<Load, "clients" | "pipeline" | "args">,
  count: number,
): Promise<number> {
  const flags = ["-p", server.port, "-n", count, "-c", clients, "-P", pipeline, "-q"].map(String);
  const startedAt = performance.now();
  const command = ["redis-benchmark", ...flags, ...args];
  const child = Bun.spawn(command, { stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  return (performance.now() - startedAt) / 1000;
}

async function measure(
  server: MeasuredServer,
  load: Load,
  seconds: number,
  rates: Rates,
): Promise<Figure> {
  const id = `${server.name} ${load.name}`;
  let count = Math.ceil(seconds * (rates.get(id) ?? 100_000 * Math.sqrt(load.pipeline)));
  for (;;) {
    await load.prepare?.(server, count);
    const before = server.cpuSeconds();
    const took = await drive(server, load, count);
    const cpuMicros = ((server.cpuSeconds() - before) / count) * 1e6;
    const perSecond = count / took;
    rates.set(id, perSecond * 1.05);
    if (took >= seconds) return { cpuMicros, perSecond };
    count = Math.ceil(perSecond * seconds * 1.2);
  }
}

/** @returns a row for COMPARISON_HEAD */
export async function compare(
  redis: MeasuredServer,
  bundis: MeasuredServer,
  load: Load,
  { alternations, seconds }: Alternation,
): Promise<string[]> {
  const rates: Rates = new Map();
  const figures = { "redis-server": [] as Figure[], bundis: [] as Figure[] };
  for (let i = 0; i < alternations; i++) {
    // Who goes first alternates too: what warms up or slows down in a run hits both.
    const order = i % 2 === 0 ? [redis, bundis] : [bundis, redis];
    for (const server of order)
      figures[server.name].push(await measure(server, load, seconds, rates));
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
    load.name,
    cpu(figures["redis-server"]),
    cpu(figures.bundis),
    `x${showSpread(spreadOf(ratios), 2)}`,
    rate(figures["redis-server"]),
    rate(figures.bundis),
  ];
}
