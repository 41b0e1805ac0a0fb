/** Streams and their groups against plain arrays and maps, with nodes and trees so small that they split and join all the time. */
import { expect, test } from "bun:test";
import { Address, EvictionPolicy, Limit, StateField } from "../../core-wasm/abi.ts";
import {
  type Build,
  createTestCore,
  ErrorReply,
  type Plain,
  type TestCore,
} from "../support/core.ts";
import { EVERYTHING } from "../support/core-harness.ts";
import { createRandom, type Random } from "../support/random.ts";

type Id = readonly [ms: number, seq: number];
interface ModelEntry {
  id: Id;
  fields: string[];
}
interface ModelPending {
  id: Id;
  consumer: string;
  deliveredMs: number;
  deliveries: number;
}
interface ModelGroup {
  last: Id;
  consumers: Set<string>;
  pending: ModelPending[];
}
interface ModelStream {
  entries: ModelEntry[];
  last: Id;
  groups: Map<string, ModelGroup>;
}
type Model = Map<string, ModelStream>;

const KEYS = ["a", "b"];
const compare = (a: Id, b: Id) => a[0] - b[0] || a[1] - b[1];
const text = ([ms, seq]: Id) => `${ms}-${seq}`;
const shown = ({ id, fields }: ModelEntry): Plain => [text(id), fields];

function setLimit(core: TestCore, which: Limit, value: number): void {
  core.harness.core.memory.i32[(Address.State + StateField.Limits + which * 4) >> 2] = value;
}

function anyId(random: Random): Id {
  return [random.below(60), random.below(4)];
}

function fieldsOf(random: Random): string[] {
  const names = random.chance(0.7) ? ["temperature", "7"] : ["x", `f${random.below(3)}`, "y"];
  const long = random.chance(0.05) ? "v".repeat(300) : "v";
  return names.flatMap((name) => [name, random.chance(0.5) ? String(random.below(1e6)) : long]);
}

function emptyStream(): ModelStream {
  return { entries: [], last: [0, 0], groups: new Map() };
}

function sortPending(group: ModelGroup): void {
  group.pending.sort((a, b) => compare(a.id, b.id));
}

function give(group: ModelGroup, id: Id, consumer: string, deliveredMs: number): void {
  group.pending = group.pending.filter((one) => compare(one.id, id) !== 0);
  group.pending.push({ id, consumer, deliveredMs, deliveries: 1 });
  sortPending(group);
}

