/** MONITOR: every command that runs, as a line to each client that asked. Without such a client nothing here is called. */
import { type Client, Gate } from "../client/client.ts";
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

export class Monitors {
  private readonly clients = new Set<Client>();
  private readonly unsent = new Set<Client>();

  /**
   * @param writeHere writes to the client that is served, behind its reply; `flush` sends what lies in a client's outbox;
   * `onChange` is told when monitors came or went
   */
  constructor(
    private readonly parts: {
      writeHere(line: string): void;
      flush(client: Client): void;
      onChange(): void;
    },
  ) {}

  get size(): number {
    return this.clients.size;
  }

  has(client: Client): boolean {
    return this.clients.has(client);
  }

  add(client: Client): void {
    this.clients.add(client);
    client.gate |= Gate.Monitor;
    this.parts.onChange();
  }

  remove(client: Client): void {
    if (!this.clients.delete(client)) return;
    this.unsent.delete(client);
    client.gate &= ~Gate.Monitor;
    this.parts.onChange();
  }

  /** Shows a command that has run to all, unless it may not be shown. */
  show(call: { spec: CommandSpec; args: Args; client: Client }, nowMicroseconds: number): void {
    if (!isShown(call.spec)) return;
    const line = `${monitorLine(call, nowMicroseconds)}\r\n`;
    const bytes = Buffer.from(line, "latin1");
    for (const client of this.clients) {
      if (client === call.client) {
        this.parts.writeHere(line);
        continue;
      }
      client.outbox.append(bytes);
      this.unsent.add(client);
    }
  }

  /** Sends the lines of this chunk. */
  flush(): void {
    for (const client of this.unsent) this.parts.flush(client);
    this.unsent.clear();
  }
}
