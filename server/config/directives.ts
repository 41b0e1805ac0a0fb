/**
 * Every directive of Redis 7.2 and ours, one row each. Parsing, CONFIG GET, SET and REWRITE, flags, environment, `--help`,
 * docs/configuration.md and the types of the embedding API derive from these rows.
 *
 * To give a directive its effect, change its row from `ignored(why, ...)` to `works(what, ...)`, read it with `config.get` or
 * `config.onChange`, and name its test in tests/config/effects.test.ts.
 */
import {
  alias,
  atStart,
  bytes,
  choice,
  choices,
  type Directive,
  flag,
  guarded,
  hidden,
  INT_MAX,
  ignored,
  integer,
  LONG_MAX,
  octal,
  of,
  optionalText,
  secret,
  text,
  UINT_MAX,
  ULONG_MAX,
  works,
} from "./directive.ts";
import { bytesOrPercent, directoryOf, integerNear, type Kind } from "./kinds.ts";
import {
  announcedHostnameFault,
  announcedNameFault,
  fileNameFault,
  resolveDirectory,
  titleTemplateFault,
} from "./rules.ts";
import {
  addresses,
  bufferLimits,
  keyspaceEvents,
  oomScores,
  percentiles,
  primaryAddress,
  savePoints,
} from "./special-kinds.ts";

const SHUTDOWN_FLAGS = ["default", "save", "nosave", "now", "force"] as const;
const PROTECTED_ACTION = ["no", "yes", "local"] as const;

function shutdownFault(chosen: ReadonlySet<string>): string | undefined {
  if (!chosen.has("save") || !chosen.has("nosave")) return undefined;
  return "shutdown options SAVE and NOSAVE can't be used simultaneously";
}

const NO_TLS = "TLS is not there yet";
const NO_THREADS = "commands run on one thread";
const NO_FORK = "nothing forks";
const NO_SYSLOG = "lines go to stdout or to logfile";
const NO_RDB = "RDB files are not there yet";
const NO_REPLICATION = "replication is not there yet";
const NO_CLUSTER = "cluster mode is not there yet";
const NO_ACL = "ACL is not there yet";
const NO_SCRIPTS = "scripts are not there yet";
const NO_PUBSUB = "publishing is not there yet";
const NO_TYPE = "its data type is not there yet";
const ALWAYS_LAZY = "large values are always freed in slices";
const OWN_DEFRAG = "the core defragments in slices from its own thresholds";
const FOR_TESTS = "a switch for tests of Redis itself";

const NETWORK = {
  bind: works("Addresses to listen on.", of(addresses, "127.0.0.1 -::1")),
  port: works("TCP port; 0 listens on none.", integer(6379, 0, 65535)),
  "protected-mode": works("Without a password, serves loopback connections only.", flag("yes")),
  "tcp-backlog": ignored("Bun asks for a backlog of 512", atStart(integer(511, 0, INT_MAX))),
  "tcp-keepalive": works(
    "Seconds after which a silent peer is probed; 0 = never.",
    integer(300, 0, INT_MAX),
  ),
  timeout: works(
    "Closes clients that are idle for so many seconds; 0 = never.",
    integer(0, 0, INT_MAX),
  ),
  unixsocket: works(
    "Path of a unix socket to listen on as well.",
    atStart(optionalText({ form: "path" })),
  ),
  unixsocketperm: works(
    "Permissions of the unix socket; 0 = as the system gives them.",
    atStart(octal(0, 0, 0o777)),
  ),
  "bind-source-addr": ignored("there are no outgoing connections", optionalText()),
  "socket-mark-id": ignored("Bun does not set marks", atStart(integer(0, 0, UINT_MAX))),
  "proto-max-bulk-len": works("Largest argument of a command.", bytes("512mb", 1048576, INT_MAX)),
};

