/** Over real sockets: splits, pipelines, large commands, slow readers, half-open closes, and real client libraries. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { RedisClient } from "bun";
import { Redis } from "ioredis";
import { createClient, RESP_TYPES } from "redis";
import { ARGV_TABLE_ENTRIES } from "../../core-wasm/abi.ts";
import { type RunningServer, startServer } from "../../server/index.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  server.check();
  await server.close();
});

/** Sends pieces with pauses between them, half-closes, and answers all that came until the close. */
function exchange(pieces: (string | Uint8Array)[], port = server.port): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        async open(socket) {
          for (const piece of pieces) {
            let rest = Buffer.from(piece);
            while (rest.length > 0) {
              rest = rest.subarray(socket.write(rest));
              await Bun.sleep(1);
            }
          }
          socket.shutdown();
        },
        data(_socket, chunk) {
          received += chunk.toString("latin1");
        },
        end: (socket) => {
          socket.end();
        },
        close: () => resolve(received),
        error: (_socket, error) => reject(error),
      },
    });
  });
}

test("a pipeline in one piece is answered in order before the half-open close", async () => {
  const replies = await exchange(["PING\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\nNOSUCH a\r\n"]);
  expect(replies).toBe(
    "+PONG\r\n$2\r\nhi\r\n-ERR unknown command 'NOSUCH', with args beginning with: 'a' \r\n",
  );
});

test("an unknown command's words are shown up to a NUL, and 128 bytes of them", async () => {
  const unknown = "-ERR unknown command";
  expect(await exchange(['NO "a\\x00b" c\r\n'])).toBe(
    `${unknown} 'NO', with args beginning with: 'a' 'c' \r\n`,
  );
  expect(await exchange(['CLIENT "a\\x00b"\r\n'])).toBe(
    "-ERR unknown subcommand 'a'. Try CLIENT HELP.\r\n",
  );
  expect(await exchange([`${"n".repeat(200)} ${"x".repeat(200)} y\r\n`])).toBe(
    `${unknown} '${"n".repeat(128)}', with args beginning with: '${"x".repeat(128)}' \r\n`,
  );
});

test("a command that arrives byte by byte is answered once", async () => {
  const pieces = [..."*3\r\n$3\r\nSET\r\n$1\r\ns\r\n$2\r\nab\r\n*2\r\n$3\r\nGET\r\n$1\r\ns\r\n"];
  expect(await exchange(pieces)).toBe("+OK\r\n$2\r\nab\r\n");
});

test("a protocol error is answered and closes", async () => {
  expect(await exchange(["PING\r\n*1\r\n+x\r\nPING\r\n"])).toBe(
    "+PONG\r\n-ERR Protocol error: expected '$', got '+'\r\n",
  );
});

test("a command that fills the argv table, or nearly, and short ones behind it in the same chunk", async () => {
  const short = "*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n";
  await exchange(["MSET a 1 b 2\r\n"]);
  for (let room = 0; room < 12; room++) {
    const words = ARGV_TABLE_ENTRIES - room;
    const large = `*${words}\r\n$6\r\nEXISTS\r\n${"$1\r\na\r\n".repeat(words - 1)}`;
    const replies = await exchange([large + short.repeat(3)]);
    expect(replies).toBe(`:${words - 1}\r\n${"*2\r\n$1\r\n1\r\n$1\r\n2\r\n".repeat(3)}`);
  }
});

test("an inline command of more words than the argv table has loses none", async () => {
  await exchange(["SET a 1\r\n"]);
  for (const words of [ARGV_TABLE_ENTRIES - 1, ARGV_TABLE_ENTRIES, 30_000]) {
    // The quotes go, so that the word does not end where it did.
    const command = `EXISTS "a"${" a".repeat(words - 1)}\r\n`;
    const replies = await exchange([`PING\r\n${command}PING\r\n`]);
    expect(replies).toBe(`+PONG\r\n:${words}\r\n+PONG\r\n`);
  }
});

test("two servers in one process share nothing", async () => {
  const other = await startServer();
  expect(await exchange(["SET shared 1\r\n"])).toBe("+OK\r\n");
  expect(await exchange(["GET shared\r\n"], other.port)).toBe("$-1\r\n");
  await other.close();
});

const random = Array.from({ length: 1000 }, (_, i) => ({
  key: `r${i}`,
  value: randomBytes(i % 200),
}));
const large = randomBytes(1 << 20);

test.each([2, 3] as const)("ioredis in RESP%d", async (protocol) => {
  const client = new Redis({ port: server.port, protocol });
  await Promise.all(random.map(({ key, value }) => client.set(key, value)));
  const got = await Promise.all(random.map(({ key }) => client.getBuffer(key)));
  expect(got.every((value, i) => value?.equals(random[i]!.value))).toBe(true);
  await client.set("large", large);
  expect((await client.getBuffer("large"))?.equals(large)).toBe(true);
  expect(client.incr("large")).rejects.toThrow("ERR value is not an integer or out of range");
  expect(await client.dbsize()).toBeGreaterThan(1000);
  client.disconnect();
});

test.each([2, 3] as const)("node-redis in RESP%d", async (RESP) => {
  const client = createClient({ url: server.url, RESP });
  await client.connect();
  const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  await Promise.all(random.map(({ key, value }) => client.set(key, value)));
  const got = await Promise.all(random.map(({ key }) => buffers.get(key)));
  expect(got.every((value, i) => (value as Buffer | null)?.equals(random[i]!.value))).toBe(true);
  await client.set("large", large);
  expect(((await buffers.get("large")) as Buffer | null)?.equals(large)).toBe(true);
  expect(client.incr("large")).rejects.toThrow("ERR value is not an integer or out of range");
  client.destroy();
});

test("Bun's own client, which speaks RESP3 only", async () => {
  const client = new RedisClient(server.url);
  await Promise.all(random.map(({ key, value }) => client.set(key, value)));
  const got = await Promise.all(random.map(({ key }) => client.getBuffer(key)));
  expect(got.every((value, i) => Buffer.from(value!).equals(random[i]!.value))).toBe(true);
  expect(client.send("INCR", ["r199"])).rejects.toThrow(
    "ERR value is not an integer or out of range",
  );
  client.close();
});
