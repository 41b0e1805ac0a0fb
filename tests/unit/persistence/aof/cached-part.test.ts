import { beforeEach, expect, test } from "bun:test";
import { CachedPart } from "../../../../server/persistence/aof/cached-part.ts";
import type { DiskFile } from "../../../../server/persistence/disk.ts";

const MIB = 1 << 20;

/** What was given back, in MiB: where it begins, and how long it is. */
let dropped: [number, number][];
let cached: CachedPart;
beforeEach(() => begin(0));

function begin(at: number): void {
  dropped = [];
  const dropCached = (from: number, length: number) => dropped.push([from / MIB, length / MIB]);
  cached = new CachedPart({ dropCached } as unknown as DiskFile, at);
}

test("of what is synced a whole MiB goes with each write, until all has gone", () => {
  for (let i = 0; i < 5; i++) cached.follow(100, 3.5 * MIB);
  expect(dropped).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
  cached.follow(100, 4 * MIB - 1);
  expect(dropped).toHaveLength(3);
  cached.follow(100, 4 * MIB);
  expect(dropped.at(-1)).toEqual([3, 1]);
});

test("and twice as much as a write adds, if that is more", () => {
  cached.follow(2 * MIB, 10 * MIB);
  cached.follow(5 * MIB, 10 * MIB);
  expect(dropped).toEqual([
    [0, 4],
    [4, 6],
  ]);
});

test("what no sync has covered stays, and what was there before", () => {
  begin(2.5 * MIB);
  cached.follow(100, 0);
  cached.follow(100, 3 * MIB - 1);
  expect(dropped).toEqual([]);
  cached.follow(100, 3 * MIB);
  cached.follow(100, 5 * MIB);
  expect(dropped).toEqual([
    [2.5, 0.5],
    [3, 1],
  ]);
});
