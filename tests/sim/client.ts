/** A client of a history: what it sends, in pieces of any length, and what it may conclude from the replies that have come. */
import type { Client } from "../../server/client/client.ts";
import type { Dispatcher } from "../../server/dispatch/dispatch.ts";
import type { Framer } from "../../server/resp/framer.ts";
import { randomOperation } from "../support/operations.ts";
import type { Random } from "../support/random.ts";
import { frame } from "../support/reference.ts";
import type { SimNetwork, SimSocket } from "./network.ts";
import type { LoggedCommand, Shadow } from "./shadow.ts";

/** Longer commands are rare: digests are made of everything there is, all the time. */
const USUAL_BYTES = 1500;
const READS = ["GET", "EXISTS", "TYPE", "TTL", "STRLEN", "HLEN", "SCARD", "LLEN", "ZCARD", "XLEN"];

/** Keys that come and go all the time, those who wait for them, and those who bring them. */
const hot = (type: string) => (random: Random) => `${type}:hot${random.below(2)}`;
const [list, zset, stream] = [hot("list"), hot("zset"), hot("stream")];
const seconds = (random: Random) => random.pick(["0.05", "0.4", "2"]);
const ms = (random: Random) => random.pick(["30", "400", "2000"]);
const WAITING: readonly ((random: Random) => string[])[] = [
  (random) => [random.pick(["BLPOP", "BRPOP"]), list(random), list(random), seconds(random)],
  (random) => ["BLMOVE", list(random), list(random), "LEFT", "RIGHT", seconds(random)],
  (random) => ["BLMPOP", seconds(random), "2", list(random), list(random), "LEFT", "COUNT", "3"],
  (random) => [random.pick(["BZPOPMIN", "BZPOPMAX"]), zset(random), zset(random), seconds(random)],
  (random) => ["BZMPOP", seconds(random), "2", zset(random), zset(random), "MAX", "COUNT", "2"],
  (random) => ["XREAD", "BLOCK", ms(random), "STREAMS", stream(random), "$"],
  (random) => [
    ..."XREADGROUP GROUP g c BLOCK".split(" "),
    ms(random),
    "STREAMS",
    stream(random),
    ">",
  ],
  (random) => ["XGROUP", "CREATE", stream(random), "g", "$", "MKSTREAM"],
  (random) => [random.pick(["LPUSH", "RPUSH"]), list(random), "a", "b"],
  (random) => ["LMOVE", `list:${random.below(60)}`, list(random), "LEFT", "LEFT"],
  (random) => ["RENAME", `list:${random.below(60)}`, list(random)],
  (random) => ["ZADD", zset(random), String(random.below(9)), `m${random.below(9)}`],
  (random) => ["ZADD", zset(random), "1.5", "m1", "2", "m2"],
  (random) => ["XADD", stream(random), "*", "f", "v"],
  (random) => ["DEL", list(random), zset(random)],
  (random) => ["SWAPDB", String(random.below(2)), String(random.below(2))],
];

/** So many members that a base has them in more than one command, and writes to the set between those. */
const MANY = ["ZADD", "zset:0", ...Array.from({ length: 700 }, (_, i) => [`${i}`, `m${i}`]).flat()];

const REMOVAL = /^(DEL|UNLINK|GETDEL|HDEL)$/i;

/** What of a client tells where its command looks, before it is executed. */
type Before = Pick<Client, "db" | "multi">;

/** A command by its place among those of its connection. */
interface Seen {
  readonly list: number[];
  readonly place: number;
  readonly words: string[];
  readonly db: number;
  readonly isRead: boolean;
}

/** What a command must wait for, by its place among those of its connection. */
export class Knowledge {
  /** For each executed command: the last unit that its reply tells of. */
  private readonly tells = new Map<Client, number[]>();
  /** The last unit that replies have told of. */
  private told = 0;
  private readonly judged = new Map<SimSocket, number>();
  /** Places of commands that remove. */
  private readonly removals = new Map<number[], Set<number>>();
  private readonly servedLists = new Set<number[]>();
  /** Commands that have waited for a key and were served. */
  servedCount = 0;

  constructor(
    private readonly shadow: Shadow,
    /** A reply that shows what others wrote is a promise too. */
    private countsReads: boolean,
  ) {}

