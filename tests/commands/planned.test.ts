/** What is described and not there yet: a clear refusal that names it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { isPlanned } from "../../server/commands/spec.ts";
import { ALL_COMMANDS, createCommandTable } from "../../server/commands/table.ts";
import { type RunningServer, startServer } from "../../server/index.ts";
import { type Connection, openConnection } from "../support/reference.ts";

let server: RunningServer;
let client: Connection;

beforeAll(async () => {
  server = await startServer();
  client = await openConnection(server.port);
});
afterAll(async () => {
  client.close();
  await server.close();
});

const planned = createCommandTable(ALL_COMMANDS).rows.filter(({ spec }) => isPlanned(spec));

test("every command and subcommand that is not there yet says so, with its name", async () => {
  for (const { name, spec } of planned) {
    const words = name.toUpperCase().split("|");
    const more = Math.abs(spec.arity) - words.length;
    const reply = await client.raw(...words, ...Array.from({ length: more }, () => "1"));
    expect(reply).toBe(`-ERR ${words.join(" ")} is not supported yet\r\n`);
  }
});

test("REPLICAOF of another server is not there yet either", async () => {
  const line = "-ERR REPLICAOF is not supported yet\r\n";
  expect(await client.raw("REPLICAOF", "127.0.0.1", "6379")).toBe(line);
});
