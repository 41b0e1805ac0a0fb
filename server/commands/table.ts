/** All commands by name, and the lookup of the hot path: packed bytes into an open-addressing table, no strings. */
import { firstBytes } from "../core/memory.ts";
import { ACL_COMMANDS } from "./acl.ts";
import { BITMAP_COMMANDS } from "./bitmap.ts";
import { CLIENT_COMMANDS } from "./client.ts";
import { CLUSTER_COMMANDS } from "./cluster.ts";
import { COMMAND_COMMANDS } from "./command.ts";
import { CONFIG_COMMANDS } from "./config.ts";
import { CONNECTION_COMMANDS } from "./connection.ts";
import { DEBUG_COMMANDS } from "./debug.ts";
import { GENERIC_COMMANDS } from "./generic.ts";
import { GEO_COMMANDS } from "./geo.ts";
import { HASH_COMMANDS } from "./hash.ts";
import { HYPERLOGLOG_COMMANDS } from "./hyperloglog.ts";
import { LIST_COMMANDS } from "./list.ts";
import { MEMORY_COMMANDS } from "./memory.ts";
import { MODULE_COMMANDS } from "./module.ts";
import { OBSERVABILITY_COMMANDS } from "./observability.ts";
import { PERSISTENCE_COMMANDS } from "./persistence.ts";
import { PUBSUB_COMMANDS } from "./pubsub.ts";
import { REPLICATION_COMMANDS } from "./replication.ts";
import { SCRIPTING_COMMANDS } from "./scripting.ts";
import { SERIALIZATION_COMMANDS } from "./serialization.ts";
import { SERVER_COMMANDS } from "./server.ts";
import { SET_COMMANDS } from "./set.ts";
import { SORT_COMMANDS } from "./sort.ts";
import { SORTED_SET_COMMANDS } from "./sorted-set.ts";
import type { CommandSpec } from "./spec.ts";
import { STREAM_COMMANDS } from "./stream.ts";
import { STRING_COMMANDS } from "./string.ts";
import { TRANSACTION_COMMANDS } from "./transactions.ts";
import { WAITING_COMMANDS } from "./waiting.ts";

export const ALL_COMMANDS: readonly CommandSpec[] = [
  ...STRING_COMMANDS,
  ...BITMAP_COMMANDS,
  ...GENERIC_COMMANDS,
  ...CONNECTION_COMMANDS,
  ...CLIENT_COMMANDS,
  ...COMMAND_COMMANDS,
  ...SERVER_COMMANDS,
  ...DEBUG_COMMANDS,
  ...CONFIG_COMMANDS,
  ...ACL_COMMANDS,
  ...CLUSTER_COMMANDS,
  ...GEO_COMMANDS,
  ...HASH_COMMANDS,
  ...HYPERLOGLOG_COMMANDS,
  ...LIST_COMMANDS,
  ...MEMORY_COMMANDS,
  ...MODULE_COMMANDS,
  ...PERSISTENCE_COMMANDS,
  ...PUBSUB_COMMANDS,
  ...REPLICATION_COMMANDS,
  ...SCRIPTING_COMMANDS,
  ...SERIALIZATION_COMMANDS,
  ...SET_COMMANDS,
  ...SORT_COMMANDS,
  ...SORTED_SET_COMMANDS,
  ...STREAM_COMMANDS,
  ...TRANSACTION_COMMANDS,
  ...OBSERVABILITY_COMMANDS,
  ...WAITING_COMMANDS,
];

/** A command or a subcommand, as everything that counts or judges commands knows them: by position. */
export interface CommandRow {
  readonly spec: CommandSpec;
  /** "get", or "client|list". */
  readonly name: string;
  /** The container's spec, for a subcommand. */
  readonly container?: CommandSpec;
}

export interface CommandTable {
  /** The commands; their subcommands are in `rows`. */
  readonly specs: readonly CommandSpec[];
  /** Every command at the position it has in `specs`, and behind them every subcommand. */
  readonly rows: readonly CommandRow[];
  /** Those of `rows` that `rename-command` has left a name, for their container if they have one. */
  readonly named: readonly CommandRow[];
  /** Position in `rows` of a container's subcommand by name in any case, -1 = unknown. */
  subcommandOf(container: number, name: string): number;
  /** Position by name in any case, -1 = unknown. */
  indexOf(name: string): number;
  /** Position of the command that had this name before renames, -1 = unknown. */
  originalOf(name: string): number;
  /** Position of the name at ptr in linear memory, in any case; -1 = unknown. Reads up to 8 bytes over its end. O(1) */
  lookup(words: DataView, ptr: number, length: number): number;
}

