import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { SyncSpacing } from "../../../../server/persistence/aof/sync-spacing.ts";

const SYNC_MS = 0.4;

let spacing: SyncSpacing;
let nowMs: number;
/** Commands since the last sync began. */
let commands: number;
let count: number;
/** When syncs began. */
let begun: number[];
/** Times that it was asked for again. */
let asked: number;

beforeEach(() => {
  jest.useFakeTimers();
  nowMs = 0;
  commands = 0;
  count = 0;
  begun = [];
  asked = 0;
  spacing = new SyncSpacing(() => asked++);
});
afterEach(() => {
  spacing.stop();
  jest.useRealTimers();
});

/** A turn ends: a sync begins if there is anything for it and it is not put off. */
function endTurn(): boolean {
  if (count === 0 || spacing.putsOff(count, nowMs, SYNC_MS)) return false;
  spacing.syncBegins(count, commands, nowMs);
  begun.push(nowMs);
  count = 0;
  commands = 0;
  return true;
}

/** Turns of 0.1 ms, with so many reads in each and `writesAt` a turn. */
function run(turns: number, reads: number, writesAt: (turn: number) => number): void {
  for (let turn = 0; turn < turns; turn++, nowMs += 0.1) {
    const writes = writesAt(turn);
    commands += reads + writes;
    count += writes;
    endTurn();
  }
}

const every =
  (turns: number) =>
  (turn: number): number =>
    turn % turns === 0 ? 1 : 0;

/** Between the last syncs, in ms. */
const lastDistances = (of: number) =>
  begun.slice(-of).map((at, i) => at - (begun.at(i - of - 1) ?? 0));
const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;

test("beside many reads syncs are as far apart as is best for all", () => {
  // 40 reads to a write: 0.4 ms * sqrt(40) = 2.5 ms.
  run(5000, 8, every(5));
  expect(mean(lastDistances(100))).toBeCloseTo(2.5, 0);
});

test("nor is any write put off for longer than 4 ms", () => {
  run(5000, 1000, every(5));
  expect(mean(lastDistances(100))).toBeCloseTo(4, 0);
  expect(Math.max(...lastDistances(100))).toBeLessThan(4.3);
});

test("who only writes is never put off", () => {
  run(1000, 0, every(5));
  expect(begun.length).toBe(200);
});

test("nor is who writes again when he is answered, but one time in 256", () => {
  let nextAt = 0;
  let putOff = 0;
  const syncs = 4000;
  while (begun.length < syncs) {
    commands += 20;
    if (count === 0 && nowMs >= nextAt) {
      count = 1;
      commands++;
    }
    const waiting = count > 0;
    if (endTurn()) nextAt = nowMs + SYNC_MS;
    else if (waiting && nowMs < nextAt + 0.05) putOff++;
    nowMs += 0.1;
  }
  expect(putOff).toBeGreaterThan(5);
  expect(putOff).toBeLessThan(8 + syncs / 256 + 1);
});

test("when writes come that are worth waiting for, groups wait again", () => {
  let wrote = false;
  // Answered at once, it writes again at once.
  run(3000, 20, () => {
    wrote = count === 0;
    return wrote ? 1 : 0;
  });
  const before = begun.length;
  expect(before).toBeGreaterThan(2000);
  run(20_000, 20, every(10));
  expect(mean(lastDistances(100))).toBeGreaterThan(2);
});

test("a sync that is put off is asked for again, though no turn ends", () => {
  run(5000, 100, every(5));
  for (let turn = 0; count > 0; turn++) run(1, 100, () => every(5)(turn));
  nowMs += SYNC_MS;
  count = 1;
  expect(endTurn()).toBe(false);
  jest.advanceTimersByTime(4);
  expect(asked).toBe(1);
  nowMs += 4;
  expect(endTurn()).toBe(true);
  jest.advanceTimersByTime(100);
  expect(asked).toBe(1);
});
