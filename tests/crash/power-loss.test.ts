/**
 * A loss of power, or a kill, at any step that reaches the disk: what is loaded afterwards are the first units of each writer, and under
 * `always` no fewer than were acknowledged. The whole server in this process, on a disk in memory that forgets what no finished sync
 * covers: bytes, and names in the directory.
 *
 * CRASH_ROUNDS=200 tries so many seeds of each kind.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { LoadingStopped } from "../../server/persistence/loading.ts";
import {
  createOnDisk,
  type DiskServer,
  type Loader,
  openLoader,
  startOnDisk,
  stateOf,
} from "../support/disk-server.ts";
import { createRandom, type Random } from "../support/random.ts";
import { diskError, SimDisk, type Step } from "../support/sim-disk.ts";
import { Writer, type WriterKind } from "../support/writers.ts";

const ROUNDS = Math.ceil(Number(process.env["CRASH_ROUNDS"] ?? 4));
const KINDS: readonly WriterKind[] = ["plain", "pipelined", "transactions", "types"];
/** Power is lost so often at each step that is looked at. */
const LOSSES = 2;

let loader: Loader;
const totals = { kills: 0, losses: 0, lost: 0, failures: 0 };
beforeAll(async () => {
  loader = await openLoader(new SimDisk());
});
afterAll(async () => {
  await loader.stop();
  console.log(`power loss: ${JSON.stringify(totals)}`);
});

async function finished(server: DiskServer): Promise<void> {
  while (
    !/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(
      await server.run("INFO persistence"),
    )
  )
    await Bun.sleep(1);
}

const nameOf = (step: Step) => `${step.kind} ${step.path.slice(step.path.lastIndexOf("/") + 1)}`;

/** Reached by the disk: what is left, and what is known of the writers at that instant. */
interface Crash {
  what: string;
  left: SimDisk;
  isKill: boolean;
  acked: number[];
  sent: number[];
}

function crashesAt(step: Step, disk: SimDisk, random: Random, writers: readonly Writer[]): Crash[] {
  const acked = writers.map((writer) => writer.acked);
  const sent = writers.map((writer) => writer.sent);
  const common = { what: nameOf(step), acked, sent };
  const losses = Array.from({ length: LOSSES }, () => disk.afterPowerLoss(random));
  return [
    { ...common, left: disk.afterKill(), isKill: true },
    ...losses.map((left) => ({ ...common, left, isKill: false })),
  ];
}

// ---- nothing but a rewrite happens: the state is exactly what it was

describe("at each step of a rewrite", () => {
  for (const policy of ["always", "everysec", "no"])
    test(`the exact state is there, under ${policy}`, async () => {
      const random = createRandom(1);
      const disk = new SimDisk();
      const server = await startOnDisk(disk, { appendfsync: policy });
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 300; i++)
          await server.run(
            `SET key:${random.below(400)} ${round}${"v".repeat(random.below(3000))}`,
          );
        await server.run(`SADD members ${round} a b c`);
        disk.settle();
        const state = await stateOf(server.client);
        const crashes: Crash[] = [];
        disk.before = (step) => void crashes.push(...crashesAt(step, disk, random, []));
        await server.run("BGREWRITEAOF");
        await finished(server);
        disk.before = () => {};
        crashes.push(...crashesAt({ kind: "sync", path: "the end" }, disk, random, []));
        const steps = crashes.map(({ what }) => what);
        for (const kind of ["open", "write", "sync", "rename", "syncDirectory", "remove"])
          expect([kind, steps.some((step) => step.startsWith(kind))]).toEqual([kind, true]);
        for (const { what, left, isKill } of crashes) {
          expect([what, isKill, await loader.load(left)]).toEqual([what, isKill, { state }]);
          // And what was loaded is as sound as it was.
          expect([what, await loader.load(left.afterKill())]).toEqual([what, { state }]);
          totals[isKill ? "kills" : "losses"]++;
        }
      }
      await server.stop();
    });
});

test("what a killed process has left to the kernel is safe once the next one serves", async () => {
  const disk = new SimDisk();
  const killed = await startOnDisk(disk, { appendfsync: "no" });
  await killed.run("SET a 1");
  const left = disk.afterKill();
  await killed.stop();
  const next = await startOnDisk(left, { appendfsync: "no" });
  const state = await stateOf(next.client);
  expect(await next.run("GET a")).toBe("$1\r\n1\r\n");
  for (let seed = 0; seed < 20; seed++)
    expect(await loader.load(left.afterPowerLoss(createRandom(seed)))).toEqual({ state });
  await next.stop();
});

