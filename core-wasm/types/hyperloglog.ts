/**
 * HyperLogLog: an estimate of how many distinct elements were seen, kept in a string of Redis's own layout.
 *
 *   0 "HYLL" |4 u8 HllEncoding |5 u8[3] 0 |8 u64 the last estimate, bit 63 = stale |16 registers
 *
 * 16384 registers of 6 bits. Dense: one after the other, from the low bit of each byte on. Sparse: runs of equal registers,
 *   00nnnnnn            n+1 zeros
 *   01nnnnnn nnnnnnnn   n+1 zeros
 *   1rrrrrnn            n+1 registers of r+1
 * An image is such a string under work, in scratch (sparse) or where it lies (dense). An unpacked row has a byte a register.
 * Estimator: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6.
 */
import { Address, Limit } from "../abi";
import { limit, ScratchArea } from "../state";

export const HLL_REGISTERS: u32 = 16384;
export const HLL_HEADER_BYTES: u32 = 16;
export const HLL_DENSE_BYTES: u32 = 12304;
/** No sparse image of that many registers is longer, however wastefully written. */
export const HLL_SPARSE_MOST_BYTES: u32 = HLL_HEADER_BYTES + 2 * HLL_REGISTERS;

export enum HllEncoding {
  Dense = 0,
  Sparse = 1,
}

/** What came of raising a register. */
export enum Raise {
  None,
  Done,
  Corrupt,
}

/** A string under work: where its bytes are, and how many. */
@final
@unmanaged
export class Image {
  at: u32;
  length: u32;
}

const MAGIC: u32 = 0x4c4c5948;
const INDEX_BITS: u64 = 14;
const RANK_BITS: i32 = 50;
const SPARSE_MAX_RANK: u32 = 32;
const MAX_ZEROS: u32 = 64;
const MAX_EQUAL: u32 = 4;
/** Runs looked at for merging: those a split may have made, and one on either side. */
const MERGE_RUNS: u32 = 5;
/** 1 / (2 ln 2). */
const ALPHA: f64 = 0.7213475204444817;

const theImage = changetype<Image>(Address.Scratch + ScratchArea.Argument);
const HISTOGRAM: usize = Address.Scratch + ScratchArea.Argument + 0x100;
const PIECES: usize = Address.Scratch + ScratchArea.Argument + 0x300;
const SPARSE_IMAGE: usize = Address.Scratch + ScratchArea.Found;
const DENSE_IMAGE: usize = SPARSE_IMAGE + 0xc000;
/** The unpacked row that `unpack` fills. */
export const HLL_ROW: usize = DENSE_IMAGE + 0x8000;

function encodingAt(at: usize): u32 {
  return load<u8>(at, 4);
}

export function isDense(at: usize): bool {
  return encodingAt(at) === HllEncoding.Dense;
}

/** Whether a string can be one: its header, and its length if it is dense. Registers may still be corrupt. */
export function isHyperLogLog(at: usize, length: u32): bool {
  if (length < HLL_HEADER_BYTES || load<u32>(at) !== MAGIC) return false;
  if (isDense(at)) return length === HLL_DENSE_BYTES;
  return encodingAt(at) === HllEncoding.Sparse;
}

export function isEstimateFresh(at: usize): bool {
  return load<i64>(at, 8) >= 0;
}

export function keptEstimate(at: usize): u64 {
  return load<u64>(at, 8);
}

export function keepEstimate(at: usize, estimate: u64): void {
  store<u64>(at, estimate, 8);
}

export function spoilEstimate(at: usize): void {
  store<u8>(at, load<u8>(at, 15) | 0x80, 15);
}

