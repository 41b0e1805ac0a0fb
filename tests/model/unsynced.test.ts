/**
 * What no sync covers is told: a command that looks at a key which a write has touched since, whatever the write was, says so until
 * the sync has ended. Keys are compared before and after each command, so that no way of changing one is forgotten.
 */
import { expect, test } from "bun:test";
import { Status } from "../../core-wasm/abi.ts";
import { createTestCore, type TestCore } from "../support/core.ts";
import { datasetOf } from "../support/dataset.ts";
import { DATABASES, randomOperation } from "../support/operations.ts";
import { createRandom } from "../support/random.ts";

/** Every key, as "database key", and what it is. */
function contents(core: TestCore): Map<string, string> {
  core.harness.core.trackWrites(0);
  const lines = datasetOf(core.harness, DATABASES).map((line) => line.split(" "));
  return new Map(lines.map(([db, key, ...rest]) => [`${db} ${key}`, rest.join(" ")]));
}

function changedKeys(before: Map<string, string>, after: Map<string, string>): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key));
}

function look(core: TestCore, dbAndKey: string): number {
  const [db, key] = dbAndKey.split(" ");
  core.harness.client.db = Number(db);
  core.run("EXISTS", key!);
  return core.status() & (Status.SawUnsynced | Status.SawSyncing);
}

/** Plays the same commands in two cores: one keeps track, the other is looked at. */
test("a look at what a write has touched is marked until its sync has ended", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = createRandom(seed);
    const tracked = createTestCore({ build: "tiny", seed: [seed, 1] });
    const shown = createTestCore({ build: "tiny", seed: [seed, 1] });
    tracked.harness.core.trackWrites(1);
    let gathered = new Set<string>();
    let syncing = new Set<string>();
    let before = contents(shown);
    let marked = 0;
    for (let i = 0; i < 150; i++) {
      const db = random.below(DATABASES);
      const words = randomOperation(random, 60);
      const slice = random.chance(0.2) ? random.below(50) : 0;
      for (const core of [tracked, shown]) {
        core.clock.advance(slice * 7);
        if (slice > 0) core.harness.core.expireSlice(slice);
        core.harness.client.db = db;
        core.run(...words);
      }
      const after = contents(shown);
      for (const key of changedKeys(before, after)) gathered.add(key);
      before = after;
      for (const key of gathered) expect(look(tracked, key) & Status.SawUnsynced).not.toBe(0);
      for (const key of syncing) {
        expect(look(tracked, key)).not.toBe(0);
        marked++;
      }
      const turns = random.below(10);
      if (turns === 0) {
        tracked.harness.core.syncEnds();
        syncing = gathered;
        gathered = new Set();
        tracked.harness.core.syncBegins();
      } else if (turns === 1) {
        tracked.harness.core.syncEnds();
        syncing = new Set();
      }
    }
    expect(marked).toBeGreaterThan(0);
    tracked.check();
  }
});

/** Begins to keep track where everything is covered. */
function track({ harness: { core } }: TestCore): void {
  core.trackWrites(1);
  core.syncBegins();
  core.syncEnds();
}

test("of what was written before nothing is known: every key stands for it until a sync has ended", () => {
  const core = createTestCore();
  core.must("SET", "a", "1");
  core.harness.core.trackWrites(1);
  expect(look(core, "0 a")).toBe(Status.SawUnsynced);
  core.harness.core.syncBegins();
  // Once more: nothing is forgotten.
  core.harness.core.trackWrites(1);
  expect(look(core, "0 a")).toBe(Status.SawSyncing);
  core.harness.core.syncEnds();
  expect(look(core, "0 a")).toBe(0);
});

test("what is covered, or was never touched, is not marked, as a rule", () => {
  const core = createTestCore({ build: "tiny" });
  for (let i = 0; i < 1000; i++) core.must("SET", `old:${i}`, "v");
  track(core);
  for (let i = 0; i < 20; i++) core.must("SET", `new:${i}`, "v");
  const falsely = () =>
    Array.from({ length: 1000 }, (_, i) => look(core, `0 old:${i}`)).filter((bits) => bits !== 0);
  expect(falsely().length).toBeLessThan(5);
  core.harness.core.syncBegins();
  expect(look(core, "0 new:1")).toBe(Status.SawSyncing);
  expect(falsely().length).toBeLessThan(5);
  core.harness.core.syncEnds();
  expect(look(core, "0 new:1")).toBe(0);
  expect(falsely()).toEqual([]);
});

test("who counts keys or walks over them has seen all of them", () => {
  const core = createTestCore();
  core.must("SET", "a", "1");
  track(core);
  const walks = [["DBSIZE"], ["KEYS", "*"], ["SCAN", "0"], ["RANDOMKEY"], ["DEBUG", "DIGEST"]];
  const seen = () =>
    walks.map((words) => {
      core.run(...words);
      return core.status() & (Status.SawUnsynced | Status.SawSyncing);
    });
  expect(new Set(seen())).toEqual(new Set([0]));
  core.must("SET", "b", "1");
  expect(new Set(seen())).toEqual(new Set([Status.SawUnsynced]));
  core.harness.core.syncBegins();
  expect(new Set(seen())).toEqual(new Set([Status.SawSyncing]));
  core.must("FLUSHDB");
  expect(look(core, "0 a")).toBe(Status.SawUnsynced);
  expect(look(core, "0 b")).toBe(Status.SawUnsynced | Status.SawSyncing);
  core.harness.core.syncEnds();
  expect(look(core, "0 b")).toBe(Status.SawUnsynced);
});
