/**
 * Hostile and broken clients against a server of its own process, with an honest client beside them all the time. Afterwards
 * the server stands as it stood: nobody connected, every invariant held, its memory back.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { Canary } from "../support/canary.ts";
import { createRandom, type Random } from "../support/random.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Connection, frame, openConnection } from "../support/reference.ts";
import { parseReply } from "../support/reply.ts";
import {
  freePort,
  residentBytes,
  type ServerProcess,
  startProcess,
} from "../support/server-process.ts";

const MIB = 1 << 20;
const SLOW = 60_000;

let server: ServerProcess;
let admin: Connection;
let baseBytes: number;
let canary: Canary;

/** Resident memory now: the middle one of some looks. */
async function medianBytes(): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < 11; look++) {
    await Bun.sleep(100);
    looks.push(residentBytes(server.pid));
  }
  return looks.sort((a, b) => a - b)[5]!;
}

async function info(section: string, field: string): Promise<number> {
  const text = await admin.raw("INFO", section);
  return Number(text.match(new RegExp(`${field}:(\\d+)`))?.[1]);
}

/** Waits until nobody but the canary and the test is connected. */
async function untilAlone(): Promise<void> {
  while ((await info("clients", "connected_clients")) > 2) await Bun.sleep(10);
}

/** Sockets of the running test; whatever it leaves open is reset behind it. */
const opened: RawSocket[] = [];

async function open(): Promise<RawSocket> {
  const socket = await RawSocket.open(server.port);
  opened.push(socket);
  return socket;
}

const openMany = (count: number) => Promise.all(Array.from({ length: count }, open));

beforeAll(async () => {
  server = await startProcess(freePort(), "--enable-debug-command", "yes", "--save", "");
  admin = await openConnection(server.port);
  // The base is a server that has done nothing yet.
  expect(await admin.raw("PING")).toBe("+PONG\r\n");
  baseBytes = await medianBytes();
  await admin.raw("SET", "large", "x".repeat(MIB));
});
afterAll(async () => {
  admin?.close();
  await server?.kill("SIGKILL");
});
beforeEach(async () => {
  canary = await Canary.start(server.port);
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.reset();
  await untilAlone();
  const { answers } = canary;
  while (canary.answers < answers + 4) await Bun.sleep(1);
  await canary.stop();
  expect(await admin.raw("DEBUG", "CHECK")).toBe("+OK\r\n");
});

test(
  "what is only announced takes nothing",
  async () => {
    const before = residentBytes(server.pid);
    const sockets = await openMany(200);
    for (const [i, socket] of sockets.entries())
      socket.send(
        i % 2 === 0
          ? "*2\r\n$4\r\nECHO\r\n$536870912\r\nhardly anything"
          : "*2147483647\r\n$4\r\nECHO\r\n$3\r\nabc\r\n",
      );
    await Bun.sleep(200);
    expect(residentBytes(server.pid) - before).toBeLessThan(30 * MIB);
    for (const socket of sockets) socket.reset();
  },
  SLOW,
);

test(
  "frames cut off anywhere by a close or a reset leave nothing",
  async () => {
    const whole = frame(["SET", "cut", "v".repeat(5000)]);
    for (let round = 0; round < 4; round++) {
      const sockets = await openMany(100);
      for (const [i, socket] of sockets.entries())
        socket.send(new Uint8Array(whole.subarray(0, (i * 53 + round) % (whole.length - 1))));
      await Bun.sleep(5);
      for (const [i, socket] of sockets.entries()) {
        if (i % 2 === 0) socket.close();
        else socket.reset();
      }
    }
    expect(await admin.raw("EXISTS", "cut")).toBe(":0\r\n");
  },
  SLOW,
);

test(
  "slow writers are answered when they are done, byte by byte or in the middle of a large value",
  async () => {
    const sockets = await openMany(20);
    const commands = Buffer.concat([
      frame(["SET", "slow", "\r\n$1"]),
      frame(["GET", "slow"]),
      Buffer.from("ECHO 'a b'\r\n"),
      frame(["PING"]),
    ]);
    const large = frame(["STRLEN", "large"]);
    for (let at = 0; at < commands.length; at++) {
      for (const socket of sockets) socket.send(new Uint8Array(commands.subarray(at, at + 1)));
      await Bun.sleep(0);
    }
    for (const socket of sockets) {
      await socket.expect("+OK\r\n$4\r\n\r\n$1\r\n$3\r\na b\r\n+PONG\r\n");
      socket.send(new Uint8Array(large));
      await socket.expect(`:${MIB}\r\n`);
    }
    const value = frame(["ECHO", "e".repeat(2 * MIB)]);
    const [patient] = sockets;
    for (let at = 0; at < value.length; at += 999) {
      patient!.send(new Uint8Array(value.subarray(at, at + 999)));
      if (at % 9990 === 0) await Bun.sleep(0);
    }
    const answer = await patient!.until((text) => text.length >= 2 * MIB + 12);
    expect(answer).toBe(`$${2 * MIB}\r\n${"e".repeat(2 * MIB)}\r\n`);
    for (const socket of sockets) socket.close();
  },
  SLOW,
);

