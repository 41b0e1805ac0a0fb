/** BGREWRITEAOF and its relatives on a real disk: what is loaded afterwards is what was there, whatever happened during the rewrite. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import { freePort, startProcess, temporaryDirectory } from "../support/server-process.ts";

let dir: ReturnType<typeof temporaryDirectory>;
let server: RunningServer | undefined;
let client: Connection;
let lines: string[];
beforeEach(() => {
  dir = temporaryDirectory();
  lines = [];
});
afterEach(async () => {
  await stop();
  dir.remove();
});

type Settings = Record<string, string>;

async function start(settings: Settings = {}): Promise<void> {
  server = await startServer({
    config: { appendonly: "yes", dir: dir.path, "enable-debug-command": "yes", ...settings },
    log: (_, text) => lines.push(text),
  });
  client = await openConnection(server.port);
}

async function stop(): Promise<void> {
  if (server === undefined) return;
  server.check();
  client.close();
  await server.close();
  server = undefined;
}

const run = (command: string) => client.raw(...command.split(" "));
const runAll = (commands: string[]) => client.all(commands.map((command) => command.split(" ")));
const logDir = () => join(dir.path, "appendonlydir");
const logFiles = () => readdirSync(logDir()).sort();
const manifest = () => readFileSync(join(logDir(), "appendonly.aof.manifest"), "latin1");

async function info(): Promise<Record<string, string>> {
  const text = await run("INFO persistence");
  return Object.fromEntries(text.split("\r\n").map((line) => line.split(":") as [string, string]));
}

/** Waits until no rewrite is under way or put off. */
async function settled(): Promise<Record<string, string>> {
  for (;;) {
    const found = await info();
    if (found["aof_rewrite_in_progress"] === "0" && found["aof_rewrite_scheduled"] === "0")
      return found;
    await Bun.sleep(5);
  }
}

async function fill(keys: number): Promise<void> {
  for (let db = 0; db < 3; db++) {
    await run(`SELECT ${db}`);
    const sets = [`SETRANGE large:${db} 600000 x`];
    for (let i = 0; i < keys; i++) sets.push(`SET key:${i} ${"v".repeat(1 + (i % 90))}`);
    for (let i = 0; i < keys; i += 7) sets.push(`PEXPIRE key:${i} 100000000`);
    await runAll(sets);
  }
  await run("SELECT 0");
}

/** Starts anew on the same directory. */
async function restart(settings: Settings = {}): Promise<void> {
  await stop();
  await start(settings);
}

test("the new set holds what the old one did, and less of it", async () => {
  await start();
  await fill(500);
  await runAll(["DEL large:0", "SELECT 1", "DEL large:1", "SELECT 2", "DEL large:2", "SELECT 0"]);
  await runAll(Array.from({ length: 2000 }, (_, i) => `SET key:${i % 50} again`));
  const before = await run("DEBUG DIGEST");
  const { aof_current_size } = await info();
  expect(await run("BGREWRITEAOF")).toBe("+Background append only file rewriting started\r\n");
  const after = await settled();
  expect(after).toMatchObject({
    aof_last_bgrewrite_status: "ok",
    aof_rewrites: "1",
    aof_rewrites_consecutive_failures: "0",
  });
  expect(Number(after["aof_current_size"])).toBeLessThan(Number(aof_current_size));
  expect(after["aof_base_size"]).toBe(after["aof_current_size"]);
  expect(logFiles()).toEqual([
    "appendonly.aof.1.base.aof",
    "appendonly.aof.2.incr.aof",
    "appendonly.aof.manifest",
  ]);
  await run("SET later 1");
  const digest = await run("DEBUG DIGEST");
  expect(digest).not.toBe(before);
  await restart();
  expect(await run("DEBUG DIGEST")).toBe(digest);
});

test("writes, flushes and swaps during a rewrite are behind it, in both sets", async () => {
  await start();
  await fill(3000);
  for (let round = 0; round < 3; round++) {
    expect(await run("BGREWRITEAOF")).toStartWith("+Background");
    const writes: string[] = [];
    for (let i = 0; i < 3000; i++) {
      writes.push(`INCR counter:${i % 40}`, `APPEND key:${i} +`);
      if (i % 500 === 0) writes.push("SWAPDB 0 1", "DEL large:0");
      if (i === 2000) writes.push("SELECT 2", "FLUSHDB", "SELECT 0");
      if (i % 100 === 0) await runAll(writes.splice(0));
    }
    await runAll(writes);
    await settled();
  }
  const digest = await run("DEBUG DIGEST");
  await restart();
  expect(await run("DEBUG DIGEST")).toBe(digest);
});

