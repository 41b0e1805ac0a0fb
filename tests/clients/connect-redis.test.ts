/** connect-redis under express-session: a web server that keeps its sessions in Bundis. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { type RestartableServer, startServer } from "./server.ts";

declare module "express-session" {
  interface SessionData {
    visits: number;
  }
}

const SESSION_SECONDS = 300;

let redis: RestartableServer;
beforeAll(async () => {
  redis = await startServer();
});
afterAll(() => redis?.stop());

let client: ReturnType<typeof createClient>;
let store: RedisStore;
let web: Server;
let url: string;

beforeEach(async () => {
  client = createClient({ socket: { port: redis.port, host: "127.0.0.1" } });
  await client.connect();
  await client.flushAll();
  store = new RedisStore({ client, prefix: "session:", scanCount: 10 });
  const sessions = session({
    store,
    secret: "not secret",
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: SESSION_SECONDS * 1000 },
  });
  web = createServer((request, response) => {
    sessions(request as never, response as never, () => {
      const { session } = request as never as { session: session.Session & session.SessionData };
      const answer = (text: string) => response.end(text);
      if (request.url === "/logout") session.destroy(() => answer("out"));
      else if (request.url === "/look") answer(String(session.visits ?? 0));
      else {
        session.visits = (session.visits ?? 0) + 1;
        answer(String(session.visits));
      }
    });
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});
afterEach(() => {
  client.destroy();
  web.close();
});

/** One browser: keeps the cookie it is given. */
function browser(): (path: string) => Promise<string> {
  let cookie = "";
  return async (path) => {
    const response = await fetch(url + path, { headers: { cookie } });
    cookie = response.headers.get("set-cookie")?.split(";")[0] ?? cookie;
    return await response.text();
  };
}

test("a session is kept between requests, apart from others", async () => {
  const [alice, bob] = [browser(), browser()];
  expect([await alice("/"), await alice("/"), await alice("/")]).toEqual(["1", "2", "3"]);
  expect(await bob("/")).toBe("1");
  expect(await alice("/look")).toBe("3");
  expect(await store.length()).toBe(2);
});

test("a session expires in Redis with its cookie, and a look prolongs it", async () => {
  const alice = browser();
  await alice("/");
  const [key] = await client.keys("session:*");
  expect(await client.ttl(key!)).toBeWithin(SESSION_SECONDS - 5, SESSION_SECONDS + 1);
  await client.expire(key!, 10);
  await alice("/look");
  expect(await client.ttl(key!)).toBeWithin(SESSION_SECONDS - 5, SESSION_SECONDS + 1);
  await client.del(key!);
  expect(await alice("/look")).toBe("0");
});

test("a logout deletes the session", async () => {
  const alice = browser();
  await alice("/");
  expect(await alice("/logout")).toBe("out");
  expect(await client.keys("session:*")).toEqual([]);
  expect(await alice("/look")).toBe("0");
});

test("the store lists and clears a hundred sessions by SCAN", async () => {
  const visitors = Array.from({ length: 100 }, browser);
  await Promise.all(visitors.map((visit) => visit("/")));
  await client.set("other", "kept");
  expect(new Set(await store.ids()).size).toBe(100);
  expect((await store.all()).map((each: session.SessionData) => each.visits)).toEqual(
    Array(100).fill(1),
  );
  await store.clear();
  expect(await store.length()).toBe(0);
  expect(await client.get("other")).toBe("kept");
});
