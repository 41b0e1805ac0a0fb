import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, loadConfig } from "../../../server/config/load.ts";

const dir = mkdtempSync(join(tmpdir(), "bundis-config-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(text: string, name = "redis.conf"): string {
  const path = join(dir, name);
  writeFileSync(path, text, "latin1");
  return path;
}

const shown = (args: string[], name: string, env = {}) =>
  loadConfig(args, { env }).match([name])[0]![1];

describe("sources", () => {
  test("flags win over the environment, which wins over the file", () => {
    const path = file("port 1\nmaxclients 2\ntimeout 3\n");
    const env = { BUNDIS_PORT: "11", BUNDIS_MAXCLIENTS: "12" };
    const config = loadConfig([path, "--port", "111"], { env });
    expect(config.get("port")).toBe(111);
    expect(config.get("maxclients")).toBe(12);
    expect(config.get("timeout")).toBe(3);
    expect(config.isLoaded("timeout")).toBe(true);
    expect(config.isLoaded("databases")).toBe(false);
    expect(config.file).toBe(path);
  });

  test("standard input comes behind the file, as first argument or last", () => {
    const readStdin = () => "timeout 5\n";
    expect(loadConfig(["-"], { readStdin }).get("timeout")).toBe(5);
    const config = loadConfig([file("timeout 1\nport 2"), "--port", "3", "-"], { readStdin });
    expect([config.get("timeout"), config.get("port")]).toEqual([5, 3]);
  });

  test("variables of other images count below ours", () => {
    const password = file("from a file\n", "password");
    const env = { PORT: "70", REDIS_PASSWORD: "secret" };
    expect(shown([], "port", env)).toBe("70");
    expect(shown([], "requirepass", env)).toBe("secret");
    expect(shown([], "requirepass", { REDIS_PASSWORD_FILE: password })).toBe("from a file");
    expect(shown([], "requirepass", { ...env, BUNDIS_REQUIREPASS: "ours" })).toBe("ours");
    expect(() => loadConfig([], { env: { PORT: "http" } })).toThrow(
      "Reading the environment variable PORT\n>>> 'port \"http\"'\nargument couldn't be parsed",
    );
  });
});

test("defaults of the environment count below everything, above those of the program", () => {
  const env = { BUNDIS_DEFAULT_TIMEOUT: "7", BUNDIS_DEFAULT_HZ: "8", BUNDIS_DEFAULT_PORT: "9" };
  const defaults = { timeout: "1", databases: "2" };
  const config = loadConfig([file("hz 50\n"), "--port", "90"], { env, defaults });
  const values = ["timeout", "hz", "port", "databases"] as const;
  expect(values.map((name) => config.get(name))).toEqual([7, 50, 90, 2]);
});

test("a variable of ours that names no directive is told", () => {
  const env = { BUNDIS_MAXMEMROY: "1gb", BUNDIS_PORT: "1", BUNDIS_DEFAULT_PORT: "2", OTHER: "x" };
  expect(loadConfig([], { env }).warnings).toEqual([
    "The variable BUNDIS_MAXMEMROY names no directive.",
  ]);
});

describe("flags", () => {
  test.each([
    [["--bind", "127.0.0.1", "::1"], "bind", "127.0.0.1 ::1"],
    [["--bind", "127.0.0.1 ::1"], "bind", "127.0.0.1 ::1"],
    [["--bind 127.0.0.1", "::1"], "bind", "127.0.0.1 ::1"],
    [["--port 7"], "port", "7"],
    [["--save", ""], "save", ""],
    [["--save"], "save", ""],
    [["--save", "--port", "7"], "port", "7"],
    [["--save", "900 1", "--save", "60", "2"], "save", "900 1 60 2"],
    [["--save 900 1", "--save ''"], "save", ""],
    [["--requirepass", "--dashes"], "requirepass", "--dashes"],
    [["--requirepass", 'a "b'], "requirepass", 'a "b'],
    [["--requirepass", "é"], "requirepass", "\xc3\xa9"],
    [["--MAXMEMORY", "1mb"], "maxmemory", "1048576"],
    [["--shutdown-on-sigint", "nosave", "force"], "shutdown-on-sigint", "nosave force"],
  ])("%j", (args, name, expected) => {
    expect(shown(args, name)).toBe(expected);
  });

  test("that are no directives stop the start", () => {
    expect(() => loadConfig(["--nosuch", "1"])).toThrow(
      "at line 2\n>>> 'nosuch \"1\"'\nBad directive or wrong number of arguments",
    );
    expect(() => loadConfig(["--port"])).toThrow("wrong number of arguments");
    expect(() => loadConfig(["--port", "1", "2"])).toThrow("wrong number of arguments");
    expect(() => loadConfig(["--port", "65536"])).toThrow("between 0 and 65535 inclusive");
  });
});

describe("a file", () => {
  test("may have comments, blank lines, carriage returns, quotes and bytes of any encoding", () => {
    const path = file('# a comment\r\n\r\n  \tPORT 5\r\nrequirepass "a \\"b\\" \xe9"\n');
    expect(shown([path], "port")).toBe("5");
    expect(shown([path], "requirepass")).toBe('a "b" \xe9');
  });

  test("adds lines of save up, over the files and flags", () => {
    const path = file("save 900 1\nsave 60 2\n");
    expect(shown([path], "save")).toBe("900 1 60 2");
    expect(shown([path, "--save", "1 1"], "save")).toBe("900 1 60 2 1 1");
    expect(shown([path, "--save", ""], "save")).toBe("");
  });

  test("changes the classes of client-output-buffer-limit that it names", () => {
    const lines =
      "client-output-buffer-limit normal 1 2 3\nclient-output-buffer-limit pubsub 4 5 6\n";
    expect(shown([file(lines)], "client-output-buffer-limit")).toBe(
      "normal 1 2 3 slave 268435456 67108864 60 pubsub 4 5 6",
    );
  });

  test("collects renamed commands", () => {
    const path = file('rename-command FLUSHALL ""\nrename-command CONFIG secret\n');
    expect(loadConfig([path]).renamedCommands).toEqual([
      ["FLUSHALL", ""],
      ["CONFIG", "secret"],
    ]);
  });

  test("includes others, by name and by glob, and needs none that a glob does not find", () => {
    mkdirSync(join(dir, "conf.d"));
    file("databases 4\n", "conf.d/a.conf");
    file("databases 6\ntimeout 8\n", "conf.d/b.conf");
    const path = file(`include ${dir}/conf.d/*.conf\ninclude ${dir}/nothing/*.conf\nport 5\n`);
    expect(shown([path], "databases")).toBe("6");
    expect(shown([path], "timeout")).toBe("8");
    expect(shown([path], "port")).toBe("5");
    expect(() => loadConfig([file(`include ${dir}/missing.conf`)])).toThrow(
      `Fatal error, can't open config file '${dir}/missing.conf': No such file or directory`,
    );
  });

  test("must not include itself, over another file neither", () => {
    const path = file(`include ${dir}/inner.conf\n`);
    file(`port 5\ninclude ${path}\n`, "inner.conf");
    expect(() => loadConfig([path])).toThrow(
      `at line 2\n>>> 'include ${path}'\n'${path}' includes itself`,
    );
  });

  test("with an unknown directive is refused with line and text", () => {
    const path = file("port 1\nnosuch thing\n");
    expect(() => loadConfig([path], { version: "Bundis 1" })).toThrow(ConfigError);
    expect(() => loadConfig([path], { version: "Bundis 1" })).toThrow(
      "\n*** FATAL CONFIG FILE ERROR (Bundis 1) ***\nReading the configuration file, at line 2\n>>> 'nosuch thing'\nBad directive or wrong number of arguments",
    );
  });

  test.each([
    ['dir "x', "Unbalanced quotes in configuration line"],
    ["dir /nonexistent", "No such file or directory"],
    ["appendfilename a/b", "appendfilename can't be a path, just a filename"],
    ["loadmodule /x.so", "modules are not supported"],
    ["search.timeout 5", "modules are not supported"],
    ["user bob on >x ~* +@all", "users other than default are not supported yet"],
    ["user default on >x -@all", "Error in user declaration '-@all'"],
    ["sentinel monitor x 1 2 3", "sentinel directive while not in sentinel mode"],
  ])("with %p is refused", (line, why) => {
    expect(() => loadConfig([file(line)])).toThrow(why);
  });

  test("may have what old versions and CONFIG REWRITE wrote", () => {
    const path = file(
      "lua-replicate-commands yes\nslave-read-only no\nuser default on nopass sanitize-payload ~* &* +@all\n",
    );
    expect(shown([path], "replica-read-only")).toBe("no");
    expect(shown([file("user default on >secret ~* +@all")], "requirepass")).toBe("secret");
  });
});
