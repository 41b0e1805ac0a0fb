/** MONITOR: every command that runs, as a line to each client that asked. Without such a client nothing here is called. */
import type { Client } from "../client/client.ts";
import type { Args } from "../commands/context.ts";
import type { CommandSpec } from "../commands/spec.ts";
import { secretPositions, shownWord } from "./shown-words.ts";

const ESCAPES: Record<number, string> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/** Each byte as it is shown between quotes. */
const SHOWN_BYTES = Array.from({ length: 256 }, (_, byte) => {
  const letter = ESCAPES[byte];
  if (letter !== undefined) return letter;
  if (byte >= 32 && byte < 127) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, "0")}`;
});

function quoted(word: Uint8Array): string {
  let text = '"';
  for (const byte of word) text += SHOWN_BYTES[byte];
  return `${text}"`;
}

/** The line of a command: time, database, where it came from, words; without line end. O(bytes of the command) */
export function monitorLine(
  call: { spec: CommandSpec; args: Args; client: Client },
  nowMicroseconds: number,
): string {
  const { spec, args, client } = call;
  const secrets = secretPositions(spec, args);
  const seconds = Math.floor(nowMicroseconds / 1e6);
  const rest = String(Math.floor(nowMicroseconds % 1e6)).padStart(6, "0");
  const words = Array.from({ length: args.count }, (_, i) => quoted(shownWord(args, i, secrets)));
  return `+${seconds}.${rest} [${client.db} ${client.address}] ${words.join(" ")}`;
}

/** Whether a command may be shown at all. */
export function isShown(spec: CommandSpec): boolean {
  return !spec.flags.includes("admin") && !spec.flags.includes("skip_monitor");
}
