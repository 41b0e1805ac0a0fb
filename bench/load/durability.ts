/**
 * What safety costs: writes per second under `always` against redis-server, reads of other keys beside such writes against the
 * same under `no`, and CPU per operation under `everysec` against no log at all.
 */
import { drive } from "./benchmark.ts";
import { runPaced } from "./paced.ts";
import { frame } from "./pipe.ts";
import { type Section, showSpread, spreadOf, table } from "./report.ts";
import { type MeasuredServer, startServer } from "./server-process.ts";

export interface DurabilityOptions {
  alternations: number;
  /** Of load per figure, about. */
  seconds: number;
}

const CLIENTS = 50;
const KEYS = 100_000;
const SET = ["-t", "set", "-r", String(KEYS), "-d", "64"];
const GET = ["-t", "get", "-r", String(KEYS)];
/** Writes beside the reads. */
const WRITES_PER_SECOND = 1000;
/** For a first guess at how many operations a figure takes. */
const TRIAL_COUNT = 5000;
/** The log grows without rewrites meanwhile. */
const LOG = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0", "--appendfsync"];

interface Sample {
  perSecond: number;
  cpuMicros: number;
}

interface Side {
  name: string;
  measure(): Promise<Sample>;
}

/** A load of redis-benchmark for about so many seconds. */
function side(server: MeasuredServer, pipeline: number, args: string[], seconds: number): Side {
  let count = TRIAL_COUNT;
  return {
    name: server.name,
    async measure() {
      for (;;) {
        const before = server.cpuSeconds();
        const took = await drive(server, { clients: CLIENTS, pipeline, args }, count);
        const perSecond = count / took;
        const isLong = took >= seconds * 0.8;
        const cpuMicros = ((server.cpuSeconds() - before) / count) * 1e6;
        if (isLong) return { perSecond, cpuMicros };
        count = Math.ceil(perSecond * seconds * 1.1);
      }
    },
  };
}

/** Measures both in turns. @returns their samples */
async function alternate(alternations: number, sides: readonly [Side, Side]) {
  const samples: [Sample[], Sample[]] = [[], []];
  for (let i = 0; i < alternations; i++)
    for (const at of i % 2 === 0 ? [0, 1] : [1, 0]) samples[at]!.push(await sides[at]!.measure());
  return samples;
}

/** Of the second to the first, by turns. */
function ratio([first, second]: [Sample[], Sample[]], of: keyof Sample): string {
  const ratios = second.map((sample, i) => sample[of] / first[i]![of]);
  return `x${showSpread(spreadOf(ratios), 2)}`;
}

const median = (samples: Sample[], of: keyof Sample) =>
  spreadOf(samples.map((sample) => sample[of])).median;
const rate = (samples: Sample[]) => Math.round(median(samples, "perSecond")).toLocaleString("en");

