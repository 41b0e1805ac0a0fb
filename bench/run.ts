/**
 * `bun run bench [--quick] [--only name,name] [--tests NAME,NAME]`: every measurement, written to bench/RESULTS.md section by section.
 * --quick shows that everything runs, in about a minute, and writes nothing. --tests runs these of the section "types" only, as a
 * section of their own.
 */
import { parseArgs } from "node:util";
import { measureChurn } from "./load/churn.ts";
import { measureCollections } from "./load/collections.ts";
import { measureConnections } from "./load/connections.ts";
import { measureDurability } from "./load/durability.ts";
import { measureExpiry } from "./load/expiry.ts";
import { measureGrowth } from "./load/growth.ts";
import { measureMemory } from "./load/memory.ts";
import { measurePauses } from "./load/pauses.ts";
import { measureReplay } from "./load/replay.ts";
import { type Section, writeSection } from "./load/report.ts";
import { measureRewrite } from "./load/rewrite.ts";
import { measureStart } from "./load/start.ts";
import { measureThroughput } from "./load/throughput.ts";
import { measureTypes } from "./load/types.ts";
import { measureMicro } from "./micro/index.ts";

type Measurement = (quick: boolean, tests: readonly string[]) => Promise<Section> | Section;

const MEASUREMENTS: Record<string, Measurement> = {
  throughput: (quick) =>
    measureThroughput(
      quick
        ? { alternations: 2, seconds: 0.5, keys: 100_000 }
        : { alternations: 5, seconds: 5, keys: 1_000_000 },
    ),
  types: (quick, tests) =>
    measureTypes(
      quick ? { alternations: 2, seconds: 0.5, tests } : { alternations: 5, seconds: 5, tests },
    ),
  collections: (quick) =>
    measureCollections(quick ? { scale: 20, idleMs: 500 } : { scale: 1, idleMs: 10_000 }),
  pauses: (quick) =>
    measurePauses(quick ? { elements: 200_000, rounds: 1 } : { elements: 5_000_000, rounds: 3 }),
  memory: (quick) =>
    measureMemory(quick ? { keys: 200_000, idleMs: 1000 } : { keys: 5_000_000, idleMs: 10_000 }),
  expiry: (quick) =>
    measureExpiry(quick ? { keys: 100_000, rounds: 1 } : { keys: 1_000_000, rounds: 3 }),
  growth: (quick) =>
    measureGrowth(quick ? { keys: 500_000, rounds: 1 } : { keys: 5_000_000, rounds: 3 }),
  connections: (quick) =>
    measureConnections(
      quick ? { connections: 1000, idleMs: 1000 } : { connections: 10_000, idleMs: 5000 },
    ),
  replay: (quick) =>
    measureReplay(quick ? { keys: 100_000, rounds: 1 } : { keys: 2_000_000, rounds: 5 }),
  durability: (quick) =>
    measureDurability(quick ? { alternations: 2, seconds: 1 } : { alternations: 5, seconds: 5 }),
  rewrite: (quick) =>
    measureRewrite(
      quick
        ? { keys: 200_000, perSecond: 5000, seconds: 4, rounds: 1 }
        : { keys: 1_000_000, perSecond: 5000, seconds: 60, rounds: 3 },
    ),
  start: (quick) => measureStart(quick ? 2 : 10),
  churn: (quick) => measureChurn(quick ? 3 : 600),
  micro: () => measureMicro(),
};

/** @throws Error if an argument is not known */
function read(args: readonly string[]): { quick: boolean; names: string[]; tests: string[] } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      tests: { type: "string" },
    },
  });
  const names = values.only?.split(",") ?? Object.keys(MEASUREMENTS);
  for (const name of names)
    if (MEASUREMENTS[name] === undefined)
      throw new Error(`--only takes ${Object.keys(MEASUREMENTS).join(", ")}; not "${name}"`);
  return { quick: values.quick, names, tests: values.tests?.split(",") ?? [] };
}

async function main(args: readonly string[]): Promise<void> {
  const { quick, names, tests } = read(args);
  for (const name of names) {
    console.log(`# ${name}`);
    const section = await MEASUREMENTS[name]!(quick, tests);
    if (quick) console.log(`\n${section.title}\n\n${section.body}\n`);
    else writeSection(section);
  }
}

await main(process.argv.slice(2));
