/** Every command case against the core in this process, with the whole heap checked after each. */
import { describe, test } from "bun:test";
import { BUILDS } from "../support/core.ts";
import { createHarness } from "../support/core-harness.ts";
import { allCases } from "./cases/index.ts";
import { expectReply } from "./cases/run.ts";

for (const [build, wasmPath] of Object.entries(BUILDS))
  describe(`the ${build} core answers as the cases say`, () => {
    const core = createHarness({ wasmPath });

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
            // The database belongs to the client's session, which is the server's.
            if (command === "SELECT") core.client.db = Number(first);
            else expectReply(step, core.raw(...step.words), protocol);
          }
          core.check();
        });
  });
