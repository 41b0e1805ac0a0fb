/**
 * What a disk can do to a log while the server runs: writes are refused with the cause, reads go on, the log can be loaded at any time, and
 * when the cause has ended writes are served again by themselves, with nothing lost. First on a disk in memory, then on real ones.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type DiskServer,
  type Loader,
  logPath,
  openLoader,
  startOnDisk,
  stateOf,
} from "../support/disk-server.ts";
import {
  expectHealedWithinASecondOfNotice,
  HEALED_MS,
  HEALING_FLAGS,
  instant,
} from "../support/healing.ts";
import { FROM_SOURCES, type Program, runProgram } from "../support/program.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";
import { diskError, SimDisk, type Step } from "../support/sim-disk.ts";

const OK = "+OK\r\n";
/** The server and the test share a thread: as long as one has none, the other has none. */
const TICK_MS = 100;

interface Fault {
  name: string;
  code: string;
  cause: string;
  kinds: readonly Step["kind"][];
  policies: readonly string[];
}

const ALL_POLICIES = ["always", "everysec", "no"];
const CHANGES: readonly Step["kind"][] = ["open", "write", "sync", "truncate", "remove", "rename"];
const FAULTS: readonly Fault[] = [
  {
    name: "writes fail",
    code: "EIO",
    cause: "Input/output error",
    kinds: ["write"],
    policies: ALL_POLICIES,
  },
  {
    name: "there is no room",
    code: "ENOSPC",
    cause: "No space left on device",
    kinds: ["write", "open"],
    policies: ALL_POLICIES,
  },
  {
    name: "neither writes nor cutting off what they left works",
    code: "EIO",
    cause: "Input/output error",
    kinds: ["write", "truncate"],
    policies: ALL_POLICIES,
  },
  {
    name: "everything is read-only",
    code: "EROFS",
    cause: "Read-only file system",
    kinds: CHANGES,
    policies: ALL_POLICIES,
  },
  {
    name: "syncs fail",
    code: "EIO",
    cause: "Input/output error",
    kinds: ["sync"],
    policies: ["always", "everysec"],
  },
  {
    name: "syncs fail, and no other file can be had",
    code: "EMFILE",
    cause: "Too many open files",
    kinds: ["sync", "open"],
    policies: ["always", "everysec"],
  },
];

/** Waits until the log has noticed. @returns what a write is answered then */
async function refusal(client: Connection): Promise<string> {
  while (!(await client.raw("INFO", "persistence")).includes("aof_last_write_status:err"))
    await Bun.sleep(10);
  return client.raw("SET", "refused", "1");
}

/** Writes until it does not refuse any more. */
async function served(client: Connection): Promise<void> {
  for (;;) {
    const reply = await client.raw("SET", "served", "1");
    if (reply === OK) return;
    expect(reply).toStartWith("-MISCONF");
    await Bun.sleep(10);
  }
}

/** The same of a server in this process: within a second of ticks of the loop that both are in. */
async function servedSoon(client: Connection): Promise<void> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, TICK_MS);
  await served(client).finally(() => clearInterval(timer));
  expect(ticks * TICK_MS).toBeLessThan(HEALED_MS);
}

async function rewritten(server: DiskServer): Promise<void> {
  while (!(await server.run("INFO persistence")).includes("aof_rewrite_in_progress:0"))
    await Bun.sleep(1);
}

describe("on a disk in memory", () => {
  let loader: Loader;
  beforeAll(async () => {
    loader = await openLoader(new SimDisk());
  });
  afterAll(() => loader.stop());

  for (const { name, code, cause, kinds, policies } of FAULTS)
    for (const policy of policies)
      test(`${name}, under ${policy}`, async () => {
        const disk = new SimDisk();
        const server = await startOnDisk(disk, { appendfsync: policy });
        const other = await openConnection(server.port);
        try {
          expect(await server.run("SET a 1")).toBe(OK);
          disk.before = (step) => {
            if (kinds.includes(step.kind)) throw diskError(code);
          };
          // Under always its reply waits until the disk has it.
          const during = server.run("INCR a");
          expect(await refusal(other)).toBe(
            `-MISCONF Errors writing to the AOF file: ${cause}\r\n`,
          );
          expect(await other.raw("GET", "nothing")).toBe("$-1\r\n");
          const left = await loader.load(disk.afterKill());
          expect(left).toHaveProperty("state");
          // The first try behind the end of the cause succeeds: no second file is begun.
          const opened = new Set<string>();
          disk.before = ({ kind, path }) => {
            if (kind === "open" && path.endsWith(".incr.aof")) opened.add(path);
          };
          await servedSoon(other);
          expect(opened.size).toBeLessThan(2);
          expect(await during).toBe(":2\r\n");
          expect(await other.raw("INFO", "persistence")).toContain("aof_last_write_status:ok");
          const state = await stateOf(server.client);
          expect(await loader.load(disk.afterKill())).toEqual({ state });
        } finally {
          other.close();
          await server.stop();
        }
      });
});

