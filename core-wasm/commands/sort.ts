/**
 * SORT and SORT_RO. https://redis.io/docs/latest/commands/sort/
 * The elements are listed in a block of their own, weighed, sorted by merging (so that equals keep their order), and answered or
 * stored.
 */
import { Address, Cmd, KeyEvent } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { putCollection } from "../keyspace/collections";
import { Encoding, Entry, encodingOf, Type, typeOf } from "../keyspace/entry";
import { Find, find, forgetLookup, openForWrite, removeEntry } from "../keyspace/keyspace";
import { alloc, free } from "../memory/allocator";
import { compare } from "../memory/bytes";
import { parseNormalDouble } from "../memory/double";
import { behindBlanks, parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import { findValue } from "../types/hash";
import {
  asideList,
  End,
  expectElements,
  goTo,
  listCount,
  listPush,
  listStep,
  readPosition,
} from "../types/list";
import { beginMembers, nextMember, setCount } from "../types/set";
import { beginScored, nextScored, scoredCount, spreadScored } from "../types/sorted-set";
import { isString, stringBytes, stringLength } from "../types/string";
import { freeValue } from "../types/value";

/** What was asked for; in scratch while the command runs. */
@final
@unmanaged
class Request {
  /** Index of the word that is the pattern of BY, 0 = elements are their own weights. */
  by: u32;
  /** Index of the destination, 0 = none. */
  store: u32;
  /** GET patterns. */
  gets: u32;
  offset: i64;
  count: i64;
  isAlpha: bool;
  isDescending: bool;
  /** BY names no key: the elements stay in their own order. */
  isUnsorted: bool;
}

/** An element: its bytes, what it weighs, and room for digits that lie nowhere else. */
@final
@unmanaged
class Item {
  word: u32;
  length: u32;
  /** The bytes it is compared by, 0 = none. */
  weight: u32;
  weightLength: u32;
  score: f64;
  digits0: u64;
  digits1: u64;
  digits2: u64;
  weightDigits0: u64;
  weightDigits1: u64;
  weightDigits2: u64;
}

const DIGITS: usize = offsetof<Item>("digits0");
const WEIGHT_DIGITS: usize = offsetof<Item>("weightDigits0");
const ITEM_BYTES: usize = offsetof<Item>();
const request = changetype<Request>(Address.Scratch + ScratchArea.Argument);
const NUMBER: usize = Address.Scratch + ScratchArea.Argument + 0x80;
const STAR: u8 = 42;
const HASH: u8 = 35;
const MINUS: u8 = 45;
const GREATER: u8 = 62;

/** The elements of the running command: `items` in the order they came, `order` and `spare` u32[count] of their addresses. */
@final
@unmanaged
class Listing {
  items: u32;
  order: u32;
  spare: u32;
  count: u32;
  /** The longest element, for the names that patterns make. */
  longest: u32;
  type: u32;
  /** Where names are put together. */
  name: u32;
}
const listing = changetype<Listing>(Address.Scratch + ScratchArea.Argument + 0x100);

export function sort(commandId: i32, argc: u32): void {
  if (!readRequest(argc, commandId === Cmd.SortRo)) return;
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry !== null && !isSortable(entry)) return reply.wrongType();
  if (entry !== null && !settleEncoding(entry)) return reply.noMemory();
  settleOrder(entry);
  if (!list(entry, longestPattern(argc))) return reply.noMemory();
  if (request.isUnsorted) finish(argc);
  else if (weigh()) {
    sortItems();
    finish(argc);
  } else reply.error("ERR One or more scores can't be converted into double");
  drop();
}

function finish(argc: u32): void {
  if (request.store === 0) answer(argc);
  else storeResult(argc);
}

// ---- the request

/** Reads the options. @returns false after the error was answered */
function readRequest(argc: u32, isReadOnly: bool): bool {
  memory.fill(changetype<usize>(request), 0, offsetof<Request>());
  request.count = -1;
  for (let i: u32 = 2; i < argc; i++) {
    const left = argc - i - 1;
    const word = argWord(i);
    if (word === Word.ASC) request.isDescending = false;
    else if (word === Word.DESC) request.isDescending = true;
    else if (word === Word.ALPHA) request.isAlpha = true;
    else if (word === Word.LIMIT && left >= 2) {
      if (!parseInt64(argPtr(i + 1), argLength(i + 1), NUMBER)) return notInteger();
      request.offset = load<i64>(NUMBER);
      if (!parseInt64(argPtr(i + 2), argLength(i + 2), NUMBER)) return notInteger();
      request.count = load<i64>(NUMBER);
      i += 2;
    } else if (word === Word.STORE && left >= 1 && !isReadOnly) {
      request.store = ++i;
    } else if (word === Word.BY && left >= 1) {
      request.by = ++i;
      request.isUnsorted = starOf(i) === 0;
    } else if (word === Word.GET && left >= 1) {
      request.gets += 1;
      i++;
    } else {
      reply.syntaxError();
      return false;
    }
  }
  return true;
}

