import { beforeEach, describe, expect, test } from "bun:test";
import { figuresOf, LatencyMonitor } from "../../../server/observability/latency.ts";
import { latencyReport } from "../../../server/observability/latency-report.ts";

const T0 = 1_700_000_000_000;

let monitor: LatencyMonitor;
beforeEach(() => {
  monitor = new LatencyMonitor();
  monitor.thresholdMs = 10;
});

describe("the latency monitor", () => {
  test("keeps events from the threshold on, and none while it is off", () => {
    monitor.add("command", 9.99, T0);
    monitor.thresholdMs = 0;
    monitor.add("command", 5000, T0);
    expect(monitor.all()).toEqual([]);
    monitor.thresholdMs = 10;
    monitor.add("command", 10.7, T0);
    expect(monitor.all()).toEqual([
      ["command", { samples: [{ atSeconds: T0 / 1000, ms: 10 }], worstMs: 10 }],
    ]);
  });

  test("keeps the worst of each second, and the worst ever", () => {
    for (const [ms, at] of [
      [20, 0],
      [50, 100],
      [30, 999],
      [15, 1000],
    ] as const)
      monitor.add("command", ms, T0 + at);
    expect(monitor.get("command")).toEqual({
      samples: [
        { atSeconds: T0 / 1000, ms: 50 },
        { atSeconds: T0 / 1000 + 1, ms: 15 },
      ],
      worstMs: 50,
    });
  });

  test("keeps the latest 160 samples", () => {
    for (let i = 0; i < 200; i++) monitor.add("command", 1000 - i, T0 + i * 1000);
    const series = monitor.get("command")!;
    expect(series.samples).toHaveLength(160);
    expect(series.samples[0]).toEqual({ atSeconds: T0 / 1000 + 40, ms: 960 });
    expect(series.worstMs).toBe(1000);
  });

  test("forgets by name in any case, or all", () => {
    monitor.add("command", 20, T0);
    monitor.add("fast-command", 20, T0);
    monitor.add("expire-cycle", 20, T0);
    expect(monitor.reset(["COMMAND", "nothing"])).toBe(1);
    expect(monitor.all().map(([event]) => event)).toEqual(["fast-command", "expire-cycle"]);
    expect(monitor.reset([])).toBe(2);
    expect(monitor.all()).toEqual([]);
  });

  test("figures are whole milliseconds, and a period is never 0", () => {
    for (const [second, ms] of [10, 20, 33].entries())
      monitor.add("command", ms, T0 + second * 1000);
    expect(figuresOf(monitor.get("command")!, T0 / 1000 + 2)).toEqual({
      count: 3,
      meanMs: 21,
      deviationMs: 8,
      periodSeconds: 2,
    });
    monitor.reset([]);
    monitor.add("command", 10, T0);
    expect(figuresOf(monitor.get("command")!, T0 / 1000).periodSeconds).toBe(1);
  });

  test("draws a column a sample, its age below", () => {
    for (const [second, ms] of [100, 200, 300, 400, 500].entries())
      monitor.add("command", ms, T0 + second * 1000);
    expect(monitor.graph("command", T0 + 62_000)).toBe(
      [
        "command - high 500 ms, low 100 ms (all time high 500 ms)",
        "-".repeat(80),
        "   _#",
        "  _||",
        " _|||",
        "_||||",
        "     ",
        "11155",
        "mmm98",
        "   ss",
        "",
      ].join("\n"),
    );
    expect(monitor.graph("nothing", T0)).toBeUndefined();
  });

  test("draws equal samples, and more than a screen is wide", () => {
    for (let i = 0; i < 81; i++) monitor.add("command", 20, T0 + i * 1000);
    const lines = monitor.graph("command", T0 + 81_000)!.split("\n");
    expect(lines[5]).toBe("_".repeat(80));
    expect(lines[lines.indexOf("") + 4]).toBe("_");
  });
});

describe("the report", () => {
  const report = (slowerThanUs = 10_000) => latencyReport({ monitor, slowerThanUs, nowMs: T0 });

  test("says when there is nothing to report, and why", () => {
    expect(report()).toBe("Nothing took as long as the latency monitor's threshold so far.\n");
    monitor.thresholdMs = 0;
    expect(report()).toContain("CONFIG SET latency-monitor-threshold");
  });

  test("counts each event, and gives each advice once", () => {
    monitor.add("command", 20, T0);
    monitor.add("aof-write-alone", 30, T0);
    monitor.add("aof-fsync-always", 40, T0);
    const text = report();
    expect(text).toContain(
      "1. command: 1 latency spikes (average 20ms, mean deviation 0ms, period 1.00 sec). Worst all time event 20ms.",
    );
    expect(text.match(/waited for the disk/g)).toHaveLength(1);
    expect(text).not.toContain("slowlog-log-slower-than");
  });

  test("tells how the slow log is to be set, by how it is", () => {
    monitor.add("command", 20, T0);
    expect(report(-1)).toContain("CONFIG SET slowlog-log-slower-than 10000 makes");
    expect(report(50_000)).toContain("CONFIG SET slowlog-log-slower-than 10000 brings");
  });
});