  /** Commands so far promise nothing any more. @param countsReads those that come */
  forget(countsReads: boolean): void {
    for (const list of this.tells.values()) list.fill(0);
    this.told = 0;
    this.countsReads = countsReads;
  }

  /** Sees every command of every client, and every one that has waited. */
  watch(dispatcher: Dispatcher): void {
    const { shadow } = this;
    const { waiting } = dispatcher as unknown as { waiting: { served(client: Client): void } };
    const served = waiting.served.bind(waiting);
    waiting.served = (client) => {
      this.servedLists.add(this.listOf(client));
      this.servedCount++;
      served(client);
    };
    const serveBlocked = dispatcher.serveBlocked.bind(dispatcher);
    dispatcher.serveBlocked = () => {
      serveBlocked();
      if (!shadow.isInUnit) this.tellServed();
    };
    let isAlone = false;
    const run = dispatcher.run.bind(dispatcher);
    dispatcher.run = (client, argc) => {
      isAlone = true;
      const before = shadow.count;
      // The words are looked at before they are gone.
      const seen = this.see(client, client, this.wordsOf(dispatcher, argc));
      run(client, argc);
      this.remember(seen, before);
      this.tellServed();
    };
    const { framer } = dispatcher as unknown as { framer: Framer };
    const runFrames = dispatcher.runFrames.bind(dispatcher);
    dispatcher.runFrames = (client, first, count) => {
      isAlone = false;
      let before = shadow.count;
      const words = Array.from({ length: count - first }, (_, index) =>
        this.wordsOf(dispatcher, framer.select(first + index)),
      );
      const state = { db: client.db, multi: client.multi };
      const executed = runFrames(client, first, count);
      // What went another way was seen there.
      if (isAlone) return executed;
      const seen = words.slice(0, executed).map((each) => this.see(client, state, each));
      for (const each of seen.slice(0, -1)) before = this.rememberFrame(each, before);
      this.remember(seen.at(-1)!, before);
      this.tellServed();
      return executed;
    };
  }

  /** A command has its place among those of its connection. */
  private see(client: Client, { db, multi }: Before, words: string[]): Seen {
    this.shadow.name(db, words);
    const list = this.listOf(client);
    const place = list.push(0) - 1;
    if (REMOVAL.test(words[0]!)) this.removalsOf(list).add(place);
    const isRead = this.countsReads && multi === null && READS.includes(words[0]!);
    return { list, place, words, db, isRead };
  }

  /** What its reply tells of; what was logged since `before` is its own, if anything was. */
  private remember({ list, place, words, db, isRead }: Seen, before: number): void {
    const { shadow } = this;
    const wrote = this.hasWritten(words, before);
    list[place] = wrote ? shadow.count : isRead ? shadow.lastUnitOf(db, words[1] ?? "") : 0;
  }

  /** The same of a frame that others followed in one call: it was logged as it came, or not at all. @returns the unit that the next begins behind */
  private rememberFrame(seen: Seen, before: number): number {
    const unit = this.shadow.units[before] ?? [];
    const isOwn = unit.length === 1 && unit[0]!.words.join(" ") === seen.words.join(" ");
    if (isOwn) seen.list[seen.place] = before + 1;
    else this.remember(seen, this.shadow.count);
    return isOwn ? before + 1 : before;
  }

  /**
   * Whether a command has logged more than that keys have expired or were evicted: its reply does not tell of that. A key that comes
   * back has still expired.
   */
  private hasWritten([name = "", ...keys]: readonly string[], before: number): boolean {
    const isFieldRemoval = /^HDEL$/i.test(name);
    const isRemoval = REMOVAL.test(name) && !isFieldRemoval;
    const isOwn = ({ words: [logged, key, ...fields] }: LoggedCommand) => {
      if (logged === "DEL") return isRemoval && keys.includes(key!);
      return logged !== "HDEL" || (isFieldRemoval && fields.some((field) => keys.includes(field)));
    };
    return this.shadow.units.slice(before).some((unit) => unit.some(isOwn));
  }

