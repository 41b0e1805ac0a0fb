/** The line of CLIENT LIST about a session: Redis's fields in Redis's order, each measured when it is asked for. */
import { type Client, Gate, Stop } from "./client.ts";

/** What one read of a socket may bring without the client growing. */
const READ_BYTES = 16384;
/** An input peak older than this says nothing of what the client needs now. */
const PEAK_MS = 500;
/** A client that was silent for so long holds no input memory. */
const INPUT_KEPT_MS = 2000;

/** What is known of a client only while its command runs. */
export interface RunningCommand {
  /** Bytes of its words. */
  argvBytes: number;
  /** Replies to commands before it that have not left yet. */
  replyBytes: number;
}

function flagsOf(client: Client): string {
  const flags =
    ((client.gate & Gate.Monitor) !== 0 ? "O" : "") +
    (client.multi !== null ? "x" : "") +
    (client.isWaiting ? "b" : "") +
    (client.tracking !== null ? "t" : "") +
    (client.tracking?.broken ? "R" : "") +
    (client.tracking?.bcast ? "B" : "") +
    (client.dirtyWatch ? "d" : "") +
    (client.closing ? "c" : "") +
    (client.link.isUnixSocket ? "U" : "") +
    (client.noEvict ? "e" : "") +
    (client.noTouch ? "T" : "");
  return flags || "N";
}

/** Which events of its socket the server waits for. */
function eventsOf(client: Client): string {
  return ((client.stops & Stop.Output) === 0 ? "r" : "") + (client.outbox.isEmpty ? "" : "w");
}

function inputRoomBytes(client: Client, inputBytes: number, nowMs: number): number {
  if (nowMs - client.lastActiveMs > INPUT_KEPT_MS) return 0;
  const peak = nowMs - client.inputPeakAtMs <= PEAK_MS ? client.inputPeakBytes : 0;
  return Math.max(0, Math.max(READ_BYTES, client.chunkBytes, peak) - inputBytes);
}

/** One line, without its end. `running` is given for the client that asks. */
export function describeClient(
  client: Client,
  nowMs: number,
  commandName: string,
  running?: RunningCommand,
): string {
  const seconds = (sinceMs: number) => Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const inputBytes = client.carriedBytes + (running === undefined ? 0 : client.chunkBytes);
  const argvBytes = running?.argvBytes ?? 0;
  const fields: [string, string | number][] = [
    ["id", client.id],
    ["addr", client.link.address],
    ["laddr", client.link.localAddress],
    ["fd", client.link.fd],
    ["name", client.name],
    ["age", seconds(client.createdAtMs)],
    ["idle", seconds(client.lastActiveMs)],
    ["flags", flagsOf(client)],
    ["db", client.db],
    ["sub", 0],
    ["psub", 0],
    ["ssub", 0],
    ["multi", client.multi?.count ?? -1],
    ["qbuf", inputBytes],
    ["qbuf-free", inputRoomBytes(client, inputBytes, nowMs)],
    ["argv-mem", argvBytes],
    ["multi-mem", client.multi?.bytes ?? 0],
    // Replies are written to a window that all clients share; none has a buffer of its own.
    ["rbs", 0],
    ["rbp", 0],
    ["obl", running?.replyBytes ?? 0],
    ["oll", client.outbox.blockCount],
    ["omem", client.outbox.bytes],
    ["tot-mem", client.memoryBytes() + argvBytes],
    ["events", eventsOf(client)],
    ["cmd", commandName],
    ["user", client.user],
    ["redir", client.tracking?.redirect ?? -1],
    ["resp", client.protocol],
    ["lib-name", client.libName],
    ["lib-ver", client.libVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}
