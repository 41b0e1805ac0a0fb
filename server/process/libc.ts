/** The C library, for what Bun has no call for. */
import { dlopen, type FFIFunction } from "bun:ffi";

/** glibc's name, and musl's. */
const NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

/** Functions of it by name; undefined where it cannot be had. */
export function openLibc<Functions extends Record<string, FFIFunction>>(functions: Functions) {
  for (const name of NAMES) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // Another C library then.
    }
  }
  return undefined;
}

/** The same for what means something else on other systems. Opened when it is asked for first: several servers in one process share it. */
export function linuxOnly<Functions extends Record<string, FFIFunction>>(functions: Functions) {
  let opened: { symbols: ReturnType<typeof openLibc<Functions>> } | undefined;
  return () => {
    opened ??= { symbols: process.platform === "linux" ? openLibc(functions) : undefined };
    return opened.symbols;
  };
}