function notInteger(): bool {
  reply.notInteger();
  return false;
}

/** Where the first `*` of a word is, 0 = it has none. */
function starOf(index: u32): usize {
  const end = argPtr(index) + argLength(index);
  for (let p = argPtr(index); p < end; p++) if (load<u8>(p) === STAR) return p;
  return 0;
}

function isSortable(entry: Entry): bool {
  const type = typeOf(entry);
  return type === Type.List || type === Type.Set || type === Type.SortedSet;
}

/** A sorted set becomes a tree, as in Redis, where ZSCAN shows scores otherwise from then on. @returns false = no memory */
function settleEncoding(entry: Entry): bool {
  if (typeOf(entry) !== Type.SortedSet || encodingOf(entry) !== Encoding.Packed) return true;
  openForWrite(entry);
  return spreadScored(entry);
}

/** A set that is to be stored has no order of its own: it is sorted as text. */
function settleOrder(entry: Entry | null): void {
  if (!request.isUnsorted || request.store === 0) return;
  if (entry === null || typeOf(entry) !== Type.Set) return;
  request.isUnsorted = false;
  request.isAlpha = true;
  request.by = 0;
}

/** Bytes of the longest pattern of BY and GET. */
function longestPattern(argc: u32): u32 {
  let longest = request.by === 0 ? 0 : argLength(request.by);
  for (let i = nextGet(2, argc); i < argc; i = nextGet(i + 1, argc))
    longest = max(longest, argLength(i));
  return longest;
}

/** The index of the pattern of the first GET from word `i` on, argc = there is none. The options are known to be right. */
function nextGet(i: u32, argc: u32): u32 {
  for (; i < argc; i++) {
    const word = argWord(i);
    if (word === Word.GET) return i + 1;
    if (word === Word.LIMIT) i += 2;
    else if (word === Word.STORE || word === Word.BY) i += 1;
  }
  return argc;
}

// ---- the elements

function countOf(entry: Entry): u32 {
  const type = typeOf(entry);
  if (type === Type.List) return listCount(entry);
  return type === Type.Set ? setCount(entry) : scoredCount(entry);
}

/** Elements before the first that is answered, of so many. */
function startOf(total: u32): u32 {
  return <u32>min<i64>(max<i64>(request.offset, 0), total);
}

/** Elements that are answered, of so many. */
function wantedOf(total: u32): u32 {
  const left = total - startOf(total);
  return request.count < 0 ? left : <u32>min<i64>(request.count, left);
}

/**
 * Lists the elements: all of them if they are to be sorted, else those that are wanted.
 * @returns false = no memory; nothing is held then
 */
function list(entry: Entry | null, pattern: u32): bool {
  const total = entry === null ? 0 : countOf(entry);
  const start = request.isUnsorted ? startOf(total) : 0;
  const count = request.isUnsorted ? wantedOf(total) : total;
  const bytes = <u64>count * (<u64>ITEM_BYTES + 8);
  if (bytes > <u64>i32.MAX_VALUE) return false;
  listing.count = count;
  listing.longest = 0;
  listing.items = <u32>alloc(max(<u32>bytes, 8));
  if (listing.items === 0) return false;
  listing.order = listing.items + count * <u32>ITEM_BYTES;
  listing.spare = listing.order + (count << 2);
  if (entry !== null && count > 0) readElements(entry, start, total);
  listing.name = <u32>alloc(listing.longest + pattern + 8);
  if (listing.name === 0) free(listing.items);
  return listing.name !== 0;
}

function drop(): void {
  free(listing.items);
  free(listing.name);
}

function readElements(entry: Entry, start: u32, total: u32): void {
  const type = typeOf(entry);
  listing.type = type;
  const backward = request.isUnsorted && request.isDescending;
  const first = backward ? total - 1 - start : start;
  if (type === Type.List) readList(entry, first, backward);
  else if (type === Type.Set) readSet(entry, start);
  else {
    beginScored(entry, first, backward);
    for (let i: u32 = 0; i < listing.count && nextScored(); i++) take(i);
  }
}

function readList(entry: Entry, first: u32, backward: bool): void {
  goTo(entry, first);
  for (let i: u32 = 0; i < listing.count; i++) {
    if (i > 0) listStep(entry, backward ? End.Front : End.Back);
    readPosition();
    take(i);
  }
}

