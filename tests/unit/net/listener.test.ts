import { expect, test } from "bun:test";
import type { Socket } from "bun";
import type { Connection } from "../../../server/net/connection.ts";
import { type DirectSend, type SocketLink, socketHandlers } from "../../../server/net/listener.ts";

const BYTES = Buffer.from("0123456789");
const CONNECTION = {} as Connection;

/** A socket whose descriptor takes as much as `taken` says, and what either way was given. */
function opened(taken: (length: number) => number) {
  const sent: string[] = [];
  const written: string[] = [];
  const socket = {
    fd: 7,
    data: null as unknown as SocketLink,
    write(bytes: Uint8Array, begin: number, length: number) {
      written.push(Buffer.from(bytes.subarray(begin, begin + length)).toString());
      return length - 1;
    },
    end() {},
    terminate() {},
  };
  const send: DirectSend = (fd, bytes, begin, length) => {
    expect(fd).toBe(7);
    sent.push(Buffer.from(bytes.subarray(begin, begin + length)).toString());
    return taken(length);
  };
  const events = {
    opened: () => CONNECTION,
    closed() {},
    failed() {},
    writable() {},
  };
  const handlers = socketHandlers({ events, send }, "");
  const asSocket = socket as unknown as Socket<SocketLink>;
  handlers.open!(asSocket);
  return { link: socket.data, socket: asSocket, handlers, sent, written };
}

test("what the kernel takes whole is not given to the socket", () => {
  const { link, sent, written } = opened((length) => length);
  expect(link.write(BYTES, 2, 6)).toBe(4);
  expect(link.write(BYTES)).toBe(10);
  expect({ sent, written }).toEqual({ sent: ["2345", "0123456789"], written: [] });
});

test("what the kernel leaves is given to the socket, which waits for room", () => {
  const { link, written } = opened(() => 3);
  expect(link.write(BYTES, 2, 8)).toBe(5);
  expect(written).toEqual(["567"]);
});

test.each([0, -1])("the socket has its say where the kernel takes nothing: %d", (taken) => {
  const { link, written } = opened(() => taken);
  expect(link.write(BYTES, 2, 8)).toBe(5);
  expect(written).toEqual(["234567"]);
});

test("a socket that is gone keeps what the kernel has taken", () => {
  const { link, socket } = opened(() => 3);
  socket.write = () => -1;
  expect(link.write(BYTES)).toBe(3);
});

test.each<[string, (opening: ReturnType<typeof opened>) => void]>([
  ["it was closed", ({ handlers, socket }) => handlers.close!(socket)],
  ["it failed", ({ handlers, socket }) => handlers.error!(socket, new Error("reset"))],
  ["it is ended", ({ link }) => link.end()],
  ["it is dropped", ({ link }) => link.terminate()],
])("nothing is sent to a descriptor that another socket may have: %s", (_, leave) => {
  const opening = opened((length) => length);
  leave(opening);
  opening.link.write(BYTES);
  expect({ sent: opening.sent, written: opening.written }).toEqual({
    sent: [],
    written: ["0123456789"],
  });
});
