/** `import { startServer } from "bundis"`: servers inside this process. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { RedisClient } from "bun";
import { type RunningServer, type StartOptions, startServer } from "../../server/index.ts";
import { openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

let dir: ReturnType<typeof temporaryDirectory>;
const servers: RunningServer[] = [];
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  dir.remove();
});

async function start(options?: StartOptions): Promise<RunningServer> {
  const server = await startServer(options);
  servers.push(server);
  return server;
}

async function ask(server: { port: number }, ...words: string[]): Promise<string> {
  const client = await openConnection(server.port);
  const reply = await client.raw(...words);
  client.close();
  return reply;
}

test("the package's name gives it, and clients take its url", async () => {
  const { startServer: fromPackage } = await import("bundis");
  expect(fromPackage).toBe(startServer);
  const server = await start();
  const client = new RedisClient(server.url);
  await client.set("k", "v");
  expect(await client.get("k")).toBe("v");
  client.close();
});

test("several servers in one process share nothing", async () => {
  const [a, b] = [await start(), await start({ config: { databases: 2 } })];
  expect(a.port).not.toBe(b.port);
  await ask(a, "SET", "k", "a");
  expect(await ask(b, "GET", "k")).toBe("$-1\r\n");
  expect(await ask(a, "SELECT", "5")).toBe("+OK\r\n");
  expect(await ask(b, "SELECT", "5")).toStartWith("-ERR");
  await a.close();
  await a.close();
  expect(await ask(b, "PING")).toBe("+PONG\r\n");
});

test("directives are typed values under their own names, or those of old versions", async () => {
  const server = await start({
    config: {
      maxmemory: "2mb",
      "maxmemory-policy": "allkeys-lru",
      maxclients: 50,
      appendonly: true,
      dir: dir.path,
      save: [],
      "slave-read-only": false,
      bind: ["127.0.0.1", "-::1"],
    },
  });
  const shown = async (name: string) => (await ask(server, "CONFIG", "GET", name)).split("\r\n")[4];
  expect(await shown("maxmemory")).toBe("2097152");
  expect(await shown("maxclients")).toBe("50");
  expect(await shown("appendonly")).toBe("yes");
  expect(await shown("replica-read-only")).toBe("no");
  expect(await shown("save")).toBe("");
  expect(await shown("bind")).toBe("127.0.0.1 -::1");
});

test("closing during a rewrite of the log ends it: nothing of it is left, and the next one starts at once", async () => {
  const config = { appendonly: true, dir: dir.path, "auto-aof-rewrite-percentage": 0 };
  const server = await start({ config });
  const value = "x".repeat(500);
  const client = await openConnection(server.port);
  for (let i = 0; i < 20; i++) {
    const pairs = Array.from({ length: 1000 }, (_, j) => [`k${i}:${j}`, value]);
    expect(await client.raw("MSET", ...pairs.flat())).toBe("+OK\r\n");
  }
  expect(await client.raw("BGREWRITEAOF")).toStartWith("+Background");
  client.close();
  await server.close();
  const files = readdirSync(join(dir.path, "appendonlydir"));
  expect(files.filter((name) => name.startsWith("temp"))).toEqual([]);
  const next = await start({ config });
  expect(await ask(next, "DBSIZE")).toBe(":20000\r\n");
});

test("what is no directive, or no value of one, is an error at once", async () => {
  const nothing = { config: { nosuch: 1 } as object };
  await expect(startServer(nothing)).rejects.toThrow("there is no directive 'nosuch'");
  await expect(startServer({ config: { maxclients: "many" } })).rejects.toThrow(
    "directive 'maxclients': argument couldn't be parsed into an integer",
  );
});

test("a port that is taken is an error, and leaves nothing open", async () => {
  const port = freePort();
  await start({ port });
  const config = { appendonly: true, dir: dir.path };
  await expect(startServer({ port, config })).rejects.toThrow(`Failed listening on port ${port}`);
  // The directory's lock was given back.
  await start({ config });
});

test("port false listens on the unix socket only", async () => {
  const path = join(dir.path, "s");
  const server = await start({ port: false, config: { unixsocket: path } });
  expect(server.port).toBe(0);
  expect(server.url).toBe(`redis+unix://${path}`);
  const client = new RedisClient(server.url);
  expect(await client.ping()).toBe("PONG");
  client.close();
});

test("log lines go to the function that asked for them", async () => {
  const lines: string[] = [];
  const log = (level: string, text: string) => lines.push(`${level} ${text}`);
  const server = await start({ log, config: { loglevel: "notice" } });
  await server.close();
  expect(lines).toContain("notice Ready to accept connections tcp");
  expect(lines).toContain("warning Bundis is now ready to exit, bye bye...");
});

test("a crash takes the connections, not the process", async () => {
  const lines: string[] = [];
  const config = { "enable-debug-command": "yes" };
  const server = await start({ log: (_level, text) => lines.push(text), config });
  const other = await start();
  const client = await openConnection(server.port);
  await expect(client.raw("DEBUG", "PANIC")).rejects.toThrow("no reply");
  expect(lines.join("\n")).toContain("BUNDIS BUG REPORT START");
  expect(await ask(other, "PING")).toBe("+PONG\r\n");
  await expect(openConnection(server.port)).rejects.toThrow();
});
