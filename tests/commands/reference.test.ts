/** Every command case against a real redis-server: what the cases expect is what Redis answers. */
import { afterAll, beforeAll, describe, test } from "bun:test";
import {
  type Connection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { freePort } from "../support/server-process.ts";
import { allCases, wholeServerCases } from "./cases/index.ts";
import { runCase } from "./cases/run.ts";

describe.skipIf(REFERENCE_PATH === null)("redis-server answers as the cases say", () => {
  let server: Reference;
  let client: Connection;
  let version = "";

  beforeAll(async () => {
    server = await startReference(freePort());
    client = await server.connect();
    version = (await client.raw("INFO", "server")).match(/redis_version:(\S+)/)?.[1] ?? "";
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });

  for (const protocol of [2, 3] as const)
    for (const testCase of [...allCases, ...wholeServerCases])
      test.skipIf(testCase.notInRedis === true)(`RESP${protocol}: ${testCase.name}`, () =>
        runCase(testCase, { client, protocol, version }),
      );
});
