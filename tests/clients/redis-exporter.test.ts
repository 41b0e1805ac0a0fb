/**
 * What redis_exporter asks on every scrape, and what the usual dashboards draw from it. The exporter itself is a Go program; these
 * are its commands in its order, read as it reads them: RESP2, `name:value` lines, keyspace and command lines by their parts.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { type RestartableServer, startServer } from "./server.ts";

let server: RestartableServer;
let redis: Redis;
beforeAll(async () => {
  server = await startServer("--appendonly", "yes", "--maxmemory", "100mb");
  redis = new Redis({ port: server.port, protocol: 2, disableClientInfo: true });
  await redis.call("CLIENT", "SETNAME", "redis_exporter");
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

type Fields = Map<string, string>;

const fieldsOf = (text: string): Fields =>
  new Map(
    text
      .split("\r\n")
      .filter((line) => line.includes(":") && !line.startsWith("#"))
      .map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1)] as const;
      }),
  );
const info = async (section: string): Promise<Fields> => fieldsOf(await redis.info(section));

/**
 * Numbers that the dashboards draw, on a primary with an append-only file. What they draw of RDB files, rewrites, forks, pub/sub and replicas is
 * not told before there is one: tests/commands/info.test.ts gives each field's reason.
 */
const DRAWN = `uptime_in_seconds connected_clients blocked_clients maxclients
  used_memory used_memory_rss used_memory_peak used_memory_dataset used_memory_overhead maxmemory mem_fragmentation_ratio
  loading aof_enabled aof_current_size aof_base_size aof_rewrite_in_progress aof_delayed_fsync
  total_connections_received rejected_connections total_commands_processed instantaneous_ops_per_sec
  total_net_input_bytes total_net_output_bytes expired_keys evicted_keys keyspace_hits keyspace_misses
  connected_slaves master_repl_offset repl_backlog_active used_cpu_sys used_cpu_user`.split(/\s+/);

test("every field that dashboards draw is there, as a number", async () => {
  const fields = await info("all");
  expect(
    DRAWN.filter((name) => !Number.isFinite(Number.parseFloat(fields.get(name) ?? ""))),
  ).toEqual([]);
  expect(fields.get("role")).toBe("master");
  expect(fields.get("maxmemory_policy")).toBe("noeviction");
  expect(fields.get("aof_last_write_status")).toBe("ok");
  expect(fields.get("redis_version")).toStartWith("7.2.");
  expect(Number(fields.get("maxmemory"))).toBe(100 * 1024 * 1024);
});

test("hits, misses, keys and calls are counted where they are read", async () => {
  await redis.call("CONFIG", "RESETSTAT");
  await redis.flushall();
  await redis.mset({ a: "1", b: "2" });
  await redis.set("timed", "v", "EX", 100);
  await redis.mget("a", "b", "none");
  await redis.call("INCR", "timed").catch(() => {});
  const fields = await info("all");
  expect([fields.get("keyspace_hits"), fields.get("keyspace_misses")]).toEqual(["2", "1"]);
  expect(fields.get("db0")).toMatch(/^keys=3,expires=1,avg_ttl=\d+/);
  expect(fields.get("cmdstat_mset")).toMatch(
    /^calls=1,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,failed_calls=0$/,
  );
  expect(fields.get("cmdstat_incr")).toMatch(/^calls=1,.*,failed_calls=1$/);
  expect(fields.get("errorstat_ERR")).toBe("count=1");
  expect(fields.get("latency_percentiles_usec_mset")).toMatch(
    /^p50=[\d.]+,p99=[\d.]+,p99.9=[\d.]+$/,
  );
});

test("the configuration comes as names and values", async () => {
  const config = (await redis.config("GET", "*")) as string[];
  const values = new Map(
    config.flatMap((name, i) => (i % 2 === 0 ? [[name, config[i + 1]!]] : [])),
  );
  expect(values.get("maxmemory")).toBe(String(100 * 1024 * 1024));
  expect(values.get("maxclients")).toMatch(/^\d+$/);
  expect(values.get("appendonly")).toBe("yes");
});

test("the slow log and the latency monitor are asked", async () => {
  await redis.config("SET", "slowlog-log-slower-than", "0");
  await redis.set("slow", "v");
  await redis.config("SET", "slowlog-log-slower-than", "10000");
  expect(await redis.call("SLOWLOG", "LEN")).toBeGreaterThan(0);
  const [entry] = (await redis.call("SLOWLOG", "GET", "1")) as [[number, number, number, string[]]];
  expect(entry.slice(0, 3).every(Number.isInteger)).toBe(true);
  expect(entry[3]).toEqual(["set", "slow", "v"]);
  expect(await redis.call("LATENCY", "LATEST")).toEqual([]);
  const histogram = (await redis.call("LATENCY", "HISTOGRAM", "set")) as unknown[];
  expect(histogram[0]).toBe("set");
  expect(histogram[1]).toContain("histogram_usec");
});

test("clients are listed by their fields, the exporter by its name", async () => {
  const lines = String(await redis.call("CLIENT", "LIST"))
    .trim()
    .split("\n");
  const own = new Map(lines[0]!.split(" ").map((field) => field.split("=") as [string, string]));
  expect(own.get("name")).toBe("redis_exporter");
  for (const name of ["id", "age", "idle", "flags", "db", "omem", "resp"])
    expect([name, own.has(name)]).toEqual([name, true]);
});

test("what is off is answered as Redis answers it", async () => {
  await expect(redis.call("CLUSTER", "INFO")).rejects.toThrow(
    "ERR This instance has cluster support disabled",
  );
  expect(await redis.call("COMMAND", "INFO", "COMMANDLOG")).toEqual([null]);
  expect(await redis.call("MODULE", "LIST")).toEqual([]);
  expect((await info("replication")).get("connected_slaves")).toBe("0");
});

test("keys are sampled by SCAN, TYPE, STRLEN and MEMORY USAGE", async () => {
  await redis.flushall();
  await redis.set("checked:1", "x".repeat(100));
  await redis.select(0);
  const [cursor, keys] = await redis.scan(0, "MATCH", "checked:*", "COUNT", 1000);
  expect([cursor, keys]).toEqual(["0", ["checked:1"]]);
  expect(await redis.type("checked:1")).toBe("string");
  expect(await redis.strlen("checked:1")).toBe(100);
  expect(await redis.call("MEMORY", "USAGE", "checked:1")).toBeWithin(109, 300);
});