const METRICS = {
  "metrics-port": works(
    "Port of GET /metrics (Prometheus), /healthz and /readyz; 0 = none.",
    integer(0, 0, 65535),
  ),
  "metrics-bind": works("Address of that port.", text("127.0.0.1")),
};

const CLIENTS = {
  maxclients: works("Connections served at a time; more are refused.", integer(10000, 1, UINT_MAX)),
  "maxmemory-clients": works(
    "What all clients may take together, in bytes or percent of maxmemory; the largest are closed.",
    of(bytesOrPercent, "0"),
  ),
  "client-output-buffer-limit": works(
    "Replies that a client may leave lying: at most so many bytes, or so many for so long.",
    of(bufferLimits, "normal 0 0 0 slave 256mb 64mb 60 pubsub 32mb 8mb 60"),
  ),
  "client-query-buffer-limit": works(
    "Unparsed input a client may have; beyond it the connection is closed.",
    bytes("1gb", 1048576, LONG_MAX),
  ),
  "tracking-table-max-keys": works(
    "Keys remembered for CLIENT TRACKING; beyond it the oldest are told to be invalid. 0 = no limit.",
    integer(1000000, 0, LONG_MAX),
  ),
  "client-default-resp": ignored(FOR_TESTS, atStart(hidden(integer(2, 2, 3)))),
};

const SECURITY = {
  requirepass: works("Password that clients must give.", secret(optionalText())),
  aclfile: ignored(NO_ACL, atStart(text("", { form: "path" }))),
  "acllog-max-len": ignored(NO_ACL, integer(128, 0, LONG_MAX)),
  "acl-pubsub-default": ignored(NO_ACL, choice("resetchannels", ["allchannels", "resetchannels"])),
  "enable-protected-configs": works(
    "Who may set dir and dbfilename while the server runs.",
    atStart(choice("no", PROTECTED_ACTION)),
  ),
  "enable-debug-command": works("Who may use DEBUG.", atStart(choice("no", PROTECTED_ACTION))),
  "enable-module-command": works(
    "Who is told that a module cannot be loaded, instead of being refused.",
    atStart(choice("no", PROTECTED_ACTION)),
  ),
};

const TLS_FILES = { form: "path" } as const;

const TLS = {
  "tls-port": ignored(NO_TLS, integer(0, 0, 65535)),
  "tls-cert-file": ignored(NO_TLS, optionalText(TLS_FILES)),
  "tls-key-file": ignored(NO_TLS, optionalText(TLS_FILES)),
  "tls-key-file-pass": ignored(NO_TLS, optionalText()),
  "tls-client-cert-file": ignored(NO_TLS, optionalText(TLS_FILES)),
  "tls-client-key-file": ignored(NO_TLS, optionalText(TLS_FILES)),
  "tls-client-key-file-pass": ignored(NO_TLS, optionalText()),
  "tls-dh-params-file": ignored(NO_TLS, optionalText(TLS_FILES)),
  "tls-ca-cert-file": ignored(NO_TLS, optionalText(TLS_FILES)),
  "tls-ca-cert-dir": ignored(NO_TLS, optionalText(TLS_FILES)),
  "tls-auth-clients": ignored(NO_TLS, choice("yes", ["no", "yes", "optional"])),
  "tls-replication": ignored(NO_TLS, flag("no")),
  "tls-cluster": ignored(NO_TLS, flag("no")),
  "tls-protocols": ignored(NO_TLS, optionalText()),
  "tls-ciphers": ignored(NO_TLS, optionalText()),
  "tls-ciphersuites": ignored(NO_TLS, optionalText()),
  "tls-prefer-server-ciphers": ignored(NO_TLS, flag("no")),
  "tls-session-caching": ignored(NO_TLS, flag("yes")),
  "tls-session-cache-size": ignored(NO_TLS, integer(20480, 0, INT_MAX)),
  "tls-session-cache-timeout": ignored(NO_TLS, integer(300, 0, INT_MAX)),
};

