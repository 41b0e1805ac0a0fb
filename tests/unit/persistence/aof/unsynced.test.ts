import { expect, test } from "bun:test";
import { UNSYNCED_MAX_BYTES, Unsynced } from "../../../../server/persistence/aof/unsynced.ts";
import { createRandom } from "../../../support/random.ts";

function kept(unsynced: Unsynced): string | undefined {
  const block = unsynced.join(-1);
  return block === null ? undefined : Buffer.from(block.view()).toString("latin1");
}

test("what no sync covers is there whole, whatever was kept and let go in the same memory before", () => {
  const random = createRandom(4);
  const unsynced = new Unsynced();
  let all: { text: string; end: number }[] = [];
  const marks: number[] = [];
  for (let i = 0; i < 1500; i++) {
    const text = String.fromCharCode(97 + (i % 26)).repeat(1 + random.below(60_000));
    unsynced.add(Buffer.from(text), -1);
    all.push({ text, end: unsynced.mark() });
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

test("more than is kept is lost until a sync has covered it", () => {
  const unsynced = new Unsynced();
  const block = new Uint8Array(1 << 20).fill(97);
  for (let bytes = 0; bytes <= UNSYNCED_MAX_BYTES; bytes += block.length) unsynced.add(block, -1);
  expect(unsynced.join(-1)).toBeNull();
  const mark = unsynced.mark();
  unsynced.add(Buffer.from("behind"), -1);
  expect(unsynced.join(-1)).toBeNull();
  unsynced.cover(mark);
  expect(kept(unsynced)).toBe("behind");
});
