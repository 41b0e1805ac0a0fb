import { beforeEach, expect, test } from "bun:test";
import { Client, IDLE_CLIENT_BYTES, Stop } from "../../../server/client/client.ts";
import { Outbox } from "../../../server/client/outbox.ts";
import { ClientRegistry } from "../../../server/client/registry.ts";
import { stubLink } from "../../support/link.ts";

let registry: ClientRegistry;
beforeEach(() => {
  registry = new ClientRegistry();
});

function join(): Client {
  const client = new Client(registry.nextId(), stubLink(), new Outbox(), 0);
  registry.add(client);
  return client;
}

test("ids grow and are never used again", () => {
  const first = join();
  registry.remove(first);
  expect(join().id).toBe(2);
  expect(registry.get(1)).toBeUndefined();
});

test("what clients take together follows who comes, each recount, and who leaves", () => {
  const told: number[] = [];
  registry.onMemoryBytes = () => told.push(registry.memoryBytes());
  const [a, b] = [join(), join()];
  a.outbox.append(new Uint8Array(100));
  b.carriedBytes = 7;
  registry.recount(a);
  registry.recount(b);
  registry.recount(b);
  registry.remove(a);
  registry.remove(a);
  registry.recount(a);
  const [one, two] = [IDLE_CLIENT_BYTES, 2 * IDLE_CLIENT_BYTES];
  expect(told).toEqual([one, two, two + 100, two + 107, one + 7]);
});

test("walks in portions see everybody who stays, once a round", () => {
  const all = Array.from({ length: 10 }, join);
  const seen: number[] = [];
  for (const client of registry.next(4)) seen.push(client.id);
  registry.remove(all[4]!);
  const late = join();
  for (const client of registry.next(100)) seen.push(client.id);
  expect(seen).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 10, late.id]);
  expect([...registry.next(2)].map(({ id }) => id)).toEqual([1, 2]);
});

test("those who wait are counted", () => {
  const [a, b, c] = [join(), join(), join()];
  a.stops = Stop.Postponed;
  b.stops = Stop.Blocked | Stop.Output;
  c.stops = Stop.Output;
  expect(registry.waitingCount()).toBe(2);
});
