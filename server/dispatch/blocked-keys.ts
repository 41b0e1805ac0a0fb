/**
 * Clients whose command waits for keys: which they are, in order of arrival, and which keys were touched since. The core records
 * touches only of keys that somebody asked for (`heedKey`). When the outermost command has ended, those who wait for a touched key
 * are tried in the order in which they came: their command is executed again; who is not served waits on, in his place.
 */
import { KEPT_HEADER_BYTES } from "../../core-wasm/abi.ts";
import type { Client } from "../client/client.ts";
import { findKeys } from "../commands/key-positions.ts";
import type { CommandGroup, CommandSpec } from "../commands/spec.ts";
import type { Core } from "../core/core.ts";
import type { TouchListener } from "./effects.ts";
import { nameOf } from "./watch.ts";

const ALL_DATABASES = 0xffff_ffff;
/** What `peekType` answers for the keys of each family of commands: nobody is served by a key of another type. */
const TYPES: Partial<Record<CommandGroup, number>> = { list: 2, "sorted-set": 4, stream: 6 };
/** Commands that end too when their key goes or becomes another. */
const HEEDING_LOSS = new Set(["xreadgroup"]);

/** A command that waits: its words are kept in the core's heap. */
export interface KeyWait {
  readonly client: Client;
  readonly db: number;
  /** Position in the command table. */
  readonly index: number;
  readonly run: number;
  readonly argc: number;
  readonly type: number;
  readonly heedsLoss: boolean;
  readonly keys: { name: string; ptr: number; length: number }[];
  /** What trying it has taken so far. */
  triedUs: number;
  isOver: boolean;
}

export class BlockedKeys implements TouchListener {
  /** Those who wait for each key, in order of arrival. */
  private readonly waits = new Map<string, Set<KeyWait>>();
  private ready = new Set<string>();
  private readonly exchanged: number[] = [];

  /** @param onAny is told when the first client waits, and when the last one is gone */
  constructor(
    private readonly core: Core,
    private readonly onAny: (any: boolean) => void,
  ) {}

  /** Keeps the command in the argv table, whose words are given as text too. @returns undefined = no memory */
  add(
    client: Client,
    command: { index: number; spec: CommandSpec; words: readonly string[] },
  ): KeyWait | undefined {
    const { core } = this;
    const { index, spec, words } = command;
    const run = core.keepCommand(words.length) >>> 0;
    if (run === 0) return undefined;
    const wait: KeyWait = {
      client,
      db: client.db,
      index,
      run,
      argc: words.length,
      type: TYPES[spec.group] ?? 0,
      heedsLoss: HEEDING_LOSS.has(spec.name),
      keys: [],
      triedUs: 0,
      isOver: false,
    };
    const table = core.memory.bytes(run + KEPT_HEADER_BYTES, words.length * 8);
    const pairs = new DataView(table.buffer, table.byteOffset);
    for (const at of awaitedKeys(spec, words)) {
      const ptr = pairs.getUint32(at * 8, true);
      this.heed(wait, { name: `${client.db}:${words[at]}`, ptr, length: words[at]!.length });
    }
    return wait;
  }

  private heed(wait: KeyWait, key: KeyWait["keys"][number]): void {
    const others = this.waits.get(key.name);
    if (others?.has(wait)) return;
    if (this.waits.size === 0) this.onAny(true);
    if (others === undefined) this.waits.set(key.name, new Set([wait]));
    else others.add(wait);
    wait.keys.push(key);
    this.core.heedKey(key.ptr | 0, key.length);
  }

  /** The wait is over. */
  remove(wait: KeyWait): void {
    if (wait.isOver) return;
    wait.isOver = true;
    for (const { name, ptr, length } of wait.keys) {
      this.core.ignoreKey(ptr | 0, length);
      const others = this.waits.get(name)!;
      others.delete(wait);
      if (others.size === 0) this.waits.delete(name);
    }
    this.core.freeInput(wait.run | 0);
    if (this.waits.size === 0) this.onAny(false);
  }

  get keyCount(): number {
    return this.waits.size;
  }

  /** Keys that somebody waits to lose. O(waiting clients) */
  heedingLossCount(): number {
    let count = 0;
    for (const waits of this.waits.values())
      if ([...waits].some(({ heedsLoss }) => heedsLoss)) count++;
    return count;
  }

  touched(db: number, key: Uint8Array): void {
    if (this.waits.size === 0) return;
    const name = nameOf(db, key);
    if (this.waits.has(name)) this.ready.add(name);
  }

  awakened(db: number, key: Uint8Array): void {
    this.touched(db, key);
  }

  flushed(db: number): void {
    if (this.waits.size > 0) this.exchanged.push(db);
  }

  settle(): void {
    for (const db of this.exchanged)
      for (const [name, waits] of this.waits)
        for (const wait of waits)
          if (db === ALL_DATABASES || wait.db === db) {
            this.ready.add(name);
            break;
          }
    this.exchanged.length = 0;
  }

  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  /** Tries those who wait for touched keys, until no key is touched any more. `retry` executes a command and sees to its answer. */
  serve(retry: (wait: KeyWait) => void): void {
    while (this.ready.size > 0) {
      const { ready } = this;
      this.ready = new Set();
      for (const name of ready)
        for (const wait of [...(this.waits.get(name) ?? [])])
          if (!wait.isOver && !wait.client.closing && this.mayBeServed(wait, name)) retry(wait);
    }
  }

  private mayBeServed(wait: KeyWait, name: string): boolean {
    if (wait.heedsLoss || wait.type === 0) return true;
    const { ptr, length } = wait.keys.find((key) => key.name === name)!;
    return this.core.peekType(wait.db, ptr | 0, length) === wait.type;
  }
}

/** Positions of the keys whose change may end the wait: those it would read or take from. */
function awaitedKeys(spec: CommandSpec, words: readonly string[]): number[] {
  const keys = findKeys(spec, words);
  const read = keys.filter(({ flags }) => flags.length === 0 || flags.includes("access"));
  return read.map(({ index }) => index);
}
