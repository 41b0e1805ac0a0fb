import { expect, test } from "bun:test";
import fc from "fast-check";
import { Outbox } from "../../../server/client/outbox.ts";

test("everything appended goes out once, in order, whatever the socket takes at a time", () => {
  const piece = fc.uint8Array({ maxLength: 40_000 });
  const step = fc.oneof(piece, fc.nat(50_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const outbox = new Outbox();
      const given: number[] = [];
      const taken: number[] = [];
      const take = (limit: number) => {
        let room = limit;
        return outbox.flush((block) => {
          const count = Math.min(room, block.length);
          taken.push(...block.subarray(0, count));
          room -= count;
          return count;
        });
      };
      for (const next of steps) {
        if (typeof next === "number") take(next);
        else {
          given.push(...next);
          outbox.append(next);
        }
        expect(outbox.bytes).toBe(given.length - taken.length);
        expect(outbox.isEmpty).toBe(outbox.bytes === 0);
      }
      expect(take(Number.POSITIVE_INFINITY)).toBe(true);
      expect(Buffer.from(taken).equals(Buffer.from(given))).toBe(true);
      expect(outbox.blockCount).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test("small pieces share a block", () => {
  const outbox = new Outbox();
  for (let i = 0; i < 1000; i++) outbox.append(new Uint8Array(10));
  expect(outbox.blockCount).toBe(1);
  outbox.append(new Uint8Array(16384));
  expect(outbox.blockCount).toBe(2);
});

test("what was borrowed may change afterwards", () => {
  const outbox = new Outbox();
  const view = new Uint8Array([1, 2, 3]);
  outbox.append(view);
  view.fill(9);
  const got: number[] = [];
  outbox.flush((block) => got.push(...block) && block.length);
  expect(got).toEqual([1, 2, 3]);
});

test("a socket that is gone takes nothing, and clear forgets all", () => {
  const outbox = new Outbox();
  outbox.append(new Uint8Array(100));
  expect(outbox.flush(() => -1)).toBe(false);
  expect(outbox.bytes).toBe(100);
  outbox.clear();
  expect(outbox.isEmpty).toBe(true);
  expect(outbox.flush(() => 0)).toBe(true);
});
