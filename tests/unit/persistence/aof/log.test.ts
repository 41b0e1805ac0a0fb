import { afterEach, beforeEach, describe, expect, jest, test } from "bun:test";
import { Address } from "../../../../core-wasm/abi.ts";
import { type CoreMemory, createMemory } from "../../../../server/core/memory.ts";
import { FileSet } from "../../../../server/persistence/aof/file-set.ts";
import { Log, type SyncPolicy } from "../../../../server/persistence/aof/log.ts";
import { LogFile } from "../../../../server/persistence/aof/log-file.ts";
import { commandsOf } from "../../../support/dataset.ts";
import { frame } from "../../../support/reference.ts";
import { diskError, SimDisk, type Step } from "../../../support/sim-disk.ts";

const NAMES = { dir: "/log", prefix: "a" };
const FIRST = "/log/a.1.incr.aof";
const memory: CoreMemory = createMemory();

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
let released: string[];

beforeEach(() => {
  jest.useFakeTimers();
  disk = new SimDisk();
  files = FileSet.read(disk, NAMES);
  nowMs = 1_700_000_000_000;
  policy = "always";
  syncsRest = false;
  timestamps = false;
  wantsRewrite = 0;
  restartedBehind = [];
  refused = false;
  released = [];
  const entry = files.nextIncremental();
  files.replaceNow([entry]);
  begin(LogFile.create(disk, files.pathOf(entry), entry), false);
});
afterEach(() => {
  log.abandon();
  jest.useRealTimers();
});

function begin(file: LogFile, isProvisional: boolean): void {
  log = new Log(
    {
      memory,
      files,
      clock: { nowMs: () => nowMs, monotonicUs: () => nowMs * 1000, wallMs: () => nowMs },
      log: () => {},
      policy: () => policy,
      timestamps: () => timestamps,
      syncsRest: () => syncsRest,
      wantTurn: () => {},
      wantRewrite: () => wantsRewrite++,
      restarted: (behind) => restartedBehind.push(behind),
    },
    file,
    isProvisional,
    1,
  );
  log.onRefusal = (value) => {
    refused = value;
  };
  log.onRelease = (verdict) => released.push(verdict);
}

/** Logs a command and ends the turn. */
function turn(command: string): "send" | "hold" {
  const bytes = frame(command.split(" "));
  memory.u8.set(bytes, Address.Input);
  log.frame(0, Address.Input, bytes.length);
  log.settle();
  return log.endTurn();
}

function advance(ms: number): void {
  nowMs += ms;
  jest.advanceTimersByTime(ms);
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
  test("each turn's block is synced before its replies leave", () => {
    for (let i = 1; i <= 3; i++) {
      const before = disk.syncs;
      expect(turn(`SET k ${i}`)).toBe("send");
      expect(disk.syncs).toBe(before + 1);
    }
    expect(commandsIn(FIRST)).toEqual(["SET k 1", "SET k 2", "SET k 3"]);
  });

  test("a block that the disk does not take is kept, and written once it does", () => {
    turn("SET a 1");
    const size = disk.size(FIRST);
    fail("write", "ENOSPC");
    expect(turn("SET a 2")).toBe("hold");
    expect(refused).toBe(true);
    expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: No space left on device");
    expect(disk.size(FIRST)).toBe(size);
    advance(1000);
    expect(released).toEqual([]);
    heal();
    advance(100);
    expect(released).toEqual(["send"]);
    expect(refused).toBe(false);
    expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2"]);
  });

  test("after five seconds those who wait are disconnected, but the block is still kept", () => {
    fail("write", "ENOSPC");
    expect(turn("SET a 1")).toBe("hold");
    advance(4900);
    expect(released).toEqual([]);
    advance(300);
    expect(released).toEqual(["close"]);
    heal();
    advance(100);
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
  });

  test("a file whose sync failed is never synced again: what it may have lost goes to a fresh one", () => {
    turn("SET a 1");
    const safe = disk.size(FIRST);
    let failures = 0;
    disk.before = ({ kind, path }) => {
      if (kind === "sync" && path === FIRST && ++failures > 0) throw diskError("EIO");
    };
    expect(turn("SET a 2")).toBe("hold");
    expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: Input/output error");
    advance(100);
    expect(released).toEqual(["send"]);
    expect(failures).toBe(1);
    expect(files.current.map(({ name }) => name)).toEqual(["a.1.incr.aof", "a.2.incr.aof"]);
    expect(firstLine("/log/a.2.incr.aof")).toStartWith(`#PREV:1:${safe}:`);
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
    expect(commandsIn("/log/a.2.incr.aof")).toEqual(["SET a 2"]);
    expect(restartedBehind).toEqual([1]);
    turn("SET a 3");
    expect(commandsIn("/log/a.2.incr.aof")).toEqual(["SET a 2", "SET a 3"]);
  });

  test("no-appendfsync-on-rewrite lets syncs rest during a rewrite", () => {
    syncsRest = true;
    const before = disk.syncs;
    expect(turn("SET a 1")).toBe("send");
    expect(disk.syncs).toBe(before);
    syncsRest = false;
    turn("SET a 2");
    expect(disk.syncs).toBe(before + 1);
  });
});

