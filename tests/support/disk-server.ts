/** The whole server in this process on a disk in memory, with a real connection to it. */
import { configOf } from "../../server/config/options.ts";
import { createLogger } from "../../server/observability/log.ts";
import { Server, type ServerOptions } from "../../server/server.ts";
import { type Connection, openConnection } from "./reference.ts";
import { temporaryDirectory } from "./server-process.ts";
import type { SimDisk } from "./sim-disk.ts";

export interface DiskServer {
  readonly port: number;
  readonly client: Connection;
  /** What it logged. */
  readonly lines: readonly string[];
  /** One command, split at blanks. @returns its raw reply */
  run(command: string): Promise<string>;
  /** An orderly stop. */
  stop(): Promise<void>;
}

const LOG_DIR = "appendonlydir";

/** Where the log is: the directory itself is real, because its lock is. */
const home = temporaryDirectory();
process.on("exit", () => home.remove());
export const logPath = (name: string) => `${home.path}/${LOG_DIR}/${name}`;
export const MANIFEST = "appendonly.aof.manifest";
export const LOG_NAMES = { dir: `${home.path}/${LOG_DIR}`, prefix: "appendonly.aof" };

/** A server that was not started yet. @param lines gets what it logs @param network where clients come from, if not from sockets */
export function createOnDisk(
  disk: SimDisk,
  settings: Record<string, string> = {},
  lines: string[] = [],
  network?: ServerOptions["network"],
): Server {
  const logger = createLogger({ level: "notice", file: "" }, (_, text) => void lines.push(text));
  const config = configOf({
    bind: "127.0.0.1",
    port: 0,
    appendonly: "yes",
    dir: home.path,
    "enable-debug-command": "yes",
    "auto-aof-rewrite-percentage": "0",
    ...settings,
  });
  return new Server({ config, logger, disk, anyPort: true, ...(network && { network }) });
}

/** @throws Error if it does not start */
export async function startOnDisk(
  disk: SimDisk,
  settings: Record<string, string> = {},
): Promise<DiskServer> {
  const lines: string[] = [];
  const server = createOnDisk(disk, settings, lines);
  await server.start();
  const client = await openConnection(server.port);
  return {
    port: server.port,
    client,
    lines,
    run: (command) => client.raw(...command.split(" ")),
    async stop() {
      client.close();
      await server.stop();
    },
  };
}

/** Loads whatever disk it is given, one after the other, with one server that has no log of its own. */
export interface Loader {
  /** @returns the digest of what it holds; or why it was refused */
  load(disk: SimDisk): Promise<{ state: string } | { refused: string }>;
  readonly client: Connection;
  stop(): Promise<void>;
}

const OK = "+OK\r\n";

export async function openLoader(disk: SimDisk): Promise<Loader> {
  const server = await startOnDisk(disk, { appendonly: "no" });
  const { client, lines } = server;
  return {
    client,
    async load(other) {
      disk.become(other);
      const [loaded] = await client.all([["DEBUG", "LOADAOF"]]);
      if (loaded !== OK) return { refused: lines.at(-1) ?? "" };
      return { state: await stateOf(client) };
    },
    stop: () => server.stop(),
  };
}

/** Digest of all databases. */
export function stateOf(client: Connection): Promise<string> {
  return client.raw("DEBUG", "DIGEST");
}
