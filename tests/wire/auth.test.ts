/** AUTH, HELLO and RESET with a password in force, set and taken away while clients are connected. Redis-server answers the same. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startServer } from "../../server/index.ts";
import { RawSocket } from "../support/raw-socket.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  startReference,
} from "../support/reference.ts";
import { freePort } from "../support/server-process.ts";

const NOAUTH = "-NOAUTH Authentication required.\r\n";
const WRONG = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const HELLO_NOAUTH =
  "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time\r\n";

interface Answering {
  port: number;
  stop(): Promise<void>;
}

const SERVERS: Record<string, () => Promise<Answering>> = {
  Bundis: async () => {
    const server = await startServer();
    return { port: server.port, stop: () => server.close() };
  },
  "redis-server": () => startReference(freePort()),
};

for (const [name, start] of Object.entries(SERVERS))
  describe.skipIf(name === "redis-server" && REFERENCE_PATH === null)(name, () => {
    let server: Answering;
    let admin: Connection;
    const clients: Connection[] = [];

    const connect = async () => {
      const client = await openConnection(server.port);
      clients.push(client);
      return client;
    };
    const setPassword = async (password: string) =>
      expect(await admin.raw("CONFIG", "SET", "requirepass", password)).toBe("+OK\r\n");

    beforeAll(async () => {
      server = await start();
      admin = await openConnection(server.port);
      // A command sees to it that the session began before there was a password.
      await admin.raw("PING");
    });
    afterAll(async () => {
      for (const client of clients) client.close();
      admin?.close();
      await server?.stop();
    });
    beforeEach(() => setPassword("secret"));

    test("nothing but AUTH, HELLO, QUIT and RESET is let through", async () => {
      const client = await connect();
      expect(await client.raw("PING")).toBe(NOAUTH);
      expect(await client.raw("CLIENT", "ID")).toBe(NOAUTH);
      expect(await client.raw("NOSUCH")).toStartWith("-ERR unknown command 'NOSUCH'");
      expect(await client.raw("GET")).toBe("-ERR wrong number of arguments for 'get' command\r\n");
      expect(await client.raw("RESET")).toBe("+RESET\r\n");
      // 7.0 has its text without <proto>.
      const hello = await client.raw("HELLO", "2");
      expect(name === "Bundis" ? hello : hello.replace("HELLO AUTH", "HELLO <proto> AUTH")).toBe(
        HELLO_NOAUTH,
      );
      expect(await client.raw("QUIT")).toBe("+OK\r\n");
    });

    test("AUTH with one word or two", async () => {
      const client = await connect();
      expect(await client.raw("AUTH", "wrong")).toBe(WRONG);
      expect(await client.raw("AUTH", "secret ")).toBe(WRONG);
      expect(await client.raw("AUTH", "")).toBe(WRONG);
      expect(await client.raw("AUTH", "other", "secret")).toBe(WRONG);
      expect(await client.raw("AUTH", "default", "wrong")).toBe(WRONG);
      expect(await client.raw("PING")).toBe(NOAUTH);
      expect(await client.raw("AUTH", "default", "secret")).toBe("+OK\r\n");
      expect(await client.raw("PING")).toBe("+PONG\r\n");
      expect(await client.raw("AUTH", "wrong")).toBe(WRONG);
      expect(await client.raw("PING")).toBe("+PONG\r\n");
      const other = await connect();
      expect(await other.raw("AUTH", "secret")).toBe("+OK\r\n");
      expect(await other.raw("CLIENT", "INFO")).toContain(" user=default ");
    });

    test("HELLO with AUTH, and what a wrong one leaves alone", async () => {
      const client = await connect();
      expect(await client.raw("HELLO", "3", "AUTH", "default", "wrong", "SETNAME", "n")).toBe(
        WRONG,
      );
      expect(await client.raw("PING")).toBe(NOAUTH);
      expect(
        await client.raw("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "n"),
      ).toStartWith("%7\r\n");
      expect(await client.raw("CLIENT", "GETNAME")).toBe("$1\r\nn\r\n");
    });

    test("RESET logs out", async () => {
      const client = await connect();
      await client.raw("AUTH", "secret");
      expect(await client.raw("RESET")).toBe("+RESET\r\n");
      expect(await client.raw("PING")).toBe(NOAUTH);
    });

    test("who is logged in stays so when the password changes; who is not is let in when there is none", async () => {
      const early = await connect();
      expect(await early.raw("AUTH", "secret")).toBe("+OK\r\n");
      const waiting = await connect();
      expect(await waiting.raw("PING")).toBe(NOAUTH);
      await setPassword("another");
      expect(await early.raw("PING")).toBe("+PONG\r\n");
      expect(await waiting.raw("AUTH", "secret")).toBe(WRONG);
      await setPassword("");
      expect(await waiting.raw("PING")).toBe("+PONG\r\n");
      await setPassword("secret");
      expect(await waiting.raw("PING")).toBe(NOAUTH);
      expect(await early.raw("PING")).toBe("+PONG\r\n");
    });
  });

describe("CLIENT NO-TOUCH", () => {
  test("lets reads leave no trace, TOUCH excepted, from the next command on", async () => {
    const server = await startServer({ config: { "maxmemory-policy": "allkeys-lfu" } });
    const socket = await RawSocket.open(server.port);
    // A new key's counter is 5, and the first access counts for sure.
    await socket.ask(
      "SET k v\r\nCLIENT NO-TOUCH ON\r\nGET k\r\nOBJECT FREQ k\r\nTOUCH k\r\nOBJECT FREQ k\r\n",
      "+OK\r\n+OK\r\n$1\r\nv\r\n:5\r\n:1\r\n:6\r\n",
    );
    await socket.ask(
      "SET o v\r\nCLIENT NO-TOUCH OFF\r\nGET o\r\nOBJECT FREQ o\r\n",
      "+OK\r\n+OK\r\n$1\r\nv\r\n:6\r\n",
    );
    socket.close();
    await server.close();
  });
});
