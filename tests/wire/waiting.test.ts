/**
 * Over real sockets: what a client sends while it waits for a key, and at the moment when it is served, runs in the order in which it was
 * sent. With and without a log.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Connection, frame, openConnection } from "../support/reference.ts";
import { temporaryDirectory } from "../support/server-process.ts";

/** Which sockets the server finds ready in one turn is up to the kernel. */
const ROUNDS = 30;
const SERVED = "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n";

const words = (text: string) => frame(text.split(" "));

for (const appendfsync of ["none", "no", "always"])
  describe(`appendfsync ${appendfsync}`, () => {
    const directory = temporaryDirectory();
    let server: RunningServer;
    let pusher: Connection;
    let waiter: RawSocket;

    beforeAll(async () => {
      const config = { appendonly: "yes", dir: directory.path, appendfsync };
      server = await startServer(appendfsync === "none" ? {} : { config });
      pusher = await openConnection(server.port);
      waiter = await RawSocket.open(server.port);
    });
    afterAll(async () => {
      pusher?.close();
      waiter?.close();
      server?.check();
      await server?.close();
      directory.remove();
    });

    /**
     * The waiter sends one chunk, in which it begins to wait, and another just behind the push that serves it: both are in the kernel
     * before the server looks.
     */
    async function serveBetween(first: Uint8Array, second: Uint8Array): Promise<void> {
      waiter.send(first);
      while (!(await pusher.raw("INFO", "clients")).includes("blocked_clients:1\r\n"))
        await Bun.sleep(1);
      const pushed = pusher.raw("RPUSH", "list", "x");
      waiter.send(second);
      expect(await pushed).toBe(":1\r\n");
    }

    test("a chunk that comes as it is served stays behind the rest of the one before", async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await serveBetween(
          Buffer.concat([words("BLPOP list 0"), words("RPUSH order first")]),
          Buffer.concat([
            words("RPUSH order second"),
            words("LRANGE order 0 -1"),
            words("DEL order"),
          ]),
        );
        await waiter.expect(`${SERVED}:1\r\n:2\r\n*2\r\n$5\r\nfirst\r\n$6\r\nsecond\r\n:1\r\n`);
      }
    });

    test("a command that is cut in two there is one command", async () => {
      const cut = words("RPUSH order second");
      for (let round = 0; round < ROUNDS; round++) {
        const at = 1 + (round % (cut.length - 1));
        await serveBetween(
          Buffer.concat([words("BLPOP list 0"), words("RPUSH order first"), cut.subarray(0, at)]),
          Buffer.concat([cut.subarray(at), words("LRANGE order 0 -1"), words("DEL order")]),
        );
        await waiter.expect(`${SERVED}:1\r\n:2\r\n*2\r\n$5\r\nfirst\r\n$6\r\nsecond\r\n:1\r\n`);
      }
    });
  });