/** One random command on both; what it answers is compared. */
function step(core: TestCore, model: Model, random: Random): void {
  const key = random.pick(KEYS);
  const stream = model.get(key);
  const groupName = random.pick(["g1", "g2"]);
  const group = stream?.groups.get(groupName);
  const consumer = random.pick(["c1", "c2", "c3"]);
  const now = core.clock.nowMs();
  const kind = random.below(16);
  if (kind <= 4) {
    const last = stream?.last ?? [0, 0];
    const id: Id = random.chance(0.8) ? [last[0] + random.below(3), last[1] + 1] : anyId(random);
    const fields = fieldsOf(random);
    const reply = core.run("XADD", key, text(id), ...fields);
    if (compare(id, last) <= 0) {
      expect(reply).toBeInstanceOf(ErrorReply);
      return;
    }
    expect(reply).toBe(text(id));
    const target = stream ?? emptyStream();
    model.set(key, target);
    target.entries.push({ id, fields });
    target.last = id;
  } else if (kind === 5) {
    const ids = Array.from({ length: 3 }, () =>
      stream && stream.entries.length > 0 && random.chance(0.7)
        ? random.pick(stream.entries).id
        : anyId(random),
    );
    let deleted = 0;
    for (const id of ids)
      if (stream) {
        const before = stream.entries.length;
        stream.entries = stream.entries.filter((entry) => compare(entry.id, id) !== 0);
        deleted += before - stream.entries.length;
      }
    expect(core.must("XDEL", key, ...ids.map(text))).toBe(deleted);
  } else if (kind === 6) {
    const before = stream?.entries.length ?? 0;
    if (random.chance(0.5)) {
      const most = random.below(before + 5);
      if (stream) stream.entries = stream.entries.slice(Math.max(0, before - most));
      expect(core.must("XTRIM", key, "MAXLEN", String(most))).toBe(Math.max(0, before - most));
    } else {
      const id = anyId(random);
      if (stream) stream.entries = stream.entries.filter((entry) => compare(entry.id, id) >= 0);
      const left = stream?.entries.length ?? 0;
      expect(core.must("XTRIM", key, "MINID", text(id))).toBe(before - left);
    }
  } else if (kind === 7) {
    const id = anyId(random);
    const reply = core.run("XGROUP", "CREATE", key, groupName, text(id), "MKSTREAM");
    if (group !== undefined) {
      expect(reply).toBeInstanceOf(ErrorReply);
      return;
    }
    expect(reply).toBe("OK");
    const target = stream ?? emptyStream();
    model.set(key, target);
    target.groups.set(groupName, { last: id, consumers: new Set(), pending: [] });
  } else if (kind === 8 && random.chance(0.3)) {
    if (stream === undefined) return;
    expect(core.must("XGROUP", "DESTROY", key, groupName)).toBe(group === undefined ? 0 : 1);
    stream.groups.delete(groupName);
  } else if (kind === 9 && random.chance(0.5)) {
    const to = random.pick(KEYS);
    if (stream === undefined || to === key) return;
    core.must("COPY", key, to, "REPLACE");
    model.set(to, structuredClone(stream));
  } else if (stream === undefined || group === undefined) return;
  else if (kind <= 11) {
    const count = 1 + random.below(12);
    const unacknowledged = random.chance(0.2);
    const fresh = stream.entries.filter(({ id }) => compare(id, group.last) > 0).slice(0, count);
    const words = unacknowledged ? ["NOACK"] : [];
    const reply = core.must(
      ...["XREADGROUP", "GROUP", groupName, consumer, "COUNT", String(count), ...words],
      ...["STREAMS", key, ">"],
    );
    expect(reply).toEqual(fresh.length === 0 ? null : [[key, fresh.map(shown)]]);
    group.consumers.add(consumer);
    if (fresh.length > 0) group.last = fresh.at(-1)!.id;
    if (!unacknowledged) for (const { id } of fresh) give(group, id, consumer, now);
  } else if (kind === 12) {
    const ids = Array.from({ length: 4 }, () =>
      group.pending.length > 0 && random.chance(0.8)
        ? random.pick(group.pending).id
        : anyId(random),
    );
    const left = group.pending.filter(({ id }) => !ids.some((one) => compare(one, id) === 0));
    expect(core.must("XACK", key, groupName, ...ids.map(text))).toBe(
      group.pending.length - left.length,
    );
    group.pending = left;
  } else if (kind === 13) {
    const id = group.pending.length > 0 ? random.pick(group.pending).id : anyId(random);
    const exists = stream.entries.some((entry) => compare(entry.id, id) === 0);
    const forced = random.chance(0.5);
    const reply = core.must(
      ...[
        "XCLAIM",
        key,
        groupName,
        consumer,
        "0",
        text(id),
        "JUSTID",
        ...(forced ? ["FORCE"] : []),
      ],
    );
    group.consumers.add(consumer);
    const pending = group.pending.find((one) => compare(one.id, id) === 0);
    const claims = exists && (forced || pending !== undefined);
    expect(reply).toEqual(claims ? [text(id)] : []);
    if (!exists) group.pending = group.pending.filter((one) => one !== pending);
    else if (pending !== undefined) Object.assign(pending, { consumer, deliveredMs: now });
    else if (forced) give(group, id, consumer, now);
  } else if (kind === 14) {
    const from = anyId(random);
    const idle = random.below(40);
    const looked: ModelPending[] = [];
    const claimed: ModelPending[] = [];
    const missing: ModelPending[] = [];
    const later = group.pending.filter(({ id }) => compare(id, from) >= 0);
    for (const pending of later) {
      if (claimed.length + missing.length === 4 || looked.length === 40) break;
      looked.push(pending);
      if (!stream.entries.some(({ id }) => compare(id, pending.id) === 0)) missing.push(pending);
      else if (now - pending.deliveredMs >= idle) claimed.push(pending);
    }
    const next = later[looked.length];
    const reply = core.must(
      ...["XAUTOCLAIM", key, groupName, consumer, String(idle), text(from), "COUNT", "4", "JUSTID"],
    );
    expect(reply).toEqual([
      next === undefined ? "0-0" : text(next.id),
      claimed.map(({ id }) => text(id)),
      missing.map(({ id }) => text(id)),
    ]);
    group.consumers.add(consumer);
    for (const pending of claimed) Object.assign(pending, { consumer, deliveredMs: now });
    group.pending = group.pending.filter((one) => !missing.includes(one));
  } else if (random.chance(0.2)) {
    const own = group.pending.filter((one) => one.consumer === consumer);
    expect(core.must("XGROUP", "DELCONSUMER", key, groupName, consumer)).toBe(own.length);
    group.consumers.delete(consumer);
    group.pending = group.pending.filter((one) => one.consumer !== consumer);
  } else {
    const id = anyId(random);
    expect(core.must("XGROUP", "SETID", key, groupName, text(id))).toBe("OK");
    group.last = id;
  }
}

