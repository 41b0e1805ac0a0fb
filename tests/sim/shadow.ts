/**
 * What a server has logged, unit by unit, and run in a core of its own: the state behind each unit is one that a start may find, any other
 * is not. States are told apart by a digest of everything: keys, values, and the sum of the deadlines of each database.
 */
import { Address, Cmd, IoField, IoFlag, StateField } from "../../core-wasm/abi.ts";
import type { Core } from "../../server/core/core.ts";
import type { Dispatcher } from "../../server/dispatch/dispatch.ts";
import type { PropagationLog, WordTable } from "../../server/dispatch/effects.ts";
import { BUILDS } from "../support/core.ts";
import { type CoreHarness, createHarness } from "../support/core-harness.ts";
import { commandsOf } from "../support/dataset.ts";
import type { Random } from "../support/random.ts";

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const DB = (Address.IoBlock + IoField.Db) >> 2;
const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const NOW = (Address.State + StateField.NowMs) >> 3;

/** Runs a command that reads, though others use the core at the moment. @returns its reply */
function look(core: Core, id: Cmd, db: number, words: readonly string[]): string {
  const { i32, f64 } = core.memory;
  const fields = [ARGV_PTR, DB, OUT_TOP, FLAGS];
  const before = fields.map((field) => i32[field]!);
  const now = f64[NOW]!;
  const bytes = words.reduce((sum, word) => sum + word.length, 0);
  const table = core.allocInput(words.length * 8 + bytes) >>> 0;
  if (table === 0) throw new Error("no memory to look at the core");
  const view = new DataView(new ArrayBuffer(words.length * 8));
  let at = table + view.byteLength;
  for (const [index, word] of words.entries()) {
    view.setUint32(index * 8, at, true);
    view.setUint32(index * 8 + 4, word.length, true);
    Buffer.prototype.latin1Write.call(core.memory.bytes(at, word.length), word, 0, word.length);
    at += word.length;
  }
  core.memory.bytes(table, view.byteLength).set(new Uint8Array(view.buffer));
  i32[ARGV_PTR] = table | 0;
  i32[DB] = db;
  i32[FLAGS] = IoFlag.Replay | IoFlag.NoTouch;
  // At the beginning of time nothing is due.
  f64[NOW] = 0;
  core.execute(id, words.length);
  const [begin, end] = [before[2]!, i32[OUT_TOP]!];
  const reply = Buffer.from(core.memory.bytes(begin, end - begin)).toString("latin1");
  for (const [index, field] of fields.entries()) i32[field] = before[index]!;
  f64[NOW] = now;
  core.freeInput(table | 0);
  return reply;
}

/** Of each database: keys, deadlines, and the sum of those. O(databases) */
function figuresOf(core: Core, databases: number): string {
  const { f64 } = core.memory;
  const now = f64[NOW]!;
  f64[NOW] = 0;
  const parts: string[] = [];
  for (let db = 0; db < databases; db++) {
    const deadlines = core.deadlineCount(db);
    parts.push(`${core.keyCount(db)}/${deadlines}/${Math.round(core.meanTtlMs(db) * deadlines)}`);
  }
  f64[NOW] = now;
  return parts.join(" ");
}

/** What a core holds, whoever uses it at the moment. */
export function stateOf(core: Core, databases: number): string {
  const digest = look(core, Cmd.DebugDigest, 0, ["DEBUG", "DIGEST"]).slice(1, -2);
  return `${digest} ${figuresOf(core, databases)}`;
}

/** Keys whose digests one command answers. */
const DIGESTS_AT_ONCE = 40;

/** What is under keys of a database. */
function valuesOf(core: Core, db: number, keys: readonly string[]): string[] {
  const found: string[] = [];
  for (let at = 0; at < keys.length; at += DIGESTS_AT_ONCE) {
    const some = keys.slice(at, at + DIGESTS_AT_ONCE);
    const reply = look(core, Cmd.DebugDigestValue, db, ["DEBUG", "DIGEST-VALUE", ...some]);
    found.push(...reply.split("\r\n").slice(1, -1));
  }
  return found;
}

