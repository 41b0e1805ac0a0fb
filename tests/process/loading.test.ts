/** While a log is loaded clients are refused as redis-server refuses them; the figures are true; whoever wants to stop it can. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import { FROM_SOURCES, type Program, runProgram } from "../support/program.ts";
import { type Connection, frame, openConnection, REFERENCE_PATH } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

const KEYS = 20_000;
let dir: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(() => dir.remove());

/** Puts a log with so many keys there. @returns its bytes */
function writeLog(keys: number, value = "v"): number {
  const logDir = join(dir.path, "appendonlydir");
  mkdirSync(logDir);
  const frames = Array.from({ length: keys }, (_, i) => frame(["SET", `key:${i}`, value]));
  const bytes = Buffer.concat(frames);
  writeFileSync(join(logDir, "appendonly.aof.1.incr.aof"), bytes);
  const manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
  writeFileSync(join(logDir, "appendonly.aof.manifest"), manifest);
  return bytes.length;
}

/** Starts a server that takes some seconds to load the log. */
async function startSlowly(command: readonly string[], delayUs: number) {
  const port = freePort();
  const flags = ["--port", `${port}`, "--dir", dir.path, "--appendonly", "yes", "--save", ""];
  const slow = ["--key-load-delay", `${delayUs}`, "--enable-debug-command", "yes"];
  const program = runProgram([...flags, ...slow], { command });
  for (;;)
    try {
      return { program, client: await openConnection(port), port };
    } catch {
      await Bun.sleep(5);
    }
}

async function persistence(client: Connection): Promise<Record<string, string>> {
  const text = await client.raw("INFO", "persistence");
  return Object.fromEntries(text.split("\r\n").map((line) => line.split(":") as [string, string]));
}

async function end(program: Program, ...clients: Connection[]): Promise<void> {
  for (const client of clients) client.close();
  await program.kill();
}

const WHILE_LOADING = [
  "PING",
  "GET key:1",
  "SET key:1 x",
  "NOSUCH x",
  "GET",
  "ECHO hello",
  "SELECT 3",
  "SELECT 0",
  "TIME x",
  "DBSIZE",
  "BGREWRITEAOF",
  "MULTI",
  "SELECT 1",
  "EXEC",
  "MULTI",
  "GET key:1",
  "EXEC",
  "WATCH key:1",
  "UNWATCH",
  "CONFIG GET appendonly",
  "CONFIG SET slowlog-max-len 100",
  "CLIENT SETNAME me",
  "CLIENT GETNAME",
  "COMMAND COUNT x",
  "LATENCY RESET",
  "OBJECT FREQ key:1",
  "MEMORY USAGE key:1",
  "SCAN 0",
  "FLUSHALL",
  "WAIT 0 0",
  "DEBUG SLEEP 0",
  "SHUTDOWN NOSUCH",
].map((line) => line.split(" "));

test.skipIf(REFERENCE_PATH === null)("what is refused is what redis-server refuses", async () => {
  writeLog(KEYS);
  const answers: string[][] = [];
  for (const command of [[REFERENCE_PATH!], FROM_SOURCES]) {
    const { program, client } = await startSlowly(command, 100);
    answers.push(await client.all(WHILE_LOADING));
    await end(program, client);
  }
  const [theirs, ours] = answers.map((replies) =>
    replies.map((reply, i) => [WHILE_LOADING[i]!.join(" "), reply]),
  );
  expect(ours).toEqual(theirs!);
  expect(ours![1]![1]).toBe("-LOADING Redis is loading the dataset in memory\r\n");
});

test("INFO tells how far it is, and other clients are answered meanwhile", async () => {
  const bytes = writeLog(KEYS);
  const { program, client } = await startSlowly(FROM_SOURCES, 100);
  let last = 0;
  let seen = 0;
  for (;;) {
    const info = await persistence(client);
    if (info["loading"] === "0") break;
    seen++;
    const loaded = Number(info["loading_loaded_bytes"]);
    expect(loaded).toBeGreaterThanOrEqual(last);
    last = loaded;
    expect(info).toMatchObject({
      async_loading: "0",
      aof_enabled: "1",
      loading_total_bytes: `${bytes}`,
      loading_loaded_perc: ((loaded / bytes) * 100).toFixed(2),
      loading_rdb_used_mem: "0",
    });
    const startedAgo = Date.now() / 1000 - Number(info["loading_start_time"]);
    expect(startedAgo).toBeGreaterThanOrEqual(0);
    expect(startedAgo).toBeLessThan(60);
    expect(Number(info["loading_eta_seconds"])).toBeGreaterThanOrEqual(0);
    await Bun.sleep(20);
  }
  expect(seen).toBeGreaterThan(10);
  expect(last).toBeGreaterThan(bytes / 2);
  expect(await persistence(client)).not.toHaveProperty("loading_loaded_bytes");
  expect(await client.raw("DBSIZE")).toBe(`:${KEYS}\r\n`);
  const output = program.output();
  const order = ["Server initialized", "DB loaded from incr file", "DB loaded from append only"];
  const places = [...order, "Ready to accept connections tcp"].map((text) => output.indexOf(text));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  await end(program, client);
});

