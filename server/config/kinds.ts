/**
 * The kinds of values that directives take. A kind reads the words of a line of redis.conf or of CONFIG SET, with Redis's
 * refusals to the byte, and knows how CONFIG GET shows the value and CONFIG REWRITE writes it.
 *
 * All texts are byte strings: one character for each byte, so that a password or path in any encoding survives.
 */
import { memoryBytes, quoted, rewrittenBytes, splitWords } from "./syntax.ts";

/** Why a value is not taken, in Redis's words. */
export class Refusal {
  constructor(readonly why: string) {}
}

export interface Parsed<Value> {
  readonly value: Value;
  /** What CONFIG GET answers; equal texts are equal values. */
  readonly text: string;
}

/** What stands behind the directive's name in a configuration file. */
export interface RewrittenLine {
  readonly words: string;
  /** Written even if the file has no such line so far. */
  readonly force: boolean;
}

export interface Kind<Value> {
  /** What may be written, for readers of the documentation. */
  readonly form: string;
  /** Takes several words; one that has blanks in it is split. */
  readonly many: boolean;
  /** @param before the value in force; a line that `appends` adds to it where the kind can (save) */
  parse(words: readonly string[], before: Parsed<Value>, appends: boolean): Parsed<Value> | Refusal;
  /** The lines of the value; none means that the file shall have none. */
  rewrite(now: Parsed<Value>, initial: Parsed<Value>): readonly RewrittenLine[];
}

const INT64_MAX = 9223372036854775807n;
export const WRONG_COUNT = new Refusal("wrong number of arguments");

/** A single word, written as it is shown. */
export function plain<Value>(
  form: string,
  parse: (word: string, before: Parsed<Value>) => Parsed<Value> | Refusal,
  write: (parsed: Parsed<Value>) => string = ({ text }) => text,
): Kind<Value> {
  return {
    form,
    many: false,
    parse: (words, before) => (words.length === 1 ? parse(words[0]!, before) : WRONG_COUNT),
    rewrite: (now, initial) => [{ words: write(now), force: now.text !== initial.text }],
  };
}

export const yesNo: Kind<boolean> = plain("yes or no", (word) => {
  const text = word.toLowerCase();
  if (text !== "yes" && text !== "no") return new Refusal("argument must be 'yes' or 'no'");
  return { value: text === "yes", text };
});

interface Range {
  min: number | bigint;
  max: number | bigint;
}

function inRange(value: bigint, { min, max }: Range, base = 10): Parsed<number> | Refusal {
  if (value >= BigInt(min) && value <= BigInt(max))
    return { value: Number(value), text: value.toString(base) };
  return new Refusal(
    `argument must be between ${min.toString(base)} and ${max.toString(base)} inclusive`,
  );
}

/** A canonical decimal integer of 64 bits, or undefined. */
function integerOf(word: string): bigint | undefined {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(word)) return undefined;
  const value = BigInt(word);
  return value === BigInt.asIntN(64, value) ? value : undefined;
}

export function integerIn(range: Range): Kind<number> {
  const form = range.max === INT64_MAX ? `${range.min} or more` : `${range.min} to ${range.max}`;
  return plain(form, (word) => {
    const value = integerOf(word);
    if (value === undefined) return new Refusal("argument couldn't be parsed into an integer");
    return inRange(value, range);
  });
}

/** Any integer that is not negative, moved into the range. */
export function integerNear(range: { min: number; max: number }): Kind<number> {
  return plain(`${range.min} to ${range.max}`, (word) => {
    const value = integerOf(word);
    if (value === undefined) return new Refusal("argument couldn't be parsed into an integer");
    const given = inRange(value, { min: 0, max: 2147483647 });
    if (given instanceof Refusal) return given;
    const near = Math.max(range.min, Math.min(range.max, given.value));
    return { value: near, text: String(near) };
  });
}

export function octalIn(range: Range): Kind<number> {
  const form = `octal, ${range.min.toString(8)} to ${range.max.toString(8)}`;
  return plain(form, (word) => {
    if (!/^[0-7]{0,21}$/.test(word))
      return new Refusal("argument couldn't be parsed as an octal number");
    return inRange(BigInt(`0o0${word}`), range, 8);
  });
}