function readSet(entry: Entry, start: u32): void {
  beginMembers(entry);
  for (let skipped: u32 = 0; skipped < start; skipped++) nextMember();
  for (let i: u32 = 0; i < listing.count && nextMember(); i++) take(i);
}

/** Makes the element in hand item `index`. Its bytes are borrowed, unless they are digits in scratch. */
function take(index: u32): void {
  const at = listing.items + index * <u32>ITEM_BYTES;
  const item = changetype<Item>(<usize>at);
  store<u32>(listing.order + (index << 2), at);
  item.word = keepDigits(state.memberPtr, state.memberLength, at + <u32>DIGITS);
  item.length = state.memberLength;
  item.weight = 0;
  listing.longest = max(listing.longest, item.length);
}

/** @returns where the bytes stay: `room` if they lie in scratch, which digits alone do */
function keepDigits(ptr: u32, length: u32, room: u32): u32 {
  if (ptr >= <u32>Address.Heap) return ptr;
  memory.copy(room, ptr, length);
  return room;
}

function itemAt(index: u32): Item {
  return changetype<Item>(<usize>load<u32>(listing.order + (index << 2)));
}

// ---- what patterns name

/**
 * What a pattern names for an element: the element itself for `#`; else the string, or with `->` the field of the hash, at the key
 * that has the element in the place of the first `*`. @returns whether it is there: its bytes are State.memberPtr and memberLength,
 * borrowed or digits in scratch. O(pattern + element)
 */
function resolve(pattern: u32, item: Item): bool {
  const text = argPtr(pattern);
  const end = text + argLength(pattern);
  if (argLength(pattern) === 1 && load<u8>(text) === HASH) {
    state.memberPtr = item.word;
    state.memberLength = item.length;
    return true;
  }
  const star = starOf(pattern);
  if (star === 0) return false;
  const arrow = arrowBehind(star + 1, end);
  const keyEnd = arrow === 0 ? end : arrow;
  const before = <u32>(star - text);
  const behind = <u32>(keyEnd - star - 1);
  const name: usize = listing.name;
  memory.copy(name, text, before);
  memory.copy(name + before, item.word, item.length);
  memory.copy(name + before + item.length, star + 1, behind);
  // The name lies where the last one lay.
  forgetLookup();
  const entry = find(name, before + item.length + behind, Find.None);
  if (entry === null) return false;
  return arrow === 0 ? readString(entry) : readFieldOf(entry, arrow + 2, end);
}

/** Where `->` is that a field follows, 0 = nowhere. */
function arrowBehind(from: usize, end: usize): usize {
  for (let p = from; p + 2 < end; p++)
    if (load<u8>(p) === MINUS && load<u8>(p, 1) === GREATER) return p;
  return 0;
}

function readString(entry: Entry): bool {
  if (!isString(entry)) return false;
  state.memberLength = stringLength(entry);
  state.memberPtr = <u32>stringBytes(entry);
  return true;
}

function readFieldOf(entry: Entry, field: usize, end: usize): bool {
  if (typeOf(entry) !== Type.Hash || !findValue(entry, field, <u32>(end - field))) return false;
  state.memberPtr = state.valuePtr;
  state.memberLength = state.valueLength;
  return true;
}

// ---- weights

/** Gives each item what it is compared by. @returns false = one that should be a number is none */
function weigh(): bool {
  for (let i: u32 = 0; i < listing.count; i++) {
    const item = itemAt(i);
    state.memberPtr = item.word;
    state.memberLength = item.length;
    item.score = 0;
    if (request.by !== 0 && !resolve(request.by, item)) continue;
    if (request.isAlpha) {
      const room = <u32>(changetype<usize>(item) + WEIGHT_DIGITS);
      item.weight = keepDigits(state.memberPtr, state.memberLength, room);
      item.weightLength = request.store === 0 ? textLength(item.weight) : state.memberLength;
    } else if (!readScore(item)) return false;
  }
  return true;
}

/** Bytes in hand up to a NUL: what C's functions take for the text. Redis compares by them what it does not store. */
function textLength(ptr: usize): u32 {
  for (let i: u32 = 0; i < state.memberLength; i++) if (load<u8>(ptr + i) === 0) return i;
  return state.memberLength;
}

/** As strtod reads it: behind blanks, and nothing at all is 0. */
function readScore(item: Item): bool {
  const text: usize = state.memberPtr;
  const end = text + textLength(text);
  if (text === end) return true;
  const ptr = behindBlanks(text, end);
  if (!parseNormalDouble(ptr, <u32>(end - ptr), NUMBER)) return false;
  item.score = load<f64>(NUMBER);
  return true;
}

