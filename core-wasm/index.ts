/** The export list: the whole ABI. Every function takes and returns i32 or f64 only. */
import { Address } from "./abi";
import { IoBlock, state } from "./state";

/** Lays out a fresh memory. Called once, by the thread that created it. */
export function init(seedLow: i32, seedHigh: i32): void {
  const block = changetype<IoBlock>(Address.IoBlock);
  state.io = Address.IoBlock;
  state.effectsTop = Address.Effects;
  block.argvPtr = Address.ArgvTable;
  block.outStart = Address.Output;
  block.outTop = Address.Output;
  block.outEnd = Address.OutputEnd;
  block.protocol = 2;
  state.epoch = (seedLow | seedHigh) & 0;
}
