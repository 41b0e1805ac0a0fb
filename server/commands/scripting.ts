/** Commands for Lua scripts and functions. */
import { containerCommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { arg, type CommandSpec, countedKeys, plannedCommand, serverCommand } from "./spec.ts";

/** [ASYNC | SYNC] of what is empty anyway. */
const flush =
  (fault: string) =>
  ({ args, reply }: CommandContext): void => {
    const fits = args.count === 2 || (args.count === 3 && /^a?sync$/.test(args.word(2)));
    if (fits) reply.ok();
    else reply.error(fault);
  };

const nothingRuns = ({ reply }: CommandContext): void =>
  reply.error("NOTBUSY No scripts in execution right now.");

const noFunction = ({ reply }: CommandContext): void => reply.error("ERR Function not found");

const noLibrary = ({ reply }: CommandContext): void => reply.error("ERR Library not found");

function listLibraries({ args, reply }: CommandContext): void {
  for (let i = 2; i < args.count; i++) {
    const option = args.word(i);
    if (option === "withcode") continue;
    if (option !== "libraryname") return reply.error(`ERR Unknown argument ${args.text(i)}`);
    if (++i === args.count) return reply.error("ERR library name argument was not given");
  }
  reply.array(0);
}

/** No function runs, and there is no engine that could run one. */
function functionStats({ reply }: CommandContext): void {
  reply.map(2);
  reply.bulk("running_script");
  reply.nil();
  reply.bulk("engines");
  reply.map(0);
}

function scriptsExist({ args, reply }: CommandContext): void {
  reply.array(args.count - 2);
  for (let i = 2; i < args.count; i++) reply.integer(0);
}

export const SCRIPTING_COMMANDS: readonly CommandSpec[] = [
  plannedCommand({
    name: "eval",
    group: "scripting",
    since: "2.6.0",
    arity: -3,
    flags: ["noscript", "stale", "skip_monitor", "may_replicate", "no_mandatory_keys"],
    keys: [
      {
        flags: ["RW", "access", "update"],
        begin: { index: 2 },
        find: { keyNum: 0, firstKey: 1, step: 1 },
        notes: "The script decides: the most it may do is assumed",
      },
    ],
    summary: "Runs a Lua script.",
    complexity: "Depends on the script.",
    args: [
      arg.string("script"),
      arg.integer("numkeys"),
      arg.key("key", { optional: true, multiple: true }),
      arg.string("arg", { optional: true, multiple: true }),
    ],
  }),
  plannedCommand({
    name: "eval_ro",
    group: "scripting",
    since: "7.0.0",
    arity: -3,
    flags: ["readonly", "noscript", "stale", "skip_monitor", "no_mandatory_keys"],
    keys: [
      {
        flags: ["RO", "access"],
        begin: { index: 2 },
        find: { keyNum: 0, firstKey: 1, step: 1 },
        notes: "The script decides: the most it may do is assumed",
      },
    ],
    summary: "Runs a Lua script that may only read.",
    complexity: "Depends on the script.",
    args: [
      arg.string("script"),
      arg.integer("numkeys"),
      arg.key("key", { optional: true, multiple: true }),
      arg.string("arg", { optional: true, multiple: true }),
    ],
  }),
  plannedCommand({
    name: "evalsha",
    group: "scripting",
    since: "2.6.0",
    arity: -3,
    flags: ["noscript", "stale", "skip_monitor", "may_replicate", "no_mandatory_keys"],
    keys: [countedKeys(2, "RW", "access", "update")],
    summary: "Runs a Lua script that is known, by its SHA1.",
    complexity: "Depends on the script.",
    args: [
      arg.string("sha1"),
      arg.integer("numkeys"),
      arg.key("key", { optional: true, multiple: true }),
      arg.string("arg", { optional: true, multiple: true }),
    ],
  }),
  plannedCommand({
    name: "evalsha_ro",
    group: "scripting",
    since: "7.0.0",
    arity: -3,
    flags: ["readonly", "noscript", "stale", "skip_monitor", "no_mandatory_keys"],
    keys: [countedKeys(2, "RO", "access")],
    summary: "Runs a Lua script that is known and may only read, by its SHA1.",
    complexity: "Depends on the script.",
    args: [
      arg.string("sha1"),
      arg.integer("numkeys"),
      arg.key("key", { optional: true, multiple: true }),
      arg.string("arg", { optional: true, multiple: true }),
    ],
  }),
  serverCommand({
    name: "fcall",
    group: "scripting",
    since: "7.0.0",
    arity: -3,
    flags: ["noscript", "stale", "skip_monitor", "may_replicate", "no_mandatory_keys"],
    keys: [
      {
        flags: ["RW", "access", "update"],
        begin: { index: 2 },
        find: { keyNum: 0, firstKey: 1, step: 1 },
        notes: "The function decides: the most it may do is assumed",
      },
    ],
    summary: "Calls a function of a library.",
    complexity: "Depends on the function.",
    args: [
      arg.string("function"),
      arg.integer("numkeys"),
      arg.key("key", { optional: true, multiple: true }),
      arg.string("arg", { optional: true, multiple: true }),
    ],
    handler: noFunction,
  }),
  serverCommand({
    name: "fcall_ro",
    group: "scripting",
    since: "7.0.0",
    arity: -3,
    flags: ["readonly", "noscript", "stale", "skip_monitor", "no_mandatory_keys"],
    keys: [
      {
        flags: ["RO", "access"],
        begin: { index: 2 },
        find: { keyNum: 0, firstKey: 1, step: 1 },
        notes: "The function decides: the most it may do is assumed",
      },
    ],
    summary: "Calls a function of a library that may only read.",
    complexity: "Depends on the function.",
    args: [
      arg.string("function"),
      arg.integer("numkeys"),
      arg.key("key", { optional: true, multiple: true }),
      arg.string("arg", { optional: true, multiple: true }),
    ],
    handler: noFunction,
  }),
  containerCommand({
    name: "function",
    group: "scripting",
    since: "7.0.0",
    arity: -2,
    flags: [],
    summary: "Commands about libraries of functions.",
    helpSince: "7.0.0",
    subcommands: [
      serverCommand({
        name: "delete",
        group: "scripting",
        since: "7.0.0",
        arity: 3,
        flags: ["write", "noscript"],
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Deletes a library and its functions.",
        complexity: "O(1)",
        args: [arg.string("library-name")],
        handler: noLibrary,
      }),
      plannedCommand({
        name: "dump",
        group: "scripting",
        since: "7.0.0",
        arity: 2,
        flags: ["noscript"],
        summary: "Answers all libraries in serialized form.",
        complexity: "O(N) for N functions",
      }),
      serverCommand({
        name: "flush",
        group: "scripting",
        since: "7.0.0",
        arity: -2,
        flags: ["write", "noscript"],
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Deletes all libraries.",
        complexity: "O(N) for N functions",
        args: [
          arg.oneof("flush-type", [arg.token("ASYNC"), arg.token("SYNC")], { optional: true }),
        ],
        handler: flush("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"),
      }),
      serverCommand({
        name: "kill",
        group: "scripting",
        since: "7.0.0",
        arity: 2,
        flags: ["noscript", "allow_busy"],
        tips: ["request_policy:all_shards", "response_policy:one_succeeded"],
        summary: "Stops the function that is running.",
        complexity: "O(1)",
        handler: nothingRuns,
      }),
      serverCommand({
        name: "list",
        group: "scripting",
        since: "7.0.0",
        arity: -2,
        flags: ["noscript"],
        tips: ["nondeterministic_output_order"],
        summary: "Describes the libraries.",
        complexity: "O(N) for N functions",
        args: [
          arg.string("library-name-pattern", { token: "LIBRARYNAME", optional: true }),
          arg.token("WITHCODE", { optional: true }),
        ],
        handler: listLibraries,
      }),
      plannedCommand({
        name: "load",
        group: "scripting",
        since: "7.0.0",
        arity: -3,
        flags: ["write", "denyoom", "noscript"],
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Makes a library from its code.",
        complexity: "O(1), compilation not counted",
        args: [arg.token("REPLACE", { optional: true }), arg.string("function-code")],
      }),
      plannedCommand({
        name: "restore",
        group: "scripting",
        since: "7.0.0",
        arity: -3,
        flags: ["write", "denyoom", "noscript"],
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Makes libraries of their serialized form.",
        complexity: "O(N) for N functions",
        args: [
          arg.string("serialized-value"),
          arg.oneof("policy", [arg.token("FLUSH"), arg.token("APPEND"), arg.token("REPLACE")], {
            optional: true,
          }),
        ],
      }),
      serverCommand({
        name: "stats",
        group: "scripting",
        since: "7.0.0",
        arity: 2,
        flags: ["noscript", "allow_busy"],
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Describes the function that is running and the engines.",
        complexity: "O(1)",
        handler: functionStats,
      }),
    ],
  }),
  containerCommand({
    name: "script",
    group: "scripting",
    since: "2.6.0",
    arity: -2,
    flags: [],
    summary: "Commands about Lua scripts.",
    subcommands: [
      plannedCommand({
        name: "debug",
        group: "scripting",
        since: "3.2.0",
        arity: 3,
        flags: ["noscript"],
        summary: "Chooses how scripts of this connection are debugged.",
        complexity: "O(1)",
        args: [arg.oneof("mode", [arg.token("YES"), arg.token("SYNC"), arg.token("NO")])],
      }),
      serverCommand({
        name: "exists",
        group: "scripting",
        since: "2.6.0",
        arity: -3,
        flags: ["noscript"],
        tips: ["request_policy:all_shards", "response_policy:agg_logical_and"],
        summary: "Tells which scripts are known, by their SHA1.",
        complexity: "O(N) for N scripts",
        args: [arg.string("sha1", { multiple: true })],
        handler: scriptsExist,
      }),
      serverCommand({
        name: "flush",
        group: "scripting",
        since: "2.6.0",
        arity: -2,
        flags: ["noscript"],
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        summary: "Forgets all scripts.",
        complexity: "O(N) for N scripts",
        history: [["6.2.0", "Added `ASYNC` and `SYNC`."]],
        args: [
          arg.oneof("flush-type", [arg.token("ASYNC"), arg.token("SYNC")], {
            since: "6.2.0",
            optional: true,
          }),
        ],
        handler: flush("ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
      }),
      serverCommand({
        name: "kill",
        group: "scripting",
        since: "2.6.0",
        arity: 2,
        flags: ["noscript", "allow_busy"],
        tips: ["request_policy:all_shards", "response_policy:one_succeeded"],
        summary: "Stops the script that is running.",
        complexity: "O(1)",
        handler: nothingRuns,
      }),
      plannedCommand({
        name: "load",
        group: "scripting",
        since: "2.6.0",
        arity: 3,
        flags: ["noscript", "stale"],
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        summary: "Makes a script known without running it.",
        complexity: "O(N) for N bytes of the script",
        args: [arg.string("script")],
      }),
    ],
  }),
];
