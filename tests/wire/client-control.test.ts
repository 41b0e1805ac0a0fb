/** What CLIENT does to connections: replies switched off, others closed, everybody paused. With and without a log. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Connection, frame, openConnection } from "../support/reference.ts";
import { temporaryDirectory } from "../support/server-process.ts";

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
    });
    afterAll(async () => {
      admin?.close();
      server?.check();
      await server?.close();
      directory.remove();
    });
    beforeEach(async () => {
      await admin.raw("FLUSHALL");
    });

    const open = () => RawSocket.open(server.port);
    const waitingClients = async () =>
      Number((await admin.raw("INFO", "clients")).match(/blocked_clients:(\d+)/)?.[1]);
    const untilWaiting = async (count: number) => {
      while ((await waitingClients()) !== count) await Bun.sleep(1);
    };
    const idOf = async (socket: RawSocket) => {
      socket.send("CLIENT ID\r\n");
      const id = (await socket.until((text) => text.endsWith("\r\n"))).slice(1, -2);
      socket.received = "";
      return id;
    };

    describe("CLIENT REPLY", () => {
      test("OFF answers nothing until ON", async () => {
        const socket = await open();
        await socket.ask(
          "PING\r\nCLIENT REPLY OFF\r\nSET k v\r\nNOSUCH\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nGET k\r\n",
          "+PONG\r\n+OK\r\n$1\r\nv\r\n",
        );
        socket.close();
      });

      test("OFF holds across chunks, and a QUIT still closes", async () => {
        const socket = await open();
        socket.send("CLIENT REPLY OFF\r\n");
        await Bun.sleep(5);
        socket.send("SET k v2\r\n");
        await Bun.sleep(5);
        socket.send("PING\r\nQUIT\r\n");
        expect(await socket.untilClosed()).toBe("");
        expect(await admin.raw("GET", "k")).toBe("$2\r\nv2\r\n");
      });

      test("a protocol error of a silenced client closes without a word", async () => {
        const socket = await open();
        socket.send("CLIENT REPLY OFF\r\n*1\r\n+x\r\n");
        expect(await socket.untilClosed()).toBe("");
      });

      test("SKIP leaves out the next answer, be it an error, also in another chunk", async () => {
        const socket = await open();
        await socket.ask(
          "CLIENT REPLY SKIP\r\nPING\r\nPING a\r\nCLIENT REPLY SKIP\r\nNOSUCH\r\nPING b\r\nCLIENT REPLY SKIP\r\n",
          "$1\r\na\r\n$1\r\nb\r\n",
        );
        await socket.ask("PING x\r\nPING y\r\n", "$1\r\ny\r\n");
        await socket.ask("CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING\r\n", "+OK\r\n+PONG\r\n");
        socket.close();
      });

      test("RESET ends OFF, and is answered", async () => {
        const socket = await open();
        await socket.ask("CLIENT REPLY OFF\r\nPING\r\nRESET\r\nPING\r\n", "+RESET\r\n+PONG\r\n");
        socket.close();
      });

      test("a large reply goes nowhere as a small one does", async () => {
        const socket = await open();
        await admin.raw("SET", "large", "x".repeat(20 << 20));
        await socket.ask(
          "PING\r\nCLIENT REPLY SKIP\r\nGET large\r\nPING 2\r\nCLIENT REPLY OFF\r\nGET large\r\nCLIENT REPLY ON\r\n",
          "+PONG\r\n$1\r\n2\r\n+OK\r\n",
        );
        socket.close();
      });
    });

    describe("CLIENT KILL", () => {
      test("closes by id, type, address and age; SKIPME decides about the caller", async () => {
        const victim = await open();
        const id = await idOf(victim);
        expect(await admin.raw("CLIENT", "KILL", "ID", id)).toBe(":1\r\n");
        await victim.untilClosed();
        expect(await admin.raw("CLIENT", "KILL", "ID", id)).toBe(":0\r\n");

        const addressed = await open();
        const list = await admin.raw("CLIENT", "LIST", "ID", await idOf(addressed));
        const [, addr, laddr] = list.match(/ addr=(\S+) laddr=(\S+) /)!;
        expect(await admin.raw("CLIENT", "KILL", addr!)).toBe("+OK\r\n");
        await addressed.untilClosed();
        expect(laddr).toBe(`127.0.0.1:${server.port}`);

        const others = [await open(), await open()];
        for (const other of others) await idOf(other);
        expect(await admin.raw("CLIENT", "KILL", "TYPE", "normal", "LADDR", laddr!)).toBe(":2\r\n");
        for (const other of others) await other.untilClosed();
        expect(await admin.raw("CLIENT", "KILL", "MAXAGE", "100000")).toBe(":0\r\n");

        const own = await open();
        await own.ask(`CLIENT KILL ID ${await idOf(own)} SKIPME no\r\nPING\r\n`, ":1\r\n");
        await own.untilClosed();
      });

      test("a killed client is gone from the list at once, and its rest is not run", async () => {
        const victim = await open();
        const id = await idOf(victim);
        await admin.raw("CLIENT", "KILL", "ID", id);
        expect(await admin.raw("CLIENT", "LIST", "ID", id)).toBe("$0\r\n\r\n");
      });
    });

    describe("CLIENT PAUSE", () => {
      test("WRITE holds writes in their order, and lets reads through", async () => {
        await admin.raw("CLIENT", "PAUSE", "100000", "WRITE");
        const socket = await open();
        await socket.ask(
          'GET k\r\nSET k "a b\\x00c"\r\nGET k\r\nAPPEND k !\r\nPING end\r\n',
          "$-1\r\n",
        );
        await untilWaiting(1);
        expect(await admin.raw("CLIENT", "LIST")).toContain(" flags=b ");
        socket.send("STRLEN k\r\n");
        await admin.raw("PING");
        expect(socket.received).toBe("");
        expect(await admin.raw("GET", "k")).toBe("$-1\r\n");
        expect(await admin.raw("CLIENT", "UNPAUSE")).toBe("+OK\r\n");
        await socket.expect("+OK\r\n$5\r\na b\0c\r\n:6\r\n$3\r\nend\r\n:6\r\n");
        expect(await waitingClients()).toBe(0);
        socket.close();
      });

      test("ALL holds everything and everybody, new clients too, until its time is over", async () => {
        const early = await open();
        await early.ask("PING\r\n", "+PONG\r\n");
        const paused = await admin.raw("CLIENT", "PAUSE", "100");
        const late = await open();
        early.send("PING early\r\n");
        late.send(frame(["PING", "late"]));
        const own = admin.raw("CLIENT", "UNPAUSE");
        expect(paused).toBe("+OK\r\n");
        expect(early.received + late.received).toBe("");
        await early.expect("$5\r\nearly\r\n");
        await late.expect("$4\r\nlate\r\n");
        expect(await own).toBe("+OK\r\n");
        early.close();
        late.close();
      });

      test("commands behind CLIENT PAUSE in the same chunk wait too", async () => {
        const socket = await open();
        await socket.ask(
          "CLIENT PAUSE 20 ALL\r\nPING 1\r\nPING 2\r\n",
          "+OK\r\n$1\r\n1\r\n$1\r\n2\r\n",
        );
        socket.close();
      });

      test("a large command waits whole", async () => {
        await admin.raw("CLIENT", "PAUSE", "100000", "WRITE");
        const socket = await open();
        const value = Buffer.alloc(6 << 20, "v");
        socket.send(frame(["SET", "large", value]));
        socket.send(frame(["STRLEN", "large"]));
        await untilWaiting(1);
        await admin.raw("CLIENT", "UNPAUSE");
        await socket.expect(`+OK\r\n:${6 << 20}\r\n`);
        socket.close();
      });

      test("wrong commands are refused at once", async () => {
        await admin.raw("CLIENT", "PAUSE", "100000", "WRITE");
        const socket = await open();
        await socket.ask(
          "SET k\r\nNOSUCH\r\n",
          "-ERR wrong number of arguments for 'set' command\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
        );
        socket.close();
        await admin.raw("CLIENT", "UNPAUSE");
      });

      test("a client that leaves while it waits is forgotten", async () => {
        await admin.raw("CLIENT", "PAUSE", "100000", "WRITE");
        const socket = await open();
        socket.send("SET k v\r\n");
        await untilWaiting(1);
        socket.close();
        await untilWaiting(0);
        await admin.raw("CLIENT", "UNPAUSE");
        expect(await admin.raw("EXISTS", "k")).toBe(":0\r\n");
      });

      test("nothing expires while it lasts: due keys are hidden, and deleted afterwards", async () => {
        const expired = async () =>
          Number((await admin.raw("INFO", "stats")).match(/expired_keys:(\d+)/)?.[1]);
        const before = await expired();
        await admin.raw("SET", "soon", "v", "PX", "5");
        await admin.raw("CLIENT", "PAUSE", "100000", "WRITE");
        while ((await admin.raw("GET", "soon")) !== "$-1\r\n") await Bun.sleep(1);
        await Bun.sleep(20);
        expect(await expired()).toBe(before);
        await admin.raw("CLIENT", "UNPAUSE");
        while ((await expired()) !== before + 1) await Bun.sleep(1);
      });

      test("a skipped reply stays skipped while its command waits", async () => {
        await admin.raw("CLIENT", "PAUSE", "100000", "WRITE");
        const socket = await open();
        socket.send("CLIENT REPLY SKIP\r\nSET k v\r\nPING\r\n");
        await untilWaiting(1);
        await admin.raw("CLIENT", "UNPAUSE");
        await socket.expect("+PONG\r\n");
        socket.close();
      });
    });
  });
