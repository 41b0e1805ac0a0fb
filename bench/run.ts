/**
 * `bun run bench`: redis-server and Bundis side by side, alternating in one run, driven by redis-benchmark over existing keys.
 * Reports the server's CPU per operation, (utime + stime) / operations from /proc, as median of the ratios with their spread.
 *
 *   bun bench/run.ts [--quick]     shorter loads, fewer alternations; writes bench/RESULTS.md unless quick
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const KEYS = 1_000_000;
const CLIENTS = 50;
const TICKS_PER_SECOND = 100;
const quick = process.argv.includes("--quick");
const ALTERNATIONS = quick ? 2 : 5;
const OPERATIONS: Record<number, number> = quick
  ? { 1: 100_000, 16: 1_000_000, 64: 2_000_000 }
  : { 1: 500_000, 16: 5_000_000, 64: 8_000_000 };

interface Contender {
  name: string;
  port: number;
  command: string[];
}

const CONTENDERS: Contender[] = [
  {
    name: "redis-server",
    port: 7591,
    command: ["redis-server", "--port", "7591", "--save", "", "--appendonly", "no"],
  },
  {
    name: "bundis",
    port: 7592,
    command: [process.execPath, "server/main.ts", "--port", "7592"],
  },
];

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function benchmark(port: number, args: string[]): void {
  const command = ["redis-benchmark", "-p", String(port), "-q", ...args];
  const result = Bun.spawnSync(command, { stdout: "ignore", stderr: "inherit" });
  if (result.exitCode !== 0) throw new Error(`${command.join(" ")} failed`);
}

/** CPU microseconds of the server per operation. */
function measure(contender: Contender, pid: number, test: string, pipeline: number): number {
  const operations = OPERATIONS[pipeline]!;
  const before = cpuSeconds(pid);
  benchmark(contender.port, [
    ...["-t", test, "-n", String(operations), "-P", String(pipeline)],
    ...["-c", String(CLIENTS), "-r", String(KEYS), "-d", "32"],
  ]);
  return ((cpuSeconds(pid) - before) / operations) * 1e6;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function main(): Promise<void> {
  const children = CONTENDERS.map(({ command }) =>
    Bun.spawn(command, { cwd: ROOT, stdout: "ignore", stderr: "inherit" }),
  );
  await Bun.sleep(1000);
  const rows: string[] = [];
  try {
    for (const { port } of CONTENDERS)
      benchmark(port, [
        "-t",
        "set",
        "-n",
        String(KEYS * 5),
        "-r",
        String(KEYS),
        "-P",
        "64",
        "-d",
        "32",
      ]);
    for (const test of ["get", "set"])
      for (const pipeline of [1, 16, 64]) {
        const costs = CONTENDERS.map((): number[] => []);
        for (let round = 0; round < ALTERNATIONS; round++)
          for (const [i, contender] of CONTENDERS.entries())
            costs[i]!.push(measure(contender, children[i]!.pid, test, pipeline));
        const ratios = costs[1]!.map((cost, i) => cost / costs[0]![i]!);
        const spread = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
        rows.push(
          `| ${test.toUpperCase()} pipeline ${pipeline} | ${median(costs[0]!).toFixed(2)} | ${median(costs[1]!).toFixed(2)} | x${median(ratios).toFixed(2)} (${spread}) |`,
        );
        console.log(rows.at(-1));
      }
  } finally {
    for (const child of children) child.kill();
  }
  const head = "| load | redis-server us/op | Bundis us/op | ratio (spread) |\n|---|---|---|---|";
  const commit = Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"], { cwd: ROOT }).stdout;
  const machine = `${cpus().length} x ${cpus()[0]?.model}`;
  const title = `# Server CPU per operation\n\n${new Date().toISOString().slice(0, 10)}, ${machine}, Bun ${Bun.version}, commit ${commit.toString().trim()}: ${CLIENTS} clients, ${KEYS} keys, 32-byte values, ${ALTERNATIONS} alternations.\n`;
  if (!quick)
    writeFileSync(join(ROOT, "bench/RESULTS.md"), `${title}\n${head}\n${rows.join("\n")}\n`);
}

await main();
