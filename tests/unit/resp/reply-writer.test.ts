/** Replies of TypeScript's commands: the same bytes wherever the window ends, and counts of any size. */
import { expect, test } from "bun:test";
import { Address, IoField } from "../../../core-wasm/abi.ts";
import { createMemory } from "../../../server/core/memory.ts";
import { createReplyWriter, type ReplyWriter } from "../../../server/resp/reply-writer.ts";

const memory = createMemory();
const at = (field: IoField) => (Address.IoBlock + field) >> 2;

/** What `write` writes into a window of so many bytes, as latin1. */
function written(windowBytes: number, protocol: 2 | 3, write: (reply: ReplyWriter) => void) {
  const { i32, u8 } = memory;
  let text = "";
  const drain = () => {
    text += Buffer.from(u8.slice(Address.Output, i32[at(IoField.OutTop)])).toString("latin1");
    i32[at(IoField.OutTop)] = Address.Output;
  };
  i32[at(IoField.OutTop)] = Address.Output;
  i32[at(IoField.OutEnd)] = Address.Output + windowBytes;
  i32[at(IoField.Protocol)] = protocol;
  write(createReplyWriter(memory, drain));
  drain();
  return text;
}

const LONG = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(i % 256)).join("");

test("texts longer than the window are whole, whatever their letters", () => {
  for (let window = 100; window < 2100; window += 7)
    expect(
      written(window, 3, (reply) => {
        reply.bulk(LONG);
        reply.verbatim(LONG, "txt");
        reply.raw(`+${LONG.slice(65)}\r\n`);
        reply.bulk(Buffer.from(LONG, "latin1"));
      }),
    ).toBe(
      `$1000\r\n${LONG}\r\n=1004\r\ntxt:${LONG}\r\n+${LONG.slice(65)}\r\n$1000\r\n${LONG}\r\n`,
    );
});

test("numbers of any size are written in full", () => {
  const numbers = [0, 7, 9, 10, 99, 100, 65_536, 999_999_999, 2 ** 53 - 1, 2 ** 53, -1, -90];
  for (const number of numbers)
    expect(written(100, 2, (reply) => reply.integer(number))).toBe(`:${number}\r\n`);
  expect(written(100, 2, (reply) => reply.integer(9223372036854775807n))).toBe(
    ":9223372036854775807\r\n",
  );
  for (const count of [0, 1, 10, 12_345]) {
    const counts = (reply: ReplyWriter) => {
      reply.array(count);
      reply.map(count);
      reply.set(count);
      reply.push(count);
    };
    const twice = count * 2;
    expect(written(100, 2, counts)).toBe(`*${count}\r\n*${twice}\r\n*${count}\r\n*${count}\r\n`);
    expect(written(100, 3, counts)).toBe(`*${count}\r\n%${count}\r\n~${count}\r\n>${count}\r\n`);
  }
});
