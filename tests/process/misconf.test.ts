/** A log that cannot be written: what is refused then, alone and in transactions. The limit is that of the shell on file sizes. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { FROM_SOURCES, type Program, runProgram } from "../support/program.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import { freePort, temporaryDirectory } from "../support/server-process.ts";

const MISCONF = "MISCONF Errors writing to the AOF file: File too large";
const REFUSED = `-${MISCONF}\r\n`;

let dir: ReturnType<typeof temporaryDirectory>;
let program: Program;
const clients: Connection[] = [];
let port: number;
beforeEach(async () => {
  dir = temporaryDirectory();
  port = freePort();
  // In blocks of 512 bytes: enough for the manifest, not for the value.
  const command = ["sh", "-c", 'ulimit -f 8; exec "$0" "$@"', ...FROM_SOURCES];
  const flags = ["--appendonly", "yes", "--appendfsync", "everysec", "--dir", dir.path];
  program = runProgram(["--port", String(port), ...flags], { command });
  await program.printed("Ready");
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  program.signal("SIGKILL");
  await program.exited;
  dir.remove();
});

async function connect(): Promise<Connection> {
  const client = await openConnection(port);
  clients.push(client);
  return client;
}

const run = (client: Connection, command: string) => client.raw(...command.split(" "));

test("writes and PING are refused, reads are not, and units that write are refused as a whole", async () => {
  const [writer, reader, breaker] = [await connect(), await connect(), await connect()];
  for (const command of ["MULTI", "SET in-unit 1", "GET k"]) await run(writer, command);
  for (const command of ["MULTI", "GET in-unit"]) await run(reader, command);
  await run(breaker, `SET k ${"v".repeat(10_000)}`);
  await program.printed("Writes are refused until it is healed.");

  expect(await run(writer, "EXEC")).toBe(
    `-EXECABORT Transaction discarded because of: ${MISCONF}\r\n`,
  );
  expect(await run(writer, "EXEC")).toBe("-ERR EXEC without MULTI\r\n");
  expect(await run(reader, "EXEC")).toBe("*1\r\n$-1\r\n");

  expect(await run(breaker, "SET k 1")).toBe(REFUSED);
  expect(await run(breaker, "PING")).toBe(REFUSED);
  expect(await run(breaker, "GET k")).toStartWith("$10000\r\n");
  await run(breaker, "MULTI");
  expect(await run(breaker, "SET k 1")).toBe(REFUSED);
  expect(await run(breaker, "EXEC")).toBe(
    "-EXECABORT Transaction discarded because of previous errors.\r\n",
  );
  expect(await run(breaker, "INFO errorstats")).toContain("errorstat_MISCONF:count=3");
});
