/**
 * What commands and background slices caused, taken from the core's records in order: to the log, and to those who watch, track or
 * wait for keys. Notifications come with the issue that brings them, in this place: their records are in the same
 * buffer, and what they are told must wait for `settle`, when the core may be called and no reply is open.
 *
 * What one command caused is one unit of the log, and so is everything between `beginUnit` and `endUnit`. Deletions by eviction are
 * units of their own: they are right with and without the command that made them necessary.
 */
import {
  Address,
  EFFECT_HEADER_BYTES,
  EFFECT_REST,
  EffectKind,
  EffectMask,
  StateField,
  type TouchCause,
} from "../../core-wasm/abi.ts";
import type { CoreMemory } from "../core/memory.ts";

const EFFECTS_TOP = (Address.State + StateField.EffectsTop) >> 2;
const EFFECT_MASK = (Address.State + StateField.EffectMask) >> 2;
const DEL = Buffer.from("DEL");

/** Words that lie where they came: (address, length) pairs. */
export interface WordTable {
  readonly ptr: number;
  readonly count: number;
}

/** Where what changed is written down, in order; the append-only file is one. Pointers are into linear memory. */
export interface PropagationLog {
  /** Appends bytes that are `count` canonical frames, each a unit of its own unless one is open. */
  frames(db: number, ptr: number, length: number, count: number): void;
  /** Appends a command by its words: `name` if there is one, `count` (address, length) pairs at `pairsPtr`, then those of `rest`. */
  words(
    db: number,
    name: Uint8Array | null,
    pairsPtr: number,
    count: number,
    rest?: WordTable,
  ): void;
  /** What follows is one unit, up to `endUnit`: all of it is in the log, or nothing. No turn ends in between. */
  beginUnit(): void;
  endUnit(): void;
  /** The point that covers what is written from here on: `isSynced` answers by it. Never goes back. */
  readonly point: number;
  /** What a sync that runs covers. */
  readonly syncingPoint: number;
  /** The error line with which writes are refused at present, or undefined. */
  refusal(): string | undefined;
  /** Told when writes begin or cease to be refused. */
  onRefusal: (refused: boolean) => void;
}

/** Told of touched keys. Called in the middle of a command too: none of these may call the core. */
export interface TouchListener {
  /** `key` is a borrowed view. */
  touched(db: number, key: Uint8Array, cause: TouchCause): void;
  /** Not touched, but worth another try to those who wait for it. */
  awakened?(db: number, key: Uint8Array): void;
  /** All keys of a database, or of all if db = 0xFFFFFFFF; `exchanged`: for those of another. */
  flushed(db: number, exchanged: boolean): void;
  /** The command or slice has ended. */
  settle(): void;
}

export class Effects {
  private log: PropagationLog | null = null;
  /** Propagates the running request itself; set by the dispatcher. */
  private self: () => void = () => {};
  private units = 0;
  /** The buffer was emptied in the middle of a command: what it left belongs to a unit that is still open. */
  private cutShort = false;

  constructor(
    private readonly memory: CoreMemory,
    private readonly nameOf: (commandId: number) => Uint8Array,
    private readonly listeners: readonly TouchListener[],
  ) {}

  /** From here on everything that changes is propagated to `log`. */
  follow(log: PropagationLog, self: () => void): void {
    this.log = log;
    this.self = self;
    this.want(EffectMask.Propagate, true);
  }

  /** From here on nothing is propagated. */
  unfollow(): void {
    this.log = null;
    this.want(EffectMask.Propagate, false);
  }

  /** Whether records of a kind are wanted. */
  want(mask: EffectMask, on: boolean): void {
    const { i32 } = this.memory;
    i32[EFFECT_MASK] = on ? i32[EFFECT_MASK]! | mask : i32[EFFECT_MASK]! & ~mask;
  }

  get waiting(): boolean {
    return this.cutShort || this.memory.i32[EFFECTS_TOP] !== Address.Effects;
  }

