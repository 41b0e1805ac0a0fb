/**
 * A history of one data directory, all of it from one seed: processes that serve clients on it, one after another, on a disk that fails
 * at times; each ends in order, by a kill or by a loss of power, at any step of the disk, also while it loads. The real server runs,
 * on a clock, a disk and sockets that are not.
 *
 *   behind each turn     memory is what was logged, `Shadow`; and the files, with what is kept to be written behind them, are the
 *                        same, unit by unit (MECHANISMS 3.14), `Mirror`
 *   behind each rewrite  the base is what memory was when it was begun (MECHANISMS 2.15)
 *   each failure         is healed within a second of the end of its cause
 *   at each start        what is loaded is the state behind some unit, and none is missing that a reply has told of, as far as the
 *                        policy promises; nothing is missing at all after an orderly stop
 *   at each end          with the disk healed every client has its replies, or was disconnected
 */

import { configOf } from "../../server/config/options.ts";
import type { Core } from "../../server/core/core.ts";
import type { Dispatcher } from "../../server/dispatch/dispatch.ts";
import { createLogger } from "../../server/observability/log.ts";
import type { AppendOnly } from "../../server/persistence/aof/append-only.ts";
import type { FileSet } from "../../server/persistence/aof/file-set.ts";
import { Server } from "../../server/server.ts";
import type { CoreHarness } from "../support/core-harness.ts";
import { DATABASES } from "../support/operations.ts";
import { createRandom, type Random } from "../support/random.ts";
import { frame } from "../support/reference.ts";
import { diskError, SimDisk, type Step } from "../support/sim-disk.ts";
import { Knowledge, SimClient } from "./client.ts";
import { reuseMemories } from "./memories.ts";
import { harnessForBases, type LogInside, Mirror } from "./mirror.ts";
import { SimNetwork, type SimSocket } from "./network.ts";
import { Shadow, stateOf } from "./shadow.ts";
import { World } from "./world.ts";

type Policy = "always" | "everysec" | "no";
type End = "stop" | "kill" | "power";

/** Units that must be found by the next life. */
interface Promised {
  /** If no power is lost before that has loaded what is there, ... */
  unitsKept: number;
  /** ... and if it is. */
  unitsSafe: number;
}

/** Turns after which nothing may still be to be done. */
const SETTLE_TURNS = 4000;
/** Turns behind which all of memory is compared: behind others what was named since. Digests take more time than all the rest. */
const WHOLE = 0.02;
/** A log is whole again this long after the disk is. */
const HEALED_MS = 1000;
/** SIM_TRACE=1 shows each step of the disk. */
const IS_TRACED = process.env["SIM_TRACE"] === "1";
const CAUSES = ["ENOSPC", "EIO"];
const POLICIES: readonly Policy[] = ["always", "everysec", "no"];
const NOTHING: Promised = { unitsKept: 0, unitsSafe: 0 };

export interface HistoryFigures {
  units: number;
  starts: number;
  kills: number;
  powerLosses: number;
  faults: number;
  rewrites: number;
  /** Ends within a load. */
  whileLoading: number;
  /** Starts that found less than was logged. */
  shorter: number;
  /** Logs that were whole again, and the longest time between the end of the cause and that, in ms. */
  healed: number;
  slowestMs: number;
  /** Commands that have waited for a key and were served. */
  served: number;
  /** Changes of appendfsync. */
  switches: number;
  /** Of commands that were logged. */
  names: Set<string>;
}

export function noFigures(): HistoryFigures {
  return {
    units: 0,
    starts: 0,
    kills: 0,
    powerLosses: 0,
    faults: 0,
    rewrites: 0,
    whileLoading: 0,
    shorter: 0,
    healed: 0,
    slowestMs: 0,
    served: 0,
    switches: 0,
    names: new Set(),
  };
}

