/**
 * Sine, cosine and arcsine, rounded as if worked out exactly but for about one in a hundred near the middle between two doubles: C libraries
 * do so, and distances on the globe are to have their digits. Arguments are those of the globe, within four radians.
 *
 * A number beyond a double's precision is a double and a small rest: `rest` is that of the last result.
 */
import { Address } from "../abi";
import { ScratchArea } from "../state";

@final
@unmanaged
class Rest {
  value: f64;
}
const rest = changetype<Rest>(Address.Scratch + ScratchArea.Argument + 512);

const HALF_PI: f64 = 1.570796326794896558;
const HALF_PI_REST: f64 = 6.12323399573676603587e-17;
/** The first 33 bits of a half of pi, and what they lack: multiples by a few are exact. */
const HALF_PI_HEAD: f64 = 1.57079632673412561417;
const HALF_PI_TAIL: f64 = 6.07710050650619224932e-11;
const SPLITTER: f64 = 134217729;
const SIXTH: f64 = 1.0 / 6.0;
const SIXTH_REST: f64 = 9.25185853854297065662e-18;

/** a * b; the rest is exact (T. J. Dekker, 1971). */
function product(a: f64, b: f64): f64 {
  const p = a * b;
  const aHigh = a * SPLITTER - (a * SPLITTER - a);
  const bHigh = b * SPLITTER - (b * SPLITTER - b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  rest.value = aLow * bLow - (p - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
  return p;
}

/** a + b with |a| >= |b|; the rest is exact. */
function sum(a: f64, b: f64): f64 {
  const s = a + b;
  rest.value = b - (s - a);
  return s;
}

/** The sine of high + low, at most a quarter of pi, with its rest: x - x * (z/6 - z^2 * series), z being x squared. */
function sineNear(high: f64, low: f64): f64 {
  const z = product(high, high);
  const zLow = rest.value + 2 * high * low;
  const series =
    1.0 / 120.0 -
    z *
      (1.0 / 5040.0 -
        z *
          (1.0 / 362880.0 -
            z *
              (1.0 / 39916800.0 -
                z * (1.0 / 6227020800.0 - z * (1.0 / 1307674368000.0 - z / 355687428096000.0)))));
  const sixth = product(z, SIXTH);
  const sixthLow = rest.value + z * SIXTH_REST + zLow * SIXTH - z * z * series;
  const taken = product(high, sixth);
  const takenLow = rest.value + high * sixthLow + low * sixth;
  const first = sum(high, -taken);
  return sum(first, rest.value - takenLow + low);
}

/** The cosine of high + low, at most a quarter of pi, with its rest. */
function cosineNear(high: f64, low: f64): f64 {
  const z = product(high, high);
  const zLow = rest.value + 2 * high * low;
  const series =
    1.0 / 24.0 -
    z *
      (1.0 / 720.0 -
        z *
          (1.0 / 40320.0 -
            z *
              (1.0 / 3628800.0 -
                z *
                  (1.0 / 479001600.0 -
                    z *
                      (1.0 / 87178291200.0 -
                        z * (1.0 / 20922789888000.0 - z / 6402373705728000.0))))));
  const first = sum(1, -z / 2);
  return sum(first, rest.value - zLow / 2 + z * z * series);
}

/** The sine of x + quarters * pi / 2, with its rest. */
function sineOfQuarters(x: f64, quarters: i32): f64 {
  const n = nearest(x / HALF_PI);
  const reduced = x - n * HALF_PI_HEAD;
  const tail = n * HALF_PI_TAIL;
  const high = reduced - tail;
  const low = reduced - high - tail;
  const quadrant = (<i32>n + quarters) & 3;
  const size = (quadrant & 1) === 0 ? sineNear(high, low) : cosineNear(high, low);
  if (quadrant < 2) return size;
  rest.value = -rest.value;
  return -size;
}

export function sine(x: f64): f64 {
  return sineOfQuarters(x, 0);
}

export function cosine(x: f64): f64 {
  return sineOfQuarters(x, 1);
}

/** The arcsine for 0 <= x <= 1, near enough to be mended. */
function arcsineNear(x: f64): f64 {
  if (x > 0.5) return HALF_PI - (2 * arcsineNear(Math.sqrt((1 - x) / 2)) - HALF_PI_REST);
  // The series of x * (1/2) * (3/4) ... with an end that is as good as all of it below a half.
  const z = x * x;
  let term = x;
  let total = x;
  for (let k: f64 = 1; k < 60 && term > total * 1e-17; k += 2) {
    term *= (z * k) / (k + 1);
    total += term / (k + 2);
  }
  return total;
}

/** The arcsine for 0 <= x <= 1. */
export function arcsine(x: f64): f64 {
  const near = arcsineNear(x);
  const slope = cosine(near);
  if (slope < 1e-4) return near;
  const back = sine(near);
  return near + (x - back - rest.value) / slope;
}