  /** What is caused from here on is one unit of the log. Units may lie within each other: the outermost counts. */
  beginUnit(): void {
    if (this.units++ === 0) this.log?.beginUnit();
  }

  endUnit(): void {
    if (--this.units === 0) this.log?.endUnit();
  }

  /** A unit is open: the outermost command has not ended. */
  get isInUnit(): boolean {
    return this.units > 0;
  }

  /** The core calls, its buffer full in the middle of a command: handles the records that are there. */
  drain(): void {
    if (!this.cutShort) {
      this.cutShort = true;
      this.beginUnit();
    }
    this.consume(Address.Effects, this.memory.i32[EFFECTS_TOP]!);
  }

  /** A command or a slice has ended: handles what it left. */
  settle(): void {
    const end = this.memory.i32[EFFECTS_TOP]!;
    if (this.cutShort) {
      this.consume(Address.Effects, end);
      this.cutShort = false;
      this.endUnit();
    } else this.consumeUnits(end);
    for (const listener of this.listeners) listener.settle();
  }

  /** Evictions before and behind the command's own records stand outside its unit. */
  private consumeUnits(end: number): void {
    const { words, u8 } = this.memory;
    let first = 0;
    let behindLast = 0;
    let logged = 0;
    for (let record: number = Address.Effects; record < end; ) {
      const next = record + words.getUint32(record + 4, true);
      const kind = u8[record]!;
      if (
        kind === EffectKind.Self ||
        kind === EffectKind.Propagate ||
        kind === EffectKind.Expired
      ) {
        if (logged++ === 0) first = record;
        behindLast = next;
      }
      record = next;
    }
    if (logged < 2) return this.consume(Address.Effects, end);
    this.consume(Address.Effects, first);
    this.beginUnit();
    this.consume(first, behindLast);
    this.endUnit();
    this.consume(behindLast, end);
  }

  private consume(from: number, end: number): void {
    const { words, i32, u8 } = this.memory;
    for (let record = from; record < end; ) {
      const pairs = record + EFFECT_HEADER_BYTES;
      const db = words.getUint32(record + 8, true);
      switch (u8[record]) {
        case EffectKind.Self:
          this.self();
          break;
        case EffectKind.Propagate:
          this.propagate(record, db);
          break;
        case EffectKind.Expired:
        case EffectKind.Evicted:
          this.log?.words(db, DEL, pairs, 1);
          break;
        case EffectKind.Touched: {
          const ptr = words.getUint32(pairs, true);
          const key = this.memory.bytes(ptr, words.getUint32(pairs + 4, true));
          const cause: TouchCause = u8[record + 1]!;
          for (const listener of this.listeners) listener.touched(db, key, cause);
          break;
        }
        case EffectKind.Awaken: {
          const ptr = words.getUint32(pairs, true);
          const key = this.memory.bytes(ptr, words.getUint32(pairs + 4, true));
          for (const listener of this.listeners) listener.awakened?.(db, key);
          break;
        }
        case EffectKind.FlushedDb:
          for (const listener of this.listeners) listener.flushed(db, u8[record + 1] === 1);
          break;
        default:
          break;
      }
      record += words.getUint32(record + 4, true);
    }
    i32[EFFECTS_TOP] = Address.Effects;
  }

  private propagate(record: number, db: number): void {
    const { words, u8 } = this.memory;
    const pairs = record + EFFECT_HEADER_BYTES;
    const name = this.nameOf(words.getUint32(record + 12, true));
    const count = words.getUint16(record + 2, true);
    if (u8[record + 1] !== EFFECT_REST) return this.log?.words(db, name, pairs, count);
    const last = pairs + (count - 1) * 8;
    const rest = { ptr: words.getUint32(last, true), count: words.getUint32(last + 4, true) };
    this.log?.words(db, name, pairs, count - 1, rest);
  }
}
