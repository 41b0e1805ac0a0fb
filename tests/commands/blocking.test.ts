/** Commands that wait for keys: who is served when, by what, and what ends a wait. The same on Bundis and on a reference server. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  startReference,
} from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

interface Target {
  port: number;
  stop(): Promise<void>;
}

const TARGETS: [name: string, start: () => Promise<Target>][] = [
  ["Bundis", () => bundis("no")],
  ["Bundis with a log", () => bundis("yes")],
];
if (REFERENCE_PATH !== null) TARGETS.push(["redis-server", async () => startReference(freePort())]);

async function bundis(appendonly: "yes" | "no"): Promise<Target> {
  const dir = temporaryDirectory();
  const server: RunningServer = await startServer({ config: { appendonly, dir: dir.path } });
  return {
    port: server.port,
    async stop() {
      await server.close();
      dir.remove();
    },
  };
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const pair = (key: string, item: string) => `*2\r\n${bulk(key)}${bulk(item)}`;
const NIL_ARRAY = "*-1\r\n";
/** One entry of one stream, as XREAD answers it. */
const entry = (key: string, id: string) =>
  `*1\r\n*2\r\n${bulk(key)}*1\r\n*2\r\n${bulk(id)}*2\r\n${bulk("f")}${bulk("v")}`;
const WRONG_TYPE = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

