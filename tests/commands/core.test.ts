/** Every command case against the core in this process, with the whole heap checked after each. */
import { describe, expect, test } from "bun:test";
import { createHarness } from "../support/core-harness.ts";
import { allCases } from "./cases/index.ts";

describe("the core answers as the cases say", () => {
  const core = createHarness();

  for (const protocol of [2, 3] as const)
    for (const { name, steps } of allCases)
      test(`RESP${protocol}: ${name}`, () => {
        core.client.protocol = protocol;
        core.client.db = 0;
        core.raw("FLUSHALL", "SYNC");
        for (const step of steps(core.clock.nowMs())) {
          if ("passMs" in step) {
            core.clock.advance(step.passMs);
            continue;
          }
          const [command, first] = step.words;
          if (command === "SELECT") {
            // The database belongs to the client's session, which is the server's.
            core.client.db = Number(first);
            continue;
          }
          const raw = core.raw(...step.words);
          expect([step.words.join(" ").slice(0, 100), step.reply(raw, protocol)]).toEqual([
            step.words.join(" ").slice(0, 100),
            undefined,
          ]);
        }
        core.check();
      });
});
