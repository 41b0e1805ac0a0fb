/** What the server tells of its own work: SLOWLOG, LATENCY, MONITOR, and the statistics of INFO. Where the texts are Redis's, also against it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  frame,
  openConnection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { type Reply, wholeReply } from "../support/reply.ts";
import { freePort } from "../support/server-process.ts";

let server: RunningServer;
let x: Connection;
let y: Connection;
beforeAll(async () => {
  server = await startServer({ config: { "enable-debug-command": "yes" } });
});
afterAll(() => server.close());
beforeEach(async () => {
  x = await openConnection(server.port);
  y = await openConnection(server.port);
  await run(x, "CONFIG SET slowlog-log-slower-than 10000 slowlog-max-len 128");
  await run(x, "CONFIG SET latency-monitor-threshold 0 latency-tracking yes");
  await run(x, "CONFIG SET latency-tracking-info-percentiles", "50 99 99.9");
  for (const command of ["SLOWLOG RESET", "LATENCY RESET", "FLUSHALL", "CONFIG RESETSTAT"])
    await run(x, command);
});
afterEach(() => {
  x.close();
  y.close();
  server.check();
});

const run = (client: Connection, command: string, ...more: string[]) =>
  client.raw(...command.split(" "), ...more);

/** Sends commands in one piece over a connection of its own, and waits until it is closed behind the last reply. */
async function pipeline(...commands: string[]): Promise<void> {
  const bytes = [...commands, "QUIT"].map((command) => frame(command.split(" ")));
  const closed = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: { data() {}, close: () => closed.resolve() },
  });
  socket.write(Buffer.concat(bytes));
  await closed.promise;
}

/** A reply as nested arrays and texts. */
type Tree = string | Tree[];
function tree(reply: Reply): Tree {
  if ("items" in reply) return reply.items.map(tree);
  if (reply.kind === "nil") return "(nil)";
  return reply.kind === "integer" ? String(reply.value) : reply.text;
}
const ask = async (client: Connection, command: string) =>
  tree(wholeReply(await run(client, command)));
const askList = async (client: Connection, command: string) =>
  (await ask(client, command)) as Tree[];