/** A new one, sparse and with nothing seen. */
export function newImage(): Image {
  theImage.at = <u32>SPARSE_IMAGE;
  store<u32>(SPARSE_IMAGE, MAGIC);
  store<u32>(SPARSE_IMAGE, HllEncoding.Sparse, 4);
  store<u64>(SPARSE_IMAGE, 0, 8);
  theImage.length = HLL_HEADER_BYTES + writeZeros(SPARSE_IMAGE + HLL_HEADER_BYTES, HLL_REGISTERS);
  return theImage;
}

/** A sparse one, copied to be changed. Its length is at most HLL_SPARSE_MOST_BYTES. */
export function copiedImage(at: usize, length: u32): Image {
  memory.copy(SPARSE_IMAGE, at, length);
  theImage.at = <u32>SPARSE_IMAGE;
  theImage.length = length;
  return theImage;
}

/** A dense one, to be changed where it lies. */
export function imageInPlace(at: usize): Image {
  theImage.at = <u32>at;
  theImage.length = HLL_DENSE_BYTES;
  return theImage;
}

/** MurmurHash64A, in little-endian words, with the seed that makes estimates mergeable with Redis's. O(length) */
export function elementHash(ptr: usize, length: u32): u64 {
  const factor: u64 = 0xc6a4a7935bd1e995;
  let h: u64 = 0xadc83b19 ^ (<u64>length * factor);
  const wordsEnd = ptr + (length & ~7);
  let p = ptr;
  for (; p < wordsEnd; p += 8) {
    let word = load<u64>(p) * factor;
    word = (word ^ (word >> 47)) * factor;
    h = (h ^ word) * factor;
  }
  const rest = length & 7;
  // Reads up to 7 bytes over the end, as input and heap allow.
  if (rest !== 0) h = (h ^ (load<u64>(p) & (~(<u64>0) >> (64 - (rest << 3))))) * factor;
  h = (h ^ (h >> 47)) * factor;
  return h ^ (h >> 47);
}

/** Sees an element. @returns None if it changes nothing */
export function see(image: Image, ptr: usize, length: u32): Raise {
  const hash = elementHash(ptr, length);
  const bits = (hash >> INDEX_BITS) | ((<u64>1) << RANK_BITS);
  return raise(image, <u32>hash & (HLL_REGISTERS - 1), <u32>ctz(bits) + 1);
}

/** Raises a register to `rank` if it is lower. A sparse image may become dense. O(1) dense, O(length) sparse */
export function raise(image: Image, index: u32, rank: u32): Raise {
  if (isDense(image.at)) return raiseDense(image.at, index, rank);
  return raiseSparse(image, index, rank);
}

/** Where the lowest bits of a dense register are. */
function denseByte(at: usize, index: u32): usize {
  return at + HLL_HEADER_BYTES + ((index * 6) >> 3);
}

function raiseDense(at: usize, index: u32, rank: u32): Raise {
  const byte = denseByte(at, index);
  const shift = (index * 6) & 7;
  const pair = <u32>load<u16>(byte);
  if (((pair >> shift) & 63) >= rank) return Raise.None;
  const changed = (pair & ~((<u32>63) << shift)) | (rank << shift);
  store<u8>(byte, <u8>changed);
  // The last register ends with its byte: nothing may be written behind it.
  if (shift > 2) store<u8>(byte, <u8>(changed >> 8), 1);
  return Raise.Done;
}

function isEqualRun(p: usize): bool {
  return (load<u8>(p) & 0x80) !== 0;
}

export function isLongZeros(p: usize): bool {
  return load<u8>(p) >> 6 === 1;
}

export function runBytes(p: usize): u32 {
  return isLongZeros(p) ? 2 : 1;
}

/** Registers that a run stands for. */
export function runLength(p: usize): u32 {
  const byte = <u32>load<u8>(p);
  if (isEqualRun(p)) return (byte & 3) + 1;
  if (isLongZeros(p)) return (((byte & 63) << 8) | load<u8>(p, 1)) + 1;
  return (byte & 63) + 1;
}

