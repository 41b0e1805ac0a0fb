/** INFO: sections of fields, each measured when it is asked for. What is not measured is not there. */
import { StateField } from "../../core-wasm/abi.ts";
import type { CommandContext } from "../commands/context.ts";
import { humanBytes, memoryFigures } from "./memory-figures.ts";
import {
  childrenCpuSeconds,
  cpuSeconds,
  mainThreadCpuSeconds,
  systemMemoryBytes,
  systemName,
} from "./process-figures.ts";

/** A field without a value is not shown. */
type Fields = Record<string, string | number | undefined>;
type Section = (context: CommandContext) => Fields;

/** Where clients may connect, as Redis numbers it: listener0, listener1. */
function listeners({ config, services }: CommandContext): Fields {
  const lines: string[] = [];
  if (services.tcpPort !== 0) {
    const hosts = config.get("bind").map((host) => `bind=${host}`);
    lines.push(["name=tcp", ...hosts, `port=${services.tcpPort}`].join(","));
  }
  const path = config.path("unixsocket");
  if (path !== "") lines.push(`name=unix,bind=${path}`);
  return Object.fromEntries(lines.map((line, index) => [`listener${index}`, line]));
}

const server: Section = (context) => {
  const { config, services } = context;
  const now = services.clock.nowMs();
  const uptime = Math.floor((now - services.startedAtMs) / 1000);
  return {
    redis_version: services.redisVersion,
    server_name: "bundis",
    bundis_version: services.version,
    bun_version: Bun.version,
    redis_mode: "standalone",
    os: systemName(),
    arch_bits: 64,
    process_id: process.pid,
    process_supervised: config.get("supervised"),
    run_id: services.runId,
    tcp_port: services.tcpPort,
    server_time_usec: now * 1000,
    uptime_in_seconds: uptime,
    uptime_in_days: Math.floor(uptime / 86400),
    hz: services.cronHz,
    configured_hz: config.get("hz"),
    lru_clock: Math.floor(now / 1000) & 0xffffff,
    executable: process.execPath,
    config_file: config.file ?? "",
    ...listeners(context),
  };
};

const clients: Section = ({ clients: registry, config, services }) => {
  const blocking = services.blockingKeys();
  let inputMax = 0;
  let outputMax = 0;
  for (const client of registry.all()) {
    inputMax = Math.max(inputMax, client.carriedBytes);
    outputMax = Math.max(outputMax, client.outbox.bytes);
  }
  return {
    connected_clients: registry.size,
    maxclients: config.get("maxclients"),
    client_recent_max_input_buffer: inputMax,
    client_recent_max_output_buffer: outputMax,
    tracking_clients: services.tracking.clientCount,
    blocked_clients: registry.waitingCount(),
    total_blocking_keys: blocking.all,
    total_blocking_keys_on_nokey: blocking.onNoKey,
  };
};

const percent = (part: number, whole: number) =>
  `${((part / Math.max(1, whole)) * 100).toFixed(2)}%`;

/** A ratio of two sizes and their difference, as INFO names them. */
function excess(name: string, ratio: string, bytes: number, of: number): Fields {
  return {
    [`${name}_${ratio}`]: (bytes / Math.max(1, of)).toFixed(2),
    [`${name}_bytes`]: bytes - of,
  };
}

const memory: Section = (context) => {
  const { config, core } = context;
  const figures = memoryFigures(context);
  const maxmemory = config.get("maxmemory");
  const sized = (name: string, bytes: number): Fields => ({
    [name]: bytes,
    [`${name}_human`]: humanBytes(bytes),
  });
  return {
    ...sized("used_memory", figures.usedBytes),
    ...sized("used_memory_rss", figures.residentBytes),
    ...sized("used_memory_peak", figures.peakBytes),
    used_memory_peak_perc: percent(figures.usedBytes, figures.peakBytes),
    used_memory_overhead: figures.overheadBytes,
    used_memory_startup: figures.startBytes,
    used_memory_dataset: figures.datasetBytes,
    used_memory_dataset_perc: percent(figures.datasetBytes, figures.usedBytes - figures.startBytes),
    allocator_allocated: figures.allocatedBytes,
    allocator_active: figures.activeBytes,
    allocator_resident: figures.heapBytes,
    ...sized("total_system_memory", systemMemoryBytes()),
    ...sized("maxmemory", maxmemory),
    maxmemory_policy: config.get("maxmemory-policy"),
    ...excess("allocator_frag", "ratio", figures.activeBytes, figures.allocatedBytes),
    ...excess("allocator_rss", "ratio", figures.heapBytes, figures.activeBytes),
    ...excess("rss_overhead", "ratio", figures.residentBytes, figures.heapBytes),
    ...excess("mem_fragmentation", "ratio", figures.residentBytes, figures.usedBytes),
    mem_not_counted_for_evict: figures.logBufferBytes,
    mem_clients_normal: figures.clientBytes,
    mem_aof_buffer: figures.logBufferBytes,
    mem_allocator: "bundis-core",
    lazyfree_pending_objects: core.pendingObjects(),
    lazyfreed_objects: core.counter(StateField.LazyFreed),
  };
};

