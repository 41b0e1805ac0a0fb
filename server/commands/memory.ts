/** Commands about memory. */
import { Cmd } from "../../core-wasm/abi.ts";
import { memoryReport } from "../observability/memory-doctor.ts";
import { memoryFigures } from "../observability/memory-figures.ts";
import { containerCommand } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { arg, type CommandSpec, dataCommand, keyAt, serverCommand } from "./spec.ts";

/** Steps of background work at a time. */
const PURGE_BUDGET = 1_000_000;

function doctor(context: CommandContext): void {
  const { clients, config, reply } = context;
  const text = memoryReport(memoryFigures(context), {
    clientCount: clients.size,
    maxmemoryBytes: config.get("maxmemory"),
    evicts: config.get("maxmemory-policy") !== "noeviction",
  });
  reply.verbatim(text, "txt");
}

/** Figures of the core's heap, a line each. */
function mallocStats(context: CommandContext): void {
  const { core, reply } = context;
  const memory = memoryFigures(context);
  const lines = {
    "blocks in use": memory.allocatedBytes,
    "pages in use": memory.activeBytes,
    "pages that take memory": memory.heapBytes,
    "linear memory": core.memory.memory.buffer.byteLength,
  };
  const text = Object.entries(lines).map(([name, bytes]) => `${name}: ${bytes} bytes\n`);
  text.push(`waiting to be freed: ${core.pendingObjects()} objects\n`);
  reply.verbatim(text.join(""), "txt");
}

/** Frees, merges and moves together all that waits for it, and gives the pages that are free then back to the system. */
function purge({ core, reply, services }: CommandContext): void {
  while (core.freeSlice(PURGE_BUDGET) === 0);
  while (core.tidySlice(PURGE_BUDGET) === 0);
  services.giveMemoryBack();
  reply.ok();
}

type Value = { bytes: number } | { ratio: number };

/** A ratio of two sizes and their difference. */
function excess(ratio: string, bytes: string, size: number, of: number): Record<string, Value> {
  return { [ratio]: { ratio: size / Math.max(1, of) }, [bytes]: { bytes: size - of } };
}

function stats(context: CommandContext): void {
  const { reply } = context;
  const memory = memoryFigures(context);
  const { usedBytes, startBytes, datasetBytes, databases } = memory;
  const keyCount = databases.reduce((sum, { keys }) => sum + keys, 0);
  const netBytes = Math.max(0, usedBytes - startBytes);
  const before: Record<string, Value> = {
    "peak.allocated": { bytes: memory.peakBytes },
    "total.allocated": { bytes: usedBytes },
    "startup.allocated": { bytes: startBytes },
    "clients.normal": { bytes: memory.clientBytes },
    "aof.buffer": { bytes: memory.logBufferBytes },
  };
  const after: Record<string, Value> = {
    "overhead.total": { bytes: memory.overheadBytes },
    "keys.count": { bytes: keyCount },
    "keys.bytes-per-key": { bytes: keyCount === 0 ? 0 : Math.floor(netBytes / keyCount) },
    "dataset.bytes": { bytes: datasetBytes },
    "dataset.percentage": { ratio: (datasetBytes * 100) / Math.max(1, netBytes) },
    "peak.percentage": { ratio: (usedBytes * 100) / Math.max(1, memory.peakBytes) },
    "allocator.allocated": { bytes: memory.allocatedBytes },
    "allocator.active": { bytes: memory.activeBytes },
    "allocator.resident": { bytes: memory.heapBytes },
    ...excess(
      "allocator-fragmentation.ratio",
      "allocator-fragmentation.bytes",
      memory.activeBytes,
      memory.allocatedBytes,
    ),
    ...excess("allocator-rss.ratio", "allocator-rss.bytes", memory.heapBytes, memory.activeBytes),
    ...excess("rss-overhead.ratio", "rss-overhead.bytes", memory.residentBytes, memory.heapBytes),
    ...excess("fragmentation", "fragmentation.bytes", memory.residentBytes, usedBytes),
  };
  const write = (values: Record<string, Value>) => {
    for (const [name, value] of Object.entries(values)) {
      reply.bulk(name);
      if ("bytes" in value) reply.integer(value.bytes);
      else reply.double(value.ratio);
    }
  };
  reply.map(Object.keys(before).length + databases.length + Object.keys(after).length);
  write(before);
  for (const { db, overheadBytes } of databases) {
    reply.bulk(`db.${db}`);
    reply.map(1);
    write({ "overhead.hashtable.main": { bytes: overheadBytes } });
  }
  write(after);
}

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
      serverCommand({
        name: "doctor",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Reports on the use of memory in words.",
        complexity: "O(1)",
        handler: doctor,
      }),
      serverCommand({
        name: "malloc-stats",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Answers figures of the allocator.",
        complexity: "O(1)",
        handler: mallocStats,
      }),
      serverCommand({
        name: "purge",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
        summary: "Gives free memory back.",
        complexity: "Depends on how much is free",
        handler: purge,
      }),
      serverCommand({
        name: "stats",
        group: "server",
        since: "4.0.0",
        arity: 2,
        flags: [],
        tips: ["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        summary: "Answers figures on the use of memory.",
        complexity: "O(N) for N connections",
        handler: stats,
      }),
      dataCommand(Cmd.MemoryUsage, {
        name: "usage",
        group: "server",
        since: "4.0.0",
        arity: -3,
        flags: ["readonly"],
        keys: [keyAt(2, "RO")],
        summary: "Answers the bytes that a key and its value take.",
        complexity: "O(N) for N blocks of the value",
        args: [arg.key("key"), arg.integer("count", { token: "SAMPLES", optional: true })],
      }),
    ],
  }),
];
