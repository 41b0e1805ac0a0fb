/**
 * The server's figures for Prometheus, under the names that redis_exporter gives to INFO's fields, so that its dashboards and
 * alerts work unchanged. A field that INFO does not tell has no metric.
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { CommandContext } from "../commands/context.ts";
import { infoFields } from "./info.ts";

/** INFO's fields by the name of their metric without `redis_`, with what they mean; by section. */
const GAUGES: Record<string, Record<string, readonly [field: string, help: string]>> = {
  Server: {
    uptime_in_seconds: ["uptime_in_seconds", "Seconds since the server began"],
    process_id: ["process_id", "Number of the process"],
    hz: ["hz", "Times a second that timed work is looked at"],
    configured_hz: ["configured_hz", "Directive hz"],
  },
  Clients: {
    connected_clients: ["connected_clients", "Connections"],
    blocked_clients: ["blocked_clients", "Connections that wait in a blocking command"],
    max_clients: ["maxclients", "Connections that are served at most"],
    tracking_clients: ["tracking_clients", "Connections that are told what changes"],
    client_recent_max_output_buffer_bytes: [
      "client_recent_max_output_buffer",
      "Largest buffer of replies of a connection",
    ],
    client_recent_max_input_buffer_bytes: [
      "client_recent_max_input_buffer",
      "Largest buffer of an unfinished command of a connection",
    ],
    total_blocking_keys: ["total_blocking_keys", "Keys that connections wait for"],
  },
  Memory: {
    memory_used_bytes: ["used_memory", "Memory in use: what maxmemory limits"],
    memory_used_rss_bytes: ["used_memory_rss", "Resident memory of the process"],
    memory_used_peak_bytes: ["used_memory_peak", "Most memory in use so far"],
    memory_used_overhead_bytes: ["used_memory_overhead", "Memory that is neither key nor value"],
    memory_used_startup_bytes: ["used_memory_startup", "Memory in use when the server began"],
    memory_used_dataset_bytes: ["used_memory_dataset", "Memory of keys and values"],
    memory_max_bytes: ["maxmemory", "Directive maxmemory"],
    allocator_allocated_bytes: ["allocator_allocated", "Blocks in use"],
    allocator_active_bytes: ["allocator_active", "Pages with blocks in use"],
    allocator_resident_bytes: ["allocator_resident", "Pages taken from the heap so far"],
    allocator_frag_ratio: ["allocator_frag_ratio", "Pages to blocks"],
    allocator_frag_bytes: ["allocator_frag_bytes", "Pages less blocks"],
    allocator_rss_ratio: ["allocator_rss_ratio", "Pages taken to pages in use"],
    allocator_rss_bytes: ["allocator_rss_bytes", "Pages taken less pages in use"],
    mem_fragmentation_ratio: ["mem_fragmentation_ratio", "Resident memory to memory in use"],
    mem_fragmentation_bytes: ["mem_fragmentation_bytes", "Resident memory less memory in use"],
    mem_clients_normal: ["mem_clients_normal", "Memory of connections"],
    mem_clients_slaves: ["mem_clients_slaves", "Buffers of replicas"],
    mem_aof_buffer_bytes: ["mem_aof_buffer", "Bytes that wait to be written to the log"],
    mem_not_counted_for_eviction_bytes: [
      "mem_not_counted_for_evict",
      "Memory that maxmemory does not count",
    ],
    lazyfree_pending_objects: ["lazyfree_pending_objects", "Values that wait to be freed"],
    lazyfreed_objects: ["lazyfreed_objects", "Values that were freed in the background"],
    number_of_cached_scripts: ["number_of_cached_scripts", "Scripts that are known"],
    number_of_functions: ["number_of_functions", "Functions of libraries"],
    number_of_libraries: ["number_of_libraries", "Libraries of functions"],
  },
  Persistence: {
    loading_dump_file: ["loading", "1 while the data is loaded"],
    async_loading: ["async_loading", "1 while data is loaded beside the old"],
    rdb_changes_since_last_save: ["rdb_changes_since_last_save", "Changes since the last file"],
    rdb_bgsave_in_progress: ["rdb_bgsave_in_progress", "1 while a file is written"],
    rdb_last_save_timestamp_seconds: ["rdb_last_save_time", "When the last file was written"],
    rdb_last_bgsave_status: ["rdb_last_bgsave_status", "1 if the last file could be written"],
    rdb_last_bgsave_duration_sec: ["rdb_last_bgsave_time_sec", "Seconds the last file took"],
    rdb_current_bgsave_duration_sec: [
      "rdb_current_bgsave_time_sec",
      "Seconds the file being written has taken so far",
    ],
    aof_enabled: ["aof_enabled", "1 if there is a log"],
    aof_rewrite_in_progress: ["aof_rewrite_in_progress", "1 while the log is written anew"],
    aof_rewrite_scheduled: ["aof_rewrite_scheduled", "1 if the log is to be written anew"],
    aof_last_rewrite_duration_sec: ["aof_last_rewrite_time_sec", "Seconds the last rewrite took"],
    aof_current_rewrite_duration_sec: [
      "aof_current_rewrite_time_sec",
      "Seconds the rewrite that runs has taken so far",
    ],
    aof_current_size_bytes: ["aof_current_size", "Size of the log"],
    aof_base_size_bytes: ["aof_base_size", "Size of the log at the start or the last rewrite"],
    aof_pending_rewrite: ["aof_pending_rewrite", "1 if a rewrite waits"],
    aof_buffer_length: ["aof_buffer_length", "Bytes that wait to be written"],
    aof_pending_bio_fsync: ["aof_pending_bio_fsync", "Syncs that run"],
    aof_delayed_fsync: ["aof_delayed_fsync", "Writes that waited for a sync"],
    aof_last_bgrewrite_status: ["aof_last_bgrewrite_status", "1 if the last rewrite succeeded"],
    aof_last_write_status: ["aof_last_write_status", "1 if the log can be written"],
  },
  Stats: {
    pubsub_channels: ["pubsub_channels", "Channels that somebody listens to"],
    pubsub_patterns: ["pubsub_patterns", "Patterns that somebody listens to"],
    pubsubshard_channels: ["pubsubshard_channels", "Shard channels that somebody listens to"],
    latest_fork_usec: ["latest_fork_usec", "Microseconds the last fork took"],
    expired_stale_percentage: ["expired_stale_perc", "Keys that are due and still there"],
    instantaneous_ops_per_sec: ["instantaneous_ops_per_sec", "Commands a second of late"],
    instantaneous_input_kbps: ["instantaneous_input_kbps", "KiB a second received of late"],
    instantaneous_output_kbps: ["instantaneous_output_kbps", "KiB a second sent of late"],
    tracking_total_keys: ["tracking_total_keys", "Keys that are tracked"],
    tracking_total_items: ["tracking_total_items", "Trackings of keys"],
    tracking_total_prefixes: ["tracking_total_prefixes", "Prefixes that are tracked"],
  },
  Replication: {
    connected_slaves: ["connected_slaves", "Replicas"],
    master_repl_offset: ["master_repl_offset", "Position in the stream of writes"],
    second_repl_offset: ["second_repl_offset", "Where the history before this one ended"],
    repl_backlog_is_active: ["repl_backlog_active", "1 if there is a backlog"],
    replication_backlog_bytes: ["repl_backlog_size", "Size of the backlog"],
    repl_backlog_first_byte_offset: ["repl_backlog_first_byte_offset", "Where the backlog begins"],
    repl_backlog_history_bytes: ["repl_backlog_histlen", "Bytes in the backlog"],
  },
  Cluster: {
    cluster_enabled: ["cluster_enabled", "1 if this is a node of a cluster"],
  },
};

