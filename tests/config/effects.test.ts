/** Every directive with an effect has a test that shows it: here, or where SHOWN_ELSEWHERE says. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Directive } from "../../server/config/directive.ts";
import { DIRECTIVES, type DirectiveName } from "../../server/config/directives.ts";
import { type RunningServer, startServer } from "../../server/index.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

const START = "tests/process/start.test.ts";
const STOP = "tests/process/stop.test.ts";
const SUPERVISION = "tests/process/supervision.test.ts";
const PROTECTED = "tests/commands/protected.test.ts";
const LIMITS = "tests/unit/client/limits.test.ts";
const OBSERVED = "tests/commands/observability.test.ts";
const REWRITE = "tests/crash/rewrite.test.ts";
const LOG = "tests/unit/observability/log.test.ts";

/** File and name of the test. */
const SHOWN_ELSEWHERE: Partial<Record<DirectiveName, readonly [file: string, test: string]>> = {
  "key-load-delay": ["tests/process/loading.test.ts", "INFO tells how far it is"],
  "loading-process-events-interval-bytes": [
    "tests/process/loading.test.ts",
    "whatever turns others have",
  ],
  daemonize: [START, "goes to the background with daemonize"],
  supervised: [SUPERVISION, "tells systemd over a socket"],
  pidfile: [STOP, "stops the server in order"],
  "oom-score-adj": [SUPERVISION, "oom-score-adj moves the kernel's score"],
  "oom-score-adj-values": [SUPERVISION, "oom-score-adj moves the kernel's score"],
  "shutdown-on-sigint": [STOP, "SIGINT does as shutdown-on-sigint says"],
  "shutdown-on-sigterm": [STOP, "SIGTERM does as shutdown-on-sigterm says"],
  loglevel: [LOG, "drops lines below its level"],
  logfile: [STOP, "SIGHUP opens the log file anew"],
  "log-format": [LOG, "can be logfmt"],
  "log-timestamp-format": [LOG, "can tell an ISO time"],
  "crash-log-enabled": [STOP, "leaves no report with crash-log-enabled no"],
  "maxmemory-policy": ["tests/model/eviction.test.ts", "evicts in exact order under a random mix"],
  "lfu-log-factor": ["tests/model/frequency.test.ts", "lfu-log-factor 0"],
  "lfu-decay-time": ["tests/model/frequency.test.ts", "takes the smallest counter, one off in "],
  "client-output-buffer-limit": [LIMITS, "the hard limit closes at the end of the turn"],
  "tracking-table-max-keys": [
    "tests/wire/tracking.test.ts",
    "keys beyond tracking-table-max-keys are told to be invalid",
  ],
  "maxmemory-clients": [LIMITS, "closes the largest until the rest fits"],
  "aof-load-truncated": [
    "tests/crash/restart.test.ts",
    "a torn tail is cut at every length, and writing goes on behind it",
  ],
  "no-appendfsync-on-rewrite": [
    "tests/unit/persistence/aof/log.test.ts",
    "no-appendfsync-on-rewrite lets syncs rest",
  ],
  "aof-rewrite-incremental-fsync": [
    "tests/unit/persistence/aof/base-writer.test.ts",
    "aof-rewrite-incremental-fsync syncs on the way",
  ],
  "aof-timestamp-enabled": [
    "tests/unit/persistence/aof/log.test.ts",
    "aof-timestamp-enabled writes the second",
  ],
  "auto-aof-rewrite-percentage": [REWRITE, "a log that has grown is rewritten by itself"],
  "auto-aof-rewrite-min-size": [REWRITE, "a log that has grown is rewritten by itself"],
  "aof-disable-auto-gc": [REWRITE, "aof-disable-auto-gc keeps what was replaced"],
  "tcp-keepalive": ["tests/unit/net/admission.test.ts", "keepAlive"],
  unixsocket: ["tests/wire/unix-socket.test.ts", "it is served beside TCP"],
  unixsocketperm: ["tests/wire/unix-socket.test.ts", "with the permissions asked for"],
  "enable-debug-command": [PROTECTED, "DEBUG and MODULE LOAD are refused unless"],
  "enable-module-command": [PROTECTED, "DEBUG and MODULE LOAD are refused unless"],
  "metrics-port": ["tests/wire/health.test.ts", "health and readiness answer"],
  "metrics-bind": ["tests/wire/health.test.ts", "metrics-bind says on which address"],
  "slowlog-log-slower-than": [OBSERVED, "a command as slow as the limit is logged"],
  "slowlog-max-len": [OBSERVED, "no more entries are kept than slowlog-max-len"],
  "latency-monitor-threshold": [OBSERVED, "slow commands are kept as events"],
  "latency-tracking": [OBSERVED, "latency-tracking no keeps no histograms"],
  "latency-tracking-info-percentiles": [OBSERVED, "INFO latencystats tells the percentiles"],
  appendfsync: ["tests/crash/restart.test.ts", "acknowledged writes survive a kill -9 under %s"],
};