function wordsAt(memory: Core["memory"], table: WordTable): string[] {
  const pairs = new DataView(memory.bytes(table.ptr, table.count * 8).slice().buffer);
  return Array.from({ length: table.count }, (_, i) => {
    const [ptr, length] = [pairs.getUint32(i * 8, true), pairs.getUint32(i * 8 + 4, true)];
    return Buffer.from(memory.bytes(ptr, length)).toString("latin1");
  });
}

export interface LoggedCommand {
  readonly db: number;
  readonly words: readonly string[];
}

/** Words without a colon are no keys. */
const isKey = (word: string) => word.length < 20 && word.includes(":");

/** One for all histories: a process has few memories that are fast. */
let harness: CoreHarness | undefined;

export class Shadow {
  /** By database, or "db key": the last unit that changed it. */
  private readonly lastUnits = new Map<string, number>();
  private readonly harness: CoreHarness;
  readonly units: (readonly LoggedCommand[])[] = [];
  /** Keys of each database that commands have named since they were last compared. */
  private readonly named = new Map<number, Set<string>>();
  /** Names of the commands that were logged. */
  readonly names = new Set<string>();
  private open: LoggedCommand[] | null = null;

  constructor(private readonly databases: number) {
    harness ??= createHarness({ wasmPath: BUILDS.release });
    this.harness = harness;
    this.empty();
  }

  private empty(): void {
    this.harness.client.flags = 0;
    this.harness.run("FLUSHALL", "SYNC");
    this.lastUnits.clear();
  }

  get count(): number {
    return this.units.length;
  }

  /** Behind all units. */
  get state(): string {
    return stateOf(this.harness.core, this.databases);
  }

  /** A command names them: they are compared when the turn has ended. */
  name(db: number, words: readonly string[]): void {
    const isAnywhere = /^(move|copy)$/i.test(words[0]!);
    for (let other = 0; other < this.databases; other++) {
      if (other !== db && !isAnywhere) continue;
      const keys = this.named.get(other) ?? new Set();
      this.named.set(other, keys);
      for (const word of words) if (isKey(word)) keys.add(word);
    }
  }

  /** Whether a core holds what was logged: all of it, or as far as keys have been named since the last time. @throws Error */
  compare(core: Core, isWhole: boolean): void {
    const what = isWhole ? stateOf : figuresOf;
    this.judge("", what(core, this.databases), what(this.harness.core, this.databases));
    for (const [db, set] of this.named) {
      const keys = [...set];
      const expected = valuesOf(this.harness.core, db, keys);
      for (const [index, found] of valuesOf(core, db, keys).entries())
        this.judge(` under ${keys[index]} of database ${db}`, found, expected[index]!);
    }
    this.named.clear();
  }

  private judge(where: string, found: string, expected: string): void {
    if (found !== expected)
      throw new Error(`memory is not what was logged${where}:\n${found}\n${expected}`);
  }

  /** Something was begun that will be logged in one piece. */
  get isInUnit(): boolean {
    return this.open !== null;
  }

  /** A key of one of the last units. */
  recentKey(random: Random): string | undefined {
    const unit = this.units.at(-1 - random.below(4));
    return unit?.[0]?.words.find(isKey);
  }

  /** The last unit that a reader of the key has seen the trace of. */
  lastUnitOf(db: number, key: string): number {
    const own = this.lastUnits.get(`${db} ${key}`) ?? 0;
    return Math.max(own, this.lastUnits.get(`${db}`) ?? 0);
  }

  /** How many units, `least` or more, lead to a state; those behind them are forgotten. @throws Error if there is no such number */
  restart(found: string, least: number): void {
    const count = this.match(found, least);
    if (count < 0) {
      const fewer = this.match(found, 0);
      throw new Error(
        fewer < 0
          ? "what was loaded was never the state"
          : `${least} units were promised, ${fewer} are there`,
      );
    }
    this.replay(count);
    this.units.length = count;
  }

