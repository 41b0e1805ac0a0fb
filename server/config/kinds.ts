/**
 * The kinds of values that directives take. A kind reads the words of a line of redis.conf or of CONFIG SET, with Redis's
 * refusals to the byte, and knows how CONFIG GET shows the value and CONFIG REWRITE writes it.
 *
 * All texts are byte strings: one character for each byte, so that a password or path in any encoding survives.
 */
import { memoryBytes, quoted, rewrittenBytes, splitWords, unicode } from "./syntax.ts";

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
const WRONG_COUNT = new Refusal("wrong number of arguments");

/** A single word, written as it is shown. */
function plain<Value>(
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

/** What C's strtoll makes of a whole word: blanks and a sign in front are allowed, an empty word is 0. */
function looseInteger(word: string): number | undefined {
  return /^[\s]*([+-]?\d+)?$/.test(word) ? Number(word) : undefined;
}

export interface SavePoint {
  readonly seconds: number;
  readonly changes: number;
}

function isEmpty(words: readonly string[]): boolean {
  return words.length === 0 || (words.length === 1 && words[0] === "");
}

/** Pairs of seconds and changes. Further lines of a file add to the first one's. */
export const savePoints: Kind<readonly SavePoint[]> = {
  form: "pairs of seconds and changes",
  many: true,
  parse(words, before, appends) {
    if (isEmpty(words)) return { value: [], text: "" };
    const numbers = words.map(looseInteger);
    const isFault = (number: number | undefined, i: number) =>
      number === undefined || number < (i % 2 === 0 ? 1 : 0);
    if (numbers.length % 2 !== 0 || numbers.some(isFault))
      return new Refusal("Invalid save parameters");
    const value = appends ? [...before.value] : [];
    for (let i = 0; i < numbers.length; i += 2)
      value.push({ seconds: numbers[i]!, changes: numbers[i + 1]! });
    return { value, text: value.map(savePointText).join(" ") };
  },
  rewrite({ value }) {
    if (value.length === 0) return [{ words: '""', force: true }];
    return value.map((point) => ({ words: savePointText(point), force: true }));
  },
};

function savePointText({ seconds, changes }: SavePoint): string {
  return `${seconds} ${changes}`;
}

export interface BufferLimit {
  readonly hardBytes: number;
  readonly softBytes: number;
  readonly softSeconds: number;
}
export type ClientClass = "normal" | "slave" | "pubsub";

const CLIENT_CLASSES: readonly ClientClass[] = ["normal", "slave", "pubsub"];

function clientClassOf(word: string): ClientClass | undefined {
  const lower = word.toLowerCase().replace(/^replica$/, "slave");
  return CLIENT_CLASSES.find((name) => name === lower);
}

/** Groups of class, hard limit, soft limit, seconds. Classes that are not named keep theirs. */
export const bufferLimits: Kind<Readonly<Record<ClientClass, BufferLimit>>> = {
  form: "groups of class (normal, replica, pubsub), hard bytes, soft bytes, soft seconds",
  many: true,
  parse(words, before) {
    if (words.length % 4 !== 0)
      return new Refusal("Wrong number of arguments in buffer limit configuration.");
    const value = { ...before.value };
    for (let i = 0; i < words.length; i += 4) {
      const name = clientClassOf(words[i]!);
      if (name === undefined)
        return new Refusal("Invalid client class specified in buffer limit configuration.");
      const hard = memoryBytes(words[i + 1]!);
      const soft = memoryBytes(words[i + 2]!);
      const softSeconds = looseInteger(words[i + 3]!);
      if (hard === undefined || soft === undefined || softSeconds === undefined || softSeconds < 0)
        return new Refusal(
          "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        );
      value[name] = { hardBytes: Number(hard), softBytes: Number(soft), softSeconds };
    }
    const texts = CLIENT_CLASSES.map((name) => `${name} ${bufferLimitText(value[name], String)}`);
    return { value, text: texts.join(" ") };
  },
  rewrite: (now, initial) =>
    CLIENT_CLASSES.map((name) => {
      const words = bufferLimitText(now.value[name], (bytes) => rewrittenBytes(BigInt(bytes)));
      const force =
        bufferLimitText(initial.value[name], String) !== bufferLimitText(now.value[name], String);
      return { words: `${name.replace("slave", "replica")} ${words}`, force };
    }),
};

function bufferLimitText(limit: BufferLimit | undefined, bytes: (value: number) => string): string {
  if (limit === undefined) return "";
  return `${bytes(limit.hardBytes)} ${bytes(limit.softBytes)} ${limit.softSeconds}`;
}

const OOM_VALUES = 3;
const OOM_LIMIT = 2000;

export const oomScores: Kind<readonly number[]> = {
  form: "three of -2000 to 2000",
  many: true,
  parse(words) {
    if (words.length !== OOM_VALUES) return WRONG_COUNT;
    const numbers = words.map(looseInteger);
    const isFault = (number: number | undefined) =>
      number === undefined || Math.abs(number) > OOM_LIMIT;
    if (numbers.some(isFault))
      return new Refusal("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    const value = numbers as number[];
    return { value, text: value.join(" ") };
  },
  rewrite: (now, initial) => [{ words: now.text, force: now.text !== initial.text }],
};

/** Classes of events that `A` stands for, in the order they are shown; the others only by their letter. */
const ALL_EVENTS = "g$lshzxetd";

/** The value has each letter that is in force, `A` spelled out. */
export const keyspaceEvents: Kind<string> = plain(
  "letters of Ag$lshzxeKEtmdn",
  (word) => {
    if (/[^Ag$lshzxeKEtmdn]/.test(word))
      return new Refusal("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    const given = new Set(word.replaceAll("A", ALL_EVENTS));
    const chosen = (letters: string) => [...letters].filter((letter) => given.has(letter)).join("");
    const classes = chosen(ALL_EVENTS);
    // Redis does not show `n` beside `A`.
    const shown = classes === ALL_EVENTS ? "A" : classes + chosen("n");
    return { value: chosen(`${ALL_EVENTS}nKEm`), text: shown + chosen("KEm") };
  },
  ({ text }) => quoted(text),
);

const BIND_MAX = 16;

export const addresses: Kind<readonly string[]> = {
  form: "addresses; one that begins with - may be missing",
  many: true,
  parse(words) {
    if (words.length > BIND_MAX) return new Refusal("Too many bind addresses specified.");
    const value = isEmpty(words) ? [] : words;
    return { value, text: value.join(" ") };
  },
  rewrite(now, initial) {
    if (now.text === initial.text) return [];
    return [{ words: now.text === "" ? '""' : now.text, force: true }];
  },
};

export const primaryAddress: Kind<{ host: string; port: number } | undefined> = {
  form: "host and port, or no one",
  many: true,
  parse(words) {
    // The initial value, which nobody can write.
    if (isEmpty(words)) return { value: undefined, text: "" };
    const [host = "", portWord = ""] = words;
    if (words.length !== 2) return WRONG_COUNT;
    if (/^no$/i.test(host) && /^one$/i.test(portWord)) return { value: undefined, text: "" };
    const port = looseInteger(portWord);
    if (port === undefined || port < 0 || port > 65535) return new Refusal("Invalid master port");
    return { value: { host, port }, text: `${host} ${port}` };
  },
  rewrite: (now) => (now.text === "" ? [] : [{ words: now.text, force: true }]),
};

export const percentiles: Kind<readonly number[]> = {
  form: "numbers from 0 to 100",
  many: true,
  parse(words) {
    if (isEmpty(words)) return { value: [], text: "" };
    const value: number[] = [];
    for (const word of words) {
      if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word))
        return new Refusal("Invalid latency-tracking-info-percentiles parameters");
      const number = Number(word);
      if (number > 100 || number < 0)
        return new Refusal(
          "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        );
      value.push(number);
    }
    return { value, text: value.map((number) => String(Number(number.toFixed(6)))).join(" ") };
  },
  rewrite: (now) => [{ words: now.text === "" ? '""' : now.text, force: true }],
};

/** The words of a directive's only argument, where its kind takes several. */
export function wordsOf(kind: Kind<unknown>, text: string): readonly string[] | undefined {
  return kind.many && text !== "" ? splitWords(text) : [text];
}

/** A path as the file system wants it. */
export function pathText(text: string): string {
  return unicode(text);
}
