/**
 * BITFIELD and BITFIELD_RO: integers of any width inside a string. https://redis.io/docs/latest/commands/bitfield/
 *
 * The operations are read twice: first to find what is wrong with them and how far they write, then one by one to be done.
 */
import { Address, Cmd, KeyEvent } from "../abi";
import { argIs, argLength, argPtr, argWord, Word } from "../argv";
import * as effects from "../effects";
import { Find, find } from "../keyspace/keyspace";
import { getField, setField } from "../memory/bits";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import { isString, stringBytes, stringLength } from "../types/string";
import { offsetArg, openBits } from "./bitmap";

enum Operation {
  Get,
  Set,
  IncrBy,
  None, // OVERFLOW, which holds for the operations behind it
  Bad, // an error was answered
}

enum Overflow {
  Wrap,
  Saturate,
  Fail,
}

/** The operation read last; in scratch. */
@final
@unmanaged
class Field {
  value: i64; // what is set or added
  offset: i64; // in bits
  result: i64; // what `fit` made of a value
  bits: u32;
  isSigned: bool;
  overflow: Overflow;
  words: u32; // that the operation takes
}
const FIELD: usize = Address.Scratch + ScratchArea.Argument + 64;
const field = changetype<Field>(FIELD);
const HASH: u8 = 35;
const LETTER_I: u8 = 105;
const LETTER_U: u8 = 117;

export function bitfield(command: u32, argc: u32): void {
  let writes = false;
  let count: u32 = 0;
  let lastBit: i64 = 0;
  field.overflow = Overflow.Wrap;
  for (let i: u32 = 2; i < argc; i += field.words) {
    const operation = readOperation(i, argc);
    if (operation === Operation.Bad) return;
    if (operation === Operation.None) continue;
    count += 1;
    if (operation === Operation.Get) continue;
    writes = true;
    lastBit = max(lastBit, field.offset + field.bits - 1);
  }
  if (!writes) return answerFields(argc, count);
  if (command === Cmd.BitFieldRo)
    return reply.error("ERR BITFIELD_RO only supports the GET subcommand");
  changeFields(argc, count, lastBit);
}

/** Reads the operation at word `index` into `field`, or answers what is wrong with it. */
function readOperation(index: u32, argc: u32): Operation {
  const left = argc - index - 1;
  const word = argWord(index);
  let operation = Operation.Bad;
  if (word === Word.GET && left >= 2) operation = Operation.Get;
  else if (word === Word.SET && left >= 3) operation = Operation.Set;
  else if (word === Word.INCRBY && left >= 3) operation = Operation.IncrBy;
  else if (left >= 1 && argIs(index, "overflow")) return readOverflow(index + 1);
  if (operation === Operation.Bad) {
    reply.syntaxError();
    return Operation.Bad;
  }
  if (!readType(index + 1) || !readOffset(index + 2)) return Operation.Bad;
  field.words = operation === Operation.Get ? 3 : 4;
  if (operation === Operation.Get) return operation;
  if (parseInt64(argPtr(index + 3), argLength(index + 3), FIELD + offsetof<Field>("value")))
    return operation;
  reply.notInteger();
  return Operation.Bad;
}

function readOverflow(index: u32): Operation {
  field.words = 2;
  const word = argWord(index);
  if (word === Word.WRAP) field.overflow = Overflow.Wrap;
  else if (word === Word.SAT) field.overflow = Overflow.Saturate;
  else if (word === Word.FAIL) field.overflow = Overflow.Fail;
  else {
    reply.error("ERR Invalid OVERFLOW type specified");
    return Operation.Bad;
  }
  return Operation.None;
}

/** i1 to i64, u1 to u63. */
function readType(index: u32): bool {
  const ptr = argPtr(index);
  const length = argLength(index);
  const sign: u8 = length === 0 ? 0 : load<u8>(ptr);
  field.isSigned = sign === LETTER_I;
  if ((field.isSigned || sign === LETTER_U) && parseInt64(ptr + 1, length - 1, FIELD)) {
    const bits = load<i64>(FIELD);
    if (bits >= 1 && bits <= (field.isSigned ? 64 : 63)) {
      field.bits = <u32>bits;
      return true;
    }
  }
  reply.error(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
  );
  return false;
}

