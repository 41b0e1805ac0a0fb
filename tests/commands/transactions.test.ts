/** Transactions over sockets, two clients at a time: against the whole server, and against a reference server. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";

const PORT = 7103;

type Protocol = 2 | 3;
/** A raw reply, by protocol. */
type Raw = (protocol: Protocol) => string;
/** Client x or y sends a command and expects a reply. A number lets so many milliseconds pass. */
type Line = [who: "x" | "y", command: string, reply: Raw] | number;

const raw =
  (text: string): Raw =>
  () =>
    text;
const OK = raw("+OK\r\n");
const QUEUED = raw("+QUEUED\r\n");
const PONG = raw("+PONG\r\n");
const int = (value: number) => raw(`:${value}\r\n`);
const bulk = (text: string) => raw(`$${text.length}\r\n${text}\r\n`);
const error = (line: string) => raw(`-${line}\r\n`);
const nil: Raw = (protocol) => (protocol === 3 ? "_\r\n" : "$-1\r\n");
/** What EXEC answers after a watched key was touched. */
const aborted: Raw = (protocol) => (protocol === 3 ? "_\r\n" : "*-1\r\n");
const replies =
  (...parts: Raw[]): Raw =>
  (protocol) =>
    `*${parts.length}\r\n${parts.map((part) => part(protocol)).join("")}`;
const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
const EXECABORT = error("EXECABORT Transaction discarded because of previous errors.");

/** MULTI, PING and EXEC of x, with this end. */
const tryUnit = (end: Raw): Line[] => [
  ["x", "MULTI", OK],
  ["x", "PING", QUEUED],
  ["x", "EXEC", end],
];
const passes = tryUnit(replies(PONG));
const fails = tryUnit(aborted);

interface Scenario {
  name: string;
  lines: Line[];
}

