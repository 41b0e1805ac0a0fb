/** An honest client beside hostile ones: asks all the time, and checks every answer. */
import { type Connection, openConnection } from "./reference.ts";

const PAUSE_MS = 2;

export class Canary {
  /** Answers that were right. */
  answers = 0;
  private stopped = false;
  private readonly done: Promise<void>;

  private constructor(private readonly connection: Connection) {
    this.done = this.sing();
    // Told by `stop`.
    this.done.catch(() => {});
  }

  static async start(port: number): Promise<Canary> {
    return new Canary(await openConnection(port));
  }

  /** @throws Error of the first answer that was wrong or missing */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.done;
    this.connection.close();
  }

  private async sing(): Promise<void> {
    for (let i = 0; !this.stopped; i++) {
      const value = `${i} ${"v".repeat(i % 300)}\r\n\0`;
      await this.check(["SET", "canary", value], "+OK\r\n");
      await this.check(["GET", "canary"], `$${value.length}\r\n${value}\r\n`);
      await this.check(["ECHO", `${i}`], `$${`${i}`.length}\r\n${i}\r\n`);
      await this.check(["INCR", "canary"], "-ERR value is not an integer or out of range\r\n");
      await Bun.sleep(PAUSE_MS);
    }
  }

  private async check(words: string[], wanted: string): Promise<void> {
    const got = await this.connection.raw(...words);
    if (got !== wanted)
      throw new Error(`the canary got ${JSON.stringify(got)} for ${JSON.stringify(words)}`);
    this.answers++;
  }
}
