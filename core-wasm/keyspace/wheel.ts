/**
 * The expiry wheel: 6 levels of 256 slots of 1 ms, 256 ms, 65 s, 4.6 h, 49 days, 34 years.
 *
 * `State.wheelNowMs` is the instant up to which everything is worked off. A deadline hangs at the level of the highest
 * byte in which it differs from that instant, in the slot of that byte; what is due already hangs in the current slot of
 * level 0. Lists are circular through sentinels; a node is the address of two words (next, prev) with the deadline behind them: an entry's, or a hash's (types/timing.ts). Bitmaps say which
 * slots may be filled; a bit left behind by a cancel is cleared when it is met. Schedule and cancel are O(1).
 */
import { Address } from "../abi";
import { Area, ensure, nowMs, state } from "../state";
import { deadlineOf, Entry, entryAt, hasDeadlineSpace } from "./entry";

export const WHEEL_LEVELS: u32 = 6;
const SLOTS: u32 = 256;
const LINKS: usize = 20; // offset of wheelNext in an entry
const DEADLINE: usize = 8; // offset of the deadline in a node
const NEVER: u64 = 0xffff_ffff_ffff_ffff;
/** Beyond 48 bits of milliseconds nothing is told apart: such deadlines hang in the last slot and are hung again. */
const FARTHEST: u64 = 0xffff_ffff_ffff;

function slotPtr(level: u32, index: u32): usize {
  return Address.State + Area.WheelSlots + ((<usize>(level * SLOTS + index)) << 3);
}

function bitmapWord(level: u32, index: u32): usize {
  return Address.State + Area.WheelBitmaps + ((<usize>level) << 5) + ((<usize>(index >> 6)) << 3);
}

function bit(index: u32): u64 {
  return (<u64>1) << (index & 63);
}

export function initWheel(): void {
  for (let level: u32 = 0; level < WHEEL_LEVELS; level++)
    for (let index: u32 = 0; index < SLOTS; index++) {
      const slot = slotPtr(level, index);
      store<u32>(slot, <u32>slot);
      store<u32>(slot, <u32>slot, 4);
    }
}

function isEmpty(slot: usize): bool {
  return load<u32>(slot) === <u32>slot;
}

function slotIndex(at: u64, level: u32): u32 {
  return <u32>(at >> (level << 3)) & 255;
}

function levelOf(at: u64): u32 {
  const apart = at ^ state.wheelNowMs;
  return apart === 0 ? 0 : (63 - <u32>clz(apart)) >> 3;
}

/** Hangs a node whose deadline is `at`. O(1) */
export function hangNode(node: usize, at: u64): void {
  let instant = at < state.wheelNowMs ? state.wheelNowMs : at;
  if (instant > FARTHEST) instant = FARTHEST;
  const level = levelOf(instant);
  const index = slotIndex(instant, level);
  const slot = slotPtr(level, index);
  const last = load<u32>(slot, 4);
  store<u32>(node, <u32>slot);
  store<u32>(node, last, 4);
  store<u32>(last, <u32>node);
  store<u32>(slot, <u32>node, 4);
  const word = bitmapWord(level, index);
  store<u64>(word, load<u64>(word) | bit(index));
}

export function schedule(entry: Entry): void {
  hangNode(changetype<usize>(entry) + LINKS, deadlineOf(entry));
}

/** Takes the entry out; its links become 0. */
export function cancel(entry: Entry): void {
  cutNode(changetype<usize>(entry) + LINKS);
}

/** Takes a node out; its links become 0. O(1) */
export function cutNode(node: usize): void {
  const next: usize = load<u32>(node);
  const prev: usize = load<u32>(node, 4);
  ensure(next !== 0, 301, <u32>node);
  store<u32>(prev, <u32>next);
  store<u32>(next, <u32>prev, 4);
  store<u64>(node, 0);
}

/** After the entry's block moved: its neighbours learn the new address. */
export function relinkMoved(entry: Entry): void {
  relinkNode(changetype<usize>(entry) + LINKS);
}

/** The same for any node that has moved. */
export function relinkNode(node: usize): void {
  store<u32>(load<u32>(node), <u32>node, 4);
  store<u32>(load<u32>(node, 4), <u32>node);
}

/** The first filled slot of the level at or behind `from`, SLOTS = none. Clears bits it finds stale. */
function firstFilled(level: u32, from: u32): u32 {
  let index = from;
  while (index < SLOTS) {
    const word = bitmapWord(level, index);
    const rest = load<u64>(word) >> (index & 63);
    if (rest === 0) {
      index = (index | 63) + 1;
      continue;
    }
    index += <u32>ctz(rest);
    if (!isEmpty(slotPtr(level, index))) return index;
    store<u64>(word, load<u64>(word) & ~bit(index));
  }
  return SLOTS;
}

/** The instant at which the wheel has to act next: a deadline, or the start of a slot to be spread. NEVER = none. */
function nextEvent(): u64 {
  const now = state.wheelNowMs;
  for (let level: u32 = 0; level < WHEEL_LEVELS; level++) {
    const index = firstFilled(level, slotIndex(now, level));
    if (index === SLOTS) continue;
    const shift = level << 3;
    const above = shift === 40 ? 0 : (now >> (shift + 8)) << (shift + 8);
    const start = above | ((<u64>index) << shift);
    return start < now ? now : start;
  }
  return NEVER;
}

