/** Doubles in text against JavaScript's own: the same shortest digits, the same nearest double, Redis's layout. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Address } from "../../../core-wasm/abi.ts";
import { type Core, createCore } from "../../../server/core/core.ts";
import { BUILDS } from "../../support/core.ts";
import { createRandom } from "../../support/random.ts";

interface TestExports extends Core {
  testParseDouble(ptr: number, length: number, out: number): number;
  testFormatDouble(value: number, to: number): number;
}

const core = createCore({
  seed: [1, 2],
  drain() {},
  wasmPath: BUILDS.tiny,
}) as TestExports;
const { u8, f64 } = core.memory;
const TEXT = Address.Input;
const OUT = Address.Output;

function format(value: number): string {
  const length = core.testFormatDouble(value, TEXT);
  return Buffer.from(u8.slice(TEXT, TEXT + length)).toString("latin1");
}

function parse(text: string): number | undefined {
  u8.set(Buffer.from(text, "latin1"), TEXT);
  return core.testParseDouble(TEXT, text.length, OUT) === 1 ? f64[OUT >> 3] : undefined;
}

const bits = new DataView(new ArrayBuffer(8));
function fromBits(of: bigint): number {
  bits.setBigUint64(0, of);
  return bits.getFloat64(0);
}

/** Every pattern of bits, and more of those where things change. */
const anyDouble = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(fromBits),
  fc.bigInt({ min: 0n, max: 2n ** 52n + 4n }).map(fromBits),
  fc.tuple(fc.integer({ min: 0, max: 2046 }), fc.integer({ min: -3, max: 3 })).map(
    // Beside powers of two, where doubles lie unevenly.
    ([exponent, offset]) =>
      fromBits(BigInt(exponent) * 2n ** 52n + BigInt(Math.max(offset, -exponent))),
  ),
  fc
    .tuple(fc.integer({ min: -330, max: 310 }), fc.integer({ min: 1, max: 9999 }))
    .map(([exponent, digits]) => Number(`${digits}e${exponent}`)),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1000),
  fc.maxSafeInteger(),
  fc.double(),
);

/** Digits and exponent of a text: value = 0.digits * 10^point. */
function decimalOf(text: string): { digits: string; point: number } {
  const [, whole, fraction = "", exponent = "0"] =
    /^-?(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`not a number: ${text}`);
  const all = (whole + fraction).replace(/^0+/, "");
  const zeros = whole.length + fraction.length - all.length;
  return { digits: all.replace(/0+$/, ""), point: whole.length - zeros + Number(exponent) };
}

test("a double is written with the digits of JavaScript, and read back as itself", () => {
  fc.assert(
    fc.property(anyDouble, (value) => {
      const text = format(value);
      if (Number.isFinite(value) && Math.abs(value) > 2 ** 62)
        expect(decimalOf(text)).toEqual(decimalOf(`${value}`));
      else if (Number.isFinite(value) && value !== 0 && !Number.isInteger(value))
        expect(decimalOf(text)).toEqual(decimalOf(`${value}`));
      if (!Number.isNaN(value)) expect(parse(text)).toBe(value);
    }),
    { numRuns: 50_000 },
  );
});

test("every power of two is written with the digits of JavaScript", () => {
  for (let exponent = -1074; exponent <= 1023; exponent++) {
    const value = 2 ** exponent;
    if (Number.isInteger(value) && value <= 2 ** 62) expect(format(value)).toBe(`${BigInt(value)}`);
    else expect(decimalOf(format(value))).toEqual(decimalOf(`${value}`));
  }
});

test("an integer up to 2^62 is written as one", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (value) => {
      const nearest = Number(value);
      expect(format(nearest)).toBe(nearest === 0 ? "0" : `${BigInt(nearest)}`);
    }),
    { numRuns: 5000 },
  );
});

test("what is no common number has its name", () => {
  expect([Infinity, -Infinity, Number.NaN, 0, -0].map(format)).toEqual([
    ...["inf", "-inf", "nan", "0", "-0"],
  ]);
});

