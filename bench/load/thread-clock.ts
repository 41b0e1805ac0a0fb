/** CPU time of the calling thread. */
import { dlopen, ptr } from "bun:ffi";

const THREAD_CPUTIME = 3;

/** @returns a clock in microseconds */
export function threadClock(): () => number {
  const library = dlopen("libc.so.6", { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
  const time = new BigInt64Array(2);
  const address = ptr(time);
  return () => {
    library.symbols.clock_gettime(THREAD_CPUTIME, address);
    return Number(time[0]!) * 1e6 + Number(time[1]!) / 1e3;
  };
}
