/**
 * Members near a place. The map is cut into cells of about the size that is searched; the cell of the place and its eight neighbours hold all
 * there can be, and each is a range of scores. What lies in them is measured one by one.
 *
 *   point: 0 f64 meters |8 f64 score |16 u32 member (`scoredHandle`)
 */
import { Address, KeyEvent } from "../abi";
import { argIs, argLength, argPtr } from "../argv";
import * as effects from "../effects";
import { Entry } from "../keyspace/entry";
import { Find, find, removeEntry } from "../keyspace/keyspace";
import { alloc, free } from "../memory/allocator";
import {
  border,
  columnOf,
  decode,
  distance,
  encode,
  join,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  latitude,
  latitudeDegrees,
  latitudeDistance,
  longitude,
  longitudeDegrees,
  rowOf,
  STEPS_MAX,
} from "../memory/geohash";
import { parseInt64 } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea, state } from "../state";
import { Bound } from "../types/score-node";
import {
  appendScored,
  asideSorted,
  beginScored,
  countBefore,
  foundScore,
  nextScored,
  readScoredHandle,
  scoredCount,
  scoredHandle,
} from "../types/sorted-set";
import { freeValue } from "../types/value";
import { findPlace, replyPlace } from "./geo";
import { lastDouble, readDouble, readPlace, readUnit } from "./geo-place";
import { findSorted, storeSorted } from "./sorted-sets";

/** Which command it is. */
export enum GeoForm {
  Radius = 0, // GEORADIUS: a place in words
  Member = 1, // GEORADIUSBYMEMBER
  Search = 2,
  SearchStore = 3,
}

enum Show {
  Distance = 1,
  Hash = 2,
  Place = 4,
}

enum Sorted {
  No = 0,
  Up = 1,
  Down = 2,
}

/** What is searched, and what of it is wanted. */
@final
@unmanaged
class Search {
  longitude: f64;
  latitude: f64;
  width: f64; // a box's; of a circle the radius, in units
  height: f64;
  unit: f64; // meters
  count: i64; // 0 = all
  isBox: u32;
  hasPlace: u32; // 1 = that of a member, 2 = coordinates
  hasShape: u32;
  any: u32;
  sorted: u32;
  show: u32;
  storeIndex: u32; // word of the key where the result goes, 0 = it is answered
  storesDistance: u32;
  points: u32; // heap block
  capacity: u32;
  found: u32;
}
const NUMBER: usize = Address.Scratch + ScratchArea.Argument;
const search = changetype<Search>(NUMBER + 64);
/** The nine cells, u64 each. */
const CELLS: usize = NUMBER + 256;
const CELL_COUNT: u32 = 9;
const NO_CELL: u64 = u64.MAX_VALUE;

@final
@unmanaged
class Point {
  meters: f64;
  score: f64;
  member: u32;
  unused: u32;
}
const POINT_BYTES: u32 = offsetof<Point>();
const FIRST_CAPACITY: u32 = 64;
/** Half of the circumference of the globe, in meters: a map of one cell. */
const MAP_METERS: f64 = 20037726.37;

// ---- reading the command

/** Reads radius and unit. @returns false after an error was answered */
function readRadius(index: u32): bool {
  if (!readDouble(index)) reply.error("ERR need numeric radius");
  else if (lastDouble() < 0) reply.error("ERR radius cannot be negative");
  else {
    search.width = lastDouble();
    search.isBox = 0;
    search.hasShape = 1;
    search.unit = readUnit(index + 1);
  }
  return !reply.isFailed();
}

function readBox(index: u32): bool {
  if (!readDouble(index)) {
    reply.error("ERR need numeric width");
    return false;
  }
  search.width = lastDouble();
  if (!readDouble(index + 1)) {
    reply.error("ERR need numeric height");
    return false;
  }
  search.height = lastDouble();
  if (search.width < 0 || search.height < 0) reply.error("ERR height or width cannot be negative");
  else search.unit = readUnit(index + 2);
  search.isBox = 1;
  search.hasShape = 1;
  return !reply.isFailed();
}

