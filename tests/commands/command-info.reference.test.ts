/**
 * The command table against a real redis-server's COMMAND INFO: arity, flags, key range, categories, tips and key
 * specifications of every command and subcommand. What 7.2 changed since the reference's 7.0 is listed with the change.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type RunningServer, startServer } from "../../server/index.ts";
import {
  type Connection,
  openConnection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { type Reply, wholeReply } from "../support/reply.ts";
import { freePort } from "../support/server-process.ts";

interface Info {
  arity: number;
  flags: string[];
  range: number[];
  categories: string[];
  tips: string[];
  keys: string[];
}

/** Rows whose flags, tips or keys 7.2 changed: name, field, why the reference's value is not expected. */
const IN_SCRIPTS = "blocking commands may be called in scripts, where they do not block";
const WHILE_LOADING = "clients may ask for the cluster's shape while it loads";
const NOTHING_BUT_A_NAME = "the command's name alone is enough";
const WITH_SCORE = "takes WITHSCORE";
const ROUTED = "has tips for routing";
const CHANGED_IN_72: Record<string, Partial<Record<keyof Info, string>>> = {
  "command|getkeys": { arity: NOTHING_BUT_A_NAME },
  "command|getkeysandflags": { arity: NOTHING_BUT_A_NAME },
  zrank: { arity: WITH_SCORE },
  zrevrank: { arity: WITH_SCORE },
  blmove: { flags: IN_SCRIPTS },
  blpop: { flags: IN_SCRIPTS },
  brpop: { flags: IN_SCRIPTS },
  brpoplpush: { flags: IN_SCRIPTS },
  bzpopmax: { flags: IN_SCRIPTS },
  bzpopmin: { flags: IN_SCRIPTS },
  wait: { flags: IN_SCRIPTS },
  "cluster|shards": { flags: WHILE_LOADING },
  "cluster|slots": { flags: WHILE_LOADING },
  msetnx: { tips: "has none: what shards answer does not add up" },
  "acl|deluser": { tips: ROUTED },
  "acl|save": { tips: ROUTED },
  "client|setname": { tips: ROUTED },
  "config|resetstat": { tips: ROUTED },
  "config|rewrite": { tips: ROUTED },
  "acl|setuser": { tips: ROUTED },
  randomkey: { tips: "what shards answer is put together in its own way" },
  scan: { tips: "what shards answer is put together in its own way" },
  "latency|reset": { tips: "the sum of what the nodes forgot is answered" },
};

/** Commands whose arguments 7.2 documents otherwise than the reference: what is different. */
const OTHER_ARGUMENTS: Record<string, string> = {
  "client|kill": "SKIPME takes one of two words",
  "client|tracking": "the names of its words are in lower case",
  sort: "BY and GET belong to a key specification",
  sort_ro: "BY and GET belong to a key specification",
  "command|getkeys": "documented at all",
  "command|getkeysandflags": "documented at all",
  bitop: "the operation is one of four words",
  geohash: "no member is fine",
  geopos: "no member is fine",
  georadius: "one of STORE and STOREDIST",
  georadiusbymember: "one of STORE and STOREDIST",
  hscan: "NOVALUES is of 7.4",
  migrate: "the empty key is a word",
  pfmerge: "no source is fine",
  set: "our own IFEQ",
  "xinfo|stream": "FULL begins the block",
  zrank: WITH_SCORE,
  zrevrank: WITH_SCORE,
};

/** Commands that 7.0 does not have. */
const NEW_IN_72 = ["waitaof", "client|no-touch", "client|setinfo", "cluster|myshardid"];

/** A command of Valkey's that Redis has under another name. */
const OF_VALKEY = ["delifeq"];

/** What Redis has since 7.4 and 8.0. */
const NEWER_THAN_72 = [
  ...["hexpire", "hpexpire", "hexpireat", "hpexpireat", "httl", "hpttl", "hexpiretime"],
  ...["hpexpiretime", "hpersist", "hgetdel", "hgetex", "hsetex"],
];

function items(reply: Reply | undefined): Reply[] {
  if (reply === undefined || !("items" in reply)) throw new Error("not an aggregate");
  return reply.items;
}

function text(reply: Reply): string {
  if ("text" in reply) return reply.text;
  return reply.kind === "integer" ? String(reply.value) : "";
}

const texts = (reply: Reply | undefined) => items(reply).map(text).toSorted();

/** A key specification as one line, without its notes; the order of flags says nothing. */
function keySpecLine(reply: Reply): string {
  const fields = new Map<string, string>();
  const all = items(reply);
  for (let i = 0; i < all.length; i += 2) {
    const name = text(all[i]!);
    const value = all[i + 1]!;
    if (name === "flags") fields.set(name, texts(value).join(","));
    else if (name !== "notes") fields.set(name, flat(value));
  }
  return ["flags", "begin_search", "find_keys"].map((name) => fields.get(name)).join(" ");
}