/** In bits, or with a # in fields of this type. */
function readOffset(index: u32): bool {
  const ptr = argPtr(index);
  const length = argLength(index);
  const counted = length > 0 && load<u8>(ptr) === HASH;
  field.offset = counted ? offsetArg(ptr + 1, length - 1, field.bits) : offsetArg(ptr, length, 1);
  return field.offset >= 0;
}

function answerFields(argc: u32, count: u32): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry !== null && !isString(entry)) return reply.wrongType();
  const length = entry === null ? 0 : stringLength(entry);
  const bytes = entry === null ? 0 : stringBytes(entry);
  reply.array(count);
  for (let i: u32 = 2; i < argc; i += field.words)
    if (readOperation(i, argc) === Operation.Get) reply.integer(valueOf(bytes, length));
}

/** The field's value in a string. */
function valueOf(bytes: usize, length: u32): i64 {
  const value = getField(bytes, length, field.offset, field.bits);
  if (!field.isSigned) return value;
  const unused: u64 = 64 - field.bits;
  return <i64>(value << unused) >> unused;
}

function changeFields(argc: u32, count: u32, lastBit: i64): void {
  const existing = find(argPtr(1), argLength(1), Find.Write);
  if (existing !== null && !isString(existing)) return reply.wrongType();
  const grows = existing === null || <i64>stringLength(existing) <= lastBit >> 3;
  const entry = openBits(existing, lastBit);
  if (entry === null) return reply.noMemory();
  const bytes = stringBytes(entry);
  const length = stringLength(entry);
  let changes: u32 = 0;
  field.overflow = Overflow.Wrap;
  reply.array(count);
  for (let i: u32 = 2; i < argc; i += field.words) {
    const operation = readOperation(i, argc);
    if (operation === Operation.None) continue;
    const old = valueOf(bytes, length);
    if (operation === Operation.Get) {
      reply.integer(old);
      continue;
    }
    const isSet = operation === Operation.Set;
    const overflows = isSet ? fit(field.value, 0) : fit(old, field.value);
    if (overflows && field.overflow === Overflow.Fail) {
      reply.nil();
      continue;
    }
    setField(bytes, field.offset, field.bits, field.result);
    reply.integer(isSet ? old : field.result);
    if (grows || old !== field.result) changes += 1;
  }
  if (changes === 0) return;
  effects.changedKey(KeyEvent.Setbit, argPtr(1), argLength(1), changes);
}

/** Puts value + by, brought into the field's range as OVERFLOW says, into `result`. @returns whether it was out of it */
function fit(value: i64, by: i64): bool {
  return field.isSigned ? fitSigned(value, by) : fitUnsigned(value, by);
}

/** Leaves the sum's lowest bits, or the end of the range that was passed. */
function overflown(sum: u64, end: u64): bool {
  field.result = end;
  if (field.overflow !== Overflow.Wrap) return true;
  const unused: u64 = 64 - field.bits;
  const cut = sum << unused;
  field.result = field.isSigned ? <i64>cut >> unused : cut >> unused;
  return true;
}

function fitUnsigned(value: u64, by: i64): bool {
  const greatest: u64 = ((<u64>1) << field.bits) - 1;
  const sum = value + by;
  if (value > greatest || (by > 0 && <u64>by > greatest - value)) return overflown(sum, greatest);
  if (by < 0 && 0 - <u64>by > value) return overflown(sum, 0);
  field.result = sum;
  return false;
}

function fitSigned(value: i64, by: i64): bool {
  const greatest = i64.MAX_VALUE >> (64 - field.bits);
  const least = -greatest - 1;
  const sum = value + by;
  const isNarrow = field.bits < 64;
  // The differences wrap round, and in Redis too: a SET far enough below a narrow field saturates at its upper end.
  const isAbove = (isNarrow || (value >= 0 && by > 0)) && by > greatest - value;
  const isBelow = (isNarrow || (value < 0 && by < 0)) && by < least - value;
  if (value > greatest || isAbove) return overflown(sum, greatest);
  if (value < least || isBelow) return overflown(sum, least);
  field.result = sum;
  return false;
}