test("a client that queued before the end of the load may run its commands behind it", async () => {
  writeLog(2000);
  const { program, client } = await startSlowly(FROM_SOURCES, 200);
  expect(await client.all([["SELECT", "2"], ["MULTI"], ["SELECT", "0"]])).toEqual([
    "+OK\r\n",
    "+OK\r\n",
    "+QUEUED\r\n",
  ]);
  while ((await client.raw("GET", "key:1")).startsWith("-LOADING")) await Bun.sleep(20);
  await end(program, client);
});

test("SHUTDOWN and SIGTERM end a load at once, and the log stays as it is", async () => {
  writeLog(KEYS);
  const first = await startSlowly(FROM_SOURCES, 1000);
  await first.client.raw("CONFIG", "GET", "appendonly");
  expect(await first.client.raw("CONFIG", "SET", "appendonly", "no")).toBe(
    "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - Redis is loading the dataset in memory\r\n",
  );
  await expect(first.client.raw("SHUTDOWN", "SAVE")).rejects.toThrow("no reply");
  expect(await first.program.exited).toBe(0);
  const second = await startSlowly(FROM_SOURCES, 1000);
  second.program.signal("SIGTERM");
  expect(await second.program.exited).toBe(0);
  expect(second.program.output()).toContain(
    "Received shutdown signal during loading, exiting now.",
  );
  expect(second.program.output()).not.toContain("Ready to accept");
  const third = await startSlowly(FROM_SOURCES, 0);
  await third.program.printed("Ready to accept connections tcp");
  expect(await third.client.raw("DBSIZE")).toBe(`:${KEYS}\r\n`);
  await end(third.program, third.client);
});

test("DEBUG LOADAOF refuses clients as a start does", async () => {
  writeLog(5000);
  const server: RunningServer = await startServer({
    config: { appendonly: "yes", dir: dir.path, "enable-debug-command": "yes" },
  });
  const [client, other] = [await openConnection(server.port), await openConnection(server.port)];
  const digest = await client.raw("DEBUG", "DIGEST");
  await client.raw("CONFIG", "SET", "key-load-delay", "100");
  await client.raw("SET", "gone", "1", "PX", "50");
  const loaded = client.raw("DEBUG", "LOADAOF");
  await Bun.sleep(100);
  expect(await other.all([["PING"], ["SET", "a", "1"], ["DEBUG", "LOADAOF"]])).toEqual([
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-ERR The dataset is being loaded already\r\n",
  ]);
  expect((await persistence(other))["loading"]).toBe("1");
  expect(await loaded).toBe("+OK\r\n");
  while ((await client.raw("EXISTS", "gone")) === ":1\r\n") await Bun.sleep(5);
  expect(await client.raw("DEBUG", "DIGEST")).toBe(digest);
  server.check();
  client.close();
  other.close();
  await server.close();
});

test("commands of any length are replayed, whatever turns others have", async () => {
  writeLog(0);
  const log = join(dir.path, "appendonlydir", "appendonly.aof.1.incr.aof");
  const sizes = [1, 700_000, 1 << 20, 3 << 20, (4 << 20) - 100, 4 << 20, 9 << 20, 10];
  writeFileSync(
    log,
    Buffer.concat(sizes.map((size) => frame(["SET", `k${size}`, "v".repeat(size)]))),
  );
  for (const interval of ["1024", "2097152"]) {
    const server = await startServer({
      config: {
        appendonly: "yes",
        dir: dir.path,
        "loading-process-events-interval-bytes": interval,
      },
    });
    const client = await openConnection(server.port);
    const lengths = await client.all(sizes.map((size) => ["STRLEN", `k${size}`]));
    expect(lengths).toEqual(sizes.map((size) => `:${size}\r\n`));
    client.close();
    await server.close();
  }
});
