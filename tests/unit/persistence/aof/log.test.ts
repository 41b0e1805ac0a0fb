import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { Address } from "../../../../core-wasm/abi.ts";
import { createMemory } from "../../../../server/core/memory.ts";
import { FileSet } from "../../../../server/persistence/aof/file-set.ts";
import { Log } from "../../../../server/persistence/aof/log.ts";
import { LogFile } from "../../../../server/persistence/aof/log-file.ts";
import type { SyncPolicy } from "../../../../server/persistence/aof/log-options.ts";
import { commandsOf } from "../../../support/dataset.ts";
import { frame } from "../../../support/reference.ts";
import { diskError, SimDisk, type Step } from "../../../support/sim-disk.ts";

const NAMES = { dir: "/log", prefix: "a" };
const FIRST = "/log/a.1.incr.aof";
const SECOND = "/log/a.2.incr.aof";
const GATHERED_MAX_BYTES = 4 << 20;
const memory = createMemory();

let disk: SimDisk;
let files: FileSet;
let log: Log;
let nowMs: number;
let policy: SyncPolicy;
let syncsRest: boolean;
let timestamps: boolean;
let wantsRewrite: number;
let restartedBehind: number[];
let refused: boolean;
/** Up to here replies may leave, as the log said last. */
let safe: number;
let givenUp: number;
/** What the server has run. */
let commandsRun: number;
/** Syncs that the core was told of. */
let begunSyncs: number;
/** Work off the thread that has not been done yet; null = it is done at once. */
let waiting: (() => void)[] | null;

beforeEach(() => {
  jest.useFakeTimers();
  waiting = null;
  disk = new SimDisk();
  disk.later = (work) => (waiting === null ? work() : void waiting.push(work));
  files = FileSet.read(disk, NAMES);
  nowMs = 1_700_000_000_000;
  policy = "always";
  syncsRest = false;
  timestamps = false;
  wantsRewrite = 0;
  restartedBehind = [];
  refused = false;
  safe = 0;
  givenUp = 0;
  begunSyncs = 0;
  commandsRun = 0;
  const entry = files.nextIncremental();
  files.replaceNow([entry]);
  begin(LogFile.create(disk, files.pathOf(entry), entry), false);
});
afterEach(() => {
  log.abandon();
  jest.useRealTimers();
});

function begin(file: LogFile, isProvisional: boolean): void {
  const nothing = () => {};
  log = new Log(
    {
      core: { memory, trackWrites: nothing, syncBegins: () => begunSyncs++, syncEnds: nothing },
      files,
      clock: { nowMs: () => nowMs, monotonicUs: () => nowMs * 1000, wallMs: () => nowMs },
      log: nothing,
      policy: () => policy,
      timestamps: () => timestamps,
      syncsRest: () => syncsRest,
      wantTurn: nothing,
      commandsRun: () => commandsRun,
      gatheredMaxBytes: GATHERED_MAX_BYTES,
      wantRewrite: () => wantsRewrite++,
      restarted: (behind) => restartedBehind.push(behind),
      guarded: (work) => work(),
    },
    file,
    isProvisional,
    1,
  );
  log.onRefusal = (value) => {
    refused = value;
  };
  log.onSafe = (point) => {
    safe = point;
  };
  log.onGivenUp = () => givenUp++;
}

/** Logs a command and ends the turn. @returns the point that its reply waits for */
function turn(command: string): number {
  const point = write(command);
  safe = log.endTurn()!;
  return point;
}

function write(command: string): number {
  const bytes = frame(command.split(" "));
  memory.u8.set(bytes, Address.Input);
  const { point } = log;
  log.frames(0, Address.Input, bytes.length, 1);
  log.settle();
  return point;
}

/** Lets promises that can be settled settle. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** The same after the work off the thread is done. */
async function finish(): Promise<void> {
  await settle();
  while (waiting !== null && waiting.length > 0) {
    waiting.shift()!();
    await settle();
  }
}