const GENERAL = {
  daemonize: works("Goes on in the background.", atStart(flag("no"))),
  supervised: works(
    "Tells systemd when it is ready and when it stops.",
    atStart(choice("no", ["upstart", "systemd", "auto", "no"])),
  ),
  pidfile: works(
    "Holds the process id while the server runs.",
    atStart(optionalText({ form: "path" })),
  ),
  databases: works("Number of databases.", atStart(integer(16, 1, 128))),
  dir: works(
    "Where relative paths begin; data files lie there.",
    guarded(of(directoryOf(resolveDirectory), ".")),
  ),
  hz: ignored(
    "timed work runs ten times a second, due keys when they are due",
    of(integerNear({ min: 1, max: 500 }), "10"),
  ),
  "dynamic-hz": ignored("timed work does not depend on the number of clients", flag("yes")),
  "always-show-logo": ignored("there is no logo", atStart(flag("no"))),
  "set-proc-title": ignored("the process keeps its name", atStart(flag("yes"))),
  "proc-title-template": ignored(
    "the process keeps its name",
    text("{title} {listen-addr} {server-mode}", { check: titleTemplateFault }),
  ),
  "locale-collate": ignored(NO_TYPE, text("")),
  "ignore-warnings": ignored("no warning stops the start", text("")),
  "oom-score-adj": works(
    "Moves the score by which the kernel kills when memory runs out.",
    choice("no", ["no", "yes", "relative", "absolute"], { relative: "yes" }),
  ),
  "oom-score-adj-values": works(
    "The moves for a primary, a replica and a child; the first one counts.",
    of(oomScores, "0 200 800"),
  ),
  "disable-thp": ignored(NO_FORK, atStart(flag("yes"))),
  "io-threads": ignored(NO_THREADS, atStart(integer(1, 1, 128))),
  "io-threads-do-reads": ignored(NO_THREADS, atStart(flag("no"))),
  server_cpulist: ignored("use taskset", atStart(optionalText())),
  bio_cpulist: ignored("use taskset", atStart(optionalText())),
  aof_rewrite_cpulist: ignored(NO_FORK, atStart(optionalText())),
  bgsave_cpulist: ignored(NO_FORK, atStart(optionalText())),
  "shutdown-timeout": ignored(NO_REPLICATION, integer(10, 0, INT_MAX)),
  "shutdown-on-sigint": works(
    "What SIGINT does, as options of SHUTDOWN.",
    choices(SHUTDOWN_FLAGS, shutdownFault),
  ),
  "shutdown-on-sigterm": works(
    "What SIGTERM does, as options of SHUTDOWN.",
    choices(SHUTDOWN_FLAGS, shutdownFault),
  ),
  "busy-reply-threshold": ignored(NO_SCRIPTS, alias("lua-time-limit", integer(5000, 0, LONG_MAX))),
};

const LOGGING = {
  loglevel: works(
    "The least level of lines that are written.",
    choice("notice", ["debug", "verbose", "notice", "warning", "nothing"]),
  ),
  logfile: works(
    "Where lines go; empty = stdout. SIGHUP opens it anew.",
    atStart(text("", { form: "path" })),
  ),
  "log-format": works(
    "How a line is written: as Redis does, as logfmt or as JSON.",
    choice("legacy", ["legacy", "logfmt", "json"]),
  ),
  "log-timestamp-format": works(
    "How a line tells the time.",
    choice("legacy", ["legacy", "iso8601", "milliseconds"]),
  ),
  "syslog-enabled": ignored(NO_SYSLOG, atStart(flag("no"))),
  "syslog-ident": ignored(NO_SYSLOG, atStart(text("redis"))),
  "syslog-facility": ignored(
    NO_SYSLOG,
    atStart(
      choice("local0", [
        "user",
        "local0",
        "local1",
        "local2",
        "local3",
        "local4",
        "local5",
        "local6",
        "local7",
      ]),
    ),
  ),
  "crash-log-enabled": works(
    "Writes a report when an assertion fails or the core traps.",
    flag("yes"),
  ),
  "crash-memcheck-enabled": ignored("the memory is the kernel's to test", flag("yes")),
  "use-exit-on-panic": ignored(FOR_TESTS, hidden(flag("no"))),
  "watchdog-period": ignored(FOR_TESTS, hidden(integer(0, 0, INT_MAX))),
};