/** Compares everything that can be asked. */
function compareAll(core: TestCore, model: Model, random: Random): void {
  for (const key of KEYS) {
    const stream = model.get(key) ?? emptyStream();
    const entries = stream.entries.map(shown);
    expect(core.must("XLEN", key)).toBe(entries.length);
    expect(core.must("XRANGE", key, "-", "+")).toEqual(entries);
    expect(core.must("XREVRANGE", key, "+", "-")).toEqual(entries.toReversed());
    const [low, high] = [anyId(random), anyId(random)].toSorted(compare) as [Id, Id];
    const within = stream.entries.filter(
      ({ id }) => compare(id, low) >= 0 && compare(id, high) <= 0,
    );
    expect(core.must("XRANGE", key, text(low), text(high), "COUNT", "7")).toEqual(
      within.slice(0, 7).map(shown),
    );
    expect(core.must("XREVRANGE", key, text(high), text(low), "COUNT", "7")).toEqual(
      within.toReversed().slice(0, 7).map(shown),
    );
    const behind = stream.entries.filter(({ id }) => compare(id, low) > 0);
    expect(core.must("XREAD", "COUNT", "5", "STREAMS", key, text(low))).toEqual(
      behind.length === 0 ? null : [[key, behind.slice(0, 5).map(shown)]],
    );
    for (const [name, group] of stream.groups) compareGroup(core, key, name, group);
  }
}

function compareGroup(core: TestCore, key: string, name: string, group: ModelGroup): void {
  const pending = core.must("XPENDING", key, name, "-", "+", "100000") as Plain[][];
  expect(pending.map(([id, consumer]) => [id, consumer])).toEqual(
    group.pending.map(({ id, consumer }) => [text(id), consumer]),
  );
  const consumers = core.must("XINFO", "CONSUMERS", key, name) as Plain[][];
  expect(consumers.map((row) => [row[1], row[3]])).toEqual(
    [...group.consumers]
      .sort()
      .map((consumer) => [
        consumer,
        group.pending.filter((one) => one.consumer === consumer).length,
      ]),
  );
  const groups = core.must("XINFO", "GROUPS", key) as Plain[][];
  const row = groups.find((one) => one[1] === name)!;
  expect(row.slice(2, 8)).toEqual([
    ...["consumers", group.consumers.size, "pending", group.pending.length],
    ...["last-delivered-id", text(group.last)],
  ]);
}

const NODES = [
  [4096, 100],
  [200, 0],
  [0, 3],
] as const;
for (const build of ["tiny", "release"] as Build[])
  test(`streams and groups behave like arrays and maps (${build})`, () => {
    for (let seed = 1; seed <= 9; seed++) {
      const random = createRandom(seed);
      const core = createTestCore({ build });
      const [bytes, entries] = NODES[seed % NODES.length]!;
      setLimit(core, Limit.StreamNodeBytes, bytes);
      setLimit(core, Limit.StreamNodeEntries, entries);
      const model: Model = new Map();
      for (let i = 0; i < 400; i++) {
        step(core, model, random);
        core.clock.advance(random.below(20));
        core.check();
        if (i % 20 === 0) compareAll(core, model, random);
      }
      compareAll(core, model, random);
      core.must("DEL", ...KEYS);
      core.freeAll();
      expect(core.check()).toBe(0);
    }
  });

test("approximate trimming takes whole nodes, and no more than LIMIT", () => {
  const core = createTestCore();
  setLimit(core, Limit.StreamNodeEntries, 10);
  for (let i = 1; i <= 95; i++) core.must("XADD", "s", `${i}-0`, "f", "v");
  expect(core.must("XTRIM", "s", "MAXLEN", "~", "50")).toBe(40);
  expect(core.must("XTRIM", "s", "MAXLEN", "~", "0", "LIMIT", "25")).toBe(20);
  expect(core.must("XTRIM", "s", "MINID", "~", "75")).toBe(10);
  expect(core.must("XRANGE", "s", "-", "+", "COUNT", "1")).toEqual([["71-0", ["f", "v"]]]);
  expect(core.must("XTRIM", "s", "MINID", "=", "75")).toBe(4);
  expect(core.must("XLEN", "s")).toBe(21);
  core.check();
});

