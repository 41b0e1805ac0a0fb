/** Commands about users and their rights. */
import { createHash, randomBytes } from "node:crypto";
import { ACL_CATEGORIES, aclCategories } from "./acl-categories.ts";
import { writeNames } from "./command-reply.ts";
import { containerCommand, subcommandFault } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { arg, type CommandSpec, plannedCommand, serverCommand } from "./spec.ts";
import { printed } from "./words.ts";

const PASSWORD_BITS = 256;
const PASSWORD_BITS_MAX = 4096;

/** The one user there is; what it may is everything. */
const userNames = ({ reply }: CommandContext): void => {
  reply.array(1);
  reply.bulk("default");
};

const whoAmI = ({ reply, client }: CommandContext): void => reply.bulk(client.user);

/** SHA-256 of the default user's password as ACL rules write it, or undefined if it needs none. */
function passwordHash({ config }: CommandContext): string | undefined {
  const password = config.get("requirepass");
  return password === "" ? undefined : createHash("sha256").update(password).digest("hex");
}

function listUsers(context: CommandContext): void {
  const { reply } = context;
  const hash = passwordHash(context);
  reply.array(1);
  reply.bulk(
    `user default on ${hash === undefined ? "nopass" : `#${hash}`} sanitize-payload ~* &* +@all`,
  );
}

function describeUser(context: CommandContext): void {
  const { args, reply } = context;
  if (args.text(2) !== "default") return reply.nil();
  const hash = passwordHash(context);
  reply.map(6);
  reply.bulk("flags");
  const flags = ["on", ...(hash === undefined ? ["nopass"] : []), "sanitize-payload"];
  reply.set(flags.length);
  for (const flag of flags) reply.bulk(flag);
  reply.bulk("passwords");
  reply.array(hash === undefined ? 0 : 1);
  if (hash !== undefined) reply.bulk(hash);
  for (const [name, rule] of Object.entries({ commands: "+@all", keys: "~*", channels: "&*" })) {
    reply.bulk(name);
    reply.bulk(rule);
  }
  reply.bulk("selectors");
  reply.array(0);
}

/** CAT: all categories, or the commands and subcommands of one. */
function categories(context: CommandContext): void {
  const { args, reply, commands } = context;
  if (args.count > 3) return subcommandFault(context);
  if (args.count === 2) return writeNames(reply, ACL_CATEGORIES);
  const wanted = args.word(2);
  if (!ACL_CATEGORIES.some((category) => category === wanted))
    return reply.error(`ERR Unknown category '${printed(args.text(2))}'`);
  const isOf = (spec: CommandSpec) => aclCategories(spec).some((category) => category === wanted);
  writeNames(
    reply,
    commands.rows.filter(({ spec }) => isOf(spec)).map(({ name }) => name),
  );
}

function generatePassword(context: CommandContext): void {
  const { args, reply } = context;
  if (args.count > 3) return subcommandFault(context);
  const bits = args.count === 3 ? args.integer(2) : PASSWORD_BITS;
  if (bits === undefined) return reply.error("ERR value is not an integer or out of range");
  if (bits <= 0 || bits > PASSWORD_BITS_MAX)
    return reply.error(
      `ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to ${PASSWORD_BITS_MAX}`,
    );
  const digits = Math.ceil(bits / 4);
  reply.bulk(
    randomBytes(Math.ceil(digits / 2))
      .toString("hex")
      .slice(0, digits),
  );
}

const noUserFile = ({ reply }: CommandContext): void =>
  reply.error(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
  );

