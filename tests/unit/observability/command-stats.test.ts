import { describe, expect, test } from "bun:test";
import {
  CommandStats,
  ERROR_CODES_MAX,
  errorCode,
} from "../../../server/observability/command-stats.ts";

const NAMES = ["get", "config", "config|get"];

describe("command statistics", () => {
  test("show commands that were called, refused or failed, and no others", () => {
    const stats = new CommandStats(NAMES);
    stats.run(0, 3, 4.5);
    stats.run(0, 1, 1);
    stats.rejected[2]! += 2;
    expect(stats.commandFields()).toEqual({
      cmdstat_get: "calls=4,usec=5,usec_per_call=1.38,rejected_calls=0,failed_calls=0",
      "cmdstat_config|get": "calls=0,usec=0,usec_per_call=0.00,rejected_calls=2,failed_calls=0",
    });
  });

  test("give the percentiles that were asked for", () => {
    const stats = new CommandStats(NAMES);
    stats.run(0, 99, 99);
    stats.run(0, 1, 3000);
    expect(stats.latencyFields([50, 99, 99.9])).toEqual({
      latency_percentiles_usec_get: "p50=1.003,p99=1.003,p99.9=3014.655",
    });
    expect(stats.latencyFields([])).toEqual({ latency_percentiles_usec_get: "" });
  });

  test("keep no latencies while latency-tracking is off", () => {
    const stats = new CommandStats(NAMES);
    stats.tracksLatency = false;
    stats.run(0, 1, 10);
    stats.tracksLatency = true;
    expect(stats.latencyFields([50])).toEqual({});
    expect(stats.histogram(0)).toBeUndefined();
    expect(stats.calls[0]).toBe(1);
  });

  test("are all forgotten by a reset", () => {
    const stats = new CommandStats(NAMES);
    stats.run(1, 1, 10);
    stats.failed[1]! += 1;
    stats.error("ERR no");
    stats.reset();
    expect(stats.commandFields()).toEqual({});
    expect(stats.errorFields()).toEqual({});
    expect(stats.latencyFields([50])).toEqual({});
    expect(stats.errorReplies).toBe(0);
  });
});

describe("error statistics", () => {
  test("an error's code is its first word, and ERR where there is none", () => {
    expect(errorCode("WRONGTYPE Operation against a key")).toBe("WRONGTYPE");
    expect(errorCode("ERR")).toBe("ERR");
    expect(errorCode(`${"X".repeat(30)} y`)).toBe("X".repeat(30));
    expect(errorCode(`${"X".repeat(31)} y`)).toBe("ERR");
  });

  test("errors are counted by code, and sorted", () => {
    const stats = new CommandStats(NAMES);
    for (const line of ["WRONGTYPE x", "ERR a", "ERR b", "BAD:CODE z"]) stats.error(line);
    expect(Object.entries(stats.errorFields())).toEqual([
      ["errorstat_BAD_CODE", "count=1"],
      ["errorstat_ERR", "count=2"],
      ["errorstat_WRONGTYPE", "count=1"],
    ]);
    expect(stats.errorReplies).toBe(4);
  });

  test("too many codes end the counting by code until a reset, known ones at the limit do not", () => {
    const told: (readonly string[])[] = [];
    const stats = new CommandStats(NAMES, (codes) => told.push(codes));
    for (let i = 0; i < ERROR_CODES_MAX; i++) stats.error(`CODE${i} x`);
    stats.error("CODE5 again");
    expect(told).toEqual([]);
    expect(stats.errorFields()["errorstat_CODE5"]).toBe("count=2");
    stats.error("ONEMORE x");
    stats.error("ERR x");
    expect(told).toHaveLength(1);
    expect(told[0]).toHaveLength(ERROR_CODES_MAX);
    expect(stats.errorFields()).toEqual({ errorstat_ERRORSTATS_DISABLED: "count=1" });
    expect(stats.errorReplies).toBe(ERROR_CODES_MAX + 3);
    stats.reset();
    stats.error("ERR x");
    expect(stats.errorFields()).toEqual({ errorstat_ERR: "count=1" });
  });
});