/** Tests of this file by directive, filled as they are defined. */
const shownHere = new Set<string>();

let dir: ReturnType<typeof temporaryDirectory>;
const servers: RunningServer[] = [];
const clients: Connection[] = [];
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) await server.close();
  dir.remove();
});

function shows(names: DirectiveName, what: string, run: () => Promise<void>): void {
  shownHere.add(names);
  test(`${names} ${what}`, run);
}

async function start(config: Record<string, string>, port = 0): Promise<RunningServer> {
  const server = await startServer({ port, config });
  servers.push(server);
  return server;
}

async function connect(server: { port: number }): Promise<Connection> {
  const client = await openConnection(server.port);
  clients.push(client);
  return client;
}

/** Connects and asks once. @returns the reply, or "closed" */
async function ping(port: number, hostname: string): Promise<string> {
  return await new Promise<string>((resolve) => {
    Bun.connect({
      hostname,
      port,
      socket: {
        open: (socket) => void socket.write("PING\r\n"),
        data(socket, chunk) {
          resolve(chunk.toString());
          socket.end();
        },
        close: () => resolve("closed"),
      },
    }).catch(() => resolve("refused"));
  });
}

const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;
if (elsewhere === undefined) console.log("no address but loopback: bind is tested with 127.0.0.2");