async function infoLines(client: Connection, section: string): Promise<string[]> {
  const text = (await ask(client, `INFO ${section}`)) as string;
  return text.split("\r\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("SLOWLOG", () => {
  const commands = async (count = -1) =>
    (await askList(x, `SLOWLOG GET ${count}`)).map((entry) => (entry as Tree[])[3]);

  test("a command as slow as the limit is logged, with who sent it, and a quick one is not", async () => {
    await run(y, "CLIENT SETNAME sleeper");
    await run(y, "DEBUG SLEEP 0.02");
    await run(y, "PING");
    const [entry] = (await askList(x, "SLOWLOG GET")) as Tree[][];
    expect(entry).toHaveLength(6);
    expect(Number(entry![1])).toBeGreaterThan(1_600_000_000);
    expect(Number(entry![2])).toBeGreaterThanOrEqual(10_000);
    expect(entry![3]).toEqual(["DEBUG", "SLEEP", "0.02"]);
    expect(entry![4]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(entry![5]).toBe("sleeper");
    expect(await ask(x, "SLOWLOG LEN")).toBe("1");
  });

  test("with a limit of 0 everything is logged once, in order, in pipelines too", async () => {
    await run(x, "CONFIG SET slowlog-log-slower-than 0");
    await run(x, "SLOWLOG RESET");
    await pipeline("SET k 1", "GET k", "GET k", "PING");
    await run(x, "CONFIG SET slowlog-log-slower-than -1");
    expect(await commands()).toEqual([
      ["QUIT"],
      ["PING"],
      ["GET", "k"],
      ["GET", "k"],
      ["SET", "k", "1"],
      ["SLOWLOG", "RESET"],
    ]);
  });

  test("EXEC is not logged, the commands it runs are", async () => {
    await run(x, "CONFIG SET slowlog-log-slower-than 0");
    await run(x, "SLOWLOG RESET");
    for (const command of ["MULTI", "SET k 1", "INCR k", "EXEC"]) await run(x, command);
    await run(x, "CONFIG SET slowlog-log-slower-than -1");
    expect(await commands()).toEqual([
      ["INCR", "k"],
      ["SET", "k", "1"],
      ["MULTI"],
      ["SLOWLOG", "RESET"],
    ]);
  });

  test("passwords are not shown", async () => {
    await run(x, "CONFIG SET slowlog-log-slower-than 0");
    await run(x, "SLOWLOG RESET");
    await run(x, "CONFIG SET masterauth secret");
    await run(y, "AUTH secret");
    await run(y, "HELLO 2 AUTH default secret");
    await run(x, "CONFIG SET slowlog-log-slower-than -1");
    expect(JSON.stringify(await commands())).not.toContain("secret");
    expect((await commands()).slice(0, 3)).toEqual([
      ["HELLO", "2", "AUTH", "(redacted)", "(redacted)"],
      ["AUTH", "(redacted)"],
      ["CONFIG", "SET", "masterauth", "(redacted)"],
    ]);
  });

  test("no more entries are kept than slowlog-max-len, from its change on", async () => {
    await run(x, "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 5");
    for (let i = 0; i < 10; i++) await run(x, "PING");
    expect(await ask(x, "SLOWLOG LEN")).toBe("5");
    expect(await askList(x, "SLOWLOG GET 3")).toHaveLength(3);
    expect(await askList(x, "SLOWLOG GET 0")).toEqual([]);
    await run(x, "CONFIG SET slowlog-max-len 1");
    expect(await ask(x, "SLOWLOG LEN")).toBe("1");
  });

  test("a count must be one", async () => {
    for (const count of ["-2", "x", "1.5"])
      expect(await run(x, `SLOWLOG GET ${count}`)).toBe(
        "-ERR count should be greater than or equal to -1\r\n",
      );
    expect(await run(x, "SLOWLOG GET 1 2")).toBe(
      "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n",
    );
  });
});

describe("LATENCY", () => {
  test("slow commands are kept as events from latency-monitor-threshold on", async () => {
    await run(x, "DEBUG SLEEP 0.02");
    expect(await ask(x, "LATENCY LATEST")).toEqual([]);
    await run(x, "CONFIG SET latency-monitor-threshold 10");
    await run(x, "DEBUG SLEEP 0.02");
    const [[event, at, latest, worst]] = (await ask(x, "LATENCY LATEST")) as [string[]];
    expect(event).toBe("command");
    expect(Number(latest)).toBeGreaterThanOrEqual(20);
    expect(worst).toBe(latest);
    expect(await ask(x, "LATENCY HISTORY command")).toEqual([[at!, latest!]]);
    expect(await run(x, "LATENCY GRAPH command")).toContain("command - high ");
    expect(await run(x, "LATENCY DOCTOR")).toContain("1. command: 1 latency spikes (average ");
    expect(await ask(x, "LATENCY RESET fast-command")).toBe("0");
    expect(await ask(x, "LATENCY RESET COMMAND")).toBe("1");
    expect(await ask(x, "LATENCY LATEST")).toEqual([]);
  });

  test("an event without samples has no history and no graph", async () => {
    expect(await ask(x, "LATENCY HISTORY nothing")).toEqual([]);
    expect(await run(x, "LATENCY GRAPH nothing")).toBe(
      "-ERR No samples available for event 'nothing'\r\n",
    );
  });

  test("histograms are there for what ran, commands with their subcommands", async () => {
    for (const command of ["SET a b", "SET c d", "GET a", "CLIENT ID", "CLIENT GETNAME"])
      await run(y, command);
    const histogram = async (command: string) => {
      const flat = await askList(x, command);
      return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
    };
    const named = await histogram("LATENCY HISTOGRAM set client nothing");
    expect([...named.keys()]).toEqual(["set", "client|getname", "client|id"]);
    expect(named.get("set")).toEqual(["calls", "2", "histogram_usec", expect.any(Array)]);
    const boundaries = (named.get("set") as Tree[])[3] as string[];
    expect(boundaries.at(-1)).toBe("2");
    expect([...(await histogram("LATENCY HISTOGRAM client|id")).keys()]).toEqual(["client|id"]);
    const all = [...(await histogram("LATENCY HISTOGRAM")).keys()];
    expect(all).toEqual(expect.arrayContaining(["set", "get", "config|resetstat", "client|id"]));
    await y.raw("HELLO", "3");
    expect(await y.raw("LATENCY", "HISTOGRAM", "get")).toStartWith(
      "%1\r\n$3\r\nget\r\n%2\r\n$5\r\ncalls\r\n:1\r\n$14\r\nhistogram_usec\r\n%1\r\n",
    );
  });

  test("latency-tracking no keeps no histograms", async () => {
    await run(x, "CONFIG SET latency-tracking no");
    await run(x, "CONFIG RESETSTAT");
    await run(x, "SET a b");
    expect(await ask(x, "LATENCY HISTOGRAM")).toEqual([]);
    expect(await infoLines(x, "latencystats")).toEqual([]);
  });

  test("INFO latencystats tells the percentiles that are asked for", async () => {
    await run(x, "SET a b");
    const tells = async () =>
      (await infoLines(x, "latencystats")).find((line) => line.includes("_set:"));
    expect(await tells()).toMatch(
      /^latency_percentiles_usec_set:p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}$/,
    );
    await run(x, "CONFIG SET latency-tracking-info-percentiles", "0 100");
    expect(await tells()).toMatch(/^latency_percentiles_usec_set:p0=\d+\.\d{3},p100=\d+\.\d{3}$/);
  });
});

