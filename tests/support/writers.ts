/**
 * Clients that write numbered units, so that it can be told afterwards which of them a server has: the first n of each writer, never with
 * a hole and never a part of one.
 */
import { type Connection, frame } from "./reference.ts";
import { type Reply, wholeReply } from "./reply.ts";
import { countTyped, typedQuestions, typedUnit } from "./typed-units.ts";

export type WriterKind = "plain" | "pipelined" | "transactions" | "types";

const SLOTS = 40;
const PIPELINE_UNITS = 32;
/** Replies to one unit, in lines. */
const LINES = { plain: 1, pipelined: 1, transactions: 12, types: 1 };
const LARGE_BYTES = 100_000;
/** Until it tries again. */
const REFUSED_MS = 5;

function text(reply: Reply | undefined): string | undefined {
  return reply !== undefined && "text" in reply ? reply.text : undefined;
}

export class Writer {
  /** Units that were answered, all of them from the first on. */
  acked = 0;
  sent = 0;
  /** The first error it was answered. */
  error: string | undefined;
  /** How often a plain writer was refused because the log could not be written: it tries again. */
  refusals = 0;
  private lines = 0;
  private rest = "";
  private stopping = false;
  private unsent: Buffer = Buffer.alloc(0);
  private socket: Bun.Socket | undefined;
  private closed = Promise.withResolvers<void>();

  constructor(
    readonly name: string,
    readonly kind: WriterKind,
  ) {}

  // ---- what a unit is

  private key(slot: number): string {
    return `${this.name}:${slot}`;
  }

  private value(i: number): string {
    return `${i}:${"x".repeat(i % 700 === 699 ? LARGE_BYTES : (i * 37) % 300)}`;
  }

  private isRemoval(i: number): boolean {
    return i % 11 === 10;
  }

  private unit(i: number): Buffer {
    const { name } = this;
    if (this.kind === "types") return frame(typedUnit(name, i));
    if (this.kind === "transactions")
      return Buffer.concat(
        [
          ["MULTI"],
          ["SET", `${name}:a`, String(i)],
          ["INCR", `${name}:count`],
          ["SELECT", "3"],
          ["SET", `${name}:b`, String(i)],
          ["SELECT", "0"],
          ["EXEC"],
        ].map(frame),
      );
    const key = this.key(i % SLOTS);
    if (this.isRemoval(i)) return frame(["DEL", key]);
    const deadline = i % 5 === 4 ? ["EX", "100000"] : [];
    return frame(["SET", key, this.value(i), ...deadline]);
  }

  // ---- writing

  /** Writes without a pause from the unit on that comes next. */
  async start(port: number): Promise<void> {
    this.stopping = false;
    this.lines = 0;
    this.rest = "";
    this.unsent = Buffer.alloc(0);
    this.closed = Promise.withResolvers();
    const first = this.acked;
    this.socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (_socket, chunk) => {
          this.take(chunk.toString("latin1"));
          this.acked = first + Math.floor(this.lines / LINES[this.kind]);
          if (this.acked === this.sent && !this.stopping) this.send();
        },
        drain: () => this.flush(),
        close: () => this.closed.resolve(),
        error: () => {},
      },
    });
    this.send();
  }

  private take(chunk: string): void {
    const lines = (this.rest + chunk).split("\r\n");
    this.rest = lines.pop()!;
    const errors = lines.filter((line) => line.startsWith("-"));
    if (this.kind === "plain" && errors[0]?.startsWith("-MISCONF")) {
      this.refusals++;
      setTimeout(() => this.sendAgain(), REFUSED_MS);
      return;
    }
    // Of a bulk string its text counts.
    this.lines += lines.filter((line) => !line.startsWith("$")).length;
    this.error ??= errors[0];
  }

  private sendAgain(): void {
    if (this.stopping) return;
    this.unsent = Buffer.concat([this.unsent, this.unit(this.sent)]);
    this.flush();
  }

  private send(): void {
    const count = this.kind === "pipelined" || this.kind === "types" ? PIPELINE_UNITS : 1;
    const units: Buffer[] = [];
    for (let n = 0; n < count; n++) units.push(this.unit(++this.sent));
    this.unsent = Buffer.concat([this.unsent, ...units]);
    this.flush();
  }

  private flush(): void {
    this.unsent = this.unsent.subarray(Math.max(0, this.socket!.write(this.unsent)));
  }

  /** Sends no more. Resolves when its connection is closed, by whom ever. */
  async stop(closes: boolean): Promise<void> {
    this.stopping = true;
    if (closes) this.socket?.end();
    await this.closed.promise;
  }

  /** Goes on behind what the server has. */
  resume(units: number): void {
    this.acked = units;
    this.sent = units;
  }

  // ---- what a server has of it

  /** @returns n: it has exactly the first n units. @throws Error if it has something else */
  async count(client: Connection): Promise<number> {
    if (this.kind === "types")
      return countTyped(this.name, await client.all(typedQuestions(this.name)));
    return this.kind === "transactions" ? this.countTransactions(client) : this.countSlots(client);
  }

  private async countTransactions(client: Connection): Promise<number> {
    const { name } = this;
    const raw = await client.all([
      ["GET", `${name}:a`],
      ["GET", `${name}:count`],
      ["SELECT", "3"],
      ["GET", `${name}:b`],
      ["SELECT", "0"],
    ]);
    const [a, count, , b] = raw.map((reply) => text(wholeReply(reply)));
    if (a !== count || a !== b) throw new Error(`${name}: half a unit: ${a}, ${count}, ${b}`);
    return Number(a ?? 0);
  }

  private async countSlots(client: Connection): Promise<number> {
    const keys = Array.from({ length: SLOTS }, (_, slot) => this.key(slot));
    const reply = wholeReply(await client.raw("MGET", ...keys));
    const found = reply.kind === "array" ? reply.items.map(text) : [];
    const last = Math.max(0, ...found.map((value) => Number.parseInt(value ?? "0", 10)));
    // Whether a removal behind it has happened shows only in its own slot.
    const units = [last + 1, last].find((n) => this.isAsAfter(n, found));
    if (units === undefined)
      throw new Error(`${this.name}: no first units of it: ${found.map((v) => v?.slice(0, 9))}`);
    return units > this.sent ? last : units;
  }

  private isAsAfter(units: number, found: readonly (string | undefined)[]): boolean {
    return found.every((value, slot) => {
      // The last unit that wrote to the slot.
      const i = units - ((((units - slot) % SLOTS) + SLOTS) % SLOTS);
      const expected = i <= 0 || this.isRemoval(i) ? undefined : this.value(i);
      return value === expected;
    });
  }
}
