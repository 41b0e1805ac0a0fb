/**
 * Intersections, unions and differences. Nothing is built for an answer: one walk counts, the second answers, and a member is compared with
 * the other sets where it lies. What is stored is built aside and put in place when it is whole.
 */
import { Address, KeyEvent } from "../abi";
import { argIs, argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { Entry, entryAt, refOf, Type, typeOf } from "../keyspace/entry";
import { Find, find, removeEntry } from "../keyspace/keyspace";
import { alloc, free } from "../memory/allocator";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import { Added, asideSet, beginMembers, nextMember, setAdd, setCount, setHas } from "../types/set";
import { freeValue } from "../types/value";
import { storeAside } from "./sets";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

export enum Algebra {
  Intersect = 0,
  Unite = 1,
  Subtract = 2,
}

/** The sets of a command: refs of entries, 0 for a key that is missing. */
function sourceAt(sources: usize, index: u32): u32 {
  return load<u32>(sources + ((<usize>index) << 2));
}

/** Looks up the sets of `count` words from `first` on. @returns their array, a heap block; 0 after an error was answered */
function findSources(first: u32, count: u32): usize {
  const sources = alloc(count << 2);
  if (sources === 0) {
    reply.noMemory();
    return 0;
  }
  for (let i: u32 = 0; i < count; i++) {
    const entry = find(argPtr(first + i), argLength(first + i), Find.None);
    if (entry !== null && typeOf(entry) !== Type.Set) {
      free(sources);
      reply.wrongType();
      return 0;
    }
    store<u32>(sources + ((<usize>i) << 2), entry === null ? 0 : refOf(entry));
  }
  return sources;
}

/** Moves the smallest set to the front, the only one that is walked. @returns false = one is missing: nothing is in all of them */
function smallestFirst(sources: usize, count: u32): bool {
  let smallest: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (sourceAt(sources, i) === 0) return false;
    const size = setCount(entryAt(sourceAt(sources, i)));
    if (size < setCount(entryAt(sourceAt(sources, smallest)))) smallest = i;
  }
  const first = sourceAt(sources, 0);
  store<u32>(sources, sourceAt(sources, smallest));
  store<u32>(sources + ((<usize>smallest) << 2), first);
  return true;
}

/** Whether the member in hand is in the set at an index. */
function isIn(sources: usize, index: u32): bool {
  const ref = sourceAt(sources, index);
  return ref !== 0 && setHas(entryAt(ref), state.memberPtr, state.memberLength);
}

/** Whether the member in hand, of the set that is walked, belongs to the result. */
function belongs(kind: Algebra, sources: usize, count: u32, walked: u32): bool {
  // The member's bytes may be digits in scratch, which a search leaves alone.
  if (kind === Algebra.Intersect) {
    for (let i: u32 = 1; i < count; i++) if (!isIn(sources, i)) return false;
    return true;
  }
  if (kind === Algebra.Subtract) {
    for (let i: u32 = 1; i < count; i++) if (isIn(sources, i)) return false;
    return true;
  }
  // A union's member is told by the first set that has it.
  for (let i: u32 = 0; i < walked; i++) if (isIn(sources, i)) return false;
  return true;
}

/** Walks the result; with `answer` each member is answered. @returns how many there are, at most `most` */
function walkResult(kind: Algebra, sources: usize, count: u32, most: u32, answer: bool): u32 {
  const walks: u32 = kind === Algebra.Unite ? count : 1;
  let found: u32 = 0;
  for (let walked: u32 = 0; walked < walks; walked++) {
    if (sourceAt(sources, walked) === 0) continue;
    beginMembers(entryAt(sourceAt(sources, walked)));
    while (found < most && nextMember()) {
      if (!belongs(kind, sources, count, walked)) continue;
      found += 1;
      if (answer) reply.bulk(state.memberPtr, state.memberLength);
    }
  }
  return found;
}

/** SINTER SUNION SDIFF */
export function combine(kind: Algebra, argc: u32): void {
  const count = argc - 1;
  const sources = findSources(1, count);
  if (sources === 0) return;
  if (kind === Algebra.Intersect && !smallestFirst(sources, count)) reply.set(0);
  else {
    reply.set(walkResult(kind, sources, count, u32.MAX_VALUE, false));
    walkResult(kind, sources, count, u32.MAX_VALUE, true);
  }
  free(sources);
}

/** Builds the result aside. @returns null = no memory */
function build(kind: Algebra, sources: usize, count: u32): Entry | null {
  const result = asideSet();
  if (result === null) return null;
  if (kind === Algebra.Intersect && !smallestFirst(sources, count)) return result;
  const walks: u32 = kind === Algebra.Unite ? count : 1;
  for (let walked: u32 = 0; walked < walks; walked++) {
    if (sourceAt(sources, walked) === 0) continue;
    beginMembers(entryAt(sourceAt(sources, walked)));
    while (nextMember()) {
      // What a union has already is found when it is added.
      if (kind !== Algebra.Unite && !belongs(kind, sources, count, walked)) continue;
      if (setAdd(result, state.memberPtr, state.memberLength) !== Added.NoMemory) continue;
      freeValue(result);
      return null;
    }
  }
  return result;
}

function storeEvent(kind: Algebra): KeyEvent {
  if (kind === Algebra.Intersect) return KeyEvent.Sinterstore;
  return kind === Algebra.Unite ? KeyEvent.Sunionstore : KeyEvent.Sdiffstore;
}

/** SINTERSTORE SUNIONSTORE SDIFFSTORE */
export function combineAndStore(kind: Algebra, argc: u32): void {
  const sources = findSources(2, argc - 2);
  if (sources === 0) return;
  const result = build(kind, sources, argc - 2);
  free(sources);
  if (result === null) return reply.noMemory();
  const existing = find(argPtr(1), argLength(1), Find.Write);
  const size = setCount(result);
  if (size > 0) {
    if (!storeAside(result, existing, 1)) return reply.noMemory();
    effects.changedKey(storeEvent(kind), argPtr(1), argLength(1));
  } else {
    freeValue(result);
    if (existing !== null) {
      removeEntry(existing);
      effects.changedKey(KeyEvent.Del, argPtr(1), argLength(1));
    }
  }
  reply.integer(size);
}

/** Reads word `index` as an integer. @returns -1 if it is none, or below `least` */
function countArg(index: u32, least: i64): i64 {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER)) return -1;
  const value = load<i64>(NUMBER);
  return value < least ? -1 : value;
}

/** SINTERCARD numkeys key [key ...] [LIMIT limit] */
export function sintercard(argc: u32): void {
  const count = countArg(1, 1);
  if (count < 0) return reply.error("ERR numkeys should be greater than 0");
  if (count > <i64>(argc - 2))
    return reply.error("ERR Number of keys can't be greater than number of args");
  let most: u32 = 0; // 0 = no limit
  for (let i: u32 = 2 + <u32>count; i < argc; i += 2) {
    if (i + 1 >= argc || !argIs(i, "limit")) return reply.syntaxError();
    const value = countArg(i + 1, 0);
    if (value < 0) return reply.error("ERR LIMIT can't be negative");
    most = value > <i64>u32.MAX_VALUE ? u32.MAX_VALUE : <u32>value;
  }
  const sources = findSources(2, <u32>count);
  if (sources === 0) return;
  let size: u32 = 0;
  if (smallestFirst(sources, <u32>count)) {
    const limit = most === 0 ? u32.MAX_VALUE : most;
    size = walkResult(Algebra.Intersect, sources, <u32>count, limit, false);
  }
  free(sources);
  reply.integer(size);
}