function flat(reply: Reply): string {
  return "items" in reply ? `(${reply.items.map(flat).join(" ")})` : text(reply);
}

/** The fields of a map, by name. */
function fieldsOf(reply: Reply): Map<string, Reply> {
  const all = items(reply);
  const fields = new Map<string, Reply>();
  for (let i = 0; i < all.length; i += 2) fields.set(text(all[i]!), all[i + 1]!);
  return fields;
}

/** An argument of COMMAND DOCS, names left out, which 7.2 changed: "[LIMIT (INTEGER INTEGER)]". */
function argumentShape(reply: Reply): string {
  const fields = fieldsOf(reply);
  const field = (name: string) => text(fields.get(name) ?? { kind: "nil" }).toUpperCase();
  const inner = fields.has("arguments") ? items(fields.get("arguments")).map(argumentShape) : [];
  const flags = fields.has("flags") ? texts(fields.get("flags")) : [];
  const type = field("type");
  const value =
    type === "PURE-TOKEN"
      ? ""
      : type === "ONEOF"
        ? `<${inner.join("|")}>`
        : type === "BLOCK"
          ? inner.join(" ")
          : type;
  let shape = [field("token"), value].filter(Boolean).join(" ");
  if (type === "BLOCK" && inner.length > 1) shape = `(${shape})`;
  if (flags.includes("multiple")) shape += flags.includes("multiple_token") ? "**" : "*";
  return flags.includes("optional") ? `[${shape}]` : shape;
}

/** What COMMAND DOCS says of the arguments of every command and subcommand, by full name. */
function readArguments(reply: Reply, into = new Map<string, string>()): Map<string, string> {
  for (const [name, docs] of fieldsOf(reply)) {
    const fields = fieldsOf(docs);
    const args = fields.get("arguments");
    into.set(name, args === undefined ? "" : items(args).map(argumentShape).join(" "));
    const subcommands = fields.get("subcommands");
    if (subcommands !== undefined) readArguments(subcommands, into);
  }
  return into;
}

/** Every command and subcommand of a reply of COMMAND INFO, by full name. */
function readInfo(reply: Reply, into = new Map<string, Info>()): Map<string, Info> {
  for (const command of items(reply)) {
    const [name, arity, flags, first, last, step, categories, tips, keys, subcommands] =
      items(command);
    into.set(text(name!), {
      arity: Number(text(arity!)),
      flags: texts(flags),
      range: [first, last, step].map((position) => Number(text(position!))),
      categories: texts(categories),
      tips: texts(tips),
      keys: items(keys).map(keySpecLine),
    });
    readInfo(subcommands!, into);
  }
  return into;
}

describe.skipIf(REFERENCE_PATH === null)("the command table is the reference server's", () => {
  let reference: Reference;
  let server: RunningServer;
  const clients: Connection[] = [];
  let theirs = new Map<string, Info>();
  let ours = new Map<string, Info>();

  async function infoOf(client: Connection): Promise<Map<string, Info>> {
    clients.push(client);
    await client.raw("HELLO", "3");
    return readInfo(wholeReply(await client.raw("COMMAND")));
  }

  beforeAll(async () => {
    reference = await startReference(freePort());
    server = await startServer();
    theirs = await infoOf(await reference.connect());
    ours = await infoOf(await openConnection(server.port));
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await server?.close();
    await reference?.stop();
  });

  for (const field of ["arity", "flags", "range", "categories", "tips", "keys"] as const)
    test(`${field} of every command and subcommand`, () => {
      const wanted: Record<string, unknown> = {};
      const got: Record<string, unknown> = {};
      for (const [name, info] of ours) {
        const reference = theirs.get(name);
        if (reference === undefined || CHANGED_IN_72[name]?.[field] !== undefined) continue;
        wanted[name] = reference[field];
        got[name] = info[field];
      }
      expect(got).toEqual(wanted);
    });

  test("COMMAND DOCS describes the arguments of every command and subcommand", async () => {
    const [theirDocs, ourDocs] = await Promise.all(
      clients.map(async (client) => readArguments(wholeReply(await client.raw("COMMAND", "DOCS")))),
    );
    const wanted: Record<string, string> = {};
    const got: Record<string, string> = {};
    for (const [name, shape] of ourDocs!) {
      const reference = theirDocs!.get(name);
      if (reference === undefined || OTHER_ARGUMENTS[name] !== undefined) continue;
      wanted[name] = reference;
      got[name] = shape;
    }
    expect(got).toEqual(wanted);
  });

  test("what only we have is new in 7.2, or Valkey's", () => {
    const extra = [...ours.keys()].filter((name) => !theirs.has(name));
    expect(
      extra.filter((name) => ![...NEW_IN_72, ...NEWER_THAN_72, ...OF_VALKEY].includes(name)),
    ).toEqual([]);
  });

  test("every command of the reference is there", () => {
    expect([...theirs.keys()].filter((name) => !ours.has(name))).toEqual([]);
  });
});
