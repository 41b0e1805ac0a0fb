/** A server in this process that is given chunks as they are: no socket cuts them, or puts them together. */
import type { ListenerEvents } from "../../server/net/listener.ts";
import { socketHandlers } from "../../server/net/listener.ts";
import type { Server } from "../../server/server.ts";
import { commandsOf } from "./dataset.ts";
import { createOnDisk, LOG_NAMES } from "./disk-server.ts";
import { parseReply } from "./reply.ts";
import { SimDisk } from "./sim-disk.ts";
import { StubSocket } from "./stub-socket.ts";

const TURNS_MAX = 1000;

export class DirectServer {
  readonly disk = new SimDisk();
  readonly server: Server;
  private events: ListenerEvents | undefined;

  private constructor(settings: Record<string, string>) {
    this.server = createOnDisk(this.disk, { appendonly: "no", ...settings }, [], ({ events }) => {
      this.events = events;
      return { port: 1, open: async () => {}, announce() {}, stop() {} };
    });
  }

  static async start(settings: Record<string, string>): Promise<DirectServer> {
    const direct = new DirectServer(settings);
    await direct.server.start();
    return direct;
  }

  connect(): DirectClient {
    return new DirectClient(socketHandlers({ events: this.events! }, ""));
  }

  /** What the log has, each command as its words with blanks between them. */
  get logged(): string[] {
    const { dir } = LOG_NAMES;
    const names = this.disk.list(dir).filter((name) => name.endsWith(".incr.aof"));
    return names.flatMap((name) =>
      [...commandsOf(this.disk.contents(`${dir}/${name}`))].map((words) => words.join(" ")),
    );
  }

  async stop(): Promise<void> {
    this.server.core.check();
    await this.server.stop();
  }
}

/** The client's end of a connection, and Bun's socket for the server. */
export class DirectClient extends StubSocket {
  /** The kernel takes nothing at present. */
  isFull = false;
  private received = "";

  constructor(private readonly handlers: ReturnType<typeof socketHandlers>) {
    super();
    handlers.open!(this.asSocket);
  }

  get hasReplies(): boolean {
    return this.received !== "";
  }

  end(): void {}
  terminate(): void {}

  write(bytes: Uint8Array, begin = 0, length = bytes.length - begin): number {
    if (this.isFull) return 0;
    this.received += Buffer.from(bytes.subarray(begin, begin + length)).toString("latin1");
    return length;
  }

  /** The server gets all of it as one chunk. */
  send(chunk: Uint8Array): void {
    this.handlers.data!(this.asSocket, Buffer.from(chunk));
  }

  /** The kernel takes what comes again. */
  drain(): void {
    this.isFull = false;
    this.handlers.drain!(this.asSocket);
  }

  /** So many raw replies, when they have come. @throws Error if they do not */
  async replies(count: number): Promise<string[]> {
    const replies: string[] = [];
    for (let turn = 0; replies.length < count; turn++) {
      const parsed = parseReply(this.received);
      if (parsed === undefined) {
        if (turn > TURNS_MAX) throw new Error(`${replies.length} replies of ${count}`);
        await new Promise((resolve) => setTimeout(resolve, turn < 10 ? 0 : 1));
        continue;
      }
      replies.push(this.received.slice(0, parsed.end));
      this.received = this.received.slice(parsed.end);
    }
    return replies;
  }
}
