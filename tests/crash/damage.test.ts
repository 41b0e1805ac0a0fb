/**
 * What a loss of power or a bad disk makes of the files, byte by byte: a log that ends anywhere is loaded up to there, a byte that is
 * not what was written is found or does no harm. On a disk in memory, with the server's own code.
 *
 * CRASH_LONG=1 flips every bit of every byte.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { checkSet } from "../../server/persistence/aof/check-set.ts";
import { AofError } from "../../server/persistence/aof/errors.ts";
import { FileSet } from "../../server/persistence/aof/file-set.ts";
import {
  type DiskServer,
  LOG_NAMES,
  type Loader,
  logPath,
  MANIFEST,
  openLoader,
  startOnDisk,
  stateOf,
} from "../support/disk-server.ts";
import { openConnection } from "../support/reference.ts";
import { freePort, startProcess, temporaryDirectory } from "../support/server-process.ts";
import { SimDisk } from "../support/sim-disk.ts";

const IS_LONG = process.env["CRASH_LONG"] === "1";
const ALL_BITS = [1, 2, 4, 8, 16, 32, 64, 128, 255];
const [BASE, FIRST, SECOND] = [1, 2, 3].map((n) =>
  logPath(`appendonly.aof.${n}.${n === 1 ? "base" : "incr"}.aof`),
) as [string, string, string];

/** A record of each kind, of every type that there is. */
const RECORDS = [
  "SET text value",
  "SET number 12345",
  `SET long ${"0123456789abcdef".repeat(40)}`,
  "APPEND text more",
  "SETRANGE text 3 xyz",
  "SETBIT bits 77 1",
  "INCR number",
  "INCRBYFLOAT float 1.5",
  "MSET a 1 b 2 c 3",
  "SET due v PX 1000000000",
  "EXPIRE a 1000000",
  "GETEX b PXAT 9999999999999",
  "PERSIST a",
  "RENAME c d",
  "COPY d e",
  "GETDEL d",
  "BITOP NOT inverted bits",
  "SADD ints 1 2 3",
  "SADD words x y z",
  "SPOP words",
  "SMOVE ints words 2",
  "SUNIONSTORE union ints words",
  "HSET hash f1 v1 f2 v2",
  "HINCRBYFLOAT hash n 2.5",
  "HDEL hash f1",
  "HPEXPIREAT hash 9999999999999 FIELDS 1 f2",
  "RPUSH list 1 2 3",
  "LINSERT list BEFORE 2 x",
  "LMOVE list list2 LEFT RIGHT",
  "LTRIM list 0 1",
  "ZADD zset 1 a 2.5 b",
  "ZINCRBY zset 1 a",
  "ZPOPMIN zset",
  "GEOADD geo 13.361389 38.115556 Palermo",
  "DEL stream",
  "XADD stream * f v",
  "XGROUP CREATE stream group 0",
  "XREADGROUP GROUP group me COUNT 1 STREAMS stream >",
  "PFADD hll a b c",
  "SELECT 2",
  "SET elsewhere 1",
  "MOVE elsewhere 4",
  "SWAPDB 4 5",
  "SET gone 1",
  "FLUSHDB",
  "SELECT 0",
  "UNLINK union",
];
const UNIT = ["MULTI", "INCR number", "SELECT 3", "SADD members 1", "SELECT 0", "EXEC"];

/** After each unit of the last file: where it ends, and what there is then. */
interface Mark {
  end: number;
  state: string;
}

let whole: SimDisk;
let marks: Mark[];
let loader: Loader;
/** Record kinds that the server has by now. */
let kinds = 0;

function size(disk: SimDisk, path: string): number {
  return disk.exists(path) ? disk.size(path) : 0;
}

/** Where the unit ends that was written last: in front of the line that closes its block. */
function unitEnd(disk: SimDisk, path: string): number {
  return Buffer.from(disk.contents(path)).lastIndexOf("#CRC:");
}

async function write(server: DiskServer, disk?: SimDisk): Promise<Mark[]> {
  const found: Mark[] = [];
  const mark = async () => {
    if (disk !== undefined)
      found.push({ end: unitEnd(disk, SECOND), state: await stateOf(server.client) });
  };
  for (const record of RECORDS) {
    const before = disk === undefined ? 0 : size(disk, SECOND);
    const reply = await server.run(record);
    if (reply.includes("not supported yet") || reply.includes("unknown command")) continue;
    expect([record, reply[0]]).not.toEqual([record, "-"]);
    kinds++;
    if (disk === undefined || size(disk, SECOND) > before) await mark();
  }
  for (const command of UNIT) await server.run(command);
  await mark();
  return found;
}