describe("directives of encodings", () => {
  const encodingAfter = async (directive: string, value: string, command: string[]) => {
    const client = await connect(await start({ [directive]: value }));
    await client.raw(...command);
    return client.raw("OBJECT", "ENCODING", command[1]!);
  };
  /** Nodes of a stream of so many entries of a little more than 50 bytes. */
  const nodesAfter = async (directive: string, value: string, entries: number) => {
    const client = await connect(await start({ [directive]: value }));
    for (let i = 1; i <= entries; i++) await client.raw("XADD", "s", `${i}-0`, "f", "v".repeat(50));
    const info = await client.raw("XINFO", "STREAM", "s");
    return Number(/radix-tree-keys\r\n:(\d+)/.exec(info)?.[1]);
  };

  shows("list-max-listpack-size", "bounds lists that are one listpack", async () => {
    const elements = ["RPUSH", "l", "a", "b", "c"];
    expect(await encodingAfter("list-max-listpack-size", "3", elements)).toContain("listpack");
    expect(await encodingAfter("list-max-listpack-size", "2", elements)).toContain("quicklist");
    const large = ["RPUSH", "l", "x".repeat(5000)];
    expect(await encodingAfter("list-max-listpack-size", "-2", large)).toContain("listpack");
    expect(await encodingAfter("list-max-listpack-size", "-1", large)).toContain("quicklist");
  });

  shows("hash-max-listpack-entries", "bounds small hashes", async () => {
    const fields = ["HSET", "h", "a", "1", "b", "2"];
    expect(await encodingAfter("hash-max-listpack-entries", "2", fields)).toContain("listpack");
    expect(await encodingAfter("hash-max-listpack-entries", "1", fields)).toContain("hashtable");
  });

  shows("hash-max-listpack-value", "bounds fields and values of small hashes", async () => {
    for (const field of [
      ["HSET", "h", "abc", "1"],
      ["HSET", "h", "a", "123"],
    ]) {
      expect(await encodingAfter("hash-max-listpack-value", "3", field)).toContain("listpack");
      expect(await encodingAfter("hash-max-listpack-value", "2", field)).toContain("hashtable");
    }
  });

  shows("hll-sparse-max-bytes", "bounds sparse HyperLogLogs", async () => {
    const encodingIf = async (limit: string) => {
      const client = await connect(await start({ "hll-sparse-max-bytes": limit }));
      await client.raw("PFADD", "h", "a", "b", "c");
      return client.raw("PFDEBUG", "ENCODING", "h");
    };
    expect(await encodingIf("27")).toBe("+sparse\r\n");
    expect(await encodingIf("26")).toBe("+dense\r\n");
  });

  shows("set-max-intset-entries", "bounds sets of integers", async () => {
    const integers = ["SADD", "s", "1", "2", "3"];
    expect(await encodingAfter("set-max-intset-entries", "3", integers)).toBe("$6\r\nintset\r\n");
    expect(await encodingAfter("set-max-intset-entries", "2", integers)).not.toContain("intset");
  });

  shows("set-max-listpack-entries", "bounds small sets", async () => {
    const texts = ["SADD", "s", "a", "b", "c"];
    expect(await encodingAfter("set-max-listpack-entries", "3", texts)).toContain("listpack");
    expect(await encodingAfter("set-max-listpack-entries", "2", texts)).toContain("hashtable");
  });

  shows("stream-node-max-bytes", "bounds the nodes of streams", async () => {
    expect(await nodesAfter("stream-node-max-bytes", "300", 12)).toBe(3);
    expect(await nodesAfter("stream-node-max-bytes", "0", 12)).toBe(1);
  });

  shows("stream-node-max-entries", "bounds the entries of a stream's node", async () => {
    expect(await nodesAfter("stream-node-max-entries", "5", 12)).toBe(3);
    expect(await nodesAfter("stream-node-max-entries", "0", 12)).toBe(1);
  });

  shows("set-max-listpack-value", "bounds the members of small sets", async () => {
    const text = ["SADD", "s", "abc"];
    expect(await encodingAfter("set-max-listpack-value", "3", text)).toContain("listpack");
    expect(await encodingAfter("set-max-listpack-value", "2", text)).toContain("hashtable");
  });

  shows("zset-max-listpack-entries", "bounds small sorted sets", async () => {
    const members = ["ZADD", "z", "1", "a", "2", "b", "3", "c"];
    expect(await encodingAfter("zset-max-listpack-entries", "3", members)).toContain("listpack");
    expect(await encodingAfter("zset-max-listpack-entries", "2", members)).toContain("skiplist");
  });

  shows("zset-max-listpack-value", "bounds the members of small sorted sets", async () => {
    const member = ["ZADD", "z", "1", "abc"];
    expect(await encodingAfter("zset-max-listpack-value", "3", member)).toContain("listpack");
    expect(await encodingAfter("zset-max-listpack-value", "2", member)).toContain("skiplist");
  });
});

