/** Commands that count. https://redis.io/docs/latest/commands/incr/ and its relatives. */
import { Address, Cmd, KeyEvent } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { deadlineOf, Entry } from "../keyspace/entry";
import { Find, find } from "../keyspace/keyspace";
import { putInteger, putText } from "../keyspace/strings";
import { add, Extended, formatExtended, parseExtended, setInteger } from "../memory/extended";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import { integerOf, isInteger, isString, stringBytes, stringLength } from "../types/string";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const DIGITS: usize = Address.Scratch + ScratchArea.Digits;

function addTo(by: i64): void {
  const key = argPtr(1);
  const length = argLength(1);
  const existing = find(key, length, Find.Write);
  let value: i64 = 0;
  if (existing !== null) {
    if (!isString(existing)) return reply.wrongType();
    if (isInteger(existing)) value = integerOf(existing);
    else if (parseInt64(stringBytes(existing), stringLength(existing), NUMBER))
      value = load<i64>(NUMBER);
    else return reply.notInteger();
  }
  if (by >= 0 ? value > i64.MAX_VALUE - by : value < i64.MIN_VALUE - by)
    return reply.error("ERR increment or decrement would overflow");
  const deadline = existing === null ? 0 : deadlineOf(existing);
  if (putInteger(existing, key, length, value + by, deadline) === null) return reply.noMemory();
  effects.changedKey(KeyEvent.Incrby, key, length);
  reply.integer(value + by);
}

export function incr(): void {
  addTo(1);
}

export function decr(): void {
  addTo(-1);
}

export function incrby(): void {
  if (!parseInt64(argPtr(2), argLength(2), NUMBER)) return reply.notInteger();
  addTo(load<i64>(NUMBER));
}

export function decrby(): void {
  if (!parseInt64(argPtr(2), argLength(2), NUMBER)) return reply.notInteger();
  const by = load<i64>(NUMBER);
  if (by === i64.MIN_VALUE) return reply.error("ERR decrement would overflow");
  addTo(-by);
}

/** Reads the number at a key; one that is not there counts as 0. */
function readExtended(existing: Entry | null, to: Extended): bool {
  if (existing === null || isInteger(existing)) {
    setInteger(to, existing === null ? 0 : integerOf(existing));
    return true;
  }
  return parseExtended(stringBytes(existing), stringLength(existing), to);
}

/** https://redis.io/docs/latest/commands/incrbyfloat/ */
export function incrbyfloat(): void {
  const key = argPtr(1);
  const length = argLength(1);
  const existing = find(key, length, Find.Write);
  if (existing !== null && !isString(existing)) return reply.wrongType();
  const value = changetype<Extended>(NUMBER);
  const amount = changetype<Extended>(NUMBER + offsetof<Extended>());
  if (!readExtended(existing, value) || !parseExtended(argPtr(2), argLength(2), amount))
    return reply.error("ERR value is not a valid float");
  if (!add(value, amount)) return reply.error("ERR increment would produce NaN or Infinity");
  const digits = formatExtended(value, DIGITS);
  const deadline = existing === null ? 0 : deadlineOf(existing);
  if (putText(existing, key, length, DIGITS, digits, deadline) === null) return reply.noMemory();
  effects.changedKey(KeyEvent.Incrbyfloat, key, length);
  // The sum, so that it does not depend on who adds.
  if (effects.begin(Cmd.Set, 3)) {
    effects.word(key, length);
    effects.word(DIGITS, digits);
    effects.text("KEEPTTL");
  }
  reply.bulk(DIGITS, digits);
}
