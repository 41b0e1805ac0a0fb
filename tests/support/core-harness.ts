/**
 * Drives one core in this process, without the server around it: words in, raw reply and effects out, time by hand.
 * It is the host of the ABI at its smallest: it fills the argv table, empties what `drain` asks for, and decodes the
 * effect records.
 */
import {
  Address,
  ARGV_TABLE_ENTRIES,
  type Cmd,
  EFFECT_HEADER_BYTES,
  EFFECT_REST,
  EffectKind,
  EffectMask,
  INITIAL_PAGES,
  INPUT_SLACK_BYTES,
  INTEREST_CELLS,
  IoField,
  KeyEvent,
  PAGE_BYTES,
  type SnapshotPhase,
  StateField,
  Status,
  Stream,
} from "../../core-wasm/abi.ts";
import { DEBUG_CORE_COMMANDS } from "../../server/commands/debug.ts";
import { type CommandSpec, coreFlags } from "../../server/commands/spec.ts";
import { ALL_COMMANDS } from "../../server/commands/table.ts";
import { type Core, createCore } from "../../server/core/core.ts";
import { type Reply, wholeReply } from "./reply.ts";

/** A string stands for its latin1 bytes. */
export type Word = string | Uint8Array;

export type Effect =
  | { kind: "self" }
  | { kind: "propagate"; db: number; words: string[] }
  | { kind: "expired" | "evicted"; db: number; key: string }
  /** `due`: the key was deleted because its time had come. */
  | { kind: "touched"; db: number; key: string; due?: true }
  | { kind: "event"; db: number; event: string; key: string }
  | { kind: "awaken"; db: number; key: string }
  | { kind: "flushed"; db: number };

export interface HarnessOptions {
  /** Path of a core build; the debug build by default. */
  wasmPath?: string;
  seed?: readonly [number, number];
  nowMs?: number;
}

export interface CoreHarness {
  readonly core: Core;
  /** What the commands of this client find in the IO block. */
  readonly client: { db: number; protocol: 2 | 3; flags: number };
  /** Runs a command. @returns its raw reply as latin1 text */
  raw(...words: Word[]): string;
  /** Runs a command. @returns its parsed reply */
  run(...words: Word[]): Reply;
  /** Status bits of the last command. */
  status(): number;
  /** Effects since the last command began, slices in between included. */
  effects(): Effect[];
  /** What a log would hold of the last command, as words; SELECT is not shown. */
  logged(): string[][];
  /** Times `drain` was called for the stream so far. */
  drained(stream: Stream): number;
  /** Chooses what is recorded. */
  listen(mask: number): void;
  readonly clock: { nowMs(): number; advance(ms: number): void };
  /** Works off everything due, in slices. */
  expireDue(): void;
  /** The snapshot's walk, and what it has written. */
  readonly snapshot: {
    begin(): boolean;
    slice(budget: number): SnapshotPhase;
    abort(): void;
    phase(): SnapshotPhase;
    /** Every byte since it began. */
    written(): Uint8Array;
  };
  /** A core of its own over a copy of the memory. */
  copy(): CoreHarness;
  /** Every invariant of the heap. @returns entries seen */
  check(): number;
}

export const EVERYTHING = EffectMask.Propagate | EffectMask.Touched | EffectMask.Events;

const DEBUG_BUILD = `${import.meta.dir}/../../build/core.debug.wasm`;
const FIRST_INSTANT_MS = 1_700_000_000_000;

/** Commands of the core as their rows describe them, a subcommand as "object|encoding". */
const COMMANDS = new Map<string, CommandSpec & { id: Cmd }>();
for (const spec of ALL_COMMANDS) {
  const rows = [
    spec,
    ...(spec.subcommands ?? []).map((row) => ({ ...row, name: `${spec.name}|${row.name}` })),
  ];
  for (const row of rows) if (row.id !== undefined) COMMANDS.set(row.name, { ...row, id: row.id });
}
// The subcommands of DEBUG have no rows of their own.
for (const [name, id] of DEBUG_CORE_COMMANDS)
  COMMANDS.set(`debug|${name}`, { ...ALL_COMMANDS.find((spec) => spec.name === "debug")!, id });

const EVENT_NAMES = new Map<number, string>();
for (const [name, id] of Object.entries(KeyEvent))
  if (typeof id === "number")
    EVENT_NAMES.set(
      id,
      name.replace(/(?<=[a-z])(?=[A-Z])/g, name.startsWith("Xgroup") ? "-" : "_").toLowerCase(),
    );

