/** Kinds of values that a single directive has: lists, groups and letters with rules of their own. */
import { type Kind, plain, Refusal, WRONG_COUNT } from "./kinds.ts";
import { memoryBytes, quoted, rewrittenBytes } from "./syntax.ts";

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
