/** A server that may open few files: it serves as many clients as fit, tells the others, and is not busy with it. */
import { afterEach, expect, test } from "bun:test";
import { RawSocket } from "../support/raw-socket.ts";
import {
  cpuSeconds,
  freePort,
  type ServerProcess,
  startWithOpenFiles,
  temporaryDirectory,
} from "../support/server-process.ts";

const OPEN_FILES = 64;
const ROOM = OPEN_FILES - 32;
const TOO_MANY = "-ERR max number of clients reached\r\n";

const directory = temporaryDirectory();
process.on("exit", directory.remove);
let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.kill("SIGKILL");
  server = undefined;
});

test("maxclients is lowered to what fits; clients beyond are refused, and served when others leave", async () => {
  server = await startWithOpenFiles(
    OPEN_FILES,
    freePort(),
    "--appendonly",
    "yes",
    "--dir",
    directory.path,
  );
  const { port, pid } = server;
  const clients: RawSocket[] = [];
  const refused: RawSocket[] = [];
  for (let i = 0; i < 3 * OPEN_FILES; i++) {
    const socket = await RawSocket.open(port);
    socket.send("PING\r\n");
    const answer = await socket.until((text) => text.includes("\r\n"));
    if (answer === TOO_MANY) refused.push(socket);
    else clients.push(socket);
  }
  for (const socket of refused) expect(await socket.untilClosed()).toBe(TOO_MANY);
  // The probe that waited for the start may have been counted still.
  expect(clients.length).toBeGreaterThanOrEqual(ROOM - 1);
  expect(clients.length).toBeLessThanOrEqual(ROOM);

  for (const [i, client] of clients.entries()) {
    client.received = "";
    await client.ask(`SET k${i} v\r\nGET k${i}\r\n`, "+OK\r\n$1\r\nv\r\n");
  }
  const before = cpuSeconds(pid);
  await Bun.sleep(1000);
  expect(cpuSeconds(pid) - before).toBeLessThan(0.5);

  for (const client of clients.splice(0, 10)) client.close();
  for (let i = 0; i < 10; i++) {
    let late = await RawSocket.open(port);
    late.send("PING\r\n");
    while ((await late.until((text) => text !== "")) === TOO_MANY) {
      late = await RawSocket.open(port);
      late.send("PING\r\n");
    }
    expect(late.received).toBe("+PONG\r\n");
    clients.push(late);
  }
  const info = clients[0]!;
  info.received = "";
  info.send("CONFIG GET maxclients\r\nCONFIG SET maxclients 33\r\n");
  const answer = await info.until((text) => text.includes("-ERR"));
  expect(answer).toStartWith(`*2\r\n$10\r\nmaxclients\r\n$2\r\n${ROOM}\r\n`);
  expect(answer).toContain(
    `The operating system is not able to handle the specified number of clients, try with ${ROOM}`,
  );
}, 30_000);

test("a server that cannot have the files it needs itself says so and does not start", async () => {
  const started = startWithOpenFiles(32, freePort()).then((process) => {
    server = process;
  });
  await expect(started).rejects.toThrow(
    "Your current 'ulimit -n' of 32 is not enough for the server to start.",
  );
});
