/** Commands framed and run by the core many at a time: they find what they find one by one, whatever those before them in the run have done to the same key. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  Address,
  EvictionPolicy,
  FRAME_BATCH,
  FRAME_BYTES,
  FrameField,
  FrameFlag,
  IoField,
  STATUS_BITS,
  StateField,
  Status,
} from "../../core-wasm/abi.ts";
import { ALL_COMMANDS } from "../../server/commands/table.ts";
import { encodeRequest } from "../../server/resp/request.ts";
import { BUILDS, type Build } from "../support/core.ts";
import { type CoreHarness, createHarness } from "../support/core-harness.ts";

const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const ATTENTION = Status.Error | Status.Block | Status.Drained;
const IDS = new Map(ALL_COMMANDS.map(({ name, id }) => [name.toUpperCase(), id]));

/** Runs commands in batches, those of one name in a row in one call. @returns the replies, and how many frames were of the key before */
function runTogether({ core }: CoreHarness, commands: readonly string[][]): [string, number] {
  const { u8, i32 } = core.memory;
  const bytes = Buffer.concat(
    commands.map((words) => encodeRequest(words.map((word) => Buffer.from(word, "latin1")))),
  );
  u8.set(bytes, Address.Input);
  const end = Address.Input + bytes.length;
  const field = (record: number, name: FrameField) =>
    i32[(Address.Frames + record * FRAME_BYTES + name) >> 2]!;
  let replies = "";
  let sameKeys = 0;
  let done = 0;
  for (let at: number = Address.Input; at < end; ) {
    const count = core.frame(at, end, 0, FRAME_BATCH);
    core.prefetch(count);
    for (let first = 0; first < count; ) {
      let last = first + 1;
      for (; last < count; last++) {
        const flags = field(last, FrameField.Flags);
        if ((flags & FrameFlag.SameCommand) === 0) break;
        if ((flags & FrameFlag.SameKey) !== 0) sameKeys++;
      }
      const id = IDS.get(commands[done]![0]!)!;
      const result = core.executeFrames(id, first, last - first, ATTENTION);
      first += result >> STATUS_BITS;
      done += result >> STATUS_BITS;
      replies += Buffer.from(u8.subarray(Address.Output, i32[OUT_TOP]!)).toString("latin1");
      i32[OUT_TOP] = Address.Output;
    }
    at = field(count - 1, FrameField.End);
  }
  i32[(Address.IoBlock + IoField.ArgvPtr) >> 2] = Address.ArgvTable;
  expect(done).toBe(commands.length);
  return [replies, sameKeys];
}

/** Of every length that keys are compared in another way for, and pairs that differ in one byte. */
const key = fc.constantFrom(
  ..."ab",
  "abc1",
  "abc2",
  "1bcdefgh",
  "2bcdefgh",
  "key:0000000001",
  "key:0000000002",
  `key:${"0".repeat(40)}1`,
  `key:${"0".repeat(40)}2`,
);
const words = fc.oneof(
  fc.tuple(fc.constantFrom("GET", "DEL", "INCR", "LPOP", "SPOP", "PERSIST", "GETDEL", "TYPE"), key),
  fc.tuple(
    fc.constantFrom("SET", "RPUSH", "SADD", "APPEND", "LPUSHX", "HGET", "HDEL", "ZPOPMIN"),
    key,
    fc.constantFrom("1", "2", "1".repeat(70), "x".repeat(70)),
  ),
  fc.tuple(fc.constantFrom("PEXPIRE", "EXPIRE"), key, fc.constantFrom("-1", "1000")),
  fc.tuple(fc.constantFrom("RENAME", "RENAMENX", "COPY", "SMOVE", "RPOPLPUSH"), key, key, key),
  fc.tuple(fc.constant("MOVE"), key, fc.constantFrom("0", "1")),
  fc.tuple(
    fc.constantFrom("HSET", "HSETNX", "ZADD", "SETEX", "MSET"),
    key,
    fc.constantFrom("1", "2"),
    key,
  ),
  fc.tuple(
    fc.constant("MSET"),
    fc.constantFrom("abc1", "abc2"),
    key,
    fc.constantFrom("abc1", "abc2"),
  ),
);
const ARGUMENTS = new Map([
  ["RENAME", 3],
  ["RENAMENX", 3],
  ["COPY", 3],
  ["RPOPLPUSH", 3],
]);
const stretch = fc
  .tuple(words, fc.array(key, { maxLength: 6 }), fc.integer({ min: 1, max: 12 }))
  .map(([command, others, times]) => {
    const shown: string[] = command.slice(0, ARGUMENTS.get(command[0]) ?? command.length);
    return Array.from({ length: times }, (_, i) => {
      const next = [...shown];
      if (next[0] === "MSET") {
        next[2] = `value ${i}`;
        // Another key each time, so that the table grows between two lookups of the first.
        if (times > 4) next[3] = `${next[3]}:${i}`;
        next[4] = `other ${i}`;
      }
      if (others.length > 0 && i % 3 === 2) next[1] = others[i % others.length]!;
      return next;
    });
  });

for (const build of ["tiny", "release"] as Build[])
  for (const room of [0, 300])
    test(`the ${build} build, ${room === 0 ? "without a limit" : "where keys are evicted"}`, () => {
      let sameKeys = 0;
      let evicted = 0;
      const [together, singly] = [0, 1].map(() => {
        const harness = createHarness({ wasmPath: BUILDS[build] });
        harness.listen(0);
        harness.raw("SET", "table", "1");
        const limit = harness.core.usedBytes() + room;
        if (room > 0) harness.core.configureMemory(limit, EvictionPolicy.AllKeysLru);
        return harness;
      }) as [CoreHarness, CoreHarness];
      fc.assert(
        fc.property(fc.array(stretch, { maxLength: 30, size: "max" }), (stretches) => {
          const commands = stretches.flat();
          const [replies, same] = runTogether(together, commands);
          sameKeys += same;
          expect(replies).toBe(commands.map((command) => singly.raw(...command)).join(""));
          expect(together.raw("DEBUG", "DIGEST")).toBe(singly.raw("DEBUG", "DIGEST"));
          expect(together.check()).toBe(singly.check());
          const evictions = together.core.counter(StateField.EvictedKeys);
          expect(evictions).toBe(singly.core.counter(StateField.EvictedKeys));
          evicted = evictions;
          for (const { raw } of [together, singly]) raw("FLUSHALL", "SYNC");
        }),
        { numRuns: 150 },
      );
      expect(sameKeys).toBeGreaterThan(1000);
      if (room > 0) expect(evicted).toBeGreaterThan(100);
    });