class Life {
  readonly world: World;
  private readonly network: SimNetwork;
  private readonly server: Server;
  private readonly knowledge: Knowledge;
  private readonly mirror: Mirror;
  private readonly sockets: SimSocket[] = [];
  private clients: SimClient[] = [];
  private readonly dispatcher: Dispatcher;
  readonly lines: string[] = [];
  /** What is left on the disk once the process has died. */
  left: SimDisk | undefined;
  /** Steps of the disk until it dies, by the end that was drawn. */
  private stepsLeft: number;
  /** Incremental files that were written to. */
  private readonly written = new Set<string>();
  private wantedPolicy: Policy | undefined;
  private faultUntilMs = 0;
  private faultKinds: ReadonlySet<Step["kind"]> = new Set();
  private slowUntilMs = 0;
  /** Its syncs take so little that the server runs them on its own thread. */
  private readonly isFastDisk: boolean;
  /** When the last thing will have ended that a slow disk was given to do. */
  private slowestEndMs = 0;
  /** What was found to be wrong in the middle of a turn. */
  private wrong: Error | undefined;
  private isServing = false;
  private hasServed = false;
  /** The incremental file that was written to first most lately. */
  private fresh = "";
  /** Its first line is torn for good: what the next rewrite begins may come to stand behind that. */
  private isFreshTorn = false;
  private wantsRewrite = false;
  /** Since it failed, the log has needed a new base. */
  private neededBase = false;
  /** Replies may have left before the kernel had what they told of. */
  private promisesLess = false;
  /** Units that a loss of power leaves, whatever is promised from here on. */
  private unitsSafe = 0;
  crashed = false;

  constructor(
    private readonly random: Random,
    private readonly disk: SimDisk,
    private readonly shadow: Shadow,
    private policy: Policy,
    private readonly end: End,
    settings: Record<string, string>,
    startMs: number | undefined,
    private readonly figures: HistoryFigures,
    bases: CoreHarness,
  ) {
    this.world = new World(startMs);
    this.isFastDisk = random.chance(0.4);
    this.network = new SimNetwork(this.world, random);
    this.stepsLeft =
      end === "stop" ? Number.POSITIVE_INFINITY : 1 + random.below(random.pick([20, 400]));
    const log = (_: string, text: string) => this.logged(text);
    this.server = new Server({
      config: configOf({
        appendonly: "yes",
        dir: "/tmp",
        appendfsync: policy,
        databases: String(DATABASES),
        ...settings,
      }),
      logger: createLogger({ level: "notice", file: "" }, log),
      clock: this.world.clock,
      disk,
      network: this.network.listen,
      seed: [random.below(1e9), random.below(1e9)],
      onCrashed: () => {
        this.crashed = true;
      },
    });
    this.dispatcher = (this.server as unknown as { dispatcher: Dispatcher }).dispatcher;
    this.knowledge = new Knowledge(shadow, policy === "always");
    this.shadow.watch(this.dispatcher);
    this.knowledge.watch(this.dispatcher);
    this.world.afterTurn = () => this.judgeTurn();
    this.mirror = new Mirror(shadow, disk, bases, DATABASES);
    this.mirror.watch(this.core);
    disk.before = (step) => this.beforeStep(step);
    // Not a whole block without what separates it from the room behind it: the mirror would take it for one that counts.
    disk.torn = (bytes) => (random.chance(0.5) ? random.below(bytes - 1) : 0);
    disk.later = (work, kind) => {
      if (kind === "file sync" && this.isFastDisk && this.world.nowMs >= this.slowUntilMs) work();
      else this.world.later(this.delayMs(), work);
    };
  }

  get core(): Core {
    return this.server.core;
  }

  // ---- the disk

  private delayMs(): number {
    if (this.world.nowMs < this.slowUntilMs) {
      const ms = this.random.below(3500);
      this.slowestEndMs = Math.max(this.slowestEndMs, this.world.nowMs + ms);
      return ms;
    }
    return this.random.chance(0.1) ? this.random.below(80) : this.random.below(4);
  }

  private beforeStep(step: Step): void {
    this.trace(`${step.kind} ${step.path}`);
    if (this.left !== undefined) throw diskError("EIO");
    if (this.isServing) this.disturb(step);
    if (--this.stepsLeft <= 0) {
      this.die();
      throw diskError("EIO");
    }
    if (this.world.nowMs >= this.faultUntilMs || !this.faultKinds.has(step.kind)) return;
    this.promisesLess = true;
    this.figures.faults++;
    this.trace("... fails");
    this.worsen(step);
    throw diskError(this.random.pick(CAUSES));
  }

  get served(): number {
    return this.knowledge.servedCount;
  }

  kill(): void {
    if (!this.isDead) this.die();
  }

  private die(): void {
    this.trace(`dies by ${this.end}`);
    this.left =
      this.end === "power" ? this.disk.afterPowerLoss(this.random) : this.disk.afterKill();
    this.world.end();
  }

