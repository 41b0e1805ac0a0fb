/** What the system around the program sees of it: systemd's messages, the kernel's score. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Program, runProgram } from "../support/program.ts";
import { openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

const PYTHON = Bun.which("python3");
if (PYTHON === null) console.log("python3 is not installed: systemd's socket is not played");

/** Plays systemd: a datagram socket that prints what it gets. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + sys.argv[1][1:] if sys.argv[1][0] == "@" else sys.argv[1])
print("listening", flush=True)
while True:
    print(repr(s.recv(4096).decode()), flush=True)
`;

let dir: ReturnType<typeof temporaryDirectory>;
const programs: Program[] = [];
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.kill();
  dir.remove();
});

function run(args: readonly string[], options: Parameters<typeof runProgram>[1] = {}): Program {
  const program = runProgram(args, { cwd: dir.path, ...options });
  programs.push(program);
  return program;
}

describe.skipIf(PYTHON === null)("supervised", () => {
  test.each([
    ["systemd", "path"],
    ["auto", "abstract"],
  ])("%s tells systemd over a socket with an %s name", async (mode, kind) => {
    const path = kind === "path" ? join(dir.path, "notify") : `@bundis-test-${process.pid}`;
    const systemd = run(["-c", LISTENER, path], { command: [PYTHON!] });
    await systemd.printed("listening");
    const program = run(["--port", String(freePort()), "--supervised", mode], {
      env: { NOTIFY_SOCKET: path },
    });
    await systemd.printed("'STATUS=Ready to accept connections\\nREADY=1\\n'");
    program.signal("SIGTERM");
    await systemd.printed("'STOPPING=1\\n'");
    expect(await program.exited).toBe(0);
  });

  test("no tells nobody, systemd without a socket is told in the log", async () => {
    const program = run(["--port", String(freePort()), "--supervised", "systemd"]);
    await program.printed("Ready to accept");
    expect(program.output()).toContain("NOTIFY_SOCKET not found");
  });
});

test("oom-score-adj moves the kernel's score by oom-score-adj-values, and back", async () => {
  const port = freePort();
  const program = run(["--port", String(port), "--oom-score-adj", "absolute"]);
  await program.printed("Ready to accept");
  const score = () => Number(readFileSync(`/proc/${program.pid}/oom_score_adj`, "utf8"));
  const client = await openConnection(port);
  const base = score();
  const set = (...pairs: string[]) => client.raw("CONFIG", "SET", ...pairs);
  expect(await set("oom-score-adj-values", `${base + 100} 200 800`)).toBe("+OK\r\n");
  expect(score()).toBe(base + 100);
  expect(await set("oom-score-adj", "relative", "oom-score-adj-values", "50 60 70")).toBe(
    "+OK\r\n",
  );
  expect(score()).toBe(50 + Number(readFileSync("/proc/self/oom_score_adj", "utf8")));
  expect(await set("oom-score-adj", "no")).toBe("+OK\r\n");
  expect(score()).toBe(Number(readFileSync("/proc/self/oom_score_adj", "utf8")));
  client.close();
});
