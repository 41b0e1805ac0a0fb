/**
 * A reference server (`redis-server`) as a child process, and a bare connection to it that shows raw replies.
 * Tests that need it skip themselves with a message where it is not installed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Word } from "./core-harness.ts";
import { parseReply } from "./reply.ts";

export const REFERENCE_PATH = Bun.which("redis-server");
if (REFERENCE_PATH === null)
  console.log("redis-server is not installed: the cases are not compared with a reference");

const START_MS = 10_000;

export interface Connection {
  /** Sends one command. @returns its raw reply as latin1 text */
  raw(...words: Word[]): Promise<string>;
  /** Sends commands at once. @returns their raw replies */
  all(commands: readonly (readonly Word[])[]): Promise<string[]>;
  /** Sends commands at once and waits for nothing. */
  send(commands: readonly (readonly Word[])[]): void;
  /** The next message that the server sends unasked, or undefined after `ms` without one. */
  next(ms: number): Promise<string | undefined>;
  close(): void;
}

export interface Reference {
  readonly port: number;
  connect(): Promise<Connection>;
  /** Bytes of the append-only file's incremental part. */
  log(): Buffer;
  stop(): Promise<void>;
}

/** Starts a server on the port, with an append-only file if asked for. @throws Error if it does not answer */
export async function startReference(port: number, withLog = false): Promise<Reference> {
  if (REFERENCE_PATH === null) throw new Error("redis-server is not installed");
  const dir = mkdtempSync(join(tmpdir(), "reference-"));
  const options = {
    port,
    dir,
    save: "",
    bind: "127.0.0.1",
    appendonly: withLog ? "yes" : "no",
    appendfsync: "always",
    "enable-debug-command": "yes",
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = Bun.spawn([REFERENCE_PATH, ...args], { stdout: "ignore", stderr: "ignore" });
  const connect = () => openConnection(port);
  const giveUpAt = performance.now() + START_MS;
  for (;;) {
    try {
      const first = await connect();
      await first.raw("PING");
      first.close();
      break;
    } catch (cause) {
      if (performance.now() > giveUpAt || child.exitCode !== null)
        throw new Error(`redis-server does not answer on port ${port}`, { cause });
      await Bun.sleep(20);
    }
  }
  return {
    port,
    connect,
    log: () => readFileSync(join(dir, "appendonlydir", "appendonly.aof.1.incr.aof")),
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A command as a multibulk frame. */
export function frame(words: readonly Word[]): Buffer {
  if (words.every((word) => typeof word === "string")) {
    const bulks = words.map((word) => `$${word.length}\r\n${word}\r\n`);
    return Buffer.from(`*${words.length}\r\n${bulks.join("")}`, "latin1");
  }
  const parts: Buffer[] = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = typeof word === "string" ? Buffer.from(word, "latin1") : Buffer.from(word);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** A connection to a server, on loopback unless said otherwise. */
export async function openConnection(port: number, hostname = "127.0.0.1"): Promise<Connection> {
  let received = "";
  let wake = () => {};
  let closed = false;
  let unsent = Buffer.alloc(0);
  const socket = await Bun.connect({
    hostname,
    port,
    socket: {
      data(_socket, chunk) {
        received += chunk.toString("latin1");
        wake();
      },
      drain(socket) {
        unsent = unsent.subarray(socket.write(unsent));
      },
      close() {
        closed = true;
        wake();
      },
    },
  });
  const next = async (ms: number): Promise<string | undefined> => {
    const giveUpAt = performance.now() + ms;
    for (;;) {
      const parsed = parseReply(received);
      if (parsed !== undefined) {
        const raw = received.slice(0, parsed.end);
        received = received.slice(parsed.end);
        return raw;
      }
      const left = giveUpAt - performance.now();
      if (closed || left <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const send = (commands: readonly (readonly Word[])[]) => {
    unsent = Buffer.concat([unsent, ...commands.map(frame)]);
    unsent = unsent.subarray(socket.write(unsent));
  };
  const all = async (commands: readonly (readonly Word[])[]): Promise<string[]> => {
    send(commands);
    const replies: string[] = [];
    for (const [name] of commands) {
      const reply = await next(START_MS);
      if (reply === undefined) throw new Error(`no reply to ${String(name)}`);
      replies.push(reply);
    }
    return replies;
  };
  return {
    next,
    send,
    all,
    async raw(...words) {
      return (await all([words]))[0]!;
    },
    close: () => socket.end(),
  };
}
