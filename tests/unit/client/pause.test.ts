import { beforeEach, expect, test } from "bun:test";
import { Client, Gate, Stop } from "../../../server/client/client.ts";
import { Outbox } from "../../../server/client/outbox.ts";
import { ClientPause } from "../../../server/client/pause.ts";
import { stubLink } from "../../support/link.ts";

let nowMs: number;
let gates: number[];
let served: Client[];
let pause: ClientPause;
beforeEach(() => {
  nowMs = 1_000_000;
  gates = [];
  served = [];
  pause = new ClientPause({
    nowMs: () => nowMs,
    gate: (bits) => gates.push(bits),
    proceed: (client, reason) => {
      expect(reason).toBe(Stop.Postponed);
      served.push(client);
    },
  });
});

const client = (id: number) => new Client(id, stubLink(), new Outbox(), 0);

test("clients that were postponed are served in their order when it stops", () => {
  pause.start(nowMs + 10_000, "write");
  expect(pause.active).toBe(true);
  const [a, b, gone] = [client(1), client(2), client(3)];
  for (const each of [a, b, gone]) pause.postpone(each);
  expect(a.stops).toBe(Stop.Postponed);
  pause.forget(gone);
  pause.stop();
  expect(served).toEqual([a, b]);
  expect(gates).toEqual([Gate.PausedWrites, 0]);
  expect(pause.active).toBe(false);
});

test("the stricter mode and the later end of two pauses win", async () => {
  pause.start(nowMs + 60, "all");
  pause.start(nowMs + 20, "write");
  expect(gates).toEqual([Gate.PausedAll, Gate.PausedAll]);
  nowMs += 30;
  await Bun.sleep(90);
  // The timer found that time had not come yet, by its clock, and waits on.
  expect(pause.active).toBe(true);
  nowMs += 30;
  pause.start(nowMs, "write");
  expect(pause.active).toBe(false);
});

test("an end that has passed pauses nobody", () => {
  pause.start(0, "all");
  pause.start(nowMs, "write");
  expect(pause.active).toBe(false);
  expect(gates).toEqual([]);
});

test("it ends by itself", async () => {
  pause.start(nowMs + 5, "all");
  pause.postpone(client(1));
  nowMs += 5;
  while (pause.active) await Bun.sleep(1);
  expect(served).toHaveLength(1);
});
