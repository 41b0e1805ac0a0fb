/** Every command case against the whole server, over a socket, without and with an append-only file. */
import { afterAll, afterEach, beforeAll, describe, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import { type Connection, openConnection } from "../support/reference.ts";
import { allCases, wholeServerCases } from "./cases/index.ts";
import { runCase } from "./cases/run.ts";

for (const appendonly of ["no", "yes"])
  describe(`the server answers as the cases say, appendonly ${appendonly}`, () => {
    const dir = mkdtempSync(join(tmpdir(), "bundis-cases-"));
    let server: RunningServer;
    let client: Connection;

    beforeAll(async () => {
      server = await startServer({
        config: { appendonly, dir, appendfsync: "no", "enable-debug-command": "yes" },
      });
      client = await openConnection(server.port);
    });
    afterEach(() => {
      server.check();
    });
    afterAll(async () => {
      client?.close();
      await server?.close();
      rmSync(dir, { recursive: true, force: true });
    });

    for (const protocol of [2, 3] as const)
      for (const testCase of [...allCases, ...wholeServerCases])
        test(`RESP${protocol}: ${testCase.name}`, () =>
          runCase(testCase, { client, protocol, version: "7.2" }));
  });
