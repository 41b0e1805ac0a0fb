/** What transactions and commands of several effects leave in the append-only file: ours, and a reference server's. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { parseReply } from "../support/reply.ts";

const PORT = 7104;

interface Case {
  name: string;
  /** A number lets so many milliseconds pass. */
  run: (string | number)[];
  log: string[];
}

const cases: Case[] = [
  {
    name: "a unit of several changes is framed",
    run: ["MULTI", "SET a 1", "GET a", "INCR a", "EXEC"],
    log: ["MULTI", "SET a 1", "INCR a", "EXEC"],
  },
  {
    name: "a unit of one change is that command",
    run: ["MULTI", "GET a", "SET a 1", "GET a", "EXEC"],
    log: ["SET a 1"],
  },
  {
    name: "a unit that changes nothing leaves nothing",
    run: ["MULTI", "EXEC", "MULTI", "GET a", "DEL none", "EXEC", "MULTI", "PING", "EXEC"],
    log: [],
  },
  {
    name: "a discarded or aborted transaction leaves nothing",
    run: ["MULTI", "SET a 1", "DISCARD", "MULTI", "SET a 1", "NOSUCH", "EXEC"],
    log: [],
  },
  {
    name: "a command that fails in a unit is not in it",
    run: ["SET t text", "MULTI", "SET a 1", "INCR t", "SET b 2", "EXEC"],
    log: ["SET t text", "MULTI", "SET a 1", "SET b 2", "EXEC"],
  },
  {
    name: "databases are named before the unit and within it",
    run: ["MULTI", "SELECT 3", "SET a 1", "SELECT 0", "SET b 2", "EXEC"],
    log: ["SELECT 3", "MULTI", "SET a 1", "SELECT 0", "SET b 2", "EXEC"],
  },
  {
    name: "a unit of one change in another database",
    run: ["MULTI", "SELECT 3", "SET a 1", "SELECT 0", "EXEC"],
    log: ["SELECT 3", "SET a 1"],
  },
  {
    name: "the deletion of a due key and the command that met it are one unit",
    run: ["DEBUG SET-ACTIVE-EXPIRE 0", "SET d v PX 1", 15, "APPEND d w"],
    log: ["SET d v PXAT (ms)", "MULTI", "DEL d", "APPEND d w", "EXEC"],
  },
  {
    name: "flushes in a unit",
    run: ["MULTI", "SET a 1", "FLUSHALL", "EXEC"],
    log: ["MULTI", "SET a 1", "FLUSHALL", "EXEC"],
  },
];

/** The log's commands as words, instants made alike. */
function linesOf(bytes: Buffer): string[] {
  // Checksums are no commands.
  const text = bytes.toString("latin1").replace(/^#.*\r\n/gm, "");
  const lines: string[] = [];
  for (let at = 0; at < text.length; ) {
    const parsed = parseReply(text, at);
    if (parsed?.reply.kind !== "array") throw new Error("the log ends in a torn line");
    const words = parsed.reply.items.map((item) => (item.kind === "bulk" ? item.text : ""));
    lines.push(words.join(" ").replace(/ \d{13}$/, " (ms)"));
    at = parsed.end;
  }
  return lines;
}

async function expectLog({ run, log }: Case, client: Connection, read: () => Buffer) {
  await client.raw("SELECT", "0");
  await client.raw("FLUSHALL");
  await client.raw("SET", "begin", "1");
  for (const step of run)
    if (typeof step === "number") await Bun.sleep(step);
    else await client.raw(...step.split(" "));
  // Whatever database the log is in, its next line says.
  const lines = linesOf(read());
  expect(lines.slice(lines.lastIndexOf("SET begin 1") + 1)).toEqual(log);
}

describe("the server", () => {
  const dir = mkdtempSync(join(tmpdir(), "bundis-units-"));
  let server: RunningServer;
  let client: Connection;
  beforeAll(async () => {
    // After a sync the log names the database anew: without one only where it changes.
    const config = { appendonly: "yes", dir, appendfsync: "no", "enable-debug-command": "yes" };
    server = await startServer({ config });
    client = await openConnection(server.port);
  });
  afterAll(async () => {
    client.close();
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const read = () => readFileSync(join(dir, "appendonlydir", "appendonly.aof.1.incr.aof"));
  for (const testCase of cases) test(testCase.name, () => expectLog(testCase, client, read));
});

describe.skipIf(REFERENCE_PATH === null)("a reference server", () => {
  let reference: Reference;
  let client: Connection;
  beforeAll(async () => {
    reference = await startReference(PORT, true);
    client = await reference.connect();
  });
  afterAll(async () => {
    client?.close();
    await reference?.stop();
  });
  for (const testCase of cases)
    test(testCase.name, () => expectLog(testCase, client, () => reference.log()));
});
