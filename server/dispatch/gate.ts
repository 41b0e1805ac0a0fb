/** What keeps a command from running now, by bits of `Gate` that hold for its client or for the server, in Redis's order. */
import { CommandFlag } from "../../core-wasm/abi.ts";
import { type Client, Gate } from "../client/client.ts";
import {
  EXEC,
  LEAVES_MULTI,
  MAY_REPLICATE,
  NO_AUTH,
  NO_MULTI,
  NOT_WHILE_LOADING,
  TELLS_HEALTH,
  TOUCHES_KEYS,
} from "./command-flags.ts";

export const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";

/** A command that is about to run: its flags, and the transaction that its client is in. */
export interface Asked {
  readonly gate: number;
  readonly flags: number;
  readonly multi: Client["multi"];
}

export interface GateParts {
  /** Evicts if need be. @returns whether a write may begin */
  hasRoom(): boolean;
  /** Why the log takes no writes. */
  logRefusal(): string | undefined;
}

/** Flags of the command, and with EXEC of those it will run. */
function flagsWithQueued({ flags, multi }: Asked): number {
  return (flags & EXEC) !== 0 && multi !== null ? flags | multi.flags : flags;
}

/** @returns the error line of what forbids the command */
export function refusalAtGate(asked: Asked, parts: GateParts): string | undefined {
  const { gate, flags, multi } = asked;
  if ((gate & Gate.NeedsAuth) !== 0 && (flags & NO_AUTH) === 0)
    return "NOAUTH Authentication required.";
  if (multi !== null) {
    if ((flags & NO_MULTI) !== 0) return "ERR Command not allowed inside a transaction";
    const needsRoom =
      (flags & EXEC) !== 0
        ? (multi.flags & CommandFlag.DenyOom) !== 0
        : (flags & LEAVES_MULTI) === 0;
    if (needsRoom && !parts.hasRoom()) return OUT_OF_MEMORY;
  }
  const all = flagsWithQueued(asked);
  const writes = (all & CommandFlag.Write) !== 0;
  if ((gate & Gate.WritesRefused) !== 0 && (writes || (flags & TELLS_HEALTH) !== 0))
    return parts.logRefusal() ?? "MISCONF Errors writing to the AOF file";
  if ((gate & Gate.NoReplicas) !== 0 && writes)
    return "NOREPLICAS Not enough good replicas to write.";
  if ((gate & Gate.Loading) !== 0 && (all & NOT_WHILE_LOADING) !== 0)
    return "LOADING Redis is loading the dataset in memory";
  if ((gate & Gate.Monitor) !== 0 && (flags & TOUCHES_KEYS) !== 0)
    return "ERR Replica can't interact with the keyspace";
  return undefined;
}

/** Whether CLIENT PAUSE holds the command back. */
export function isPaused(asked: Asked): boolean {
  if ((asked.gate & Gate.PausedAll) !== 0) return true;
  if ((asked.gate & Gate.PausedWrites) === 0) return false;
  return (flagsWithQueued(asked) & MAY_REPLICATE) !== 0;
}
