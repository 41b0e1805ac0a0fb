/**
 * Unions, intersections and differences of sorted sets, and of sets, whose members have score 1. The result is built aside: its order is only
 * known when all scores are. It is then answered or put in place.
 *
 *   source: u32 entry, 0 = the key is missing |4 u32 members |8 f64 weight
 */
import { Address, KeyEvent } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import { Entry, entryAt, refOf, Type, typeOf } from "../keyspace/entry";
import { Find, find } from "../keyspace/keyspace";
import { alloc, free } from "../memory/allocator";
import { parseDouble } from "../memory/double";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import { beginMembers, nextMember, setCount, setHas } from "../types/set";
import {
  addScored,
  appendScored,
  asideSorted,
  beginScored,
  findScored,
  foundScore,
  keepDigits,
  nextScored,
  scoredCount,
  setFoundScore,
} from "../types/sorted-set";
import { freeValue } from "../types/value";
import { Algebra } from "./set-algebra";
import { replyMember, replyMembersHead } from "./sorted-range";
import { storeResult } from "./sorted-sets";

enum Aggregate {
  Sum = 0,
  Min = 1,
  Max = 2,
}

@final
@unmanaged
class Source {
  entry: u32;
  members: u32;
  weight: f64;
}
const SOURCE_BYTES: u32 = offsetof<Source>();

/** What a command combines, and how. */
@final
@unmanaged
class Sources {
  list: u32; // heap block of Source
  count: u32;
  kind: u32; // Algebra
  aggregate: u32;
  withScores: u32;
  limit: u32; // of a cardinality, 0 = none
}
const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const sources = changetype<Sources>(NUMBER + 64);

function sourceAt(index: u32): Source {
  return changetype<Source>(<usize>sources.list + <usize>index * SOURCE_BYTES);
}

// ---- reading the command

/** Reads the number of keys in word `index`, and the sources behind it. @returns false after an error was answered */
function readSources(kind: Algebra, index: u32, argc: u32, noKeys: string): bool {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER)) {
    reply.notInteger();
    return false;
  }
  const count = load<i64>(NUMBER);
  if (count < 1) {
    reply.error(noKeys);
    return false;
  }
  if (count > <i64>(argc - index - 1)) {
    reply.syntaxError();
    return false;
  }
  sources.list = <u32>alloc(<u32>count * SOURCE_BYTES);
  sources.count = <u32>count;
  sources.kind = kind;
  sources.aggregate = Aggregate.Sum;
  sources.withScores = 0;
  sources.limit = 0;
  if (sources.list === 0) {
    reply.noMemory();
    return false;
  }
  for (let i: u32 = 0; i < sources.count; i++)
    if (!findSource(sourceAt(i), index + 1 + i)) {
      dropSources();
      return false;
    }
  return true;
}

function findSource(source: Source, index: u32): bool {
  const entry = find(argPtr(index), argLength(index), Find.None);
  source.weight = 1;
  source.entry = 0;
  source.members = 0;
  if (entry === null) return true;
  const type = typeOf(entry);
  if (type !== Type.SortedSet && type !== Type.Set) {
    reply.wrongType();
    return false;
  }
  source.entry = refOf(entry);
  source.members = type === Type.Set ? setCount(entry) : scoredCount(entry);
  return true;
}

function dropSources(): void {
  free(sources.list);
}

/** Reads the options from word `first` on. @returns false after an error was answered, and the sources are dropped */
function readOptions(first: u32, argc: u32, isStored: bool): bool {
  const isWeighted = sources.kind !== Algebra.Subtract;
  for (let i = first; i < argc; ) {
    const left = argc - i;
    if (isWeighted && left > sources.count && argIs(i, "weights")) {
      if (!readWeights(i + 1)) return false;
      i += 1 + sources.count;
    } else if (isWeighted && left >= 2 && argIs(i, "aggregate")) {
      if (!readAggregate(i + 1)) return false;
      i += 2;
    } else if (!isStored && argIs(i, "withscores")) {
      sources.withScores = 1;
      i += 1;
    } else {
      reply.syntaxError();
      dropSources();
      return false;
    }
  }
  return true;
}