test("a second request is refused while one runs, and put off in a transaction", async () => {
  await start();
  await fill(3000);
  await run("MULTI");
  await run("BGREWRITEAOF");
  await run("SET a 1");
  expect(await run("EXEC")).toBe(
    "*2\r\n+Background append only file rewriting scheduled\r\n+OK\r\n",
  );
  expect(await info()).toMatchObject({ aof_rewrite_scheduled: "1" });
  expect((await settled())["aof_rewrites"]).toBe("1");
  const [first, second] = await runAll(["BGREWRITEAOF", "BGREWRITEAOF"]);
  expect(first).toBe("+Background append only file rewriting started\r\n");
  expect(second).toBe("-ERR Background append only file rewriting already in progress\r\n");
});

test("FLUSHALL lets it begin anew over what is left", async () => {
  await start();
  const overthrown = "Background AOF rewrite begins anew: the databases were flushed";
  while (!lines.includes(overthrown)) {
    await fill(20_000);
    await run("BGREWRITEAOF");
    while ((await info())["current_save_keys_total"] === "0");
    await run("FLUSHALL");
    await run("SET after 1");
    await settled();
  }
  const base = logFiles().find((name) => name.includes("base"))!;
  expect(statSync(join(logDir(), base)).size).toBeLessThan(200);
  await restart();
  expect(await run("KEYS *")).toBe("*1\r\n$5\r\nafter\r\n");
});

test("CONFIG SET appendonly yes begins a log with what there is, no ends it", async () => {
  await start({ appendonly: "no" });
  await fill(1000);
  expect(await run("CONFIG SET appendonly yes")).toBe("+OK\r\n");
  await run("SET during 1");
  expect(await settled()).toMatchObject({ aof_enabled: "1", aof_last_bgrewrite_status: "ok" });
  await run("SET behind 1");
  const digest = await run("DEBUG DIGEST");
  expect(await run("DEBUG LOADAOF")).toBe("+OK\r\n");
  expect(await run("DEBUG DIGEST")).toBe(digest);
  expect(await run("CONFIG SET appendonly no")).toBe("+OK\r\n");
  await run("SET unlogged 1");
  expect(await info()).toMatchObject({ aof_enabled: "0" });
  await restart({ appendonly: "yes" });
  expect(await run("DEBUG DIGEST")).toBe(digest);
  expect(await run("EXISTS unlogged")).toBe(":0\r\n");
});

test("switching off and on while a rewrite runs leaves one good set", async () => {
  await start();
  await fill(10_000);
  await run("BGREWRITEAOF");
  for (const value of ["no", "yes", "no", "yes"]) await run(`CONFIG SET appendonly ${value}`);
  await run("SET behind 1");
  for (;;) {
    if ((await settled())["aof_last_bgrewrite_status"] === "ok" && manifest().includes("type b"))
      break;
    await Bun.sleep(20);
  }
  const digest = await run("DEBUG DIGEST");
  await restart();
  expect(await run("DEBUG DIGEST")).toBe(digest);
});

test("without a log BGREWRITEAOF writes a base", async () => {
  await start({ appendonly: "no" });
  await fill(100);
  const digest = await run("DEBUG DIGEST");
  expect(await run("BGREWRITEAOF")).toStartWith("+Background");
  await settled();
  expect(manifest().split("\n")[0]).toBe("file appendonly.aof.1.base.aof seq 1 type b");
  await restart({ appendonly: "yes" });
  expect(await run("DEBUG DIGEST")).toBe(digest);
});

test("a log that has grown is rewritten by itself, also after a start", async () => {
  const small = { "auto-aof-rewrite-min-size": "10kb", "auto-aof-rewrite-percentage": "100" };
  await start({ "auto-aof-rewrite-percentage": "0", "auto-aof-rewrite-min-size": "10kb" });
  const sets = Array.from({ length: 1000 }, (_, i) => `SET key:${i % 10} ${i}`);
  await runAll(sets);
  await Bun.sleep(250);
  expect((await info())["aof_rewrites"]).toBe("0");
  await restart(small);
  while ((await info())["aof_rewrites"] !== "1") await Bun.sleep(20);
  const { aof_current_size } = await settled();
  expect(Number(aof_current_size)).toBeLessThan(2000);
  await runAll(sets);
  while ((await info())["aof_rewrites"] !== "2") await Bun.sleep(20);
  await settled();
  await restart(small);
  expect(await run("DBSIZE")).toBe(":10\r\n");
});