  private trace(what: string): void {
    if (!IS_TRACED) return;
    const told = this.knowledge.toldBy(this.sockets);
    const ms = this.world.nowMs.toFixed(2);
    console.log(`${ms} ${what}; ${this.shadow.count} units, ${told} told`);
  }

  /** Trouble where a rewrite is in the middle of something. */
  private disturb({ kind, path }: Step): void {
    const { random } = this;
    if (kind === "rename" && random.chance(0.05)) this.breakFresh();
    if (kind !== "write" || !path.endsWith(".incr.aof") || this.written.has(path)) return;
    // The first write to a fresh file: the one before is not safe yet.
    this.written.add(path);
    this.fresh = path;
    const isWorth = this.end === "power" ? random.chance(0.2) : this.isFreshTorn;
    if (isWorth && this.written.size > 1)
      this.stepsLeft = Math.min(this.stepsLeft, 2 + random.below(10));
    else if (random.chance(0.1)) this.wantedPolicy = "always";
  }

  /** More trouble on top of a step that fails. */
  private worsen({ kind, path }: Step): void {
    if (kind === "truncate" && path === this.fresh) this.wantsRewrite = this.isFreshTorn = true;
    if (kind !== "sync" || this.random.chance(0.7)) return;
    // What is asked for next finds a disk that is well, and a file that is not.
    this.faultUntilMs = this.world.nowMs;
    this.wantedPolicy = "always";
  }

  /** A manifest has come into force: what is begun behind that may be torn for good. */
  private breakFresh(): void {
    this.faultUntilMs = this.world.nowMs + 1 + this.random.below(300);
    this.faultKinds = new Set(["write", "truncate", this.random.pick(["remove", "truncate"])]);
  }

  private causeTrouble(): void {
    const { random } = this;
    if (random.chance(0.5)) this.slowUntilMs = this.world.nowMs + random.below(4000);
    else {
      this.faultUntilMs = this.world.nowMs + random.below(random.chance(0.8) ? 300 : 8000);
      this.faultKinds = new Set(
        random.pick<Step["kind"][]>([
          ["write"],
          ["sync"],
          ["write", "truncate"],
          ["open"],
          ["rename", "remove"],
          ["write", "sync", "open", "truncate", "rename", "remove", "syncDirectory"],
        ]),
      );
    }
  }

  // ---- what it says

  private logged(text: string): void {
    this.lines.push(text);
    if (text.includes("AOF rewrite finished")) this.check(() => this.rewritten());
    if (text.includes("can be written again")) this.check(() => this.healed());
  }

