/**
 * What commands and background slices caused, taken from the core's records in order: to the log now; notifications, watchers,
 * tracking and blocked clients come with the issues that bring them, in this place.
 */
import {
  Address,
  EFFECT_HEADER_BYTES,
  EffectKind,
  EffectMask,
  StateField,
} from "../../core-wasm/abi.ts";
import type { CoreMemory } from "../core/memory.ts";

const EFFECTS_TOP = (Address.State + StateField.EffectsTop) >> 2;
const EFFECT_MASK = (Address.State + StateField.EffectMask) >> 2;
const DEL = Buffer.from("DEL");

/** Where what changed is written down, in order; the append-only file is one. Pointers are into linear memory. */
export interface PropagationLog {
  /** Appends bytes that are a canonical frame. */
  frame(db: number, ptr: number, length: number): void;
  /** Appends a command by its words: `count` (address, length) pairs at `pairsPtr`, behind `name` if there is one. */
  words(db: number, name: Uint8Array | null, pairsPtr: number, count: number): void;
  /** The error line with which writes are refused at present, or undefined. */
  refusal(): string | undefined;
  /** Told when writes begin or cease to be refused. */
  onRefusal: (refused: boolean) => void;
}

export class Effects {
  private log: PropagationLog | null = null;
  /** Propagates the running request itself; set by the dispatcher. */
  private self: () => void = () => {};

  constructor(
    private readonly memory: CoreMemory,
    private readonly nameOf: (commandId: number) => Uint8Array,
  ) {}

  /** From here on everything that changes is propagated to `log`. */
  follow(log: PropagationLog, self: () => void): void {
    this.log = log;
    this.self = self;
    this.memory.i32[EFFECT_MASK] = EffectMask.Propagate;
  }

  get waiting(): boolean {
    return this.memory.i32[EFFECTS_TOP] !== Address.Effects;
  }

  /** Handles all records and empties the buffer. */
  consume(): void {
    const { words, i32, u8 } = this.memory;
    const top = i32[EFFECTS_TOP]!;
    for (let record: number = Address.Effects; record < top; ) {
      const pairs = record + EFFECT_HEADER_BYTES;
      const db = words.getUint32(record + 8, true);
      switch (u8[record]) {
        case EffectKind.Self:
          this.self();
          break;
        case EffectKind.Propagate: {
          const name = this.nameOf(words.getUint32(record + 12, true));
          this.log?.words(db, name, pairs, words.getUint16(record + 2, true));
          break;
        }
        case EffectKind.Expired:
        case EffectKind.Evicted:
          this.log?.words(db, DEL, pairs, 1);
          break;
        default:
          break;
      }
      record += words.getUint32(record + 4, true);
    }
    i32[EFFECTS_TOP] = Address.Effects;
  }
}
