/** COMMAND and its subcommands: the table of commands, told to clients. */
import { compileGlob } from "../config/glob.ts";
import { aclCategories } from "./acl-categories.ts";
import { writeDocs, writeInfo, writeKeyFlags, writeNames } from "./command-reply.ts";
import { helpSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { findKeys, hasKeys } from "./key-positions.ts";
import { fitsArity, resolveName, resolveWords } from "./resolve.ts";
import { arg, type CommandSpec, serverCommand } from "./spec.ts";
import type { CommandRow } from "./table.ts";
import { helpLines } from "./usage.ts";
import { wordsFrom } from "./words.ts";

/** The commands without their subcommands. */
function topLevel({ commands }: CommandContext): readonly CommandRow[] {
  return commands.named.filter(({ container }) => container === undefined);
}

function infoOfAll(context: CommandContext): void {
  const { reply } = context;
  const found = topLevel(context);
  reply.array(found.length);
  for (const { spec, name } of found) writeInfo(reply, spec, name);
}

function info(context: CommandContext): void {
  const { reply, commands } = context;
  const names = wordsFrom(context, 2);
  if (names.length === 0) return infoOfAll(context);
  reply.array(names.length);
  for (const name of names) {
    const found = resolveName(commands, name);
    if (found === undefined) reply.nil();
    else writeInfo(reply, found.spec, found.name);
  }
}

function docs(context: CommandContext): void {
  const { reply, commands } = context;
  const names = wordsFrom(context, 2);
  const found =
    names.length === 0
      ? topLevel(context)
      : names.flatMap((name) => resolveName(commands, name) ?? []);
  reply.map(found.length);
  for (const { spec, name } of found) writeDocs(reply, spec, name);
}

/** What FILTERBY lets through; undefined if there is no such filter. */
function listFilter(by: string, value: string): ((row: CommandRow) => boolean) | undefined {
  switch (by) {
    case "module":
      return () => false;
    case "aclcat": {
      const wanted = value.toLowerCase();
      return ({ spec }) => aclCategories(spec).some((category) => category === wanted);
    }
    case "pattern": {
      const glob = compileGlob(value.toLowerCase());
      return ({ name }) => glob.test(name);
    }
    default:
      return undefined;
  }
}

function listNames({ args, reply, commands }: CommandContext): void {
  const everything = () => true;
  const filtered = args.count === 5 && args.word(2) === "filterby";
  const wanted = filtered ? listFilter(args.word(3), args.text(4)) : everything;
  if (wanted === undefined || (args.count > 2 && !filtered)) return reply.error("ERR syntax error");
  writeNames(
    reply,
    commands.named.filter(wanted).map(({ name }) => name),
  );
}

function getKeys(context: CommandContext, withFlags: boolean): void {
  const { reply, commands } = context;
  const argv = wordsFrom(context, 2);
  const spec = resolveWords(commands, argv)?.spec;
  if (spec === undefined) return reply.error("ERR Invalid command specified");
  if (!hasKeys(spec)) return reply.error("ERR The command has no key arguments");
  if (!fitsArity(spec, argv.length))
    return reply.error("ERR Invalid number of arguments specified for command");
  const found = findKeys(spec, argv);
  if (found.length === 0 && !spec.flags.includes("no_mandatory_keys"))
    return reply.error("ERR Invalid arguments specified for command");
  reply.array(found.length);
  for (const { index, flags } of found) {
    if (withFlags) reply.array(2);
    reply.bulk(argv[index]!);
    if (withFlags) writeKeyFlags(reply, flags);
  }
}

interface Row {
  name: string;
  since: string;
  arity: number;
  summary: string;
  complexity: string;
  more?: Partial<CommandSpec>;
  handler: (context: CommandContext) => void;
}

const sub = ({ more, ...row }: Row): CommandSpec =>
  serverCommand({
    ...row,
    group: "server",
    flags: ["loading", "stale"],
    acl: ["connection"],
    ...more,
  });

const ABOUT_MANY: Partial<CommandSpec> = {
  tips: ["nondeterministic_output_order"],
  args: [arg.string("command-name", { optional: true, multiple: true })],
};
const A_COMMAND: Partial<CommandSpec> = {
  args: [arg.string("command"), arg.string("arg", { optional: true, multiple: true })],
};

const SUBCOMMANDS: readonly CommandSpec[] = [
  sub({
    name: "count",
    since: "2.8.13",
    arity: 2,
    summary: "Counts the commands.",
    complexity: "O(1)",
    handler: (context) => context.reply.integer(topLevel(context).length),
  }),
  sub({
    name: "list",
    since: "7.0.0",
    arity: -2,
    summary: "Answers the names of commands.",
    complexity: "O(N) for N commands",
    more: {
      tips: ["nondeterministic_output_order"],
      args: [
        arg.oneof(
          "filterby",
          [
            arg.string("module-name", { token: "MODULE" }),
            arg.string("category", { token: "ACLCAT" }),
            arg.pattern("pattern", { token: "PATTERN" }),
          ],
          { token: "FILTERBY", optional: true },
        ),
      ],
    },
    handler: listNames,
  }),
  sub({
    name: "info",
    since: "2.8.13",
    arity: -2,
    summary: "Answers what commands need.",
    complexity: "O(N) for N commands asked for",
    more: { ...ABOUT_MANY, history: [["7.0.0", "Without a name: about all commands."]] },
    handler: info,
  }),
  sub({
    name: "docs",
    since: "7.0.0",
    arity: -2,
    summary: "Answers what commands are for.",
    complexity: "O(N) for N commands asked for",
    more: ABOUT_MANY,
    handler: docs,
  }),
  sub({
    name: "getkeys",
    since: "2.8.13",
    arity: -3,
    summary: "Finds the keys of a command.",
    complexity: "O(N) for N arguments",
    more: A_COMMAND,
    handler: (context) => getKeys(context, false),
  }),
  sub({
    name: "getkeysandflags",
    since: "7.0.0",
    arity: -3,
    summary: "Finds the keys of a command, and what it does to each.",
    complexity: "O(N) for N arguments",
    more: A_COMMAND,
    handler: (context) => getKeys(context, true),
  }),
];
const WITH_HELP: readonly CommandSpec[] = [
  ...SUBCOMMANDS,
  { ...helpSubcommand("server", helpLines("command", SUBCOMMANDS)), acl: ["connection"] },
];

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
    complexity: "O(N) for N commands",
    subcommands: WITH_HELP,
    handler: infoOfAll,
  }),
];
