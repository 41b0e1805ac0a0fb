/** Places and lengths among the words of geo commands. */
import { Address } from "../abi";
import { argIs, argLength, argPtr } from "../argv";
import { parseDouble } from "../memory/double";
import { Extended, formatExtended, setDouble } from "../memory/extended";
import { encode, LATITUDE_MAX, LONGITUDE_MAX, STEPS_MAX } from "../memory/geohash";
import { formatFixed } from "../memory/text";
import * as reply from "../reply";
import { ScratchArea } from "../state";

const NUMBER: usize = Address.Scratch + ScratchArea.Argument + 16;
const EXTENDED: usize = Address.Scratch + ScratchArea.Argument + 544;
const LINE: usize = Address.Scratch + ScratchArea.Digits;
/** Doubles from here on have no decimals worth rounding. */
const WHOLE: f64 = 9e12;
/** A line of error shows no more of a number. */
const SHOWN_BYTES: u32 = 320;

/** Reads a double in word `index`. @returns false if it is none */
export function readDouble(index: u32): bool {
  return parseDouble(argPtr(index), argLength(index), NUMBER);
}

export function lastDouble(): f64 {
  return load<f64>(NUMBER);
}

/** Reads the longitude and latitude in two words, into `to` as f64s. @returns false after an error was answered */
export function readPlace(index: u32, to: usize): bool {
  for (let i: u32 = 0; i < 2; i++) {
    if (!readDouble(index + i)) {
      reply.error("ERR value is not a valid float");
      return false;
    }
    store<f64>(to + ((<usize>i) << 3), lastDouble());
  }
  const lon = load<f64>(to);
  const lat = load<f64>(to, 8);
  if (abs(lon) <= LONGITUDE_MAX && abs(lat) <= LATITUDE_MAX) return true;
  const first = formatMicro(lon, LINE);
  store<u8>(LINE + first, 44);
  const second = formatMicro(lat, LINE + first + 1);
  reply.errorAbout("ERR invalid longitude,latitude pair ", LINE, first + 1 + second);
  return false;
}

/** Writes a double with six decimals, as C does. @returns bytes */
function formatMicro(value: f64, to: usize): u32 {
  if (abs(value) === Infinity) {
    store<u32>(to, value < 0 ? 0x666e_692d : 0x0066_6e69);
    return value < 0 ? 4 : 3;
  }
  if (abs(value) < WHOLE) {
    // The sign of what is rounded to zero stays.
    if (value > -0.0000005 || value <= -1) return formatFixed(value, 6, to);
    store<u8>(to, 45);
    return 1 + formatFixed(-value, 6, to + 1);
  }
  const number = changetype<Extended>(EXTENDED);
  setDouble(number, Math.trunc(value));
  const length = min(formatExtended(number, to), SHOWN_BYTES);
  store<u8>(to + length, 46);
  memory.fill(to + length + 1, 48, 6);
  return length + 7;
}

/** The score of the place in two words that were judged. */
export function placeScore(index: u32): u64 {
  readDouble(index);
  const lon = lastDouble();
  readDouble(index + 1);
  return encode(lon, lastDouble(), STEPS_MAX);
}

/** Meters of the unit in word `index`; 0 after an error was answered. */
export function readUnit(index: u32): f64 {
  if (argIs(index, "m")) return 1;
  if (argIs(index, "km")) return 1000;
  if (argIs(index, "ft")) return 0.3048;
  if (argIs(index, "mi")) return 1609.34;
  reply.error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return 0;
}
