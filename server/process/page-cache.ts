/** What the kernel holds of files in memory, beside the disk. */
import { FFIType } from "bun:ffi";
import { linuxOnly } from "./libc.ts";

const POSIX_FADV_DONTNEED = 4;

const { i32, i64 } = FFIType;

const libc = linuxOnly({ posix_fadvise: { args: [i32, i64, i64, i32], returns: i32 } });

/** Gives back the whole pages among `length` bytes that a sync has covered: others stay. Does nothing where the system has no such call. */
export function dropCached(fd: number, begin: number, length: number): void {
  libc()?.posix_fadvise(fd, begin, length, POSIX_FADV_DONTNEED);
}