const SLOTS = 1024;
/** Low word, high word, length, and the position + 1, negative if another name may have the same three. */
const FIELDS = 4;
/** Clears the case bit of letters; the few other bytes that collide are told apart by the full comparison. */
const UPPER = 0xdfdfdfdf | 0;

function slotOf(low: number, high: number, length: number): number {
  return (Math.imul(low ^ Math.imul(high, 0x9e3779b1) ^ length, 0x85ebca6b) >>> 22) & (SLOTS - 1);
}

/** Bytes of `word` that belong to a name with `bytes` of it in this word. */
function keep(word: number, bytes: number): number {
  return word & UPPER & firstBytes(bytes);
}

/** Names after `rename-command` lines, in lower case; a command whose new name is empty has none. */
function renamed(
  specs: readonly CommandSpec[],
  renames: readonly (readonly [string, string])[],
): Map<string, number> {
  const byName = new Map(specs.map((spec, index) => [spec.name, index]));
  for (const [old, name] of renames) {
    const index = byName.get(old.toLowerCase());
    byName.delete(old.toLowerCase());
    if (index !== undefined && name !== "") byName.set(name.toLowerCase(), index);
  }
  return byName;
}

export function createCommandTable(
  specs: readonly CommandSpec[],
  renames: readonly (readonly [string, string])[] = [],
): CommandTable {
  const slots = new Int32Array(SLOTS * FIELDS);
  const originals = new Map(specs.map((spec, index) => [spec.name, index]));
  const byName = renames.length === 0 ? originals : renamed(specs, renames);
  const rows: CommandRow[] = specs.map((spec) => ({ spec, name: spec.name }));
  const subcommands = specs.map((spec) => {
    const byWord = new Map<string, number>();
    for (const child of spec.subcommands ?? []) {
      byWord.set(child.name, rows.length);
      rows.push({ spec: child, name: `${spec.name}|${child.name}`, container: spec });
    }
    return byWord;
  });
  const names: Buffer[] = [];

  for (const [text, index] of byName) {
    const name = Buffer.from(text.toUpperCase().padEnd(8, "\0"), "latin1");
    const { length } = text;
    names[index] = name;
    const low = keep(name.readInt32LE(0), length);
    const high = keep(name.readInt32LE(4), length - 4);
    let slot = slotOf(low, high, length);
    while (slots[slot * FIELDS + 3] !== 0) slot = (slot + 1) & (SLOTS - 1);
    // A byte that differs from a letter in the case bit is that letter.
    const isTold = /^[a-z]{1,8}$/.test(text);
    slots.set([low, high, length, isTold ? index + 1 : -(index + 1)], slot * FIELDS);
  }

  /** Letters only differ by case, other bytes not at all. */
  function isName(words: DataView, ptr: number, length: number, index: number): boolean {
    const name = names[index]!;
    for (let i = 0; i < length; i++) {
      const byte = words.getUint8(ptr + i);
      if ((byte >= 97 && byte <= 122 ? byte & 0xdf : byte) !== name[i]) return false;
    }
    return true;
  }

  const named = new Set([...byName.values()].map((index) => specs[index]!));
  return {
    specs,
    rows,
    named: rows.filter(({ spec, container }) => named.has(container ?? spec)),
    subcommandOf: (container, name) => subcommands[container]!.get(name.toLowerCase()) ?? -1,
    originalOf: (name) => originals.get(name.toLowerCase()) ?? -1,
    indexOf: (name) => byName.get(name.toLowerCase()) ?? -1,
    lookup(words, ptr, length) {
      const low = keep(words.getInt32(ptr, true), length);
      const high = keep(words.getInt32(ptr + 4, true), length - 4);
      for (let slot = slotOf(low, high, length); ; slot = (slot + 1) & (SLOTS - 1)) {
        const at = slot * FIELDS;
        const found = slots[at + 3]!;
        if (found === 0) return -1;
        if (slots[at] !== low || slots[at + 1] !== high || slots[at + 2] !== length) continue;
        if (found > 0) return found - 1;
        if (isName(words, ptr, length, -found - 1)) return -found - 1;
      }
    },
  };
}
