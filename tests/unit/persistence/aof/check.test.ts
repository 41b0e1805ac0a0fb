/** `--check-aof` in process, and beside redis-check-aof where both can say something. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkAof } from "../../../../server/persistence/aof/check.ts";
import { lockDirectory } from "../../../../server/persistence/aof/lock.ts";
import { roomAt } from "../../../../server/persistence/aof/room.ts";
import { followed, framesOf, guarded, logSet } from "../../../support/guarded-log.ts";
import { temporaryDirectory } from "../../../support/server-process.ts";

const REFERENCE = Bun.which("redis-check-aof");
if (REFERENCE === null)
  console.log("redis-check-aof is not installed: --check-aof is not compared with it");

let dir: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  dir = temporaryDirectory();
});
afterEach(() => dir.remove());

function run(args: string[], answer = ""): { code: number; text: string } {
  const lines: string[] = [];
  const io = {
    print: (line: string) => void lines.push(line),
    ask: (question: string) => {
      lines.push(question);
      return answer;
    },
  };
  const code = checkAof(args, io);
  return { code, text: lines.join("\n") };
}

function put(files: Record<string, string>, into = dir.path): void {
  mkdirSync(into, { recursive: true });
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(into, name), Buffer.from(text, "latin1"));
}

const path = (name: string) => join(dir.path, name);
const textOf = (name: string) => readFileSync(path(name), "latin1");

const SETS = framesOf("SELECT 0", "SET a 1", "SET b 2");
const MORE = framesOf("SET c 3", "INCR d");
const UNIT = framesOf("MULTI", "SET e 5", "DEL a", "EXEC");

/** Files that both programs can judge, by what they are. */
const SINGLE: Record<string, string> = {
  whole: SETS + UNIT,
  "with annotations": guarded(SETS, UNIT + MORE),
  "torn in a word": (SETS + MORE).slice(0, -3),
  "torn in a header": `${SETS}*3\r\n$3\r\nSET\r\n$1`,
  "torn in the first header": `${SETS}*`,
  "torn behind a header": `${SETS}*2\r`,
  "torn in MULTI": SETS + framesOf("MULTI", "SET e 5"),
  "torn in a word in MULTI": SETS + UNIT.slice(0, 50),
  "EXEC without MULTI": SETS + framesOf("EXEC") + MORE,
  "MULTI in MULTI": SETS + framesOf("MULTI", "SET f 1", "MULTI") + MORE,
  "no command": `${SETS}hello\r\n${MORE}`,
  "a word without mark": SETS + MORE.replace("$1", "%1"),
  "a word that is longer than it says": SETS + framesOf("SET k abc").replace("abc", "abcd") + MORE,
  "not a number": `${SETS}*x\r\n${MORE}`,
};

function reference(...args: string[]): { code: number; text: string } {
  const result = Bun.spawnSync([REFERENCE!, ...args], { stdin: Buffer.from("y\n") });
  return { code: result.exitCode, text: result.stdout.toString() };
}

const analysis = (text: string) =>
  [...text.matchAll(/filename=(?:\S*\/)?(\S+), size=(\d+), ok_up_to=(\d+),.* diff=(\d+)/g)].map(
    (match) => match.slice(1),
  );

