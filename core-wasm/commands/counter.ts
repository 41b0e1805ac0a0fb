/** Commands that count. https://redis.io/docs/latest/commands/incr/ and its relatives. */
import { Address, KeyEvent } from "../abi";
import { argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { deadlineOf } from "../keyspace/entry";
import { Find, find } from "../keyspace/keyspace";
import { putInteger } from "../keyspace/strings";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import { integerOf, isInteger, isString, stringBytes, stringLength } from "../types/string";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

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
