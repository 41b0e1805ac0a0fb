/**
 * Replay of an append-only file: from spawning a server on it to its first PONG, less what an empty one takes. Both servers are given the
 * same bytes, a base in AOF format as a rewrite leaves it, each in a directory of its own.
 */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frame, openPipe } from "./pipe.ts";
import { type Section, showSpread, spreadOf, table } from "./report.ts";
import { type ServerName, startServer } from "./server-process.ts";

export interface ReplayOptions {
  keys: number;
  rounds: number;
}

/** Words of the command that makes key `index`. */
type Shape = (index: number) => string[];

const VALUE = "v".repeat(100);
/** Elements of each collection: as many as a rewrite puts into one command. */
const ELEMENTS = Array.from({ length: 16 }, (_, i) => `element:${i}`);

const SHAPES: Record<string, { shape: Shape; share: number }> = {
  "strings of 100 bytes": { shape: (i) => ["SET", `key:${i}`, VALUE], share: 1 },
  "strings with a deadline": {
    shape: (i) => ["SET", `key:${i}`, VALUE, "PXAT", "4102444800000"],
    share: 1,
  },
  "sets of 16": { shape: (i) => ["SADD", `key:${i}`, ...ELEMENTS], share: 1 / 4 },
  "hashes of 16": {
    shape: (i) => ["HSET", `key:${i}`, ...ELEMENTS.flatMap((name) => [name, "value"])],
    share: 1 / 4,
  },
};

const SERVERS: readonly ServerName[] = ["redis-server", "bundis"];
const FLAGS = ["--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--appendfsync", "no"];
const COMMANDS_PER_WRITE = 10_000;

/** A data directory with so many keys in its base. */
function makeDirectory(keys: number, shape: Shape): string {
  const dir = mkdtempSync(join(tmpdir(), "bench-replay-"));
  const log = join(dir, "appendonlydir");
  mkdirSync(log);
  const fd = openSync(join(log, "appendonly.aof.1.base.aof"), "w");
  writeSync(fd, frame("SELECT", 0));
  for (let from = 0; from < keys; from += COMMANDS_PER_WRITE) {
    const count = Math.min(COMMANDS_PER_WRITE, keys - from);
    writeSync(fd, Array.from({ length: count }, (_, i) => frame(...shape(from + i))).join(""));
  }
  closeSync(fd);
  writeFileSync(
    join(log, "appendonly.aof.manifest"),
    "file appendonly.aof.1.base.aof seq 1 type b\n",
  );
  return dir;
}

/** Milliseconds that a start takes, and CPU seconds until then. */
async function start(name: ServerName, keys: number, ...flags: string[]) {
  const server = await startServer(name, ...flags);
  const figures = { ms: server.startMs, cpu: server.cpuSeconds() };
  const pipe = await openPipe(server.port);
  const reply = await pipe.ask("DBSIZE");
  pipe.close();
  await server.stop();
  if (reply !== `:${keys}`) throw new Error(`${name} has ${reply} keys, not ${keys}`);
  return figures;
}

export async function measureReplay({ keys, rounds }: ReplayOptions): Promise<Section> {
  const rows: string[][] = [];
  const empty: Record<string, number> = {};
  for (const name of SERVERS) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push((await start(name, 0)).ms);
    empty[name] = spreadOf(times).median;
  }
  for (const [title, { shape, share }] of Object.entries(SHAPES)) {
    const count = Math.round(keys * share);
    const dirs = SERVERS.map(() => makeDirectory(count, shape));
    const rates: number[][] = SERVERS.map(() => []);
    const cpus: number[][] = SERVERS.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, name] of SERVERS.entries()) {
        const { ms, cpu } = await start(name, count, ...FLAGS, "--dir", dirs[i]!);
        rates[i]!.push(count / (ms - empty[name]!));
        cpus[i]!.push((cpu * 1e6) / count);
      }
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
    const ratios = rates[1]!.map((rate, round) => rate / rates[0]![round]!);
    const row = [
      title,
      count.toLocaleString("en"),
      ...rates.map((rate) => showSpread(spreadOf(rate), 0)),
      `x${showSpread(spreadOf(ratios), 2)}`,
      ...cpus.map((cpu) => spreadOf(cpu).median.toFixed(2)),
    ];
    console.log(row.join("  "));
    rows.push(row);
  }
  const head = [
    "dataset",
    "keys",
    "redis-server: thousand keys/s",
    "bundis",
    "ratio",
    "redis-server: CPU us per key",
    "bundis",
  ];
  return {
    title: "Replay of the append-only file",
    body: `From spawning to the first PONG, less that of an empty server; ${rounds} rounds, alternating.\n\n${table(head, rows)}`,
  };
}