async function advance(ms: number): Promise<void> {
  // Timers of a hundred milliseconds see the clock as it is then.
  for (let passed = 0; passed < ms; passed += 100) {
    nowMs += 100;
    jest.advanceTimersByTime(100);
    await settle();
  }
}

function fail(kind: Step["kind"], code: string, path?: string): void {
  disk.before = (step) => {
    if (step.kind === kind && (path === undefined || step.path === path)) throw diskError(code);
  };
}

function heal(): void {
  disk.before = () => {};
}

const commandsIn = (path: string) =>
  commandsOf(disk.contents(path))
    .map((words) => words.join(" "))
    .filter((command) => !command.startsWith("SELECT"));
const firstLine = (path: string) => Buffer.from(disk.contents(path)).toString().split("\r\n")[0];

describe("under always", () => {
  test("what waits for a sync is no reason for another turn, what comes behind it is", async () => {
    waiting = [];
    turn("SET a 1");
    expect(log.hasNews).toBe(false);
    write("SET a 2");
    expect(log.hasNews).toBe(true);
    log.endTurn();
    expect(log.hasNews).toBe(false);
    await finish();
    await finish();
    expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2"]);
  });

  test("what no sync covers is not safe at once, what came before it is", async () => {
    waiting = [];
    const first = turn("SET a 1");
    expect(log.safeAtOnce).toBeLessThan(first);
    await finish();
    expect(log.safeAtOnce).toBeGreaterThanOrEqual(first);
    const second = write("SET a 2");
    expect(log.safeAtOnce).toBe(first);
    log.endTurn();
    expect(log.safeAtOnce).toBeLessThan(second);
    await finish();
    expect(log.safeAtOnce).toBeGreaterThanOrEqual(second);
  });

  test("replies wait for the sync that covers their block", async () => {
    waiting = [];
    const first = turn("SET k 1");
    expect(commandsIn(FIRST)).toEqual(["SET k 1"]);
    await settle();
    expect(safe).toBeLessThan(first);
    await finish();
    expect(safe).toBeGreaterThanOrEqual(first);
    expect(disk.syncs).toBeGreaterThan(0);
  });

  test("what comes while a sync runs is the next group: one write, one sync", async () => {
    waiting = [];
    const first = turn("SET k 1");
    const second = [turn("SET k 2"), turn("SET k 3"), turn("SET k 4")];
    expect(new Set(second)).toEqual(new Set([first + 1]));
    expect(commandsIn(FIRST)).toEqual(["SET k 1"]);
    const before = disk.syncs;
    waiting.shift()!();
    await settle();
    expect(safe).toBe(first);
    expect(commandsIn(FIRST)).toEqual(["SET k 1", "SET k 2", "SET k 3", "SET k 4"]);
    await finish();
    expect(safe).toBeGreaterThan(first);
    expect(disk.syncs).toBe(before + 2);
  });

  test("one sync runs at a time, also where a change of files asks for one", async () => {
    turn("SET a 1");
    await settle();
    changeFiles();
    const entry = files.nextIncremental();
    files.replaceNow([...files.files, entry]);
    log.switchTo(LogFile.create(disk, files.pathOf(entry), entry), () => {});
    waiting = [];
    begunSyncs = 0;
    const point = turn("SET a 2");
    expect(begunSyncs).toBe(1);
    expect(waiting).toHaveLength(1);
    await finish();
    expect(log.sequence).toBe(3);
    expect(safe).toBeGreaterThanOrEqual(point);
  });

  describe("on a disk that has shown itself as fast", () => {
    beforeEach(async () => {
      for (let i = 0; i < 20; i++) {
        turn("SET warm 1");
        await settle();
      }
    });

    test("the sync runs on the thread: replies leave in the turn that wrote", () => {
      const { syncs } = disk;
      expect(turn("SET k 1")).toBeLessThanOrEqual(safe);
      expect(disk.syncs).toBe(syncs + 1);
      expect(log.isBusy).toBe(false);
    });

    test("it runs off the thread in a turn that mostly reads, and where it takes long", () => {
      waiting = [];
      commandsRun += 5;
      expect(turn("SET k 1")).toBeGreaterThan(safe);
      expect(log.isBusy).toBe(true);
    });

    test("the turn goes on while more is likely to come, and the sync covers all of it", () => {
      const { syncs } = disk;
      const first = write("SET k 1");
      expect(log.endTurn(true)).toBeNull();
      const second = write("SET k 2");
      expect(log.endTurn(true)).toBeNull();
      nowMs++;
      expect(log.endTurn(true)).toBeGreaterThanOrEqual(second);
      expect(second).toBe(first);
      expect(disk.syncs).toBe(syncs + 1);
      // Both are expected from now on, or nearly.
      write("SET k 3");
      write("SET k 4");
      expect(log.endTurn(true)).not.toBeNull();
    });

    test("a sync that fails there has what it may have lost written to a fresh file", async () => {
      disk.before = ({ kind, path }) => {
        if (kind === "sync" && path === FIRST) throw diskError("EIO");
      };
      const point = turn("SET k 1");
      expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: Input/output error");
      expect(safe).toBeLessThan(point);
      await advance(100);
      expect(safe).toBeGreaterThanOrEqual(point);
      expect(commandsIn(SECOND)).toEqual(["SET k 1"]);
    });
  });

  test("a block that the disk does not take is kept, and written once it does", async () => {
    turn("SET a 1");
    await settle();
    const { size } = log;
    fail("write", "ENOSPC");
    const second = turn("SET a 2");
    expect(refused).toBe(true);
    expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: No space left on device");
    expect(disk.size(FIRST)).toBe(size);
    await advance(1000);
    expect(safe).toBeLessThan(second);
    heal();
    await advance(100);
    expect(safe).toBeGreaterThanOrEqual(second);
    expect(refused).toBe(false);
    expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2"]);
  });

  test("after five seconds those who wait are given up, but the block is still kept", async () => {
    fail("write", "ENOSPC");
    const point = turn("SET a 1");
    await advance(4900);
    expect(givenUp).toBe(0);
    await advance(300);
    expect(givenUp).toBe(1);
    expect(safe).toBeLessThan(point);
    heal();
    await advance(100);
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
  });

  test("a file whose sync failed is never synced again: what it may have lost goes to a fresh one", async () => {
    turn("SET a 1");
    await settle();
    const { size } = log;
    let failures = 0;
    disk.before = ({ kind, path }) => {
      if (kind === "sync" && path === FIRST && ++failures > 0) throw diskError("EIO");
    };
    const second = turn("SET a 2");
    await settle();
    expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: Input/output error");
    expect(safe).toBeLessThan(second);
    await advance(100);
    expect(safe).toBeGreaterThanOrEqual(second);
    expect(failures).toBe(1);
    expect(files.current.map(({ name }) => name)).toEqual(["a.1.incr.aof", "a.2.incr.aof"]);
    expect(firstLine(SECOND)).toStartWith(`#PREV:1:${size}:`);
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
    expect(commandsIn(SECOND)).toEqual(["SET a 2"]);
    expect(restartedBehind).toEqual([1]);
    turn("SET a 3");
    expect(commandsIn(SECOND)).toEqual(["SET a 2", "SET a 3"]);
    expect(Buffer.from(disk.contents(SECOND)).toString()).toContain("SELECT");
  });

  test("while the fresh file cannot be put in force there is one, however often that is tried", async () => {
    turn("SET a 1");
    await settle();
    disk.before = ({ kind, path }) => {
      if (kind === "sync" && path === FIRST) throw diskError("EIO");
      if (kind === "syncDirectory") throw diskError("EIO");
    };
    turn("SET a 2");
    await advance(2000);
    expect(refused).toBe(true);
    expect(disk.list(NAMES.dir).sort()).toEqual(["a.1.incr.aof", "a.2.incr.aof", "a.manifest"]);
    heal();
    await advance(100);
    expect(refused).toBe(false);
    expect(files.current.map(({ name }) => name)).toEqual(["a.1.incr.aof", "a.2.incr.aof"]);
    expect([...commandsIn(FIRST), ...commandsIn(SECOND)]).toEqual(["SET a 1", "SET a 2"]);
  });

  test("a timer begins no sync of what is gathered: the end of the turn does", async () => {
    policy = "everysec";
    turn("SET a 1");
    policy = "always";
    write("SET a 2");
    const before = begunSyncs;
    await advance(1000);
    expect(begunSyncs).toBe(before);
    log.endTurn();
    expect(begunSyncs).toBe(before + 1);
  });

  test("whoever asks for it gets what is written synced at once", async () => {
    policy = "everysec";
    const point = turn("SET a 1");
    expect(log.isSynced(point)).toBe(false);
    policy = "always";
    log.policyChanged();
    await settle();
    expect(log.isSynced(point)).toBe(true);
  });

  test("a disk that does not answer while very much is gathered has writes refused until it does", async () => {
    waiting = [];
    turn("SET a 1");
    const value = "x".repeat(GATHERED_MAX_BYTES);
    turn(`SET a ${value}`);
    expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: the disk does not answer");
    expect(disk.size(FIRST)).toBeLessThan(value.length);
    await finish();
    await advance(100);
    await finish();
    expect(refused).toBe(false);
    expect(disk.size(FIRST)).toBeGreaterThan(value.length);
    expect(safe).toBe(log.point);
  });

  test("no-appendfsync-on-rewrite lets syncs rest during a rewrite", async () => {
    syncsRest = true;
    const before = disk.syncs;
    const first = turn("SET a 1");
    expect(safe).toBeGreaterThanOrEqual(first);
    await settle();
    expect(disk.syncs).toBe(before);
    syncsRest = false;
    const second = turn("SET a 2");
    expect(safe).toBeLessThan(second);
    await settle();
    expect(safe).toBeGreaterThanOrEqual(second);
    expect(disk.syncs).toBe(before + 1);
  });
});

