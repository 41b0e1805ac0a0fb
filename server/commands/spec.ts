/**
 * What a command is, as data. Arity check, key extraction, ACL categories, COMMAND, COMMAND DOCS/INFO/GETKEYS, the
 * docs' table, the option fuzzer and the reply-shape check all derive from these rows.
 */
import { type Cmd, CommandFlag as CoreFlag } from "../../core-wasm/abi.ts";
import type { CommandContext } from "./context.ts";

export type CommandGroup =
  | "generic"
  | "string"
  | "list"
  | "set"
  | "sorted-set"
  | "hash"
  | "pubsub"
  | "transactions"
  | "connection"
  | "server"
  | "scripting"
  | "hyperloglog"
  | "cluster"
  | "sentinel"
  | "geo"
  | "stream"
  | "bitmap";

/** Flag names as COMMAND INFO spells them. */
export type CommandFlag =
  | "write"
  | "readonly"
  | "denyoom"
  | "module"
  | "admin"
  | "pubsub"
  | "noscript"
  | "blocking"
  | "loading"
  | "stale"
  | "skip_monitor"
  | "skip_slowlog"
  | "asking"
  | "fast"
  | "no_auth"
  | "may_replicate"
  | "no_mandatory_keys"
  | "no_async_loading"
  | "no_multi"
  | "allow_busy"
  | "movablekeys"
  | "protected"
  | "sentinel"
  | "only_sentinel";

/** ACL categories that do not follow from flags and group. */
export type AclCategory =
  | "keyspace"
  | "read"
  | "write"
  | "set"
  | "sortedset"
  | "list"
  | "hash"
  | "string"
  | "bitmap"
  | "hyperloglog"
  | "geo"
  | "stream"
  | "pubsub"
  | "admin"
  | "fast"
  | "slow"
  | "blocking"
  | "dangerous"
  | "connection"
  | "transaction"
  | "scripting";

export type KeyFlag =
  | "RO"
  | "RW"
  | "OW"
  | "RM"
  | "access"
  | "update"
  | "insert"
  | "delete"
  | "not_key"
  | "incomplete"
  | "variable_flags";

/** One key specification as Redis 7 documents them: where keys begin, and how they go on. */
export interface KeySpec {
  flags: readonly KeyFlag[];
  begin: { index: number } | { keyword: string; startFrom: number } | "unknown";
  find:
    | { lastKey: number; step: number; limit: number }
    | { keyNum: number; firstKey: number; step: number }
    | "unknown";
  notes?: string;
}

/** A key among the words of a command. */
export interface FoundKey {
  index: number;
  flags: readonly KeyFlag[];
}

export type ArgType =
  | "string"
  | "integer"
  | "double"
  | "key"
  | "pattern"
  | "unix-time"
  | "pure-token"
  | "oneof"
  | "block";

export interface ArgSpec {
  name: string;
  type: ArgType;
  displayText?: string;
  keySpecIndex?: number;
  token?: string;
  summary?: string;
  since?: string;
  deprecatedSince?: string;
  optional?: boolean;
  multiple?: boolean;
  multipleToken?: boolean;
  args?: readonly ArgSpec[];
}

export interface CommandSpec {
  /** Lower case; a subcommand carries its own name only ("getname"). */
  name: string;
  group: CommandGroup;
  since: string;
  /** Redis's rule: n = exactly n words with the name, -n = at least n. */
  arity: number;
  flags: readonly CommandFlag[];
  /** The categories that its flags do not give; the one of its group if nothing is said. */
  acl?: readonly AclCategory[];
  tips?: readonly string[];
  keys?: readonly KeySpec[];
  /** Finds the keys where the specifications cannot tell (`unknown`, `incomplete`, `variable_flags`); none = a misfit. */
  findKeys?: (argv: readonly string[]) => readonly FoundKey[];
  summary: string;
  complexity: string;
  args?: readonly ArgSpec[];
  history?: readonly (readonly [since: string, change: string])[];
  deprecated?: { since: string; replacedBy: string };
  /** Not for applications: COMMAND DOCS says `syscmd`. */
  internal?: boolean;
  subcommands?: readonly CommandSpec[];
  /** Positions in argv that must not reach MONITOR, SLOWLOG or a log line. */
  secrets?: "all-arguments" | "behind-subcommand" | "after-auth" | "sensitive-directives";
  /** Set for a command of the core. */
  id?: Cmd;
  /** Set for a command of TypeScript's. A container command without one answers by its subcommands alone. */
  handler?: Handler;
}

