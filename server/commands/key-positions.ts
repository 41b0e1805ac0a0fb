/** Where the keys of a command are: by its key specifications, or by the row's own finder where these cannot tell. */
import type { CommandSpec, FoundKey, KeySpec } from "./spec.ts";

/** Index behind the keyword, searched from `startFrom` on or, if that is negative, backwards from the end; 0 = not there. */
function behindKeyword(keyword: string, startFrom: number, argv: readonly string[]): number {
  const step = startFrom > 0 ? 1 : -1;
  const isKeyword = (word: string) => word.toUpperCase() === keyword.toUpperCase();
  for (let at = startFrom > 0 ? startFrom : argv.length + startFrom; at > 0; at += step) {
    const word = argv[at];
    if (word === undefined) return 0;
    if (isKeyword(word)) return at + 1;
  }
  return 0;
}

/** A count as C reads the beginning of a word. */
function looseCount(text: string): number {
  return Number(text.match(/^\s*\+?(\d{1,9})/)?.[1] ?? 0);
}

/** A count that is no number as it should be written: the commands themselves read it all the same. */
function isLoose({ begin, find }: KeySpec, argv: readonly string[]): boolean {
  if (find === "unknown" || !("keyNum" in find) || begin === "unknown" || !("index" in begin))
    return false;
  return !/^-?(0|[1-9]\d*)$/.test(argv[begin.index + find.keyNum] ?? "0");
}

/** @returns positions, none if the keyword is not there, undefined if the words do not fit or cannot be judged */
function positionsOf({ begin, find }: KeySpec, argv: readonly string[]): number[] | undefined {
  if (begin === "unknown" || find === "unknown") return undefined;
  let first = "index" in begin ? begin.index : behindKeyword(begin.keyword, begin.startFrom, argv);
  if (first === 0) return [];
  let last: number;
  if ("keyNum" in find) {
    const count = argv[first + find.keyNum];
    first += find.firstKey;
    last = first + looseCount(count ?? "") - 1;
  } else if (find.lastKey >= 0) last = first + find.lastKey;
  else if (find.limit === 0) last = argv.length + find.lastKey;
  else last = first + Math.floor((argv.length - first) / find.limit) + find.lastKey;
  if (last < first || last >= argv.length) return undefined;
  const positions: number[] = [];
  for (let at = first; at <= last; at += find.step) positions.push(at);
  return positions;
}

function bySpecs(specs: readonly KeySpec[], argv: readonly string[]): FoundKey[] | undefined {
  const found: FoundKey[] = [];
  for (const spec of specs) {
    if (spec.flags.includes("not_key")) continue;
    const positions = positionsOf(spec, argv);
    if (positions === undefined || spec.flags.includes("incomplete")) return undefined;
    for (const index of positions) found.push({ index, flags: spec.flags });
  }
  const loose = specs.filter((spec) => isLoose(spec, argv));
  if (loose.length === 0) return found;
  // Where the specifications fail Redis asks the command's own finder: the counted keys first, without flags.
  const isCounted = ({ flags }: FoundKey) => loose.some((spec) => spec.flags === flags);
  const counted = found.filter(isCounted);
  const others = found.filter((key) => !isCounted(key));
  return [...counted, ...others].map(({ index }) => ({ index, flags: [] }));
}

export function hasKeys(spec: CommandSpec): boolean {
  return (spec.keys ?? []).some(({ flags }) => !flags.includes("not_key"));
}

/** The keys among the words and what happens to each; empty if the words do not fit. O(argv) */
export function findKeys(spec: CommandSpec, argv: readonly string[]): readonly FoundKey[] {
  if (spec.findKeys !== undefined) return spec.findKeys(argv);
  return bySpecs(spec.keys ?? [], argv) ?? [];
}

/** Positions in argv of all keys; empty if the words do not fit. O(argv) */
export function keyPositions(spec: CommandSpec, argv: readonly string[]): number[] {
  return findKeys(spec, argv).map(({ index }) => index);
}

export interface KeyRange {
  first: number;
  /** Negative: from the end. */
  last: number;
  step: number;
}

const NO_RANGE: KeyRange = { first: 0, last: 0, step: 0 };

interface PlainRange {
  first: number;
  lastKey: number;
  step: number;
}

function plainRange({ begin, find }: KeySpec): PlainRange | undefined {
  if (begin === "unknown" || find === "unknown") return undefined;
  if (!("index" in begin) || !("lastKey" in find)) return undefined;
  return { first: begin.index, lastKey: find.lastKey, step: find.step };
}

/**
 * The keys as clients of older Redis know them: one range from first to last, and whether there are keys that it does
 * not cover (`movablekeys`).
 */
export function legacyKeys(specs: readonly KeySpec[]): { range: KeyRange; movable: boolean } {
  const [only] = specs;
  if (only === undefined) return { range: NO_RANGE, movable: false };
  const incomplete = specs.some(({ flags }) => flags.includes("incomplete"));
  const single = specs.length === 1 ? plainRange(only) : undefined;
  if (single !== undefined) {
    const { first, lastKey, step } = single;
    return {
      range: { first, last: lastKey < 0 ? lastKey : first + lastKey, step },
      movable: incomplete,
    };
  }
  let movable = incomplete;
  let range = NO_RANGE;
  for (const spec of specs) {
    const plain = plainRange(spec);
    // Several ranges are one if each key follows the one before.
    const follows = plain?.step === 1 && (range === NO_RANGE || plain.first === range.last + 1);
    if (plain === undefined || !follows) {
      movable = true;
      continue;
    }
    const last = plain.lastKey < 0 ? plain.lastKey : plain.first + plain.lastKey;
    range = { first: range === NO_RANGE ? plain.first : range.first, last, step: 1 };
  }
  return { range, movable };
}