  /** What has waited tells of the unit that it was served with, the last one there is. */
  private tellServed(): void {
    for (const list of this.servedLists)
      list[list.length - 1] = Math.max(list.at(-1)!, this.shadow.count);
    this.servedLists.clear();
  }

  private removalsOf(list: number[]): Set<number> {
    const places = this.removals.get(list) ?? new Set();
    this.removals.set(list, places);
    return places;
  }

  /** A removal that found nothing: what was logged had expired, and has expired whatever is lost. */
  private isInVain(list: number[], place: number, reply: string): boolean {
    return /^(:0|\$-1)\r/.test(reply) && this.removalsOf(list).has(place);
  }

  private listOf(client: Client): number[] {
    const list = this.tells.get(client) ?? [];
    this.tells.set(client, list);
    return list;
  }

  private wordsOf(dispatcher: Dispatcher, argc: number): string[] {
    const { args } = dispatcher as unknown as {
      args: { point(count: number): void; text(index: number): string };
    };
    args.point(argc);
    return Array.from({ length: argc }, (_, index) => args.text(index));
  }

  /** The last unit that the replies of these have told of so far. O(replies that have come since it was asked last) */
  toldBy(sockets: readonly SimSocket[]): number {
    for (const socket of sockets) {
      const list = socket.client === undefined ? undefined : this.tells.get(socket.client);
      if (list === undefined) continue;
      const from = this.judged.get(socket) ?? 0;
      // Who is refused learns nothing, and whose command is put off not yet.
      for (let i = from; i < socket.replies.length; i++)
        if (
          !/^(-|\+QUEUED)/.test(socket.replies[i]!) &&
          !this.isInVain(list, i, socket.replies[i]!)
        )
          this.told = Math.max(this.told, list[i] ?? 0);
      this.judged.set(socket, socket.replies.length);
    }
    return this.told;
  }
}

/** Values that are so small that commands find what they name. */
const nth = (random: Random) => `f${random.below(4)}`;
const few = (random: Random) => `${1 + random.below(12)}-0`;
const SMALL: readonly ((random: Random) => string[])[] = [
  (random) => ["HSET", "hash:small", nth(random), "v"],
  (random) => ["HPEXPIRE", "hash:small", "2500", "FIELDS", "2", nth(random), "f0"],
  (random) => ["HPERSIST", "hash:small", "FIELDS", "2", nth(random), "f0"],
  (random) => ["HDEL", "hash:small", nth(random)],
  (random) => ["LREM", list(random), "1", random.pick(["a", "b"])],
  (random) => ["LINSERT", list(random), "BEFORE", "b", "a"],
  (random) => ["SMOVE", "set:small", "set:small2", nth(random)],
  (random) => ["SADD", "set:small", nth(random)],
  (random) => ["ZREM", zset(random), `m${random.below(9)}`],
  (random) => ["XADD", "stream:small", few(random), "f", "v"],
  (random) => ["XDEL", "stream:small", few(random)],
  () => ["XGROUP", "CREATE", "stream:small", "g", "0"],
  () => [..."XREADGROUP GROUP g c COUNT 2 STREAMS stream:small >".split(" ")],
  (random) => ["XACK", "stream:small", "g", few(random), few(random)],
  (random) => ["XCLAIM", "stream:small", "g", "d", "0", few(random), few(random)],
  () => ["DEL", "stream:small"],
];

export class SimClient {
  socket: SimSocket;
  /** Bytes that were not sent yet. */
  private rest: Buffer = Buffer.alloc(0);
  commands = 0;

  constructor(
    private readonly random: Random,
    private readonly network: SimNetwork,
    /** Keys that were written lately. */
    private readonly recent: () => string | undefined,
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
    // The same again and again is what the core runs in one call.
    if (random.chance(0.3)) commands.fill(commands[0]!, random.below(commands.length));
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
    if (random.chance(0.0005)) return MANY;
    if (random.chance(0.25)) {
      const name = random.pick(["string", "set", "hash", "list", "zset", "stream"]);
      const key = random.chance(0.5) ? this.recent() : undefined;
      return [random.pick(READS), key ?? `${name}:${random.below(60)}`];
    }
    if (random.chance(0.1)) return random.pick(WAITING)(random);
    if (random.chance(0.1)) return random.pick(SMALL)(random);
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