/** Nothing is saved before there are RDB files: the changes count from the start on. */
const persistence: Section = ({ core, services }) => ({
  rdb_changes_since_last_save: core.counter(StateField.Changes),
  ...services.persistence.infoFields(),
});

const stats: Section = ({ core, services }) => ({
  total_connections_received: services.stats.connectionsReceived,
  total_commands_processed: services.commandStats.processed,
  instantaneous_ops_per_sec: services.stats.instantaneousOpsPerSec,
  total_net_input_bytes: services.stats.netInputBytes,
  total_net_output_bytes: services.stats.netOutputBytes,
  instantaneous_input_kbps: services.stats.instantaneousInputKbps.toFixed(2),
  instantaneous_output_kbps: services.stats.instantaneousOutputKbps.toFixed(2),
  rejected_connections: services.stats.connectionsRejected,
  expire_cycle_cpu_milliseconds: Math.floor(services.stats.expireCycleMs),
  expired_keys: core.counter(StateField.ExpiredKeys),
  evicted_keys: core.counter(StateField.EvictedKeys),
  evicted_clients: services.clientLimits.evictedClients,
  keyspace_hits: core.counter(StateField.KeyspaceHits),
  keyspace_misses: core.counter(StateField.KeyspaceMisses),
  tracking_total_keys: services.tracking.totalKeys,
  tracking_total_items: services.tracking.totalItems,
  tracking_total_prefixes: services.tracking.totalPrefixes,
  total_error_replies: services.commandStats.errorReplies,
  acl_access_denied_auth: services.stats.deniedLogins,
  total_reads_processed: services.stats.readsProcessed,
  total_writes_processed: services.stats.writesProcessed,
});

/** Nobody replicates: what can be told of a primary without replicas and backlog. */
const replication: Section = ({ config, services }) => ({
  role: "master",
  connected_slaves: 0,
  master_failover_state: "no-failover",
  master_replid: services.replication.id,
  master_repl_offset: 0,
  repl_backlog_active: 0,
  repl_backlog_size: config.get("repl-backlog-size"),
});

const cpu: Section = () => {
  const fields: Fields = {};
  const add = (suffix: string, seconds: { user: number; system: number } | undefined) => {
    fields[`used_cpu_sys${suffix}`] = seconds?.system.toFixed(6);
    fields[`used_cpu_user${suffix}`] = seconds?.user.toFixed(6);
  };
  add("", cpuSeconds());
  add("_children", childrenCpuSeconds());
  add("_main_thread", mainThreadCpuSeconds());
  return fields;
};

const modules: Section = () => ({});

const cluster: Section = () => ({ cluster_enabled: 0 });

const commandstats: Section = ({ services }) => services.commandStats.commandFields();

const errorstats: Section = ({ services }) => services.commandStats.errorFields();

const latencystats: Section = ({ services, config }) =>
  services.commandStats.latencyFields(config.get("latency-tracking-info-percentiles"));

const keyspace: Section = ({ core, config }) => {
  const fields: Fields = {};
  for (let db = 0; db < config.get("databases"); db++) {
    const keys = core.keyCount(db);
    if (keys === 0) continue;
    const expires = core.deadlineCount(db);
    fields[`db${db}`] = `keys=${keys},expires=${expires},avg_ttl=${Math.round(core.meanTtlMs(db))}`;
  }
  return fields;
};

const SECTIONS: Record<string, Section> = {
  Server: server,
  Clients: clients,
  Memory: memory,
  Persistence: persistence,
  Stats: stats,
  Replication: replication,
  CPU: cpu,
  Modules: modules,
  Commandstats: commandstats,
  Errorstats: errorstats,
  Latencystats: latencystats,
  Cluster: cluster,
  Keyspace: keyspace,
};
/** Sections that INFO shows only when they are asked for. */
const ON_DEMAND = new Set(["Commandstats", "Latencystats"]);

/** Fields of a section by name in any case; what has no value is left out. Empty if there is no such section. */
export function infoFields(context: CommandContext, name: string): Record<string, string | number> {
  const wanted = name.toLowerCase();
  const section = Object.entries(SECTIONS).find(([title]) => title.toLowerCase() === wanted)?.[1];
  const present: Record<string, string | number> = {};
  for (const [field, value] of Object.entries(section?.(context) ?? {}))
    if (value !== undefined) present[field] = value;
  return present;
}

/** The text of INFO with these section names in any case; none is the default ones. */
export function infoText(context: CommandContext, names: readonly string[]): string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const everything = wanted.has("all") || wanted.has("everything");
  const byDefault = wanted.size === 0 || wanted.has("default");
  const parts = Object.keys(SECTIONS)
    .filter(
      (title) =>
        everything || wanted.has(title.toLowerCase()) || (byDefault && !ON_DEMAND.has(title)),
    )
    .map((title) => {
      const fields = Object.entries(infoFields(context, title));
      return `# ${title}\r\n${fields.map(([name, value]) => `${name}:${value}\r\n`).join("")}`;
    });
  return parts.join("\r\n");
}