/** What each register of a run holds. */
export function runRank(p: usize): u32 {
  return isEqualRun(p) ? ((<u32>load<u8>(p) >> 2) & 31) + 1 : 0;
}

/** @returns bytes written */
function writeZeros(p: usize, count: u32): u32 {
  const n = count - 1;
  if (count <= MAX_ZEROS) {
    store<u8>(p, <u8>n);
    return 1;
  }
  store<u8>(p, <u8>(0x40 | (n >> 8)));
  store<u8>(p, <u8>n, 1);
  return 2;
}

/** @returns bytes written */
function writeEqual(p: usize, rank: u32, count: u32): u32 {
  store<u8>(p, <u8>(0x80 | ((rank - 1) << 2) | (count - 1)));
  return 1;
}

/** @returns bytes written, none for no registers */
function writeRun(p: usize, rank: u32, count: u32): u32 {
  if (count === 0) return 0;
  return rank === 0 ? writeZeros(p, count) : writeEqual(p, rank, count);
}

function raiseSparse(image: Image, index: u32, rank: u32): Raise {
  if (rank > SPARSE_MAX_RANK) return raiseAsDense(image, index, rank);
  const end: usize = image.at + image.length;
  let run: usize = image.at + HLL_HEADER_BYTES;
  let before = run;
  let first: u32 = 0;
  let count: u32 = 0;
  let bytes: u32 = 0;
  // What `runLength` and `runBytes` say, in one look: nearly all the time of an addition is spent here.
  for (; run < end; before = run, run += bytes, first += count) {
    const byte = <u32>load<u8>(run);
    bytes = 1;
    if (byte & 0x80) count = (byte & 3) + 1;
    else if (byte & 0x40) {
      count = (((byte & 63) << 8) | load<u8>(run, 1)) + 1;
      bytes = 2;
    } else count = (byte & 63) + 1;
    if (index < first + count) break;
  }
  if (run >= end || run + bytes > end) return Raise.Corrupt;
  const old = runRank(run);
  if (old >= rank) return Raise.None;
  if (count === 1 && bytes === 1) {
    writeEqual(run, rank, 1);
  } else {
    // The run is parted: what is before the register, the register, what is behind it.
    let pieces = PIECES;
    pieces += writeRun(pieces, old, index - first);
    pieces += writeEqual(pieces, rank, 1);
    pieces += writeRun(pieces, old, first + count - 1 - index);
    if (!replaceRun(image, run, <u32>(pieces - PIECES))) return raiseAsDense(image, index, rank);
  }
  mergeRuns(image, before);
  return Raise.Done;
}

/** Puts the pieces in the place of a run. @returns false if the image would be longer than sparse ones may be */
function replaceRun(image: Image, run: usize, bytes: u32): bool {
  const oldBytes = runBytes(run);
  const length = image.length + bytes - oldBytes;
  if (bytes > oldBytes && <i32>length > limit(Limit.HllSparseBytes)) return false;
  const behind = run + oldBytes;
  memory.copy(run + bytes, behind, image.at + image.length - behind);
  memory.copy(run, PIECES, bytes);
  image.length = length;
  return true;
}

/** Joins neighbours of equal rank, from the run before the changed one on. */
function mergeRuns(image: Image, from: usize): void {
  let end: usize = image.at + image.length;
  let run = from;
  for (let looked: u32 = 0; looked < MERGE_RUNS && run < end; looked++) {
    const next = run + 1;
    if (isEqualRun(run) && next < end && isEqualRun(next) && runRank(run) === runRank(next)) {
      const count = runLength(run) + runLength(next);
      if (count <= MAX_EQUAL) {
        writeEqual(next, runRank(next), count);
        memory.copy(run, next, end - next);
        end--;
        continue;
      }
    }
    run += runBytes(run);
  }
  image.length = <u32>(end - image.at);
}

function raiseAsDense(image: Image, index: u32, rank: u32): Raise {
  if (!makeDense(image)) return Raise.Corrupt;
  return raiseDense(image.at, index, rank);
}

