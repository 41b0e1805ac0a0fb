/**
 * Everything a client may say that is no protocol, with Redis's answer to the byte, and whether it closes. The same corpus runs
 * against redis-server.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startServer } from "../../server/index.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { openConnection, REFERENCE_PATH, startReference } from "../support/reference.ts";
import { freePort } from "../support/server-process.ts";

interface Fault {
  name: string;
  sent: string;
  /** What is answered before the PING that follows; an error with this text closes instead. */
  closes?: string;
  answers?: string;
}

const LINE_MAX = 65536;
const INVALID_COUNT = "invalid multibulk length";
const INVALID_LENGTH = "invalid bulk length";
const SET = "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n";

const invalidCounts = [
  ["letters", "blabla"],
  ["nothing", ""],
  ["a sign", "+1"],
  ["a leading zero", "01"],
  ["minus zero", "-0"],
  ["a blank", " 1"],
  ["a blank behind", "1 "],
  ["a fraction", "1.5"],
  ["more than an int", "2147483648"],
  ["more than 64 bits", "18446744073709551617"],
] as const;

const FAULTS: Fault[] = [
  ...invalidCounts.map(([what, text]) => ({
    name: `${what} as the number of words`,
    sent: `*${text}\r\n`,
    closes: INVALID_COUNT,
  })),
  ...[...invalidCounts, ["a negative number", "-10"] as const].map(([what, text]) => ({
    name: `${what} as a word's length`,
    sent: `${SET}$${text}\r\n`,
    closes: INVALID_LENGTH,
  })),
  {
    name: "a word beyond proto-max-bulk-len",
    sent: `${SET}$536870913\r\n`,
    closes: INVALID_LENGTH,
  },
  { name: "a word without $", sent: `${SET}fooz\r\n`, closes: "expected '$', got 'f'" },
  { name: "an empty line for a word", sent: "*1\r\n\r\n", closes: "expected '$', got ' '" },
  { name: "a count for a word", sent: "*2\r\n*1\r\n", closes: "expected '$', got '*'" },
  {
    name: "a word longer than it said",
    sent: "*2\r\n$4\r\nECHOxx$1\r\na\r\n",
    answers: "$1\r\na\r\n",
  },
  {
    name: "quotes that are not closed",
    sent: 'set """test-key""" test-value\r\n',
    closes: "unbalanced quotes in request",
  },
  { name: "an open quote", sent: "ECHO 'a\r\n", closes: "unbalanced quotes in request" },
  {
    name: "a quote with something behind",
    sent: 'ECHO "a"b\r\n',
    closes: "unbalanced quotes in request",
  },
  {
    name: "an endless inline line",
    sent: "a".repeat(LINE_MAX + 1),
    closes: "too big inline request",
  },
  {
    name: "an endless number of words",
    sent: `*${"1".repeat(LINE_MAX)}`,
    closes: "too big mbulk count string",
  },
  {
    name: "an endless length of a word",
    sent: `${SET}$${"1".repeat(LINE_MAX)}`,
    closes: "too big bulk count string",
  },
  { name: "no words", sent: "*0\r\n", answers: "" },
  { name: "less than no words", sent: "*-10\r\n", answers: "" },
  { name: "empty lines", sent: "\r\n\r\n\n", answers: "" },
  { name: "a line of blanks", sent: "   \r\n", answers: "" },
  { name: "a line feed alone", sent: "ECHO a\n", answers: "$1\r\na\r\n" },
  {
    name: "anything in the place of line feeds and word ends",
    sent: "*2\rX$4\rXECHOXX$1\rXaXX",
    answers: "$1\r\na\r\n",
  },
];

