/** The words of a command without a core behind them. */
import type { Args } from "../../server/commands/context.ts";

export function argsOf(...words: (string | Uint8Array)[]): Args {
  const bytes = words.map((word) =>
    typeof word === "string" ? Buffer.from(word, "latin1") : word,
  );
  const text = (index: number) => Buffer.from(bytes[index]!).toString("latin1");
  return {
    count: bytes.length,
    bytes: (index) => bytes[index]!,
    text,
    word: (index) => text(index).toLowerCase(),
    integer: (index) => (/^-?\d+$/.test(text(index)) ? Number(text(index)) : undefined),
  };
}
