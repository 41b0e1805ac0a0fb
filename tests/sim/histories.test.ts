/**
 * Histories from seeds: SIM_HISTORIES says how many, SIM_SEED=n plays one alone, with what the server logged.
 */
import { expect, test } from "bun:test";
import { noFigures, playHistory } from "./history.ts";

const ONE = process.env["SIM_SEED"];
const COUNT = Number(process.env["SIM_HISTORIES"] ?? 300);
const FIRST = ONE === undefined ? Number(process.env["SIM_FIRST"] ?? 1) : Number(ONE);
const TIMEOUT_MS = 1_000_000;

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
        if (failed.length >= 5) break;
      }
    console.log(JSON.stringify(figures));
    expect(failed.join("\n\n")).toBe("");
    if (ONE !== undefined) return;
    for (const count of Object.values(figures)) expect(count).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
