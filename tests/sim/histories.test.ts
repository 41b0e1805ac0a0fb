/**
 * Histories from seeds: SIM_HISTORIES says how many, SIM_SEED=n plays one alone, with what the server logged.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HISTORIES } from "./histories.ts";
import { noFigures, playHistory } from "./history.ts";
import { MUTANTS } from "./mutants.ts";

const ROOT = join(import.meta.dir, "../..");

const ONE = process.env["SIM_SEED"];
const COUNT = Number(process.env["SIM_HISTORIES"] ?? HISTORIES);
/** So many are shown. */
const FAILURES = Number(process.env["SIM_FAILURES"] ?? 5);
const FIRST = ONE === undefined ? Number(process.env["SIM_FIRST"] ?? 1) : Number(ONE);
/** Of so many histories it is known what happens in them. */
const ENOUGH = 1000;
/** Some of each type, and of what waiting clients are served with. */
const LOGGED = [
  ..."SET APPEND PFADD PFMERGE RPUSH LPOP LREM LSET LMOVE SADD SREM SUNIONSTORE HSET HDEL".split(
    " ",
  ),
  ..."HPEXPIREAT HPERSIST ZADD ZREM ZPOPMIN ZUNIONSTORE GEOADD XADD XDEL XTRIM XGROUP XCLAIM".split(
    " ",
  ),
  ..."XACK XSETID DEL RENAME COPY MOVE PEXPIREAT PERSIST SWAPDB FLUSHDB FLUSHALL".split(" "),
];
const TIMEOUT_MS = 1_000_000;

test.each(MUTANTS.map(({ name, file, from }) => [name, file, from]))(
  "a bug that histories are tried with can be put in: %s",
  (_, file, from) => {
    expect(readFileSync(join(ROOT, file), "utf8").split(from)).toHaveLength(2);
  },
);

test(
  "no history loses what was promised, nor finds what never was",
  () => {
    const figures = noFigures();
    const failed: string[] = [];
    for (let seed = FIRST; seed < FIRST + (ONE === undefined ? COUNT : 1); seed++)
      try {
        playHistory(seed, figures);
      } catch (error) {
        failed.push(`SIM_SEED=${seed} bun test tests/sim\n${(error as Error).stack}`);
        if (failed.length >= FAILURES) break;
      }
    const { names, ...counts } = figures;
    console.log(JSON.stringify(counts));
    expect(failed.join("\n\n")).toBe("");
    if (ONE !== undefined || COUNT < ENOUGH) return;
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
    expect(LOGGED.filter((name) => !names.has(name))).toEqual([]);
  },
  TIMEOUT_MS,
);
