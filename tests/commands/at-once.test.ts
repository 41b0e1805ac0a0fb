/** With a log too a reply leaves at once if it tells of nothing that could be lost; otherwise it does not leave before that is safe. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type DirectClient, DirectServer } from "../support/direct-client.ts";
import { frame } from "../support/reference.ts";
import { diskError } from "../support/sim-disk.ts";

let direct: DirectServer;
let reader: DirectClient;
let writer: DirectClient;

for (const appendfsync of ["no", "everysec", "always"])
  describe(`appendfsync ${appendfsync}`, () => {
    beforeEach(async () => {
      direct = await DirectServer.start({ appendonly: "yes", appendfsync });
      reader = direct.connect();
      writer = direct.connect();
      writer.send(Buffer.concat(["a", "b"].map((key) => frame(["SET", key, "old"]))));
      await writer.replies(2);
    });
    afterEach(() => direct.stop());

    const isAnsweredAtOnce = (words: string[]) => {
      reader.send(frame(words));
      return reader.hasReplies;
    };

    test("what was safe before the turn is told at once", async () => {
      expect(isAnsweredAtOnce(["GET", "a"])).toBe(true);
      expect(await reader.replies(1)).toEqual(["$3\r\nold\r\n"]);
      expect(isAnsweredAtOnce(["PING"])).toBe(true);
      expect(isAnsweredAtOnce(["DBSIZE"])).toBe(true);
    });

    test("what the turn has changed is told behind the log", async () => {
      const written: string[] = [];
      writer.send(frame(["SET", "a", "new"]));
      direct.disk.before = ({ kind }) => {
        expect([writer.hasReplies, reader.hasReplies]).toEqual([false, false]);
        written.push(kind);
      };
      expect(isAnsweredAtOnce(["GET", "a"])).toBe(false);
      expect(await writer.replies(1)).toEqual(["+OK\r\n"]);
      expect(await reader.replies(1)).toEqual(["$3\r\nnew\r\n"]);
      expect(written).toContain("write");
      direct.disk.before = () => {};
      expect(isAnsweredAtOnce(["GET", "a"])).toBe(true);
    });
  });

test("what a client writes that wants no replies is in the log when the turn ends", async () => {
  direct = await DirectServer.start({ appendonly: "yes", appendfsync: "no" });
  writer = direct.connect();
  for (const words of [
    ["CLIENT", "REPLY", "OFF"],
    ["SET", "a", "new"],
  ]) {
    // The start has a turn of its own.
    await Bun.sleep(20);
    writer.send(frame(words));
  }
  await Bun.sleep(20);
  expect(direct.logged).toContain("SET a new");
  await direct.stop();
});

test("always: while the disk takes nothing, reads of what is safe go on", async () => {
  direct = await DirectServer.start({ appendonly: "yes", appendfsync: "always" });
  [reader, writer] = [direct.connect(), direct.connect()];
  writer.send(frame(["SET", "a", "old"]));
  await writer.replies(1);
  direct.disk.before = ({ kind }) => {
    if (kind === "write") throw diskError("ENOSPC");
  };
  writer.send(frame(["SET", "b", "new"]));
  await Bun.sleep(20);
  reader.send(frame(["GET", "a"]));
  expect(await reader.replies(1)).toEqual(["$3\r\nold\r\n"]);
  reader.send(frame(["GET", "b"]));
  await Bun.sleep(20);
  expect([writer.hasReplies, reader.hasReplies]).toEqual([false, false]);
  direct.disk.before = () => {};
  expect(await reader.replies(1)).toEqual(["$3\r\nnew\r\n"]);
  expect(await writer.replies(1)).toEqual(["+OK\r\n"]);
  await direct.stop();
});
