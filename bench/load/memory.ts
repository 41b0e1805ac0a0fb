/** Resident bytes per key beyond key and value, of a server that was loaded through a pipeline and left idle. */
import { frame, openPipe } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type ServerName, startServer } from "./server-process.ts";

const KEY_BYTES = 16;
const DAY_SECONDS = 86_400;

export interface MemoryOptions {
  keys: number;
  idleMs: number;
}

interface Shape {
  valueBytes: number;
  withTtl: boolean;
}
const SHAPES: Shape[] = [
  { valueBytes: 32, withTtl: false },
  { valueBytes: 100, withTtl: false },
  { valueBytes: 32, withTtl: true },
  { valueBytes: 100, withTtl: true },
];

async function overheadOf(name: ServerName, shape: Shape, options: MemoryOptions): Promise<number> {
  const server = await startServer(name);
  try {
    await Bun.sleep(500);
    const empty = server.residentBytes();
    const pipe = await openPipe(server.port);
    const value = "v".repeat(shape.valueBytes);
    // Deadlines spread over an hour of tomorrow, in no order.
    const ttl = (index: number) => DAY_SECONDS + ((Math.imul(index, 0x9e3779b1) >>> 0) % 3600);
    await pipe.load(options.keys, (index) => {
      const key = `k:${String(index).padStart(KEY_BYTES - 2, "0")}`;
      return shape.withTtl ? frame("SET", key, value, "EX", ttl(index)) : frame("SET", key, value);
    });
    await Bun.sleep(options.idleMs);
    const stored = Number((await pipe.ask("DBSIZE")).slice(1));
    if (stored !== options.keys) throw new Error(`${name} has ${stored} of ${options.keys} keys`);
    pipe.close();
    const perKey = (server.residentBytes() - empty) / options.keys;
    return perKey - KEY_BYTES - shape.valueBytes;
  } finally {
    await server.stop();
  }
}

export async function measureMemory(options: MemoryOptions): Promise<Section> {
  const rows: string[][] = [];
  for (const shape of SHAPES) {
    const redis = await overheadOf("redis-server", shape, options);
    const bundis = await overheadOf("bundis", shape, options);
    const name = `${shape.valueBytes}-byte values, ${shape.withTtl ? "with" : "without"} TTL`;
    const row = [name, redis.toFixed(1), bundis.toFixed(1)];
    console.log(row.join("  "));
    rows.push(row);
  }
  const head = ["16-byte keys", "redis bytes/key", "Bundis bytes/key"];
  return {
    title: "Memory per key beyond key and value",
    body: `${options.keys.toLocaleString("en")} keys loaded through a pipeline, log off, VmRSS after ${options.idleMs / 1000} s idle minus VmRSS when empty.\n\n${table(head, rows)}`,
  };
}
