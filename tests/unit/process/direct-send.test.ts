import { expect, test } from "bun:test";
import type { Socket } from "bun";
import { createDirectSend } from "../../../server/process/direct-send.ts";

const LASTING = Buffer.from("what lasts");
const send = createDirectSend(LASTING);

/** Sends what `work` sends to a socket's descriptor. @returns what has come at the other end when it is closed */
async function received(work: (fd: number) => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket: Socket) {
        work((socket as unknown as { fd: number }).fd);
        socket.end();
      },
      data() {},
    },
  });
  await Bun.connect({
    hostname: "127.0.0.1",
    port: listener.port,
    socket: {
      data(_, chunk) {
        text += chunk.toString();
      },
      close: () => resolve(text),
    },
  });
  const all = await promise;
  listener.stop(true);
  return all;
}

test.skipIf(send === undefined)("sends from the view that lasts, and from any other", async () => {
  const text = await received((fd) => {
    expect(send!(fd, LASTING, 5, 5)).toBe(5);
    expect(send!(fd, Buffer.from("-other-").subarray(1), 0, 5)).toBe(5);
    expect(send!(fd, new Uint8Array([65, 66, 67]), 1, 2)).toBe(2);
  });
  expect(text).toBe("lastsotherBC");
});

test.skipIf(send === undefined)("a descriptor that is none takes nothing", () => {
  expect(send!(-1, LASTING, 0, 4)).toBe(-1);
});
