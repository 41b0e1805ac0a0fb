/**
 * A bare connection for loading and probing: frames out in large blocks, reply lines counted, nothing parsed beyond the first
 * line of a reply. Only for commands whose replies are one line or one bulk.
 */

export interface Pipe {
  /** Sends one command and waits. @returns the reply's line, or a bulk's text */
  ask(...words: (string | number)[]): Promise<string>;
  /** Sends `count` commands that `frameOf` makes, all with one-line replies, some thousand in flight. @throws on an error */
  load(count: number, frameOf: (index: number) => string): Promise<void>;
  close(): void;
}

const BLOCK_COMMANDS = 1000;
const IN_FLIGHT_COMMANDS = 8000;
const NEWLINE = 10;
const MINUS = 45;

export function frame(...words: (string | number)[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) {
    const bytes = String(word);
    text += `$${Buffer.byteLength(bytes)}\r\n${bytes}\r\n`;
  }
  return text;
}

export async function openPipe(port: number): Promise<Pipe> {
  let unsent: Buffer = Buffer.alloc(0);
  let lines = 0;
  let text = "";
  let keepsText = true;
  let failure: string | undefined;
  let wake = () => {};
  let lineStart = true;

  function count(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (lineStart && chunk[at] === MINUS) failure ??= chunk.toString("latin1", at, at + 100);
      const end = chunk.indexOf(NEWLINE, at);
      lineStart = end >= 0;
      if (end < 0) break;
      lines++;
      at = end + 1;
    }
  }

  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, chunk) {
        if (keepsText) text += chunk.toString("latin1");
        else count(chunk);
        wake();
      },
      drain() {
        flush();
      },
      close() {
        failure ??= "connection closed";
        wake();
      },
    },
  });

  function flush(): void {
    const written = socket.write(unsent);
    if (written > 0) unsent = unsent.subarray(written);
    wake();
  }

  async function until(done: () => boolean): Promise<void> {
    while (!done()) {
      if (failure !== undefined) throw new Error(failure);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  /** The bulk's text or the line at the start of what arrived, undefined while it is not whole. */
  function reply(): string | undefined {
    const end = text.indexOf("\r\n");
    if (end < 0) return undefined;
    const line = text.slice(0, end);
    if (!line.startsWith("$") || line === "$-1") return line;
    const length = Number(line.slice(1));
    return text.length < end + 4 + length ? undefined : text.slice(end + 2, end + 2 + length);
  }

  return {
    async ask(...words) {
      text = "";
      keepsText = true;
      unsent = Buffer.from(frame(...words));
      flush();
      await until(() => reply() !== undefined);
      return reply()!;
    },
    async load(commands, frameOf) {
      keepsText = false;
      lines = 0;
      lineStart = true;
      for (let sent = 0; sent < commands; ) {
        const end = Math.min(sent + BLOCK_COMMANDS, commands);
        let block = "";
        for (; sent < end; sent++) block += frameOf(sent);
        await until(() => unsent.length === 0 && sent - lines <= IN_FLIGHT_COMMANDS);
        unsent = Buffer.from(block, "latin1");
        flush();
      }
      await until(() => lines >= commands);
      if (failure !== undefined) throw new Error(failure);
    },
    close: () => socket.end(),
  };
}
