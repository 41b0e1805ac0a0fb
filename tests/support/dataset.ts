/** What a core holds, as lines that can be compared; and commands of a log or base, put into a core as replay does. */
import { IoFlag } from "../../core-wasm/abi.ts";
import type { CoreHarness } from "./core-harness.ts";
import type { Reply } from "./reply.ts";

function texts(reply: Reply): string[] {
  if (!("items" in reply)) throw new Error(`an array was expected, not ${reply.kind}`);
  return reply.items.map((item) => ("text" in item ? item.text : ""));
}

/** Every key that lies there, due or not: database, key, digest of its value, deadline. */
export function datasetOf(core: CoreHarness, databases: number): string[] {
  const { client } = core;
  const before = { ...client };
  const now = core.clock.nowMs();
  client.flags |= IoFlag.Replay | IoFlag.NoTouch;
  // At the beginning of time nothing is due.
  core.clock.advance(-now);
  const lines: string[] = [];
  for (let db = 0; db < databases; db++) {
    client.db = db;
    for (const key of texts(core.run("KEYS", "*"))) {
      const [digest] = texts(core.run("DEBUG", "DIGEST-VALUE", key));
      const deadline = core.run("PEXPIRETIME", key);
      lines.push(`${db} ${key} ${digest} ${"value" in deadline ? deadline.value : "?"}`);
    }
  }
  Object.assign(client, before);
  core.clock.advance(now);
  return lines.sort();
}

/** The commands of a log, each as its words, and where it ends; annotations are skipped. @throws Error where it is not one */
export function* framesIn(log: Uint8Array): Generator<{ words: string[]; end: number }> {
  const text = Buffer.from(log).toString("latin1");
  let at = 0;
  const line = () => {
    const end = text.indexOf("\n", at);
    const found = text.slice(at, end);
    at = end + 1;
    return found.trimEnd();
  };
  while (at < text.length) {
    const head = line();
    if (head.startsWith("#")) continue;
    if (!head.startsWith("*")) throw new Error(`no command: ${head.slice(0, 40)}`);
    const words: string[] = [];
    for (let left = Number(head.slice(1)); left > 0; left--) {
      const length = Number(line().slice(1));
      words.push(text.slice(at, at + length));
      at += length + 2;
    }
    yield { words, end: at };
  }
}

/** The same without the places. */
export function commandsOf(log: Uint8Array): string[][] {
  return Array.from(framesIn(log), ({ words }) => words);
}

/** Runs the commands of a base as replay does. @throws Error if one of them fails */
export function replayInto(core: CoreHarness, log: Uint8Array): void {
  core.client.flags = IoFlag.Replay;
  for (const words of commandsOf(log)) {
    if (words[0] === "SELECT") {
      core.client.db = Number(words[1]);
      continue;
    }
    const reply = core.run(...words);
    if (reply.kind === "error") throw new Error(`${words[0]} ${words[1]}: ${reply.text}`);
  }
  core.client.flags = 0;
}
