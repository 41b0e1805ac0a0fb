/** Pages of linear memory back to the system: WebAssembly has no call for it, the memory never shrinks. They read as 0 afterwards. */
import { FFIType, ptr } from "bun:ffi";
import { linuxOnly } from "./libc.ts";

const MADV_DONTNEED = 4;

const { i32, u64, ptr: pointer } = FFIType;

const libc = linuxOnly({ madvise: { args: [pointer, u64, i32], returns: i32 } });

/** Gives `bytes` at an address of linear memory back, both multiples of the system's page size. */
export type PageRelease = (address: number, bytes: number) => void;

/** @param start a view that begins where the memory does. @returns undefined where the system has no such call */
export function createPageRelease(start: Uint8Array): PageRelease | undefined {
  const madvise = libc()?.madvise;
  if (madvise === undefined) return undefined;
  // The memory never moves: its maximum is reserved from the start.
  const base = Number(ptr(start));
  return (address, bytes) => {
    madvise((base + address) as ReturnType<typeof ptr>, bytes, MADV_DONTNEED);
  };
}
