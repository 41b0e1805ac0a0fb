/**
 * What can be done with a value whatever its type: one switch per operation, and a new type adds its line to each.
 * The value word of an entry and what it embeds move with it as they are; only a copy needs more.
 */
import { Entry, Type, typeOf } from "../keyspace/entry";
import { copyString, freeString, stringEncodingName } from "./string";

/** Frees what the value holds beyond the entry's own block. */
export function freeValue(entry: Entry): void {
  switch (typeOf(entry)) {
    case Type.String:
      return freeString(entry);
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
    default:
      return false;
  }
}

/** The name OBJECT ENCODING gives. */
export function encodingName(entry: Entry): string {
  switch (typeOf(entry)) {
    case Type.String:
      return stringEncodingName(entry);
    default:
      return "unknown";
  }
}
