/** Resident bytes per idle connection: silent ones, and ones whose client library has introduced itself. */
import { frame } from "./pipe.ts";
import { type Section, table } from "./report.ts";
import { type ServerName, startServer } from "./server-process.ts";

const BATCH = 100;
/** Connections that come and go before the empty server is measured: what their commands compile to is not theirs. */
const WARMUP_CONNECTIONS = 4000;
/** What client libraries send when they connect. */
const INTRODUCTION =
  frame("HELLO", 3) +
  frame("CLIENT", "SETNAME", "bench") +
  frame("CLIENT", "SETINFO", "LIB-NAME", "bench") +
  frame("CLIENT", "SETINFO", "LIB-VER", "1.0.0") +
  frame("PING");

export interface ConnectionsOptions {
  connections: number;
  idleMs: number;
}

/** Opens connections, and waits for each to be answered if it says something. */
async function openMany(port: number, count: number, greeting: string) {
  const sockets: { terminate(): void }[] = [];
  const openOne = () =>
    new Promise<void>((resolve, reject) => {
      Bun.connect({
        hostname: "127.0.0.1",
        port,
        socket: {
          open(socket) {
            sockets.push(socket);
            if (greeting === "") resolve();
            else socket.write(greeting);
          },
          data(_socket, chunk) {
            if (chunk.toString("latin1").endsWith("+PONG\r\n")) resolve();
          },
          close: () => reject(new Error("a connection was closed")),
          error: (_socket, error) => reject(error),
        },
      }).catch(reject);
    });
  for (let opened = 0; opened < count; opened += BATCH)
    await Promise.all(Array.from({ length: Math.min(BATCH, count - opened) }, openOne));
  return () => {
    for (const socket of sockets) socket.terminate();
  };
}

async function bytesPerConnection(
  name: ServerName,
  greeting: string,
  { connections, idleMs }: ConnectionsOptions,
): Promise<number> {
  const server = await startServer(name, "--maxclients", String(connections + BATCH));
  try {
    if (greeting !== "")
      for (let left = WARMUP_CONNECTIONS; left > 0; left -= BATCH)
        (await openMany(server.port, BATCH, greeting))();
    await Bun.sleep(greeting === "" ? 1000 : idleMs);
    const empty = server.residentBytes();
    const closeAll = await openMany(server.port, connections, greeting);
    await Bun.sleep(idleMs);
    const bytes = (server.residentBytes() - empty) / connections;
    closeAll();
    return bytes;
  } finally {
    await server.stop();
  }
}

export async function measureConnections(options: ConnectionsOptions): Promise<Section> {
  const rows: string[][] = [];
  for (const [what, greeting] of [
    ["silent", ""],
    ["introduced (HELLO 3, name, library), then idle", INTRODUCTION],
  ] as const) {
    const redis = await bytesPerConnection("redis-server", greeting, options);
    const bundis = await bytesPerConnection("bundis", greeting, options);
    const row = [what, redis.toFixed(0), bundis.toFixed(0)];
    console.log(row.join("  "));
    rows.push(row);
  }
  const head = ["connections", "redis bytes each", "Bundis bytes each"];
  return {
    title: "Memory per idle connection",
    body: `${options.connections.toLocaleString("en")} connections, VmRSS ${options.idleMs / 1000} s after the last was opened minus VmRSS without any (of those who talked: after ${WARMUP_CONNECTIONS} others had come, talked and gone).\n\n${table(head, rows)}`,
  };
}
