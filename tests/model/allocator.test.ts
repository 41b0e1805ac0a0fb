/** Blocks of all sizes, where memory is plenty, scarce, and at its end: what is asked is given, little is lost, all comes back. */
import { expect, test } from "bun:test";
import { Address, StateField } from "../../core-wasm/abi.ts";
import { createTestCore, ErrorReply, type TestCore } from "../support/core.ts";
import { createRandom } from "../support/random.ts";

const MIB = 1 << 20;
const PAGE_BYTES = 65_536;
const KEY = "k";
/** As in core-wasm/memory: pages that only what must not fail may use. */
const RESERVE_PAGES = 64;

/** Lets the heap have so many bytes more than it uses. */
function leaveBytes(core: TestCore, bytes: number): void {
  const pages = core.heapPages() + Math.ceil(bytes / PAGE_BYTES) + RESERVE_PAGES;
  core.harness.core.memory.words.setUint32(Address.State + StateField.PageLimit, pages, true);
}

/** Gives free pages back as the host does, and makes them what the system makes of them. @returns how many */
function releasePages(core: TestCore, budget: number): number {
  const { core: exports } = core.harness;
  const held = exports.freePagesHeld();
  const list = exports.releasePages(budget);
  const { memory } = exports;
  const count = new DataView(memory.bytes(list, 4).slice().buffer).getUint32(0, true);
  const pieces = new Uint32Array(memory.bytes(list + 4, count * 8).slice().buffer);
  let pages = 0;
  for (let piece = 0; piece < count; piece++) {
    memory.bytes(pieces[piece * 2]! * PAGE_BYTES, pieces[piece * 2 + 1]! * PAGE_BYTES).fill(0);
    pages += pieces[piece * 2 + 1]!;
  }
  expect(pages).toBeLessThanOrEqual(Math.min(budget, held));
  expect(exports.freePagesHeld()).toBe(held - pages);
  return pages;
}

/** Bytes that a string of this length asks for: behind its key, or in a block of its own. */
const asked = (length: number) => (length <= 16_384 ? 21 + length : 24 + 8 + length);

test("a block is never shorter than asked, and at most a quarter longer", () => {
  const core = createTestCore({ build: "release" });
  let length = 40;
  while (length < 700_000) {
    core.must("SET", KEY, "v".repeat(length));
    const bytes = core.must("MEMORY", "USAGE", KEY) as number;
    expect(bytes).toBeGreaterThanOrEqual(asked(length));
    if (length < 8000) expect(bytes).toBeLessThanOrEqual(asked(length) * 1.126 + 16);
    else if (length < 256 * 1024) expect(bytes).toBeLessThanOrEqual(asked(length) * 1.26);
    else expect(bytes).toBeLessThan(asked(length) + PAGE_BYTES);
    length += length < 600 ? 1 : Math.floor(length / 50);
  }
});

test("values of common sizes lose little: a power of two and its header", () => {
  const core = createTestCore({ build: "release" });
  for (let power = 6; power <= 24; power++) {
    core.must("SET", KEY, "v".repeat(2 ** power));
    const bytes = core.must("MEMORY", "USAGE", KEY) as number;
    expect(bytes / asked(2 ** power)).toBeLessThan(power === 18 ? 1.26 : 1.15);
  }
});

/** SETs, APPENDs and DELs of all sizes until `commands` are done. @returns what is stored */
function churn(core: TestCore, seed: number, commands: number): Map<string, number> {
  const random = createRandom(seed);
  const stored = new Map<string, number>();
  for (let i = 0; i < commands; i++) {
    const key = `key:${random.below(300)}`;
    const length = random.below(2 ** (1 + random.below(19)));
    const kind = random.below(10);
    if (kind < 6) {
      if (core.run("SET", key, "v".repeat(length)) === "OK") stored.set(key, length);
    } else if (kind < 8) {
      core.must("DEL", key);
      stored.delete(key);
    } else {
      const total = core.run("APPEND", key, "v".repeat(length));
      if (!(total instanceof ErrorReply)) stored.set(key, total as number);
    }
    if (random.chance(0.05)) core.harness.core.tidySlice(500);
    if (random.chance(0.05)) releasePages(core, 1 + random.below(60));
    if (i % 500 === 0) core.check();
  }
  return stored;
}

const ROOMS = {
  plenty: 1024 * MIB,
  "around the limit of spans": 50 * MIB,
  scarce: 25 * MIB,
  tight: 12 * MIB,
};
for (const [name, bytes] of Object.entries(ROOMS))
  test(`blocks of all sizes come, go and come back, memory being ${name}`, () => {
    const core = createTestCore({ build: "release" });
    core.must("SET", KEY, "v");
    core.must("DEL", KEY);
    const empty = core.usedBytes();
    leaveBytes(core, bytes);
    const stored = churn(core, 5, 4000);
    for (const [key, length] of stored) expect(core.run("STRLEN", key)).toBe(length);
    expect(core.check()).toBe(stored.size);
    for (const key of stored.keys()) core.must("DEL", key);
    core.tidyAll();
    expect(core.usedBytes()).toBe(empty);
    core.check();
    // Slabs that keep a page or a span for the next block are few.
    expect(core.heapPages()).toBeLessThan(160);
  });

test("MSET of many large values is whole or refused, wherever the memory ends", () => {
  const random = createRandom(7);
  for (let round = 0; round < 60; round++) {
    const core = createTestCore({ build: "release" });
    const pairs = Array.from({ length: 2 + random.below(40) }, (_, i) => [
      `key:${i}`,
      "v".repeat(random.below(2 ** (10 + random.below(9)))),
    ]);
    const total = pairs.reduce((sum, [, value]) => sum + value!.length, 0);
    leaveBytes(core, random.pick([0, 32 * MIB]) + random.below(total * 3));
    const reply = core.run("MSET", ...pairs.flat());
    const there = pairs.filter(([key]) => core.run("EXISTS", key!) === 1).length;
    expect(there).toBe(reply === "OK" ? pairs.length : 0);
    core.check();
  }
});

test("a shift in the size of large values leaves no sparse spans behind", () => {
  const core = createTestCore({ build: "release" });
  for (let i = 0; i < 1000; i++) core.must("SET", `key:${i}`, "v".repeat(40_000));
  const before = core.heapPages();
  for (let i = 0; i < 1000; i++) if (i % 8 !== 0) core.must("DEL", `key:${i}`);
  core.tidyAll();
  core.check();
  expect(core.heapPages()).toBeLessThan(before / 4);
  for (let i = 0; i < 1000; i += 8) expect(core.run("GET", `key:${i}`)).toBe("v".repeat(40_000));
});

test("what is freed is given back once, and again when it was in use in between", () => {
  const core = createTestCore({ build: "release" });
  const fill = () => core.must("SET", KEY, "v".repeat(4 * MIB));
  fill();
  core.must("SET", "behind", "v".repeat(MIB));
  core.must("DEL", KEY);
  core.tidyAll();
  const freed = core.harness.core.freePagesHeld();
  expect(freed).toBeGreaterThanOrEqual(64);
  expect(releasePages(core, 10)).toBe(10);
  expect(releasePages(core, 10_000)).toBe(freed - 10);
  expect(releasePages(core, 10_000)).toBe(0);
  core.check();
  fill();
  expect(core.run("GET", KEY)).toBe("v".repeat(4 * MIB));
  core.must("DEL", KEY);
  core.tidyAll();
  expect(core.harness.core.freePagesHeld()).toBeGreaterThanOrEqual(64);
  expect(releasePages(core, 10_000)).toBeGreaterThanOrEqual(64);
  core.check();
});