/** With a password set, and not given. */
const UNAUTHENTICATED: Fault[] = [
  { name: "more than ten words", sent: "*11\r\n", closes: "unauthenticated multibulk length" },
  {
    name: "a word of more than 16 KiB",
    sent: "*2\r\n$4\r\nAUTH\r\n$16385\r\n",
    closes: "unauthenticated bulk length",
  },
  {
    name: "ten words",
    sent: `*10\r\n${"$1\r\na\r\n".repeat(10)}`,
    answers:
      "-ERR unknown command 'a', with args beginning with: 'a' 'a' 'a' 'a' 'a' 'a' 'a' 'a' 'a' \r\n",
  },
  {
    name: "a word of 16 KiB",
    sent: `*2\r\n$4\r\nECHO\r\n$16384\r\n${"a".repeat(16384)}\r\n`,
    answers: "-NOAUTH Authentication required.\r\n",
  },
];

interface Answering {
  port: number;
  stop(): Promise<void>;
}

const SERVERS: Record<string, () => Promise<Answering>> = {
  Bundis: async () => {
    const server = await startServer();
    return {
      port: server.port,
      stop: async () => {
        server.check();
        await server.close();
      },
    };
  },
  "redis-server": () => startReference(freePort()),
};

for (const [name, start] of Object.entries(SERVERS))
  describe.skipIf(name === "redis-server" && REFERENCE_PATH === null)(name, () => {
    let server: Answering;

    beforeAll(async () => {
      server = await start();
    });
    afterAll(async () => {
      await server?.stop();
    });

    async function judge({ sent, closes, answers = "" }: Fault, pong: string): Promise<void> {
      for (const cut of new Set([0, 1, sent.length >> 1, sent.length - 1])) {
        const socket = await RawSocket.open(server.port);
        socket.send(sent.slice(0, cut));
        if (cut > 0) await Bun.sleep(2);
        socket.send(sent.slice(cut));
        if (closes === undefined) {
          socket.send("PING\r\n");
          await socket.expect(answers + pong);
          socket.close();
        } else {
          expect(await socket.untilClosed()).toBe(`-ERR Protocol error: ${closes}\r\n`);
        }
      }
    }

    for (const fault of FAULTS)
      test(`${fault.name}: ${fault.closes ?? "goes on"}`, () => judge(fault, "+PONG\r\n"));

    describe("before AUTH", () => {
      beforeAll(async () => {
        const admin = await openConnection(server.port);
        await admin.raw("CONFIG", "SET", "requirepass", "secret");
        admin.close();
      });
      afterAll(async () => {
        const admin = await openConnection(server.port);
        await admin.raw("AUTH", "secret");
        await admin.raw("CONFIG", "SET", "requirepass", "");
        admin.close();
      });

      for (const fault of UNAUTHENTICATED)
        test(`${fault.name}: ${fault.closes ?? "goes on"}`, () =>
          judge(fault, "-NOAUTH Authentication required.\r\n"));

      test("the limits are gone with AUTH, in the middle of a chunk", async () => {
        const socket = await RawSocket.open(server.port);
        const many = `*12\r\n$4\r\nMGET\r\n${"$1\r\na\r\n".repeat(11)}`;
        await socket.ask(`AUTH secret\r\n${many}`, `+OK\r\n*11\r\n${"$-1\r\n".repeat(11)}`);
        socket.close();
      });
    });

    test("what came before a fault is answered before it, what came behind is not run", async () => {
      const socket = await RawSocket.open(server.port);
      socket.send("SET k 1\r\nPING\r\n*x\r\nSET k 2\r\n");
      expect(await socket.untilClosed()).toBe(
        "+OK\r\n+PONG\r\n-ERR Protocol error: invalid multibulk length\r\n",
      );
      const other = await RawSocket.open(server.port);
      await other.ask("GET k\r\n", "$1\r\n1\r\n");
      other.close();
    });

    test("commands of more words than fit at once, and what follows them in the same chunk", async () => {
      const socket = await RawSocket.open(server.port);
      const words = 20_000;
      const exists = `*${words + 1}\r\n$6\r\nEXISTS\r\n${"$1\r\nk\r\n".repeat(words)}`;
      await socket.ask("SET k v\r\n", "+OK\r\n");
      await socket.ask(
        `PING 1\r\n${exists}PING 2\r\n${exists}`,
        `$1\r\n1\r\n:${words}\r\n$1\r\n2\r\n:${words}\r\n`,
      );
      socket.close();
    });
  });
