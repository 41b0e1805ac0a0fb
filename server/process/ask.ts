/** A question to whoever sits at standard input. */
import { readSync, writeSync } from "node:fs";

const LF = 10;

/** Prints the question. @returns the line that was answered, "" at the end of input */
export function askOnTerminal(question: string): string {
  writeSync(1, question);
  const byte = new Uint8Array(1);
  const line: number[] = [];
  try {
    while (readSync(0, byte, 0, 1, null) === 1 && byte[0] !== LF) line.push(byte[0]!);
  } catch {
    // No input at all is no answer.
  }
  return Buffer.from(line).toString("utf8");
}
