/**
 * Places on the globe as numbers of 52 bits, as Redis keeps them: 26 bits of each coordinate, cut out of its range, bit by bit in turns, the
 * longitude's first. A prefix is a cell; `steps` bits of each coordinate make one.
 */
import { Address } from "../abi";
import { ScratchArea } from "../state";
import { arcsine, cosine, sine } from "./trigonometry";

export const LONGITUDE_MAX: f64 = 180;
export const LATITUDE_MAX: f64 = 85.05112878;
export const STEPS_MAX: u32 = 26;
const POLE: f64 = 90;
const EARTH_RADIUS_METERS: f64 = 6372797.560856;
const RADIANS: f64 = Math.PI / 180;
const EVEN_BITS: u64 = 0x5555_5555_5555_5555;

@final
@unmanaged
class Place {
  longitude: f64;
  latitude: f64;
}
const place = changetype<Place>(Address.Scratch + ScratchArea.Argument + 520);

/** The place that `decode` found. */
export function longitude(): f64 {
  return place.longitude;
}

export function latitude(): f64 {
  return place.latitude;
}

/** Spreads the lowest 32 bits over the even ones. */
function spreadBits(value: u64): u64 {
  let bits = value & 0xffff_ffff;
  bits = (bits | (bits << 16)) & 0x0000_ffff_0000_ffff;
  bits = (bits | (bits << 8)) & 0x00ff_00ff_00ff_00ff;
  bits = (bits | (bits << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
  bits = (bits | (bits << 2)) & 0x3333_3333_3333_3333;
  return (bits | (bits << 1)) & EVEN_BITS;
}

/** Gathers the even bits again. */
function gatherBits(value: u64): u64 {
  let bits = value & EVEN_BITS;
  bits = (bits | (bits >> 1)) & 0x3333_3333_3333_3333;
  bits = (bits | (bits >> 2)) & 0x0f0f_0f0f_0f0f_0f0f;
  bits = (bits | (bits >> 4)) & 0x00ff_00ff_00ff_00ff;
  bits = (bits | (bits >> 8)) & 0x0000_ffff_0000_ffff;
  return (bits | (bits >> 16)) & 0xffff_ffff;
}

export function join(column: u64, row: u64): u64 {
  return spreadBits(row) | (spreadBits(column) << 1);
}

/** The cell's number from west to east, or from south to north. */
export function columnOf(cell: u64): u64 {
  return gatherBits(cell >> 1);
}

export function rowOf(cell: u64): u64 {
  return gatherBits(cell);
}

function encodeWithin(lon: f64, lat: f64, latitudeMax: f64, steps: u32): u64 {
  const cells = <f64>((<u64>1) << steps);
  const column = ((lon + LONGITUDE_MAX) / (LONGITUDE_MAX * 2)) * cells;
  const row = ((lat + latitudeMax) / (latitudeMax * 2)) * cells;
  return join(<u64>column, <u64>row);
}

/** The cell of a place, which must be on the map. */
export function encode(lon: f64, lat: f64, steps: u32): u64 {
  return encodeWithin(lon, lat, LATITUDE_MAX, steps);
}

/** The cell of a place in the standard's ranges, which go to the poles. */
export function encodeStandard(lon: f64, lat: f64): u64 {
  return encodeWithin(lon, lat, POLE, STEPS_MAX);
}

/** The border of a column or row: `edge` counts from the west or south. */
export function border(edge: u64, most: f64, steps: u32): f64 {
  return -most + (<f64>edge / <f64>((<u64>1) << steps)) * (most * 2);
}

/** Finds the middle of a score's cell, into `longitude` and `latitude`. */
export function decode(score: f64): void {
  const cell = score < 0 ? <u64>(<i64>score) : <u64>score;
  const column = columnOf(cell);
  const row = rowOf(cell);
  const west = border(column, LONGITUDE_MAX, STEPS_MAX);
  const south = border(row, LATITUDE_MAX, STEPS_MAX);
  const lon = (west + border(column + 1, LONGITUDE_MAX, STEPS_MAX)) / 2;
  const lat = (south + border(row + 1, LATITUDE_MAX, STEPS_MAX)) / 2;
  place.longitude = max(-LONGITUDE_MAX, min(LONGITUDE_MAX, lon));
  place.latitude = max(-LATITUDE_MAX, min(LATITUDE_MAX, lat));
}

export function radians(degrees: f64): f64 {
  return degrees * RADIANS;
}

/** Meters between two latitudes. */
export function latitudeDistance(a: f64, b: f64): f64 {
  return EARTH_RADIUS_METERS * abs(radians(b) - radians(a));
}

/** Meters between two places on a sphere, by the haversine formula. */
export function distance(lonA: f64, latA: f64, lonB: f64, latB: f64): f64 {
  const v = sine((radians(lonB) - radians(lonA)) / 2);
  if (v === 0) return latitudeDistance(latA, latB);
  const a = radians(latA);
  const b = radians(latB);
  const u = sine((b - a) / 2);
  const share = u * u + cosine(a) * cosine(b) * v * v;
  return 2 * EARTH_RADIUS_METERS * arcsine(min(1, Math.sqrt(share)));
}

/** Degrees of latitude that so many meters are. */
export function latitudeDegrees(meters: f64): f64 {
  return meters / EARTH_RADIUS_METERS / RADIANS;
}

/** Degrees of longitude that so many meters are at a latitude. */
export function longitudeDegrees(meters: f64, atLatitude: f64): f64 {
  return meters / EARTH_RADIUS_METERS / cosine(radians(atLatitude)) / RADIANS;
}
