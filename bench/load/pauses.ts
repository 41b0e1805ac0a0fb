/**
 * The longest core call while one collection grows, and while it is deleted with all that is freed behind it; conversions from
 * small to large are on the way; and HLEN of a hash all but one of whose fields are due. In process, in CPU time of the thread, each round
 * a process of its own.
 */
import { createDriver, type Driver, type Prepared } from "../support/driver.ts";
import { type Section, table } from "./report.ts";
import { threadClock } from "./thread-clock.ts";

/** Words that add one element, the digits of a number at the end of each word of `numbered`. */
interface Kind {
  name: string;
  words: readonly string[];
  numbered: readonly number[];
}

const NUMBER = "000000000";
const KINDS: readonly Kind[] = [
  { name: "list", words: ["RPUSH", "key", `e${NUMBER}`], numbered: [2] },
  { name: "set", words: ["SADD", "key", `e${NUMBER}`], numbered: [2] },
  { name: "set of integers", words: ["SADD", "key", `1${NUMBER}`], numbered: [2] },
  { name: "hash", words: ["HSET", "key", `e${NUMBER}`, `v${NUMBER}`], numbered: [2, 3] },
  { name: "sorted set", words: ["ZADD", "key", `1${NUMBER}`, `e${NUMBER}`], numbered: [2, 3] },
  {
    name: "stream",
    words: ["XADD", "key", `1-1${NUMBER}`, "field", `v${NUMBER}`],
    numbered: [2, 4],
  },
];
/** The cron's period in commands, at the rate of a busy server, and what it gives each of its slices. */
const COMMANDS_PER_TICK = 50_000;
const SLICE_BUDGET = 400;
/** The round of HLEN, and when the fields are due: soon after the driver's clock. */
const DUE = "HLEN";
const DUE_MS = "1700000001000";

export interface PausesOptions {
  elements: number;
  rounds: number;
}

interface Figure {
  growMicros: number;
  atElement: number;
  deleteMicros: number;
  sliceMicros: number;
}

/** One round, in this process. */
function run(kind: Kind, elements: number): Figure {
  const driver = createDriver();
  const nowMicros = threadClock();
  const timed = (call: () => void) => {
    const startedAt = nowMicros();
    call();
    return nowMicros() - startedAt;
  };
  const figure: Figure = { growMicros: 0, atElement: 0, deleteMicros: 0, sliceMicros: 0 };
  const add = driver.prepare(...kind.words);
  for (let index = 0; index < elements; index++) {
    for (const word of kind.numbered) driver.writeDigits(add, word, index);
    const took = timed(() => driver.execute(add));
    if (took > figure.growMicros) {
      figure.growMicros = took;
      figure.atElement = index;
    }
    if (index % COMMANDS_PER_TICK === 0) driver.core.tidySlice(SLICE_BUDGET);
  }
  if (driver.core.keyCount(0) !== 1) throw new Error("the elements were not stored");
  figure.deleteMicros = timed(() => execute(driver, driver.prepare("DEL", "key")));
  let done = 0;
  while (done === 0) {
    const took = timed(() => {
      done = driver.core.freeSlice(SLICE_BUDGET);
    });
    figure.sliceMicros = Math.max(figure.sliceMicros, took);
  }
  return figure;
}

function execute(driver: Driver, command: Prepared): void {
  driver.execute(command);
  if (driver.core.keyCount(0) !== 0) throw new Error("the key was not deleted");
}

/** HLEN when many fields are due at once, before any of them is deleted. @returns microseconds */
function runDue(fields: number): number {
  const driver = createDriver();
  driver.execute(driver.prepare("HSET", "key", "stays", "value"));
  const add = driver.prepare("HSETEX", "key", "PXAT", DUE_MS, "FIELDS", "1", `e${NUMBER}`, "v");
  for (let index = 0; index < fields; index++) {
    driver.writeDigits(add, 6, index);
    driver.execute(add);
  }
  driver.setNow(Number(DUE_MS) + 1);
  const count = driver.prepare("HLEN", "key");
  const nowMicros = threadClock();
  const startedAt = nowMicros();
  driver.execute(count);
  return nowMicros() - startedAt;
}

/** @returns what the rounds say, each of them a process of its own */
function rounds<T>(what: string, { elements, rounds }: PausesOptions): T[] {
  return Array.from({ length: rounds }, () => {
    const command = [process.execPath, import.meta.path, what, String(elements)];
    const child = Bun.spawnSync(command, { stderr: "inherit" });
    if (child.exitCode !== 0) throw new Error(`a round of ${what} failed`);
    return JSON.parse(child.stdout.toString());
  });
}

export function measurePauses(options: PausesOptions): Section {
  const rows = KINDS.map((kind) => {
    const figures = rounds<Figure>(kind.name, options);
    const least = (of: (figure: Figure) => number) => Math.min(...figures.map(of)).toFixed(0);
    const row = [
      kind.name,
      least((figure) => figure.growMicros),
      figures.map((figure) => figure.atElement.toLocaleString("en")).join("; "),
      least((figure) => figure.deleteMicros),
      least((figure) => figure.sliceMicros),
    ];
    console.log(row.join("  "));
    return row;
  });
  const due = Math.min(...rounds<number>(DUE, options)).toFixed(0);
  const head = ["collection", "worst addition us", "at element", "DEL us", "worst freeSlice us"];
  return {
    title: "Longest call on one collection",
    body: `One collection to ${options.elements.toLocaleString("en")} elements and deleted, in process, CPU time of the thread, the least of ${options.rounds} maxima. HLEN when as many fields of one hash are due at once, and one is not: ${due} us.\n\n${table(head, rows)}`,
  };
}

if (import.meta.main) {
  const elements = Number(process.argv[3]);
  const kind = KINDS.find(({ name }) => name === process.argv[2]);
  console.log(JSON.stringify(kind === undefined ? runDue(elements) : run(kind, elements)));
}
