/** What directives mean to the parts of a server, from the start on and whenever they are set; those with a road of their own stand there. */
import { Address, EvictionPolicy, StateField } from "../core-wasm/abi.ts";
import type { Config } from "./config/config.ts";
import type { Core } from "./core/core.ts";
import type { InputLimits } from "./net/connection.ts";
import type { CallObserver } from "./observability/call-observer.ts";
import type { Logger } from "./observability/log.ts";
import { followTypeLimits } from "./type-limits.ts";

const POLICIES = {
  noeviction: EvictionPolicy.NoEviction,
  "allkeys-lru": EvictionPolicy.AllKeysLru,
  "volatile-lru": EvictionPolicy.VolatileLru,
  "allkeys-lfu": EvictionPolicy.AllKeysLfu,
  "volatile-lfu": EvictionPolicy.VolatileLfu,
  "allkeys-random": EvictionPolicy.AllKeysRandom,
  "volatile-random": EvictionPolicy.VolatileRandom,
  "volatile-ttl": EvictionPolicy.VolatileTtl,
} as const;

const field = (of: StateField) => (Address.State + of) >> 2;

export interface SettingsParts {
  readonly config: Config;
  readonly core: Core;
  readonly limits: InputLimits;
  readonly observer: CallObserver;
  readonly logger: Logger;
  /** Writes are refused because replicas are missing, or not. */
  requireReplicas(missing: boolean): void;
  wantTurn(): void;
}

export function followSettings(parts: SettingsParts): void {
  const { config, core } = parts;
  core.memory.i32[field(StateField.Databases)] = config.get("databases");
  followMemory(parts);
  followInput(parts);
  followTypeLimits(config, core);
  followObservation(parts);
  const replicas = () =>
    parts.requireReplicas(
      config.get("min-replicas-to-write") > 0 && config.get("min-replicas-max-lag") > 0,
    );
  replicas();
  config.onChange(["min-replicas-to-write", "min-replicas-max-lag"], replicas);
  config.onChange("tracking-table-max-keys", () => parts.wantTurn());
}

function followMemory({ config, core, logger }: SettingsParts): void {
  const memory = () =>
    core.configureMemory(config.get("maxmemory"), POLICIES[config.get("maxmemory-policy")]);
  const counters = () =>
    core.configureFrequency(config.get("lfu-log-factor"), config.get("lfu-decay-time"));
  memory();
  counters();
  config.onChange(["maxmemory", "maxmemory-policy"], memory);
  config.onChange("maxmemory", () => warnOfFullMemory(config, core, logger));
  config.onChange(["lfu-log-factor", "lfu-decay-time"], counters);
}

function warnOfFullMemory(config: Config, core: Core, logger: Logger): void {
  const limit = config.get("maxmemory");
  const used = core.usedBytes();
  if (limit > 0 && used > limit)
    logger.warning(
      `WARNING: the new maxmemory value set via CONFIG SET (${limit}) is smaller than the current memory usage (${used}). This will result in key eviction and/or the inability to accept new write commands depending on the maxmemory-policy.`,
    );
}

function followInput({ config, core, limits }: SettingsParts): void {
  const sizes = () => {
    limits.maxBulkBytes = config.get("proto-max-bulk-len");
    limits.queryBufferBytes = config.get("client-query-buffer-limit");
    core.memory.i32[field(StateField.MaxStringBytes)] = Math.min(limits.maxBulkBytes, 0x7fffffff);
  };
  sizes();
  config.onChange(["proto-max-bulk-len", "client-query-buffer-limit"], sizes);
}

function followObservation({ config, observer, logger }: SettingsParts): void {
  const { stats, slowLog, latency } = observer;
  const observation = () => {
    slowLog.slowerThanUs = config.get("slowlog-log-slower-than");
    slowLog.maxLength = config.get("slowlog-max-len");
    latency.thresholdMs = config.get("latency-monitor-threshold");
    stats.tracksLatency = config.get("latency-tracking");
    observer.refresh();
  };
  observation();
  config.onChange(
    ["slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold", "latency-tracking"],
    observation,
  );
  config.onChange(["loglevel", "log-format", "log-timestamp-format"], () => {
    logger.options.level = config.get("loglevel");
    logger.options.format = config.get("log-format");
    logger.options.timestamp = config.get("log-timestamp-format");
  });
}