/** Redis's sizes wrap around at 64 bits. */
function sizeOf(word: string, { max }: Range): bigint | undefined {
  const bytes = memoryBytes(word);
  if (bytes === undefined) return undefined;
  return max > INT64_MAX ? BigInt.asUintN(64, bytes) : BigInt.asIntN(64, bytes);
}

export function bytesIn(range: Range): Kind<number> {
  const form =
    range.max >= INT64_MAX ? `bytes, ${range.min} or more` : `bytes, ${range.min} to ${range.max}`;
  return plain(
    form,
    (word) => {
      const bytes = sizeOf(word, range);
      return bytes === undefined
        ? new Refusal("argument must be a memory value")
        : inRange(bytes, range);
    },
    ({ text }) => rewrittenBytes(BigInt(text)),
  );
}

/** Bytes, or a share of maxmemory, which is held as a negative number of percent. */
export const bytesOrPercent: Kind<number> = plain(
  "bytes, or 0% to 100%",
  (word) => {
    const range = { min: 0n, max: INT64_MAX };
    const bytes = sizeOf(word, range);
    if (bytes !== undefined) return inRange(bytes, range);
    const percent = word.endsWith("%") ? integerOf(word.slice(0, -1)) : undefined;
    if (percent === undefined || percent < 0n)
      return new Refusal("argument must be a memory or percent value");
    if (percent > 100n) return new Refusal("percentage argument must be less or equal to 100");
    return { value: -Number(percent), text: percent === 0n ? "0" : `${percent}%` };
  },
  ({ text }) => (text.endsWith("%") ? text : rewrittenBytes(BigInt(text))),
);

function notOneOf(values: readonly string[]): Refusal {
  return new Refusal(`argument(s) must be one of the following: ${values.join(", ")}`);
}

/** `spellings` are other words for a value. */
export function oneOf<const Value extends string>(
  values: readonly Value[],
  spellings: Readonly<Record<string, Value>> = {},
): Kind<Value> {
  return plain(values.join(", "), (word) => {
    const lower = word.toLowerCase();
    const value = spellings[lower] ?? values.find((candidate) => candidate === lower);
    return value === undefined ? notOneOf(values) : { value, text: value };
  });
}

/** Any of `values` but the first, which stands for none of them. */
export function someOf<const Value extends string>(
  values: readonly Value[],
  check: (chosen: ReadonlySet<Value>) => string | undefined,
): Kind<ReadonlySet<Value>> {
  return {
    form: `${values[0]}, or some of ${values.slice(1).join(", ")}`,
    many: true,
    parse(words) {
      const given = new Set(words.map((word) => word.toLowerCase()));
      if (given.size === 0 || [...given].some((word) => !values.some((value) => value === word)))
        return notOneOf(values);
      const value = new Set(values.slice(1).filter((candidate) => given.has(candidate)));
      const fault = check(value);
      if (fault !== undefined) return new Refusal(fault);
      return { value, text: [...value].join(" ") || values[0]! };
    },
    rewrite: (now, initial) => [{ words: now.text, force: now.text !== initial.text }],
  };
}

export interface TextRules {
  form?: string;
  /** An empty text is the same as no such line. */
  emptyIsNone?: true;
  check?: (text: string) => string | undefined;
}

export function textOf({ form = "text", emptyIsNone, check }: TextRules = {}): Kind<string> {
  return {
    form,
    many: false,
    parse(words) {
      const [text] = words;
      if (text === undefined || words.length > 1) return WRONG_COUNT;
      const fault = check?.(text);
      return fault === undefined ? { value: text, text } : new Refusal(fault);
    },
    rewrite(now, initial) {
      if (emptyIsNone && now.text === "") return [];
      return [{ words: quoted(now.text), force: now.text !== initial.text }];
    },
  };
}

/** An existing directory; relative to the one in force, as Redis changes into it. Always shown absolute. */
export function directoryOf(
  resolve: (before: string, path: string) => string | Refusal,
): Kind<string> {
  return {
    form: "an existing directory",
    many: false,
    parse(words, before) {
      if (words.length !== 1) return WRONG_COUNT;
      const path = resolve(before.text, words[0]!);
      return path instanceof Refusal ? path : { value: path, text: path };
    },
    rewrite: (now) => [{ words: quoted(now.text), force: true }],
  };
}

/** The words of a directive's only argument, where its kind takes several. */
export function wordsOf(kind: Kind<unknown>, text: string): readonly string[] | undefined {
  return kind.many && text !== "" ? splitWords(text) : [text];
}
