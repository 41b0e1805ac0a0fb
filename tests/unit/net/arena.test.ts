import { beforeEach, describe, expect, test } from "bun:test";
import { Address, IoField } from "../../../core-wasm/abi.ts";
import { Client } from "../../../server/client/client.ts";
import { Outbox } from "../../../server/client/outbox.ts";
import { createMemory } from "../../../server/core/memory.ts";
import { ReplyArena } from "../../../server/net/arena.ts";
import { stubLink } from "../../support/link.ts";

const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const memory = createMemory();
const NOTHING = Number.NEGATIVE_INFINITY;

let arena: ReplyArena;
/** What the watcher was told, as the bytes that waited for the client then. */
let grew: number[];
let shrank: number[];
beforeEach(() => {
  memory.i32[OUT_TOP] = Address.Output;
  grew = [];
  shrank = [];
  const watcher = {
    outputGrew: (client: Client) => {
      client.countedBytes = client.bufferBytes();
      grew.push(client.waitingBytes);
    },
    outputShrank: (client: Client) => {
      client.countedBytes = client.bufferBytes();
      shrank.push(client.waitingBytes);
    },
  };
  arena = new ReplyArena(memory, { netOutputBytes: 0, writesProcessed: 0 }, watcher);
  arena.deferred = true;
});

interface Peer {
  client: Client;
  got: string;
  /** Bytes that its socket takes at a time. */
  takes: number;
  ended: boolean;
  broken: boolean;
}

function connect(): Peer {
  const peer: Peer = {
    client: undefined as unknown as Client,
    got: "",
    takes: Number.POSITIVE_INFINITY,
    ended: false,
    broken: false,
  };
  const link = stubLink({
    write(bytes, begin = 0, end = bytes.length) {
      const taken = Math.min(peer.takes, end - begin);
      peer.got += Buffer.from(bytes.subarray(begin, begin + taken)).toString();
      return taken;
    },
    end: () => {
      peer.ended = true;
    },
    terminate: () => {
      peer.broken = true;
    },
  });
  peer.client = new Client(1, link, new Outbox(), 0);
  return peer;
}

/** A chunk of the client's is served: its replies. */
function serve({ client }: Peer, replies: string, holdUntil = client.holdUntil): void {
  arena.open(client);
  write(replies);
  client.holdUntil = holdUntil;
  arena.close();
}

function write(replies: string): void {
  memory.u8.set(Buffer.from(replies), memory.i32[OUT_TOP]!);
  memory.i32[OUT_TOP]! += replies.length;
}

describe("at the end of a turn", () => {
  test("what is safe leaves in one piece per client, what is not waits for its point", () => {
    const [reader, writer] = [connect(), connect()];
    serve(reader, "r1");
    serve(writer, "w1", 7);
    expect(reader.got).toBe("");
    arena.endTurn(6);
    expect([reader.got, writer.got]).toEqual(["r1", ""]);
    expect(memory.i32[OUT_TOP]).toBe(Address.Output);
    arena.releaseUpTo(6);
    expect(writer.got).toBe("");
    arena.releaseUpTo(7);
    expect(writer.got).toBe("w1");
  });

  test("what follows a piece that waits goes behind it, though it needs nothing itself", () => {
    const peer = connect();
    serve(peer, "a", 7);
    arena.endTurn(6);
    serve(peer, "b");
    arena.endTurn(6);
    serve(peer, "c", 8);
    arena.endTurn(6);
    expect(peer.got).toBe("");
    arena.releaseUpTo(7);
    expect(peer.got).toBe("ab");
    serve(peer, "d");
    arena.endTurn(7);
    expect(peer.got).toBe("ab");
    arena.releaseUpTo(8);
    expect(peer.got).toBe("abcd");
    serve(peer, "e");
    arena.endTurn(8);
    expect(peer.got).toBe("abcde");
  });

  test("a client that pipelines without end is answered group by group", () => {
    const peer = connect();
    for (let point = 1; point <= 50; point++) {
      serve(peer, String(point % 10), point);
      arena.endTurn(point - 2);
      arena.releaseUpTo(point - 1);
      expect(peer.got).toHaveLength(point - 1);
    }
  });

  test("a socket that takes little gets everything in order", () => {
    const peer = connect();
    peer.takes = 1;
    serve(peer, "abc", 3);
    arena.endTurn(2);
    arena.releaseUpTo(3);
    serve(peer, "def", 4);
    arena.endTurn(3);
    arena.releaseUpTo(4);
    for (let i = 0; i < 10; i++) arena.flush(peer.client);
    expect(peer.got).toBe("abcdef");
  });

  test("a client that closes does so when its last reply has left", () => {
    const peer = connect();
    arena.open(peer.client);
    write("+OK");
    peer.client.holdUntil = 2;
    peer.client.closing = true;
    arena.close();
    arena.endTurn(1);
    arena.flush(peer.client);
    expect(peer.ended).toBe(false);
    arena.releaseUpTo(2);
    expect(peer).toMatchObject({ got: "+OK", ended: true });
  });
});