/** Makes a sparse image dense, its header kept. @returns false if it is corrupt. O(registers) */
export function makeDense(image: Image): bool {
  clearRow();
  if (!unpack(image.at, image.length)) return false;
  memory.copy(DENSE_IMAGE, image.at, HLL_HEADER_BYTES);
  memory.fill(DENSE_IMAGE + HLL_HEADER_BYTES, 0, HLL_DENSE_BYTES - HLL_HEADER_BYTES);
  store<u8>(DENSE_IMAGE, HllEncoding.Dense, 4);
  for (let i: u32 = 0; i < HLL_REGISTERS; i++) raiseDense(DENSE_IMAGE, i, load<u8>(HLL_ROW + i));
  image.at = <u32>DENSE_IMAGE;
  image.length = HLL_DENSE_BYTES;
  return true;
}

export function clearRow(): void {
  memory.fill(HLL_ROW, 0, HLL_REGISTERS);
}

function raiseRow(index: u32, rank: u32): void {
  const place = HLL_ROW + index;
  if (<u32>load<u8>(place) < rank) store<u8>(place, <u8>rank);
}

/** Merges the registers of a valid string into the row: each has the greater of both. @returns false if it is corrupt. O(registers) */
export function unpack(at: usize, length: u32): bool {
  return isDense(at) ? unpackDense(at) : unpackSparse(at, length);
}

function unpackDense(at: usize): bool {
  let p = at + HLL_HEADER_BYTES;
  for (let i: u32 = 0; i < HLL_REGISTERS; i += 4, p += 3) {
    const four = load<u32>(p);
    raiseRow(i, four & 63);
    raiseRow(i + 1, (four >> 6) & 63);
    raiseRow(i + 2, (four >> 12) & 63);
    raiseRow(i + 3, (four >> 18) & 63);
  }
  return true;
}

function unpackSparse(at: usize, length: u32): bool {
  const end = at + length;
  let index: u32 = 0;
  for (let p = at + HLL_HEADER_BYTES; p < end; p += runBytes(p)) {
    const count = runLength(p);
    if (index + count > HLL_REGISTERS) return false;
    const rank = runRank(p);
    if (rank > 0) for (let i: u32 = 0; i < count; i++) raiseRow(index + i, rank);
    index += count;
  }
  return index === HLL_REGISTERS;
}

/** How many distinct elements the row has seen. O(registers) */
export function estimate(): u64 {
  memory.fill(HISTOGRAM, 0, 64 << 2);
  for (let i: usize = 0; i < HLL_REGISTERS; i++) {
    const cell = HISTOGRAM + ((<usize>load<u8>(HLL_ROW + i)) << 2);
    store<u32>(cell, load<u32>(cell) + 1);
  }
  const m = <f64>HLL_REGISTERS;
  let z = m * tau((m - countOf(RANK_BITS + 1)) / m);
  for (let rank = RANK_BITS; rank >= 1; rank--) z = (z + countOf(rank)) * 0.5;
  z += m * sigma(countOf(0) / m);
  return <u64>Math.floor((ALPHA * m * m) / z + 0.5);
}

function countOf(rank: i32): f64 {
  return <f64>load<u32>(HISTOGRAM + ((<usize>rank) << 2));
}

/** The paper's correction for registers that are full. */
function tau(share: f64): f64 {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y: f64 = 1;
  let z = 1 - x;
  let last: f64;
  do {
    x = Math.sqrt(x);
    last = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (last !== z);
  return z / 3;
}

/** The paper's correction for registers that are empty. */
function sigma(share: f64): f64 {
  if (share === 1) return Infinity;
  let x = share;
  let y: f64 = 1;
  let z = x;
  let last: f64;
  do {
    x *= x;
    last = z;
    z += x * y;
    y += y;
  } while (last !== z);
  return z;
}
