/**
 * The directives, one row each: parsing, CONFIG GET and SET, flags and defaults derive from them. `stored` rows are accepted and
 * shown, so that configuration files and clients of Redis work, but have no effect yet; docs/compatibility.md lists them.
 */

export type DirectiveType = "integer" | "memory" | "boolean" | "enum" | "string" | "words";

export interface Directive {
  type: DirectiveType;
  initial: string;
  min?: number;
  max?: number;
  values?: readonly string[];
  /** Set at start only. */
  immutable?: true;
  stored?: true;
}

type Typed<T extends DirectiveType> = Directive & { type: T };

const LARGEST = Number.MAX_SAFE_INTEGER;
const integer = (initial: number, min: number, max: number): Typed<"integer"> => ({
  type: "integer",
  initial: String(initial),
  min,
  max,
});
const memory = (initial: number, min = 0, max = LARGEST): Typed<"memory"> => ({
  type: "memory",
  initial: String(initial),
  min,
  max,
});
const flag = (initial: "yes" | "no"): Typed<"boolean"> => ({ type: "boolean", initial });
const text = (initial: string): Typed<"string"> => ({ type: "string", initial });
const oneOf = (initial: string, ...values: string[]): Typed<"enum"> => ({
  type: "enum",
  initial,
  values: [initial, ...values],
});
const words = (initial: string): Typed<"words"> => ({ type: "words", initial });
const atStart = <T extends Directive>(directive: T): T => ({ ...directive, immutable: true });
const stored = <T extends Directive>(directive: T): T => ({ ...directive, stored: true });

export const DIRECTIVES = {
  port: atStart(integer(6379, 0, 65535)),
  bind: atStart(words("127.0.0.1 -::1")),
  maxclients: integer(10000, 1, 1_000_000),
  timeout: integer(0, 0, 2147483647),
  "tcp-keepalive": stored(integer(300, 0, 2147483647)),
  "tcp-backlog": stored(atStart(integer(511, 0, 2147483647))),
  "protected-mode": flag("yes"),
  requirepass: text(""),
  databases: atStart(integer(16, 1, 128)),
  dir: atStart(text(".")),
  appendonly: atStart(flag("no")),
  appendfilename: atStart(text("appendonly.aof")),
  appenddirname: atStart(text("appendonlydir")),
  appendfsync: oneOf("everysec", "always", "no"),
  "aof-load-truncated": flag("yes"),
  maxmemory: memory(0, 0, 4294967295),
  "maxmemory-policy": oneOf(
    "noeviction",
    "allkeys-lru",
    "volatile-lru",
    "allkeys-random",
    "volatile-ttl",
  ),
  "proto-max-bulk-len": memory(536870912, 1048576, 2147483647),
  "client-query-buffer-limit": memory(1073741824, 1048576, LARGEST),
  loglevel: atStart(oneOf("notice", "debug", "verbose", "warning", "nothing")),
  logfile: atStart(text("")),
  save: stored(text("3600 1 300 100 60 10000")),
  "maxmemory-samples": stored(integer(5, 1, 64)),
  "client-output-buffer-limit": stored(
    text("normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
  ),
  hz: stored(integer(10, 1, 500)),
  "dynamic-hz": stored(flag("yes")),
  dbfilename: stored(text("dump.rdb")),
  daemonize: stored(atStart(flag("no"))),
  supervised: stored(atStart(oneOf("no", "auto", "systemd", "upstart"))),
  pidfile: stored(atStart(text(""))),
  "always-show-logo": stored(atStart(flag("no"))),
  "lazyfree-lazy-eviction": stored(flag("no")),
  "lazyfree-lazy-expire": stored(flag("no")),
  "lazyfree-lazy-server-del": stored(flag("no")),
  "lazyfree-lazy-user-del": stored(flag("no")),
  "lazyfree-lazy-user-flush": stored(flag("no")),
  "no-appendfsync-on-rewrite": stored(flag("no")),
  "auto-aof-rewrite-percentage": stored(integer(100, 0, 2147483647)),
  "auto-aof-rewrite-min-size": stored(memory(67108864)),
  "aof-use-rdb-preamble": stored(flag("no")),
  "aof-timestamp-enabled": stored(flag("no")),
  "stop-writes-on-bgsave-error": stored(flag("yes")),
  rdbcompression: stored(flag("yes")),
  rdbchecksum: stored(flag("yes")),
  "notify-keyspace-events": stored(text("")),
  "slowlog-log-slower-than": stored(integer(10000, -1, LARGEST)),
  "slowlog-max-len": stored(integer(128, 0, LARGEST)),
  "latency-monitor-threshold": stored(integer(0, 0, LARGEST)),
  "latency-tracking": stored(flag("yes")),
  activedefrag: stored(flag("yes")),
  activerehashing: stored(flag("yes")),
  "active-expire-effort": stored(integer(1, 1, 10)),
  "hash-max-listpack-entries": stored(integer(512, 0, LARGEST)),
  "hash-max-listpack-value": stored(integer(64, 0, LARGEST)),
  "list-max-listpack-size": stored(integer(-2, -2147483648, 2147483647)),
  "list-compress-depth": stored(integer(0, 0, 2147483647)),
  "set-max-intset-entries": stored(integer(512, 0, LARGEST)),
  "set-max-listpack-entries": stored(integer(128, 0, LARGEST)),
  "set-max-listpack-value": stored(integer(64, 0, LARGEST)),
  "zset-max-listpack-entries": stored(integer(128, 0, LARGEST)),
  "zset-max-listpack-value": stored(integer(64, 0, LARGEST)),
  "hll-sparse-max-bytes": stored(integer(3000, 0, LARGEST)),
  "stream-node-max-bytes": stored(memory(4096)),
  "stream-node-max-entries": stored(integer(100, 0, LARGEST)),
  "busy-reply-threshold": stored(integer(5000, 0, LARGEST)),
  "enable-debug-command": stored(atStart(oneOf("no", "yes", "local"))),
  "enable-protected-configs": stored(atStart(oneOf("no", "yes", "local"))),
  "enable-module-command": stored(atStart(oneOf("no", "yes", "local"))),
  "maxmemory-clients": stored(text("0")),
  "replica-read-only": stored(flag("yes")),
  "repl-diskless-sync": stored(flag("yes")),
  "tracking-table-max-keys": stored(integer(1000000, 0, LARGEST)),
} as const satisfies Record<string, Directive>;

export type DirectiveName = keyof typeof DIRECTIVES;

type ValueOf<T extends DirectiveType> = T extends "integer" | "memory"
  ? number
  : T extends "boolean"
    ? boolean
    : T extends "words"
      ? readonly string[]
      : string;
export type DirectiveValue<Name extends DirectiveName> = ValueOf<(typeof DIRECTIVES)[Name]["type"]>;
