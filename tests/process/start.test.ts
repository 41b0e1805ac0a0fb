/** How the program starts and what it prints: for people, and for the tools that wait for texts. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Program, type ProgramOptions, runProgram } from "../support/program.ts";
import { openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

let dir: ReturnType<typeof temporaryDirectory>;
const programs: Program[] = [];
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.kill();
  dir.remove();
});

function run(args: readonly string[], options: ProgramOptions = {}): Program {
  const program = runProgram(args, { cwd: dir.path, ...options });
  programs.push(program);
  return program;
}

async function ask(port: number, ...words: string[]): Promise<string> {
  const client = await openConnection(port);
  const reply = await client.raw(...words);
  client.close();
  return reply;
}

function file(name: string, text: string): string {
  const path = join(dir.path, name);
  writeFileSync(path, text);
  return path;
}

describe("a start", () => {
  test("prints the process id, the mode, and that it is ready", async () => {
    const port = freePort();
    const program = run(["--port", String(port)]);
    await program.printed("Ready to accept connections tcp");
    const lines = program.output().trimEnd().split("\n");
    const stamp = `${program.pid}:M \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2}\\.\\d{3}`;
    for (const line of lines) expect(line).toMatch(new RegExp(`^${stamp} [.\\-*#] `));
    expect(program.output()).toContain(` PID: ${program.pid}`);
    expect(program.output()).toContain(`* Running mode=standalone, port=${port}.`);
    expect(program.output()).toContain("* Server initialized");
  });

  test("reads a file, standard input, the environment and flags", async () => {
    const port = freePort();
    const conf = file("my.conf", "maxclients 11\ntimeout 12\nhz 13\n");
    const program = run([conf, "--port", String(port), "-"], {
      stdin: "databases 5\n",
      env: { BUNDIS_TIMEOUT: "14", REDIS_PASSWORD: "secret", NOT_OURS: "1" },
    });
    await program.printed("Ready to accept");
    expect(program.output()).toContain("Directive 'hz' has no effect: ");
    expect(await ask(port, "PING")).toStartWith("-NOAUTH");
    const client = await openConnection(port);
    await client.raw("AUTH", "secret");
    const reply = await client.raw("CONFIG", "GET", "maxclients", "timeout", "databases");
    expect(reply.match(/\$\d+\r\n\d+/g)).toEqual(["$2\r\n11", "$2\r\n14", "$1\r\n5"]);
    client.close();
  });

  test("stops at an unknown directive with Redis's message and exit code 1", async () => {
    const program = run([file("bad.conf", "port 1\n\nnosuch thing\n")]);
    expect(await program.exited).toBe(1);
    expect(program.output()).toMatch(
      /^\n\*\*\* FATAL CONFIG FILE ERROR \(Bundis \S+, Redis \S+\) \*\*\*\nReading the configuration file, at line 3\n>>> 'nosuch thing'\nBad directive or wrong number of arguments\n$/,
    );
  });

  test("stops where the port is taken, as tools expect it to be told", async () => {
    const port = freePort();
    await run(["--port", String(port)]).printed("Ready");
    const second = run(["--port", String(port)]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain("Could not create server TCP listening socket");
    expect(second.output()).toContain(`Failed listening on port ${port} (tcp), aborting.`);
  });

  test("stops where the log file or the directory cannot be had", async () => {
    const log = run(["--logfile", "/nonexistent/x.log"]);
    expect(await log.exited).toBe(1);
    expect(log.output()).toContain("Can't open the log file: No such file or directory");
    const directory = run(["--dir", "/nonexistent"]);
    expect(await directory.exited).toBe(1);
    expect(directory.output()).toContain("No such file or directory");
  });

  test("renames commands and takes them away, for clients but not for the log", async () => {
    const port = freePort();
    const conf = file(
      "renamed.conf",
      'rename-command SET store\nrename-command FLUSHALL ""\nappendonly yes\nappendfsync always\n',
    );
    const first = run([conf, "--port", String(port)]);
    await first.printed("Ready");
    expect(await ask(port, "SET", "k", "v")).toStartWith("-ERR unknown command 'SET'");
    expect(await ask(port, "FLUSHALL")).toStartWith("-ERR unknown command 'FLUSHALL'");
    expect(await ask(port, "store", "k", "v", "EX", "1000")).toBe("+OK\r\n");
    expect(await ask(port, "STORE", "k2", "v")).toBe("+OK\r\n");
    await first.kill();
    await run([conf, "--port", String(port)]).printed("Ready");
    expect(await ask(port, "GET", "k")).toBe("$1\r\nv\r\n");
    expect(await ask(port, "GET", "k2")).toBe("$1\r\nv\r\n");
  });

  test.each([
    ["rename-command NOSUCH x", "No such command in rename-command"],
    ["rename-command GET SET", "Target command name already exists"],
  ])("refuses %p", async (line, why) => {
    const program = run([file("bad.conf", line)]);
    expect(await program.exited).toBe(1);
    expect(program.output()).toContain(why);
  });

  test("goes to the background with daemonize, and leaves its process id", async () => {
    const port = freePort();
    const pidFile = join(dir.path, "bundis.pid");
    const flags = ["--port", String(port), "--daemonize", "yes", "--pidfile", pidFile];
    const program = run([...flags, "--logfile", "daemon.log"]);
    expect(await program.exited).toBe(0);
    while (!existsSync(pidFile)) await Bun.sleep(10);
    const pid = Number(readFileSync(pidFile, "utf8"));
    try {
      const log = join(dir.path, "daemon.log");
      while (!readFileSync(log, "utf8").includes("Ready to accept")) await Bun.sleep(10);
      expect(await ask(port, "PING")).toBe("+PONG\r\n");
      expect(pid).not.toBe(program.pid);
    } finally {
      process.kill(pid, "SIGTERM");
    }
    while (existsSync(pidFile)) await Bun.sleep(10);
  });
});

describe("an option that prints and ends", () => {
  test("--version names itself and the level of Redis", async () => {
    for (const option of ["--version", "-v"]) {
      const program = run([option]);
      expect(await program.exited).toBe(0);
      expect(program.output()).toMatch(
        /^Bundis \d+\.\d+\.\d+, .*Redis server v=7\.2\.\d+ .*bits=64/,
      );
    }
  });

  test("--help tells of directives that have an effect", async () => {
    const program = run(["--help"]);
    expect(await program.exited).toBe(0);
    expect(program.output()).toContain("--maxmemory 0");
    expect(program.output()).not.toContain("--io-threads");
  });

  test("--check-system tries the machine out, --test-memory and --sentinel are refused", async () => {
    const check = run(["--check-system"]);
    expect(await check.exited).toBe(0);
    expect(check.output()).toContain("[ok] shared WebAssembly memory");
    for (const option of ["--test-memory", "--sentinel"]) {
      const program = run([option, "4"]);
      expect(await program.exited).toBe(1);
      expect(program.output()).toStartWith("Bundis ");
    }
  });
});
