/** How the program stops: signals, SHUTDOWN, crashes; and its log file in between. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FROM_SOURCES, type Program, runProgram } from "../support/program.ts";
import { type Connection, frame, openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

let dir: ReturnType<typeof temporaryDirectory>;
let program: Program;
let client: Connection;
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  client?.close();
  await program?.kill();
  dir.remove();
});

async function start(...flags: string[]): Promise<void> {
  const port = freePort();
  program = runProgram(["--port", String(port), "--dir", dir.path, ...flags], { cwd: dir.path });
  const log = join(dir.path, "server.log");
  if (flags.includes("--logfile"))
    while (!existsSync(log) || !readFileSync(log, "utf8").includes("Ready")) await Bun.sleep(10);
  else await program.printed("Ready to accept connections tcp");
  client = await openConnection(port);
}

const WITH_LOG = ["--appendonly", "yes", "--appendfsync", "always"];
const logFile = () => join(dir.path, "appendonlydir", "appendonly.aof.1.incr.aof");

describe("a signal", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s stops the server in order", async (signal) => {
    await start("--pidfile", "bundis.pid", ...WITH_LOG);
    const pidFile = join(dir.path, "bundis.pid");
    expect(readFileSync(pidFile, "utf8")).toBe(`${program.pid}\n`);
    program.signal(signal);
    expect(await program.exited).toBe(0);
    const texts = [
      `# Received ${signal} scheduling shutdown...`,
      "* User requested shutdown...",
      "* Calling fsync() on the AOF file.",
      "# Bundis is now ready to exit, bye bye...",
      "* Removing the pid file.",
    ];
    const places = texts.map((text) => program.output().indexOf(text));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(existsSync(pidFile)).toBe(false);
  });

  test("SIGTERM does as shutdown-on-sigterm says", async () => {
    await start("--shutdown-on-sigterm", "save");
    program.signal("SIGTERM");
    await program.printed("SIGTERM received but errors trying to shut down the server");
    expect(await client.raw("PING")).toBe("+PONG\r\n");
    await client.raw("CONFIG", "SET", "shutdown-on-sigterm", "save force");
    program.signal("SIGTERM");
    expect(await program.exited).toBe(0);
  });

  test("SIGINT does as shutdown-on-sigint says", async () => {
    await start("--shutdown-on-sigint", "save");
    program.signal("SIGINT");
    await program.printed("SIGINT received but errors trying to shut down the server");
    await client.raw("CONFIG", "SET", "shutdown-on-sigint", "nosave");
    program.signal("SIGINT");
    expect(await program.exited).toBe(0);
  });

  test("SIGHUP opens the log file anew and never kills", async () => {
    await start("--logfile", "server.log");
    const path = join(dir.path, "server.log");
    renameSync(path, `${path}.1`);
    program.signal("SIGHUP");
    while (!existsSync(path)) await Bun.sleep(10);
    await client.raw("CONFIG", "REWRITE");
    program.signal("SIGTERM");
    expect(await program.exited).toBe(0);
    expect(readFileSync(`${path}.1`, "utf8")).toContain("Ready to accept");
    expect(readFileSync(`${path}.1`, "utf8")).not.toContain("bye bye");
    expect(readFileSync(path, "utf8")).toContain("bye bye");
    expect(program.output()).toBe("");
  });
});

describe("SHUTDOWN", () => {
  test.each(["", " NOSAVE", " NOW", " FORCE", " SAVE FORCE", " nosave now force"])(
    "SHUTDOWN%s ends without a reply",
    async (options) => {
      await start();
      const asked = client
        .raw(...`SHUTDOWN${options}`.split(" "))
        .catch((error: Error) => error.message);
      expect(await program.exited).toBe(0);
      expect(await asked).toBe("no reply to SHUTDOWN");
      expect(program.output()).toContain("User requested shutdown...");
    },
  );

  test.each(["NOSAVE SAVE", "ABORT NOW", "NOSUCH"])("%s is a syntax error", async (options) => {
    await start();
    expect(await client.raw("SHUTDOWN", ...options.split(" "))).toBe("-ERR syntax error\r\n");
  });

  test("ABORT has nothing to call off", async () => {
    await start();
    expect(await client.raw("SHUTDOWN", "ABORT")).toBe("-ERR No shutdown in progress.\r\n");
  });

  test("ABORT calls off what a signal asked for, while it has not begun", async () => {
    await start("--enable-debug-command", "yes");
    await client.raw("DEBUG", "PAUSE-CRON", "1");
    program.signal("SIGTERM");
    await program.printed("Received SIGTERM scheduling shutdown...");
    expect(await client.raw("SHUTDOWN", "ABORT")).toBe("+OK\r\n");
    expect(await client.raw("SHUTDOWN", "ABORT")).toBe("-ERR No shutdown in progress.\r\n");
    await program.printed("Shutdown manually aborted.");
    await client.raw("DEBUG", "PAUSE-CRON", "0");
    expect(await client.raw("PING")).toBe("+PONG\r\n");
  });

  test("a second SIGINT ends at once with 1", async () => {
    await start("--enable-debug-command", "yes");
    await client.raw("DEBUG", "PAUSE-CRON", "1");
    program.signal("SIGINT");
    await program.printed("Received SIGINT scheduling shutdown...");
    program.signal("SIGINT");
    expect(await program.exited).toBe(1);
    expect(program.output()).toContain("You insist... exiting now.");
  });

  test("is refused when the last block is the first that cannot be written", async () => {
    const port = freePort();
    // In blocks of 512 bytes: enough for the manifest, not for the value.
    const limited = ["sh", "-c", 'ulimit -f 8; exec "$0" "$@"', ...FROM_SOURCES];
    const flags = ["--appendonly", "yes", "--appendfsync", "everysec", "--dir", dir.path];
    program = runProgram(["--port", String(port), ...flags], { command: limited });
    await program.printed("Ready");
    let received = "";
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data(_socket, chunk) {
          received += chunk.toString();
        },
      },
    });
    // In one piece, so that both run before the block is written.
    socket.write(Buffer.concat([frame(["SET", "k", "v".repeat(10_000)]), frame(["SHUTDOWN"])]));
    await program.printed("Errors trying to shut down the server.");
    while (!received.endsWith("logs.\r\n")) await Bun.sleep(10);
    expect(received).toBe("+OK\r\n-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    socket.end();
    client = await openConnection(port);
    expect(await client.raw("SET", "k", "v")).toStartWith("-MISCONF");
    expect(await client.raw("GET", "k")).toStartWith("$10000\r\n");
    await program.printed("can't exit");
    client.raw("SHUTDOWN", "NOSAVE").catch(() => {});
    expect(await program.exited).toBe(0);
  });

  test("SAVE is refused while nothing can save, and goes on serving", async () => {
    await start();
    expect(await client.raw("SHUTDOWN", "SAVE")).toBe(
      "-ERR Errors trying to SHUTDOWN. Check logs.\r\n",
    );
    await program.printed("Error trying to save the DB, can't exit");
    expect(await client.raw("PING")).toBe("+PONG\r\n");
  });

  test("SAVE is content with an append-only file, which has what was acknowledged", async () => {
    await start("--appendonly", "yes", "--appendfsync", "no");
    expect(await client.raw("SET", "k", "v")).toBe("+OK\r\n");
    client.raw("SHUTDOWN", "SAVE").catch(() => {});
    expect(await program.exited).toBe(0);
    expect(readFileSync(logFile(), "latin1")).toContain("$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n");
  });
});

describe("a crash", () => {
  test.each([
    ["ASSERT", "RuntimeError", /core: fatal code [1-9]\d*, detail \d+/],
    ["PANIC", "DEBUG PANIC was called", /core: fatal code 0,/],
  ])("by DEBUG %s leaves a report and an intact log", async (kind, cause, code) => {
    await start(
      ...WITH_LOG,
      "--enable-debug-command",
      "yes",
      "--requirepass",
      "secret",
      "--maxclients",
      "77",
    );
    await client.raw("AUTH", "secret");
    await client.raw("SET", "before", "1");
    const { size } = statSync(logFile());
    client.raw("DEBUG", kind).catch(() => {});
    expect(await program.exited).toBe(70);
    const report = program.output();
    expect(report).toContain("=== BUNDIS BUG REPORT START");
    expect(report).toContain(`crashed by ${cause === "RuntimeError" ? cause : `Error: ${cause}`}`);
    expect(report).toMatch(code);
    expect(report).toContain("last command: debug");
    expect(report).toContain("------ STACK TRACE ------");
    expect(report).toMatch(/digest [0-9a-f]{16};/);
    expect(report).toContain("maxclients 77");
    expect(report).not.toContain("secret");
    expect(report).not.toContain("bye bye");
    expect(statSync(logFile()).size).toBe(size);
    client.close();
    await start(...WITH_LOG);
    expect(await client.raw("GET", "before")).toBe("$1\r\n1\r\n");
  });

  test("while the log is loaded leaves a report too", async () => {
    mkdirSync(join(dir.path, "appendonlydir"));
    writeFileSync(logFile(), frame(["DEBUG", "ASSERT"]));
    const manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
    writeFileSync(join(dir.path, "appendonlydir/appendonly.aof.manifest"), manifest);
    const flags = ["--dir", dir.path, ...WITH_LOG, "--enable-debug-command", "yes"];
    program = runProgram(["--port", String(freePort()), ...flags]);
    expect(await program.exited).toBe(70);
    expect(program.output()).toContain("crashed by RuntimeError");
  });

  test("by SIGABRT leaves a report too", async () => {
    await start();
    program.signal("SIGABRT");
    expect(await program.exited).toBe(70);
    expect(program.output()).toContain("crashed by signal: SIGABRT");
  });

  test("leaves no report with crash-log-enabled no", async () => {
    await start("--crash-log-enabled", "no", "--enable-debug-command", "yes");
    client.raw("DEBUG", "PANIC").catch(() => {});
    expect(await program.exited).toBe(70);
    expect(program.output()).not.toContain("BUG REPORT");
  });
});
