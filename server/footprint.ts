/**
 * Gives memory back to the system: free pages of the core's heap little by little; what a flood has left in the windows and on
 * JavaScript's heap once hardly anybody asks for anything. Part of the ticks; while nothing is asked there is nothing to look at.
 */
import { Address, IoField, PAGE_BYTES, StateField } from "../core-wasm/abi.ts";
import type { ServerStats } from "./commands/context.ts";
import type { Core } from "./core/core.ts";
import type { PageRelease } from "./process/page-release.ts";

/** So many free pages are kept for those who need some next. */
const KEPT_PAGES = 64;
/** Of the others a part at each tick, so that what is freed and taken in turn stays: half of them in 4.4 s. */
const RELEASED_PART = 64;
/** About 0.4 ms of the system's time. */
const RELEASED_MAX_PAGES = 128;
const LOOK_MS = 1000;
/** Chunks and connections within a look that still count as quiet. */
const QUIET_REQUESTS = 100;
/** A full collection takes 5 to 30 ms: not for less than this, and not often. */
const COLLECT_MIN_BYTES = 8 << 20;
const COLLECT_EVERY_MS = 5000;
/** The beginning of a window is in use all the time. */
const KEPT_WINDOW_BYTES = PAGE_BYTES;

const HOST_BYTES = (Address.State + StateField.HostBytes) >> 3;
const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const EFFECTS_TOP = (Address.State + StateField.EffectsTop) >> 2;
const WINDOWS: readonly (readonly [number, number])[] = [
  [Address.Effects, Address.EffectsEnd],
  [Address.Input, Address.InputEnd],
  [Address.Output, Address.OutputEnd],
];

export interface FootprintParts {
  readonly core: Core;
  readonly stats: ServerStats;
  nowMs(): number;
  /** Resident bytes of the process. */
  residentBytes(): number;
  /** Called at the first tick; undefined if the system cannot. */
  openRelease(): PageRelease | undefined;
  /** Collects JavaScript's garbage, all of it at once; undefined if the process is not ours alone. */
  readonly collect: (() => void) | undefined;
}

export class Footprint {
  /** null until the first tick. */
  private release: PageRelease | undefined | null = null;
  private lookedAtMs: number;
  private collectedAtMs = 0;
  private requests = 0;
  /** Something was asked since the last quiet look. */
  private unsettled = false;
  /** The least that was resident beside heap and buffers of clients since the last collection. */
  private leastBytes: number;

  constructor(private readonly parts: FootprintParts) {
    this.lookedAtMs = parts.nowMs();
    this.leastBytes = this.restBytes();
  }

  tick(): void {
    if (this.release === null) this.release = this.parts.openRelease();
    const held = this.parts.core.freePagesHeld() - KEPT_PAGES;
    if (held > 0) this.releasePages(Math.min(RELEASED_MAX_PAGES, Math.ceil(held / RELEASED_PART)));
    const nowMs = this.parts.nowMs();
    if (Math.abs(nowMs - this.lookedAtMs) < LOOK_MS) return;
    this.lookedAtMs = nowMs;
    this.look(nowMs);
  }

  /** MEMORY PURGE: everything that is free and can go in the middle of a command. */
  purge(): void {
    const { core, collect } = this.parts;
    for (let held = core.freePagesHeld(); held > 0; held = core.freePagesHeld())
      if (!this.releasePages(held)) break;
    collect?.();
  }

  private look(nowMs: number): void {
    const { connectionsReceived, readsProcessed } = this.parts.stats;
    const requests = connectionsReceived + readsProcessed;
    const since = requests - this.requests;
    this.requests = requests;
    if (since !== 0) this.unsettled = true;
    if (!this.unsettled || since > QUIET_REQUESTS) return;
    this.unsettled = false;
    this.releaseWindows();
    this.collectGrowth(nowMs);
  }

  private collectGrowth(nowMs: number): void {
    const { collect } = this.parts;
    if (collect === undefined) return;
    const bytes = this.restBytes();
    this.leastBytes = Math.min(this.leastBytes, bytes);
    if (bytes - this.leastBytes < COLLECT_MIN_BYTES) return;
    if (Math.abs(nowMs - this.collectedAtMs) < COLLECT_EVERY_MS) {
      this.unsettled = true;
      return;
    }
    collect();
    this.collectedAtMs = nowMs;
    // What is left now is in use: it is no reason to collect again.
    this.leastBytes = this.restBytes();
  }

  private restBytes(): number {
    const { core } = this.parts;
    const pages = core.field(StateField.HeapPagesUsed) + core.freePagesHeld();
    return this.parts.residentBytes() - pages * PAGE_BYTES - core.memory.f64[HOST_BYTES]!;
  }

  /** Between turns only: nothing lies in the windows then. */
  private releaseWindows(): void {
    const { i32 } = this.parts.core.memory;
    if (i32[OUT_TOP] !== Address.Output || i32[EFFECTS_TOP] !== Address.Effects) return;
    for (const [begin, end] of WINDOWS)
      this.release?.(begin + KEPT_WINDOW_BYTES, end - begin - KEPT_WINDOW_BYTES);
  }

  /** @returns whether the system can do so */
  private releasePages(budget: number): boolean {
    const { release, parts } = this;
    if (release === null || release === undefined) return false;
    const { core } = parts;
    const list = core.releasePages(budget) >> 2;
    const { i32 } = core.memory;
    const pieces = i32[list]!;
    for (let at = list + 1; at <= list + pieces * 2; at += 2)
      release(i32[at]! * PAGE_BYTES, i32[at + 1]! * PAGE_BYTES);
    return true;
  }
}
