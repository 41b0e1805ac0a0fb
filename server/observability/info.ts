/** INFO: sections of fields, each measured when it is asked for. What is not measured is not there. */
import { readFileSync } from "node:fs";
import { StateField } from "../../core-wasm/abi.ts";
import type { CommandContext } from "../commands/context.ts";

type Fields = Record<string, string | number>;
type Section = (context: CommandContext) => Fields;

const PAGE_BYTES = 65536;

function residentBytes(): number {
  try {
    return Number(readFileSync("/proc/self/statm", "latin1").split(" ")[1]) * 4096;
  } catch {
    return process.memoryUsage.rss();
  }
}

function human(bytes: number): string {
  const units = ["B", "K", "M", "G"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value}B` : `${value.toFixed(2)}${units[unit]}`;
}

const server: Section = ({ services }) => {
  const uptime = Math.floor((services.clock.nowMs() - services.startedAtMs) / 1000);
  return {
    redis_version: services.redisVersion,
    server_name: "bundis",
    bundis_version: services.version,
    redis_mode: "standalone",
    os: `${process.platform} ${process.arch}`,
    arch_bits: 64,
    monotonic_clock: "Bun.nanoseconds",
    multiplexing_api: `bun ${Bun.version}`,
    process_id: process.pid,
    run_id: services.runId,
    tcp_port: services.tcpPort,
    server_time_usec: services.clock.nowMs() * 1000,
    uptime_in_seconds: uptime,
    uptime_in_days: Math.floor(uptime / 86400),
  };
};

const clients: Section = (context) => ({
  connected_clients: context.clients.size,
  maxclients: context.config.get("maxclients"),
});

const memory: Section = ({ core, clients: registry, config }) => {
  const used = core.usedBytes() + registry.bufferBytes();
  const resident = residentBytes();
  const maxmemory = config.get("maxmemory");
  return {
    used_memory: used,
    used_memory_human: human(used),
    used_memory_rss: resident,
    used_memory_rss_human: human(resident),
    used_memory_dataset: core.usedBytes(),
    allocator_allocated: core.usedBytes(),
    allocator_active: core.field(StateField.HeapPagesUsed) * PAGE_BYTES,
    allocator_resident: core.field(StateField.HeapPagesTop) * PAGE_BYTES,
    mem_clients_normal: registry.bufferBytes(),
    maxmemory,
    maxmemory_human: human(maxmemory),
    maxmemory_policy: config.get("maxmemory-policy"),
    mem_fragmentation_ratio: (resident / Math.max(1, used)).toFixed(2),
    mem_allocator: "bundis-core",
  };
};

const persistence: Section = ({ services }) => services.persistence.infoFields();

const stats: Section = ({ core, services }) => ({
  total_connections_received: services.stats.connectionsReceived,
  total_commands_processed: services.stats.commandsProcessed,
  instantaneous_ops_per_sec: services.stats.instantaneousOpsPerSec,
  total_net_input_bytes: services.stats.netInputBytes,
  total_net_output_bytes: services.stats.netOutputBytes,
  instantaneous_input_kbps: services.stats.instantaneousInputKbps.toFixed(2),
  instantaneous_output_kbps: services.stats.instantaneousOutputKbps.toFixed(2),
  rejected_connections: services.stats.connectionsRejected,
  expired_keys: core.counter(StateField.ExpiredKeys),
  evicted_keys: core.counter(StateField.EvictedKeys),
  keyspace_hits: core.counter(StateField.KeyspaceHits),
  keyspace_misses: core.counter(StateField.KeyspaceMisses),
  total_error_replies: services.stats.errorReplies,
});

const replication: Section = () => ({ role: "master", connected_slaves: 0 });

const cpu: Section = () => {
  const { user, system } = process.cpuUsage();
  return {
    used_cpu_sys: (system / 1e6).toFixed(6),
    used_cpu_user: (user / 1e6).toFixed(6),
  };
};

const commandstats: Section = ({ commands, services }) => {
  const fields: Fields = {};
  for (const [index, { name }] of commands.rows.entries()) {
    const calls = services.stats.calls[index] ?? 0;
    if (calls > 0) fields[`cmdstat_${name}`] = `calls=${calls}`;
  }
  return fields;
};

const keyspace: Section = ({ core, config }) => {
  const fields: Fields = {};
  for (let db = 0; db < config.get("databases"); db++) {
    const keys = core.keyCount(db);
    if (keys === 0) continue;
    const expires = core.deadlineCount(db);
    fields[`db${db}`] = `keys=${keys},expires=${expires},avg_ttl=${core.meanTtlMs(db)}`;
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
  Commandstats: commandstats,
  Keyspace: keyspace,
};
/** Sections that INFO shows only when they are asked for. */
const ON_DEMAND = new Set(["Commandstats"]);

/** The text of INFO with these section names in any case; none is the default ones. */
export function infoText(context: CommandContext, names: readonly string[]): string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const everything = wanted.has("all") || wanted.has("everything");
  const byDefault = wanted.size === 0 || wanted.has("default");
  const parts: string[] = [];
  for (const [title, section] of Object.entries(SECTIONS)) {
    const shown =
      everything || wanted.has(title.toLowerCase()) || (byDefault && !ON_DEMAND.has(title));
    if (!shown) continue;
    const lines = Object.entries(section(context)).map(([name, value]) => `${name}:${value}\r\n`);
    parts.push(`# ${title}\r\n${lines.join("")}`);
  }
  return parts.join("\r\n");
}
