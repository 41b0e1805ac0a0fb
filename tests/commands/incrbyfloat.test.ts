/** INCRBYFLOAT against exact fractions, and against a redis-server where it adds in 80 bits. */
import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BUILDS } from "../support/core.ts";
import { createHarness } from "../support/core-harness.ts";
import { fractionOf, rounded, sum, textOf } from "../support/long-double.ts";
import { REFERENCE_PATH, startReference } from "../support/reference.ts";
import { freePort } from "../support/server-process.ts";

const core = createHarness({ wasmPath: BUILDS.release });
afterAll(() => {
  core.check();
});

const NOT_FLOAT = "-ERR value is not a valid float\r\n";

/** What INCRBYFLOAT answers when `amount` is added to what SET stored. */
function added(value: string, amount: string): string {
  core.raw("SET", "k", value);
  return core.raw("INCRBYFLOAT", "k", amount);
}

const digits = (max: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: max });
const decimal = (most: number) =>
  fc
    .tuple(
      fc.constantFrom("", "-"),
      fc.oneof(digits(3), digits(12), digits(25)),
      fc.option(fc.oneof(digits(3), digits(12), digits(25), digits(60))),
      fc.option(fc.integer({ min: -most, max: most })),
    )
    .map(
      ([sign, whole, fraction, exponent]) =>
        `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${exponent === null ? "" : `e${exponent}`}`,
    );
const number = fc.oneof({ arbitrary: decimal(20), weight: 4 }, decimal(60), decimal(4000));

/** Sizes that are far apart, near each other, and cancel. */
const pair = fc.oneof(
  fc.tuple(number, number),
  decimal(30).chain((text) =>
    fc
      .tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 10, max: 22 }))
      .map(([offset, power]): [string, string] => {
        const opposite = text.startsWith("-") ? text.slice(1) : `-${text}`;
        const near = textOf(rounded(sum(fractionOf(opposite), fractionOf(`${offset}e-${power}`))));
        return [text, near];
      }),
  ),
);

test("a sum has the digits of 64-bit mantissas", () => {
  fc.assert(
    fc.property(pair, ([value, amount]) => {
      const text = textOf(sum(rounded(fractionOf(value)), rounded(fractionOf(amount))));
      expect(added(value, amount)).toBe(`$${text.length}\r\n${text}\r\n`);
    }),
    { numRuns: 4000 },
  );
});

test("half-way between two mantissas the even one is taken", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 2n ** 63n, max: 2n ** 64n - 1n }),
      fc.integer({ min: -120, max: 200 }),
      fc.constantFrom("", "1"),
      (mantissa, exponent, more) => {
        const half = 2n * mantissa + 1n;
        const [scale, places] =
          exponent > 0 ? [2n ** BigInt(exponent), 0] : [5n ** BigInt(1 - exponent), 1 - exponent];
        const text =
          exponent > 0
            ? `${(half * scale) / 2n}.${"0".repeat(30)}${more}`
            : `${half * scale}${"0".repeat(30)}${more}e-${places + 30 + more.length}`;
        const wanted = textOf(rounded(fractionOf(text)));
        expect(added("0", text)).toBe(`$${wanted.length}\r\n${wanted}\r\n`);
      },
    ),
    { numRuns: 2000 },
  );
});

test("an integer key is added to exactly", () => {
  for (const [value, amount, text] of [
    ["9223372036854775807", "0", "9223372036854775807"],
    ["-9223372036854775808", "0.5", "-9223372036854775807.5"],
    ["9223372036854775807", "9223372036854775807", "18446744073709551614"],
    ["0", "0", "0"],
    ["1", "-1", "0"],
  ] as const)
    expect(added(value, amount)).toBe(`$${text.length}\r\n${text}\r\n`);
});

test("the ends of the type: what rounds to zero or infinity is no number", () => {
  for (const text of ["1e4933", "1.18973149535723176509e4932", "1e-4951", "1.8e-4951", "1e-99999"])
    expect([text, added("1", text)]).toEqual([text, NOT_FLOAT]);
  for (const text of ["1.9e-4951", "1e-4950", "1e-100", `0.${"0".repeat(4900)}1`])
    expect([text, added("1", text)]).toEqual([text, "$1\r\n1\r\n"]);
  expect(added("0", "1.18973149535723176502e4932")).toStartWith(
    "$4933\r\n118973149535723176502126",
  );
  const nothing = "-ERR increment would produce NaN or Infinity\r\n";
  expect(added("5e4931", "5e4931")).toStartWith("$4933\r\n");
  expect(added("1e4932", "1e4932")).toBe(nothing);
  for (const text of ["inf", "-inf", "+Infinity"]) expect(added("1", text)).toBe(nothing);
  expect(added("inf", "-inf")).toBe(nothing);
  expect(added("1", `1${"0".repeat(5119)}`)).toBe(NOT_FLOAT);
  expect(added("1", `1.${"0".repeat(5117)}`)).toBe("$1\r\n2\r\n");
  expect(added("1", `1.${"0".repeat(5118)}`)).toBe(NOT_FLOAT);
});

describe.skipIf(REFERENCE_PATH === null)("redis-server adds the same", () => {
  test("random numbers, in every spelling", async () => {
    const server = await startReference(freePort());
    const client = await server.connect();
    const spelling = fc.oneof(
      { arbitrary: number, weight: 6 },
      decimal(4960),
      fc.constantFrom(
        "inf",
        "-Infinity",
        "nan",
        " 1",
        "1 ",
        "",
        "0x1.8p3",
        "-0x10",
        "0x",
        "1e",
        "+5",
      ),
      fc.integer().map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc
        .tuple(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.integer({ min: -150, max: 80 }))
        .map(([mantissa, exponent]) => `0x${mantissa.toString(16)}p${exponent}`),
    );
    const pairs = fc.sample(fc.oneof(pair, fc.tuple(spelling, spelling)), {
      numRuns: 4000,
      seed: 7,
    });
    for (const [value, amount] of pairs) {
      await client.raw("SET", "k", value);
      const wanted = await client.raw("INCRBYFLOAT", "k", amount);
      expect([value, amount, added(value, amount)]).toEqual([value, amount, wanted]);
    }
    client.close();
    await server.stop();
  }, 60_000);
});