describe("under everysec", () => {
  beforeEach(() => {
    policy = "everysec";
  });

  /** The next second's sync runs, and the write of "SET a 1" waits for it. */
  async function slowWriteDuringSync(): Promise<void> {
    await advance(1000);
    expect(log.pendingSyncs).toBe(1);
    disk.before = ({ kind }) => {
      if (kind === "write") nowMs += 30;
    };
    turn("SET a 1");
    heal();
    await finish();
  }

  test("a block is in the kernel before its replies leave, also while a sync runs", async () => {
    waiting = [];
    const first = turn("SET a 1");
    expect(safe).toBeGreaterThanOrEqual(first);
    await advance(1000);
    expect(log.pendingSyncs).toBe(1);
    const second = turn("SET a 2");
    expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2"]);
    expect(safe).toBeGreaterThanOrEqual(second);
    await finish();
    expect(log.isSynced(first)).toBe(true);
    expect(log.isSynced(second)).toBe(false);
  });

  test("a block that was written while a sync ran that failed is not lost either", async () => {
    waiting = [];
    turn("SET a 1");
    await advance(1000);
    turn("SET a 2");
    fail("sync", "EIO", FIRST);
    await finish();
    expect(refused).toBe(true);
    await advance(100);
    expect(refused).toBe(false);
    expect(commandsIn(SECOND)).toEqual(["SET a 1", "SET a 2"]);
  });

  test("where a write was seen to wait for a sync, the thread does not, and its replies wait for it", async () => {
    waiting = [];
    const first = turn("SET a 0");
    expect(safe).toBeGreaterThanOrEqual(first);
    await slowWriteDuringSync();
    await advance(1000);
    expect(log.pendingSyncs).toBe(1);
    const second = turn("SET a 2");
    const third = turn("SET a 3");
    expect(commandsIn(FIRST)).toEqual(["SET a 0", "SET a 1"]);
    expect(safe).toBeLessThan(second);
    // The write, which this time need not wait for the sync.
    waiting.pop()!();
    await settle();
    expect(safe).toBe(second);
    expect(commandsIn(FIRST)).toEqual(["SET a 0", "SET a 1", "SET a 2"]);
    await finish();
    expect(safe).toBeGreaterThanOrEqual(third);
    expect(commandsIn(FIRST)).toEqual(["SET a 0", "SET a 1", "SET a 2", "SET a 3"]);
    expect(log.delayedWrites).toBe(0);
  });

  test("after two seconds replies leave without it, which is counted", async () => {
    waiting = [];
    turn("SET a 0");
    await slowWriteDuringSync();
    await advance(1000);
    const second = turn("SET a 2");
    await advance(1900);
    expect(safe).toBeLessThan(second);
    expect(log.delayedWrites).toBe(0);
    await advance(1100);
    expect(safe).toBeGreaterThan(second);
    expect(log.delayedWrites).toBe(1);
    await finish();
    expect(commandsIn(FIRST)).toEqual(["SET a 0", "SET a 1", "SET a 2"]);
    expect(log.pendingSyncs).toBe(0);
  });

  test("nothing is safe at once while something is gathered, or on its way to the kernel", async () => {
    waiting = [];
    expect(log.safeAtOnce).toBeGreaterThanOrEqual(turn("SET a 0"));
    const point = write("SET a 1");
    expect(log.safeAtOnce).toBe(Number.NEGATIVE_INFINITY);
    log.endTurn();
    expect(log.safeAtOnce).toBeGreaterThanOrEqual(point);
    await slowWriteDuringSync();
    await advance(1000);
    expect(log.safeAtOnce).toBeGreaterThan(point);
    turn("SET a 3");
    expect(log.safeAtOnce).toBe(Number.NEGATIVE_INFINITY);
    await finish();
    expect(log.safeAtOnce).toBeGreaterThan(point);
  });

  test("a write behind a sync that fails is kept in front of what came after it", async () => {
    waiting = [];
    turn("SET a 0");
    await slowWriteDuringSync();
    await advance(1000);
    turn("SET a 2");
    turn("SET a 3");
    fail("write", "ENOSPC");
    waiting.pop()!();
    await settle();
    expect(refused).toBe(true);
    heal();
    await finish();
    await advance(200);
    expect(refused).toBe(false);
    expect(commandsIn(FIRST)).toEqual(["SET a 0", "SET a 1", "SET a 2", "SET a 3"]);
  });

  test("replies leave although the disk is full, writes are refused from then on", async () => {
    fail("write", "ENOSPC");
    const point = turn("SET a 1");
    expect(safe).toBeGreaterThanOrEqual(point);
    expect(refused).toBe(true);
    heal();
    await advance(100);
    expect(refused).toBe(false);
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
  });

  test("with two files the one before is synced first", async () => {
    turn("SET a 1");
    const entry = files.nextIncremental();
    const next = LogFile.create(disk, files.pathOf(entry), entry);
    let switched = false;
    log.switchTo(next, () => {
      switched = true;
    });
    log.endTurn();
    expect(switched).toBe(true);
    const order: string[] = [];
    disk.before = ({ kind, path }) => {
      if (kind === "sync") order.push(path);
    };
    turn("SET a 2");
    await advance(1000);
    expect(order).toEqual([FIRST, SECOND]);
  });

  test("they are both synced before a third is gone on in", async () => {
    turn("SET a 1");
    changeFiles();
    turn("SET a 2");
    const order = syncsFrom();
    changeFiles();
    expect(order).toEqual([FIRST]);
    await settle();
    expect(order).toEqual([FIRST, SECOND]);
    expect(log.sequence).toBe(3);
  });

  test("more than 64 MiB that no sync covers is not kept: a failed sync asks for a rewrite", async () => {
    const value = "x".repeat(3 << 20);
    for (let i = 0; i < 22; i++) turn(`SET a ${value}`);
    fail("sync", "EIO", FIRST);
    await advance(1000);
    expect(refused).toBe(true);
    await advance(200);
    expect(wantsRewrite).toBeGreaterThan(0);
    expect(log.needsNewBase).toBe(true);
    const entry = files.nextIncremental();
    log.replaceBy(LogFile.create(disk, files.pathOf(entry), entry));
    heal();
    await advance(500);
    expect(refused).toBe(true);
    log.rebased(true);
    expect(refused).toBe(false);
  });
});