describe.skipIf(REFERENCE === null)("as redis-check-aof", () => {
  for (const [name, text] of Object.entries(SINGLE)) {
    test(`a file: ${name}`, () => {
      put({ "a.aof": text });
      const ours = run([path("a.aof")]);
      const theirs = reference(path("a.aof"));
      expect(analysis(ours.text)).toEqual(analysis(theirs.text));
      expect(ours.code).toBe(theirs.code);
    });

    test(`--fix of a file: ${name}`, () => {
      put({ "a.aof": text, "b.aof": text });
      expect(run(["--fix", path("a.aof")], "y").code).toBe(0);
      expect(reference("--fix", path("b.aof")).code).toBe(0);
      expect(textOf("a.aof")).toBe(textOf("b.aof"));
      const kept = readdirSync(dir.path).filter((file) => file.includes("cut-from"));
      expect(textOf("a.aof") + kept.map(textOf).join("")).toBe(text);
    });
  }

  test.each([50, 100, 150, 250, 900])("--truncate-to-timestamp %d", (seconds) => {
    const text = `${SETS}#TS:100\r\n${MORE}#TS:200\r\n${UNIT}#TS:300\r\n${MORE}`;
    put({ "a.aof": text, "b.aof": text });
    const args = (file: string) => ["--truncate-to-timestamp", String(seconds), path(file)];
    expect(run(args("a.aof")).code).toBe(reference(...args("b.aof")).code);
    expect(textOf("a.aof")).toBe(textOf("b.aof"));
    // Nothing is before the first second of a file that begins with it.
    put({ "a.aof": `#TS:1000\r\n${text}`, "b.aof": `#TS:1000\r\n${text}` });
    const last = run(args("a.aof"));
    expect(last.code).toBe(2);
    expect(last.text).toContain(`has nothing before timestamp ${seconds}, aborting...`);
    expect(reference(...args("b.aof")).text).toContain("nothing before timestamp");
    expect(textOf("a.aof")).toBe(textOf("b.aof"));
  });

  test("a set", () => {
    const base = `#BASE:bundis\r\n${SETS}`;
    const second = guarded(framesOf("SELECT 0") + MORE);
    put(
      logSet("x", {
        "x.1.base.aof": guarded(base),
        "x.2.incr.aof": second,
        "x.3.incr.aof": guarded(followed(2, second) + framesOf("SELECT 0") + UNIT),
      }),
    );
    const ours = run([path("x.manifest")]);
    const theirs = reference(path("x.manifest"));
    expect(analysis(ours.text)).toEqual(analysis(theirs.text));
    expect([ours.code, theirs.code]).toEqual([0, 0]);
    expect(ours.text).toContain("All AOF files and manifest are valid");
    expect(theirs.text).toContain("All AOF files and manifest are valid");
  });
});