  /** The server is in the middle of something: what is found is told behind the turn. */
  private check(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.wrong ??= error as Error;
    }
  }

  private rewritten(): void {
    this.figures.rewrites++;
    this.mirror.compareBase((this.appendOnly as unknown as { files: FileSet }).files);
  }

  private healed(): void {
    const { figures, world } = this;
    const ms = world.nowMs - Math.max(this.faultUntilMs, this.slowUntilMs, this.slowestEndMs);
    figures.healed++;
    // Where only a rewrite helps, it takes as long as that.
    if (this.neededBase) return;
    figures.slowestMs = Math.max(figures.slowestMs, Math.floor(ms));
    if (ms > HEALED_MS) throw new Error(`healed ${ms} ms after the disk`);
  }

  // ---- the process

  get isDead(): boolean {
    return this.left !== undefined;
  }

  /** @throws Error if it does not start though it lives */
  start(): void {
    let outcome: { error?: Error } | undefined;
    this.world.run(() => {
      this.server.start().then(
        () => {
          outcome = {};
        },
        (error) => {
          outcome = { error };
        },
      );
    });
    const isStarted = () => outcome !== undefined || this.isDead;
    this.turnsUntil(isStarted, () => {
      if (this.network.isOpen && this.random.chance(0.2)) this.connect();
    });
    if (this.isDead) {
      this.figures.whileLoading++;
      return;
    }
    if (outcome!.error !== undefined) throw outcome!.error;
  }

  /** @throws Error if it takes too long */
  private turnsUntil(isDone: () => boolean, between: () => void = () => {}): void {
    for (let turns = 0; !isDone(); turns++) {
      if (turns === SETTLE_TURNS) throw new Error("something that was begun does not end");
      between();
      this.turn();
      this.world.pass(turns < 100 ? 1 : 20);
    }
  }

  private turn(): void {
    for (const socket of this.sockets) if (!socket.isClosed) socket.poll();
    this.world.endTurn();
  }

  private connect(): SimClient {
    const kind = this.random.pick(["plain", "pipelined", "transactions"] as const);
    const recent = () => this.shadow.recentKey(this.random);
    const client = new SimClient(this.random, this.network, recent, kind);
    this.clients.push(client);
    this.sockets.push(client.socket);
    return client;
  }

  /** Serves clients for so many turns, or until it dies. */
  serve(turns: number): void {
    const { random } = this;
    for (let i = this.clients.length; i < 6; i++) this.connect();
    for (let i = 0; i < turns && !this.isDead; i++) {
      for (const client of this.clients) {
        if (client.socket.isClosed || random.chance(0.01)) {
          client.reconnect();
          this.sockets.push(client.socket);
        } else if (random.chance(0.3)) client.act();
        if (this.isDead) return;
      }
      if (random.chance(0.02)) this.causeTrouble();
      if (random.chance(0.005)) this.wantedPolicy ??= random.pick(POLICIES);
      if (this.wantedPolicy !== undefined) this.changePolicy(this.wantedPolicy);
      if (this.wantsRewrite && this.isWhole) {
        this.wantsRewrite = false;
        this.order("BGREWRITEAOF");
      }
      if (this.isDead) return;
      this.turn();
      if (this.isDead) return;
      this.world.pass(random.chance(0.05) ? random.below(1500) : random.below(4));
    }
  }

  /** CONFIG SET appendfsync: replies that have left by then promise what they did, and no more. */
  private changePolicy(policy: Policy): void {
    this.trace(`appendfsync ${policy}`);
    this.figures.switches++;
    this.unitsSafe = this.promised().unitsSafe;
    const isStricter = policy === "always";
    if (isStricter !== (this.policy === "always")) this.knowledge.forget(isStricter);
    this.policy = policy;
    this.wantedPolicy = undefined;
    this.order("CONFIG", "SET", "appendfsync", policy);
  }

  /** A client comes with one command, and goes. */
  private order(...words: string[]): void {
    const admin = this.network.connect();
    admin.send(frame(words));
    admin.close();
  }

  /** Clients are served from here on, behind what was loaded: that is safe. */
  begin(): void {
    this.unitsSafe = this.shadow.count;
    this.mirror.start(this.log);
    this.isServing = true;
    this.hasServed = true;
  }

  private judgeTurn(): void {
    if (this.wrong !== undefined) throw this.wrong;
    if (this.crashed) throw new Error(`the server crashed: ${this.lines.at(-1)}`);
    if (!this.isServing) return;
    if (this.isWhole) this.neededBase = false;
    else if (this.appendOnly.log!.needsNewBase) this.neededBase = true;
    this.compare(this.random.chance(WHOLE));
  }

  /** Memory is what was logged, and so are the files with what is kept to be written behind them (MECHANISMS 3.14). */
  compare(isWhole: boolean): void {
    this.shadow.compare(this.core, isWhole);
    this.mirror.compare(this.log);
    this.compareTold();
  }

  /** No reply has told of what the policy's kind of crash could take away at this moment. */
  private compareTold(): void {
    if (this.policy !== "always" && (this.promisesLess || this.wasOverdue)) return;
    const told = this.knowledge.toldBy(this.sockets);
    const kept = this.mirror.kept(this.log, this.policy === "always");
    if (told > kept) throw new Error(`${told} units are told of, ${kept} are safe`);
  }

  private get log(): LogInside {
    return this.appendOnly.log as unknown as LogInside;
  }

  /** Lets everything come to rest on a disk without faults. @throws Error if somebody waits for ever */
  settle(): void {
    this.healDisk();
    let quiet = 0;
    this.turnsUntil(
      () =>
        this.isDead ||
        (this.clients.every((client) => client.hasAllReplies) && this.isWhole && ++quiet > 20),
    );
    if (!this.isDead) this.compare(true);
  }

  private healDisk(): void {
    this.faultUntilMs = Math.min(this.faultUntilMs, this.world.nowMs);
    this.slowUntilMs = Math.min(this.slowUntilMs, this.world.nowMs);
  }

  private get appendOnly(): AppendOnly {
    return (this.server as unknown as { appendOnly: AppendOnly }).appendOnly;
  }

  /** The log takes writes. */
  private get isWhole(): boolean {
    return this.appendOnly.refusal() === undefined;
  }

  /** Replies did not wait for a write behind a slow sync (aof_delayed_fsync). */
  private get wasOverdue(): boolean {
    return (this.appendOnly.log?.delayedWrites ?? 0) > 0;
  }

  stop(): void {
    this.isServing = false;
    // A rewrite may have met new trouble since.
    this.healDisk();
    let done = false;
    this.world.run(() => {
      this.server.stop().then(() => {
        done = true;
      });
    });
    this.turnsUntil(() => done || this.isDead);
    // It may have died in the middle of that.
    if (!this.isDead) this.unitsSafe = this.shadow.count;
    this.left ??= this.disk.afterKill();
    this.world.end();
  }

  /** @param before what was promised when it began */
  promisedAfter(before: Promised): Promised {
    const { unitsSafe, unitsKept } = this.hasServed ? this.promised() : before;
    return { unitsSafe, unitsKept: this.end === "power" ? unitsSafe : unitsKept };
  }

  private promised(): Promised {
    const told = this.knowledge.toldBy(this.sockets);
    const isCertain = this.policy === "always";
    const unitsSafe = isCertain ? Math.max(this.unitsSafe, told) : this.unitsSafe;
    const areKept = isCertain || (!this.promisesLess && !this.wasOverdue);
    return { unitsSafe, unitsKept: areKept ? Math.max(unitsSafe, told) : unitsSafe };
  }
}

