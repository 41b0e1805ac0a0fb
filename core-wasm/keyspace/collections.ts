/** Collections as the values of keys: a key comes with its first member and goes with its last. */
import { Entry, setKind } from "./entry";
import { makeEntry } from "./keyspace";

/**
 * Puts a fresh collection under a key, in place of `existing`, which `find` gave. `deadline` is the whole truth: 0 drops it.
 * @returns null = no memory: nothing changed, and the value is still the caller's. O(1)
 */
export function putCollection(
  existing: Entry | null,
  key: usize,
  length: u32,
  type: u32,
  encoding: u32,
  value: usize,
  deadline: u64,
): Entry | null {
  const entry = makeEntry(existing, key, length, 0, deadline);
  if (entry === null) return null;
  setKind(entry, type, encoding);
  entry.value = <u32>value;
  return entry;
}
