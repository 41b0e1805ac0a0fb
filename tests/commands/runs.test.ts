/** Commands that come in one chunk, of one name in a row, which the core runs in one call: they do what they do one by one. */
import { afterEach, expect, test } from "bun:test";
import fc from "fast-check";
import { type DirectClient, DirectServer } from "../support/direct-client.ts";
import { frame } from "../support/reference.ts";
import { diskError } from "../support/sim-disk.ts";

const servers: DirectServer[] = [];
afterEach(async () => {
  for (const direct of servers.splice(0)) await direct.stop();
});

async function start(settings: Record<string, string>): Promise<DirectServer> {
  const direct = await DirectServer.start(settings);
  servers.push(direct);
  return direct;
}

const together = (commands: readonly string[][]) =>
  Buffer.concat(commands.map((words) => frame(words)));

async function inOneChunk(client: DirectClient, commands: string[][]): Promise<string[]> {
  client.send(together(commands));
  return await client.replies(commands.length);
}

async function oneByOne(client: DirectClient, commands: string[][]): Promise<string[]> {
  const replies: string[] = [];
  for (const words of commands) {
    client.send(frame(words));
    replies.push(...(await client.replies(1)));
  }
  return replies;
}

/** Calls, refusals and failures by command. */
async function counts(client: DirectClient): Promise<string[]> {
  const [info] = await inOneChunk(client, [["INFO", "commandstats"]]);
  const lines = info!.match(/^cmdstat_\w+:.*$/gm) ?? [];
  const timeless = lines.map((line) => line.replace(/usec[^,]*,/g, ""));
  return timeless.filter((line) => !line.startsWith("cmdstat_info")).sort();
}

const key = fc.constantFrom("a", "b", "list", "set", "none");
const value = fc.constantFrom("1", "x", "value of more bytes");
const shapes = fc.oneof(
  fc.tuple(fc.constantFrom("GET", "INCR", "LPOP", "SCARD", "TTL", "GETDEL", "nosuch"), key),
  fc.tuple(
    fc.constantFrom("SET", "RPUSH", "lpush", "SADD", "SREM", "APPEND", "GETSET"),
    key,
    value,
  ),
  fc.tuple(fc.constantFrom("SETEX", "HSET"), key, fc.constantFrom("100", "0", "f"), value),
  fc.tuple(fc.constantFrom("MULTI", "EXEC", "SUBSTR", "PING")),
  fc.tuple(fc.constant("EXPIRE"), key, fc.constantFrom("100", "-1")),
  fc.tuple(fc.constant("SELECT"), fc.constantFrom("0", "1")),
);
/** Stretches of one name, now and then with different words. */
const stretches = fc.array(
  fc.oneof(
    fc
      .tuple(shapes, fc.integer({ min: 1, max: 40 }))
      .map(([words, times]) => Array.from({ length: times }, () => [...words])),
    fc
      .tuple(fc.constantFrom("GET", "LPOP", "INCR"), fc.array(key, { maxLength: 20 }))
      .map(([name, keys]) => keys.map((word) => [name, word])),
    fc
      .tuple(fc.constantFrom("SET", "LPUSH", "SADD"), fc.array(key, { maxLength: 20 }))
      .map(([name, keys]) => keys.map((word, i) => [name, word, `v${i % 3}`])),
  ),
  { maxLength: 8 },
);

const LOGS: Record<string, string>[] = [
  { appendonly: "no" },
  { appendonly: "yes", appendfsync: "everysec" },
  { appendonly: "yes", appendfsync: "always" },
];
for (const log of LOGS)
  test(`they answer, leave, log and count the same: ${Object.values(log).join(" ")}`, async () => {
    await fc.assert(
      fc.asyncProperty(stretches, fc.boolean(), async (parts, isWatched) => {
        const commands = parts.flat();
        const results = [];
        for (const send of [inOneChunk, oneByOne]) {
          const direct = await start(log);
          const watcher = direct.connect();
          if (isWatched) await inOneChunk(watcher, [["WATCH", "a", "list"], ["MULTI"], ["PING"]]);
          const client = direct.connect();
          const replies = await send(client, commands);
          const judged = isWatched ? await inOneChunk(watcher, [["EXEC"]]) : [];
          // A transaction that is still open would take what follows.
          const reader = direct.connect();
          const state = await inOneChunk(reader, [["DEBUG", "DIGEST"]]);
          results.push({
            replies: replies.map((reply) => reply.replace(/^:\d{12,}/, ":")),
            judged,
            state,
            counts: await counts(reader),
            logged: direct.logged.map((line) => line.replace(/\d{12,}/, "")),
          });
          await servers.pop()!.stop();
        }
        expect(results[0]).toEqual(results[1]!);
      }),
      { numRuns: 40 },
    );
  });

