import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, formatLine } from "../../../server/observability/log.ts";

const dir = mkdtempSync(join(tmpdir(), "bundis-log-"));
afterAll(() => rmSync(dir, { recursive: true }));

const AT = new Date(2026, 10, 5, 7, 8, 9, 45);
const base = { level: "debug", file: "" } as const;
const { pid } = process;

describe("a line", () => {
  test("is Redis's by default, with a mark for its level", () => {
    const levels = ["debug", "verbose", "notice", "warning"] as const;
    expect(levels.map((level) => formatLine(level, "text", AT, base))).toEqual(
      [".", "-", "*", "#"].map((mark) => `${pid}:M 05 Nov 2026 07:08:09.045 ${mark} text\n`),
    );
  });

  test("can be logfmt", () => {
    const line = formatLine("verbose", 'a "b"\nc', AT, { ...base, format: "logfmt" });
    expect(line).toBe(
      `pid=${pid} role=primary timestamp="05 Nov 2026 07:08:09.045" level=info message="a \\"b\\"\\nc"\n`,
    );
  });

  test("can be JSON", () => {
    const options = { ...base, format: "json", timestamp: "milliseconds" } as const;
    const line = formatLine("warning", 'a "b"\nc', AT, options);
    expect(line).toEndWith("}\n");
    expect(JSON.parse(line)).toEqual({
      pid,
      role: "primary",
      timestamp: String(AT.getTime()),
      level: "warning",
      message: 'a "b"\nc',
    });
  });

  test("can tell an ISO time with its offset", () => {
    const line = formatLine("notice", "text", AT, { ...base, timestamp: "iso8601" });
    const [, time = ""] = line.match(/^\d+:M (\S+) \* text\n$/) ?? [];
    expect(time).toMatch(/^2026-11-05T07:08:09\.045[+-]\d\d:\d\d$/);
    expect(new Date(time).getTime()).toBe(AT.getTime());
  });
});

describe("a logger", () => {
  test("drops lines below its level, which can change, and all of them at nothing", () => {
    const file = join(dir, "levels.log");
    const logger = createLogger({ level: "notice", file });
    logger.verbose("dropped");
    logger.notice("first");
    logger.options.level = "debug";
    logger.debug("second");
    logger.options.level = "nothing";
    logger.warning("dropped");
    logger.close();
    const texts = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(texts.map((line) => line.slice(line.lastIndexOf(" ") + 1))).toEqual(["first", "second"]);
  });

  test("follows a rotation when it is told to", () => {
    const file = join(dir, "rotated.log");
    const logger = createLogger({ level: "notice", file });
    logger.notice("one");
    renameSync(file, `${file}.1`);
    logger.notice("two");
    logger.reopen();
    logger.notice("three");
    logger.close();
    expect(readFileSync(`${file}.1`, "utf8").match(/one|two|three/g)).toEqual(["one", "two"]);
    expect(readFileSync(file, "utf8").match(/one|two|three/g)).toEqual(["three"]);
  });

  test("keeps the old file if the new one cannot be opened", () => {
    const folder = mkdtempSync(join(dir, "gone-"));
    const logger = createLogger({ level: "notice", file: join(folder, "x.log") });
    rmSync(folder, { recursive: true });
    expect(() => logger.reopen()).toThrow("ENOENT");
    expect(() => logger.notice("still here")).not.toThrow();
    logger.close();
  });
});
