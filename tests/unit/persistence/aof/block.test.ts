import { beforeEach, describe, expect, test } from "bun:test";
import { Address } from "../../../../core-wasm/abi.ts";
import { type CoreMemory, createMemory } from "../../../../server/core/memory.ts";
import { Block } from "../../../../server/persistence/aof/block.ts";
import { createRandom } from "../../../support/random.ts";
import { frame as encode } from "../../../support/reference.ts";
import { parseReply } from "../../../support/reply.ts";

const memory: CoreMemory = createMemory();
let block: Block;
let at: number;
beforeEach(() => {
  block = new Block(memory);
  at = Address.Input;
});

/** The command as the input window holds it. */
function frame(db: number, command: string): void {
  const bytes = encode(command.split(" "));
  memory.u8.set(bytes, at);
  block.frames(db, at, bytes.length);
  at += bytes.length;
}

/** The command as pairs of pointer and length, behind a name of ours; the last `rest` of them in a table of their own. */
function words(db: number, command: string, rest = 0): void {
  const [name, ...args] = command.split(" ");
  const pairs = Address.ArgvTable;
  for (const [i, word] of args.entries()) {
    memory.u8.set(Buffer.from(word), at);
    memory.words.setUint32(pairs + i * 8, at, true);
    memory.words.setUint32(pairs + i * 8 + 4, word.length, true);
    at += word.length;
  }
  const own = args.length - rest;
  if (rest === 0) block.words(db, Buffer.from(name!), pairs, own);
  else block.words(db, Buffer.from(name!), pairs, own, { ptr: pairs + own * 8, count: rest });
}

/** Everything in the block, a command a line. */
function lines(): string[] {
  const text = Buffer.from(block.view()).toString("latin1");
  const found: string[] = [];
  for (let from = 0; from < text.length; ) {
    const parsed = parseReply(text, from);
    if (parsed?.reply.kind !== "array") throw new Error(`torn: ${text.slice(from)}`);
    found.push(
      parsed.reply.items.map((item) => (item.kind === "bulk" ? item.text : "?")).join(" "),
    );
    from = parsed.end;
  }
  return found;
}

describe("a block", () => {
  test("names the database where it changes", () => {
    frame(0, "SET a 1");
    frame(0, "SET b 2");
    words(3, "SET c 3");
    frame(0, "SET d 4");
    expect(lines()).toEqual([
      "SELECT 0",
      "SET a 1",
      "SET b 2",
      "SELECT 3",
      "SET c 3",
      "SELECT 0",
      "SET d 4",
    ]);
  });

  test("takes the words of a command out of two tables", () => {
    words(0, "XADD s 1-1 a b c d", 4);
    words(0, "HPERSIST h FIELDS 1 f", 1);
    expect(lines()).toEqual(["SELECT 0", "XADD s 1-1 a b c d", "HPERSIST h FIELDS 1 f"]);
  });

  test("names it again after it was told to forget", () => {
    frame(0, "SET a 1");
    block.forgetDb();
    frame(0, "SET b 2");
    expect(lines()).toEqual(["SELECT 0", "SET a 1", "SELECT 0", "SET b 2"]);
  });

  test("copies what was noted before the window is reused", () => {
    frame(0, "SET a 1");
    block.settle();
    at = Address.Input;
    frame(0, "DEL a b");
    expect(lines()).toEqual(["SELECT 0", "SET a 1", "DEL a b"]);
  });

  test("shows what it has at each moment", () => {
    frame(0, "SET a 1");
    expect(lines()).toEqual(["SELECT 0", "SET a 1"]);
    words(0, "SET b 2");
    expect(lines()).toEqual(["SELECT 0", "SET a 1", "SET b 2"]);
    block.annotate("#");
    expect(Buffer.from(block.view()).toString()).toEndWith("#");
    block.clear();
    expect(lines()).toEqual([]);
  });

  test("gives room for what closes it, which is no part of it", () => {
    frame(0, "SET a 1");
    const before = Buffer.from(block.view()).toString();
    for (const room of [10, 1 << 20]) {
      const memory = block.withRoom(room);
      expect(memory.toString("latin1", 0, block.size)).toBe(before);
      expect(memory.length - block.size).toBeGreaterThanOrEqual(room);
      memory.fill("#", block.size, block.size + room);
      expect(Buffer.from(block.view()).toString()).toBe(before);
    }
    frame(0, "SET b 2");
    expect(lines()).toEqual(["SELECT 0", "SET a 1", "SET b 2"]);
  });

  test("is empty when it was taken, and whole again when that is put back", () => {
    frame(0, "SET a 1");
    expect(lines()).toHaveLength(2);
    const taken = block.take();
    expect(lines()).toEqual([]);
    block.putBack(taken);
    expect(lines()).toEqual(["SELECT 0", "SET a 1"]);
    const again = block.take();
    words(0, "SET b 2");
    expect(lines()).toEqual(["SET b 2"]);
    block.putBack(again);
    expect(lines()).toEqual(["SELECT 0", "SET a 1", "SET b 2"]);
  });
});

describe("a unit", () => {
  test("of nothing leaves nothing, of one command that command", () => {
    block.beginUnit();
    block.endUnit();
    expect(block.isEmpty).toBe(true);
    block.beginUnit();
    words(0, "SET a 1");
    block.endUnit();
    expect(lines()).toEqual(["SELECT 0", "SET a 1"]);
  });

  test("of several is framed, behind its first SELECT", () => {
    frame(0, "SET before 1");
    block.beginUnit();
    words(2, "SET a 1");
    frame(2, "SET b 2");
    words(0, "SET c 3");
    block.endUnit();
    frame(0, "SET after 1");
    expect(lines()).toEqual([
      "SELECT 0",
      "SET before 1",
      "SELECT 2",
      "MULTI",
      "SET a 1",
      "SET b 2",
      "SELECT 0",
      "SET c 3",
      "EXEC",
      "SET after 1",
    ]);
  });

  test("larger than the block's room is whole", () => {
    const random = createRandom(1);
    const expected = ["SELECT 0", "MULTI"];
    block.beginUnit();
    for (let i = 0; i < 5000; i++) {
      const line = `SET key:${i} ${"v".repeat(1 + random.below(60))}`;
      at = Address.Input;
      words(0, line);
      expected.push(line);
    }
    block.endUnit();
    expect(lines()).toEqual([...expected, "EXEC"]);
  });
});
