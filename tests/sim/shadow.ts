/**
 * What a server has logged, unit by unit, and run in a core of its own: the state behind each unit is one that a start may find, any other
 * is not. States are told apart by a digest of everything: keys, values, and the sum of the deadlines of each database.
 */
import { Address, Cmd, IoField, IoFlag, StateField } from "../../core-wasm/abi.ts";
import type { Core } from "../../server/core/core.ts";
import type { Dispatcher } from "../../server/dispatch/dispatch.ts";
import type { PropagationLog } from "../../server/dispatch/effects.ts";
import { BUILDS } from "../support/core.ts";
import { type CoreHarness, createHarness } from "../support/core-harness.ts";
import { commandsOf } from "../support/dataset.ts";

const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const NOW = (Address.State + StateField.NowMs) >> 3;

/** What a core holds, whoever uses it at the moment. */
export function stateOf(core: Core, databases: number): string {
  const { i32, f64, u8 } = core.memory;
  const before = { top: i32[OUT_TOP]!, flags: i32[FLAGS]!, now: f64[NOW]! };
  i32[FLAGS] = IoFlag.Replay | IoFlag.NoTouch;
  f64[NOW] = 0;
  core.execute(Cmd.DebugDigest, 2);
  const parts = [Buffer.from(u8.subarray(before.top + 1, i32[OUT_TOP]! - 2)).toString("latin1")];
  for (let db = 0; db < databases; db++)
    parts.push(`${core.keyCount(db)}/${core.deadlineCount(db)}/${Math.round(core.meanTtlMs(db))}`);
  i32[OUT_TOP] = before.top;
  i32[FLAGS] = before.flags;
  f64[NOW] = before.now;
  return parts.join(" ");
}

interface LoggedCommand {
  db: number;
  words: string[];
}

/** One for all histories: a process has few memories that are fast. */
let harness: CoreHarness | undefined;

export class Shadow {
  /** By database, or "db key": the last unit that changed it. */
  private readonly lastUnits = new Map<string, number>();
  private readonly harness: CoreHarness;
  private readonly units: LoggedCommand[][] = [];
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
      frame(db, ptr, length) {
        for (const words of commandsOf(memory.bytes(ptr, length).slice()))
          shadow.add({ db, words });
        log.frame(db, ptr, length);
      },
      words(db, name, pairsPtr, count) {
        const table = memory.bytes(pairsPtr, count * 8).slice();
        const pairs = new DataView(table.buffer);
        const words = name === null ? [] : [Buffer.from(name).toString("latin1")];
        for (let i = 0; i < count; i++) {
          const [ptr, length] = [pairs.getUint32(i * 8, true), pairs.getUint32(i * 8 + 4, true)];
          words.push(Buffer.from(memory.bytes(ptr, length)).toString("latin1"));
        }
        shadow.add({ db, words });
        log.words(db, name, pairsPtr, count);
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
    this.apply(unit, this.units.length);
  }

  private apply(unit: readonly LoggedCommand[], index: number): void {
    const { harness } = this;
    harness.client.flags = IoFlag.Replay;
    for (const { db, words } of unit) {
      harness.client.db = db;
      const reply = harness.run(...words);
      if (reply.kind === "error") throw new Error(`logged, but fails: ${words[0]}: ${reply.text}`);
      for (const place of this.changedBy(db, words)) this.lastUnits.set(place, index);
    }
  }

  /**
   * Databases, or the key of a command that has one: of more than one it is not known here which were changed, and which only read.
   * Words without a colon are no keys.
   */
  private changedBy(db: number, [name = "", ...words]: readonly string[]): string[] {
    switch (name.toUpperCase()) {
      case "FLUSHALL":
        return Array.from({ length: this.databases }, (_, other) => `${other}`);
      case "FLUSHDB":
        return [`${db}`];
      case "SWAPDB":
        return words;
      default: {
        const keys = words.filter((word) => word.includes(":"));
        return keys.length === 1 ? [`${db} ${keys[0]}`] : [];
      }
    }
  }
}
