/** Integers in text against BigInt, and patterns against a matcher that tries everything. */
import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { createHarness } from "../support/core-harness.ts";

const core = createHarness();
afterAll(() => {
  core.check();
});

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

/** Around the ends, around powers of ten, and anywhere. */
const int64 = fc.oneof(
  fc.bigInt({ min: MIN, max: MAX }),
  fc.bigInt({ min: MIN, max: MIN + 20n }),
  fc.bigInt({ min: MAX - 20n, max: MAX }),
  fc.bigInt({ min: -1100n, max: 1100n }),
  fc
    .tuple(fc.nat({ max: 18 }), fc.integer({ min: -2, max: 2 }), fc.boolean())
    .map(([power, offset, negative]) => {
      const value = 10n ** BigInt(power) + BigInt(offset);
      return negative ? -value : value;
    }),
);

function isInt64(value: bigint): boolean {
  return value >= MIN && value <= MAX;
}

test("an integer is written with the digits of BigInt, and read back", () => {
  fc.assert(
    fc.property(int64, (value) => {
      core.raw("DEL", "k");
      expect(core.raw("INCRBY", "k", `${value}`)).toBe(`:${value}\r\n`);
      expect(core.raw("GET", "k")).toBe(`$${`${value}`.length}\r\n${value}\r\n`);
      expect(core.raw("STRLEN", "k")).toBe(`:${`${value}`.length}\r\n`);
    }),
    { numRuns: 2000 },
  );
});

test("adding and subtracting agree with BigInt, or overflow", () => {
  fc.assert(
    fc.property(int64, int64, fc.boolean(), (start, amount, subtract) => {
      core.raw("SET", "k", `${start}`);
      const sum = subtract ? start - amount : start + amount;
      let wanted = `:${sum}\r\n`;
      if (!isInt64(sum)) wanted = "-ERR increment or decrement would overflow\r\n";
      if (subtract && amount === MIN) wanted = "-ERR decrement would overflow\r\n";
      expect(core.raw(subtract ? "DECRBY" : "INCRBY", "k", `${amount}`)).toBe(wanted);
    }),
    { numRuns: 2000 },
  );
});

test("only the one spelling of an integer is read as one", () => {
  const nearlyInteger = fc.oneof(
    fc.string({ unit: fc.constantFrom("0", "1", "9", "-", "+", " ", ".", "\0"), maxLength: 22 }),
    fc.bigInt({ min: MIN * 3n, max: MAX * 3n }).map(String),
  );
  fc.assert(
    fc.property(nearlyInteger, (text) => {
      const isCanonical = /^(0|-?[1-9]\d*)$/.test(text) && isInt64(BigInt(text));
      core.raw("SET", "k", text);
      expect(core.raw("GET", "k")).toBe(`$${text.length}\r\n${text}\r\n`);
      const notInteger = "-ERR value is not an integer or out of range\r\n";
      expect(core.raw("INCRBY", "k", "0")).toBe(isCanonical ? `:${text}\r\n` : notInteger);
    }),
    { numRuns: 3000 },
  );
});

const signed = (text: string, at: number) => (text.charCodeAt(at) << 24) >> 24;

/** Whether the class behind "[" at `at` holds the byte, and where it ends. */
function inClass(pattern: string, at: number, byte: number): { found: boolean; end: number } {
  const negated = pattern[at] === "^";
  let p = negated ? at + 1 : at;
  let found = false;
  while (p < pattern.length && pattern[p] !== "]") {
    const escaped = pattern[p] === "\\" && p + 1 < pattern.length;
    if (!escaped && pattern[p + 1] === "-" && p + 2 < pattern.length) {
      const ends = [signed(pattern, p), signed(pattern, p + 2)].sort((a, b) => a - b);
      if (byte >= ends[0]! && byte <= ends[1]!) found = true;
      p += 3;
      continue;
    }
    if (escaped) p++;
    if (signed(pattern, p) === byte) found = true;
    p++;
  }
  return { found: found !== negated, end: Math.min(p + 1, pattern.length) };
}

/** Redis's patterns by the book: every split at every star is tried. */
function matches(pattern: string, text: string): boolean {
  if (text === "") return /^\**$/.test(pattern);
  if (pattern === "") return false;
  const byte = signed(text, 0);
  const rest = text.slice(1);
  switch (pattern[0]) {
    case "*":
      return matches(pattern.slice(1), text) || matches(pattern, rest);
    case "?":
      return matches(pattern.slice(1), rest);
    case "[": {
      const { found, end } = inClass(pattern, 1, byte);
      return found && matches(pattern.slice(end), rest);
    }
    case "\\": {
      const p = pattern.length > 1 ? 1 : 0;
      return signed(pattern, p) === byte && matches(pattern.slice(p + 1), rest);
    }
    default:
      return signed(pattern, 0) === byte && matches(pattern.slice(1), rest);
  }
}

const patternText = fc.string({
  unit: fc.constantFrom("a", "b", "c", "*", "*", "?", "[", "]", "^", "-", "\\", "\x80", "\xff"),
  maxLength: 10,
});
const keyText = fc.string({
  unit: fc.constantFrom("a", "b", "c", "-", "]", "\\", "^", "\x80", "\xff"),
  minLength: 1,
  maxLength: 8,
});

test("KEYS finds what a matcher finds that tries everything", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(keyText, { minLength: 1, maxLength: 12 }),
      fc.array(patternText),
      (keys, patterns) => {
        core.raw("FLUSHALL", "SYNC");
        core.raw("MSET", ...keys.flatMap((key) => [key, "v"]));
        for (const pattern of patterns) {
          const reply = core.run("KEYS", pattern);
          const found =
            reply.kind === "array" ? reply.items.map((i) => ("text" in i ? i.text : "")) : [];
          expect([pattern, found.sort()]).toEqual([
            pattern,
            keys.filter((key) => matches(pattern, key)).sort(),
          ]);
        }
      },
    ),
    { numRuns: 1500 },
  );
});