test("a file whose first line is torn for good is given up, and the next rewrite makes another", async () => {
  const disk = new SimDisk();
  const server = await startOnDisk(disk, { appendfsync: "always" });
  const second = logPath("appendonly.aof.2.incr.aof");
  disk.torn = (bytes) => bytes >> 1;
  disk.before = ({ kind, path }) => {
    if (path === second && (kind === "write" || kind === "truncate")) throw diskError("EIO");
  };
  const loader = await openLoader(new SimDisk());
  try {
    expect(await server.run("SET a 1")).toBe(OK);
    await server.run("BGREWRITEAOF");
    expect(await refusal(server.client)).toStartWith("-MISCONF");
    disk.before = () => {};
    await servedSoon(server.client);
    await rewritten(server);
    expect(disk.exists(second)).toBe(false);
    const state = await stateOf(server.client);
    expect(await loader.load(disk.afterKill())).toEqual({ state });
    await server.run("BGREWRITEAOF");
    await rewritten(server);
    expect(await server.run("INFO persistence")).toContain("aof_rewrites:1\r\n");
    expect(await loader.load(disk.afterKill())).toEqual({ state });
  } finally {
    await loader.stop();
    await server.stop();
  }
});

test("what was written while the file before was synced does not come twice once the file has died", async () => {
  const disk = new SimDisk();
  const server = await startOnDisk(disk, { appendfsync: "everysec" });
  const second = logPath("appendonly.aof.2.incr.aof");
  const loader = await openLoader(new SimDisk());
  try {
    await server.run("INCR a");
    let isSynced = false;
    disk.before = ({ kind, path }) => {
      if (path !== second) return;
      // From the change of files on what is done off the thread takes its time.
      if (kind === "write") disk.later = (work) => void setTimeout(work, 100);
      if (kind === "sync") isSynced = true;
    };
    await server.run("BGREWRITEAOF");
    while (!isSynced) {
      await server.run("INCR a");
      await Bun.sleep(5);
    }
    disk.before = ({ kind, path }) => {
      if (path === second && (kind === "write" || kind === "truncate")) throw diskError("EIO");
    };
    await server.run("INCR a");
    expect(await refusal(server.client)).toStartWith("-MISCONF");
    disk.before = () => {};
    disk.later = (work) => work();
    await servedSoon(server.client);
    const state = await stateOf(server.client);
    expect(await loader.load(disk.afterKill())).toEqual({ state });
  } finally {
    await loader.stop();
    await server.stop();
  }
});

test("what could not be written during a rewrite waits for its sync though the rewrite ends first", async () => {
  const disk = new SimDisk();
  const server = await startOnDisk(disk, { appendfsync: "always" });
  const other = await openConnection(server.port);
  const [first, second] = [1, 2].map((n) => logPath(`appendonly.aof.${n}.incr.aof`));
  const happened: string[] = [];
  let isSwitched = false;
  let isGone = false;
  let fails = true;
  disk.before = ({ kind, path }) => {
    if (path === first && kind === "remove") isGone = true;
    // The last step of the rewrite.
    if (isGone && kind === "syncDirectory") {
      fails = false;
      disk.later = (work) => void setTimeout(work, 20);
    }
    if (path !== second) return;
    if (kind === "sync") happened.push("synced");
    if (kind === "write" && isSwitched && fails) throw diskError("EIO");
    if (kind === "write") isSwitched = true;
  };
  try {
    expect(await server.run("INCR a")).toBe(":1\r\n");
    const waiting: (() => void)[] = [];
    await server.run("BGREWRITEAOF");
    disk.later = (work) => void waiting.push(work);
    while (!isSwitched) {
      for (const work of waiting.splice(0)) work();
      await Bun.sleep(1);
    }
    const during = server.run("INCR a").then(() => void happened.push("told"));
    expect(await refusal(other)).toStartWith("-MISCONF");
    happened.length = 0;
    disk.later = (work) => work();
    for (const work of waiting.splice(0)) work();
    await during;
    expect(happened).toEqual(["synced", "told"]);
  } finally {
    other.close();
    await server.stop();
  }
});