/** Waits for the end of a rewrite. */
async function rewritten(server: DiskServer): Promise<void> {
  await server.run("BGREWRITEAOF");
  while (!/aof_rewrite_in_progress:0/.test(await server.run("INFO persistence")))
    await Bun.sleep(1);
}

/** A base, a log behind it, and, while another rewrite is under way, a second log behind that. */
beforeAll(async () => {
  const disk = new SimDisk();
  const settings = { appendfsync: "no", "aof-timestamp-enabled": "yes" };
  const server = await startOnDisk(disk, settings);
  for (let i = 0; i < 20; i++) await server.run(`SET key:${i} ${"v".repeat(i * 11)}`);
  await write(server);
  await rewritten(server);
  for (let i = 0; i < 10; i++) await server.run(`SET key:${i} again:${i}`);
  await write(server);
  // What the second rewrite does off the thread waits from the switch of files on.
  const waiting: (() => void)[] = [];
  disk.before = ({ kind, path }) => {
    if (kind === "write" && path === SECOND) disk.later = (work) => waiting.push(work);
  };
  await server.run("BGREWRITEAOF");
  while (size(disk, SECOND) === 0) await Bun.sleep(1);
  const start = { end: 0, state: await stateOf(server.client) };
  marks = [start, ...(await write(server, disk))];
  whole = disk.afterKill();
  disk.before = () => {};
  disk.later = (work) => work();
  for (const work of waiting) work();
  await server.stop();
  loader = await openLoader(new SimDisk());
});
afterAll(() => loader?.stop());

/** The disk with one file's bytes changed. */
function altered(path: string, change: (bytes: Uint8Array) => Uint8Array): SimDisk {
  const disk = whole.afterKill();
  disk.place(path, change(disk.contents(path)));
  return disk;
}

/** What `--check-aof` says of it: whether a start would refuse. */
function isRefusedByCheck(disk: SimDisk): boolean {
  try {
    const { verdict } = checkSet(FileSet.read(disk, LOG_NAMES));
    return verdict === "damaged" || verdict === "unreadable";
  } catch (error) {
    if (error instanceof AofError) return true;
    throw error;
  }
}

test("the files hold a record of each kind", async () => {
  expect(kinds).toBeGreaterThan(3 * 30);
  for (const path of [BASE, FIRST]) expect(whole.size(path)).toBeGreaterThan(3000);
  expect(whole.list(LOG_NAMES.dir).filter((name) => !name.startsWith("temp"))).toHaveLength(4);
  expect(await loader.load(whole.afterKill())).toEqual({ state: marks.at(-1)!.state });
});

describe("a flipped byte is found, with file and offset, or does no harm:", () => {
  for (const [name, path] of [
    ["base", BASE],
    ["log", FIRST],
    ["log behind it", SECOND],
    ["manifest", logPath(MANIFEST)],
  ] as const)
    test(name, async () => {
      const { state } = marks.at(-1)!;
      const [harmful, unnamed, contradicted]: [string[], string[], string[]] = [[], [], []];
      let found = 0;
      let trials = 0;
      for (let at = 0; at < whole.size(path); at++)
        for (const bits of IS_LONG ? ALL_BITS : [1 << (at & 7)]) {
          const disk = altered(path, (bytes) => {
            bytes[at]! ^= bits;
            return bytes;
          });
          const trial = `byte ${at} xor ${bits}`;
          const isRefused = isRefusedByCheck(disk);
          const loaded = await loader.load(disk);
          trials++;
          if ("state" in loaded) {
            if (loaded.state !== state) harmful.push(trial);
          } else {
            found++;
            const isNamed = loaded.refused.includes(path) && /offset \d+/.test(loaded.refused);
            if (!isNamed) unnamed.push(`${trial}: ${loaded.refused}`);
          }
          if (isRefused !== "refused" in loaded)
            contradicted.push(`${trial}: ${JSON.stringify(loaded)}`);
        }
      expect(harmful).toEqual([]);
      expect(unnamed).toEqual([]);
      expect(contradicted).toEqual([]);
      expect(found).toBeGreaterThan(trials * 0.95);
      console.log(`flipped bytes, ${name}: ${trials} trials, ${found} refused, 0 altered`);
    });
});

/** What is there if the last file ends at `length`. */
function stateAt(length: number): string {
  return marks.findLast(({ end }) => end <= length)!.state;
}

