/**
 * Exact LRU on sequences of requests as caches get them: read, and store what was missing. Not one wrong victim.
 * MODEL_SCALE=100 runs every trace to its end, which is more than 100,000 evictions.
 */
import { expect, test } from "bun:test";
import { EffectMask, EvictionPolicy } from "../../core-wasm/abi.ts";
import { createTestCore } from "../support/core.ts";
import { follow, type Recency, recencyModel, type Tally, touch } from "../support/eviction.ts";
import { RECORDED_TRACES, SYNTHETIC_TRACES } from "../support/traces.ts";

const REQUESTS = 15_000 * Number(process.env["MODEL_SCALE"] ?? 1);
const LIMIT_BYTES = 40 * 1024;
const VALUE = "0123456789abcdef";

for (const { name, keys } of [...RECORDED_TRACES, ...SYNTHETIC_TRACES])
  test.skipIf(keys === undefined)(
    `allkeys-lru evicts in exact order on the trace ${name}`,
    () => {
      const core = createTestCore({ build: "release" });
      core.harness.listen(EffectMask.Propagate);
      core.limit(LIMIT_BYTES, EvictionPolicy.AllKeysLru);
      core.tidyAll();
      const recency: Recency = new Map();
      const model = recencyModel(recency);
      const tally: Tally = { evictions: 0, wrong: 0 };
      let requests = 0;
      for (const key of keys!()) {
        if (requests++ === REQUESTS) break;
        if (core.run("GET", key) === null) core.must("SET", key, VALUE);
        follow(core, model, tally, () => touch(recency, key, 0));
      }
      expect(requests).toBeGreaterThan(5000);
      expect(tally.wrong).toBe(0);
      expect(tally.evictions).toBeGreaterThan(100);
      expect(core.check()).toBe(recency.size);
      if (process.env["MODEL_SCALE"] !== undefined)
        console.log(`${name}: ${tally.evictions} evictions of ${requests} requests, 0 wrong`);
    },
    600_000,
  );
