import { expect, test } from "bun:test";
import { addToSum, crcLine } from "../../../../server/persistence/aof/annotations.ts";
import { contentsOf, ROOM_BEGINS, roomAt } from "../../../../server/persistence/aof/room.ts";
import { framesOf, guarded } from "../../../support/guarded-log.ts";
import { createRandom } from "../../../support/random.ts";
import { SimDisk } from "../../../support/sim-disk.ts";

const PATH = "/log/a.1.incr.aof";
const SECTOR_BYTES = 512;

function contents(file: string | Buffer, limit?: number) {
  const disk = new SimDisk();
  disk.place(PATH, typeof file === "string" ? Buffer.from(file, "latin1") : file);
  return contentsOf(disk.open(PATH, "read"), limit);
}

/** Contents as they stand in a file with room behind them. */
function withRoom(text: string, most = 4096): Buffer {
  const begin = text.length + ROOM_BEGINS.length;
  return Buffer.concat([Buffer.from(text + ROOM_BEGINS, "latin1"), roomAt(begin, most)]);
}

const value = (bytes: number) => framesOf(`SET k ${"v".repeat(bytes)}`);
const whole = (size: number) => ({ size, surplus: 0, written: size, endsWithBlock: true });

test("room is no part of a log, wherever it begins", () => {
  for (let bytes = 1; bytes <= 600; bytes++) {
    const text = guarded(value(bytes));
    expect(contents(text)).toEqual(whole(text.length));
    expect(contents(withRoom(text))).toEqual(whole(text.length));
  }
});

test("nor is a part of it, or zeros where it was not written", () => {
  const text = guarded(value(100));
  const file = withRoom(text);
  for (let length = text.length; length < file.length; length += 7) {
    expect(contents(file.subarray(0, length))).toEqual(whole(text.length));
    const { written, endsWithBlock } = contents(Buffer.from(file).fill(0, length));
    expect({ written, endsWithBlock }).toEqual({ written: text.length, endsWithBlock: false });
  }
});

