/**
 * CLIENT TRACKING: which clients have read which keys since these last changed, and who hears of every key with some prefix. What
 * changes comes from the core's effects; keys are tracked by name alone, whatever their database, as in Redis.
 *
 * When what is told:
 * - to the client whose command caused it: behind the reply of its outermost command, so behind that of EXEC;
 * - to others: when the chunk is done, behind what they were answered before;
 * - keys with a prefix: together, when the turn ends;
 * - that a key is no longer tracked because there are too many: when the turn ends, or by the cron.
 *
 * Ids of clients that went, or that track no more, stay in the table until the key changes: taking them out would cost a walk over
 * all of it. Ids are never used twice.
 */
import { TouchCause } from "../../core-wasm/abi.ts";
import { type Client, Gate } from "../client/client.ts";
import type { ClientRegistry } from "../client/registry.ts";
import { Tracking, type TrackingOptions } from "../client/tracking.ts";
import type { Args } from "../commands/context.ts";
import { keyPositions } from "../commands/key-positions.ts";
import type { CommandSpec } from "../commands/spec.ts";
import { wordsOf } from "../commands/words.ts";
import type { Core } from "../core/core.ts";
import type { TouchListener } from "./effects.ts";

/** Keys that one look at a table with too many lets go; each look in a row that is not enough makes the next one let go of as many more. */
const LIMIT_STEP = 100;
/** What a tracked key takes beyond its name, and each further client that tracks it: Map and Set of Bun 1.4, about. */
const KEY_BYTES = 150;
const ITEM_BYTES = 40;
const ALL_KEYS = null;

interface TrackedKey {
  /** Of the core's counters of interest. */
  readonly cell: number;
  /** Most keys are tracked by one client. */
  readonly first: number;
  others: Set<number> | null;
}

interface TrackedPrefix {
  readonly clients: Set<Client>;
  /** Keys that changed in this turn, with the client that changed them last; null: nobody's command did. */
  readonly changed: Map<string, Client | null>;
}

/** Which touches are asked of the core. */
export type TouchWish = "none" | "heeded" | "all";

export interface TrackerParts {
  readonly core: Core;
  readonly clients: ClientRegistry;
  /** tracking-table-max-keys; 0 = no limit. */
  maxKeys(): number;
  /** Whose command runs; nobody that is connected, outside of commands. */
  executing(): Client;
  /** Between the commands of one unit nothing is told to who executes it. */
  isInUnit(): boolean;
  wish(touches: TouchWish): void;
  /** Writes behind the reply of the client that is served. */
  writeHere(bytes: string): void;
  /** Writes to a client while nobody is served. */
  write(client: Client, bytes: string): void;
  /** `endTurn` is to be called when the turn ends. */
  wantTurn(): void;
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

export class Tracker implements TouchListener {
  private readonly table = new Map<string, TrackedKey>();
  private readonly byPrefix = new Map<string, TrackedPrefix>();
  private nameBytes = 0;
  /** Pairs of a key and a client in the table. */
  totalItems = 0;
  /** Clients that track at present. */
  clientCount = 0;
  /** Connected clients that have ids in the table, or may have. */
  private readonly remembered = new Set<Client>();
  /** Keys that who executes a command is to hear of behind its reply; ALL_KEYS = every one. */
  private own: (string | typeof ALL_KEYS)[] = [];
  /** Messages for who executes a command. */
  private here = "";
  private news = new Map<Client, string>();
  /** Point of the log that covers what changed keys with a prefix. */
  private changedPoint = 0;
  private looksInVain = 0;

  constructor(private readonly parts: TrackerParts) {}

  get totalKeys(): number {
    return this.table.size;
  }

  get totalPrefixes(): number {
    return this.byPrefix.size;
  }

  /** Estimate of what the table takes. */
  get bytes(): number {
    return this.nameBytes + this.table.size * KEY_BYTES + this.totalItems * ITEM_BYTES;
  }

  // ---- who tracks

  /** CLIENT TRACKING ON. The options fit each other and what the client had before. */
  enable(client: Client, options: TrackingOptions): void {
    const before = client.tracking;
    const tracking = new Tracking(options.redirect);
    tracking.bcast = options.bcast;
    tracking.optin = options.optin;
    tracking.optout = options.optout;
    tracking.noloop = options.noloop;
    tracking.caching = before?.caching ?? false;
    tracking.prefixes = before?.prefixes ?? [];
    client.tracking = tracking;
    if (before === null) this.clientCount++;
    if (options.bcast) this.followAll(client, tracking, options.prefixes);
    else client.gate |= Gate.Tracking;
    this.express();
  }

