/** The client as which commands of a log are run: nobody reads its replies, and nothing of it is logged. */
import { Address, IoField, IoFlag, StateField } from "../../../core-wasm/abi.ts";
import { Client, NO_LINK } from "../../client/client.ts";
import { Outbox } from "../../client/outbox.ts";
import type { Core } from "../../core/core.ts";
import type { Dispatcher } from "../../dispatch/dispatch.ts";
import type { CommandStats } from "../../observability/command-stats.ts";
import type { Framer } from "../../resp/framer.ts";
import type { Loading } from "../loading.ts";
import type { ReplayTarget } from "./loader.ts";

const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const PROTOCOL = (Address.IoBlock + IoField.Protocol) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
const NOW = (Address.State + StateField.NowMs) >> 3;

/** Where replies go. */
interface ReplySink {
  /** They are discarded from here on, until `close`. */
  open(client: null): void;
  close(): void;
}

interface ReplayerParts {
  readonly core: Core;
  readonly framer: Framer;
  readonly arena: ReplySink;
  readonly dispatcher: Dispatcher;
  readonly stats: CommandStats;
  readonly loading: Loading;
  nowMs(): number;
}

export class Replayer implements ReplayTarget {
  private readonly client = new Client(0, NO_LINK, new Outbox(), 0);
  readonly core: Core;
  readonly framer: Framer;

  constructor(private readonly parts: ReplayerParts) {
    this.core = parts.core;
    this.framer = parts.framer;
  }

  /** A step of the load begins: chunks of other clients came in between. */
  enter(): void {
    const { i32, f64 } = this.core.memory;
    f64[NOW] = this.parts.nowMs();
    i32[FLAGS] = IoFlag.Replay;
    i32[PROTOCOL] = this.client.protocol;
    i32[DB] = this.client.db;
  }

  leave(): void {
    const { i32 } = this.core.memory;
    i32[FLAGS] = 0;
    i32[DB] = 0;
  }

  select(db: number): void {
    this.client.db = db;
    this.core.memory.i32[DB] = db;
  }

  discard(): void {
    this.parts.dispatcher.transactions.leave(this.client);
  }

  execute(argc: number): string | undefined {
    const { arena, dispatcher, stats } = this.parts;
    const before = stats.errorReplies;
    arena.open(null);
    dispatcher.replay(this.client, argc);
    arena.close();
    return stats.errorReplies > before ? stats.lastError : undefined;
  }

  get blockBytes(): number {
    return this.parts.loading.blockBytes;
  }

  progress(bytes: number): boolean {
    return this.parts.loading.progress(bytes);
  }

  ran(commands: number): boolean {
    return this.parts.loading.ran(commands);
  }
}
