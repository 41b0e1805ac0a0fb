/** CPU per operation of GET and SET. */
import { type Alternation, COMPARISON_HEAD, compare } from "./benchmark.ts";
import { frame, openPipe } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type MeasuredServer, startServer } from "./server-process.ts";

const CLIENTS = 50;
const VALUE_BYTES = 64;
const PIPELINES = [1, 16, 64];
const COMMANDS = ["GET", "SET"];

export interface ThroughputOptions extends Alternation {
  keys: number;
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

export async function measureThroughput(options: ThroughputOptions): Promise<Section> {
  const { keys, alternations, seconds } = options;
  const redis = await startServer("redis-server");
  const bundis = await startServer("bundis");
  const rows: string[][] = [];
  try {
    for (const server of [redis, bundis]) await preload(server, keys);
    for (const pipeline of PIPELINES)
      for (const command of COMMANDS) {
        const args = ["-t", command.toLowerCase(), "-r", String(keys), "-d", String(VALUE_BYTES)];
        const load = { name: `${command} P=${pipeline}`, pipeline, clients: CLIENTS, args };
        const row = await compare(redis, bundis, load, options);
        console.log(row.join("  "));
        rows.push(row);
      }
  } finally {
    await redis.stop();
    await bundis.stop();
  }
  return {
    title: "CPU per operation",
    body: `redis-benchmark, ${keys.toLocaleString("en")} existing keys, ${CLIENTS} clients, ${VALUE_BYTES}-byte values, ${alternations} alternations of at least ${seconds} s.\n\n${table(COMPARISON_HEAD, rows)}`,
  };
}
