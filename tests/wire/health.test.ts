/** Metrics and health over HTTP. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import { openConnection } from "../support/reference.ts";
import { freePort, startProcess, temporaryDirectory } from "../support/server-process.ts";

const running: RunningServer[] = [];

async function start(
  config: Record<string, string> = {},
): Promise<{ url: string; server: RunningServer }> {
  const port = freePort();
  const server = await startServer({ config: { ...config, "metrics-port": String(port) } });
  running.push(server);
  return { url: `http://127.0.0.1:${port}`, server };
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

/** Samples by name and labels as they are written: `redis_db_keys{db="db0"}`. */
async function scrape(url: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  const samples = new Map<string, number>();
  for (const line of (await response.text()).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const blank = line.lastIndexOf(" ");
    samples.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return samples;
}

/** What the dashboards of redis_exporter draw of a server without replicas. */
const DRAWN = [
  "redis_up",
  "redis_uptime_in_seconds",
  "redis_start_time_seconds",
  "redis_connected_clients",
  "redis_memory_used_bytes",
  "redis_memory_used_rss_bytes",
  "redis_memory_max_bytes",
  "redis_mem_fragmentation_ratio",
  "redis_commands_processed_total",
  "redis_keyspace_hits_total",
  "redis_keyspace_misses_total",
  "redis_net_input_bytes_total",
  "redis_net_output_bytes_total",
  "redis_expired_keys_total",
  "redis_evicted_keys_total",
  "redis_connected_slaves",
  "redis_rejected_connections_total",
  "redis_cpu_sys_seconds_total",
  "redis_cpu_user_seconds_total",
  "redis_loading_dump_file",
  "redis_aof_enabled",
];

test("metrics have redis_exporter's names, and count what happens between two scrapes", async () => {
  const { url, server } = await start();
  const client = await openConnection(server.port);
  const before = await scrape(url);
  for (const name of DRAWN) expect([name, before.has(name)]).toEqual([name, true]);
  await client.raw("SET", "a", "1");
  await client.raw("SET", "b", "1", "EX", "1000");
  await client.raw("GET", "a");
  await client.raw("GET", "missing");
  const after = await scrape(url);
  const grown = (name: string) => after.get(name)! - before.get(name)!;
  expect(grown("redis_keyspace_hits_total")).toBe(1);
  expect(grown("redis_keyspace_misses_total")).toBe(1);
  expect(grown("redis_commands_processed_total")).toBe(4);
  expect(after.get("redis_connected_clients")).toBe(1);
  expect(after.get('redis_db_keys{db="db0"}')).toBe(2);
  expect(after.get('redis_db_keys_expiring{db="db0"}')).toBe(1);
  expect(after.get('redis_commands_total{cmd="set"}')).toBe(2);
  expect(after.get('redis_commands_total{cmd="get"}')).toBe(2);
  client.close();
});

test("errors, slow commands and latency are there by their codes and events", async () => {
  const { url, server } = await start({
    "slowlog-log-slower-than": "0",
    "latency-monitor-threshold": "1",
    "enable-debug-command": "yes",
  });
  const client = await openConnection(server.port);
  await client.raw("SET", "a", "x");
  await client.raw("INCR", "a");
  await client.raw("DEBUG", "SLEEP", "0.02");
  const samples = await scrape(url);
  expect(samples.get('redis_errors_total{err="ERR"}')).toBe(1);
  expect(samples.get("redis_total_error_replies")).toBe(1);
  expect(samples.get('redis_commands_failed_calls_total{cmd="incr"}')).toBe(1);
  expect(samples.get("redis_slowlog_length")).toBe(3);
  expect(samples.get("redis_slowlog_last_id")).toBe(2);
  expect(samples.get("redis_last_slow_execution_duration_seconds")).toBeGreaterThan(0.019);
  const event = '{event_name="command"}';
  expect(samples.get(`redis_latency_spike_duration_seconds${event}`)).toBeGreaterThan(0.019);
  expect(samples.get(`redis_latency_spike_last${event}`)).toBeGreaterThan(1e9);
  const half = samples.get('redis_latency_percentiles_usec{cmd="debug",quantile="0.5"}');
  expect(half).toBeGreaterThan(19_000);
  client.close();
});

test("a scrape shows what is there now: a flushed database has no metric any more", async () => {
  const { url, server } = await start();
  const client = await openConnection(server.port);
  await client.raw("SET", "a", "1");
  expect((await scrape(url)).get('redis_db_keys{db="db0"}')).toBe(1);
  await client.raw("FLUSHALL");
  expect((await scrape(url)).has('redis_db_keys{db="db0"}')).toBe(false);
  client.close();
});

test("two servers in one process have metrics of their own", async () => {
  const [one, two] = [await start(), await start()];
  const client = await openConnection(one.server.port);
  await client.raw("SET", "a", "1");
  expect((await scrape(one.url)).get('redis_commands_total{cmd="set"}')).toBe(1);
  expect((await scrape(two.url)).has('redis_commands_total{cmd="set"}')).toBe(false);
  client.close();
});

test("health and readiness answer, anything else is refused", async () => {
  const { url, server } = await start();
  const status = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status;
  expect(await status("/healthz")).toBe(200);
  expect(await status("/readyz")).toBe(200);
  expect(await status("/readyz", { method: "HEAD" })).toBe(200);
  expect(await status("/")).toBe(404);
  expect(await status("/metrics", { method: "POST" })).toBe(405);
  await server.close();
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test("metrics-bind says on which address they are", async () => {
  const { url } = await start({ "metrics-bind": "127.0.0.2" });
  expect((await fetch(`${url.replace("127.0.0.1", "127.0.0.2")}/healthz`)).status).toBe(200);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test("address and port may change while the server runs, to none as well", async () => {
  const { url, server } = await start();
  const client = await openConnection(server.port);
  const port = String(freePort());
  expect(await client.raw("CONFIG", "SET", "metrics-port", port)).toBe("+OK\r\n");
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  const taken = await client.raw("CONFIG", "SET", "metrics-port", String(server.port));
  expect(taken).toStartWith(
    "-ERR CONFIG SET failed (possibly related to argument 'metrics-port') - Unable to serve metrics there",
  );
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  expect(await client.raw("CONFIG", "SET", "metrics-port", "0")).toBe("+OK\r\n");
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  client.close();
});

const COMMANDS = 600_000;

test("while the log is loaded the server is healthy and not ready", async () => {
  const dir = temporaryDirectory();
  const logDir = join(dir.path, "appendonlydir");
  mkdirSync(logDir);
  const lines = Array.from(
    { length: COMMANDS },
    (_, i) => `*3\r\n$3\r\nSET\r\n$10\r\nkey:${String(i).padStart(6, "0")}\r\n$1\r\nv\r\n`,
  );
  writeFileSync(join(logDir, "appendonly.aof.1.incr.aof"), lines.join(""));
  const manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
  writeFileSync(join(logDir, "appendonly.aof.manifest"), manifest);

  const [port, metricsPort] = [freePort(), freePort()];
  const flags = ["--appendonly", "yes", "--dir", dir.path, "--metrics-port", String(metricsPort)];
  const starting = startProcess(port, ...flags);
  const seen: string[] = [];
  while (seen.at(-1) !== "200 200") {
    try {
      const responses = [await fetch(`http://127.0.0.1:${metricsPort}/readyz`)];
      responses.push(await fetch(`http://127.0.0.1:${metricsPort}/healthz`));
      seen.push(responses.map(({ status }) => status).join(" "));
    } catch {
      // Not listening yet.
      await Bun.sleep(5);
    }
  }
  expect(seen[0]).toBe("503 200");
  const process = await starting;
  const client = await openConnection(port);
  expect(await client.raw("DBSIZE")).toBe(`:${COMMANDS}\r\n`);
  client.close();
  await process.kill("SIGTERM");
  dir.remove();
});
