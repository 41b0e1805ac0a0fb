/** used_memory and resident memory against maxmemory while values of all sizes come and go. */
import { frame, openPipe } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type ServerName, startServer } from "./server-process.ts";

const LIMIT_BYTES = 512 << 20;
const KEYS = 500_000;
const BATCH = 2000;
/** Redis's own buffers may push it over; the sample is taken between commands. */
const SIZES_LOG2 = 15;

interface Figure {
  worstUsed: number;
  worstResident: number;
  commands: number;
}

async function churn(name: ServerName, seconds: number): Promise<Figure> {
  const limits = ["--maxmemory", String(LIMIT_BYTES), "--maxmemory-policy", "allkeys-lru"];
  const server = await startServer(name, ...limits);
  try {
    const pipe = await openPipe(server.port);
    const base = server.residentBytes();
    const text = "v".repeat(2 << SIZES_LOG2);
    const command = () => {
      const key = `key:${Math.floor(Math.random() * KEYS)}`;
      const bytes = Math.floor(Math.random() * 2 ** (1 + Math.random() * SIZES_LOG2));
      return Math.random() < 0.1 ? frame("DEL", key) : frame("SET", key, text.slice(0, bytes));
    };
    const figure: Figure = { worstUsed: 0, worstResident: 0, commands: 0 };
    const endAt = performance.now() + seconds * 1000;
    while (performance.now() < endAt) {
      await pipe.load(BATCH, command);
      const info = await pipe.ask("INFO", "memory");
      const used = Number(info.match(/used_memory:(\d+)/)?.[1]);
      figure.worstUsed = Math.max(figure.worstUsed, used / LIMIT_BYTES);
      const resident = (server.residentBytes() - base) / LIMIT_BYTES;
      figure.worstResident = Math.max(figure.worstResident, resident);
      figure.commands += BATCH;
    }
    pipe.close();
    return figure;
  } finally {
    await server.stop();
  }
}

export async function measureChurn(seconds: number): Promise<Section> {
  const rows: string[][] = [];
  for (const name of ["redis-server", "bundis"] as const) {
    const { worstUsed, worstResident, commands } = await churn(name, seconds);
    const percent = (ratio: number) => `${(ratio * 100).toFixed(2)} %`;
    rows.push([name, percent(worstUsed), percent(worstResident), commands.toLocaleString("en")]);
    console.log(rows.at(-1)!.join("  "));
  }
  const head = ["server", "worst used_memory", "worst RSS beyond empty", "commands"];
  return {
    title: "Memory under a limit",
    body: `${LIMIT_BYTES >> 20} MiB allkeys-lru, SETs of up to ${1 << SIZES_LOG2} bytes and DELs for ${seconds} s, sampled every ${BATCH.toLocaleString("en")} commands.\n\n${table(head, rows)}`,
  };
}