const COUNTERS: typeof GAUGES = {
  Stats: {
    connections_received_total: ["total_connections_received", "Connections accepted"],
    rejected_connections_total: ["rejected_connections", "Connections refused"],
    commands_processed_total: ["total_commands_processed", "Commands run"],
    net_input_bytes_total: ["total_net_input_bytes", "Bytes received"],
    net_output_bytes_total: ["total_net_output_bytes", "Bytes sent"],
    expired_keys_total: ["expired_keys", "Keys deleted because they were due"],
    expire_cycle_cpu_time_ms_total: [
      "expire_cycle_cpu_milliseconds",
      "Milliseconds spent on deleting what was due",
    ],
    evicted_keys_total: ["evicted_keys", "Keys deleted for want of memory"],
    evicted_clients_total: ["evicted_clients", "Connections closed for want of memory"],
    keyspace_hits_total: ["keyspace_hits", "Look-ups that found their key"],
    keyspace_misses_total: ["keyspace_misses", "Look-ups that did not"],
    total_error_replies: ["total_error_replies", "Errors answered"],
    total_reads_processed: ["total_reads_processed", "Chunks read from connections"],
    total_writes_processed: ["total_writes_processed", "Chunks written to connections"],
    unexpected_error_replies: ["unexpected_error_replies", "Errors met in a log or a stream"],
    acl_access_denied_auth_total: ["acl_access_denied_auth", "Authentications that failed"],
    acl_access_denied_cmd_total: ["acl_access_denied_cmd", "Commands denied to their user"],
    acl_access_denied_key_total: ["acl_access_denied_key", "Keys denied to their user"],
    acl_access_denied_channel_total: ["acl_access_denied_channel", "Channels denied to their user"],
    replica_resyncs_full: ["sync_full", "Replicas that got the whole data"],
    replica_partial_resync_accepted: ["sync_partial_ok", "Replicas that got what they missed"],
    replica_partial_resync_denied: ["sync_partial_err", "Replicas that had missed too much"],
  },
  CPU: {
    cpu_sys_seconds_total: ["used_cpu_sys", "CPU in the kernel"],
    cpu_user_seconds_total: ["used_cpu_user", "CPU outside the kernel"],
    cpu_sys_children_seconds_total: ["used_cpu_sys_children", "CPU of children in the kernel"],
    cpu_user_children_seconds_total: [
      "used_cpu_user_children",
      "CPU of children outside the kernel",
    ],
    cpu_sys_main_thread_seconds_total: [
      "used_cpu_sys_main_thread",
      "CPU of the thread that runs commands, in the kernel",
    ],
    cpu_user_main_thread_seconds_total: [
      "used_cpu_user_main_thread",
      "CPU of the thread that runs commands, outside the kernel",
    ],
  },
};