test("a stop while that is synced ends the start, and nothing of the directory is touched behind it", async () => {
  const disk = new SimDisk();
  const first = await startOnDisk(disk);
  await first.run("SET a 1");
  await first.stop();
  const held: (() => void)[] = [];
  disk.later = (work) => void held.push(work);
  const server = createOnDisk(disk);
  const started = server.start().then(
    () => "serves",
    (error) => error,
  );
  while (held.length === 0) await Bun.sleep(1);
  await server.stop();
  const steps: string[] = [];
  disk.before = ({ kind }) => void steps.push(kind);
  disk.later = (work) => work();
  for (const work of held) work();
  expect(await started).toBeInstanceOf(LoadingStopped);
  expect(steps).toEqual(["sync", "syncDirectory"]);
});

// ---- writers and rewrites at once

/** Lets writers write for a while, with a rewrite now and then; looks at some of the steps. `fault` may fail one. */
async function gather(
  policy: string,
  random: Random,
  writers: Writer[],
  fault: (step: Step) => void = () => {},
): Promise<Crash[]> {
  const disk = new SimDisk();
  // What is done off the thread takes a while, and not always as long.
  disk.later = (work) => void setTimeout(work, random.below(3));
  const server = await startOnDisk(disk, { appendfsync: policy });
  const crashes: Crash[] = [];
  disk.before = (step) => {
    const isRare = step.kind !== "write" && step.kind !== "sync";
    if (random.chance(isRare ? 0.6 : 0.05)) crashes.push(...crashesAt(step, disk, random, writers));
    fault(step);
  };
  await Promise.all(writers.map((writer) => writer.start(server.port)));
  for (let n = 0; n < 3; n++) {
    await Bun.sleep(random.below(15));
    await server.run("BGREWRITEAOF");
    await finished(server);
  }
  disk.before = () => {};
  await Promise.all(writers.map((writer) => writer.stop(true)));
  await server.stop();
  return crashes;
}

async function judge(
  crash: Crash,
  writers: Writer[],
  isKept: (crash: Crash) => boolean,
): Promise<void> {
  const { what, left, isKill, acked, sent } = crash;
  const loaded = await loader.load(left);
  expect([what, isKill, "state" in loaded ? "loaded" : loaded.refused]).toEqual([
    what,
    isKill,
    "loaded",
  ]);
  totals[isKill ? "kills" : "losses"]++;
  for (const [index, writer] of writers.entries()) {
    writer.sent = sent[index]!;
    const units = await writer.count(loader.client);
    expect(units).toBeLessThanOrEqual(sent[index]!);
    if (!isKept(crash)) continue;
    totals.lost += Math.max(0, acked[index]! - units);
    expect([what, isKill, units]).toEqual([what, isKill, Math.max(units, acked[index]!)]);
  }
}

describe("while writers write and the log is rewritten", () => {
  for (const policy of ["always", "everysec", "no"])
    for (let round = 1; round <= ROUNDS; round++)
      test(`nothing is lost and there is no hole, under ${policy}, seed ${round}`, async () => {
        const random = createRandom(round);
        const writers = KINDS.map((kind) => new Writer(kind, kind));
        const crashes = await gather(policy, random, writers);
        expect(crashes.length).toBeGreaterThan(30);
        for (const writer of writers) expect(writer.error).toBeUndefined();
        const isKept = ({ isKill }: Crash) => isKill || policy === "always";
        for (const crash of crashes) await judge(crash, writers, isKept);
      });
});

// ---- a disk that fails now and then

describe("while writers write, the log is rewritten, and the disk fails now and then", () => {
  for (const policy of ["always", "everysec"])
    for (let round = 1; round <= ROUNDS; round++)
      test(`nothing is lost and there is no hole, under ${policy}, seed ${round}`, async () => {
        const random = createRandom(1000 + round);
        const writers = [1, 2, 3].map((n) => new Writer(`plain${n}`, "plain"));
        let failures = 0;
        const crashes = await gather(policy, random, writers, ({ kind, path }) => {
          const mayFail = (kind === "sync" || kind === "write") && path.endsWith(".incr.aof");
          if (!mayFail || !random.chance(0.03)) return;
          failures++;
          throw diskError(kind === "sync" ? "EIO" : "ENOSPC");
        });
        totals.failures += failures;
        for (const writer of writers) expect(writer.error).toBeUndefined();
        // As in Redis: who asked for less than `always` is answered though the disk does not take it.
        const isKept = () => policy === "always";
        for (const crash of crashes) await judge(crash, writers, isKept);
      });
});
