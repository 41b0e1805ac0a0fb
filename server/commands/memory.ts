/** Commands about memory. */
import { containerCommand } from "./container.ts";
import { arg, type CommandSpec, keyAt, plannedCommand } from "./spec.ts";

export const MEMORY_COMMANDS: readonly CommandSpec[] = [
  containerCommand({
    name: "memory",
    group: "server",
    since: "4.0.0",
    arity: -2,
    flags: [],
    summary: "Commands about memory.",
    helpSince: "4.0.0",
    subcommands: [
      plannedCommand({
        name: "doctor",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Reports on the use of memory in words.",
        complexity: "O(1)",
      }),
      plannedCommand({
        name: "malloc-stats",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Answers figures of the allocator.",
        complexity: "O(1)",
      }),
      plannedCommand({
        name: "purge",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Gives free memory back.",
        complexity: "Depends on how much is free",
      }),
      plannedCommand({
        name: "stats",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Answers figures on the use of memory.",
        complexity: "O(N) for N connections",
      }),
      plannedCommand({
        name: "usage",
        group: "server",
        since: "4.0.0",
        arity: -3,
        flags: ["readonly"],
        keys: [keyAt(2, "RO")],
        summary: "Answers the bytes that a key and its value take.",
        complexity: "O(N) for N elements sampled",
        args: [arg.key("key"), arg.integer("count", { token: "SAMPLES", optional: true })],
      }),
    ],
  }),
];