test("what was written before syncs were asked for is not kept either: one that fails asks for a rewrite", async () => {
  policy = "no";
  turn("SET a 1");
  policy = "everysec";
  turn("SET a 2");
  fail("sync", "EIO", FIRST);
  await advance(1200);
  expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: Input/output error");
  expect(wantsRewrite).toBeGreaterThan(0);
  expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2"]);
});

describe("what was written under `no`", () => {
  beforeEach(() => {
    policy = "no";
    turn("SET a 1");
  });

  test("is synced before anything is safe once syncs are asked for, also in a file before", async () => {
    changeFiles();
    turn("SET a 2");
    const order = syncsFrom();
    waiting = [];
    policy = "always";
    const point = turn("SET a 3");
    log.policyChanged();
    await finish();
    expect(order).toEqual([FIRST, SECOND]);
    expect(safe).toBeGreaterThanOrEqual(point);
  });

  test("is no hindrance to another change of files", async () => {
    changeFiles();
    turn("SET a 2");
    const order = syncsFrom();
    changeFiles();
    await settle();
    expect(order).toEqual([FIRST, SECOND]);
    expect(log.sequence).toBe(3);
    turn("SET a 3");
    expect(order).toHaveLength(2);
  });
});

/** Files in the order in which they are synced from here on. */
function syncsFrom(): string[] {
  const order: string[] = [];
  disk.before = ({ kind, path }) => {
    if (kind === "sync" && path.endsWith(".incr.aof")) order.push(path);
  };
  return order;
}