test("it is lines that Redis skips: none is too long, or only an end, and the last one is whole", () => {
  for (let begin = 0; begin < 1200; begin++) {
    const text = Buffer.from(withRoom("*".repeat(begin)))
      .toString("latin1")
      .slice(begin);
    const lines = text.split("\n");
    expect(lines.pop()).toBe("");
    for (const line of lines) expect(line).toMatch(/^#.{0,1000}$/);
  }
});

/** A block with the line that closes it, as it stands behind what there is. */
function closedBehind(before: string, block: string): string {
  const text = Buffer.from(before + block, "latin1");
  return block + crcLine(addToSum(0, text), text.length);
}

/** A block that was written over room, of which a loss of power has left these sectors. */
function torn(before: string, block: string, has: (sector: number) => boolean): Buffer {
  const file = withRoom(before, 16384);
  const text = Buffer.from(before + block + ROOM_BEGINS, "latin1");
  for (let at = before.length; at < text.length; ) {
    const end = Math.min(text.length, at - (at % SECTOR_BYTES) + SECTOR_BYTES);
    if (has(Math.floor(at / SECTOR_BYTES))) text.copy(file, at, at, end);
    at = end;
  }
  return file;
}

test("what a loss of power has left of a block counts up to the first sector that is missing", () => {
  const random = createRandom(7);
  for (let round = 0; round < 2000; round++) {
    const before = guarded(value(1 + random.below(700)));
    const block = closedBehind(before, value(1 + random.below(4000)));
    const end = before.length + block.length;
    const missing = new Set<number>();
    const [first, last] = [before.length, end - 1].map((at) => Math.floor(at / SECTOR_BYTES));
    for (let sector = first!; sector <= last!; sector++)
      if (random.chance(0.3)) missing.add(sector);
    const found = contents(torn(before, block, (sector) => !missing.has(sector)));
    if (missing.size === 0) {
      expect(found).toEqual(whole(end));
      continue;
    }
    const hole = Math.max(before.length, Math.min(...missing) * SECTOR_BYTES);
    // A `#` in front of it may be room too.
    expect([hole, (before + block)[hole - 1] === "#" ? hole - 1 : hole]).toContain(found.written);
    // Of a block that has left nothing nobody knows.
    expect(found.endsWithBlock).toBe(found.size === before.length);
  }
});

test("nor does what is missing where the room ended, and the file became longer", () => {
  for (let bytes = 1; bytes < 1100; bytes++) {
    const before = guarded(value(bytes));
    const block = closedBehind(before, value(4000));
    // Or the disk had no room for all of it.
    for (const length of [1, 30, 600, 2048]) {
      const file = withRoom(before).subarray(0, before.length + length);
      const left = Buffer.from(before + block, "latin1");
      if (file.length % SECTOR_BYTES === 0) continue;
      const sector = file.length - (file.length % SECTOR_BYTES);
      const from = Math.max(sector, before.length);
      file.copy(left, from, from);
      left.fill(0, file.length, sector + SECTOR_BYTES);
      // Of bytes that are as they should be nobody sees that they are missing.
      const isSeen = !left.equals(Buffer.from(before + block, "latin1"));
      expect(contents(left).endsWithBlock).toBe(!isSeen);
      if (isSeen) expect(contents(left).written).toBeLessThanOrEqual(from);
    }
  }
});

test("bytes that look like room are no hole where the sum is right", () => {
  const before = guarded(value(10));
  let holes = 0;
  for (let bytes = 3000; bytes < 3512; bytes++) {
    const head = `*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${bytes}\r\n`;
    const like = Buffer.from(roomAt(before.length + head.length, 8192)).toString("latin1");
    const text = before + closedBehind(before, `${head}${like.slice(0, bytes)}\r\n`);
    expect(contents(withRoom(text))).toEqual(whole(text.length));
    const changed = Buffer.from(withRoom(text));
    changed[before.length + 2]! ^= 1;
    const { written, endsWithBlock } = contents(changed);
    expect(endsWithBlock).toBe(written === text.length);
    if (!endsWithBlock) holes++;
  }
  expect(holes).toBeGreaterThan(100);
});

test("what another server has written behind room is no hole", () => {
  for (let bytes = 1; bytes < 1100; bytes += 3) {
    const text = guarded(value(bytes));
    for (const behind of [
      framesOf("SELECT 0", "SET a 1"),
      "#TS:1800000000\r\n*1\r\n$4\r\nPING\r\n",
    ]) {
      const file = Buffer.concat([withRoom(text), Buffer.from(behind)]);
      const size = file.length;
      expect(contents(file)).toEqual({ size, surplus: 0, written: size, endsWithBlock: false });
      // And what we have written behind that.
      const closed = file.toString("latin1") + crcLine(addToSum(0, file), size);
      expect(contents(withRoom(closed))).toEqual(whole(closed.length));
    }
  }
});

test("not even where there is one in front of it: what that server wrote must not be cut off with it", () => {
  const before = guarded(value(10));
  const block = closedBehind(before, value(4000));
  const left = torn(before, block, (sector) => sector % 2 === 1);
  expect(contents(left).written).toBe(before.length);
  const file = Buffer.concat([left, Buffer.from(framesOf("SET a 1"))]);
  expect(contents(file).written).toBe(file.length);
});

test("nor is its first byte, be it behind no room and the last of a sector", () => {
  for (let bytes = 1; bytes < 700; bytes++) {
    const file = `${guarded(value(bytes))}#TS:1800000000\r\n${framesOf("SET a 1")}`;
    const size = file.length;
    expect(contents(file)).toEqual({ size, surplus: 0, written: size, endsWithBlock: false });
  }
});

test("nor are zeros alone", () => {
  const file = guarded(value(10)) + framesOf(`SET k ${"\0".repeat(4000)}`);
  expect(contents(file).written).toBe(file.length);
});

test("of a file whose successor says where it ends only that counts", () => {
  const first = guarded(value(300));
  const both = guarded(first, value(200));
  expect(contents(withRoom(both), first.length)).toEqual({
    ...whole(first.length),
    surplus: both.length - first.length,
  });
  expect(contents(withRoom(first), first.length)).toEqual(whole(first.length));
});
