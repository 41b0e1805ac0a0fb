/** HRANDFIELD and HSCAN. https://redis.io/docs/latest/commands/hrandfield/ https://redis.io/docs/latest/commands/hscan/ */
import { argIs } from "../argv";
import { Encoding, Entry, encodingOf } from "../keyspace/entry";
import { Find } from "../keyspace/keyspace";
import { nextRef } from "../keyspace/table-walk";
import { alloc, free } from "../memory/allocator";
import * as reply from "../reply";
import { ensure, io, random64, state } from "../state";
import {
  beginFields,
  fieldRef,
  isDue,
  liveCount,
  nextLiveField,
  randomField,
  readField,
} from "../types/hash";
import { hashCount, tableOfHash } from "../types/hash-form";
import { findHash } from "./hashes";
import { choiceCount, isChosen, isFew, noteDrawn, readChoiceCount } from "./member-choice";
import { dropFound, foundRef, isScanned, replyCursor, scanTable } from "./member-scan";
import { readCursor, readScanOption, scanFault } from "./scan-arguments";

/** While fewer than one field in so many is not due, fields are not drawn from all. */
const LIVE_SHARE: u32 = 8;

// ---- HRANDFIELD

export function hrandfield(argc: u32): void {
  if (argc >= 3) return hrandfieldCount(argc);
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  if (hash === null) return reply.nil();
  randomField(hash);
  reply.bulk(state.memberPtr, state.memberLength);
}

function hrandfieldCount(argc: u32): void {
  if (!readChoiceCount()) return;
  const count = choiceCount();
  if (argc > 4 || (argc === 4 && !argIs(3, "withvalues"))) return reply.syntaxError();
  const withValues = argc === 4;
  if (withValues && (count < -i64.MAX_VALUE / 2 || count > i64.MAX_VALUE / 2))
    return reply.error("ERR value is out of range");
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  if (hash === null || count === 0) return reply.array(0);
  if (count < 0) {
    replyHead(-count, withValues);
    return drawAny(hash, -count, withValues);
  }
  const size = liveCount(hash);
  if (count >= <i64>size) return replyAll(hash, withValues);
  replyHead(count, withValues);
  if (isFew(<u64>count, size) && encodingOf(hash) === Encoding.Table && !isMostlyDue(hash))
    drawFew(hash, <u32>count, withValues);
  else chooseWalking(hash, <u32>count, withValues);
}

/** So many fields follow: with values pairs of them in RESP3, one list in RESP2. */
function replyHead(count: i64, withValues: bool): void {
  reply.array(<u32>(withValues && io().protocol === 2 ? count << 1 : count));
}

/** Answers the field in hand. */
function replyField(withValue: bool): void {
  if (withValue && io().protocol === 3) reply.array(2);
  reply.bulk(state.memberPtr, state.memberLength);
  if (withValue) reply.bulk(state.valuePtr, state.valueLength);
}

function replyAll(hash: Entry, withValues: bool): void {
  replyHead(liveCount(hash), withValues);
  beginFields(hash);
  while (nextLiveField()) replyField(withValues);
}

/** So few fields of a large hash are not due that drawing would seldom meet one. */
function isMostlyDue(hash: Entry): bool {
  return encodingOf(hash) === Encoding.Table && liveCount(hash) < hashCount(hash) / LIVE_SHARE;
}

/** Answers fields, each of which may come again. O(count), and the hash's size if it is mostly due */
function drawAny(hash: Entry, count: i64, withValues: bool): void {
  const live = liveCount(hash);
  const refs: usize = isMostlyDue(hash) ? gatherLive(hash, live) : 0;
  for (let i: i64 = 0; i < count; i++) {
    if (refs === 0) randomField(hash);
    else readField(load<u32>(refs + ((<usize>(random64() % <u64>live)) << 2)));
    replyField(withValues);
  }
  if (refs !== 0) free(refs);
}

/** The blocks of the fields that are not due, a u32 each, in a run of the heap. @returns 0 = no memory. O(size) */
function gatherLive(hash: Entry, live: u32): usize {
  const refs = alloc(live << 2);
  if (refs === 0) return 0;
  const table = tableOfHash(hash);
  let found: u32 = 0;
  state.walkPosition = 0;
  for (let ref = nextRef(table, 0); ref !== 0; ref = nextRef(table, state.walkPosition)) {
    readField(ref);
    if (isDue(state.fieldDeadline)) continue;
    ensure(found < live, 910, live);
    store<u32>(refs + ((<usize>found) << 2), ref);
    found += 1;
  }
  return refs;
}

/** Draws until enough different fields are found. O(count^2), count small */
function drawFew(hash: Entry, count: u32, withValues: bool): void {
  for (let drawn: u32 = 0; drawn < count; ) {
    const ref = fieldRef(hash);
    readField(ref);
    if (isDue(state.fieldDeadline) || !noteDrawn(ref, drawn)) continue;
    drawn += 1;
    replyField(withValues);
  }
}

/** Walks once and takes each field with the chance that makes all choices equally likely. O(size) */
function chooseWalking(hash: Entry, count: u32, withValues: bool): void {
  let left = liveCount(hash);
  let wanted = count;
  beginFields(hash);
  while (wanted > 0 && nextLiveField()) {
    if (isChosen(wanted, left)) {
      replyField(withValues);
      wanted -= 1;
    }
    left -= 1;
  }
}

// ---- HSCAN

/** Reads the options of HSCAN from word 3 on. @returns whether values are wanted; an error may have been answered */
function readOptions(argc: u32): bool {
  let withValues = true;
  for (let i: u32 = 3; i < argc; i++) {
    if (argIs(i, "novalues")) {
      withValues = false;
      continue;
    }
    if (i + 1 >= argc || !readScanOption(i)) {
      scanFault();
      break;
    }
    i += 1;
  }
  return withValues;
}

export function hscan(argc: u32): void {
  if (!readCursor(2)) return;
  const hash = findHash(Find.None);
  if (reply.isFailed()) return;
  // As in Redis, nobody looks at the options of a key that is missing.
  if (hash === null) {
    replyCursor(0);
    return reply.array(0);
  }
  const withValues = readOptions(argc);
  if (reply.isFailed()) return;
  if (encodingOf(hash) === Encoding.Table) return scanFields(hash, withValues);
  replyCursor(0);
  const wanted = scanCompact(hash, false, withValues);
  reply.array(withValues ? wanted << 1 : wanted);
  scanCompact(hash, true, withValues);
}

function replyScanned(withValue: bool): void {
  reply.bulk(state.memberPtr, state.memberLength);
  if (withValue) reply.bulk(state.valuePtr, state.valueLength);
}

/** Walks a packed hash; the wanted fields are answered, or only counted. */
function scanCompact(hash: Entry, answer: bool, withValues: bool): u32 {
  let wanted: u32 = 0;
  beginFields(hash);
  while (nextLiveField()) {
    if (!isScanned(state.memberPtr, state.memberLength)) continue;
    wanted += 1;
    if (answer) replyScanned(withValues);
  }
  return wanted;
}

function scanFields(hash: Entry, withValues: bool): void {
  const found = scanTable(tableOfHash(hash));
  let wanted: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    readField(foundRef(i));
    const isWanted = !isDue(state.fieldDeadline) && isScanned(state.memberPtr, state.memberLength);
    if (isWanted) wanted += 1;
    else dropFound(i);
  }
  replyCursor(state.walkPosition);
  reply.array(withValues ? wanted << 1 : wanted);
  for (let i: u32 = 0; i < found; i++) {
    if (foundRef(i) === 0) continue;
    readField(foundRef(i));
    replyScanned(withValues);
  }
}
