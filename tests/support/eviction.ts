/** What eviction tests share: a model says who must go, the core's effects say who went. */
import type { TestCore } from "./core.ts";

export interface Tally {
  evictions: number;
  wrong: number;
}

export interface EvictionModel {
  /** Who must go next, undefined = nobody may. */
  victim(): string | undefined;
  remove(key: string): void;
}

/** Keys in access order, the coldest first; the value is the deadline in ms, 0 = none. */
export type Recency = Map<string, number>;

export function touch(recency: Recency, key: string, deadline: number): void {
  recency.delete(key);
  recency.set(key, deadline);
}

/** The coldest of the candidates goes. */
export function recencyModel(
  recency: Recency,
  isCandidate: (deadline: number) => boolean = () => true,
): EvictionModel {
  return {
    victim() {
      for (const [key, deadline] of recency) if (isCandidate(deadline)) return key;
      return undefined;
    },
    remove: (key) => recency.delete(key),
  };
}

/** Follows the last command's effects; `apply` is what the command itself does to the model, at its place among them. */
export function follow(
  core: TestCore,
  model: EvictionModel,
  tally: Tally,
  apply: () => void,
): void {
  let applied = false;
  for (const effect of core.effects()) {
    if (effect.kind === "self" || effect.kind === "propagate") {
      apply();
      applied = true;
    }
    if (effect.kind !== "evicted") continue;
    tally.evictions++;
    if (effect.key !== model.victim()) tally.wrong++;
    model.remove(effect.key);
  }
  if (!applied) apply();
}

/** Comes down to a limit below what is used. @returns keys in the order in which they went */
export function evictTo(core: TestCore, bytes: number, policy: number): string[] {
  core.effects().length = 0;
  core.limit(bytes, policy);
  core.evictDown();
  return core.effects().flatMap((effect) => (effect.kind === "evicted" ? effect.key : []));
}

/** Evicts all that may go. @returns keys in the order in which they went */
export function evictAll(core: TestCore, policy: number): string[] {
  return evictTo(core, 1, policy);
}