describe("under everysec", () => {
  let waiting: (() => void)[];
  beforeEach(() => {
    policy = "everysec";
    waiting = [];
    disk.later = (work) => waiting.push(work);
  });

  async function finishSyncs(): Promise<void> {
    while (waiting.length > 0) {
      waiting.shift()!();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
  }

  test("a write waits for a sync in flight, two seconds at most, and is counted then", async () => {
    turn("SET a 1");
    advance(1000);
    expect(log.pendingSyncs).toBe(1);
    expect(turn("SET a 2")).toBe("send");
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
    advance(1900);
    expect(turn("SET a 3")).toBe("send");
    expect(commandsIn(FIRST)).toEqual(["SET a 1"]);
    expect(log.delayedWrites).toBe(0);
    advance(200);
    expect(turn("SET a 4")).toBe("send");
    expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2", "SET a 3", "SET a 4"]);
    expect(log.delayedWrites).toBe(1);
    await finishSyncs();
    expect(log.pendingSyncs).toBe(0);
  });

  test("what was put off is written when the sync is done, though no turn follows", async () => {
    turn("SET a 1");
    advance(1000);
    turn("SET a 2");
    await finishSyncs();
    expect(commandsIn(FIRST)).toEqual(["SET a 1", "SET a 2"]);
  });

  test("replies leave although the disk is full, writes are refused from then on", () => {
    fail("write", "ENOSPC");
    expect(turn("SET a 1")).toBe("send");
    expect(refused).toBe(true);
    heal();
    advance(100);
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
    advance(1000);
    await finishSyncs();
    expect(order).toEqual([FIRST, "/log/a.2.incr.aof"]);
  });

  test("more than 64 MiB that no sync covers is not kept: a failed sync asks for a rewrite", async () => {
    const value = "x".repeat(3 << 20);
    for (let i = 0; i < 22; i++) turn(`SET a ${value}`);
    fail("sync", "EIO", FIRST);
    advance(1000);
    await finishSyncs();
    expect(refused).toBe(true);
    advance(200);
    expect(wantsRewrite).toBeGreaterThan(0);
    expect(log.needsNewBase).toBe(true);
    const entry = files.nextIncremental();
    log.replaceBy(LogFile.create(disk, files.pathOf(entry), entry));
    heal();
    advance(500);
    expect(refused).toBe(true);
    log.rebased();
    expect(refused).toBe(false);
  });
});

test("aof-timestamp-enabled writes the second in front of the first block in it", () => {
  timestamps = true;
  turn("SET a 1");
  turn("SET a 2");
  advance(1000);
  turn("SET a 3");
  const text = Buffer.from(disk.contents(FIRST)).toString();
  expect(text.replace(/#CRC:.*\r\n/g, "").split(/(?=#TS)/)).toEqual([
    expect.stringMatching(/^#TS:1700000000\r\n[^#]*a[^#]*1\r\n[^#]*2\r\n$/),
    expect.stringMatching(/^#TS:1700000001\r\n[^#]*3\r\n$/),
  ]);
});

test("a directory that has gone is noticed within a second, and a rewrite is asked for", () => {
  policy = "no";
  turn("SET a 1");
  disk.remove(FIRST);
  advance(1100);
  expect(log.refusal()).toBe("MISCONF Errors writing to the AOF file: No such file or directory");
  expect(wantsRewrite).toBeGreaterThan(0);
});
