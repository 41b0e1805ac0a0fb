/** Strings as rows of bits. https://redis.io/docs/latest/commands/?group=bitmap */
import { Address, IoFlag, KeyEvent } from "../abi";
import { argIs, argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { Entry } from "../keyspace/entry";
import { Find, find } from "../keyspace/keyspace";
import { insertZeros, openString } from "../keyspace/strings";
import { countOnes, findOther } from "../memory/bits";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea, state } from "../state";
import { isString, stringBytes, stringLength } from "../types/string";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const NO_BIT: i64 = -1;

/**
 * Reads a bit offset, or answers that it is none; beyond the longest string there is none for a client, only for a log.
 * @returns the offset, NO_BIT after the answer
 */
export function offsetArg(ptr: usize, length: u32, factor: i64): i64 {
  if (parseInt64(ptr, length, NUMBER)) {
    const offset = load<i64>(NUMBER) * factor;
    const isFar = offset >> 3 >= <i64>state.maxStringBytes && (io().flags & IoFlag.Replay) === 0;
    if (offset >= 0 && !isFar) return offset;
  }
  reply.error("ERR bit offset is not an integer or out of range");
  return NO_BIT;
}

/** The string at key 1, opened to be changed up to bit `offset`. @returns null = no memory, nothing changed */
export function openBits(existing: Entry | null, offset: u64): Entry | null {
  const bytes = (offset >> 3) + 1;
  return existing === null
    ? insertZeros(argPtr(1), argLength(1), bytes)
    : openString(existing, bytes);
}

export function setbit(): void {
  const offset = offsetArg(argPtr(2), argLength(2), 1);
  if (offset === NO_BIT) return;
  const isInteger = parseInt64(argPtr(3), argLength(3), NUMBER);
  const bit = load<u64>(NUMBER);
  if (!isInteger || bit > 1) return reply.error("ERR bit is not an integer or out of range");
  const existing = find(argPtr(1), argLength(1), Find.Write);
  if (existing !== null && !isString(existing)) return reply.wrongType();
  const byte = <u64>offset >> 3;
  const grows = existing === null || <u64>stringLength(existing) <= byte;
  const entry = openBits(existing, offset);
  if (entry === null) return reply.noMemory();
  const at = stringBytes(entry) + <usize>byte;
  const shift = 7 - (<u32>offset & 7);
  const value = <u32>load<u8>(at);
  const old = (value >> shift) & 1;
  if (grows || old !== <u32>bit) {
    store<u8>(at, value ^ ((old ^ <u32>bit) << shift));
    effects.changedKey(KeyEvent.Setbit, argPtr(1), argLength(1));
  }
  reply.integer(old);
}

export function getbit(): void {
  const offset = offsetArg(argPtr(2), argLength(2), 1);
  if (offset === NO_BIT) return;
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.integer(0);
  if (!isString(entry)) return reply.wrongType();
  const byte = <u64>offset >> 3;
  if (byte >= <u64>stringLength(entry)) return reply.integer(0);
  reply.integer((load<u8>(stringBytes(entry) + <usize>byte) >> (7 - (<u32>offset & 7))) & 1);
}

/** A range of bits, both ends included; in scratch. */
@final
@unmanaged
class BitRange {
  start: i64;
  end: i64;
}
const range = changetype<BitRange>(Address.Scratch + ScratchArea.Argument + 16);
const START: usize = Address.Scratch + ScratchArea.Argument + 16 + offsetof<BitRange>("start");
const END: usize = Address.Scratch + ScratchArea.Argument + 16 + offsetof<BitRange>("end");

enum Unit {
  Byte,
  Bit,
  Bad,
}

/** The unit that word `index` names; bytes if it is not there. */
function unitArg(index: u32, argc: u32): Unit {
  if (index >= argc || argIs(index, "byte")) return Unit.Byte;
  return argIs(index, "bit") ? Unit.Bit : Unit.Bad;
}