describe("on a real disk", () => {
  let dir: ReturnType<typeof temporaryDirectory>;
  let program: Program;
  const clients: Connection[] = [];
  const log = () => join(dir.path, "appendonlydir");

  beforeEach(() => {
    dir = temporaryDirectory();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await program.kill();
    dir.remove();
  });

  async function start(policy: string, ...prefix: string[]): Promise<Connection> {
    const port = freePort();
    const flags = ["--port", port, "--dir", dir.path, "--appendonly", "yes"].map(String);
    const more = ["--appendfsync", policy, "--auto-aof-rewrite-percentage", "0"];
    program = runProgram([...flags, ...more, ...HEALING_FLAGS], {
      command: [...prefix, ...FROM_SOURCES],
    });
    await program.printed("Ready");
    const client = await openConnection(port);
    clients.push(client);
    return client;
  }

  for (const policy of ALL_POLICIES)
    test(`a directory that has gone is made anew with all there is, under ${policy}`, async () => {
      const client = await start(policy);
      for (let i = 0; i < 100; i++) expect(await client.raw("SET", `k${i}`, `${i}`)).toBe(OK);
      rmSync(log(), { recursive: true });
      const gone = instant(program.pid);
      await program.printed("No such file or directory");
      expect(await client.raw("GET", "k1")).toBe("$1\r\n1\r\n");
      await served(client);
      expectHealedWithinASecondOfNotice(program.output(), gone, instant(program.pid));
      await program.printed("Background AOF rewrite finished successfully");
      await program.kill();
      const again = await start(policy);
      expect(await again.raw("DBSIZE")).toBe(":101\r\n");
      expect(await again.raw("GET", "k99")).toBe("$2\r\n99\r\n");
    });

  test("at the limit on open files writes go on, a rewrite fails, and the next one works", async () => {
    const client = await start("everysec");
    expect(await client.raw("SET", "k", "1")).toBe(OK);
    const limit = (count: number | string) =>
      Bun.spawnSync(["prlimit", "--pid", String(program.pid), `--nofile=${count}:`]).exitCode;
    const open = readdirSync(`/proc/${program.pid}/fd`).length;
    expect(limit(open)).toBe(0);
    expect(await client.raw("BGREWRITEAOF")).toMatch(/^[-+]/);
    await program.printed("Too many open files");
    expect(await client.raw("SET", "k", "2")).toBe(OK);
    expect(await client.raw("INFO", "persistence")).toContain("aof_last_bgrewrite_status:err");
    expect(limit(1024)).toBe(0);
    expect(await client.raw("BGREWRITEAOF")).toStartWith("+Background");
    await program.printed("Background AOF rewrite finished successfully");
    await program.kill();
    expect(await (await start("everysec")).raw("GET", "k")).toBe("$1\r\n2\r\n");
  });

  const mayBeNobody =
    process.getuid?.() === 0 &&
    existsSync("/usr/bin/setpriv") &&
    Bun.spawnSync(["setpriv", "--reuid=65534", ...FROM_SOURCES, "--version"]).exitCode === 0;
  if (!mayBeNobody)
    console.log("the server cannot run as nobody: directories without rights are skipped");

  for (const mode of [0o555, 0o000])
    test.skipIf(!mayBeNobody)(
      `in a directory with the mode ${mode.toString(8)} writes go on, a rewrite fails, and the next one works`,
      async () => {
        chmodSync(dir.path, 0o777);
        const client = await start("always", "setpriv", "--reuid=65534");
        expect(await client.raw("SET", "k", "1")).toBe(OK);
        chmodSync(log(), mode);
        expect(await client.raw("BGREWRITEAOF")).toMatch(/^[-+]/);
        await program.printed("Permission denied");
        // The next look at whether the file is in its place.
        await Bun.sleep(1100);
        expect(await client.raw("SET", "k", "2")).toBe(OK);
        expect(await client.raw("INFO", "persistence")).toContain("aof_last_bgrewrite_status:err");
        chmodSync(log(), 0o755);
        expect(await client.raw("BGREWRITEAOF")).toStartWith("+Background");
        await program.printed("Background AOF rewrite finished successfully");
        await program.kill();
        expect(await (await start("always")).raw("GET", "k")).toBe("$1\r\n2\r\n");
      },
    );
});
