/** HyperLogLog commands. https://redis.io/docs/latest/commands/?group=hyperloglog */
import { Address, IoFlag, KeyEvent } from "../abi";
import { argIs, argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { deadlineOf, Entry } from "../keyspace/entry";
import { Find, find } from "../keyspace/keyspace";
import { openString, putRaw } from "../keyspace/strings";
import { alloc, free } from "../memory/allocator";
import { formatUint64 } from "../memory/text";
import * as reply from "../reply";
import { io, ScratchArea } from "../state";
import {
  clearRow,
  copiedImage,
  estimate,
  HLL_HEADER_BYTES,
  HLL_REGISTERS,
  HLL_ROW,
  HLL_SPARSE_MOST_BYTES,
  Image,
  imageInPlace,
  isDense,
  isEstimateFresh,
  isHyperLogLog,
  isLongZeros,
  keepEstimate,
  keptEstimate,
  makeDense,
  newImage,
  Raise,
  raise,
  runBytes,
  runLength,
  runRank,
  see,
  spoilEstimate,
  unpack,
} from "../types/hyperloglog";
import { isString, stringBytes, stringLength } from "../types/string";

/** "v:32,4 ", the longest a run of one byte is told, and "Z:16384 ", that of two. */
const TOLD_RUN_BYTES: u32 = 8;
const SELF_TEST_ELEMENT: usize = Address.Scratch + ScratchArea.Argument + 0x400;
const SELF_TEST_ELEMENTS: u64 = 100_000;
/** The standard error of an estimate is 1.04 / sqrt(registers); beyond six times that something is broken. */
const SELF_TEST_ERROR: f64 = (6 * 1.04) / 128;

function corrupt(): void {
  reply.error("INVALIDOBJ Corrupted HLL object detected");
}

/** Whether a value is a HyperLogLog; the error is answered if it is not. */
function requireHyperLogLog(entry: Entry): bool {
  if (!isString(entry)) {
    reply.wrongType();
    return false;
  }
  if (isHyperLogLog(stringBytes(entry), stringLength(entry))) return true;
  reply.error("WRONGTYPE Key is not a valid HyperLogLog string value.");
  return false;
}

/** An image of a valid value to be changed, or a new one for none. @returns null after the error was answered */
function openImage(entry: Entry | null): Image | null {
  if (entry === null) return newImage();
  const length = stringLength(entry);
  if (!isDense(stringBytes(entry))) {
    if (length <= HLL_SPARSE_MOST_BYTES) return copiedImage(stringBytes(entry), length);
    corrupt();
    return null;
  }
  const opened = openString(entry, length);
  if (opened !== null) return imageInPlace(stringBytes(opened));
  reply.noMemory();
  return null;
}

/** Makes a changed image the value of key `index`, whose entry `openImage` was given. @returns false = no memory, answered */
function putImage(existing: Entry | null, index: u32, image: Image): bool {
  const isInPlace = existing !== null && image.at === <u32>stringBytes(existing);
  if (isInPlace) return true;
  const deadline = existing === null ? 0 : deadlineOf(existing);
  const key = argPtr(index);
  const put = putRaw(existing, key, argLength(index), image.at, image.length, deadline);
  if (put === null) reply.noMemory();
  return put !== null;
}

export function pfadd(argc: u32): void {
  const existing = find(argPtr(1), argLength(1), Find.Write);
  if (existing !== null && !requireHyperLogLog(existing)) return;
  const image = openImage(existing);
  if (image === null) return;
  let changes: u32 = existing === null ? 1 : 0;
  for (let i: u32 = 2; i < argc; i++) {
    const came = see(image, argPtr(i), argLength(i));
    if (came === Raise.Corrupt) return corrupt();
    if (came === Raise.Done) changes++;
  }
  if (changes === 0) return reply.integer(0);
  spoilEstimate(image.at);
  if (!putImage(existing, 1, image)) return;
  effects.changedKey(KeyEvent.Pfadd, argPtr(1), argLength(1), changes);
  reply.integer(1);
}

export function pfcount(argc: u32): void {
  if (argc === 2) return countOne();
  clearRow();
  for (let i: u32 = 1; i < argc; i++) {
    const entry = find(argPtr(i), argLength(i), Find.None);
    if (entry === null) continue;
    if (!requireHyperLogLog(entry)) return;
    if (!unpack(stringBytes(entry), stringLength(entry))) return corrupt();
  }
  reply.integer(estimate());
}

/** Answers from the estimate that the value keeps, or works it out and keeps it. */
function countOne(): void {
  const entry = find(argPtr(1), argLength(1), Find.None);
  if (entry === null) return reply.integer(0);
  if (!requireHyperLogLog(entry)) return;
  const length = stringLength(entry);
  if (isEstimateFresh(stringBytes(entry))) return reply.integer(keptEstimate(stringBytes(entry)));
  clearRow();
  if (!unpack(stringBytes(entry), length)) return corrupt();
  const count = estimate();
  reply.integer(count);
  if ((io().flags & IoFlag.WritesRefused) !== 0) return;
  const opened = openString(entry, length);
  if (opened === null) return;
  keepEstimate(stringBytes(opened), count);
  effects.changed();
  effects.touched(io().db, argPtr(1), argLength(1));
}

export function pfmerge(argc: u32): void {
  let hasDense = false;
  clearRow();
  for (let i: u32 = 1; i < argc; i++) {
    const entry = find(argPtr(i), argLength(i), i === 1 ? Find.Write : Find.None);
    if (entry === null) continue;
    if (!requireHyperLogLog(entry)) return;
    if (isDense(stringBytes(entry))) hasDense = true;
    if (!unpack(stringBytes(entry), stringLength(entry))) return corrupt();
  }
  const existing = find(argPtr(1), argLength(1), Find.Write);
  const row = alloc(HLL_REGISTERS);
  if (row === 0) return reply.noMemory();
  // To make an image dense the row in scratch is needed.
  memory.copy(row, HLL_ROW, HLL_REGISTERS);
  const image = openImage(existing);
  if (image !== null) mergeRow(row, image, existing, hasDense);
  free(row);
}

function mergeRow(row: usize, image: Image, existing: Entry | null, hasDense: bool): void {
  if (hasDense && !isDense(image.at) && !makeDense(image)) return corrupt();
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) {
    const rank = <u32>load<u8>(row + i);
    if (rank > 0 && raise(image, i, rank) === Raise.Corrupt) return corrupt();
  }
  spoilEstimate(image.at);
  if (!putImage(existing, 1, image)) return;
  effects.changedKey(KeyEvent.Pfadd, argPtr(1), argLength(1));
  reply.ok();
}

