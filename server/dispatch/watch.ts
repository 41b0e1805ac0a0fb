/**
 * WATCH: who asked for which keys, and whether one of them was touched since. The core records touches only of keys that
 * somebody asked for (`heedKey`), and only while anybody asks for any.
 *
 * What was under a key when it was watched stays true until it is touched. So no watched key needs to be looked up to know
 * whether a flush took it: only a key that comes into a database by SWAPDB is looked at, and a live one that may have come due.
 */
import { KeyState, TouchCause } from "../../core-wasm/abi.ts";
import type { Client } from "../client/client.ts";
import type { WatchedKey } from "../client/transaction.ts";
import type { Core } from "../core/core.ts";
import type { TouchListener } from "./effects.ts";

const ALL_DATABASES = 0xffff_ffff;

/** A key of a database in one word. */
export function nameOf(db: number, key: Uint8Array): string {
  return `${db}:${Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1")}`;
}

export class Watchers implements TouchListener {
  private readonly byName = new Map<string, Set<WatchedKey>>();
  /** Clients whose keys are to be let go as soon as the core may be called. */
  private readonly dirtied: Client[] = [];
  /** Databases whose keys were exchanged or flushed, to be judged as soon as the core may be called. */
  private readonly exchanged: number[] = [];

  /** @param onAny is told when the first key is watched, and when the last one is let go */
  constructor(
    private readonly core: Core,
    private readonly onAny: (any: boolean) => void,
  ) {}

  /** Watches a key of the client's database. @returns false = no memory */
  watch(client: Client, key: Uint8Array): boolean {
    const name = nameOf(client.db, key);
    client.watched ??= new Map();
    if (client.watched.has(name)) return true;
    const { core } = this;
    const { length } = key;
    const ptr = core.allocInput(Math.max(1, length));
    if (ptr === 0) return false;
    core.memory.bytes(ptr, length).set(key);
    const state = core.peekKey(client.db, ptr, length);
    const watched: WatchedKey = { client, db: client.db, name, ptr, length, state };
    client.watched.set(name, watched);
    if (this.byName.size === 0) this.onAny(true);
    const others = this.byName.get(name);
    if (others === undefined) this.byName.set(name, new Set([watched]));
    else others.add(watched);
    core.heedKey(ptr, length);
    return true;
  }

  /** Lets go of all keys of a client; whether it is dirty stays. */
  unwatch(client: Client): void {
    const { watched } = client;
    if (watched === null) return;
    client.watched = null;
    for (const key of watched.values()) {
      this.core.ignoreKey(key.ptr, key.length);
      this.core.freeInput(key.ptr);
      const others = this.byName.get(key.name)!;
      others.delete(key);
      if (others.size === 0) this.byName.delete(key.name);
    }
    if (this.byName.size === 0) this.onAny(false);
  }

  /** Whether EXEC must fail: a watched key was touched, or has come due unnoticed. */
  isDirty(client: Client): boolean {
    if (client.dirtyWatch) return true;
    for (const { db, ptr, length, state } of client.watched?.values() ?? [])
      if (state === KeyState.Live && this.core.peekKey(db, ptr, length) === KeyState.Due)
        return true;
    return false;
  }

  /** A key that was asked for was touched. Calls nothing of the core. */
  touched(db: number, key: Uint8Array, cause: TouchCause): void {
    if (this.byName.size === 0) return;
    for (const watched of this.byName.get(nameOf(db, key)) ?? []) {
      // What was due when it was watched was as good as missing.
      if (cause === TouchCause.Due && watched.state === KeyState.Due)
        watched.state = KeyState.Missing;
      else this.dirty(watched.client);
    }
  }

  /** Every key of a database is another, or none, from now on. Calls nothing of the core. */
  flushed(db: number): void {
    if (this.byName.size > 0) this.exchanged.push(db);
  }

  /** Works off what had to wait for the end of the command. */
  settle(): void {
    for (const db of this.exchanged)
      for (const keys of this.byName.values())
        for (const key of keys) if (db === ALL_DATABASES || db === key.db) this.judge(key);
    this.exchanged.length = 0;
    for (const client of this.dirtied) this.unwatch(client);
    this.dirtied.length = 0;
  }

  /** A key whose database was exchanged: only from nothing to nothing is no change, and a due key is nothing. */
  private judge(key: WatchedKey): void {
    const now = this.core.peekKey(key.db, key.ptr, key.length);
    if (key.state === KeyState.Live || now === KeyState.Live) this.dirty(key.client);
    else key.state = now;
  }

  private dirty(client: Client): void {
    if (client.dirtyWatch) return;
    client.dirtyWatch = true;
    this.dirtied.push(client);
  }
}
