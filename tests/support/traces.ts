/** Sequences of requested keys: recorded ones where they are at hand, and synthetic ones. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createRandom } from "./random.ts";

/** Beside the checkout, or beside the folder of its worktrees. */
const TRACES = ["../../../shared/traces", "../../../../shared/traces"]
  .map((path) => join(import.meta.dir, path))
  .find(existsSync);

export interface Trace {
  name: string;
  /** Undefined: the recording, or the tool to unpack it, is not there. */
  keys: (() => Iterable<string>) | undefined;
}

type Decode = (bytes: Buffer) => Iterable<string>;

function* lines(bytes: Buffer): Iterable<string> {
  for (const line of bytes.toString("latin1").split("\n"))
    if (line.trim() !== "" && !line.includes("*")) yield line.trim();
}

/** A key in each record of `bytes` bytes. */
const records = (bytes: number, keyAt: (view: DataView, at: number) => number | bigint): Decode =>
  function* (buffer) {
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    for (let at = 0; at + bytes <= buffer.length; at += bytes) yield String(keyAt(view, at));
  };

function unpack(path: string): Buffer {
  if (path.endsWith(".gz")) return gunzipSync(readFileSync(path));
  if (path.endsWith(".xz")) return Bun.spawnSync(["xz", "-dc", path]).stdout;
  return readFileSync(path);
}

function recorded(file: string, decode: Decode): Trace {
  const there = TRACES !== undefined && (!file.endsWith(".xz") || Bun.which("xz") !== null);
  return {
    name: file.split(".")[0]!,
    keys: there ? () => decode(unpack(join(TRACES, file))) : undefined,
  };
}

export const RECORDED_TRACES: readonly Trace[] = [
  ...["loop", "2_pools", "multi1", "multi2", "multi3", "sprite"].map((name) =>
    recorded(`${name}.trace.gz`, lines),
  ),
  ...["web07", "web12"].map((name) =>
    recorded(
      `${name}.trace.xz`,
      records(4, (view, at) => view.getUint32(at)),
    ),
  ),
  recorded(
    "scarab-recs.trace.xz",
    records(8, (view, at) => view.getBigUint64(at)),
  ),
  recorded(
    "w106.trace.xz",
    records(4, (view, at) => view.getUint32(at, true)),
  ),
  recorded(
    "cloudPhysicsIO.oracleGeneral.bin",
    records(24, (view, at) => view.getBigUint64(at + 4, true)),
  ),
];

/** Ranks below `count` with frequencies of 1 / rank^skew, without end. */
function* zipf(count: number, skew: number, seed: number): Generator<number> {
  const random = createRandom(seed);
  const sums: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= count; rank++) {
    sum += rank ** -skew;
    sums.push(sum);
  }
  for (;;) {
    const wanted = (random.below(2 ** 30) / 2 ** 30) * sum;
    let low = 0;
    for (let high = count - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (sums[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    yield low;
  }
}

function* take(length: number, keys: Iterable<number>): Iterable<string> {
  let left = length;
  for (const key of keys) {
    if (left-- === 0) return;
    yield String(key);
  }
}

function* withScans(keys: Iterator<number>, gap: number, length: number): Generator<number> {
  for (let next = 1_000_000; ; ) {
    for (let i = 0; i < gap; i++) yield keys.next().value!;
    for (let i = 0; i < length; i++) yield next++;
  }
}

function* loop(length: number): Generator<number> {
  for (;;) for (let key = 0; key < length; key++) yield key;
}

const SYNTHETIC_LENGTH = 200_000;
export const SYNTHETIC_TRACES: readonly Trace[] = [
  { name: "Zipf 0.99", keys: () => take(SYNTHETIC_LENGTH, zipf(20_000, 0.99, 1)) },
  {
    name: "Zipf 0.99 with scans",
    keys: () => take(SYNTHETIC_LENGTH, withScans(zipf(20_000, 0.99, 2), 5000, 3000)),
  },
  { name: "a loop larger than the cache", keys: () => take(SYNTHETIC_LENGTH, loop(5000)) },
];