function readWeights(first: u32): bool {
  for (let i: u32 = 0; i < sources.count; i++) {
    if (parseDouble(argPtr(first + i), argLength(first + i), NUMBER)) {
      sourceAt(i).weight = load<f64>(NUMBER);
      continue;
    }
    reply.error("ERR weight value is not a float");
    dropSources();
    return false;
  }
  return true;
}

function readAggregate(index: u32): bool {
  const word = argWord(index);
  if (word === Word.SUM) sources.aggregate = Aggregate.Sum;
  else if (word === Word.MIN) sources.aggregate = Aggregate.Min;
  else if (word === Word.MAX) sources.aggregate = Aggregate.Max;
  else {
    reply.syntaxError();
    dropSources();
    return false;
  }
  return true;
}

/** Orders the sources by size, as Redis adds them up; equal ones stay as they are. */
function sortSources(): void {
  for (let i: u32 = 1; i < sources.count; i++)
    for (let j = i; j > 0 && sourceAt(j).members < sourceAt(j - 1).members; j--) {
      const low = changetype<usize>(sourceAt(j - 1));
      const high = v128.load(low, SOURCE_BYTES);
      v128.store(low, v128.load(low), SOURCE_BYTES);
      v128.store(low, high);
    }
}
if (SOURCE_BYTES !== 16) ERROR("sources are swapped as 16 bytes");

// ---- members of a source

function begin(source: Source): void {
  const entry = entryAt(source.entry);
  if (typeOf(entry) === Type.Set) beginMembers(entry);
  else beginScored(entry, 0, false);
}

/** Goes on to the next member. @returns false = there are no more */
function next(source: Source): bool {
  if (typeOf(entryAt(source.entry)) !== Type.Set) return nextScored();
  if (!nextMember()) return false;
  keepDigits();
  return true;
}

/** The weighted score of the member that `next` has read. */
function scoreOf(source: Source): f64 {
  return weighted(source, typeOf(entryAt(source.entry)) === Type.Set ? 1 : foundScore());
}

function weighted(source: Source, score: f64): f64 {
  const product = source.weight * score;
  return Number.isNaN(product) ? 0 : product;
}

/** Whether the member in hand is in a source; its weighted score there goes to NUMBER. The walk in hand goes on */
function isIn(source: Source): bool {
  if (source.entry === 0) return false;
  const entry = entryAt(source.entry);
  if (typeOf(entry) === Type.Set) {
    store<f64>(NUMBER, source.weight);
    return setHas(entry, state.memberPtr, state.memberLength);
  }
  if (!findScored(entry, state.memberPtr, state.memberLength)) return false;
  store<f64>(NUMBER, source.weight * foundScore());
  return true;
}

function aggregated(a: f64, b: f64): f64 {
  if (sources.aggregate === Aggregate.Min) return b < a ? b : a;
  if (sources.aggregate === Aggregate.Max) return b > a ? b : a;
  // inf - inf is 0 here.
  const sum = a + b;
  return Number.isNaN(sum) ? 0 : sum;
}

// ---- combining

/** Builds the result aside. @returns null = no memory */
function build(): Entry | null {
  const result = asideSorted(0, 0);
  if (result === null) return null;
  let done: bool;
  if (sources.kind === Algebra.Unite) done = unite(result);
  else done = sources.kind === Algebra.Intersect ? intersect(result) : subtract(result);
  if (done) return result;
  freeValue(result);
  return null;
}

function unite(result: Entry): bool {
  for (let i: u32 = 0; i < sources.count; i++) {
    const source = sourceAt(i);
    if (source.members === 0) continue;
    begin(source);
    while (next(source)) if (!uniteMember(result, scoreOf(source))) return false;
  }
  return true;
}

function uniteMember(result: Entry, score: f64): bool {
  const ptr: usize = state.memberPtr;
  const length = state.memberLength;
  if (!findScored(result, ptr, length)) return addScored(result, score, ptr, length);
  const before = foundScore();
  const sum = aggregated(before, score);
  return sum === before || setFoundScore(result, sum, ptr, length);
}

