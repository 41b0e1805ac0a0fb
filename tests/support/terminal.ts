/** A program on a terminal, as a person sits before it: types, and reads what stands there. */

const GIVE_UP_MS = 4_000;

export interface Terminal {
  /** Types the text; it is shown before more can be typed, because programs throw away what came before their prompt. */
  type(text: string): void;
  /** What was shown since the last call, without colours and cursor movements, once it ends like this. @throws Error if it never does */
  until(end: RegExp): Promise<string>;
  /** Closes the terminal and waits for the program's end. */
  close(): Promise<void>;
}

// Colours, cursor movements; a redrawn line starts with a carriage return of its own.
const CONTROL = /\x1b\[[0-9;?]*[A-Za-z]/g;

export function openTerminal(command: string[], env: Record<string, string> = {}): Terminal {
  let shown = "";
  let wake = () => {};
  const child = Bun.spawn(command, {
    env: { ...process.env, TERM: "xterm", ...env },
    terminal: {
      cols: 200,
      rows: 50,
      data(_terminal, bytes) {
        shown += Buffer.from(bytes).toString("latin1");
        wake();
      },
    },
  });
  return {
    type: (text) => void child.terminal!.write(text),
    async until(end) {
      const giveUpAt = performance.now() + GIVE_UP_MS;
      for (;;) {
        const text = shown.replace(CONTROL, "");
        if (end.test(text)) {
          shown = "";
          return text;
        }
        const left = giveUpAt - performance.now();
        if (left <= 0) throw new Error(`${end} did not appear: ${JSON.stringify(text)}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    async close() {
      child.kill("SIGKILL");
      await child.exited;
      child.terminal!.close();
    },
  };
}
