import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Config, ConfigError, parseCommandLine } from "../../../server/config/config.ts";
import { compileGlob } from "../../../server/config/glob.ts";
import { memoryBytes, splitLine } from "../../../server/config/syntax.ts";

const dir = mkdtempSync(join(tmpdir(), "bundis-config-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(text: string, name = "redis.conf"): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

describe("a line of a configuration file", () => {
  test("is split at blanks, with quotes and escapes", () => {
    expect(splitLine("save 900 1")).toEqual(["save", "900", "1"]);
    expect(splitLine('requirepass "a b\\x21"')).toEqual(["requirepass", "a b!"]);
    expect(splitLine("logfile ''")).toEqual(["logfile", ""]);
  });

  test("is refused with an open quote", () => {
    expect(splitLine('requirepass "a')).toBeUndefined();
  });

  test("takes sizes in powers of 1000 and of 1024", () => {
    expect(["7", "1b", "1k", "1KB", "1m", "1mb", "1g", "1Gb"].map(memoryBytes)).toEqual([
      7, 1, 1000, 1024, 1e6, 1048576, 1e9, 1073741824,
    ]);
  });
});

describe("the command line", () => {
  test("wins over the environment, which wins over the file, which wins over defaults", () => {
    const path = file("port 1\nmaxclients 2\ntimeout 3\n");
    const env = { BUNDIS_PORT: "11", BUNDIS_MAXCLIENTS: "12" };
    const defaults = { timeout: "30", hz: "40" };
    const config = parseCommandLine([path, "--port", "111"], defaults, env);
    expect(config.get("port")).toBe(111);
    expect(config.get("maxclients")).toBe(12);
    expect(config.get("timeout")).toBe(3);
    expect(config.get("hz")).toBe(40);
  });

  test("gives a directive several words and an empty one", () => {
    const config = parseCommandLine(["--bind", "127.0.0.1", "::1", "--save", ""]);
    expect(config.get("bind")).toEqual(["127.0.0.1", "::1"]);
    expect(config.match(["save"])).toEqual([["save", ""]]);
  });

  test("reads included files, skips comments and blank lines", () => {
    const inner = file("databases 4\n", "inner.conf");
    const config = parseCommandLine([file(`# a comment\n\n  include ${inner}\nport 5\n`)]);
    expect(config.get("databases")).toBe(4);
    expect(config.get("port")).toBe(5);
  });

  test("stops at an unknown directive with line and text", () => {
    const path = file("port 1\nnosuch thing\n");
    expect(() => parseCommandLine([path])).toThrow(ConfigError);
    expect(() => parseCommandLine([path])).toThrow(
      /\*\*\* FATAL CONFIG FILE ERROR \(Redis 7\.2\.4\) \*\*\*\nReading the configuration file, at line 2\n>>> 'nosuch thing'\nBad directive or wrong number of arguments/,
    );
  });

  test("stops at a value out of range, an open quote and a missing file", () => {
    expect(() => parseCommandLine(["--port", "65536"])).toThrow("between 0 and 65535 inclusive");
    expect(() => parseCommandLine([file('dir "x\n')])).toThrow("Unbalanced quotes");
    expect(() => parseCommandLine([join(dir, "missing.conf")])).toThrow(ConfigError);
  });
});

describe("CONFIG SET", () => {
  test("sets all pairs or none", () => {
    const config = new Config();
    const before = config.get("maxclients");
    const refused = config.set(
      [
        ["maxclients", "5"],
        ["timeout", "x"],
      ],
      true,
    );
    expect(refused).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer",
    );
    expect(config.get("maxclients")).toBe(before);
  });

  test("refuses the unknown, the repeated and what is fixed at start", () => {
    const config = new Config();
    expect(config.set([["nosuch", "1"]], true)).toBe(
      "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
    );
    const twice = [
      ["timeout", "1"],
      ["TIMEOUT", "2"],
    ] as const;
    expect(config.set(twice, true)).toEndWith(" - duplicate parameter");
    expect(config.set([["databases", "2"]], true)).toEndWith(" - can't set immutable config");
    expect(config.set([["databases", "2"]], false)).toBeUndefined();
  });

  test("refuses eviction policies that do not exist yet", () => {
    for (const policy of ["allkeys-lfu", "volatile-lfu", "volatile-random"])
      expect(new Config().set([["maxmemory-policy", policy]], true)).toStartWith(
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy')",
      );
  });

  test("tells listeners after all values are in force, and only about what was set", () => {
    const config = new Config();
    const seen: unknown[] = [];
    config.onChange("maxmemory", () => seen.push([config.get("maxmemory"), config.get("timeout")]));
    config.onChange("maxclients", () => seen.push("maxclients"));
    config.set(
      [
        ["maxmemory", "1mb"],
        ["timeout", "9"],
      ],
      true,
    );
    expect(seen).toEqual([[1048576, 9]]);
  });
});

test("CONFIG GET matches globs in any case and shows each name once", () => {
  const config = new Config();
  expect(config.match(["MAXMEMORY", "maxmemor?"])).toEqual([["maxmemory", "0"]]);
  expect(config.match(["appendfsync", "protected-mode"])).toEqual([
    ["protected-mode", "yes"],
    ["appendfsync", "everysec"],
  ]);
  expect(config.match(["no such"])).toEqual([]);
});

test("globs know stars, classes, ranges, negation and escapes", () => {
  const matches = (glob: string, text: string) => compileGlob(glob).test(text);
  expect(matches("max*", "maxmemory")).toBe(true);
  expect(matches("h[ae]llo", "hallo")).toBe(true);
  expect(matches("h[^e]llo", "hello")).toBe(false);
  expect(matches("h[a-c]llo", "hbllo")).toBe(true);
  expect(matches("a\\*b", "a*b")).toBe(true);
  expect(matches("a\\*b", "axb")).toBe(false);
  expect(matches("a.b", "axb")).toBe(false);
});

test("no glob of a client throws or takes long", () => {
  expect(compileGlob("[z-a]").test("m")).toBe(true);
  for (const glob of ["[", "[]", "[^]", "\\", "[a-", "[^\\"])
    expect(() => compileGlob(glob).test("a")).not.toThrow();
  const startedMs = performance.now();
  expect(compileGlob(`${"*a".repeat(500)}!`).test("a".repeat(1000))).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(500);
});