function intersect(result: Entry): bool {
  const first = sourceAt(0);
  if (first.members === 0) return true;
  begin(first);
  while (next(first)) {
    let score = scoreOf(first);
    let i: u32 = 1;
    for (; i < sources.count && isIn(sourceAt(i)); i++)
      score = aggregated(score, load<f64>(NUMBER));
    if (i < sources.count) continue;
    if (!appendScored(result, score, state.memberPtr, state.memberLength)) return false;
  }
  return true;
}

function subtract(result: Entry): bool {
  const first = sourceAt(0);
  if (first.members === 0) return true;
  begin(first);
  while (next(first)) {
    const score = scoreOf(first);
    let i: u32 = 1;
    while (i < sources.count && !isIn(sourceAt(i))) i += 1;
    if (i < sources.count) continue;
    if (!appendScored(result, score, state.memberPtr, state.memberLength)) return false;
  }
  return true;
}

/** Sorts and combines what was read, and lets go of it. @returns null after an error was answered */
function combined(): Entry | null {
  if (sources.kind !== Algebra.Subtract) sortSources();
  const result = build();
  dropSources();
  if (result === null) reply.noMemory();
  return result;
}

/** ZUNION ZINTER ZDIFF */
export function combine(kind: Algebra, argc: u32): void {
  const noKeys =
    kind === Algebra.Unite
      ? "ERR at least 1 input key is needed for 'zunion' command"
      : kind === Algebra.Intersect
        ? "ERR at least 1 input key is needed for 'zinter' command"
        : "ERR at least 1 input key is needed for 'zdiff' command";
  if (!readSources(kind, 1, argc, noKeys)) return;
  if (!readOptions(2 + sources.count, argc, false)) return;
  const withScores = sources.withScores !== 0;
  const result = combined();
  if (result === null) return;
  const size = scoredCount(result);
  replyMembersHead(size, withScores);
  if (size > 0) beginScored(result, 0, false);
  for (let i: u32 = 0; i < size && nextScored(); i++) replyMember(withScores);
  freeValue(result);
}

/** ZUNIONSTORE ZINTERSTORE ZDIFFSTORE */
export function combineAndStore(kind: Algebra, argc: u32): void {
  const noKeys =
    kind === Algebra.Unite
      ? "ERR at least 1 input key is needed for 'zunionstore' command"
      : kind === Algebra.Intersect
        ? "ERR at least 1 input key is needed for 'zinterstore' command"
        : "ERR at least 1 input key is needed for 'zdiffstore' command";
  if (!readSources(kind, 2, argc, noKeys)) return;
  if (!readOptions(3 + sources.count, argc, true)) return;
  const result = combined();
  if (result !== null) storeResult(result, storeEvent(kind));
}

function storeEvent(kind: Algebra): KeyEvent {
  if (kind === Algebra.Unite) return KeyEvent.Zunionstore;
  return kind === Algebra.Intersect ? KeyEvent.Zinterstore : KeyEvent.Zdiffstore;
}

/** ZINTERCARD numkeys key [key ...] [LIMIT limit] */
export function zintercard(argc: u32): void {
  const noKeys = "ERR at least 1 input key is needed for 'zintercard' command";
  if (!readSources(Algebra.Intersect, 1, argc, noKeys)) return;
  let most: i64 = 0;
  for (let i: u32 = 2 + sources.count; i < argc; i += 2) {
    if (i + 1 >= argc || argWord(i) !== Word.LIMIT) reply.syntaxError();
    else if (!parseInt64(argPtr(i + 1), argLength(i + 1), NUMBER) || load<i64>(NUMBER) < 0)
      reply.error("ERR LIMIT can't be negative");
    if (reply.isFailed()) return dropSources();
    most = load<i64>(NUMBER);
  }
  sortSources();
  const size = countCommon(most === 0 ? i64.MAX_VALUE : most);
  dropSources();
  reply.integer(size);
}

/** Members that all sources have, counted up to a limit. */
function countCommon(most: i64): i64 {
  const first = sourceAt(0);
  let found: i64 = 0;
  if (first.members === 0) return 0;
  begin(first);
  while (found < most && next(first)) {
    let i: u32 = 1;
    while (i < sources.count && isIn(sourceAt(i))) i += 1;
    if (i === sources.count) found += 1;
  }
  return found;
}
