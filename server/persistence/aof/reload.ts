/** DEBUG LOADAOF: the databases as the append-only files have them. Test suites compare them with what was there before. */
import { Address, Cmd, IoField, IoFlag } from "../../../core-wasm/abi.ts";
import type { Core } from "../../core/core.ts";
import type { Dispatcher } from "../../dispatch/dispatch.ts";
import type { LogLevel } from "../../observability/log.ts";
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
  log(level: LogLevel, text: string): void;
}

/**
 * Empties all databases and replays the files. No chunk is being served, and the output window is empty: the replay needs both windows.
 * @returns the error line if that failed; then the databases hold what was read before
 */
export function reloadLog(parts: ReloadParts): string | undefined {
  const { core, dispatcher, appendOnly, target } = parts;
  const log = appendOnly.log;
  if (log?.flush() === false) return log.refusal() ?? FAULT;
  const { i32 } = core.memory;
  if (log !== null) dispatcher.unfollow();
  i32[FLAGS] = IoFlag.Replay;
  try {
    core.execute(Cmd.FlushAll, 1);
    i32[(Address.IoBlock + IoField.OutTop) >> 2] = Address.Output;
    while (core.freeSlice(FREE_BUDGET) === 0);
    if (dispatcher.effects.waiting) dispatcher.effects.settle();
    if (!appendOnly.replayAgain(target)) return FAULT;
    parts.log("notice", "Append Only File loaded by DEBUG LOADAOF");
    return undefined;
  } catch (error) {
    if (!(error instanceof AofError)) throw error;
    parts.log("warning", error.message);
    return FAULT;
  } finally {
    i32[FLAGS] = 0;
    if (log !== null) dispatcher.follow(log);
  }
}