const MEMORY = {
  maxmemory: works(
    "Limit of used memory; 0 is 3.5 GiB, what one memory can hold.",
    bytes("0", 0, UINT_MAX),
  ),
  "maxmemory-policy": works(
    "What is evicted at the limit.",
    choice("noeviction", [
      "volatile-lru",
      "volatile-lfu",
      "volatile-random",
      "volatile-ttl",
      "allkeys-lru",
      "allkeys-lfu",
      "allkeys-random",
      "noeviction",
    ]),
  ),
  "maxmemory-samples": ignored("eviction is exact, nothing is sampled", integer(5, 1, INT_MAX)),
  "maxmemory-eviction-tenacity": ignored("a command evicts what it needs", integer(10, 0, 100)),
  "replica-ignore-maxmemory": ignored(NO_REPLICATION, alias("slave-ignore-maxmemory", flag("yes"))),
  "active-expire-effort": ignored("due keys are deleted when they are due", integer(1, 1, 10)),
  "lfu-log-factor": works(
    "How slowly the access counters of an LFU policy grow.",
    integer(10, 0, INT_MAX),
  ),
  "lfu-decay-time": works(
    "Minutes without use that take one off an access counter; 0 is never.",
    integer(1, 0, INT_MAX),
  ),
  "lazyfree-lazy-eviction": ignored(ALWAYS_LAZY, flag("no")),
  "lazyfree-lazy-expire": ignored(ALWAYS_LAZY, flag("no")),
  "lazyfree-lazy-server-del": ignored(ALWAYS_LAZY, flag("no")),
  "lazyfree-lazy-user-del": ignored(ALWAYS_LAZY, flag("no")),
  "lazyfree-lazy-user-flush": ignored(ALWAYS_LAZY, flag("no")),
  activerehashing: ignored("tables grow segment by segment", flag("yes")),
  activedefrag: ignored(OWN_DEFRAG, flag("yes")),
  "active-defrag-ignore-bytes": ignored(OWN_DEFRAG, bytes("100mb", 1, LONG_MAX)),
  "active-defrag-threshold-lower": ignored(OWN_DEFRAG, integer(10, 0, 1000)),
  "active-defrag-threshold-upper": ignored(OWN_DEFRAG, integer(100, 0, 1000)),
  "active-defrag-cycle-min": ignored(OWN_DEFRAG, integer(1, 1, 99)),
  "active-defrag-cycle-max": ignored(OWN_DEFRAG, integer(25, 1, 99)),
  "active-defrag-max-scan-fields": ignored(OWN_DEFRAG, integer(1000, 1, LONG_MAX)),
  "jemalloc-bg-thread": ignored("the core has its own allocator", flag("yes")),
};

