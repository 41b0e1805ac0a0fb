/** CLIENT LIST, INFO and KILL: sessions as lines of text, and the choice of those to close. */
import type { Client, ClientType } from "../client/client.ts";
import { describeClient } from "../client/describe.ts";
import type { CommandContext } from "./context.ts";
import { parseInteger64 } from "./integers.ts";

/** The types by every name that clients may use for them. */
const TYPES: Readonly<Record<string, ClientType>> = {
  normal: "normal",
  slave: "replica",
  replica: "replica",
  pubsub: "pubsub",
  master: "master",
};

function clientLine(client: Client, context: CommandContext): string {
  const { services, commands } = context;
  const name = commands.rows[client.lastCommand]?.name ?? "NULL";
  const running = client === context.client ? runningCommand(context) : undefined;
  return describeClient(client, services.clock.nowMs(), name, running);
}

function runningCommand({ args, services }: CommandContext) {
  let argvBytes = 0;
  for (let i = 0; i < args.count; i++) argvBytes += args.bytes(i).length;
  return { argvBytes, replyBytes: services.pendingReplyBytes() };
}

export function info(context: CommandContext): void {
  context.reply.verbatim(`${clientLine(context.client, context)}\n`, "txt");
}

/** https://redis.io/commands/client-list */
export function list(context: CommandContext): void {
  const chosen = listed(context);
  if (typeof chosen === "string") return context.reply.error(chosen);
  const lines = chosen.map((client) => `${clientLine(client, context)}\n`);
  context.reply.verbatim(lines.join(""), "txt");
}

/** @returns the clients that LIST is asked for, or the error line */
function listed({ args, clients }: CommandContext): Client[] | string {
  if (args.count === 2) return [...clients.all()];
  const option = args.word(2);
  if (option === "type" && args.count === 4) {
    const type = TYPES[args.word(3)];
    if (type === undefined) return `ERR Unknown client type '${args.text(3)}'`;
    return [...clients.all()].filter((client) => client.type === type);
  }
  if (option !== "id" || args.count === 3) return "ERR syntax error";
  const chosen: Client[] = [];
  for (let i = 3; i < args.count; i++) {
    const id = parseInteger64(args.text(i));
    if (id === undefined) return "ERR Invalid client ID";
    const client = clients.get(Number(id));
    if (client !== undefined) chosen.push(client);
  }
  return chosen;
}

/** What KILL's options say; of one that is given twice the last counts. */
interface KillFilters {
  id?: number;
  type?: ClientType;
  user?: string;
  addr?: string;
  laddr?: string;
  bornBeforeMs?: number;
  skipMe: boolean;
}

/** https://redis.io/commands/client-kill */
export function kill(context: CommandContext): void {
  const { args, reply, clients, client: caller, services } = context;
  // The old form names one address, and may mean the caller.
  const oldForm = args.count === 3;
  const filters = oldForm ? { addr: args.text(2), skipMe: false } : killFilters(context);
  if (typeof filters === "string") return reply.error(filters);
  const victims = [...clients.all()].filter(
    (client) => matches(client, filters) && !(filters.skipMe && client === caller),
  );
  if (oldForm && victims.length === 0) return reply.error("ERR No such client");
  for (const victim of victims) services.closeClient(victim, victim === caller);
  if (oldForm) reply.ok();
  else reply.integer(victims.length);
}

function matches(client: Client, filters: KillFilters): boolean {
  return (
    (filters.id === undefined || client.id === filters.id) &&
    (filters.type === undefined || client.type === filters.type) &&
    (filters.user === undefined || client.user === filters.user) &&
    (filters.addr === undefined || client.link.address === filters.addr) &&
    (filters.laddr === undefined || client.link.localAddress === filters.laddr) &&
    (filters.bornBeforeMs === undefined || client.createdAtMs <= filters.bornBeforeMs)
  );
}

/** @returns the filters, or the error line of the first that is wrong */
function killFilters(context: CommandContext): KillFilters | string {
  const { args } = context;
  const filters: KillFilters = { skipMe: true };
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) return "ERR syntax error";
    const fault = readFilter(filters, args.word(i), args.text(i + 1), context);
    if (fault !== undefined) return fault;
  }
  return filters;
}

function readFilter(
  filters: KillFilters,
  option: string,
  value: string,
  { services }: CommandContext,
): string | undefined {
  switch (option) {
    case "id": {
      const id = parseInteger64(value);
      if (id === undefined || id < 1n) return "ERR client-id should be greater than 0";
      filters.id = Number(id);
      return undefined;
    }
    case "type": {
      const type = TYPES[value.toLowerCase()];
      if (type === undefined) return `ERR Unknown client type '${value}'`;
      filters.type = type;
      return undefined;
    }
    case "user":
      if (!services.hasUser(value)) return `ERR No such user '${value}'`;
      filters.user = value;
      return undefined;
    case "addr":
    case "laddr":
      filters[option] = value;
      return undefined;
    case "skipme": {
      const answer = value.toLowerCase();
      if (answer !== "yes" && answer !== "no") return "ERR syntax error";
      filters.skipMe = answer === "yes";
      return undefined;
    }
    case "maxage": {
      // Of Redis 7.4.
      const seconds = parseInteger64(value);
      if (seconds === undefined) return "ERR maxage is not an integer or out of range";
      filters.bornBeforeMs = services.clock.nowMs() - Number(seconds) * 1000;
      return undefined;
    }
    default:
      return "ERR syntax error";
  }
}
