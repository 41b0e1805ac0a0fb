import { expect, test } from "bun:test";
import { selectCommand } from "../../../../server/persistence/aof/block.ts";
import { UNSYNCED_MAX_BYTES, Unsynced } from "../../../../server/persistence/aof/unsynced.ts";
import { createRandom, type Random } from "../../../support/random.ts";

function kept(unsynced: Unsynced): string | undefined {
  const block = unsynced.join(-1);
  return block === null ? undefined : Buffer.from(block.view()).toString("latin1");
}

/** Some have memory of their own, of all sizes. */
function lengthOf(random: Random): number {
  return random.chance(0.02) ? 200_000 + random.below(2_000_000) : 1 + random.below(60_000);
}

test("what no sync covers is there whole, whatever was kept and let go in the same memory before", () => {
  const random = createRandom(4);
  const unsynced = new Unsynced();
  let all: { text: string; end: number }[] = [];
  const marks: number[] = [];
  let total = 0;
  for (let i = 0; i < 1500; i++) {
    const text = String.fromCharCode(97 + (i % 26)).repeat(lengthOf(random));
    unsynced.add(Buffer.from(text), -1);
    total += text.length;
    all.push({ text, end: total });
    if (random.chance(0.02)) marks.push(unsynced.mark());
    if (marks.length === 0 || !random.chance(0.02)) continue;
    const mark = marks.shift()!;
    unsynced.cover(mark);
    all = all.filter(({ end }) => end > mark);
    // Compared by sums: a difference of megabytes tells nobody anything.
    const expected = all.map((block) => block.text).join("");
    expect(Bun.hash(kept(unsynced)!)).toBe(Bun.hash(expected));
  }
  expect(all.length).toBeGreaterThan(0);
});

const MEBIBYTE = new Uint8Array(1 << 20).fill(97);

function addMebibytes(unsynced: Unsynced, count: number): void {
  for (let i = 0; i < count; i++) unsynced.add(MEBIBYTE, -1);
}

const MAX_MEBIBYTES = UNSYNCED_MAX_BYTES >> 20;

/** What is lost is so until the sync of that mark ends; what comes behind it is kept. */
function expectKeptBehindNextMark(unsynced: Unsynced): void {
  const mark = unsynced.mark();
  unsynced.add(Buffer.from("behind"), -1);
  expect(unsynced.join(-1)).toBeNull();
  unsynced.cover(mark);
  expect(kept(unsynced)).toBe("behind");
}

test("as much as is kept is kept, with what an earlier sync is to cover", () => {
  const unsynced = new Unsynced();
  addMebibytes(unsynced, MAX_MEBIBYTES - 1);
  const mark = unsynced.mark();
  addMebibytes(unsynced, 1);
  expect(kept(unsynced)!.length).toBe(UNSYNCED_MAX_BYTES);
  unsynced.cover(mark);
  addMebibytes(unsynced, MAX_MEBIBYTES - 1);
  expect(kept(unsynced)!.length).toBe(UNSYNCED_MAX_BYTES);
});

test("more than is kept is lost until a sync has covered it", () => {
  const unsynced = new Unsynced();
  addMebibytes(unsynced, MAX_MEBIBYTES / 2);
  const first = unsynced.mark();
  addMebibytes(unsynced, MAX_MEBIBYTES / 2 + 1);
  expect(unsynced.join(-1)).toBeNull();
  unsynced.cover(first);
  expect(unsynced.join(-1)).toBeNull();
  expectKeptBehindNextMark(unsynced);
});

test("behind more than is kept between two marks nothing is, up to the next one", () => {
  const unsynced = new Unsynced();
  addMebibytes(unsynced, MAX_MEBIBYTES + 1);
  const first = unsynced.mark();
  unsynced.add(Buffer.from("behind"), -1);
  unsynced.cover(first);
  expect(unsynced.join(-1)).toBeNull();
  expectKeptBehindNextMark(unsynced);
});

test("what is left begins in the database that its first block was written in", () => {
  const unsynced = new Unsynced();
  unsynced.add(Buffer.from("a"), 0);
  unsynced.add(Buffer.from("b"), 1);
  expect(kept(unsynced)).toBe(`${selectCommand(0)}ab`);
  const mark = unsynced.mark();
  unsynced.add(Buffer.from("c"), 2);
  unsynced.add(Buffer.from("d"), 3);
  unsynced.cover(mark);
  expect(kept(unsynced)).toBe(`${selectCommand(2)}cd`);
});

test("memory in which nothing is left is used again once, also that which is being filled", () => {
  const unsynced = new Unsynced();
  unsynced.add(Buffer.from("covered"), -1);
  unsynced.cover(unsynced.mark());
  const texts = Array.from({ length: 50 }, (_, i) => String(i % 10).repeat(100_000));
  for (const text of texts) unsynced.add(Buffer.from(text), -1);
  expect(Bun.hash(kept(unsynced)!)).toBe(Bun.hash(texts.join("")));
});
