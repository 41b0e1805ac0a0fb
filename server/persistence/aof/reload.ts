/** DEBUG LOADAOF: the databases as the append-only files have them. Test suites compare them with what was there before. */
import { Address, Cmd, IoField, IoFlag } from "../../../core-wasm/abi.ts";
import type { Core } from "../../core/core.ts";
import type { Dispatcher } from "../../dispatch/dispatch.ts";
import { AofError } from "./errors.ts";
import { type AppendLog, type LoadSource, replayFiles } from "./log.ts";

const FLAGS = (Address.IoBlock + IoField.Flags) >> 2;
const FREE_BUDGET = 1 << 20;
const FAULT = "ERR Error trying to load the AOF files, check server logs.";

interface ReloadParts {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  /** Undefined without a log: then whatever files there are are replayed. */
  readonly log: AppendLog | undefined;
  readonly source: LoadSource;
}

/**
 * Empties all databases and replays the files. No chunk is being served, and the output window is empty: the replay needs both windows.
 * @returns the error line if that failed; then the databases hold what was read before
 */
export function reloadLog({ core, dispatcher, log, source }: ReloadParts): string | undefined {
  if (log !== undefined && !log.flush()) return log.refusal() ?? FAULT;
  const { i32 } = core.memory;
  if (log !== undefined) dispatcher.unfollow();
  i32[FLAGS] = IoFlag.Replay;
  try {
    core.execute(Cmd.FlushAll, 1);
    i32[(Address.IoBlock + IoField.OutTop) >> 2] = Address.Output;
    while (core.freeSlice(FREE_BUDGET) === 0);
    if (dispatcher.effects.waiting) dispatcher.effects.settle();
    if (!replayFiles(source)) return FAULT;
    source.log("notice", "Append Only File loaded by DEBUG LOADAOF");
    return undefined;
  } catch (error) {
    if (!(error instanceof AofError)) throw error;
    source.log("warning", error.message);
    return FAULT;
  } finally {
    i32[FLAGS] = 0;
    if (log !== undefined) dispatcher.follow(log);
  }
}
