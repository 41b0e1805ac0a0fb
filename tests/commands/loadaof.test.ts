/** DEBUG LOADAOF: what is in the files is what is in memory, before and after. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import { type Connection, frame, openConnection } from "../support/reference.ts";
import { temporaryDirectory } from "../support/server-process.ts";

let dir: ReturnType<typeof temporaryDirectory>;
let server: RunningServer;
let client: Connection;
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  server.check();
  client.close();
  await server.close();
  dir.remove();
});

async function start(appendonly: "yes" | "no"): Promise<void> {
  const config = { appendonly, dir: dir.path, "enable-debug-command": "yes" };
  server = await startServer({ config });
  client = await openConnection(server.port);
}

const run = (command: string) => client.raw(...command.split(" "));
const logFile = () => join(dir.path, "appendonlydir", "appendonly.aof.1.incr.aof");

async function fill(): Promise<void> {
  for (let i = 0; i < 500; i++) await run(`SET key:${i} ${"v".repeat(i)}`);
  for (const command of ["MULTI", "SELECT 3", "SET a 1 PX 1000000", "INCR a", "SELECT 0", "EXEC"])
    await run(command);
}

test("memory is the same behind it, in all databases, with all deadlines", async () => {
  await start("yes");
  await fill();
  const before = await run("DEBUG DIGEST");
  for (let i = 0; i < 3; i++) {
    expect(await run("DEBUG LOADAOF")).toBe("+OK\r\n");
    expect(await run("DEBUG DIGEST")).toBe(before);
  }
  expect(await run("GET key:7")).toBe("$7\r\nvvvvvvv\r\n");
});

test("nothing of the replay is logged, and what comes later is", async () => {
  await start("yes");
  await fill();
  const size = () => readFileSync(logFile()).length;
  await run("DEBUG LOADAOF");
  const before = size();
  await run("DEBUG LOADAOF");
  expect(size()).toBe(before);
  await run("SET later 1");
  expect(size()).toBeGreaterThan(before);
  await run("DEBUG LOADAOF");
  expect(await run("GET later")).toBe("$1\r\n1\r\n");
});

test("commands behind it in the same piece are served behind it", async () => {
  await start("yes");
  const commands = [
    "SET k 1",
    "DEBUG LOADAOF",
    "INCR k",
    "GET k",
    "DEBUG LOADAOF",
    "GET k",
    "QUIT",
  ];
  let received = "";
  const closed = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    socket: {
      data: (_socket, chunk) => {
        received += chunk.toString("latin1");
      },
      close: () => closed.resolve(),
    },
  });
  socket.write(Buffer.concat(commands.map((command) => frame(command.split(" ")))));
  await closed.promise;
  expect(received).toBe("+OK\r\n+OK\r\n:2\r\n$1\r\n2\r\n+OK\r\n$1\r\n2\r\n+OK\r\n");
});

test("without a log and without files the databases are empty behind it, and it says so", async () => {
  await start("no");
  await run("SET k 1");
  expect(await run("DEBUG LOADAOF")).toBe(
    "-ERR Error trying to load the AOF files, check server logs.\r\n",
  );
  expect(await run("DBSIZE")).toBe(":0\r\n");
  expect(existsSync(join(dir.path, "appendonlydir"))).toBe(false);
  expect(await run("SET k 1")).toBe("+OK\r\n");
});

test("damaged files are reported, and the server goes on", async () => {
  await start("yes");
  await run("SET k 1");
  await run("DEBUG LOADAOF");
  appendFileSync(logFile(), "XXX");
  expect(await run("DEBUG LOADAOF")).toBe(
    "-ERR Error trying to load the AOF files, check server logs.\r\n",
  );
  expect(await run("GET k")).toBe("$1\r\n1\r\n");
});

test("it is not possible in a transaction", async () => {
  await start("yes");
  await run("MULTI");
  await run("DEBUG LOADAOF");
  expect(await run("EXEC")).toBe("*1\r\n-ERR DEBUG LOADAOF is not possible in a transaction\r\n");
});