/** What the core knows of a command's flags. */
export function coreFlags(spec: CommandSpec): number {
  const write = spec.flags.includes("write") ? CoreFlag.Write : 0;
  return write | (spec.flags.includes("denyoom") ? CoreFlag.DenyOom : 0);
}

export type Handler = (context: CommandContext) => void;

export function dataCommand(id: Cmd, spec: Omit<CommandSpec, "id" | "handler">): CommandSpec {
  return { ...spec, id };
}

export function serverCommand(spec: Omit<CommandSpec, "id">): CommandSpec {
  return spec;
}

export const notSupportedYet: Handler = ({ row, reply }) =>
  reply.error(`ERR ${row.name.toUpperCase().replace("|", " ")} is not supported yet`);

/** A command of Redis that is described and refused. Give it an id (`dataCommand`) or a handler (`serverCommand`). */
export function plannedCommand(spec: Omit<CommandSpec, "id" | "handler">): CommandSpec {
  return { ...spec, handler: notSupportedYet };
}

export function isPlanned(spec: CommandSpec): boolean {
  return spec.handler === notSupportedYet;
}

/** One key at argv[index]. */
export function keyAt(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { lastKey: 0, step: 1, limit: 0 } };
}

/** Keys from argv[first] on, every `step`-th word: up to `lastKey` words behind it, or from the end if that is negative. */
export function keyRange(
  first: number,
  lastKey: number,
  step: number,
  ...flags: KeyFlag[]
): KeySpec {
  return { flags, begin: { index: first }, find: { lastKey, step, limit: 0 } };
}

/** Keys behind their number, which is at argv[index]. */
export function countedKeys(index: number, ...flags: KeyFlag[]): KeySpec {
  return { flags, begin: { index }, find: { keyNum: 0, firstKey: 1, step: 1 } };
}

/** A single key at argv[1]. */
export function firstKey(...flags: KeyFlag[]): readonly KeySpec[] {
  return [keyAt(1, ...flags)];
}

/** Keys from argv[1] to the end, every `step`-th word. */
export function allKeys(step: number, ...flags: KeyFlag[]): readonly KeySpec[] {
  return [keyRange(1, -1, step, ...flags)];
}

type ArgOptions = Omit<ArgSpec, "name" | "type" | "args">;

const argOf =
  (type: ArgType) =>
  (name: string, options: ArgOptions = {}): ArgSpec => ({ name, type, ...options });
const argsOf =
  (type: ArgType) =>
  (name: string, args: readonly ArgSpec[], options: ArgOptions = {}): ArgSpec => ({
    name,
    type,
    args,
    ...options,
  });

/** Arguments by their type, for COMMAND DOCS and the hints of redis-cli. */
export const arg = {
  string: argOf("string"),
  integer: argOf("integer"),
  double: argOf("double"),
  pattern: argOf("pattern"),
  unixTime: argOf("unix-time"),
  oneof: argsOf("oneof"),
  block: argsOf("block"),
  /** A key of the first key specification, unless `keySpecIndex` says of which. */
  key: (name: string, options: ArgOptions = {}): ArgSpec => ({
    name,
    type: "key",
    keySpecIndex: 0,
    ...options,
  }),
  /** A word written as it is; its name is the word in lower case. */
  token: (token: string, options: ArgOptions & { name?: string } = {}): ArgSpec => ({
    name: token.toLowerCase(),
    type: "pure-token",
    token,
    ...options,
  }),
};