const scenarios: Scenario[] = [
  {
    name: "commands are queued, and run one after another at EXEC",
    lines: [
      ["x", "MULTI", OK],
      ["x", "SET k 1", QUEUED],
      ["y", "GET k", nil],
      ["x", "INCR k", QUEUED],
      ["x", "GET none", QUEUED],
      ["x", "EXEC", replies(OK, int(2), nil)],
      ["x", "EXEC", error("ERR EXEC without MULTI")],
    ],
  },
  {
    name: "an error while a command runs does not stop the others",
    lines: [
      ["x", "SET k text", OK],
      ["x", "MULTI", OK],
      ["x", "INCR k", QUEUED],
      ["x", "SET k other", QUEUED],
      ["x", "EXEC", replies(error("ERR value is not an integer or out of range"), OK)],
      ["x", "GET k", bulk("other")],
    ],
  },
  {
    name: "an unknown command, a wrong number of words or subcommand aborts EXEC",
    lines: [
      ["x", "MULTI", OK],
      ["x", "SET k 1", QUEUED],
      ["x", "NOSUCH a", error("ERR unknown command 'NOSUCH', with args beginning with: 'a' ")],
      ["x", "EXEC", EXECABORT],
      ["x", "GET k", nil],
      ["x", "MULTI", OK],
      ["x", "GET", error("ERR wrong number of arguments for 'get' command")],
      ["x", "EXEC", EXECABORT],
      ["x", "MULTI", OK],
      ["x", "CONFIG NOSUCH", error("ERR unknown subcommand 'NOSUCH'. Try CONFIG HELP.")],
      ["x", "EXEC", EXECABORT],
      ["x", "MULTI", OK],
      ["x", "CONFIG GET", error("ERR wrong number of arguments for 'config|get' command")],
      ["x", "EXEC", EXECABORT],
      ...passes,
    ],
  },
  {
    name: "MULTI and WATCH inside MULTI are errors that abort nothing",
    lines: [
      ["x", "MULTI", OK],
      ["x", "MULTI", error("ERR MULTI calls can not be nested")],
      ["x", "WATCH k", error("ERR WATCH inside MULTI is not allowed")],
      ["x", "PING", QUEUED],
      ["x", "EXEC", replies(PONG)],
    ],
  },
  {
    name: "EXEC with words ends the transaction, and so does DISCARD",
    lines: [
      ["x", "MULTI", OK],
      [
        "x",
        "EXEC now",
        error(
          "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command",
        ),
      ],
      ["x", "EXEC", error("ERR EXEC without MULTI")],
      ["x", "MULTI", OK],
      ["x", "SET k 1", QUEUED],
      ["x", "DISCARD", OK],
      ["x", "GET k", nil],
      ["x", "DISCARD", error("ERR DISCARD without MULTI")],
      ["x", "MULTI", OK],
      ["x", "DISCARD now", error("ERR wrong number of arguments for 'discard' command")],
      ["x", "EXEC", EXECABORT],
    ],
  },
  {
    name: "commands that are not allowed in MULTI abort EXEC, MONITOR only fails",
    lines: [
      ["x", "MULTI", OK],
      ["x", "SHUTDOWN NOSAVE", error("ERR Command not allowed inside a transaction")],
      ["x", "EXEC", EXECABORT],
      ["x", "MULTI", OK],
      ["x", "MONITOR", QUEUED],
      ["x", "EXEC", replies(error("ERR MONITOR isn't allowed for DENY BLOCKING client"))],
    ],
  },
  {
    name: "SELECT inside MULTI counts for what follows, and stays",
    lines: [
      ["x", "MULTI", OK],
      ["x", "SET k zero", QUEUED],
      ["x", "SELECT 3", QUEUED],
      ["x", "SET k three", QUEUED],
      ["x", "EXEC", replies(OK, OK, OK)],
      ["x", "GET k", bulk("three")],
      ["y", "GET k", bulk("zero")],
      ["x", "SELECT 0", OK],
    ],
  },
  {
    name: "RESET ends a transaction and forgets watched keys",
    lines: [
      ["y", "WATCH k", OK],
      ["y", "MULTI", OK],
      ["y", "RESET", raw("+RESET\r\n")],
      ["y", "EXEC", error("ERR EXEC without MULTI")],
      ["x", "SET k 1", OK],
    ],
  },
  {
    name: "an empty transaction answers an empty array",
    lines: [
      ["x", "MULTI", OK],
      ["x", "EXEC", replies()],
    ],
  },
  {
    name: "a watched key that another client, or the same, changed lets EXEC fail once",
    lines: [
      ["x", "WATCH k other", OK],
      ["y", "SET other 1", OK],
      ["x", "MULTI", OK],
      ["x", "SET k 1", QUEUED],
      ["x", "EXEC", aborted],
      ["x", "GET k", nil],
      ["y", "SET other 2", OK],
      ...passes,
      ["x", "WATCH k", OK],
      ["x", "SET k 1", OK],
      ...fails,
      ["x", "WATCH k", OK],
      ["x", "EXPIRE k 100", int(1)],
      ...fails,
    ],
  },
  {
    name: "what a transaction changes itself does not make it fail, and reading never does",
    lines: [
      ["x", "SET k 1", OK],
      ["x", "WATCH k", OK],
      ["y", "GET k", bulk("1")],
      ["y", "DEL none", int(0)],
      ["x", "MULTI", OK],
      ["x", "SET k 2", QUEUED],
      ["x", "SET k 3", QUEUED],
      ["x", "EXEC", replies(OK, OK)],
    ],
  },
  {
    name: "after EXEC, a failed one too, DISCARD and UNWATCH nothing is watched",
    lines: [
      ["x", "WATCH k", OK],
      ...passes,
      ["y", "SET k 1", OK],
      ...passes,
      ["x", "WATCH k", OK],
      ["y", "SET k 2", OK],
      ["x", "UNWATCH", OK],
      ...passes,
      ["x", "WATCH k", OK],
      ["y", "SET k 3", OK],
      ["x", "MULTI", OK],
      ["x", "DISCARD", OK],
      ...passes,
      ["x", "UNWATCH", OK],
      ["x", "WATCH k", OK],
      ["x", "MULTI", OK],
      ["x", "NOSUCH", error("ERR unknown command 'NOSUCH', with args beginning with: ")],
      ["y", "SET k 4", OK],
      ["x", "EXEC", EXECABORT],
      ...passes,
    ],
  },
  {
    name: "a key is watched in its database",
    lines: [
      ["x", "WATCH k", OK],
      ["y", "SELECT 5", OK],
      ["y", "SET k 1", OK],
      ...passes,
      ["x", "SELECT 5", OK],
      ["x", "WATCH k", OK],
      ["x", "SELECT 0", OK],
      ["y", "SET k 2", OK],
      ...fails,
      ["y", "SELECT 0", OK],
    ],
  },
  {
    name: "a key is watched by many, and twice by one",
    lines: [
      ["x", "WATCH k k", OK],
      ["x", "WATCH k", OK],
      ["y", "WATCH k", OK],
      ["y", "SET k 1", OK],
      ...fails,
      ["y", "MULTI", OK],
      ["y", "EXEC", aborted],
    ],
  },
  {
    name: "a flush touches watched keys that are there, and no others",
    lines: [
      ["x", "WATCH none", OK],
      ["y", "FLUSHALL", OK],
      ["y", "FLUSHDB", OK],
      ...passes,
      ["x", "SET k 1", OK],
      ["x", "WATCH k", OK],
      ["y", "FLUSHDB", OK],
      ...fails,
      ["x", "SET k 1", OK],
      ["x", "WATCH k", OK],
      ["y", "FLUSHALL", OK],
      ...fails,
      ["x", "SET k 1", OK],
      ["x", "WATCH k", OK],
      ["y", "SELECT 2", OK],
      ["y", "FLUSHDB", OK],
      ["y", "SELECT 0", OK],
      ...passes,
    ],
  },
  {
    name: "SWAPDB touches watched keys that are there before or after it",
    lines: [
      ["x", "SET k 1", OK],
      ["x", "WATCH k", OK],
      ["y", "SWAPDB 0 1", OK],
      ...fails,
      ["x", "WATCH k", OK],
      ["y", "SWAPDB 0 1", OK],
      ...fails,
      ["x", "WATCH none", OK],
      ["y", "SWAPDB 0 1", OK],
      ...passes,
      ["x", "WATCH none k", OK],
      ["y", "SWAPDB 2 3", OK],
      ["y", "SWAPDB 0 0", OK],
      ...passes,
    ],
  },
  {
    name: "a watched key that comes due lets EXEC fail, one that was due does not",
    lines: [
      ["x", "SET k v PX 20", OK],
      ["x", "WATCH k", OK],
      40,
      ...fails,
      ["x", "WATCH k", OK],
      ...passes,
      ["x", "WATCH k", OK],
      ["y", "GET k", nil],
      ...passes,
      ["x", "WATCH k", OK],
      ["y", "SET k again", OK],
      ...fails,
    ],
  },
  {
    name: "without room nothing is queued, and DISCARD is a way out",
    lines: [
      ["x", "SET other 1", OK],
      ["x", "MULTI", OK],
      ["y", "CONFIG SET maxmemory 1", OK],
      ["x", "PING", error(OUT_OF_MEMORY)],
      ["x", "EXEC", EXECABORT],
      ["x", "MULTI", OK],
      ["x", "WATCH k", error(OUT_OF_MEMORY)],
      ["x", "DISCARD", OK],
      ["y", "CONFIG SET maxmemory 0", OK],
    ],
  },
  {
    name: "without room a unit that would take some is refused as a whole, one that only reads is not",
    lines: [
      ["x", "SET other 1", OK],
      ["x", "MULTI", OK],
      ["x", "SET k 1", QUEUED],
      ["x", "GET k", QUEUED],
      ["y", "CONFIG SET maxmemory 1", OK],
      ["x", "EXEC", error(`EXECABORT Transaction discarded because of: ${OUT_OF_MEMORY}`)],
      ["y", "CONFIG SET maxmemory 0", OK],
      ["x", "EXEC", error("ERR EXEC without MULTI")],
      ["x", "MULTI", OK],
      ["x", "GET k", QUEUED],
      ["y", "CONFIG SET maxmemory 1", OK],
      ["x", "EXEC", replies(nil)],
      ["y", "CONFIG SET maxmemory 0", OK],
    ],
  },
  {
    name: "a unit that writes is refused as a whole where writes are, one that only reads is not",
    lines: [
      ["x", "MULTI", OK],
      ["x", "SET k 1", QUEUED],
      ["y", "CONFIG SET min-replicas-to-write 2", OK],
      [
        "x",
        "EXEC",
        error(
          "EXECABORT Transaction discarded because of: NOREPLICAS Not enough good replicas to write.",
        ),
      ],
      ["x", "MULTI", OK],
      ["x", "GET k", QUEUED],
      ["x", "SET k 1", error("NOREPLICAS Not enough good replicas to write.")],
      ["x", "EXEC", EXECABORT],
      ["x", "MULTI", OK],
      ["x", "GET k", QUEUED],
      ["x", "EXEC", replies(nil)],
      ["y", "CONFIG SET min-replicas-to-write 0", OK],
    ],
  },
  {
    name: "what a command sets of the client, the next one in the unit sees",
    lines: [
      ["x", "MULTI", OK],
      ["x", "CLIENT SETNAME me", QUEUED],
      ["x", "CLIENT GETNAME", QUEUED],
      ["x", "EXEC", replies(OK, bulk("me"))],
    ],
  },
];

