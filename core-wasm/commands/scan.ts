/** KEYS and SCAN: walks in hash order (keyspace/table.ts). https://redis.io/docs/latest/commands/scan/ */
import { Address } from "../abi";
import { argIs, argLength, argPtr, Word } from "../argv";
import { matches } from "../glob";
import { Entry, keyLength, keyPtr, Type, typeOf } from "../keyspace/entry";
import { isExpired, stepRef, walkDb } from "../keyspace/keyspace";
import { formatUint64, parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";
import { cursorText, fail, notIntegerText, syntaxText } from "../texts";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
/** Refs found by one SCAN call wait here for the array's length. */
const FOUND: usize = Address.Scratch + ScratchArea.Found;
const FOUND_MAX: u32 = 65536;
const STEP_MAX: u32 = 24;
const DEFAULT_COUNT: i64 = 10;
/** Steps per asked element before a sparse region ends the call. */
const STEPS_PER_ELEMENT: i64 = 10;
const ANY_TYPE: u32 = 16;
const NO_SUCH_TYPE: u32 = 17;
const POSITION_END: u64 = (<u64>1) << 48;

function isWanted(entry: Entry, pattern: u32, type: u32): bool {
  if (type !== ANY_TYPE && typeOf(entry) !== type) return false;
  if (pattern === 0) return !isExpired(entry);
  const hit = matches(argPtr(pattern), argLength(pattern), keyPtr(entry), keyLength(entry));
  return hit && !isExpired(entry);
}

/** Walks the whole database; answers the matching keys, or only counts them. */
function walkKeys(answer: bool): u32 {
  let found: u32 = 0;
  let position: u64 = 0;
  do {
    position = walkDb(io().db, position);
    const refs = state.stepCount;
    for (let i: u32 = 0; i < refs; i++) {
      const entry = stepRef(i);
      if (!isWanted(entry, 1, ANY_TYPE)) continue;
      found += 1;
      if (answer) reply.bulk(keyPtr(entry), keyLength(entry));
    }
  } while (position !== 0);
  return found;
}

/** The array's length stands before its elements: one walk counts, the second answers. Nothing changes in between. */
export function keys(): void {
  reply.array(walkKeys(false));
  walkKeys(true);
}

/** A cursor is any unsigned 64-bit number in decimal, as Redis reads it; beyond our positions it ends the scan. */
function parseCursor(index: u32): bool {
  const length = argLength(index);
  if (length === 0 || length > 20) return false;
  let value: u64 = 0;
  for (let p = argPtr(index); p < argPtr(index) + length; p++) {
    const digit = <u32>load<u8>(p) - 48;
    if (digit > 9) return false;
    const next = value * 10 + digit;
    if (value > u64.MAX_VALUE / 10 || next < value) return false;
    value = next;
  }
  store<u64>(NUMBER, value, 8);
  return true;
}

function typeNamed(index: u32): u32 {
  if (argIs(index, 6, 0x676e69727473)) return Type.String;
  if (argIs(index, 4, 0x7473696c)) return Type.List;
  if (argIs(index, 3, 0x746573)) return Type.Set;
  if (argIs(index, 4, 0x7465737a)) return Type.SortedSet;
  if (argIs(index, 4, 0x68736168)) return Type.Hash;
  return argIs(index, 6, 0x6d6165727473) ? Type.Stream : NO_SUCH_TYPE;
}

export function scan(argc: u32): void {
  if (!parseCursor(1)) return fail(cursorText());
  const cursor = load<u64>(NUMBER, 8);
  let count = DEFAULT_COUNT;
  let pattern: u32 = 0;
  let type = ANY_TYPE;
  for (let i: u32 = 2; i < argc; i += 2) {
    const hasValue = i + 1 < argc;
    if (hasValue && argIs(i, 5, Word.COUNT)) {
      if (!parseInt64(argPtr(i + 1), argLength(i + 1), NUMBER)) return fail(notIntegerText());
      count = load<i64>(NUMBER);
      if (count < 1) return fail(syntaxText());
    } else if (hasValue && argIs(i, 5, Word.MATCH)) pattern = i + 1;
    else if (hasValue && argIs(i, 4, Word.TYPE)) type = typeNamed(i + 1);
    else return fail(syntaxText());
  }
  scanFrom(cursor, count, pattern, type);
}

function scanFrom(cursor: u64, count: i64, pattern: u32, type: u32): void {
  let position = cursor;
  let found: u32 = 0;
  let seen: i64 = 0;
  let steps = count > i64.MAX_VALUE / STEPS_PER_ELEMENT ? i64.MAX_VALUE : count * STEPS_PER_ELEMENT;
  if (cursor >= POSITION_END) position = 0;
  else
    do {
      position = walkDb(io().db, position);
      for (let i: u32 = 0; i < state.stepCount; i++) {
        const entry = stepRef(i);
        seen += 1;
        if (!isWanted(entry, pattern, type)) continue;
        store<u32>(FOUND + ((<usize>found) << 2), <u32>changetype<usize>(entry));
        found += 1;
      }
      steps -= 1;
    } while (position !== 0 && seen < count && steps > 0 && found + STEP_MAX <= FOUND_MAX);
  reply.array(2);
  const digits = formatUint64(position, NUMBER);
  reply.bulk(NUMBER, digits);
  reply.array(found);
  for (let i: u32 = 0; i < found; i++) {
    const entry = changetype<Entry>(<usize>load<u32>(FOUND + ((<usize>i) << 2)));
    reply.bulk(keyPtr(entry), keyLength(entry));
  }
}
