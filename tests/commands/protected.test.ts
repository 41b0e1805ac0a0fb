/** Commands that a directive must allow first. */
import { afterEach, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import { type Connection, openConnection } from "../support/reference.ts";

let server: RunningServer;
let client: Connection;

async function start(config: Record<string, string>): Promise<void> {
  server = await startServer({ config });
  client = await openConnection(server.port);
}

afterEach(async () => {
  client.close();
  await server.close();
});

const refusal = (command: string, directive: string) =>
  `-ERR ${command} command not allowed. If the ${directive} option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.\r\n`;

test("DEBUG and MODULE LOAD are refused unless a directive allows them", async () => {
  await start({});
  const debug = refusal("DEBUG", "enable-debug-command");
  expect(await client.raw("DEBUG", "SLEEP", "0")).toBe(debug);
  expect(await client.raw("DEBUG", "HELP")).toBe(debug);
  const module = refusal("MODULE", "enable-module-command");
  expect(await client.raw("MODULE", "LOAD", "x.so")).toBe(module);
  expect(await client.raw("MODULE", "UNLOAD", "x")).toBe(module);
  expect(await client.raw("MODULE", "LIST")).toBe("*0\r\n");
});

test("local allows them to a connection of this machine", async () => {
  await start({ "enable-debug-command": "local", "enable-module-command": "local" });
  expect(await client.raw("DEBUG", "SLEEP", "0")).toBe("+OK\r\n");
  const line = "-ERR Error loading the extension. Please check the server logs.\r\n";
  expect(await client.raw("MODULE", "LOAD", "x.so")).toBe(line);
  expect(await client.raw("MODULE", "LOADEX", "x.so")).toBe(line);
});

test("DEBUG PROTOCOL writes what only RESP3 has", async () => {
  await start({ "enable-debug-command": "yes" });
  const attribute = "$39\r\nSome real reply following the attribute\r\n";
  const push = "$40\r\nSome real reply following the push reply\r\n";
  expect(await client.raw("DEBUG", "PROTOCOL", "attrib")).toBe(attribute);
  expect(await client.raw("DEBUG", "PROTOCOL", "push")).toBe(
    "-ERR RESP2 is not supported by this command\r\n",
  );
  await client.raw("HELLO", "3");
  expect(await client.raw("DEBUG", "PROTOCOL", "push")).toBe(
    ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n",
  );
  expect(await client.next(1000)).toBe(push);
});

test("DEBUG PAUSE-CRON stops timed work: what is due stays until it goes on", async () => {
  await start({ "enable-debug-command": "yes" });
  await client.raw("DEBUG", "PAUSE-CRON", "1");
  await client.raw("SET", "k", "v", "PX", "1");
  await Bun.sleep(250);
  expect(await client.raw("DBSIZE")).toBe(":1\r\n");
  await client.raw("DEBUG", "PAUSE-CRON", "0");
  const giveUpAt = performance.now() + 5000;
  while ((await client.raw("DBSIZE")) !== ":0\r\n" && performance.now() < giveUpAt)
    await Bun.sleep(20);
  expect(await client.raw("DBSIZE")).toBe(":0\r\n");
});
