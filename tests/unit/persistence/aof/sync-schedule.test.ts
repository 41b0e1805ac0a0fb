import { afterEach, beforeEach, expect, test } from "bun:test";
import { SyncSchedule } from "../../../../server/persistence/aof/sync-schedule.ts";

const FAST_MS = 0.2;

let nowMs: number;
let commands: number;
let schedule: SyncSchedule;

beforeEach(() => {
  nowMs = 0;
  commands = 0;
  const clock = { monotonicUs: () => nowMs * 1000, nowMs: () => 0, wallMs: () => 0 };
  schedule = new SyncSchedule(
    clock,
    () => commands,
    () => {},
  );
  // A disk has to show that it is a fast one.
  for (let i = 0; i < 20; i++) schedule.tookHere(FAST_MS);
});
afterEach(() => schedule.stop());

function run(reads: number, writes: number): void {
  commands += reads + writes;
  schedule.wrote(writes);
}

test("who mostly writes is synced on this thread, beside readers off it, and the next sync is put off", () => {
  run(0, 5);
  expect(schedule.next()).toBe("here");
  schedule.begins();
  run(300, 1);
  nowMs += 10;
  expect(schedule.next()).toBe("off");
  schedule.begins();
  nowMs += FAST_MS;
  run(300, 1);
  expect(schedule.next()).toBe("later");
  nowMs += 10;
  expect(schedule.next()).toBe("off");
});

test("a sync off this thread that takes its time is waited after, for those whom it answers", () => {
  run(0, 3);
  schedule.begins();
  schedule.took(2);
  run(0, 1);
  expect(schedule.next()).toBe("later");
  run(0, 2);
  expect(schedule.next()).not.toBe("later");
});

test("commands are counted on though their count is reset", () => {
  run(1000, 1);
  schedule.begins();
  commands = 0;
  run(5, 1);
  expect(schedule.next()).toBe("here");
  schedule.begins();
  run(5, 1);
  nowMs += 10;
  expect(schedule.next()).toBe("off");
});
