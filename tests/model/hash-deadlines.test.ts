/**
 * Deadlines of fields against JavaScript's maps: every command, in both encodings, while time passes; and what is propagated, replayed on
 * a second core, gives the same fields with the same deadlines.
 */
import { expect, test } from "bun:test";
import { Address, EffectMask, IoFlag, StateField } from "../../core-wasm/abi.ts";
import {
  type Build,
  createTestCore,
  ErrorReply,
  type Plain,
  type TestCore,
} from "../support/core.ts";
import { createRandom, type Random } from "../support/random.ts";

interface Field {
  value: string;
  /** ms, 0 = none. */
  deadline: number;
}
type Hash = Map<string, Field>;
type Model = Map<string, Hash>;

const KEYS = ["a", "b", "c"];
/** As in core-wasm/memory/pages.ts. */
const RESERVE_PAGES = 64;

const isLive = (field: Field | undefined, now: number) =>
  field !== undefined && (field.deadline === 0 || field.deadline > now);

/** What there is of a hash now: what is due is forgotten. */
function live(model: Model, name: string, now: number): Hash {
  const hash = new Map([...(model.get(name) ?? [])].filter(([, field]) => isLive(field, now)));
  if (hash.size > 0) model.set(name, hash);
  else model.delete(name);
  return hash;
}

function store(model: Model, name: string, hash: Hash): void {
  if (hash.size > 0) model.set(name, hash);
  else model.delete(name);
}

/** One random command, on both. */
class Player {
  readonly model: Model = new Map();

  constructor(
    private readonly core: TestCore,
    private readonly replay: () => void,
    private readonly random: Random,
    /** Fields to choose from: few keep hashes packed, many make them tables. */
    private readonly fields: number,
  ) {}

  private field = () =>
    this.random.chance(0.3)
      ? String(this.random.below(this.fields))
      : `f${this.random.below(this.fields)}`;
  private some = () =>
    Array.from({ length: 1 + this.random.below(this.random.chance(0.2) ? 40 : 4) }, this.field);
  private value = () =>
    this.random.chance(0.5) ? String(this.random.below(1e6)) : "v".repeat(this.random.below(60));
  private key = () => this.random.pick(KEYS);

  private ask(...words: string[]): Plain {
    const reply = this.core.must(...words);
    this.replay();
    return reply;
  }

  begin(name: string, field: string, as: Field): void {
    this.ask("HSET", name, field, as.value);
    this.model.set(name, new Map([[field, as]]));
  }

  private now(): number {
    return this.core.clock.nowMs();
  }

  /** An instant as the options EX PX EXAT PXAT say it, now and then one that is past. */
  private instant(): { option: string; text: string; at: number } {
    const now = this.now();
    const ms = this.random.chance(0.15) ? 0 : 1 + this.random.below(3000);
    const seconds = Math.floor(ms / 1000);
    switch (this.random.below(4)) {
      case 0:
        return { option: "EX", text: String(seconds), at: now + seconds * 1000 };
      case 1:
        return { option: "PX", text: String(ms), at: now + ms };
      case 2: {
        const at = Math.floor(now / 1000) + seconds;
        return { option: "EXAT", text: String(at), at: at * 1000 };
      }
      default:
        return { option: "PXAT", text: String(now + ms - 1), at: now + ms - 1 };
    }
  }

  play(): void {
    const name = this.key();
    const hash = live(this.model, name, this.now());
    switch (this.random.below(12)) {
      case 0:
      case 1:
        return this.hset(name, hash);
      case 2:
      case 3:
        return this.hsetex(name, hash);
      case 4:
      case 5:
        return this.hexpire(name, hash);
      case 6:
        return this.hpersist(name, hash);
      case 7:
        return this.hgetex(name, hash);
      case 8:
        return this.hgetdel(name, hash);
      case 9:
        return this.hincrby(name, hash);
      case 10:
        return this.hdel(name, hash);
      default:
        return this.move(name, hash);
    }
  }

