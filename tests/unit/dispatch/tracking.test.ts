/** What tracking asks of the core, and that it asks nothing when nobody tracks. */
import { describe, expect, test } from "bun:test";
import { Address, INTEREST_CELLS, StateField, TouchCause } from "../../../core-wasm/abi.ts";
import { Client } from "../../../server/client/client.ts";
import { Outbox } from "../../../server/client/outbox.ts";
import { ClientRegistry } from "../../../server/client/registry.ts";
import type { Args } from "../../../server/commands/context.ts";
import { ALL_COMMANDS } from "../../../server/commands/table.ts";
import { type TouchWish, Tracker } from "../../../server/dispatch/tracking.ts";
import { createHarness } from "../../support/core-harness.ts";
import { stubLink } from "../../support/link.ts";

const MGET = ALL_COMMANDS.find(({ name }) => name === "mget")!;
const OPTIONS = {
  redirect: 0,
  prefixes: [],
  bcast: false,
  optin: false,
  optout: false,
  noloop: false,
};

function setUp() {
  const { core } = createHarness();
  const clients = new ClientRegistry();
  const nobody = new Client(0, stubLink(), new Outbox(), 0);
  const wishes: TouchWish[] = [];
  const tracker = new Tracker({
    core,
    clients,
    maxKeys: () => 0,
    executing: () => nobody,
    isInUnit: () => false,
    wish: (touches) => wishes.push(touches),
    writeHere: () => {},
    write: () => {},
    wantTurn: () => {},
  });
  const connect = () => {
    const client = new Client(clients.nextId(), stubLink(), new Outbox(), 0);
    clients.add(client);
    return client;
  };
  const forget = (client: Client) => {
    clients.remove(client);
    tracker.forget(client);
  };
  const place = (text: string) => {
    const ptr = core.allocInput(Math.max(1, text.length));
    const bytes = core.memory.bytes(ptr, text.length);
    bytes.set(Buffer.from(text));
    return bytes;
  };
  const read = (client: Client, ...keys: string[]) => {
    const words = ["MGET", ...keys].map(place);
    const args: Args = {
      count: words.length,
      bytes: (i) => words[i]!,
      text: (i) => Buffer.from(words[i]!).toString("latin1"),
      word: (i) => args.text(i).toLowerCase(),
      integer: () => undefined,
    };
    tracker.remember(client, MGET, args);
  };
  const heeded = () => {
    const first = (Address.State + StateField.Interest) >> 2;
    return core.memory.i32.subarray(first, first + INTEREST_CELLS).reduce((sum, n) => sum + n, 0);
  };
  return { tracker, connect, forget, read, place, heeded, wishes };
}

describe("a tracker", () => {
  test("wants touches of keys that were read, of all keys for a prefix, and none when nobody tracks", () => {
    const { tracker, connect, forget, wishes } = setUp();
    const [reader, listener] = [connect(), connect()];
    tracker.enable(reader, OPTIONS);
    tracker.enable(listener, { ...OPTIONS, bcast: true, prefixes: ["a"] });
    forget(listener);
    forget(reader);
    expect(wishes).toEqual(["heeded", "all", "heeded", "none"]);
  });

  test("asks once for a key, however many read it and how often, until it is touched", () => {
    const { tracker, connect, read, place, heeded } = setUp();
    const readers = [connect(), connect(), connect()];
    for (const reader of readers) tracker.enable(reader, OPTIONS);
    for (const reader of readers) read(reader, "k1", "k2", "k1");
    expect(heeded()).toBe(2);
    expect([tracker.totalKeys, tracker.totalItems]).toEqual([2, 6]);
    tracker.touched(0, place("k1"), TouchCause.Changed);
    expect(heeded()).toBe(1);
    expect([tracker.totalKeys, tracker.totalItems]).toEqual([1, 3]);
    tracker.flushed(0, true);
    expect(tracker.totalKeys).toBe(1);
    tracker.flushed(5, false);
    expect([heeded(), tracker.totalKeys, tracker.totalItems, tracker.bytes]).toEqual([0, 0, 0, 0]);
  });

  test("keeps what was read by one that tracks no more, until the last of those has gone", () => {
    const { tracker, connect, forget, read, heeded, wishes } = setUp();
    const [first, second] = [connect(), connect()];
    for (const reader of [first, second]) tracker.enable(reader, OPTIONS);
    read(first, "k1");
    read(second, "k2");
    tracker.disable(first);
    tracker.disable(second);
    expect([tracker.clientCount, heeded(), wishes.at(-1)]).toEqual([0, 2, "heeded"]);
    forget(first);
    expect(heeded()).toBe(2);
    forget(second);
    expect([heeded(), tracker.bytes, wishes.at(-1)]).toEqual([0, 0, "none"]);
  });
});
