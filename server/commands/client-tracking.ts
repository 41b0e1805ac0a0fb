/** CLIENT TRACKING and its kin: the grammar with all its errors, and what is told of the session. */
import type { TrackingOptions } from "../client/tracking.ts";
import type { CommandContext } from "./context.ts";
import { parseInteger64 } from "./integers.ts";

/** @returns the options, or the error line of the first that is wrong */
function trackingOptions({ args, clients }: CommandContext): TrackingOptions | string {
  const found: TrackingOptions = {
    redirect: 0,
    prefixes: [],
    bcast: false,
    optin: false,
    optout: false,
    noloop: false,
  };
  for (let i = 3; i < args.count; i++) {
    const option = args.word(i);
    const more = i + 1 < args.count;
    if (option === "redirect" && more) {
      if (found.redirect !== 0) return "ERR A client can only redirect to a single other client";
      const id = parseInteger64(args.text(++i));
      if (id === undefined) return "ERR value is not an integer or out of range";
      if (clients.get(Number(id)) === undefined)
        return "ERR The client ID you want redirect to does not exist";
      found.redirect = Number(id);
    } else if (option === "prefix" && more) found.prefixes.push(args.text(++i));
    else if (option === "bcast" || option === "optin" || option === "optout" || option === "noloop")
      found[option] = true;
    else return "ERR syntax error";
  }
  return found;
}

/** @returns the error line if the options do not fit each other, or what the client has */
function conflict({ client }: CommandContext, wanted: TrackingOptions): string | undefined {
  const { bcast, optin, optout, prefixes } = wanted;
  const has = client.tracking;
  const different = (what: string) =>
    `ERR You can't switch ${what} before disabling tracking for this client, and then re-enabling it with a different mode.`;
  if (!bcast && prefixes.length > 0) return "ERR PREFIX option requires BCAST mode to be enabled";
  if (has !== null && has.bcast !== bcast) return different("BCAST mode on/off");
  if (bcast && (optin || optout)) return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  if (optin && optout) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if ((optin && has?.optout) || (optout && has?.optin)) return different("OPTIN/OPTOUT mode");
  return overlap(prefixes, has?.prefixes ?? []);
}

/** Two prefixes of which a key could have both. O(prefixes squared) */
function overlap(prefixes: readonly string[], existing: readonly string[]): string | undefined {
  const overlaps = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);
  const line = (prefix: string, which: string, other: string) =>
    `ERR Prefix '${untilNul(prefix)}' overlaps with ${which} prefix '${untilNul(other)}'. Prefixes for a single client must not overlap.`;
  for (const [i, prefix] of prefixes.entries()) {
    const old = existing.find((other) => overlaps(prefix, other));
    if (old !== undefined) return line(prefix, "an existing", old);
    const other = prefixes.slice(i + 1).find((later) => overlaps(prefix, later));
    if (other !== undefined) return line(prefix, "another provided", other);
  }
  return undefined;
}

function untilNul(text: string): string {
  return text.split("\0", 1)[0]!;
}

export function tracking(context: CommandContext): void {
  const { args, reply, client, services } = context;
  const options = trackingOptions(context);
  if (typeof options === "string") return reply.error(options);
  const word = args.word(2);
  if (word === "off") {
    services.tracking.disable(client);
    return reply.ok();
  }
  if (word !== "on") return reply.error("ERR syntax error");
  const error = conflict(context, options);
  if (error !== undefined) return reply.error(error);
  services.tracking.enable(client, options);
  reply.ok();
}

export function caching({ args, reply, client }: CommandContext): void {
  const { tracking: has } = client;
  if (has === null)
    return reply.error(
      "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
    );
  const word = args.word(2);
  if (word !== "yes" && word !== "no") return reply.error("ERR syntax error");
  const mode = word === "yes" ? "OPTIN" : "OPTOUT";
  if (word === "yes" ? !has.optin : !has.optout)
    return reply.error(
      `ERR CLIENT CACHING ${word.toUpperCase()} is only valid when tracking is enabled in ${mode} mode.`,
    );
  has.caching = true;
  reply.ok();
}

export function getRedirection({ reply, client }: CommandContext): void {
  reply.integer(client.tracking?.redirect ?? -1);
}

export function trackingInfo({ reply, client }: CommandContext): void {
  const has = client.tracking;
  const flags = [
    has === null ? "off" : "on",
    has?.bcast && "bcast",
    has?.optin && "optin",
    has?.optin && has.caching && "caching-yes",
    has?.optout && "optout",
    has?.optout && has.caching && "caching-no",
    has?.noloop && "noloop",
    has?.broken && "broken_redirect",
  ].filter((flag) => typeof flag === "string");
  reply.map(3);
  reply.bulk("flags");
  reply.set(flags.length);
  for (const flag of flags) reply.bulk(flag);
  reply.bulk("redirect");
  reply.integer(has?.redirect ?? -1);
  reply.bulk("prefixes");
  reply.array(has?.prefixes.length ?? 0);
  for (const prefix of has?.prefixes ?? []) reply.bulk(prefix);
}
