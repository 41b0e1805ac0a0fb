import { expect, test } from "bun:test";
import fc from "fast-check";
import { Address, ARGV_TABLE_ENTRIES, FRAME_BATCH, IoField } from "../../../core-wasm/abi.ts";
import { createCore } from "../../../server/core/core.ts";
import {
  createFramer,
  GOING_ON,
  INCOMPLETE,
  INVALID,
  TOO_MANY_WORDS,
} from "../../../server/resp/framer.ts";
import { LargeFrame, LargeState } from "../../../server/resp/large-frame.ts";

const core = createCore({ seed: [1, 2], drain() {} });
const { memory } = core;
const framer = createFramer(core, { maxBulkBytes: 512 * 1024 * 1024 });

/** Lays bytes into the window; the last `hidden` of them have not come yet, as far as the framer is to know. */
function load(bytes: Uint8Array, hidden = 0): number {
  memory.u8.set(bytes, Address.Input);
  framer.position = Address.Input;
  framer.authenticated = true;
  return Address.Input + Math.max(0, bytes.length - hidden);
}

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;

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

interface Framed {
  words: string[];
  canonical: boolean;
  start: number;
  end: number;
}

interface AllFramed {
  frames: Framed[];
  stopped: number;
  rest: number;
  error: string;
}

function framed(argc: number): Framed {
  const { canonical, frameStart, position } = framer;
  return { words: words(argc, memory.i32[ARGV_PTR]!), canonical, start: frameStart, end: position };
}

/** What `next` frames of these bytes, one by one. */
function framedSingly(bytes: Uint8Array, hidden = 0): AllFramed {
  const end = load(bytes, hidden);
  memory.i32[ARGV_PTR] = Address.ArgvTable;
  const frames: Framed[] = [];
  let argc = framer.next(end);
  for (; argc > 0; argc = framer.next(end)) frames.push(framed(argc));
  return { frames, stopped: argc, rest: framer.position, error: framer.error };
}

function framedInBatches(bytes: Uint8Array, hidden = 0): AllFramed {
  const end = load(bytes, hidden);
  const frames: Framed[] = [];
  do {
    const count = framer.batch(end);
    const next = framer.position;
    for (let i = 0; i < count; i++) frames.push(framed(framer.select(i)));
    framer.position = next;
  } while (framer.stopped === GOING_ON);
  return { frames, stopped: framer.stopped, rest: framer.position, error: framer.error };
}

/** Lengths on both sides of what a header of each number of digits can say. */
const length = fc.oneof(
  { weight: 8, arbitrary: fc.nat(12) },
  fc.constantFrom(99, 100, 101, 999, 1000, 9999, 10_000),
);
const anyCommand = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(
      length.map((bytes) => "w".repeat(bytes)),
      { minLength: 1, maxLength: 12 },
    ),
  },
  fc.constant("INLINE"),
);

function encodeAny(commands: readonly ("INLINE" | string[])[]): Buffer {
  return Buffer.concat(
    commands.map((command) =>
      command === "INLINE" ? Buffer.from("echo 'a b'\r\n") : encode(command),
    ),
  );
}

test("a batch frames what next frames one by one, whatever its commands are and wherever it is cut", () => {
  let most = 0;
  fc.assert(
    fc.property(
      fc.array(anyCommand, { maxLength: 80, size: "max" }),
      fc.nat(40),
      (commands, lost) => {
        const whole = encodeAny(commands);
        const bytes = whole.subarray(0, Math.max(0, whole.length - lost));
        const expected = framedSingly(bytes);
        expect(framedInBatches(bytes)).toEqual(expected);
        most = Math.max(most, expected.frames.length);
      },
    ),
  );
  expect(most).toBeGreaterThan(FRAME_BATCH);
});

test("so it does of bytes that are not as anybody would write them", () => {
  const byte = fc.constantFrom(..."*$0123456789-+ \r\n\0ax");
  let odd = 0;
  let invalid = 0;
  fc.assert(
    fc.property(
      fc.array(anyCommand, { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(), byte, fc.boolean()), { minLength: 1, maxLength: 3 }),
      (commands, changes) => {
        let bytes = encodeAny(commands);
        for (const [at, put, isMore] of changes) {
          // Most of a long command is what is not looked at.
          const i = at % Math.min(bytes.length, 60);
          bytes = Buffer.concat([
            bytes.subarray(0, i),
            Buffer.from(put),
            bytes.subarray(isMore ? i : i + 1),
          ]);
        }
        const expected = framedSingly(bytes);
        expect(framedInBatches(bytes)).toEqual(expected);
        if (expected.frames.some(({ canonical }) => !canonical)) odd++;
        if (expected.stopped === INVALID) invalid++;
      },
    ),
    { numRuns: 5000 },
  );
  expect(odd).toBeGreaterThan(100);
  expect(invalid).toBeGreaterThan(100);
});