/** Takes the place of the member in word `index`; a key that is missing is told about later. */
function readMember(entry: Entry | null, index: u32): bool {
  search.hasPlace = 1;
  if (entry === null) return true;
  if (findPlace(entry, index)) {
    search.longitude = longitude();
    search.latitude = latitude();
    return true;
  }
  reply.error("ERR could not decode requested zset member");
  return false;
}

function readCount(index: u32): bool {
  if (!parseInt64(argPtr(index), argLength(index), NUMBER)) reply.notInteger();
  else if (load<i64>(NUMBER) <= 0) reply.error("ERR COUNT must be > 0");
  search.count = load<i64>(NUMBER);
  return !reply.isFailed();
}

/** Reads an option that all forms have. @returns words it takes, 0 = it is none, or an error was answered */
function readCommon(i: u32, left: u32): u32 {
  if (argIs(i, "withdist")) search.show |= Show.Distance;
  else if (argIs(i, "withhash")) search.show |= Show.Hash;
  else if (argIs(i, "withcoord")) search.show |= Show.Place;
  else if (argIs(i, "any")) search.any = 1;
  else if (argIs(i, "asc")) search.sorted = Sorted.Up;
  else if (argIs(i, "desc")) search.sorted = Sorted.Down;
  else if (left > 1 && argIs(i, "count")) return readCount(i + 1) ? 2 : 0;
  else return 0;
  return 1;
}

/** Reads an option of GEORADIUS and GEORADIUSBYMEMBER. */
function readStore(i: u32, left: u32, isReadOnly: bool): u32 {
  if (left < 2 || isReadOnly) return 0;
  const isDistance = argIs(i, "storedist");
  if (!isDistance && !argIs(i, "store")) return 0;
  search.storeIndex = i + 1;
  search.storesDistance = isDistance ? 1 : 0;
  return 2;
}

/** Reads an option of GEOSEARCH and GEOSEARCHSTORE. */
function readShape(entry: Entry | null, form: GeoForm, i: u32, left: u32): u32 {
  const hasMember = search.hasPlace === 1;
  const hasCoordinates = search.hasPlace === 2;
  if (form === GeoForm.SearchStore && argIs(i, "storedist")) {
    search.storesDistance = 1;
    return 1;
  }
  if (left > 1 && !hasCoordinates && argIs(i, "frommember"))
    return readMember(entry, i + 1) ? 2 : 0;
  if (left > 2 && !hasMember && argIs(i, "fromlonlat")) {
    search.hasPlace = 2;
    return readPlace(i + 1, changetype<usize>(search)) ? 3 : 0;
  }
  const hasBox = search.hasShape !== 0 && search.isBox !== 0;
  const hasCircle = search.hasShape !== 0 && search.isBox === 0;
  if (left > 2 && !hasBox && argIs(i, "byradius")) return readRadius(i + 1) ? 3 : 0;
  if (left > 3 && !hasCircle && argIs(i, "bybox")) return readBox(i + 1) ? 4 : 0;
  return 0;
}

/** Reads what comes before the options. @returns index of the first option, 0 after an error was answered */
function readHead(entry: Entry | null, form: GeoForm): u32 {
  if (form === GeoForm.Search) return 2;
  if (form === GeoForm.SearchStore) {
    search.storeIndex = 1;
    return 3;
  }
  if (form === GeoForm.Radius) {
    if (!readPlace(2, changetype<usize>(search))) return 0;
    return readRadius(4) ? 6 : 0;
  }
  // Of a key that is missing nobody asks how far.
  if (entry === null) return 5;
  return readMember(entry, 2) && readRadius(3) ? 5 : 0;
}

