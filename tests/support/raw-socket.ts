/** A bare socket for tests of the wire: sends what it is told, keeps what comes, knows when it was closed. */
import type { Socket } from "bun";

const WAIT_MS = 10_000;

export class RawSocket {
  /** Everything received so far, as latin1. */
  received = "";
  closed = false;
  private unsent: Uint8Array[] = [];
  private readonly waiters = new Set<() => void>();

  private constructor(private readonly socket: Socket) {}

  static async open(port: number): Promise<RawSocket> {
    const opened: { raw?: RawSocket } = {};
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => opened.raw?.take(chunk),
        drain: () => opened.raw?.push(),
        end: () => opened.raw?.ended(),
        close: () => opened.raw?.ended(),
        error: () => opened.raw?.ended(),
      },
    });
    opened.raw = new RawSocket(socket);
    return opened.raw;
  }

  /** Sends bytes, or a text as latin1, as fast as the other side takes them. */
  send(bytes: string | Uint8Array): void {
    this.unsent.push(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    this.push();
  }

  /** Waits until what came fits. @throws Error with what came if it does not within ten seconds */
  async until(fits: (received: string) => boolean): Promise<string> {
    await this.wait(() => fits(this.received));
    if (!fits(this.received))
      throw new Error(`only received ${JSON.stringify(this.received.slice(-400))}`);
    return this.received;
  }

  /** Waits for exactly this text, and forgets it. */
  async expect(text: string): Promise<void> {
    await this.wait(() => this.received.length >= text.length || this.closed);
    const got = this.received;
    if (got !== text)
      throw new Error(`expected ${JSON.stringify(text)}, received ${JSON.stringify(got)}`);
    this.received = "";
  }

  /** Sends, and waits for exactly this answer. */
  async ask(request: string, answer: string): Promise<void> {
    this.send(request);
    await this.expect(answer);
  }

  /** Waits for the other side to close. @returns everything that came. @throws Error if it does not */
  async untilClosed(): Promise<string> {
    await this.wait(() => this.closed);
    if (!this.closed) throw new Error(`still open, received ${JSON.stringify(this.received)}`);
    return this.received;
  }

  /** Nothing is read from here on. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Says that nothing more will be sent. */
  halfClose(): void {
    this.socket.shutdown();
  }

  close(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.terminate();
  }

  private take(chunk: Uint8Array): void {
    this.received += Buffer.from(chunk).toString("latin1");
    this.wake();
  }

  private ended(): void {
    this.closed = true;
    this.wake();
  }

  private push(): void {
    while (this.unsent.length > 0 && !this.closed) {
      const block = this.unsent[0]!;
      const taken = this.socket.write(block);
      if (taken < block.length) {
        this.unsent[0] = block.subarray(Math.max(0, taken));
        return;
      }
      this.unsent.shift();
    }
  }

  private wake(): void {
    for (const waiter of this.waiters) waiter();
  }

  private wait(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.waiters.delete(check);
        resolve();
      };
      const check = () => {
        if (done()) finish();
      };
      const timer = setTimeout(finish, WAIT_MS);
      this.waiters.add(check);
    });
  }
}
