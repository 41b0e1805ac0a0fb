/** Commands about the connection itself. */
import { timingSafeEqual } from "node:crypto";
import { CLIENT_NAME_FAULT, isClientName } from "./client-state.ts";
import type { CommandContext } from "./context.ts";
import { parseInteger64 } from "./integers.ts";
import { type CommandSpec, serverCommand } from "./spec.ts";

const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";
/** Compares in time that does not depend on where they differ. */
function isPassword(context: CommandContext, user: string, password: string): boolean {
  const wanted = Buffer.from(context.config.get("requirepass"), "latin1");
  if (user !== "default") return false;
  if (wanted.length === 0) return true;
  const given = Buffer.from(password, "latin1");
  const same = given.length === wanted.length;
  return timingSafeEqual(same ? given : wanted, wanted) && same;
}

function auth(context: CommandContext): void {
  const { args, reply, config, client } = context;
  if (args.count > 3) return reply.error("ERR syntax error");
  if (args.count === 2 && config.get("requirepass") === "")
    return reply.error(
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    );
  const user = args.count === 3 ? args.text(1) : "default";
  if (!isPassword(context, user, args.text(args.count - 1))) {
    context.services.stats.deniedLogins++;
    return reply.error(WRONG_PASSWORD);
  }
  client.logIn();
  client.user = user;
  reply.ok();
}

/** HELLO's options. @returns the error line, or what to apply once all of them are right */
function helloOptions(context: CommandContext): string | { name?: string; login?: boolean } {
  const { args } = context;
  const found: { name?: string; login?: boolean } = {};
  let passwordFits = true;
  for (let i = 2; i < args.count; ) {
    const option = args.word(i);
    if (option === "auth" && i + 2 < args.count) {
      // Judged behind the grammar: an option that is no option is the first thing told.
      passwordFits = isPassword(context, args.text(i + 1), args.text(i + 2));
      found.login = true;
      i += 3;
    } else if (option === "setname" && i + 1 < args.count) {
      found.name = args.text(i + 1);
      if (!isClientName(found.name)) return CLIENT_NAME_FAULT;
      i += 2;
    } else return `ERR Syntax error in HELLO option '${args.text(i)}'`;
  }
  if (passwordFits) return found;
  context.services.stats.deniedLogins++;
  return WRONG_PASSWORD;
}

function hello(context: CommandContext): void {
  const { args, reply, client, services } = context;
  let protocol = client.protocol;
  if (args.count > 1) {
    const version = parseInteger64(args.text(1));
    if (version === undefined)
      return reply.error("ERR Protocol version is not an integer or out of range");
    if (version !== 2n && version !== 3n)
      return reply.error("NOPROTO unsupported protocol version");
    protocol = version === 3n ? 3 : 2;
  }
  const options = helloOptions(context);
  if (typeof options === "string") return reply.error(options);
  if (options.login) {
    client.logIn();
    client.user = "default";
  }
  if (!client.loggedIn)
    return reply.error(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  if (options.name !== undefined) client.name = options.name;
  client.protocol = protocol;
  context.useProtocol(protocol);
  reply.map(7);
  reply.bulk("server");
  reply.bulk("redis");
  reply.bulk("version");
  reply.bulk(services.redisVersion);
  reply.bulk("proto");
  reply.integer(protocol);
  reply.bulk("id");
  reply.integer(client.id);
  reply.bulk("mode");
  reply.bulk("standalone");
  reply.bulk("role");
  reply.bulk("master");
  reply.bulk("modules");
  reply.array(0);
}

function select({ args, reply, client, config }: CommandContext): void {
  const db = parseInteger64(args.text(1));
  if (db === undefined) return reply.error("ERR value is not an integer or out of range");
  if (db < -2147483648n || db > 2147483647n)
    return reply.error("ERR value is out of range, value must between -2147483648 and 2147483647");
  if (db < 0 || db >= config.get("databases")) return reply.error("ERR DB index is out of range");
  client.db = Number(db);
  reply.ok();
}

function reset(context: CommandContext): void {
  const { client, reply, config, services } = context;
  services.transactions.leave(client);
  services.monitors.remove(client);
  services.tracking.disable(client);
  client.db = 0;
  client.name = "";
  client.protocol = 2;
  client.noTouch = false;
  client.noEvict = false;
  if (client.silent) {
    client.silent = false;
    services.setSilent(client, false);
  }
  client.askForPassword(config.get("requirepass") !== "", true);
  client.user = "default";
  context.useProtocol(2);
  reply.simple("RESET");
}

export const CONNECTION_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "ping",
    group: "connection",
    since: "1.0.0",
    arity: -1,
    flags: ["fast"],
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    summary: "Answers that the server is there, or with the message.",
    complexity: "O(1)",
    args: [{ name: "message", type: "string", optional: true }],
    handler: ({ args, reply }) => {
      if (args.count > 2) return reply.error("ERR wrong number of arguments for 'ping' command");
      if (args.count === 2) reply.bulk(args.bytes(1));
      else reply.simple("PONG");
    },
  }),
  serverCommand({
    name: "echo",
    group: "connection",
    since: "1.0.0",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    summary: "Answers with the message.",
    complexity: "O(1)",
    args: [{ name: "message", type: "string" }],
    handler: ({ args, reply }) => reply.bulk(args.bytes(1)),
  }),
  serverCommand({
    name: "select",
    group: "connection",
    since: "1.0.0",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    summary: "Changes the database of the connection.",
    complexity: "O(1)",
    args: [{ name: "index", type: "integer" }],
    handler: select,
  }),
  serverCommand({
    name: "auth",
    group: "connection",
    since: "1.0.0",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    summary: "Authenticates the connection.",
    complexity: "O(1)",
    history: [["6.0.0", "Added ACL style (username and password)."]],
    args: [
      { name: "username", type: "string", optional: true, since: "6.0.0" },
      { name: "password", type: "string" },
    ],
    secrets: "all-arguments",
    handler: auth,
  }),
  serverCommand({
    name: "hello",
    group: "connection",
    since: "6.0.0",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    summary: "Chooses the protocol and introduces the connection.",
    complexity: "O(1)",
    history: [["6.2.0", "The protocol version may be left out: the reply then only reports."]],
    args: [
      {
        name: "arguments",
        type: "block",
        optional: true,
        args: [
          { name: "protover", type: "integer" },
          {
            name: "auth",
            type: "block",
            token: "AUTH",
            optional: true,
            args: [
              { name: "username", type: "string" },
              { name: "password", type: "string" },
            ],
          },
          { name: "clientname", type: "string", token: "SETNAME", optional: true },
        ],
      },
    ],
    secrets: "after-auth",
    handler: hello,
  }),
  serverCommand({
    name: "quit",
    group: "connection",
    since: "1.0.0",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    summary: "Closes the connection.",
    complexity: "O(1)",
    deprecated: { since: "7.2.0", replacedBy: "just closing the connection" },
    handler: ({ client, reply, services }) => {
      reply.ok();
      services.closeClient(client, true);
    },
  }),
  serverCommand({
    name: "reset",
    group: "connection",
    since: "6.2.0",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    summary: "Puts the connection back to how it began.",
    complexity: "O(1)",
    handler: reset,
  }),
];
