/** The two forms of a hash, which one an entry has, and where it lies. */
import { Encoding, Entry, encodingOf, hasFieldDeadlines } from "../keyspace/entry";
import { Table } from "../keyspace/table";
import { packedCount } from "./packed";
import { valueSlot } from "./timing";

/** What setting a field came to. */
export enum Put {
  Replaced = 0,
  Added = 1,
  NoMemory = 2, // nothing changed
}

/** In place of a deadline: the one that the field has. */
export const KEEP_DEADLINE: u64 = 0xffff_ffff_ffff_ffff;

/** The packed sequence or the table, with deadlines too. */
export function hashValue(entry: Entry): usize {
  return load<u32>(valueSlot(entry));
}

export function storeHashValue(entry: Entry, value: usize): void {
  store<u32>(valueSlot(entry), <u32>value);
}

export function tableOfHash(entry: Entry): Table {
  return changetype<Table>(hashValue(entry));
}

export function isPackedHash(entry: Entry): bool {
  return encodingOf(entry) === Encoding.Packed;
}

/** Elements of a field in a packed hash. */
export function fieldWidth(entry: Entry): u32 {
  return hasFieldDeadlines(entry) ? 3 : 2;
}

/** Fields, those among them that are due. O(1) */
export function hashCount(entry: Entry): u32 {
  if (!isPackedHash(entry)) return tableOfHash(entry).count;
  const elements = packedCount(hashValue(entry));
  return hasFieldDeadlines(entry) ? elements / 3 : elements >> 1;
}
