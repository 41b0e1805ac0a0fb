/** The words of the running command, as texts. */
import type { CommandContext } from "./context.ts";

/** Words `first` to the last. */
export function wordsFrom({ args }: CommandContext, first: number): string[] {
  return Array.from({ length: Math.max(0, args.count - first) }, (_, i) => args.text(first + i));
}