describe("directives of the network", () => {
  shows("port", "is where it listens, and can be changed", async () => {
    const [port, other, taken] = [freePort(), freePort(), freePort()];
    const server = await start({}, port);
    expect(await ping(port, "127.0.0.1")).toBe("+PONG\r\n");
    await start({}, taken);
    const client = await connect(server);
    expect(await client.raw("CONFIG", "SET", "port", String(taken))).toBe(
      "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.\r\n",
    );
    expect(await ping(port, "127.0.0.1")).toBe("+PONG\r\n");
    expect(await client.raw("CONFIG", "SET", "port", String(other))).toBe("+OK\r\n");
    expect(server.port).toBe(other);
    expect(await ping(other, "127.0.0.1")).toBe("+PONG\r\n");
    expect(await ping(port, "127.0.0.1")).toBe("refused");
    expect(await client.raw("PING")).toBe("+PONG\r\n");
  });

  shows("bind", "says at which addresses", async () => {
    const server = await start({ bind: "127.0.0.2" });
    expect(await ping(server.port, "127.0.0.2")).toBe("+PONG\r\n");
    expect(await ping(server.port, "127.0.0.1")).toBe("refused");
    const client = await openConnection(server.port, "127.0.0.2");
    clients.push(client);
    expect(await client.raw("CONFIG", "SET", "bind", "1.2.3.4")).toBe(
      "-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to specified addresses.\r\n",
    );
    expect(await client.raw("CONFIG", "SET", "bind", "127.0.0.1 -127.0.0.3")).toBe("+OK\r\n");
    expect(await ping(server.port, "127.0.0.3")).toBe("+PONG\r\n");
    expect(await ping(server.port, "127.0.0.2")).toBe("refused");
    expect(await client.raw("PING")).toBe("+PONG\r\n");
  });

  shows(
    "protected-mode",
    "refuses who is not on loopback, as long as there is no password",
    async () => {
      const server = await start({ bind: "0.0.0.0" });
      const remote = elsewhere ?? "127.0.0.2";
      const refused = elsewhere === undefined ? "+PONG\r\n" : "-DENIED ";
      expect(await ping(server.port, remote)).toStartWith(refused);
      const local = await connect(server);
      await local.raw("CONFIG", "SET", "protected-mode", "no");
      expect(await ping(server.port, remote)).toBe("+PONG\r\n");
    },
  );

  shows("maxclients", "refuses one more", async () => {
    const server = await start({ maxclients: "1" });
    const first = await connect(server);
    expect(await first.raw("PING")).toBe("+PONG\r\n");
    expect(await ping(server.port, "127.0.0.1")).toBe("-ERR max number of clients reached\r\n");
    await first.raw("CONFIG", "SET", "maxclients", "2");
    expect(await ping(server.port, "127.0.0.1")).toBe("+PONG\r\n");
  });

  shows("timeout", "closes who is idle", async () => {
    const server = await start({ timeout: "1" });
    const client = await connect(server);
    expect(await client.raw("PING")).toBe("+PONG\r\n");
    const watcher = await connect(server);
    for (;;) {
      const list = await watcher.raw("CLIENT", "LIST");
      if (list.split("\n").filter((line) => line.startsWith("id=")).length === 1) break;
      await Bun.sleep(100);
    }
  });

  shows("proto-max-bulk-len", "bounds an argument", async () => {
    const server = await start({ "proto-max-bulk-len": "1mb" });
    const client = await connect(server);
    expect(await client.raw("SET", "k", "v".repeat(1048576))).toBe("+OK\r\n");
    const tooLong = client.raw("SET", "k", "v".repeat(1048577));
    expect(await tooLong).toBe("-ERR Protocol error: invalid bulk length\r\n");
  });

  shows("client-query-buffer-limit", "closes who sends more than it without an end", async () => {
    const server = await start({ "client-query-buffer-limit": "1mb" });
    const closed = await new Promise<boolean>((resolve) => {
      const head = Buffer.from("*2\r\n$4\r\nECHO\r\n$200000000\r\n");
      let left = Buffer.concat([head, Buffer.alloc(8 << 20, "x")]);
      Bun.connect({
        hostname: "127.0.0.1",
        port: server.port,
        socket: {
          open(socket) {
            left = left.subarray(socket.write(left));
          },
          drain(socket) {
            left = left.subarray(socket.write(left));
          },
          data() {},
          close: () => resolve(true),
        },
      });
    });
    expect(closed).toBe(true);
  });
});

describe("directives of security", () => {
  shows("requirepass", "is asked for, whatever bytes it has and whenever it is set", async () => {
    const server = await start({ requirepass: "żółw" });
    const client = await connect(server);
    expect(await client.raw("PING")).toStartWith("-NOAUTH");
    expect(await client.raw("AUTH", Buffer.from("zolw"))).toStartWith("-WRONGPASS");
    expect(await client.raw("AUTH", Buffer.from("żółw"))).toBe("+OK\r\n");
    const bytes = Buffer.from([0xff, 0x00, 0xe9, 0x20]);
    expect(await client.raw("CONFIG", "SET", "requirepass", bytes)).toBe("+OK\r\n");
    const next = await connect(server);
    expect(await next.raw("AUTH", Buffer.from("żółw"))).toStartWith("-WRONGPASS");
    expect(await next.raw("AUTH", bytes)).toBe("+OK\r\n");
  });

  shows("enable-protected-configs", "lets dir be set", async () => {
    const set = async (mode: string) => {
      const client = await connect(await start({ "enable-protected-configs": mode }));
      return await client.raw("CONFIG", "SET", "dir", dir.path);
    };
    expect(await set("no")).toEndWith("can't set protected config\r\n");
    expect(await set("yes")).toBe("+OK\r\n");
    expect(await set("local")).toBe("+OK\r\n");
  });
});

