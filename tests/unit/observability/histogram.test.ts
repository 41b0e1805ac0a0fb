import { describe, expect, test } from "bun:test";
import { LatencyHistogram, largestLike } from "../../../server/observability/histogram.ts";
import { createRandom } from "../../support/random.ts";

function histogramOf(...values: number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value, 1);
  return histogram;
}

describe("a latency histogram", () => {
  test("of nothing has neither percentiles nor boundaries", () => {
    expect(new LatencyHistogram().percentile(50)).toBe(0);
    expect(new LatencyHistogram().cumulative()).toEqual([]);
  });

  test("tells a value within one per cent, never too low", () => {
    const random = createRandom(7);
    for (let i = 0; i < 20_000; i++) {
      const value = Math.max(1, Math.floor(10 ** (random.below(900_000) / 100_000)));
      const told = histogramOf(value).percentile(100);
      expect(told).toBeGreaterThanOrEqual(value);
      expect(told).toBeLessThanOrEqual(value * 1.01);
      expect(told).toBe(largestLike(value));
    }
  });

  test("answers the figures that Redis answers for whole microseconds", () => {
    expect(histogramOf(1000).percentile(50)).toBe(1003);
    expect(histogramOf(2000).percentile(50)).toBe(2007);
    expect(histogramOf(50_000).percentile(50)).toBe(50_175);
  });

  test("counts values out of range as the ends of its range", () => {
    expect(histogramOf(0).percentile(100)).toBe(1);
    expect(histogramOf(-5).percentile(100)).toBe(1);
    expect(histogramOf(1e12).percentile(100)).toBe(largestLike(1_000_000_000));
  });

  test("percentiles are those of the sorted values", () => {
    const random = createRandom(3);
    const values = Array.from({ length: 1001 }, () => 1 + random.below(2_000_000));
    const histogram = histogramOf(...values);
    values.sort((a, b) => a - b);
    for (const percent of [0, 1, 25, 50, 90, 99, 99.9, 100]) {
      const rank = Math.max(1, Math.floor((percent / 100) * values.length + 0.5));
      expect(histogram.percentile(percent)).toBe(largestLike(values[rank - 1]!));
    }
  });

  test("boundaries double, are cumulative, and leave out what adds nothing", () => {
    const histogram = histogramOf(300, 1031, 1032, 5000, 5000, 70_000);
    expect(histogram.cumulative()).toEqual([
      [1, 2],
      [2, 3],
      [8, 5],
      [132, 6],
    ]);
  });

  test("a run of calls counts as so many", () => {
    const histogram = new LatencyHistogram();
    histogram.record(400, 1000);
    histogram.record(3_000_000, 1);
    expect(histogram.total).toBe(1001);
    expect(histogram.cumulative()[0]).toEqual([1, 1000]);
    expect(histogram.percentile(99)).toBe(largestLike(400));
  });

  test("the last boundary covers everything", () => {
    expect(histogramOf(999_999_999, 5e9).cumulative()).toEqual([[1_082_130, 2]]);
  });
});
