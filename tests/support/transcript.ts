/**
 * Conversations of several clients with a server as text, for what depends on who is told what, and when.
 *
 *   a3 b                    client a speaks RESP3, b RESP2
 *   a> SET k v | GET k      client a sends these commands at once
 *   a< OK                   what a has received since its last such line, in order; one line for each reply or push
 *   * 50                    a pause in ms
 *
 * `$a` in a command is the id of client a; in what is received such an id is shown as `$a` too.
 */
import { type Connection, openConnection } from "./reference.ts";
import { type Reply, wholeReply } from "./reply.ts";

/** So many connections come before, so that ids are no small numbers. */
const IDS_BEFORE = 200;
/** Time for what comes to a client that cannot be asked. */
const UNASKED_MS = 60;
const ANSWER_MS = 5000;
const SYNC = "in-step";

interface Speaker {
  readonly name: string;
  readonly connection: Connection;
  readonly id: string;
  /** It cannot be asked whether it has received everything: its commands are queued or not answered. */
  mute: boolean;
}

function shown(reply: Reply): string {
  switch (reply.kind) {
    case "nil":
      return "nil";
    case "integer":
      return `:${reply.value}`;
    case "error":
      return `-${reply.text}`;
    case "array":
    case "map":
    case "set":
    case "push":
      return `${reply.kind}[${reply.items.map(shown).join(" ")}]`;
    default:
      return reply.text === "" ? '""' : reply.text;
  }
}

async function join(port: number, name: string, protocol: string): Promise<Speaker> {
  const connection = await openConnection(port);
  await connection.raw("HELLO", protocol, "SETNAME", SYNC);
  const id = (await connection.raw("CLIENT", "ID")).slice(1, -2);
  return { name, connection, id, mute: false };
}

/** Plays the lines that send. @returns the same conversation with what was received. @throws Error if the server stops answering */
export async function play(port: number, script: string): Promise<string> {
  const [cast = "", ...lines] = script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const before = await Promise.all(Array.from({ length: IDS_BEFORE }, () => openConnection(port)));
  await Promise.all(before.map((connection) => connection.raw("PING")));
  for (const connection of before) connection.close();
  const speakers = new Map<string, Speaker>();
  for (const role of cast.split(" ")) {
    const [name, protocol = "2"] = role;
    speakers.set(name!, await join(port, name!, protocol));
  }
  const ids = [...speakers.values()].map(({ name, id }) => [name, id] as const);
  const told = [cast];
  for (const line of lines) {
    const [, name, direction, commands] = line.match(/^(\w)([<>]) (.*)$/) ?? [];
    if (line.startsWith("* ")) await Bun.sleep(Number(line.slice(2)));
    if (direction === "<") continue;
    told.push(line);
    const speaker = speakers.get(name ?? "");
    if (speaker !== undefined) listenTo(speaker, commands!);
    if (speaker !== undefined) say(speaker, commands!, speakers);
    // Who spoke first: what it caused has been told to all when it is answered.
    const others = [...speakers.values()].filter((other) => other !== speaker);
    for (const listener of speaker === undefined ? others : [speaker, ...others])
      for (const reply of await heard(listener))
        told.push(`${listener.name}< ${named(shown(wholeReply(reply)), ids)}`);
    if (speaker !== undefined && /quit$/i.test(commands!)) speakers.delete(speaker.name);
  }
  for (const { connection } of speakers.values()) connection.close();
  return told.join("\n");
}

function named(text: string, ids: readonly (readonly [name: string, id: string])[]): string {
  let out = text;
  for (const [name, id] of ids) out = out.replace(`:${id}`, `$${name}`);
  return out;
}

/** Who cannot be asked: between MULTI and EXEC, with CLIENT REPLY OFF, after QUIT, and from a command on that blocks. */
function listenTo(speaker: Speaker, line: string): void {
  if (/(multi|client reply off|quit|^bl\w+ .* 0)$/i.test(line)) speaker.mute = true;
  if (/(exec|client reply on)$/i.test(line)) speaker.mute = false;
}

function say({ connection }: Speaker, line: string, speakers: Map<string, Speaker>): void {
  const wordOf = (word: string) => {
    if (word.startsWith("$")) return speakers.get(word.slice(1))!.id;
    return word === '""' ? "" : word;
  };
  connection.send(line.split(" | ").map((command) => command.split(" ").map(wordOf)));
}

/** Everything that came to a client. It is asked twice: what is told when a turn of the server ends comes behind the first answer. */
async function heard(speaker: Speaker): Promise<string[]> {
  return [...(await heardOnce(speaker)), ...(speaker.mute ? [] : await heardOnce(speaker))];
}

async function heardOnce({ name, connection, mute }: Speaker): Promise<string[]> {
  const replies: string[] = [];
  if (!mute) connection.send([["CLIENT", "GETNAME"]]);
  for (;;) {
    const reply = await connection.next(mute ? UNASKED_MS : ANSWER_MS);
    if (reply === `$${SYNC.length}\r\n${SYNC}\r\n`) return replies;
    if (reply === undefined && mute) return replies;
    if (reply === undefined) throw new Error(`${name} is not answered`);
    replies.push(reply);
  }
}
