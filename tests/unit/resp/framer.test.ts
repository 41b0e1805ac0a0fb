import { expect, test } from "bun:test";
import fc from "fast-check";
import { Address, IoField } from "../../../core-wasm/abi.ts";
import { createMemory } from "../../../server/core/memory.ts";
import {
  createFramer,
  GOING_ON,
  INCOMPLETE,
  INVALID,
  TOO_MANY_WORDS,
} from "../../../server/resp/framer.ts";
import { LargeFrame, LargeState } from "../../../server/resp/large-frame.ts";

const memory = createMemory();
const framer = createFramer(memory, { maxBulkBytes: 512 * 1024 * 1024 });

function load(bytes: Uint8Array): number {
  memory.u8.set(bytes, Address.Input);
  framer.position = Address.Input;
  framer.authenticated = true;
  return Address.Input + bytes.length;
}

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;

function words(argc: number, argv: number = Address.ArgvTable): string[] {
  const table = argv >> 2;
  return Array.from({ length: argc }, (_, i) => {
    const ptr = memory.i32[table + i * 2]!;
    const length = memory.i32[table + i * 2 + 1]!;
    return Buffer.from(memory.u8.slice(ptr, ptr + length)).toString("latin1");
  });
}

function frameAll(bytes: Uint8Array): string[][] {
  const end = load(bytes);
  const commands: string[][] = [];
  for (let argc = framer.next(end); argc > 0; argc = framer.next(end)) commands.push(words(argc));
  return commands;
}

function first(text: string): { result: number; words: string[]; error: string } {
  const end = load(Buffer.from(text, "latin1"));
  const result = framer.next(end);
  return { result, words: result > 0 ? words(result) : [], error: framer.error };
}

function encode(command: readonly string[]): Buffer {
  const parts = command.map((word) => `$${word.length}\r\n${word}\r\n`);
  return Buffer.from(`*${command.length}\r\n${parts.join("")}`, "latin1");
}

const PIPELINE = Array.from({ length: 20 }, (_, i) => [
  "SET",
  `key:${i}`,
  "v".repeat(i * 7),
  ...(i % 3 === 0 ? ["EX", "100"] : []),
]);

test("a pipeline of 20 commands is framed the same whatever byte it is cut at", () => {
  const whole = Buffer.concat(PIPELINE.map(encode));
  for (let cut = 0; cut <= whole.length; cut++) {
    const head = whole.subarray(0, cut);
    const commands = frameAll(head);
    const rest = memory.u8.slice(framer.position, Address.Input + head.length);
    commands.push(...frameAll(Buffer.concat([rest, whole.subarray(cut)])));
    expect(commands).toEqual(PIPELINE);
  }
});

test("any words survive framing, in every length of header", () => {
  const word = fc.oneof(
    fc
      .string({ unit: "binary", maxLength: 300 })
      .map((text) => Buffer.from(text).toString("latin1")),
    fc.integer({ min: 0, max: 12000 }).map((length) => "x".repeat(length)),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(word, { minLength: 1, maxLength: 12 }), { maxLength: 5 }),
      (all) => {
        expect(frameAll(Buffer.concat(all.map(encode)))).toEqual(all);
      },
    ),
  );
});

test("only frames that we would write ourselves are canonical", () => {
  first("*1\r\n$4\r\nPING\r\n");
  expect(framer.canonical).toBe(true);
  for (const odd of [
    "PING\r\n",
    "*1\r\n$4\r\nPINGXX",
    "*1\rX$4\r\nPING\r\n",
    "*1\r\n$4\rXPING\r\n",
  ]) {
    expect(first(odd).words).toEqual(["PING"]);
    expect(framer.canonical).toBe(false);
  }
});

test("inline commands know quotes and escapes", () => {
  expect(first("SET \"a b\\x41\\n\" 'it\\'s'\r\n").words).toEqual(["SET", "a bA\n", "it's"]);
  expect(first("   GET    k  \n").words).toEqual(["GET", "k"]);
  expect(first('SET "" x\r\n').words).toEqual(["SET", "", "x"]);
  expect(first('GET "a"b\r\n')).toMatchObject({
    result: INVALID,
    error: "ERR Protocol error: unbalanced quotes in request",
  });
});

test.each([
  ["*x\r\n", "ERR Protocol error: invalid multibulk length"],
  ["*3000000000\r\n", "ERR Protocol error: invalid multibulk length"],
  ["*01\r\n", "ERR Protocol error: invalid multibulk length"],
  ["*1\r\n+4\r\n", "ERR Protocol error: expected '$', got '+'"],
  ["*1\r\n$-1\r\n", "ERR Protocol error: invalid bulk length"],
  ["*1\r\n$x\r\n", "ERR Protocol error: invalid bulk length"],
  ["*1\r\n$600000000\r\n", "ERR Protocol error: invalid bulk length"],
  [`GET ${"x".repeat(70000)}`, "ERR Protocol error: too big inline request"],
  [`*${"1".repeat(70000)}`, "ERR Protocol error: too big mbulk count string"],
  [`*1\r\n$${"1".repeat(70000)}`, "ERR Protocol error: too big bulk count string"],
])("a bad request is answered with Redis's text (%#)", (text, error) => {
  expect(first(text)).toMatchObject({ result: INVALID, error });
});