const APPEND_ONLY = {
  appendonly: works(
    "Keeps an append-only file. Switched on while the server runs it begins with a rewrite.",
    flag("no"),
  ),
  appendfilename: works(
    "Name of the append-only file's parts.",
    atStart(
      text("appendonly.aof", {
        form: "file name",
        check: fileNameFault("appendfilename", "filename"),
      }),
    ),
  ),
  appenddirname: works(
    "Directory of the append-only file, in dir.",
    atStart(
      text("appendonlydir", {
        form: "file name",
        check: fileNameFault("appenddirname", "dirname"),
      }),
    ),
  ),
  appendfsync: works(
    "When the append-only file is synced.",
    choice("everysec", ["everysec", "always", "no"]),
  ),
  "aof-load-truncated": works("Cuts a torn end at start instead of refusing it.", flag("yes")),
  "no-appendfsync-on-rewrite": works(
    "Syncs nothing but the new file while the append-only file is rewritten.",
    flag("no"),
  ),
  "auto-aof-rewrite-percentage": works(
    "Rewrites the append-only file when it has grown so much; 0 = never.",
    integer(100, 0, INT_MAX),
  ),
  "auto-aof-rewrite-min-size": works(
    "Append-only files below this are not rewritten by themselves.",
    bytes("64mb", 0, LONG_MAX),
  ),
  "aof-use-rdb-preamble": ignored(NO_RDB, flag("no")),
  "aof-timestamp-enabled": works(
    "Writes the seconds into the append-only file, so that it can be cut at one.",
    flag("no"),
  ),
  "aof-rewrite-incremental-fsync": works("Syncs the file of a rewrite every 4 MiB.", flag("yes")),
  "aof-disable-auto-gc": works("Keeps the files that a rewrite has replaced.", hidden(flag("no"))),
};

const SNAPSHOTS = {
  save: ignored(NO_RDB, of(savePoints, "3600 1 300 100 60 10000")),
  dbfilename: ignored(
    NO_RDB,
    guarded(
      text("dump.rdb", { form: "file name", check: fileNameFault("dbfilename", "filename", true) }),
    ),
  ),
  "stop-writes-on-bgsave-error": ignored(NO_RDB, flag("yes")),
  rdbcompression: ignored(NO_RDB, flag("yes")),
  rdbchecksum: ignored(NO_RDB, atStart(flag("yes"))),
  "rdb-del-sync-files": ignored(NO_RDB, flag("no")),
  "rdb-save-incremental-fsync": ignored(NO_RDB, flag("yes")),
  "sanitize-dump-payload": ignored(NO_RDB, choice("no", ["no", "yes", "clients"])),
  "rdb-key-save-delay": ignored(FOR_TESTS, hidden(integer(0, -INT_MAX - 1, INT_MAX))),
  "key-load-delay": works(
    "For tests: microseconds that each command of the log is delayed by at a load; -n = one in n commands.",
    hidden(integer(0, -INT_MAX - 1, INT_MAX)),
  ),
  "loading-process-events-interval-bytes": works(
    "Clients have a turn at a load after so many bytes, and at the latest after 10 ms.",
    hidden(integer(2097152, 1024, INT_MAX)),
  ),
};

const ENCODINGS = {
  "hash-max-listpack-entries": works(
    "Most fields of a hash that is kept as a listpack.",
    alias("hash-max-ziplist-entries", integer(512, 0, LONG_MAX)),
  ),
  "hash-max-listpack-value": works(
    "Longest field or value of a hash that is kept as a listpack.",
    alias("hash-max-ziplist-value", bytes("64", 0, LONG_MAX)),
  ),
  "list-max-listpack-size": works(
    "Most elements of a list's node, or its most bytes: -1 is 4 KiB, each step below twice that, up to -5.",
    alias("list-max-ziplist-size", integer(-2, -INT_MAX - 1, INT_MAX)),
  ),
  "list-compress-depth": ignored("nothing is compressed", integer(0, 0, INT_MAX)),
  "set-max-intset-entries": works(
    "Most members of a set of integers that is kept as an intset.",
    integer(512, 0, LONG_MAX),
  ),
  "set-max-listpack-entries": works(
    "Most members of a set that is kept as a listpack.",
    integer(128, 0, LONG_MAX),
  ),
  "set-max-listpack-value": works(
    "Longest member of a set that is kept as a listpack.",
    integer(64, 0, LONG_MAX),
  ),
  "zset-max-listpack-entries": works(
    "Most members of a sorted set that is kept as a listpack.",
    alias("zset-max-ziplist-entries", integer(128, 0, LONG_MAX)),
  ),
  "zset-max-listpack-value": works(
    "Longest member of a sorted set that is kept as a listpack.",
    alias("zset-max-ziplist-value", bytes("64", 0, LONG_MAX)),
  ),
  "hll-sparse-max-bytes": works(
    "Longest HyperLogLog that is kept sparse.",
    bytes("3000", 0, LONG_MAX),
  ),
  "stream-node-max-bytes": works(
    "Bytes of a stream's node, 0 = no bound.",
    bytes("4096", 0, LONG_MAX),
  ),
  "stream-node-max-entries": works(
    "Entries of a stream's node, 0 = no bound.",
    integer(100, 0, LONG_MAX),
  ),
};