  private hset(name: string, hash: Hash): void {
    const pairs = this.some().map((field) => [field, this.value()] as const);
    const before = hash.size;
    for (const [field, value] of pairs) hash.set(field, { value, deadline: 0 });
    expect(this.ask("HSET", name, ...pairs.flat())).toBe(hash.size - before);
    store(this.model, name, hash);
  }

  private hsetex(name: string, hash: Hash): void {
    const pairs = this.some().map((field) => [field, this.value()] as const);
    const condition = this.random.pick(["", "", "FNX", "FXX"]);
    const { option, text, at } = this.instant();
    const expiry = this.random.pick([[], ["KEEPTTL"], [option, text], [option, text]]);
    const words = [...(condition === "" ? [] : [condition]), ...expiry];
    const met =
      condition === "" || pairs.every(([field]) => hash.has(field) === (condition === "FXX"));
    const reply = this.ask(
      "HSETEX",
      name,
      ...words,
      "FIELDS",
      String(pairs.length),
      ...pairs.flat(),
    );
    expect(reply).toBe(met ? 1 : 0);
    if (!met) return;
    for (const [field, value] of pairs) {
      let deadline = 0;
      if (expiry[0] === "KEEPTTL") deadline = hash.get(field)?.deadline ?? 0;
      else if (expiry.length > 0) deadline = at;
      if (expiry.length === 2 && at <= this.now()) hash.delete(field);
      else hash.set(field, { value, deadline });
    }
    store(this.model, name, hash);
  }

  /** @returns what the outcome of a deadline for a field is, having set it */
  private expireOne(hash: Hash, field: string, at: number, condition: string): number {
    const found = hash.get(field);
    if (found === undefined) return -2;
    const { deadline } = found;
    const met =
      condition === "" ||
      (condition === "NX" && deadline === 0) ||
      (condition === "XX" && deadline !== 0) ||
      (condition === "GT" && deadline !== 0 && at > deadline) ||
      (condition === "LT" && (deadline === 0 || at < deadline));
    if (!met) return 0;
    if (at <= this.now()) {
      hash.delete(field);
      return 2;
    }
    hash.set(field, { ...found, deadline: at });
    return 1;
  }

  private hexpire(name: string, hash: Hash): void {
    const { option, text, at } = this.instant();
    const command = { EX: "HEXPIRE", PX: "HPEXPIRE", EXAT: "HEXPIREAT", PXAT: "HPEXPIREAT" }[
      option
    ]!;
    const condition = this.random.pick(["", "", "NX", "XX", "GT", "LT"]);
    const fields = this.some();
    const words = [...(condition === "" ? [] : [condition]), "FIELDS", String(fields.length)];
    const reply = this.ask(command, name, text, ...words, ...fields);
    expect(reply).toEqual(fields.map((field) => this.expireOne(hash, field, at, condition)));
    store(this.model, name, hash);
  }

  private hpersist(name: string, hash: Hash): void {
    const fields = this.some();
    const reply = this.ask("HPERSIST", name, "FIELDS", String(fields.length), ...fields);
    const wanted = fields.map((field) => {
      const found = hash.get(field);
      if (found === undefined) return -2;
      if (found.deadline === 0) return -1;
      hash.set(field, { ...found, deadline: 0 });
      return 1;
    });
    expect(reply).toEqual(wanted);
    store(this.model, name, hash);
  }

  private hgetex(name: string, hash: Hash): void {
    const fields = this.some();
    const { option, text, at } = this.instant();
    const expiry = this.random.pick([[], ["PERSIST"], [option, text], [option, text]]);
    const words = [...expiry, "FIELDS", String(fields.length), ...fields];
    const reply = this.ask("HGETEX", name, ...words);
    const wanted = fields.map((field) => {
      const value = hash.get(field)?.value ?? null;
      if (expiry.length === 2) this.expireOne(hash, field, at, "");
      else if (expiry.length === 1 && value !== null) hash.set(field, { value, deadline: 0 });
      return value;
    });
    expect(reply).toEqual(wanted);
    store(this.model, name, hash);
  }

