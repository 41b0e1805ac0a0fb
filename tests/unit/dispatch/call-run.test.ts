import { beforeEach, expect, test } from "bun:test";
import { CallRun } from "../../../server/dispatch/call-run.ts";

let nowUs: number;
let told: [command: number, calls: number, microseconds: number][];
let run: CallRun;
beforeEach(() => {
  nowUs = 100;
  told = [];
  run = new CallRun({ monotonicUs: () => nowUs });
  run.onRun = (...call) => told.push(call);
  run.begin(nowUs);
});

/** Calls of a command that take so long together. */
function call(command: number, calls: number, microseconds: number): void {
  run.join(command, calls);
  run.count(calls);
  nowUs += microseconds;
}

test("calls of one command are told together, when another one comes or the chunk ends", () => {
  call(1, 1, 3);
  call(1, 2, 4);
  call(2, 1, 5);
  expect(told).toEqual([[1, 3, 7]]);
  run.end();
  run.end();
  expect(told).toEqual([
    [1, 3, 7],
    [2, 1, 5],
  ]);
});

test("no more than 64 are told together", () => {
  call(1, 32, 3);
  call(1, 32, 4);
  call(1, 1, 5);
  expect(told).toEqual([[1, 64, 7]]);
  call(1, 64, 6);
  expect(told).toEqual([
    [1, 64, 7],
    [1, 1, 5],
  ]);
});

test("a call that leaves is not told, and those before it are; what comes next has not begun before that", () => {
  call(1, 2, 3);
  expect(run.leave()).toBe(0);
  expect(told).toEqual([[1, 1, 3]]);
  call(1, 1, 4);
  expect(run.leave()).toBe(4);
  call(2, 1, 5);
  run.end();
  expect(told).toEqual([
    [1, 1, 3],
    [2, 1, 5],
  ]);
});

test("what was never counted may leave", () => {
  run.join(1, 1);
  run.leave();
  run.end();
  expect(told).toEqual([]);
});

test("EXEC is told behind its commands, with the time of all", () => {
  call(9, 1, 2);
  run.beginUnit();
  call(1, 1, 3);
  call(2, 1, 4);
  run.end();
  run.endUnit(1);
  nowUs += 5;
  run.end();
  expect(told).toEqual([
    [1, 1, 3],
    [2, 1, 4],
    [9, 1, 14],
  ]);
});
