/** Single mechanisms in process, with mitata: framing, lookup, execute of reads, writes, rehousings and deadlines. */
import { bench, do_not_optimize, run } from "mitata";
import { Address } from "../../core-wasm/abi.ts";
import { ALL_COMMANDS, createCommandTable } from "../../server/commands/table.ts";
import { createFramer } from "../../server/resp/framer.ts";
import { frame } from "../load/pipe.ts";
import { type Section, table } from "../load/report.ts";
import { createDriver, type Driver, type Prepared } from "../support/driver.ts";

const KEYS = 1_000_000;
const PIPELINE = 64;
const SMALL = "v".repeat(32);
const LARGE = "v".repeat(400);
/** Keys are visited in a fixed disorder: a step that shares no factor with their number. */
const STRIDE = 617_923;

function nextIndex(): () => number {
  let index = 0;
  return () => {
    index = (index + STRIDE) % KEYS;
    return index;
  };
}

function fill(driver: Driver, ...tail: string[]): void {
  const command = driver.prepare("SET", "k:00000000000000", SMALL, ...tail);
  for (let index = 0; index < KEYS; index++) {
    driver.writeDigits(command, 1, index);
    driver.execute(command);
  }
}

/** A bench that runs a command on one key after the other. */
function perKey(name: string, driver: Driver, commands: Prepared[]): void {
  const index = nextIndex();
  let turn = 0;
  bench(name, () => {
    const command = commands[turn]!;
    turn = turn + 1 === commands.length ? 0 : turn + 1;
    driver.writeDigits(command, 1, index());
    return driver.execute(command);
  });
}

function framing(name: string, text: string): void {
  const { core } = createDriver();
  const chunk = Buffer.from(text.repeat(PIPELINE));
  core.memory.u8.set(chunk, Address.Input);
  const end = Address.Input + chunk.length;
  const framer = createFramer(core, { maxBulkBytes: 1 << 29 });
  bench(name, () => {
    framer.position = Address.Input;
    let frames = 0;
    while (framer.position < end) frames += framer.batch(end);
    return do_not_optimize(frames);
  });
}

function lookup(): void {
  const { memory } = createDriver().core;
  const commands = createCommandTable(ALL_COMMANDS);
  const names = ["GET", "set", "PEXPIREAT", "client"];
  const places = names.map((name, i) => {
    memory.u8.set(Buffer.from(name), Address.Input + 64 * i);
    return { ptr: Address.Input + 64 * i, length: name.length };
  });
  for (const [i, { ptr, length }] of places.entries())
    bench(`look up ${names[i]}`, () => do_not_optimize(commands.lookup(memory.words, ptr, length)));
}

function execution(): void {
  const plain = createDriver();
  fill(plain);
  const key = "k:00000000000000";
  const missing = "m:00000000000000";
  perKey("GET, 1 M keys, hit", plain, [plain.prepare("GET", key)]);
  perKey("GET, 1 M keys, miss", plain, [plain.prepare("GET", missing)]);
  perKey("SET over the same size", plain, [plain.prepare("SET", key, SMALL)]);
  perKey("INCR", plain, [plain.prepare("INCR", "n:00000000000000")]);

  const resized = createDriver();
  fill(resized);
  const sizes = [LARGE, SMALL, SMALL.repeat(3)].map((value) => resized.prepare("SET", key, value));
  perKey("SET over another size (rehoused)", resized, sizes);

  const fresh = createDriver();
  const set = fresh.prepare("SET", key, SMALL);
  const del = fresh.prepare("DEL", key);
  const index = nextIndex();
  bench("SET of a new key and DEL", () => {
    const at = index();
    fresh.writeDigits(set, 1, at);
    fresh.writeDigits(del, 1, at);
    return fresh.execute(set) + fresh.execute(del);
  });
  partsOfStrings();
  expiry();
}

function partsOfStrings(): void {
  const driver = createDriver();
  fill(driver);
  const key = "k:00000000000000";
  for (const words of [
    ["GETRANGE", key, "5", "15"],
    ["SETRANGE", key, "5", "0123456789"],
    ["SETBIT", key, "77", "1"],
    ["BITFIELD", key, "INCRBY", "u16", "#3", "1"],
  ])
    perKey(words[0]!, driver, [driver.prepare(...words)]);

  const large = createDriver();
  const bits = "\x5a".repeat(1 << 20);
  large.execute(large.prepare("SET", "a", bits));
  large.execute(large.prepare("SET", "b", bits));
  for (const words of [
    ["BITCOUNT", "a"],
    ["BITOP", "AND", "to", "a", "b"],
  ]) {
    const command = large.prepare(...words);
    bench(`${words[0]} of 1 MiB`, () => large.execute(command));
  }
}

function expiry(): void {
  const key = "k:00000000000000";
  const driver = createDriver();
  fill(driver, "PX", "1000000000");
  perKey("PEXPIRE of a key with a deadline", driver, [driver.prepare("PEXPIRE", key, "900000000")]);

  const due = createDriver();
  const set = due.prepare("SET", key, SMALL, "PX", "1");
  let nowMs = 1_700_000_000_000;
  let index = 0;
  bench("SET PX 1 and its expiry, 100 keys", () => {
    for (let i = 0; i < 100; i++) {
      due.writeDigits(set, 1, index++ % KEYS);
      due.execute(set);
    }
    nowMs += 2;
    due.setNow(nowMs);
    return due.core.expireSlice(10_000);
  });
}

export async function measureMicro(): Promise<Section> {
  framing(`frame ${PIPELINE} GETs`, frame("GET", "key:000000123456"));
  framing(`frame ${PIPELINE} SETs`, frame("SET", "key:000000123456", SMALL));
  framing(`frame ${PIPELINE} inline GETs`, "GET key:000000123456\r\n");
  lookup();
  execution();
  const { benchmarks } = await run({ format: "quiet" });
  const rows = benchmarks.flatMap(({ alias, runs }) =>
    runs.flatMap(({ stats }) =>
      stats === undefined
        ? []
        : [[alias, ...[stats.p50, stats.avg, stats.p99].map((time) => time.toFixed(1))]],
    ),
  );
  return {
    title: "Mechanisms in process",
    body: `mitata, ns per call; keys visited in disorder.\n\n${table(["what", "p50", "mean", "p99"], rows)}`,
  };
}
