import { describe, expect, test } from "bun:test";
import { Config, isSecretDirective } from "../../../server/config/config.ts";
import type { DirectiveName } from "../../../server/config/directives.ts";

const failure = (name: string, why: string) =>
  `ERR CONFIG SET failed (possibly related to argument '${name}') - ${why}`;

/** Sets one value. @returns what CONFIG GET then shows, or the error */
function roundTrip(name: string, value: string): string {
  const config = new Config();
  return config.set([[name, value]]) ?? config.match([name])[0]![1];
}

describe("CONFIG SET", () => {
  test("sets all pairs or none", () => {
    const config = new Config();
    const before = config.get("maxclients");
    const refused = config.set([
      ["maxclients", "5"],
      ["timeout", "x"],
    ]);
    expect(refused).toBe(failure("timeout", "argument couldn't be parsed into an integer"));
    expect(config.get("maxclients")).toBe(before);
  });

  test("refuses the unknown, the repeated and what is fixed at start, the first fault first", () => {
    const config = new Config();
    expect(config.set([["nosuch", "1"]])).toBe(
      "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
    );
    const twice = [
      ["timeout", "1"],
      ["TIMEOUT", "2"],
    ] as const;
    expect(config.set(twice)).toBe(failure("TIMEOUT", "duplicate parameter"));
    const both = [
      ["databases", "2"],
      ["nosuch", "1"],
    ] as const;
    expect(config.set(both)).toBe(failure("databases", "can't set immutable config"));
  });

  test("refuses protected directives to those who may not", () => {
    const config = new Config();
    const pairs = [["dbfilename", "other.rdb"]] as const;
    expect(config.set(pairs)).toBe(failure("dbfilename", "can't set protected config"));
    expect(config.set(pairs, { mayUseProtected: true })).toBeUndefined();
    expect(config.get("dbfilename")).toBe("other.rdb");
  });

  test("puts values back when what hangs on them fails, and says why", () => {
    const config = new Config();
    const seen: number[] = [];
    config.applyWith(["port", "timeout"], () => {
      seen.push(config.get("port"));
      return config.get("port") === 7 ? "Unable to listen on this port." : undefined;
    });
    const refused = config.set([
      ["port", "7"],
      ["timeout", "9"],
    ]);
    expect(refused).toBe(failure("port", "Unable to listen on this port."));
    expect([config.get("port"), config.get("timeout")]).toEqual([6379, 0]);
    expect(seen).toEqual([7, 6379]);
  });

  test("tells listeners once, after all values are in force, and only about what changed", () => {
    const config = new Config();
    const seen: unknown[] = [];
    config.onChange(["maxmemory", "timeout"], () =>
      seen.push([config.get("maxmemory"), config.get("timeout")]),
    );
    config.onChange("maxclients", () => seen.push("maxclients"));
    config.set([
      ["maxmemory", "1mb"],
      ["timeout", "9"],
      ["maxclients", "10000"],
    ]);
    expect(seen).toEqual([[1048576, 9]]);
  });

  test("sets the same value under the names of old versions", () => {
    const config = new Config();
    expect(config.set([["list-max-ziplist-size", "-5"]])).toBeUndefined();
    expect(config.get("list-max-listpack-size")).toBe(-5);
    expect(config.match(["list-max-*"])).toEqual([
      ["list-max-listpack-size", "-5"],
      ["list-max-ziplist-size", "-5"],
    ]);
  });

  test("takes each of the eight eviction policies, and no other", () => {
    const kinds = ["lru", "lfu", "random"];
    const policies = kinds.flatMap((kind) => [`allkeys-${kind}`, `volatile-${kind}`]);
    for (const policy of [...policies, "volatile-ttl", "noeviction"])
      expect(new Config().set([["maxmemory-policy", policy]])).toBeUndefined();
    expect(new Config().set([["maxmemory-policy", "allkeys-ttl"]])).toBe(
      failure(
        "maxmemory-policy",
        "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction",
      ),
    );
  });
});

test.each([
  ["timeout", "-1", failure("timeout", "argument must be between 0 and 2147483647 inclusive")],
  ["timeout", "08", failure("timeout", "argument couldn't be parsed into an integer")],
  ["slowlog-log-slower-than", "9223372036854775807", "9223372036854775807"],
  ["rdbcompression", "NO", "no"],
  ["rdbcompression", "1", failure("rdbcompression", "argument must be 'yes' or 'no'")],
  ["stream-node-max-bytes", "4k", "4000"],
  [
    "stream-node-max-bytes",
    "x",
    failure("stream-node-max-bytes", "argument must be a memory value"),
  ],
  ["maxmemory-clients", "7%", "7%"],
  [
    "maxmemory-clients",
    "101%",
    failure("maxmemory-clients", "percentage argument must be less or equal to 100"),
  ],
  ["appendfsync", "ALWAYS", "always"],
  ["oom-score-adj", "relative", "yes"],
  ["shutdown-on-sigterm", "now nosave", "nosave now"],
  ["shutdown-on-sigterm", "default", "default"],
  ["save", "", ""],
  ["save", "900 1 60 2", "900 1 60 2"],
  ["save", "900", failure("save", "Invalid save parameters")],
  [
    "client-output-buffer-limit",
    "replica 1mb 2kb 3 NORMAL 1 2 3",
    "normal 1 2 3 slave 1048576 2048 3 pubsub 33554432 8388608 60",
  ],
  ["notify-keyspace-events", "Eg$lshzxetdK", "AKE"],
  ["notify-keyspace-events", "xKm", "xKm"],
  ["bind", "", ""],
  ["latency-tracking-info-percentiles", "50 99.950 100.0", "50 99.95 100"],
  ["oom-score-adj-values", "0 1 2", "0 1 2"],
  [
    "proc-title-template",
    "{title} {nosuch}",
    failure("proc-title-template", "template format is invalid or contains unknown variables"),
  ],
])("CONFIG SET %s %p gives %p", (name, value, expected) => {
  expect(roundTrip(name, value)).toBe(expected);
});

test("CONFIG GET shows a name as it was asked for, patterns in any case, each name once", () => {
  const config = new Config();
  expect(config.match(["MaxMemory", "maxmemory"])).toEqual([["MaxMemory", "0"]]);
  expect(config.match(["MAXMEMOR?", "maxmemory"])).toEqual([["maxmemory", "0"]]);
  expect(config.match(["appendfsync", "protected-mode"])).toEqual([
    ["appendfsync", "everysec"],
    ["protected-mode", "yes"],
  ]);
  expect(config.match(["no such"])).toEqual([]);
});

test("CONFIG GET shows hidden directives for their exact name only", () => {
  const config = new Config();
  expect(config.match(["watchdog-p*"])).toEqual([]);
  expect(config.match(["watchdog-period"])).toEqual([["watchdog-period", "0"]]);
});

test("relative paths begin at dir", () => {
  const config = new Config();
  const given: [DirectiveName, string][] = [["dir", "/tmp"]];
  expect(config.set(given, { mayUseProtected: true })).toBeUndefined();
  expect(config.path("dbfilename")).toBe("/tmp/dump.rdb");
  expect(config.path("logfile")).toBe("");
  const missing = config.set([["dir", "nosuch"]], { mayUseProtected: true });
  expect(missing).toBe(failure("dir", "No such file or directory"));
});

test("passwords are secret, sizes are not", () => {
  expect(
    ["requirepass", "MasterAuth", "masteruser", "maxmemory", "nosuch"].map(isSecretDirective),
  ).toEqual([true, true, true, false, false]);
});
