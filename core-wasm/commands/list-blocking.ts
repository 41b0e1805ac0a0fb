/** Popping from the first list that has elements, and waiting for one. https://redis.io/docs/latest/commands/blpop/ and its relatives */
import { Address, Cmd } from "../abi";
import { argIs, argLength, argPtr } from "../argv";
import { mayWait, readTimeoutSeconds, wait } from "../blocking";
import * as effects from "../effects";
import { Find } from "../keyspace/keyspace";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import { End } from "../types/list";
import { endArg, findList, integerArg, readAtLeast } from "./list-arguments";
import { moveFrom, popOne, popSome } from "./list-ends";

/** What LMPOP and BLMPOP ask for: u32 keys, u32 End, i64 elements. */
const ASKED: usize = Address.Scratch + ScratchArea.Argument + 64;

function askedKeys(): u32 {
  return load<u32>(ASKED);
}

function askedEnd(): End {
  return load<u32>(ASKED, 4);
}

/** Reads numkeys, which is word `index`, and what is behind the keys. @returns false after an error was answered */
function readAsked(index: u32, argc: u32): bool {
  if (!readAtLeast(index, 1, "ERR numkeys should be greater than 0")) return false;
  const keys = integerArg();
  if (keys >= <i64>argc - index - 1) {
    reply.syntaxError();
    return false;
  }
  const where = index + <u32>keys + 1;
  const end = endArg(where);
  if (end < 0) return false;
  store<u32>(ASKED, <u32>keys);
  store<u32>(ASKED, end, 4);
  store<i64>(ASKED, 1, 8);
  if (where + 1 === argc) return true;
  if (where + 3 > argc || !argIs(where + 1, "count")) {
    reply.syntaxError();
    return false;
  }
  if (!readAtLeast(where + 2, 1, "ERR count should be greater than 0")) return false;
  store<i64>(ASKED, integerArg(), 8);
  if (where + 3 < argc) reply.syntaxError();
  return !reply.isFailed();
}

/** Serves the first list of the keys from word `first` on. @returns false = none has an element; an error may have been answered */
function popAsked(first: u32): bool {
  for (let i = first; i < first + askedKeys(); i++) {
    const entry = findList(i, Find.Write);
    if (reply.isFailed()) return true;
    if (entry === null) continue;
    reply.array(2);
    reply.bulk(argPtr(i), argLength(i));
    const taken = popSome(entry, i, askedEnd(), load<i64>(ASKED, 8));
    if (effects.begin(askedEnd() === End.Front ? Cmd.LPop : Cmd.RPop, 2)) {
      effects.word(argPtr(i), argLength(i));
      effects.number(taken);
    }
    return true;
  }
  return false;
}

/** LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count] */
export function lmpop(argc: u32): void {
  if (readAsked(1, argc) && !popAsked(2)) reply.nilArray();
}

/** BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count] */
export function blmpop(argc: u32): void {
  if (!readAsked(2, argc) || !readTimeoutSeconds(1)) return;
  if (!popAsked(3)) waitForKey();
}

function waitForKey(): void {
  if (mayWait()) wait();
  else reply.nilArray();
}

/** BLPOP, BRPOP key [key ...] timeout */
export function popOrWait(end: End, argc: u32): void {
  if (!readTimeoutSeconds(argc - 1)) return;
  for (let i: u32 = 1; i < argc - 1; i++) {
    const entry = findList(i, Find.Write);
    if (reply.isFailed()) return;
    if (entry === null) continue;
    reply.array(2);
    reply.bulk(argPtr(i), argLength(i));
    popOne(entry, i, end);
    if (effects.begin(end === End.Front ? Cmd.LPop : Cmd.RPop, 1))
      effects.word(argPtr(i), argLength(i));
    return;
  }
  waitForKey();
}

/** BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout */
export function blmove(): void {
  const from = endArg(3);
  if (from < 0) return;
  const to = endArg(4);
  if (to < 0 || !readTimeoutSeconds(5)) return;
  if (moveOrWait(from, to) && effects.begin(Cmd.LMove, 4))
    for (let i: u32 = 1; i <= 4; i++) effects.word(argPtr(i), argLength(i));
}

/** BRPOPLPUSH source destination timeout */
export function brpoplpush(): void {
  if (!readTimeoutSeconds(3)) return;
  if (moveOrWait(End.Back, End.Front) && effects.begin(Cmd.RPopLPush, 2))
    for (let i: u32 = 1; i <= 2; i++) effects.word(argPtr(i), argLength(i));
}

/** @returns whether an element was moved */
function moveOrWait(from: End, to: End): bool {
  const source = findList(1, Find.Write);
  if (reply.isFailed()) return false;
  if (source !== null) {
    moveFrom(source, from, to);
    return !reply.isFailed();
  }
  if (mayWait()) wait();
  else reply.nil();
  return false;
}