test("the layout changes with the place of the point", () => {
  for (const [value, text] of [
    [0.1, "0.1"],
    [-0.5, "-0.5"],
    [3.14, "3.14"],
    [100.25, "100.25"],
    [0.001, "0.001"],
    [0.000001, "0.000001"],
    [0.0000001, "1e-7"],
    [0.00000012, "1.2e-7"],
    [1.5e-10, "1.5e-10"],
    [1234.5678, "1234.5678"],
    [123456.5, "123456.5"],
    [123456789.25, "123456789.25"],
    [1.2345678901234567, "1.2345678901234567"],
    [1234.5678901234567, "1234.5678901234567"],
    [12345.678901234567, "1.2345678901234567e+4"],
    [0.00012345678901234567, "1.2345678901234567e-4"],
    [1e19, "1e+19"],
    [1.5e19, "1.5e+19"],
    [123456789012345680000, "123456789012345680000"],
    [1.2345678901234568e24, "1.2345678901234568e+24"],
    [1e100, "1e+100"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [-5e-324, "-5e-324"],
    [2.2250738585072014e-308, "2.2250738585072014e-308"],
  ] as const)
    expect(format(value)).toBe(text);
});

const digits = (max: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: max });
const decimalText = fc
  .tuple(
    fc.constantFrom("", "-", "+"),
    fc.oneof(digits(4), digits(25), digits(400)),
    fc.option(fc.oneof(digits(4), digits(25), digits(1200))),
    fc.option(fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -400, max: 400 }))),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent === null ? "" : `e${exponent}`}`,
  );

test("a text is read as the double that JavaScript reads, or is out of range", () => {
  fc.assert(
    fc.property(decimalText, (text) => {
      const wanted = Number(text);
      const isOut =
        !Number.isFinite(wanted) || (wanted === 0 && /[1-9]/.test(text.replace(/e.*/, "")));
      expect([text, parse(text)]).toEqual([text, isOut ? undefined : wanted]);
    }),
    { numRuns: 20_000 },
  );
});

/** The text of m * 2^e in full. */
function exactText(mantissa: bigint, exponent: number): string {
  if (exponent >= 0) return `${mantissa * 2n ** BigInt(exponent)}`;
  const all = `${mantissa * 5n ** BigInt(-exponent)}`.padStart(-exponent + 1, "0");
  return `${all.slice(0, exponent)}.${all.slice(exponent)}`;
}

test("half-way between two doubles the even one is read, and a last digit decides", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(
          fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }),
          fc.integer({ min: -1074, max: 970 }),
        ),
        fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 52n }), fc.constant(-1074)),
      ),
      ([mantissa, exponent]) => {
        const half = exactText(2n * mantissa + 1n, exponent - 1);
        const whole = half.includes(".") ? half : `${half}.`;
        const [low, high] = [mantissa, mantissa + 1n].map((m) => Number(exactText(m, exponent)));
        const even = Number(half);
        expect(parse(half)).toBe(even);
        expect([low, high]).toContain(even);
        expect(parse(`${whole}${"0".repeat(50)}1`)).toBe(high!);
        expect(parse(`${whole}${"0".repeat(6000)}1`)).toBe(high!);
        expect(parse(`${whole}${"0".repeat(6000)}`)).toBe(even);
      },
    ),
    { numRuns: 2000 },
  );
});

test("hexadecimal numbers are read and rounded", () => {
  for (const [text, value] of [
    ["0x10", 16],
    ["-0X1.8p1", -3],
    ["0x.8", 0.5],
    ["0x1p-1074", 5e-324],
    ["0x1p1023", 2 ** 1023],
    ["0x1.fffffffffffff8p0", 2],
    ["0x1.fffffffffffff7p0", 2 - 2 ** -52],
    ["0x20000000000001", 2 ** 53],
    ["0x20000000000003", 2 ** 53 + 4],
    ["0x200000000000010000000000000000000000000001", (2 ** 53 + 2) * 2 ** 112],
    ["0x0", 0],
    ["0x0p99999", 0],
  ] as const)
    expect([text, parse(text)]).toEqual([text, value]);
  for (const text of ["0x", "0xg", "0x1p", "0x1p+", "0x.", "0x1p1024", "0x1p-1075", "0x1.p1.5"])
    expect([text, parse(text)]).toEqual([text, undefined]);
});

test("infinities are read in their spellings, and nothing else in words", () => {
  for (const text of ["inf", "+inf", "INF", "infinity", "Infinity"])
    expect(parse(text)).toBe(Infinity);
  expect(parse("-inf")).toBe(-Infinity);
  for (const text of ["nan", "-nan", "NaN", "infi", "infinitys", "in", "i", "e", "nan(1)"])
    expect([text, parse(text)]).toEqual([text, undefined]);
});

test("what is not wholly a number is refused", () => {
  for (const text of [
    ...[
      "",
      " 1",
      "1 ",
      "\t1",
      "1\0",
      ".",
      "-",
      "+",
      "-.",
      "1e",
      "1e+",
      "e5",
      "1.2.3",
      "1,5",
      "--1",
    ],
    ...["+-1", "1e5.5", "1e400", "-1e400", "1e-400", "0x", "1x", "1f", "1_000"],
  ])
    expect([text, parse(text)]).toEqual([text, undefined]);
  for (const text of ["0", "-0", "0.0", "0e999999999999999999999", ".0e-5", "00"])
    expect([text, Math.abs(parse(text) ?? Number.NaN)]).toEqual([text, 0]);
  expect(Object.is(parse("-0"), -0)).toBe(true);
  expect([parse("1."), parse(".5"), parse("007"), parse("1E2")]).toEqual([1, 0.5, 7, 100]);
  expect(parse(`0.${"0".repeat(100_000)}1e100001`)).toBe(1);
  expect(parse(`1${"0".repeat(100_000)}e-100000`)).toBe(1);
});

/** Random doubles of the long form: BUNDIS_DOUBLES=10000000 takes half a minute. */
const RANDOM_DOUBLES = Number(process.env["BUNDIS_DOUBLES"] ?? 100_000);

/** JavaScript's digits in the layout of Redis 7.2, worked out anew. */
function redisText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 62) return `${BigInt(value)}`;
  const { digits, point } = decimalOf(`${value}`);
  const sign = value < 0 ? "-" : "";
  const zeros = point - digits.length;
  const power = Math.abs(point - 1);
  if (zeros >= 0 && power < digits.length + 7) return sign + digits + "0".repeat(zeros);
  if (zeros < 0 && (zeros > -7 || power < 4))
    return point > 0
      ? `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
      : `${sign}0.${"0".repeat(-point)}${digits}`;
  const rest = digits.length > 1 ? `.${digits.slice(1)}` : "";
  return `${sign}${digits[0]}${rest}e${point < 1 ? "-" : "+"}${power}`;
}

