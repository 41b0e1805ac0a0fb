/** The ACL categories of a command: those of its flags, and those its row names or else that of its group. */
import type { AclCategory, CommandGroup, CommandSpec } from "./spec.ts";

/** In the order Redis tells them. */
export const ACL_CATEGORIES: readonly AclCategory[] = [
  "keyspace",
  "read",
  "write",
  "set",
  "sortedset",
  "list",
  "hash",
  "string",
  "bitmap",
  "hyperloglog",
  "geo",
  "stream",
  "pubsub",
  "admin",
  "fast",
  "slow",
  "blocking",
  "dangerous",
  "connection",
  "transaction",
  "scripting",
];

const OF_GROUP: Partial<Record<CommandGroup, AclCategory>> = {
  generic: "keyspace",
  string: "string",
  list: "list",
  set: "set",
  "sorted-set": "sortedset",
  hash: "hash",
  bitmap: "bitmap",
  hyperloglog: "hyperloglog",
  geo: "geo",
  stream: "stream",
  connection: "connection",
  transactions: "transaction",
  scripting: "scripting",
};

/** Does nothing without a subcommand, as CLIENT and unlike COMMAND. */
function isPureContainer(spec: CommandSpec): boolean {
  return spec.subcommands !== undefined && spec.arity < -1;
}

/** Specs never change: what was found of one is kept with it. */
const known = new WeakMap<CommandSpec, readonly AclCategory[]>();

/** Categories without their `@`, in Redis's order. */
export function aclCategories(spec: CommandSpec): readonly AclCategory[] {
  let categories = known.get(spec);
  if (categories === undefined) {
    categories = findCategories(spec);
    known.set(spec, categories);
  }
  return categories;
}

function findCategories(spec: CommandSpec): readonly AclCategory[] {
  const flags = new Set(spec.flags);
  // A container is judged by its subcommands: Redis gives it no category of its group.
  const ofGroup = isPureContainer(spec) ? undefined : OF_GROUP[spec.group];
  const found = new Set<AclCategory>(spec.acl ?? (ofGroup === undefined ? [] : [ofGroup]));
  // A script reads what it likes: its commands are judged one by one.
  if (flags.has("readonly") && !found.has("scripting")) found.add("read");
  if (flags.has("write")) found.add("write");
  if (flags.has("blocking")) found.add("blocking");
  if (flags.has("pubsub")) found.add("pubsub");
  if (flags.has("admin")) found.add("admin").add("dangerous");
  found.add(flags.has("fast") ? "fast" : "slow");
  return ACL_CATEGORIES.filter((category) => found.has(category));
}
