/** The program as it is run from a shell: its arguments, output, signals and exit code. */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const WAIT_MS = 10_000;

/** How the program is started where nothing else is said: from the sources. */
export const FROM_SOURCES: readonly string[] = [process.execPath, join(ROOT, "server/main.ts")];

export interface Program {
  readonly pid: number;
  readonly exited: Promise<number>;
  /** Both streams, as far as they have come. */
  output(): string;
  /** Resolves when the output has the text. @throws Error if the program ends without it, or takes too long */
  printed(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Ends it for certain. */
  kill(): Promise<void>;
}

export interface ProgramOptions {
  command?: readonly string[];
  cwd?: string;
  env?: Record<string, string>;
  stdin?: string;
}

export function runProgram(args: readonly string[], options: ProgramOptions = {}): Program {
  const child = Bun.spawn([...(options.command ?? FROM_SOURCES), ...args], {
    cwd: options.cwd ?? ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...options.env },
    stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  let output = "";
  const gather = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
  };
  const gathered = Promise.all([gather(child.stdout), gather(child.stderr)]);
  const exited = child.exited.then(async (code) => {
    await gathered;
    return code;
  });
  return {
    pid: child.pid,
    exited,
    output: () => output,
    async printed(text) {
      const giveUpAt = performance.now() + WAIT_MS;
      while (!output.includes(text)) {
        const ended = child.exitCode !== null || child.signalCode !== null;
        if (ended) await gathered;
        if (output.includes(text)) return;
        if (ended || performance.now() > giveUpAt)
          throw new Error(`no "${text}" in what the program printed:\n${output}`);
        await Bun.sleep(10);
      }
    },
    signal: (name) => child.kill(name),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
