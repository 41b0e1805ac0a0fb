/**
 * How long calls took, in nanoseconds from 1 to a second, with two significant digits: the buckets of an HDR histogram, so
 * that LATENCY HISTOGRAM and INFO latencystats give the figures that Redis's readers know.
 *
 *   value            0..255   256..511   512..1023 ... up to 2^30 - 1
 *   bucket width          1          2           4 ...     (128 buckets for each doubling)
 */
const SUB_BUCKETS = 256;
const HALF = SUB_BUCKETS / 2;
const LARGEST_NS = 1_000_000_000;
/** log2 of the largest bucket's width: 2^30 / 256. */
const WIDEST = 22;
const BUCKETS = SUB_BUCKETS + WIDEST * HALF;
/** Boundaries of the cumulative answer: this, and its doublings. */
const FIRST_BOUNDARY_NS = 1024;

function shiftOf(ns: number): number {
  return ns < SUB_BUCKETS ? 0 : 24 - Math.clz32(ns);
}

function bucketOf(ns: number): number {
  const shift = shiftOf(ns);
  return shift * HALF + (ns >>> shift);
}

/** The largest value that falls into the same bucket. */
export function largestLike(ns: number): number {
  const shift = shiftOf(ns);
  return (((ns >>> shift) + 1) << shift) - 1;
}

function largestOf(bucket: number): number {
  const shift = bucket < SUB_BUCKETS ? 0 : Math.floor(bucket / HALF) - 1;
  return ((bucket - shift * HALF + 1) << shift) - 1;
}

export class LatencyHistogram {
  private readonly counts = new Float64Array(BUCKETS);
  /** Calls recorded. */
  total = 0;

  /** `calls` calls of `ns` each; values out of range count as its ends. O(1) */
  record(ns: number, calls: number): void {
    const value = ns < 1 ? 1 : ns > LARGEST_NS ? LARGEST_NS : Math.round(ns);
    this.counts[bucketOf(value)]! += calls;
    this.total += calls;
  }

  /** The nanoseconds that `percent` of the calls did not exceed, 0 if there were none. O(buckets) */
  percentile(percent: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percent, 100) / 100) * this.total + 0.5));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.counts[bucket]!;
      if (seen >= wanted) return largestOf(bucket);
    }
    return 0;
  }

  /** Pairs (microseconds, calls that took no longer) at boundaries that double, those that add no call left out. O(buckets) */
  cumulative(): [microseconds: number, calls: number][] {
    const found: [number, number][] = [];
    let seen = 0;
    let told = 0;
    let bucket = 0;
    for (let boundary = FIRST_BOUNDARY_NS; seen < this.total; boundary *= 2) {
      const last = bucketOf(boundary);
      while (bucket <= last && bucket < BUCKETS) seen += this.counts[bucket++]!;
      if (seen > told) found.push([Math.floor(largestLike(boundary) / 1000), seen]);
      told = seen;
    }
    return found;
  }
}
