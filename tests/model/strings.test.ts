/** Strings, counters and deadlines behave like a Map that knows the time. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Build,
  createTestCore,
  ErrorReply,
  type Plain,
  type TestCore,
} from "../support/core.ts";

interface Value {
  text: string;
  /** ms, absolute; 0 = none */
  deadline: number;
}
type Model = Map<string, Value>;

interface Step {
  core: TestCore;
  model: Model;
  nowMs: number;
}
type Operation = (step: Step) => void;

const STARTED_MS = 1_700_000_000_000;
const INT64 = /^(0|-?[1-9]\d{0,17})$/;

/** Few keys, so that operations meet; lengths around those at which the entry's layout changes. */
const key = fc.oneof(
  fc.constantFrom("", "a", "b", "c", "counter"),
  fc.nat(20).map((n) => `key:${n}`),
  fc.constantFrom(254, 255, 256, 5000).map((length) => "k".repeat(length)),
);
const text = fc.oneof(
  fc.integer().map(String),
  fc.maxSafeInteger().map(String),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc
    .constantFrom(44, 45, 511, 1023, 1025, 16384, 16385, 40_000, 70_000)
    .map((length) => "v".repeat(length)),
);
const ttlMs = fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 10 ** 9 }));

function live({ model, nowMs }: Step, name: string): Value | undefined {
  const value = model.get(name);
  if (value === undefined || value.deadline === 0 || value.deadline > nowMs) return value;
  model.delete(name);
  return undefined;
}

