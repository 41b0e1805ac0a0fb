/** A client of a history: what it sends, in pieces of any length, and what it may conclude from the replies that have come. */
import type { Client } from "../../server/client/client.ts";
import type { Dispatcher } from "../../server/dispatch/dispatch.ts";
import { randomOperation } from "../support/operations.ts";
import type { Random } from "../support/random.ts";
import { frame } from "../support/reference.ts";
import type { SimNetwork, SimSocket } from "./network.ts";
import type { Shadow } from "./shadow.ts";

/** Longer commands are rare: digests are made of everything there is, all the time. */
const USUAL_BYTES = 1500;
const READS = ["GET", "EXISTS", "TYPE", "TTL", "STRLEN", "HLEN", "SCARD"];

/** What a command must wait for, by its place among those of its connection. */
export class Knowledge {
  /** For each executed command: the last unit that its reply tells of. */
  private readonly tells = new Map<Client, number[]>();

  constructor(
    private readonly shadow: Shadow,
    /** A reply that shows what others wrote is a promise too. */
    private readonly countsReads: boolean,
  ) {}

  /** Sees every command of every client. */
  watch(dispatcher: Dispatcher): void {
    const run = dispatcher.run.bind(dispatcher);
    const { shadow, tells } = this;
    dispatcher.run = (client, argc) => {
      const list = tells.get(client) ?? [];
      tells.set(client, list);
      const before = shadow.count;
      // The words are looked at before they are gone.
      const key = argc > 1 ? this.keyOf(dispatcher) : "";
      const { db } = client;
      const isRead = this.countsReads && client.multi === null && this.isRead(dispatcher);
      run(client, argc);
      const wrote = shadow.count > before;
      list.push(wrote ? shadow.count : isRead ? shadow.lastUnitOf(db, key) : 0);
    };
  }

  private isRead(dispatcher: Dispatcher): boolean {
    const { args } = dispatcher as unknown as { args: { text(index: number): string } };
    return READS.includes(args.text(0));
  }

  private keyOf(dispatcher: Dispatcher): string {
    const { args } = dispatcher as unknown as {
      args: { point(count: number): void; text(index: number): string };
    };
    args.point(2);
    return args.text(1);
  }

  /** The last unit that these replies tell of, those of the first `count` commands of each connection. */
  toldBy(sockets: readonly SimSocket[]): number {
    let last = 0;
    for (const socket of sockets) {
      const client = socket.client;
      const list = client === undefined ? undefined : this.tells.get(client);
      if (list === undefined) continue;
      // Who is refused learns nothing.
      for (const [i, reply] of socket.replies.entries())
        if (!reply.startsWith("-")) last = Math.max(last, list[i] ?? 0);
    }
    return last;
  }
}

export class SimClient {
  socket: SimSocket;
  /** Bytes that were not sent yet. */
  private rest: Buffer = Buffer.alloc(0);
  commands = 0;

  constructor(
    private readonly random: Random,
    private readonly network: SimNetwork,
    readonly kind: "plain" | "pipelined" | "transactions",
  ) {
    this.socket = network.connect();
  }

  /** Sends something: a whole piece of work, or a part of one. */
  act(): void {
    const { random } = this;
    if (this.rest.length === 0) this.rest = Buffer.concat(this.work().map((words) => frame(words)));
    const length = random.chance(0.8) ? this.rest.length : random.below(this.rest.length) + 1;
    const piece = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    this.socket.send(piece);
  }

  get hasAllReplies(): boolean {
    return (
      this.socket.isClosed || this.socket.replies.length >= this.commands || this.rest.length > 0
    );
  }

  private work(): string[][] {
    const { random } = this;
    if (this.kind === "plain") return this.counted([this.command()]);
    const commands = Array.from({ length: 1 + random.below(12) }, () => this.command());
    if (this.kind === "pipelined") return this.counted(commands);
    const end = random.chance(0.9) ? "EXEC" : "DISCARD";
    const watch = random.chance(0.3) ? [["WATCH", `string:${random.below(60)}`]] : [];
    return this.counted([...watch, ["MULTI"], ...commands.slice(0, 5), [end]]);
  }

  private counted(commands: string[][]): string[][] {
    this.commands += commands.length;
    return commands;
  }

  private command(): string[] {
    const { random } = this;
    if (random.chance(0.05)) return ["SELECT", String(random.below(4))];
    if (random.chance(0.01)) return ["BGREWRITEAOF"];
    if (random.chance(0.25)) {
      const name = random.pick(["string", "set", "hash"]);
      return [...random.pick(READS).split(" "), `${name}:${random.below(60)}`];
    }
    for (;;) {
      const words = randomOperation(random, 150);
      const bytes = words.reduce((sum, word) => sum + word.length, 0);
      if (bytes < USUAL_BYTES || random.chance(0.02)) return words;
    }
  }

  /** Goes, and another comes in its place. */
  reconnect(): void {
    this.socket.close();
    this.rest = Buffer.alloc(0);
    this.commands = 0;
    this.socket = this.network.connect();
  }
}
