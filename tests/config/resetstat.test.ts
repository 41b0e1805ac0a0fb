/** CONFIG RESETSTAT sets every counter back, the core's too, and rates never fall below 0 for it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
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

async function figures(): Promise<Record<string, string>> {
  const text = await client.raw("INFO", "everything");
  return Object.fromEntries([...text.matchAll(/^(\w+):(.*)\r$/gm)].map(([, k, v]) => [k!, v!]));
}

const COUNTERS = [
  "total_connections_received",
  "expired_keys",
  "keyspace_hits",
  "keyspace_misses",
  "total_error_replies",
];
const RATES = [
  "instantaneous_ops_per_sec",
  "instantaneous_input_kbps",
  "instantaneous_output_kbps",
];

test("CONFIG RESETSTAT", async () => {
  await client.raw("SET", "k", "v");
  await client.raw("GET", "k");
  await client.raw("GET", "nosuch");
  await client.raw("NOSUCH");
  await client.raw("SET", "short", "v", "PX", "1");
  while ((await client.raw("DBSIZE")) !== ":1\r\n") await Bun.sleep(5);
  const before = await figures();
  for (const name of COUNTERS) expect([name, Number(before[name]) > 0]).toEqual([name, true]);
  expect(await client.raw("CONFIG", "RESETSTAT")).toBe("+OK\r\n");
  const after = await figures();
  for (const name of COUNTERS) expect([name, after[name]]).toEqual([name, "0"]);
  expect(Number(after["total_commands_processed"])).toBeLessThan(3);
  expect(Number(after["total_net_input_bytes"])).toBeLessThan(200);
  expect(after["cmdstat_set"]).toBeUndefined();
  expect(after["errorstat_ERR"]).toBeUndefined();
  // Samples are taken ten times a second: look at a few of them.
  for (let i = 0; i < 5; i++) {
    const now = await figures();
    for (const name of RATES) expect(Number(now[name])).toBeGreaterThanOrEqual(0);
    await Bun.sleep(60);
  }
});