describe.each(TARGETS)("%s", (name, start) => {
  /** The reference counts calls in another way than 7.2. */
  const is70 = name === "redis-server";
  let target: Target;
  let main: Connection;
  const others: Connection[] = [];
  const run = (command: string, client = main) => client.raw(...command.split(" "));

  /** How many clients wait. */
  async function blockedClients(): Promise<number> {
    return Number(/blocked_clients:(\d+)/.exec(await run("INFO clients"))![1]);
  }

  async function until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await Bun.sleep(1);
  }

  /** Sends a command that waits, from a client of its own. @returns what it will answer, when it does wait */
  async function waiting(command: string): Promise<{ reply: Promise<string>; client: Connection }> {
    const client = await openConnection(target.port);
    others.push(client);
    const before = await blockedClients();
    const reply = run(command, client);
    await until(async () => (await blockedClients()) > before);
    return { reply, client };
  }

  beforeAll(async () => {
    target = await start();
  });
  afterAll(() => target.stop());
  beforeEach(async () => {
    main = await openConnection(target.port);
    await run("FLUSHALL");
  });
  afterEach(async () => {
    for (const client of others.splice(0)) client.close();
    await until(async () => (await blockedClients()) === 0);
    main.close();
  });

  test("what is there is taken at once", async () => {
    await run("RPUSH l a b c d e f g");
    expect(await run("BLPOP none l 0")).toBe(pair("l", "a"));
    expect(await run("BRPOP l none 1")).toBe(pair("l", "g"));
    expect(await run("BLMOVE l m LEFT RIGHT 0")).toBe(bulk("b"));
    expect(await run("BRPOPLPUSH l m 0.5")).toBe(bulk("f"));
    expect(await run("BLMPOP 0 2 none l LEFT COUNT 9")).toBe(
      `*2\r\n${bulk("l")}*3\r\n${bulk("c")}${bulk("d")}${bulk("e")}`,
    );
    expect(await run("LRANGE m 0 -1")).toBe(`*2\r\n${bulk("f")}${bulk("b")}`);
    expect(await blockedClients()).toBe(0);
  });

  test.skipIf(is70)(
    "one that has waited is counted once, when it is over, and is in the slow log then",
    async () => {
      const calls = async () =>
        /cmdstat_blpop:calls=(\d+),/.exec(await run("INFO commandstats"))?.[1] ?? "0";
      await run("CONFIG RESETSTAT");
      await run("CONFIG SET slowlog-log-slower-than 0");
      const served = await waiting("BLPOP l 0");
      expect(await calls()).toBe("0");
      await run("MULTI");
      await run("RPUSH l a");
      await run("SLOWLOG RESET");
      await run("EXEC");
      expect(await served.reply).toBe(pair("l", "a"));
      expect(await run("SLOWLOG GET 1")).toContain(
        `*3\r\n${bulk("BLPOP")}${bulk("l")}${bulk("0")}`,
      );
      await run("CONFIG SET slowlog-log-slower-than 10000");
      expect(await calls()).toBe("1");
    },
  );

  test.skipIf(is70)(
    "one that has waited in vain is counted too, as in 7.2; as failed if it was unblocked with an error",
    async () => {
      const counted = async () =>
        /cmdstat_blpop:calls=(\d+),.*failed_calls=(\d+)/
          .exec(await run("INFO commandstats"))
          ?.slice(1, 3);
      await run("CONFIG RESETSTAT");
      const late = await waiting("BLPOP l 0.2");
      expect(await late.reply).toBe(NIL_ARRAY);
      expect(await counted()).toEqual(["1", "0"]);
      const { reply, client } = await waiting("BLPOP l 0");
      const id = /id=(\d+) [^\n]*flags=b[^\n]*cmd=blpop/.exec(await run("CLIENT LIST"))![1]!;
      await run(`CLIENT UNBLOCK ${id} ERROR`);
      expect(await reply).toStartWith("-UNBLOCKED");
      expect(await counted()).toEqual(["2", "1"]);
      expect(await run("PING", client)).toBe("+PONG\r\n");
    },
  );

  test("mistakes are answered at once", async () => {
    await run("SET t text");
    for (const [command, reply] of [
      ["BLPOP l x", "-ERR timeout is not a float or out of range\r\n"],
      ["BLPOP l -1", "-ERR timeout is negative\r\n"],
      ["BLPOP t 0", WRONG_TYPE],
      ["BLPOP none t 0", WRONG_TYPE],
      ["BLMOVE t l LEFT LEFT 0", WRONG_TYPE],
      ["BLMOVE a b UP LEFT x", "-ERR syntax error\r\n"],
      ["BLMOVE a b LEFT LEFT x", "-ERR timeout is not a float or out of range\r\n"],
      ["BRPOPLPUSH a b -2", "-ERR timeout is negative\r\n"],
      ["BLMPOP 0 0 a LEFT", "-ERR numkeys should be greater than 0\r\n"],
      ["BLMPOP x 1 a LEFT", "-ERR timeout is not a float or out of range\r\n"],
      ["BLMPOP x 2 a LEFT", "-ERR syntax error\r\n"],
      ["BLMPOP 0 1 a LEFT COUNT 0", "-ERR count should be greater than 0\r\n"],
    ] as const)
      expect([command, await run(command)]).toEqual([command, reply]);
  });

  test("the time being up answers a null array", async () => {
    for (const command of [
      "BLPOP a b 0.02",
      "BRPOP a 0.001",
      "BLMOVE a b LEFT LEFT 0.01",
      "BRPOPLPUSH a b 0.01",
      "BLMPOP 0.01 1 a LEFT",
    ])
      expect([command, await run(command)]).toEqual([command, NIL_ARRAY]);
  });

  const scored = (key: string, ...words: string[]) =>
    `*${words.length + 1}\r\n${[key, ...words].map(bulk).join("")}`;

  test("sorted sets are popped, or waited for", async () => {
    await run("ZADD z 1 a 2 b 3 c 4 d 5 e");
    expect(await run("BZPOPMIN none z 0")).toBe(scored("z", "a", "1"));
    expect(await run("BZPOPMAX z 1")).toBe(scored("z", "e", "5"));
    expect(await run("BZMPOP 0 2 none z MIN COUNT 2")).toBe(
      `*2\r\n${bulk("z")}*2\r\n${scored("b", "2")}${scored("c", "3")}`,
    );
    expect(await run("BZMPOP 0 1 z MAX")).toBe(`*2\r\n${bulk("z")}*1\r\n${scored("d", "4")}`);
    expect(await run("EXISTS z")).toBe(":0\r\n");
    for (const command of ["BZPOPMIN a b 0.02", "BZPOPMAX a 0.001", "BZMPOP 0.01 1 a MIN"])
      expect([command, await run(command)]).toEqual([command, NIL_ARRAY]);
  });

  test("those who wait for a sorted set are served in turn, when the command has ended", async () => {
    const lowest = await waiting("BZPOPMIN y z 0");
    const highest = await waiting("BZPOPMAX z 0");
    const some = await waiting("BZMPOP 0 2 x z MIN COUNT 2");
    expect(await run("ZADD z 2 b 1 a 3 c 4 d")).toBe(":4\r\n");
    expect(await lowest.reply).toBe(scored("z", "a", "1"));
    expect(await highest.reply).toBe(scored("z", "d", "4"));
    expect(await some.reply).toBe(`*2\r\n${bulk("z")}*2\r\n${scored("b", "2")}${scored("c", "3")}`);
    const last = await waiting("BZPOPMIN z 0");
    await run("ZADD other 7 g");
    await run("ZUNIONSTORE z 1 other");
    expect(await last.reply).toBe(scored("z", "g", "7"));
    const renamed = await waiting("BZPOPMIN z 0");
    await run("RENAME other z");
    expect(await renamed.reply).toBe(scored("z", "g", "7"));
  });

  test("mistakes of those who wait for sorted sets", async () => {
    await run("SET t text");
    for (const [command, reply] of [
      ["BZPOPMIN z x", "-ERR timeout is not a float or out of range\r\n"],
      ["BZPOPMAX z -1", "-ERR timeout is negative\r\n"],
      ["BZPOPMIN t 0", WRONG_TYPE],
      ["BZMPOP 0 0 z MIN", "-ERR numkeys should be greater than 0\r\n"],
      ["BZMPOP x 1 z MIN", "-ERR timeout is not a float or out of range\r\n"],
      ["BZMPOP x 1 z MID", "-ERR syntax error\r\n"],
      ["BZMPOP 0 1 t MAX", WRONG_TYPE],
    ] as const)
      expect([command, await run(command)]).toEqual([command, reply]);
    await run("MULTI");
    await run("BZPOPMIN z 0");
    expect(await run("EXEC")).toBe(`*1\r\n${NIL_ARRAY}`);
  });

  test("those who wait are served in the order in which they came", async () => {
    const first = await waiting("BLPOP l 0");
    const second = await waiting("BLPOP l 0");
    const third = await waiting("BRPOP l 0");
    expect(await run("RPUSH l a b c d")).toBe(":4\r\n");
    expect(await first.reply).toBe(pair("l", "a"));
    expect(await second.reply).toBe(pair("l", "b"));
    expect(await third.reply).toBe(pair("l", "d"));
    expect(await run("LRANGE l 0 -1")).toBe(`*1\r\n${bulk("c")}`);
  });

  test("whoever is not served keeps the place", async () => {
    const first = await waiting("BLPOP l 0");
    const second = await waiting("BLPOP l 0");
    await run("RPUSH l a");
    expect(await first.reply).toBe(pair("l", "a"));
    const third = await waiting("BLPOP l 0");
    await run("RPUSH l b");
    expect(await second.reply).toBe(pair("l", "b"));
    await run("RPUSH l c");
    expect(await third.reply).toBe(pair("l", "c"));
  });

  test("a client is served between two commands of another's pipeline", async () => {
    const { reply } = await waiting("BLPOP l 0");
    const replies = await main.all([
      ["RPUSH", "l", "a"],
      ["LPOP", "l"],
    ]);
    expect(replies).toEqual([":1\r\n", "$-1\r\n"]);
    expect(await reply).toBe(pair("l", "a"));
  });

  test("a transaction ends before those who wait are served", async () => {
    const { reply } = await waiting("BLPOP l 0");
    await run("MULTI");
    await run("RPUSH l a b");
    await run("LPOP l");
    expect(await run("EXEC")).toBe(`*2\r\n:2\r\n${bulk("a")}`);
    expect(await reply).toBe(pair("l", "b"));
    const other = await waiting("BLPOP l 0");
    await run("MULTI");
    await run("RPUSH l a");
    await run("DEL l");
    expect(await run("EXEC")).toBe("*2\r\n:1\r\n:1\r\n");
    expect(await blockedClients()).toBe(1);
    await run("RPUSH l z");
    expect(await other.reply).toBe(pair("l", "z"));
  });

  test("in a transaction nobody waits", async () => {
    await run("MULTI");
    for (const command of ["BLPOP l 0", "BLMPOP 0 1 l LEFT", "BLMOVE l m LEFT LEFT 0"])
      await run(command);
    expect(await run("EXEC")).toBe(`*3\r\n${NIL_ARRAY}${NIL_ARRAY}$-1\r\n`);
  });

  test("what is moved for one who waits serves the next", async () => {
    const end = await waiting("BLPOP c 0");
    const middle = await waiting("BLMOVE b c LEFT RIGHT 0");
    const start = await waiting("BRPOPLPUSH a b 0");
    await run("RPUSH a x");
    expect(await start.reply).toBe(bulk("x"));
    expect(await middle.reply).toBe(bulk("x"));
    expect(await end.reply).toBe(pair("c", "x"));
    expect(await run("EXISTS a b c")).toBe(":0\r\n");
  });

  test("a list that comes by another name, or from another database, serves too", async () => {
    const renamed = await waiting("BLPOP l 0");
    await run("RPUSH other a");
    await run("RENAME other l");
    expect(await renamed.reply).toBe(pair("l", "a"));
    const copied = await waiting("BLPOP l 0");
    await run("RPUSH other b");
    await run("COPY other l");
    expect(await copied.reply).toBe(pair("l", "b"));
    const swapped = await waiting("BLPOP s 0");
    const left = await waiting("BLPOP elsewhere 0");
    await run("SELECT 9");
    await run("RPUSH s c");
    await run("SWAPDB 0 9");
    expect(await swapped.reply).toBe(pair("s", "c"));
    await run("RPUSH moved d");
    const moved = await waiting("BLPOP moved 0");
    await run("MOVE moved 0");
    expect(await moved.reply).toBe(pair("moved", "d"));
    expect(await blockedClients()).toBe(1);
    await run("SELECT 0");
    await run("RPUSH elsewhere e");
    expect(await left.reply).toBe(pair("elsewhere", "e"));
  });

  test("a key of another type, or one that goes, serves nobody", async () => {
    const { reply } = await waiting("BLPOP l 0");
    await run("SET l text");
    await run("SADD s a");
    await run("DEL l");
    await run("RENAME s l");
    await run("PEXPIRE l 1");
    await until(async () => (await run("EXISTS l")) === ":0\r\n");
    await run("FLUSHALL");
    expect(await blockedClients()).toBe(1);
    await run("RPUSH l a");
    expect(await reply).toBe(pair("l", "a"));
  });

  test("a destination of another type is an error, and takes nothing", async () => {
    const { reply } = await waiting("BLMOVE l t LEFT LEFT 0");
    await run("SET t text");
    await run("RPUSH l a");
    expect(await reply).toBe(WRONG_TYPE);
    expect(await run("LRANGE l 0 -1")).toBe(`*1\r\n${bulk("a")}`);
  });

  test("several keys: the first of the command that has elements, and each key but once", async () => {
    const { reply } = await waiting("BLPOP a b a c 0");
    await run("MULTI");
    await run("RPUSH c 3");
    await run("RPUSH b 2");
    await run("EXEC");
    // 7.0 takes of the key that was ready first; 7.2 executes the command again.
    const is70 = (await run("INFO server")).includes("redis_version:7.0.");
    expect(await reply).toBe(is70 ? pair("c", "3") : pair("b", "2"));
    const { reply: popped } = await waiting("BLMPOP 0 2 d e RIGHT COUNT 2");
    await run("RPUSH e 1 2 3");
    expect(await popped).toBe(`*2\r\n${bulk("e")}*2\r\n${bulk("3")}${bulk("2")}`);
  });

  test("XREAD waits for what is added from now on, whatever goes and comes meanwhile", async () => {
    await run("XADD s 1-0 f v");
    const behindLast = await waiting("XREAD BLOCK 0 STREAMS none s $ $");
    const behindNine = await waiting("XREAD BLOCK 0 STREAMS s 9");
    await run("DEL s");
    await run("SET s text");
    await run("DEL s");
    await run("XADD s 5-0 f v");
    expect(await behindLast.reply).toBe(entry("s", "5-0"));
    expect(await blockedClients()).toBe(1);
    await run("XADD s 10-0 f v");
    expect(await behindNine.reply).toBe(entry("s", "10-0"));
    expect(await run("XREAD BLOCK 1 STREAMS s $")).toBe(NIL_ARRAY);
    expect(await run("XREAD BLOCK 0 STREAMS s 9")).toBe(entry("s", "10-0"));
  });

  test("an entry that is gone when its transaction ends wakes nobody", async () => {
    const { reply } = await waiting("XREAD BLOCK 0 STREAMS s $");
    for (const command of ["MULTI", "XADD s 1-0 f v", "DEL s", "EXEC"]) await run(command);
    for (const command of ["MULTI", "XADD s 2-0 f v", "DEL s", "RPUSH s a", "EXEC"])
      await run(command);
    await run("DEL s");
    await run("XADD s 3-0 f v");
    expect(await reply).toBe(entry("s", "3-0"));
  });

  test("consumers of a group wait in turn, one entry each", async () => {
    await run("XGROUP CREATE s g $ MKSTREAM");
    const first = await waiting("XREADGROUP GROUP g a COUNT 1 BLOCK 0 STREAMS s >");
    const second = await waiting("XREADGROUP GROUP g b COUNT 1 BLOCK 0 STREAMS s >");
    for (const command of ["MULTI", "XADD s 1-0 f v", "XADD s 2-0 f v", "EXEC"]) await run(command);
    expect(await first.reply).toBe(entry("s", "1-0"));
    expect(await second.reply).toBe(entry("s", "2-0"));
    const pending = `*2\r\n*2\r\n${bulk("a")}${bulk("1")}*2\r\n${bulk("b")}${bulk("1")}`;
    expect(await run("XPENDING s g")).toBe(`*4\r\n:2\r\n${bulk("1-0")}${bulk("2-0")}${pending}`);
    expect(await run("XREADGROUP GROUP g a BLOCK 1 STREAMS s >")).toBe(NIL_ARRAY);
  });

  test("a group's consumer does not wait for what cannot come any more", async () => {
    for (const end of ["DEL s", "XGROUP DESTROY s g", "FLUSHALL", "RENAME s t", "SET s text"]) {
      await run("DEL s");
      await run("XGROUP CREATE s g $ MKSTREAM");
      const { reply } = await waiting("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
      await run(end);
      // 7.0 has words of its own for the same.
      expect([end, await reply]).toEqual([
        end,
        expect.stringMatching(/^-(NOGROUP |WRONGTYPE |UNBLOCKED )/),
      ]);
    }
  });

  test("a client that is gone takes nothing", async () => {
    const { reply, client } = await waiting("BLPOP l 0");
    client.close();
    expect(reply).rejects.toThrow("no reply");
    await until(async () => (await blockedClients()) === 0);
    await run("RPUSH l a");
    expect(await run("LLEN l")).toBe(":1\r\n");
  });

  test("CLIENT UNBLOCK ends a wait as its time would, or with an error", async () => {
    for (const [how, answer] of [
      ["TIMEOUT", NIL_ARRAY],
      ["ERROR", "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"],
    ] as const) {
      const client = await openConnection(target.port);
      others.push(client);
      const id = (await run("CLIENT ID", client)).slice(1).trim();
      const reply = run("BLPOP l 0", client);
      await until(async () => (await blockedClients()) === 1);
      expect(await run(`CLIENT UNBLOCK ${id} ${how}`)).toBe(":1\r\n");
      expect(await reply).toBe(answer);
      expect(await run(`CLIENT UNBLOCK ${id}`)).toBe(":0\r\n");
      await run("RPUSH l a");
      expect(await run("LPOP l")).toBe(bulk("a"));
      expect(await run("PING", client)).toBe("+PONG\r\n");
    }
  });

  test("what a client sent behind its command is served when it is", async () => {
    const client = await openConnection(target.port);
    others.push(client);
    const replies = client.all([
      ["BLPOP", "l", "0"],
      ["ECHO", "behind"],
    ]);
    await until(async () => (await blockedClients()) === 1);
    await run("RPUSH l a");
    expect(await replies).toEqual([pair("l", "a"), bulk("behind")]);
    expect(await run("CLIENT LIST")).not.toContain("flags=b");
  });

  test("a client may wait for what it watches, and replies in its own protocol", async () => {
    const client = await openConnection(target.port);
    others.push(client);
    await run("HELLO 3", client);
    expect(await run("BLPOP l 0.001", client)).toBe("_\r\n");
    const reply = run("BLPOP l 0", client);
    await until(async () => (await blockedClients()) === 1);
    await run("RPUSH l a");
    expect(await reply).toBe(pair("l", "a"));
    await run("WATCH l", client);
    await run("RPUSH l b");
    await run("MULTI", client);
    expect(await run("EXEC", client)).toBe("_\r\n");
  });
});

