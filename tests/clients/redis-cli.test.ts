/** redis-cli and redis-benchmark as people use them: in a pipe, on a terminal, for mass insertion, for a look around. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { frame } from "../support/reference.ts";
import { temporaryDirectory } from "../support/server-process.ts";
import { openTerminal, type Terminal } from "../support/terminal.ts";
import { type RestartableServer, startServer } from "./server.ts";

const CLI = Bun.which("redis-cli");
const BENCHMARK = Bun.which("redis-benchmark");
if (CLI === null) console.log("redis-cli is not installed: its tests are skipped");
if (BENCHMARK === null) console.log("redis-benchmark is not installed: its tests are skipped");

let server: RestartableServer;
const dir = temporaryDirectory();
beforeAll(async () => {
  server = await startServer("--appendonly", "yes", "--appendfsync", "always");
});
afterAll(async () => {
  await server?.stop();
  dir.remove();
});

/** Runs redis-cli to its end. @returns what it wrote, standard error last */
async function cli(args: string[], input: string | Buffer = ""): Promise<string> {
  const child = Bun.spawn([CLI!, "-p", String(server.port), ...args], {
    stdin: Buffer.from(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return out + errors;
}

const LONG = "v".repeat(40);
/** Two of each, the second the larger one. */
const KEYS_OF_EACH_TYPE = [
  "set text:1 v",
  `set text:2 ${LONG}`,
  "rpush list:1 a",
  `rpush list:2 a b ${LONG}`,
  "sadd set:1 a",
  `sadd set:2 a b c ${LONG}`,
  "hset hash:1 f v",
  `hset hash:2 f v g ${LONG}`,
  "zadd zset:1 1 a",
  `zadd zset:2 1 a 2 b 3 ${LONG}`,
  "xadd stream:1 * f v",
  "xadd stream:2 * f v",
  "xadd stream:2 * f v",
];

describe.skipIf(CLI === null)("redis-cli in a pipe", () => {
  beforeEach(() => cli(["FLUSHALL"]));

  test("answers line by line, errors among the replies", async () => {
    const lines = ['set k "a b"', "get k", "incr k", "get none", "strlen k", "mget k none"];
    expect(await cli([], lines.join("\n"))).toBe(
      "OK\na b\nERR value is not an integer or out of range\n\n\n3\na b\n\n",
    );
  });

  test("shows types when asked to, in both protocols", async () => {
    await cli(["mset", "k", "v", "n", "1"]);
    expect(await cli(["--no-raw", "mget", "k", "none"])).toBe('1) "v"\n2) (nil)\n');
    expect(await cli(["--no-raw", "incr", "n"])).toBe("(integer) 2\n");
    expect(await cli(["--no-raw", "incr", "k"])).toBe(
      "(error) ERR value is not an integer or out of range\n",
    );
    const hello = await cli(["-3", "--no-raw", "hello"]);
    expect(hello).toContain('1# "server" => "redis"\n');
    expect(hello).toContain('3# "proto" => (integer) 3\n');
    expect(await cli(["-3", "--json", "mget", "k", "none"])).toBe('["v",null]\n');
  });

  test("takes the last argument from its input, binary too", async () => {
    const value = Buffer.from([0, 1, 2, 0xff, 0x0d, 0x0a]);
    expect(await cli(["-x", "set", "binary"], value)).toBe("OK\n");
    expect(await cli(["--no-raw", "get", "binary"])).toBe('"\\x00\\x01\\x02\\xff\\r\\n"\n');
  });

  test("selects a database and repeats", async () => {
    expect(await cli(["-n", "3", "-r", "4", "incr", "counter"])).toBe("1\n2\n3\n4\n");
    expect(await cli(["-n", "3", "get", "counter"])).toBe("4\n");
    expect(await cli(["get", "counter"])).toBe("\n");
  });

  test("inserts in mass through --pipe", async () => {
    const commands = Array.from({ length: 10_000 }, (_, i) =>
      frame(["SET", `mass:${i}`, Buffer.alloc(i % 100, i)]),
    );
    const report = await cli(["--pipe"], Buffer.concat([...commands, frame(["INCR", "mass:1"])]));
    expect(report).toContain("ERR value is not an integer or out of range");
    expect(report).toContain("errors: 1, replies: 10001");
    expect(await cli(["dbsize"])).toBe("10000\n");
    expect(await cli(["strlen", "mass:9999"])).toBe("99\n");
  });

  test("scans with a pattern, and finds the biggest keys", async () => {
    const words = Array.from({ length: 300 }, (_, i) => [`scan:${i}`, "x".repeat(i)]).flat();
    await cli(["mset", "other", "v", ...words]);
    const found = await cli(["--scan", "--pattern", "scan:1?"]);
    expect(found.trim().split("\n").sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `scan:${10 + i}`),
    );
    const biggest = await cli(["--bigkeys"]);
    expect(biggest).toContain("Sampled 301 keys in the keyspace!");
    expect(biggest).toContain(`Biggest string found '"scan:299"' has 299 bytes`);
    expect(await cli(["--memkeys"])).toMatch(/Biggest string found '"scan:29\d"' has 3\d\d bytes/);
  });

  test("finds the biggest keys of every type, by elements and by memory", async () => {
    await cli([], KEYS_OF_EACH_TYPE.join("\n"));
    const biggest = await cli(["--bigkeys"]);
    const sizes = [
      [`string`, `"text:2"`, "40 bytes"],
      [`list`, `"list:2"`, "3 items"],
      [`set`, `"set:2"`, "4 members"],
      [`hash`, `"hash:2"`, "2 fields"],
      [`zset`, `"zset:2"`, "3 members"],
      [`stream`, `"stream:2"`, "2 entries"],
    ] as const;
    for (const [type, key, size] of sizes)
      expect(biggest).toContain(`Biggest ${type.padStart(6)} found '${key}' has ${size}\n`);
    expect(biggest).toContain("Sampled 12 keys in the keyspace!");
    const heaviest = await cli(["--memkeys"]);
    for (const [type, key] of sizes)
      expect(heaviest).toMatch(
        new RegExp(`Biggest ${type.padStart(6)} found '${key}' has [1-9]\\d+ bytes\\n`),
      );
  });

  test("measures latency and shows statistics", async () => {
    const [least, most, mean, samples] = (await cli(["--raw", "--latency"])).split(" ").map(Number);
    expect(samples).toBeGreaterThan(10);
    expect(least!).toBeLessThanOrEqual(mean!);
    expect(mean!).toBeLessThanOrEqual(most!);
    await cli(["mset", "a", "1", "b", "2"]);
    const terminal = openTerminal([CLI!, "-p", String(server.port), "--stat", "-i", "0.05"]);
    const lines = await terminal.until(/(^2 .*\r\n){3}/m);
    await terminal.close();
    expect(lines).toContain("------- data ------ ");
    // keys, memory in use, clients, blocked ones, requests and how many more since the line before, connections
    expect(lines).toMatch(/^2 +\d+\.\d\d[KM] +1 +0 +\d+ \(\+\d+\) +\d+/m);
  });
});

describe.skipIf(CLI === null)("redis-cli as it watches", () => {
  test("shows every command that other clients send, as MONITOR", async () => {
    const terminal = openTerminal([CLI!, "-p", String(server.port), "monitor"]);
    await terminal.until(/OK\r\n/);
    await cli(["-n", "2", "set", "watched", "a b"]);
    const line = /\d+\.\d{6} \[2 127\.0\.0\.1:\d+\] "set" "watched" "a b"\r\n/;
    expect(await terminal.until(line)).toMatch(line);
    await terminal.close();
  });

  test("finds the hot keys of every type under an LFU policy", async () => {
    await cli(["flushall"]);
    await cli(["config", "set", "maxmemory-policy", "allkeys-lfu"]);
    await cli([], KEYS_OF_EACH_TYPE.join("\n"));
    const cold = Array.from({ length: 30 }, (_, i) => [`cold:${i}`, "v"]).flat();
    await cli(["mset", ...cold]);
    const touch = "touch text:2 list:2 set:2 hash:2 zset:2 stream:2".split(" ");
    await cli(["-r", "300", ...touch]);
    const found = await cli(["--hotkeys"]);
    await cli(["config", "set", "maxmemory-policy", "noeviction"]);
    // The six hottest come first in its summary, in whatever order.
    const names = [...found.matchAll(/hot key found with counter: (\d+)\tkeyname: "([^"]+)"/g)].map(
      ([, counter, name]) => ({ counter: Number(counter), name: name! }),
    );
    expect(
      names
        .slice(0, 6)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["hash:2", "list:2", "set:2", "stream:2", "text:2", "zset:2"]);
    expect(names[5]!.counter).toBeGreaterThan(names[6]?.counter ?? 0);
  });
});

describe.skipIf(CLI === null)("redis-cli on a terminal", () => {
  let terminal: Terminal | undefined;
  const prompt = (state: string) => new RegExp(`127\\.0\\.0\\.1:${server.port}${state}> $`);
  const open = async (...flags: string[]) => {
    terminal = openTerminal([CLI!, "-p", String(server.port), ...flags], { HOME: dir.path });
    await terminal.until(prompt(""));
    return terminal;
  };
  /** Types one line. @returns what is shown below it, before the next prompt */
  const enter = async (line: string, state: string | RegExp = "") => {
    terminal!.type(line);
    await terminal!.until(new RegExp(`${line.replaceAll(/[()*?]/g, "\\$&")}[^\\r\\n]*\\r?$`));
    terminal!.type("\r");
    const shown = await terminal!.until(typeof state === "string" ? prompt(state) : state);
    return shown.split("\r\n").slice(1, -1).join("\n");
  };
  beforeEach(() => cli(["FLUSHALL"]));
  afterEach(async () => {
    await terminal?.close();
    terminal = undefined;
  });

  test("shows replies by type, and errors", async () => {
    await open();
    expect(await enter("set k v")).toBe("OK");
    expect(await enter("get k")).toBe('"v"');
    expect(await enter("get none")).toBe("(nil)");
    expect(await enter("incr n")).toBe("(integer) 1");
    expect(await enter("mget k none")).toBe('1) "v"\n2) (nil)');
    expect(await enter("keys none")).toBe("(empty array)");
    expect(await enter("incr k")).toBe("(error) ERR value is not an integer or out of range");
    expect(await enter("nosuch a b")).toBe(
      "(error) ERR unknown command 'nosuch', with args beginning with: 'a' 'b' ",
    );
    expect(await enter("get")).toBe("(error) ERR wrong number of arguments for 'get' command");
  });

  test("hints at the arguments while a command is typed", async () => {
    const { type, until } = await open();
    type("expire k ");
    expect(await until(/k seconds[^\r\n]*\r$/)).toContain("expire k seconds [NX|XX|GT|LT]");
  });

  test("speaks RESP3", async () => {
    await open("-3");
    expect(await enter("get none")).toBe("(nil)");
    expect(await enter("hello")).toContain('3# "proto" => (integer) 3');
  });

  test("follows the selected database in its prompt", async () => {
    await open();
    expect(await enter("select 5", "\\[5\\]")).toBe("OK");
    expect(await enter("set k five", "\\[5\\]")).toBe("OK");
    expect(await enter("select 0")).toBe("OK");
    expect(await enter("get k")).toBe("(nil)");
  });

  test("shows an open transaction in its prompt", async () => {
    await open();
    expect(await enter("multi", "\\(TX\\)")).toBe("OK");
    expect(await enter("set k 1", "\\(TX\\)")).toBe("QUEUED");
    expect(await enter("nosuch", "\\(TX\\)")).toContain("(error) ERR unknown command");
    expect(await enter("exec")).toBe(
      "(error) EXECABORT Transaction discarded because of previous errors.",
    );
    expect(await enter("multi", "\\(TX\\)")).toBe("OK");
    expect(await enter("incr n", "\\(TX\\)")).toBe("QUEUED");
    expect(await enter("exec")).toBe("1) (integer) 1");
    expect(await enter("multi", "\\(TX\\)")).toBe("OK");
    expect(await enter("discard")).toBe("OK");
  });

  test("finds the data again after a kill -9 and a restart", async () => {
    await open();
    expect(await enter("set kept value")).toBe("OK");
    await server.restart();
    expect(await enter("get kept", /not connected> $/)).toContain("Server closed the connection");
    expect(await enter("get kept")).toBe('"value"');
  });
});

/** A report's title for each test of redis-benchmark, in its order, and the command that it sends. */
const MEASURED = [
  ["PING_INLINE", "ping"],
  ["PING_MBULK", "ping"],
  ["SET", "set"],
  ["GET", "get"],
  ["INCR", "incr"],
  ["LPUSH", "lpush"],
  ["RPUSH", "rpush"],
  ["LPOP", "lpop"],
  ["RPOP", "rpop"],
  ["SADD", "sadd"],
  ["HSET", "hset"],
  ["SPOP", "spop"],
  ["ZADD", "zadd"],
  ["ZPOPMIN", "zpopmin"],
  ["LPUSH (needed to benchmark LRANGE)", "lpush"],
  ["LRANGE_100 (first 100 elements)", "lrange"],
  ["LRANGE_300 (first 300 elements)", "lrange"],
  ["LRANGE_500 (first 500 elements)", "lrange"],
  ["LRANGE_600 (first 600 elements)", "lrange"],
  ["MSET (10 keys)", "mset"],
] as const;
const REQUESTS = 1000;

describe.skipIf(BENCHMARK === null)("redis-benchmark", () => {
  beforeEach(() => cli(["FLUSHALL"]));

  test.each([[[]], [["-P", "16"]], [["-3"]]])("runs all of its tests with %j", async (flags) => {
    await cli(["CONFIG", "RESETSTAT"]);
    const options = ["-n", String(REQUESTS), "-q", "-r", "100", ...flags];
    const child = Bun.spawn([BENCHMARK!, "-p", String(server.port), ...options], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const report = await new Response(child.stdout).text();
    expect([await child.exited, await new Response(child.stderr).text()]).toEqual([0, ""]);
    // All within a millisecond: infinitely many a second.
    const results = [
      ...report.matchAll(/([A-Z_]+[^:\r\n]*): (?:\d+\.\d+|inf) requests per second/g),
    ];
    expect(results.map(([, title]) => title!)).toEqual(MEASURED.map(([title]) => title));
    // It tells nothing of errors: the server does.
    const stats = await cli(["INFO", "commandstats"]);
    for (const command of new Set(MEASURED.map(([, name]) => name))) {
      const times = MEASURED.filter(([, name]) => name === command).length;
      const [, calls, rejected, failed] = stats.match(
        new RegExp(`cmdstat_${command}:calls=(\\d+),.*rejected_calls=(\\d+),failed_calls=(\\d+)`),
      )!;
      expect([command, rejected, failed]).toEqual([command, "0", "0"]);
      expect(Number(calls)).toBeGreaterThanOrEqual(times * REQUESTS);
    }
    // A pipeline is sent whole, though fewer are left to be sent.
    expect(Number(await cli(["llen", "mylist"]))).toBeWithin(REQUESTS, REQUESTS + 16);
  });
});
