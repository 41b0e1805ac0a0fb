import { FFIType, ptr } from "bun:ffi";
import { afterAll, expect, test } from "bun:test";
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxOnly } from "../../../server/process/libc.ts";
import { dropCached } from "../../../server/process/page-cache.ts";

const PAGE_BYTES = 4096;
const TMPFS_MAGIC = 0x01021994;
/** There what is in memory is all there is. */
const isInMemory = process.platform === "linux" && statfsSync(tmpdir()).type === TMPFS_MAGIC;

const { i32, u64, ptr: pointer } = FFIType;
const libc = linuxOnly({ mincore: { args: [pointer, u64, pointer], returns: i32 } })();

const dir = mkdtempSync(join(tmpdir(), "bundis-page-cache-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** Which pages of a file the system holds in memory. */
function cachedPages(path: string): boolean[] {
  const mapped = Bun.mmap(path);
  const pages = new Uint8Array(Math.ceil(mapped.length / PAGE_BYTES));
  expect(libc!.mincore(ptr(mapped), mapped.length, ptr(pages))).toBe(0);
  return [...pages].map((page) => (page & 1) === 1);
}

test.skipIf(libc === undefined || isInMemory)(
  "whole pages among the bytes go, what is beside them stays, and nothing is lost",
  async () => {
    const path = join(dir, "file");
    const bytes = Buffer.alloc(16 * PAGE_BYTES, "what is on the disk ");
    const fd = openSync(path, "w");
    // Pages that are written at once may be held as one.
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) writeSync(fd, bytes, at, PAGE_BYTES, at);
    fdatasyncSync(fd);
    expect(cachedPages(path)).toEqual(Array(16).fill(true));
    dropCached(fd, 4 * PAGE_BYTES - 1, 8 * PAGE_BYTES + 2);
    const held = Array(16).fill(true).fill(false, 4, 12);
    expect(cachedPages(path)).toEqual(held);
    closeSync(fd);
    expect(Buffer.from(await Bun.file(path).bytes()).equals(bytes)).toBe(true);
  },
);
