/** The single-file executable: the core is in it, nothing lies beside it, nothing around it changes it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Program, runProgram } from "../support/program.ts";
import { openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

const ROOT = join(import.meta.dir, "../..");
const built = temporaryDirectory();
const elsewhere = temporaryDirectory();
const executable = join(built.path, "bundis");
let program: Program | undefined;

beforeAll(() => {
  const build = [process.execPath, "build.ts", "--executable", executable];
  const { exitCode } = Bun.spawnSync(build, { cwd: ROOT, stdout: "ignore", stderr: "inherit" });
  if (exitCode !== 0) throw new Error("the executable was not built");
}, 60_000);
afterAll(async () => {
  await program?.kill();
  built.remove();
  elsewhere.remove();
});

async function ask(port: number, ...words: string[]): Promise<string> {
  const client = await openConnection(port);
  const reply = await client.raw(...words);
  client.close();
  return reply;
}

test("it starts from another directory under another name, and reads no .env and no bunfig.toml there", async () => {
  writeFileSync(join(elsewhere.path, ".env"), "BUNDIS_DATABASES=3\nREDIS_PASSWORD=secret\n");
  writeFileSync(join(elsewhere.path, "bunfig.toml"), 'preload = ["./nosuch.ts"]\n');
  const name = join(elsewhere.path, "redis-server");
  symlinkSync(executable, name);
  const port = freePort();
  program = runProgram(["--port", String(port), "--appendonly", "yes"], {
    command: [name],
    cwd: elsewhere.path,
  });
  await program.printed("Ready to accept connections tcp");
  expect(await ask(port, "PING")).toBe("+PONG\r\n");
  expect(await ask(port, "CONFIG", "GET", "databases")).toEndWith("$2\r\n16\r\n");
  expect(await ask(port, "SET", "k", "v")).toBe("+OK\r\n");
  expect(existsSync(join(elsewhere.path, "appendonlydir/appendonly.aof.1.incr.aof"))).toBe(true);
  program.signal("SIGTERM");
  expect(await program.exited).toBe(0);
});

test("it is all there is: alone in an empty directory it serves, is killed, and has everything again", async () => {
  const alone = join(elsewhere.path, "alone");
  mkdirSync(alone);
  copyFileSync(executable, join(alone, "bundis"));
  const port = freePort();
  const start = async () => {
    const flags = ["--port", String(port), "--appendonly", "yes", "--appendfsync", "always"];
    const started = runProgram(flags, { command: ["./bundis"], cwd: alone });
    await started.printed("Ready to accept connections tcp");
    return started;
  };
  const first = await start();
  expect(await ask(port, "RPUSH", "list", "a", "b")).toBe(":2\r\n");
  expect(await ask(port, "SET", "k", "v".repeat(2_000_000))).toBe("+OK\r\n");
  first.signal("SIGKILL");
  await first.exited;
  expect(readdirSync(alone).sort()).toEqual(["appendonlydir", "bundis", "bundis.lock"]);
  const second = await start();
  expect(await ask(port, "LRANGE", "list", "0", "-1")).toBe("*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  expect(await ask(port, "STRLEN", "k")).toBe(":2000000\r\n");
  expect(await ask(port, "INFO", "server")).toContain(`executable:${join(alone, "bundis")}\r\n`);
  await second.kill();
});

test("--version and --help print, a file's fault ends it with 1", async () => {
  const run = async (...args: string[]) => {
    const ended = runProgram(args, { command: [executable], cwd: elsewhere.path });
    return { code: await ended.exited, output: ended.output() };
  };
  expect((await run("--version")).output).toStartWith("Bundis ");
  const help = await run("--help");
  expect(help.code).toBe(0);
  expect(help.output).toContain("--appendonly");
  expect(await run("--check-aof", "nosuch")).toEqual({
    code: 2,
    output: "Cannot open file nosuch: No such file or directory\n",
  });
  writeFileSync(join(elsewhere.path, "bad.conf"), "nosuch 1\n");
  const bad = await run("bad.conf");
  expect(bad.code).toBe(1);
  expect(bad.output).toContain("*** FATAL CONFIG FILE ERROR");
});

test("the library that only metrics need is in it, too", async () => {
  const [port, metricsPort] = [freePort(), freePort()];
  const flags = ["--port", String(port), "--metrics-port", String(metricsPort)];
  const server = runProgram(flags, { command: [executable], cwd: elsewhere.path });
  await server.printed("Ready to accept connections tcp");
  const scraped = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  expect(await scraped.text()).toContain("redis_up 1");
  await server.kill();
});

test("it goes to the background as itself", async () => {
  const port = freePort();
  const pidFile = join(elsewhere.path, "daemon.pid");
  const flags = ["--port", String(port), "--daemonize", "yes", "--pidfile", pidFile];
  const parent = runProgram(flags, { command: [executable], cwd: elsewhere.path });
  expect(await parent.exited).toBe(0);
  while (!existsSync(pidFile)) await Bun.sleep(10);
  const pid = Number(readFileSync(pidFile, "utf8"));
  try {
    for (let tries = 0; tries < 100; tries++) {
      const pong = await ask(port, "PING").catch(() => "");
      if (pong === "+PONG\r\n") return;
      await Bun.sleep(50);
    }
    throw new Error("the daemon does not answer");
  } finally {
    process.kill(pid, "SIGTERM");
    while (existsSync(pidFile)) await Bun.sleep(10);
  }
});

test("its thread for syncs is in it too", async () => {
  const dir = join(elsewhere.path, "syncing");
  mkdirSync(dir);
  const port = freePort();
  const flags = ["--port", String(port), "--appendonly", "yes", "--appendfsync", "always"];
  program = runProgram(flags, { command: [executable], cwd: dir });
  await program.printed("Ready to accept connections tcp");
  const pid = (await ask(port, "INFO", "server")).match(/process_id:(\d+)/)![1];
  const threads = () =>
    readdirSync(`/proc/${pid}/task`).map((id) =>
      readFileSync(`/proc/${pid}/task/${id}/comm`, "latin1").trim(),
    );
  const client = await openConnection(port);
  expect(threads()).not.toContain("Worker");
  // Mostly reads: syncs are left to others.
  for (let round = 0; round < 5000 && !threads().includes("Worker"); round++) {
    for (let reads = 0; reads < 6; reads++) await client.raw("GET", "other");
    expect(await client.raw("SET", "k", "v")).toBe("+OK\r\n");
  }
  expect(threads()).toContain("Worker");
  for (let i = 0; i < 100; i++) expect(await client.raw("SET", "k", "v")).toBe("+OK\r\n");
  client.close();
  program.signal("SIGTERM");
  expect(await program.exited).toBe(0);
});
