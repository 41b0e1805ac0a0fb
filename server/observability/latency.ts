/** The latency monitor: for each kind of event the latest samples that reached the threshold, and the worst ever. */

/** Samples kept for an event; one a second at most. */
const SAMPLES_MAX = 160;
const GRAPH_COLUMNS = 80;
const GRAPH_ROWS = 4;
/** Heights within a row, from low to high. */
const GRAPH_MARKS = "_o#";

/** Kinds of events, by Redis's names. */
export type LatencyEvent =
  | "command"
  | "fast-command"
  | "command-unblocking"
  | "expire-cycle"
  | "eviction-cycle"
  | "aof-write"
  | "aof-write-alone"
  | "aof-write-pending-fsync"
  | "aof-fsync-always";

export interface Sample {
  atSeconds: number;
  ms: number;
}

export interface Series {
  /** Oldest first. */
  samples: Sample[];
  worstMs: number;
}

/** Figures of a series' samples; times in ms, `periodSeconds` from the oldest to now. */
export interface SeriesFigures {
  count: number;
  meanMs: number;
  deviationMs: number;
  periodSeconds: number;
}

export function figuresOf({ samples }: Series, nowSeconds: number): SeriesFigures {
  const count = samples.length;
  const meanMs = Math.floor(samples.reduce((sum, { ms }) => sum + ms, 0) / count);
  const apart = samples.reduce((sum, { ms }) => sum + Math.abs(meanMs - ms), 0);
  const oldest = Math.min(...samples.map(({ atSeconds }) => atSeconds));
  return {
    count,
    meanMs,
    deviationMs: Math.floor(apart / count),
    periodSeconds: Math.max(1, nowSeconds - oldest),
  };
}

function ago(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

/** One column a sample, four rows high, its age spelled downwards below it. */
function graphPart(samples: readonly Sample[], lowMs: number, rangeMs: number, now: number) {
  const heights = GRAPH_ROWS * GRAPH_MARKS.length;
  const steps = samples.map(({ ms }) =>
    Math.min(heights - 1, Math.floor(((ms - lowMs) * heights) / rangeMs)),
  );
  const ages = samples.map(({ atSeconds }) => ago(now - atSeconds));
  const lines: string[] = [];
  for (let row = GRAPH_ROWS - 1; row >= 0; row--)
    lines.push(
      steps
        .map((step) => {
          const mark = step - row * GRAPH_MARKS.length;
          return mark < 0 ? " " : (GRAPH_MARKS[mark] ?? "|");
        })
        .join(""),
    );
  lines.push(" ".repeat(samples.length));
  const longest = Math.max(...ages.map((age) => age.length));
  for (let i = 0; i < longest; i++) lines.push(ages.map((age) => age[i] ?? " ").join(""));
  return lines.map((line) => `${line}\n`).join("");
}

export class LatencyMonitor {
  /** latency-monitor-threshold: ms, 0 = off. */
  thresholdMs = 0;
  private readonly series = new Map<string, Series>();

  /** Whether an event that takes `ms` is kept. */
  isKept(ms: number): boolean {
    return this.thresholdMs !== 0 && Math.floor(ms) >= this.thresholdMs;
  }

  /** An event that took `ms`; whole milliseconds are compared and kept. */
  add(event: LatencyEvent, ms: number, nowMs: number): void {
    if (!this.isKept(ms)) return;
    const whole = Math.floor(ms);
    let series = this.series.get(event);
    if (series === undefined) {
      series = { samples: [], worstMs: 0 };
      this.series.set(event, series);
    }
    series.worstMs = Math.max(series.worstMs, whole);
    const atSeconds = Math.floor(nowMs / 1000);
    const last = series.samples.at(-1);
    // The worst of each second is kept.
    if (last?.atSeconds === atSeconds) last.ms = Math.max(last.ms, whole);
    else series.samples.push({ atSeconds, ms: whole });
    if (series.samples.length > SAMPLES_MAX) series.samples.shift();
  }

  get(event: string): Series | undefined {
    return this.series.get(event);
  }

  all(): readonly (readonly [event: string, series: Series])[] {
    return [...this.series];
  }

  /** Forgets events by name in any case; without names all. @returns how many */
  reset(names: readonly string[]): number {
    const wanted = new Set(names.map((name) => name.toLowerCase()));
    let forgotten = 0;
    for (const event of [...this.series.keys()])
      if ((names.length === 0 || wanted.has(event)) && this.series.delete(event)) forgotten++;
    return forgotten;
  }

  /** A drawing of an event's samples, or undefined if there are none. */
  graph(event: string, nowMs: number): string | undefined {
    const series = this.series.get(event);
    if (series === undefined) return undefined;
    const { samples, worstMs } = series;
    const low = Math.min(...samples.map(({ ms }) => ms));
    const high = Math.max(...samples.map(({ ms }) => ms));
    const parts: string[] = [];
    for (let from = 0; from < samples.length; from += GRAPH_COLUMNS)
      parts.push(
        graphPart(
          samples.slice(from, from + GRAPH_COLUMNS),
          low,
          Math.max(1, high - low),
          Math.floor(nowMs / 1000),
        ),
      );
    return (
      `${event} - high ${high} ms, low ${low} ms (all time high ${worstMs} ms)\n` +
      `${"-".repeat(GRAPH_COLUMNS)}\n${parts.join("\n")}`
    );
  }
}