test("INFO tells the keys that are waited for, and all of many who wait are served", async () => {
  const target = await bundis("no");
  const main = await openConnection(target.port);
  const run = (command: string, client = main) => client.raw(...command.split(" "));
  const clients = await Promise.all(Array.from({ length: 300 }, () => openConnection(target.port)));
  const replies = clients.map((client) => run("BLPOP l m 0", client));
  const field = async (name: string) =>
    new RegExp(`${name}:(\\d+)`).exec(await run("INFO clients"))?.[1];
  while ((await field("blocked_clients")) !== "300") await Bun.sleep(1);
  expect(await field("total_blocking_keys")).toBe("2");
  expect(await field("total_blocking_keys_on_nokey")).toBe("0");
  await run(`RPUSH l ${Array.from({ length: 300 }, (_, i) => i).join(" ")}`);
  const taken = (await Promise.all(replies)).map((reply) => Number(reply.split("\r\n")[4]));
  expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  expect(await field("total_blocking_keys")).toBe("0");
  for (const client of [main, ...clients]) client.close();
  await target.stop();
});

test("what was served to those who waited is served in the log too", async () => {
  const dir = temporaryDirectory();
  const config = { appendonly: "yes", dir: dir.path } as const;
  const first = await startServer({ config });
  const main = await openConnection(first.port);
  const run = (command: string, client = main) => client.raw(...command.split(" "));
  const waiting = await Promise.all([1, 2, 3].map(() => openConnection(first.port)));
  const commands = ["BLPOP l 0", "BLMOVE l m LEFT RIGHT 0", "BRPOPLPUSH m n 0"];
  const replies: Promise<string>[] = [];
  for (const [i, command] of commands.entries()) {
    replies.push(run(command, waiting[i]));
    while (!(await run("INFO clients")).includes(`blocked_clients:${i + 1}\r\n`))
      await Bun.sleep(1);
  }
  await run("MULTI");
  await run("RPUSH l a b c");
  await run("SET k v");
  await run("EXEC");
  expect(await Promise.all(replies)).toEqual([pair("l", "a"), bulk("b"), bulk("b")]);
  const lists = ["l", "m", "n"].map((key) => ["LRANGE", key, "0", "-1"]);
  const state = [`*1\r\n${bulk("c")}`, "*0\r\n", `*1\r\n${bulk("b")}`];
  expect(await main.all(lists)).toEqual(state);
  for (const client of [main, ...waiting]) client.close();
  await first.close();
  const second = await startServer({ config });
  const after = await openConnection(second.port);
  expect(await after.all(lists)).toEqual(state);
  expect(await after.raw("GET", "k")).toBe(bulk("v"));
  after.close();
  await second.close();
  dir.remove();
});
