import { expect, test } from "bun:test";
import fc from "fast-check";
import type { CoreMemory } from "../../../server/core/memory.ts";
import { LargeFrame, LargeState } from "../../../server/resp/large-frame.ts";
import { frame } from "../../support/reference.ts";

/** A memory of plain bytes, to place commands in. */
function plainMemory(bytes: number): CoreMemory {
  const buffer = new ArrayBuffer(bytes);
  return {
    bytes: (ptr: number, length: number) => new Uint8Array(buffer, ptr, length),
  } as unknown as CoreMemory;
}

test("a command is put together whatever its chunks are, and what follows is left over", () => {
  const words = fc.array(fc.uint8Array({ maxLength: 30_000 }), { minLength: 1, maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(words, cuts, (command, sizes) => {
      const bytes = frame(command);
      const stream = Buffer.concat([bytes, Buffer.from("PING\r\n")]);
      const large = new LargeFrame(1 << 20);
      let state = LargeState.More;
      let at = 0;
      for (let i = 0; state === LargeState.More; i++) {
        const size = sizes[i % sizes.length]!;
        state = large.push(new Uint8Array(stream.subarray(at, at + size)));
        at += size;
      }
      expect(state).toBe(LargeState.Whole);
      expect(large.bytes).toBe(bytes.length);
      expect(large.argc).toBe(command.length);
      const surplus = Buffer.from(large.surplus());
      expect(surplus.toString()).toBe(stream.subarray(bytes.length, at).toString());
      const memory = plainMemory(1 << 20);
      large.place(memory, 4096, 0);
      expect(Buffer.from(memory.bytes(4096, bytes.length)).equals(bytes)).toBe(true);
      const table = new DataView(memory.bytes(0, command.length * 8).buffer, 0);
      for (const [i, word] of command.entries()) {
        const length = table.getUint32(i * 8 + 4, true);
        const got = memory.bytes(table.getUint32(i * 8, true), length);
        expect(Buffer.from(got).equals(Buffer.from(word))).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test("what a command takes is what was sent of it and a note on each word, not what it announced", () => {
  const large = new LargeFrame(1 << 29);
  for (const byte of Buffer.from("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nab"))
    expect(large.push(Uint8Array.of(byte))).toBe(LargeState.More);
  expect(large.gatheredBytes).toBeLessThan(120);
});

test("a length that is none is refused", () => {
  for (const [length, error] of [
    ["$01", "ERR Protocol error: invalid bulk length"],
    ["$-1", "ERR Protocol error: invalid bulk length"],
    ["$1048577", "ERR Protocol error: invalid bulk length"],
    ["x1", "ERR Protocol error: expected '$', got 'x'"],
  ] as const) {
    const large = new LargeFrame(1 << 20);
    expect(large.push(Buffer.from(`*2\r\n$1\r\na\r\n${length}\r\n`))).toBe(LargeState.Invalid);
    expect(large.error).toBe(error);
  }
});