export const ACL_COMMANDS: readonly CommandSpec[] = [
  containerCommand({
    name: "acl",
    group: "server",
    since: "6.0.0",
    arity: -2,
    flags: [],
    summary: "Commands about users and their rights.",
    helpSince: "6.0.0",
    subcommands: [
      serverCommand({
        name: "cat",
        group: "server",
        since: "6.0.0",
        arity: -2,
        flags: ["noscript", "loading", "stale"],
        summary: "Answers the categories of commands, or the commands of one.",
        complexity: "O(1): what there is to tell is fixed",
        args: [arg.string("category", { optional: true })],
        handler: categories,
      }),
      plannedCommand({
        name: "deluser",
        group: "server",
        since: "6.0.0",
        arity: -3,
        flags: ["admin", "noscript", "loading", "stale"],
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        summary: "Deletes users and closes their connections.",
        complexity: "O(1) for each user",
        args: [arg.string("username", { multiple: true })],
      }),
      plannedCommand({
        name: "dryrun",
        group: "server",
        since: "7.0.0",
        arity: -4,
        flags: ["admin", "noscript", "loading", "stale"],
        summary: "Tells whether a user may run a command, without running it.",
        complexity: "O(1)",
        args: [
          arg.string("username"),
          arg.string("command"),
          arg.string("arg", { optional: true, multiple: true }),
        ],
      }),
      serverCommand({
        name: "genpass",
        group: "server",
        since: "6.0.0",
        arity: -2,
        flags: ["noscript", "loading", "stale"],
        summary: "Makes a random password.",
        complexity: "O(1)",
        args: [arg.integer("bits", { optional: true })],
        handler: generatePassword,
      }),
      serverCommand({
        name: "getuser",
        group: "server",
        since: "6.0.0",
        arity: 3,
        flags: ["admin", "noscript", "loading", "stale"],
        summary: "Describes the rights of a user.",
        complexity: "O(N) for N rules of the user",
        history: [
          ["6.2.0", "Added patterns of channels."],
          ["7.0.0", "Added selectors; key and channel patterns are answered as rules."],
        ],
        args: [arg.string("username")],
        handler: describeUser,
      }),
      serverCommand({
        name: "list",
        group: "server",
        since: "6.0.0",
        arity: 2,
        flags: ["admin", "noscript", "loading", "stale"],
        summary: "Answers the users as rules.",
        complexity: "O(N) for N users",
        handler: listUsers,
      }),
      serverCommand({
        name: "load",
        group: "server",
        since: "6.0.0",
        arity: 2,
        flags: ["admin", "noscript", "loading", "stale"],
        summary: "Reads the users from their file again.",
        complexity: "O(N) for N users",
        handler: noUserFile,
      }),
      plannedCommand({
        name: "log",
        group: "server",
        since: "6.0.0",
        arity: -2,
        flags: ["admin", "noscript", "loading", "stale"],
        summary: "Answers what was denied lately, or forgets it.",
        complexity: "O(N) for N entries",
        history: [["7.2.0", "Added the entry ID and the times of creation and last update."]],
        args: [
          arg.oneof("operation", [arg.integer("count"), arg.token("RESET")], { optional: true }),
        ],
      }),
      serverCommand({
        name: "save",
        group: "server",
        since: "6.0.0",
        arity: 2,
        flags: ["admin", "noscript", "loading", "stale"],
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        summary: "Writes the users to their file.",
        complexity: "O(N) for N users",
        handler: noUserFile,
      }),
      plannedCommand({
        name: "setuser",
        group: "server",
        since: "6.0.0",
        arity: -3,
        flags: ["admin", "noscript", "loading", "stale"],
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        summary: "Makes a user or changes its rights.",
        secrets: "behind-subcommand",
        complexity: "O(N) for N rules",
        history: [
          ["6.2.0", "Added patterns of channels."],
          ["7.0.0", "Added selectors and rights for keys."],
        ],
        args: [arg.string("username"), arg.string("rule", { optional: true, multiple: true })],
      }),
      serverCommand({
        name: "users",
        group: "server",
        since: "6.0.0",
        arity: 2,
        flags: ["admin", "noscript", "loading", "stale"],
        summary: "Answers the names of the users.",
        complexity: "O(N) for N users",
        handler: userNames,
      }),
      serverCommand({
        name: "whoami",
        group: "server",
        since: "6.0.0",
        arity: 2,
        flags: ["noscript", "loading", "stale"],
        summary: "Answers the user of this connection.",
        complexity: "O(1)",
        handler: whoAmI,
      }),
    ],
  }),
];
