/** Clients that read in fits and starts get every byte, in order, with and without a log, beside one that reads at once. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import { Canary } from "../support/canary.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Connection, frame, openConnection } from "../support/reference.ts";
import { temporaryDirectory } from "../support/server-process.ts";

const MIB = 1 << 20;
const READERS = 4;
const ROUNDS = 30;

for (const appendonly of ["no", "yes"])
  describe(`appendonly ${appendonly}`, () => {
    const directory = temporaryDirectory();
    let server: RunningServer;
    let admin: Connection;

    beforeAll(async () => {
      server = await startServer({
        config: { appendonly, dir: directory.path, appendfsync: "no" },
      });
      admin = await openConnection(server.port);
      await admin.raw("SET", "large", "x".repeat(MIB));
    });
    afterAll(async () => {
      admin?.close();
      server?.check();
      await server?.close();
      directory.remove();
    });

    test("readers that stop and go on", async () => {
      const canary = await Canary.start(server.port);
      const large = `$${MIB}\r\n${"x".repeat(MIB)}\r\n`;
      const readers = await Promise.all(
        Array.from({ length: READERS }, () => RawSocket.open(server.port)),
      );
      let wanted = "";
      for (let round = 0; round < ROUNDS; round++) {
        wanted += `+OK\r\n${large}:${round + 1}\r\n`;
        for (const [i, reader] of readers.entries()) {
          reader.send(
            new Uint8Array(
              Buffer.concat([
                frame(["SET", `k${i}`, "v"]),
                frame(["GET", "large"]),
                frame(["INCR", `count${i}`]),
              ]),
            ),
          );
          if (round % 3 === i % 3) reader.pause();
          else reader.resume();
        }
        await Bun.sleep(1);
      }
      for (const reader of readers) reader.resume();
      for (const reader of readers) {
        const got = await reader.until((text) => text.length >= wanted.length);
        expect(got === wanted).toBe(true);
        reader.close();
      }
      expect(canary.answers).toBeGreaterThan(0);
      await canary.stop();
    }, 30_000);

    test("what a client has not taken counts as used memory until it is gone", async () => {
      const used = async () =>
        Number((await admin.raw("INFO", "memory")).match(/used_memory:(\d+)/)?.[1]);
      const before = await used();
      const reader = await RawSocket.open(server.port);
      reader.pause();
      reader.send(
        new Uint8Array(Buffer.concat(Array.from({ length: 20 }, () => frame(["GET", "large"])))),
      );
      while ((await used()) < before + MIB) await Bun.sleep(1);
      reader.reset();
      while ((await used()) > before + MIB / 2) await Bun.sleep(1);
    });

    test("queued commands and unfinished ones count, and are shown", async () => {
      const field = async (name: string, id: string) =>
        Number(
          (await admin.raw("CLIENT", "LIST", "ID", id)).match(new RegExp(` ${name}=(\\d+)`))?.[1],
        );
      const client = await openConnection(server.port);
      const id = (await client.raw("CLIENT", "ID")).slice(1, -2);
      const idle = await field("tot-mem", id);
      await client.raw("MULTI");
      await client.raw("SET", "k", "q".repeat(100_000));
      expect(await field("multi-mem", id)).toBeGreaterThan(100_000);
      expect(await field("tot-mem", id)).toBeGreaterThan(idle + 100_000);
      expect(await field("tot-mem", id)).toBeLessThan(idle + 150_000);
      await client.raw("EXEC");
      expect(await field("tot-mem", id)).toBe(idle);
      client.close();

      const socket = await RawSocket.open(server.port);
      await socket.ask("CLIENT SETNAME half\r\n", "+OK\r\n");
      socket.send(`*2\r\n$4\r\nECHO\r\n$100000\r\n${"h".repeat(50_000)}`);
      const half = async () =>
        Number((await admin.raw("CLIENT", "LIST")).match(/ name=half .* qbuf=(\d+)/)?.[1]);
      while ((await half()) < 50_000) await Bun.sleep(1);
      socket.send(`${"h".repeat(50_000)}\r\n`);
      await socket.until((text) => text.length === 100_000 + 11);
      expect(await half()).toBe(0);
      socket.close();
    });
  });
