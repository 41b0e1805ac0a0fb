/** What a container and systemd start: no engine runs here, so the entrypoint runs under sh among commands that only tell how they were called. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../server/config/load.ts";
import { runProgram } from "../support/program.ts";
import { temporaryDirectory } from "../support/server-process.ts";

const ROOT = join(import.meta.dir, "../..");
const ENTRYPOINT = join(ROOT, "docker-entrypoint.sh");
const SHELLS = ["sh", "dash", "bash", "busybox"].filter((name) => Bun.which(name) !== null);
const dir = temporaryDirectory();
const called = join(dir.path, "called");
afterAll(dir.remove);

function command(name: string, script: string): void {
  const path = join(dir.path, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

beforeEach(() => {
  rmSync(called, { force: true });
  const tells = `{ printf '%s' "$(basename "$0")"; printf ' [%s]' "$@"; printf '\\n'; } >> '${called}'`;
  for (const name of ["redis-server", "bundis", "redis-cli"])
    command(name, `${tells}\n[ "$(basename "$0")" = redis-cli ] || umask >> '${called}'`);
  command("find", tells);
  // As the real one: goes on with what follows its options.
  command(
    "setpriv",
    `${tells}\nUSER_ID=999; export USER_ID\nwhile [ "\${1#--}" != "$1" ]; do shift; done\nexec "$@"`,
  );
  command("id", `echo "\${USER_ID:-1000}"`);
});

/** Runs the entrypoint. @returns what was called in turn, then the umask of the server */
async function enter(shell: string, args: readonly string[], env: Record<string, string> = {}) {
  const through = shell === "busybox" ? ["busybox", "sh"] : [shell];
  const program = runProgram([ENTRYPOINT, ...args], {
    command: through,
    cwd: dir.path,
    env: { PATH: `${dir.path}:${process.env["PATH"]}`, ...env },
  });
  expect([await program.exited, program.output()]).toEqual([0, ""]);
  return readFileSync(called, "utf8").trimEnd().split("\n");
}

describe.each(SHELLS)("the entrypoint under %s", (shell) => {
  test.each([
    [[], "redis-server []"],
    [["redis-server"], "redis-server []"],
    [["bundis", "--port", "7"], "bundis [--port] [7]"],
    [["--appendonly", "yes"], "redis-server [--appendonly] [yes]"],
    [["-"], "redis-server [-]"],
    [["/etc/my.conf"], "redis-server [/etc/my.conf]"],
    [["my.conf", "--save", ""], "redis-server [my.conf] [--save] []"],
    [["redis-server", "--save", "1 1"], "redis-server [--save] [1 1]"],
    [["redis-server", "my.conf"], "redis-server [my.conf]"],
  ])("%j starts %s", async (args, expected) => {
    expect(await enter(shell, args)).toEqual([expected, expect.any(String)]);
  });

  test("runs another command as it is", async () => {
    const lines = await enter(shell, ["redis-cli", "ping"], { USER_ID: "0" });
    expect(lines).toEqual(["redis-cli [ping]"]);
  });

  test("as root gives the directory away and goes on as redis", async () => {
    const lines = await enter(shell, ["--port", "7"], { USER_ID: "0" });
    expect(lines.slice(0, 3)).toEqual([
      "find [.] [!] [-user] [redis] [-exec] [chown] [redis:redis] [{}] [+]",
      `setpriv [--reuid=redis] [--regid=redis] [--clear-groups] [${ENTRYPOINT}] [redis-server] [--port] [7]`,
      "redis-server [--port] [7]",
    ]);
  });

  test("keeps data from others, unless a umask was chosen", async () => {
    const withMask = async (mask: string) => {
      const script = `umask ${mask}; exec ${shell === "busybox" ? "busybox sh" : shell} '${ENTRYPOINT}'`;
      rmSync(called, { force: true });
      const program = runProgram(["-c", script], {
        command: ["sh"],
        cwd: dir.path,
        env: { PATH: `${dir.path}:${process.env["PATH"]}` },
      });
      expect(await program.exited).toBe(0);
      return readFileSync(called, "utf8").trimEnd().split("\n")[1];
    };
    expect(await withMask("0022")).toBe("0077");
    expect(await withMask("0027")).toBe("0027");
  });
});

test("the Dockerfile's defaults are directives, and count below a file's", () => {
  const dockerfile = readFileSync(join(ROOT, "Dockerfile"), "utf8");
  const env = Object.fromEntries(
    [...dockerfile.matchAll(/(BUNDIS_\w+)="?([^"\s\\]+(?: [^"\\]+)?)"?/g)].map(
      ([, name, value]) => [name!, value!],
    ),
  );
  expect(Object.keys(env)).toEqual(["BUNDIS_DEFAULT_BIND", "BUNDIS_DEFAULT_PROTECTED_MODE"]);
  const config = loadConfig([], { env });
  expect(config.get("bind")).toEqual(["*", "-::*"]);
  expect(config.get("protected-mode")).toBe(false);
  expect(config.warnings).toEqual([]);
  expect(loadConfig(["--bind", "::1"], { env }).get("bind")).toEqual(["::1"]);
});

describe("the systemd unit", () => {
  const path = join(ROOT, "docs/systemd/bundis.service");
  const unit = readFileSync(path, "utf8");

  test("starts the server with flags it knows", () => {
    const [program, file, ...flags] = unit.match(/^ExecStart=(.*)$/m)![1]!.split(" ");
    expect([program, file]).toEqual(["/usr/local/bin/bundis", "/etc/bundis/bundis.conf"]);
    // The directory is not there on this machine.
    const dirAt = flags.indexOf("--dir");
    expect(flags[dirAt + 1]).toBe("/var/lib/bundis");
    const config = loadConfig(flags.toSpliced(dirAt, 2));
    expect(config.get("supervised")).toBe("systemd");
    expect(unit).toContain("Type=notify\n");
  });

  test.skipIf(Bun.which("systemd-analyze") === null)("is one that systemd understands", () => {
    const { stderr } = Bun.spawnSync(["systemd-analyze", "verify", path]);
    const complaints = stderr
      .toString()
      .split("\n")
      .filter((line) => line !== "");
    expect(complaints.filter((line) => !line.includes("is not executable"))).toEqual([]);
  });
});
