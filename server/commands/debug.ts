/** DEBUG: what tests and people at night need. Needs `enable-debug-command`. */
import { Address, Cmd, Limit, StateField } from "../../core-wasm/abi.ts";
import { memoryBytes } from "../config/syntax.ts";
import { rewriteConfig } from "./config.ts";
import { subcommandFault } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { debugAssert, debugPanic } from "./debug-crash.ts";
import { tableStats, tableStatsOfKey, wheelStats } from "./debug-structures.ts";
import { protectedHandler } from "./protected.ts";
import { type CommandSpec, type Handler, serverCommand } from "./spec.ts";

interface DebugRow {
  /** Words behind the subcommand: at least, at most. */
  words: readonly [number, number];
  /** What follows the name in HELP. */
  usage?: string;
  help: string;
  /** Either the core answers, or TypeScript does. */
  run: Cmd | Handler;
}

/** A number at the beginning of a word as C reads it: 0 if there is none. */
function leadingNumber(text: string): number {
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? 0 : number;
}

/** Answers OK: there is nothing here that the switch could change. */
const withoutEffect: Handler = ({ reply }) => reply.ok();

function sleep({ args, reply, services }: CommandContext): void {
  services.sleep(Math.max(0, leadingNumber(args.text(2)) * 1000));
  reply.ok();
}

const TEST_DOUBLE = 3141 / 1000;
const BIG_NUMBER = "1234567999999999999999999999999999999";

