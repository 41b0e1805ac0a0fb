/** Places as members of a sorted set, whose scores are their cells. https://redis.io/docs/latest/commands/?group=geo */
import { Address } from "../abi";
import { argLength, argPtr, argWord, Word } from "../argv";
import { Entry } from "../keyspace/entry";
import { Find } from "../keyspace/keyspace";
import { decode, distance, encodeStandard, latitude, longitude } from "../memory/geohash";
import * as reply from "../reply";
import { ScratchArea } from "../state";
import { findScored, foundScore } from "../types/sorted-set";
import { readPlace, readUnit } from "./geo-place";
import { addPairs, findSorted, ZaddFlag } from "./sorted-sets";

const PLACE: usize = Address.Scratch + ScratchArea.Argument + 32;
const TEXT: usize = Address.Scratch + ScratchArea.Number;
const HASH_LETTERS: u32 = 11;
/** Of the 55 bits of a hash's letters 52 are known. */
const HASH_BITS: u32 = 52;

/** GEOADD key [NX | XX] [CH] longitude latitude member ... */
export function geoadd(argc: u32): void {
  let flags: u32 = 0;
  let first: u32 = 2;
  for (; first < argc; first++) {
    const word = argWord(first);
    if (word === Word.NX) flags |= ZaddFlag.NX;
    else if (word === Word.XX) flags |= ZaddFlag.XX;
    else if (word === Word.CH) flags |= ZaddFlag.CH;
    else break;
  }
  const both: u32 = ZaddFlag.NX | ZaddFlag.XX;
  const words = argc - first;
  if (words % 3 !== 0 || words === 0 || (flags & both) === both) return reply.syntaxError();
  for (let i = first; i < argc; i += 3) if (!readPlace(i, PLACE)) return;
  const existing = findSorted(1, Find.Write);
  if (reply.isFailed()) return;
  if (existing === null && (flags & ZaddFlag.XX) !== 0) return reply.integer(0);
  addPairs(existing, flags, first, argc, 3);
}

/** Finds the place of the member in word `index`, for `longitude` and `latitude`. @returns false = there is none */
export function findPlace(entry: Entry | null, index: u32): bool {
  if (entry === null || !findScored(entry, argPtr(index), argLength(index))) return false;
  decode(foundScore());
  return true;
}

/** GEODIST key member member [unit] */
export function geodist(argc: u32): void {
  const meters = argc > 4 ? (argc === 5 ? readUnit(4) : 0) : 1;
  if (argc > 5) return reply.syntaxError();
  if (meters === 0) return;
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  if (!findPlace(entry, 2)) return reply.nil();
  const lon = longitude();
  const lat = latitude();
  if (!findPlace(entry, 3)) return reply.nil();
  reply.distance(distance(lon, lat, longitude(), latitude()) / meters);
}

export function geopos(argc: u32): void {
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  reply.array(argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    if (findPlace(entry, i)) replyPlace();
    else reply.nilArray();
  }
}

/** Answers the place that was decoded. */
export function replyPlace(): void {
  const lat = latitude();
  reply.array(2);
  reply.coordinate(longitude());
  reply.coordinate(lat);
}

export function geohash(argc: u32): void {
  const entry = findSorted(1, Find.None);
  if (reply.isFailed()) return;
  reply.array(argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    if (findPlace(entry, i)) replyHash(encodeStandard(longitude(), latitude()));
    else reply.nil();
  }
}

/** Answers a cell by the letters of the standard, five bits each; the last letter's are taken for zero. */
function replyHash(cell: u64): void {
  const alphabet = changetype<usize>("0123456789bcdefghjkmnpqrstuvwxyz");
  for (let i: u32 = 0; i < HASH_LETTERS; i++) {
    const end = (i + 1) * 5;
    const index: usize = end > HASH_BITS ? 0 : <usize>(cell >> (HASH_BITS - end)) & 31;
    store<u8>(TEXT + i, <u8>load<u16>(alphabet + (index << 1)));
  }
  reply.bulk(TEXT, HASH_LETTERS);
}
