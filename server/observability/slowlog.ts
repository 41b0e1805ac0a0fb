/** The slow log: the last commands that took longer than a limit, newest first, each trimmed to a small size. */
import type { Client } from "../client/client.ts";
import type { Args } from "../commands/context.ts";
import type { CommandSpec } from "../commands/spec.ts";
import { secretPositions, shownWord } from "./shown-words.ts";

const WORDS_MAX = 32;
const WORD_BYTES_MAX = 128;

export interface SlowLogEntry {
  id: number;
  atSeconds: number;
  microseconds: number;
  words: readonly Uint8Array[];
  address: string;
  clientName: string;
}

/** A copy of a word, cut if it is long. */
function trimmed(word: Uint8Array): Uint8Array {
  if (word.length <= WORD_BYTES_MAX) return new Uint8Array(word);
  const more = Buffer.from(`... (${word.length - WORD_BYTES_MAX} more bytes)`);
  return Buffer.concat([word.subarray(0, WORD_BYTES_MAX), more]);
}

function trimmedWords(spec: CommandSpec, args: Args): Uint8Array[] {
  const secrets = secretPositions(spec, args);
  const kept = args.count > WORDS_MAX ? WORDS_MAX - 1 : args.count;
  const words = Array.from({ length: kept }, (_, i) => trimmed(shownWord(args, i, secrets)));
  if (kept < args.count) words.push(Buffer.from(`... (${args.count - kept} more arguments)`));
  return words;
}

export class SlowLog {
  /** slowlog-log-slower-than: microseconds, -1 = nothing is logged. */
  slowerThanUs = 10_000;
  private limit = 128;
  private nextId = 0;
  private readonly entries: SlowLogEntry[] = [];

  get length(): number {
    return this.entries.length;
  }

  /** slowlog-max-len. */
  set maxLength(value: number) {
    this.limit = value;
    this.trim();
  }

  private trim(): void {
    if (this.entries.length > this.limit) this.entries.length = this.limit;
  }

  /** Logs the command if it took long enough and may be logged. */
  offer(
    call: { spec: CommandSpec; args: Args; client: Client },
    microseconds: number,
    nowMs: number,
  ): void {
    const { spec, args, client } = call;
    if (this.slowerThanUs < 0 || spec.flags.includes("skip_slowlog")) return;
    if (microseconds >= this.slowerThanUs)
      this.entries.unshift({
        id: this.nextId++,
        atSeconds: Math.floor(nowMs / 1000),
        microseconds: Math.floor(microseconds),
        words: trimmedWords(spec, args),
        address: client.address,
        clientName: client.name,
      });
    this.trim();
  }

  /** The newest `count` entries. */
  latest(count: number): readonly SlowLogEntry[] {
    return this.entries.slice(0, count);
  }

  reset(): void {
    this.entries.length = 0;
  }
}