test("a client that has not authenticated may send ten words of 16 KiB", () => {
  const attempt = (text: string) => {
    const end = load(Buffer.from(text));
    framer.authenticated = false;
    return { result: framer.next(end), error: framer.error };
  };
  expect(attempt("*11\r\n").error).toBe("ERR Protocol error: unauthenticated multibulk length");
  expect(attempt("*1\r\n$16385\r\n").error).toBe("ERR Protocol error: unauthenticated bulk length");
  expect(attempt("*10\r\n").result).toBe(INCOMPLETE);
});

test("empty lines and empty multibulks are skipped", () => {
  expect(frameAll(Buffer.from("\r\n*0\r\n*-1\r\nPING\r\n"))).toEqual([["PING"]]);
});

test("what is missing at the least is told from the announced length", () => {
  const end = load(Buffer.from("*2\r\n$3\r\nGET\r\n$100\r\nabc"));
  expect(framer.next(end)).toBe(INCOMPLETE);
  expect(framer.missing).toBe(99);
  expect(framer.position).toBe(Address.Input);
});

test("a command of more words than the table is gathered elsewhere, chunk by chunk", () => {
  const command = ["MSET", ...Array.from({ length: 40000 }, (_, i) => `k${i}`)];
  const bytes = encode(command);
  expect(framer.next(load(bytes.subarray(0, 100000)))).toBe(TOO_MANY_WORDS);
  for (const size of [7, 1000, 65536]) {
    const frame = new LargeFrame(1 << 29);
    let state = LargeState.More;
    for (let at = 0; at < bytes.length; at += size)
      state = frame.push(bytes.subarray(at, at + size));
    expect(state).toBe(LargeState.Whole);
    expect(frame.argc).toBe(command.length);
    expect(frame.bytes).toBe(bytes.length);
    expect(frame.surplus().length).toBe(0);
  }
});

test("a batch frames what next frames one by one, whatever its commands are and wherever it is cut", () => {
  const command = fc.oneof(
    fc.array(fc.string({ unit: "binary-ascii", maxLength: 40 }), { minLength: 1, maxLength: 6 }),
    fc.constant("INLINE"),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), fc.nat(40), (commands, lost) => {
      const whole = Buffer.concat(
        commands.map((words) =>
          words === "INLINE" ? Buffer.from("echo 'a b'\r\n") : encode(words),
        ),
      );
      const bytes = whole.subarray(0, Math.max(0, whole.length - lost));
      const expected = frameAll(bytes);
      const rest = framer.position;
      const end = load(bytes);
      const found: string[][] = [];
      let stopped: number = GOING_ON;
      while (stopped === GOING_ON) {
        const count = framer.batch(end);
        stopped = framer.stopped;
        const next = framer.position;
        for (let i = 0; i < count; i++) {
          const argc = framer.select(i);
          found.push(words(argc, memory.i32[ARGV_PTR]!));
        }
        framer.position = next;
      }
      expect(found).toEqual(expected);
      expect(stopped).toBe(INCOMPLETE);
      expect(framer.position).toBe(rest);
    }),
  );
});

test("a batch of a client that has not authenticated is one command", () => {
  const end = load(Buffer.concat([encode(["AUTH", "x"]), encode(["GET", "k"])]));
  framer.authenticated = false;
  expect(framer.batch(end)).toBe(1);
  expect(framer.stopped).toBe(GOING_ON);
});

test("alike counts frames of one name and as many words that follow each other as they would be written", () => {
  // What tells some apart lies in their last bytes only.
  const name = fc.constantFrom(
    "GET",
    "get",
    "LPUSH",
    "LPUSX",
    "SETRANGE",
    "SETRANGX",
    "INCRBYFLOAT",
  );
  const whole = fc
    .tuple(name, fc.array(fc.constantFrom("", "k", "key", "value of more bytes"), { maxLength: 2 }))
    .map(([first, rest]) => ({
      words: [first, ...rest],
      bytes: encode([first, ...rest]),
      follows: true,
    }));
  const odd = fc.constantFrom(
    { words: [""], bytes: Buffer.from("*3\r\n$3\r\nSET\r\n$1\r\nkXX$1\r\nv\r\n"), follows: true },
    // Nothing, but the next one does not follow the last one at once.
    { words: [], bytes: Buffer.from("*0\r\n"), follows: false },
  );
  const stretch = fc.oneof(
    fc
      .tuple(fc.oneof({ weight: 9, arbitrary: whole }, odd), fc.integer({ min: 1, max: 5 }))
      .map(([piece, times]) => Array.from({ length: times }, () => piece)),
    fc.tuple(whole, odd).map(([piece, between]) => [piece, between, piece]),
  );
  let longest = 0;
  fc.assert(
    fc.property(fc.array(stretch, { minLength: 1, maxLength: 5 }), (stretches) => {
      const pieces = stretches.flat();
      const end = load(Buffer.concat(pieces.map(({ bytes }) => bytes)));
      const count = framer.batch(end);
      const frames = pieces
        .map((piece, i) => ({ ...piece, isBehindNothing: i > 0 && !pieces[i - 1]!.follows }))
        .filter(({ follows }) => follows);
      expect(count).toBe(frames.length);
      for (let first = 0; first < count; first++) {
        const { words } = frames[first]!;
        const isOne = words[0] === "" || words[0]!.length > 8;
        let next = first + 1;
        while (!isOne && next < count) {
          const frame = frames[next]!;
          if (frame.isBehindNothing || frame.words[0] !== words[0]) break;
          if (frame.words.length !== words.length) break;
          next++;
        }
        longest = Math.max(longest, next - first);
        expect(framer.alike(first, count)).toBe(next - first);
      }
    }),
    { numRuns: 500 },
  );
  expect(longest).toBeGreaterThan(4);
});
