/** CLIENT TRACKING and its kin while keys cannot be tracked yet: the grammar with all its errors, and what Redis answers when tracking is off. */
import type { CommandContext } from "./context.ts";
import { parseInteger64 } from "./integers.ts";

interface TrackingOptions {
  redirect: bigint;
  prefixes: number;
  bcast: boolean;
  optin: boolean;
  optout: boolean;
}

/** @returns the options, or the error line of the first that is wrong */
function trackingOptions({ args, clients }: CommandContext): TrackingOptions | string {
  const found = { redirect: 0n, prefixes: 0, bcast: false, optin: false, optout: false };
  for (let i = 3; i < args.count; i++) {
    const option = args.word(i);
    const more = i + 1 < args.count;
    if (option === "redirect" && more) {
      if (found.redirect !== 0n) return "ERR A client can only redirect to a single other client";
      const id = parseInteger64(args.text(++i));
      if (id === undefined) return "ERR value is not an integer or out of range";
      if (clients.get(Number(id)) === undefined)
        return "ERR The client ID you want redirect to does not exist";
      found.redirect = id;
    } else if (option === "prefix" && more) {
      found.prefixes++;
      i++;
    } else if (option === "bcast" || option === "optin" || option === "optout") {
      found[option] = true;
    } else if (option !== "noloop") return "ERR syntax error";
  }
  return found;
}

function conflict({ prefixes, bcast, optin, optout }: TrackingOptions): string | undefined {
  if (!bcast && prefixes > 0) return "ERR PREFIX option requires BCAST mode to be enabled";
  if (bcast && (optin || optout)) return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  if (optin && optout) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  return undefined;
}

export function tracking(context: CommandContext): void {
  const { args, reply } = context;
  const options = trackingOptions(context);
  if (typeof options === "string") return reply.error(options);
  const word = args.word(2);
  if (word === "off") return reply.ok();
  if (word !== "on") return reply.error("ERR syntax error");
  reply.error(conflict(options) ?? "ERR CLIENT TRACKING is not supported yet");
}

export function caching({ reply }: CommandContext): void {
  reply.error(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
  );
}

/** Nobody is redirected to. */
export function getRedirection({ reply }: CommandContext): void {
  reply.integer(-1);
}

export function trackingInfo({ reply }: CommandContext): void {
  reply.map(3);
  reply.bulk("flags");
  reply.set(1);
  reply.bulk("off");
  reply.bulk("redirect");
  reply.integer(-1);
  reply.bulk("prefixes");
  reply.array(0);
}
