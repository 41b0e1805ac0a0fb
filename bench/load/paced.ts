/**
 * One client that sends at a fixed rate whether it is answered or not, and takes the time from each request to its reply: a server that
 * pauses keeps everybody waiting who comes meanwhile, and all of them count.
 */
import { spreadOf } from "./report.ts";

export interface PacedOptions {
  port: number;
  perSecond: number;
  seconds: number;
  frameOf(index: number): string;
  /** All replies are as long as this one. */
  reply: string;
}

/** Times of replies, ascending. */
export class Latencies {
  constructor(private readonly sortedMs: Float64Array) {}

  /** The time that a share of the replies took at most. */
  at(share: number): number {
    const index = Math.min(this.sortedMs.length - 1, Math.floor(this.sortedMs.length * share));
    return this.sortedMs[index]!;
  }
}

/** Milliseconds of grace for the last replies. */
const GRACE_MS = 30_000;

/** @throws Error if the server answers anything else, or not at all */
export async function runPaced(options: PacedOptions): Promise<Latencies> {
  const { port, perSecond, seconds, frameOf, reply } = options;
  const total = Math.round(perSecond * seconds);
  const sentAtMs = new Float64Array(total);
  const tookMs = new Float64Array(total);
  const first = reply.charCodeAt(0);
  let sent = 0;
  let received = 0;
  let answered = 0;
  let unsent: Buffer = Buffer.alloc(0);
  let failure: string | undefined;

  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, chunk) {
        const now = performance.now();
        if (received % reply.length === 0 && chunk[0] !== first)
          failure ??= chunk.toString("latin1", 0, 100);
        received += chunk.length;
        for (const end = Math.floor(received / reply.length); answered < end; answered++)
          tookMs[answered] = now - sentAtMs[answered]!;
      },
      drain: () => flush(),
      close() {
        failure ??= "connection closed";
      },
    },
  });

  function flush(): void {
    if (unsent.length === 0) return;
    const written = socket.write(unsent);
    if (written > 0) unsent = unsent.subarray(written);
  }

  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      const due = Math.min(total, Math.floor(((now - startedAt) / 1000) * perSecond));
      let block = "";
      for (; sent < due; sent++) {
        block += frameOf(sent);
        sentAtMs[sent] = now;
      }
      if (block !== "") unsent = Buffer.concat([unsent, Buffer.from(block, "latin1")]);
      flush();
      const isLate = now - startedAt > seconds * 1000 + GRACE_MS;
      if (answered < total && failure === undefined && !isLate) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  socket.end();
  if (answered < total) throw new Error(failure ?? `${total - answered} requests without a reply`);
  return new Latencies(tookMs.sort());
}

/** The least of several figures: what a machine with other things to do adds is not the server's. */
export function best(values: readonly number[]): number {
  return spreadOf(values).least;
}