/** Makes the range, which counts in units and from the end if negative, one of bits of a string. */
function settleRange(length: u32, unit: Unit): void {
  const units = unit === Unit.Bit ? (<i64>length) << 3 : <i64>length;
  let start = range.start;
  let end = range.end;
  if (start < 0) start = max<i64>(start + units, 0);
  if (end < 0) end = max<i64>(end + units, 0);
  end = min<i64>(end, units - 1);
  range.start = unit === Unit.Bit ? start : start > end ? 1 : start << 3;
  range.end = unit === Unit.Bit ? end : start > end ? 0 : (end << 3) + 7;
}

/** Ones of the first byte of a range, and of those behind it. */
function maskFrom(bit: i64): u32 {
  return 0xff >> (<u32>bit & 7);
}

function maskTo(bit: i64): u32 {
  return 0xff & (0xff00 >> ((<u32>bit & 7) + 1));
}

export function bitcount(argc: u32): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.integer(0);
  if (!isString(entry)) return reply.wrongType();
  const length = stringLength(entry);
  const bytes = stringBytes(entry);
  if (argc === 2) return reply.integer(countOnes(bytes, length));
  if (argc !== 4 && argc !== 5) return reply.syntaxError();
  if (!parseInt64(argPtr(2), argLength(2), START) || !parseInt64(argPtr(3), argLength(3), END))
    return reply.notInteger();
  if (range.start < 0 && range.end < 0 && range.start > range.end) return reply.integer(0);
  const unit = unitArg(4, argc);
  if (unit === Unit.Bad) return reply.syntaxError();
  settleRange(length, unit);
  if (range.start > range.end) return reply.integer(0);
  const first = bytes + <usize>(range.start >> 3);
  const last = bytes + <usize>(range.end >> 3);
  let count = countOnes(first, <u32>(last - first + 1));
  count -= popcnt(<u32>load<u8>(first) & ~maskFrom(range.start));
  count -= popcnt(<u32>load<u8>(last) & ~maskTo(range.end));
  reply.integer(count);
}

export function bitpos(argc: u32): void {
  if (!parseInt64(argPtr(2), argLength(2), NUMBER)) return reply.notInteger();
  const bit = load<u64>(NUMBER);
  if (bit > 1) return reply.error("ERR The bit argument must be 1 or 0.");
  const entry = find(argPtr(1), argLength(1), Find.None);
  // What is missing is zeros without end.
  if (entry === null) return reply.integer(bit === 0 ? 0 : NO_BIT);
  if (!isString(entry)) return reply.wrongType();
  if (argc > 6) return reply.syntaxError();
  range.start = 0;
  range.end = -1;
  if (argc > 3 && !parseInt64(argPtr(3), argLength(3), START)) return reply.notInteger();
  const unit = unitArg(5, argc);
  if (unit === Unit.Bad) return reply.syntaxError();
  if (argc > 4 && !parseInt64(argPtr(4), argLength(4), END)) return reply.notInteger();
  settleRange(stringLength(entry), unit);
  if (range.start > range.end) return reply.integer(NO_BIT);
  const found = positionOf(bit === 1, stringBytes(entry));
  if (found <= range.end) return reply.integer(found);
  // With no end given the zeros behind the string count too.
  reply.integer(bit === 0 && argc < 5 ? range.end + 1 : NO_BIT);
}

/** The first one, or zero, of the range, or a place behind it. */
function positionOf(one: bool, bytes: usize): i64 {
  const skipped: u8 = one ? 0 : 0xff;
  const end = bytes + <usize>(range.end >> 3) + 1;
  let p = bytes + <usize>(range.start >> 3);
  let candidates = <u32>(load<u8>(p) ^ skipped) & maskFrom(range.start);
  if (candidates === 0) {
    p = findOther(p + 1, end, skipped);
    if (p >= end) return range.end + 1;
    candidates = load<u8>(p) ^ skipped;
  }
  return ((<i64>(p - bytes)) << 3) + clz(candidates << 24);
}