describe("a log that ends at any byte is loaded up to its last whole unit:", () => {
  test("cut short", async () => {
    for (let length = 0; length < whole.size(SECOND); length++) {
      const disk = altered(SECOND, (bytes) => bytes.subarray(0, length));
      expect(isRefusedByCheck(disk)).toBe(false);
      expect([length, await loader.load(disk)]).toEqual([length, { state: stateAt(length) }]);
      // What was cut off is not there any more.
      const { verdict } = checkSet(FileSet.read(disk, LOG_NAMES));
      expect([length, verdict]).toEqual([length, "sound"]);
    }
  });

  test("with zeros where something was never written", async () => {
    for (let length = 0; length < whole.size(SECOND); length++) {
      const disk = altered(SECOND, (bytes) => bytes.fill(0, length));
      expect([length, isRefusedByCheck(disk)]).toEqual([length, false]);
      expect([length, await loader.load(disk)]).toEqual([length, { state: stateAt(length) }]);
    }
  });

  test("and what is written later is behind it, at the next start too", async () => {
    const from = IS_LONG ? 0 : marks.at(-4)!.end;
    for (let length = from; length <= whole.size(SECOND); length++) {
      const disk = altered(SECOND, (bytes) => bytes.subarray(0, length));
      const first = await startOnDisk(disk, { appendfsync: "always" });
      expect([length, await stateOf(first.client)]).toEqual([length, stateAt(length)]);
      for (const command of ["SET later 1", ...UNIT]) await first.run(command);
      const state = await stateOf(first.client);
      const left = disk.afterKill();
      await first.stop();
      expect([length, await loader.load(left)]).toEqual([length, { state }]);
    }
  });

  test("a hole in front of the last file takes that along", async () => {
    for (let cut = 1; cut < whole.size(FIRST); cut += IS_LONG ? 1 : 17) {
      const disk = altered(FIRST, (bytes) => bytes.subarray(0, bytes.length - cut));
      const loaded = await loader.load(disk);
      expect("state" in loaded).toBe(true);
      expect(disk.exists(SECOND)).toBe(false);
      expect(await loader.load(disk.afterKill())).toEqual(loaded);
    }
  });
});

test("with aof-load-truncated no a torn log is refused, and left as it is", async () => {
  for (const missing of [1, 25, 200]) {
    const disk = altered(SECOND, (bytes) => bytes.subarray(0, bytes.length - missing));
    const before = disk.contents(SECOND);
    const started = startOnDisk(disk, { "aof-load-truncated": "no" });
    await expect(started).rejects.toThrow(
      /Unexpected end of file .*3\.incr\.aof.* from offset \d+/,
    );
    expect(disk.contents(SECOND)).toEqual(before);
  }
});

test("a torn log whose successor was hardly begun, zeros behind, is cut; the successor goes", async () => {
  for (const begun of [0, 1, 20, 32])
    for (const zeros of [0, 7, 500]) {
      const disk = altered(FIRST, (bytes) => bytes.subarray(0, bytes.length - 100));
      const start = whole.contents(SECOND).subarray(0, begun);
      disk.place(SECOND, Buffer.concat([start, Buffer.alloc(zeros)]));
      expect(isRefusedByCheck(disk)).toBe(false);
      expect(await loader.load(disk)).toHaveProperty("state");
      expect(disk.exists(SECOND)).toBe(false);
    }
});

describe("with processes and real files:", () => {
  let dir: ReturnType<typeof temporaryDirectory>;
  beforeAll(() => {
    dir = temporaryDirectory();
    mkdirSync(join(dir.path, "appendonlydir"));
  });
  afterAll(() => dir.remove());

  async function start(disk: SimDisk): Promise<string> {
    for (const name of [BASE, FIRST, SECOND, logPath(MANIFEST)])
      writeFileSync(join(dir.path, "appendonlydir", basename(name)), disk.contents(name));
    const flags = ["--dir", dir.path, "--appendonly", "yes", "--enable-debug-command", "yes"];
    const server = await startProcess(freePort(), ...flags);
    const client = await openConnection(server.port);
    const state = await stateOf(client);
    client.close();
    await server.kill("SIGKILL");
    return state;
  }

  test.each([
    ["base", BASE, 777],
    ["log", FIRST, 1500],
    ["log behind it", SECOND, 20],
    ["manifest", logPath(MANIFEST), 40],
  ])("a flipped byte in the %s is refused", async (_, path, at) => {
    const disk = altered(path, (bytes) => {
      bytes[at]! ^= 1;
      return bytes;
    });
    await expect(start(disk)).rejects.toThrow(
      new RegExp(`the server ended with 1: [^]*${basename(path)}.* offset \\d+`),
    );
  });

  test.each([1, 40, 333])("a log whose last %d bytes are missing is loaded", async (missing) => {
    const length = whole.size(SECOND) - missing;
    expect(await start(altered(SECOND, (bytes) => bytes.subarray(0, length)))).toBe(
      stateAt(length),
    );
  });
});
