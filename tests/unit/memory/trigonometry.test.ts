/** Sine, cosine and arcsine against JavaScript's, which are within a unit of the last place. */
import { expect, test } from "bun:test";
import { type Core, createCore } from "../../../server/core/core.ts";
import { BUILDS } from "../../support/core.ts";
import { createRandom } from "../../support/random.ts";

interface TestExports extends Core {
  testSine(x: number): number;
  testCosine(x: number): number;
  testArcsine(x: number): number;
}

const core = createCore({ seed: [1, 2], drain() {}, wasmPath: BUILDS.tiny }) as TestExports;

/** Whether two doubles are the same or neighbours. */
const isNear = (a: number, b: number) => Math.abs(a - b) <= Math.abs(b) * 2 ** -52;

test("sine and cosine are right within four radians, arcsine from 0 to 1", () => {
  const random = createRandom(3);
  const wrong: string[] = [];
  let same = 0;
  const compare = (name: string, x: number, got: number, wanted: number) => {
    if (got === wanted) same += 1;
    else if (!isNear(got, wanted) && Math.abs(wanted) > 1e-10) wrong.push(`${name} ${x}: ${got}`);
  };
  for (let i = 0; i < 100_000; i++) {
    const x = (random.below(2 ** 32) / 2 ** 32) * 8 - 4;
    const share = random.below(2 ** 32) / 2 ** 32 / (random.chance(0.2) ? 1e6 : 1);
    compare("sin", x, core.testSine(x), Math.sin(x));
    compare("cos", x, core.testCosine(x), Math.cos(x));
    compare("asin", share, core.testArcsine(share), Math.asin(share));
  }
  expect(wrong.slice(0, 5)).toEqual([]);
  // Two good roundings differ now and then.
  expect(same).toBeGreaterThan(250_000);
  expect([core.testSine(0), core.testCosine(0), core.testArcsine(0)]).toEqual([0, 1, 0]);
});