/** Labels of `instance_info`, from INFO's fields. */
const INSTANCE_LABELS: readonly (readonly [section: string, field: string])[] = [
  ["Replication", "role"],
  ["Server", "redis_version"],
  ["Server", "bundis_version"],
  ["Server", "redis_mode"],
  ["Server", "os"],
  ["Memory", "maxmemory_policy"],
  ["Server", "tcp_port"],
  ["Server", "run_id"],
  ["Server", "process_id"],
  ["Replication", "master_replid"],
];

type Labels = Record<string, string>;

/** A figure of INFO as a number: states are 1 and 0, percents lose their sign. Undefined if it is none. */
function figure(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (value === "ok") return 1;
  if (value === "err") return 0;
  const number = typeof value === "number" ? value : Number.parseFloat(value);
  return Number.isFinite(number) ? number : undefined;
}

/** "a=1,b=2" */
function parts(value: string | number): Record<string, number | undefined> {
  const pairs = String(value)
    .split(",")
    .map((part) => part.split("=") as [string, string]);
  return Object.fromEntries(pairs.map(([name, text]) => [name, figure(text)]));
}

/** The metrics of one server, in a registry of its own. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly gauges = new Map<string, Gauge>();
  private readonly counters = new Map<string, Counter>();

  constructor(private readonly context: CommandContext) {}

  /** Every metric, measured now. */
  async scrape(): Promise<{ contentType: string; text: string }> {
    this.registry.resetMetrics();
    const { context } = this;
    for (const [section, rows] of Object.entries(GAUGES)) {
      const fields = infoFields(context, section);
      for (const [name, [field, help]] of Object.entries(rows))
        this.gauge(name, help, figure(fields[field]));
    }
    for (const [section, rows] of Object.entries(COUNTERS)) {
      const fields = infoFields(context, section);
      for (const [name, [field, help]] of Object.entries(rows))
        this.counter(name, help, figure(fields[field]));
    }
    this.instance();
    this.databases();
    this.commands();
    this.errors();
    this.slowCommands();
    this.latencyEvents();
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }

  private instance(): void {
    const { config, services } = this.context;
    this.gauge("up", "1: the server answers", 1);
    this.gauge("config_maxmemory", "Directive maxmemory", config.get("maxmemory"));
    this.gauge("config_maxclients", "Directive maxclients", config.get("maxclients"));
    this.gauge("start_time_seconds", "When the server began", services.startedAtMs / 1000);
    const labels: Labels = {};
    for (const [section, field] of INSTANCE_LABELS)
      labels[field] = String(infoFields(this.context, section)[field] ?? "");
    this.gauge("instance_info", "What the server is", 1, labels);
  }

  private databases(): void {
    for (const [db, value] of Object.entries(infoFields(this.context, "Keyspace"))) {
      const { keys, expires, avg_ttl: meanTtlMs = 0 } = parts(value);
      this.gauge("db_keys", "Keys by database", keys, { db });
      this.gauge("db_keys_expiring", "Keys with a time to live by database", expires, { db });
      this.gauge("db_avg_ttl_seconds", "Their mean time to live", meanTtlMs / 1000, { db });
    }
  }

  private commands(): void {
    const { context } = this;
    for (const [field, value] of Object.entries(infoFields(context, "Commandstats"))) {
      const cmd = { cmd: field.replace(/^cmdstat_/, "") };
      const { calls, usec, rejected_calls: rejected, failed_calls: failed } = parts(value);
      const seconds = usec === undefined ? undefined : usec / 1e6;
      this.counter("commands_total", "Calls by command", calls, cmd);
      this.counter("commands_duration_seconds_total", "Time by command", seconds, cmd);
      this.counter("commands_rejected_calls_total", "Calls refused by command", rejected, cmd);
      this.counter("commands_failed_calls_total", "Calls that failed by command", failed, cmd);
    }
    for (const [field, value] of Object.entries(infoFields(context, "Latencystats"))) {
      const cmd = field.replace(/^latency_percentiles_usec_/, "");
      for (const [percentile, usec] of Object.entries(parts(value)))
        this.gauge("latency_percentiles_usec", "Microseconds of calls by command", usec, {
          cmd,
          quantile: String(Number(percentile.slice(1)) / 100),
        });
    }
  }

  private errors(): void {
    for (const [field, value] of Object.entries(infoFields(this.context, "Errorstats")))
      this.counter("errors_total", "Errors answered by code", parts(value)["count"], {
        err: field.replace(/^errorstat_/, ""),
      });
  }

  private slowCommands(): void {
    const { slowLog } = this.context.services;
    const [last] = slowLog.latest(1);
    this.gauge("slowlog_length", "Entries of the slow log", slowLog.length);
    this.gauge("slowlog_last_id", "Number of its latest entry", last?.id ?? 0);
    const seconds = (last?.microseconds ?? 0) / 1e6;
    this.gauge("last_slow_execution_duration_seconds", "Time of its latest entry", seconds);
  }

  private latencyEvents(): void {
    for (const [name, { samples }] of this.context.services.latency.all()) {
      const last = samples.at(-1);
      if (last === undefined) continue;
      const event = { event_name: name };
      this.gauge("latency_spike_last", "When an event last took long", last.atSeconds, event);
      const seconds = last.ms / 1000;
      this.gauge("latency_spike_duration_seconds", "How long it took then", seconds, event);
    }
  }

  private gauge(name: string, help: string, value: number | undefined, labels: Labels = {}): void {
    if (value === undefined) return;
    let gauge = this.gauges.get(name);
    if (gauge === undefined) {
      gauge = new Gauge(this.settings(name, help, labels));
      this.gauges.set(name, gauge);
    }
    gauge.set(labels, value);
  }

  private counter(
    name: string,
    help: string,
    value: number | undefined,
    labels: Labels = {},
  ): void {
    if (value === undefined) return;
    let counter = this.counters.get(name);
    if (counter === undefined) {
      counter = new Counter(this.settings(name, help, labels));
      this.counters.set(name, counter);
    }
    counter.inc(labels, value);
  }

  private settings(name: string, help: string, labels: Labels) {
    const registers = [this.registry];
    return { name: `redis_${name}`, help: `${help}.`, labelNames: Object.keys(labels), registers };
  }
}
