/**
 * INFO: sections and their names as Redis has them, and no field of Redis's that is neither measured nor listed here with
 * the reason why it is not told.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { wholeReply } from "../support/reply.ts";
import { freePort } from "../support/server-process.ts";

type Sections = Record<string, Record<string, string>>;

async function info(client: Connection, ...names: string[]): Promise<Sections> {
  const reply = wholeReply(await client.raw("INFO", ...names));
  if (!("text" in reply)) throw new Error("INFO answers no text");
  const sections: Sections = {};
  let section: Record<string, string> = {};
  for (const line of reply.text.split("\r\n")) {
    if (line.startsWith("# ")) {
      section = {};
      sections[line.slice(2)] = section;
    } else if (line !== "") {
      const colon = line.indexOf(":");
      section[line.slice(0, colon)] = line.slice(colon + 1);
    }
  }
  return sections;
}

let server: RunningServer;
let client: Connection;

beforeAll(async () => {
  server = await startServer({ config: { maxmemory: "100mb" } });
  client = await openConnection(server.port);
});
afterAll(async () => {
  client.close();
  await server.close();
});

const DEFAULT = [
  "Server",
  "Clients",
  "Memory",
  "Persistence",
  "Stats",
  "Replication",
  "CPU",
  "Modules",
  "Errorstats",
  "Cluster",
  "Keyspace",
];
const EVERYTHING = DEFAULT.flatMap((title) =>
  title === "Modules"
    ? [title, "Commandstats"]
    : title === "Errorstats"
      ? [title, "Latencystats"]
      : [title],
);
test("INFO shows the default sections, everything and all show all of them, names choose", async () => {
  const titles = async (...names: string[]) => Object.keys(await info(client, ...names));
  expect(await titles()).toEqual(DEFAULT);
  expect(await titles("default")).toEqual(DEFAULT);
  expect(await titles("everything")).toEqual(EVERYTHING);
  expect(await titles("ALL")).toEqual(EVERYTHING);
  expect(await titles("cpu", "SERVER", "nothing")).toEqual(["Server", "CPU"]);
  expect(await titles("default", "commandstats")).toEqual(
    EVERYTHING.filter((title) => title !== "Latencystats"),
  );
  expect(await client.raw("INFO", "nothing")).toBe("$0\r\n\r\n");
});

test("INFO is a verbatim string in RESP3", async () => {
  const other = await openConnection(server.port);
  await other.raw("HELLO", "3");
  expect(await other.raw("INFO", "cluster")).toBe(
    "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n",
  );
  other.close();
});

test("the server tells its own name beside the level of Redis it answers", async () => {
  const { Server } = await info(client, "server");
  expect(Server).toMatchObject({
    server_name: "bundis",
    redis_mode: "standalone",
    process_id: String(process.pid),
    tcp_port: String(server.port),
    hz: "10",
  });
  expect(Server?.["listener0"]).toBe(`name=tcp,bind=127.0.0.1,port=${server.port}`);
  expect(Server?.["redis_version"]).toMatch(/^7\.2\.\d+$/);
  expect(Server?.["bundis_version"]).toMatch(/^\d+\.\d+\.\d+$/);
  expect(Server?.["run_id"]).toMatch(/^[0-9a-f]{40}$/);
});

test("memory adds up, and grows with the data", async () => {
  const before = (await info(client, "memory"))["Memory"]!;
  for (let i = 0; i < 500; i++) await client.raw("SET", `key:${i}`, "v".repeat(1000), "EX", "1000");
  const after = (await info(client, "memory"))["Memory"]!;
  const grown = (field: string) => Number(after[field]) - Number(before[field]);
  expect(grown("used_memory")).toBeGreaterThan(500 * 1000);
  expect(grown("used_memory_dataset")).toBeGreaterThan(500 * 1000);
  expect(grown("used_memory_overhead")).toBeGreaterThanOrEqual(500 * 36);
  expect(Number(after["used_memory_dataset"]) + Number(after["used_memory_overhead"])).toBe(
    Number(after["used_memory"]),
  );
  expect(Number(after["used_memory_peak"])).toBeGreaterThanOrEqual(Number(after["used_memory"]));
  expect(Number(after["used_memory_rss"])).toBeGreaterThan(Number(after["used_memory"]));
  expect(Number(after["allocator_active"])).toBeGreaterThanOrEqual(
    Number(after["allocator_allocated"]),
  );
  expect(after["maxmemory_human"]).toBe("100.00M");
  await client.raw("FLUSHALL", "SYNC");
  const flushed = (await info(client, "memory"))["Memory"]!;
  expect(Number(flushed["used_memory_peak"])).toBeGreaterThanOrEqual(Number(after["used_memory"]));
});

test("clients, statistics and keyspace count what happened", async () => {
  const before = await info(client);
  const other = await openConnection(server.port);
  await other.raw("SET", "a", "1");
  await other.raw("SET", "b", "1", "EX", "100");
  await other.raw("GET", "a");
  await other.raw("GET", "missing");
  const after = await info(client);
  const grown = (field: string) =>
    Number(after["Stats"]?.[field]) - Number(before["Stats"]?.[field]);
  expect(Number(after["Clients"]?.["connected_clients"])).toBe(2);
  expect(grown("total_connections_received")).toBe(1);
  expect(grown("keyspace_hits")).toBe(1);
  expect(grown("keyspace_misses")).toBe(1);
  expect(grown("total_commands_processed")).toBe(5);
  expect(after["Keyspace"]?.["db0"]).toMatch(/^keys=2,expires=1,avg_ttl=\d+$/);
  other.close();
});

test("changes are counted by key, and what changes nothing is not", async () => {
  const changes = async () =>
    Number((await info(client, "persistence"))["Persistence"]!["rdb_changes_since_last_save"]);
  const before = await changes();
  for (const command of ["MSET a 1 b 2", "SETBIT bits 9 0", "SETBIT bits 9 0", "GET a", "DEL none"])
    await client.raw(...command.split(" "));
  expect((await changes()) - before).toBe(3);
});

test("wrong passwords are counted", async () => {
  const denied = async () =>
    Number((await info(client, "stats"))["Stats"]!["acl_access_denied_auth"]);
  await client.raw("CONFIG", "SET", "requirepass", "secret");
  await client.raw("AUTH", "wrong");
  await client.raw("HELLO", "2", "AUTH", "default", "wrong");
  await client.raw("AUTH", "secret");
  await client.raw("CONFIG", "SET", "requirepass", "");
  expect(await denied()).toBe(2);
});

test("what is flushed is freed in the background, and counted there", async () => {
  for (let i = 0; i < 100; i++) await client.raw("SET", `key:${i}`, "v");
  const freed = async () => Number((await info(client, "memory"))["Memory"]!["lazyfreed_objects"]);
  const before = await freed();
  const keys = Number((await client.raw("DBSIZE")).slice(1));
  await client.raw("FLUSHALL", "ASYNC");
  const giveUpAt = performance.now() + 5000;
  while ((await freed()) < before + keys && performance.now() < giveUpAt) await Bun.sleep(5);
  expect(await freed()).toBe(before + keys);
  expect((await info(client, "memory"))["Memory"]!["lazyfree_pending_objects"]).toBe("0");
});

const NO_FORKS = "there is no fork: nothing is copied on write";
const NO_RDB = "there is no RDB file yet";
const NO_SCRIPTS = "there are no scripts yet";
const NO_REPLICAS = "there are no replicas yet";
const NO_PUBSUB = "there are no channels yet";
const NO_DEFRAG_COUNTS = "moves are not counted";
const C_BUILD = "tells of the C program that Redis is";
const ONE_THREAD = "there are no I/O threads";
const EXACT = "Redis's estimate of what its sampling misses; the wheel misses nothing";
const NOT_COUNTED = "not counted";

/** Fields of Redis's that are not told, and why. */
const ABSENT: Record<string, string> = {
  redis_git_sha1: C_BUILD,
  redis_git_dirty: C_BUILD,
  redis_build_id: C_BUILD,
  monotonic_clock: C_BUILD,
  multiplexing_api: C_BUILD,
  atomicvar_api: C_BUILD,
  gcc_version: C_BUILD,
  io_threads_active: ONE_THREAD,
  io_threaded_reads_processed: ONE_THREAD,
  io_threaded_writes_processed: ONE_THREAD,
  cluster_connections: "there is no cluster",
  mem_cluster_links: "there is no cluster",
  migrate_cached_sockets: "there is no MIGRATE yet",
  clients_in_timeout_table: "no command blocks yet",
  used_memory_lua: NO_SCRIPTS,
  used_memory_lua_human: NO_SCRIPTS,
  used_memory_vm_eval: NO_SCRIPTS,
  used_memory_vm_functions: NO_SCRIPTS,
  used_memory_vm_total: NO_SCRIPTS,
  used_memory_vm_total_human: NO_SCRIPTS,
  used_memory_scripts_eval: NO_SCRIPTS,
  used_memory_functions: NO_SCRIPTS,
  used_memory_scripts: NO_SCRIPTS,
  used_memory_scripts_human: NO_SCRIPTS,
  number_of_cached_scripts: NO_SCRIPTS,
  number_of_functions: NO_SCRIPTS,
  number_of_libraries: NO_SCRIPTS,
  mem_replication_backlog: NO_REPLICAS,
  mem_total_replication_buffers: NO_REPLICAS,
  mem_clients_slaves: NO_REPLICAS,
  master_replid2: NO_REPLICAS,
  second_repl_offset: NO_REPLICAS,
  repl_backlog_first_byte_offset: NO_REPLICAS,
  repl_backlog_histlen: NO_REPLICAS,
  total_net_repl_input_bytes: NO_REPLICAS,
  total_net_repl_output_bytes: NO_REPLICAS,
  instantaneous_input_repl_kbps: NO_REPLICAS,
  instantaneous_output_repl_kbps: NO_REPLICAS,
  sync_full: NO_REPLICAS,
  sync_partial_ok: NO_REPLICAS,
  sync_partial_err: NO_REPLICAS,
  slave_expires_tracked_keys: NO_REPLICAS,
  active_defrag_running: NO_DEFRAG_COUNTS,
  active_defrag_hits: NO_DEFRAG_COUNTS,
  active_defrag_misses: NO_DEFRAG_COUNTS,
  active_defrag_key_hits: NO_DEFRAG_COUNTS,
  active_defrag_key_misses: NO_DEFRAG_COUNTS,
  total_active_defrag_time: NO_DEFRAG_COUNTS,
  current_active_defrag_time: NO_DEFRAG_COUNTS,
  current_cow_peak: NO_FORKS,
  current_cow_size: NO_FORKS,
  current_cow_size_age: NO_FORKS,
  current_fork_perc: NO_FORKS,
  latest_fork_usec: NO_FORKS,
  total_forks: NO_FORKS,
  module_fork_in_progress: NO_FORKS,
  module_fork_last_cow_size: NO_FORKS,
  rdb_last_cow_size: NO_FORKS,
  aof_last_cow_size: NO_FORKS,
  rdb_bgsave_in_progress: NO_RDB,
  rdb_last_save_time: NO_RDB,
  rdb_last_bgsave_status: NO_RDB,
  rdb_last_bgsave_time_sec: NO_RDB,
  rdb_current_bgsave_time_sec: NO_RDB,
  rdb_saves: NO_RDB,
  rdb_last_load_keys_expired: NO_RDB,
  rdb_last_load_keys_loaded: NO_RDB,
  dump_payload_sanitizations: NO_RDB,
  expired_stale_perc: EXACT,
  expired_time_cap_reached_count: EXACT,
  total_eviction_exceeded_time: NOT_COUNTED,
  current_eviction_exceeded_time: NOT_COUNTED,
  pubsub_channels: NO_PUBSUB,
  pubsub_patterns: NO_PUBSUB,
  pubsubshard_channels: NO_PUBSUB,
  unexpected_error_replies: NO_REPLICAS,
  reply_buffer_shrinks: "replies have no buffer that shrinks or grows",
  reply_buffer_expands: "replies have no buffer that shrinks or grows",
};

