/** What every client library has to manage, in either protocol. The library is hidden behind five operations. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { type RestartableServer, startServer } from "./server.ts";

/** One connected client of a library. */
export interface LibraryClient {
  set(key: string, value: Buffer): Promise<unknown>;
  get(key: string): Promise<Buffer | null>;
  /** Any command; rejects with the error reply's text in its message. */
  command(...words: string[]): Promise<unknown>;
  close(): void;
}

export type Connect = (port: number, protocol: 2 | 3) => Promise<LibraryClient>;

const PIPELINED = 1000;
const MEBIBYTE = 1 << 20;
const RECONNECT_MS = 10_000;

/** Declares the tests of one library. */
export function exercise(library: string, connect: Connect): void {
  let server: RestartableServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.stop());

  for (const protocol of [2, 3] as const) {
    const withClient = async (work: (client: LibraryClient) => Promise<void>) => {
      const client = await connect(server.port, protocol);
      try {
        await work(client);
      } finally {
        client.close();
      }
    };
    const name = (what: string) => `${library} in RESP${protocol} ${what}`;

    test(name("speaks the protocol it asked for"), () =>
      withClient(async (client) => {
        expect(String(await client.command("CLIENT", "LIST"))).toContain(` resp=${protocol} `);
      }),
    );

    test(name(`gets back ${PIPELINED} random values in a pipeline`), () =>
      withClient(async (client) => {
        const values = Array.from({ length: PIPELINED }, (_, i) => randomBytes(i % 200));
        await Promise.all(values.map((value, i) => client.set(`pipelined:${i}`, value)));
        const got = await Promise.all(values.map((_, i) => client.get(`pipelined:${i}`)));
        for (const [i, value] of values.entries()) expect(got[i]).toEqual(value);
        expect(await client.get("pipelined:none")).toBeNull();
      }),
    );

    test(name("gets back a value of a mebibyte"), () =>
      withClient(async (client) => {
        const value = randomBytes(MEBIBYTE);
        await client.set("large", value);
        expect((await client.get("large"))?.equals(value)).toBe(true);
      }),
    );

    test(name("reports an error reply and goes on"), () =>
      withClient(async (client) => {
        await client.set("text", Buffer.from("text"));
        const replies = await Promise.allSettled([
          client.command("INCR", "text"),
          client.command("NOSUCHCOMMAND", "word"),
          client.command("STRLEN", "text"),
        ]);
        expect(replies.map((reply) => reply.status)).toEqual(["rejected", "rejected", "fulfilled"]);
        const [incr, unknown] = replies as PromiseRejectedResult[];
        expect(String(incr!.reason)).toContain("value is not an integer or out of range");
        expect(String(unknown!.reason)).toContain("unknown command");
      }),
    );

    test(name("reconnects after the server was killed and started again"), () =>
      withClient(async (client) => {
        await client.set("before", Buffer.from("v"));
        await server.restart();
        expect(await untilAnswered(() => client.command("DBSIZE"))).toBe(0);
        await client.set("after", Buffer.from("v"));
        expect(await client.get("after")).toEqual(Buffer.from("v"));
      }),
    );
  }
}

/** What `ask` answers once the library has reconnected; commands lost with the connection may fail until then. */
async function untilAnswered(ask: () => Promise<unknown>): Promise<unknown> {
  const giveUpAt = performance.now() + RECONNECT_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await Bun.sleep(20);
    }
  }
}