async function withServers<T>(
  starts: readonly Promise<MeasuredServer>[],
  work: (servers: MeasuredServer[]) => Promise<T>,
): Promise<T> {
  const servers = await Promise.all(starts);
  try {
    return await work(servers);
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function writesUnderAlways({ alternations, seconds }: DurabilityOptions): Promise<string> {
  const rows: string[][] = [];
  const starts = [
    startServer("redis-server", ...LOG, "always"),
    startServer("bundis", ...LOG, "always"),
  ];
  await withServers(starts, async ([redis, bundis]) => {
    for (const pipeline of [1, 16]) {
      const sides = [redis!, bundis!].map((server) => side(server, pipeline, SET, seconds));
      const samples = await alternate(alternations, [sides[0]!, sides[1]!]);
      const row = [
        `SET P=${pipeline}`,
        ...samples.map(rate),
        ratio(samples, "perSecond"),
        ...samples.map((of) => median(of, "cpuMicros").toFixed(2)),
      ];
      console.log(`always  ${row.join("  ")}`);
      rows.push(row);
    }
  });
  const head = [
    "always",
    "redis writes/s",
    "Bundis writes/s",
    "ratio",
    "redis CPU us/op",
    "Bundis",
  ];
  return table(head, rows);
}

interface ReadsAndWrites {
  readMs: number;
  cpuMicros: number;
  writeMs: number;
  readsPerSecond: number;
}

/** One run of GETs beside a paced writer of other keys. @returns medians */
async function readsBesideWrites(server: MeasuredServer, count: number): Promise<ReadsAndWrites> {
  let over = false;
  const seconds = 1;
  const writesMs: number[] = [];
  const write = async () => {
    for (let run = 0; !over; run++) {
      const latencies = await runPaced({
        port: server.port,
        perSecond: WRITES_PER_SECOND,
        seconds,
        frameOf: (index) => frame("SET", `other:${run % 2}:${index}`, "v".repeat(64)),
        reply: "+OK\r\n",
      });
      writesMs.push(latencies.at(0.5));
    }
  };
  const writing = write();
  const before = server.cpuSeconds();
  const flags = ["-p", server.port, "-n", count, "-c", CLIENTS, "--csv"].map(String);
  const child = Bun.spawn(["redis-benchmark", ...flags, ...GET], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
  const cpuMicros = ((server.cpuSeconds() - before) / count) * 1e6;
  over = true;
  await writing;
  const cells = text
    .trim()
    .split("\n")
    .at(-1)!
    .split(",")
    .map((cell) => cell.replaceAll('"', ""));
  return {
    readMs: Number(cells[4]),
    cpuMicros,
    writeMs: spreadOf(writesMs).median,
    readsPerSecond: Number(cells[1]),
  };
}

async function readsUnderAlways(options: DurabilityOptions): Promise<string> {
  const rows: string[][] = [];
  for (const name of ["redis-server", "bundis"] as const)
    rows.push(...(await readsUnderAlwaysOf(name, options)));
  for (const cells of rows) console.log(`reads  ${cells.join("  ")}`);
  return table(["GETs beside writes of other keys", "no", "always", "ratio"], rows);
}

async function readsUnderAlwaysOf(
  name: "redis-server" | "bundis",
  { alternations, seconds }: DurabilityOptions,
): Promise<string[][]> {
  const starts = [startServer(name, ...LOG, "no"), startServer(name, ...LOG, "always")];
  return withServers(starts, async (servers) => {
    const figures: ReadsAndWrites[][] = [[], []];
    const { readsPerSecond } = await readsBesideWrites(servers[0]!, TRIAL_COUNT * 4);
    await readsBesideWrites(servers[1]!, TRIAL_COUNT * 4);
    const count = Math.ceil(readsPerSecond * seconds);
    for (let i = 0; i < alternations; i++)
      for (const at of i % 2 === 0 ? [0, 1] : [1, 0])
        figures[at]!.push(await readsBesideWrites(servers[at]!, count));
    const row = (title: string, of: keyof ReadsAndWrites, digits: number) => {
      const values = figures.map((side) => side.map((figure) => figure[of]));
      const ratios = values[1]!.map((value, i) => value / values[0]![i]!);
      const cells = values.map((side) => spreadOf(side).median.toFixed(digits));
      return [`${name}: ${title}`, ...cells, `x${showSpread(spreadOf(ratios), 2)}`];
    };
    return [
      row("p50 of the GETs, ms", "readMs", 3),
      row("CPU, us per GET", "cpuMicros", 2),
      row("p50 of the writes, ms", "writeMs", 2),
    ];
  });
}

async function costOfEverysec({ alternations, seconds }: DurabilityOptions): Promise<string> {
  const rows: string[][] = [];
  for (const name of ["redis-server", "bundis"] as const) {
    const starts = [startServer(name), startServer(name, ...LOG, "everysec")];
    await withServers(starts, async (servers) => {
      const sides = servers.map((server) => side(server, 16, SET, seconds));
      const samples = await alternate(alternations, [sides[0]!, sides[1]!]);
      const cpu = samples.map((of) => median(of, "cpuMicros").toFixed(2));
      const row = [`${name} SET P=16`, ...cpu, ratio(samples, "cpuMicros"), ...samples.map(rate)];
      console.log(`everysec  ${row.join("  ")}`);
      rows.push(row);
    });
  }
  const head = ["load", "CPU us/op without", "everysec", "ratio", "ops/s without", "everysec"];
  return table(head, rows);
}

export async function measureDurability(options: DurabilityOptions): Promise<Section> {
  const parts = [
    await writesUnderAlways(options),
    await readsUnderAlways(options),
    await costOfEverysec(options),
  ];
  const { alternations, seconds } = options;
  return {
    title: "The log: what safety costs",
    body: `redis-benchmark, ${CLIENTS} clients, 64-byte values, ${alternations} alternations of about ${seconds} s; reads beside ${WRITES_PER_SECOND.toLocaleString("en")} paced writes of other keys a second.\n\n${parts.join("\n\n")}`,
  };
}
