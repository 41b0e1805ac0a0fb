/** The single-file executable: the core is in it, nothing lies beside it, nothing around it changes it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
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

test("--version and --help print, a file's fault ends it with 1", async () => {
  const run = async (...args: string[]) => {
    const ended = runProgram(args, { command: [executable], cwd: elsewhere.path });
    return { code: await ended.exited, output: ended.output() };
  };
  expect((await run("--version")).output).toStartWith("Bundis ");
  expect((await run("--help")).code).toBe(0);
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