/** Neither a write nor the cut behind it succeeds: the file is dead. */
function breakFile(path: string): void {
  disk.before = (step) => {
    const breaks = step.kind === "write" || step.kind === "truncate";
    if (breaks && step.path === path) throw diskError("EIO");
  };
}

/** Goes on in another file at the end of a turn. */
function changeFiles(): void {
  const entry = files.nextIncremental();
  files.replaceNow([...files.files, entry]);
  log.switchTo(LogFile.create(disk, files.pathOf(entry), entry), () => {});
  log.endTurn();
}

const wordsIn = (path: string) => commandsOf(disk.contents(path)).map((words) => words.join(" "));

describe("found by histories of tests/sim", () => {
  test("whoever asks for syncs in a failure has no dead file synced", async () => {
    policy = "everysec";
    turn("SET a 1");
    fail("sync", "EIO");
    await advance(1000);
    expect(refused).toBe(true);
    const order = syncsFrom();
    policy = "always";
    log.policyChanged();
    await finish();
    expect(log.isSynced(1)).toBe(false);
    await advance(200);
    expect(order).not.toContain(FIRST);
    expect(log.isSynced(1)).toBe(true);
    expect(commandsIn(SECOND)).toEqual(["SET a 1"]);
  });

  test("nothing is kept under `no`: a dead file asks for a rewrite, and is not cut", async () => {
    policy = "no";
    turn("SET a 1");
    breakFile(FIRST);
    turn("SET a 2");
    heal();
    await advance(300);
    expect(wantsRewrite).toBeGreaterThan(0);
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
  });

  test("a kept block that goes to a fresh file finds its database selected there", async () => {
    const bytes = frame(["SET", "a", "1"]);
    memory.u8.set(bytes, Address.Input);
    for (let i = 0; i < 2; i++) {
      log.frames(2, Address.Input, bytes.length, 1);
      log.settle();
      log.endTurn();
      await finish();
      breakFile(FIRST);
    }
    heal();
    await advance(100);
    expect(wordsIn(SECOND)).toEqual(["SELECT 2", "SET a 1"]);
  });

  test("what is in a new base does not come again behind it", async () => {
    policy = "everysec";
    turn("SET a 1");
    changeFiles();
    turn("SET a 2");
    log.rebased(true);
    breakFile(SECOND);
    turn("SET a 3");
    heal();
    await advance(100);
    expect(commandsIn("/log/a.3.incr.aof")).toEqual(["SET a 2", "SET a 3"]);
  });

  test("what the file before has for certain does not come again if the sync of the next fails", async () => {
    policy = "everysec";
    turn("SET a 1");
    changeFiles();
    turn("SET a 2");
    fail("sync", "EIO", SECOND);
    await advance(1000);
    heal();
    await advance(200);
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
    expect(commandsIn("/log/a.3.incr.aof")).toEqual(["SET a 2"]);
  });

  describe("a sync beside another, of a block over room that was written under `always`, and another block behind it", () => {
    let first: number;
    beforeEach(() => {
      waiting = [];
      first = turn("SET a 1");
      policy = "everysec";
      log.policyChanged();
    });

    test("if both go well, all is there", async () => {
      const order = syncsFrom();
      const second = turn("SET a 2");
      expect(order).toEqual([FIRST]);
      expect(safe).toBeGreaterThanOrEqual(second);
      expect(log.isSynced(first)).toBe(false);
      await finish();
      expect(log.isSynced(first)).toBe(true);
      expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2"]);
    });

    test("if it fails, the other one is not believed", async () => {
      fail("sync", "EIO", FIRST);
      turn("SET a 2");
      expect(refused).toBe(true);
      heal();
      await finish();
      expect(log.isSynced(first)).toBe(false);
      await advance(100);
      expect(commandsIn(SECOND)).toEqual(["SET a 1", "SET a 2"]);
    });

    test("if the other one fails, it is not believed", async () => {
      turn("SET a 2");
      fail("sync", "EIO", FIRST);
      await finish();
      expect(refused).toBe(true);
      heal();
      await advance(100);
      expect(commandsIn(SECOND)).toEqual(["SET a 1", "SET a 2"]);
    });
  });

  test.each([
    [FIRST, 1],
    [SECOND, 2],
  ])(
    "what was written beside the sync of two files comes once, if that of %s fails",
    async (path, followed) => {
      policy = "everysec";
      turn("SET a 1");
      changeFiles();
      policy = "always";
      waiting = [];
      turn("SET a 2");
      policy = "everysec";
      log.policyChanged();
      turn("SET a 3");
      fail("sync", "EIO", path);
      await finish();
      heal();
      await advance(100);
      const third = "/log/a.3.incr.aof";
      expect(firstLine(third)).toStartWith(`#PREV:${followed}:`);
      const before =
        followed === 1 ? commandsIn(FIRST) : [...commandsIn(FIRST), ...commandsIn(SECOND)];
      expect([...before, ...commandsIn(third)]).toEqual(["SET a 1", "SET a 2", "SET a 3"]);
    },
  );

  test("a file that was dead before a sync of it ended keeps the cause", async () => {
    policy = "everysec";
    waiting = [];
    turn("SET a 1");
    await advance(1000);
    expect(log.pendingSyncs).toBe(1);
    disk.before = ({ kind }) => {
      if (kind === "write" || kind === "truncate") throw diskError("ENOSPC");
    };
    turn("SET a 2");
    const refusal = log.refusal();
    expect(refusal).toContain("No space left on device");
    await finish();
    expect(log.refusal()).toBe(refusal);
    heal();
    await advance(100);
    expect(commandsIn(SECOND)).toEqual(["SET a 1", "SET a 2"]);
  });
});

test("aof-timestamp-enabled writes the second in front of the first block in it", async () => {
  timestamps = true;
  policy = "no";
  turn("SET a 1");
  turn("SET a 2");
  await advance(1000);
  turn("SET a 3");
  const text = Buffer.from(disk.contents(FIRST)).toString();
  expect(text.replace(/#CRC:.*\r\n/g, "").split(/(?=#TS)/)).toEqual([
    expect.stringMatching(/^#TS:1700000000\r\n[^#]*a[^#]*1\r\n[^#]*2\r\n$/),
    expect.stringMatching(/^#TS:1700000001\r\n[^#]*3\r\n$/),
  ]);
});

test("a directory that has gone is noticed within a second, and a rewrite is asked for", async () => {
  policy = "no";
  turn("SET a 1");
  disk.remove(FIRST);
  await advance(1200);
  expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: No such file or directory");
  expect(wantsRewrite).toBeGreaterThan(0);
});
