/** DEBUG LOADAOF: the databases as the append-only files have them. Test suites compare them with what was there before. */
import { Address, Cmd, IoField, IoFlag } from "../../../core-wasm/abi.ts";
import type { Core } from "../../core/core.ts";
import type { Dispatcher } from "../../dispatch/dispatch.ts";
import type { LogLevel } from "../../observability/log.ts";
import { type Loading, LoadingStopped } from "../loading.ts";
import type { AppendOnly } from "./append-only.ts";
import { AofError } from "./errors.ts";
import type { ReplayTarget } from "./loader.ts";

const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const FREE_BUDGET = 1 << 20;
const FAULT = "ERR Error trying to load the AOF files, check server logs.";

interface ReloadParts {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  /** Without a log whatever files there are are replayed. */
  readonly appendOnly: AppendOnly;
  readonly target: ReplayTarget;
  readonly loading: Loading;
  log(level: LogLevel, text: string): void;
}

/**
 * Empties all databases and replays the files, in steps, between which clients are refused as at the start. No chunk is being served, the
 * output window is empty, and nothing of the files is in flight.
 * @returns the error line if that failed; then the databases hold what was read before
 */
export async function reloadLog(parts: ReloadParts): Promise<string | undefined> {
  const { dispatcher, appendOnly, target, loading } = parts;
  const log = appendOnly.log;
  if (log?.flush() === false) return log.refusal() ?? FAULT;
  if (log !== null) dispatcher.unfollow();
  loading.begin();
  try {
    flushAll(parts);
    if (!(await appendOnly.replayAgain(target))) return FAULT;
    parts.log("notice", "Append Only File loaded by DEBUG LOADAOF");
    return undefined;
  } catch (error) {
    if (!(error instanceof AofError || error instanceof LoadingStopped)) throw error;
    parts.log("warning", error.message);
    return FAULT;
  } finally {
    loading.end();
    if (log !== null) dispatcher.follow(log);
  }
}

/** In one go, so that what is loaded has room. */
function flushAll({ core, dispatcher }: ReloadParts): void {
  const { i32 } = core.memory;
  i32[FLAGS] = IoFlag.Replay;
  core.execute(Cmd.FlushAll, 1);
  i32[FLAGS] = 0;
  i32[(Address.IoBlock + IoField.OutTop) >> 2] = Address.Output;
  while (core.freeSlice(FREE_BUDGET) === 0);
  if (dispatcher.effects.waiting) dispatcher.effects.settle();
}
