/**
 * One release core driven with prepared commands: their words lie in the input window, so that an execution costs one store of
 * the argv table's address and the call.
 */
import { Address, Cmd, IoField, SnapshotPhase, StateField, Stream } from "../../core-wasm/abi.ts";
import { coreFlags } from "../../server/commands/spec.ts";
import { ALL_COMMANDS } from "../../server/commands/table.ts";
import { type Core, createCore } from "../../server/core/core.ts";

const ARGV = (Address.IoBlock + IoField.ArgvPtr) >> 2;
const OUT_TOP = (Address.IoBlock + IoField.OutTop) >> 2;
const SNAPSHOT_PHASE = (Address.State + StateField.SnapshotPhase) >> 2;
const SNAPSHOT_TOP = (Address.State + StateField.SnapshotTop) >> 2;
const NOW = (Address.State + StateField.NowMs) >> 3;
const IDS = new Map(
  Object.entries(Cmd).flatMap(([name, id]) =>
    typeof id === "number" ? [[name.toUpperCase(), id] as const] : [],
  ),
);
const ZERO = 48;
const DIGITS = 9;

/** A command whose words lie in the input window. */
export interface Prepared {
  readonly id: Cmd;
  readonly argc: number;
  /** Of its pairs in the argv area. */
  readonly argvPtr: number;
  readonly words: readonly { ptr: number; length: number }[];
}

export interface Driver {
  readonly core: Core;
  prepare(...words: string[]): Prepared;
  /** Runs it with the reply dropped. @returns Status bits */
  execute(command: Prepared): number;
  /** Writes `value` over the last nine bytes of a word, in digits. */
  writeDigits(command: Prepared, word: number, value: number): void;
  setNow(ms: number): void;
  /** One slice of a snapshot, whose bytes are dropped. @returns false = it is over */
  snapshotSlice(budget: number): boolean;
}

export function createDriver(): Driver {
  const core = createCore({
    seed: [1, 2],
    drain: (stream) => (stream === Stream.Snapshot ? resetSnapshot() : resetOutput()),
  });
  const { i32, u8, f64 } = core.memory;
  const resetOutput = () => {
    i32[OUT_TOP] = Address.Output;
  };
  const resetSnapshot = () => {
    i32[SNAPSHOT_TOP] = Address.Snapshot;
  };
  let argvTop: number = Address.ArgvTable;
  let inputTop: number = Address.Input;
  for (const spec of ALL_COMMANDS)
    if (spec.id !== undefined)
      u8[Address.State + StateField.CommandFlags + spec.id] = coreFlags(spec);
  f64[NOW] = 1_700_000_000_000;
  return {
    core,
    prepare(...words) {
      const argvPtr = argvTop;
      const placed = words.map((word) => {
        const ptr = inputTop;
        inputTop += word.length;
        u8.set(Buffer.from(word, "latin1"), ptr);
        i32[argvTop >> 2] = ptr;
        i32[(argvTop >> 2) + 1] = word.length;
        argvTop += 8;
        return { ptr, length: word.length };
      });
      if (inputTop > Address.InputEnd || argvTop > Address.IoBlock)
        throw new Error("too many prepared commands");
      return { id: IDS.get(words[0]!)!, argc: words.length, argvPtr, words: placed };
    },
    execute(command) {
      i32[ARGV] = command.argvPtr;
      resetOutput();
      return core.execute(command.id, command.argc);
    },
    snapshotSlice(budget) {
      core.snapshotSlice(budget);
      resetSnapshot();
      return i32[SNAPSHOT_PHASE] !== SnapshotPhase.None;
    },
    writeDigits(command, word, value) {
      const { ptr, length } = command.words[word]!;
      let rest = value;
      const end = ptr + length;
      for (let at = end - 1; at >= end - DIGITS; at--) {
        u8[at] = ZERO + (rest % 10);
        rest = (rest / 10) | 0;
      }
    },
    setNow(ms) {
      f64[NOW] = ms;
    },
  };
}