/** Plays the history of a seed. @throws Error where something is not as it must be */
export function playHistory(seed: number, figures: HistoryFigures): void {
  const random = createRandom(seed);
  const policy = random.pick<Policy>(["always", "always", "everysec", "no"]);
  const shadow = new Shadow(DATABASES);
  // Its memory is not one of those that processes leave to each other.
  const bases = harnessForBases();
  const settings = {
    "auto-aof-rewrite-percentage": random.pick(["0", "50", "100"]),
    "auto-aof-rewrite-min-size": random.pick(["1kb", "8kb", "1mb"]),
    "aof-timestamp-enabled": random.pick(["no", "no", "yes"]),
    "loading-process-events-interval-bytes": random.pick(["1024", "2097152"]),
    "aof-disable-auto-gc": random.pick(["no", "no", "no", "yes"]),
    maxmemory: random.pick(["0", "0", "40kb", "200kb"]),
    "maxmemory-policy": random.pick(["allkeys-lru", "volatile-ttl", "noeviction", "allkeys-lfu"]),
  };
  let disk = new SimDisk();
  let nowMs: number | undefined;
  let promised = NOTHING;
  const ends: string[] = [];
  const lives = 2 + random.below(3);
  for (let i = 0; i <= lives; i++) {
    const end = i === lives ? "stop" : random.pick<End>(["kill", "power", "power", "stop"]);
    const giveBack = reuseMemories();
    const life = new Life(random, disk, shadow, policy, end, settings, nowMs, figures, bases);
    const restore = life.world.install();
    try {
      figures.starts++;
      life.start();
      if (!life.isDead) {
        const logged = shadow.count;
        shadow.restart(stateOf(life.core, DATABASES), promised.unitsKept);
        if (shadow.count < logged) figures.shorter++;
        life.begin();
        life.serve(20 + random.below(120));
        if (!life.isDead && (end === "stop" || random.chance(0.3))) life.settle();
        if (!life.isDead) life.core.check();
        if (!life.isDead && end === "stop") life.stop();
        else if (!life.isDead) life.kill();
      }
      promised = life.promisedAfter(promised);
      if (end === "kill") figures.kills++;
      if (end === "power") figures.powerLosses++;
      figures.served += life.served;
    } catch (error) {
      (error as Error).message +=
        `\n${policy}, life ${i} of ${lives}, ending by ${end}; before: ${ends.join(", ")}\n${life.lines.slice(-12).join("\n")}`;
      throw error;
    } finally {
      life.world.bury();
      restore();
      giveBack();
    }
    ends.push(`${end} with ${promised.unitsKept} of ${shadow.count} promised`);
    disk = life.left!;
    nowMs = Math.floor(life.world.nowMs) + random.below(2000);
  }
  figures.units += shadow.count;
  for (const name of shadow.names) figures.names.add(name);
}
