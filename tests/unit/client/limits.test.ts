import { beforeEach, describe, expect, test } from "bun:test";
import { Client, IDLE_CLIENT_BYTES, Stop } from "../../../server/client/client.ts";
import { ClientLimits, clientsLimitBytes } from "../../../server/client/limits.ts";
import { Outbox } from "../../../server/client/outbox.ts";
import { ClientRegistry } from "../../../server/client/registry.ts";
import { stubLink } from "../../support/link.ts";

const NONE = { hardBytes: 0, softBytes: 0, softSeconds: 0 };
let nowMs: number;
let settings: { normal: typeof NONE; idleSeconds: number; clientsBytes: number };
let clients: ClientRegistry;
let limits: ClientLimits;
let ended: number[];
let logged: string[];

beforeEach(() => {
  nowMs = 1_000_000;
  settings = { normal: NONE, idleSeconds: 0, clientsBytes: 0 };
  clients = new ClientRegistry();
  ended = [];
  logged = [];
  limits = new ClientLimits({
    clients,
    nowMs: () => nowMs,
    outputLimits: () => ({ normal: settings.normal, slave: NONE, pubsub: NONE }),
    idleSeconds: () => settings.idleSeconds,
    clientsBytes: () => settings.clientsBytes,
    describe: (client) => `id=${client.id}`,
    log: (level, text) => logged.push(`${level} ${text}`),
  });
});

function join(): Client {
  const id = clients.nextId();
  const link = stubLink({
    end: () => {
      ended.push(id);
      clients.remove(client);
    },
  });
  const client: Client = new Client(id, link, new Outbox(), nowMs);
  clients.add(client);
  return client;
}

/** Leaves `bytes` in the outbox. @returns whether that was too much */
function leave(client: Client, bytes: number): boolean {
  client.outbox.append(new Uint8Array(bytes));
  clients.recount(client);
  return limits.outputGrew(client);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("client-output-buffer-limit", () => {
  test("the hard limit closes at the end of the turn, and what waits is given back at once", async () => {
    settings.normal = { ...NONE, hardBytes: 1000 };
    const client = join();
    expect(leave(client, 999)).toBe(false);
    expect(leave(client, 1)).toBe(true);
    expect(ended).toEqual([]);
    expect(client.doomed).toBe(true);
    expect(clients.memoryBytes()).toBe(IDLE_CLIENT_BYTES);
    await turn();
    expect(ended).toEqual([1]);
    expect(limits.outputDisconnections).toBe(1);
    expect(logged).toEqual([
      "warning Client id=1 scheduled to be closed ASAP for overcoming of output buffer limits.",
    ]);
  });

  test("the soft limit closes who stays above it for longer than the seconds", async () => {
    settings.normal = { hardBytes: 0, softBytes: 100, softSeconds: 2 };
    const client = join();
    expect(leave(client, 100)).toBe(false);
    nowMs += 2000;
    limits.sweep();
    expect(client.doomed).toBe(false);
    nowMs += 1;
    limits.sweep();
    expect(client.doomed).toBe(true);
    await turn();
    expect(ended).toEqual([1]);
  });

  test("who comes below the soft limit in time begins anew", () => {
    settings.normal = { hardBytes: 0, softBytes: 100, softSeconds: 2 };
    const client = join();
    leave(client, 100);
    nowMs += 1500;
    client.outbox.flush((block) => block.length);
    expect(leave(client, 99)).toBe(false);
    nowMs += 1000;
    expect(leave(client, 1)).toBe(false);
    nowMs += 1500;
    limits.sweep();
    expect(client.doomed).toBe(false);
  });
});

test("too much unfinished input closes, and the log shows its beginning", async () => {
  const client = join();
  limits.inputOverflow(client, Buffer.from("*1\r\n"));
  limits.inputOverflow(client, Buffer.from("*1\r\n"));
  await turn();
  expect(ended).toEqual([1]);
  expect(limits.inputDisconnections).toBe(1);
  expect(logged).toEqual([
    'warning Closing client that reached max query buffer length: id=1 (qbuf initial bytes: "*1\\r\\n")',
  ]);
});

describe("timeout", () => {
  test("closes who was silent for more seconds, a tenth of all at a time", () => {
    settings.idleSeconds = 5;
    const all = Array.from({ length: 100 }, join);
    nowMs += 5000;
    for (let i = 0; i < 20; i++) limits.sweep();
    expect(ended).toEqual([]);
    nowMs += 1000;
    all[50]!.lastActiveMs = nowMs;
    limits.sweep();
    expect(ended).toHaveLength(10);
    for (let i = 0; i < 40; i++) limits.sweep();
    expect(ended).toHaveLength(99);
    expect(ended).not.toContain(51);
  });

  test("spares clients whose command waits", () => {
    settings.idleSeconds = 5;
    join().stops = Stop.Blocked;
    join().stops = Stop.Postponed;
    join();
    nowMs += 6000;
    limits.sweep();
    expect(ended).toEqual([3]);
  });
});

describe("maxmemory-clients", () => {
  test("is bytes or percent of maxmemory, and never below 128 KiB", () => {
    expect(clientsLimitBytes(0, 1e9)).toBe(0);
    expect(clientsLimitBytes(5_000_000, 0)).toBe(5_000_000);
    expect(clientsLimitBytes(-5, 1e9)).toBe(50_000_000);
    expect(clientsLimitBytes(-5, 0)).toBe(0);
    expect(clientsLimitBytes(1, 0)).toBe(131072);
  });

  test("closes the largest until the rest fits, and never those who are spared", async () => {
    settings.clientsBytes = 100_000 + 4 * IDLE_CLIENT_BYTES;
    const [small, large, largest, spared] = [join(), join(), join(), join()];
    spared.noEvict = true;
    for (const [client, bytes] of [
      [small, 10_000],
      [large, 40_000],
      [largest, 50_000],
      [spared, 60_000],
    ] as const) {
      leave(client, bytes);
      limits.memoryGrew();
    }
    await turn();
    expect(ended).toEqual([largest.id, large.id]);
    expect(limits.evictedClients).toBe(2);
    expect(logged[0]).toBe(`notice Evicting client: id=${largest.id}`);
    leave(spared, 100_000);
    limits.memoryGrew();
    await turn();
    expect(ended).toEqual([largest.id, large.id, small.id]);
    expect(logged.at(-1)).toBe(
      "warning Over client maxmemory after evicting all evictable clients",
    );
  });
});
