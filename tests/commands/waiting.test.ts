/** WAIT and WAITAOF: when they answer, what they answer, and that nothing behind them is served before. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  frame,
  openConnection,
  REFERENCE_PATH,
  startReference,
} from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

let dir: ReturnType<typeof temporaryDirectory>;
let server: RunningServer;
const clients: Connection[] = [];
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server?.close();
  dir.remove();
});

async function start(appendonly: "yes" | "no", appendfsync = "everysec"): Promise<Connection> {
  server = await startServer({ config: { appendonly, appendfsync, dir: dir.path } });
  return connect();
}

async function connect(): Promise<Connection> {
  const client = await openConnection(server.port);
  clients.push(client);
  return client;
}

const run = (client: Connection, command: string) => client.raw(...command.split(" "));
const idOf = async (client: Connection) => (await run(client, "CLIENT ID")).slice(1).trim();

const WAIT_CASES: [command: string, reply: string][] = [
  ["WAIT 0 0", ":0\r\n"],
  ["WAIT -1 0", ":0\r\n"],
  ["WAIT 1 10", ":0\r\n"],
  ["WAIT x 0", "-ERR value is not an integer or out of range\r\n"],
  ["WAIT 0 x", "-ERR timeout is not an integer or out of range\r\n"],
  ["WAIT 0 -1", "-ERR timeout is negative\r\n"],
];

describe("WAIT", () => {
  test("answers how many replicas there are, which is none, when its time is up", async () => {
    const client = await start("no");
    for (const [command, reply] of WAIT_CASES) expect(await run(client, command)).toBe(reply);
    // New in 7.2.
    expect(await run(client, "WAIT 0 9223372036854775807")).toBe(
      "-ERR timeout is out of range\r\n",
    );
  });

  test.skipIf(REFERENCE_PATH === null)("answers as a reference server", async () => {
    await start("no");
    const reference = await startReference(freePort());
    const client = await reference.connect();
    for (const [command, reply] of WAIT_CASES) expect(await run(client, command)).toBe(reply);
    client.close();
    await reference.stop();
  });

  test("does not wait in a transaction", async () => {
    const client = await start("no");
    await run(client, "MULTI");
    await run(client, "WAIT 1 0");
    expect(await run(client, "EXEC")).toBe("*1\r\n:0\r\n");
  });

  test("commands behind it are served behind its answer", async () => {
    await start("no");
    const received: string[] = [];
    const closed = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: {
        data: (_socket, chunk) => {
          received.push(chunk.toString("latin1"));
        },
        close: () => closed.resolve(),
      },
    });
    const commands = ["PING", "WAIT 1 30", "ECHO a", "WAIT 1 1", "QUIT"];
    socket.write(Buffer.concat(commands.map((command) => frame(command.split(" ")))));
    await closed.promise;
    expect(received.join("")).toBe("+PONG\r\n:0\r\n$1\r\na\r\n:0\r\n+OK\r\n");
    expect(received[0]).toBe("+PONG\r\n");
  });

  test("is ended by CLIENT UNBLOCK, as if its time was up or with an error", async () => {
    const admin = await start("no");
    const waiting = await connect();
    const id = await idOf(waiting);
    expect(await run(admin, `CLIENT UNBLOCK ${id}`)).toBe(":0\r\n");
    const first = run(waiting, "WAIT 1 0");
    while (!(await run(admin, "INFO clients")).includes("blocked_clients:1")) await Bun.sleep(1);
    expect(await run(admin, `CLIENT UNBLOCK ${id}`)).toBe(":1\r\n");
    expect(await first).toBe(":0\r\n");
    const second = run(waiting, "WAIT 1 0");
    while ((await run(admin, `CLIENT UNBLOCK ${id} ERROR`)) === ":0\r\n") await Bun.sleep(1);
    expect(await second).toBe("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    expect(await run(waiting, "PING")).toBe("+PONG\r\n");
  });

  test("a client that goes is waited for no longer", async () => {
    const admin = await start("no");
    const waiting = await connect();
    run(waiting, "WAIT 1 50").catch(() => {});
    while (!(await run(admin, "INFO clients")).includes("blocked_clients:1")) await Bun.sleep(1);
    waiting.close();
    while (!(await run(admin, "INFO clients")).includes("blocked_clients:0")) await Bun.sleep(1);
    await Bun.sleep(60);
    expect(await run(admin, "PING")).toBe("+PONG\r\n");
  });
});

describe("WAITAOF", () => {
  test.each(["everysec", "always"])("under %s waits for the sync", async (policy) => {
    const client = await start("yes", policy);
    expect(await run(client, "WAITAOF 1 0 0")).toBe("*2\r\n:1\r\n:0\r\n");
    for (let i = 0; i < 3; i++) {
      await run(client, "INCR k");
      expect(await run(client, "WAITAOF 1 0 0")).toBe("*2\r\n:1\r\n:0\r\n");
    }
  });

  test("answers what is not synced when its time is up, and goes on when it comes to be", async () => {
    const client = await start("yes", "no");
    await run(client, "SET k v");
    expect(await run(client, "WAITAOF 1 0 20")).toBe("*2\r\n:0\r\n:0\r\n");
    expect(await run(client, "WAITAOF 0 0 0")).toBe("*2\r\n:0\r\n:0\r\n");
    // Others have nothing to wait for.
    expect(await run(await connect(), "WAITAOF 1 0 0")).toBe("*2\r\n:1\r\n:0\r\n");
    const waiting = run(client, "WAITAOF 1 0 0");
    await run(await connect(), "CONFIG SET appendfsync everysec");
    expect(await waiting).toBe("*2\r\n:1\r\n:0\r\n");
  });

  test("units count like single commands, and nothing waits inside them", async () => {
    const client = await start("yes", "no");
    for (const command of ["MULTI", "SET a 1", "SET b 2", "WAITAOF 1 0 0"])
      await run(client, command);
    expect(await run(client, "EXEC")).toBe("*3\r\n+OK\r\n+OK\r\n*2\r\n:0\r\n:0\r\n");
    expect(await run(client, "WAITAOF 1 0 10")).toBe("*2\r\n:0\r\n:0\r\n");
  });

  test("has no replicas to wait for", async () => {
    const client = await start("yes", "always");
    expect(await run(client, "WAITAOF 1 1 10")).toBe("*2\r\n:1\r\n:0\r\n");
  });

  test("says what is wrong with its words", async () => {
    const client = await start("no");
    const cases: [command: string, error: string][] = [
      ["WAITAOF x 0 0", "ERR value is not an integer or out of range"],
      ["WAITAOF 2 0 0", "ERR value is out of range, value must between 0 and 1"],
      ["WAITAOF -1 0 0", "ERR value is out of range, value must between 0 and 1"],
      ["WAITAOF 0 x 0", "ERR value is not an integer or out of range"],
      ["WAITAOF 0 -1 0", "ERR value is out of range, must be positive"],
      ["WAITAOF 0 0 x", "ERR timeout is not an integer or out of range"],
      ["WAITAOF 0 0 -1", "ERR timeout is negative"],
      [
        "WAITAOF 1 0 0",
        "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
      ],
    ];
    for (const [command, error] of cases) expect(await run(client, command)).toBe(`-${error}\r\n`);
    expect(await run(client, "WAITAOF 0 0 0")).toBe("*2\r\n:0\r\n:0\r\n");
  });
});