/** ms; Infinity = nothing is scheduled, or nothing is to be deleted. May be early (a slot to be spread), never late. */
export function nextDeadline(): f64 {
  if (state.expiryPaused !== 0) return Infinity;
  const next = nextEvent();
  return next === NEVER ? Infinity : <f64>next;
}

/** Spreads slots of the upper levels that hold the current instant. @returns budget left, 0 = more to spread */
function spread(budget: i32): i32 {
  const now = state.wheelNowMs;
  for (let level: u32 = 1; level < WHEEL_LEVELS; level++) {
    const slot = slotPtr(level, slotIndex(now, level));
    while (!isEmpty(slot)) {
      if (budget <= 0) return 0;
      const node: usize = load<u32>(slot);
      cutNode(node);
      hangNode(node, load<u64>(node, DEADLINE));
      budget -= 1;
    }
  }
  return budget;
}

/**
 * Moves the wheel on to `target` at the most, and stops at the first instant something is due.
 * @returns budget left; 0 = there is more to do before `target`. `dueEntry` has what is due.
 */
export function advanceWheel(target: u64, budget: i32): i32 {
  for (;;) {
    budget = spread(budget);
    if (budget <= 0) return 0;
    if (!isEmpty(slotPtr(0, slotIndex(state.wheelNowMs, 0)))) return budget;
    const next = nextEvent();
    if (next > target) {
      if (target > state.wheelNowMs) state.wheelNowMs = target;
      return budget;
    }
    state.wheelNowMs = next;
    budget -= 1;
    if (budget <= 0) break;
  }
  return 0;
}

/** A node due at the wheel's instant, 0 = there is none. */
export function dueNode(): usize {
  const slot = slotPtr(0, slotIndex(state.wheelNowMs, 0));
  return isEmpty(slot) ? 0 : load<u32>(slot);
}

/** Whether it is an entry's: these stand four bytes behind a multiple of eight, others at one. */
export function isEntryNode(node: usize): bool {
  return (node & 7) === (LINKS & 7);
}

export function entryOfNode(node: usize): Entry {
  return entryAt(node - LINKS);
}

/** One of the entries with the nearest deadlines, or null if none has a deadline. O(1), and the hashes that come before it */
export function nearEntry(): Entry | null {
  for (let level: u32 = 0; level < WHEEL_LEVELS; level++) {
    let index = firstFilled(level, slotIndex(state.wheelNowMs, level));
    for (; index !== SLOTS; index = firstFilled(level, index + 1)) {
      const slot = slotPtr(level, index);
      for (let node: usize = load<u32>(slot); node !== slot; node = load<u32>(node))
        if (isEntryNode(node)) return entryOfNode(node);
    }
  }
  return null;
}

function appendList(from: usize, to: usize): void {
  const first: usize = load<u32>(from);
  const last: usize = load<u32>(from, 4);
  const before: usize = load<u32>(to, 4);
  store<u32>(before, <u32>first);
  store<u32>(first, <u32>before, 4);
  store<u32>(last, <u32>to);
  store<u32>(to, <u32>last, 4);
  store<u32>(from, <u32>from);
  store<u32>(from, <u32>from, 4);
}

/**
 * Sets the wheel back to `to` after the clock did. Everything below the first level at which the two instants differ shares
 * one slot of that level as seen from `to`: whole lists move there, so this costs slots, not entries.
 */
export function rewind(to: u64): void {
  const now = state.wheelNowMs;
  if (to >= now) return;
  const level = levelOf(to);
  state.wheelNowMs = to;
  const shared = slotIndex(now, level);
  for (let below: u32 = 0; below < level; below++) {
    for (;;) {
      const index = firstFilled(below, 0);
      if (index === SLOTS) break;
      appendList(slotPtr(below, index), slotPtr(level, shared));
    }
  }
  const word = bitmapWord(level, shared);
  store<u64>(word, load<u64>(word) | bit(shared));
}

/** Writes at `to`: slots of the level in use, and entries in them. O(entries) */
export function levelFigures(level: u32, to: usize): void {
  let slots: u32 = 0;
  let entries: u32 = 0;
  for (let index: u32 = 0; index < SLOTS; index++) {
    const slot = slotPtr(level, index);
    if (!isEmpty(slot)) slots += 1;
    for (let node: usize = load<u32>(slot); node !== slot; node = load<u32>(node)) entries += 1;
  }
  store<u32>(to, slots);
  store<u32>(to, entries, 4);
}

/** Asserts that every linked entry hangs where its deadline belongs. @returns how many hang. O(entries) */
export function checkWheel(): u32 {
  let hanging: u32 = 0;
  for (let level: u32 = 0; level < WHEEL_LEVELS; level++)
    for (let index: u32 = 0; index < SLOTS; index++) {
      const slot = slotPtr(level, index);
      let prev = slot;
      for (let node: usize = load<u32>(slot); node !== slot; node = load<u32>(node)) {
        ensure(load<u32>(node, 4) === <u32>prev, 310, <u32>node);
        ensure((load<u64>(bitmapWord(level, index)) & bit(index)) !== 0, 311, index);
        if (isEntryNode(node)) ensure(hasDeadlineSpace(entryOfNode(node)), 312, <u32>node);
        prev = node;
        hanging += 1;
      }
    }
  return hanging;
}

/** Whether the clock stands before what the wheel has worked off by more than `slackMs`. */
export function clockIsBehind(slackMs: u64): bool {
  return nowMs() + slackMs < state.wheelNowMs;
}
