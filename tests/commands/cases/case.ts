/**
 * What a command case is: words in, expected reply out, as data. The same case runs in process against the core, and
 * over a socket against a reference server, in both protocols.
 */
import type { Word } from "../../support/core-harness.ts";
import { type Reply, wholeReply } from "../../support/reply.ts";

export type { Word } from "../../support/core-harness.ts";
export type Protocol = 2 | 3;

/** Says what is wrong with a raw reply, or undefined. */
export type Expected = (raw: string, protocol: Protocol) => string | undefined;

export interface Step {
  words: Word[];
  reply: Expected;
  /** Redis 7.2 answers like this, 7.0 does not: why. The step is run, and not judged, against an older reference. */
  since72?: string;
}

/** Lets time pass: the core's clock is moved, a reference server is waited for. Keep it short. */
export interface Pause {
  passMs: number;
}

export interface CommandCase {
  name: string;
  /** Redis does not have it. */
  notInRedis?: true;
  /** The steps, given the instant of the start in ms. The keyspace is empty, database 0 is selected. */
  steps(nowMs: number): (Step | Pause)[];
}

/** A case whose steps do not depend on time. */
export function commandCase(
  name: string,
  steps: (Step | Pause)[] | ((nowMs: number) => (Step | Pause)[]),
): CommandCase {
  return { name, steps: typeof steps === "function" ? steps : () => steps };
}

/** A case of what Redis does not have. */
export function ownCase(name: string, steps: Parameters<typeof commandCase>[1]): CommandCase {
  return { ...commandCase(name, steps), notInRedis: true };
}

/** One command, split at blanks if it is given as a text. */
export function step(command: string | Word[], reply: Expected): Step {
  return { words: typeof command === "string" ? command.split(" ") : command, reply };
}

export function step72(reason: string, command: string | Word[], reply: Expected): Step {
  return { ...step(command, reply), since72: reason };
}

export function pass(ms: number): Pause {
  return { passMs: ms };
}

function show(raw: string): string {
  return JSON.stringify(raw.length > 300 ? `${raw.slice(0, 300)}...` : raw);
}

/** Exactly these bytes, by protocol. */
function exactly(of: (protocol: Protocol) => string): Expected {
  return (raw, protocol) =>
    raw === of(protocol) ? undefined : `expected ${show(of(protocol))}, got ${show(raw)}`;
}

export const texts = {
  nil: (protocol: Protocol) => (protocol === 3 ? "_\r\n" : "$-1\r\n"),
  bulk: (word: Word) => {
    const text = typeof word === "string" ? word : Buffer.from(word).toString("latin1");
    return `$${text.length}\r\n${text}\r\n`;
  },
};

/** A reply byte for byte, which may depend on the protocol. */
export const raw = exactly;
export const ok = exactly(() => "+OK\r\n");
export const nil = exactly(texts.nil);
export const simple = (text: string) => exactly(() => `+${text}\r\n`);
export const error = (line: string) => exactly(() => `-${line}\r\n`);
export const int = (value: number | bigint) => exactly(() => `:${value}\r\n`);
export const bulk = (word: Word) => exactly(() => texts.bulk(word));
/** An array of bulk strings and nils, in this order. */
export const array = (...items: (Word | null)[]) =>
  exactly(
    (protocol) =>
      `*${items.length}\r\n${items.map((item) => (item === null ? texts.nil(protocol) : texts.bulk(item))).join("")}`,
  );

/** An integer of this size at most, and no more than `slack` below: what is left of a deadline. */
export function atMost(value: number, slack: number): Expected {
  return (raw) => {
    const reply = wholeReply(raw);
    if (reply.kind !== "integer") return `expected an integer, got ${show(raw)}`;
    const got = Number(reply.value);
    return got <= value && got >= value - slack
      ? undefined
      : `expected ${value - slack}..${value}, got ${got}`;
  };
}

export function atLeast(least: number): Expected {
  return (raw) => {
    const reply = wholeReply(raw);
    const got = reply.kind === "integer" ? Number(reply.value) : Number.NaN;
    return got >= least ? undefined : `expected ${least} or more, got ${show(raw)}`;
  };
}

function bulkTexts(reply: Reply | undefined): string[] | undefined {
  if (reply?.kind !== "array") return undefined;
  const texts: string[] = [];
  for (const item of reply.items) {
    if (item.kind !== "bulk") return undefined;
    texts.push(item.text);
  }
  return texts;
}

function sameSet(got: string[] | undefined, wanted: string[]): string | undefined {
  const same = got !== undefined && JSON.stringify(got.sort()) === JSON.stringify(wanted.sort());
  return same ? undefined : `expected the keys ${wanted.join(" ")}, got ${got?.join(" ")}`;
}

/** An array of these bulk strings in any order. */
export function anyOrder(...items: string[]): Expected {
  return (raw) => sameSet(bulkTexts(wholeReply(raw)), items);
}

/** A bulk string that is one of these. */
export function oneOf(...items: string[]): Expected {
  return (raw) =>
    items.some((item) => raw === texts.bulk(item))
      ? undefined
      : `expected one of ${items.join(" ")}, got ${show(raw)}`;
}

/** SCAN's answer: this cursor, and these keys in any order. */
export function scanned(cursor: string, ...items: string[]): Expected {
  return (raw) => {
    const reply = wholeReply(raw);
    if (reply.kind !== "array" || reply.items.length !== 2) return `not a scan: ${show(raw)}`;
    const [at, found] = reply.items;
    if (at?.kind !== "bulk" || at.text !== cursor) return `expected cursor ${cursor}: ${show(raw)}`;
    return sameSet(bulkTexts(found), items);
  };
}
