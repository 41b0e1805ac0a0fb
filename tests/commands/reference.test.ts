/** Every command case against a real redis-server: what the cases expect is what Redis answers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Connection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { allCases } from "./cases/index.ts";

const PORT = 7101;

describe.skipIf(REFERENCE_PATH === null)("redis-server answers as the cases say", () => {
  let server: Reference;
  let client: Connection;
  let version = "";

  beforeAll(async () => {
    server = await startReference(PORT);
    client = await server.connect();
    version = (await client.raw("INFO", "server")).match(/redis_version:(\S+)/)?.[1] ?? "";
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });

  for (const protocol of [2, 3] as const)
    for (const { name, steps } of allCases)
      test(`RESP${protocol}: ${name}`, async () => {
        await client.raw("HELLO", `${protocol}`);
        await client.raw("SELECT", "0");
        await client.raw("FLUSHALL");
        for (const step of steps(Date.now())) {
          if ("passMs" in step) {
            await Bun.sleep(step.passMs);
            continue;
          }
          const raw = await client.raw(...step.words);
          if (step.since72 !== undefined && version < "7.2") continue;
          expect([step.words.join(" ").slice(0, 100), step.reply(raw, protocol)]).toEqual([
            step.words.join(" ").slice(0, 100),
            undefined,
          ]);
        }
      });
});
