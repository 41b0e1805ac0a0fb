/** Files of Redis 7 are opened here, and ours there: every type, before and after rewrites, in turns; what Redis before 7 left is adopted. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import { allCases } from "../commands/cases/index.ts";
import { framesOf } from "../support/guarded-log.ts";
import { type Connection, openConnection, REFERENCE_PATH } from "../support/reference.ts";
import { type Reply, wholeReply } from "../support/reply.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

const CHECKER = Bun.which("redis-check-aof");
const START_TRIES = 500;
/** Keys that are due before this are deleted: both servers must have the same ones. */
const LASTING_MS = 600_000;

let dir: ReturnType<typeof temporaryDirectory>;
const running: Opened[] = [];
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  for (const opened of running.splice(0)) await opened.close();
  dir.remove();
});

interface Opened {
  client: Connection;
  run(command: string): Promise<string>;
  /** An orderly stop. */
  close(): Promise<void>;
}

function openedAs(client: Connection, stop: () => Promise<unknown>): Opened {
  let isOpen = true;
  const opened = {
    client,
    run: (command: string) => client.raw(...command.split(" ")),
    async close() {
      if (!isOpen) return;
      isOpen = false;
      client.close();
      await stop();
    },
  };
  running.push(opened);
  return opened;
}

type Settings = Record<string, string>;
let lines: string[] = [];

async function openOurs(settings: Settings = {}): Promise<Opened> {
  lines = [];
  const server: RunningServer = await startServer({
    config: { appendonly: "yes", dir: dir.path, "enable-debug-command": "yes", ...settings },
    log: (_, text) => lines.push(text),
  });
  return openedAs(await openConnection(server.port), () => {
    server.check();
    return server.close();
  });
}

