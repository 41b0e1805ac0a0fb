/** BITOP. The result is built aside, so that its place may be one of its sources. https://redis.io/docs/latest/commands/bitop/ */
import { Address, KeyEvent } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { Find, find, removeEntry } from "../keyspace/keyspace";
import { putBlock, putRaw } from "../keyspace/strings";
import { alloc, free } from "../memory/allocator";
import { BitOperation, combine, invert } from "../memory/bits";
import { formatInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import {
  EMBEDDED_MAX_BYTES,
  EXTERNAL_HEADER_BYTES,
  integerOf,
  isInteger,
  isString,
  newExternal,
  stringBytes,
  stringLength,
} from "../types/string";

/** A source: where its bytes are and how many, 0 for a missing key; the digits of an integer are kept here. */
@final
@unmanaged
class Source {
  ptr: u32;
  length: u32;
  digits0: u64;
  digits1: u64;
  digits2: u64;
}

const DIGITS: usize = offsetof<Source>("digits0");
const NOT: u32 = 0x100;
const BAD: u32 = 0x200;
const FIRST_SOURCE: u32 = 3;
/** Results that lie behind their key are built here. */
const SHORT_RESULT: usize = Address.Scratch + ScratchArea.Found;
/** Sources are combined so many bytes at a time, while the result is in the cache. */
const STRETCH_BYTES: u32 = 16384;

function operationArg(): u32 {
  const word = argWord(1);
  if (word === Word.AND) return BitOperation.And;
  if (word === Word.OR) return BitOperation.Or;
  if (word === Word.XOR) return BitOperation.Xor;
  return word === Word.NOT ? NOT : BAD;
}

function sourceAt(sources: usize, index: u32): Source {
  return changetype<Source>(sources + <usize>index * offsetof<Source>());
}

export function bitop(argc: u32): void {
  const operation = operationArg();
  if (operation === BAD) return reply.syntaxError();
  if (operation === NOT && argc !== 4)
    return reply.error("ERR BITOP NOT must be called with a single source key.");
  const count = argc - FIRST_SOURCE;
  const sources = alloc(count * offsetof<Source>());
  if (sources === 0) return reply.noMemory();
  if (findSources(sources, count)) storeResult(operation, sources, count);
  free(sources);
}

/** Fills the list of sources. @returns false after the error was answered that one of them is no string */
function findSources(sources: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const source = sourceAt(sources, i);
    const entry = find(argPtr(FIRST_SOURCE + i), argLength(FIRST_SOURCE + i), Find.None);
    source.length = 0;
    if (entry === null) continue;
    if (!isString(entry)) {
      reply.wrongType();
      return false;
    }
    source.length = stringLength(entry);
    source.ptr = <u32>stringBytes(entry);
    if (!isInteger(entry)) continue;
    source.ptr = <u32>(changetype<usize>(source) + DIGITS);
    formatInt64(integerOf(entry), source.ptr);
  }
  return true;
}

function storeResult(operation: u32, sources: usize, count: u32): void {
  let length: u32 = 0;
  for (let i: u32 = 0; i < count; i++) length = max(length, sourceAt(sources, i).length);
  const key = argPtr(2);
  const keyLength = argLength(2);
  if (length === 0) {
    const existing = find(key, keyLength, Find.Write);
    if (existing !== null) {
      removeEntry(existing);
      effects.changedKey(KeyEvent.Del, key, keyLength);
    }
    return reply.integer(0);
  }
  const isShort = length <= EMBEDDED_MAX_BYTES;
  const block = isShort ? 0 : newExternal(length);
  if (!isShort && block === 0) return reply.noMemory();
  const result = isShort ? SHORT_RESULT : block + EXTERNAL_HEADER_BYTES;
  build(operation, sources, count, result, length);
  const existing = find(key, keyLength, Find.Write);
  const entry = isShort
    ? putRaw(existing, key, keyLength, result, length, 0)
    : putBlock(existing, key, keyLength, block, 0);
  if (entry === null) {
    if (block !== 0) free(block);
    return reply.noMemory();
  }
  effects.changedKey(KeyEvent.Set, key, keyLength);
  reply.integer(length);
}

/** O(length * sources) */
function build(operation: u32, sources: usize, count: u32, result: usize, length: u32): void {
  for (let from: u32 = 0; from < length; from += STRETCH_BYTES) {
    const bytes = min(STRETCH_BYTES, length - from);
    memory.fill(result + from, 0, bytes);
    for (let i: u32 = 0; i < count; i++) {
      const source = sourceAt(sources, i);
      const there = source.length <= from ? 0 : min(bytes, source.length - from);
      // Beyond its end a source is zeros.
      if (i > 0 && operation === BitOperation.And)
        memory.fill(result + from + there, 0, bytes - there);
      // Nothing may be copied from there: the address may be none.
      if (there === 0) continue;
      if (i === 0) memory.copy(result + from, source.ptr + from, there);
      else combine(operation, result + from, source.ptr + from, there);
    }
  }
  if (operation === NOT) invert(result, length);
}
