/**
 * What can be done with a value whatever its type: one switch per operation, and a new type adds its line to each.
 * The value word of an entry and what it embeds move with it as they are; only a copy needs more.
 */
import { Encoding, Entry, encodingOf, Type, typeOf } from "../keyspace/entry";
import { hashValue } from "./hash-form";
import {
  checkHash,
  copyHash,
  digestHash,
  evacuateHash,
  freeHash,
  hashBytes,
  hashEncodingName,
  savedHashBytes,
} from "./hash-value";
import {
  checkList,
  copyList,
  digestList,
  evacuateList,
  freeList,
  listBytes,
  listEncodingName,
  savedListBytes,
} from "./list-value";
import {
  checkSet,
  copySet,
  digestSet,
  evacuateSet,
  freeSet,
  savedSetBytes,
  setBytes,
  setEncodingName,
} from "./set";
import { scoredSetOf } from "./sorted-set";
import {
  checkSortedSet,
  copySortedSet,
  digestSortedSet,
  evacuateSortedSet,
  freeSortedSet,
  savedSortedSetBytes,
  sortedSetBytes,
  sortedSetEncodingName,
} from "./sorted-set-value";
import { evacuateStream } from "./stream-move";
import {
  checkStream,
  copyStream,
  digestStream,
  freeStream,
  savedStreamBytes,
  streamBytes,
  streamEncodingName,
} from "./stream-value";
import {
  copyString,
  digestString,
  evacuateString,
  freeString,
  savedStringBytes,
  stringBlockBytes,
  stringEncodingName,
} from "./string";

/** The table in which members of a large value are looked up, 0 = it has none. */
export function memberTable(entry: Entry): usize {
  const encoding = encodingOf(entry);
  if (encoding === Encoding.Table)
    return typeOf(entry) === Type.Hash ? hashValue(entry) : entry.value;
  return encoding === Encoding.Tree ? scoredSetOf(entry).table : 0;
}

/** Frees what the value holds beyond the entry's own block. */
export function freeValue(entry: Entry): void {
  switch (typeOf(entry)) {
    case Type.String:
      return freeString(entry);
    case Type.List:
      return freeList(entry);
    case Type.Set:
      return freeSet(entry);
    case Type.Hash:
      return freeHash(entry);
    case Type.SortedSet:
      return freeSortedSet(entry);
    case Type.Stream:
      return freeStream(entry);
    default:
      return;
  }
}

/**
 * Gives an entry that was copied word for word, and is in no table yet, a value of its own.
 * @returns false = no memory: the entry holds nothing then. O(size of the value)
 */
export function copyValue(entry: Entry): bool {
  switch (typeOf(entry)) {
    case Type.String:
      return copyString(entry);
    case Type.List:
      return copyList(entry);
    case Type.Set:
      return copySet(entry);
    case Type.Hash:
      return copyHash(entry);
    case Type.SortedSet:
      return copySortedSet(entry);
    case Type.Stream:
      return copyStream(entry);
    default:
      return false;
  }
}

/** Bytes of the blocks that the value holds beyond the entry's own. O(blocks) */
export function valueBytes(entry: Entry): u64 {
  switch (typeOf(entry)) {
    case Type.String:
      return stringBlockBytes(entry);
    case Type.List:
      return listBytes(entry);
    case Type.Set:
      return setBytes(entry);
    case Type.Hash:
      return hashBytes(entry);
    case Type.SortedSet:
      return sortedSetBytes(entry);
    case Type.Stream:
      return streamBytes(entry);
    default:
      return 0;
  }
}

/** Moves the value's blocks out of pages that are being emptied. @returns how many moved. O(blocks) */
export function evacuateValue(entry: Entry): u32 {
  switch (typeOf(entry)) {
    case Type.String:
      return evacuateString(entry);
    case Type.List:
      return evacuateList(entry);
    case Type.Set:
      return evacuateSet(entry);
    case Type.Hash:
      return evacuateHash(entry);
    case Type.SortedSet:
      return evacuateSortedSet(entry);
    case Type.Stream:
      return evacuateStream(entry);
    default:
      return 0;
  }
}

/** Adds the value to the SHA-1 that runs: what it holds, not how. O(size of the value) */
export function digestValue(entry: Entry): void {
  switch (typeOf(entry)) {
    case Type.String:
      return digestString(entry);
    case Type.List:
      return digestList(entry);
    case Type.Set:
      return digestSet(entry);
    case Type.Hash:
      return digestHash(entry);
    case Type.SortedSet:
      return digestSortedSet(entry);
    case Type.Stream:
      return digestStream(entry);
    default:
      return;
  }
}

/** Bytes of the value in a dump, uncompressed. */
export function savedBytes(entry: Entry): u64 {
  switch (typeOf(entry)) {
    case Type.String:
      return savedStringBytes(entry);
    case Type.List:
      return savedListBytes(entry);
    case Type.Set:
      return savedSetBytes(entry);
    case Type.Hash:
      return savedHashBytes(entry);
    case Type.SortedSet:
      return savedSortedSetBytes(entry);
    case Type.Stream:
      return savedStreamBytes(entry);
    default:
      return 0;
  }
}

/** The name OBJECT ENCODING gives. */
export function encodingName(entry: Entry): string {
  switch (typeOf(entry)) {
    case Type.String:
      return stringEncodingName(entry);
    case Type.List:
      return listEncodingName(entry);
    case Type.Set:
      return setEncodingName(entry);
    case Type.Hash:
      return hashEncodingName(entry);
    case Type.SortedSet:
      return sortedSetEncodingName(entry);
    case Type.Stream:
      return streamEncodingName();
    default:
      return "unknown";
  }
}

/** Asserts the invariants of a value. O(size of the value) */
export function checkValue(entry: Entry): void {
  if (typeOf(entry) === Type.List) checkList(entry);
  else if (typeOf(entry) === Type.Set) checkSet(entry);
  else if (typeOf(entry) === Type.Hash) checkHash(entry);
  else if (typeOf(entry) === Type.SortedSet) checkSortedSet(entry);
  else if (typeOf(entry) === Type.Stream) checkStream(entry);
}
