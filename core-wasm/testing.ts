/** Entry of the test build: the ABI, and doors to the inner structures that model tests drive. Never shipped. */

import { formatDouble, parseDouble } from "./memory/double";
import { arcsine, cosine, sine } from "./memory/trigonometry";
import { state } from "./state";
import { readElementText } from "./types/packed";

export * from "./index";
export { alloc, free } from "./memory/allocator";
export { chooseScarcity } from "./memory/scarcity";
export {
  checkPacked,
  copyPacked,
  elementEquals,
  newPacked,
  packedAppend,
  packedBytes,
  packedCount,
  packedFind,
  packedFirst,
  packedInsert,
  packedLast,
  packedNext,
  packedPrevious,
  packedRemove,
  packedReplace,
  packedSeek,
} from "./types/packed";

/** Where the last change of a packed sequence happened. */
export function packedAt(): u32 {
  return state.packedAt;
}

/** Reads an element as bytes. @returns their address; `elementLength` is their number */
export function elementText(at: usize): u32 {
  readElementText(at);
  return state.elementPtr;
}

export function elementLength(): u32 {
  return state.elementLength;
}

/** Reads the text at `ptr` as a double. @returns 1 = it is one, and lies at `out` */
export function testParseDouble(ptr: i32, length: i32, out: i32): i32 {
  return parseDouble(ptr, length, out) ? 1 : 0;
}

/** Writes a double at `to`. @returns bytes written */
export function testFormatDouble(value: f64, to: i32): i32 {
  return formatDouble(value, to);
}

export function testSine(x: f64): f64 {
  return sine(x);
}

export function testCosine(x: f64): f64 {
  return cosine(x);
}

export function testArcsine(x: f64): f64 {
  return arcsine(x);
}