const OBSERVATION = {
  "slowlog-log-slower-than": works(
    "Microseconds from which a command is in SLOWLOG; -1 logs none.",
    integer(10000, -1, LONG_MAX),
  ),
  "slowlog-max-len": works("Entries that SLOWLOG keeps.", integer(128, 0, LONG_MAX)),
  "latency-monitor-threshold": works(
    "Milliseconds from which LATENCY keeps an event; 0 keeps none.",
    integer(0, 0, LONG_MAX),
  ),
  "latency-tracking": works("Keeps how long the calls of each command took.", flag("yes")),
  "latency-tracking-info-percentiles": works(
    "Percentiles in INFO latencystats.",
    of(percentiles, "50 99 99.9"),
  ),
  "notify-keyspace-events": ignored(NO_PUBSUB, of(keyspaceEvents, "")),
};

const REPLICATION = {
  replicaof: ignored(NO_REPLICATION, alias("slaveof", atStart(of(primaryAddress, "")))),
  masterauth: ignored(NO_REPLICATION, secret(optionalText())),
  masteruser: ignored(NO_REPLICATION, secret(optionalText())),
  "replica-read-only": ignored(NO_REPLICATION, alias("slave-read-only", flag("yes"))),
  "replica-serve-stale-data": ignored(NO_REPLICATION, alias("slave-serve-stale-data", flag("yes"))),
  "replica-lazy-flush": ignored(NO_REPLICATION, alias("slave-lazy-flush", flag("no"))),
  "replica-priority": ignored(NO_REPLICATION, alias("slave-priority", integer(100, 0, INT_MAX))),
  "replica-announce-ip": ignored(NO_REPLICATION, alias("slave-announce-ip", optionalText())),
  "replica-announce-port": ignored(
    NO_REPLICATION,
    alias("slave-announce-port", integer(0, 0, 65535)),
  ),
  "replica-announced": ignored(NO_REPLICATION, flag("yes")),
  "replica-ignore-disk-write-errors": ignored(NO_REPLICATION, flag("no")),
  "repl-diskless-sync": ignored(NO_REPLICATION, flag("yes")),
  "repl-diskless-sync-delay": ignored(NO_REPLICATION, integer(5, 0, INT_MAX)),
  "repl-diskless-sync-max-replicas": ignored(NO_REPLICATION, integer(0, 0, INT_MAX)),
  "repl-diskless-load": ignored(
    NO_REPLICATION,
    choice("disabled", ["disabled", "on-empty-db", "swapdb"]),
  ),
  "repl-ping-replica-period": ignored(
    NO_REPLICATION,
    alias("repl-ping-slave-period", integer(10, 1, INT_MAX)),
  ),
  "repl-timeout": ignored(NO_REPLICATION, integer(60, 1, INT_MAX)),
  "repl-disable-tcp-nodelay": ignored(NO_REPLICATION, flag("no")),
  "repl-backlog-size": ignored(NO_REPLICATION, bytes("1mb", 1, LONG_MAX)),
  "repl-backlog-ttl": ignored(NO_REPLICATION, integer(3600, 0, LONG_MAX)),
  "min-replicas-to-write": works(
    "Replicas without which writes are refused; there are none yet, so that 1 refuses all.",
    alias("min-slaves-to-write", integer(0, 0, INT_MAX)),
  ),
  "min-replicas-max-lag": works(
    "Seconds of silence up to which a replica counts for min-replicas-to-write; 0 switches both off.",
    alias("min-slaves-max-lag", integer(10, 0, INT_MAX)),
  ),
  "propagation-error-behavior": ignored(
    FOR_TESTS,
    choice("ignore", ["ignore", "panic", "panic-on-replicas"]),
  ),
};

