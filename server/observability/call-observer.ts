/**
 * Told of every run of calls (dispatch.ts): counts it, and looks closer at what took long. With MONITOR on, or a limit so small that
 * runs would hide what exceeds it, `onTimeEach` asks for every call by itself.
 */
import type { Client } from "../client/client.ts";
import type { Args, Clock } from "../commands/context.ts";
import type { CommandSpec } from "../commands/spec.ts";
import { CommandStats } from "./command-stats.ts";
import { LatencyMonitor } from "./latency.ts";
import { Monitors } from "./monitor.ts";
import { SlowLog } from "./slowlog.ts";

/** A run of small commands takes less than this: a limit above it is exceeded by one of them, or by the machine. */
const RUN_US = 1000;

interface ObserverParts {
  /** Commands by the position by which runs are told. */
  readonly rows: readonly { readonly spec: CommandSpec; readonly name: string }[];
  /** The words of the last call of the run that is told. */
  readonly args: Args;
  readonly clock: Clock;
  /** Whose call was the last. */
  client(): Client;
  /** Writes behind the reply of the client that is served. */
  writeHere(line: string): void;
  /** Sends what lies in a client's outbox. */
  flush(client: Client): void;
  warn(text: string): void;
}

export class CallObserver {
  readonly stats: CommandStats;
  readonly slowLog = new SlowLog();
  readonly latency = new LatencyMonitor();
  readonly monitors: Monitors;
  private noteworthyUs = Number.POSITIVE_INFINITY;
  /** Told whether every call must be timed by itself. */
  onTimeEach: (each: boolean) => void = () => {};

  constructor(private readonly parts: ObserverParts) {
    const names = parts.rows.map(({ name }) => name);
    this.stats = new CommandStats(names, (codes) => {
      parts.warn(
        "Errorstats stopped adding new errors because the number of errors reached the limit, please check INFO ERRORSTATS, this can be re-enabled via CONFIG RESETSTAT.",
      );
      parts.warn(`Current errors code list: ${codes.join(", ")}`);
    });
    this.monitors = new Monitors({
      writeHere: parts.writeHere,
      flush: parts.flush,
      onChange: () => this.refresh(),
    });
  }

  /** A limit was changed, or monitors came or went. */
  refresh(): void {
    const { slowLog, latency, monitors } = this;
    const slowUs = slowLog.slowerThanUs < 0 ? Number.POSITIVE_INFINITY : slowLog.slowerThanUs;
    const latentUs =
      latency.thresholdMs === 0 ? Number.POSITIVE_INFINITY : latency.thresholdMs * 1000;
    const limitUs = Math.min(slowUs, latentUs);
    this.noteworthyUs = monitors.size > 0 ? 0 : limitUs;
    this.onTimeEach(monitors.size > 0 || limitUs <= RUN_US);
  }

  run(command: number, calls: number, microseconds: number): void {
    this.stats.run(command, calls, microseconds);
    if (microseconds >= this.noteworthyUs) this.look(command, calls, microseconds);
  }

  /** A command that has waited is answered. Monitors saw it when it came. */
  waited(command: number, microseconds: number): void {
    this.stats.run(command, 1, microseconds);
    if (microseconds >= this.noteworthyUs) this.note(command, 1, microseconds);
  }

  /** Shows a command to monitors that did not run, or has not ended. */
  show(command: number): void {
    if (this.monitors.size === 0) return;
    const { rows, args, clock, client } = this.parts;
    const { spec } = rows[command]!;
    this.monitors.show({ spec, args, client: client() }, clock.nowMs() * 1000);
  }

  private look(command: number, calls: number, microseconds: number): void {
    const { call, nowMs } = this.note(command, calls, microseconds);
    const { monitors } = this;
    if (monitors.size > 0) monitors.show(call, nowMs * 1000 + (microseconds % 1000));
  }

  /** For SLOWLOG and LATENCY, whose limits decide. */
  private note(command: number, calls: number, microseconds: number) {
    const { rows, args, clock, client } = this.parts;
    const { spec } = rows[command]!;
    const nowMs = clock.nowMs();
    const call = { spec, args: calls === 1 ? args : someOf(args, calls), client: client() };
    this.slowLog.offer(call, microseconds, nowMs);
    const event = spec.flags.includes("fast") ? "fast-command" : "command";
    this.latency.add(event, microseconds / 1000, nowMs);
    return { call, nowMs };
  }
}

/** For a run of calls of which only the time of all is known: the name, and how many they were. */
function someOf(args: Args, calls: number): Args {
  const words = [args.text(0), `... (one of ${calls} calls in a row)`];
  return {
    count: words.length,
    bytes: (index) => Buffer.from(words[index]!, "latin1"),
    text: (index) => words[index]!,
    word: (index) => words[index]!.toLowerCase(),
    integer: () => undefined,
  };
}