/** One reply of each type, by its name. */
const REPLIES: Record<string, Handler> = {
  string: ({ reply }) => reply.bulk("Hello World"),
  integer: ({ reply }) => reply.integer(12345),
  double: ({ reply }) => reply.double(TEST_DOUBLE),
  bignum: ({ reply }) => reply.bigNumber(BIG_NUMBER),
  null: ({ reply }) => reply.nil(),
  array: ({ reply }) => {
    reply.array(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  set: ({ reply }) => {
    reply.set(3);
    for (let i = 0; i < 3; i++) reply.integer(i);
  },
  map: ({ reply }) => {
    reply.map(3);
    for (let i = 0; i < 3; i++) {
      reply.integer(i);
      reply.boolean(i === 1);
    }
  },
  attrib: ({ client, reply }) => {
    if (client.protocol === 3) {
      reply.attribute(1);
      reply.bulk("key-popularity");
      reply.array(2);
      reply.bulk("key:123");
      reply.integer(90);
    }
    reply.bulk("Some real reply following the attribute");
  },
  push: ({ client, reply }) => {
    if (client.protocol !== 3) return reply.error("ERR RESP2 is not supported by this command");
    reply.push(2);
    reply.bulk("server-cpu-usage");
    reply.integer(42);
    reply.bulk("Some real reply following the push reply");
  },
  verbatim: ({ reply }) => reply.verbatim("This is a verbatim\nstring", "txt"),
  true: ({ reply }) => reply.boolean(true),
  false: ({ reply }) => reply.boolean(false),
};

function protocol(context: CommandContext): void {
  const write = REPLIES[context.args.word(2)];
  if (write !== undefined) return write(context);
  context.reply.error(
    "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
  );
}

function replyBuffer(context: CommandContext): void {
  const { args, reply } = context;
  const what = args.word(2);
  const value = args.word(3);
  if (what !== "peak-reset-time" && what !== "resizing") return subcommandFault(context);
  const named = value === "never" || value === "reset";
  if (what === "peak-reset-time" && !named && args.integer(3) === undefined)
    return reply.error("ERR value is not an integer or out of range");
  reply.ok();
}

const PLAIN_BYTES = (Address.State + StateField.Limits) / 4 + Limit.ListPlainBytes;
const PACKED_THRESHOLD_MAX = (1 << 30) * 4 - (1 << 20);

function packedThreshold({ args, core, reply }: CommandContext): void {
  const bytes = memoryBytes(args.text(2));
  if (bytes === undefined || bytes > PACKED_THRESHOLD_MAX)
    return reply.error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  // No element is longer than 31 bits tell.
  core.memory.i32[PLAIN_BYTES] = Math.min(Number(bytes), 0x7fffffff);
  reply.ok();
}

const ROWS: Record<string, DebugRow> = {
  assert: { words: [0, 0], help: "Crash by an assertion of the core.", run: debugAssert },
  "change-repl-id": {
    words: [0, 0],
    help: "Draw a new replication id.",
    run: ({ services, reply }) => {
      services.log("notice", "Changing replication IDs after receiving DEBUG change-repl-id");
      services.replication.drawId();
      reply.ok();
    },
  },
  check: {
    words: [0, 0],
    help: "Walk the whole memory; a violated invariant ends the process.",
    run: ({ core, reply }) => {
      core.check();
      reply.ok();
    },
  },
  clusterlink: {
    words: [3, 3],
    usage: "KILL <to|from|all> <node-id>",
    help: "Drop a connection of the cluster, which is off.",
    run: ({ reply }) =>
      reply.error("ERR Debug option only available for cluster mode enabled setup!"),
  },
  digest: {
    words: [0, 0],
    help: "A hash of all databases that is the same for the same content.",
    run: Cmd.DebugDigest,
  },
  "digest-value": {
    words: [0, Number.POSITIVE_INFINITY],
    usage: "[<key> ...]",
    help: "A hash of the value at each key.",
    run: Cmd.DebugDigestValue,
  },
  "config-rewrite-force-all": {
    words: [0, 0],
    help: "Write the configuration file with every directive, defaults too.",
    run: (context) => rewriteConfig(context, true),
  },
  error: {
    words: [1, 1],
    usage: "<line>",
    help: "Answer the line as an error.",
    run: ({ args, reply }) => reply.error(args.text(2)),
  },
  htstats: {
    words: [1, 2],
    usage: "<dbid> [full]",
    help: "How a database's table is filled.",
    run: tableStats,
  },
  "htstats-key": {
    words: [1, 2],
    usage: "<key> [full]",
    help: "How the table inside a value is filled.",
    run: tableStatsOfKey,
  },
  listpack: {
    words: [1, 1],
    usage: "<key>",
    help: "How large the listpack of a value is.",
    run: Cmd.DebugListpack,
  },
  log: {
    words: [1, 1],
    usage: "<message>",
    help: "Write the message to the server's log.",
    run: ({ args, services, reply }) => {
      services.log("warning", `DEBUG LOG: ${Buffer.from(args.bytes(2)).toString()}`);
      reply.ok();
    },
  },
  panic: { words: [0, 0], help: "Crash by an error outside of the core.", run: debugPanic },
  object: {
    words: [1, 1],
    usage: "<key>",
    help: "Address, encoding, size and age of a value.",
    run: Cmd.DebugObject,
  },
  loadaof: {
    words: [0, 0],
    help: "Empty the databases and replay the append-only files.",
    run: ({ client, services, reply }) => {
      if (client.multi === null) services.reloadLog(client);
      else reply.error("ERR DEBUG LOADAOF is not possible in a transaction");
    },
  },
  "pause-cron": {
    words: [1, 1],
    usage: "<0|1>",
    help: "Stop timed work, or let it go on.",
    run: ({ args, services, reply }) => {
      services.pauseCron(leadingNumber(args.text(2)) !== 0);
      reply.ok();
    },
  },
  populate: {
    words: [1, 3],
    usage: "<count> [<prefix> [<size>]]",
    help: "Make that many keys, which nobody is told of.",
    run: Cmd.DebugPopulate,
  },
  protocol: {
    words: [1, 1],
    usage: "<type>",
    help: "Answer a value of the type, as the client's protocol writes it.",
    run: protocol,
  },
  quicklist: {
    words: [1, 2],
    usage: "<key> [<full>]",
    help: "How many nodes a list has.",
    run: Cmd.DebugQuicklist,
  },
  "quicklist-packed-threshold": {
    words: [1, 1],
    usage: "<size>",
    help: "From which length on an element of a list has a node of its own; 0 = what is too long for one.",
    run: packedThreshold,
  },
  replybuffer: {
    words: [2, 2],
    usage: "PEAK-RESET-TIME <NEVER|RESET|ms> | RESIZING <0|1>",
    help: "Nothing: replies have no buffer that could keep a peak.",
    run: replyBuffer,
  },
  "set-active-expire": {
    words: [1, 1],
    usage: "<0|1>",
    help: "With 0, delete keys that are due only when they are looked up.",
    run: ({ args, core, reply }) => {
      core.setActiveExpire(leadingNumber(args.text(2)) === 0 ? 0 : 1);
      reply.ok();
    },
  },
  "set-disable-deny-scripts": {
    words: [1, 1],
    usage: "<0|1>",
    help: "Nothing: there are no scripts yet.",
    run: withoutEffect,
  },
  segfault: { words: [0, 0], help: "Crash by an assertion of the core.", run: debugAssert },
  "set-skip-checksum-validation": {
    words: [1, 1],
    usage: "<0|1>",
    help: "Nothing: there are no dumps yet.",
    run: withoutEffect,
  },
  sleep: {
    words: [1, 1],
    usage: "<seconds>",
    help: "Stop the server for some seconds, or a fraction of one.",
    run: sleep,
  },
  wheel: {
    words: [0, 0],
    help: "What hangs at which level of the expiry wheel.",
    run: wheelStats,
  },
};

/** The subcommands that the core answers, by name. */
export const DEBUG_CORE_COMMANDS: ReadonlyMap<string, Cmd> = new Map(
  Object.entries(ROWS).flatMap(([name, { run }]) =>
    typeof run === "number" ? [[name, run] as const] : [],
  ),
);

function help({ reply }: CommandContext): void {
  const rows = Object.entries(ROWS);
  reply.array(rows.length * 2 + 3);
  reply.simple("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const [name, { usage, help: text }] of rows) {
    reply.simple([name.toUpperCase(), usage].filter(Boolean).join(" "));
    reply.simple(`    ${text}`);
  }
  reply.simple("HELP");
  reply.simple("    Print this help.");
}

function debug(context: CommandContext): void {
  const { args } = context;
  const word = args.word(1);
  const words = args.count - 2;
  if (word === "help" && words === 0) return help(context);
  const row = Object.hasOwn(ROWS, word) ? ROWS[word] : undefined;
  if (row === undefined || words < row.words[0] || words > row.words[1])
    return subcommandFault(context);
  if (typeof row.run === "number") context.execute(row.run);
  else row.run(context);
}

export const DEBUG_COMMANDS: readonly CommandSpec[] = [
  serverCommand({
    name: "debug",
    group: "server",
    since: "1.0.0",
    arity: -2,
    flags: ["admin", "noscript", "loading", "stale", "protected"],
    summary: "Commands for tests and inspection.",
    complexity: "Depends on the subcommand.",
    internal: true,
    handler: protectedHandler("DEBUG", "enable-debug-command", debug),
  }),
];
