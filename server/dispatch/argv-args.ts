/** The words of the running command for handlers, read where they lie. */
import { Address, IoField } from "../../core-wasm/abi.ts";
import type { Args } from "../commands/context.ts";
import type { CoreMemory } from "../core/memory.ts";

const ARGV_PTR = (Address.IoBlock + IoField.ArgvPtr) >> 2;

export class ArgvArgs implements Args {
  count = 0;
  private table = 0;

  constructor(private readonly memory: CoreMemory) {}

  /** From here on these are the words of the command in the argv table. */
  point(count: number): void {
    this.count = count;
    this.table = this.memory.i32[ARGV_PTR]! >>> 0;
  }

  bytes(index: number): Uint8Array {
    const { words } = this.memory;
    const { table } = this;
    if (table + index * 8 + 8 <= Address.Heap)
      return this.memory.bytes(
        words.getUint32(table + index * 8, true),
        words.getUint32(table + index * 8 + 4, true),
      );
    const pair = this.memory.bytes(table + index * 8, 8);
    const view = new DataView(pair.buffer, pair.byteOffset, 8);
    return this.memory.bytes(view.getUint32(0, true), view.getUint32(4, true));
  }

  text(index: number): string {
    return Buffer.from(this.bytes(index)).toString("latin1");
  }

  word(index: number): string {
    return this.text(index).toLowerCase();
  }

  integer(index: number): number | undefined {
    const text = this.text(index);
    if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  }
}