  /** @returns the greatest number of units from `least` on that leads to the state, -1 = none */
  private match(found: string, least: number): number {
    this.replay(least);
    let count = this.state === found ? least : -1;
    for (let index = least; index < this.units.length; index++) {
      this.apply(this.units[index]!, index + 1);
      if (this.state === found) count = index + 1;
    }
    return count;
  }

  private replay(count: number): void {
    this.empty();
    for (let index = 0; index < count; index++) this.apply(this.units[index]!, index + 1);
  }

  /** Everything the dispatcher logs comes here too, before it goes on. */
  watch(dispatcher: Dispatcher): void {
    const follow = dispatcher.follow.bind(dispatcher);
    dispatcher.follow = (log) => follow(this.tee(dispatcher, log));
  }

  private tee(dispatcher: Dispatcher, log: PropagationLog): PropagationLog {
    const memory = this.memoryOf(dispatcher);
    const shadow = this;
    return {
      frames(db, ptr, length, count) {
        for (const words of commandsOf(memory.bytes(ptr, length).slice()))
          shadow.add({ db, words });
        log.frames(db, ptr, length, count);
      },
      words(db, name, pairsPtr, count, rest) {
        const words = name === null ? [] : [Buffer.from(name).toString("latin1")];
        words.push(...wordsAt(memory, { ptr: pairsPtr, count }));
        if (rest) words.push(...wordsAt(memory, rest));
        shadow.add({ db, words });
        log.words(db, name, pairsPtr, count, rest);
      },
      beginUnit() {
        shadow.open = [];
        log.beginUnit();
      },
      endUnit() {
        const unit = shadow.open ?? [];
        shadow.open = null;
        if (unit.length > 0) shadow.close(unit);
        log.endUnit();
      },
      get point() {
        return log.point;
      },
      get syncingPoint() {
        return log.syncingPoint;
      },
      refusal: () => log.refusal(),
      set onRefusal(told: (refused: boolean) => void) {
        log.onRefusal = told;
      },
      get onRefusal() {
        return log.onRefusal;
      },
    };
  }

  private memoryOf(dispatcher: Dispatcher) {
    return (dispatcher as unknown as { core: Core }).core.memory;
  }

  private add(command: LoggedCommand): void {
    if (this.open !== null) this.open.push(command);
    else this.close([command]);
  }

  private close(unit: LoggedCommand[]): void {
    this.units.push(unit);
    for (const { db, words } of unit) {
      this.names.add(words[0]!.toUpperCase());
      this.name(db, words);
    }
    this.apply(unit, this.units.length);
  }

  private apply(unit: readonly LoggedCommand[], index: number): void {
    const { harness } = this;
    harness.client.flags = IoFlag.Replay;
    for (const { db, words } of unit) {
      harness.client.db = db;
      const places = this.changedBy(db, words);
      const reply = harness.run(...words);
      if (reply.kind === "error") throw new Error(`logged, but fails: ${words[0]}: ${reply.text}`);
      for (const place of places) this.lastUnits.set(place, index);
    }
  }

  /**
   * Databases, or the key of a command that has one: of more than one it is not known here which were changed, and which only read.
   */
  private changedBy(db: number, [name = "", ...words]: readonly string[]): string[] {
    const hasKeys = (place: string) => this.harness.core.keyCount(Number(place)) > 0;
    switch (name.toUpperCase()) {
      case "FLUSHALL":
        return Array.from({ length: this.databases }, (_, other) => `${other}`).filter(hasKeys);
      case "FLUSHDB":
        return [`${db}`].filter(hasKeys);
      case "SWAPDB":
        return words[0] === words[1] ? [] : words;
      default: {
        const keys = words.filter(isKey);
        // Its time had come, it may be: that it is gone tells of nothing.
        if (/^H?DEL$/i.test(name)) return [];
        return keys.length === 1 ? [`${db} ${keys[0]}`] : [];
      }
    }
  }
}
