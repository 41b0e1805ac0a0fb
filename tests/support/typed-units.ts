/**
 * Numbered units that write to values of all types: unit i changes what there is of one of them, so that what a server has tells how many
 * of the first units it has.
 */
import { type Reply, wholeReply } from "./reply.ts";

const SLOTS = 30;
const ENTRIES = 50;
const TYPES = 6;

/** Units from 1 on take turns: which of a type's own units it is. */
const ownOf = (i: number) => Math.floor((i - 1) / TYPES);
const typeOf = (i: number) => (i - 1) % TYPES;

/** What unit i writes. */
export function typedUnit(name: string, i: number): string[] {
  const own = ownOf(i);
  const slot = own % SLOTS;
  switch (typeOf(i)) {
    case 0:
      if (own % 5 !== 4) return ["HSET", `${name}:hash`, `f${slot}`, `${i}`];
      return ["HSETEX", `${name}:hash`, "EX", "100000", "FIELDS", "1", `f${slot}`, `${i}`];
    case 1:
      return ["ZADD", `${name}:zset`, `${i}`, `m${slot}`];
    case 2:
      return ["XADD", `${name}:stream`, "MAXLEN", "=", `${ENTRIES}`, `${i}-1`, "n", `${i}`];
    case 3:
      if (own % 4 < 2) return ["RPUSH", `${name}:list`, `${i}`];
      return ["LTRIM", `${name}:list`, "1", "-1"];
    case 4:
      if (own % 2 === 0) return ["SADD", `${name}:set`, `${i}`];
      return ["SREM", `${name}:set`, `${i - TYPES}`];
    default:
      return ["INCR", `${name}:count`];
  }
}

/** What is to be asked for `countTyped`. */
export function typedQuestions(name: string): string[][] {
  const slots = Array.from({ length: SLOTS }, (_, slot) => slot);
  return [
    ["HMGET", `${name}:hash`, ...slots.map((slot) => `f${slot}`)],
    ["ZMSCORE", `${name}:zset`, ...slots.map((slot) => `m${slot}`)],
    ["XRANGE", `${name}:stream`, "-", "+"],
    ["LRANGE", `${name}:list`, "0", "-1"],
    ["SMEMBERS", `${name}:set`],
    ["GET", `${name}:count`],
  ];
}

/** Numbers of units, 0 = nothing there. */
function numbersIn(reply: Reply): number[] {
  if ("items" in reply) return reply.items.flatMap(numbersIn);
  return ["text" in reply ? Number.parseInt(reply.text, 10) : 0].filter((n) => !Number.isNaN(n));
}

/** @returns n: the replies show exactly the first n units. @throws Error if they show something else */
export function countTyped(name: string, replies: readonly string[]): number {
  const found = replies.map((raw) => numbersIn(wholeReply(raw)));
  // An entry's id, and its value.
  found[2] = found[2]!.filter((_, index) => index % 2 === 0);
  const last = Math.max(0, ...found.slice(0, 5).flat());
  for (let n = last; n <= last + TYPES; n++)
    if (JSON.stringify(stateAfter(n)) === JSON.stringify(found)) return n;
  throw new Error(`${name}: no first units of it: ${JSON.stringify(found)}`);
}

function stateAfter(n: number): number[][] {
  const units = Array.from({ length: TYPES }, (_, type) => ownUnits(n, type));
  const [hash = [], zset = [], stream = [], list = [], set = [], count = []] = units;
  const bySlot = (own: number[]) =>
    Array.from({ length: SLOTS }, (_, slot) => own.findLast((i) => ownOf(i) % SLOTS === slot) ?? 0);
  const inList = list.slice(list.length - (list.length % 4));
  const inSet = set.slice(set.length - (set.length % 2));
  return [
    bySlot(hash),
    bySlot(zset),
    stream.slice(-ENTRIES),
    inList.length === 3 ? inList.slice(1, 2) : inList,
    inSet,
    [count.length],
  ];
}

/** Units up to n that write to a type. */
function ownUnits(n: number, type: number): number[] {
  const units: number[] = [];
  for (let i = type + 1; i <= n; i += TYPES) units.push(i);
  return units;
}
