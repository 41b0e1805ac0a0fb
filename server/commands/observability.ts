/** SLOWLOG, LATENCY and MONITOR: what the server saw of its own work. */
import type { LatencyHistogram } from "../observability/histogram.ts";
import { latencyReport } from "../observability/latency-report.ts";
import { containerCommand, subcommandFault } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { arg, type CommandFlag, type CommandSpec, type Handler, serverCommand } from "./spec.ts";

const SLOWLOG_COUNT = 10;
const COUNT_FAULT = "ERR count should be greater than or equal to -1";

function slowlogGet(context: CommandContext): void {
  const { args, reply, services } = context;
  if (args.count > 3) return subcommandFault(context);
  const count = args.count === 3 ? args.integer(2) : SLOWLOG_COUNT;
  if (count === undefined || count < -1) return reply.error(COUNT_FAULT);
  const { slowLog } = services;
  const entries = slowLog.latest(count === -1 ? slowLog.length : count);
  reply.array(entries.length);
  for (const { id, atSeconds, microseconds, words, address, clientName } of entries) {
    reply.array(6);
    reply.integer(id);
    reply.integer(atSeconds);
    reply.integer(microseconds);
    reply.array(words.length);
    for (const word of words) reply.bulk(word);
    reply.bulk(address);
    reply.bulk(clientName);
  }
}

function latencyLatest({ reply, services }: CommandContext): void {
  const events = services.latency.all();
  reply.array(events.length);
  for (const [event, { samples, worstMs }] of events) {
    const { atSeconds, ms } = samples.at(-1)!;
    reply.array(4);
    reply.bulk(event);
    reply.integer(atSeconds);
    reply.integer(ms);
    reply.integer(worstMs);
  }
}

function latencyHistory({ args, reply, services }: CommandContext): void {
  const samples = services.latency.get(args.text(2))?.samples ?? [];
  reply.array(samples.length);
  for (const { atSeconds, ms } of samples) {
    reply.array(2);
    reply.integer(atSeconds);
    reply.integer(ms);
  }
}

function latencyReset({ args, reply, services }: CommandContext): void {
  const names = Array.from({ length: args.count - 2 }, (_, i) => args.text(2 + i));
  reply.integer(services.latency.reset(names));
}

function latencyGraph({ args, reply, services }: CommandContext): void {
  const event = args.text(2);
  const graph = services.latency.graph(event, services.clock.nowMs());
  if (graph === undefined) reply.error(`ERR No samples available for event '${event}'`);
  else reply.verbatim(graph, "txt");
}

/** Positions of the commands a word names: a command and its subcommands, or one subcommand ("config|get"). */
function commandsNamed({ commands }: CommandContext, word: string): number[] {
  const [name = "", subcommand] = word.split("|", 2);
  const index = commands.indexOf(name);
  if (index < 0) return [];
  if (subcommand !== undefined) {
    const found = commands.subcommandOf(index, subcommand);
    return found < 0 ? [] : [found];
  }
  const { spec } = commands.rows[index]!;
  return [index, ...(spec.subcommands ?? []).map((sub) => commands.subcommandOf(index, sub.name))];
}

function latencyHistogram(context: CommandContext): void {
  const { args, reply, services, commands } = context;
  const wanted =
    args.count === 2
      ? commands.rows.map((_, index) => index)
      : Array.from({ length: args.count - 2 }, (_, i) => args.text(2 + i)).flatMap((word) =>
          commandsNamed(context, word),
        );
  const found = wanted.flatMap((index): [string, LatencyHistogram][] => {
    const histogram = services.commandStats.histogram(index);
    return histogram === undefined ? [] : [[commands.rows[index]!.name, histogram]];
  });
  reply.map(found.length);
  for (const [name, histogram] of found) {
    reply.bulk(name);
    reply.map(2);
    reply.bulk("calls");
    reply.integer(histogram.total);
    reply.bulk("histogram_usec");
    const boundaries = histogram.cumulative();
    reply.map(boundaries.length);
    for (const [microseconds, calls] of boundaries) {
      reply.integer(microseconds);
      reply.integer(calls);
    }
  }
}