async function openRedis(settings: Settings = {}): Promise<Opened> {
  const port = freePort();
  const options = {
    port: String(port),
    dir: dir.path,
    save: "",
    bind: "127.0.0.1",
    appendonly: "yes",
    "aof-use-rdb-preamble": "no",
    "auto-aof-rewrite-percentage": "0",
    "enable-debug-command": "yes",
    ...settings,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = Bun.spawn([REFERENCE_PATH!, ...args], { stdout: "pipe", stderr: "ignore" });
  for (let tries = 0; tries < START_TRIES && child.exitCode === null; tries++) {
    const client = await openConnection(port).catch(() => undefined);
    // One that will not start may still take a connection, and close it.
    const reply = await client?.raw("PING").catch(() => undefined);
    if (client !== undefined && reply === "+PONG\r\n")
      return openedAs(client, () => {
        child.kill("SIGTERM");
        return child.exited;
      });
    client?.close();
    await Bun.sleep(10);
  }
  child.kill("SIGKILL");
  throw new Error(`redis-server does not start: ${await new Response(child.stdout).text()}`);
}

const logDir = () => join(dir.path, "appendonlydir");
const manifest = () => readFileSync(join(logDir(), "appendonly.aof.manifest"), "latin1");

async function keysOf(server: Opened): Promise<string[]> {
  const reply = wholeReply(await server.run("KEYS *"));
  if (reply.kind !== "array") throw new Error("no keys");
  return reply.items.map((item) => (item.kind === "bulk" ? item.text : ""));
}

/** Every command that a case has, of every type that exists; what it leaves is put aside under the case's number. */
async function workload(server: Opened, prefix: string): Promise<void> {
  const { client } = server;
  await server.run("DEBUG SET-ACTIVE-EXPIRE 0");
  for (const [number, testCase] of allCases.entries()) {
    // Redis 7.2.6 takes, and logs, broken values that others refuse.
    if (testCase.notInRedis || testCase.name.includes("corrupt")) continue;
    const steps = testCase.steps(Date.now()).flatMap((step) => ("words" in step ? [step] : []));
    const words = steps
      .filter(({ since72 }) => since72 === undefined)
      .map((step) => step.words)
      .filter(
        ([name]) => !/^(FLUSH|DEBUG|PFSELFTEST|SWAPDB|MOVE|SELECT|HELLO|COPY)/i.test(String(name)),
      );
    await client.all(words);
    const left = (await keysOf(server)).filter((key) => !key.startsWith("case:"));
    await client.all(left.flatMap((key) => [["RENAME", key, `case:${prefix}:${number}:${key}`]]));
  }
  for (const key of await keysOf(server)) {
    const ttl = Number((await client.raw("PTTL", key)).slice(1));
    if (ttl !== -1 && ttl < LASTING_MS) await client.raw("DEL", key);
  }
  for (const command of [
    "SELECT 3",
    `SET case:${prefix}:other v PX 1000000000`,
    "MULTI",
    "INCR n",
    "SELECT 9",
    "SADD s a b c",
    "SELECT 0",
    "EXEC",
  ])
    await server.run(command);
  for (const key of await keysOf(server))
    if ((await client.raw("TYPE", key)) === "+stream\r\n") await acknowledgeDeleted(client, key);
  // No log tells that XREADGROUP has delivered something once more, and Redis's XCLAIM not how many entries a group has read.
  expect(await server.run("DEBUG LOADAOF")).toBe("+OK\r\n");
}

const itemsOf = (reply: Reply): Reply[] => ("items" in reply ? reply.items : []);
const textOf = (reply: Reply | undefined): string => (reply && "text" in reply ? reply.text : "");

/** Entries that were deleted before they were acknowledged: Redis forgets them when it loads a log, and we do not. */
async function acknowledgeDeleted(client: Connection, key: string): Promise<void> {
  const look = async (...words: string[]) => itemsOf(wholeReply(await client.raw(...words)));
  for (const group of await look("XINFO", "GROUPS", key)) {
    const name = textOf(itemsOf(group)[1]);
    for (const pending of await look("XPENDING", key, name, "-", "+", "1000")) {
      const id = textOf(itemsOf(pending)[0]);
      if ((await look("XRANGE", key, id, id)).length === 0) await client.raw("XACK", key, name, id);
    }
  }
}

/** What shows a value of a type, and whether its elements come in an order that means something. */
const READERS: Record<string, { command: (key: string) => string[]; ordered: boolean }> = {
  string: { command: (key) => ["GET", key], ordered: true },
  list: { command: (key) => ["LRANGE", key, "0", "-1"], ordered: true },
  set: { command: (key) => ["SMEMBERS", key], ordered: false },
  hash: { command: (key) => ["HGETALL", key], ordered: false },
  zset: { command: (key) => ["ZRANGE", key, "0", "-1", "WITHSCORES"], ordered: true },
  stream: { command: (key) => ["XRANGE", key, "-", "+"], ordered: true },
};
const SHOWN_CHARS = 200;

/** Short, so that a difference can be read. */
function shown(raw: string): string {
  return raw.length <= SHOWN_CHARS ? raw : `${raw.length} bytes, ${Bun.hash(raw)}`;
}

/** Elements of a set sorted, pairs of a hash too. */
function inOrder(raw: string, width: number): string {
  const reply = wholeReply(raw);
  if (!("items" in reply)) return raw;
  const words = reply.items.map((item) => ("text" in item ? item.text : "?"));
  const groups: string[] = [];
  for (let i = 0; i < words.length; i += width) groups.push(words.slice(i, i + width).join("="));
  return groups.sort().join(" ");
}

/** Names and values of a reply, but those that count time, or nodes. */
function fieldsIn(reply: Reply): string {
  if (reply.kind === "nil") return "nil";
  if (reply.kind === "integer") return String(reply.value);
  if (!("items" in reply)) return reply.text;
  const { items } = reply;
  const isNamed = items.length > 0 && items.every((item, i) => i % 2 === 1 || "text" in item);
  const parts = items.map(fieldsIn).filter((text, i, all) => {
    const name = i % 2 === 0 ? text : all[i - 1]!;
    return !isNamed || !/^(idle|inactive|radix-tree-.*|first-entry|last-entry)$/.test(name);
  });
  return `[${parts.join(" ")}]`;
}

/** What a stream has besides its entries: counters, groups, consumers, and who was given what how often. */
async function deliveriesOf(client: Connection, key: string): Promise<string> {
  const look = async (...words: string[]) => wholeReply(await client.raw(...words));
  const parts = [await look("XINFO", "STREAM", key)];
  const groups = await look("XINFO", "GROUPS", key);
  parts.push(groups);
  for (const group of itemsOf(groups)) {
    const name = textOf(itemsOf(group)[1]);
    parts.push(await look("XINFO", "CONSUMERS", key, name));
    // Without the third of each: for how long.
    for (const pending of itemsOf(await look("XPENDING", key, name, "-", "+", "1000")))
      parts.push({ kind: "array", items: itemsOf(pending).filter((_, i) => i !== 2) });
  }
  return parts.map(fieldsIn).join(" ");
}

/** Every key of every database: type, value, deadline. */
async function stateOf(server: Opened): Promise<string[]> {
  const { client } = server;
  const lines: string[] = [];
  for (let db = 0; db < 16; db++) {
    await client.raw("SELECT", String(db));
    const keys = await keysOf(server);
    const types = (await client.all(keys.map((key) => ["TYPE", key]))).map((raw) =>
      raw.slice(1).trim(),
    );
    const values = await client.all(keys.map((key, i) => READERS[types[i]!]!.command(key)));
    const deadlines = await client.all(keys.map((key) => ["PEXPIRETIME", key]));
    keys.forEach((key, i) => {
      const raw = values[i]!;
      const value = READERS[types[i]!]!.ordered ? raw : inOrder(raw, types[i] === "hash" ? 2 : 1);
      lines.push(
        `${db} ${JSON.stringify(key)} ${types[i]} ${shown(value)} ${deadlines[i]!.trim()}`,
      );
    });
    for (const key of keys.filter((_, i) => types[i] === "stream"))
      lines.push(`${db} ${JSON.stringify(key)} ${await deliveriesOf(client, key)}`);
  }
  await client.raw("SELECT", "0");
  return lines.sort();
}

async function rewrite(server: Opened): Promise<void> {
  expect(await server.run("BGREWRITEAOF")).toStartWith("+Background");
  for (;;) {
    const text = await server.run("INFO persistence");
    if (/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(text)) {
      expect(text).toContain("aof_last_bgrewrite_status:ok");
      return;
    }
    await Bun.sleep(10);
  }
}

function expectValid(): void {
  const path = join(logDir(), "appendonly.aof.manifest");
  const result = Bun.spawnSync([CHECKER!, path]);
  expect(result.stdout.toString()).toContain("All AOF files and manifest are valid");
  expect(result.exitCode).toBe(0);
}

describe.skipIf(REFERENCE_PATH === null || CHECKER === null)("with redis-server", () => {
  test("what a kill under `always` leaves, room behind its contents, opens there, and what it writes behind that opens here", async () => {
    let ours = await openOurs({ appendfsync: "always" });
    for (let i = 0; i < 300; i++)
      await ours.client.raw("SET", `key:${i}`, "v".repeat((i * 7) % 1000));
    const log = join(logDir(), "appendonly.aof.1.incr.aof");
    const left = readFileSync(log);
    const expected = await stateOf(ours);
    await ours.close();
    // More than what an orderly stop leaves.
    expect(left.length).toBeGreaterThan(readFileSync(log).length);
    writeFileSync(log, left);
    expectValid();
    const theirs = await openRedis();
    expect(await stateOf(theirs)).toEqual(expected);
    for (const command of ["SET behind 1", "DEL key:1", "RPUSH list a b c"])
      await theirs.run(command);
    const last = await stateOf(theirs);
    await theirs.close();
    ours = await openOurs({ appendfsync: "always" });
    expect(await stateOf(ours)).toEqual(last);
    await ours.run("SET last 1");
    const state = await stateOf(ours);
    await ours.close();
    expectValid();
    ours = await openOurs();
    expect(await stateOf(ours)).toEqual(state);
  });

  for (const stamps of ["no", "yes"]) {
    test(`our files open there, and what it writes behind opens here, timestamps ${stamps}`, async () => {
      const settings = { "aof-timestamp-enabled": stamps };
      let ours = await openOurs(settings);
      await workload(ours, "a");
      const [first, keys] = [await stateOf(ours), await keysOf(ours)];
      expect(keys.length).toBeGreaterThan(100);
      for (const pattern of [/ string /, / list /, / set /, / hash /, / zset /, / stream /])
        expect(first.some((line) => pattern.test(line))).toBe(true);
      // Groups with entries that wait for their acknowledgement.
      expect(first.some((line) => /consumers [1-9]\d* pending [1-9]/.test(line))).toBe(true);
      await ours.close();
      expectValid();
      let theirs = await openRedis(settings);
      expect(await stateOf(theirs)).toEqual(first);
      await theirs.close();

      ours = await openOurs(settings);
      await rewrite(ours);
      await ours.run("SET behind 1");
      const second = await stateOf(ours);
      await ours.close();
      expectValid();
      theirs = await openRedis(settings);
      expect(await stateOf(theirs)).toEqual(second);
      await workload(theirs, "b");
      const third = await stateOf(theirs);
      await theirs.close();

      ours = await openOurs(settings);
      expect(await stateOf(ours)).toEqual(third);
      expect(lines.join("\n")).toContain("has no checksums behind offset");
      await ours.run("SET again 1");
      const fourth = await stateOf(ours);
      await ours.close();
      expectValid();
      ours = await openOurs(settings);
      expect(lines.join("\n")).not.toContain("has no checksums");
      await ours.close();
      theirs = await openRedis(settings);
      expect(await stateOf(theirs)).toEqual(fourth);
      // It rewrites what we began, and we open that.
      await rewrite(theirs);
      await theirs.run("SET last 1");
      const last = await stateOf(theirs);
      await theirs.close();
      ours = await openOurs(settings);
      expect(await stateOf(ours)).toEqual(last);
    });

    test(`its files open here before and after it rewrites them, timestamps ${stamps}`, async () => {
      const settings = { "aof-timestamp-enabled": stamps };
      let theirs = await openRedis(settings);
      await workload(theirs, "a");
      let expected = await stateOf(theirs);
      await theirs.close();
      let ours = await openOurs(settings);
      expect(await stateOf(ours)).toEqual(expected);
      await ours.close();
      theirs = await openRedis(settings);
      await rewrite(theirs);
      await workload(theirs, "b");
      expected = await stateOf(theirs);
      await theirs.close();
      expect(manifest()).toContain("base.aof seq");
      ours = await openOurs(settings);
      expect(await stateOf(ours)).toEqual(expected);
      await rewrite(ours);
      await ours.close();
      expectValid();
      theirs = await openRedis(settings);
      expect(await stateOf(theirs)).toEqual(expected);
    });
  }

  for (const rewritten of [false, true])
    test(`fields with deadlines, which it does not know, are not read there: it refuses to start; ${rewritten ? "base" : "log"}`, async () => {
      const ours = await openOurs();
      await ours.run("HSET h f v g w");
      await ours.run("HPEXPIRE h 1000000 FIELDS 1 f");
      if (rewritten) await rewrite(ours);
      await ours.close();
      const files = readdirSync(logDir()).map((name) => readFileSync(join(logDir(), name)));
      expectValid();
      await expect(openRedis()).rejects.toThrow(
        /Unknown command '(HPEXPIREAT|HSETEX)' reading the append only file/i,
      );
      expect(readdirSync(logDir()).map((name) => readFileSync(join(logDir(), name)))).toEqual(
        files,
      );
      // Without deadlines it reads what is left.
      const again = await openOurs();
      await again.run("HPERSIST h FIELDS 1 f");
      await rewrite(again);
      await again.close();
      const theirs = await openRedis();
      expect(inOrder(await theirs.run("HGETALL h"), 2)).toBe("f=v g=w");
    });

  test("a base in RDB format is refused, and left as it is", async () => {
    const theirs = await openRedis({ "aof-use-rdb-preamble": "yes" });
    await theirs.run("SET a 1");
    await rewrite(theirs);
    await theirs.close();
    const before = readdirSync(logDir()).sort();
    expect(before.some((name) => name.endsWith(".base.rdb"))).toBe(true);
    const path = join(logDir(), before.find((name) => name.endsWith(".rdb"))!);
    await expect(openOurs()).rejects.toThrow(
      `${path} is in RDB format, which is not supported yet: rewrite it on the other server with aof-use-rdb-preamble no`,
    );
    expect(readdirSync(logDir()).sort()).toEqual(before);
  });

  test("the one file of Redis before 7 is adopted, and Redis 7 goes on with that", async () => {
    let theirs = await openRedis();
    await workload(theirs, "a");
    const expected = await stateOf(theirs);
    await theirs.close();
    const single = join(dir.path, "appendonly.aof");
    copyFileSync(join(logDir(), "appendonly.aof.1.incr.aof"), single);
    for (const name of readdirSync(logDir())) Bun.spawnSync(["rm", join(logDir(), name)]);
    const ours = await openOurs();
    expect(await stateOf(ours)).toEqual(expected);
    expect(existsSync(single)).toBe(false);
    expect(manifest()).toStartWith("file appendonly.aof seq 1 type b\n");
    await ours.run("SET behind 1");
    const behind = await stateOf(ours);
    await ours.close();
    expectValid();
    theirs = await openRedis();
    expect(await stateOf(theirs)).toEqual(behind);
  });
});

describe("the one file of Redis before 7", () => {
  const text = framesOf("SELECT 0", "SET a 1", "SELECT 2", "SET b 2");

  test.each([
    ["appendonly.aof", "appendonlydir"],
    ["other.log", "logs"],
  ])("is adopted under its name: %s", async (name, dirname) => {
    const settings = { appendfilename: name, appenddirname: dirname };
    writeFileSync(join(dir.path, name), text);
    for (let i = 0; i < 3; i++) {
      const ours = await openOurs(settings);
      expect(await ours.run("GET a")).toBe("$1\r\n1\r\n");
      await ours.run("SELECT 2");
      expect(await ours.run("GET b")).toBe("$1\r\n2\r\n");
      await ours.close();
    }
    expect(readdirSync(join(dir.path, dirname)).sort()).toEqual(
      [name, `${name}.1.incr.aof`, `${name}.manifest`].sort(),
    );
    expect(readFileSync(join(dir.path, dirname, name), "latin1")).toBe(text);
  });

  test("is adopted though the first attempt ended between its steps", async () => {
    writeFileSync(join(dir.path, "appendonly.aof"), text);
    mkdirSync(logDir());
    writeFileSync(join(logDir(), "appendonly.aof.manifest"), "file appendonly.aof seq 1 type b\n");
    const ours = await openOurs();
    expect(await ours.run("GET a")).toBe("$1\r\n1\r\n");
  });

  test("is left alone where there is a manifest", async () => {
    let ours = await openOurs();
    await ours.run("SET mine 1");
    await ours.close();
    writeFileSync(join(dir.path, "appendonly.aof"), text);
    ours = await openOurs();
    expect(await ours.run("DBSIZE")).toBe(":1\r\n");
    expect(readFileSync(join(dir.path, "appendonly.aof"), "latin1")).toBe(text);
  });

  test("is cut where it is torn, as any other", async () => {
    writeFileSync(join(dir.path, "appendonly.aof"), `${text}*3\r\n$3\r\nSE`);
    const ours = await openOurs();
    expect(await ours.run("GET a")).toBe("$1\r\n1\r\n");
    expect(readFileSync(join(logDir(), "appendonly.aof"), "latin1")).toBe(text);
  });

  test("is refused in RDB format, and left where it is", async () => {
    const rdb = "REDIS0009\xfa\x09redis-ver";
    writeFileSync(join(dir.path, "appendonly.aof"), Buffer.from(rdb, "latin1"));
    await expect(openOurs()).rejects.toThrow("appendonly.aof is in RDB format");
    expect(readFileSync(join(dir.path, "appendonly.aof"), "latin1")).toBe(rdb);
  });
});

test("without a manifest the files that lie there are left alone, and a start behind that is sound", async () => {
  let ours = await openOurs();
  await ours.run("SET old 1");
  await ours.close();
  const first = join(logDir(), "appendonly.aof.1.incr.aof");
  const old = readFileSync(first, "latin1");
  rmSync(join(logDir(), "appendonly.aof.manifest"));
  ours = await openOurs();
  expect(await ours.run("DBSIZE")).toBe(":0\r\n");
  expect(lines.join("\n")).toContain(
    "Files that the manifest does not name are not loaded, and left as they are: appendonly.aof.1.incr.aof",
  );
  await ours.run("SET new 1");
  await ours.close();
  expect(readFileSync(first, "latin1")).toBe(old);
  ours = await openOurs();
  expect(await ours.run("KEYS *")).toBe("*1\r\n$3\r\nnew\r\n");
});

test("a file name with blanks and quotes is kept", async () => {
  const settings = { appendfilename: "my \"log's", appenddirname: "the logs" };
  for (let n = 1; n <= 3; n++) {
    const ours = await openOurs(settings);
    expect(await ours.run("INCR n")).toBe(`:${n}\r\n`);
    await rewrite(ours);
    await ours.close();
  }
  expect(readFileSync(join(dir.path, "the logs/my \"log's.manifest"), "latin1")).toStartWith(
    'file "my \\"log\'s.',
  );
});
