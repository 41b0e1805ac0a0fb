/** Rows of the command table as replies: COMMAND INFO and COMMAND DOCS. */
import type { ReplyWriter } from "../resp/reply-writer.ts";
import { aclCategories } from "./acl-categories.ts";
import { legacyKeys } from "./key-positions.ts";
import type { ArgSpec, CommandFlag, CommandSpec, KeyFlag, KeySpec } from "./spec.ts";

/** Flags that are nobody's business but ours. */
const HIDDEN_FLAGS: readonly CommandFlag[] = ["may_replicate", "protected"];

const WIRE_NAMES: Record<string, string> = {
  lastKey: "lastkey",
  step: "keystep",
  keyNum: "keynumidx",
  firstKey: "firstkey",
  startFrom: "startfrom",
};

export function writeNames(reply: ReplyWriter, names: readonly string[]): void {
  reply.array(names.length);
  for (const name of names) reply.bulk(name);
}

/** A set of words that are not data but constants. */
function writeFlags(reply: ReplyWriter, flags: readonly string[]): void {
  reply.set(flags.length);
  for (const flag of flags) reply.simple(flag);
}

export function writeKeyFlags(reply: ReplyWriter, flags: readonly KeyFlag[]): void {
  writeFlags(reply, flags);
}

/** A type's name, then its fields as a map. */
function writeSearch(
  reply: ReplyWriter,
  name: string,
  type: string,
  fields: object | string,
): void {
  reply.bulk(name);
  reply.map(2);
  reply.bulk("type");
  reply.bulk(type);
  reply.bulk("spec");
  const entries = typeof fields === "string" ? [] : Object.entries(fields);
  reply.map(entries.length);
  for (const [field, value] of entries) {
    reply.bulk(WIRE_NAMES[field] ?? field);
    if (typeof value === "number") reply.integer(value);
    else reply.bulk(String(value));
  }
}

function writeKeySpec(reply: ReplyWriter, { begin, find, flags, notes }: KeySpec): void {
  reply.map(notes === undefined ? 3 : 4);
  if (notes !== undefined) {
    reply.bulk("notes");
    reply.bulk(notes);
  }
  reply.bulk("flags");
  writeKeyFlags(reply, flags);
  const beginType = begin === "unknown" ? begin : "index" in begin ? "index" : "keyword";
  const findType = find === "unknown" ? find : "lastKey" in find ? "range" : "keynum";
  writeSearch(reply, "begin_search", beginType, begin);
  writeSearch(reply, "find_keys", findType, find);
}

/** One element of COMMAND INFO. */
export function writeInfo(reply: ReplyWriter, spec: CommandSpec, name: string): void {
  const { keys = [], subcommands = [] } = spec;
  const { range, movable } = legacyKeys(keys);
  const flags = spec.flags.filter((flag) => !HIDDEN_FLAGS.includes(flag));
  reply.array(10);
  reply.bulk(name);
  reply.integer(spec.arity);
  writeFlags(reply, movable ? [...flags, "movablekeys"] : flags);
  reply.integer(range.first);
  reply.integer(range.last);
  reply.integer(range.step);
  writeFlags(
    reply,
    aclCategories(spec).map((category) => `@${category}`),
  );
  const tips = spec.tips ?? [];
  reply.set(tips.length);
  for (const tip of tips) reply.bulk(tip);
  reply.set(keys.length);
  for (const key of keys) writeKeySpec(reply, key);
  if (subcommands.length === 0) reply.set(0);
  else reply.array(subcommands.length);
  for (const inner of subcommands) writeInfo(reply, inner, `${name}|${inner.name}`);
}

/** A field of a map: its name, and what writes its value. */
type Field = readonly [name: string, write: () => void];

function writeFields(reply: ReplyWriter, fields: readonly Field[]): void {
  reply.map(fields.length);
  for (const [name, write] of fields) {
    reply.bulk(name);
    write();
  }
}

/** The fields among these that have a value. */
function textFields(reply: ReplyWriter, texts: Record<string, string | undefined>): Field[] {
  return Object.entries(texts).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, () => reply.bulk(text)] as const],
  );
}

function writeArgs(reply: ReplyWriter, args: readonly ArgSpec[]): void {
  reply.array(args.length);
  for (const arg of args) writeArg(reply, arg);
}

function writeArg(reply: ReplyWriter, arg: ArgSpec): void {
  const { keySpecIndex, args } = arg;
  const flags = [
    ...(arg.optional ? ["optional"] : []),
    ...(arg.multiple ? ["multiple"] : []),
    ...(arg.multipleToken ? ["multiple_token"] : []),
  ];
  const fields = textFields(reply, {
    name: arg.name,
    type: arg.type,
    display_text: args === undefined ? (arg.displayText ?? arg.name) : undefined,
  });
  if (keySpecIndex !== undefined)
    fields.push(["key_spec_index", () => reply.integer(keySpecIndex)]);
  const { token, summary, since, deprecatedSince } = arg;
  fields.push(...textFields(reply, { token, summary, since, deprecated_since: deprecatedSince }));
  if (flags.length > 0) fields.push(["flags", () => writeFlags(reply, flags)]);
  if (args !== undefined) fields.push(["arguments", () => writeArgs(reply, args)]);
  writeFields(reply, fields);
}

function docFields(reply: ReplyWriter, spec: CommandSpec): Field[] {
  const { summary, since, group, complexity, deprecated, history, args, subcommands } = spec;
  const docFlags = [
    ...(deprecated === undefined ? [] : ["deprecated"]),
    ...(spec.internal ? ["syscmd"] : []),
  ];
  const fields = textFields(reply, { summary, since, group, complexity });
  if (docFlags.length > 0) fields.push(["doc_flags", () => writeFlags(reply, docFlags)]);
  fields.push(
    ...textFields(reply, {
      deprecated_since: deprecated?.since,
      replaced_by: deprecated?.replacedBy,
    }),
  );
  if (history !== undefined)
    fields.push([
      "history",
      () => {
        reply.set(history.length);
        for (const change of history) writeNames(reply, change);
      },
    ]);
  if (args !== undefined) fields.push(["arguments", () => writeArgs(reply, args)]);
  if (subcommands !== undefined)
    fields.push([
      "subcommands",
      () => {
        reply.map(subcommands.length);
        for (const inner of subcommands) writeDocs(reply, inner, `${spec.name}|${inner.name}`);
      },
    ]);
  return fields;
}

/** One name and value of the map that COMMAND DOCS is. */
export function writeDocs(reply: ReplyWriter, spec: CommandSpec, name: string): void {
  reply.bulk(name);
  writeFields(reply, docFields(reply, spec));
}