describe("MONITOR", () => {
  /** The lines that come, without their time. */
  async function lines(client: Connection, count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) {
      const line = await client.next(2000);
      if (line === undefined) break;
      expect(line).toMatch(/^\+\d{10}\.\d{6} \[/);
      found.push(line.replace(/^\+\S+ \[(\d+) \S+\]/, "$1").trimEnd());
    }
    return found;
  }

  test("shows what runs, in order, with the database, in one pipeline and in units", async () => {
    expect(await run(y, "MONITOR")).toBe("+OK\r\n");
    await run(x, "SELECT 3");
    await run(x, "ECHO", 'a "b"\n');
    await pipeline("SET k v", "GET k", "NOSUCH", "MULTI", "INCR n", "PING", "EXEC");
    expect(await lines(y, 8)).toEqual([
      '3 "SELECT" "3"',
      '3 "ECHO" "a \\"b\\"\\n"',
      '0 "SET" "k" "v"',
      '0 "GET" "k"',
      '0 "MULTI"',
      '0 "INCR" "n"',
      '0 "PING"',
      '0 "EXEC"',
    ]);
  });

  test("shows an EXEC that is refused", async () => {
    await run(y, "MONITOR");
    for (const command of ["MULTI", "SET k v", "EXEC now"]) await run(x, command);
    expect(await lines(y, 2)).toEqual(['0 "MULTI"', '0 "EXEC" "now"']);
  });

  test("shows neither administration nor passwords", async () => {
    await run(y, "MONITOR");
    for (const command of ["CONFIG GET port", "SLOWLOG LEN", "AUTH secret", "PING"])
      await run(x, command);
    expect(await lines(y, 2)).toEqual(['0 "AUTH" "(redacted)"', '0 "PING"']);
  });

  test("a monitor may not touch keys, is answered before its own line, and stops with RESET", async () => {
    await run(y, "MONITOR");
    expect(await run(y, "GET k")).toBe("-ERR Replica can't interact with the keyspace\r\n");
    expect(await run(y, "PING")).toBe("+PONG\r\n");
    expect(await lines(y, 1)).toEqual(['0 "PING"']);
    expect(await run(x, "CLIENT LIST")).toContain(" flags=O ");
    expect(await run(y, "RESET")).toBe("+RESET\r\n");
    await run(x, "PING");
    expect(await run(y, "GET k")).toBe("$-1\r\n");
    expect(await y.next(50)).toBeUndefined();
  });

  test("many monitors see the same, and one that leaves is forgotten", async () => {
    const z = await openConnection(server.port);
    await run(y, "MONITOR");
    await run(z, "MONITOR");
    await run(x, "PING");
    expect(await lines(y, 1)).toEqual(await lines(z, 1));
    z.close();
    await Bun.sleep(20);
    await run(x, "ECHO still");
    expect(await lines(y, 1)).toEqual(['0 "ECHO" "still"']);
  });
});

/** Commands, and what they leave in INFO commandstats and errorstats. */
interface Counted {
  name: string;
  run: string[];
  commands: string[];
  errors: string[];
}

