/** Sizes in a dump (RDB), uncompressed. */

/** A string of `length` bytes behind its length. */
export function savedLengthBytes(length: u32): u64 {
  return <u64>length + (length < 64 ? 1 : length < 16384 ? 2 : 5);
}