function expectReply(actual: Plain, expected: Plain, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`);
}

function show(value: Plain): string {
  return value instanceof ErrorReply ? `error ${value.text}` : JSON.stringify(value).slice(0, 80);
}

const set = fc
  .record({ key, text, option: fc.constantFrom("", "PX", "KEEPTTL", "NX", "XX", "GET"), ttlMs })
  .map(
    ({ key, text, option, ttlMs }): Operation =>
      (step) => {
        const old = live(step, key);
        const words = ["SET", key, text];
        if (option !== "") words.push(option);
        if (option === "PX") words.push(String(ttlMs));
        const refused = (option === "NX" && old !== undefined) || (option === "XX" && !old);
        const reply = option === "GET" ? (old?.text ?? null) : refused ? null : "OK";
        expectReply(step.core.run(...words), reply, `SET ${option}`);
        if (refused) return;
        const kept = option === "KEEPTTL" ? (old?.deadline ?? 0) : 0;
        step.model.set(key, { text, deadline: option === "PX" ? step.nowMs + ttlMs : kept });
      },
  );

const append = fc.record({ key, text }).map(
  ({ key, text }): Operation =>
    (step) => {
      const old = live(step, key);
      const value = { text: (old?.text ?? "") + text, deadline: old?.deadline ?? 0 };
      step.model.set(key, value);
      expectReply(step.core.run("APPEND", key, text), value.text.length, "APPEND");
    },
);

const incrby = fc.record({ key, by: fc.integer() }).map(
  ({ key, by }): Operation =>
    (step) => {
      const old = live(step, key);
      const reply = step.core.run("INCRBY", key, String(by));
      const number = old?.text ?? "0";
      if (!INT64.test(number) || !Number.isSafeInteger(Number(number) + by)) {
        // Where doubles end the model follows the core; unit tests look at the limits.
        if (reply instanceof ErrorReply) return;
        step.model.set(key, {
          text: step.core.run("GET", key) as string,
          deadline: old?.deadline ?? 0,
        });
        return;
      }
      const sum = Number(number) + by;
      expectReply(reply, sum, "INCRBY");
      step.model.set(key, { text: String(sum), deadline: old?.deadline ?? 0 });
    },
);

const get = key.map(
  (key): Operation =>
    (step) => {
      const value = live(step, key);
      expectReply(step.core.run("GET", key), value?.text ?? null, "GET");
      expectReply(step.core.run("STRLEN", key), value?.text.length ?? 0, "STRLEN");
    },
);

const del = fc.array(key, { minLength: 1, maxLength: 4 }).map(
  (keys): Operation =>
    (step) => {
      let deleted = 0;
      for (const key of keys) {
        if (live(step, key) === undefined) continue;
        step.model.delete(key);
        deleted++;
      }
      expectReply(step.core.run("DEL", ...keys), deleted, "DEL");
    },
);

const expire = fc.record({ key, ttlMs, option: fc.constantFrom("", "NX", "XX", "GT", "LT") }).map(
  ({ key, ttlMs, option }): Operation =>
    (step) => {
      const value = live(step, key);
      const deadline = step.nowMs + ttlMs;
      const words = ["PEXPIREAT", key, String(deadline), ...(option === "" ? [] : [option])];
      const allowed = value !== undefined && allows(option, value.deadline, deadline);
      expectReply(step.core.run(...words), allowed ? 1 : 0, `PEXPIREAT ${option}`);
      if (value !== undefined && allowed) value.deadline = deadline;
    },
);

function allows(option: string, current: number, wanted: number): boolean {
  switch (option) {
    case "NX":
      return current === 0;
    case "XX":
      return current !== 0;
    case "GT":
      return current !== 0 && wanted > current;
    case "LT":
      return current === 0 || wanted < current;
    default:
      return true;
  }
}

const persist = key.map(
  (key): Operation =>
    (step) => {
      const value = live(step, key);
      const had = value !== undefined && value.deadline !== 0;
      if (had) value.deadline = 0;
      expectReply(step.core.run("PERSIST", key), had ? 1 : 0, "PERSIST");
    },
);

const pttl = key.map(
  (key): Operation =>
    (step) => {
      const value = live(step, key);
      const left =
        value === undefined ? -2 : value.deadline === 0 ? -1 : value.deadline - step.nowMs;
      expectReply(step.core.run("PTTL", key), left, "PTTL");
    },
);

const mset = fc.array(fc.tuple(key, text), { minLength: 1, maxLength: 5 }).map(
  (pairs): Operation =>
    (step) => {
      for (const [key, text] of pairs) step.model.set(key, { text, deadline: 0 });
      expectReply(step.core.run("MSET", ...pairs.flat()), "OK", "MSET");
    },
);

const pass = fc.nat(600).map(
  (ms): Operation =>
    (step) => {
      step.nowMs += ms;
      step.core.clock.advance(ms);
    },
);

const work = fc.constantFrom<Operation>(
  ({ core }) => core.expireAll(3),
  ({ core }) => core.tidyAll(),
);

const operations = fc.array(
  fc.oneof(
    { arbitrary: set, weight: 6 },
    { arbitrary: get, weight: 3 },
    append,
    incrby,
    del,
    expire,
    persist,
    pttl,
    mset,
    pass,
    work,
  ),
  { maxLength: 120, size: "max" },
);

function compareAll(step: Step): void {
  for (const name of [...step.model.keys()]) live(step, name);
  step.core.expireAll();
  expectReply(step.core.run("DBSIZE"), step.model.size, "DBSIZE");
  for (const [name, value] of step.model)
    expectReply(step.core.run("GET", name), value.text, `GET ${name}`);
  expect(step.core.check()).toBe(step.model.size);
}

const cases: [Build, number][] = [
  ["debug", 600],
  ["tiny", 400],
  ["release", 800],
];
for (const [build, runs] of cases)
  test(`strings and deadlines behave like a Map (${build})`, () => {
    const core = createTestCore({ build, nowMs: STARTED_MS });
    fc.assert(
      fc.property(operations, (list) => {
        core.must("FLUSHALL", "SYNC");
        const step: Step = { core, model: new Map(), nowMs: core.clock.nowMs() };
        for (const operation of list) operation(step);
        compareAll(step);
      }),
      { numRuns: runs },
    );
  });