export function pfdebug(): void {
  const entry = find(argPtr(2), argLength(2), Find.Write);
  if (entry === null) return reply.error("ERR The specified key does not exist");
  if (!requireHyperLogLog(entry)) return;
  if (argIs(1, "getreg")) return tellRegisters(entry);
  if (argIs(1, "decode")) return tellRuns(entry);
  if (argIs(1, "encoding")) return reply.simple(isDense(stringBytes(entry)) ? "dense" : "sparse");
  if (argIs(1, "todense")) {
    const isSparse = !isDense(stringBytes(entry));
    if (isSparse && !toDense(entry)) return;
    return reply.integer(isSparse ? 1 : 0);
  }
  reply.errorAbout("ERR Unknown PFDEBUG subcommand '", argPtr(1), argLength(1), "'");
}

/** Makes a sparse value dense. @returns false after the error was answered */
function toDense(entry: Entry): bool {
  const image = openImage(entry);
  if (image === null) return false;
  if (!makeDense(image)) {
    corrupt();
    return false;
  }
  if (!putImage(entry, 2, image)) return false;
  effects.changed();
  return true;
}

function tellRegisters(entry: Entry): void {
  clearRow();
  if (!unpack(stringBytes(entry), stringLength(entry))) return corrupt();
  if (!isDense(stringBytes(entry)) && !toDense(entry)) return;
  reply.array(HLL_REGISTERS);
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) reply.integer(load<u8>(HLL_ROW + i));
}

/** Answers the runs of a sparse value: z and Z for zeros of one byte and of two, v for others with rank and number. */
function tellRuns(entry: Entry): void {
  const bytes = stringBytes(entry);
  if (isDense(bytes)) return reply.error("ERR HLL encoding is not sparse");
  const length = stringLength(entry);
  const text = alloc((length - HLL_HEADER_BYTES) * TOLD_RUN_BYTES + 1);
  if (text === 0) return reply.noMemory();
  let at = text;
  for (let p = bytes + HLL_HEADER_BYTES; p < bytes + length; p += runBytes(p)) {
    const rank = runRank(p);
    if (at > text) at = append(at, 0x20);
    at = append(append(at, rank > 0 ? 0x76 : isLongZeros(p) ? 0x5a : 0x7a), 0x3a);
    if (rank > 0) {
      at += formatUint64(rank, at);
      at = append(at, 0x2c);
    }
    at += formatUint64(runLength(p), at);
  }
  reply.bulk(text, <u32>(at - text));
  free(text);
}

function append(at: usize, letter: u8): usize {
  store<u8>(at, letter);
  return at + 1;
}

/** Shows the code that it still counts: what a sparse image that turns dense and the row tell is near the truth, and the same. */
export function pfselftest(): void {
  const image = newImage();
  let next: u64 = 1;
  for (let seen: u64 = 1; seen <= SELF_TEST_ELEMENTS; seen++) {
    store<u64>(SELF_TEST_ELEMENT, seen * 0x9e3779b97f4a7c15);
    see(image, SELF_TEST_ELEMENT, 8);
    if (seen !== next) continue;
    next *= 10;
    clearRow();
    const isWhole = unpack(image.at, image.length);
    const error = Math.abs(<f64>(<i64>estimate() - <i64>seen));
    if (!isWhole || error > Math.ceil(<f64>seen * SELF_TEST_ERROR))
      return reply.error("TESTFAILED the estimate is wrong beyond six standard errors");
  }
  if (!isDense(image.at)) return reply.error("TESTFAILED so many elements need a dense image");
  reply.ok();
}