test("a rewrite that fails leaves the old set in force and says so; the next one works", async () => {
  await start();
  await fill(200);
  const digest = await run("DEBUG DIGEST");
  const before = manifest();
  // Where the base is to be written a directory is in the way.
  const obstacle = join(logDir(), `temp-rewriteaof-bg-${process.pid}.aof`);
  mkdirSync(obstacle);
  for (let failures = 1; failures <= 2; failures++) {
    await run("BGREWRITEAOF");
    expect(await settled()).toMatchObject({
      aof_last_bgrewrite_status: "err",
      aof_rewrites_consecutive_failures: String(failures),
      aof_last_write_status: "ok",
    });
  }
  expect(lines).toContain("Background AOF rewrite terminated with error: Is a directory");
  expect(manifest()).toBe(before);
  expect(await run("SET more 1")).toBe("+OK\r\n");
  rmSync(obstacle, { recursive: true });
  await run("BGREWRITEAOF");
  expect(await settled()).toMatchObject({
    aof_last_bgrewrite_status: "ok",
    aof_rewrites_consecutive_failures: "0",
  });
  await run("DEL more");
  await restart();
  expect(await run("DEBUG DIGEST")).toBe(digest);
});

test("a stop during a rewrite leaves the old set and no temporary file", async () => {
  await start();
  await fill(20_000);
  const digest = await run("DEBUG DIGEST");
  await run("BGREWRITEAOF");
  await restart();
  expect(logFiles().filter((name) => name.startsWith("temp"))).toEqual([]);
  expect(await run("DEBUG DIGEST")).toBe(digest);
});

test("aof-disable-auto-gc keeps what was replaced, and the next start without it deletes that", async () => {
  await start({ "aof-disable-auto-gc": "yes" });
  await fill(10);
  await run("BGREWRITEAOF");
  await settled();
  expect(manifest()).toContain("file appendonly.aof.1.incr.aof seq 1 type h");
  expect(existsSync(join(logDir(), "appendonly.aof.1.incr.aof"))).toBe(true);
  await restart();
  expect(manifest()).not.toContain("type h");
  expect(existsSync(join(logDir(), "appendonly.aof.1.incr.aof"))).toBe(false);
});

test("kill -9 at any moment of rewrites loses nothing that was acknowledged", async () => {
  const port = freePort();
  const flags = ["--dir", dir.path, "--appendonly", "yes", "--appendfsync", "everysec"];
  let count = 0;
  for (let round = 0; round < 4; round++) {
    const child = await startProcess(port, ...flags);
    const connection = await openConnection(port);
    if (count > 0) expect(await connection.raw("GET", "counter")).toBe(counted(count));
    const value = `${round}`.repeat(200);
    await connection.all(Array.from({ length: 5000 }, (_, i) => ["SET", `key:${i}`, value]));
    await connection.raw("BGREWRITEAOF");
    const until = performance.now() + 20 + round * 25;
    while (performance.now() < until) {
      count++;
      expect(await connection.raw("INCR", "counter")).toBe(`:${count}\r\n`);
      await connection.raw("BGREWRITEAOF");
    }
    await child.kill("SIGKILL");
    connection.close();
  }
  const child = await startProcess(port, ...flags);
  const connection = await openConnection(port);
  expect(await connection.raw("GET", "counter")).toBe(counted(count));
  expect(await connection.raw("DBSIZE")).toBe(":5001\r\n");
  connection.close();
  await child.kill("SIGKILL");
});

function counted(count: number): string {
  return `$${String(count).length}\r\n${count}\r\n`;
}

test("with aof-timestamp-enabled the base says when it is of, so that the log can be cut at a time", async () => {
  await start({ "aof-timestamp-enabled": "yes" });
  await fill(10);
  await run("BGREWRITEAOF");
  await settled();
  const base = readFileSync(join(logDir(), "appendonly.aof.1.base.aof"), "latin1");
  expect(base).toMatch(/^#BASE:bundis\r\n#TS:\d{10}\r\n\*/);
  const digest = await run("DEBUG DIGEST");
  await restart();
  expect(await run("DEBUG DIGEST")).toBe(digest);
});
