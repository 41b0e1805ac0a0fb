import { expect, test } from "bun:test";
import { Linger } from "../../../../server/persistence/aof/linger.ts";

const SYNC_MS = 0.2;

test("the first group waits until nothing has come for half a sync, the next ones for most of what that was", () => {
  const linger = new Linger();
  expect(linger.isWorthIt(10, 0, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(30, 0.09, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(50, 0.18, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(50, 0.29, SYNC_MS)).toBe(false);
  expect(linger.isWorthIt(20, 1, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(40, 1.01, SYNC_MS)).toBe(false);
});

test("one client is not kept waiting, but for one group in many", () => {
  const linger = new Linger();
  let waited = 0;
  for (let group = 0; group < 650; group++) {
    let ms = group * 10;
    while (linger.isWorthIt(1, ms, SYNC_MS)) ms += SYNC_MS / 2;
    if (ms > group * 10) waited++;
  }
  expect(waited).toBe(10);
});

test("who has gone is not waited for twice", () => {
  const linger = new Linger();
  linger.isWorthIt(50, 0, SYNC_MS);
  linger.isWorthIt(50, 0.1, SYNC_MS);
  expect(linger.isWorthIt(5, 1, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(5, 1.1, SYNC_MS)).toBe(false);
  expect(linger.isWorthIt(5, 2, SYNC_MS)).toBe(false);
});

test("a stream that never pauses does not keep a group from its sync", () => {
  const linger = new Linger();
  let ms = 0;
  let count = 1;
  while (linger.isWorthIt(count, ms, SYNC_MS)) {
    ms += SYNC_MS / 4;
    count += 100;
    expect(ms).toBeLessThan(SYNC_MS * 10);
  }
  expect(ms).toBeGreaterThan(SYNC_MS);
});