describe("when the window is full", () => {
  test("what it held does not leave before the turn ends", () => {
    const [reader, writer] = [connect(), connect()];
    serve(reader, "r1");
    arena.open(writer.client);
    write("w1");
    arena.drain();
    write("w2");
    arena.drain();
    writer.client.holdUntil = 5;
    write("w3");
    arena.close();
    arena.flush(reader.client);
    arena.flush(writer.client);
    expect([reader.got, writer.got]).toEqual(["", ""]);
    arena.endTurn(4);
    expect([reader.got, writer.got]).toEqual(["r1", ""]);
    serve(writer, "w4");
    arena.endTurn(4);
    arena.flush(writer.client);
    expect(writer.got).toBe("");
    arena.releaseUpTo(5);
    expect(writer.got).toBe("w1w2w3w4");
  });

  test("a piece that waited before goes first", () => {
    const peer = connect();
    arena.latestPoint = () => 6;
    serve(peer, "a", 5);
    arena.endTurn(4);
    arena.open(peer.client);
    write("b");
    arena.drain();
    write("c");
    arena.close();
    arena.endTurn(4);
    arena.flush(peer.client);
    expect(peer.got).toBe("");
    arena.releaseUpTo(5);
    expect(peer.got).toBe("a");
    arena.releaseUpTo(6);
    expect(peer.got).toBe("abc");
  });

  test("without a log it goes to the outbox and leaves when it can", () => {
    arena.deferred = false;
    const peer = connect();
    arena.open(peer.client);
    write("a");
    arena.drain();
    write("b");
    arena.close();
    expect(peer.got).toBe("ab");
  });
});

describe("what is safe already", () => {
  let turns = 0;
  beforeEach(() => {
    turns = 0;
    arena.safeAtOnce = () => 6;
    arena.wantTurn = () => turns++;
  });

  test("leaves at once, and asks for no end of the turn", () => {
    const peer = connect();
    serve(peer, "a", 6);
    expect(peer.got).toBe("a");
    expect(memory.i32[OUT_TOP]).toBe(Address.Output);
    serve(peer, "");
    serve(peer, "b");
    expect(peer.got).toBe("ab");
    expect(turns).toBe(0);
  });

  test("waits behind what lies in the window, whoever's it is", () => {
    const [reader, writer] = [connect(), connect()];
    serve(writer, "w", 7);
    expect(turns).toBe(1);
    serve(reader, "r");
    expect([reader.got, writer.got]).toEqual(["", ""]);
    arena.endTurn(6);
    expect([reader.got, writer.got]).toEqual(["r", ""]);
    serve(reader, "s");
    expect(reader.got).toBe("rs");
  });

  test("waits behind what waits of the client, held or pushed out of the window", () => {
    const peer = connect();
    serve(peer, "a", 7);
    arena.endTurn(6);
    serve(peer, "b", 0);
    expect(peer.got).toBe("");
    arena.endTurn(6);
    arena.releaseUpTo(7);
    expect(peer.got).toBe("ab");
    arena.open(peer.client);
    write("c");
    turns = 0;
    arena.drain();
    expect(turns).toBe(1);
    write("d");
    arena.close();
    expect(peer.got).toBe("ab");
    arena.endTurn(6);
    expect(peer.got).toBe("abcd");
  });

  test("ends the connection if it was the last", () => {
    const peer = connect();
    peer.client.closing = true;
    serve(peer, "a");
    expect([peer.got, peer.ended]).toEqual(["a", true]);
  });
});

test("much that waits for the log counts as its client's memory, until it is let go", () => {
  const peer = connect();
  for (const point of [1, 2, 3]) {
    serve(peer, "x".repeat(10_000), point);
    arena.endTurn(0);
  }
  expect(grew).toEqual([20_000, 30_000]);
  arena.releaseUpTo(2);
  expect(shrank).toEqual([20_000, 10_000]);
  arena.releaseUpTo(3);
  expect(shrank).toEqual([20_000, 10_000, 0]);
  expect(peer.got).toHaveLength(30_000);
});

test("what is given up reaches nobody, and its clients are disconnected", () => {
  const [reader, writer] = [connect(), connect()];
  serve(writer, "w", 5);
  serve(reader, "r");
  arena.endTurn(4);
  arena.dropHeld();
  expect(writer).toMatchObject({ got: "", broken: true });
  expect(reader).toMatchObject({ got: "r", broken: false });
  arena.releaseUpTo(NOTHING);
  arena.releaseUpTo(5);
  expect(writer.got).toBe("");
});
