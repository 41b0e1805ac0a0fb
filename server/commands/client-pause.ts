/** CLIENT PAUSE, UNPAUSE and UNBLOCK: when commands of others go on. */

import { subcommandFault } from "./container.ts";
import type { CommandContext } from "./context.ts";
import { parseInteger64 } from "./integers.ts";

const INT64_MAX = 2n ** 63n - 1n;

/** https://redis.io/commands/client-pause */
export function pause(context: CommandContext): void {
  const { args, reply, services } = context;
  if (args.count > 4) return subcommandFault(context);
  const mode = args.count === 4 ? args.word(3) : "all";
  if (mode !== "write" && mode !== "all")
    return reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  const delay = parseInteger64(args.text(2));
  if (delay === undefined) return reply.error("ERR timeout is not an integer or out of range");
  if (delay < 0n) return reply.error("ERR timeout is negative");
  const now = services.clock.nowMs();
  if (delay > INT64_MAX - BigInt(now)) return reply.error("ERR timeout is out of range");
  services.pause.start(delay === 0n ? 0 : now + Number(delay), mode);
  reply.ok();
}

export function unpause({ reply, services }: CommandContext): void {
  services.pause.stop();
  reply.ok();
}

/** https://redis.io/commands/client-unblock */
export function unblock(context: CommandContext): void {
  const { args, reply, clients, services } = context;
  if (args.count > 4) return subcommandFault(context);
  const how = args.count === 4 ? args.word(3) : "timeout";
  if (how !== "timeout" && how !== "error")
    return reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  const id = parseInteger64(args.text(2));
  if (id === undefined) return reply.error("ERR value is not an integer or out of range");
  const target = clients.get(Number(id));
  reply.integer(target !== undefined && services.unblock(target, how) ? 1 : 0);
}
