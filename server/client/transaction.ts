/** What a session holds between MULTI and EXEC, and between WATCH and EXEC. The rules are in dispatch/transaction.ts. */
import type { KeyState } from "../../core-wasm/abi.ts";
import type { Client } from "./client.ts";

export interface QueuedCommand {
  /** Position in the command table. */
  readonly index: number;
  /** A run of the core's heap (`keepCommand`). */
  readonly run: number;
  readonly argc: number;
}

/** What was queued since MULTI. */
export class Transaction {
  readonly commands: QueuedCommand[] = [];
  /** Bytes the queue takes in the core's heap. */
  bytes = 0;
  /** Flags of all queued commands, as the dispatcher knows them. */
  flags = 0;
  /** A command was refused: EXEC will be too. */
  failed = false;

  get count(): number {
    return this.commands.length;
  }
}

/** A client's interest in one key. */
export interface WatchedKey {
  readonly client: Client;
  readonly db: number;
  /** Database and key: what it is found by. */
  readonly name: string;
  /** The key's bytes in a run of the core's heap. */
  readonly ptr: number;
  readonly length: number;
  /** What was under it when it was watched: true until it is touched. */
  state: KeyState;
}