function latencyDoctor({ reply, services, config }: CommandContext): void {
  const slowerThanUs = config.get("slowlog-log-slower-than");
  const { latency, clock } = services;
  reply.verbatim(latencyReport({ monitor: latency, slowerThanUs, nowMs: clock.nowMs() }), "txt");
}

function monitor({ client, reply, services }: CommandContext): void {
  if (client.multi !== null)
    return reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  // A second MONITOR has no reply, as in Redis.
  if (services.monitors.has(client)) return;
  services.monitors.add(client);
  reply.ok();
}

const SLOWLOG_FLAGS: readonly CommandFlag[] = ["admin", "loading", "stale"];
const LATENCY_FLAGS: readonly CommandFlag[] = ["admin", "noscript", "loading", "stale"];
const LATENCY_TIPS = [
  "nondeterministic_output",
  "request_policy:all_nodes",
  "response_policy:special",
];

const latency = (
  name: string,
  arity: number,
  summary: string,
  handler: Handler,
  more: Partial<CommandSpec> = {},
): CommandSpec =>
  serverCommand({
    name,
    group: "server",
    since: "2.8.13",
    arity,
    flags: LATENCY_FLAGS,
    tips: LATENCY_TIPS,
    summary,
    complexity: "O(1)",
    handler,
    ...more,
  });

export const OBSERVABILITY_COMMANDS: readonly CommandSpec[] = [
  containerCommand({
    name: "slowlog",
    group: "server",
    since: "2.2.12",
    arity: -2,
    flags: [],
    summary: "Commands about commands that took long.",
    helpSince: "6.2.0",
    subcommands: [
      serverCommand({
        name: "get",
        group: "server",
        since: "2.2.12",
        arity: -2,
        flags: SLOWLOG_FLAGS,
        tips: ["request_policy:all_nodes", "nondeterministic_output"],
        summary: "Answers the latest entries.",
        complexity: "O(N) for N entries answered",
        history: [["4.0.0", "Added the client's address and name."]],
        args: [arg.integer("count", { optional: true })],
        handler: slowlogGet,
      }),
      serverCommand({
        name: "len",
        group: "server",
        since: "2.2.12",
        arity: 2,
        flags: SLOWLOG_FLAGS,
        tips: ["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
        summary: "Counts the entries.",
        complexity: "O(1)",
        handler: ({ reply, services }) => reply.integer(services.slowLog.length),
      }),
      serverCommand({
        name: "reset",
        group: "server",
        since: "2.2.12",
        arity: 2,
        flags: SLOWLOG_FLAGS,
        tips: ["request_policy:all_nodes", "response_policy:all_succeeded"],
        summary: "Forgets the entries.",
        complexity: "O(N) for N entries",
        handler: ({ reply, services }) => {
          services.slowLog.reset();
          reply.ok();
        },
      }),
    ],
  }),
  containerCommand({
    name: "latency",
    group: "server",
    since: "2.8.13",
    arity: -2,
    flags: [],
    summary: "Commands about what took long.",
    helpSince: "2.8.13",
    subcommands: [
      latency("doctor", 2, "Reports on latency in words.", latencyDoctor),
      latency("graph", 3, "Draws the latency of an event.", latencyGraph, {
        args: [arg.string("event")],
      }),
      latency("histogram", -2, "Answers how long commands took, as histograms.", latencyHistogram, {
        since: "7.0.0",
        complexity: "O(N) for N commands",
        args: [arg.string("command", { optional: true, multiple: true })],
      }),
      latency("history", 3, "Answers the samples of an event.", latencyHistory, {
        args: [arg.string("event")],
      }),
      latency("latest", 2, "Answers the last sample of each event.", latencyLatest),
      latency("reset", -2, "Forgets the samples of events.", latencyReset, {
        tips: ["request_policy:all_nodes", "response_policy:agg_sum"],
        args: [arg.string("event", { optional: true, multiple: true })],
      }),
    ],
  }),
  serverCommand({
    name: "monitor",
    group: "server",
    since: "1.0.0",
    arity: 1,
    flags: LATENCY_FLAGS,
    summary: "Shows every command that the server runs.",
    complexity: "O(1) to begin, then some work for each command",
    handler: monitor,
  }),
];
