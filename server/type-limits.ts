/** Thresholds of encodings: directives that the core reads from State when a collection grows. */
import { Address, Limit, StateField } from "../core-wasm/abi.ts";
import type { Config } from "./config/config.ts";
import type { Core } from "./core/core.ts";

const LIMITS = {
  "hash-max-listpack-entries": Limit.HashListpackEntries,
  "hash-max-listpack-value": Limit.HashListpackValue,
  "set-max-intset-entries": Limit.SetIntsetEntries,
  "set-max-listpack-entries": Limit.SetListpackEntries,
  "set-max-listpack-value": Limit.SetListpackValue,
  "zset-max-listpack-entries": Limit.ZsetListpackEntries,
  "zset-max-listpack-value": Limit.ZsetListpackValue,
  "list-max-listpack-size": Limit.ListListpackSize,
  "list-compress-depth": Limit.ListCompressDepth,
  "stream-node-max-bytes": Limit.StreamNodeBytes,
  "stream-node-max-entries": Limit.StreamNodeEntries,
  "hll-sparse-max-bytes": Limit.HllSparseBytes,
} as const;
const INT_MAX = 2147483647;
const FIRST = (Address.State + StateField.Limits) >> 2;

/** Writes the thresholds into the core's State, now and whenever they are set. */
export function followTypeLimits(config: Config, core: Core): void {
  const names = Object.keys(LIMITS) as (keyof typeof LIMITS)[];
  const write = () => {
    // What lies beyond 32 bits is no limit.
    for (const name of names)
      core.memory.i32[FIRST + LIMITS[name]] = Math.min(config.get(name), INT_MAX);
  };
  write();
  config.onChange(names, write);
}
