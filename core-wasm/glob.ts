/**
 * Glob patterns as Redis matches them: `*`, `?`, classes with ranges and negation, backslash escapes. A class that is not
 * closed reaches to the pattern's end; a range's ends may come in either order and count as signed bytes.
 * A star that fails for the rest of the text fails for all stars before it, so that matching is at most quadratic.
 */

const STAR: u32 = 42;
const QUESTION: u32 = 63;
const OPEN: u32 = 91;
const CLOSE: u32 = 93;
const CARET: u32 = 94;
const BACKSLASH: u32 = 92;
const DASH: u32 = 45;

function byteAt(ptr: usize): u32 {
  return load<u8>(ptr);
}

/** The end of the class whose first byte behind `[` is at p: behind its `]`, or the pattern's end. */
function classEnd(p: usize, end: usize): usize {
  while (p < end) {
    const byte = byteAt(p);
    if (byte === CLOSE) return p + 1;
    if (byte === BACKSLASH && p + 1 < end) p += 2;
    else if (p + 2 < end && byteAt(p + 1) === DASH) p += 3;
    else p += 1;
  }
  return end;
}

function inRange(one: i8, other: i8, byte: i8): bool {
  return one <= other ? byte >= one && byte <= other : byte >= other && byte <= one;
}

/** Whether `byte` is in the class that begins behind `[` at p. */
function inClass(p: usize, end: usize, byte: u32): bool {
  let negated = false;
  if (p < end && byteAt(p) === CARET) {
    negated = true;
    p += 1;
  }
  let found = false;
  while (p < end && byteAt(p) !== CLOSE) {
    let low = byteAt(p);
    if (low === BACKSLASH && p + 1 < end) {
      low = byteAt(p + 1);
      if (low === byte) found = true;
      p += 2;
    } else if (p + 2 < end && byteAt(p + 1) === DASH) {
      if (inRange(<i8>low, <i8>byteAt(p + 2), <i8>byte)) found = true;
      p += 3;
    } else {
      if (low === byte) found = true;
      p += 1;
    }
  }
  return found !== negated;
}

/** The pattern behind its element at p, which matches `byte`, or 0 if it does not match. */
function matchOne(p: usize, end: usize, byte: u32): usize {
  const element = byteAt(p);
  if (element === QUESTION) return p + 1;
  if (element === OPEN) {
    const first = p + 1;
    const skip: usize = first < end && byteAt(first) === CARET ? 1 : 0;
    return inClass(first, end, byte) ? classEnd(first + skip, end) : 0;
  }
  if (element === BACKSLASH && p + 1 < end) return byteAt(p + 1) === byte ? p + 2 : 0;
  return element === byte ? p + 1 : 0;
}

/** Whether the whole text matches the pattern. O(pattern x text) at the worst */
export function matches(pattern: usize, patternLength: u32, text: usize, textLength: u32): bool {
  // The one text that stars do not match, as in Redis, where a lone star is not a pattern but asks for all.
  if (textLength === 0) return patternLength === 0;
  const patternEnd = pattern + patternLength;
  const textEnd = text + textLength;
  let p = pattern;
  let t = text;
  let starPattern: usize = 0;
  let starText: usize = 0;
  while (t < textEnd) {
    if (p < patternEnd && byteAt(p) === STAR) {
      starPattern = p + 1;
      starText = t;
      p += 1;
      continue;
    }
    const next = p < patternEnd ? matchOne(p, patternEnd, byteAt(t)) : 0;
    if (next !== 0) {
      p = next;
      t += 1;
      continue;
    }
    if (starPattern === 0) return false;
    starText += 1;
    t = starText;
    p = starPattern;
  }
  while (p < patternEnd && byteAt(p) === STAR) p += 1;
  return p === patternEnd;
}