test("random doubles, and those where two decimals are equally short and near, have Redis's text", () => {
  const random = createRandom(7);
  const wrong: string[] = [];
  const compare = (value: number) => {
    if (!Number.isFinite(value) || value === 0) return;
    const text = format(value);
    if (text !== redisText(value) && wrong.length < 10) wrong.push(`${value}: ${text}`);
  };
  for (let i = 0; i < RANDOM_DOUBLES; i++) {
    bits.setUint32(0, random.below(2 ** 32));
    bits.setUint32(4, random.below(2 ** 32));
    compare(bits.getFloat64(0));
  }
  // Ties: between odd multiples of a half, where the digits end just behind the last that counts.
  for (const value of [
    5e-324,
    9.5367431640625e-7,
    2 ** 62 + 1024,
    2 ** 63,
    2 ** 64,
    1e21,
    1e22,
    1e23,
  ])
    for (const sign of [1, -1]) compare(sign * value);
  for (let i = 0; i < 2000; i++) compare(2 ** 53 * 4 + 4 * i);
  for (let exponent = -1074; exponent < 1024; exponent++)
    for (const factor of [1, 1 + 2 ** -52, 1 - 2 ** -53, 1.5]) compare(2 ** exponent * factor);
  expect(wrong).toEqual([]);
}, 600_000);
