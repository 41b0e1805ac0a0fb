/** The unix socket: beside TCP, instead of it, with permissions, and where a killed server has left its file. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { startServer } from "../../server/index.ts";
import {
  freePort,
  type ServerProcess,
  startProcess,
  temporaryDirectory,
} from "../support/server-process.ts";

const directory = temporaryDirectory();
const path = join(directory.path, "bundis.sock");
const running: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});
process.on("exit", directory.remove);

async function started(config: Record<string, string>) {
  const server = await startServer({ config });
  running.push(() => server.close());
  return server;
}

async function ask(socketPath: string, ...words: string[]): Promise<unknown> {
  const client = new Redis({ path: socketPath, lazyConnect: true, retryStrategy: null });
  client.on("error", () => {});
  try {
    await client.connect();
    return await client.call(words[0]!, ...words.slice(1));
  } finally {
    client.disconnect();
  }
}

test("it is served beside TCP, with the permissions asked for, and its clients are shown as such", async () => {
  const server = await started({ unixsocket: path, unixsocketperm: "700" });
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(await ask(path, "SET", "k", "v")).toBe("OK");
  const line = String(await ask(path, "CLIENT", "INFO"));
  expect(line).toContain(` addr=${path}:0 laddr=${path}:0 `);
  const tcp = new Redis(server.port);
  expect(await tcp.get("k")).toBe("v");
  tcp.disconnect();
});

test("its file goes with the server", async () => {
  const server = await started({ unixsocket: path });
  expect(existsSync(path)).toBe(true);
  await server.close();
  expect(existsSync(path)).toBe(false);
});

test("the file of a killed server is replaced", async () => {
  const killed: ServerProcess = await startProcess(freePort(), "--unixsocket", path);
  expect(await ask(path, "PING")).toBe("PONG");
  await killed.kill("SIGKILL");
  expect(existsSync(path)).toBe(true);
  await started({ unixsocket: path });
  expect(await ask(path, "PING")).toBe("PONG");
});

test("a path that is taken, or is another kind of file, stops the start and is left as it is", async () => {
  await started({ unixsocket: path });
  await expect(startServer({ config: { unixsocket: path } })).rejects.toThrow(
    "Failed opening Unix socket: bind:",
  );
  expect(await ask(path, "PING")).toBe("PONG");
  const file = join(directory.path, "file");
  await Bun.write(file, "precious");
  await expect(startServer({ config: { unixsocket: file } })).rejects.toThrow(
    "Failed opening Unix socket: bind:",
  );
  expect(await Bun.file(file).text()).toBe("precious");
});

test("with port 0 there is nothing but the unix socket", async () => {
  const child = Bun.spawn(
    [process.execPath, "server/main.ts", "--port", "0", "--unixsocket", path],
    { cwd: join(import.meta.dir, "../.."), stdout: "pipe" },
  );
  running.push(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  let reply: unknown;
  for (let tries = 0; tries < 200 && reply !== "PONG"; tries++) {
    reply = await ask(path, "PING").catch(() => Bun.sleep(20));
  }
  expect(reply).toBe("PONG");
  expect(String(await ask(path, "INFO", "server"))).toContain("tcp_port:0\r\n");
});
