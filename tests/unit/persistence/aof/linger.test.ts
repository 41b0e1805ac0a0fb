import { expect, test } from "bun:test";
import { Linger } from "../../../../server/persistence/aof/linger.ts";

const SYNC_MS = 0.2;

test("the first group waits for a quarter of a sync, the next ones for most of what has come by then, no longer", () => {
  const linger = new Linger();
  expect(linger.isWorthIt(10, 0, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(30, 0.02, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(50, 0.04, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(50, 0.05, SYNC_MS)).toBe(false);
  expect(linger.isWorthIt(20, 1, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(45, 1.01, SYNC_MS)).toBe(false);
  expect(linger.isWorthIt(20, 2, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(20, 2.06, SYNC_MS)).toBe(false);
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

/** @returns the looks before a group is ended, its commands being there at once, or as many of them as ever come */
function looks(linger: Linger, ms: number, count: number): number {
  let looked = 0;
  while (linger.isWorthIt(count, ms + (looked * SYNC_MS) / 8, SYNC_MS)) looked++;
  return looked;
}

test("who has gone is waited for ever more rarely", () => {
  const linger = new Linger();
  looks(linger, 0, 50);
  const waited: number[] = [];
  for (let group = 1; group < 200; group++)
    if (looks(linger, group * 10, 5) > 0) waited.push(group);
  expect(waited).toEqual([1, 3, 6, 11, 20, 37, 70, 135]);
});

test("who was held up once is waited for again after the next group", () => {
  const linger = new Linger();
  looks(linger, 0, 50);
  expect(looks(linger, 10, 5)).toBeGreaterThan(0);
  expect(looks(linger, 20, 50)).toBe(0);
  expect(looks(linger, 30, 50)).toBeGreaterThan(0);
  expect(linger.isWorthIt(44, 40, SYNC_MS)).toBe(true);
  expect(linger.isWorthIt(45, 40.01, SYNC_MS)).toBe(false);
});

test("a stream that never pauses does not keep a group from its sync", () => {
  const linger = new Linger();
  let ms = 0;
  let count = 1;
  while (linger.isWorthIt(count, ms, SYNC_MS)) {
    ms += SYNC_MS / 16;
    count += 100;
    expect(ms).toBeLessThan(SYNC_MS);
  }
  expect(ms).toBeGreaterThan(SYNC_MS / 8);
});
