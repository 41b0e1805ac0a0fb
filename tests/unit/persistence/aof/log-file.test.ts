import { beforeEach, expect, test } from "bun:test";
import { dirname } from "node:path";
import { LogFile } from "../../../../server/persistence/aof/log-file.ts";
import type { ManifestFile } from "../../../../server/persistence/aof/manifest.ts";
import type { Disk } from "../../../../server/persistence/disk.ts";
import { createRandom } from "../../../support/random.ts";
import { diskError, SimDisk } from "../../../support/sim-disk.ts";

const PATH = "/log/a.1.incr.aof";
const ENTRY: ManifestFile = { name: "a.1.incr.aof", sequence: 1, type: "i" };

/** What was asked of files, in order. */
let calls: string[];
let later: (() => void)[];
let sim: SimDisk;
let disk: Disk;
beforeEach(() => {
  calls = [];
  later = [];
  sim = new SimDisk();
  sim.later = (work) => void later.push(work);
  sim.before = ({ kind }) => void calls.push(kind);
  disk = withClose(sim, () => void calls.push("close"));
});

/** The same disk, but for what closing a file does. */
function withClose(under: Disk, close: () => void): Disk {
  const disk: Disk = Object.create(under);
  disk.open = (path, how) => Object.assign(under.open(path, how), { close });
  return disk;
}

async function finish(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
  later.shift()!();
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

test("a file is not closed while a sync of it runs, but when that is over", async () => {
  const file = LogFile.create(disk, PATH, ENTRY);
  calls = [];
  const syncing = file.syncLater();
  file.close();
  expect(calls).toEqual([]);
  await finish();
  await syncing;
  expect(calls).toEqual(["sync", "close"]);
});

test("nor while a write runs, also one that fails", async () => {
  const file = LogFile.create(disk, PATH, ENTRY);
  calls = [];
  const bytes = Buffer.from("x");
  sim.before = ({ kind }) => {
    calls.push(kind);
    if (kind === "write") throw diskError("EIO");
  };
  const writing = file.appendLater({ size: 1, view: () => bytes, close: () => bytes });
  file.close();
  expect(calls).toEqual([]);
  const [failure] = await Promise.all([writing.catch((error) => error), finish()]);
  expect(failure.code).toBe("EIO");
  // The part that may be there is cut off first.
  expect(calls).toEqual(["write", "truncate", "close"]);
});

test("what a disk says to closing does not matter: a sync has said it", () => {
  let closes = 0;
  const close = () => {
    if (closes++ > 0) throw diskError("EIO");
  };
  // The first is the one that makes it.
  LogFile.create(withClose(sim, close), PATH, ENTRY).close();
  expect(closes).toBe(2);
});

test("a file that is begun has nothing of one that had its name, whatever a loss of power leaves", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const disk = new SimDisk();
    const stale = disk.open(PATH, "append");
    stale.append(Buffer.from("#PREV:1:48484:c1b17caa:e39b3ef1\r\n"));
    stale.sync();
    stale.close();
    disk.syncDirectory(dirname(PATH));
    const file = LogFile.create(disk, PATH, ENTRY);
    // What names it is on the disk.
    disk.syncDirectory(dirname(PATH));
    const left = disk.afterPowerLoss(createRandom(seed));
    expect(left.contents(PATH)).toHaveLength(0);
    file.close();
  }
});
