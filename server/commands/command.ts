/** COMMAND and its subcommands: the table of commands, told to clients. */
import { compileGlob } from "../config/glob.ts";
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { aclCategories } from "./acl-categories.ts";
import { containerHandler, helpSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { keyPositions } from "./key-positions.ts";
import { type ArgSpec, type CommandSpec, type KeySpec, serverCommand } from "./spec.ts";

function writeStrings(reply: ReplyWriter, words: readonly string[], simple: boolean): void {
  reply.array(words.length);
  for (const word of words) simple ? reply.simple(word) : reply.bulk(word);
}

function fullName(spec: CommandSpec, parent?: CommandSpec): string {
  return parent === undefined ? spec.name : `${parent.name}|${spec.name}`;
}

function writeKeySpec(reply: ReplyWriter, spec: KeySpec): void {
  reply.map(spec.notes === undefined ? 3 : 4);
  if (spec.notes !== undefined) {
    reply.bulk("notes");
    reply.bulk(spec.notes);
  }
  reply.bulk("flags");
  writeStrings(reply, spec.flags, true);
  reply.bulk("begin_search");
  reply.map(2);
  reply.bulk("type");
  const { begin, find } = spec;
  writeNamed(
    reply,
    begin === "unknown" ? "unknown" : "index" in begin ? "index" : "keyword",
    begin,
  );
  reply.bulk("find_keys");
  reply.map(2);
  reply.bulk("type");
  writeNamed(reply, find === "unknown" ? "unknown" : "lastKey" in find ? "range" : "keynum", find);
}

const WIRE_NAMES: Record<string, string> = {
  lastKey: "lastkey",
  step: "keystep",
  keyNum: "keynumidx",
  firstKey: "firstkey",
  startFrom: "startfrom",
};

/** A type's name, then its fields as a map. */
function writeNamed(reply: ReplyWriter, type: string, fields: object | string): void {
  reply.bulk(type);
  reply.bulk("spec");
  const entries = typeof fields === "string" ? [] : Object.entries(fields);
  reply.map(entries.length);
  for (const [name, value] of entries) {
    reply.bulk(WIRE_NAMES[name] ?? name);
    if (typeof value === "number") reply.integer(value);
    else reply.bulk(String(value));
  }
}

/** First key, last key and step, the old way of COMMAND INFO. */
function legacyRange(spec: CommandSpec): [number, number, number] {
  const keys = spec.keys?.[0];
  if (keys === undefined || keys.begin === "unknown" || !("index" in keys.begin)) return [0, 0, 0];
  if (keys.find === "unknown" || !("lastKey" in keys.find)) return [0, 0, 0];
  const first = keys.begin.index;
  const last = keys.find.lastKey < 0 ? keys.find.lastKey : first + keys.find.lastKey;
  return [first, last, keys.find.step];
}

function writeInfo(reply: ReplyWriter, spec: CommandSpec, parent?: CommandSpec): void {
  reply.array(10);
  reply.bulk(fullName(spec, parent));
  reply.integer(spec.arity);
  reply.set(spec.flags.length);
  for (const flag of spec.flags) reply.simple(flag);
  for (const position of legacyRange(spec)) reply.integer(position);
  const categories = aclCategories(spec);
  reply.set(categories.length);
  for (const category of categories) reply.simple(`@${category}`);
  writeStrings(reply, spec.tips ?? [], false);
  reply.array(spec.keys?.length ?? 0);
  for (const keys of spec.keys ?? []) writeKeySpec(reply, keys);
  reply.array(spec.subcommands?.length ?? 0);
  for (const subcommand of spec.subcommands ?? []) writeInfo(reply, subcommand, spec);
}

function writeArg(reply: ReplyWriter, arg: ArgSpec): void {
  const flags = [
    ...(arg.optional ? ["optional"] : []),
    ...(arg.multiple ? ["multiple"] : []),
    ...(arg.multipleToken ? ["multiple_token"] : []),
  ];
  const texts: [string, string | undefined][] = [
    ["name", arg.name],
    ["type", arg.type],
    ["display_text", arg.args === undefined ? (arg.displayText ?? arg.name) : undefined],
    ["token", arg.token],
    ["summary", arg.summary],
    ["since", arg.since],
    ["deprecated_since", arg.deprecatedSince],
  ];
  const present = texts.filter(([, value]) => value !== undefined);
  const extra = [arg.keySpecIndex !== undefined, flags.length > 0, arg.args !== undefined];
  reply.map(present.length + extra.filter(Boolean).length);
  for (const [name, value] of present) {
    reply.bulk(name);
    reply.bulk(value!);
  }
  if (arg.keySpecIndex !== undefined) {
    reply.bulk("key_spec_index");
    reply.integer(arg.keySpecIndex);
  }
  if (flags.length > 0) {
    reply.bulk("flags");
    writeStrings(reply, flags, true);
  }
  if (arg.args === undefined) return;
  reply.bulk("arguments");
  reply.array(arg.args.length);
  for (const inner of arg.args) writeArg(reply, inner);
}

function writeDocs(reply: ReplyWriter, spec: CommandSpec, parent?: CommandSpec): void {
  reply.bulk(fullName(spec, parent));
  const parts: [string, () => void][] = [
    ["summary", () => reply.bulk(spec.summary)],
    ["since", () => reply.bulk(spec.since)],
    ["group", () => reply.bulk(spec.group)],
    ["complexity", () => reply.bulk(spec.complexity)],
  ];
  const { deprecated, history, args, subcommands } = spec;
  if (deprecated !== undefined) {
    parts.push(["doc_flags", () => writeStrings(reply, ["deprecated"], true)]);
    parts.push(["deprecated_since", () => reply.bulk(deprecated.since)]);
    parts.push(["replaced_by", () => reply.bulk(deprecated.replacedBy)]);
  }
  if (history !== undefined)
    parts.push([
      "history",
      () => {
        reply.array(history.length);
        for (const change of history) writeStrings(reply, change, false);
      },
    ]);
  if (args !== undefined)
    parts.push([
      "arguments",
      () => {
        reply.array(args.length);
        for (const arg of args) writeArg(reply, arg);
      },
    ]);
  if (subcommands !== undefined)
    parts.push([
      "subcommands",
      () => {
        reply.map(subcommands.length);
        for (const subcommand of subcommands) writeDocs(reply, subcommand, spec);
      },
    ]);
  reply.map(parts.length);
  for (const [name, write] of parts) {
    reply.bulk(name);
    write();
  }
}

/** The command of a name like "get" or "client|list". */
function named(context: CommandContext, name: string): [CommandSpec, CommandSpec?] | undefined {
  const [first = "", second] = name.toLowerCase().split("|");
  const spec = context.commands.specs[context.commands.indexOf(first)];
  if (spec === undefined || second === undefined) return spec && [spec];
  const subcommand = spec.subcommands?.find((candidate) => candidate.name === second);
  return subcommand && [subcommand, spec];
}

function wordsFrom({ args }: CommandContext, first: number): string[] {
  return Array.from({ length: Math.max(0, args.count - first) }, (_, i) => args.text(first + i));
}

function all({ reply, commands }: CommandContext): void {
  reply.array(commands.specs.length);
  for (const spec of commands.specs) writeInfo(reply, spec);
}

function info(context: CommandContext): void {
  const { reply } = context;
  const names = wordsFrom(context, 2);
  if (names.length === 0) return all(context);
  reply.array(names.length);
  for (const name of names) {
    const found = named(context, name);
    if (found === undefined) reply.nilArray();
    else writeInfo(reply, ...found);
  }
}

function docs(context: CommandContext): void {
  const { reply, commands } = context;
  const names = wordsFrom(context, 2);
  const found =
    names.length === 0
      ? commands.specs.map((spec): [CommandSpec, CommandSpec?] => [spec])
      : names.map((name) => named(context, name)).filter((spec) => spec !== undefined);
  reply.map(found.length);
  for (const spec of found) writeDocs(reply, ...spec);
}

function listNames(context: CommandContext): void {
  const { args, reply, commands } = context;
  let wanted: (spec: CommandSpec) => boolean = () => true;
  if (args.count > 2) {
    if (args.count !== 5 || args.word(2) !== "filterby") return reply.error("ERR syntax error");
    const value = args.text(4);
    const by = args.word(3);
    const glob = compileGlob(value.toLowerCase());
    if (by === "pattern") wanted = (spec) => glob.test(spec.name);
    else if (by === "aclcat")
      wanted = (spec) => aclCategories(spec).some((category) => category === value.toLowerCase());
    else if (by === "module") wanted = () => false;
    else return reply.error("ERR syntax error");
  }
  writeStrings(
    reply,
    commands.specs.filter(wanted).map((spec) => spec.name),
    false,
  );
}

function getKeys(context: CommandContext): void {
  const { reply } = context;
  const argv = wordsFrom(context, 2);
  const spec = named(context, argv[0] ?? "")?.[0];
  if (spec === undefined) return reply.error("ERR Invalid command specified");
  if (spec.keys === undefined) return reply.error("ERR The command has no key arguments");
  const fits = spec.arity >= 0 ? argv.length === spec.arity : argv.length >= -spec.arity;
  if (!fits) return reply.error("ERR Invalid number of arguments specified for command");
  const positions = keyPositions(spec, argv);
  if (positions.length === 0) return reply.error("ERR Invalid arguments specified for command");
  writeStrings(
    reply,
    positions.map((at) => argv[at]!),
    false,
  );
}

const sub = (
  name: string,
  since: string,
  arity: number,
  summary: string,
  handler: (context: CommandContext) => void,
): CommandSpec =>
  serverCommand({
    name,
    group: "server",
    since,
    arity,
    flags: ["loading", "stale"],
    acl: ["connection"],
    summary,
    complexity: "O(N) in the number of commands",
    handler,
  });

const helpOfCommand = (lines: readonly string[]): CommandSpec => ({
  ...helpSubcommand("server", lines),
  acl: ["connection"],
});

const SUBCOMMANDS: readonly CommandSpec[] = [
  sub("count", "2.8.13", 2, "Counts the commands.", ({ reply, commands }) =>
    reply.integer(commands.specs.length),
  ),
  sub("info", "2.8.13", -2, "Answers what commands need.", info),
  sub("docs", "7.0.0", -2, "Answers what commands are for.", docs),
  sub("list", "7.0.0", -2, "Answers the names of commands.", listNames),
  sub("getkeys", "2.8.13", -3, "Finds the keys of a command.", getKeys),
  helpOfCommand([
    "COMMAND [<subcommand> [<arg> ...]]. Without one: about all commands. Subcommands are:",
    "COUNT | LIST [FILTERBY <ACLCAT category | MODULE name | PATTERN glob>]",
    "INFO [<name> ...] | DOCS [<name> ...]",
    "GETKEYS <command with its arguments>",
  ]),
];
const container = containerHandler("command", SUBCOMMANDS);

export const COMMAND_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "command",
    group: "server",
    since: "2.8.13",
    arity: -1,
    flags: ["loading", "stale"],
    acl: ["connection"],
    tips: ["nondeterministic_output_order"],
    summary: "Answers what all commands need.",
    complexity: "O(N) in the number of commands",
    subcommands: SUBCOMMANDS,
    handler: (context) => (context.args.count === 1 ? all(context) : container(context)),
  }),
];
