/** KEYS and SCAN: walks in hash order (keyspace/table.ts). https://redis.io/docs/latest/commands/scan/ */
import { Address } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import { matches } from "../glob";
import { Entry, keyLength, keyPtr, Type, typeOf } from "../keyspace/entry";
import { isExpired, stepRef, walkDb } from "../keyspace/keyspace";
import { formatUint64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";
import {
  patternAt,
  readCursor,
  readScanOption,
  scanCount,
  scanCursor,
  scanFault,
  scanPattern,
} from "./scan-arguments";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
/** Refs found by one SCAN call wait here for the array's length. */
const FOUND: usize = Address.Scratch + ScratchArea.Found;
const FOUND_MAX: u32 = 65536;
const STEP_MAX: u32 = 24;
/** Steps per asked element before a sparse region ends the call. */
const STEPS_PER_ELEMENT: i64 = 10;
const ANY_TYPE: u32 = 16;
const NO_SUCH_TYPE: u32 = 17;
const POSITION_END: u64 = (<u64>1) << 48;

/** Whether the key lives and is of the type, and matches the pattern in word `pattern`, 0 = any. */
function isWanted(entry: Entry, pattern: u32, type: u32): bool {
  if (type !== ANY_TYPE && typeOf(entry) !== type) return false;
  if (pattern === 0) return !isExpired(entry);
  const hit = matches(argPtr(pattern), argLength(pattern), keyPtr(entry), keyLength(entry));
  return hit && !isExpired(entry);
}

/** Walks the whole database; answers the matching keys, or only counts them. */
function walkKeys(answer: bool): u32 {
  const pattern = patternAt(1);
  let found: u32 = 0;
  let position: u64 = 0;
  do {
    position = walkDb(io().db, position);
    const refs = state.stepCount;
    for (let i: u32 = 0; i < refs; i++) {
      const entry = stepRef(i);
      if (!isWanted(entry, pattern, ANY_TYPE)) continue;
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

function typeNamed(index: u32): u32 {
  const word = argWord(index);
  if (word === Word.STRING) return Type.String;
  if (word === Word.LIST) return Type.List;
  if (word === Word.SET) return Type.Set;
  if (word === Word.ZSET) return Type.SortedSet;
  if (word === Word.HASH) return Type.Hash;
  return word === Word.STREAM ? Type.Stream : NO_SUCH_TYPE;
}

export function scan(argc: u32): void {
  if (!readCursor(1)) return;
  let type = ANY_TYPE;
  for (let i: u32 = 2; i < argc; i += 2) {
    // An option without its value is none.
    if (i + 1 >= argc) return reply.syntaxError();
    if (argWord(i) === Word.TYPE) type = typeNamed(i + 1);
    else if (!readScanOption(i)) return scanFault();
  }
  scanFrom(scanCursor(), scanCount(), scanPattern(), type);
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