test("and of commands of one shape that are odd anywhere", () => {
  const byte = fc.constantFrom(..."*$0123456789\r\n\0ax");
  const shape = fc.array(length, { minLength: 1, maxLength: 5 });
  let odd = 0;
  fc.assert(
    fc.property(
      shape,
      fc.integer({ min: 2, max: 40 }),
      fc.nat(),
      byte,
      fc.boolean(),
      fc.nat(3),
      (lengths, times, at, put, isOdd, lost) => {
        const bytes = Buffer.concat(
          Array.from({ length: times }, (_, n) =>
            encode(lengths.map((size, i) => (i === 0 ? "N" : String(n % 10)).repeat(size))),
          ),
        );
        if (isOdd) bytes.write(put, at % bytes.length, "latin1");
        const expected = framedSingly(bytes, lost);
        expect(framedInBatches(bytes, lost)).toEqual(expected);
        if (expected.frames.length < times - 1 || expected.frames.some((f) => !f.canonical)) odd++;
      },
    ),
    { numRuns: 5000 },
  );
  expect(odd).toBeGreaterThan(100);
});

test("a batch ends before the argv table does, at whatever command that is", () => {
  const behindTable = memory.i32[OUT_TOP];
  for (const short of [["a", "b", "c"], ["a", "b"], ["a"]])
    for (let room = 0; room < 12; room++) {
      const large = Array.from({ length: ARGV_TABLE_ENTRIES - room }, () => "w");
      const bytes = encodeAny([large, ...Array(5).fill(short)]);
      expect(framedInBatches(bytes)).toEqual(framedSingly(bytes));
      expect(memory.i32[OUT_TOP]).toBe(behindTable);
    }
});

test("an inline command of more words than the table comes as multibulk, and nothing behind it is lost", () => {
  const words = ["EXISTS", ...Array.from({ length: ARGV_TABLE_ENTRIES }, (_, i) => String(i % 10))];
  const end = load(Buffer.from(`PING\r\n${words.join(" ")}\r\nPING\r\n`));
  expect(framer.batch(end)).toBe(1);
  expect(framer.stopped).toBe(GOING_ON);
  expect(framer.batch(end)).toBe(0);
  expect(framer.stopped).toBe(TOO_MANY_WORDS);
  expect(Buffer.from(framer.oversized!).equals(encode(words))).toBe(true);
  framer.oversized = null;
  expect(framer.batch(end)).toBe(1);
});

test("a batch of a client that has not authenticated is one command", () => {
  const end = load(Buffer.concat([encode(["AUTH", "x"]), encode(["GET", "k"])]));
  framer.authenticated = false;
  expect(framer.batch(end)).toBe(1);
  expect(framer.stopped).toBe(GOING_ON);
});

test("alike counts frames of one name and as many words that follow each other as they would be written", () => {
  const SET = ["SET", "k", "v"];
  const ODD_SET = {
    words: [""],
    bytes: Buffer.from("*3\r\n$3\r\nSET\r\n$1\r\nkXX$1\r\nv\r\n"),
    follows: true,
  };
  // What tells some apart lies in their last bytes only.
  const name = fc.constantFrom(
    "GET",
    "get",
    "LPUSH",
    "LPUSX",
    "SET",
    "SETRANGE",
    "SETRANGX",
    "INCRBYFLOAT",
  );
  const whole = fc
    .tuple(name, fc.array(fc.constantFrom("", "k", "v", "value of more bytes"), { maxLength: 2 }))
    .map(([first, rest]) => ({
      words: [first, ...rest],
      bytes: encode([first, ...rest]),
      follows: true,
    }));
  const odd = fc.constantFrom(
    ODD_SET,
    // Nothing, but the next one does not follow the last one at once.
    { words: [], bytes: Buffer.from("*0\r\n"), follows: false },
  );
  const stretch = fc.oneof(
    fc
      .tuple(fc.oneof({ weight: 9, arbitrary: whole }, odd), fc.integer({ min: 1, max: 5 }))
      .map(([piece, times]) => Array.from({ length: times }, () => piece)),
    fc.tuple(whole, odd).map(([piece, between]) => [piece, between, piece]),
    // One that is odd, and the same as it should be.
    fc.constant([ODD_SET, { words: SET, bytes: encode(SET), follows: true }]),
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
