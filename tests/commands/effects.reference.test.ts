/** The effect cases against a real redis-server: its append-only file and its notifications. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { StateField } from "../../core-wasm/abi.ts";
import { createHarness } from "../support/core-harness.ts";
import {
  type Connection,
  REFERENCE_PATH,
  type Reference,
  startReference,
} from "../support/reference.ts";
import { parseReply, wholeReply } from "../support/reply.ts";
import { freePort } from "../support/server-process.ts";
import { type EffectCase, effectCases, type LogWord } from "./cases/effects.ts";

const MARK = "end-of-case";
/** How far a reference's clock may have gone on since the case began. */
const SLACK_MS = 3000;
/** Lines of the log that frame others, or belong to no case. */
const FRAMING = new Set(["SELECT", "MULTI", "EXEC"]);

/** The commands in a piece of append-only file, framing left out. */
function logLines(bytes: Buffer): string[][] {
  const text = bytes.toString("latin1");
  const lines: string[][] = [];
  for (let at = 0; at < text.length; ) {
    const parsed = parseReply(text, at);
    if (parsed?.reply.kind !== "array") throw new Error("the log ends in a torn line");
    const words = parsed.reply.items.map((item) => (item.kind === "bulk" ? item.text : ""));
    if (!FRAMING.has(words[0]!.toUpperCase())) lines.push(words);
    at = parsed.end;
  }
  return lines;
}

function expectWords(got: string[], wanted: LogWord[], nowMs: number): void {
  expect(got.map((word, i) => (typeof wanted[i] === "object" ? "instant" : word))).toEqual(
    wanted.map((word) => (typeof word === "object" ? "instant" : word)),
  );
  wanted.forEach((word, i) => {
    if (typeof word !== "object") return;
    expect(Number(got[i])).toBeGreaterThanOrEqual(nowMs + word.inMs);
    expect(Number(got[i])).toBeLessThan(nowMs + word.inMs + SLACK_MS);
  });
}

/** What the core counts as changes of the case's command. */
function changesOf({ before, passMs, command }: EffectCase, nowMs: number): number {
  const { raw, clock, core } = createHarness({ nowMs });
  for (const words of before ?? []) raw(...words.split(" "));
  clock.advance(passMs ?? 0);
  const changesBefore = core.counter(StateField.Changes);
  raw(...(typeof command === "string" ? command : command(nowMs)).split(" "));
  return core.counter(StateField.Changes) - changesBefore;
}

describe.skipIf(REFERENCE_PATH === null)("redis-server causes what the effect cases say", () => {
  let server: Reference;
  let client: Connection;
  let listener: Connection;

  beforeAll(async () => {
    server = await startReference(freePort(), true);
    client = await server.connect();
    listener = await server.connect();
    await client.raw("DEBUG", "SET-ACTIVE-EXPIRE", "0");
    await client.raw("CONFIG", "SET", "notify-keyspace-events", "KEAmn");
    await listener.raw("PSUBSCRIBE", "__keyevent@*__:*", MARK);
    await listener.next(1000);
  });
  afterAll(async () => {
    client?.close();
    listener?.close();
    await server?.stop();
  });

  /** Events up to the mark, as "event key". */
  async function eventsToMark(): Promise<string[]> {
    await client.raw("PUBLISH", MARK, "");
    const events: string[] = [];
    for (;;) {
      const message = wholeReply((await listener.next(2000)) ?? "");
      if (message.kind !== "array") throw new Error("not a message");
      const [, , channel, key] = message.items.map((item) =>
        item.kind === "bulk" ? item.text : "",
      );
      if (channel === MARK) return events;
      const [, db, event] = channel!.match(/@(\d+)__:(.*)/)!;
      events.push(`${event} ${key}${db === "0" ? "" : `@${db}`}`);
    }
  }

  async function changes(): Promise<number> {
    const info = await client.raw("INFO", "persistence");
    return Number(/rdb_changes_since_last_save:(\d+)/.exec(info)?.[1]);
  }

  for (const testCase of effectCases)
    test.skipIf(testCase.notInRedis === true)(testCase.name, async () => {
      await client.raw("FLUSHALL");
      for (const command of testCase.before ?? []) await client.raw(...command.split(" "));
      if (testCase.passMs !== undefined) await Bun.sleep(testCase.passMs);
      await eventsToMark();
      const changesBefore = await changes();
      const logStart = server.log().length;
      const nowMs = Date.now();
      const command = testCase.command;
      await client.raw(...(typeof command === "string" ? command : command(nowMs)).split(" "));
      expect(await eventsToMark()).toEqual(testCase.events);
      expect((await changes()) - changesBefore).toBe(changesOf(testCase, nowMs));
      const lines = logLines(server.log().subarray(logStart));
      const wanted = testCase.referenceLog ?? testCase.log;
      expect(lines.map((line) => line[0])).toEqual(wanted.map((line) => line[0] as string));
      wanted.forEach((line, i) => {
        expectWords(lines[i]!, line, nowMs);
      });
    });
});
