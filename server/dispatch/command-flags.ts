/** What the dispatcher has to know of a command, in one word: the core's bits (abi.ts `CommandFlag`), and above them those of here. */
import { type CommandFlag, coreFlags } from "../commands/spec.ts";
import type { CommandRow } from "../commands/table.ts";

export const NO_AUTH = 64;
/** Its time is taken call by call; that of the others, which are brief, per run of calls. */
export const TIMED_ALONE = 128;
/** What is executed is the subcommand that word 1 names. */
export const CONTAINER = 256;
/** Not allowed between MULTI and EXEC. */
export const NO_MULTI = 512;
/** Runs between MULTI and EXEC too, where others are queued. */
export const NEVER_QUEUED = 1024;
export const EXEC = 2048;
/** A way out of a transaction, which want of memory must not bar. */
export const LEAVES_MULTI = 4096;
/** Refused like a write while the log cannot be written, so that who asks for the server's health learns of it. */
export const TELLS_HEALTH = 32768;
/** Reads or writes keys, or may. */
export const TOUCHES_KEYS = 8192;
/** Held back by CLIENT PAUSE WRITE. */
export const MAY_REPLICATE = 16384;
/** Refused while the dataset is being loaded. */
export const NOT_WHILE_LOADING = 65536;

const NEVER_QUEUED_NAMES = new Set(["exec", "discard", "multi", "watch", "quit", "reset"]);
const LEAVES_MULTI_NAMES = new Set(["discard", "quit", "reset"]);
/** Not `fast` for Redis, but they take what copying their value takes, and the input window bounds that. */
const BRIEF_NAMES = new Set(["set", "setex", "psetex"]);
const TOUCHING_FLAGS: readonly CommandFlag[] = ["readonly", "write", "may_replicate"];

/** Of a command, or of a container for its name alone. */
export function flagsOf({ spec, container }: CommandRow): number {
  const named = (names: ReadonlySet<string>, flag: number) =>
    container === undefined && names.has(spec.name) ? flag : 0;
  const isBrief = spec.flags.includes("fast") || named(BRIEF_NAMES, 1) !== 0;
  return (
    coreFlags(spec) |
    (spec.flags.includes("no_auth") ? NO_AUTH : 0) |
    (isBrief ? 0 : TIMED_ALONE) |
    (spec.subcommands !== undefined ? CONTAINER : 0) |
    (spec.flags.includes("write") || spec.flags.includes("may_replicate") ? MAY_REPLICATE : 0) |
    (spec.flags.includes("no_multi") ? NO_MULTI : 0) |
    (TOUCHING_FLAGS.some((flag) => spec.flags.includes(flag)) ? TOUCHES_KEYS : 0) |
    (spec.flags.includes("loading") ? 0 : NOT_WHILE_LOADING) |
    named(NEVER_QUEUED_NAMES, NEVER_QUEUED) |
    named(LEAVES_MULTI_NAMES, LEAVES_MULTI) |
    named(new Set(["exec"]), EXEC) |
    named(new Set(["ping"]), TELLS_HEALTH)
  );
}
