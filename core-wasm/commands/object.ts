/**
 * What a key's value is inside: OBJECT, MEMORY USAGE. https://redis.io/docs/latest/commands/object-encoding/ and its
 * relatives.
 */
import { Address, EvictionPolicy } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import { counterNow, countsUses, idleSeconds } from "../keyspace/clock";
import { Entry } from "../keyspace/entry";
import { Find, find, findStored } from "../keyspace/keyspace";
import { usableBytes } from "../memory/allocator";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import { integerOf, isInteger, isString } from "../types/string";
import { encodingName, valueBytes } from "../types/value";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument;

/** Redis keeps one object for each of these integers, unless a policy needs a clock for each key. */
const SHARED_INTEGERS: u64 = 10_000;
const SHARED_REFERENCES: i64 = i32.MAX_VALUE;

/** The entry of word 2, or null after nil was answered. Looking is no access. */
function findObject(): Entry | null {
  const entry = find(argPtr(2), argLength(2), Find.NoTouch | Find.NoEvent);
  if (entry === null) reply.nil();
  return entry;
}

export function encoding(): void {
  const entry = findObject();
  if (entry !== null) reply.bulkText(encodingName(entry));
}

export function freq(): void {
  const entry = findObject();
  if (entry === null) return;
  if (!countsUses())
    return reply.error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    );
  reply.integer(counterNow(entry));
}

export function idletime(): void {
  const entry = findObject();
  if (entry === null) return;
  if (countsUses())
    return reply.error(
      "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
    );
  reply.integer(idleSeconds(entry));
}

/** Whether MEMORY USAGE's options are right; an error was answered if not. Nothing is sampled: the bytes are exact. */
function samplesOption(argc: u32): bool {
  for (let i: u32 = 3; i < argc; i += 2) {
    if (argWord(i) !== Word.SAMPLES || i + 1 === argc) {
      reply.syntaxError();
      return false;
    }
    if (!parseInt64(argPtr(i + 1), argLength(i + 1), NUMBER)) {
      reply.notInteger();
      return false;
    }
    if (load<i64>(NUMBER) < 0) {
      reply.syntaxError();
      return false;
    }
  }
  return true;
}

/** MEMORY USAGE key [SAMPLES count]: what used_memory would lose with the key. O(blocks of the value) */
export function memoryUsage(argc: u32): void {
  if (!samplesOption(argc)) return;
  const entry = findStored(argPtr(2), argLength(2));
  if (entry === null) return reply.nil();
  reply.integer(<i64>(usableBytes(changetype<usize>(entry)) + valueBytes(entry)));
}

/** Whether a policy in force sorts keys by use. */
function sortsByUse(): bool {
  const policy = state.policy;
  return (
    state.maxBytes !== 0 &&
    (policy === EvictionPolicy.AllKeysLru || policy === EvictionPolicy.VolatileLru || countsUses())
  );
}

/** Nothing is shared here; the small integers that Redis shares answer what they answer there. */
export function refcount(): void {
  const entry = findObject();
  if (entry === null) return;
  const shared =
    isString(entry) && isInteger(entry) && <u64>integerOf(entry) < SHARED_INTEGERS && !sortsByUse();
  reply.integer(shared ? SHARED_REFERENCES : 1);
}
