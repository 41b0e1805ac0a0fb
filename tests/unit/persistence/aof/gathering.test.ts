import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { Gathering } from "../../../../server/persistence/aof/gathering.ts";

let gathering: Gathering;
/** Groups that began because the wait was over. */
let given: number;
beforeEach(() => {
  jest.useFakeTimers();
  given = 0;
  gathering = new Gathering(() => given++);
});
afterEach(() => {
  gathering.stop();
  jest.useRealTimers();
});

/** A group of so many is synced, and so many gather meanwhile. */
function sync(synced: number, gathered: number, ms = 2): void {
  gathering.count = synced;
  gathering.syncBegins();
  gathering.count = gathered;
  gathering.syncEnds(ms);
}

test("a group waits for as many as were answered, and for itself", () => {
  sync(3, 2);
  expect(gathering.isWorthIt()).toBe(true);
  gathering.count += 2;
  expect(gathering.isWorthIt()).toBe(true);
  gathering.count++;
  expect(gathering.isWorthIt()).toBe(false);
  jest.advanceTimersByTime(100);
  expect(given).toBe(0);
});

test("it waits no longer than a sync takes, and no group does for a while after a wait in vain", () => {
  let waits = 0;
  for (let i = 0; i < 100; i++) {
    sync(3, 1);
    if (gathering.isWorthIt()) {
      waits++;
      jest.advanceTimersByTime(1);
      expect(given).toBe(waits - 1);
      jest.advanceTimersByTime(1);
    }
    expect(given).toBe(waits);
  }
  expect(waits).toBeGreaterThan(3);
  expect(waits).toBeLessThan(7);
});

test("a wait that was worth it is forgiven all those that were not", () => {
  const skipped = () => {
    let count = 0;
    for (; count < 100; count++) {
      sync(1, 1);
      if (gathering.isWorthIt()) return count;
    }
    return count;
  };
  const inVain = () => {
    const count = skipped();
    jest.advanceTimersByTime(10);
    return count;
  };
  expect([inVain(), inVain(), inVain()]).toEqual([0, 4, 8]);
  expect(skipped()).toBe(16);
  gathering.count++;
  expect(gathering.isWorthIt()).toBe(false);
  expect([inVain(), inVain()]).toEqual([0, 4]);
});

test("who comes alone never waits", () => {
  sync(1, 0);
  gathering.count = 1;
  expect(gathering.isWorthIt()).toBe(false);
  sync(1, 0);
  jest.advanceTimersByTime(10);
  gathering.count = 1;
  expect(gathering.isWorthIt()).toBe(false);
  expect(given).toBe(0);
});

test("a sync that takes no time is not waited after", () => {
  sync(3, 1, 0.1);
  expect(gathering.isWorthIt()).toBe(false);
});