async function play(lines: Line[], x: Connection, y: Connection, protocol: Protocol) {
  for (const client of [x, y]) {
    await client.raw("HELLO", String(protocol));
    await client.raw("UNWATCH");
  }
  await x.raw("FLUSHALL");
  for (const line of lines) {
    if (typeof line === "number") {
      await Bun.sleep(line);
      continue;
    }
    const [who, command, reply] = line;
    const got = await (who === "x" ? x : y).raw(...command.split(" "));
    expect(`${command}: ${got}`).toBe(`${command}: ${reply(protocol)}`);
  }
  // RESET went back to RESP2.
  await y.raw("HELLO", String(protocol));
}

describe("the server", () => {
  let server: RunningServer;
  let x: Connection;
  let y: Connection;
  beforeAll(async () => {
    server = await startServer();
    x = await openConnection(server.port);
    y = await openConnection(server.port);
  });
  afterAll(async () => {
    server.check();
    x.close();
    y.close();
    await server.close();
  });
  for (const protocol of [2, 3] as const)
    for (const { name, lines } of scenarios)
      test(`RESP${protocol}: ${name}`, () => play(lines, x, y, protocol));

  test("a queue is told in CLIENT LIST, counts as used memory, and is forgotten with its client", async () => {
    const usedBytes = async () =>
      Number(/used_memory:(\d+)/.exec(await x.raw("INFO", "memory"))![1]);
    const queued = /flags=x .* multi=3 .* multi-mem=(\d+) /;
    const z = await openConnection(server.port);
    const before = await usedBytes();
    await z.raw("WATCH", "k");
    await z.raw("MULTI");
    for (let i = 0; i < 3; i++) await z.raw("SET", "k", "v".repeat(100_000));
    const bytes = Number(queued.exec(await x.raw("CLIENT", "LIST"))![1]);
    expect(bytes).toBeGreaterThan(300_000);
    expect(await usedBytes()).toBeGreaterThan(before + 300_000);
    z.close();
    while (queued.test(await x.raw("CLIENT", "LIST"))) await Bun.sleep(1);
    expect(await usedBytes()).toBeLessThan(before + 100_000);
  });

  test("a client that queues more than client-query-buffer-limit is closed", async () => {
    await x.raw("CONFIG", "SET", "client-query-buffer-limit", "1mb");
    const z = await openConnection(server.port);
    await z.raw("MULTI");
    let queued = 0;
    const queue = async () => {
      for (; queued < 20; queued++) await z.raw("SET", "k", "v".repeat(100_000));
    };
    await expect(queue()).rejects.toThrow("no reply to SET");
    // The one that is too much may have been answered before the close.
    expect([10, 11]).toContain(queued);
    await x.raw("CONFIG", "SET", "client-query-buffer-limit", "1gb");
  });
});

describe.skipIf(REFERENCE_PATH === null)("a reference server", () => {
  let reference: Reference;
  let x: Connection;
  let y: Connection;
  beforeAll(async () => {
    reference = await startReference(PORT);
    x = await reference.connect();
    y = await reference.connect();
  });
  afterAll(async () => {
    x?.close();
    y?.close();
    await reference?.stop();
  });
  for (const protocol of [2, 3] as const)
    for (const { name, lines } of scenarios)
      test(`RESP${protocol}: ${name}`, () => play(lines, x, y, protocol));
});