describe("a set", () => {
  const first = guarded(framesOf("SELECT 0", "SET a 1"), framesOf("SET b 2"));
  const second = guarded(followed(1, first) + framesOf("SELECT 0", "SET c 3"), UNIT);

  test("is found from the data directory, its own, and its manifest", () => {
    put(logSet("appendonly.aof", { "appendonly.aof.1.incr.aof": first }), path("appendonlydir"));
    put(logSet("x", { "x.1.incr.aof": first }), path("other/logs"));
    for (const place of [
      "",
      "appendonlydir",
      "appendonlydir/appendonly.aof.manifest",
      "other",
      "other/logs",
    ])
      expect(run([path(place)])).toMatchObject({ code: 0 });
    expect(run([path("appendonlydir/appendonly.aof.1.incr.aof")]).text).toContain("Old-Style");
  });

  test("tells commands, checksums, and an open MULTI", () => {
    const torn = first + framesOf("MULTI", "SET z 1");
    put(logSet("x", { "x.1.incr.aof": torn }));
    const { code, text } = run([dir.path]);
    expect(code).toBe(1);
    expect(text).toContain("its manifest has a right checksum");
    expect(text).toContain(`5 commands, checksums up to offset ${first.length}`);
    expect(text).toContain(`Reached EOF before reading EXEC for MULTI at offset ${first.length}`);
    expect(text).toContain("A start with aof-load-truncated yes cuts that off");
  });

  test("torn at its end is mended, and what was cut is kept", () => {
    const torn = second.slice(0, -40);
    put(logSet("x", { "x.1.incr.aof": first, "x.2.incr.aof": torn }));
    expect(run([dir.path, "--fix"], "n")).toMatchObject({
      code: 1,
      text: expect.stringContaining("Aborting..."),
    });
    expect(textOf("x.2.incr.aof")).toBe(torn);
    expect(run([dir.path, "--fix"], "y").code).toBe(0);
    const left = textOf("x.2.incr.aof");
    expect(torn.startsWith(left)).toBe(true);
    expect(left + textOf(`x.2.incr.aof.cut-from-${left.length}`)).toBe(torn);
  });

  test("damaged in the middle is cut from the last checksum before, files behind it too", () => {
    const good = first.indexOf("*3", first.indexOf("#CRC"));
    const damaged = first.replace("2\r\n#CRC", "7\r\n#CRC");
    expect(damaged.length).toBe(first.length);
    put(logSet("x", { "x.1.incr.aof": damaged, "x.2.incr.aof": second }));
    const looked = run([dir.path]);
    expect(looked.code).toBe(1);
    expect(looked.text).toContain(
      `damaged at offset ${first.lastIndexOf("#CRC")}: the checksum of offset ${good} to here`,
    );
    const lost = first.length - good + second.length;
    expect(looked.text).toContain(`--fix cuts off ${lost} bytes (${second.length} of them in x.2`);
    const before = textOf("x.manifest");
    expect(run(["--fix", dir.path], "yes").code).toBe(0);
    expect(textOf("x.1.incr.aof")).toBe(first.slice(0, good));
    expect(textOf("x.manifest")).not.toContain("x.2.incr.aof");
    expect(textOf("x.2.incr.aof.cut")).toBe(second);
    expect(textOf("x.manifest.before-cut")).toBe(before);
    expect(existsSync(path("x.2.incr.aof"))).toBe(false);
  });

  test("whose file is shorter than the next one says is torn, the next one goes", () => {
    put(logSet("x", { "x.1.incr.aof": first.slice(0, -30), "x.2.incr.aof": second }));
    expect(run([dir.path]).text).toContain("torn at its end");
    expect(run([dir.path, "--fix"], "y").code).toBe(0);
    expect(readdirSync(dir.path)).toContain("x.2.incr.aof.cut");
  });

  test("is cut at a time, also where a file goes as a whole", () => {
    const dated = guarded(`#TS:100\r\n${SETS}`, `#TS:200\r\n${MORE}`);
    const behind = guarded(`${followed(1, dated)}#TS:300\r\n${SETS}`, `#TS:400\r\n${MORE}`);
    const files = logSet("x", { "x.1.incr.aof": dated, "x.2.incr.aof": behind });
    put(files);
    const cut = (seconds: number, answer = "") =>
      run(["--truncate-to-timestamp", String(seconds), dir.path], answer);
    expect(cut(400).text).toContain("Truncate nothing in AOF x.2.incr.aof to timestamp 400");
    expect(cut(350).code).toBe(0);
    expect(textOf("x.2.incr.aof")).toBe(behind.slice(0, behind.indexOf("#TS:400")));
    put(files);
    expect(cut(150)).toMatchObject({ code: 1 });
    expect(textOf("x.1.incr.aof")).toBe(dated);
    expect(cut(150, "y")).toMatchObject({ code: 0 });
    expect(textOf("x.1.incr.aof")).toBe(dated.slice(0, dated.indexOf("#TS:200")));
    expect(cut(50)).toMatchObject({ code: 2 });
  });

  test("has nothing before a time if its base may be later than that", () => {
    const log = guarded(`#TS:300\r\n${SETS}`, `#TS:400\r\n${MORE}`);
    const cut = (seconds: number) => run(["--truncate-to-timestamp", String(seconds), dir.path]);
    put(logSet("x", { "x.1.base.aof": guarded(`#BASE:bundis\r\n${SETS}`), "x.1.incr.aof": log }));
    expect(cut(250).text).toContain("has nothing before timestamp 250");
    const dated = guarded(`#BASE:bundis\r\n#TS:299\r\n${SETS}`);
    put(logSet("x", { "x.1.base.aof": dated, "x.1.incr.aof": log }));
    expect(cut(298).text).toContain("AOF x.1.base.aof has nothing before timestamp 298");
    expect(cut(299).code).toBe(0);
    expect(textOf("x.1.incr.aof")).toBe("");
  });

  test("a base whose last line is missing is damaged", () => {
    const base = guarded(`#BASE:bundis\r\n${SETS}`, MORE);
    put(logSet("x", { "x.1.base.aof": base.slice(0, base.lastIndexOf("#CRC")) }));
    const { code, text } = run([dir.path]);
    expect(code).toBe(1);
    expect(text).toContain("its end is missing");
  });

  test("torn in a # line is torn, which redis-check-aof does not see", () => {
    put(logSet("x", { "x.1.incr.aof": `${first}#TS:17` }));
    expect(run([dir.path])).toMatchObject({
      code: 1,
      text: expect.stringContaining(`the last 6 bytes, from offset ${first.length}`),
    });
  });

  test("room behind a log is none either, and is not taken for what the next file has", () => {
    const room = Buffer.from(roomAt(first.length + 1, 1024)).toString("latin1");
    put(logSet("x", { "x.1.incr.aof": `${first}#${room}` }));
    const { code, text } = run([dir.path]);
    expect(code).toBe(0);
    expect(text).toContain(`the last ${room.length + 1} bytes are room for what comes next`);
    expect(text).not.toContain("in the next file");
  });

  test("what a start cuts because the next file has it too is no fault", () => {
    put(logSet("x", { "x.1.incr.aof": `${first}*3\r\n`, "x.2.incr.aof": second }));
    const { code, text } = run([dir.path]);
    expect(code).toBe(0);
    expect(text).toContain("4 bytes behind them are in the next file too");
  });
});

