/**
 * Globs over names of ours: `*`, `?`, classes with ranges and negation, escapes. Keys are matched in the core.
 * Only the last star is ever retried, so a client's pattern costs at most O(glob x text), and none is malformed.
 */

/** One step of a glob: a star, or a test of one character. */
type Step = "star" | ((letter: string) => boolean);

export interface Glob {
  test(text: string): boolean;
}

/** Reads the class whose `[` is at `open`; one that is not closed reaches to the end. @returns its test and its last index */
function readClass(glob: string, open: number): [(letter: string) => boolean, number] {
  const negated = glob[open + 1] === "^";
  const ranges: [string, string][] = [];
  let at = open + (negated ? 2 : 1);
  for (; at < glob.length && glob[at] !== "]"; at++) {
    if (glob[at] === "\\" && at + 1 < glob.length) at++;
    const from = glob[at]!;
    const isRange = glob[at + 1] === "-" && at + 2 < glob.length;
    if (isRange) at += 2;
    const to = glob[at]!;
    ranges.push(from <= to ? [from, to] : [to, from]);
  }
  return [(letter) => ranges.some(([from, to]) => letter >= from && letter <= to) !== negated, at];
}

function parseSteps(glob: string): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < glob.length; i++) {
    const letter = glob[i]!;
    if (letter === "*") steps.push("star");
    else if (letter === "?") steps.push(() => true);
    else if (letter === "[") {
      const [test, last] = readClass(glob, i);
      steps.push(test);
      i = last;
    } else {
      const literal = letter === "\\" && i + 1 < glob.length ? glob[++i]! : letter;
      steps.push((candidate) => candidate === literal);
    }
  }
  return steps;
}

function matches(steps: readonly Step[], text: string): boolean {
  let step = 0;
  let at = 0;
  let starStep = -1;
  let starAt = 0;
  while (at < text.length) {
    const current = steps[step];
    if (current === "star") {
      starStep = step++;
      starAt = at;
    } else if (current?.(text[at]!)) {
      step++;
      at++;
    } else if (starStep >= 0) {
      step = starStep + 1;
      at = ++starAt;
    } else return false;
  }
  while (steps[step] === "star") step++;
  return step === steps.length;
}

/** Never throws: every string is a glob. */
export function compileGlob(glob: string): Glob {
  const steps = parseSteps(glob);
  return { test: (text) => matches(steps, text) };
}