  private hgetdel(name: string, hash: Hash): void {
    const fields = this.some();
    const reply = this.ask("HGETDEL", name, "FIELDS", String(fields.length), ...fields);
    const wanted = fields.map((field) => {
      const value = hash.get(field)?.value ?? null;
      hash.delete(field);
      return value;
    });
    expect(reply).toEqual(wanted);
    store(this.model, name, hash);
  }

  private hincrby(name: string, hash: Hash): void {
    const field = this.random.pick(["n", "m"]);
    const value = Number(hash.get(field)?.value ?? 0) + 7;
    const isFloat = this.random.chance(0.5);
    const reply = this.ask(isFloat ? "HINCRBYFLOAT" : "HINCRBY", name, field, "7");
    expect(String(reply)).toBe(String(value));
    hash.set(field, { value: String(value), deadline: hash.get(field)?.deadline ?? 0 });
    store(this.model, name, hash);
    if (this.random.chance(0.3)) {
      this.ask("HSETNX", name, field, "0");
      this.ask("HPEXPIRE", name, "500", "NX", "FIELDS", "1", field);
      const found = hash.get(field)!;
      if (found.deadline === 0) hash.set(field, { ...found, deadline: this.now() + 500 });
    }
  }

  private hdel(name: string, hash: Hash): void {
    const fields = this.some();
    const before = hash.size;
    for (const field of fields) hash.delete(field);
    expect(this.ask("HDEL", name, ...fields)).toBe(before - hash.size);
    store(this.model, name, hash);
  }

  private move(name: string, hash: Hash): void {
    const to = this.key();
    if (to === name || hash.size === 0) return;
    if (this.random.chance(0.3)) {
      this.ask("SET", to, "text");
      this.ask("DEL", to);
      this.model.delete(to);
      return;
    }
    const isCopy = this.random.chance(0.5);
    this.ask(isCopy ? "COPY" : "RENAME", name, to, ...(isCopy ? ["REPLACE"] : []));
    store(this.model, to, new Map(hash));
    if (!isCopy) this.model.delete(name);
  }

  /** Compares all that can be read of a hash. */
  compare(name: string): void {
    const hash = live(this.model, name, this.now());
    expect(this.ask("EXISTS", name)).toBe(hash.size > 0 ? 1 : 0);
    expect(this.ask("HLEN", name)).toBe(hash.size);
    const names = [...hash.keys()].toSorted();
    expect((this.ask("HKEYS", name) as string[]).toSorted()).toEqual(names);
    expect((this.ask("HGETALL", name) as string[]).toSorted()).toEqual(
      [...hash].flatMap(([field, { value }]) => [field, value]).toSorted(),
    );
    expect((this.ask("HRANDFIELD", name, "100000") as string[]).toSorted()).toEqual(names);
    const scanned: string[] = [];
    let cursor = "0";
    do {
      const [next, found] = this.ask("HSCAN", name, cursor, "NOVALUES") as [string, string[]];
      scanned.push(...found);
      cursor = next;
    } while (cursor !== "0");
    expect(scanned.toSorted()).toEqual(names);
    if (names.length === 0) return;
    expect(names).toContain(this.ask("HRANDFIELD", name) as string);
    expect(this.ask("HPEXPIRETIME", name, "FIELDS", String(names.length), ...names)).toEqual(
      names.map((field) => hash.get(field)!.deadline || -1),
    );
    expect(this.ask("HMGET", name, ...names)).toEqual(names.map((field) => hash.get(field)!.value));
  }
}

/** Whether a field was long: it makes the hash a table for good. */
const LONG = { value: "x".repeat(80), deadline: 0 };

