/**
 * The worst single insert while a keyspace grows, in process and in CPU time of the thread: every directory doubling, split
 * and growth of the memory is in it. Each round is a process of its own; the least of their maxima is reported, because
 * what the machine adds (interrupts, a page fault's luck) only ever adds.
 */
import { createDriver } from "../support/driver.ts";
import { type Section, table } from "./report.ts";
import { threadClock } from "./thread-clock.ts";

/** The cron's period in commands, at the rate of a busy server. */
const COMMANDS_PER_TICK = 50_000;
const TIDY_BUDGET = 400;

export interface GrowthOptions {
  keys: number;
  rounds: number;
}

interface Figure {
  worstExecuteMicros: number;
  atKey: number;
  worstTidyMicros: number;
}

/** One round, in this process. */
function grow(keys: number): Figure {
  const driver = createDriver();
  const nowMicros = threadClock();
  const figure: Figure = { worstExecuteMicros: 0, atKey: 0, worstTidyMicros: 0 };
  const value = "v".repeat(32);
  const command = driver.prepare("SET", "k:00000000000000", value);
  for (let index = 0; index < keys; index++) {
    driver.writeDigits(command, 1, index);
    const startedAt = nowMicros();
    driver.execute(command);
    const took = nowMicros() - startedAt;
    if (took > figure.worstExecuteMicros) {
      figure.worstExecuteMicros = took;
      figure.atKey = index;
    }
    if (index % COMMANDS_PER_TICK === 0) {
      const tidiedAt = nowMicros();
      driver.core.tidySlice(TIDY_BUDGET);
      figure.worstTidyMicros = Math.max(figure.worstTidyMicros, nowMicros() - tidiedAt);
    }
  }
  if (driver.core.keyCount(0) !== keys) throw new Error("not every key was stored");
  return figure;
}

export function measureGrowth(options: GrowthOptions): Section {
  const figures: Figure[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const command = [process.execPath, import.meta.path, String(options.keys)];
    const child = Bun.spawnSync(command, { stderr: "inherit" });
    if (child.exitCode !== 0) throw new Error("a round of growth failed");
    figures.push(JSON.parse(child.stdout.toString()));
  }
  const rows = figures.map((figure, round) => [
    String(round + 1),
    figure.worstExecuteMicros.toFixed(0),
    figure.atKey.toLocaleString("en"),
    figure.worstTidyMicros.toFixed(0),
  ]);
  const least = Math.min(...figures.map((figure) => figure.worstExecuteMicros));
  console.log(`worst execute: ${least.toFixed(0)} us`);
  const head = ["round", "worst execute us", "at key", "worst tidySlice us"];
  return {
    title: "Worst insert while growing",
    body: `To ${options.keys.toLocaleString("en")} keys in process, CPU time of the thread: **${least.toFixed(0)} us**, the least of ${options.rounds} maxima.\n\n${table(head, rows)}`,
  };
}

if (import.meta.main) console.log(JSON.stringify(grow(Number(process.argv[2]))));
