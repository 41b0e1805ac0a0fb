import { expect, test } from "bun:test";
import { BaseWriter } from "../../../../server/persistence/aof/base-writer.ts";
import { diskError, SimDisk } from "../../../support/sim-disk.ts";

const PATH = "/log/temp-base";
const COMMAND = Buffer.from(`*1\r\n$65536\r\n${"x".repeat(65536)}\r\n`);

function writerOn(disk: SimDisk, syncsOnTheWay = false): BaseWriter {
  return new BaseWriter({ disk, path: PATH, syncsOnTheWay, onRoom: () => {} });
}

async function write(writer: BaseWriter, commands: number): Promise<void> {
  for (let i = 0; i < commands; i++) {
    writer.add(COMMAND);
    writer.mark();
    await Promise.resolve();
  }
}

test("what was added is in the file, with checksums between commands", async () => {
  const disk = new SimDisk();
  const writer = writerOn(disk);
  await write(writer, 40);
  await writer.finish();
  const text = Buffer.from(disk.contents(PATH)).toString("latin1");
  expect(text.replace(/#(CRC|BASE):.*\r\n/g, "")).toBe(COMMAND.toString().repeat(40));
  expect(text.match(/#CRC:/g)).toHaveLength(11);
  expect(text).toEndWith(`:${text.lastIndexOf("#")}\r\n`);
});

test("aof-rewrite-incremental-fsync syncs on the way", async () => {
  for (const [syncsOnTheWay, syncs] of [
    [true, 3],
    [false, 1],
  ] as const) {
    const disk = new SimDisk();
    const writer = writerOn(disk, syncsOnTheWay);
    await write(writer, 150);
    await writer.finish();
    expect(disk.syncs).toBe(syncs);
  }
});

test("with too much under way it writes in place, so that memory stays bounded", async () => {
  const disk = new SimDisk();
  const waiting: (() => void)[] = [];
  disk.later = (work) => waiting.push(work);
  const writer = writerOn(disk);
  expect(writer.isCrowded).toBe(false);
  for (let i = 0; i < 400; i++) writer.add(COMMAND);
  expect(writer.isCrowded).toBe(true);
  expect(waiting.length).toBe(16);
  const done = writer.finish();
  while (waiting.length > 0 || disk.syncs === 0) {
    waiting.shift()?.();
    await Promise.resolve();
  }
  await done;
  const text = Buffer.from(disk.contents(PATH)).toString("latin1");
  expect(text.replace(/#(CRC|BASE):.*\r\n/g, "")).toBe(COMMAND.toString().repeat(400));
});

test("the first failure is what finish throws, and nothing is left after discard", async () => {
  const disk = new SimDisk();
  const writer = writerOn(disk);
  await write(writer, 20);
  disk.before = ({ kind }) => {
    if (kind === "write") throw diskError("ENOSPC");
  };
  await write(writer, 40);
  expect((writer.error as { code: string }).code).toBe("ENOSPC");
  expect(writer.finish()).rejects.toThrow("ENOSPC");
  disk.before = () => {};
  await writer.discard();
  expect(disk.exists(PATH)).toBe(false);
});

test("what a sync on the way has covered is not held in memory, but for what was still being written", async () => {
  const disk = new SimDisk();
  const waiting: (() => void)[] = [];
  disk.later = (work) => waiting.push(work);
  const droppedMiB = () => disk.dropped.get(PATH)! / (1 << 20);
  const writer = writerOn(disk, true);
  const finish = async (work: () => void) => {
    work();
    for (let i = 0; i < 9; i++) await Promise.resolve();
  };
  // A chunk has eight of them.
  const add = async (chunks: number) => {
    for (let i = 0; i < chunks * 8; i++) {
      writer.add(COMMAND);
      while (waiting.length > 0) await finish(waiting.shift()!);
    }
  };
  await add(5);
  for (let i = 0; i < 8; i++) writer.add(COMMAND);
  const [late] = waiting.splice(0);
  await add(4);
  expect(disk.syncs).toBe(1);
  expect(droppedMiB()).toBe(2);
  await finish(late!);
  expect(droppedMiB()).toBe(2);
  await add(12);
  expect(disk.syncs).toBe(2);
  expect(droppedMiB()).toBeGreaterThan(4);
});
