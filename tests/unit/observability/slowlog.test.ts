import { beforeEach, describe, expect, test } from "bun:test";
import { Client } from "../../../server/client/client.ts";
import { Outbox } from "../../../server/client/outbox.ts";
import { type CommandSpec, serverCommand } from "../../../server/commands/spec.ts";
import { SlowLog } from "../../../server/observability/slowlog.ts";
import { argsOf } from "../../support/args.ts";
import { stubLink } from "../../support/link.ts";

const NOW_MS = 1_700_000_000_900;

function specOf(more: Partial<CommandSpec> = {}): CommandSpec {
  return serverCommand({
    name: "x",
    group: "generic",
    since: "1.0.0",
    arity: -1,
    flags: [],
    summary: "",
    complexity: "",
    ...more,
  });
}

let log: SlowLog;
let client: Client;
beforeEach(() => {
  log = new SlowLog();
  client = new Client(1, stubLink(), new Outbox(), NOW_MS);
});

function offer(microseconds: number, words: string[], spec = specOf()): void {
  log.offer({ spec, args: argsOf(...words), client }, microseconds, NOW_MS);
}

function shown(entry = log.latest(1)[0]!): string[] {
  return entry.words.map((word) => Buffer.from(word).toString("latin1"));
}

describe("the slow log", () => {
  test("takes what is as slow as the limit, newest first, with who sent it", () => {
    client.name = "me";
    offer(9_999.9, ["FAST"]);
    offer(10_000, ["ONE", "a"]);
    offer(12_345.6, ["TWO"]);
    expect(log.latest(10)).toEqual([
      {
        id: 1,
        atSeconds: 1_700_000_000,
        microseconds: 12_345,
        words: [Buffer.from("TWO")],
        address: "127.0.0.1:1000",
        clientName: "me",
      },
      {
        id: 0,
        atSeconds: 1_700_000_000,
        microseconds: 10_000,
        words: [Buffer.from("ONE"), Buffer.from("a")],
        address: "127.0.0.1:1000",
        clientName: "me",
      },
    ]);
  });

  test("a limit of 0 takes everything, a negative one nothing", () => {
    log.slowerThanUs = 0;
    offer(0, ["PING"]);
    log.slowerThanUs = -1;
    offer(1e9, ["PING"]);
    expect(log.length).toBe(1);
  });

  test("keeps no more than its length, and ids go on after a reset", () => {
    log.maxLength = 3;
    for (let i = 0; i < 5; i++) offer(1e6, [`C${i}`]);
    expect(log.latest(10).map((entry) => entry.id)).toEqual([4, 3, 2]);
    log.maxLength = 1;
    expect(log.length).toBe(1);
    log.reset();
    offer(1e6, ["NEXT"]);
    expect(log.latest(10).map((entry) => entry.id)).toEqual([5]);
  });

  test("shows 32 words as they are, and of more the first 31 and how many are left", () => {
    const words = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`);
    offer(1e6, words(32));
    expect(shown()).toEqual(words(32));
    offer(1e6, words(33));
    expect(shown()).toEqual([...words(31), "... (2 more arguments)"]);
  });

  test("shows 128 bytes of a word as they are, and of more how many are left", () => {
    offer(1e6, ["A".repeat(128), "B".repeat(129)]);
    expect(shown()).toEqual(["A".repeat(128), `${"B".repeat(128)}... (1 more bytes)`]);
  });

  test("keeps bytes of its own: the command's may be overwritten", () => {
    const word = Buffer.from("before");
    log.offer({ spec: specOf(), args: argsOf(word), client }, 1e6, NOW_MS);
    word.fill("x");
    expect(shown()).toEqual(["before"]);
  });

  test("leaves out commands that ask for it", () => {
    offer(1e6, ["EXEC"], specOf({ flags: ["skip_slowlog"] }));
    expect(log.length).toBe(0);
  });
});

describe("secrets are not shown", () => {
  const cases: [CommandSpec["secrets"], string, string, string][] = [
    ["all-arguments", "auth", "AUTH user pw", "AUTH (redacted) (redacted)"],
    ["behind-subcommand", "setuser", "ACL SETUSER u >pw", "ACL SETUSER (redacted) (redacted)"],
    [
      "after-auth",
      "hello",
      "HELLO 3 auth u pw SETNAME n",
      "HELLO 3 auth (redacted) (redacted) SETNAME n",
    ],
    ["after-auth", "migrate", "MIGRATE h 1 k 0 5 AUTH pw", "MIGRATE h 1 k 0 5 AUTH (redacted)"],
    [
      "after-auth",
      "migrate",
      "MIGRATE h 1 k 0 5 AUTH2 u pw COPY",
      "MIGRATE h 1 k 0 5 AUTH2 (redacted) (redacted) COPY",
    ],
    ["after-auth", "hello", "HELLO 3 AUTH", "HELLO 3 AUTH"],
    [
      "sensitive-directives",
      "set",
      "CONFIG SET port 1 RequirePass pw",
      "CONFIG SET port 1 RequirePass (redacted)",
    ],
    ["sensitive-directives", "set", "CONFIG SET requirepass", "CONFIG SET requirepass"],
  ];
  for (const [secrets, name, command, expected] of cases)
    test(command, () => {
      offer(1e6, command.split(" "), specOf({ name, ...(secrets && { secrets }) }));
      expect(shown().join(" ")).toBe(expected);
    });
});