// ---- sorting

/** Negative, 0 or positive, as `a` belongs before `b`. Equals of a list keep their order; those of sets are told apart by their bytes. */
function order(a: Item, b: Item): i32 {
  const difference = request.isAlpha ? compareTexts(a, b) : compareNumbers(a, b);
  return request.isDescending ? -difference : difference;
}

function compareNumbers(a: Item, b: Item): i32 {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1;
  return compareWords(a, b);
}

function compareWords(a: Item, b: Item): i32 {
  return compare(a.word, a.length, b.word, b.length);
}

/** What has no weight comes first. */
function compareTexts(a: Item, b: Item): i32 {
  let difference: i32 = (a.weight !== 0 ? 1 : 0) - (b.weight !== 0 ? 1 : 0);
  if (a.weight !== 0 && b.weight !== 0)
    difference = compare(a.weight, a.weightLength, b.weight, b.weightLength);
  return difference !== 0 || listing.type === Type.List ? difference : compareWords(a, b);
}

/** Merges runs of twice the length each time around. Stable. O(n log n) */
function sortItems(): void {
  const count = listing.count;
  for (let width: u32 = 1; width < count; width <<= 1) {
    for (let from: u32 = 0; from < count; from += width << 1)
      mergeRuns(from, min(from + width, count), min(from + (width << 1), count));
    const sorted = listing.spare;
    listing.spare = listing.order;
    listing.order = sorted;
  }
}

/** Merges [from, middle) and [middle, end) of the order into the spare one. */
function mergeRuns(from: u32, middle: u32, end: u32): void {
  let left = from;
  let right = middle;
  for (let i = from; i < end; i++) {
    const takesLeft = left < middle && (right >= end || order(itemAt(left), itemAt(right)) <= 0);
    const item = itemAt(takesLeft ? left++ : right++);
    store<u32>(listing.spare + (i << 2), <u32>changetype<usize>(item));
  }
}

// ---- the result

/** The first item that is answered; those that were not to be sorted are the wanted ones already. */
function firstWanted(): u32 {
  return request.isUnsorted ? 0 : startOf(listing.count);
}

function wantedCount(): u32 {
  return request.isUnsorted ? listing.count : wantedOf(listing.count);
}

function answer(argc: u32): void {
  const first = firstWanted();
  const wanted = wantedCount();
  reply.array(wanted * max<u32>(request.gets, 1));
  for (let i = first; i < first + wanted; i++) {
    const item = itemAt(i);
    if (request.gets === 0) reply.bulk(item.word, item.length);
    for (let get = nextGet(2, argc); get < argc; get = nextGet(get + 1, argc))
      if (resolve(get, item)) reply.bulk(state.memberPtr, state.memberLength);
      else reply.nil();
  }
}

/** Stores the result as a list, empty strings for what GET does not find; nothing deletes the key. */
function storeResult(argc: u32): void {
  const key = argPtr(request.store);
  const keyLength = argLength(request.store);
  const wanted = wantedCount();
  const length = wanted * max<u32>(request.gets, 1);
  forgetLookup();
  if (wanted === 0) {
    const existing = find(key, keyLength, Find.Write);
    if (existing !== null) {
      removeEntry(existing);
      effects.changedKey(KeyEvent.Del, key, keyLength);
    }
    return reply.integer(0);
  }
  const result = asideList();
  if (result === null) return reply.noMemory();
  if (!fill(result, wanted, argc) || !storeList(result)) {
    freeValue(result);
    return reply.noMemory();
  }
  effects.changedKey(KeyEvent.Sortstore, key, keyLength, length);
  reply.integer(length);
}

/** @returns false = no memory */
function fill(result: Entry, wanted: u32, argc: u32): bool {
  const first = firstWanted();
  for (let i = first; i < first + wanted; i++) {
    const item = itemAt(i);
    if (request.gets === 0 && !push(result, item.word, item.length)) return false;
    for (let get = nextGet(2, argc); get < argc; get = nextGet(get + 1, argc)) {
      const isThere = resolve(get, item);
      if (!push(result, state.memberPtr, isThere ? state.memberLength : 0)) return false;
    }
  }
  return true;
}

function push(result: Entry, ptr: usize, length: u32): bool {
  return expectElements(result, length, 1) && listPush(result, End.Back, ptr, length);
}

function storeList(result: Entry): bool {
  const key = argPtr(request.store);
  const length = argLength(request.store);
  forgetLookup();
  const existing = find(key, length, Find.Write);
  const encoding = encodingOf(result);
  return putCollection(existing, key, length, Type.List, encoding, result.value, 0) !== null;
}
