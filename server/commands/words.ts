/** The words of the running command, as texts. */
import type { Args, CommandContext } from "./context.ts";

/** How much of a word an error shows. */
const PRINTED_BYTES = 128;

/** A word as Redis prints it into an error: its first bytes, up to a NUL. */
export function printed(word: string, bytes = PRINTED_BYTES): string {
  const end = word.indexOf("\0");
  return word.slice(0, end === -1 ? bytes : Math.min(end, bytes));
}

/** The error line for a name that no command has. */
export function unknownCommand(args: Args): string {
  let shown = "";
  for (let i = 1; i < args.count && shown.length < PRINTED_BYTES; i++)
    shown += `'${printed(args.text(i), PRINTED_BYTES - shown.length)}' `;
  return `ERR unknown command '${printed(args.text(0))}', with args beginning with: ${shown}`;
}

/** Words `first` to the last. */
export function wordsFrom({ args }: CommandContext, first: number): string[] {
  return wordsOf(args, first);
}

export function wordsOf(args: Args, first = 0): string[] {
  return Array.from({ length: Math.max(0, args.count - first) }, (_, i) => args.text(first + i));
}