const CLUSTER = {
  "cluster-enabled": ignored(NO_CLUSTER, atStart(flag("no"))),
  "cluster-config-file": ignored(NO_CLUSTER, atStart(text("nodes.conf"))),
  "cluster-node-timeout": ignored(NO_CLUSTER, integer(15000, 0, LONG_MAX)),
  "cluster-port": ignored(NO_CLUSTER, atStart(integer(0, 0, 65535))),
  "cluster-announce-ip": ignored(NO_CLUSTER, optionalText()),
  "cluster-announce-port": ignored(NO_CLUSTER, integer(0, 0, 65535)),
  "cluster-announce-tls-port": ignored(NO_CLUSTER, integer(0, 0, 65535)),
  "cluster-announce-bus-port": ignored(NO_CLUSTER, integer(0, 0, 65535)),
  "cluster-announce-hostname": ignored(NO_CLUSTER, optionalText({ check: announcedHostnameFault })),
  "cluster-announce-human-nodename": ignored(
    NO_CLUSTER,
    optionalText({ check: announcedNameFault }),
  ),
  "cluster-preferred-endpoint-type": ignored(
    NO_CLUSTER,
    choice("ip", ["ip", "hostname", "unknown-endpoint"]),
  ),
  "cluster-replica-validity-factor": ignored(
    NO_CLUSTER,
    alias("cluster-slave-validity-factor", integer(10, 0, INT_MAX)),
  ),
  "cluster-replica-no-failover": ignored(
    NO_CLUSTER,
    alias("cluster-slave-no-failover", flag("no")),
  ),
  "cluster-allow-replica-migration": ignored(NO_CLUSTER, flag("yes")),
  "cluster-migration-barrier": ignored(NO_CLUSTER, integer(1, 0, INT_MAX)),
  "cluster-require-full-coverage": ignored(NO_CLUSTER, flag("yes")),
  "cluster-allow-reads-when-down": ignored(NO_CLUSTER, flag("no")),
  "cluster-allow-pubsubshard-when-down": ignored(NO_CLUSTER, flag("yes")),
  "cluster-link-sendbuf-limit": ignored(NO_CLUSTER, bytes("0", 0, ULONG_MAX)),
  "cluster-ping-interval": ignored(FOR_TESTS, hidden(integer(0, 0, LONG_MAX))),
};

/** The rows by the part of the server that they are about: the order of the documentation. */
export const SECTIONS = {
  Network: NETWORK,
  Clients: CLIENTS,
  Security: SECURITY,
  General: GENERAL,
  Logging: LOGGING,
  "Memory and eviction": MEMORY,
  "Append-only file": APPEND_ONLY,
  Snapshots: SNAPSHOTS,
  "Slow log, latency, events": OBSERVATION,
  "Metrics and health": METRICS,
  Encodings: ENCODINGS,
  Replication: REPLICATION,
  Cluster: CLUSTER,
  TLS,
} as const satisfies Record<string, Record<string, Directive>>;

export const DIRECTIVES = {
  ...NETWORK,
  ...METRICS,
  ...CLIENTS,
  ...SECURITY,
  ...GENERAL,
  ...LOGGING,
  ...MEMORY,
  ...APPEND_ONLY,
  ...SNAPSHOTS,
  ...OBSERVATION,
  ...ENCODINGS,
  ...REPLICATION,
  ...CLUSTER,
  ...TLS,
};

export type DirectiveName = keyof typeof DIRECTIVES;

export type DirectiveValue<Name extends DirectiveName> =
  (typeof DIRECTIVES)[Name]["kind"] extends Kind<infer Value> ? Value : never;