describe("what cannot be checked ends with 2, a damaged manifest with 1:", () => {
  test("arguments", () => {
    for (const args of [[], ["--fix"], ["a", "b"], ["--fix", "--truncate-to-timestamp", "1", "a"]])
      expect(run(args)).toMatchObject({ code: 2, text: expect.stringContaining("Usage: ") });
    expect(run(["--truncate-to-timestamp", "now", "a"]).text).toBe(
      "Invalid timestamp, aborting...",
    );
  });

  test("nothing there", () => {
    expect(run([path("a")]).text).toContain("No such file or directory");
    expect(run([dir.path]).code).toBe(2);
  });

  test("files that are missing or in another format", () => {
    put(logSet("x", { "x.1.base.aof": "REDIS0011", "x.1.incr.aof": SETS }));
    expect(run([dir.path])).toMatchObject({
      code: 2,
      text: expect.stringContaining("RDB format"),
    });
    put({ "x.manifest": "file y.1.incr.aof seq 1 type i\n" });
    expect(run([dir.path, "--fix"], "y")).toMatchObject({
      code: 2,
      text: expect.stringContaining("AOF y.1.incr.aof: it is missing"),
    });
  });

  test("a manifest", () => {
    put({ "x.1.incr.aof": SETS, "x.manifest": "file x.1.incr.aof seq 1 type q\n" });
    const { code, text } = run([dir.path]);
    expect(code).toBe(1);
    expect(text).toContain("line 1 at offset 0. Beside it: x.1.incr.aof");
  });

  test("a directory that a server has is looked at, not mended", () => {
    const torn = SETS.slice(0, -1);
    put(logSet("x", { "x.1.incr.aof": torn }), path("logs"));
    const unlock = lockDirectory(dir.path);
    expect(run([dir.path]).text).toContain("is writing here: the end may look torn");
    expect(run([dir.path, "--fix"], "y").code).toBe(2);
    expect(textOf("logs/x.1.incr.aof")).toBe(torn);
    unlock();
    expect(run([dir.path, "--fix"], "y").code).toBe(0);
  });
});