  /** Adds prefixes to those that the client has; none given is the one that all keys have. */
  private followAll(client: Client, tracking: Tracking, prefixes: readonly string[]): void {
    const added = prefixes.length > 0 ? prefixes : [""];
    for (const prefix of added) this.follow(client, prefix);
    tracking.prefixes = [...new Set([...tracking.prefixes, ...added])].sort((a, b) =>
      a < b ? -1 : 1,
    );
  }

  private follow(client: Client, prefix: string): void {
    const tracked = this.byPrefix.get(prefix);
    if (tracked !== undefined) tracked.clients.add(client);
    else this.byPrefix.set(prefix, { clients: new Set([client]), changed: new Map() });
  }

  /** CLIENT TRACKING OFF. */
  disable(client: Client): void {
    const { tracking } = client;
    if (tracking === null) return;
    for (const prefix of tracking.prefixes) {
      const tracked = this.byPrefix.get(prefix)!;
      tracked.clients.delete(client);
      if (tracked.clients.size === 0) this.byPrefix.delete(prefix);
    }
    client.tracking = null;
    client.gate &= ~Gate.Tracking;
    this.clientCount--;
    this.express();
  }

  /** The client is gone. */
  forget(client: Client): void {
    this.disable(client);
    this.news.delete(client);
    // With the last one every id that is left is nobody's.
    if (this.remembered.delete(client) && this.remembered.size === 0) this.clearTable();
  }

  /** Asks the core for the touches that matter now. */
  private express(): void {
    const some = this.table.size > 0 || this.clientCount > 0;
    this.parts.wish(this.byPrefix.size > 0 ? "all" : some ? "heeded" : "none");
  }

  // ---- what was read

  /** A command that reads has run for a client that tracks: its keys are the client's from here on. O(words) */
  remember(client: Client, spec: CommandSpec, args: Args): void {
    if (client.tracking?.remembers !== true) return;
    const { core } = this.parts;
    for (const at of keyPositions(spec, wordsOf(args))) {
      const key = args.bytes(at);
      const name = textOf(key);
      const tracked = this.table.get(name);
      if (tracked === undefined) {
        const cell = core.heedKey(key.byteOffset, key.length);
        this.table.set(name, { cell, first: client.id, others: null });
        this.nameBytes += name.length;
      } else {
        if (tracked.first === client.id || tracked.others?.has(client.id)) continue;
        tracked.others ??= new Set();
        tracked.others.add(client.id);
      }
      this.totalItems++;
      this.remembered.add(client);
    }
    if (this.isOverLimit) this.parts.wantTurn();
  }

  private release(name: string, tracked: TrackedKey): void {
    this.parts.core.ignoreCell(tracked.cell);
    this.table.delete(name);
    this.nameBytes -= name.length;
    this.totalItems -= 1 + (tracked.others?.size ?? 0);
  }

  private clearTable(): void {
    for (const [name, tracked] of this.table) this.release(name, tracked);
    this.express();
  }

  private get isOverLimit(): boolean {
    const maxKeys = this.parts.maxKeys();
    return maxKeys !== 0 && this.table.size > maxKeys;
  }

  /** Lets go of keys, the oldest first, while there are more than tracking-table-max-keys. To be called while nobody is served. */
  limit(): void {
    if (!this.isOverLimit) {
      this.looksInVain = 0;
      return;
    }
    let effort = LIMIT_STEP * (this.looksInVain + 1);
    for (const name of this.table.keys()) {
      if (effort-- === 0 || !this.isOverLimit) break;
      this.invalidate(name);
    }
    this.looksInVain = this.isOverLimit ? this.looksInVain + 1 : 0;
  }

  // ---- what has changed

  touched(_db: number, key: Uint8Array, cause: TouchCause): void {
    if (this.table.size === 0 && this.byPrefix.size === 0) return;
    const name = textOf(key);
    if (this.byPrefix.size > 0) {
      const by = cause === TouchCause.Changed ? this.parts.executing() : null;
      this.noteForPrefixes(name, by);
    }
    this.invalidate(name);
  }

  /** O(prefixes) */
  private noteForPrefixes(name: string, by: Client | null): void {
    for (const [prefix, { changed }] of this.byPrefix)
      if (name.startsWith(prefix)) changed.set(name, by);
    this.parts.wantTurn();
  }

