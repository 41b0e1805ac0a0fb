/**
 * The arithmetic of x86's long double by exact fractions: 64 bits of mantissa, rounded to the nearest, of two equally near
 * to the even one, and C's "%.17Lf" without the zeros at its end. Slow and obvious.
 */

/** A number as numerator / denominator; the denominator is positive. */
export interface Fraction {
  top: bigint;
  bottom: bigint;
}

/** The exact value of a decimal text. */
export function fractionOf(text: string): Fraction {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = BigInt(`${whole}${fraction}`) * (sign === "-" ? -1n : 1n);
  const power = Number(exponent) - fraction.length;
  return power >= 0
    ? { top: digits * 10n ** BigInt(power), bottom: 1n }
    : { top: digits, bottom: 10n ** BigInt(-power) };
}

const abs = (n: bigint) => (n < 0n ? -n : n);
const bitLength = (n: bigint) => n.toString(2).length;

/** n / d to the nearest integer, of two equally near to the even one; both positive. */
function divideRounded(n: bigint, d: bigint): bigint {
  const quotient = n / d;
  const twice = (n - quotient * d) * 2n;
  return twice > d || (twice === d && quotient % 2n === 1n) ? quotient + 1n : quotient;
}

/** The nearest number with 64 bits of mantissa. Its exponent knows no bounds. */
export function rounded({ top, bottom }: Fraction): Fraction {
  if (top === 0n) return { top: 0n, bottom: 1n };
  const size = abs(top);
  let shift = 64 - (bitLength(size) - bitLength(bottom));
  // The quotient of two lengths is off by one at most.
  const scaled = () =>
    shift >= 0 ? [size << BigInt(shift), bottom] : [size, bottom << BigInt(-shift)];
  let [n, d] = scaled() as [bigint, bigint];
  if (n / d >= 1n << 64n) {
    shift--;
    [n, d] = scaled() as [bigint, bigint];
  }
  const mantissa = divideRounded(n, d) * (top < 0n ? -1n : 1n);
  return shift >= 0
    ? { top: mantissa, bottom: 1n << BigInt(shift) }
    : { top: mantissa << BigInt(-shift), bottom: 1n };
}

export function sum(a: Fraction, b: Fraction): Fraction {
  return rounded({ top: a.top * b.bottom + b.top * a.bottom, bottom: a.bottom * b.bottom });
}

export function textOf({ top, bottom }: Fraction): string {
  const decimals = divideRounded(abs(top) * 10n ** 17n, bottom);
  const text = `${decimals}`
    .padStart(18, "0")
    .replace(/(\d{17})$/, ".$1")
    .replace(/\.?0+$/, "");
  return top < 0n && text !== "0" ? `-${text}` : text;
}