function commandId(words: readonly Word[]): Cmd {
  const name = textOf(words[0] ?? "").toLowerCase();
  const subcommand = () => textOf(words[1] ?? "").toLowerCase();
  const spec = COMMANDS.get(name) ?? COMMANDS.get(`${name}|${subcommand()}`);
  if (spec === undefined) throw new Error(`not a command of the core: ${name} ${subcommand()}`);
  return spec.id;
}

/** The name in capitals; of a subcommand its container's. */
function commandName(id: number): string {
  for (const [name, row] of COMMANDS) if (row.id === id) return name.split("|")[0]!.toUpperCase();
  return "?";
}

function textOf(word: Word): string {
  return typeof word === "string" ? word : latin1(word);
}

// A view made of another's `buffer` costs more than the copy.
function latin1(bytes: Uint8Array): string {
  return Buffer.prototype.latin1Slice.call(bytes, 0, bytes.length);
}

function setWord(bytes: Uint8Array, word: Word): void {
  if (typeof word === "string") Buffer.prototype.latin1Write.call(bytes, word, 0, word.length);
  else bytes.set(word);
}

export function createHarness(options: HarnessOptions = {}): CoreHarness {
  let replyText: string[] = [];
  let effects: Effect[] = [];
  let status = 0;
  let request: readonly Word[] = [];
  let snapshotParts: Uint8Array[] = [];
  const drains = new Map<number, number>();

  const core = createCore({
    seed: options.seed ?? [0x1234_5678, 0x0bad_cafe],
    wasmPath: options.wasmPath ?? DEBUG_BUILD,
    drain(stream) {
      drains.set(stream, (drains.get(stream) ?? 0) + 1);
      if (stream === Stream.Reply) takeReply();
      else if (stream === Stream.Effects) takeEffects();
      else takeSnapshot();
    },
  });
  const { words, u8, i32, f64 } = core.memory;
  const ioField = (field: IoField) => (Address.IoBlock + field) >> 2;
  const u32 = (address: number) => words.getUint32(address, true);
  const text = (ptr: number, length: number) => latin1(core.memory.bytes(ptr, length));

  function takeReply(): void {
    const start = u32(Address.IoBlock + IoField.OutStart);
    const top = u32(Address.IoBlock + IoField.OutTop);
    replyText.push(text(start, top - start));
    i32[ioField(IoField.OutTop)] = start;
  }

  function takeEffects(): void {
    const top = u32(Address.State + StateField.EffectsTop);
    let at: number = Address.Effects;
    while (at < top) {
      effects.push(decode(at));
      at += u32(at + 4);
    }
    if (at !== top) throw new Error("effect records do not end where the buffer does");
    words.setUint32(Address.State + StateField.EffectsTop, Address.Effects, true);
  }

  function takeSnapshot(): void {
    const top = u32(Address.State + StateField.SnapshotTop);
    snapshotParts.push(u8.slice(Address.Snapshot, top));
    i32[(Address.State + StateField.SnapshotTop) >> 2] = Address.Snapshot;
  }

  const snapshotPhase = () => u32(Address.State + StateField.SnapshotPhase) as SnapshotPhase;

  function decode(at: number): Effect {
    const kind = words.getUint8(at);
    const aux = words.getUint8(at + 1);
    const argc = words.getUint16(at + 2, true);
    const db = u32(at + 8);
    const args: string[] = [];
    const take = (pairs: number, count: number) => {
      for (let pair = pairs; pair < pairs + 8 * count; pair += 8)
        args.push(text(u32(pair), u32(pair + 4)));
    };
    const pairs = at + EFFECT_HEADER_BYTES;
    if (kind === EffectKind.Propagate && aux === EFFECT_REST) {
      const last = pairs + 8 * (argc - 1);
      take(pairs, argc - 1);
      take(u32(last), u32(last + 4));
    } else take(pairs, argc);
    switch (kind) {
      case EffectKind.Self:
        return { kind: "self" };
      case EffectKind.Propagate:
        return {
          kind: "propagate",
          db,
          words: [commandName(u32(at + 12)), ...args],
        };
      case EffectKind.Expired:
        return { kind: "expired", db, key: args[0]! };
      case EffectKind.Evicted:
        return { kind: "evicted", db, key: args[0]! };
      case EffectKind.Touched:
        return { kind: "touched", db, key: args[0]!, ...(aux === 1 && { due: true }) };
      case EffectKind.Event:
        return { kind: "event", db, event: EVENT_NAMES.get(aux) ?? `?${aux}`, key: args[0]! };
      case EffectKind.Awaken:
        return { kind: "awaken", db, key: args[0]! };
      case EffectKind.FlushedDb:
        return { kind: "flushed", db };
      default:
        throw new Error(`unknown effect record ${kind}`);
    }
  }

  /** Lays the words out as the framer would; runs that do not fit the windows lie in the heap. @returns runs to free */
  function layArguments(command: readonly Word[]): number[] {
    const runs: number[] = [];
    const place = (bytes: number, fixed: number, fits: boolean): number => {
      if (fits) return fixed;
      const run = core.allocInput(bytes) >>> 0;
      if (run === 0) throw new Error("no memory for the command's words");
      runs.push(run);
      return run;
    };
    const total = command.reduce((sum, word) => sum + word.length, INPUT_SLACK_BYTES);
    let data = place(total, Address.Input, Address.Input + total <= Address.InputEnd);
    // As with the server's, the words of a command in the heap are named there too.
    const table = place(
      8 * command.length,
      Address.ArgvTable,
      command.length <= ARGV_TABLE_ENTRIES && data === Address.Input,
    );
    const pairs = new DataView(new ArrayBuffer(8 * command.length));
    command.forEach((word, i) => {
      pairs.setUint32(8 * i, data, true);
      pairs.setUint32(8 * i + 4, word.length, true);
      setWord(core.memory.bytes(data, word.length), word);
      data += word.length;
    });
    core.memory.bytes(table, pairs.byteLength).set(new Uint8Array(pairs.buffer));
    i32[ioField(IoField.ArgvPtr)] = table;
    return runs;
  }

  const clock = {
    nowMs: () => f64[(Address.State + StateField.NowMs) >> 3]!,
    advance(ms: number): void {
      f64[(Address.State + StateField.NowMs) >> 3] = clock.nowMs() + ms;
    },
  };

  const harness: CoreHarness = {
    core,
    client: { db: 0, protocol: 2, flags: 0 },
    raw(...command) {
      const id = commandId(command);
      const runs = layArguments(command);
      i32[ioField(IoField.Protocol)] = harness.client.protocol;
      i32[ioField(IoField.Db)] = harness.client.db;
      i32[ioField(IoField.Flags)] = harness.client.flags;
      replyText = [];
      effects = [];
      request = command;
      status = core.execute(id, command.length);
      takeReply();
      takeEffects();
      for (const run of runs) core.freeInput(run | 0);
      return replyText.join("");
    },
    run: (...command) => wholeReply(harness.raw(...command)),
    status: () => status,
    effects() {
      takeEffects();
      return effects;
    },
    logged: () => loggedWords(status, harness.effects(), request.map(textOf)),
    drained: (stream) => drains.get(stream) ?? 0,
    listen(mask) {
      // As if somebody asked for every key.
      for (let cell = 0; cell < INTEREST_CELLS; cell++)
        i32[(Address.State + StateField.Interest + cell * 4) >> 2] =
          (mask & EffectMask.Touched) !== 0 ? 1 : 0;
      words.setUint32(Address.State + StateField.EffectMask, mask, true);
    },
    clock,
    expireDue() {
      while (core.expireSlice(1000) === 0);
    },
    snapshot: {
      begin() {
        if (core.snapshotBegin() === 0) return false;
        snapshotParts = [];
        return true;
      },
      slice(budget) {
        core.snapshotSlice(budget);
        return snapshotPhase();
      },
      abort: () => core.snapshotAbort(),
      phase: snapshotPhase,
      written() {
        takeSnapshot();
        return Buffer.concat(snapshotParts);
      },
    },
    copy() {
      const copy = createHarness(options);
      const missing = core.memory.memory.buffer.byteLength - INITIAL_PAGES * PAGE_BYTES;
      if (missing > 0) copy.core.memory.memory.grow(missing / PAGE_BYTES);
      const size = core.memory.memory.buffer.byteLength;
      copy.core.memory.bytes(0, size).set(core.memory.bytes(0, size));
      return copy;
    },
    check: () => core.check(),
  };

  f64[(Address.State + StateField.NowMs) >> 3] = options.nowMs ?? FIRST_INSTANT_MS;
  for (const spec of COMMANDS.values())
    u8[Address.State + StateField.CommandFlags + spec.id] = coreFlags(spec);
  return harness;
}

/** The host's rule (MECHANISMS 3.1): records in order with the request at its place, or the request alone. */
function loggedWords(status: number, effects: Effect[], request: string[]): string[][] {
  const lines: string[][] = [];
  for (const effect of effects) {
    if (effect.kind === "self") lines.push(request);
    else if (effect.kind === "propagate") lines.push(effect.words);
    else if (effect.kind === "expired" || effect.kind === "evicted")
      lines.push(["DEL", effect.key]);
  }
  const changed = (status & Status.Changed) !== 0;
  const rewritten = (status & Status.Rewritten) !== 0;
  if (!changed || rewritten) return lines;
  if (lines.length > 0) throw new Error("records for the log, but no place for the request");
  return [request];
}