  /** Everybody who has read the key hears of it, and has to read it anew to hear more. */
  private invalidate(name: string): void {
    const tracked = this.table.get(name);
    if (tracked === undefined) return;
    this.release(name, tracked);
    for (const id of [tracked.first, ...(tracked.others ?? [])]) {
      const client = this.parts.clients.get(id);
      if (client?.tracking == null || client.tracking.bcast) continue;
      if (client !== this.parts.executing()) this.tell(client, `*1\r\n${bulk(name)}`);
      else if (!client.tracking.noloop) this.own.push(name);
    }
  }

  /** Whatever was flushed, everybody hears that all keys are others now. O(clients) */
  flushed(_db: number, exchanged: boolean): void {
    // Redis tells nobody of SWAPDB.
    if (exchanged) return;
    if (this.clientCount > 0)
      for (const client of this.parts.clients.all()) {
        if (client.tracking === null) continue;
        if (client === this.parts.executing()) this.own.push(ALL_KEYS);
        else this.tellAll(client);
      }
    this.clearTable();
  }

  private tellAll(client: Client): void {
    this.tell(client, client.protocol === 3 ? "_\r\n" : "$-1\r\n");
  }

  // ---- messages

  /** Tells a client, or whom it has named instead, which keys are no longer what it has read. */
  private tell(client: Client, keys: string): void {
    const { tracking } = client;
    if (tracking === null) return;
    let receiver: Client | undefined = client;
    if (tracking.redirect !== 0) {
      receiver = this.parts.clients.get(tracking.redirect);
      if (receiver === undefined) {
        tracking.broken = true;
        const message = `>2\r\n${bulk("tracking-redir-broken")}:${tracking.redirect}\r\n`;
        if (client.protocol === 3) this.post(client, message);
        return;
      }
    }
    // RESP2 has no messages but to subscribers.
    if (receiver.protocol === 3) this.post(receiver, `>2\r\n${bulk("invalidate")}${keys}`);
  }

  private post(receiver: Client, message: string): void {
    if (receiver === this.parts.executing()) this.here += message;
    else this.news.set(receiver, (this.news.get(receiver) ?? "") + message);
  }

  /** A command has ended, with its reply written. */
  settle(): void {
    if (this.own.length === 0 && this.here === "") return;
    if (this.parts.isInUnit()) return;
    const { own } = this;
    this.own = [];
    const client = this.parts.executing();
    for (const name of own)
      if (name === ALL_KEYS) this.tellAll(client);
      else this.tell(client, `*1\r\n${bulk(name)}`);
    const { here } = this;
    this.here = "";
    if (here !== "" && !client.closing) this.parts.writeHere(here);
  }

  /** The chunk of a client is done: others hear what it caused, but not before the log has made that safe. */
  chunkDone(causedBy: Client): void {
    this.changedPoint = Math.max(this.changedPoint, causedBy.holdUntil);
    this.send(causedBy.holdUntil);
  }

  /** The same for what nobody's command caused. */
  sliceDone(): void {
    this.send(0);
  }

  /** A client that has waited is about to be answered: first what was said to it before. */
  deliverTo(client: Client, point: number): void {
    const messages = this.news.get(client);
    if (messages === undefined || client.closing) return;
    this.news.delete(client);
    client.holdUntil = Math.max(client.holdUntil, point);
    this.parts.write(client, messages);
  }

  private send(point: number): void {
    if (this.news.size === 0) return;
    const { news } = this;
    this.news = new Map();
    for (const [client, messages] of news) {
      if (client.closing || this.parts.clients.get(client.id) !== client) continue;
      client.holdUntil = Math.max(client.holdUntil, point);
      this.parts.write(client, messages);
    }
  }

  /** The turn ends, nobody is served: changes of keys with a prefix are told, and what there are too many of is let go. */
  endTurn(): void {
    this.limit();
    for (const prefix of [...this.byPrefix.keys()].sort()) {
      const { clients, changed } = this.byPrefix.get(prefix)!;
      if (changed.size === 0) continue;
      const names = [...changed.keys()].sort();
      const all = `*${names.length}\r\n${names.map(bulk).join("")}`;
      for (const client of clients) {
        if (client.tracking?.noloop !== true) {
          this.tell(client, all);
          continue;
        }
        const others = names.filter((name) => changed.get(name) !== client);
        if (others.length > 0)
          this.tell(client, `*${others.length}\r\n${others.map(bulk).join("")}`);
      }
      changed.clear();
    }
    this.send(this.changedPoint);
  }
}