/** What Redis does not tell. */
const OURS = ["server_name", "bundis_version", "bun_version"];
const NEW_IN_72 = [
  "listener0",
  "acl_access_denied_auth",
  "total_blocking_keys",
  "total_blocking_keys_on_nokey",
];

describe.skipIf(REFERENCE_PATH === null)("against redis-server", () => {
  let reference: Reference;
  let theirs: Sections = {};
  let ours: Sections = {};

  beforeAll(async () => {
    reference = await startReference(freePort());
    const other = await reference.connect();
    theirs = await info(other);
    ours = await info(client);
    other.close();
  });
  afterAll(() => reference?.stop());

  test("every field is told where Redis tells it, or absent for a reason", () => {
    for (const title of DEFAULT) {
      // Keys and errors of the two servers are what tests before made them.
      if (title === "Keyspace" || title === "Errorstats") continue;
      const missing = Object.keys(theirs[title]!).filter(
        (field) => ours[title]?.[field] === undefined && ABSENT[field] === undefined,
      );
      expect([title, ...missing]).toEqual([title]);
      const extra = Object.keys(ours[title]!).filter(
        (field) => theirs[title]?.[field] === undefined && ![...OURS, ...NEW_IN_72].includes(field),
      );
      expect([title, ...extra]).toEqual([title]);
    }
  });

  test("no field that is told counts as absent", () => {
    const told = Object.values(ours).flatMap(Object.keys);
    expect(told.filter((field) => ABSENT[field] !== undefined)).toEqual([]);
  });
});