test("a large stream and a large group are freed in slices, and leave nothing", () => {
  const core = createTestCore();
  core.must("SET", "k", "v");
  core.must("DEL", "k");
  const before = core.usedBytes();
  const fill = () => {
    core.must("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM");
    for (let i = 1; i <= 20_000; i++) core.must("XADD", "s", `${i}-0`, "f", `value ${i}`);
    core.must("XREADGROUP", "GROUP", "g", "c1", "COUNT", "9000", "STREAMS", "s", ">");
    core.must("XREADGROUP", "GROUP", "g", "c2", "COUNT", "9000", "STREAMS", "s", ">");
  };
  fill();
  core.check();
  core.must("DEL", "s");
  expect(core.usedBytes()).toBeGreaterThan(before);
  core.freeAll();
  expect(core.check()).toBe(0);
  expect(core.usedBytes()).toBe(before);
  fill();
  const withGroup = core.usedBytes();
  core.must("XGROUP", "DESTROY", "s", "g");
  core.freeAll();
  expect(withGroup - core.usedBytes()).toBeGreaterThan(18_000 * 40);
  core.check();
});

test("moving its blocks changes nothing of a stream", () => {
  const core = createTestCore({ build: "tiny" });
  const random = createRandom(5);
  core.must("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM");
  // Neighbours that go away leave pages half empty.
  for (let i = 1; i <= 6000; i++) {
    core.must("XADD", "s", `${i}-0`, "field", "v".repeat(random.below(60)));
    core.must("XADD", `t${i % 40}`, `${i}-0`, "field", "v".repeat(random.below(60)));
    core.must("SET", `k${i}`, "x".repeat(200));
    if (i % 3 === 0)
      core.must("XREADGROUP", "GROUP", "g", `c${i % 7}`, "COUNT", "3", "STREAMS", "s", ">");
  }
  const digest = core.must("DEBUG", "DIGEST-VALUE", "s");
  const pending = core.must("XPENDING", "s", "g", "-", "+", "100000");
  for (let i = 1; i <= 6000; i++) if (i % 10 !== 0) core.must("DEL", `k${i}`);
  for (let i = 0; i < 40; i++) core.must("DEL", `t${i}`);
  core.freeAll();
  const pages = core.heapPages();
  core.tidyAll(50);
  core.check();
  expect(core.heapPages()).toBeLessThan(pages);
  expect(core.must("DEBUG", "DIGEST-VALUE", "s")).toEqual(digest);
  expect(core.must("XPENDING", "s", "g", "-", "+", "100000")).toEqual(pending);
});

test("without memory a command changes nothing", () => {
  const core = createTestCore();
  const { harness } = core;
  core.must("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM");
  for (let i = 1; i <= 3000; i++) core.must("XADD", "s", `${i}-0`, "f", "v".repeat(50));
  core.limit(0, EvictionPolicy.NoEviction);
  const pageLimit = (Address.State + StateField.PageLimit) >> 2;
  harness.core.memory.i32[pageLimit] = core.heapPages() + 64;
  const refused = new Set<string>();
  let id = 3000;
  for (let round = 0; round < 3000; round++) {
    const digest = core.must("DEBUG", "DIGEST-VALUE", "s");
    const commands = [
      ["XADD", "s", `${++id}-0`, "f", "v".repeat(3000)],
      ["XADD", `new${round}`, "*", "f", "v".repeat(3000)],
      ["XREADGROUP", "GROUP", "g", "c", "COUNT", "100", "STREAMS", "s", ">"],
      ["XGROUP", "CREATECONSUMER", "s", "g", `${"n".repeat(60_000)}${round}`],
      ["XGROUP", "CREATE", "s", `${"n".repeat(60_000)}${round}`, "0"],
      ["XCLAIM", "s", "g", "c9", "0", "1-0", "2-0", "3-0", "FORCE"],
    ];
    const command = commands[round % commands.length]!;
    const reply = core.run(...command);
    if (!(reply instanceof ErrorReply)) continue;
    expect(reply.text).toStartWith("OOM");
    refused.add(command.slice(0, 2).join(" "));
    expect(core.must("DEBUG", "DIGEST-VALUE", "s")).toEqual(digest);
    if (refused.size === 4) break;
  }
  core.check();
  expect([...refused].some((command) => command.startsWith("XADD"))).toBe(true);
  expect([...refused].some((command) => command.startsWith("XREADGROUP"))).toBe(true);
  expect([...refused].some((command) => command.startsWith("XGROUP"))).toBe(true);
});

test("claims for a consumer whose name is larger than the records' buffer are told whole", () => {
  const core = createTestCore({ build: "release" });
  const { harness } = core;
  const name = "n".repeat(1_200_000);
  harness.listen(EVERYTHING);
  core.must("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM");
  for (let i = 1; i <= 3; i++) core.must("XADD", "s", `${i}-0`, "f", "v");
  core.must("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">");
  core.must("XCLAIM", "s", "g", name, "0", "1-0", "2-0", "3-0");
  const claims = harness.logged().map((claim) => claim.slice(0, 6).join(" "));
  expect(claims).toEqual(["1-0", "2-0", "3-0"].map((id) => `XCLAIM s g ${name} 0 ${id}`));
  core.check();
});
