/** Where the keys of a command are, by its key specifications. */
import type { CommandSpec, KeySpec } from "./spec.ts";

function positionsOf(spec: KeySpec, argv: readonly string[]): number[] {
  const { begin, find } = spec;
  if (begin === "unknown" || find === "unknown") return [];
  const first = "index" in begin ? begin.index : keywordIndex(begin.keyword, begin.startFrom, argv);
  if (first <= 0) return [];
  if ("keyNum" in find) {
    const count = Number(argv[first + find.keyNum]);
    if (!Number.isInteger(count) || count < 1) return [];
    const start = first + find.firstKey;
    return Array.from({ length: count }, (_, i) => start + i * find.step);
  }
  const last = find.lastKey >= 0 ? first + find.lastKey : argv.length + find.lastKey;
  const positions: number[] = [];
  for (let at = first; at <= last; at += find.step) positions.push(at);
  return positions;
}

function keywordIndex(keyword: string, startFrom: number, argv: readonly string[]): number {
  const at = argv.findIndex(
    (word, index) => index >= startFrom && word.toUpperCase() === keyword.toUpperCase(),
  );
  return at < 0 ? -1 : at + 1;
}

/** Positions in argv of all keys; empty if the arguments do not fit. O(argv) */
export function keyPositions(spec: CommandSpec, argv: readonly string[]): number[] {
  const positions = (spec.keys ?? []).flatMap((keys) => positionsOf(keys, argv));
  return positions.every((at) => at < argv.length) ? positions : [];
}