describe("directives of the data", () => {
  shows("databases", "bounds SELECT", async () => {
    const client = await connect(await start({ databases: "3" }));
    expect(await client.raw("SELECT", "2")).toBe("+OK\r\n");
    expect(await client.raw("SELECT", "3")).toBe("-ERR DB index is out of range\r\n");
  });

  shows("maxmemory", "bounds what is kept", async () => {
    const client = await connect(await start({ maxmemory: "1" }));
    expect(await client.raw("SET", "k", "v")).toStartWith("-OOM ");
    await client.raw("CONFIG", "SET", "maxmemory", "100mb");
    expect(await client.raw("SET", "k", "v")).toBe("+OK\r\n");
  });

  const NO_REPLICAS = "-NOREPLICAS Not enough good replicas to write.\r\n";

  shows("min-replicas-to-write", "refuses writes without replicas, and nothing else", async () => {
    const client = await connect(await start({ "min-replicas-to-write": "1" }));
    expect(await client.raw("SET", "k", "v")).toBe(NO_REPLICAS);
    expect(await client.raw("GET", "k")).toBe("$-1\r\n");
    await client.raw("CONFIG", "SET", "min-replicas-to-write", "0");
    expect(await client.raw("SET", "k", "v")).toBe("+OK\r\n");
  });

  shows("min-replicas-max-lag", "0 asks for no replicas", async () => {
    const config = { "min-replicas-to-write": "1", "min-replicas-max-lag": "0" };
    const client = await connect(await start(config));
    expect(await client.raw("SET", "k", "v")).toBe("+OK\r\n");
    await client.raw("CONFIG", "SET", "min-replicas-max-lag", "10");
    expect(await client.raw("SET", "k", "v")).toBe(NO_REPLICAS);
  });

  const logDirectory = (name: string) => join(dir.path, name);

  shows("appendonly", "keeps what was written", async () => {
    const config = { appendonly: "yes", dir: dir.path };
    const first = await start(config);
    await (await connect(first)).raw("SET", "k", "v");
    await first.close();
    expect(await (await connect(await start(config))).raw("GET", "k")).toBe("$1\r\nv\r\n");
  });

  shows("dir", "is where the log lies", async () => {
    await start({ appendonly: "yes", dir: dir.path });
    expect(existsSync(logDirectory("appendonlydir"))).toBe(true);
  });

  shows("appenddirname", "names its directory", async () => {
    await start({ appendonly: "yes", dir: dir.path, appenddirname: "other" });
    expect(existsSync(logDirectory("other/appendonly.aof.manifest"))).toBe(true);
  });

  shows("appendfilename", "names its files", async () => {
    mkdirSync(logDirectory("appendonlydir"));
    await start({ appendonly: "yes", dir: dir.path, appendfilename: "other.aof" });
    expect(existsSync(logDirectory("appendonlydir/other.aof.1.incr.aof"))).toBe(true);
  });
});

describe("the tests", () => {
  const names = (Object.entries(DIRECTIVES) as [DirectiveName, Directive][])
    .filter(([, row]) => row.hasEffect)
    .map(([name]) => name);

  test("show each directive that has an effect, and none that has not", () => {
    const shown = [...shownHere, ...Object.keys(SHOWN_ELSEWHERE)];
    expect(names.filter((name) => !shown.includes(name))).toEqual([]);
    expect(shown.filter((name) => !names.includes(name as DirectiveName))).toEqual([]);
  });

  test("exist where they are said to be", () => {
    const text = (file: string) => readFileSync(join(import.meta.dir, "../..", file), "utf8");
    const missing = Object.values(SHOWN_ELSEWHERE).filter(
      ([file, name]) => !text(file).includes(name),
    );
    expect(missing).toEqual([]);
  });
});
