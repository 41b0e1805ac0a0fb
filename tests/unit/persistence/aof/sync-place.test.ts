import { expect, test } from "bun:test";
import { SyncPlace } from "../../../../server/persistence/aof/sync-place.ts";

const FAST_MS = 0.1;

function fastPlace(): SyncPlace {
  const place = new SyncPlace();
  for (let i = 0; i < 20; i++) place.took(FAST_MS);
  return place;
}

test("a disk has to show that it is fast before it is waited for", () => {
  const place = new SyncPlace();
  expect(place.isHere(1, 1, 0)).toBe(false);
  let syncs = 0;
  for (; !place.isHere(1, 1, 0); syncs++) place.took(FAST_MS);
  expect(syncs).toBeGreaterThan(2);
  expect(syncs).toBeLessThan(10);
});

test("nobody waits for one that is slow", () => {
  const place = fastPlace();
  expect(place.isHere(1, 1, 0)).toBe(true);
  for (let i = 0; i < 5; i++) place.took(2);
  expect(place.isHere(1, 1, 0)).toBe(false);
});

test("a quarter of what was run since the last sync has to be writes", () => {
  const place = fastPlace();
  expect(place.isHere(100, 400, 0)).toBe(true);
  expect(place.isHere(99, 400, 0)).toBe(false);
});

test("a stall on the thread is paid for with a hundred times its length off it", () => {
  const place = fastPlace();
  place.tookHere(30, 1000);
  for (let i = 0; i < 30; i++) place.took(FAST_MS);
  expect(place.isHere(1, 1, 3999)).toBe(false);
  expect(place.isHere(1, 1, 4000)).toBe(true);
});
