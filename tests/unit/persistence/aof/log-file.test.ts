import { beforeEach, describe, expect, test } from "bun:test";
import { dirname } from "node:path";
import { crcLine } from "../../../../server/persistence/aof/annotations.ts";
import { closable, LogFile } from "../../../../server/persistence/aof/log-file.ts";
import type { ManifestFile } from "../../../../server/persistence/aof/manifest.ts";
import { contentsOf } from "../../../../server/persistence/aof/room.ts";
import type { Disk } from "../../../../server/persistence/disk.ts";
import { guarded } from "../../../support/guarded-log.ts";
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

/** What is to be written. */
const block = (text: string) => closable(Buffer.from(text));

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
  sim.before = ({ kind }) => {
    calls.push(kind);
    if (kind === "write") throw diskError("EIO");
  };
  const writing = file.appendLater(block("x"));
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

test("the system need not hold in memory what a sync has covered", () => {
  const file = LogFile.create(disk, PATH, ENTRY);
  const add = (bytes: number) => file.append(block(`#${"x".repeat(bytes)}\n`));
  add(2_500_000);
  add(100);
  expect(sim.dropped.get(PATH)).toBeUndefined();
  file.sync();
  add(2_500_000);
  expect(sim.dropped.get(PATH)).toBe(2 << 20);
  file.sync();
  for (let i = 0; i < 5; i++) add(100);
  expect(sim.dropped.get(PATH)).toBe(4 << 20);
});

describe("with room behind the contents", () => {
  const text = () => Buffer.from(sim.contents(PATH)).toString("latin1");
  const inFile = () => text().slice(0, contentsOf(sim.open(PATH, "read")).size);
  let file: LogFile;
  beforeEach(() => {
    file = LogFile.create(disk, PATH, ENTRY);
  });
  const add = (name: string) => {
    file.append(block(`#${name}\n`), true);
    file.sync();
  };

  test("blocks are written over it, and more is made when it is used up", () => {
    const sizes = new Set<number>();
    const blocks: string[] = [];
    for (let i = 0; i < 400; i++) {
      blocks.push(`#${"x".repeat(i % 90)}\n`);
      add("x".repeat(i % 90));
      sizes.add(sim.size(PATH));
      expect(inFile()).toBe(guarded(...blocks));
      expect(file.size).toBe(inFile().length);
      expect(text().slice(file.size)).toMatch(/^(#.*\n)+$/);
    }
    expect(sizes.size).toBeGreaterThan(3);
    expect(sizes.size).toBeLessThan(12);
  });

  test("its last line stays whole, however much of it is used up", () => {
    const most = 200;
    for (let left = 0; left < 80; left++) {
      const room = () => sim.size(PATH) - file.size;
      add("a");
      while (room() < most || room() > 2 * most) add("x".repeat(most));
      const lineBytes = crcLine(0, file.size + most).length;
      add("x".repeat(room() - left - lineBytes - "#\n".length));
      expect(text()).toEndWith("\n");
      expect(inFile()).toHaveLength(file.size);
    }
  });

  test("what is added without it does not come behind it, nor a block as long as it", async () => {
    add("a");
    file.append(block("#b\n"));
    expect(text()).toBe(guarded("#a\n", "#b\n"));
    file.sync();
    add("c");
    const writing = file.appendLater(block("#d\n"));
    await finish();
    await writing;
    expect(text()).toBe(guarded("#a\n", "#b\n", "#c\n", "#d\n"));
    file.sync();
    add("e");
    const long = "x".repeat(sim.roomBytes);
    add(long);
    expect(text()).toBe(guarded("#a\n", "#b\n", "#c\n", "#d\n", "#e\n", `#${long}\n`));
  });

  test("nothing is written to another file that has its name by now", () => {
    const open = sim.open.bind(sim);
    sim.open = (path, how) => Object.assign(open(path, how), { isAt: () => false });
    file = LogFile.create(disk, PATH, ENTRY);
    add("a");
    expect(text()).toBe(guarded("#a\n"));
  });

  test("what a write has left that failed goes with it", () => {
    add("a");
    sim.torn = (bytes) => bytes >> 1;
    sim.before = ({ kind }) => {
      if (kind === "write") throw diskError("ENOSPC");
    };
    expect(() => file.append(block("#b\n"), true)).toThrow("ENOSPC");
    expect(text()).toBe(guarded("#a\n"));
    sim.before = () => {};
    add("c");
    expect(inFile()).toBe(guarded("#a\n", "#c\n"));
  });

  test("a block counts though there is no room for room", () => {
    let writes = 0;
    sim.torn = (bytes) => bytes >> 1;
    sim.before = ({ kind }) => {
      if (kind === "write" && ++writes % 2 === 0) throw diskError("ENOSPC");
    };
    add("a");
    expect(writes).toBe(2);
    expect(inFile()).toBe(guarded("#a\n"));
  });

  test("it goes when the file is closed, but not behind what may have holes, and at the next start", () => {
    add("a");
    file.append(block("#b\n"), true);
    expect(file.mayHaveHoles).toBe(true);
    const left = sim.size(PATH);
    file.close();
    expect(sim.size(PATH)).toBe(left);
    const size = inFile().length;
    const again = LogFile.open(disk, PATH, ENTRY, { size, sum: 0 });
    expect(text()).toBe(guarded("#a\n", "#b\n"));
    again.append(block("#c\n"), true);
    again.sync();
    expect(again.mayHaveHoles).toBe(false);
    again.close();
    expect(text()).toHaveLength(again.size);
  });

  describe("a sync beside another", () => {
    let syncing: Promise<void>;
    let safeBefore: number;
    beforeEach(() => {
      add("a");
      file.append(block("#b\n"), true);
      safeBefore = file.safePart().size;
      syncing = file.syncLater();
    });
    const failSyncs = () => {
      sim.before = ({ kind }) => {
        if (kind === "sync") throw diskError("EIO");
      };
    };

    test("covers nothing by itself", async () => {
      file.sync(false);
      expect(file.isSynced).toBe(false);
      file.append(block("#c\n"), true);
      await finish();
      await syncing;
      expect(file.safePart().size).toBeGreaterThan(safeBefore);
      expect(file.isSynced).toBe(false);
      file.sync();
      expect(file.isSynced).toBe(true);
    });

    test("that fails leaves the other one in doubt", async () => {
      failSyncs();
      expect(() => file.sync(false)).toThrow("EIO");
      sim.before = () => {};
      const error = syncing.catch((cause) => cause);
      await finish();
      expect(await error).toMatchObject({ code: "EIO" });
      expect(file.safePart().size).toBe(safeBefore);
    });

    test("is in doubt if the other one fails", async () => {
      file.sync(false);
      failSyncs();
      const error = syncing.catch((cause) => cause);
      await finish();
      expect(await error).toMatchObject({ code: "EIO" });
      expect(file.isDead).toBe(true);
      expect(file.safePart().size).toBe(safeBefore);
    });
  });
});
