/** The words that SCAN and its relatives have in common: a cursor, then MATCH and COUNT. */
import { Address } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea } from "../state";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const STAR: u8 = 42;
const PLUS: u32 = 43;
const MINUS: u32 = 45;
const DEFAULT_COUNT: i64 = 10;
/** Where the words that were read lie: cursor u64, count i64, index of the pattern u32. */
const READ: usize = Address.Scratch + ScratchArea.ScanArguments;

export function scanCursor(): u64 {
  return load<u64>(READ);
}

/** Elements asked for, at least 1. */
export function scanCount(): i64 {
  return load<i64>(READ, 8);
}

/** Index of the word that is the pattern, 0 = everything is wanted. */
export function scanPattern(): u32 {
  return load<u32>(READ, 16);
}

/** The word as a pattern: its index, or 0 if it is a lone star, which asks for everything, the empty name too. */
export function patternAt(index: u32): u32 {
  return argLength(index) === 1 && load<u8>(argPtr(index)) === STAR ? 0 : index;
}

/** Reads the cursor in word `index` and sets count and pattern to their defaults. @returns false after an error was answered */
export function readCursor(index: u32): bool {
  store<i64>(READ, DEFAULT_COUNT, 8);
  store<u32>(READ, 0, 16);
  if (!parseCursor(index)) {
    reply.error("ERR invalid cursor");
    return false;
  }
  store<u64>(READ, load<u64>(NUMBER, 8));
  return true;
}

/** Reads MATCH or COUNT at word `index` with the word behind it. @returns false if it is neither, or after an error was answered */
export function readScanOption(index: u32): bool {
  const word = argWord(index);
  if (word === Word.MATCH) {
    store<u32>(READ, patternAt(index + 1), 16);
    return true;
  }
  if (word !== Word.COUNT) return false;
  if (!parseInt64(argPtr(index + 1), argLength(index + 1), NUMBER)) reply.notInteger();
  else if (load<i64>(NUMBER) < 1) reply.syntaxError();
  else store<i64>(READ, load<i64>(NUMBER), 8);
  return !reply.isFailed();
}

/** What is answered for an option that `readScanOption` did not take: its own error, or that it is none. */
export function scanFault(): void {
  if (!reply.isFailed()) reply.syntaxError();
}

/**
 * Reads word `index` as an unsigned 64-bit number the way Redis does, by C's rules: nothing is 0, a sign is taken (a minus
 * wraps), leading zeros are, and a NUL byte ends the number. What lies beyond our positions will end the scan.
 */
function parseCursor(index: u32): bool {
  let p = argPtr(index);
  const end = p + argLength(index);
  const sign: u32 = p < end ? load<u8>(p) : 0;
  if (sign === PLUS || sign === MINUS) {
    p += 1;
    if (p === end || <u32>load<u8>(p) - 48 > 9) return false;
  }
  let value: u64 = 0;
  for (; p < end && load<u8>(p) !== 0; p++) {
    const digit = <u32>load<u8>(p) - 48;
    const next = value * 10 + digit;
    if (digit > 9 || value > u64.MAX_VALUE / 10 || next < value * 10) return false;
    value = next;
  }
  store<u64>(NUMBER, sign === MINUS ? 0 - value : value, 8);
  return true;
}
