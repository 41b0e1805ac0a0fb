/** CONFIG against redis-server: every name known, every default, every refusal. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { parseReply } from "../support/reply.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

/** What Redis 7.2 knows beyond 7.0. */
const SINCE_7_2 = [
  "cluster-announce-human-nodename",
  "locale-collate",
  "set-max-listpack-entries",
  "set-max-listpack-value",
];
const HIDDEN = [
  "cluster-ping-interval",
  "aof-disable-auto-gc",
  "key-load-delay",
  "loading-process-events-interval-bytes",
  "rdb-key-save-delay",
  "use-exit-on-panic",
  "watchdog-period",
];
/** Defaults that are others on purpose, or that the test's own flags set. */
const OTHER_DEFAULTS: Record<string, string> = {
  activedefrag: "the core always defragments",
  appendfsync: "a flag of the test",
  "aof-use-rdb-preamble": "RDB files are not there yet",
  bind: "loopback unless told otherwise",
  dir: "a flag of the test",
  "enable-debug-command": "a flag of the test",
  port: "a flag of the test",
  save: "a flag of the test",
};
/** What probes would break on the reference, or what has narrower ranges here: reason each. */
const NOT_PROBED: Record<string, string> = {
  activedefrag: "Debian's build refuses it",
  bind: "the reference would close its listener",
  databases: "at most 128 here",
  dir: "texts of the system",
  "client-query-buffer-limit": "probed values would cut the connection off",
  maxmemory: "at most 4 GiB here",
  "proto-max-bulk-len": "at most 2 GiB here",
  port: "the reference would change its port",
  logfile: "immutable",
  loglevel: "7.2 has one level more",
  maxclients: "bounded by the system's descriptors",
  "oom-score-adj": "the reference writes to /proc",
  "oom-score-adj-values": "the reference writes to /proc",
  requirepass: "the connection would need it",
  "proc-title-template": "the reference would change its title",
};
/** Probes of single directives that are answered otherwise on purpose. */
const OTHER_ANSWERS: Record<string, string> = {
  "maxmemory-clients 99999999999999999999999": "Redis wraps around to 1%",
  "repl-backlog-size 1kb": "Redis raises it to 16kb silently",
};
const PROBES = [
  "nosuch",
  "-1",
  "99999999999999999999999",
  "1 2 3 4 5",
  "1.5",
  "7%",
  "1kb",
  "yes",
  "",
];

describe.skipIf(REFERENCE_PATH === null)("CONFIG as redis-server", () => {
  let reference: Reference;
  let server: RunningServer;
  let theirs: Connection;
  let ours: Connection;

  const dir = temporaryDirectory();

  beforeAll(async () => {
    reference = await startReference(freePort());
    // The append-only file is switched on and off on the way.
    server = await startServer({ config: { "enable-debug-command": "yes", dir: dir.path } });
    theirs = await reference.connect();
    ours = await openConnection(server.port);
  });
  afterAll(async () => {
    theirs?.close();
    ours?.close();
    await server?.close();
    await reference?.stop();
    dir.remove();
  });

  async function all(connection: Connection): Promise<Map<string, string>> {
    const { reply } = parseReply(await connection.raw("CONFIG", "GET", "*"))!;
    const words = (reply.kind === "array" ? reply.items : []).map((item) =>
      item.kind === "bulk" ? item.text : item.kind,
    );
    return new Map(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]!]] : [])));
  }

  test("every name is known, hidden ones too", async () => {
    const known = await all(ours);
    const wanted = [...(await all(theirs)).keys(), ...SINCE_7_2];
    const missing = wanted.filter((name) => !known.has(name) && !HIDDEN.includes(name));
    expect(missing).toEqual([]);
    for (const name of HIDDEN)
      expect(await ours.raw("CONFIG", "GET", name)).toStartWith(`*2\r\n$${name.length}\r\n${name}`);
  });

  test("defaults are the same", async () => {
    const known = await all(ours);
    const differing = [...(await all(theirs))].filter(
      ([name, value]) =>
        known.get(name) !== value && !HIDDEN.includes(name) && OTHER_DEFAULTS[name] === undefined,
    );
    expect(differing).toEqual([]);
  });

  test("values are taken, shown and refused alike", async () => {
    const differing: string[] = [];
    for (const [name, value] of await all(theirs)) {
      if (NOT_PROBED[name] !== undefined || name.startsWith("tls-")) continue;
      for (const probe of [value, ...PROBES, value]) {
        if (OTHER_ANSWERS[`${name} ${probe}`] !== undefined) continue;
        const set = ["CONFIG", "SET", name, probe];
        const get = ["CONFIG", "GET", name];
        const wanted = (await theirs.raw(...set)) + (await theirs.raw(...get));
        const got = (await ours.raw(...set)) + (await ours.raw(...get));
        if (got !== wanted) differing.push(JSON.stringify([name, probe, got, wanted]));
      }
    }
    expect(differing).toEqual([]);
  });

  test.each([
    "CONFIG",
    "CONFIG NOSUCH",
    "CONFIG GET",
    "CONFIG SET timeout",
    "CONFIG SET timeout 1 port",
    "CONFIG SET timeout 1 nosuch 2",
    "CONFIG SET timeout 1 Timeout 2",
    "CONFIG SET databases 1 nosuch 2",
    "CONFIG SET Timeout x",
    "CONFIG GET Timeout TIMEOUT nosuch",
    "CONFIG RESETSTAT x",
    "CONFIG RESETSTAT",
    "CONFIG REWRITE",
  ])("%s", async (line) => {
    const words = line.split(" ");
    expect(await ours.raw(...words)).toBe(await theirs.raw(...words));
  });
});