const counted: Counted[] = [
  {
    name: "calls, and calls that fail",
    run: ["SET k text", "INCR k", "INCR n", "GET k", "GET k"],
    commands: [
      "get:calls=2,rejected_calls=0,failed_calls=0",
      "incr:calls=2,rejected_calls=0,failed_calls=1",
      "set:calls=1,rejected_calls=0,failed_calls=0",
    ],
    errors: ["ERR:count=1"],
  },
  {
    name: "errors by their code, those of handlers too",
    run: ["NOSUCH", "HELLO 9", "AUTH a b c d", "CONFIG SET nosuch 1", "SELECT 99"],
    commands: [
      "auth:calls=1,rejected_calls=0,failed_calls=1",
      "config|set:calls=1,rejected_calls=0,failed_calls=1",
      "hello:calls=1,rejected_calls=0,failed_calls=1",
      "select:calls=1,rejected_calls=0,failed_calls=1",
    ],
    errors: ["ERR:count=4", "NOPROTO:count=1"],
  },
  {
    name: "refusals, which are no calls; what is unknown is nobody's",
    run: ["GET", "CONFIG NOSUCH", "CONFIG GET", "NOSUCH a"],
    commands: [
      "config|get:calls=0,rejected_calls=1,failed_calls=0",
      "get:calls=0,rejected_calls=1,failed_calls=0",
    ],
    errors: ["ERR:count=4"],
  },
  {
    name: "queued commands when they run, EXEC without their errors",
    run: ["SET k text", "MULTI", "INCR k", "GET k", "EXEC", "MULTI", "GET", "EXEC"],
    commands: [
      "exec:calls=2,rejected_calls=0,failed_calls=1",
      "get:calls=1,rejected_calls=1,failed_calls=0",
      "incr:calls=1,rejected_calls=0,failed_calls=1",
      "multi:calls=2,rejected_calls=0,failed_calls=0",
      "set:calls=1,rejected_calls=0,failed_calls=0",
    ],
    errors: ["ERR:count=2", "EXECABORT:count=1"],
  },
];

async function expectCounts({ run: commands, ...wanted }: Counted, client: Connection) {
  await run(client, "FLUSHALL");
  await run(client, "CONFIG RESETSTAT");
  for (const command of commands) await run(client, command);
  const lines = await infoLines(client, "commandstats");
  const found = lines
    .map((line) => line.replace(/^cmdstat_/, "").replace(/usec=\d+,usec_per_call=[\d.]+,/, ""))
    .filter((line) => !line.startsWith("config|resetstat:"))
    .toSorted();
  expect(found).toEqual(wanted.commands);
  const errors = await infoLines(client, "errorstats");
  expect(errors.map((line) => line.replace(/^errorstat_/, ""))).toEqual(wanted.errors);
  const total = wanted.errors.reduce((sum, line) => sum + Number(line.split("=")[1]), 0);
  expect(await infoLines(client, "stats")).toContain(`total_error_replies:${total}`);
}

describe("INFO counts", () => {
  for (const testCase of counted) test(testCase.name, () => expectCounts(testCase, x));

  test("time, whole and by call", async () => {
    await run(x, "DEBUG SLEEP 0.02");
    const line = (await infoLines(x, "commandstats")).find((text) => text.includes("_debug:"))!;
    const [, usec, each] = /calls=1,usec=(\d+),usec_per_call=([\d.]+),/.exec(line)!;
    expect(Number(usec)).toBeGreaterThanOrEqual(20_000);
    expect(Math.floor(Number(each))).toBe(Number(usec));
  });

  test("protocol errors", async () => {
    const raw = await Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: { data() {} },
    });
    raw.write("*1\r\n!3\r\n");
    while (!(await infoLines(x, "errorstats")).includes("errorstat_ERR:count=1"))
      await Bun.sleep(5);
    raw.end();
    expect(await infoLines(x, "stats")).toContain("total_error_replies:1");
  });
});

describe.skipIf(REFERENCE_PATH === null)("a reference server counts", () => {
  let reference: Reference;
  let client: Connection;
  beforeAll(async () => {
    reference = await startReference(freePort());
    client = await reference.connect();
  });
  afterAll(async () => {
    client?.close();
    await reference?.stop();
  });
  for (const testCase of counted) test(testCase.name, () => expectCounts(testCase, client));
});
