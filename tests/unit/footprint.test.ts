/** When memory is given back: little by little, or when hardly anybody asks, and garbage only if there is much of it. */
import { beforeEach, expect, test } from "bun:test";
import { Address, IoField, PAGE_BYTES, StateField } from "../../core-wasm/abi.ts";
import { createCore } from "../../server/core/core.ts";
import { Footprint } from "../../server/footprint.ts";

const MIB = 1 << 20;
const RUN_BYTES = 32 * MIB;

const core = createCore({ seed: [1, 2], drain: () => {} });
const { memory } = core;
let nowMs: number;
let residentBytes: number;
let collections: number;
let released: [number, number][];
let stats: { connectionsReceived: number; readsProcessed: number };
let footprint: Footprint;

function create(options: { collect?: false; release?: false } = {}): Footprint {
  return new Footprint({
    core,
    stats: stats as never,
    nowMs: () => nowMs,
    residentBytes: () => residentBytes,
    openRelease: () =>
      options.release === false
        ? undefined
        : (address, bytes) => void released.push([address, bytes]),
    collect: options.collect === false ? undefined : () => void collections++,
  });
}

beforeEach(() => {
  nowMs = 1_000_000;
  residentBytes = 60 * MIB;
  collections = 0;
  released = [];
  stats = { connectionsReceived: 0, readsProcessed: 0 };
  footprint = create();
});

/** A second in which so much was asked. */
function second(requests: number): void {
  stats.readsProcessed += requests;
  nowMs += 1000;
  footprint.tick();
}

test("garbage is collected when there is much of it and little is asked", () => {
  residentBytes += 100 * MIB;
  second(5000);
  expect(collections).toBe(0);
  second(3);
  expect(collections).toBe(1);
});

test("not for little, not without requests, and not in somebody else's process", () => {
  residentBytes += 7 * MIB;
  second(3);
  residentBytes += 100 * MIB;
  second(0);
  expect(collections).toBe(0);
  footprint = create({ collect: false });
  residentBytes += 100 * MIB;
  second(3);
  expect(collections).toBe(0);
});

test("what a collection leaves is no reason for another, what grows afterwards is, some seconds later", () => {
  residentBytes += 100 * MIB;
  second(3);
  for (let i = 0; i < 20; i++) second(3);
  expect(collections).toBe(1);
  residentBytes += 9 * MIB;
  second(3);
  expect(collections).toBe(2);
  residentBytes += 9 * MIB;
  second(3);
  expect(collections).toBe(2);
  // Nothing is asked any more, but it is not forgotten.
  for (let i = 0; i < 5; i++) second(0);
  expect(collections).toBe(3);
});

test("what is held for clients is not garbage until it is gone", () => {
  const hostBytes = (Address.State + StateField.HostBytes) >> 3;
  memory.f64[hostBytes] = 80 * MIB;
  residentBytes += 85 * MIB;
  second(3);
  expect(collections).toBe(0);
  memory.f64[hostBytes] = 0;
  second(3);
  expect(collections).toBe(1);
});

test("the windows go back in the first quiet second, and keep their beginning", () => {
  second(5000);
  expect(released).toEqual([]);
  second(0);
  expect(released).toContainEqual([
    Address.Output + PAGE_BYTES,
    Address.OutputEnd - Address.Output - PAGE_BYTES,
  ]);
  expect(released).toHaveLength(3);
  second(0);
  expect(released).toHaveLength(3);
});

test("windows in use stay", () => {
  const outTop = (Address.IoBlock + IoField.OutTop) >> 2;
  memory.i32[outTop] = Address.Output + 5;
  second(3);
  memory.i32[outTop] = Address.Output;
  expect(released).toEqual([]);
});

test("free pages of the heap go little by little, some are kept", () => {
  core.freeInput(core.allocInput(RUN_BYTES));
  const held = core.freePagesHeld();
  expect(held).toBeGreaterThan(500);
  nowMs++;
  footprint.tick();
  const first = held - core.freePagesHeld();
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(20);
  expect(released.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(first * PAGE_BYTES);
  for (let i = 0; i < 1000; i++) footprint.tick();
  expect(core.freePagesHeld()).toBe(64);
  footprint.purge();
  expect(core.freePagesHeld()).toBe(0);
  expect(collections).toBe(1);
  core.check();
});

test("where the system takes nothing back the heap keeps its pages", () => {
  footprint = create({ release: false });
  core.freeInput(core.allocInput(RUN_BYTES + MIB));
  const held = core.freePagesHeld();
  footprint.tick();
  footprint.purge();
  second(3);
  expect(core.freePagesHeld()).toBe(held);
});
