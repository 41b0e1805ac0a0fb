/**
 * SIGKILL at any moment: plain, pipelined and MULTI writers at once, and some to values of all types, under each policy, also during rewrites and during the replay of a start.
 * What a server has afterwards are the first units of each writer, whole ones, and no fewer than it acknowledged.
 *
 * CRASH_ROUNDS=200 is the long form; each round is a test.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { createRandom } from "../support/random.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import {
  freePort,
  type ServerProcess,
  startProcess,
  temporaryDirectory,
} from "../support/server-process.ts";
import { Writer } from "../support/writers.ts";

const ROUNDS = Number(process.env["CRASH_ROUNDS"] ?? 9);
const SEED = Number(process.env["CRASH_SEED"] ?? 1);
const POLICIES = ["always", "everysec", "no"] as const;
const SITUATIONS = ["writing", "rewriting", "replaying"] as const;
const MAIN = join(import.meta.dir, "../../server/main.ts");
const REPLAY_KILLS = 3;
/** Of what a server printed, if a round fails. */
const SHOWN_CHARS = 4000;

const random = createRandom(SEED);
const writers = [
  new Writer("plain", "plain"),
  new Writer("plain2", "plain"),
  new Writer("pipelined", "pipelined"),
  new Writer("pipelined2", "pipelined"),
  new Writer("multi", "transactions"),
  new Writer("multi2", "transactions"),
  new Writer("typed", "types"),
  new Writer("typed2", "types"),
];
const totals = { kills: 0, acknowledged: 0, lost: 0, delayedRounds: 0, lostWhenDelayed: 0 };

let dir: ReturnType<typeof temporaryDirectory>;
let server: ServerProcess;
let client: Connection;
let policy: (typeof POLICIES)[number];

beforeAll(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  client?.close();
  await server?.kill("SIGKILL");
});
afterAll(() => {
  dir.remove();
  console.log(`${ROUNDS} rounds of seed ${SEED}: ${JSON.stringify(totals)}`);
});

function flags(): string[] {
  return [
    ...["--dir", dir.path, "--appendonly", "yes", "--appendfsync", policy],
    ...["--auto-aof-rewrite-min-size", "16mb", "--enable-debug-command", "yes"],
  ];
}

async function start(): Promise<void> {
  for (;;) {
    server = await startProcess(freePort(), ...flags());
    client = await openConnection(server.port);
    // Another process on this machine may have taken the port meanwhile.
    if ((await client.raw("INFO", "server")).includes(`process_id:${server.pid}\r\n`)) return;
    client.close();
    await server.kill("SIGKILL");
  }
}

/** Starts it and kills it while it loads, if it has not done that yet. */
async function killInReplay(): Promise<void> {
  const command = [process.execPath, MAIN, "--port", String(freePort()), ...flags()];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
  let output = "";
  for await (const chunk of child.stdout) {
    output += Buffer.from(chunk).toString();
    if (output.includes("Server initialized")) break;
  }
  await Bun.sleep(random.below(20));
  child.kill("SIGKILL");
  await child.exited;
  totals.kills++;
}

/** Asks for one rewrite after the other until the server has gone. */
async function rewrites(): Promise<void> {
  const other = await openConnection(server.port);
  try {
    for (;;) {
      await other.raw("BGREWRITEAOF");
      await Bun.sleep(1 + random.below(10));
    }
  } catch {
    other.close();
  }
}

async function delayedWrites(): Promise<number> {
  const text = await client.raw("INFO", "persistence");
  return Number(text.match(/aof_delayed_fsync:(\d+)/)?.[1]);
}

async function killWhileWriting(isRewriting: boolean): Promise<boolean> {
  await Promise.all(writers.map((writer) => writer.start(server.port)));
  const rewriting = isRewriting ? rewrites() : undefined;
  const before = acknowledged();
  while (acknowledged() === before) await Bun.sleep(5);
  await Bun.sleep(30 + random.below(300));
  const isDelayed = (await delayedWrites()) > 0;
  const closed = writers.map((writer) => writer.stop(false));
  await server.kill("SIGKILL");
  totals.kills++;
  // What it had sent is read to the end.
  await Promise.all(closed);
  client.close();
  await rewriting;
  return isDelayed;
}

/** @returns acknowledged units that the server does not have */
async function lostUnits(): Promise<number> {
  let lost = 0;
  for (const writer of writers) {
    expect(writer.error).toBeUndefined();
    const units = await writer.count(client);
    expect(units).toBeLessThanOrEqual(writer.sent);
    lost += Math.max(0, writer.acked - units);
    writer.resume(units);
  }
  return lost;
}

async function run(situation: (typeof SITUATIONS)[number]): Promise<void> {
  await start();
  const before = acknowledged();
  const isDelayed = await killWhileWriting(situation === "rewriting");
  totals.acknowledged += acknowledged() - before;
  if (situation === "replaying") for (let n = 0; n < REPLAY_KILLS; n++) await killInReplay();
  await start();
  const lost = await lostUnits();
  // A write that waited too long for a sync may have been answered first, as in Redis.
  if (isDelayed && policy === "everysec") {
    totals.delayedRounds++;
    totals.lostWhenDelayed += lost;
    return;
  }
  totals.lost += lost;
  expect(lost).toBe(0);
}

/** A round that failed leaves nothing to the next. */
function startOver(): void {
  dir.remove();
  dir = temporaryDirectory();
  for (const writer of writers) writer.resume(0);
}

function acknowledged(): number {
  return writers.reduce((sum, writer) => sum + writer.acked, 0);
}

for (let round = 0; round < ROUNDS; round++) {
  const situation = SITUATIONS[Math.floor(round / POLICIES.length) % SITUATIONS.length]!;
  const nextPolicy = POLICIES[round % POLICIES.length]!;
  test(`kill -9, round ${round + 1}: ${nextPolicy}, ${situation}`, async () => {
    policy = nextPolicy;
    try {
      await run(situation);
    } catch (cause) {
      await server.kill("SIGKILL");
      const said = (await server.output()).slice(-SHOWN_CHARS);
      startOver();
      throw new Error(`${(cause as Error).message}\nThe server said:\n${said}`, { cause });
    }
  });
}