test("every call of a run is counted, and shown where all are asked for", async () => {
  const client = (await start({})).connect();
  const sets = Array.from({ length: 100 }, (_, i) => ["SET", `k${i}`, "v"]);
  await inOneChunk(client, [["CONFIG", "SET", "slowlog-max-len", "1000"], ...sets]);
  expect((await counts(client)).join()).toContain("cmdstat_set:calls=100,");
  await inOneChunk(client, [
    ["CONFIG", "SET", "slowlog-log-slower-than", "0"],
    ["SLOWLOG", "RESET"],
  ]);
  const [length] = (await inOneChunk(client, [...sets, ["SLOWLOG", "LEN"]])).slice(-1);
  // The reset is there too.
  expect(length).toBe(":101\r\n");
});

test("a client that takes nothing is not served further than its replies may go", async () => {
  const client = (await start({})).connect();
  const large = "x".repeat(3 << 20);
  await inOneChunk(client, [["SET", "large", large]]);
  client.isFull = true;
  client.send(together(Array.from({ length: 30 }, () => ["GET", "large"])));
  // The third one does not fit the window.
  expect(client.data.connection!.client.outbox.bytes).toBeLessThan(3 * (large.length + 20));
  client.drain();
  const replies = await client.replies(30);
  expect(new Set(replies)).toEqual(new Set([`$${large.length}\r\n${large}\r\n`]));
});

test("what an expired key of many bytes leaves is logged behind the commands before it", async () => {
  const direct = await start({ appendonly: "yes", appendfsync: "no" });
  const client = direct.connect();
  // Its record is handed over in the middle of the command.
  const long = "k".repeat(70_000);
  await inOneChunk(client, [
    ["DEBUG", "SET-ACTIVE-EXPIRE", "0"],
    ["SET", long, "old", "PX", "1"],
  ]);
  await Bun.sleep(5);
  const before = direct.logged.length;
  const append = (word: string) => ["APPEND", word, "1"];
  expect(await inOneChunk(client, ["a", "a", long, "b"].map(append))).toEqual([
    ":1\r\n",
    ":2\r\n",
    ":1\r\n",
    ":1\r\n",
  ]);
  expect(direct.logged.slice(before)).toEqual([
    "APPEND a 1",
    "APPEND a 1",
    "MULTI",
    `DEL ${long}`,
    `APPEND ${long} 1`,
    "EXEC",
    "APPEND b 1",
  ]);
  // The same of a command that is alone.
  await inOneChunk(client, [["SET", long, "old", "PX", "1"]]);
  await Bun.sleep(5);
  await inOneChunk(client, [["PING"], append(long)]);
  expect(direct.logged.slice(-4)).toEqual(["MULTI", `DEL ${long}`, `APPEND ${long} 1`, "EXEC"]);
});

test("nobody hears of what a run has changed before it is safe, though its last command changes nothing", async () => {
  const direct = await start({ appendonly: "yes", appendfsync: "always" });
  const client = direct.connect();
  await inOneChunk(client, [["SET", "text", "value"]]);
  direct.disk.before = ({ kind }) => {
    if (kind === "write") throw diskError("ENOSPC");
  };
  client.send(together(["a", "b", "text"].map((word) => ["SADD", word, "member"])));
  await Bun.sleep(20);
  expect(client.hasReplies).toBe(false);
  direct.disk.before = () => {};
  expect((await client.replies(3)).join("")).toStartWith(":1\r\n:1\r\n-WRONGTYPE ");
});
