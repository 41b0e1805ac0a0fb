/** What the kernel sees under `always`: each reply leaves after the sync that covers its write has returned. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FROM_SOURCES, type Program, runProgram } from "../support/program.ts";
import { openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

const CLIENTS = 9;
const WRITES = 50;

function canTrace(): boolean {
  if (Bun.which("strace") === null) return false;
  return Bun.spawnSync(["strace", "-o", "/dev/null", "true"]).exitCode === 0;
}
const traces = canTrace();
if (!traces)
  console.log("strace is not there or may not attach: the order of replies is not looked at");

let dir: ReturnType<typeof temporaryDirectory>;
let program: Program | undefined;
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  await program?.kill();
  dir.remove();
});

interface Event {
  call: "write" | "fdatasync" | "sendto";
  begin: number;
  /** When it returned. */
  end: number;
  text: string;
}

/** Calls in the order they began; one that another thread's call cut in two is put together. */
function eventsOf(trace: string): Event[] {
  const events: Event[] = [];
  const open = new Map<string, Event>();
  for (const line of trace.split("\n")) {
    const match = /^(\d+) +([\d.]+) (.*)$/.exec(line);
    if (match === null) continue;
    const [, thread = "", at = "", rest = ""] = match;
    const now = Number(at);
    const resumed = /^<\.\.\. (\w+) resumed>/.exec(rest);
    if (resumed !== null) {
      const event = open.get(thread);
      if (event !== undefined) event.end = now;
      open.delete(thread);
      continue;
    }
    const name = /^(write|pwrite64|fdatasync|sendto)\(/.exec(rest)?.[1];
    if (name === undefined) continue;
    const call = name === "pwrite64" ? "write" : (name as Event["call"]);
    // The instant at which a call returned at once is that of the next line at the latest.
    const event: Event = { call, begin: now, end: now, text: rest };
    events.push(event);
    if (rest.includes("<unfinished ...>")) {
      event.end = Number.POSITIVE_INFINITY;
      open.set(thread, event);
    } else {
      const took = /<([\d.]+)>$/.exec(rest)?.[1];
      event.end = now + Number(took ?? 0);
    }
  }
  return events;
}

test.skipIf(!traces)(
  "each of 450 replies leaves after its sync",
  async () => {
    const port = freePort();
    const trace = join(dir.path, "trace");
    const flags = ["-f", "-ttt", "-T", "-s", "4096", "-e", "trace=write,pwrite64,fdatasync,sendto"];
    program = runProgram(
      ["--port", String(port), "--dir", dir.path, "--appendonly", "yes", "--appendfsync", "always"],
      { command: ["strace", ...flags, "-o", trace, ...FROM_SOURCES] },
    );
    await program.printed("Ready");
    const connections = await Promise.all(
      Array.from({ length: CLIENTS }, () => openConnection(port)),
    );
    // The answer to a GETSET is what the one before it has set: every command and every reply has a number of its own.
    const name = (client: number, n: number) => `id-${client}-${n}-`;
    await Promise.all(
      connections.map(async (connection, client) => {
        await connection.raw("SET", `key:${client}`, name(client, 0));
        for (let n = 1; n <= WRITES; n++)
          expect(await connection.raw("GETSET", `key:${client}`, name(client, n))).toContain(
            name(client, n - 1),
          );
      }),
    );
    // strace keeps signals to itself.
    connections[0]!.raw("SHUTDOWN").catch(() => {});
    await program.exited;
    for (const connection of connections) connection.close();
    const events = eventsOf(readFileSync(trace, "latin1"));
    let inOrder = 0;
    for (let client = 0; client < CLIENTS; client++)
      for (let n = 1; n <= WRITES; n++) {
        const written = events.find(
          ({ call, text }) => call === "write" && text.includes(name(client, n)),
        )!;
        const synced = events.find(
          ({ call, begin }) => call === "fdatasync" && begin >= written.begin,
        )!;
        const sent = events.find(
          ({ call, text }) => call === "sendto" && text.includes(name(client, n - 1)),
        )!;
        if (written.end <= synced.begin && synced.end <= sent.begin) inOrder++;
      }
    expect(inOrder).toBe(CLIENTS * WRITES);
    console.log(
      `order under always: ${inOrder} of ${CLIENTS * WRITES} replies left after their sync`,
    );
  },
  30_000,
);