for (const build of ["tiny", "release"] as Build[])
  for (const fields of [12, 400])
    test(`fields live as long as their deadlines say, here and in a replay (${build}, ${fields} fields)`, () => {
      for (let seed = 1; seed <= 25; seed++) {
        const random = createRandom(seed);
        const core = createTestCore({ build, seed: [seed, 1] });
        // What is logged must not depend on when it is replayed.
        const nowMs = core.clock.nowMs() + 100_000;
        const replica = createTestCore({ build, seed: [seed, 2], nowMs });
        replica.harness.client.flags = IoFlag.Replay;
        core.harness.listen(EffectMask.Propagate);
        const replay = () => {
          for (const words of core.harness.logged()) replica.must(...words);
        };
        const player = new Player(core, replay, random, fields);
        for (const name of fields > 12 ? ["a", "b"] : []) player.begin(name, "long", LONG);
        for (let step = 0; step < 60; step++) {
          player.play();
          core.check();
          replica.check();
          if (random.chance(0.5)) {
            const ms = random.below(random.chance(0.1) ? 3000 : 300);
            core.clock.advance(ms);
            replica.clock.advance(ms);
          }
          if (random.chance(0.4)) {
            core.must("HLEN", "none");
            core.expireAll(random.pick([5, 1000]));
            replay();
            core.check();
            expect(replica.must("DEBUG", "DIGEST")).toBe(core.must("DEBUG", "DIGEST") as string);
          }
          if (random.chance(0.3)) player.compare(random.pick(KEYS));
        }
      }
    });

/** A hash of so many fields, all of them with a deadline in `ms`; `long` makes it a table. */
function timed(core: TestCore, name: string, count: number, ms: number): string[] {
  const names = Array.from({ length: count }, (_, i) => `f${i}`);
  for (let i = 0; i < count; i += 100) {
    const some = names.slice(i, i + 100);
    const pairs = some.flatMap((field) => [field, "v"]);
    core.must("HSETEX", name, "PX", String(ms), "FIELDS", String(some.length), ...pairs);
  }
  return names;
}

for (const count of [300, 3000])
  test(`many of ${count} fields that are due at once are hidden from readers, and deleted bit by bit`, () => {
    const core = createTestCore({ build: "tiny" });
    core.harness.listen(EffectMask.Propagate);
    const names = timed(core, "h", count, 10);
    core.must("HSET", "h", "stays", "v");
    expect(core.must("OBJECT", "ENCODING", "h")).toBe(count > 512 ? "hashtable" : "listpackex");
    core.clock.advance(10);
    expect(core.must("HLEN", "h")).toBe(1);
    // One lookup deletes some of them only, and says which.
    const first = core.harness.logged();
    expect(first).toHaveLength(64);
    expect(first.every(([command, key]) => command === "HDEL" && key === "h")).toBe(true);
    expect(core.must("HGETALL", "h")).toEqual(["stays", "v"]);
    expect(core.must("HRANDFIELD", "h", "-5")).toEqual(Array(5).fill("stays"));
    expect(core.must("HKEYS", "h")).toEqual(["stays"]);
    // A write that names one deletes it first.
    const last = names.find((name) => !first.some(([, , field]) => field === name))!;
    expect(core.must("HSETNX", "h", names.at(-1)!, "new")).toBe(1);
    expect(core.must("HMGET", "h", last, names.at(-1)!)).toEqual([null, "new"]);
    expect(core.must("HDEL", "h", "stays", names.at(-1)!)).toBe(2);
    expect(core.must("EXISTS", "h")).toBe(0);
    core.freeAll();
    expect(core.check()).toBe(0);
  });

test("fields are drawn from the few that are not due, each as likely as another", () => {
  for (const build of ["tiny", "release"] as const) {
    const core = createTestCore({ build });
    timed(core, "h", 4000, 10);
    const stay = Array.from({ length: 40 }, (_, i) => `stays:${i}`);
    core.must("HSET", "h", ...stay.flatMap((field, i) => [field, String(i)]));
    core.clock.advance(10);
    const used = core.usedBytes();
    const counts = new Map(stay.map((field) => [field, 0]));
    for (const field of core.must("HRANDFIELD", "h", "-40000") as string[])
      counts.set(field, counts.get(field)! + 1);
    expect(counts.size).toBe(stay.length);
    // 1,000 each on average, with a deviation of 31.
    expect(Math.min(...counts.values())).toBeGreaterThan(800);
    expect(Math.max(...counts.values())).toBeLessThan(1200);
    expect(core.usedBytes()).toBeLessThan(used);
    const pairs = core.must("HRANDFIELD", "h", "-5", "WITHVALUES") as string[];
    expect(pairs).toHaveLength(10);
    for (let i = 0; i < 10; i += 2) expect(pairs[i]).toBe(`stays:${pairs[i + 1]}`);
    const different = core.must("HRANDFIELD", "h", "3") as string[];
    expect(new Set(different).size).toBe(3);
    for (const field of different) expect(stay).toContain(field);
    expect(core.must("HLEN", "h")).toBe(stay.length);
    core.check();
  }
});