/** @returns false after an error was answered */
function readSearch(entry: Entry | null, argc: u32, form: GeoForm, isReadOnly: bool): bool {
  memory.fill(changetype<usize>(search), 0, offsetof<Search>());
  const isSearch = form >= GeoForm.Search;
  let i = readHead(entry, form);
  if (i === 0) return false;
  while (i < argc) {
    const left = argc - i;
    let taken = readCommon(i, left);
    if (taken === 0 && !reply.isFailed())
      taken = isSearch ? readShape(entry, form, i, left) : readStore(i, left, isReadOnly);
    if (reply.isFailed()) return false;
    if (taken === 0) {
      reply.syntaxError();
      return false;
    }
    i += taken;
  }
  judge(isSearch);
  return !reply.isFailed();
}

/** Judges the options together. */
function judge(isSearch: bool): void {
  if (search.storeIndex !== 0 && search.show !== 0)
    return isSearch
      ? reply.error(
          "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        )
      : reply.error(
          "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        );
  if (isSearch && search.hasPlace === 0)
    return reply.errorAbout(
      "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ",
      argPtr(0),
      argLength(0),
    );
  if (isSearch && search.hasShape === 0)
    return reply.errorAbout(
      "ERR exactly one of BYRADIUS and BYBOX can be specified for ",
      argPtr(0),
      argLength(0),
    );
  if (search.any !== 0 && search.count === 0)
    reply.error("ERR the ANY argument requires COUNT argument");
}

// ---- cells

/** Bits of each coordinate, so that a cell and its neighbours hold what is within so many meters. */
function stepsFor(meters: f64): u32 {
  if (meters === 0) return STEPS_MAX;
  let steps: i32 = 1;
  for (let reached = meters; reached < MAP_METERS; reached *= 2) steps += 1;
  steps -= 2;
  // Towards the poles a degree of longitude is shorter.
  if (abs(search.latitude) > 66) steps -= abs(search.latitude) > 80 ? 2 : 1;
  return <u32>max<i32>(1, min<i32>(steps, STEPS_MAX));
}

function cellAt(index: u32): usize {
  return CELLS + ((<usize>index) << 3);
}

/** Chooses the cells to be looked at, in Redis's order: own, N S E W, NE NW SE SW. @returns their steps */
function chooseCells(): u32 {
  const isBox = search.isBox !== 0;
  const high = search.unit * (isBox ? search.height / 2 : search.width);
  const wide = search.unit * (isBox ? search.width / 2 : search.width);
  const up = latitudeDegrees(high);
  const nearer = search.latitude < 0 ? search.latitude - up : search.latitude + up;
  const aside = longitudeDegrees(wide, nearer);
  const meters =
    search.unit *
    (isBox
      ? Math.sqrt(
          (search.width / 2) * (search.width / 2) + (search.height / 2) * (search.height / 2),
        )
      : search.width);
  const north = search.latitude + up;
  const south = search.latitude - up;
  const east = search.longitude + aside;
  const west = search.longitude - aside;
  let steps = stepsFor(meters);
  let cell = encode(search.longitude, search.latitude, steps);
  if (steps > 1 && !neighboursReach(cell, steps, north, south, east, west)) {
    steps -= 1;
    cell = encode(search.longitude, search.latitude, steps);
  }
  layCells(cell, steps);
  if (steps < 2) return steps;
  const column = columnOf(cell);
  const row = rowOf(cell);
  if (border(row, LATITUDE_MAX, steps) < south) drop(2, 7, 8);
  if (border(row + 1, LATITUDE_MAX, steps) > north) drop(1, 5, 6);
  if (border(column, LONGITUDE_MAX, steps) < west) drop(4, 6, 8);
  if (border(column + 1, LONGITUDE_MAX, steps) > east) drop(3, 5, 7);
  return steps;
}

/** Whether the neighbours in the four directions reach as far as what is searched. Over an edge of the map they are on the other side. */
function neighboursReach(
  cell: u64,
  steps: u32,
  north: f64,
  south: f64,
  east: f64,
  west: f64,
): bool {
  const mask = ((<u64>1) << steps) - 1;
  const column = columnOf(cell);
  const row = rowOf(cell);
  return (
    border(((row + 1) & mask) + 1, LATITUDE_MAX, steps) >= north &&
    border((row - 1) & mask, LATITUDE_MAX, steps) <= south &&
    border(((column + 1) & mask) + 1, LONGITUDE_MAX, steps) >= east &&
    border((column - 1) & mask, LONGITUDE_MAX, steps) <= west
  );
}

function layCells(cell: u64, steps: u32): void {
  const mask = ((<u64>1) << steps) - 1;
  const column = columnOf(cell);
  const row = rowOf(cell);
  const east = (column + 1) & mask;
  const west = (column - 1) & mask;
  const north = (row + 1) & mask;
  const south = (row - 1) & mask;
  store<u64>(cellAt(0), cell);
  store<u64>(cellAt(1), join(column, north));
  store<u64>(cellAt(2), join(column, south));
  store<u64>(cellAt(3), join(east, row));
  store<u64>(cellAt(4), join(west, row));
  store<u64>(cellAt(5), join(east, north));
  store<u64>(cellAt(6), join(west, north));
  store<u64>(cellAt(7), join(east, south));
  store<u64>(cellAt(8), join(west, south));
}

function drop(a: u32, b: u32, c: u32): void {
  store<u64>(cellAt(a), NO_CELL);
  store<u64>(cellAt(b), NO_CELL);
  store<u64>(cellAt(c), NO_CELL);
}

// ---- points

function pointAt(index: u32): Point {
  return changetype<Point>(<usize>search.points + <usize>index * POINT_BYTES);
}

/** @returns false = no memory */
function addPoint(meters: f64): bool {
  if (search.found === search.capacity) {
    const capacity = search.capacity === 0 ? FIRST_CAPACITY : search.capacity << 1;
    const block = alloc(capacity * POINT_BYTES);
    if (block === 0) return false;
    memory.copy(block, search.points, search.found * POINT_BYTES);
    dropPoints();
    search.points = <u32>block;
    search.capacity = capacity;
  }
  const point = pointAt(search.found);
  point.meters = meters;
  point.score = foundScore();
  point.member = scoredHandle();
  search.found += 1;
  return true;
}

function dropPoints(): void {
  if (search.points !== 0) free(search.points);
  search.points = 0;
}

/** Meters to the place that was decoded, negative if it is not within what is searched. */
function metersWithin(): f64 {
  const lon = longitude();
  const lat = latitude();
  if (search.isBox === 0) {
    const meters = distance(search.longitude, search.latitude, lon, lat);
    return meters > search.width * search.unit ? -1 : meters;
  }
  if (latitudeDistance(lat, search.latitude) > (search.height * search.unit) / 2) return -1;
  if (distance(lon, lat, search.longitude, lat) > (search.width * search.unit) / 2) return -1;
  return distance(search.longitude, search.latitude, lon, lat);
}

/** Collects what is in a range of scores. @returns false = no memory */
function collectCell(entry: Entry, lowest: f64, end: f64): bool {
  const rank = countBefore(entry, Bound.Score, lowest, 0, 0, false);
  if (rank >= scoredCount(entry)) return true;
  beginScored(entry, rank, false);
  while (nextScored() && foundScore() < end && !hasEnough()) {
    decode(foundScore());
    const meters = metersWithin();
    if (meters >= 0 && !addPoint(meters)) return false;
  }
  return true;
}

/** With ANY a search ends when it has what it was to find. */
function hasEnough(): bool {
  return search.any !== 0 && <i64>search.found >= search.count;
}

/** @returns false = no memory */
function collect(entry: Entry): bool {
  const steps = chooseCells();
  const shift = (STEPS_MAX - steps) << 1;
  let last: u64 = NO_CELL;
  for (let i: u32 = 0; i < CELL_COUNT && !hasEnough(); i++) {
    const cell = load<u64>(cellAt(i));
    // On a map of few cells neighbours are the same.
    if (cell === NO_CELL || cell === last) continue;
    if (!collectCell(entry, <f64>(cell << shift), <f64>((cell + 1) << shift))) return false;
    if (i > 0) last = cell;
  }
  return true;
}

/** Sorts the points by distance; equal ones keep their order. @returns false = no memory. O(n log n) */
function sortPoints(): bool {
  const bytes = search.found * POINT_BYTES;
  if (search.found < 2) return true;
  let other = alloc(bytes);
  if (other === 0) return false;
  for (let run: u32 = 1; run < search.found; run <<= 1) {
    for (let from: u32 = 0; from < search.found; from += run << 1) mergeRuns(from, run, other);
    const sorted = other;
    other = search.points;
    search.points = <u32>sorted;
  }
  free(other);
  return true;
}

function mergeRuns(from: u32, run: u32, to: usize): void {
  let left = from;
  const leftEnd = min(from + run, search.found);
  let right = leftEnd;
  const rightEnd = min(leftEnd + run, search.found);
  for (let i = from; i < rightEnd; i++) {
    let takesLeft = left < leftEnd;
    if (takesLeft && right < rightEnd) {
      const a = pointAt(left).meters;
      const b = pointAt(right).meters;
      takesLeft = search.sorted === Sorted.Down ? a >= b : a <= b;
    }
    const point = takesLeft ? left++ : right++;
    memory.copy(to + <usize>i * POINT_BYTES, changetype<usize>(pointAt(point)), POINT_BYTES);
  }
}

// ---- the commands

/** All forms of the search. */
export function geosearch(argc: u32, form: GeoForm, isReadOnly: bool): void {
  const entry = findSorted(form === GeoForm.SearchStore ? 2 : 1, Find.None);
  if (reply.isFailed() || !readSearch(entry, argc, form, isReadOnly)) return;
  if (entry === null) return search.storeIndex !== 0 ? storePoints(null, 0, form) : reply.array(0);
  // The nearest are wanted, unless any will do.
  if (search.count !== 0 && search.any === 0 && search.sorted === Sorted.No)
    search.sorted = Sorted.Up;
  if (collect(entry) && (search.sorted === Sorted.No || sortPoints())) {
    let count = search.found;
    if (search.count !== 0 && search.count < <i64>count) count = <u32>search.count;
    if (search.storeIndex !== 0) storePoints(entry, count, form);
    else replyPoints(entry, count);
  } else reply.noMemory();
  dropPoints();
}

function replyPoints(entry: Entry, count: u32): void {
  reply.array(count);
  const parts = <u32>popcnt(search.show);
  for (let i: u32 = 0; i < count; i++) {
    const point = pointAt(i);
    readScoredHandle(entry, point.member);
    if (parts > 0) reply.array(parts + 1);
    reply.bulk(state.memberPtr, state.memberLength);
    if ((search.show & Show.Distance) !== 0) reply.distance(point.meters / search.unit);
    if ((search.show & Show.Hash) !== 0) reply.integer(<i64>point.score);
    if ((search.show & Show.Place) === 0) continue;
    decode(point.score);
    replyPlace();
  }
}

/** Stores the first `count` points, or deletes what is there if there are none. */
function storePoints(entry: Entry | null, count: u32, form: GeoForm): void {
  const index = search.storeIndex;
  if (count === 0 || entry === null) {
    deleteStored(index);
    return reply.integer(0);
  }
  const result = asideSorted(count, 0);
  if (result === null) return reply.noMemory();
  for (let i: u32 = 0; i < count; i++) {
    const point = pointAt(i);
    readScoredHandle(entry, point.member);
    const score = search.storesDistance !== 0 ? point.meters / search.unit : point.score;
    if (appendScored(result, score, state.memberPtr, state.memberLength)) continue;
    freeValue(result);
    return reply.noMemory();
  }
  const existing = find(argPtr(index), argLength(index), Find.Write);
  if (!storeSorted(result, existing, index)) return reply.noMemory();
  const name = form >= GeoForm.Search ? KeyEvent.Geosearchstore : KeyEvent.Georadiusstore;
  effects.changedKey(name, argPtr(index), argLength(index), count);
  reply.integer(count);
}

function deleteStored(index: u32): void {
  const existing = find(argPtr(index), argLength(index), Find.Write);
  if (existing === null) return;
  removeEntry(existing);
  effects.changedKey(KeyEvent.Del, argPtr(index), argLength(index));
}
