/** What a session says of itself and how it wants to be treated: names, replies, eviction, recency. */
import { type Client, Gate } from "../client/client.ts";
import type { CommandContext } from "./context.ts";
import type { Handler } from "./spec.ts";

export const CLIENT_NAME_FAULT =
  "ERR Client names cannot contain spaces, newlines or special characters.";

/** Names are shown in lists of words: printable, without blanks. Redis looks no further than a NUL. */
export function isClientName(name: string): boolean {
  return /^[!-~]*(\0|$)/.test(name);
}

export function setName({ args, reply, client }: CommandContext): void {
  const name = args.text(2);
  if (!isClientName(name)) return reply.error(CLIENT_NAME_FAULT);
  client.name = name;
  reply.ok();
}

export function getName({ reply, client }: CommandContext): void {
  if (client.name === "") reply.nil();
  else reply.bulk(client.name);
}

/** https://redis.io/commands/client-setinfo */
export function setInfo({ args, reply, client }: CommandContext): void {
  const attribute = args.text(2);
  const value = args.text(3);
  const lower = attribute.toLowerCase();
  if (lower !== "lib-name" && lower !== "lib-ver")
    return reply.error(`ERR Unrecognized option '${attribute}'`);
  if (!isClientName(value))
    return reply.error(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
  if (lower === "lib-name") client.libName = value;
  else client.libVersion = value;
  reply.ok();
}

function toggle(apply: (client: Client, on: boolean) => void): Handler {
  return ({ args, reply, client }) => {
    const word = args.word(2);
    if (word !== "on" && word !== "off") return reply.error("ERR syntax error");
    apply(client, word === "on");
    reply.ok();
  };
}

export const noTouch = toggle((client, on) => {
  client.noTouch = on;
});

export const noEvict = toggle((client, on) => {
  client.noEvict = on;
});

/** https://redis.io/commands/client-reply: OFF and SKIP answer nothing themselves. */
export function replyMode({ args, reply, client, services }: CommandContext): void {
  switch (args.word(2)) {
    case "on":
      client.silent = false;
      client.gate &= ~Gate.SkipReply;
      services.setSilent(client, false);
      return reply.ok();
    case "off":
      client.silent = true;
      return services.setSilent(client, true);
    case "skip":
      if (!client.silent) client.gate |= Gate.SkipReply;
      return;
    default:
      reply.error("ERR syntax error");
  }
}
