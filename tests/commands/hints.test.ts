/**
 * What redis-cli shows behind a command that is typed: from 7.2 on it makes it of COMMAND DOCS. hints-7.2.txt has what redis-cli 7.2.6
 * shows for each command and subcommand of Redis 7.2.6; ours must be the same, whoever draws them. Where a redis-cli is found that makes
 * hints of COMMAND DOCS (BUNDIS_TEST_REDIS_CLI names one), it must draw what is drawn here.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../server/index.ts";
import { openConnection } from "../support/reference.ts";
import { type Reply, wholeReply } from "../support/reply.ts";

/** What we have beyond 7.2, by the reason. */
const OURS: Record<string, string> = {
  // SET IFEQ and DELIFEQ are Valkey's.
  set: "key value [NX|XX|IFEQ comparison-value] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL]",
  delifeq: "key value",
  // NOVALUES and field TTLs are of 7.4.
  hscan: "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
};

const RECORDED = new Map(
  readFileSync(join(import.meta.dir, "hints-7.2.txt"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [name, ...rest] = line.split(":");
      return [name!, rest.join(":").trim()];
    }),
);

type Fields = ReadonlyMap<string, Reply>;

function fieldsOf(reply: Reply): Fields {
  const items = "items" in reply ? reply.items : [];
  const fields = new Map<string, Reply>();
  for (let i = 0; i < items.length; i += 2) fields.set(text(items[i]), items[i + 1]!);
  return fields;
}

function text(reply: Reply | undefined): string {
  return reply !== undefined && "text" in reply ? reply.text : "";
}

function drawAll(reply: Reply | undefined, between: string): string {
  return reply !== undefined && "items" in reply ? reply.items.map(draw).join(between) : "";
}

/** An argument as a hint: `[PREFIX prefix [PREFIX prefix ...]]`. */
function draw(argument: Reply): string {
  const fields = fieldsOf(argument);
  const type = text(fields.get("type"));
  const token = text(fields.get("token"));
  const flags = fields.get("flags");
  const has = (flag: string) =>
    flags !== undefined && "items" in flags && flags.items.some((item) => text(item) === flag);
  let value = text(fields.get("display_text"));
  if (type === "pure-token") value = "";
  else if (type === "oneof") value = drawAll(fields.get("arguments"), "|");
  else if (type === "block") value = drawAll(fields.get("arguments"), " ");
  const once = [token, value].filter((part) => part !== "").join(" ");
  const again = has("multiple_token") ? once : value;
  const shown = has("multiple") ? `${once} [${again} ...]` : once;
  return has("optional") ? `[${shown}]` : shown;
}

/** Hints by full name, "client list". */
function hintsOf(docs: Fields, into = new Map<string, string>()): Map<string, string> {
  for (const [name, description] of docs) {
    const fields = fieldsOf(description);
    into.set(name.replace("|", " "), drawAll(fields.get("arguments"), " "));
    const subcommands = fields.get("subcommands");
    if (subcommands !== undefined) hintsOf(fieldsOf(subcommands), into);
  }
  return into;
}

/** A redis-cli that knows the option by which hints are tested, and so makes them of COMMAND DOCS. */
function modernCli(): string | undefined {
  const path = process.env["BUNDIS_TEST_REDIS_CLI"] ?? Bun.which("redis-cli");
  if (!path) return undefined;
  const version = Bun.spawnSync([path, "--version"]).stdout.toString();
  const [, major, minor] = version.match(/redis-cli (\d+)\.(\d+)/) ?? [];
  return Number(major) * 100 + Number(minor) >= 702 ? path : undefined;
}
const CLI = modernCli();
if (CLI === undefined) console.log("no redis-cli from 7.2 on: hints are drawn by the test alone");

let server: RunningServer;
let hints: Map<string, string>;
beforeAll(async () => {
  server = await startServer();
  const client = await openConnection(server.port);
  await client.raw("HELLO", "3");
  hints = hintsOf(fieldsOf(wholeReply(await client.raw("COMMAND", "DOCS"))));
  client.close();
});
afterAll(() => server?.close());

test("COMMAND DOCS makes the hints of Redis 7.2", () => {
  const wanted = Object.fromEntries([...RECORDED, ...Object.entries(OURS)].sort());
  const got = Object.fromEntries([...hints].filter(([name]) => name in wanted).sort());
  expect(got).toEqual(wanted);
});

test.skipIf(CLI === undefined)("redis-cli draws them from what it is told here", async () => {
  const shown = async (name: string) => {
    const words = [CLI!, "-p", String(server.port), "--test_hint", `${name} `];
    const child = Bun.spawn(words, { stdout: "pipe", stderr: "ignore" });
    return [name, (await new Response(child.stdout).text()).trim()] as const;
  };
  const drawn: Record<string, string> = {};
  for (const name of hints.keys()) drawn[name] = (await shown(name))[1];
  expect(drawn).toEqual(Object.fromEntries(hints));
});
