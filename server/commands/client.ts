/** CLIENT and its subcommands: sessions, as data and by hand. */
import type { Client } from "../client/client.ts";
import { isClientName } from "./connection.ts";
import { helpSubcommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { type CommandSpec, serverCommand } from "./spec.ts";

const NAME_FAULT = "ERR Client names cannot contain spaces, newlines or special characters.";

/** One line of CLIENT LIST. */
function describe(client: Client, { services, commands }: CommandContext): string {
  const nowMs = services.clock.nowMs();
  const seconds = (sinceMs: number) => Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  const fields: [string, string | number][] = [
    ["id", client.id],
    ["addr", client.address],
    ["laddr", client.localAddress],
    ["fd", client.fd],
    ["name", client.name],
    ["age", seconds(client.createdAtMs)],
    ["idle", seconds(client.lastActiveMs)],
    ["flags", (client.noEvict ? "e" : "") + (client.noTouch ? "T" : "") || "N"],
    ["db", client.db],
    ["sub", 0],
    ["psub", 0],
    ["ssub", 0],
    ["multi", -1],
    ["qbuf", client.inputBytes()],
    ["omem", client.outputBytes()],
    ["tot-mem", client.inputBytes() + client.outputBytes()],
    ["cmd", client.lastCommand < 0 ? "NULL" : commands.rows[client.lastCommand]!.name],
    ["user", client.user],
    ["redir", -1],
    ["resp", client.protocol],
    ["lib-name", client.libName],
    ["lib-ver", client.libVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(" ");
}

function list(context: CommandContext): void {
  const { args, reply, clients } = context;
  let wanted: (client: Client) => boolean = () => true;
  if (args.count === 4 && args.word(2) === "type") {
    const type = args.word(3);
    if (!["normal", "master", "replica", "slave", "pubsub"].includes(type))
      return reply.error(`ERR Unknown client type '${args.text(3)}'`);
    wanted = () => type === "normal";
  } else if (args.count >= 4 && args.word(2) === "id") {
    const ids = new Set<number>();
    for (let i = 3; i < args.count; i++) {
      const id = args.integer(i);
      if (id === undefined || id <= 0) return reply.error("ERR Invalid client ID");
      ids.add(id);
    }
    wanted = (client) => ids.has(client.id);
  } else if (args.count > 2) return reply.error("ERR syntax error");
  const lines = [...clients.all()].filter(wanted).map((client) => `${describe(client, context)}\n`);
  reply.verbatim(lines.join(""), "txt");
}

function setInfo({ args, reply, client }: CommandContext): void {
  const attribute = args.word(2);
  const value = args.text(3);
  if (attribute !== "lib-name" && attribute !== "lib-ver")
    return reply.error(`ERR Unrecognized option '${args.text(2)}'`);
  if (!isClientName(value))
    return reply.error(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  if (attribute === "lib-name") client.libName = value;
  else client.libVersion = value;
  reply.ok();
}

type Filter = (client: Client) => boolean;

/** One filter of CLIENT KILL. @returns the error line if its value is wrong, undefined if there is no such filter */
function killFilter(
  option: string,
  value: string,
  context: CommandContext,
): Filter | string | undefined {
  switch (option) {
    case "id": {
      const id = Number(value);
      if (!/^\d+$/.test(value) || id <= 0) return "ERR client-id should be greater than 0";
      return (client) => client.id === id;
    }
    case "addr":
      return (client) => client.address === value;
    case "laddr":
      return (client) => client.localAddress === value;
    case "user":
      if (value !== "default") return `ERR No such user '${value}'`;
      return (client) => client.user === value;
    case "type": {
      const type = value.toLowerCase();
      if (!["normal", "master", "replica", "slave", "pubsub"].includes(type))
        return `ERR Unknown client type '${value}'`;
      return () => type === "normal";
    }
    case "maxage": {
      const age = Number(value);
      if (!/^\d+$/.test(value)) return "ERR maxage is not an integer or out of range";
      const bornBefore = context.services.clock.nowMs() - age * 1000;
      return (client) => client.createdAtMs <= bornBefore;
    }
    default:
      return undefined;
  }
}

/** @returns the filters and whether the caller is spared, or the error line */
function killFilters(context: CommandContext): { filters: Filter[]; skipMe: boolean } | string {
  const { args } = context;
  const filters: Filter[] = [];
  let skipMe = true;
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) return "ERR syntax error";
    const option = args.word(i);
    if (option === "skipme") {
      const value = args.word(i + 1);
      if (value !== "yes" && value !== "no") return "ERR syntax error";
      skipMe = value === "yes";
      continue;
    }
    const filter = killFilter(option, args.text(i + 1), context);
    if (filter === undefined) return "ERR syntax error";
    if (typeof filter === "string") return filter;
    filters.push(filter);
  }
  return { filters, skipMe };
}

function kill(context: CommandContext): void {
  const { args, reply, clients, client: caller, services } = context;
  const byAddress = args.count === 3;
  const found = byAddress
    ? { filters: [(client: Client) => client.address === args.text(2)], skipMe: false }
    : killFilters(context);
  if (typeof found === "string") return reply.error(found);
  const victims = [...clients.all()].filter(
    (client) =>
      !(found.skipMe && client === caller) && found.filters.every((filter) => filter(client)),
  );
  if (byAddress && victims.length === 0) return reply.error("ERR No such client");
  for (const victim of victims) services.closeClient(victim, victim === caller);
  if (byAddress) reply.ok();
  else reply.integer(victims.length);
}

function toggle(apply: (client: Client, on: boolean) => void) {
  return ({ args, reply, client }: CommandContext): void => {
    const word = args.word(2);
    if (word !== "on" && word !== "off") return reply.error("ERR syntax error");
    apply(client, word === "on");
    reply.ok();
  };
}

/** Those that reach into other connections. */
const ADMIN_SUBCOMMANDS = new Set(["list", "kill", "no-evict"]);
const DESCRIBING_SUBCOMMANDS = new Set(["list", "info"]);

const sub = (
  name: string,
  since: string,
  arity: number,
  summary: string,
  handler: (context: CommandContext) => void,
): CommandSpec =>
  serverCommand({
    name,
    group: "connection",
    since,
    arity,
    flags: ADMIN_SUBCOMMANDS.has(name)
      ? ["admin", "noscript", "loading", "stale"]
      : ["noscript", "loading", "stale"],
    acl: ["connection"],
    ...(DESCRIBING_SUBCOMMANDS.has(name) ? { tips: ["nondeterministic_output"] } : {}),
    summary,
    complexity: name === "list" || name === "kill" ? "O(N) in the number of clients" : "O(1)",
    handler,
  });

const SUBCOMMANDS: readonly CommandSpec[] = [
  sub("id", "5.0.0", 2, "Answers the connection's number.", ({ reply, client }) =>
    reply.integer(client.id),
  ),
  sub("setname", "2.6.9", 3, "Names the connection.", ({ args, reply, client }) => {
    const name = args.text(2);
    if (!isClientName(name)) return reply.error(NAME_FAULT);
    client.name = name;
    reply.ok();
  }),
  sub("getname", "2.6.9", 2, "Answers the connection's name.", ({ reply, client }) => {
    if (client.name === "") reply.nil();
    else reply.bulk(client.name);
  }),
  sub("setinfo", "7.2.0", 4, "Tells which library the connection is of.", setInfo),
  sub("info", "6.2.0", 2, "Describes the connection.", (context) =>
    context.reply.verbatim(`${describe(context.client, context)}\n`, "txt"),
  ),
  sub("list", "2.4.0", -2, "Describes the connections.", list),
  sub("kill", "2.4.0", -3, "Closes connections.", kill),
  sub(
    "no-touch",
    "7.2.0",
    3,
    "Lets the connection read without leaving a trace.",
    toggle((client, on) => {
      client.noTouch = on;
    }),
  ),
  sub(
    "no-evict",
    "7.0.0",
    3,
    "Spares the connection when clients use too much memory.",
    toggle((client, on) => {
      client.noEvict = on;
    }),
  ),
  helpSubcommand("connection", [
    "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "GETNAME | ID | INFO",
    "    About this connection.",
    "LIST [TYPE normal|master|replica|pubsub] [ID <id> ...]",
    "    About all of them.",
    "KILL <ip:port> | KILL <option> <value> ...",
    "    Closes those for which every option holds: ID, ADDR, LADDR, USER, TYPE, MAXAGE, SKIPME.",
    "SETNAME <name> | SETINFO <LIB-NAME|LIB-VER> <value>",
    "NO-TOUCH <ON|OFF> | NO-EVICT <ON|OFF>",
  ]),
];

export const CLIENT_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "client",
    group: "connection",
    since: "2.4.0",
    arity: -2,
    flags: [],
    summary: "Commands about connections.",
    complexity: "Depends on the subcommand.",
    subcommands: SUBCOMMANDS,
  }),
];