test(
  "who never reads is not served beyond what it may leave lying, and gets all of it when it reads",
  async () => {
    const before = residentBytes(server.pid);
    const sockets = await openMany(10);
    const requests = Buffer.concat(Array.from({ length: 40 }, () => frame(["GET", "large"])));
    for (const socket of sockets) {
      socket.pause();
      socket.send(new Uint8Array(requests));
    }
    await Bun.sleep(500);
    expect(residentBytes(server.pid) - before).toBeLessThan(10 * 10 * MIB);
    const list = await admin.raw("CLIENT", "LIST");
    const lying = [...list.matchAll(/ omem=(\d+) /g)].map(([, bytes]) => Number(bytes));
    expect(lying.filter((bytes) => bytes > MIB)).toHaveLength(10);
    expect(await info("memory", "used_memory")).toBeGreaterThan(10 * MIB);
    const [reader, ...others] = sockets;
    for (const socket of others) socket.reset();
    reader!.resume();
    const all = await reader!.until((text) => text.length >= 40 * (MIB + 12));
    expect(all).toBe(`$${MIB}\r\n${"x".repeat(MIB)}\r\n`.repeat(40));
  },
  SLOW,
);

test(
  "with an output limit, who never reads is closed",
  async () => {
    await admin.raw("CONFIG", "SET", "client-output-buffer-limit", "normal 100kb 0 0");
    const sockets = await openMany(10);
    for (const socket of sockets) {
      socket.pause();
      socket.send(
        new Uint8Array(Buffer.concat(Array.from({ length: 40 }, () => frame(["GET", "large"])))),
      );
    }
    await untilAlone();
    expect(await admin.raw("GET", "canary")).toStartWith("$");
    await admin.raw("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    for (const socket of sockets) socket.reset();
  },
  SLOW,
);

/** Clients that ask for 40 MiB each and read nothing. */
async function greedy(count: number): Promise<void> {
  const requests = Buffer.concat(Array.from({ length: 40 }, () => frame(["GET", "large"])));
  for (const socket of await openMany(count)) {
    socket.pause();
    socket.send(new Uint8Array(requests));
  }
  while ((await info("memory", "mem_clients_normal")) < count * MIB) await Bun.sleep(1);
}

test(
  "with a soft limit, who never reads is closed when its seconds are over, and not before",
  async () => {
    await admin.raw("CONFIG", "SET", "client-output-buffer-limit", "normal 0 100kb 2");
    await greedy(5);
    expect(await info("clients", "connected_clients")).toBe(7);
    await untilAlone();
    await admin.raw("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
  },
  SLOW,
);

test(
  "with maxmemory-clients, the largest go until the rest fits, and are counted",
  async () => {
    await admin.raw("CLIENT", "NO-EVICT", "on");
    await greedy(5);
    const before = await info("stats", "evicted_clients");
    await admin.raw("CONFIG", "SET", "maxmemory-clients", "1mb");
    await untilAlone();
    expect(await info("stats", "evicted_clients")).toBe(before + 5);
    expect(await info("memory", "mem_clients_normal")).toBeLessThan(MIB);
    await admin.raw("CONFIG", "SET", "maxmemory-clients", "0");
    await admin.raw("CLIENT", "NO-EVICT", "off");
  },
  SLOW,
);

test(
  "one reply larger than the output limit ends in the middle, and is held nowhere",
  async () => {
    await admin.raw("CONFIG", "SET", "client-output-buffer-limit", "normal 100kb 0 0");
    const socket = await open();
    socket.pause();
    socket.send(new Uint8Array(frame(["MGET", ...Array.from({ length: 100 }, () => "large")])));
    await untilAlone();
    expect(await info("memory", "mem_clients_normal")).toBeLessThan(MIB);
    await admin.raw("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    socket.reset();
  },
  SLOW,
);

test(
  "more unfinished input than client-query-buffer-limit is closed",
  async () => {
    await admin.raw("CONFIG", "SET", "client-query-buffer-limit", "1mb");
    const socket = await open();
    socket.send("*2\r\n$4\r\nECHO\r\n$100000000\r\n");
    for (let sent = 0; sent < 40 && !socket.closed; sent++) {
      socket.send(Buffer.alloc(65536, "a"));
      await Bun.sleep(1);
    }
    expect(await socket.untilClosed()).toBe("");
    await admin.raw("CONFIG", "SET", "client-query-buffer-limit", "1gb");
  },
  SLOW,
);

test(
  "a flood of connections is served, told to go, or gone",
  async () => {
    for (let round = 0; round < 10; round++) {
      const sockets = await openMany(200);
      for (const [i, socket] of sockets.entries()) if (i % 3 !== 0) socket.send("PING\r\n");
      for (const [i, socket] of sockets.entries()) {
        if (i % 3 === 2) await socket.expect("+PONG\r\n");
        if (i % 2 === 0) socket.close();
        else socket.reset();
      }
    }
  },
  SLOW,
);

const WORDS = [
  "PING",
  "ECHO",
  "SET",
  "GET",
  "INCR",
  "MGET",
  "MSET",
  "EXPIRE",
  "TTL",
  "TYPE",
  "SELECT",
  "HELLO",
  "CLIENT",
  "COMMAND",
  "OBJECT",
  "APPEND",
  "INFO",
  "SCAN",
  "EXISTS",
  "DEL",
];
const ARGUMENTS = [
  "m1",
  "m2",
  "3",
  "-1",
  "",
  "ID",
  "DOCS",
  "GET",
  "9223372036854775807",
  "NX",
  "EX",
  "0",
  "MATCH",
  "*",
  "a\r\nb",
  "\xff\0",
];

function validPipeline(random: Random): Buffer {
  return Buffer.concat(
    Array.from({ length: 1 + random.below(4) }, () => {
      const words = [
        random.pick(WORDS),
        ...Array.from({ length: random.below(4) }, () => random.pick(ARGUMENTS)),
      ];
      if (random.chance(0.8)) return frame(words);
      return Buffer.from(`${words.map((word) => JSON.stringify(word)).join(" ")}\r\n`, "latin1");
    }),
  );
}

/** One to three of: another byte, a byte less or more, a piece again, a piece gone, another number, an end too soon. */
function mutated(valid: Buffer, random: Random): Buffer {
  let bytes = valid;
  for (let left = 1 + random.below(3); left > 0 && bytes.length > 1; left--) {
    const at = random.below(bytes.length);
    const size = 1 + random.below(12);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (random.below(6)) {
      case 0:
        bytes = Buffer.concat([head, Buffer.of(random.below(256)), tail.subarray(1)]);
        break;
      case 1:
        bytes = Buffer.concat([head, tail.subarray(size)]);
        break;
      case 2:
        bytes = Buffer.concat([head, Buffer.from("\r\n$*-:0\"'".charAt(random.below(9))), tail]);
        break;
      case 3:
        bytes = Buffer.concat([head, tail.subarray(0, size), tail]);
        break;
      case 4:
        bytes = Buffer.from(
          bytes
            .toString("latin1")
            .replace(/\d+/, `${random.chance(0.5) ? "" : "-"}${random.below(100000)}`),
          "latin1",
        );
        break;
      default:
        bytes = head;
    }
  }
  return bytes;
}

test(
  "10,000 mutated pipelines are answered with replies only, and their connections end",
  async () => {
    const random = createRandom(20261125);
    const pipelines = Array.from({ length: 10_000 }, () => mutated(validPipeline(random), random));
    let next = 0;
    const worker = async () => {
      while (next < pipelines.length) {
        const index = next++;
        const bytes = pipelines[index]!;
        const socket = await RawSocket.open(server.port);
        socket.send(new Uint8Array(bytes));
        socket.halfClose();
        const received = await socket.untilClosed();
        let at = 0;
        while (at < received.length) {
          const parsed = parseReply(received, at);
          if (parsed === undefined)
            throw new Error(
              `pipeline ${index} ${JSON.stringify(bytes.toString("latin1"))}: half a reply ${JSON.stringify(received.slice(at))}`,
            );
          at = parsed.end;
        }
      }
    };
    await Promise.all(Array.from({ length: 50 }, worker));
  },
  SLOW,
);

test(
  "afterwards the memory is back",
  async () => {
    // As at the start: connected, and quiet. It goes back some seconds later.
    await canary.stop();
    let bytes = await medianBytes();
    for (let look = 0; look < 9 && bytes >= 1.5 * baseBytes; look++) bytes = await medianBytes();
    canary = await Canary.start(server.port);
    expect(bytes).toBeLessThan(1.5 * baseBytes);
  },
  SLOW,
);