test("a hash of nothing but due fields goes whole, as one deletion, whoever comes first", () => {
  for (const find of [true, false]) {
    const core = createTestCore({ build: "release" });
    core.harness.listen(EffectMask.Propagate | EffectMask.Events);
    timed(core, "h", 5000, 10);
    core.clock.advance(10);
    const peeked = core.must("KEYS", "*");
    expect(peeked).toEqual([]);
    if (find) expect(core.must("EXISTS", "h")).toBe(0);
    else core.expireAll();
    expect(core.harness.logged()).toEqual([["DEL", "h"]]);
    const events = core
      .effects()
      .flatMap((effect) => (effect.kind === "event" ? [effect.event] : []));
    expect(events.filter((event) => event !== "keymiss")).toEqual(["hexpired", "del"]);
    core.freeAll();
    expect(core.check()).toBe(0);
  }
});

test("the wheel names the instant of the next field, and nothing is deleted before it", () => {
  const core = createTestCore();
  const now = core.clock.nowMs();
  core.must("HSETEX", "h", "PXAT", String(now + 200), "FIELDS", "1", "a", "1");
  core.must("HSETEX", "h", "PXAT", String(now + 100), "FIELDS", "1", "b", "1");
  core.must("HSET", "h", "c", "1");
  expect(core.harness.core.nextDeadlineMs()).toBeLessThanOrEqual(now + 100);
  core.clock.advance(99);
  core.expireAll();
  expect(core.must("HLEN", "h")).toBe(3);
  core.clock.advance(1);
  core.expireAll();
  expect(core.must("HKEYS", "h")).toEqual(["a", "c"]);
  expect(core.harness.core.nextDeadlineMs()).toBeLessThanOrEqual(now + 200);
  core.must("HPERSIST", "h", "FIELDS", "1", "a");
  expect(core.must("OBJECT", "ENCODING", "h")).toBe("listpack");
  expect(core.harness.core.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  core.check();
});

test("while writes are refused what is due is hidden, not deleted", () => {
  const core = createTestCore();
  timed(core, "gone", 3, 10);
  timed(core, "h", 3, 10);
  core.must("HSET", "h", "stays", "v");
  core.clock.advance(10);
  core.harness.client.flags = IoFlag.WritesRefused;
  expect(core.must("EXISTS", "gone")).toBe(0);
  expect(core.must("HGETALL", "h")).toEqual(["stays", "v"]);
  expect(core.must("HLEN", "h")).toBe(1);
  expect(core.must("HTTL", "h", "FIELDS", "2", "f0", "stays")).toEqual([-2, -1]);
  expect(core.must("DBSIZE")).toBe(2);
  core.harness.client.flags = 0;
  core.expireAll();
  expect(core.must("DBSIZE")).toBe(1);
  core.check();
});

test("a hash without deadlines takes no more than before it had some", () => {
  for (const count of [50, 1000]) {
    const core = createTestCore({ build: "release" });
    const pairs = Array.from({ length: count }, (_, i) => [`f${i}`, `value:${i}`]).flat();
    core.must("HSET", "h", ...pairs);
    const before = core.must("MEMORY", "USAGE", "h") as number;
    const names = pairs.filter((_, i) => i % 2 === 0);
    core.must("HEXPIRE", "h", "100", "FIELDS", String(count), ...names);
    expect(core.must("MEMORY", "USAGE", "h") as number).toBeGreaterThan(before);
    core.must("HPERSIST", "h", "FIELDS", String(count), ...names);
    expect(core.must("MEMORY", "USAGE", "h")).toBe(before);
    // Setting a field takes its deadline away too.
    core.must("HEXPIRE", "h", "100", "FIELDS", "1", "f3");
    core.must("HSET", "h", "f3", "value:3");
    expect(core.must("MEMORY", "USAGE", "h")).toBe(before);
    core.check();
  }
});

test("a flush, an eviction and a value in its place leave nothing of the deadlines", () => {
  const core = createTestCore();
  for (const end of [
    ["FLUSHALL"],
    ["DEL", "packed", "table"],
    ["MSET", "packed", "text", "table", "text"],
  ]) {
    timed(core, "packed", 10, 100);
    timed(core, "table", 1000, 100);
    core.must(...end);
    core.check();
    core.clock.advance(200);
    core.expireAll();
    core.freeAll();
    core.must("DEL", "packed", "table");
    expect(core.check()).toBe(0);
    expect(core.harness.core.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  }
});

test("defragmentation keeps deadlines and their order", () => {
  const core = createTestCore({ build: "release" });
  const pad = "pad".repeat(20);
  const now = core.clock.nowMs();
  const kept = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = i % 40 === 0 ? `small:${i}` : "h";
    core.must(
      "HSETEX",
      key,
      "PXAT",
      String(now + 1000 + (i % 977)),
      "FIELDS",
      "1",
      `${i}:${pad}`,
      pad,
    );
    if (i % 10 === 0) kept.set(`${i}:${pad}`, now + 1000 + (i % 977));
    else core.must("SET", `filler:${i}`, "x".repeat(100));
  }
  const gone = (core.must("HKEYS", "h") as string[]).filter((field) => !kept.has(field));
  for (let i = 0; i < gone.length; i += 500) core.must("HDEL", "h", ...gone.slice(i, i + 500));
  for (let i = 0; i < 20_000; i++) if (i % 7 !== 0) core.must("DEL", `filler:${i}`);
  const pages = core.heapPages();
  for (let i = 0; i < 20; i++) core.tidyAll(300);
  expect(core.heapPages()).toBeLessThan(pages * 0.7);
  core.check();
  for (const [field, at] of kept) {
    const key = Number.parseInt(field, 10) % 40 === 0 ? `small:${Number.parseInt(field, 10)}` : "h";
    expect(core.must("HPEXPIRETIME", key, "FIELDS", "1", field)).toEqual([at]);
  }
  core.clock.advance(1500);
  core.expireAll();
  core.check();
  const left = [...kept].filter(
    ([field, at]) => at > now + 1500 && Number.parseInt(field, 10) % 40 !== 0,
  );
  expect(core.must("HLEN", "h")).toBe(left.length);
});

test("deadlines that find no memory change nothing", () => {
  for (const count of [400, 3000]) {
    const core = createTestCore({ build: "release" });
    const names = Array.from({ length: count }, (_, i) => `f${i}`);
    core.must("HSET", "h", ...names.flatMap((field) => [field, "w".repeat(50)]));
    const { words } = core.harness.core.memory;
    // What is left of the last page must not be enough for the new forms.
    words.setUint32(Address.State + StateField.PageLimit, core.heapPages() + RESERVE_PAGES, true);
    for (let i = 0; !(core.run("SET", `filler:${i}`, "x".repeat(60)) instanceof ErrorReply); i++);
    for (let i = 0; !(core.run("SET", `tail:${i}`, "x".repeat(30_000)) instanceof ErrorReply); i++);
    const all = ["FIELDS", String(count), ...names];
    const reply = core.run("HEXPIRE", "h", "100", ...all);
    if (reply instanceof ErrorReply) expect(reply.text).toStartWith("OOM");
    const wanted = reply instanceof ErrorReply ? -1 : 100;
    expect(core.must("HTTL", "h", ...all)).toEqual(Array(count).fill(wanted));
    core.check();
  }
});
